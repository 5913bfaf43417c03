//! Looks again at instances with held messages, and at those that were not reached: where one is open again, the first of what
//! is held tries it; where a server is there again, what waits for it goes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;

use super::{Opened, Scheduler};
use crate::domain::clock::Moment;
use crate::domain::ids::{ChatId, InstanceId};
use crate::domain::instance::Connection;
use crate::domain::report::Report;
use crate::evolution::error::CallError;
use crate::storage::StorageError;
use crate::storage::health::WatchedInstance;

/// How often they are looked at.
const RECHECK: Duration = Duration::from_secs(60);
/// Looks at once: one server that hangs keeps nobody else's messages waiting.
const AT_ONCE: usize = 16;

/// How long it is waited at most until an instance is tried again that is connected, and takes nothing.
const SLOWEST: Duration = Duration::from_secs(3600);
/// A server that is away for longer than this is looked at ever more seldom.
const FORSAKEN: Duration = Duration::from_secs(24 * 3600);

/// Instances that were tried, and hold messages still or are away still.
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
            tracing::warn!(error = %error, "instances could not be looked at");
        }
    }
}

impl Scheduler {
    /// One look at every instance that has held messages or was not reached.
    async fn recheck_once(&self, tried: &mut Tried) -> Result<(), StorageError> {
        let (instances, now) = (self.db.read().await?.list_watched_instances().await?, self.clock.now());
        let watched: HashSet<InstanceId> = instances.iter().map(|one| one.id).collect();
        tried.0.retain(|id, _| watched.contains(id));
        let due = instances.into_iter().filter(|one| tried.may_try(one.id, now)).collect::<Vec<_>>();
        let looks = futures::stream::iter(due).map(|one| self.recheck(one)).buffer_unordered(AT_ONCE);
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

    /// Where a server is there again, that is told, and what waited for it goes. Where an instance is open again, one of its held
    /// messages tries whether it takes them: that it says so is no proof. When that is taken, the others go (`Work::settle`). Says
    /// whether the next look may take longer.
    async fn recheck(&self, one: WatchedInstance) -> Result<(InstanceId, bool), StorageError> {
        let Some(Opened { server, name, key, .. }) =
            self.open(one.user_id, &one.api_url, &one.instance_name, &one.api_key)
        else {
            return Ok((one.id, false));
        };
        let state = self.evolution.connection_state(&server, &key, &name).await;
        if one.down_since.is_some() {
            let connection = match &state {
                Ok(connection) => *connection,
                Err(CallError::Refused) => Connection::Refused,
                Err(CallError::Missing) => Connection::Missing,
                Err(error) if error.is_answer() => Connection::Unknown,
                Err(_) => {
                    let down = one.down_since.map(|since| self.clock.now().since(since));
                    return Ok((one.id, down.is_some_and(|down| down > FORSAKEN)));
                }
            };
            self.is_back(&one, connection).await?;
        }
        if !one.holds || state != Ok(Connection::Open) {
            return Ok((one.id, false));
        }
        let (now, grace) = (self.clock.now(), self.settings.grace);
        let woken: Result<bool, StorageError> = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    let woken = conn.try_held(one.user_id, one.id, grace, now).await?;
                    // Of the others' fate something else tells.
                    let waits = woken.iter().filter(|one| one.2).map(|(message, chat, _)| (*message, *chat));
                    conn.add_changed(one.user_id, &waits.collect::<Vec<_>>(), now).await?;
                    Ok(!woken.is_empty())
                })
            })
            .await;
        let woken = woken?;
        self.wake.notify_one();
        self.reported.notify_one();
        Ok((one.id, woken))
    }

    /// The server of an instance is there again: the account is told if it was told otherwise, and what waits for it goes at
    /// once. Of several replicas that see it, one tells.
    async fn is_back(&self, one: &WatchedInstance, connection: Connection) -> Result<(), StorageError> {
        let (id, account, now, grace) = (one.id, one.user_id, self.clock.now(), self.settings.grace);
        let told: Result<Option<bool>, StorageError> = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    let was_told = conn.note_found(id, connection.as_str(), now).await?;
                    if was_told == Some(true) {
                        // Without a chat, all of the account's are told.
                        let chat = conn.find_chat_of(account, id, now).await?.unwrap_or(ChatId(0));
                        // What cannot go yet is told of when it is held.
                        let messages = match connection {
                            Connection::Open => conn.count_due_through(account, id, grace, now).await?,
                            _ => 0,
                        };
                        conn.add_report(account, chat, &Report::Up { instance: id, messages }, now).await?;
                    }
                    Ok(was_told)
                })
            })
            .await;
        if let Some(was_told) = told? {
            self.wake.notify_anew();
            if was_told {
                self.reported.notify_one();
            }
        }
        Ok(())
    }
}
