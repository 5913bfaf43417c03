//! The outbox: all that is to be said on Telegram, in order per chat. Bodies are sealed by the caller.

use super::queue::{over_rows, rows};
use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::ChatId;

/// Something that waits to leave.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OutboxRow {
    /// Its place in the order.
    pub id: i64,
    /// Where it goes.
    pub chat_id: ChatId,
    /// Sealed.
    pub body: String,
    /// When it was said.
    pub created_at: Moment,
}

impl Conn {
    /// Adds what is to be said in a chat. Wake the outbox after the commit.
    pub async fn insert_outgoing(&mut self, chat: ChatId, sealed: &str, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query(
            "INSERT INTO outbox (chat_id, body, status, attempts, due_at, created_at)
             VALUES ($1, $2, 'waiting', 0, $3, $3)")
            .bind(chat).bind(sealed).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// A page of what waits, by id, without what stands up to `after`.
    pub async fn list_outgoing(&mut self, after: i64, limit: i64) -> Result<Vec<OutboxRow>> {
        Ok(on!(self, c => sqlx::query_as::<_, OutboxRow>(
            "SELECT id, chat_id, body, created_at FROM outbox
             WHERE status = 'waiting' AND id > $1 ORDER BY id LIMIT $2")
            .bind(after).bind(limit).fetch_all(c).await)?)
    }

    /// The body of a waiting row; `None` when it waits no more.
    pub async fn find_outgoing(&mut self, id: i64) -> Result<Option<String>> {
        Ok(on!(self, c => sqlx::query_scalar::<_, String>(
            "SELECT body FROM outbox WHERE id = $1 AND status = 'waiting'")
            .bind(id).fetch_optional(c).await)?)
    }

    /// Ends the waiting of rows and erases their bodies; with each, whether it can never be said.
    pub async fn finish_outgoing(&mut self, ended: &[(i64, bool)]) -> Result<()> {
        let ended: Vec<(i64, &str)> =
            ended.iter().map(|(id, dead)| (*id, if *dead { "dead" } else { "done" })).collect();
        let ended = rows(&ended)?;
        over_rows!(self, "UPDATE outbox AS o SET status = j.value->>1, body = '' FROM",
            "WHERE o.id = CAST(j.value->>0 AS BIGINT)", c, sql =>
            sqlx::query(sql).bind(&ended).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Gives up all that waits for a chat, up to `last`.
    pub async fn drop_outgoing(&mut self, chat: ChatId, last: i64) -> Result<u64> {
        Ok(on!(self, c => sqlx::query(
            "UPDATE outbox SET status = 'dead', body = '' WHERE chat_id = $1 AND status = 'waiting' AND id <= $2")
            .bind(chat).bind(last).execute(c).await.map(|done| done.rows_affected()))?)
    }

    /// Deletes what was said before `before`. The newest row stays, so that no id is given twice.
    pub async fn purge_outbox(&mut self, before: Moment) -> Result<u64> {
        Ok(on!(self, c => sqlx::query(
            "DELETE FROM outbox WHERE status <> 'waiting' AND created_at < $1 AND id < (SELECT MAX(id) FROM outbox)")
            .bind(before).execute(c).await.map(|done| done.rows_affected()))?)
    }
}
