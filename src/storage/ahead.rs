//! What is claimed ahead of its moment and has not begun: it can be taken back until it does, by whoever changes what it
//! depends on, in the transaction that changes it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::FromRow;

use super::queue::{over_rows, rows};
use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId};

/// A claim: which message, and the number of its attempt.
pub type Attempted = (MessageId, i64);

/// A message that is claimed.
#[derive(Debug, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Sending {
    pub id: MessageId,
    pub user_id: AccountId,
    pub chat_id: ChatId,
    pub created_at: Moment,
    pub scheduled_time: Moment,
    pub due_at: Moment,
    pub attempt: i64,
    pub lease_holder: Option<String>,
    pub claimed_for: Option<InstanceId>,
    pub started_at: Option<Moment>,
}

/// The claims of this process that were made ahead and have not begun.
#[derive(Debug, Clone, Default)]
pub struct Ahead(Arc<Mutex<HashMap<Attempted, AccountId>>>);

impl Ahead {
    fn list(&self) -> MutexGuard<'_, HashMap<Attempted, AccountId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a claim on the list; call it in the transaction that claims.
    pub fn add(&self, claim: Attempted, owner: AccountId) {
        self.list().insert(claim, owner);
    }

    /// Takes a claim off the list, since it begins or was not made. `false` when it had been taken back.
    pub fn take(&self, claim: Attempted) -> bool {
        self.list().remove(&claim).is_some()
    }

    /// Takes all claims of a message off the list: none was made.
    pub fn forget(&self, id: MessageId) {
        self.list().retain(|claim, _| claim.0 != id);
    }

    /// Whether a claim may begin still.
    pub fn holds(&self, claim: Attempted) -> bool {
        self.list().contains_key(&claim)
    }

    fn take_of(&self, owner: AccountId) -> Vec<Attempted> {
        self.list().extract_if(|_, of| *of == owner).map(|(claim, _)| claim).collect()
    }
}

impl Conn {
    /// Takes back what of an account was claimed ahead and has not begun: it waits, as if it had never been claimed. What
    /// a transaction that fails took back is given back by the scheduler.
    pub async fn recall(&mut self, ahead: &Ahead, owner: AccountId, now: Moment) -> Result<()> {
        let claims = ahead.take_of(owner);
        if claims.is_empty() {
            return Ok(());
        }
        if let Self::Postgres(conn) = self {
            // The transaction that claims may not be over: what it does is waited for, and seen by the next statement.
            sqlx::query("SELECT id FROM scheduled_messages WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
                .bind(claims.iter().map(|one| one.0.0).collect::<Vec<_>>())
                .execute(&mut **conn)
                .await?;
        }
        self.give_back(&claims, now).await
    }

    /// All that is claimed.
    pub async fn list_sending(&mut self) -> Result<Vec<Sending>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, user_id, chat_id, created_at, scheduled_time, due_at, attempt, lease_holder, claimed_for, started_at
             FROM scheduled_messages WHERE status = 'sending'").fetch_all(c).await)?)
    }

    /// On PostgreSQL: from now on this process notes what begins of its early claims.
    pub async fn open_begun(&mut self, holder: &str, now: Moment) -> Result<()> {
        if let Self::Postgres(conn) = self {
            sqlx::query("INSERT INTO begun (holder, message_id, attempt, noted_at) VALUES ($1, 0, 0, $2) ON CONFLICT DO NOTHING")
                .bind(holder)
                .bind(now)
                .execute(&mut **conn)
                .await?;
        }
        Ok(())
    }

    /// On PostgreSQL: notes that early claims begin. It waits for no disk.
    pub async fn note_begun(&mut self, holder: &str, claims: &[Attempted], now: Moment) -> Result<()> {
        if let Self::Postgres(conn) = self {
            sqlx::query(
                "INSERT INTO begun (holder, message_id, attempt, noted_at)
                 SELECT $1, j.id, j.attempt, $4 FROM unnest($2, $3) AS j (id, attempt) ON CONFLICT DO NOTHING",
            )
            .bind(holder)
            .bind(claims.iter().map(|one| one.0.0).collect::<Vec<_>>())
            .bind(claims.iter().map(|one| one.1).collect::<Vec<_>>())
            .bind(now)
            .execute(&mut **conn)
            .await?;
        }
        Ok(())
    }

    /// On PostgreSQL: early claims that ran out by `lease_now` and had not begun. Where the notes of their process were lost
    /// they are none, and those due before `since` are not among them: such a store may be a copy.
    pub async fn list_unbegun(&mut self, lease_now: Moment, since: Moment) -> Result<Vec<Attempted>> {
        let Self::Postgres(conn) = self else { return Ok(Vec::new()) };
        Ok(sqlx::query_as(
            "SELECT m.id, m.attempt FROM scheduled_messages m WHERE m.status = 'sending' AND m.lease_until <= $1 AND m.begins_later
                 AND m.due_at + 0 > $2
                 AND EXISTS (SELECT 1 FROM begun b WHERE b.holder = m.lease_holder AND b.message_id = 0)
                 AND NOT EXISTS (SELECT 1 FROM begun b
                     WHERE b.holder = m.lease_holder AND b.message_id = m.id AND b.attempt = m.attempt)
             FOR NO KEY UPDATE OF m SKIP LOCKED",
        )
        .bind(lease_now)
        .bind(since)
        .fetch_all(&mut **conn)
        .await?)
    }

    /// On PostgreSQL: drops notes of what is over, some at a time, and those of processes that have not been for a week.
    pub async fn sweep_begun(&mut self, holder: &str, now: Moment) -> Result<()> {
        const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
        let Self::Postgres(conn) = self else { return Ok(()) };
        sqlx::query("UPDATE begun SET noted_at = $2 WHERE holder = $1 AND message_id = 0")
            .bind(holder)
            .bind(now)
            .execute(&mut **conn)
            .await?;
        sqlx::query(
            "DELETE FROM begun WHERE ctid = ANY (ARRAY(SELECT b.ctid FROM begun b
                 WHERE (b.message_id <> 0 OR b.noted_at < $1) AND NOT EXISTS (SELECT 1 FROM scheduled_messages m
                     WHERE m.id = b.message_id AND m.attempt = b.attempt AND m.status || '' = 'sending') LIMIT 5000))",
        )
        .bind(now.minus(WEEK))
        .execute(&mut **conn)
        .await?;
        Ok(())
    }

    /// Claims that did not begin become waiting messages again, and their instances are as free as before.
    pub async fn give_back(&mut self, claims: &[Attempted], now: Moment) -> Result<()> {
        let list = rows(&claims)?;
        let through: Vec<InstanceId> = over_rows!(self,
            "UPDATE scheduled_messages AS m SET status = 'scheduled', tries = tries - 1, lease_until = NULL,
                 lease_holder = NULL, updated_at = $2 FROM",
            "WHERE m.id = CAST(j.value->>0 AS BIGINT) AND m.attempt = CAST(j.value->>1 AS BIGINT)
                 AND m.status || '' = 'sending' AND m.claimed_for IS NOT NULL RETURNING claimed_for", c, sql =>
            sqlx::query_scalar(sql).bind(&list).bind(now).fetch_all(c).await)?;
        self.open_gates(&through, true, now).await
    }

    /// Nothing was sent through these instances that were claimed for: it does not count, and where they had no other reason
    /// to wait (`gates`) they may send at once.
    pub async fn open_gates(&mut self, through: &[InstanceId], gates: bool, now: Moment) -> Result<()> {
        if through.is_empty() {
            return Ok(());
        }
        let list = rows(&through)?;
        over_rows!(self,
            "UPDATE user_instances AS u SET next_send_at = CASE WHEN $3 AND u.next_send_at > $2 THEN $2 ELSE u.next_send_at END,
                 hour_count = CASE WHEN u.hour_count > 0 THEN u.hour_count - 1 ELSE 0 END,
                 day_count = CASE WHEN u.day_count > 0 THEN u.day_count - 1 ELSE 0 END FROM",
            "WHERE u.id = CAST(CAST(j.value AS TEXT) AS BIGINT)", c, sql =>
            sqlx::query(sql).bind(&list).bind(now).bind(gates).execute(c).await.map(|_| ()))?;
        Ok(())
    }
}
