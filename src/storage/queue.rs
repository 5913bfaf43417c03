//! The queue's side of `scheduled_messages`: claim with lease and attempt number, settle fenced by both.

use sqlx::FromRow;

use super::{Conn, Result, on};
use crate::domain::account::LatePolicy;
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId};
use crate::domain::message::{Reason, Status};

/// A due message with what it goes through.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Due {
    pub id: MessageId,
    pub user_id: AccountId,
    pub chat_id: ChatId,
    pub pinned: bool,
    pub recipient: String,
    pub message: String,
    pub scheduled_time: Moment,
    pub due_at: Moment,
    pub attempt: i64,
    pub tries: i64,
    pub late_policy: LatePolicy,
    pub through: Option<InstanceId>,
    pub api_url: Option<String>,
    pub instance_name: Option<String>,
    pub api_key: Option<String>,
    pub next_send_at: Option<Moment>,
}

/// A claim that ran out: the message may have left.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Expired {
    pub id: MessageId,
    pub user_id: AccountId,
    pub chat_id: ChatId,
    pub attempt: i64,
    pub started_at: Option<Moment>,
}

/// An instance that has held messages.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct HeldInstance {
    pub id: InstanceId,
    pub user_id: AccountId,
    pub api_url: String,
    pub instance_name: String,
    pub api_key: String,
}

macro_rules! due {
    ($lock:literal) => {
        concat!(
            "SELECT m.id, m.user_id, m.chat_id, m.pinned, m.recipient, m.message, m.scheduled_time, m.due_at, m.attempt, m.tries,
                    a.late_policy, i.id AS through, i.api_url, i.instance_name, i.api_key, i.next_send_at
             FROM scheduled_messages m
             JOIN users a ON a.id = m.user_id
             LEFT JOIN user_instances i ON i.user_id = m.user_id
                  AND ((m.pinned AND i.id = m.instance_id) OR (NOT m.pinned AND i.is_active))
             WHERE m.status = 'scheduled' AND m.due_at <= $1 AND a.disabled_at IS NULL
             ORDER BY m.due_at, m.id LIMIT $2 ",
            $lock
        )
    };
}

macro_rules! due_by_account {
    ($lock:literal) => {
        concat!(
            "SELECT m.id, m.user_id, m.chat_id, m.pinned, m.recipient, m.message, m.scheduled_time, m.due_at, m.attempt, m.tries,
                    a.late_policy, i.id AS through, i.api_url, i.instance_name, i.api_key, i.next_send_at
             FROM scheduled_messages m
             JOIN users a ON a.id = m.user_id
             LEFT JOIN user_instances i ON i.user_id = m.user_id
                  AND ((m.pinned AND i.id = m.instance_id) OR (NOT m.pinned AND i.is_active))
             WHERE m.id IN (SELECT ranked.id FROM (SELECT x.id, ROW_NUMBER() OVER (PARTITION BY x.user_id ORDER BY x.due_at, x.id) AS place
                            FROM scheduled_messages x WHERE x.status = 'scheduled' AND x.due_at <= $1) ranked WHERE ranked.place <= $2)
                   AND m.status = 'scheduled' AND a.disabled_at IS NULL
             ORDER BY m.due_at, m.id ",
            $lock
        )
    };
}

impl Conn {
    /// Due messages, oldest first; on PostgreSQL those that no other replica looks at.
    pub async fn list_due(&mut self, now: Moment, limit: i64) -> Result<Vec<Due>> {
        Ok(match self {
            Self::Sqlite(conn) => sqlx::query_as(due!("")).bind(now).bind(limit).fetch_all(&mut **conn).await?,
            Self::Postgres(conn) => {
                sqlx::query_as(due!("FOR NO KEY UPDATE OF m SKIP LOCKED"))
                    .bind(now)
                    .bind(limit)
                    .fetch_all(&mut **conn)
                    .await?
            }
        })
    }

    /// Due messages, at most `each` of an account: for when there are more than [`Self::list_due`] looks at.
    pub async fn list_due_by_account(&mut self, now: Moment, each: i64) -> Result<Vec<Due>> {
        Ok(match self {
            Self::Sqlite(conn) => {
                sqlx::query_as(due_by_account!("")).bind(now).bind(each).fetch_all(&mut **conn).await?
            }
            Self::Postgres(conn) => {
                sqlx::query_as(due_by_account!("FOR NO KEY UPDATE OF m SKIP LOCKED"))
                    .bind(now)
                    .bind(each)
                    .fetch_all(&mut **conn)
                    .await?
            }
        })
    }

    /// When the next message comes due, after `now`: what is due by then was looked at.
    pub async fn next_due(&mut self, now: Moment) -> Result<Option<Moment>> {
        Ok(
            on!(self, c => sqlx::query_scalar("SELECT due_at FROM scheduled_messages WHERE status = 'scheduled' AND due_at > $1
             ORDER BY due_at, id LIMIT 1").bind(now).fetch_optional(c).await)?,
        )
    }

    /// Holds what else is due through an instance, so that what cannot go is not tried message by message.
    pub async fn hold_due_of(
        &mut self,
        account: AccountId,
        through: InstanceId,
        reason: Reason,
        now: Moment,
    ) -> Result<u64> {
        Ok(on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET status = 'held', reason = $3, version = version + 1, updated_at = $4
             WHERE user_id = $1 AND status = 'scheduled' AND due_at <= $4 AND ((pinned AND instance_id = $2) OR (NOT pinned AND EXISTS (
                 SELECT 1 FROM user_instances u WHERE u.id = $2 AND u.user_id = $1 AND u.is_active)))")
            .bind(account).bind(through).bind(reason).bind(now).execute(c).await.map(|r| r.rows_affected()))?)
    }

    /// Claims a message: it is about to be handed over. Returns its attempt number.
    pub async fn claim_message(&mut self, due: &Due, holder: &str, lease: Moment, now: Moment) -> Result<Option<i64>> {
        let attempt: Option<i64> = on!(self, c => sqlx::query_scalar(
            "UPDATE scheduled_messages SET status = 'sending', attempt = attempt + 1, tries = tries + 1, lease_until = $2,
             lease_holder = $3, started_at = $4, updated_at = $4 WHERE id = $1 AND status = 'scheduled' AND attempt = $5 RETURNING attempt")
            .bind(due.id).bind(lease).bind(holder).bind(now).bind(due.attempt).fetch_optional(c).await)?;
        if let Some(attempt) = attempt {
            on!(self, c => sqlx::query("INSERT INTO message_attempts (message_id, attempt, instance_id, started_at) VALUES ($1, $2, $3, $4)")
                .bind(due.id).bind(attempt).bind(due.through).bind(now).execute(c).await.map(|_| ()))?;
        }
        Ok(attempt)
    }

    /// Moves a due message that does not go now to a later moment.
    pub async fn postpone_message(&mut self, id: MessageId, to: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE scheduled_messages SET due_at = $2 WHERE id = $1 AND status = 'scheduled'")
            .bind(id).bind(to).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Sets a due message aside: held, late or dropped.
    pub async fn set_aside(
        &mut self,
        id: MessageId,
        status: Status,
        reason: Option<Reason>,
        now: Moment,
    ) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE scheduled_messages SET status = $2, reason = $3, version = version + 1, updated_at = $4
             WHERE id = $1 AND status = 'scheduled'")
            .bind(id).bind(status).bind(reason).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Whether the account holds another message for this reason: it was told already.
    pub async fn holds_for(&mut self, account: AccountId, reason: Reason, except: MessageId) -> Result<bool> {
        let count: i64 = on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM scheduled_messages WHERE user_id = $1 AND status = 'held' AND reason = $2 AND id <> $3")
            .bind(account).bind(reason).bind(except).fetch_one(c).await)?;
        Ok(count > 0)
    }

    /// Writes the outcome of an attempt; nothing when the claim is not ours any more.
    #[expect(clippy::too_many_arguments, reason = "an outcome is just these columns")]
    pub async fn settle_message(
        &mut self,
        id: MessageId,
        attempt: i64,
        holder: &str,
        status: Status,
        reason: Option<Reason>,
        due: Option<Moment>,
        remote: Option<(&str, InstanceId)>,
        now: Moment,
    ) -> Result<bool> {
        let sent_at = (status == Status::Sent).then_some(now);
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET status = $4, reason = $5, due_at = COALESCE($6, due_at), remote_id = $7, sent_through = $8,
             instance_id = CASE WHEN pinned THEN instance_id ELSE COALESCE($8, instance_id) END,
             sent_at = $9, lease_until = NULL, lease_holder = NULL, version = version + 1, updated_at = $10
             WHERE id = $1 AND attempt = $2 AND lease_holder = $3 AND status = 'sending'")
            .bind(id).bind(attempt).bind(holder).bind(status).bind(reason).bind(due).bind(remote.map(|r| r.0))
            .bind(remote.map(|r| r.1)).bind(sent_at).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        if done == 1 {
            on!(self, c => sqlx::query("UPDATE message_attempts SET finished_at = $3, outcome = $4, reason = $5, remote_id = $6
                 WHERE message_id = $1 AND attempt = $2")
                .bind(id).bind(attempt).bind(now).bind(status).bind(reason).bind(remote.map(|r| r.0)).execute(c).await.map(|_| ()))?;
        }
        Ok(done == 1)
    }

    /// Keeps our claims for longer, but for those begun before `since`: no request takes that long, so theirs was lost.
    pub async fn extend_leases(&mut self, holder: &str, until: Moment, since: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE scheduled_messages SET lease_until = $2
             WHERE lease_holder = $1 AND status = 'sending' AND started_at >= $3 AND lease_until < $2")
            .bind(holder).bind(until).bind(since).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Claims that ran out, or were left by an earlier run of the only process.
    pub async fn list_expired(&mut self, now: Moment) -> Result<Vec<Expired>> {
        Ok(on!(self, c => sqlx::query_as("SELECT id, user_id, chat_id, attempt, started_at FROM scheduled_messages
             WHERE status = 'sending' AND lease_until <= $1 ORDER BY id LIMIT 500").bind(now).fetch_all(c).await)?)
    }

    /// Ends a claim that ran out.
    pub async fn end_expired(&mut self, expired: &Expired, now: Moment) -> Result<bool> {
        let status = if expired.started_at.is_some() { Status::Unknown } else { Status::Scheduled };
        let reason = expired.started_at.map(|_| Reason::AnswerLost);
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET status = $3, reason = $4, lease_until = NULL, lease_holder = NULL, version = version + 1, updated_at = $5
             WHERE id = $1 AND attempt = $2 AND status = 'sending'")
            .bind(expired.id).bind(expired.attempt).bind(status).bind(reason).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Notes when something went out through an instance, and when the next may.
    pub async fn note_sending(&mut self, id: InstanceId, next: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE user_instances SET next_send_at = $2 WHERE id = $1").bind(id).bind(next).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes that something went out through an instance.
    pub async fn note_sent(&mut self, id: InstanceId, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE user_instances SET last_sent_at = $2, connection = 'open', checked_at = $2 WHERE id = $1")
            .bind(id).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Notes the state that a failure told of.
    pub async fn note_connection(&mut self, id: InstanceId, connection: &'static str, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE user_instances SET connection = $2, checked_at = $3 WHERE id = $1")
            .bind(id).bind(connection).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// How many attempts an instance made since a moment.
    pub async fn count_attempts(&mut self, id: InstanceId, since: Moment) -> Result<i64> {
        Ok(
            on!(self, c => sqlx::query_scalar("SELECT COUNT(*) FROM message_attempts WHERE instance_id = $1 AND started_at > $2")
            .bind(id).bind(since).fetch_one(c).await)?,
        )
    }

    /// Instances that messages are held for.
    pub async fn list_held_instances(&mut self) -> Result<Vec<HeldInstance>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT i.id, i.user_id, i.api_url, i.instance_name, i.api_key FROM user_instances i WHERE EXISTS (
                 SELECT 1 FROM scheduled_messages m WHERE m.status = 'held' AND m.user_id = i.user_id
                 AND ((m.pinned AND m.instance_id = i.id) OR (NOT m.pinned AND i.is_active))) ORDER BY i.id LIMIT 200")
            .fetch_all(c).await)?)
    }

    /// A chat of the account to tell things that are about no single message.
    pub async fn find_chat_of(&mut self, account: AccountId) -> Result<Option<ChatId>> {
        Ok(
            on!(self, c => sqlx::query_scalar("SELECT chat_id FROM chat_users WHERE account_id = $1 AND blocked_at IS NULL
             ORDER BY linked_at LIMIT 1").bind(account).fetch_optional(c).await)?,
        )
    }
}
