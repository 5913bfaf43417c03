//! Messages that may have left: when to look for them in the instance's history, and what was found.

use std::time::Duration;

use sqlx::FromRow;

use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId};
use crate::domain::message::Absence;

/// A message to be looked for, with the instance that its last attempt (or its next) goes through.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Lookup {
    pub id: MessageId,
    pub user_id: AccountId,
    pub chat_id: ChatId,
    pub recipient: String,
    pub message: String,
    pub scheduled_time: Moment,
    pub started_at: Moment,
    pub attempt: i64,
    pub look_at: Moment,
    pub looks: i64,
    pub resends: i64,
    pub if_absent: Absence,
    pub through: Option<InstanceId>,
    /// When the server was last found out of reach, by any of its instances.
    pub unreached_at: Option<Moment>,
    pub api_url: Option<String>,
    pub instance_name: Option<String>,
    pub api_key: Option<String>,
}

/// What becomes of a message after a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It is there: it was sent then.
    Found {
        /// `key.id`.
        remote: String,
        /// When the server stored it.
        at: Moment,
    },
    /// Look once more.
    Again {
        /// When.
        at: Moment,
        /// How often it was absent so far.
        looks: i64,
    },
    /// It has not left: it is due at once. `counted`: this is one of its rounds of sending again.
    Send {
        /// Whether it counts as a round.
        counted: bool,
    },
    /// Nobody can tell: a person is asked.
    Ask,
    /// Overdue in a store that may be old: a person is asked, as for the late ones.
    Late,
    /// It was cancelled meanwhile, and is not there. `sure`: it certainly has not left.
    Dropped {
        /// Whether that is known.
        sure: bool,
    },
}

impl Looked {
    /// Its word in the log.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Found { .. } => "found",
            Self::Again { .. } => "again",
            Self::Send { .. } => "absent, sent again",
            Self::Ask => "asked about",
            Self::Late => "late",
            Self::Dropped { sure: true } => "absent, cancelled",
            Self::Dropped { sure: false } => "cancelled",
        }
    }
}

/// How long before it began a message was meant to go at the most, with a day to spare: what is later goes by nobody's will.
const MEANT: Duration = Duration::from_secs(48 * 3600);
/// How long before a message began another may have begun whose row is among those that are looked through.
const BEFORE: Duration = Duration::from_secs(600);

impl Conn {
    /// Messages to be looked for by now, soonest first.
    pub async fn list_lookups(&mut self, now: Moment, limit: i64) -> Result<Vec<Lookup>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT m.id, m.user_id, m.chat_id, m.recipient, m.message, m.scheduled_time, COALESCE(m.started_at, m.due_at) AS started_at,
                    m.attempt, m.look_at, m.looks, m.resends, m.if_absent, i.id AS through, i.api_url,
                    (SELECT MAX(o.unreached_at) FROM user_instances o WHERE o.api_url = i.api_url) AS unreached_at, i.instance_name, i.api_key
             FROM scheduled_messages m LEFT JOIN user_instances i ON i.user_id = m.user_id AND i.id = COALESCE(
                 (SELECT t.instance_id FROM message_attempts t WHERE t.message_id = m.id AND t.attempt = m.attempt),
                 CASE WHEN m.pinned THEN m.instance_id
                      ELSE (SELECT u.id FROM user_instances u WHERE u.user_id = m.user_id AND u.is_active) END)
             WHERE m.look_at <= $1 AND m.status = 'unknown' ORDER BY m.look_at, m.id LIMIT $2")
            .bind(now).bind(limit).fetch_all(c).await)?)
    }

    /// When the next look is due.
    pub async fn next_lookup(&mut self) -> Result<Option<Moment>> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT look_at FROM scheduled_messages WHERE look_at IS NOT NULL ORDER BY look_at LIMIT 1")
            .fetch_optional(c).await)?)
    }

    /// Takes a look for this process: others leave it alone until `until`. `false` when it was taken or settled.
    pub async fn take_lookup(&mut self, lookup: &Lookup, until: Moment) -> Result<bool> {
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET look_at = $3 WHERE id = $1 AND status = 'unknown' AND look_at = $2")
            .bind(lookup.id).bind(lookup.look_at).bind(until).execute(c).await.map(|r| r.rows_affected()))?;
        Ok(done == 1)
    }

    /// What another run was looking for when it ended is looked for at once, if its settle time is over.
    pub async fn take_over_lookups(&mut self, settle_ms: i64, now: Moment) -> Result<()> {
        on!(self, c => sqlx::query("UPDATE scheduled_messages SET look_at = $2
             WHERE look_at > $2 AND started_at IS NOT NULL AND started_at + $1 <= $2")
            .bind(settle_ms).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// The remote ids that messages of the same text have already, to whomever: one number is written in many ways. What is in
    /// the history since this one began was meant for a day before at most.
    pub async fn list_remote_ids(&mut self, lookup: &Lookup) -> Result<Vec<String>> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT remote_id FROM scheduled_messages WHERE user_id = $1 AND status IN ('sent', 'failed', 'cancelled')
                 AND scheduled_time > $4 AND message = $2 AND remote_id IS NOT NULL AND id <> $3")
            .bind(lookup.user_id).bind(&lookup.message).bind(lookup.id).bind(lookup.started_at.minus(MEANT))
            .fetch_all(c).await)?)
    }

    /// To whom messages of the same text went, or may have gone, of which no remote id is known or will be: a row of the
    /// history may be theirs. They were asked about, or a person said what became of them.
    pub async fn list_of_unknown_id(&mut self, lookup: &Lookup) -> Result<Vec<String>> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT recipient FROM scheduled_messages WHERE user_id = $1 AND status IN ('sent', 'failed', 'cancelled')
                 AND scheduled_time > $4 AND message = $2 AND remote_id IS NULL AND id <> $3
                 AND (status = 'sent' OR reason = 'answer_lost') AND COALESCE(sent_at, started_at, due_at) > $5
             UNION ALL SELECT recipient FROM scheduled_messages WHERE user_id = $1 AND status = 'unknown' AND look_at IS NULL
                 AND message = $2 AND id <> $3 AND COALESCE(started_at, due_at) > $5")
            .bind(lookup.user_id).bind(&lookup.message).bind(lookup.id).bind(lookup.started_at.minus(MEANT))
            .bind(lookup.started_at.minus(BEFORE)).fetch_all(c).await)?)
    }

    /// Whether another message of the same text is being sent: it may be in the history before its outcome is written.
    pub async fn is_equal_sent_now(&mut self, lookup: &Lookup) -> Result<bool> {
        let one: Option<i64> = on!(self, c => sqlx::query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM scheduled_messages WHERE status = 'sending' AND user_id + 0 = $1 AND message = $2 AND id <> $3
             LIMIT 1")
            .bind(lookup.user_id).bind(&lookup.message).bind(lookup.id).fetch_optional(c).await)?;
        Ok(one.is_some())
    }

    /// Lets no other transaction of this kind run for the account before this one ends. SQLite has one writer anyway.
    pub async fn lock_account(&mut self, account: AccountId) -> Result<()> {
        if let Self::Postgres(conn) = self {
            sqlx::query("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE")
                .bind(account)
                .execute(&mut **conn)
                .await?;
        }
        Ok(())
    }

    /// How many messages of an account are looked for since the store's age is in doubt.
    pub async fn count_doubted(&mut self, account: AccountId) -> Result<i64> {
        Ok(on!(self, c => sqlx::query_scalar(
            "SELECT COUNT(*) FROM scheduled_messages WHERE user_id = $1 AND status = 'unknown' AND if_absent = 'late'")
            .bind(account).fetch_one(c).await)?)
    }

    /// The newest message that is known to have gone through an instance since `since`: its id there, text and moment.
    pub async fn find_witness(
        &mut self,
        account: AccountId,
        through: InstanceId,
        since: Moment,
    ) -> Result<Option<(String, String, Moment)>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT remote_id, message, sent_at FROM scheduled_messages WHERE user_id = $1 AND sent_through = $2
                 AND status = 'sent' AND remote_id IS NOT NULL AND sent_at > $3
             ORDER BY scheduled_time DESC, id DESC LIMIT 1")
            .bind(account).bind(through).bind(since).fetch_optional(c).await)?)
    }

    /// Writes what a look came to; `false` when the message was settled otherwise meanwhile.
    pub async fn settle_lookup(
        &mut self,
        lookup: &Lookup,
        taken: Moment,
        looked: &Looked,
        now: Moment,
    ) -> Result<bool> {
        let (status, reason, look_at, if_absent, due) = match looked {
            Looked::Found { .. } => ("sent", None, None, None, None),
            Looked::Again { at, .. } => ("unknown", Some("answer_lost"), Some(*at), Some(lookup.if_absent), None),
            Looked::Send { .. } => ("scheduled", None, None, None, Some(now)),
            Looked::Ask => ("unknown", Some("answer_lost"), None, None, None),
            Looked::Late => ("late", Some("answer_lost"), None, None, None),
            Looked::Dropped { sure } => ("cancelled", (!sure).then_some("answer_lost"), None, None, None),
        };
        let (remote, at) = match looked {
            Looked::Found { remote, at } => (Some(remote.as_str()), Some(*at)),
            _ => (None, None),
        };
        let looks = if let Looked::Again { looks, .. } = looked { *looks } else { 0 };
        let resends = lookup.resends + i64::from(matches!(looked, Looked::Send { counted: true }));
        let through = remote.and(lookup.through);
        let done = on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET status = $4, reason = $5, look_at = $6, if_absent = $7, looks = $8, resends = $9,
                 due_at = COALESCE($10, due_at), remote_id = $11, sent_at = $12, sent_through = $13, version = version + $15, updated_at = $14
             WHERE id = $1 AND attempt = $2 AND look_at = $3 AND status = 'unknown' AND if_absent = $16")
            .bind(lookup.id).bind(lookup.attempt).bind(taken).bind(status).bind(reason).bind(look_at).bind(if_absent)
            .bind(looks).bind(resends).bind(due).bind(remote).bind(at).bind(through).bind(now)
            // To look again changes nothing that a card shows: its keys stay good.
            .bind(i64::from(!matches!(looked, Looked::Again { .. })))
            .bind(lookup.if_absent)
            .execute(c).await.map(|r| r.rows_affected()))?;
        match looked {
            Looked::Found { .. } if done == 1 => self.end_doubt(lookup.id, "found").await?,
            Looked::Send { counted: true } | Looked::Dropped { sure: true } if done == 1 => {
                self.note_absent(lookup.id, lookup.attempt).await?;
            }
            _ => {}
        }
        Ok(done == 1)
    }
}
