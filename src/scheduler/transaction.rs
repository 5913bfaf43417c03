//! A round's transaction: outcomes in, what cannot go set aside, the next claims out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::decision::{Decision, decide};
use super::ledger::Ledger;
use super::stamp::{Counted, Stamp};
use super::{DOUBT, Ended, Finished, Settings};
use crate::domain::account::LatePolicy;
use crate::domain::clock::{Moment, millis};
use crate::domain::ids::{AccountId, ChatId, InstanceId, MessageId};
use crate::domain::message::{Absence, Reason, Status};
use crate::domain::report::Report;
use crate::evolution::error::{CallError, SendError};
use crate::storage::ahead::{Ahead, Attempted, Sending};
use crate::storage::outcomes::Outcome;
use crate::storage::queue::{Due, Serving, Waiting};
use crate::storage::{Conn, StorageError};

/// How long a server must be away before the account is told.
const DOWN: Duration = Duration::from_secs(120);

/// What goes into a round's transaction.
pub(super) struct Work {
    pub settings: Settings,
    pub holder: String,
    pub ahead: Ahead,
    pub now: Moment,
    pub until: Moment,
    pub finished: Arc<Vec<Finished>>,
    pub homeless: Vec<Waiting>,
    pub late: Vec<Waiting>,
    pub doubtful: Vec<(MessageId, Absence)>,
    pub picked: Vec<MessageId>,
    pub beat: Option<Vec<MessageId>>,
    /// Set after a failure: claims that nothing runs for are given back.
    pub running: Option<Vec<MessageId>>,
    /// Which server answered last.
    pub serving: Option<Serving>,
    /// How often this process has counted, to be written.
    pub counted: Option<Counted>,
    /// Whether claims that ran out are looked for: not in every round.
    pub expiry: bool,
    /// Up to when what comes due was read: the next after it is asked for. Only in a round that read.
    pub ask_next: Option<Moment>,
}

/// What comes out of it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another thing that happened")]
pub(super) struct Done {
    pub claimed: Vec<Due>,
    /// Due, but locked elsewhere.
    pub elsewhere: Vec<MessageId>,
    /// Taken, but the instance may not send before.
    pub shut: Vec<(MessageId, InstanceId, Moment)>,
    /// Instances that may not send before.
    pub closed: Vec<(InstanceId, Moment)>,
    /// Instances whose due messages were held.
    pub held: Vec<InstanceId>,
    /// Messages to try again.
    pub again: bool,
    pub next_due: Option<Moment>,
    pub asked_next: bool,
    pub next_expiry: Option<Moment>,
    pub expiry: bool,
    pub reported: bool,
    pub looks: bool,
    pub serving: Option<Serving>,
    pub known: Option<Known>,
}

/// What is known of the store's age.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub doubt_before: Moment,
    pub serving: Option<Serving>,
}

/// Where it stands that the store may be older than what was sent.
pub const DOUBT_BEFORE: &str = "doubt_before";
const TIMELINE: &str = "timeline";

type Reports = Vec<(AccountId, ChatId, Report)>;

impl Work {
    /// Whether there is nothing to write.
    pub fn is_idle(&self) -> bool {
        self.finished.is_empty() && self.has_only_outcomes()
    }

    fn has_only_outcomes(&self) -> bool {
        self.homeless.is_empty()
            && self.late.is_empty()
            && self.doubtful.is_empty()
            && self.picked.is_empty()
            && self.beat.is_none()
            && self.running.is_none()
    }

    /// Whether it only writes outcomes and asks nothing: those are fenced, whatever became of the server.
    fn only_settles(&self) -> bool {
        self.has_only_outcomes() && !self.expiry && self.ask_next.is_none()
    }

    /// Does it.
    pub async fn run(self, conn: &mut Conn) -> Result<Done, StorageError> {
        let mut done = Done::default();
        let mut reports = Reports::new();
        let (lease_now, serving) =
            if self.only_settles() { (self.now, self.serving.clone()) } else { conn.lease_now(self.now).await? };
        let follows = match (&serving, &self.serving) {
            (Some(is), Some(was)) => is.follows(was),
            (is, was) => is.is_none() && was.is_none(),
        };
        if !follows {
            // Another server took over, which may lack our last commits: nothing that is overdue goes unasked.
            conn.set_meta(DOUBT_BEFORE, &self.now.0.to_string()).await?;
            conn.set_meta(TIMELINE, serving.as_ref().map_or("", |is| &is.timeline)).await?;
            tracing::warn!("the database server was replaced; overdue messages are looked for before they are sent");
            done.known = Some(Known { doubt_before: self.now, serving: serving.clone() });
            let lost: Vec<MessageId> = self.picked.clone();
            done.elsewhere = lost;
        }
        done.serving = serving;
        if let Some(counted) = &self.counted {
            counted.write(conn).await?;
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
            let unbegun = conn.list_unbegun(lease_now, self.now.minus(self.settings.lease + DOUBT)).await?;
            if !unbegun.is_empty() {
                done.again = true;
                conn.give_back(&unbegun, self.now).await?;
            }
            conn.sweep_begun(&self.holder, self.now).await?;
            done.looks |= !end_expired(conn, lease_now, self.settings.settle, self.now).await?.is_empty();
            done.next_expiry = conn.next_expiry().await?.map(|at| Moment(at.0 - lease_now.0 + self.now.0));
        }
        self.put_aside(conn, &mut done, &mut reports).await?;
        if !self.picked.is_empty() && done.known.is_none() {
            self.claim(conn, lease, &mut done).await?;
        }
        conn.add_reports(&reports, self.now).await?;
        done.reported |= !reports.is_empty() || done.looks;
        if let Some(read_to) = self.ask_next {
            done.next_due = conn.next_due(read_to).await?;
            done.asked_next = true;
        }
        Ok(done)
    }

    /// Writes what became of attempts.
    async fn settle(&self, conn: &mut Conn, done: &mut Done, reports: &mut Reports) -> Result<(), StorageError> {
        if self.finished.is_empty() {
            return Ok(());
        }
        let now = self.now;
        let mut outcomes: HashMap<MessageId, (Outcome, &Finished, Option<Decision>)> = HashMap::new();
        for one in self.finished.iter() {
            let (outcome, decision) = self.outcome(one);
            outcomes.entry(one.due.id).or_insert((outcome, one, decision));
        }
        let mut held_before = HashSet::new();
        for (_, one, decision) in outcomes.values() {
            if let Some(Decision::Held { reason, .. }) = decision
                && (conn.holds_for(one.due.user_id, *reason).await? || conn.was_held_for(one.due.id, *reason).await?)
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
        let first: Vec<MessageId> = sent
            .iter()
            .filter(|one| outcomes.get(&one.id).is_some_and(|entry| entry.1.due.stale))
            .map(|one| one.id)
            .collect();
        let tried: HashSet<MessageId> =
            if first.is_empty() { HashSet::new() } else { conn.list_once_held(&first).await?.into_iter().collect() };
        if !sent.is_empty() {
            ours.extend(conn.settle_sent(&sent, &self.holder, now).await?);
        }
        if !others.is_empty() {
            let others: Vec<Outcome> = others.into_iter().cloned().collect();
            ours.extend(conn.settle_messages(&others, &self.holder, now).await?);
        }
        // What was given back waits, or was taken back by another: it is read again either way.
        let released = self.finished.iter().filter(|one| one.ended == Ended::Released).count();
        done.again |= released > 0;
        if ours.len() + released < all {
            tracing::warn!(count = all - ours.len(), "late finishers were fenced");
        }
        let (mut sent, mut answered, mut unused) = (HashMap::new(), HashMap::new(), Vec::new());
        for id in ours {
            let Some((_, one, decision)) = outcomes.get(&id) else { continue };
            let (due, account, chat) = (&one.due, one.due.user_id, one.due.chat_id);
            match decision {
                None => unused.push(due.through),
                Some(Decision::Sent) => {
                    let late_ms = millis(now.since(due.scheduled_time));
                    reports.push((account, chat, Report::Sent { message: id, late_ms }));
                    if due.stale {
                        sent.insert(due.through, (account, chat));
                    }
                    if tried.contains(&id) {
                        // It was held, and was taken now: the others follow.
                        let messages = conn.count_held_to_go(account, due.through, self.settings.grace, now).await?;
                        conn.wake_held(account, due.through, now).await?;
                        done.again = true;
                        reports.push((account, chat, Report::Mended { instance: due.through, messages }));
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
                    for (message, chat) in conn.hold_due_of(account, due.through, *reason, now).await? {
                        reports.push((account, chat, Report::Changed { message }));
                    }
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
                if error.is_answer() {
                    answered.insert(due.through, (account, chat));
                }
                tracing::info!(message.id = %id, attempt = one.attempt, error = %error, "not handed over");
            }
        }
        let closed: HashSet<InstanceId> = done.closed.iter().map(|one| one.0).collect();
        let (waits, free): (Vec<InstanceId>, Vec<InstanceId>) =
            unused.into_iter().partition(|through| self.settings.gap.is_zero() || closed.contains(through));
        conn.open_gates(&waits, false, now).await?;
        conn.open_gates(&free, true, now).await?;
        let through = |of: &HashMap<InstanceId, _>| of.keys().copied().collect::<Vec<InstanceId>>();
        let mut back = Vec::new();
        if !sent.is_empty() {
            back.extend(conn.note_sent(&through(&sent), now).await?);
        }
        if !answered.is_empty() {
            back.extend(conn.note_answered(&through(&answered)).await?);
        }
        for instance in back {
            let Some((account, chat)) = sent.get(&instance).or(answered.get(&instance)) else { continue };
            // What waits for a server that asks for patience waits longer.
            let messages = if closed.contains(&instance) {
                0
            } else {
                conn.count_due_through(*account, instance, self.settings.grace, now).await?
            };
            reports.push((*account, *chat, Report::Up { instance, messages }));
        }
        Ok(())
    }

    fn outcome(&self, one: &Finished) -> (Outcome, Option<Decision>) {
        let plain = |status: Status, reason: Option<Reason>| Outcome {
            id: one.due.id,
            attempt: one.attempt,
            status: status.as_str(),
            reason: reason.map(Reason::as_str),
            field: None,
            remote: None,
            through: None,
            sent_at: None,
            look_at: None,
            if_absent: None,
            tries: 0,
            word: Some(status.as_str()),
            tried_through: one.due.through,
            begun: one.begun.max(one.due.due_at),
        };
        let unknown = |if_absent: Absence| Outcome {
            look_at: Some(self.now.plus(self.settings.settle)),
            if_absent: Some(if_absent.as_str()),
            ..plain(Status::Unknown, Some(Reason::AnswerLost))
        };
        let answer = match &one.ended {
            Ended::Released => {
                return (Outcome { tries: -1, word: None, ..plain(Status::Scheduled, None) }, None);
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
            Decision::Again { reason, .. } => {
                Outcome { word: Some("again"), ..plain(Status::Scheduled, Some(*reason)) }
            }
            Decision::Held { reason, .. } => plain(Status::Held, Some(*reason)),
            Decision::Failed { reason } => Outcome {
                field: answer.as_ref().err().and_then(SendError::refused_field).cloned(),
                ..plain(Status::Failed, Some(*reason))
            },
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
    async fn put_aside(&self, conn: &mut Conn, done: &mut Done, reports: &mut Reports) -> Result<(), StorageError> {
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
            let which: Vec<(MessageId, Moment)> = list.iter().map(|one| (one.id, one.scheduled_time)).collect();
            let held = conn.set_aside(&which, Status::Held, Some(reason), now).await?;
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
            let which: Vec<(MessageId, Moment)> = list.iter().map(|one| (one.id, one.scheduled_time)).collect();
            let Some(chat) = list.first().map(|one| one.chat_id) else { continue };
            let aside = if policy == LatePolicy::Never {
                let dropped = conn.set_aside(&which, Status::Cancelled, None, now).await?;
                if !dropped.is_empty() {
                    reports.push((account, chat, Report::Dropped { messages: dropped.len() as u64 }));
                }
                dropped
            } else {
                let late = conn.set_aside(&which, Status::Late, None, now).await?;
                if !late.is_empty() {
                    reports.push((account, chat, Report::Late));
                }
                late
            };
            // Each card follows.
            let aside: HashSet<MessageId> = aside.into_iter().collect();
            for one in list.iter().filter(|one| aside.contains(&one.id)) {
                reports.push((account, one.chat_id, Report::Changed { message: one.id }));
            }
        }
        Ok(())
    }

    /// Claims what was picked and may go.
    async fn claim(&self, conn: &mut Conn, lease: Moment, done: &mut Done) -> Result<(), StorageError> {
        let taken = conn.take_due(&self.picked, self.until, self.now).await?;
        if matches!(conn, Conn::Postgres(_)) && taken.len() < self.picked.len() {
            let missing: Vec<MessageId> =
                self.picked.iter().copied().filter(|id| !taken.iter().any(|due| due.id == *id)).collect();
            done.elsewhere = conn.still_due(&missing, self.until).await?;
        }
        let mut through = HashSet::new();
        let mut gates = Vec::new();
        for mut due in taken {
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
                let next = self.now.max(due.due_at).plus(self.settings.gap.mul_f64(1.0 + rand::random::<f64>() / 4.0));
                gates.push((due.through, next));
                done.closed.push((due.through, next));
            }
            due.later = due.due_at > self.now;
            done.claimed.push(due);
        }
        if !done.claimed.is_empty() {
            let claimed: Vec<&Due> = done.claimed.iter().collect();
            for due in claimed.iter().filter(|due| due.due_at > self.now) {
                self.ahead.add((due.id, due.attempt + 1), due.user_id);
            }
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
/// a run that is over. Where there was no ledger, this store may have been brought from elsewhere.
pub(super) async fn adopt(
    conn: &mut Conn,
    ledger: &Ledger,
    stamp: &Stamp,
    holder: &str,
    settle: Duration,
    now: Moment,
) -> Result<Known, StorageError> {
    let is_new = ledger.is_new();
    conn.open_begun(holder, now).await?;
    if let Conn::Sqlite(_) = conn {
        // What was claimed ahead and did not come to leave goes on, unless it is so long ago that this store may be a copy.
        let mut left: Vec<Sending> = conn.list_sending().await?;
        settle_taken(conn, ledger, &left, now).await?;
        left.retain(|one| now.since(one.due_at) < DOUBT && ledger.never_left(one.id, one.created_at, one.attempt));
        let left: Vec<Attempted> = left.iter().map(|one| (one.id, one.attempt)).collect();
        conn.give_back(&left, now).await?;
        end_expired(conn, Moment(i64::MAX), settle, now).await?;
        conn.take_over_lookups(millis(settle), now).await?;
    }
    let (_, serving) = conn.lease_now(now).await?;
    let identity = conn.identity().await?;
    let is_moved = match (&identity, conn.find_meta("identity").await?) {
        (Some(is), Some(was)) => *is != was,
        // It was never served before, so what is overdue in it was another's.
        (Some(_), None) => true,
        (None, _) => false,
    };
    let is_replaced = match &serving {
        Some(is) => conn.find_meta(TIMELINE).await?.is_some_and(|was| was != is.timeline),
        None => false,
    };
    let is_older = match &identity {
        Some(identity) => stamp.is_newer_than(conn, identity).await?,
        None => false,
    };
    if is_older {
        tracing::warn!(
            "the database is older than what this process knew; overdue messages are looked for before they are sent"
        );
    }
    if is_new || is_moved || is_replaced || is_older {
        conn.set_meta(DOUBT_BEFORE, &now.0.to_string()).await?;
    }
    if let Some(identity) = identity {
        conn.set_meta("identity", &identity).await?;
    }
    if let Some(is) = &serving {
        conn.set_meta(TIMELINE, &is.timeline).await?;
    }
    let doubt_before = conn.find_meta(DOUBT_BEFORE).await?.and_then(|at| at.parse().ok()).map_or(Moment(0), Moment);
    Ok(Known { doubt_before, serving })
}

/// What a server took, and the run that died did not come to write, is written now.
async fn settle_taken(conn: &mut Conn, ledger: &Ledger, claims: &[Sending], now: Moment) -> Result<(), StorageError> {
    let by_attempt: HashMap<(MessageId, Moment, i64), &Sending> =
        claims.iter().map(|one| ((one.id, one.created_at, one.attempt), one)).collect();
    let found = ledger.find_taken(&by_attempt.keys().copied().collect()).unwrap_or_else(|error| {
        tracing::warn!(error = %error, "the ledger cannot be read; what it tells is looked for");
        Vec::new()
    });
    let mut reports = Reports::new();
    for (taken, at) in found {
        let Some(one) = by_attempt.get(&(taken.id, taken.created, taken.attempt)) else { continue };
        let (Some(through), Some(holder)) = (one.claimed_for, &one.lease_holder) else { continue };
        let outcome = Outcome {
            id: one.id,
            attempt: one.attempt,
            status: Status::Sent.as_str(),
            reason: None,
            field: None,
            remote: Some(taken.remote),
            through: Some(through),
            sent_at: Some(at),
            look_at: None,
            if_absent: None,
            tries: 0,
            word: Some(Status::Sent.as_str()),
            tried_through: through,
            begun: one.started_at.unwrap_or(one.due_at),
        };
        if !conn.settle_sent(&[&outcome], holder, at).await?.is_empty() {
            let late_ms = millis(at.since(one.scheduled_time));
            reports.push((one.user_id, one.chat_id, Report::Sent { message: one.id, late_ms }));
        }
    }
    conn.add_reports(&reports, now).await
}

/// Ends claims that ran out; each message is looked for.
pub(super) async fn end_expired(
    conn: &mut Conn,
    lease_now: Moment,
    settle: Duration,
    now: Moment,
) -> Result<Vec<MessageId>, StorageError> {
    let settle = millis(settle);
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
