//! `scheduled_messages` as their owners see and change them. The queue's side is in `queue`.

use std::time::Duration;

use serde_json::json;
use sqlx::FromRow;

use super::queue::{over_rows, rows};
use super::waits::over_waiting;
use super::{Conn, Result, StorageError, on};
use crate::domain::account::{self, TOO_LATE};
use crate::domain::clock::{Moment, millis};
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId, SeriesId};
use crate::domain::message::{Absence, Reason, RefusedField, ScheduledMessage, Search, Status};
use crate::domain::recipient::Recipient;
use crate::domain::wall::{Due, WallTime};

#[derive(Debug, FromRow)]
struct Row {
    id: MessageId,
    user_id: AccountId,
    instance_id: Option<InstanceId>,
    pinned: bool,
    recipient: String,
    recipient_name: String,
    message: String,
    scheduled_time: Moment,
    due_at: Moment,
    time_zone: String,
    status: Status,
    reason: Option<Reason>,
    refused_field: Option<RefusedField>,
    attempt: i64,
    sent_at: Option<Moment>,
    sent_through: Option<InstanceId>,
    look_at: Option<Moment>,
    if_absent: Option<Absence>,
    version: i64,
    chat_id: ChatId,
    series_id: Option<SeriesId>,
    moved: bool,
}

impl TryFrom<Row> for ScheduledMessage {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self> {
        let recipient = Recipient::try_from(row.recipient).map_err(|_| StorageError::Corrupt {
            table: "scheduled_messages",
            column: "recipient",
            row: row.id.0,
        })?;
        Ok(Self {
            id: row.id,
            account: row.user_id,
            instance: row.instance_id,
            pinned: row.pinned,
            recipient,
            recipient_name: row.recipient_name,
            body: row.message,
            scheduled_time: row.scheduled_time,
            due_at: row.due_at,
            time_zone: row.time_zone,
            status: row.status,
            reason: row.reason,
            refused_field: row.refused_field,
            attempt: row.attempt,
            sent_at: row.sent_at,
            sent_through: row.sent_through,
            search: match (row.look_at, row.if_absent) {
                (None, _) => Search::Not,
                (Some(_), Some(Absence::Drop)) => Search::Dropped,
                (Some(_), _) => Search::Open,
            },
            version: row.version,
            chat: row.chat_id,
            series: row.series_id,
            moved: row.moved,
        })
    }
}

/// What a new message is made of.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct NewMessage {
    pub instance: Option<InstanceId>,
    pub recipient: Recipient,
    pub recipient_name: String,
    pub body: String,
    pub at: Moment,
    pub wall: Option<WallTime>,
    pub time_zone: String,
    pub chat: ChatId,
    pub origin: String,
    pub said_in: Option<i64>,
    pub said_line: bool,
}

/// A late message: what its card goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct LateOne {
    pub id: MessageId,
    pub version: i64,
    pub scheduled_time: Moment,
    /// It may have been sent already: the store may be an older copy.
    pub doubted: bool,
}

/// One try to hand a message over.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Attempt {
    pub attempt: i64,
    pub started_at: Moment,
    pub finished_at: Option<Moment>,
    pub outcome: Option<String>,
    pub reason: Option<Reason>,
    pub refused_field: Option<RefusedField>,
    /// What it went through.
    pub instance_id: Option<InstanceId>,
    /// What that is called, while it is there.
    pub label: Option<String>,
    /// What that was called, when it was deleted since.
    pub former: Option<String>,
}

/// What goes through the instance `$2` of the account `$1`.
macro_rules! through {
    () => {
        "((pinned AND instance_id = $2) OR (NOT pinned AND EXISTS (
             SELECT 1 FROM user_instances i WHERE i.id = $2 AND i.user_id = $1 AND i.is_active)))"
    };
}

/// Held messages of the account `$1` that go through the instance `$2`.
macro_rules! held_for {
    () => {
        concat!("user_id = $1 AND status = 'held' AND ", through!())
    };
}

/// What does not go by itself any more at `$3`, with the grace `$4` for accounts that chose none, and never after `$5` (`Scheduler::is_late`).
macro_rules! late {
    () => {
        "EXISTS (SELECT 1 FROM users a WHERE a.id = $1 AND $3 - scheduled_time > COALESCE(a.late_grace, $4)
             AND (a.late_policy <> 'always' OR $3 - scheduled_time > $5))"
    };
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, user_id, instance_id, pinned, recipient, recipient_name, message, scheduled_time, due_at, \
             time_zone, status, reason, attempt, sent_at, sent_through, look_at, if_absent, version, chat_id, series_id, moved, \
             CASE WHEN reason = 'invalid' THEN (SELECT t.refused_field FROM message_attempts t \
                 WHERE t.message_id = m.id AND t.attempt = m.attempt) END AS refused_field \
             FROM scheduled_messages m ",
            $rest
        )
    };
}

impl Conn {
    /// Adds a message; when one of the same origin is there already, that one's id is returned.
    pub async fn add_message(&mut self, owner: AccountId, new: &NewMessage, now: Moment) -> Result<MessageId> {
        let added: Option<MessageId> = on!(self, c => sqlx::query_scalar(
            "INSERT INTO scheduled_messages (user_id, instance_id, recipient, recipient_name, message, scheduled_time,
                 due_at, time_zone, status, chat_id, origin, created_at, updated_at, said_in, said_line, wall_time)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7, 'scheduled', $8, $9, $10, $10, $11, $12, $13)
             ON CONFLICT (origin) DO NOTHING RETURNING id")
            .bind(owner).bind(new.instance).bind(new.recipient.as_str()).bind(&new.recipient_name).bind(&new.body)
            .bind(new.at).bind(&new.time_zone).bind(new.chat).bind(&new.origin).bind(now)
            .bind(new.said_in).bind(new.said_line).bind(new.wall.map(|wall| wall.written()))
            .fetch_optional(c).await)?;
        match added {
            Some(id) => Ok(id),
            None => Ok(on!(self, c => sqlx::query_scalar(
                "SELECT id FROM scheduled_messages WHERE user_id = $1 AND origin = $2")
                .bind(owner).bind(&new.origin).fetch_one(c).await)?),
        }
    }

    /// One message of an account.
    pub async fn find_message(&mut self, owner: AccountId, id: MessageId) -> Result<Option<ScheduledMessage>> {
        let row: Option<Row> = on!(self, c => sqlx::query_as(columns!("WHERE user_id = $1 AND id = $2"))
            .bind(owner).bind(id).fetch_optional(c).await)?;
        row.map(TryInto::try_into).transpose()
    }

    /// The next occurrence of a series that waits for its moment, be it claimed ahead.
    pub async fn find_occurrence(
        &mut self,
        owner: AccountId,
        series: SeriesId,
        after: Moment,
    ) -> Result<Option<ScheduledMessage>> {
        let row: Option<Row> = on!(self, c => sqlx::query_as(columns!(
            "WHERE user_id = $1 AND series_id = $2 AND status IN ('scheduled', 'sending') AND scheduled_time > $3 ORDER BY scheduled_time, id LIMIT 1"))
            .bind(owner).bind(series).bind(after).fetch_optional(c).await)?;
        row.map(TryInto::try_into).transpose()
    }

    /// The messages of an account that were said in one Telegram message, and whether that was the whole request.
    pub async fn list_said_in(
        &mut self,
        owner: AccountId,
        chat: ChatId,
        said_in: i64,
    ) -> Result<Vec<(MessageId, bool)>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, said_line FROM scheduled_messages WHERE user_id = $1 AND chat_id = $2 AND said_in = $3 ORDER BY id")
            .bind(owner).bind(chat).bind(said_in).fetch_all(c).await)?)
    }

    /// Waiting messages, soonest first.
    pub async fn list_waiting(&mut self, owner: AccountId, offset: i64, limit: i64) -> Result<Vec<ScheduledMessage>> {
        let rows: Vec<Row> = over_waiting!(self, columns!("WHERE"), "ORDER BY scheduled_time, id LIMIT $2 OFFSET $3", c, sql =>
            sqlx::query_as(sql).bind(owner).bind(limit).bind(offset).fetch_all(c).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Past messages, newest first.
    pub async fn list_past(&mut self, owner: AccountId, offset: i64, limit: i64) -> Result<Vec<ScheduledMessage>> {
        let rows: Vec<Row> = on!(self, c => sqlx::query_as(columns!(
            "WHERE user_id = $1 AND status IN ('sent', 'failed', 'cancelled')
             ORDER BY scheduled_time DESC, id DESC LIMIT $2 OFFSET $3"))
            .bind(owner).bind(limit).bind(offset).fetch_all(c).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The oldest late messages of an account, oldest first.
    pub async fn list_late(&mut self, owner: AccountId, limit: i64) -> Result<Vec<ScheduledMessage>> {
        let rows: Vec<Row> = on!(self, c => sqlx::query_as(columns!(
            "WHERE user_id = $1 AND status = 'late' ORDER BY scheduled_time, id LIMIT $2"))
            .bind(owner).bind(limit).fetch_all(c).await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// All late messages of an account as they are now, oldest first.
    pub async fn list_all_late(&mut self, owner: AccountId) -> Result<Vec<LateOne>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, version, scheduled_time, COALESCE(reason = 'answer_lost', FALSE) AS doubted FROM scheduled_messages
             WHERE user_id = $1 AND status = 'late' ORDER BY scheduled_time, id")
            .bind(owner).fetch_all(c).await)?)
    }

    /// Sets when late messages go, each as it was seen, and makes them wait again. Returns which.
    pub async fn reschedule_late(
        &mut self,
        owner: AccountId,
        moved: &[(LateOne, Due)],
        zone: &str,
        now: Moment,
    ) -> Result<Vec<(MessageId, ChatId)>> {
        let moved: Vec<_> = moved
            .iter()
            .map(|(one, due)| {
                let wall = due.wall().map(|wall| wall.written());
                json!({ "i": one.id, "v": one.version, "at": due.at, "wall": wall })
            })
            .collect();
        let moved = rows(&moved)?;
        Ok(over_rows!(self, "UPDATE scheduled_messages AS m SET scheduled_time = CAST(j.value->>'at' AS BIGINT),
                 due_at = CAST(j.value->>'at' AS BIGINT), wall_time = j.value->>'wall', time_zone = $3, status = 'scheduled', reason = NULL,
                 detached = TRUE, moved = FALSE, tries = 0, started_at = NULL, look_at = NULL, if_absent = NULL, looks = 0, resends = 0,
                 version = version + 1, updated_at = $4 FROM",
            "WHERE m.id = CAST(j.value->>'i' AS BIGINT) AND m.version = CAST(j.value->>'v' AS BIGINT) AND m.user_id = $2
                 AND m.status || '' = 'late' RETURNING id, chat_id", c, sql =>
            sqlx::query_as(sql).bind(&moved).bind(owner).bind(zone).bind(now).fetch_all(c).await)?)
    }

    /// Drops late messages, each as it was seen. Returns which.
    pub async fn drop_late(
        &mut self,
        owner: AccountId,
        dropped: &[LateOne],
        now: Moment,
    ) -> Result<Vec<(MessageId, ChatId)>> {
        let dropped: Vec<_> = dropped.iter().map(|one| json!({ "i": one.id, "v": one.version })).collect();
        let dropped = rows(&dropped)?;
        Ok(
            over_rows!(self, "UPDATE scheduled_messages AS m SET status = 'cancelled', reason = NULL, look_at = NULL, if_absent = NULL,
                 version = version + 1, updated_at = $3 FROM",
            "WHERE m.id = CAST(j.value->>'i' AS BIGINT) AND m.version = CAST(j.value->>'v' AS BIGINT) AND m.user_id = $2
                 AND m.status || '' = 'late' RETURNING id, chat_id", c, sql =>
            sqlx::query_as(sql).bind(&dropped).bind(owner).bind(now).fetch_all(c).await)?,
        )
    }

    /// How many wait.
    pub async fn count_waiting(&mut self, owner: AccountId) -> Result<i64> {
        Ok(over_waiting!(self, "SELECT COUNT(*) FROM scheduled_messages m WHERE", "", c, sql =>
            sqlx::query_scalar(sql).bind(owner).fetch_one(c).await)?)
    }

    /// How many wait and how many are past; the past may be long.
    pub async fn count_messages(&mut self, owner: AccountId) -> Result<(i64, i64)> {
        let waiting = self.count_waiting(owner).await?;
        let past: i64 = on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM scheduled_messages WHERE user_id = $1 AND status IN ('sent', 'failed', 'cancelled')")
            .bind(owner).fetch_one(c).await)?;
        Ok((waiting, past))
    }

    /// How many waiting messages would go through an instance: those pinned to it, and, when it is the
    /// active one, all that are not pinned.
    pub async fn count_waiting_on(&mut self, owner: AccountId, id: InstanceId, active: bool) -> Result<i64> {
        Ok(over_waiting!(self, "SELECT COUNT(*) FROM scheduled_messages m WHERE",
            "AND m.status IN ('scheduled','held','late') AND ((pinned AND instance_id = $2) OR ($3 AND NOT pinned))", c, sql =>
            sqlx::query_scalar(sql).bind(owner).bind(id).bind(active).fetch_one(c).await)?)
    }

    /// Holds a message of this version until the transaction ends. `false` when it has another version by now.
    pub async fn hold_message(&mut self, owner: AccountId, id: MessageId, version: i64) -> Result<bool> {
        let held = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET version = version WHERE user_id = $1 AND id = $2 AND version = $3")
            .bind(owner).bind(id).bind(version).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(held == 1)
    }

    /// Cancels a message that is open. `false` when it was not open any more. One that may have arrived is looked for all the
    /// same, and is cancelled when it is not found; where nobody can tell, its reason goes on saying so.
    pub async fn cancel_message(&mut self, owner: AccountId, id: MessageId, now: Moment) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET status = CASE WHEN status = 'unknown' AND look_at IS NOT NULL THEN status ELSE 'cancelled' END,
                 if_absent = CASE WHEN status = 'unknown' AND look_at IS NOT NULL THEN 'drop' END,
                 look_at = CASE WHEN status = 'unknown' THEN look_at END,
                 reason = CASE WHEN status = 'unknown' THEN reason END, version = version + 1, updated_at = $3
             WHERE user_id = $1 AND id = $2 AND status IN ('scheduled','held','late','failed','unknown')")
            .bind(owner).bind(id).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Sets when an open message goes, and makes it wait again; not while it is looked for, since it may have arrived.
    pub async fn reschedule_message(
        &mut self,
        owner: AccountId,
        id: MessageId,
        due: Due,
        zone: &str,
        now: Moment,
    ) -> Result<bool> {
        let (at, wall) = (due.at, due.wall().map(|wall| wall.written()));
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET scheduled_time = $3, due_at = $3, time_zone = $4, status = 'scheduled', reason = NULL, detached = TRUE, moved = FALSE,
             tries = 0, started_at = NULL, look_at = NULL, if_absent = NULL, looks = 0, resends = 0, version = version + 1, updated_at = $5,
                 wall_time = $6
             WHERE user_id = $1 AND id = $2 AND (status IN ('scheduled','held','late','failed','cancelled')
                 OR (status = 'unknown' AND look_at IS NULL))")
            .bind(owner).bind(id).bind(at).bind(zone).bind(now).bind(wall).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Changes text and recipient of an open message.
    pub async fn rewrite_message(
        &mut self,
        owner: AccountId,
        id: MessageId,
        recipient: &Recipient,
        name: &str,
        body: &str,
        now: Moment,
    ) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET recipient = $3, recipient_name = $4, message = $5, detached = TRUE, version = version + 1, updated_at = $6
             WHERE user_id = $1 AND id = $2 AND status IN ('scheduled','held','late','failed')")
            .bind(owner).bind(id).bind(recipient.as_str()).bind(name).bind(body).bind(now)
            .execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// Pins a message to an instance, or unpins it.
    pub async fn pin_message(
        &mut self,
        owner: AccountId,
        id: MessageId,
        to: Option<InstanceId>,
        now: Moment,
    ) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET pinned = $3, detached = TRUE, instance_id = COALESCE($4, instance_id), version = version + 1, updated_at = $5
             WHERE user_id = $1 AND id = $2 AND status IN ('scheduled','held','late','failed')")
            .bind(owner).bind(id).bind(to.is_some()).bind(to).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// The user says that an unknown message arrived.
    pub async fn mark_arrived(&mut self, owner: AccountId, id: MessageId, now: Moment) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET status = 'sent', reason = NULL, look_at = NULL, if_absent = NULL, sent_at = COALESCE(started_at, $3),
             version = version + 1, updated_at = $3 WHERE user_id = $1 AND id = $2 AND status = 'unknown'")
            .bind(owner).bind(id).bind(now).execute(c).await.map(|r| r.rows_affected()))?;
        if done == 1 {
            self.end_doubt(id, "arrived").await?;
        }
        Ok(done == 1)
    }

    /// A message that may have left has been sent, as it is written already: its attempt says how that is known. Where it is of
    /// no attempt that is known (the store may be a restored copy), one is written down.
    pub async fn end_doubt(&mut self, id: MessageId, outcome: &str) -> Result<()> {
        on!(self, c => sqlx::query(
            "INSERT INTO message_attempts (message_id, attempt, instance_id, started_at, finished_at, outcome, remote_id)
             SELECT m.id, m.attempt + CASE WHEN EXISTS (SELECT 1 FROM message_attempts t
                     WHERE t.message_id = m.id AND t.attempt = m.attempt AND t.outcome <> 'unknown') THEN 1 ELSE 0 END,
                 COALESCE(m.sent_through, m.claimed_for), m.sent_at, m.sent_at, CAST($2 AS TEXT), m.remote_id
             FROM scheduled_messages m WHERE m.id = $1 AND m.sent_at IS NOT NULL
             ON CONFLICT (message_id, attempt) DO UPDATE SET outcome = excluded.outcome, reason = NULL,
                 remote_id = excluded.remote_id")
            .bind(id).bind(outcome).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// An attempt that may have come to something came to nothing: its message is sent again.
    pub async fn note_absent(&mut self, id: MessageId, attempt: i64) -> Result<()> {
        on!(self, c => sqlx::query(
            "UPDATE message_attempts SET outcome = 'absent' WHERE message_id = $1 AND attempt = $2 AND outcome = 'unknown'")
            .bind(id).bind(attempt).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Moves what waits on an instance when it goes: to the active one (unpinned), cancelled, or held.
    pub async fn settle_messages_of(
        &mut self,
        owner: AccountId,
        id: InstanceId,
        to: Option<Status>,
        now: Moment,
    ) -> Result<Vec<(MessageId, ChatId)>> {
        match to {
            None => Ok(on!(self, c => sqlx::query_as(
                "UPDATE scheduled_messages SET pinned = FALSE, updated_at = $3, version = version + 1
                 WHERE user_id = $1 AND instance_id = $2 AND pinned AND status IN ('scheduled','held','late') RETURNING id, chat_id")
                .bind(owner).bind(id).bind(now).fetch_all(c).await)?),
            Some(status) => Ok(over_waiting!(self,
                "UPDATE scheduled_messages AS m SET status = $3, updated_at = $4, version = version + 1, reason = CASE
                     WHEN $5 AND pinned THEN 'instance_missing' WHEN $5 THEN 'no_active_instance' ELSE reason END WHERE",
                "AND m.status IN ('scheduled','held','late') AND ((pinned AND instance_id = $2) OR (NOT pinned AND EXISTS (
                     SELECT 1 FROM user_instances u WHERE u.id = $2 AND u.user_id = $1 AND u.is_active))) RETURNING id, chat_id", c, sql =>
                sqlx::query_as(sql).bind(owner).bind(id).bind(status).bind(now).bind(status == Status::Held).fetch_all(c).await)?),
        }
    }

    /// What is pinned to an instance that goes and does not wait now (it failed, or may have arrived) goes through the active one,
    /// should it be sent again.
    pub async fn unpin_others_of(
        &mut self,
        owner: AccountId,
        id: InstanceId,
        now: Moment,
    ) -> Result<Vec<(MessageId, ChatId)>> {
        Ok(on!(self, c => sqlx::query_as(
            "UPDATE scheduled_messages SET pinned = FALSE, updated_at = $3, version = version + 1
             WHERE user_id = $1 AND instance_id = $2 AND pinned AND status IN ('sending', 'failed', 'unknown') RETURNING id, chat_id")
            .bind(owner).bind(id).bind(now).fetch_all(c).await)?)
    }

    /// Pins what was waiting at `since` and is not pinned to an instance.
    pub async fn keep_messages_on(
        &mut self,
        owner: AccountId,
        id: InstanceId,
        since: Moment,
        now: Moment,
    ) -> Result<u64> {
        Ok(over_waiting!(self,
            "UPDATE scheduled_messages AS m SET pinned = TRUE, instance_id = $2, version = version + 1, updated_at = $4 WHERE",
            "AND NOT pinned AND created_at <= $3 AND m.status IN ('scheduled','held','late')", c, sql =>
            sqlx::query(sql).bind(owner).bind(id).bind(since).bind(now).execute(c).await.map(|r| r.rows_affected()))?)
    }

    /// How many held messages could go through an instance at once: those that are due, and not late. `grace` is for accounts
    /// that chose none.
    pub async fn count_held_to_go(
        &mut self,
        owner: AccountId,
        through: InstanceId,
        grace: Duration,
        now: Moment,
    ) -> Result<u64> {
        let count: i64 = on!(self, c => sqlx::query_scalar(concat!("SELECT COUNT(*) FROM scheduled_messages WHERE ", held_for!(),
                " AND scheduled_time <= $3 AND NOT ", late!()))
            .bind(owner).bind(through).bind(now).bind(millis(account::grace(None, grace))).bind(millis(TOO_LATE)).fetch_one(c).await)?;
        Ok(count.unsigned_abs())
    }

    /// How many messages wait for an instance alone, and go as soon as it is there: those that are due, and not late (found by
    /// when they are due: an account may have much that is not).
    pub async fn count_due_through(
        &mut self,
        owner: AccountId,
        through: InstanceId,
        grace: Duration,
        now: Moment,
    ) -> Result<u64> {
        let count: i64 = on!(self, c => sqlx::query_scalar(concat!(
            "SELECT COUNT(*) FROM scheduled_messages WHERE user_id + 0 = $1 AND status = 'scheduled' AND due_at <= $3 AND ",
            through!(), " AND NOT ", late!()))
            .bind(owner).bind(through).bind(now).bind(millis(account::grace(None, grace))).bind(millis(TOO_LATE)).fetch_one(c).await)?;
        Ok(count.unsigned_abs())
    }

    /// How many messages go through an instance that was made the active one: those that wait for it, and are not late.
    pub async fn count_to_go(
        &mut self,
        owner: AccountId,
        through: InstanceId,
        grace: Duration,
        now: Moment,
    ) -> Result<i64> {
        Ok(over_waiting!(self, "SELECT COUNT(*) FROM scheduled_messages m WHERE",
            concat!("AND m.status IN ('scheduled', 'held') AND ((pinned AND instance_id = $2) OR NOT pinned) AND NOT ", late!()), c, sql =>
            sqlx::query_scalar(sql).bind(owner).bind(through).bind(now).bind(millis(account::grace(None, grace))).bind(millis(TOO_LATE)).fetch_one(c).await)?)
    }

    /// Lets the first of the held messages try whether an instance takes messages again, and keeps for what it was held; what is
    /// late by now and what is not due yet need not wait for that. Returns which wait no longer, and whether they are not due yet.
    pub async fn try_held(
        &mut self,
        owner: AccountId,
        through: InstanceId,
        grace: Duration,
        now: Moment,
    ) -> Result<Vec<(MessageId, ChatId, bool)>> {
        Ok(on!(self, c => sqlx::query_as(concat!(
            "UPDATE scheduled_messages SET status = 'scheduled', due_at = CASE WHEN due_at < $3 THEN $3 ELSE due_at END, updated_at = $3
             WHERE ", held_for!(), " AND (scheduled_time > $3 OR ", late!(), " OR id = (SELECT id FROM scheduled_messages WHERE ",
            held_for!(), " AND scheduled_time <= $3 AND NOT ", late!(), " ORDER BY scheduled_time, id LIMIT 1))
             RETURNING id, chat_id, scheduled_time > $3"))
            .bind(owner).bind(through).bind(now).bind(millis(account::grace(None, grace))).bind(millis(TOO_LATE)).fetch_all(c).await)?)
    }

    /// Which of these messages were held before, for a reason that lies with their instance.
    pub async fn list_once_held(&mut self, ids: &[MessageId]) -> Result<Vec<MessageId>> {
        let ids = rows(&ids)?;
        Ok(
            over_rows!(self, "SELECT m.id FROM scheduled_messages m JOIN", "ON m.id = CAST(CAST(j.value AS TEXT) AS BIGINT)
             WHERE m.reason IN ('disconnected', 'key_refused', 'instance_missing', 'licence', 'unusable')", c, sql =>
            sqlx::query_scalar(sql).bind(&ids).fetch_all(c).await)?,
        )
    }

    /// Messages that were held (or came to nothing) when their instance was deleted go through the one that is made active: nobody else can mend that.
    pub async fn adopt_orphans(&mut self, owner: AccountId, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET pinned = FALSE, updated_at = $2, version = version + 1
             WHERE user_id = $1 AND status IN ('held', 'failed', 'unknown') AND pinned AND instance_id IS NULL")
            .bind(owner).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Makes held messages that go through the active instance (or are pinned to `only`) due again; their cards follow.
    pub async fn wake_held(&mut self, owner: AccountId, only: InstanceId, now: Moment) -> Result<()> {
        let woken: Vec<(MessageId, ChatId)> = on!(self, c => sqlx::query_as(
            "UPDATE scheduled_messages SET status = 'scheduled', reason = NULL, due_at = CASE WHEN due_at < $3 THEN $3 ELSE due_at END,
             updated_at = $3 WHERE user_id = $1 AND status = 'held' AND ((pinned AND instance_id = $2) OR (NOT pinned AND EXISTS (
                 SELECT 1 FROM user_instances u WHERE u.id = $2 AND u.user_id = $1 AND u.is_active))) RETURNING id, chat_id")
            .bind(owner).bind(only).bind(now).fetch_all(c).await)?;
        self.add_changed(owner, &woken, now).await
    }

    /// The newest attempts of a message, the newest first, with what their instances are or were called.
    pub async fn list_attempts(&mut self, owner: AccountId, id: MessageId, limit: i64) -> Result<Vec<Attempt>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT t.attempt, t.started_at, t.finished_at, t.outcome, t.reason, t.refused_field, t.instance_id, i.name AS label,
                 (SELECT f.name FROM former_instances f WHERE f.instance_id = t.instance_id AND f.user_id = m.user_id
                     AND f.deleted_at >= t.started_at ORDER BY f.deleted_at LIMIT 1) AS former FROM (
                 SELECT message_id, attempt, instance_id, started_at, finished_at, outcome, reason, refused_field FROM message_attempts
                 WHERE message_id = $2
                 UNION ALL SELECT id, attempt, claimed_for, started_at, NULL, NULL, NULL, NULL FROM scheduled_messages
                 WHERE id = $2 AND status = 'sending') t
             JOIN scheduled_messages m ON m.id = t.message_id
             LEFT JOIN user_instances i ON i.id = t.instance_id AND i.user_id = m.user_id
             WHERE m.user_id = $1 ORDER BY t.attempt DESC LIMIT $3")
            .bind(owner).bind(id).bind(limit).fetch_all(c).await)?)
    }

    /// How many attempts of an account's message came before this one.
    pub async fn count_attempts_before(&mut self, owner: AccountId, id: MessageId, attempt: i64) -> Result<i64> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM message_attempts t JOIN scheduled_messages m ON m.id = t.message_id
             WHERE m.user_id = $1 AND t.message_id = $2 AND t.attempt < $3")
            .bind(owner).bind(id).bind(attempt).fetch_one(c).await)?)
    }

    /// Recent recipients of an account, newest first: number and name.
    pub async fn list_recent_recipients(&mut self, owner: AccountId, limit: i64) -> Result<Vec<(String, String)>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT recipient, MAX(recipient_name) FROM scheduled_messages WHERE user_id = $1
                 AND (status IN ('scheduled', 'sending', 'held', 'late', 'unknown') OR status IN ('sent', 'failed', 'cancelled'))
             GROUP BY recipient ORDER BY MAX(id) DESC LIMIT $2")
            .bind(owner).bind(limit).fetch_all(c).await)?)
    }
}
