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

/// Answers that are asked for once, however many want them.
struct Once<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Clone> Once<K, V> {
    async fn get(&self, key: K, ask: impl Future<Output = V>) -> V {
        let cell = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        cell.get_or_init(|| ask).await.clone()
    }
}

/// A part of an instance's history: one chat or all, from a moment on.
type Part = (InstanceId, Option<String>, i64);

/// What was asked in one pass. It is dropped with it: the next asks anew.
pub(super) struct Histories {
    /// The texts that are looked for.
    texts: HashSet<String>,
    parts: Once<Part, Result<Arc<[Found]>, CallError>>,
    addresses: Once<(InstanceId, String), Result<Option<String>, CallError>>,
    kept: Once<InstanceId, Result<bool, CallError>>,
}

impl Histories {
    /// For these lookups.
    pub fn of(lookups: &[Lookup]) -> Self {
        Self {
            texts: lookups.iter().map(|lookup| lookup.message.clone()).collect(),
            parts: Once::default(),
            addresses: Once::default(),
            kept: Once::default(),
        }
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
            let found = evolution.find_sent(&at.server, &at.key, &at.name, place, &wanted, stretch).await?;
            Ok(Arc::from(found))
        };
        let part = self.parts.get((through, place.map(str::to_owned), began), read).await?;
        let since = lookup.started_at.minus(SLACK).utc();
        Ok(part.iter().filter(|one| one.text == lookup.message && one.at >= since).cloned().collect())
    }

    /// The address that the server makes of a number; none where it is not on WhatsApp.
    pub async fn address(
        &self,
        evolution: &Evolution,
        at: &Opened,
        (through, number): (InstanceId, &str),
    ) -> Result<Option<String>, CallError> {
        let ask = async {
            let rows = evolution.whatsapp_numbers(&at.server, &at.key, &at.name, &[number]).await?;
            Ok(rows.into_iter().find(|row| row.exists).map(|row| row.jid))
        };
        self.addresses.get((through, number.to_owned()), ask).await
    }

    /// Whether an instance's history is kept, as `look` finds out.
    pub async fn is_kept(
        &self,
        through: InstanceId,
        look: impl Future<Output = Result<bool, CallError>>,
    ) -> Result<bool, CallError> {
        self.kept.get(through, look).await
    }
}
