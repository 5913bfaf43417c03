//! Lanes: updates of one chat and user are handled in order, those of others beside them. What fails costs its
//! own turn only: a panic one apology, trouble of the store three tries.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::effects::{Effect, Finding};
use super::event::{Event, Input, Who};
use super::inbound::{self, Incoming};
use super::looks::Card;
use super::{Arrival, Context, dialogues, outbound, session};
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, Subject, TelegramMessageId, UpdateId};
use crate::domain::language::Language;
use crate::storage::StorageError;

/// How many turns run at once.
const TURNS: usize = 64;
/// How many effects run at once.
const EFFECTS: usize = 32;
/// How often a turn is tried.
const TRIES: u32 = 3;
/// In how many runs of the program one is begun. An update that ends the process cannot be told from one that a dying process
/// happened to have before it, so it is more than a few.
const RUNS: i64 = 12;
/// How long a stop waits for the turns that run.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many bodies are held in memory; those of later updates are read when their turn comes.
const HELD: usize = 1024;

/// Queues by key: one job of each at a time, in order, the keys in turn.
#[derive(Debug)]
pub struct Lanes<K, J> {
    by_key: HashMap<K, Lane<J>>,
    ready: VecDeque<K>,
    resting: BTreeMap<(Moment, u64), K>,
    rests: u64,
    len: usize,
}

#[derive(Debug)]
struct Lane<J> {
    jobs: VecDeque<J>,
}

impl<K, J> Default for Lanes<K, J> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), ready: VecDeque::new(), resting: BTreeMap::new(), rests: 0, len: 0 }
    }
}

impl<K: Hash + Eq + Clone, J> Lanes<K, J> {
    /// How many jobs wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a job at the end of its lane.
    pub fn push(&mut self, key: K, job: J) {
        self.len += 1;
        if let Some(lane) = self.by_key.get_mut(&key) {
            lane.jobs.push_back(job);
        } else {
            self.ready.push_back(key.clone());
            self.by_key.insert(key, Lane { jobs: VecDeque::from([job]) });
        }
    }

    /// Takes the next job. Its lane stands still until [`Lanes::finished`] or [`Lanes::again`].
    pub fn next(&mut self, now: Moment) -> Option<(K, J)> {
        while let Some(rest) = self.resting.first_entry() {
            if rest.key().0 > now {
                break;
            }
            self.ready.push_back(rest.remove());
        }
        while let Some(key) = self.ready.pop_front() {
            let Some(lane) = self.by_key.get_mut(&key) else { continue };
            if let Some(job) = lane.jobs.pop_front() {
                self.len -= 1;
                return Some((key, job));
            }
            self.by_key.remove(&key);
        }
        None
    }

    /// Lets a lane go on after its job.
    pub fn finished(&mut self, key: &K) {
        match self.by_key.get(key) {
            Some(lane) if lane.jobs.is_empty() => {
                self.by_key.remove(key);
            }
            Some(_) => self.ready.push_back(key.clone()),
            None => {}
        }
    }

    /// Puts a job back in front of its lane, which rests until `until`.
    pub fn again(&mut self, key: &K, job: J, until: Moment) {
        let Some(lane) = self.by_key.get_mut(key) else { return };
        lane.jobs.push_front(job);
        self.len += 1;
        self.rests += 1;
        self.resting.insert((until, self.rests), key.clone());
    }

    /// Drops all jobs that wait in a lane and gives them back.
    pub fn clear(&mut self, key: &K) -> Vec<J> {
        let Some(lane) = self.by_key.get_mut(key) else { return Vec::new() };
        self.len -= lane.jobs.len();
        std::mem::take(&mut lane.jobs).into()
    }

    /// When the first resting lane goes on.
    pub fn wakes_at(&self) -> Option<Moment> {
        self.resting.keys().next().map(|(at, _)| *at)
    }
}

/// Lets so many through per minute and key, that many at once.
#[derive(Debug)]
pub struct Pace<K> {
    each: u64,
    burst: u64,
    full_at: HashMap<K, Moment>,
}

impl<K: Hash + Eq> Pace<K> {
    /// One each `each`, up to `burst` at once. No time at all lets everything through.
    pub fn new(each: Duration, burst: u32) -> Self {
        let each = u64::try_from(each.as_millis()).unwrap_or(u64::MAX);
        Self { each, burst: each.saturating_mul(u64::from(burst)), full_at: HashMap::new() }
    }

    /// Takes one; otherwise says when to ask again.
    pub fn take(&mut self, key: K, now: Moment) -> Result<(), Moment> {
        if self.each == 0 {
            return Ok(());
        }
        if self.full_at.len() > 4096 {
            self.full_at.retain(|_, at| *at > now);
        }
        let at = self.full_at.get(&key).copied().unwrap_or(now).max(now).plus(Duration::from_millis(self.each));
        let free = at.minus(Duration::from_millis(self.burst));
        if free > now {
            return Err(free);
        }
        self.full_at.insert(key, at);
        Ok(())
    }
}

/// What an effect's inbox row holds: the effect, and to whom its finding belongs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    pub effect: Effect,
    pub subject: Subject,
    pub private: bool,
    pub message: Option<TelegramMessageId>,
    pub account: Option<AccountId>,
    pub first_name: String,
    pub username: Option<String>,
    pub language_code: Option<String>,
}

#[derive(Debug)]
enum Job {
    /// An update; without a body, it is to be read.
    Update { id: UpdateId, body: Option<String> },
    /// What an effect found out.
    Found(Box<Event>),
}

impl Job {
    fn id(&self) -> UpdateId {
        match self {
            Self::Update { id, .. } => *id,
            Self::Found(event) => event.update,
        }
    }
}

struct Hall {
    ctx: Arc<Context>,
    lanes: Lanes<String, Job>,
    known: HashSet<UpdateId>,
    pace: Pace<String>,
    effects: VecDeque<(UpdateId, String, Option<String>)>,
    turns: JoinSet<(String, UpdateId)>,
    effecting: JoinSet<(UpdateId, String, Option<Box<Event>>)>,
}

/// Handles what arrives until `stop`; then lets the turns that run come to their end.
pub(super) async fn run(ctx: Arc<Context>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut arrivals = ctx.arrivals.1.lock().await;
    let quota = ctx.quota_per_minute;
    let each = if quota == 0 { Duration::ZERO } else { Duration::from_mins(1) / quota };
    let mut hall = Hall {
        lanes: Lanes::default(),
        known: HashSet::new(),
        pace: Pace::new(each, quota),
        effects: VecDeque::new(),
        turns: JoinSet::new(),
        effecting: JoinSet::new(),
        ctx: Arc::clone(&ctx),
    };
    hall.load().await?;
    loop {
        hall.start();
        let wakes_at = hall.lanes.wakes_at();
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(done) = hall.turns.join_next(), if !hall.turns.is_empty() => match done {
                Ok((lane, id)) => {
                    hall.known.remove(&id);
                    hall.lanes.finished(&lane);
                }
                // It cannot panic: what may is caught within. Starting anew loads all that waits.
                Err(error) => anyhow::bail!("a lane ended: {error}"),
            },
            Some(done) = hall.effecting.join_next(), if !hall.effecting.is_empty() => match done {
                Ok((_, lane, Some(event))) => hall.lanes.push(lane, Job::Found(event)),
                Ok((id, _, None)) => {
                    hall.known.remove(&id);
                }
                Err(error) => anyhow::bail!("an effect ended: {error}"),
            },
            Some(arrival) = arrivals.recv() => hall.admit(arrival),
            () = ctx.clock.pause_until(wakes_at.unwrap_or_default()), if wakes_at.is_some() => {}
        }
    }
    let drain = async { while hall.turns.join_next().await.is_some() {} };
    if tokio::time::timeout(PATIENCE, drain).await.is_err() {
        tracing::warn!("some turns did not end in time; they are taken again at the next start");
    }
    Ok(())
}

impl Hall {
    /// Takes over what an earlier run left waiting. What it had begun too often is given up.
    async fn load(&mut self) -> anyhow::Result<()> {
        let mut after = UpdateId(i64::MIN);
        loop {
            let page = self.ctx.db.read().await?.list_waiting_updates(after, 500).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.update_id;
            for row in page {
                if row.attempts >= RUNS {
                    tracing::error!(
                        update.id = row.update_id.0,
                        "an update was given up: it was never brought to an end"
                    );
                    let ctx = Arc::clone(&self.ctx);
                    give_up(&ctx, row.update_id, &row.lane, None).await?;
                    continue;
                }
                self.admit(Arrival { id: row.update_id, lane: row.lane, body: Some(row.body), again: true });
            }
        }
    }

    fn admit(&mut self, arrival: Arrival) {
        let Arrival { id, lane, body, again } = arrival;
        if !self.known.insert(id) {
            return;
        }
        let body = body.filter(|_| !again && self.lanes.len() < HELD);
        if id.0 < 0 {
            self.effects.push_back((id, lane, body));
        } else {
            // Without a body it is read, and counted, when its turn comes.
            self.lanes.push(lane, Job::Update { id, body });
        }
    }

    fn start(&mut self) {
        let now = self.ctx.clock.pause_now();
        while self.turns.len() < TURNS {
            let Some((lane, job)) = self.lanes.next(now) else { break };
            if let Job::Update { .. } = job
                && let Err(free) = self.pace.take(lane.clone(), now)
            {
                self.lanes.again(&lane, job, free);
                continue;
            }
            let ctx = Arc::clone(&self.ctx);
            self.turns.spawn(async move {
                let id = job.id();
                live(&ctx, &lane, job).await;
                (lane, id)
            });
        }
        while self.effecting.len() < EFFECTS {
            let Some((id, lane, body)) = self.effects.pop_front() else { break };
            let ctx = Arc::clone(&self.ctx);
            self.effecting.spawn(async move {
                let event = effect(&ctx, id, &lane, body).await;
                (id, lane, event)
            });
        }
    }
}

/// Brings one update to its end: handled, or given up with an apology.
async fn live(ctx: &Arc<Context>, lane: &str, job: Job) {
    let id = job.id();
    let mut tries = 0;
    let mut wait = Duration::from_millis(200);
    loop {
        let mut language = None;
        let outcome = AssertUnwindSafe(turn(ctx, &job, &mut language)).catch_unwind().await;
        let failure = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tries += 1;
                tracing::warn!(update.id = id.0, tries, error = format!("{error:#}"), "a turn failed");
                is_outage(&error) || tries < TRIES
            }
            Err(_) => {
                tracing::error!(update.id = id.0, "a turn panicked");
                false
            }
        };
        if !failure {
            match give_up(ctx, id, lane, language).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(update.id = id.0, error = format!("{error:#}"), "cannot be given up yet"),
            }
        }
        ctx.clock.sleep(wait).await;
        wait = (wait * 3).min(Duration::from_secs(10));
    }
}

/// Whether the store is away as a whole, which is no fault of the update.
fn is_outage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref().is_some_and(StorageError::is_outage))
}

async fn turn(ctx: &Arc<Context>, job: &Job, language: &mut Option<Language>) -> anyhow::Result<()> {
    let (id, body) = match job {
        Job::Found(event) => return session::handle(ctx, event).await,
        Job::Update { id, body } => (*id, body),
    };
    let read;
    let sealed = match body {
        Some(body) => body,
        None => match reread(ctx, id).await? {
            Some(body) => {
                read = body;
                &read
            }
            None => return Ok(()),
        },
    };
    let raw = open(ctx, id, sealed)?;
    match inbound::read(ctx.me(), &raw).await {
        Incoming::Event(event) => {
            *language = event.who.language_code.as_deref().and_then(Language::from_tag);
            if event.reply_to.is_some() {
                // The card may have been shown and not written down yet.
                ctx.speaking.quiet(event.subject.chat, WRITING).await;
            }
            session::handle(ctx, &event).await
        }
        Incoming::Gone(chat) => {
            ctx.services.accounts.mark_blocked(chat).await?;
            finish(ctx, id).await
        }
        Incoming::Moved { from, to } => {
            ctx.services.accounts.move_chat(from, to).await?;
            finish(ctx, id).await
        }
        Incoming::Nothing => finish(ctx, id).await,
    }
}

/// How long a reply waits for what is being said in its chat.
const WRITING: Duration = Duration::from_secs(3);

/// Reads what a former run left, and counts the attempt, so that what kills the process is not tried for ever.
async fn reread(ctx: &Arc<Context>, id: UpdateId) -> Result<Option<String>, StorageError> {
    ctx.db
        .write(move |conn| {
            Box::pin(async move {
                conn.count_update_attempt(id).await?;
                conn.find_update(id).await
            })
        })
        .await
}

fn open(ctx: &Context, id: UpdateId, sealed: &str) -> anyhow::Result<String> {
    let plain = ctx.keyring.open(&format!("inbox/{id}"), sealed)?;
    Ok(String::from_utf8(plain)?)
}

async fn finish(ctx: &Arc<Context>, id: UpdateId) -> anyhow::Result<()> {
    let done: Result<bool, StorageError> =
        ctx.db.write(move |conn| Box::pin(async move { conn.finish_update(id, false).await })).await;
    done?;
    Ok(())
}

/// Marks an update as failed and apologises, once.
async fn give_up(ctx: &Arc<Context>, id: UpdateId, lane: &str, language: Option<Language>) -> anyhow::Result<()> {
    let chat = inbound::chat_of_lane(lane);
    let words = outbound::Outgoing::Send(dialogues::apology(language.unwrap_or_default()));
    let sealed = outbound::seal(&ctx.keyring, &words)?;
    let now = ctx.clock.now();
    let done: Result<(), StorageError> = ctx
        .db
        .write(move |conn| {
            Box::pin(async move {
                if conn.finish_update(id, true).await?
                    && let Some(chat) = chat
                {
                    conn.insert_outgoing(chat, &sealed, now).await?;
                }
                Ok(())
            })
        })
        .await;
    done?;
    ctx.wake_outbox();
    Ok(())
}

/// Runs an effect; its finding comes back as an event. Nothing when it was given up.
async fn effect(ctx: &Arc<Context>, id: UpdateId, lane: &str, body: Option<String>) -> Option<Box<Event>> {
    let mut wait = Duration::from_millis(200);
    let mut tries = 0;
    loop {
        let outcome = AssertUnwindSafe(find_out(ctx, id, body.as_deref())).catch_unwind().await;
        let again = match outcome {
            Ok(Ok(event)) => return event,
            Ok(Err(error)) => {
                tries += 1;
                tracing::warn!(update.id = id.0, tries, error = format!("{error:#}"), "an effect failed");
                is_outage(&error) || tries < TRIES
            }
            Err(_) => {
                tracing::error!(update.id = id.0, "an effect panicked");
                false
            }
        };
        if !again && give_up(ctx, id, lane, None).await.is_ok() {
            return None;
        }
        ctx.clock.sleep(wait).await;
        wait = (wait * 3).min(Duration::from_secs(10));
    }
}

async fn find_out(ctx: &Arc<Context>, id: UpdateId, body: Option<&str>) -> anyhow::Result<Option<Box<Event>>> {
    let read;
    let sealed = match body {
        Some(body) => body,
        None => match reread(ctx, id).await? {
            Some(body) => {
                read = body;
                &read
            }
            None => return Ok(None),
        },
    };
    let mut pending: Pending = serde_json::from_str(&open(ctx, id, sealed)?)?;
    let finding = if let Effect::LookAt { id: instance, turn } = pending.effect {
        let card = Card { turn, message: pending.message };
        let Some(look) = ctx.looks.begin(pending.subject, instance, card) else {
            finish(ctx, id).await?;
            return Ok(None);
        };
        let found = pending.effect.run(&ctx.services, pending.account).await;
        let last = look.end().unwrap_or(card);
        pending.message = last.message;
        match found {
            Finding::Looked { id, .. } => Finding::Looked { id, turn: last.turn },
            other => other,
        }
    } else {
        pending.effect.run(&ctx.services, pending.account).await
    };
    Ok(Some(Box::new(Event {
        update: id,
        subject: pending.subject,
        who: Who { first_name: pending.first_name, username: pending.username, language_code: pending.language_code },
        private: pending.private,
        message: pending.message,
        reply_to: None,
        query: None,
        input: Input::Found(finding),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_keeps_its_order_and_does_not_hold_up_others() {
        let mut lanes = Lanes::default();
        let now = Moment(0);
        for job in 1..=3 {
            lanes.push("a", job);
        }
        lanes.push("b", 10);
        assert_eq!(lanes.next(now), Some(("a", 1)));
        assert_eq!(lanes.next(now), Some(("b", 10)));
        assert_eq!(lanes.next(now), None, "one job of a lane at a time");
        lanes.finished(&"b");
        lanes.again(&"a", 1, Moment(50));
        assert_eq!(lanes.next(now), None);
        assert_eq!(lanes.wakes_at(), Some(Moment(50)));
        assert_eq!(lanes.next(Moment(50)), Some(("a", 1)));
        lanes.finished(&"a");
        assert_eq!(lanes.next(now), Some(("a", 2)));
        lanes.finished(&"a");
        assert_eq!(lanes.next(now), Some(("a", 3)));
        lanes.finished(&"a");
        assert!(lanes.is_empty());
        assert!(lanes.by_key.is_empty(), "an empty lane leaves nothing behind");
    }

    #[test]
    fn a_job_that_comes_while_its_lane_is_busy_waits() {
        let mut lanes = Lanes::default();
        lanes.push("a", 1);
        assert_eq!(lanes.next(Moment(0)), Some(("a", 1)));
        lanes.push("a", 2);
        assert_eq!(lanes.next(Moment(0)), None);
        lanes.finished(&"a");
        assert_eq!(lanes.next(Moment(0)), Some(("a", 2)));
    }

    #[test]
    fn the_pace_lets_a_burst_through_and_then_delays() {
        let mut pace = Pace::new(Duration::from_secs(1), 2);
        assert_eq!(pace.take("a", Moment(0)), Ok(()));
        assert_eq!(pace.take("a", Moment(0)), Ok(()));
        assert_eq!(pace.take("a", Moment(0)), Err(Moment(1000)));
        assert_eq!(pace.take("b", Moment(0)), Ok(()));
        assert_eq!(pace.take("a", Moment(1000)), Ok(()));
        let mut free = Pace::new(Duration::ZERO, 0);
        assert_eq!(free.take("a", Moment(0)), Ok(()));
    }
}
