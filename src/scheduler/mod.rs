//! The shared scheduler: claim → deliver → settle. It writes reports; telling the chat is not its business.

pub mod agenda;
pub mod decision;
pub mod ledger;
mod looks;
mod round;
pub mod series;
mod watch;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::round::DOUBT_BEFORE;

use self::agenda::Agenda;
use self::ledger::Ledger;
use crate::domain::clock::{Clock, Moment};
use crate::domain::guard::Guard;
use crate::domain::ids::{AccountId, InstanceId, MessageId};
use crate::domain::instance::{ApiKey, InstanceName, ServerUrl};
use crate::domain::message::Absence;
use crate::domain::retry::RetryPolicy;
use crate::domain::well::{Part, Well};
use crate::evolution::error::{CallError, SendError};
use crate::evolution::{Evolution, Sent};
use crate::services::instances::key_context;
use crate::services::secrets::Keyring;
use crate::storage::queue::{Due, Waiting};
use crate::storage::wake::Wake;
use crate::storage::{Database, StorageError};

/// The times and limits of sending (PRODUCT.md section 12).
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Lateness up to which a message goes by itself.
    pub grace: Duration,
    /// How long a claim holds without being renewed.
    pub lease: Duration,
    /// How long after a lost answer the history is searched.
    pub settle: Duration,
    /// Between two messages of one number; 0: none.
    pub gap: Duration,
    /// Per number; 0: no cap.
    pub per_hour: i64,
    /// Per number; 0: no cap.
    pub per_day: i64,
    /// When to try again.
    pub retry: RetryPolicy,
    /// Requests at once; one server has at most half of them, and one instance one.
    pub in_flight: usize,
}

/// What the scheduler works with.
#[derive(Debug, Clone)]
pub struct Scheduler {
    /// The store.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// Talks to the servers.
    pub evolution: Evolution,
    /// Opens the keys.
    pub keyring: Arc<Keyring>,
    /// Times and limits.
    pub settings: Settings,
    /// Rung when the next due moment may have changed.
    pub wake: Wake,
    /// Tells that reports were written.
    pub reported: Arc<Notify>,
    /// Tells that there may be something to look for.
    pub lookups: Arc<Notify>,
    /// Says what was handed over, apart from the store.
    pub ledger: Ledger,
    /// Whether the last round could be written.
    pub well: Well,
    /// Knows whether the clock can be believed.
    pub guard: Guard,
    /// Names this run in leases.
    pub holder: String,
    /// Cancelled when the program is to stop.
    pub shutdown: CancellationToken,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    /// The server said something, or nothing in time.
    Answered(Result<Sent, SendError>),
    /// Nothing was begun: the claim is given back.
    Released,
}

/// An attempt that is over.
#[derive(Debug, Clone)]
struct Finished {
    due: Due,
    attempt: i64,
    ended: Ended,
}

/// The net below the wake-ups: for what was missed.
const NET: Duration = Duration::from_secs(30);
/// How much earlier than its moment a message is claimed, so that it leaves on the dot.
const AHEAD: Duration = Duration::from_millis(25);
/// How long outcomes gather for one commit.
const GATHER: Duration = Duration::from_millis(1);
/// How many due messages one round reads.
const READ: i64 = 1000;
/// How often what waits is looked over for what became late.
const SWEEP: Duration = Duration::from_secs(10);
/// Overdue by more than this at the start, a message is looked for before it is sent: the store may be a copy.
const DOUBT: Duration = Duration::from_secs(60);
/// How long nothing is claimed after the ledger could not be written.
const UNNOTED: Duration = Duration::from_secs(2);
/// How long requests on their way are waited for at the end.
const FAREWELL: Duration = Duration::from_secs(20);

/// What the loop knows, and nobody else: all of it can be lost.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another thing that happened")]
struct Desk {
    agenda: Agenda,
    in_flight: HashMap<MessageId, (InstanceId, u64)>,
    at_server: HashMap<u64, usize>,
    finished: Vec<Finished>,
    homeless: Vec<Waiting>,
    late: Vec<Waiting>,
    doubtful: Vec<(MessageId, Absence)>,
    doubted: HashSet<MessageId>,
    started_at: Moment,
    /// What came due by then may have been sent by a time that the store does not know of.
    doubt_before: Moment,
    /// On PostgreSQL: the server's timeline, which a failover changes.
    timeline: Option<String>,
    next_due: Option<Moment>,
    /// What came due was read: when the next comes due is to be asked.
    ask_next: bool,
    next_expiry: Option<Moment>,
    expiry_at: Moment,
    net_at: Moment,
    beat_at: Moment,
    sweep_at: Moment,
    /// Nothing is claimed before, by the steady clock: what was claimed could not be noted down.
    rest_until: Option<Duration>,
    /// How far the clock was set back, as far as that was made good.
    set_back: Duration,
    read_more: bool,
    unsure: bool,
    /// Nothing is sent, since the clock may be ahead.
    on_hold: bool,
    /// The last round settled or claimed something, so that the next may find room.
    moved: bool,
}

impl Scheduler {
    /// Runs until the program is to stop; what is in flight is waited for.
    pub async fn run(self) {
        let (tell, mut told) = mpsc::channel::<Finished>(4096);
        let tasks = TaskTracker::new();
        tasks.spawn(watch::run(self.clone()));
        tasks.spawn(looks::run(self.clone()));
        let mut desk = Desk { started_at: self.clock.now(), ..Desk::default() };
        while let Err(error) = self.adopt(&mut desk).await {
            tracing::warn!(error = %error, "the scheduler cannot begin yet");
            tokio::select! {
                () = self.clock.sleep(Duration::from_secs(1)) => {}
                () = self.shutdown.cancelled() => return,
            }
        }
        let mut standing = self.guard.changes();
        while !self.shutdown.is_cancelled() {
            while let Ok(one) = told.try_recv() {
                desk.ended(one);
            }
            let next = match self.round(&mut desk).await {
                Ok(claimed) => {
                    if self.send_off(&mut desk, claimed, &tasks, &tell) {
                        self.well.note(Part::Scheduler, true);
                    }
                    if desk.on_hold {
                        desk.next_on_hold()
                    } else {
                        desk.next_at(self.clock.now(), self.settings.in_flight)
                    }
                }
                Err(error) => {
                    if self.well.note(Part::Scheduler, false) {
                        tracing::error!(error = %error, "a round of the scheduler failed; nothing is sent that could not be written down");
                    }
                    desk.unsure = true;
                    // What was read when it failed may not have been filed.
                    desk.anew(self.clock.now());
                    Some(self.clock.now().plus(Duration::from_millis(500)))
                }
            };
            let next = next.unwrap_or(Moment(i64::MAX)).min(desk.net_at);
            tokio::select! {
                () = self.wake.rung() => desk.rewind(self.clock.now()),
                one = told.recv() => {
                    desk.finished_first(one);
                    if desk.in_flight.len() > 1 {
                        gather(&mut desk, &mut told).await;
                    }
                }
                () = self.clock.sleep_until(next) => {}
                // The sender lives in `self`.
                _ = standing.changed() => {}
                () = self.shutdown.cancelled() => {}
            }
        }
        self.farewell(desk, told, tell, &tasks).await;
    }

    /// Takes over what an earlier run left, and finds out whether the store may be older than what was sent.
    async fn adopt(&self, desk: &mut Desk) -> Result<(), StorageError> {
        let (settle, now, is_new) = (self.settings.settle, self.clock.now(), self.ledger.is_new());
        let known: Result<round::Known, StorageError> =
            self.db.write(move |conn| Box::pin(async move { round::adopt(conn, is_new, settle, now).await })).await;
        let known = known?;
        (desk.doubt_before, desk.timeline) = (known.doubt_before, known.timeline);
        self.lookups.notify_one();
        self.reported.notify_one();
        Ok(())
    }

    /// Notes what is about to leave, and lets it go. Says whether it could be noted.
    fn send_off(&self, desk: &mut Desk, claimed: Vec<Due>, tasks: &TaskTracker, tell: &mpsc::Sender<Finished>) -> bool {
        let (now, steady) = self.clock.both();
        let noted = match desk.rest_until {
            Some(rest) if steady < rest => false,
            None if claimed.is_empty() => true,
            _ => self.ledger.note(&claimed, now).is_ok(),
        };
        if noted {
            desk.rest_until = None;
        } else {
            desk.rest_until = desk.rest_until.filter(|rest| steady < *rest).or(Some(steady + UNNOTED));
            if self.well.note(Part::Scheduler, false) {
                tracing::error!("the ledger beside the database cannot be written; nothing is sent");
            }
        }
        for due in claimed {
            let server = server_of(&due.api_url);
            desk.agenda.note_server(due.through, server);
            desk.in_flight.insert(due.id, (due.through, server));
            *desk.at_server.entry(server).or_default() += 1;
            let attempt = due.attempt + 1;
            if !noted {
                desk.ended(Finished { due, attempt, ended: Ended::Released });
                continue;
            }
            let (this, tell) = (self.clone(), tell.clone());
            tasks.spawn(async move {
                let delivered = AssertUnwindSafe(this.deliver(&due, now, steady)).catch_unwind().await;
                // A panic says nothing about what has left.
                let ended = delivered.unwrap_or(Ended::Answered(Err(SendError::Call(CallError::TimedOut))));
                // The receiver lives until every sender is gone.
                let _ = tell.send(Finished { due, attempt, ended }).await;
            });
        }
        if desk.beat_at < now {
            desk.beat_at = now.plus(self.settings.lease / 3);
        }
        noted
    }

    /// Ends: outcomes are written as they come, and what stays on its way is looked for at the next start.
    async fn farewell(
        &self,
        mut desk: Desk,
        mut told: mpsc::Receiver<Finished>,
        tell: mpsc::Sender<Finished>,
        tasks: &TaskTracker,
    ) {
        drop(tell);
        tasks.close();
        let waited = async {
            while let Some(one) = told.recv().await {
                desk.ended(one);
                while let Ok(one) = told.try_recv() {
                    desk.ended(one);
                }
                if let Err(error) = self.write_outcomes(&mut desk).await {
                    tracing::error!(error = %error, "outcomes could not be written yet");
                }
            }
        };
        let _ = tokio::time::timeout(FAREWELL, waited).await;
        for _ in 0..3 {
            match self.write_outcomes(&mut desk).await {
                Ok(()) => break,
                Err(error) => tracing::error!(error = %error, "the last outcomes could not be written"),
            }
        }
    }

    /// One attempt.
    async fn deliver(&self, due: &Due, claimed_at: Moment, steadily: Duration) -> Ended {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => return Ended::Released,
            () = self.clock.sleep_until(due.due_at) => {}
        }
        // A program that was stopped in between may not own the claim any more: nothing leaves then.
        let (now, steady) = self.clock.both();
        if now.since(claimed_at).max(steady.saturating_sub(steadily)) > self.settings.lease / 3 * 2 {
            return Ended::Released;
        }
        // The clock may have been set since.
        if !self.guard.may_send(&self.clock) || now < due.due_at {
            return Ended::Released;
        }
        let Some((server, name, key)) = self.open(due.user_id, &due.api_url, &due.instance_name, &due.api_key) else {
            return Ended::Answered(Err(SendError::Call(CallError::Policy)));
        };
        // Where a request hung or broke off, the next message is no probe: one that hangs in turn would be unsure too.
        if due.is_suspect
            && let Err(error) = self.evolution.connection_state(&server, &key, &name).await
            && error.is_away()
        {
            return Ended::Answered(Err(SendError::Call(CallError::Connect)));
        }
        let (now, steady) = self.clock.both();
        if now.since(claimed_at).max(steady.saturating_sub(steadily)) > self.settings.lease / 3 * 2 {
            return Ended::Released;
        }
        tracing::debug!(message.id = %due.id, "handing over");
        Ended::Answered(self.evolution.send_text(&server, &key, &name, &due.recipient, &due.message).await)
    }

    /// What an instance's row says, as types; nothing when its key cannot be opened.
    fn open(&self, account: AccountId, url: &str, name: &str, key: &str) -> Option<(ServerUrl, InstanceName, ApiKey)> {
        let key = self.keyring.open(&key_context(account, url, name), key).ok()?;
        Some((
            ServerUrl::parse(url).ok()?,
            InstanceName::parse(name).ok()?,
            ApiKey::parse(&String::from_utf8(key).ok()?).ok()?,
        ))
    }
}

impl Desk {
    /// An attempt is over; its outcome waits to be written.
    fn ended(&mut self, one: Finished) {
        self.finished.push(one);
    }

    fn finished_first(&mut self, one: Option<Finished>) {
        self.finished.extend(one);
    }

    /// Something changed: what came due a little while ago may be new.
    fn rewind(&mut self, now: Moment) {
        self.agenda.rewind(now.minus(Duration::from_secs(15)));
        self.next_due = Some(now);
    }

    /// Reads everything anew: what is known of the table may have holes.
    fn anew(&mut self, now: Moment) {
        self.agenda.rewind(Moment::default());
        self.next_due = Some(now);
    }

    /// When the loop must look again by itself while nothing may be sent.
    fn next_on_hold(&self) -> Option<Moment> {
        (!self.in_flight.is_empty()).then_some(self.beat_at)
    }

    /// When the loop must look again by itself.
    fn next_at(&self, now: Moment, in_flight: usize) -> Option<Moment> {
        if self.read_more {
            return Some(now);
        }
        let due = self.next_due.map(|due| due.minus(AHEAD));
        let waiting = self.agenda.next_at().map(|at| at.minus(AHEAD)).and_then(|at| match at > now {
            true => Some(at),
            false if self.moved => Some(now),
            // It is ready, and waits for a place: an end of something makes one.
            false if !self.in_flight.is_empty() || in_flight == 0 => None,
            false => Some(now.plus(Duration::from_millis(5))),
        });
        let beat = (!self.in_flight.is_empty()).then_some(self.beat_at);
        let sweep = (!self.agenda.is_empty()).then_some(self.sweep_at);
        let expiry = self.next_expiry.filter(|_| self.in_flight.is_empty());
        [due, waiting, beat, sweep, expiry].into_iter().flatten().min()
    }

    /// The attempt's outcome is written: its place is free.
    fn settled(&mut self, id: MessageId) {
        let Some((through, server)) = self.in_flight.remove(&id) else { return };
        self.agenda.is_free(through);
        if let Some(count) = self.at_server.get_mut(&server) {
            *count -= 1;
            if *count == 0 {
                self.at_server.remove(&server);
            }
        }
    }
}

async fn gather(desk: &mut Desk, told: &mut mpsc::Receiver<Finished>) {
    let all = desk.in_flight.len();
    let gathered = async {
        while desk.finished.len() < all {
            match told.recv().await {
                Some(one) => desk.finished.push(one),
                None => return,
            }
        }
    };
    let _ = tokio::time::timeout(GATHER, gathered).await;
}

fn server_of(url: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
