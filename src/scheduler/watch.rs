//! Looks again at instances with held messages: where one is open again, the first of them tries it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;

use super::{Opened, Scheduler};
use crate::domain::clock::Moment;
use crate::domain::ids::InstanceId;
use crate::domain::instance::Connection;
use crate::storage::StorageError;
use crate::storage::health::HeldInstance;

/// How often instances with held messages are looked at.
const RECHECK: Duration = Duration::from_secs(60);
/// Looks at once: one server that hangs keeps nobody else's messages waiting.
const AT_ONCE: usize = 16;

/// How long it is waited at most until an instance is tried again that is connected, and takes nothing.
const SLOWEST: Duration = Duration::from_secs(3600);

/// Instances that were tried, and hold messages still.
#[derive(Debug, Default)]
struct Tried(HashMap<InstanceId, (u32, Moment)>);

impl Tried {
    /// Whether an instance may be tried now.
    fn may_try(&self, id: InstanceId, now: Moment) -> bool {
        self.0.get(&id).is_none_or(|(_, next)| *next <= now)
    }

    /// It was tried: the next time is twice as far.
    fn note(&mut self, id: InstanceId, now: Moment) {
        let tries = self.0.get(&id).map_or(0, |tried| tried.0);
        let wait = RECHECK.saturating_mul(1 << tries.min(10)).min(SLOWEST);
        self.0.insert(id, (tries + 1, now.plus(wait)));
    }
}

/// Runs until the program is to stop.
pub(super) async fn run(scheduler: Arc<Scheduler>) {
    let mut tried = Tried::default();
    loop {
        tokio::select! {
            () = scheduler.clock.sleep(RECHECK) => {}
            () = scheduler.shutdown.cancelled() => return,
        }
        if let Err(error) = scheduler.recheck_once(&mut tried).await {
            tracing::warn!(error = %error, "held instances could not be looked at");
        }
    }
}

impl Scheduler {
    /// One look at every instance with held messages.
    async fn recheck_once(&self, tried: &mut Tried) -> Result<(), StorageError> {
        let (instances, now) = (self.db.read().await?.list_held_instances().await?, self.clock.now());
        let held: HashSet<InstanceId> = instances.iter().map(|held| held.id).collect();
        tried.0.retain(|id, _| held.contains(id));
        let due = instances.into_iter().filter(|held| tried.may_try(held.id, now)).collect::<Vec<_>>();
        let looks = futures::stream::iter(due).map(|held| self.recheck(held)).buffer_unordered(AT_ONCE);
        let looked: Vec<Result<(InstanceId, bool), StorageError>> = looks.collect().await;
        let mut outcome = Ok(());
        for one in looked {
            match one {
                Ok((id, true)) => tried.note(id, now),
                // It was closed: when it opens, it is another matter.
                Ok((id, false)) => _ = tried.0.remove(&id),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    /// Where an instance is open again, one of its messages tries whether it takes them: that it says so is no proof. When that is
    /// taken, the others go (`Work::settle`). Says whether one tries.
    async fn recheck(&self, held: HeldInstance) -> Result<(InstanceId, bool), StorageError> {
        let Some(Opened { server, name, key, .. }) =
            self.open(held.user_id, &held.api_url, &held.instance_name, &held.api_key)
        else {
            return Ok((held.id, false));
        };
        if self.evolution.connection_state(&server, &key, &name).await != Ok(Connection::Open) {
            return Ok((held.id, false));
        }
        let (now, grace) = (self.clock.now(), self.settings.grace);
        let woken: Result<bool, StorageError> = self
            .db
            .write(move |conn| Box::pin(async move { conn.try_held(held.user_id, held.id, grace, now).await }))
            .await;
        let woken = woken?;
        self.wake.notify_one();
        Ok((held.id, woken))
    }
}
