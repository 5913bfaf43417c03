//! The queue's side of `scheduled_messages`: what is due, and claims with lease and attempt number; what becomes of them is
//! in `outcomes`. Everything goes in bulk: one statement for all rows of a round, handed over as JSON.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use sqlx::FromRow;

use super::listed::{Listed, MOST};
use super::waits::over_waiting;
use super::{Conn, Result, StorageError, on};
use crate::domain::account::LatePolicy;
use crate::domain::clock::{Moment, millis};
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId};

/// A due message as it is queued in memory: only what decides its turn.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Deserialize)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Waiting {
    pub id: MessageId,
    pub user_id: AccountId,
    pub chat_id: ChatId,
    #[serde(deserialize_with = "flag")]
    pub pinned: bool,
    pub scheduled_time: Moment,
    pub due_at: Moment,
    pub created_at: Moment,
    pub attempt: i64,
    pub late_policy: LatePolicy,
    pub late_grace: Option<i64>,
    pub through: Option<InstanceId>,
    pub next_send_at: Option<Moment>,
}

/// A due message with what it goes through.
#[derive(Debug, Clone, FromRow, Deserialize)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Due {
    pub id: MessageId,
    pub user_id: AccountId,
    pub chat_id: ChatId,
    pub recipient: String,
    pub message: String,
    pub scheduled_time: Moment,
    pub due_at: Moment,
    pub created_at: Moment,
    pub attempt: i64,
    pub tries: i64,
    pub through: InstanceId,
    pub api_url: String,
    pub instance_name: String,
    pub api_key: String,
    pub next_send_at: Moment,
    #[serde(deserialize_with = "flag")]
    pub is_suspect: bool,
    pub hour_start: Moment,
    pub hour_count: i64,
    pub day_start: Moment,
    pub day_count: i64,
    /// Whether the next success is to be noted at the instance.
    #[serde(deserialize_with = "flag")]
    pub stale: bool,
    /// It is claimed ahead of its moment; no column.
    #[sqlx(skip)]
    #[serde(skip)]
    pub later: bool,
}

/// Which server of a PostgreSQL installation answers, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// Its timeline, which a failover changes.
    pub timeline: String,
    /// How far its log is on the disk (`pg_current_wal_flush_lsn`), which never goes back on one server.
    pub flushed: i64,
}

impl Serving {
    /// Whether nothing that was committed before is lacking.
    pub fn follows(&self, before: &Self) -> bool {
        self.timeline == before.timeline && self.flushed >= before.flushed
    }
}

/// A claim that ran out: the message may have left.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Expired {
    pub id: MessageId,
    pub user_id: AccountId,
    pub chat_id: ChatId,
    pub attempt: i64,
}

macro_rules! through {
    () => {
        "user_instances i ON i.user_id = m.user_id
             AND ((m.pinned AND i.id = m.instance_id) OR (NOT m.pinned AND i.is_active))"
    };
}

// What is looked up by its id must not be looked up by its status: `status || ''` keeps the planners from walking along
// all that is due.

/// The columns of [`Waiting`] in their order; `$from` and `$to` make one list of all rows of them.
macro_rules! waiting {
    ($which:literal) => {
        waiting!("", $which, "")
    };
    ($from:literal, $which:literal, $to:literal) => {
        concat!(
            $from,
            "SELECT m.id, m.user_id, m.chat_id, m.pinned, m.scheduled_time, m.due_at, m.created_at, m.attempt,
                    a.late_policy, a.late_grace, i.id AS through, i.next_send_at
             FROM scheduled_messages m JOIN users a ON a.id = m.user_id LEFT JOIN ",
            through!(),
            " WHERE m.status = 'scheduled' AND a.disabled_at IS NULL AND ",
            $which,
            $to
        )
    };
}

macro_rules! due {
    ($ids:literal, $lock:literal) => {
        due!("", $ids, $lock)
    };
    ($from:literal, $ids:literal, $lock:literal) => {
        concat!(
            $from,
            "SELECT m.id, m.user_id, m.chat_id, m.recipient, m.message, m.scheduled_time, m.due_at, m.created_at,
                    m.attempt, m.tries, i.id AS through, i.api_url, i.instance_name, i.api_key, i.next_send_at, i.is_suspect,
                    i.hour_start, i.hour_count, i.day_start, i.day_count,
                    (i.last_sent_at IS NULL OR i.last_sent_at < $3 - 1000 OR i.down_since IS NOT NULL
                        OR i.is_suspect OR i.connection <> 'open') AS stale
             FROM scheduled_messages m JOIN users a ON a.id = m.user_id JOIN ",
            through!(),
            " WHERE m.id ",
            $ids,
            " AND m.status || '' = 'scheduled' AND m.due_at + 0 <= $2 AND a.disabled_at IS NULL ",
            $lock
        )
    };
}

/// Runs a statement over the rows of a JSON array, which is `$1`; each row is `j.value`.
macro_rules! over_rows {
    ($conn:expr, $before:literal, $after:literal, $c:ident, $sql:ident => $body:expr) => {
        match $conn {
            Conn::Sqlite(conn) => {
                let $c = &mut **conn;
                let $sql = concat!($before, " json_each($1) AS j ", $after);
                $body
            }
            Conn::Postgres(conn) => {
                let $c = &mut **conn;
                let $sql = concat!($before, " json_array_elements(CAST($1 AS json)) AS j(value) ", $after);
                $body
            }
        }
    };
}
pub(super) use over_rows;

/// On SQLite each row crosses from one thread to another: many rows go faster as one list.
fn of_list<T: for<'a> Deserialize<'a>>(list: &str) -> Result<Vec<T>> {
    serde_json::from_str(list).map_err(|error| StorageError::Engine(sqlx::Error::Decode(error.into())))
}

fn flag<'a, D: Deserializer<'a>>(from: D) -> std::result::Result<bool, D::Error> {
    Ok(i64::deserialize(from)? != 0)
}

/// Rows as JSON text.
pub(super) fn rows<T: Serialize>(rows: &T) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| StorageError::Engine(sqlx::Error::Encode(error.into())))
}

const LIST_SQLITE: &str = waiting!(
    "SELECT json_group_array(json_array(id, user_id, chat_id, pinned, scheduled_time, due_at, created_at,
                         attempt, late_policy, late_grace, through, next_send_at)) FROM (",
    "(m.due_at, m.id) > ($1, $2) AND m.due_at <= $3 ORDER BY m.due_at, m.id LIMIT $4",
    ")"
);
const LIST_POSTGRES: &str = waiting!("(m.due_at, m.id) > ($1, $2) AND m.due_at <= $3 ORDER BY m.due_at, m.id LIMIT $4");
const TAKE_SQLITE: &str = due!(
    "SELECT json_group_array(json_array(id, user_id, chat_id, recipient, message, scheduled_time, due_at,
                         created_at, attempt, tries, through, api_url, instance_name, api_key, next_send_at, is_suspect, hour_start,
                         hour_count, day_start, day_count, stale)) FROM (",
    "IN (SELECT value FROM json_each($1))",
    ")"
);
const TAKE_POSTGRES: &str = due!(
    "= ANY($1)",
    // No join: where nothing was being sent when it was planned, it would walk along all that is for each.
    "AND (SELECT s.id FROM scheduled_messages s WHERE s.status = 'sending' AND s.claimed_for = i.id LIMIT 1) IS NULL
                     FOR NO KEY UPDATE OF m, i SKIP LOCKED"
);
const NEXT_DUE: &str = "SELECT due_at FROM scheduled_messages WHERE status = 'scheduled' AND due_at > $1
             ORDER BY due_at, id LIMIT 1";

impl Conn {
    /// Messages due after the place `low` and by `until`, in the order of due moment and id.
    pub async fn list_due(&mut self, low: (Moment, MessageId), until: Moment, limit: i64) -> Result<Vec<Waiting>> {
        match self {
            Self::Sqlite(conn) => {
                let list: String = sqlx::query_scalar(LIST_SQLITE)
                    .bind(low.0)
                    .bind(low.1)
                    .bind(until)
                    .bind(limit)
                    .fetch_one(&mut **conn)
                    .await?;
                of_list(&list)
            }
            Self::Postgres(conn) => Ok(sqlx::query_as(LIST_POSTGRES)
                .bind(low.0)
                .bind(low.1)
                .bind(until)
                .bind(limit)
                .fetch_all(&mut **conn)
                .await?),
        }
    }

    /// What an account has due through one of its instances, oldest first.
    pub async fn list_due_of(
        &mut self,
        account: AccountId,
        through: InstanceId,
        until: Moment,
        limit: i64,
    ) -> Result<Vec<Waiting>> {
        Ok(over_waiting!(self, due waiting!(""), "AND m.due_at + 0 <= $2 AND i.id = $3
             ORDER BY m.scheduled_time, m.id LIMIT $4", c, sql =>
            sqlx::query_as(sql).bind(account).bind(until).bind(through).bind(limit).fetch_all(c).await)?)
    }

    /// When the next message comes due, after `now`: what is due by then was looked at.
    pub async fn next_due(&mut self, now: Moment) -> Result<Option<Moment>> {
        Ok(on!(self, c => sqlx::query_scalar(NEXT_DUE).bind(now).fetch_optional(c).await)?)
    }

    /// Those of `ids` that are due still and have an instance to go through. On PostgreSQL message and instance are
    /// locked, and what another replica has locked is left out: an instance's messages go one after the other.
    pub async fn take_due(&mut self, ids: &[MessageId], until: Moment, now: Moment) -> Result<Vec<Due>> {
        Ok(match self {
            Self::Sqlite(conn) => {
                let list: String = sqlx::query_scalar(TAKE_SQLITE)
                    .bind(rows(&ids)?)
                    .bind(until)
                    .bind(now)
                    .fetch_one(&mut **conn)
                    .await?;
                of_list(&list)?
            }
            Self::Postgres(conn) => {
                let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
                sqlx::query_as(TAKE_POSTGRES).bind(ids).bind(until).bind(now).fetch_all(&mut **conn).await?
            }
        })
    }

    /// Those of `ids` that are due still, locked or not.
    pub async fn still_due(&mut self, ids: &[MessageId], until: Moment) -> Result<Vec<MessageId>> {
        let ids = rows(&ids)?;
        Ok(over_rows!(self, "SELECT m.id FROM scheduled_messages m JOIN",
            "ON m.id = CAST(CAST(j.value AS TEXT) AS BIGINT) WHERE m.status || '' = 'scheduled' AND m.due_at + 0 <= $2", c, sql =>
            sqlx::query_scalar(sql).bind(ids).bind(until).fetch_all(c).await)?)
    }

    /// Claims what [`Self::take_due`] returned in the same transaction: each is about to be handed over.
    /// `gates` are the instances' next sending moments, where there is a pace.
    pub async fn claim_messages(
        &mut self,
        taken: &[&Due],
        gates: &[(InstanceId, Moment)],
        holder: &str,
        lease: Moment,
        now: Moment,
    ) -> Result<()> {
        let claims: Vec<_> = taken.iter().map(|due| (due.id, due.through, due.later)).collect();
        match self {
            Self::Sqlite(conn) => {
                static CLAIM: Listed = Listed::new(
                    2,
                    "UPDATE scheduled_messages AS m SET status = 'sending', attempt = attempt + 1, tries = tries + 1,
                         lease_until = $1, lease_holder = $2, started_at = CASE WHEN m.due_at > $3 THEN m.due_at ELSE $3 END,
                         claimed_for = j.c2, updated_at = $3 FROM",
                    "WHERE m.id = j.c1 AND m.status || '' = 'scheduled'",
                );
                for claims in claims.chunks(MOST) {
                    let (text, size) = CLAIM.text(claims.len());
                    let mut query = sqlx::query(text);
                    for (id, through, _) in claims {
                        query = query.bind(id).bind(through);
                    }
                    for _ in claims.len()..size {
                        query = query.bind(None::<i64>).bind(None::<i64>);
                    }
                    query.bind(lease).bind(holder).bind(now).execute(&mut **conn).await?;
                }
            }
            Self::Postgres(conn) => {
                sqlx::query(
                    "UPDATE scheduled_messages AS m SET status = 'sending', attempt = m.attempt + 1, tries = tries + 1,
                         lease_until = $3, lease_holder = $4, started_at = CASE WHEN m.due_at > $5 THEN m.due_at ELSE $5 END,
                         claimed_for = j.through, begins_later = j.later, updated_at = $5
                     FROM unnest($1, $2, $6) AS j (id, through, later) WHERE m.id = j.id AND m.status || '' = 'scheduled'",
                )
                .bind(claims.iter().map(|one| one.0.0).collect::<Vec<_>>())
                .bind(claims.iter().map(|one| one.1.0).collect::<Vec<_>>())
                .bind(lease)
                .bind(holder)
                .bind(now)
                .bind(claims.iter().map(|one| one.2).collect::<Vec<_>>())
                .execute(&mut **conn)
                .await?;
            }
        }
        self.set_gates(gates).await
    }

    /// Sets when instances may send next.
    pub async fn set_gates(&mut self, gates: &[(InstanceId, Moment)]) -> Result<()> {
        if gates.is_empty() {
            return Ok(());
        }
        let gates: Vec<_> = gates.iter().map(|(id, at)| json!({ "i": id, "n": at })).collect();
        let gates = rows(&gates)?;
        over_rows!(self, "UPDATE user_instances AS u SET next_send_at = CAST(j.value->>'n' AS BIGINT) FROM",
            "WHERE u.id = CAST(j.value->>'i' AS BIGINT)", c, sql =>
            sqlx::query(sql).bind(&gates).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Counts a sending of each instance for its caps; a window begins anew when it is over.
    pub async fn count_sendings(&mut self, ids: &[InstanceId], now: Moment) -> Result<()> {
        let ids = rows(&ids)?;
        over_rows!(self, "UPDATE user_instances AS u SET
                 hour_count = CASE WHEN u.hour_start <= $2 - 3600000 THEN 1 ELSE u.hour_count + 1 END,
                 hour_start = CASE WHEN u.hour_start <= $2 - 3600000 THEN $2 ELSE u.hour_start END,
                 day_count = CASE WHEN u.day_start <= $2 - 86400000 THEN 1 ELSE u.day_count + 1 END,
                 day_start = CASE WHEN u.day_start <= $2 - 86400000 THEN $2 ELSE u.day_start END FROM",
            "WHERE u.id = CAST(CAST(j.value AS TEXT) AS BIGINT)", c, sql =>
            sqlx::query(sql).bind(&ids).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Keeps our claims for longer.
    pub async fn extend_leases(&mut self, ids: &[MessageId], holder: &str, until: Moment) -> Result<()> {
        let ids = rows(&ids)?;
        over_rows!(self, "UPDATE scheduled_messages AS m SET lease_until = $2 FROM",
            "WHERE m.id = CAST(CAST(j.value AS TEXT) AS BIGINT) AND m.lease_holder = $3 AND m.status || '' = 'sending'", c, sql =>
            sqlx::query(sql).bind(ids).bind(until).bind(holder).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Gives back claims of ours that nothing runs for: their transaction ended, and we never learnt that it did.
    pub async fn release_orphans(&mut self, holder: &str, running: &[MessageId], now: Moment) -> Result<u64> {
        let mut orphans: Vec<MessageId> = on!(self, c => sqlx::query_scalar(
            "SELECT id FROM scheduled_messages WHERE status = 'sending' AND lease_holder = $1")
            .bind(holder).fetch_all(c).await)?;
        orphans.retain(|id| !running.contains(id));
        for id in &orphans {
            on!(self, c => sqlx::query("UPDATE scheduled_messages SET status = 'scheduled', tries = tries - 1, lease_until = NULL,
                 lease_holder = NULL, updated_at = $3 WHERE id = $1 AND lease_holder = $2 AND status || '' = 'sending'")
                .bind(id).bind(holder).bind(now).execute(c).await.map(|_| ()))?;
        }
        Ok(orphans.len() as u64)
    }

    /// The clock was set back by `step`, and it is `now`: what waits for a moment ahead waits no longer than it was to, and
    /// what may have left is looked for from the earlier moment on, and not before `settle` is over where it left by the right
    /// clock.
    pub async fn set_back(&mut self, step: Duration, settle: Duration, now: Moment) -> Result<()> {
        let step = millis(step);
        on!(self, c => sqlx::query(
            "UPDATE user_instances SET
                 next_send_at = CASE WHEN next_send_at - $1 < $2 THEN $2 ELSE next_send_at - $1 END,
                 hour_start = CASE WHEN hour_start > $2 THEN hour_start - $1 ELSE hour_start END,
                 day_start = CASE WHEN day_start > $2 THEN day_start - $1 ELSE day_start END
             WHERE next_send_at > $2 OR hour_start > $2 OR day_start > $2")
            .bind(step).bind(now).execute(c).await.map(|_| ()))?;
        on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET look_at = CASE WHEN started_at <= $2 AND look_at < $3 THEN look_at
                 WHEN started_at <= $2 THEN $3 WHEN look_at - $1 < $2 THEN $2 ELSE look_at - $1 END
             WHERE look_at > $2")
            .bind(step).bind(now).bind(now.plus(settle)).execute(c).await.map(|_| ()))?;
        on!(self, c => sqlx::query(
            "UPDATE scheduled_messages SET started_at = started_at - $1
             WHERE status IN ('sending', 'unknown') AND started_at > $2")
            .bind(step).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Ends claims that ran out by `lease_now`: each may have left, and is looked for `settle` after it was begun.
    pub async fn end_expired(&mut self, lease_now: Moment, settle_ms: i64, now: Moment) -> Result<Vec<Expired>> {
        let ended: Vec<Expired> = on!(self, c => sqlx::query_as(
            "UPDATE scheduled_messages SET status = 'unknown', reason = 'answer_lost', look_at = COALESCE(started_at, $3) + $2, looks = 0,
                 if_absent = 'resend', lease_until = NULL, lease_holder = NULL, version = version + 1, updated_at = $3
             WHERE status = 'sending' AND lease_until <= $1 RETURNING id, user_id, chat_id, attempt")
            .bind(lease_now).bind(settle_ms).bind(now).fetch_all(c).await)?;
        for one in &ended {
            on!(self, c => sqlx::query(
                "INSERT INTO message_attempts (message_id, attempt, instance_id, started_at, finished_at, outcome, reason)
                 SELECT id, attempt, claimed_for, COALESCE(started_at, $2), $2, 'unknown', 'answer_lost' FROM scheduled_messages
                 WHERE id = $1
                 ON CONFLICT (message_id, attempt) DO UPDATE SET finished_at = excluded.finished_at, outcome = excluded.outcome,
                     reason = excluded.reason WHERE message_attempts.outcome IS NULL")
                .bind(one.id).bind(now).execute(c).await.map(|_| ()))?;
        }
        Ok(ended)
    }

    /// When the first claim runs out.
    pub async fn next_expiry(&mut self) -> Result<Option<Moment>> {
        Ok(on!(self, c => sqlx::query_scalar("SELECT lease_until FROM scheduled_messages WHERE status = 'sending'
             ORDER BY lease_until LIMIT 1").fetch_optional(c).await)?)
    }

    /// The moment by which leases are told: the server's on PostgreSQL, with which one that is; `now` on SQLite.
    pub async fn lease_now(&mut self, now: Moment) -> Result<(Moment, Option<Serving>)> {
        match self {
            Self::Sqlite(_) => Ok((now, None)),
            Self::Postgres(conn) => {
                let (at, timeline, flushed) = sqlx::query_as(
                    "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT),
                         substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
                         CAST(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') AS BIGINT)",
                )
                .fetch_one(&mut **conn)
                .await?;
                Ok((at, Some(Serving { timeline, flushed })))
            }
        }
    }

    /// Which database of which server this is, on PostgreSQL: a restored dump is another.
    pub async fn identity(&mut self) -> Result<Option<String>> {
        let Self::Postgres(conn) = self else { return Ok(None) };
        Ok(Some(
            sqlx::query_scalar(
                "SELECT CAST(s.system_identifier AS TEXT) || ':' || CAST(d.oid AS TEXT)
                 FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()",
            )
            .fetch_one(&mut **conn)
            .await?,
        ))
    }
}

#[cfg(test)]
mod tests;
