//! What is claimed ahead of its moment and has not begun: it can be taken back until it does, by whoever changes what it
//! depends on, in the transaction that changes it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::FromRow;

use super::queue::{over_rows, rows};
use super::{Conn, Result, on};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, InstanceId, MessageId};

/// A claim: which message, and the number of its attempt.
pub type Attempted = (MessageId, i64);

/// A message that is claimed.
#[derive(Debug, FromRow)]
#[expect(missing_docs, reason = "the columns are told in the schema")]
pub struct Sending {
    pub id: MessageId,
    pub created_at: Moment,
    pub due_at: Moment,
    pub attempt: i64,
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
        self.give_back(&claims, now).await
    }

    /// All that is claimed.
    pub async fn list_sending(&mut self) -> Result<Vec<Sending>> {
        Ok(on!(self, c => sqlx::query_as(
            "SELECT id, created_at, due_at, attempt FROM scheduled_messages WHERE status = 'sending'").fetch_all(c).await)?)
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
        self.open_gates(&through, now).await
    }

    /// Nothing was sent through these instances that were claimed for: they may send at once, and it does not count.
    pub async fn open_gates(&mut self, through: &[InstanceId], now: Moment) -> Result<()> {
        if through.is_empty() {
            return Ok(());
        }
        let list = rows(&through)?;
        over_rows!(self,
            "UPDATE user_instances AS u SET next_send_at = CASE WHEN u.next_send_at > $2 THEN $2 ELSE u.next_send_at END,
                 hour_count = CASE WHEN u.hour_count > 0 THEN u.hour_count - 1 ELSE 0 END,
                 day_count = CASE WHEN u.day_count > 0 THEN u.day_count - 1 ELSE 0 END FROM",
            "WHERE u.id = CAST(CAST(j.value AS TEXT) AS BIGINT)", c, sql =>
            sqlx::query(sql).bind(&list).bind(now).execute(c).await.map(|_| ()))?;
        Ok(())
    }
}
