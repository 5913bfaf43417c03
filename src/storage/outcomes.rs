//! What becomes of due messages: outcomes of attempts, fenced by lease holder and attempt number, and what is set aside
//! unsent.

use std::collections::HashSet;

use serde::Serialize;

use super::listed::{Listed, MOST};
use super::queue::{over_rows, rows};
use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId};
use crate::domain::message::{Absence, Reason, RefusedField, Status};

/// The outcome of an attempt, as it is written.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Which message.
    pub id: MessageId,
    /// Which attempt; the fencing token.
    pub attempt: i64,
    /// Where the message stands now.
    pub status: &'static str,
    /// Why.
    pub reason: Option<&'static str>,
    /// Which field of it the server refused, where it named one.
    pub field: Option<RefusedField>,
    /// `key.id` of the server.
    pub remote: Option<String>,
    /// What it went through, when it went.
    pub through: Option<InstanceId>,
    /// When it went, when it went.
    pub sent_at: Option<Moment>,
    /// When to look in the history, when it may have gone.
    pub look_at: Option<Moment>,
    /// What its absence there will mean.
    pub if_absent: Option<&'static str>,
    /// -1 when nothing was tried, else 0.
    pub tries: i64,
    /// The word for the attempt itself; none where nothing was tried.
    pub word: Option<&'static str>,
    /// What it was tried through.
    pub tried_through: InstanceId,
    /// When it was claimed.
    pub begun: Moment,
}

impl Conn {
    /// Writes down what was handed over, in fewer words than [`Self::settle_messages`]: nearly every outcome is this.
    pub async fn settle_sent(&mut self, sent: &[&Outcome], holder: &str, now: Moment) -> Result<Vec<MessageId>> {
        match self {
            Self::Sqlite(conn) => {
                static SENT: Listed = Listed::new(
                    4,
                    "UPDATE scheduled_messages AS m SET status = 'sent', reason = NULL, remote_id = j.c3,
                         sent_through = j.c4, sent_at = $1, lease_until = NULL, lease_holder = NULL,
                         version = version + 1, updated_at = $1 FROM",
                    "WHERE m.id = j.c1 AND m.attempt = j.c2 AND m.lease_holder = $2 AND m.status || '' = 'sending'",
                );
                static OURS: Listed = Listed::new(
                    2,
                    "SELECT m.id FROM scheduled_messages m JOIN",
                    "ON m.id = j.c1 AND m.attempt = j.c2 WHERE m.status || '' = 'sent' AND m.updated_at = $1 AND NOT EXISTS (
                         SELECT 1 FROM message_attempts t
                         WHERE t.message_id = m.id AND t.attempt = m.attempt AND t.outcome IS NOT NULL)",
                );
                static ENDED: Listed = Listed::new(
                    5,
                    "INSERT INTO message_attempts (message_id, attempt, instance_id, started_at, finished_at, outcome, remote_id)
                         SELECT c1, c2, c3, c4, $1, 'sent', c5 FROM",
                    "WHERE c1 IS NOT NULL ON CONFLICT (message_id, attempt) DO UPDATE SET finished_at = excluded.finished_at,
                         outcome = excluded.outcome, remote_id = excluded.remote_id WHERE message_attempts.outcome IS NULL",
                );
                let mut ours = Vec::with_capacity(sent.len());
                for sent in sent.chunks(MOST) {
                    let (text, size) = SENT.text(sent.len());
                    let mut query = sqlx::query(text);
                    for one in sent {
                        query = query.bind(one.id).bind(one.attempt).bind(one.remote.as_deref()).bind(one.through);
                    }
                    for _ in sent.len()..size {
                        query = query.bind(None::<i64>).bind(None::<i64>).bind(None::<&str>).bind(None::<i64>);
                    }
                    let written = query.bind(now).bind(holder).execute(&mut **conn).await?.rows_affected();
                    // A row that is given back costs as much as one that is written: which ones, is asked only when some were
                    // not ours. Those have an attempt that is over.
                    let mut kept: Vec<&Outcome> = sent.to_vec();
                    if written < sent.len() as u64 {
                        let (text, size) = OURS.text(sent.len());
                        let mut query = sqlx::query_scalar::<_, MessageId>(text);
                        for one in sent {
                            query = query.bind(one.id).bind(one.attempt);
                        }
                        for _ in sent.len()..size {
                            query = query.bind(None::<i64>).bind(None::<i64>);
                        }
                        let found: HashSet<MessageId> =
                            query.bind(now).fetch_all(&mut **conn).await?.into_iter().collect();
                        kept.retain(|one| found.contains(&one.id));
                    }
                    ours.extend(kept.iter().map(|one| one.id));
                    let (text, size) = ENDED.text(kept.len());
                    let mut query = sqlx::query(text);
                    for one in &kept {
                        query = query
                            .bind(one.id)
                            .bind(one.attempt)
                            .bind(one.tried_through)
                            .bind(one.begun)
                            .bind(one.remote.as_deref());
                    }
                    for _ in kept.len()..size {
                        query = query
                            .bind(None::<i64>)
                            .bind(None::<i64>)
                            .bind(None::<i64>)
                            .bind(None::<i64>)
                            .bind(None::<&str>);
                    }
                    query.bind(now).execute(&mut **conn).await?;
                }
                Ok(ours)
            }
            Self::Postgres(conn) => {
                let ours: Vec<MessageId> = sqlx::query_scalar(
                    "UPDATE scheduled_messages AS m SET status = 'sent', reason = NULL, remote_id = j.remote,
                         sent_through = j.through, sent_at = $1, lease_until = NULL, lease_holder = NULL,
                         version = version + 1, updated_at = $1
                     FROM unnest($3, $4, $5, $6) AS j (id, attempt, remote, through)
                     WHERE m.id = j.id AND m.attempt = j.attempt AND m.lease_holder = $2 AND m.status || '' = 'sending'
                     RETURNING m.id",
                )
                .bind(now)
                .bind(holder)
                .bind(sent.iter().map(|one| one.id.0).collect::<Vec<_>>())
                .bind(sent.iter().map(|one| one.attempt).collect::<Vec<_>>())
                .bind(sent.iter().map(|one| one.remote.as_deref()).collect::<Vec<_>>())
                .bind(sent.iter().map(|one| one.through.map(|through| through.0)).collect::<Vec<_>>())
                .fetch_all(&mut **conn)
                .await?;
                let mut ended: Vec<&Outcome> = sent.to_vec();
                if ours.len() < sent.len() {
                    let found: HashSet<MessageId> = ours.iter().copied().collect();
                    ended.retain(|one| found.contains(&one.id));
                }
                sqlx::query(
                    "INSERT INTO message_attempts (message_id, attempt, instance_id, started_at, finished_at, outcome, remote_id)
                     SELECT j.id, j.attempt, j.tried, j.begun, $1, 'sent', j.remote
                     FROM unnest($2, $3, $4, $5, $6) AS j (id, attempt, tried, begun, remote)
                     ON CONFLICT (message_id, attempt) DO UPDATE SET finished_at = excluded.finished_at,
                         outcome = excluded.outcome, remote_id = excluded.remote_id",
                )
                .bind(now)
                .bind(ended.iter().map(|one| one.id.0).collect::<Vec<_>>())
                .bind(ended.iter().map(|one| one.attempt).collect::<Vec<_>>())
                .bind(ended.iter().map(|one| one.tried_through.0).collect::<Vec<_>>())
                .bind(ended.iter().map(|one| one.begun.0).collect::<Vec<_>>())
                .bind(ended.iter().map(|one| one.remote.as_deref()).collect::<Vec<_>>())
                .execute(&mut **conn)
                .await?;
                Ok(ours)
            }
        }
    }

    /// Writes outcomes; returns the messages whose claim was still ours. The others' late finishers are fenced.
    pub async fn settle_messages(&mut self, outcomes: &[Outcome], holder: &str, now: Moment) -> Result<Vec<MessageId>> {
        let list = rows(&outcomes)?;
        let ours: Vec<MessageId> = over_rows!(self,
            "UPDATE scheduled_messages AS m SET status = j.value->>'status', reason = CASE WHEN j.value->>'status' = 'scheduled'
                 AND (j.value->>'reason' IS NULL OR m.reason IN ('disconnected', 'key_refused', 'instance_missing', 'licence', 'unusable'))
                 THEN m.reason ELSE j.value->>'reason' END, remote_id = j.value->>'remote',
                 sent_through = CAST(j.value->>'through' AS BIGINT), sent_at = CAST(j.value->>'sent_at' AS BIGINT),
                 look_at = CAST(j.value->>'look_at' AS BIGINT), looks = 0, if_absent = j.value->>'if_absent',
                 tries = tries + CAST(j.value->>'tries' AS BIGINT), lease_until = NULL, lease_holder = NULL,
                 version = version + 1 + CAST(j.value->>'tries' AS BIGINT), updated_at = $2 FROM",
            "WHERE m.id = CAST(j.value->>'id' AS BIGINT) AND m.attempt = CAST(j.value->>'attempt' AS BIGINT)
                 AND m.lease_holder = $3 AND m.status || '' = 'sending' RETURNING id", c, sql =>
            sqlx::query_scalar(sql).bind(&list).bind(now).bind(holder).fetch_all(c).await)?;
        let tried: Vec<&Outcome> = outcomes.iter().filter(|one| one.word.is_some() && ours.contains(&one.id)).collect();
        if tried.is_empty() {
            return Ok(ours);
        }
        let tried = rows(&tried)?;
        over_rows!(self,
            "INSERT INTO message_attempts (message_id, attempt, instance_id, started_at, finished_at, outcome, reason, remote_id, refused_field)
             SELECT CAST(j.value->>'id' AS BIGINT), CAST(j.value->>'attempt' AS BIGINT), CAST(j.value->>'tried_through' AS BIGINT),
                 CAST(j.value->>'begun' AS BIGINT), $2, j.value->>'word', j.value->>'reason', j.value->>'remote',
                 j.value->>'field' FROM",
            "WHERE TRUE ON CONFLICT (message_id, attempt) DO UPDATE SET finished_at = excluded.finished_at, outcome = excluded.outcome,
                 reason = excluded.reason, remote_id = excluded.remote_id, refused_field = excluded.refused_field", c, sql =>
            sqlx::query(sql).bind(&tried).bind(now).execute(c).await.map(|_| ()))?;
        Ok(ours)
    }

    /// Sets due messages aside: held, late or dropped. One that was given another moment meanwhile stays.
    pub async fn set_aside(
        &mut self,
        which: &[(MessageId, Moment)],
        status: Status,
        reason: Option<Reason>,
        now: Moment,
    ) -> Result<Vec<MessageId>> {
        let which = rows(&which)?;
        Ok(
            over_rows!(self, "UPDATE scheduled_messages AS m SET status = $2, reason = $3, version = version + 1, updated_at = $4 FROM",
            "WHERE m.id = CAST(j.value->>0 AS BIGINT) AND m.scheduled_time = CAST(j.value->>1 AS BIGINT)
                 AND m.status || '' = 'scheduled' RETURNING id", c, sql =>
            sqlx::query_scalar(sql).bind(which).bind(status).bind(reason).bind(now).fetch_all(c).await)?,
        )
    }

    /// Marks due messages as perhaps sent already, to be looked for before they are sent.
    pub async fn doubt_messages(&mut self, ids: &[MessageId], if_absent: Absence, now: Moment) -> Result<()> {
        let ids = rows(&ids)?;
        over_rows!(self, "UPDATE scheduled_messages AS m SET status = 'unknown', reason = 'answer_lost', look_at = $3, looks = 0,
                 if_absent = $2, started_at = due_at, version = version + 1, updated_at = $3 FROM",
            "WHERE m.id = CAST(CAST(j.value AS TEXT) AS BIGINT) AND m.status || '' = 'scheduled'", c, sql =>
            sqlx::query(sql).bind(ids).bind(if_absent).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Holds what else is due through an instance (found by when it is due: an account may have much that is not), so that what cannot go is not tried message by message. Returns which.
    pub async fn hold_due_of(
        &mut self,
        account: AccountId,
        through: InstanceId,
        reason: Reason,
        now: Moment,
    ) -> Result<Vec<(MessageId, ChatId)>> {
        Ok(on!(self, c => sqlx::query_as(
            "UPDATE scheduled_messages SET status = 'held', reason = $3, version = version + 1, updated_at = $4
             WHERE user_id + 0 = $1 AND status = 'scheduled' AND due_at <= $4 AND ((pinned AND instance_id = $2) OR (NOT pinned AND EXISTS (
                 SELECT 1 FROM user_instances u WHERE u.id = $2 AND u.user_id = $1 AND u.is_active))) RETURNING id, chat_id")
            .bind(account).bind(through).bind(reason).bind(now).fetch_all(c).await)?)
    }

    /// Whether the account holds messages for this reason already: it was told.
    pub async fn holds_for(&mut self, account: AccountId, reason: Reason) -> Result<bool> {
        let one: Option<i64> = on!(self, c => sqlx::query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM scheduled_messages WHERE user_id = $1 AND status = 'held' AND reason = $2 LIMIT 1")
            .bind(account).bind(reason).fetch_optional(c).await)?;
        Ok(one.is_some())
    }

    /// Whether a message was held for this reason before, and tries whether that is mended: it was told.
    pub async fn was_held_for(&mut self, id: MessageId, reason: Reason) -> Result<bool> {
        let one: Option<i64> = on!(self, c => sqlx::query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM scheduled_messages WHERE id = $1 AND reason = $2")
            .bind(id).bind(reason).fetch_optional(c).await)?;
        Ok(one.is_some())
    }

    /// Whether the account has late messages that were set aside after `since`: it was told.
    pub async fn has_late_since(&mut self, account: AccountId, since: Moment) -> Result<bool> {
        let one: Option<i64> = on!(self, c => sqlx::query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM scheduled_messages WHERE user_id = $1 AND status = 'late' AND updated_at > $2 LIMIT 1")
            .bind(account).bind(since).fetch_optional(c).await)?;
        Ok(one.is_some())
    }
}
