//! One round: outcomes in, what cannot go set aside, the next claims out; all in one transaction.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::agenda::Agenda;
use super::decision::{Decision, decide};
use super::{AHEAD, DOUBT, Desk, Ended, Finished, NET, READ, SWEEP, Scheduler, Settings, UNNOTED};
use crate::domain::account::LatePolicy;
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId};
use crate::domain::message::{Absence, Reason, Status};
use crate::domain::report::Report;
use crate::evolution::error::{CallError, SendError};
use crate::storage::queue::{Due, Outcome, Waiting};
use crate::storage::{Conn, Database, StorageError};

/// More late than this is never sent by itself.
const TOO_LATE: Duration = Duration::from_secs(24 * 3600);
/// How long a server must be away before the account is told.
const DOWN: Duration = Duration::from_secs(120);

/// By how many milliseconds at most a replica lets others come first.
const YIELD: u64 = 60;

/// What goes into a round's transaction.
struct Work {
    settings: Settings,
    holder: String,
    now: Moment,
    until: Moment,
    finished: Vec<Finished>,
    homeless: Vec<Waiting>,
    late: Vec<Waiting>,
    doubtful: Vec<(MessageId, Absence)>,
    picked: Vec<MessageId>,
    beat: Option<Vec<MessageId>>,
    /// Set after a failure: claims that nothing runs for are given back.
    running: Option<Vec<MessageId>>,
    timeline: Option<String>,
    /// Whether claims that ran out are looked for: not in every round.
    expiry: bool,
    /// Whether it is asked when the next comes due: only after what came due was read.
    ask_next: bool,
}

/// What comes out of it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another thing that happened")]
struct Outcomes {
    claimed: Vec<Due>,
    /// Due, but locked elsewhere.
    elsewhere: Vec<MessageId>,
    /// Taken, but the instance may not send before.
    shut: Vec<(MessageId, InstanceId, Moment)>,
    /// Instances that may not send before.
    closed: Vec<(InstanceId, Moment)>,
    /// Instances whose due messages were held.
    held: Vec<InstanceId>,
    /// Messages to try again.
    again: bool,
    next_due: Option<Moment>,
    asked_next: bool,
    next_expiry: Option<Moment>,
    expiry: bool,
    reported: bool,
    looks: bool,
    known: Option<Known>,
}

/// What is known of the store's age.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub doubt_before: Moment,
    pub timeline: Option<String>,
}

/// Where it stands that the store may be older than what was sent.
pub const DOUBT_BEFORE: &str = "doubt_before";
const TIMELINE: &str = "timeline";

type Reports = Vec<(AccountId, ChatId, Report)>;

impl Scheduler {
    /// Reads what came due, and does one round over it. Returns what was claimed.
    pub(super) async fn round(&self, desk: &mut Desk) -> Result<Vec<Due>, StorageError> {
        self.reckon_anew(desk).await?;
        let now = self.clock.now();
        let until = now.plus(AHEAD);
        let on_hold =
            !self.guard.may_send(&self.clock) || desk.rest_until.is_some_and(|rest| self.clock.steady() < rest);
        if on_hold || std::mem::replace(&mut desk.on_hold, on_hold) {
            desk.anew(now);
        }
        if on_hold {
            desk.on_hold = true;
            desk.net_at = now.plus(if desk.rest_until.is_some() { UNNOTED } else { NET });
            if desk.beat_at <= now || !desk.finished.is_empty() || desk.unsure {
                self.write_outcomes(desk).await?;
            }
            return Ok(Vec::new());
        }
        if desk.net_at <= now {
            desk.agenda.rewind(Moment::default());
            desk.next_due = Some(now);
            desk.net_at = now.plus(NET);
        }
        self.read(desk, now, until).await?;
        if desk.sweep_at <= now {
            desk.sweep_at = now.plus(SWEEP);
            let late = desk.agenda.take_out(|one| self.is_late(one, now));
            desk.late.extend(late);
        }
        // What was handed over leaves its place in this very round; what failed may close its instance first.
        let mut busy = desk.at_server.clone();
        let mut over = 0;
        for one in desk.finished.iter().filter(|one| matches!(one.ended, Ended::Answered(Ok(_)))) {
            let Some((through, server)) = desk.in_flight.get(&one.due.id) else { continue };
            desk.agenda.is_free(*through);
            if let Some(count) = busy.get_mut(server) {
                *count = count.saturating_sub(1);
            }
            over += 1;
        }
        let free = (self.settings.in_flight + over).saturating_sub(desk.in_flight.len());
        let picked = desk.agenda.pick(free, now, until, |server, picked| {
            let Some(server) = server else { return true };
            // A server may have no more requests in flight than there are places left, so that one that hangs
            // leaves room.
            let at_server = busy.entry(server).or_default();
            let room = *at_server < free.saturating_sub(picked);
            *at_server += usize::from(room);
            room
        });
        let beat = (desk.beat_at <= now && !desk.in_flight.is_empty()).then(|| running(desk));
        let work = Work {
            settings: self.settings,
            holder: self.holder.clone(),
            now,
            until,
            finished: desk.finished.clone(),
            homeless: desk.homeless.clone(),
            late: desk.late.clone(),
            doubtful: desk.doubtful.clone(),
            picked: picked.iter().map(|one| one.id).collect(),
            beat,
            running: desk.unsure.then(|| running(desk)),
            timeline: desk.timeline.clone(),
            expiry: desk.next_expiry.is_some_and(|at| at <= now) || desk.expiry_at <= now,
            ask_next: desk.ask_next,
        };
        if work.is_idle() && desk.next_expiry.is_none_or(|at| at > now) {
            // Nothing to write; only when to look again is asked.
            desk.moved = false;
            let mut conn = self.db.read().await?;
            desk.next_due = conn.next_due(until).await?;
            desk.ask_next = false;
            desk.next_expiry = conn.next_expiry().await?;
            return Ok(Vec::new());
        }
        let looked = work.expiry;
        let done = self.db.write(move |conn| Box::pin(async move { work.run(conn).await })).await;
        if looked {
            desk.expiry_at = now.plus(self.settings.lease / 3);
        }
        let done: Outcomes = match done {
            Ok(done) => done,
            Err(error) => {
                for one in picked {
                    desk.put_back(one);
                }
                return Err(error);
            }
        };
        Ok(self.after(desk, done, picked, now))
    }

    /// When the clock was set back, what was to wait for a moment of it waits no longer than it was to.
    async fn reckon_anew(&self, desk: &mut Desk) -> Result<(), StorageError> {
        self.guard.look(&self.clock);
        let by = self.guard.set_back();
        if by == desk.set_back {
            return Ok(());
        }
        let (now, step) = (self.clock.now(), by.saturating_sub(desk.set_back));
        let doubt_before = desk.doubt_before.min(now);
        let moved: Result<(), StorageError> = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    if conn.find_meta(DOUBT_BEFORE).await?.is_some() {
                        conn.set_meta(DOUBT_BEFORE, &doubt_before.0.to_string()).await?;
                    }
                    conn.set_back(step, now).await
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
        let now = self.clock.now();
        let finished = desk.finished.clone();
        let beat = (desk.beat_at <= now && !desk.in_flight.is_empty()).then(|| running(desk));
        let (settings, holder) = (self.settings, self.holder.clone());
        let work = Work {
            settings,
            holder,
            now,
            until: now,
            finished,
            homeless: Vec::new(),
            late: Vec::new(),
            doubtful: Vec::new(),
            picked: Vec::new(),
            beat,
            running: desk.unsure.then(|| running(desk)),
            timeline: desk.timeline.clone(),
            expiry: false,
            ask_next: false,
        };
        let done: Outcomes = self.db.write(move |conn| Box::pin(async move { work.run(conn).await })).await?;
        self.after(desk, done, Vec::new(), now);
        Ok(())
    }

    /// What the transaction did is taken into memory.
    fn after(&self, desk: &mut Desk, done: Outcomes, picked: Vec<Waiting>, now: Moment) -> Vec<Due> {
        desk.unsure = false;
        desk.moved = !desk.finished.is_empty() || !done.claimed.is_empty();
        if let Some(known) = done.known {
            (desk.doubt_before, desk.timeline) = (known.doubt_before, known.timeline);
            // What is in memory is read anew, and doubted.
            desk.agenda = Agenda::default();
            for one in std::mem::take(&mut desk.finished) {
                desk.settled(one.due.id);
            }
            desk.net_at = now;
            return Vec::new();
        }
        if desk.beat_at <= now {
            desk.beat_at = now.plus(self.settings.lease / 3);
        }
        let carried: HashSet<InstanceId> = done.claimed.iter().map(|due| due.through).collect();
        for one in std::mem::take(&mut desk.finished) {
            desk.settled(one.due.id);
        }
        for through in carried {
            desk.agenda.is_busy(through);
        }
        desk.homeless.clear();
        desk.late.clear();
        desk.doubtful.clear();
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
            desk.agenda.is_free(through);
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
        } else if done.asked_next {
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
            Database::Postgres(_) => until.plus(Duration::from_millis(rand::random_range(0..YIELD))),
        }
    }

    /// Reads what came due into the agenda.
    async fn read(&self, desk: &mut Desk, now: Moment, until: Moment) -> Result<(), StorageError> {
        let more = std::mem::take(&mut desk.read_more);
        let mut read = Vec::new();
        if more || desk.next_due.is_some_and(|due| due <= until) || desk.agenda.is_rewound() {
            desk.ask_next = true;
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
        if let Some(account) = desk.agenda.runs_low() {
            read.extend(self.db.read().await?.list_due_of(account, until, READ).await?);
            desk.agenda.was_read(account);
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
        if one.due_at <= doubt_before && one.created_at < doubt_before {
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
        lateness > self.settings.grace && (lateness > TOO_LATE || one.late_policy != LatePolicy::Always)
    }
}

impl Desk {
    fn put_back(&mut self, one: Waiting) {
        if let Some(through) = one.through {
            self.agenda.is_free(through);
        }
        self.agenda.file(vec![one]);
    }
}

fn running(desk: &Desk) -> Vec<MessageId> {
    desk.in_flight.keys().copied().collect()
}

impl Work {
    fn is_idle(&self) -> bool {
        self.finished.is_empty()
            && self.homeless.is_empty()
            && self.late.is_empty()
            && self.doubtful.is_empty()
            && self.picked.is_empty()
            && self.beat.is_none()
            && self.running.is_none()
    }

    async fn run(self, conn: &mut Conn) -> Result<Outcomes, StorageError> {
        let mut done = Outcomes::default();
        let mut reports = Reports::new();
        let (lease_now, timeline) = conn.lease_now(self.now).await?;
        if timeline != self.timeline {
            // Another server took over, which may lack our last commits: nothing that is overdue goes unasked.
            conn.set_meta(DOUBT_BEFORE, &self.now.0.to_string()).await?;
            conn.set_meta(TIMELINE, timeline.as_deref().unwrap_or_default()).await?;
            tracing::warn!("the database server was replaced; overdue messages are looked for before they are sent");
            done.known = Some(Known { doubt_before: self.now, timeline });
            let lost: Vec<MessageId> = self.picked.clone();
            done.elsewhere = lost;
        }
        let lease = lease_now.plus(self.settings.lease);
        if let Some(ids) = &self.beat {
            conn.extend_leases(ids, &self.holder, lease).await?;
        }
        if let Some(running) = &self.running {
            conn.release_orphans(&self.holder, running, self.now).await?;
        }
        self.settle(conn, &mut done, &mut reports).await?;
        if self.expiry {
            done.expiry = true;
            done.looks |= !end_expired(conn, lease_now, self.settings.settle, self.now).await?.is_empty();
            done.next_expiry = conn.next_expiry().await?.map(|at| Moment(at.0 - lease_now.0 + self.now.0));
        }
        self.put_aside(conn, &mut done, &mut reports).await?;
        if !self.picked.is_empty() && done.known.is_none() {
            self.claim(conn, lease, &mut done).await?;
        }
        conn.add_reports(&reports, self.now).await?;
        done.reported |= !reports.is_empty() || done.looks;
        if self.ask_next {
            done.next_due = conn.next_due(self.until).await?;
            done.asked_next = true;
        }
        Ok(done)
    }

    /// Writes what became of attempts.
    async fn settle(&self, conn: &mut Conn, done: &mut Outcomes, reports: &mut Reports) -> Result<(), StorageError> {
        if self.finished.is_empty() {
            return Ok(());
        }
        let now = self.now;
        let mut outcomes: HashMap<MessageId, (Outcome, &Finished, Option<Decision>)> = HashMap::new();
        for one in &self.finished {
            let (outcome, decision) = self.outcome(one);
            outcomes.entry(one.due.id).or_insert((outcome, one, decision));
        }
        let mut held_before = HashSet::new();
        for (_, one, decision) in outcomes.values() {
            if let Some(Decision::Held { reason, .. }) = decision
                && conn.holds_for(one.due.user_id, *reason).await?
            {
                held_before.insert((one.due.user_id, *reason));
            }
        }
        let mut list: Vec<&Outcome> = outcomes.values().map(|entry| &entry.0).collect();
        list.sort_by_key(|outcome| outcome.id);
        let all = list.len();
        let (sent, others): (Vec<&Outcome>, Vec<&Outcome>) =
            list.into_iter().partition(|outcome| outcome.status == Status::Sent.as_str());
        let mut ours = Vec::with_capacity(all);
        if !sent.is_empty() {
            ours.extend(conn.settle_sent(&sent, &self.holder, now).await?);
        }
        if !others.is_empty() {
            let others: Vec<Outcome> = others.into_iter().cloned().collect();
            ours.extend(conn.settle_messages(&others, &self.holder, now).await?);
        }
        if ours.len() < all {
            tracing::warn!(count = all - ours.len(), "late finishers were fenced");
        }
        let mut sent = HashMap::new();
        for id in ours {
            let Some((_, one, decision)) = outcomes.get(&id) else { continue };
            let (due, account, chat) = (&one.due, one.due.user_id, one.due.chat_id);
            match decision {
                None => done.again = true,
                Some(Decision::Sent) => {
                    let late_ms = i64::try_from(now.since(due.scheduled_time).as_millis()).unwrap_or(i64::MAX);
                    reports.push((account, chat, Report::Sent { message: id, late_ms }));
                    if due.stale {
                        sent.insert(due.through, (account, chat));
                    }
                }
                Some(Decision::Again { at, reason }) => {
                    done.again = true;
                    let at = self.note_down(conn, due, *reason, *at, reports).await?;
                    conn.set_gates(&[(due.through, at)]).await?;
                    done.closed.push((due.through, at));
                }
                Some(Decision::Held { reason, connection }) => {
                    if held_before.insert((account, *reason)) {
                        reports.push((account, chat, Report::Held { reason: *reason, message: id }));
                    } else {
                        reports.push((account, chat, Report::Changed { message: id }));
                    }
                    conn.note_connection(due.through, connection.as_str(), now).await?;
                    conn.hold_due_of(account, due.through, *reason, now).await?;
                    done.held.push(due.through);
                }
                Some(Decision::Failed { .. }) => reports.push((account, chat, Report::Failed { message: id })),
                Some(Decision::Unknown { .. }) => {
                    done.looks = true;
                    if let Ended::Answered(Err(error)) = &one.ended
                        && error.is_ominous()
                    {
                        // A server that is only slow was there all the time.
                        let unreached = *error != SendError::Call(CallError::TimedOut);
                        conn.note_suspect(due.through, unreached, now).await?;
                    }
                    reports.push((account, chat, Report::Changed { message: id }));
                }
            }
            if let Ended::Answered(Err(error)) = &one.ended {
                tracing::info!(message.id = %id, attempt = one.attempt, error = %error, "not handed over");
            }
        }
        if !sent.is_empty() {
            let through: Vec<InstanceId> = sent.keys().copied().collect();
            for back in conn.note_sent(&through, now).await? {
                if let Some((account, chat)) = sent.get(&back) {
                    reports.push((*account, *chat, Report::Up { instance: back }));
                }
            }
        }
        Ok(())
    }

    fn outcome(&self, one: &Finished) -> (Outcome, Option<Decision>) {
        let plain = |status: Status, reason: Option<Reason>| Outcome {
            id: one.due.id,
            attempt: one.attempt,
            status: status.as_str(),
            reason: reason.map(Reason::as_str),
            remote: None,
            through: None,
            sent_at: None,
            look_at: None,
            if_absent: None,
            tries: 0,
            word: status.as_str(),
        };
        let unknown = |if_absent: Absence| Outcome {
            look_at: Some(self.now.plus(self.settings.settle)),
            if_absent: Some(if_absent.as_str()),
            ..plain(Status::Unknown, Some(Reason::AnswerLost))
        };
        let answer = match &one.ended {
            Ended::Released => {
                return (Outcome { tries: -1, word: "released", ..plain(Status::Scheduled, None) }, None);
            }
            Ended::Answered(answer) => answer,
        };
        let tries = u32::try_from(one.due.tries + 1).unwrap_or(u32::MAX);
        let decision = decide(answer, tries, self.settings.retry, rand::random::<f64>(), self.now);
        let outcome = match &decision {
            Decision::Sent => Outcome {
                remote: answer.as_ref().ok().map(|sent| sent.remote_id.clone()),
                through: Some(one.due.through),
                sent_at: Some(self.now),
                ..plain(Status::Sent, None)
            },
            Decision::Again { reason, .. } => Outcome { word: "again", ..plain(Status::Scheduled, Some(*reason)) },
            Decision::Held { reason, .. } => plain(Status::Held, Some(*reason)),
            Decision::Failed { reason } => plain(Status::Failed, Some(*reason)),
            Decision::Unknown { if_absent } => unknown(*if_absent),
        };
        (outcome, Some(decision))
    }

    /// An instance's server was not reached; the account is told once when that lasts. Returns when to try again.
    async fn note_down(
        &self,
        conn: &mut Conn,
        due: &Due,
        reason: Reason,
        at: Moment,
        reports: &mut Reports,
    ) -> Result<Moment, StorageError> {
        if reason != Reason::Unreachable {
            return Ok(at);
        }
        let down = conn.note_down(due.through, self.now).await?;
        if down.down_told {
            return Ok(at);
        }
        let tell_at = down.down_since.plus(DOWN);
        if tell_at > self.now {
            return Ok(at.min(tell_at));
        }
        conn.note_down_told(due.through).await?;
        reports.push((due.user_id, due.chat_id, Report::Down { instance: due.through }));
        Ok(at)
    }

    /// Sets aside what cannot go.
    async fn put_aside(&self, conn: &mut Conn, done: &mut Outcomes, reports: &mut Reports) -> Result<(), StorageError> {
        let now = self.now;
        for if_absent in [Absence::Late, Absence::Send] {
            let ids: Vec<MessageId> = self.doubtful.iter().filter(|one| one.1 == if_absent).map(|one| one.0).collect();
            if !ids.is_empty() {
                conn.doubt_messages(&ids, if_absent, now).await?;
                done.looks = true;
            }
        }
        let mut by_reason: HashMap<(AccountId, Reason), Vec<&Waiting>> = HashMap::new();
        for one in &self.homeless {
            let reason = if one.pinned { Reason::InstanceMissing } else { Reason::NoActiveInstance };
            by_reason.entry((one.user_id, reason)).or_default().push(one);
        }
        for ((account, reason), list) in by_reason {
            let told = conn.holds_for(account, reason).await?;
            let ids: Vec<MessageId> = list.iter().map(|one| one.id).collect();
            let held = conn.set_aside(&ids, Status::Held, Some(reason), now).await?;
            if let (false, Some(first)) = (told, list.iter().find(|one| held.contains(&one.id))) {
                reports.push((account, first.chat_id, Report::Held { reason, message: first.id }));
            }
            for one in list.iter().skip(usize::from(!told)).filter(|one| held.contains(&one.id)) {
                reports.push((account, one.chat_id, Report::Changed { message: one.id }));
            }
        }
        let mut by_account: HashMap<(AccountId, LatePolicy), Vec<&Waiting>> = HashMap::new();
        for one in &self.late {
            // What is a day late is asked about, whatever the setting.
            let policy = if one.late_policy == LatePolicy::Never { LatePolicy::Never } else { LatePolicy::Ask };
            by_account.entry((one.user_id, policy)).or_default().push(one);
        }
        for ((account, policy), list) in by_account {
            let ids: Vec<MessageId> = list.iter().map(|one| one.id).collect();
            let Some(chat) = list.first().map(|one| one.chat_id) else { continue };
            if policy == LatePolicy::Never {
                let dropped = conn.set_aside(&ids, Status::Cancelled, None, now).await?.len() as u64;
                if dropped > 0 {
                    reports.push((account, chat, Report::Dropped { messages: dropped }));
                }
                continue;
            }
            let late = conn.set_aside(&ids, Status::Late, None, now).await?;
            if !late.is_empty() {
                reports.push((account, chat, Report::Late));
            }
        }
        Ok(())
    }

    /// Claims what was picked and may go.
    async fn claim(&self, conn: &mut Conn, lease: Moment, done: &mut Outcomes) -> Result<(), StorageError> {
        let taken = conn.take_due(&self.picked, self.until, self.now).await?;
        if matches!(conn, Conn::Postgres(_)) && taken.len() < self.picked.len() {
            let missing: Vec<MessageId> =
                self.picked.iter().copied().filter(|id| !taken.iter().any(|due| due.id == *id)).collect();
            done.elsewhere = conn.still_due(&missing, self.until).await?;
        }
        let mut through = HashSet::new();
        let mut gates = Vec::new();
        for due in taken {
            if due.next_send_at > self.now {
                done.shut.push((due.id, due.through, due.next_send_at));
                continue;
            }
            if let Some(end) = over_cap(&self.settings, &due, self.now) {
                done.shut.push((due.id, due.through, end));
                continue;
            }
            // Two of one instance meet when it became the active one between reading and claiming.
            if !through.insert(due.through) {
                done.elsewhere.push(due.id);
                continue;
            }
            if !self.settings.gap.is_zero() {
                let next = self.now.plus(self.settings.gap.mul_f64(1.0 + rand::random::<f64>() / 4.0));
                gates.push((due.through, next));
                done.closed.push((due.through, next));
            }
            done.claimed.push(due);
        }
        if !done.claimed.is_empty() {
            let claimed: Vec<&Due> = done.claimed.iter().collect();
            conn.claim_messages(&claimed, &gates, &self.holder, lease, self.now).await?;
            if self.settings.per_hour > 0 || self.settings.per_day > 0 {
                let through: Vec<InstanceId> = through.into_iter().collect();
                conn.count_sendings(&through, self.now).await?;
            }
        }
        Ok(())
    }
}

/// Takes over what an earlier run left: on SQLite there is one process, so what is claimed at its start was left by
/// a run that is over. `is_new`: there is no ledger, so this store may have been brought from elsewhere.
pub(super) async fn adopt(conn: &mut Conn, is_new: bool, settle: Duration, now: Moment) -> Result<Known, StorageError> {
    if let Conn::Sqlite(_) = conn {
        end_expired(conn, Moment(i64::MAX), settle, now).await?;
        conn.take_over_lookups(i64::try_from(settle.as_millis()).unwrap_or(i64::MAX), now).await?;
    }
    let (_, timeline) = conn.lease_now(now).await?;
    let identity = conn.identity().await?;
    let is_moved = match (&identity, conn.find_meta("identity").await?) {
        (Some(is), Some(was)) => *is != was,
        // It was never served before, so what is overdue in it was another's.
        (Some(_), None) => true,
        (None, _) => false,
    };
    let is_replaced = timeline.is_some() && conn.find_meta(TIMELINE).await?.is_some_and(|was| Some(was) != timeline);
    if is_new || is_moved || is_replaced {
        conn.set_meta(DOUBT_BEFORE, &now.0.to_string()).await?;
    }
    if let Some(identity) = identity {
        conn.set_meta("identity", &identity).await?;
    }
    if let Some(timeline) = &timeline {
        conn.set_meta(TIMELINE, timeline).await?;
    }
    let doubt_before = conn.find_meta(DOUBT_BEFORE).await?.and_then(|at| at.parse().ok()).map_or(Moment(0), Moment);
    Ok(Known { doubt_before, timeline })
}

/// Ends claims that ran out; each message is looked for.
pub(super) async fn end_expired(
    conn: &mut Conn,
    lease_now: Moment,
    settle: Duration,
    now: Moment,
) -> Result<Vec<MessageId>, StorageError> {
    let settle = i64::try_from(settle.as_millis()).unwrap_or(i64::MAX);
    let ended = conn.end_expired(lease_now, settle, now).await?;
    let reports: Reports =
        ended.iter().map(|one| (one.user_id, one.chat_id, Report::Changed { message: one.id })).collect();
    conn.add_reports(&reports, now).await?;
    Ok(ended.into_iter().map(|one| one.id).collect())
}

/// When a number that is at its hourly or daily cap may send again.
fn over_cap(settings: &Settings, due: &Due, now: Moment) -> Option<Moment> {
    let windows = [
        (settings.per_hour, due.hour_start, due.hour_count, 3600),
        (settings.per_day, due.day_start, due.day_count, 86_400),
    ];
    let full = windows.into_iter().filter(|(cap, _, count, _)| *cap > 0 && count >= cap);
    full.map(|(_, start, _, window)| start.plus(Duration::from_secs(window))).filter(|end| *end > now).max()
}
