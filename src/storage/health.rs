//! What sending tells about instances: whether they were reached, and which of them messages are held for.

use sqlx::FromRow;

use super::queue::{over_rows, rows};
use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, InstanceId};

/// An instance that is looked at: it has held messages, or was not reached.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct WatchedInstance {
    pub id: InstanceId,
    pub user_id: AccountId,
    pub api_url: String,
    pub instance_name: String,
    pub api_key: String,
    pub down_since: Option<Moment>,
    /// Whether messages are held for it.
    pub holds: bool,
}

/// How long an instance has not been reached.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Down {
    /// Since when.
    pub down_since: Moment,
    /// Whether the account was told.
    pub down_told: bool,
}

impl Conn {
    /// Notes that something went out through instances; returns those that the account was told were away.
    pub async fn note_sent(&mut self, ids: &[InstanceId], now: Moment) -> Result<Vec<InstanceId>> {
        let ids = rows(&ids)?;
        let noted: Vec<(InstanceId, bool)> = over_rows!(self, "UPDATE user_instances AS u SET last_sent_at = $2, connection = 'open',
                 checked_at = $2, down_since = NULL, is_suspect = FALSE FROM",
            "WHERE u.id = CAST(CAST(j.value AS TEXT) AS BIGINT) AND (u.last_sent_at IS NULL OR u.last_sent_at < $2 - 1000
                 OR u.down_since IS NOT NULL OR u.is_suspect OR u.connection <> 'open') RETURNING id, down_told", c, sql =>
            sqlx::query_as(sql).bind(&ids).bind(now).fetch_all(c).await)?;
        self.forget_down(noted).await
    }

    /// Notes that the servers of instances answered, whatever they said; returns those that the account was told were away.
    pub async fn note_answered(&mut self, ids: &[InstanceId]) -> Result<Vec<InstanceId>> {
        let ids = rows(&ids)?;
        let noted: Vec<(InstanceId, bool)> = over_rows!(self, "UPDATE user_instances AS u SET down_since = NULL,
                 connection = CASE WHEN connection = 'unreachable' THEN 'unknown' ELSE connection END FROM",
            "WHERE u.id = CAST(CAST(j.value AS TEXT) AS BIGINT) AND u.down_since IS NOT NULL RETURNING id, down_told", c, sql =>
            sqlx::query_as(sql).bind(&ids).fetch_all(c).await)?;
        self.forget_down(noted).await
    }

    /// Notes that a look found the server of an instance there, and in which state: what waits for it need wait no longer.
    /// `None` when that was known; else whether the account was told that it was away.
    pub async fn note_found(&mut self, id: InstanceId, connection: &'static str, now: Moment) -> Result<Option<bool>> {
        let noted: Option<(InstanceId, bool)> = on!(self, c => sqlx::query_as(
            "UPDATE user_instances SET down_since = NULL, connection = $2, checked_at = $3,
                 next_send_at = CASE WHEN next_send_at > $3 THEN $3 ELSE next_send_at END
             WHERE id = $1 AND down_since IS NOT NULL RETURNING id, down_told")
            .bind(id).bind(connection).bind(now).fetch_optional(c).await)?;
        let Some(noted) = noted else { return Ok(None) };
        Ok(Some(!self.forget_down(vec![noted]).await?.is_empty()))
    }

    /// Those of instances that are reached again of which the account was told otherwise: that is over.
    async fn forget_down(&mut self, noted: Vec<(InstanceId, bool)>) -> Result<Vec<InstanceId>> {
        let back: Vec<InstanceId> = noted.into_iter().filter(|one| one.1).map(|one| one.0).collect();
        for id in &back {
            on!(self, c => sqlx::query("UPDATE user_instances SET down_told = FALSE WHERE id = $1").bind(id).execute(c).await.map(|_| ()))?;
        }
        Ok(back)
    }

    /// Notes that an instance could not be reached, and since when it is so.
    pub async fn note_down(&mut self, id: InstanceId, now: Moment) -> Result<Down> {
        Ok(on!(self, c => sqlx::query_as(
            "UPDATE user_instances SET down_since = COALESCE(down_since, $2), connection = 'unreachable', checked_at = $2, unreached_at = $2,
                 is_suspect = TRUE
             WHERE id = $1 RETURNING down_since, down_told")
            .bind(id).bind(now).fetch_optional(c).await)?
        .unwrap_or(Down { down_since: now, down_told: true }))
    }

    /// Notes that an instance's server did not bring a request to its end; `unreached`: it, or what stands before it, may
    /// have been away.
    pub async fn note_suspect(&mut self, id: InstanceId, unreached: bool, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE user_instances SET is_suspect = TRUE,
                 unreached_at = CASE WHEN $2 THEN $3 ELSE unreached_at END WHERE id = $1")
            .bind(id).bind(unreached).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes that the account was told that an instance is away.
    pub async fn note_down_told(&mut self, id: InstanceId) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE user_instances SET down_told = TRUE WHERE id = $1").bind(id).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes the state that a failure told of.
    pub async fn note_connection(&mut self, id: InstanceId, connection: &'static str, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE user_instances SET connection = $2, checked_at = $3 WHERE id = $1")
            .bind(id).bind(connection).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Instances that messages are held for, and those that were not reached since they last answered.
    pub async fn list_watched_instances(&mut self) -> Result<Vec<WatchedInstance>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT * FROM (SELECT i.id, i.user_id, i.api_url, i.instance_name, i.api_key, i.down_since, EXISTS (
                     SELECT 1 FROM scheduled_messages m WHERE m.status = 'held' AND m.user_id = i.user_id
                     AND ((m.pinned AND m.instance_id = i.id) OR (NOT m.pinned AND i.is_active))) AS holds
                 FROM user_instances i JOIN users a ON a.id = i.user_id WHERE a.disabled_at IS NULL) AS w
             WHERE holds OR down_since IS NOT NULL ORDER BY id")
            .fetch_all(c).await)?)
    }

    /// The chat that asked for what was tried last through an instance.
    pub async fn find_chat_of(&mut self, owner: AccountId, through: InstanceId, now: Moment) -> Result<Option<ChatId>> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT chat_id FROM scheduled_messages WHERE user_id = $1 AND scheduled_time <= $3 AND claimed_for = $2
             ORDER BY scheduled_time DESC, id DESC LIMIT 1")
            .bind(owner).bind(through).bind(now).fetch_optional(c).await)?)
    }
}
