//! What the servers said to one pass over the lookups: who is in doubt about a thousand messages of a number reads its history
//! once, and not a thousand times.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::Opened;
use crate::domain::clock::Moment;
use crate::domain::ids::InstanceId;
use crate::evolution::error::CallError;
use crate::evolution::{Evolution, Found, Stretch};
use crate::storage::looks::Lookup;

/// The server's clock may differ from ours by this much.
pub(super) const SLACK: Duration = Duration::from_secs(180);
/// Attempts that began within one of these, in milliseconds, share a reading: one that covers days would have too many pages.
const SHARED: i64 = 10 * 60 * 1000;

/// Answers that are asked for once, however many want them. A failure is none: who comes next asks again.
struct Once<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Clone> Once<K, V> {
    async fn get<E>(&self, key: K, ask: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let cell = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        cell.get_or_try_init(|| ask).await.cloned()
    }
}

/// A part of an instance's history: one chat or all, from a moment on.
type Part = (InstanceId, Option<String>, i64);

/// What was asked in one pass. It is dropped with it: the next asks anew.
pub(super) struct Histories {
    /// The texts that are looked for.
    texts: HashSet<String>,
    parts: Once<Part, Arc<[Found]>>,
    addresses: Once<(InstanceId, String), Option<String>>,
    kept: Once<InstanceId, bool>,
    /// Servers that were found away: nobody waits for them a second time in a pass.
    away: Mutex<HashMap<String, CallError>>,
}

impl Histories {
    /// For these lookups.
    pub fn of(lookups: &[Lookup]) -> Self {
        Self {
            texts: lookups.iter().map(|lookup| lookup.message.clone()).collect(),
            parts: Once::default(),
            addresses: Once::default(),
            kept: Once::default(),
            away: Mutex::default(),
        }
    }

    /// Asks a server, unless it was found away in this pass.
    async fn ask<T>(&self, at: &Opened, ask: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        let server = at.server.as_str().to_owned();
        let away = || self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = away().get(&server).cloned() {
            return Err(error);
        }
        let answer = ask.await;
        if let Err(error) = &answer
            && error.is_away()
        {
            away().insert(server, error.clone());
        }
        answer
    }

    /// What of the message's text went through its instance since its attempt began, in one chat or in all.
    pub async fn find(
        &self,
        evolution: &Evolution,
        at: &Opened,
        (lookup, through): (&Lookup, InstanceId),
        place: Option<&str>,
        now: Moment,
    ) -> Result<Vec<Found>, CallError> {
        let began = lookup.started_at.0.div_euclid(SHARED) * SHARED;
        let stretch = Stretch { from: Moment(began).minus(SLACK).utc(), to: now.plus(SLACK).utc() };
        let read = async {
            let wanted = |text: &str| self.texts.contains(text);
            let found = evolution.find_sent(&at.server, &at.key, &at.name, place, &wanted, stretch);
            Ok(Arc::from(self.ask(at, found).await?))
        };
        let part = self.parts.get((through, place.map(str::to_owned), began), read).await?;
        let since = lookup.started_at.minus(SLACK).utc();
        Ok(part.iter().filter(|one| one.text == lookup.message && one.at >= since).cloned().collect())
    }

    /// The address that the server makes of a number; none where it is not on WhatsApp, and where WhatsApp did not tell in time.
    pub async fn address(
        &self,
        evolution: &Evolution,
        at: &Opened,
        (through, number): (InstanceId, &str),
    ) -> Result<Option<String>, CallError> {
        let numbers = [number];
        let asked = async {
            match evolution.whatsapp_numbers(&at.server, &at.key, &at.name, &numbers).await {
                // A link that stands still is WhatsApp's; the server answers what it knows by itself.
                Err(CallError::TimedOut) => Ok(Vec::new()),
                answer => answer,
            }
        };
        let jid = async {
            let rows = self.ask(at, asked).await?;
            Ok(rows.into_iter().find(|row| row.exists).map(|row| row.jid))
        };
        self.addresses.get((through, number.to_owned()), jid).await
    }

    /// Whether the history holds what is known to have gone through the instance lately: its id there, text and moment. One
    /// that does not is not kept, or was begun anew with its instance, or its clock is not ours: what it lacks proves nothing.
    pub async fn is_kept(
        &self,
        evolution: &Evolution,
        at: &Opened,
        through: InstanceId,
        witness: Option<(String, String, Moment)>,
    ) -> Result<bool, CallError> {
        let Some((id, text, sent_at)) = witness else { return Ok(true) };
        let look = async {
            let stretch = Stretch { from: sent_at.minus(SLACK).utc(), to: sent_at.plus(SLACK).utc() };
            let wanted = |said: &str| said == text;
            let rows = evolution.find_sent(&at.server, &at.key, &at.name, None, &wanted, stretch);
            Ok(self.ask(at, rows).await?.iter().any(|row| row.remote_id == id))
        };
        self.kept.get(through, look).await
    }
}
