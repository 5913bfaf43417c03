//! One round: what came due is read, as much as finds room is picked, and one transaction settles and claims
//! ([`super::transaction`]). It is written beside the requests that are under way.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::agenda::Agenda;
use super::desk::Desk;
use super::stamp::Counted;
use super::transaction::{DOUBT_BEFORE, Done, Work};
use super::{AHEAD, AT_ONCE, DOUBT, Ended, Finished, NET, READ, SWEEP, Scheduler, UNNOTED};
use crate::domain::account::{LatePolicy, TOO_LATE, grace};
use crate::domain::clock::Moment;
use crate::domain::ids::MessageId;
use crate::domain::message::Absence;
use crate::storage::queue::{Due, Waiting};
use crate::storage::{Database, StorageError};

/// By how many milliseconds at most a replica lets others come first.
const YIELD: u64 = 60;

/// A round that is being written.
#[derive(Debug)]
pub(super) struct Begun {
    /// Becomes ready when it is written.
    pub done: JoinHandle<Result<Done, StorageError>>,
    /// When it was begun.
    pub now: Moment,
    /// What it settles.
    pub finished: Arc<Vec<Finished>>,
    /// What it holds for want of an instance.
    pub homeless: Vec<Waiting>,
    /// What it sets aside as late.
    pub late: Vec<Waiting>,
    /// What it has looked for.
    pub doubtful: Vec<(MessageId, Absence)>,
    /// What it claims, unless something changed.
    pub picked: Vec<Waiting>,
    /// How often this process has counted with it.
    counted: Option<Counted>,
    /// It gives back what was claimed and is not known to be.
    mends: bool,
    /// Neither outcomes nor claims may be written beside it.
    pub goes_alone: bool,
}

impl Scheduler {
    /// Reads what came due, and begins a round over it, where there is anything to write. Where it does not go alone, outcomes
    /// are written beside it.
    pub(super) async fn begin(&self, desk: &mut Desk, goes_alone: bool) -> Result<Option<Begun>, StorageError> {
        if goes_alone {
            self.reckon_anew(desk).await?;
        }
        let now = self.clock.now();
        let until = now.plus(AHEAD + AT_ONCE);
        let on_hold =
            !self.guard.may_send(&self.clock) || desk.rest_until.is_some_and(|rest| self.clock.steady() < rest);
        if on_hold || std::mem::replace(&mut desk.on_hold, on_hold) {
            desk.anew(now);
        }
        if on_hold {
            desk.on_hold = true;
            desk.net_at = now.plus(if desk.rest_until.is_some() { UNNOTED } else { NET });
            let due = desk.beat_at <= now || !desk.finished.is_empty() || desk.unsure;
            if !due || !goes_alone {
                return Ok(None);
            }
            let work = self.closing(desk, now);
            return Ok(Some(self.write_down(work, Vec::new(), true)));
        }
        if desk.net_at <= now {
            desk.agenda.rewind(Moment::default());
            desk.next_due = Some(now);
            desk.net_at = now.plus(NET);
        }
        self.read(desk, now, until).await?;
        desk.give_way(&self.wake.ahead, now);
        if desk.sweep_at <= now {
            desk.sweep_at = now.plus(SWEEP);
            let late = desk.agenda.take_out(|one| self.is_late(one, now));
            desk.late.extend(late);
        }
        let finished = if goes_alone { desk.take_finished() } else { Vec::new() };
        let mut agenda = std::mem::take(&mut desk.agenda);
        let mut room = desk.room(self.settings.in_flight);
        // A message may leave before the store knows that the one before was taken, where the ledger does.
        let may_follow = self.ledger.is_kept() && self.settings.gap.is_zero();
        let picked = agenda.pick((now, until), may_follow, |one| room.has(one, now));
        desk.agenda = agenda;
        let mut work = Work {
            until,
            counted: if picked.is_empty() { None } else { self.stamp.count(self.clock.steady()) },
            picked: picked.iter().map(|one| one.id).collect(),
            expiry: desk.next_expiry.is_some_and(|at| at <= now) || desk.expiry_at <= now,
            ask_next: desk.ask_next.then(|| desk.agenda.read_to()),
            finished: Arc::new(finished),
            ..self.work(desk, now, goes_alone)
        };
        if goes_alone {
            work.homeless = std::mem::take(&mut desk.homeless);
            work.late = std::mem::take(&mut desk.late);
            work.doubtful = std::mem::take(&mut desk.doubtful);
        }
        if work.is_idle() && desk.next_expiry.is_none_or(|at| at > now) {
            // Nothing to write; only when to look again is asked.
            desk.moved = false;
            if desk.ask_next || desk.in_flight.is_empty() {
                let mut conn = self.db.read().await?;
                desk.next_due = conn.next_due(desk.agenda.read_to()).await?;
                desk.ask_next = false;
                desk.next_expiry = conn.next_expiry().await?;
            }
            return Ok(None);
        }
        if work.expiry {
            desk.expiry_at = now.plus(self.settings.lease / 3);
        }
        Ok(Some(self.write_down(work, picked, goes_alone)))
    }

    /// Begins to write outcomes, beside a round that has none. Their instances are not free before they are written: the
    /// round could be written, and this fail.
    pub(super) fn begin_outcomes(&self, desk: &mut Desk) -> Begun {
        let work =
            Work { finished: Arc::new(std::mem::take(&mut desk.finished)), ..self.work(desk, self.clock.now(), false) };
        self.write_down(work, Vec::new(), false)
    }

    /// Begins a round, waits until it is written, and returns what was claimed.
    #[cfg(test)]
    pub(super) async fn round(&self, desk: &mut Desk) -> Result<Vec<Due>, StorageError> {
        let Some(mut begun) = self.begin(desk, true).await? else { return Ok(Vec::new()) };
        let done = (&mut begun.done).await.map_err(|_| StorageError::Abandoned)??;
        Ok(self.after(desk, begun, done))
    }

    /// A transaction that writes outcomes, keeps and mends what is ours, and claims nothing. It goes alone.
    fn closing(&self, desk: &mut Desk, now: Moment) -> Work {
        Work { finished: Arc::new(std::mem::take(&mut desk.finished)), ..self.work(desk, now, true) }
    }

    /// A transaction that does nothing yet but keep and mend what is ours, where it goes alone.
    fn work(&self, desk: &Desk, now: Moment, goes_alone: bool) -> Work {
        Work {
            settings: self.settings,
            holder: self.holder.clone(),
            ahead: self.wake.ahead.clone(),
            now,
            until: now,
            finished: Arc::default(),
            homeless: Vec::new(),
            late: Vec::new(),
            doubtful: Vec::new(),
            picked: Vec::new(),
            beat: (goes_alone && desk.is_to_beat(now)).then(|| running(desk)),
            running: (goes_alone && desk.unsure).then(|| running(desk)),
            serving: desk.serving.clone(),
            counted: None,
            expiry: false,
            ask_next: None,
        }
    }

    /// Has the transaction written beside whatever else happens.
    fn write_down(&self, work: Work, picked: Vec<Waiting>, goes_alone: bool) -> Begun {
        let (now, finished) = (work.now, Arc::clone(&work.finished));
        let (homeless, late, doubtful) = (work.homeless.clone(), work.late.clone(), work.doubtful.clone());
        let (db, mends, counted) = (self.db.for_rounds(), work.running.is_some(), work.counted.clone());
        let done =
            tokio::spawn(async move { db.write(move |conn| Box::pin(async move { work.run(conn).await })).await });
        Begun { done, now, finished, homeless, late, doubtful, picked, counted, mends, goes_alone }
    }

    /// When the clock was set back, what was to wait for a moment of it waits no longer than it was to.
    async fn reckon_anew(&self, desk: &mut Desk) -> Result<(), StorageError> {
        self.guard.look(&self.clock);
        let by = self.guard.set_back();
        if by == desk.set_back {
            return Ok(());
        }
        let (now, step) = (self.clock.now(), by.saturating_sub(desk.set_back));
        let (doubt_before, settle) = (desk.doubt_before.min(now), self.settings.settle);
        let moved: Result<(), StorageError> = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    if conn.find_meta(DOUBT_BEFORE).await?.is_some() {
                        conn.set_meta(DOUBT_BEFORE, &doubt_before.0.to_string()).await?;
                    }
                    conn.set_back(step, settle, now).await
                })
            })
            .await;
        moved?;
        desk.set_back = by;
        // What is written down from now on comes after the start, whatever the clock said then.
        (desk.started_at, desk.doubt_before) = (desk.started_at.min(now), doubt_before);
        (desk.net_at, desk.beat_at, desk.sweep_at, desk.expiry_at) = (now, now, now, now);
        desk.agenda.open_all();
        self.lookups.notify_one();
        Ok(())
    }

    /// Writes outcomes, keeps what is ours, and does nothing else.
    pub(super) async fn write_outcomes(&self, desk: &mut Desk) -> Result<(), StorageError> {
        let work = self.closing(desk, self.clock.now());
        let mut begun = self.write_down(work, Vec::new(), true);
        match (&mut begun.done).await.unwrap_or(Err(StorageError::Abandoned)) {
            Ok(done) => {
                self.after(desk, begun, done);
                Ok(())
            }
            Err(error) => {
                desk.take_back(begun, &self.wake.ahead);
                Err(error)
            }
        }
    }

    /// What the transaction did is taken into memory. Returns what was claimed.
    pub(super) fn after(&self, desk: &mut Desk, begun: Begun, done: Done) -> Vec<Due> {
        let Begun { now, finished, picked, mends, counted: begun_counted, goes_alone: went_alone, .. } = begun;
        desk.unsure &= !mends;
        desk.moved = !finished.is_empty() || !done.claimed.is_empty();
        if let Some(counted) = &begun_counted {
            self.stamp.keep(counted);
        }
        if let Some(known) = done.known {
            (desk.doubt_before, desk.serving) = (known.doubt_before, known.serving);
            // What is in memory is read anew, and doubted, be it for the second time.
            desk.agenda = Agenda::default();
            desk.doubted.clear();
            for one in finished.iter() {
                desk.settled(one.due.id);
            }
            desk.net_at = now;
            return Vec::new();
        }
        if let Some(serving) = done.serving {
            desk.serving = Some(serving);
        }
        if went_alone && desk.beat_at <= now {
            desk.beat_at = now.plus(self.settings.lease / 3);
        }
        for one in finished.iter() {
            desk.settled(one.due.id);
            if one.ended == Ended::Released && !self.settings.gap.is_zero() {
                desk.agenda.open(one.due.through);
            }
        }
        // What was picked for one instance may have been claimed for another, which became the active one.
        for one in &picked {
            if let Some(through) = one.through {
                desk.agenda.is_over(through, one.id);
            }
        }
        for due in &done.claimed {
            desk.agenda.carries(due.through, due.id);
        }
        for (through, until) in done.closed {
            desk.agenda.close(through, self.turn(until));
        }
        for through in done.held {
            desk.agenda.take_out(|one| one.through == Some(through));
        }
        let claimed: HashSet<MessageId> = done.claimed.iter().map(|due| due.id).collect();
        for one in picked {
            let Some(through) = one.through else { continue };
            if claimed.contains(&one.id) {
                continue;
            }
            desk.agenda.is_over(through, one.id);
            if let Some((_, at, until)) = done.shut.iter().find(|shut| shut.0 == one.id) {
                let moved = Waiting { through: Some(*at), next_send_at: Some(*until), ..one };
                desk.agenda.file(vec![moved]);
                desk.agenda.close(*at, *until);
            } else if done.elsewhere.contains(&one.id) {
                desk.agenda.close(through, now.plus(Duration::from_millis(rand::random_range(5..40))));
                desk.agenda.file(vec![one]);
            }
        }
        if done.again {
            desk.rewind(now);
            desk.agenda.rewind(Moment::default());
        } else if done.asked_next && !desk.was_rewound {
            desk.next_due = done.next_due;
            desk.ask_next = false;
        }
        if done.expiry {
            desk.next_expiry = done.next_expiry;
        }
        if done.reported {
            self.reported.notify_one();
        }
        if done.looks {
            self.lookups.notify_one();
        }
        done.claimed
    }

    /// When to try again for an instance that we sent through, and that opens at `until`: replicas let each other have a
    /// turn, else the quicker one had nearly all.
    fn turn(&self, until: Moment) -> Moment {
        match &self.db {
            Database::Sqlite { .. } => until,
            Database::Postgres { .. } => until.plus(Duration::from_millis(rand::random_range(0..YIELD))),
        }
    }

    /// Reads what came due into the agenda.
    async fn read(&self, desk: &mut Desk, now: Moment, until: Moment) -> Result<(), StorageError> {
        let more = std::mem::take(&mut desk.read_more);
        let mut read = Vec::new();
        if more || desk.next_due.is_some_and(|due| due.minus(AHEAD) <= now) || desk.agenda.is_rewound() {
            desk.ask_next = true;
            desk.was_rewound = false;
            read = self
                .db
                .read()
                .await?
                .list_due(desk.agenda.low.unwrap_or((Moment(i64::MIN), MessageId(0))), until, READ)
                .await?;
            desk.read_more = i64::try_from(read.len()).unwrap_or(READ) >= READ;
            desk.agenda.low = Some(match read.last() {
                Some(last) if desk.read_more => (last.due_at, last.id),
                _ => (until, MessageId(i64::MAX)),
            });
        }
        if let Some((account, through)) = desk.agenda.runs_low() {
            read.extend(self.db.read().await?.list_due_of(account, through, until, READ).await?);
            desk.agenda.was_read(through);
        }
        let in_hand: HashSet<MessageId> = desk.finished.iter().map(|one| one.due.id).collect();
        read.retain(|one| {
            if in_hand.contains(&one.id) || desk.in_flight.contains_key(&one.id) {
                return false;
            }
            if let Some(absence) = self.doubts(one, desk.started_at, desk.doubt_before)
                && desk.doubted.insert(one.id)
            {
                desk.doubtful.push((one.id, absence));
                return false;
            }
            if self.is_late(one, now) {
                desk.late.push(one.clone());
                return false;
            }
            true
        });
        let homeless = desk.agenda.file(read);
        desk.homeless.extend(homeless);
        Ok(())
    }

    /// Whether a message that the store takes for unsent may have been sent before this run began.
    fn doubts(&self, one: &Waiting, started_at: Moment, doubt_before: Moment) -> Option<Absence> {
        if self.ledger.was_sent(one) {
            return Some(Absence::Late);
        }
        // What was held and mended in between is due later than it was to go.
        if one.due_at.min(one.scheduled_time) <= doubt_before && one.created_at < doubt_before {
            return Some(Absence::Late);
        }
        if one.created_at >= started_at || one.due_at > started_at {
            return None;
        }
        (one.attempt == 0
            && started_at.since(one.due_at) > DOUBT
            && one.through.is_some()
            && !self.is_late(one, started_at))
        .then_some(Absence::Send)
    }

    fn is_late(&self, one: &Waiting, now: Moment) -> bool {
        let lateness = now.since(one.scheduled_time);
        let chosen = one.late_grace.and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis);
        lateness > grace(chosen, self.settings.grace) && (lateness > TOO_LATE || one.late_policy != LatePolicy::Always)
    }
}

fn running(desk: &Desk) -> Vec<MessageId> {
    desk.in_flight.keys().copied().collect()
}
