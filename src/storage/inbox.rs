//! The inbox: every accepted update, kept until its turn is done. Bodies are sealed by the caller and erased
//! as soon as they are no longer needed; the ids stay for two days, so that a redelivery is known.

use super::queue::{over_rows, rows};
use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::UpdateId;

/// An update that waits for its turn.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct InboxRow {
    /// Telegram's id of it; negative for an effect of ours.
    pub update_id: UpdateId,
    /// Its lane: updates of one lane are handled in order.
    pub lane: String,
    /// Sealed.
    pub body: String,
    /// How often its handling was begun after a restart.
    pub attempts: i64,
}

impl Conn {
    /// Keeps an update; `false` when it is known already.
    pub async fn insert_update(&mut self, update: UpdateId, lane: &str, sealed: &str, now: Moment) -> Result<bool> {
        let rows = on!(self, c => sqlx::query(
            "INSERT INTO inbox (update_id, lane, status, body, attempts, received_at)
             VALUES ($1, $2, 'waiting', $3, 0, $4) ON CONFLICT (update_id) DO NOTHING")
            .bind(update).bind(lane).bind(sealed).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Keeps many updates (id, lane, sealed), and returns those that were not known already.
    pub async fn insert_updates(
        &mut self,
        updates: &[(UpdateId, String, String)],
        now: Moment,
    ) -> Result<Vec<UpdateId>> {
        let updates = rows(&updates)?;
        Ok(over_rows!(self, "INSERT INTO inbox (update_id, lane, status, body, attempts, received_at)
                 SELECT CAST(j.value->>0 AS BIGINT), j.value->>1, 'waiting', j.value->>2, 0, $2 FROM",
            "WHERE TRUE ON CONFLICT (update_id) DO NOTHING RETURNING update_id", c, sql =>
            sqlx::query_scalar(sql).bind(&updates).bind(now).fetch_all(c).await)?)
    }

    /// A page of the waiting updates, by id, without those up to `after`.
    pub async fn list_waiting_updates(&mut self, after: UpdateId, limit: i64) -> Result<Vec<InboxRow>> {
        Ok(on!(self, c => sqlx::query_as::<_, InboxRow>(
            "SELECT update_id, lane, body, attempts FROM inbox
             WHERE status = 'waiting' AND update_id > $1 ORDER BY update_id LIMIT $2")
            .bind(after).bind(limit).fetch_all(c).await)?)
    }

    /// The body of a waiting update; `None` when it waits no more.
    pub async fn find_update(&mut self, update: UpdateId) -> Result<Option<String>> {
        Ok(on!(self, c => sqlx::query_scalar::<_, String>(
            "SELECT body FROM inbox WHERE update_id = $1 AND status = 'waiting'")
            .bind(update).fetch_optional(c).await)?)
    }

    /// Counts a beginning of its handling, for what a crash left behind.
    pub async fn count_update_attempt(&mut self, update: UpdateId) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE inbox SET attempts = attempts + 1 WHERE update_id = $1")
            .bind(update).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Ends the waiting of an update and erases its body; `false` when it waited no more.
    pub async fn finish_update(&mut self, update: UpdateId, failed: bool) -> Result<bool> {
        let status = if failed { "failed" } else { "done" };
        let rows = on!(self, c => sqlx::query(
            "UPDATE inbox SET status = $2, body = '' WHERE update_id = $1 AND status = 'waiting'")
            .bind(update).bind(status).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(rows == 1)
    }

    /// Forgets the ids of handled updates that came before `before`.
    pub async fn purge_inbox(&mut self, before: Moment) -> Result<u64> {
        Ok(on!(self, c => sqlx::query("DELETE FROM inbox WHERE status <> 'waiting' AND received_at < $1")
            .bind(before).execute(c).await.map(|done| done.rows_affected()))?)
    }
}
