//! The shared scheduler: claim → deliver → settle. It writes reports; telling the chat is not its business.

pub mod agenda;
pub mod decision;
mod desk;
mod histories;
pub mod ledger;
mod looks;
mod round;
pub mod series;
pub mod stamp;
mod transaction;
mod watch;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::transaction::DOUBT_BEFORE;

use self::desk::{Claim, Desk};
use self::ledger::Ledger;
use self::round::Begun;
use self::stamp::Stamp;
use self::transaction::Done;
use crate::domain::clock::{Clock, Moment};
use crate::domain::guard::Guard;
use crate::domain::ids::{AccountId, InstanceId};
use crate::domain::instance::{ApiKey, InstanceName, ServerUrl};
use crate::domain::retry::RetryPolicy;
use crate::domain::well::{Part, Well};
use crate::evolution::error::{CallError, SendError};
use crate::evolution::{Evolution, Sender, Sent};
use crate::services::instances::key_context;
use crate::services::secrets::Keyring;
use crate::storage::ahead::Attempted;
use crate::storage::queue::Due;
use crate::storage::wake::Wake;
use crate::storage::{Database, StorageError};

/// The times and limits of sending (PRODUCT.md section 12).
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Lateness up to which a message goes by itself, where its account chose no other.
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
    /// Says how far the store was, apart from it.
    pub stamp: Stamp,
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
    /// When it was claimed.
    begun: Moment,
    ended: Ended,
    /// The server that a request was made to, and whether it was quick; none when nothing was begun.
    at: Option<(u64, bool)>,
}

/// The net below the wake-ups: for what was missed.
const NET: Duration = Duration::from_secs(30);
/// How much earlier than its moment a message is claimed at the latest, so that it leaves on the dot even when the disk
/// stands still for a while. Until its moment the claim can be taken back.
const AHEAD: Duration = Duration::from_millis(500);
/// What comes due within this after it is claimed in the same round.
const AT_ONCE: Duration = Duration::from_millis(100);
/// Within this a message that is to go before a claim of the same number takes its turn.
const SOON: Duration = Duration::from_millis(50);
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
/// A server that answers within this is quick: claims are made ahead for it, so that its places are never empty.
const QUICK: Duration = Duration::from_millis(250);
/// How long a claim waits for a place before it is given back.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long requests on their way are waited for at the end.
const FAREWELL: Duration = Duration::from_secs(20);

impl Scheduler {
    /// Runs until the program is to stop; what is in flight is waited for.
    pub async fn run(self) {
        Arc::new(self).keep_sending().await;
    }

    async fn keep_sending(self: Arc<Self>) {
        let (tell, mut told) = mpsc::channel::<Finished>(4096);
        let tasks = TaskTracker::new();
        tasks.spawn(watch::run(Arc::clone(&self)));
        tasks.spawn(looks::run(Arc::clone(&self)));
        let mut desk = Desk::begun_at(self.clock.now());
        while let Err(error) = self.adopt(&mut desk).await {
            tracing::warn!(error = %error, "the scheduler cannot begin yet");
            tokio::select! {
                () = self.clock.sleep(Duration::from_secs(1)) => {}
                () = self.shutdown.cancelled() => return,
            }
        }
        let mut standing = self.guard.changes();
        let mut out = Out { tasks, tell, opened: HashMap::new() };
        let mut writing = Writing::default();
        let mut pause: Option<Moment> = None;
        while !self.shutdown.is_cancelled() {
            while let Ok(one) = told.try_recv() {
                desk.ended(one);
            }
            self.start(&mut desk, &mut out);
            if pause.is_none_or(|until| until <= self.clock.now()) {
                pause = None;
                if let Err(error) = self.write(&mut desk, &mut writing).await {
                    pause = Some(self.failed(&mut desk, &error));
                }
            }
            let next = match pause {
                Some(until) => Some(until),
                None if desk.on_hold => desk.next_on_hold(),
                None => desk.next_at(self.clock.both(), self.settings.in_flight),
            };
            let next = next.unwrap_or(Moment(i64::MAX)).min(desk.net_at);
            let planned = desk.planned_at().unwrap_or(Moment(i64::MAX));
            let is_next_later = writing.round.is_some() || (writing.outcomes.is_some() && self.goes_alone(&desk));
            let next = if is_next_later { planned } else { next.min(planned) };
            let done = tokio::select! {
                done = written(&mut writing.round) => Some(done),
                done = written(&mut writing.outcomes) => Some(done),
                (claims, noted) = noted(&mut writing.notes) => {
                    self.begin_noted(&mut desk, claims, &noted);
                    None
                }
                () = self.wake.rung() => {
                    let now = self.clock.now();
                    if self.wake.take_anew() { desk.all_anew(now) } else { desk.rewind(now) }
                    pause = None;
                    None
                }
                one = told.recv() => {
                    desk.finished_first(one);
                    pause = None;
                    if writing.is_none() && desk.started > 0 {
                        self.gather(&mut desk, &mut told, &mut out).await;
                    }
                    None
                }
                () = self.clock.sleep_until(next) => None,
                // The sender lives in `self`.
                _ = standing.changed() => {
                    pause = None;
                    None
                }
                () = self.shutdown.cancelled() => None,
            };
            match done {
                Some((begun, Ok(done))) => {
                    let at = begun.now;
                    let claimed = self.after(&mut desk, begun, done);
                    if self.take_in(&mut desk, claimed, at) {
                        self.well.note(Part::Scheduler, true);
                    }
                }
                Some((begun, Err(error))) => {
                    desk.take_back(begun, &self.wake.ahead);
                    pause = Some(self.failed(&mut desk, &error));
                }
                None => {}
            }
        }
        self.farewell(desk, told, out, writing).await;
    }

    /// Whether it is noted in the store what begins of early claims: where there is no ledger.
    fn notes_in_store(&self) -> bool {
        matches!(self.db, Database::Postgres { .. })
    }

    /// Begins to write what there is to be written, as far as the same is not being written.
    async fn write(&self, desk: &mut Desk, writing: &mut Writing) -> Result<(), StorageError> {
        if writing.notes.is_none() && !desk.to_note.is_empty() {
            writing.notes = Some(self.note_begun(std::mem::take(&mut desk.to_note)));
        }
        self.guard.look(&self.clock);
        if !self.goes_alone(desk) && !desk.finished.is_empty() && !writing.outcomes_wait() {
            writing.outcomes = Some(self.begin_outcomes(desk));
        }
        if writing.round.is_some() {
            return Ok(());
        }
        if !self.goes_alone(desk) {
            writing.round = self.begin(desk, false).await?;
        }
        // What was read just now may have to go alone.
        if writing.is_none() && self.goes_alone(desk) {
            writing.round = self.begin(desk, true).await?;
        }
        if writing.round.is_none() && self.hand_out(desk, Vec::new()) {
            self.well.note(Part::Scheduler, true);
        }
        Ok(())
    }

    /// Whether outcomes and claims go into one transaction, beside which there is no other: on SQLite always, since one
    /// writes there. On PostgreSQL where claims are kept or mended, or the clock was set back, since all must be known then,
    /// and where messages are set aside, since outcomes may lock the same.
    fn goes_alone(&self, desk: &Desk) -> bool {
        matches!(self.db, Database::Sqlite { .. })
            || desk.unsure
            || desk.on_hold
            || desk.sets_aside()
            || desk.is_to_beat(self.clock.now())
            || self.guard.set_back() != desk.set_back
    }

    /// Notes in the store that early claims begin, beside whatever else happens.
    fn note_begun(&self, claims: Vec<Claim>) -> Notes {
        let (db, holder, now) = (self.db.clone(), self.holder.clone(), self.clock.now());
        let list: Vec<Attempted> = claims.iter().map(Claim::attempted).collect();
        // One statement needs no transaction around it.
        let noted = async move { db.read().await?.note_begun(&holder, &list, now).await };
        Notes { claims, done: tokio::spawn(noted) }
    }

    /// What was noted may leave; where that failed it is given back.
    fn begin_noted(&self, desk: &mut Desk, claims: Vec<Claim>, noted: &Result<(), StorageError>) {
        if let Err(error) = noted {
            tracing::warn!(error = %error, "it could not be noted that messages are about to leave");
        }
        let steady = self.clock.steady();
        for claim in claims {
            if noted.is_ok() {
                desk.make_ready(Claim { ready: steady, ..claim });
            } else {
                desk.release(claim);
            }
        }
    }

    /// A round could not be written: says until when there is no next one by itself.
    fn failed(&self, desk: &mut Desk, error: &StorageError) -> Moment {
        if self.well.note(Part::Scheduler, false) {
            tracing::error!(error = %error, "a round of the scheduler failed; nothing is sent that could not be written down");
        }
        desk.unsure = true;
        // What was read when it failed may not have been filed.
        desk.anew(self.clock.now());
        self.clock.now().plus(Duration::from_millis(500))
    }

    /// Takes over what an earlier run left, and finds out whether the store may be older than what was sent.
    async fn adopt(&self, desk: &mut Desk) -> Result<(), StorageError> {
        let (settle, now, ledger) = (self.settings.settle, self.clock.now(), self.ledger.clone());
        let (holder, stamp) = (self.holder.clone(), self.stamp.clone());
        let known: Result<transaction::Known, StorageError> = self
            .db
            .write(move |conn| {
                Box::pin(async move { transaction::adopt(conn, &ledger, &stamp, &holder, settle, now).await })
            })
            .await;
        let known = known?;
        (desk.doubt_before, desk.serving) = (known.doubt_before, known.serving);
        self.lookups.notify_one();
        self.reported.notify_one();
        Ok(())
    }

    /// What was claimed at `at` waits for its moment, or is handed out. Says whether what is about to leave could be noted.
    fn take_in(&self, desk: &mut Desk, claimed: Vec<Due>, at: Moment) -> bool {
        let steady = self.clock.steady();
        let is_first = desk.in_flight.is_empty();
        let mut ready = Vec::new();
        for due in claimed {
            let server = server_of(&due.api_url);
            desk.agenda.note_server(due.through, server);
            let claim = Claim { begun: at, steady, ready: steady, server, due };
            if claim.due.due_at > at {
                desk.plan(claim);
            } else {
                ready.extend(desk.take_turn(claim, &self.wake.ahead));
            }
        }
        if is_first && desk.beat_at < at {
            desk.beat_at = at.plus(self.settings.lease / 3);
        }
        self.hand_out(desk, ready)
    }

    /// Notes what is about to leave, and makes it ready. Says whether it could be noted.
    fn hand_out(&self, desk: &mut Desk, claims: Vec<Claim>) -> bool {
        let (now, steady) = self.clock.both();
        let noted = match desk.rest_until {
            Some(rest) if steady < rest => false,
            None if claims.is_empty() => true,
            _ => self.ledger.note(claims.iter().map(|claim| &claim.due), now).is_ok(),
        };
        if noted {
            desk.rest_until = None;
        } else {
            desk.rest_until = desk.rest_until.filter(|rest| steady < *rest).or(Some(steady + UNNOTED));
            if self.well.note(Part::Scheduler, false) {
                tracing::error!("the ledger beside the database cannot be written; nothing is sent");
            }
        }
        for claim in claims {
            // From now on it cannot be taken back.
            self.wake.ahead.take(claim.attempted());
            if noted && claim.due.later && self.notes_in_store() {
                desk.to_note.push(claim);
            } else if noted {
                desk.make_ready(Claim { ready: steady, ..claim });
            } else {
                desk.release(claim);
            }
        }
        noted
    }

    /// Lets go what is ready, as far as there is room.
    fn start(self: &Arc<Self>, desk: &mut Desk, out: &mut Out) {
        let ahead = &self.wake.ahead;
        // Where that fails, what follows cannot be noted either.
        let _ = self.ledger.note_taken(&std::mem::take(&mut desk.taken), self.clock.now());
        let mut come = desk.take_released(ahead);
        for claim in desk.come_due(self.clock.now(), ahead) {
            come.extend(desk.take_turn(claim, ahead));
        }
        if !come.is_empty() {
            self.hand_out(desk, come);
        }
        desk.give_up(self.clock.steady(), ahead);
        while let Some(Claim { begun, steady, server, due, .. }) = desk.next_ready(self.settings.in_flight) {
            let (this, tell) = (Arc::clone(self), out.tell.clone());
            let opened = out.open(self, &due);
            out.tasks.spawn(async move {
                let begun_at = this.clock.steady();
                let delivered =
                    AssertUnwindSafe(this.deliver(&due, opened.as_deref(), begun, steady)).catch_unwind().await;
                // A panic says nothing about what has left.
                let ended = delivered.unwrap_or(Ended::Answered(Err(SendError::Call(CallError::TimedOut))));
                let is_quick =
                    matches!(ended, Ended::Answered(Ok(_))) && this.clock.steady().saturating_sub(begun_at) < QUICK;
                // The receiver lives until every sender is gone.
                let attempt = due.attempt + 1;
                let _ = tell.send(Finished { due, attempt, begun, ended, at: Some((server, is_quick)) }).await;
            });
        }
    }

    /// Outcomes that come together are written together.
    async fn gather(self: &Arc<Self>, desk: &mut Desk, told: &mut mpsc::Receiver<Finished>, out: &mut Out) {
        let gathered = async {
            while desk.started > 0 {
                match told.recv().await {
                    Some(one) => desk.ended(one),
                    None => return,
                }
                while let Ok(one) = told.try_recv() {
                    desk.ended(one);
                }
                self.start(desk, out);
            }
        };
        let _ = tokio::time::timeout(GATHER, gathered).await;
    }

    /// Ends: outcomes are written as they come, and what stays on its way is looked for at the next start.
    async fn farewell(&self, mut desk: Desk, mut told: mpsc::Receiver<Finished>, out: Out, mut writing: Writing) {
        for slot in [&mut writing.outcomes, &mut writing.round] {
            if slot.is_none() {
                continue;
            }
            match written(slot).await {
                (begun, Ok(done)) => {
                    let at = begun.now;
                    let claimed = self.after(&mut desk, begun, done);
                    self.take_in(&mut desk, claimed, at);
                }
                (begun, Err(error)) => {
                    desk.take_back(begun, &self.wake.ahead);
                    desk.unsure = true;
                    tracing::error!(error = %error, "the last round could not be written");
                }
            }
        }
        // What is being noted has not left.
        for claim in writing.notes.map(|notes| notes.claims).unwrap_or_default() {
            desk.release(claim);
        }
        desk.release_all(&self.wake.ahead);
        // What is given back is not kept from other replicas until the last request has its answer.
        if let Err(error) = self.write_outcomes(&mut desk).await {
            tracing::error!(error = %error, "what had not begun could not be given back yet");
        }
        drop(out.tell);
        out.tasks.close();
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
    async fn deliver(&self, due: &Due, through: Option<&Opened>, claimed_at: Moment, steadily: Duration) -> Ended {
        if self.shutdown.is_cancelled() {
            return Ended::Released;
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
        let Some(Opened { server, name, key, sender }) = through else {
            return Ended::Answered(Err(SendError::Call(CallError::Policy)));
        };
        // Where a request hung or broke off, the next message is no probe: one that hangs in turn would be unsure too.
        if due.is_suspect
            && let Err(error) = self.evolution.connection_state(server, key, name).await
            && error.is_away()
        {
            return Ended::Answered(Err(SendError::Call(CallError::Connect)));
        }
        let (now, steady) = self.clock.both();
        if now.since(claimed_at).max(steady.saturating_sub(steadily)) > self.settings.lease / 3 * 2 {
            return Ended::Released;
        }
        tracing::debug!(message.id = %due.id, "handing over");
        Ended::Answered(self.evolution.send(sender, &due.recipient, &due.message).await)
    }

    /// What an instance's row says, as types; nothing when its key cannot be opened.
    fn open(&self, account: AccountId, url: &str, name: &str, key: &str) -> Option<Opened> {
        let key = self.keyring.open(&key_context(account, url, name), key).ok()?;
        let server = ServerUrl::parse(url).ok()?;
        let name = InstanceName::parse(name).ok()?;
        let key = ApiKey::parse(&String::from_utf8(key).ok()?).ok()?;
        let sender = Evolution::sender(&server, &key, &name).ok()?;
        Some(Opened { server, name, key, sender })
    }
}

/// What is being written, the one beside the other.
#[derive(Debug, Default)]
struct Writing {
    /// The next claims; where it goes alone, outcomes too.
    round: Option<Begun>,
    /// Outcomes, beside a round that does not go alone.
    outcomes: Option<Begun>,
    /// Early claims that begin.
    notes: Option<Notes>,
}

impl Writing {
    /// Whether neither outcomes nor claims are being written.
    fn is_none(&self) -> bool {
        self.round.is_none() && self.outcomes.is_none()
    }

    /// Whether outcomes cannot be written beside what is being written.
    fn outcomes_wait(&self) -> bool {
        self.outcomes.is_some() || self.round.as_ref().is_some_and(|round| round.goes_alone)
    }
}

/// Early claims, of which it is noted in the store that they begin.
#[derive(Debug)]
struct Notes {
    claims: Vec<Claim>,
    done: JoinHandle<Result<(), StorageError>>,
}

/// Waits until it is noted that claims begin; for ever when none do.
async fn noted(notes: &mut Option<Notes>) -> (Vec<Claim>, Result<(), StorageError>) {
    let Some(under_way) = notes else { return std::future::pending().await };
    let done = (&mut under_way.done).await.unwrap_or(Err(StorageError::Abandoned));
    (notes.take().map(|notes| notes.claims).unwrap_or_default(), done)
}

/// Waits for the round that is being written; for ever when there is none.
async fn written(writing: &mut Option<Begun>) -> (Begun, Result<Done, StorageError>) {
    let Some(begun) = writing else { return std::future::pending().await };
    let done = (&mut begun.done).await.unwrap_or(Err(StorageError::Abandoned));
    match writing.take() {
        Some(begun) => (begun, done),
        None => std::future::pending().await,
    }
}

/// An instance's row as types, with its key.
struct Opened {
    server: ServerUrl,
    name: InstanceName,
    key: ApiKey,
    sender: Sender,
}

/// How many opened instances are kept.
const OPENED: usize = 2048;

/// Requests on their way.
struct Out {
    tasks: TaskTracker,
    tell: mpsc::Sender<Finished>,
    /// Opened instances.
    opened: HashMap<InstanceId, Row>,
}

/// What an instance's row said, and what came of opening it.
struct Row {
    account: AccountId,
    url: String,
    name: String,
    key: String,
    opened: Option<Arc<Opened>>,
}

impl Out {
    /// Opens what a message goes through; what was opened before is used again while its row says the same.
    fn open(&mut self, scheduler: &Scheduler, due: &Due) -> Option<Arc<Opened>> {
        if let Some(row) = self.opened.get(&due.through)
            && row.account == due.user_id
            && row.url == due.api_url
            && row.name == due.instance_name
            && row.key == due.api_key
        {
            return row.opened.clone();
        }
        let opened = scheduler.open(due.user_id, &due.api_url, &due.instance_name, &due.api_key).map(Arc::new);
        if self.opened.len() >= OPENED {
            self.opened.clear();
        }
        let row = Row {
            account: due.user_id,
            url: due.api_url.clone(),
            name: due.instance_name.clone(),
            key: due.api_key.clone(),
            opened: opened.clone(),
        };
        self.opened.insert(due.through, row);
        opened
    }
}

fn server_of(url: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
