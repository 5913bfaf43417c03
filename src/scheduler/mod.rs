//! The shared scheduler: claim → deliver → settle. It writes reports; telling the chat is not its business.

pub mod decision;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::decision::{Decision, decide};
use crate::domain::account::LatePolicy;
use crate::domain::clock::{Clock, Moment};
use crate::domain::ids::InstanceId;
use crate::domain::instance::{ApiKey, Connection, InstanceName, ServerUrl};
use crate::domain::message::{Reason, Status};
use crate::domain::report::Report;
use crate::domain::retry::RetryPolicy;
use crate::evolution::error::SendError;
use crate::evolution::{Evolution, Sent};
use crate::services::instances::key_context;
use crate::services::secrets::Keyring;
use crate::storage::queue::{Due, HeldInstance};
use crate::storage::{Conn, Database, StorageError};

/// The times and limits of sending (PRODUCT.md section 12).
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Lateness up to which a message goes by itself.
    pub grace: Duration,
    /// How long a claim holds without being renewed.
    pub lease: Duration,
    /// Between two messages of one number; 0: none.
    pub gap: Duration,
    /// Per number; 0: no cap.
    pub per_hour: i64,
    /// Per number; 0: no cap.
    pub per_day: i64,
    /// When to try again.
    pub retry: RetryPolicy,
    /// Requests at once.
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
    /// Told when the next due moment may have changed.
    pub wake: Arc<Notify>,
    /// Tells that reports were written.
    pub reported: Arc<Notify>,
    /// Names this run in leases.
    pub holder: String,
    /// Cancelled when the program is to stop.
    pub shutdown: CancellationToken,
}

/// An attempt that is over.
#[derive(Clone)]
struct Finished {
    due: Due,
    attempt: i64,
    outcome: Result<Sent, SendError>,
}

/// More late than this is never sent by itself.
const TOO_LATE: Duration = Duration::from_secs(24 * 3600);
/// How often instances with held messages are looked at.
const RECHECK: Duration = Duration::from_secs(60);
/// The net below the wake-ups: for what was missed.
const NET: Duration = Duration::from_secs(30);
/// How many due messages one round looks at.
const ROUND: usize = 500;
/// How many of an account, when more are due than a round looks at.
const ROUND_EACH: i64 = 32;
/// Longer than any request takes: a claim this old has lost its answer.
const LOST: Duration = Duration::from_secs(180);
/// What one round claimed, and when the next message comes due.
type Round = (Vec<(Due, i64)>, Option<Moment>);
/// Requests in flight by server.
type Busy = HashMap<String, usize>;

impl Scheduler {
    /// Runs until the program is to stop; what is in flight is waited for.
    pub async fn run(self) {
        let (tell, mut told) = mpsc::channel::<Finished>(1024);
        let (slots, tasks) = (Arc::new(Semaphore::new(self.settings.in_flight)), TaskTracker::new());
        tasks.spawn(Self::heartbeat(self.clone()));
        tasks.spawn(Self::recheck(self.clone()));
        let (mut finished, mut busy) = (Vec::new(), Busy::new());
        while !self.shutdown.is_cancelled() {
            // Interest is registered before looking, so that no wake-up falls between.
            let woken = self.wake.notified();
            while let Ok(one) = told.try_recv() {
                finished.push(one);
            }
            let free = slots.available_permits();
            // Outcomes are kept until they are written down; writing one twice is fenced.
            let next = match self.round(finished.clone(), free, busy.clone()).await {
                Ok((claimed, next)) => {
                    for one in finished.drain(..) {
                        release(&mut busy, &one.due);
                    }
                    for (due, attempt) in claimed {
                        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                        let (this, tell) = (self.clone(), tell.clone());
                        let claimed_at = self.clock.now();
                        *busy.entry(due.api_url.clone().unwrap_or_default()).or_default() += 1;
                        tasks.spawn(async move {
                            let outcome = this.deliver(&due, claimed_at).await;
                            drop(slot);
                            // The receiver lives until every sender is gone.
                            let _ = tell.send(Finished { due, attempt, outcome }).await;
                        });
                    }
                    next
                }
                Err(error) => {
                    tracing::error!(error = %error, "a round of the scheduler failed; nothing is sent that could not be written down");
                    Some(self.clock.now().plus(Duration::from_secs(2)))
                }
            };
            let net = self.clock.now().plus(NET);
            tokio::select! {
                () = woken => {}
                one = told.recv() => finished.extend(one),
                () = self.clock.sleep_until(next.unwrap_or(net).min(net)), if slots.available_permits() > 0 => {}
                () = self.shutdown.cancelled() => {}
            }
        }
        drop(tell);
        tasks.close();
        // Requests in flight end, or their leases cover them at the next start.
        let rest = async {
            while let Some(one) = told.recv().await {
                finished.push(one);
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(20), rest).await;
        for _ in 0..3 {
            match self.round(finished.clone(), 0, Busy::new()).await {
                Ok(_) => return,
                Err(error) => tracing::error!(error = %error, "the last outcomes could not be written"),
            }
        }
    }

    /// One transaction: results in, expired claims ended, the next claims out. Returns them and the next due moment.
    pub async fn round_once(&self) -> Result<usize, StorageError> {
        let (claimed, _) = self.round(Vec::new(), self.settings.in_flight, Busy::new()).await?;
        let count = claimed.len();
        let mut finished = Vec::with_capacity(count);
        for (due, attempt) in claimed {
            let outcome = self.deliver(&due, self.clock.now()).await;
            finished.push(Finished { due, attempt, outcome });
        }
        self.round(finished, 0, Busy::new()).await?;
        Ok(count)
    }

    async fn round(&self, finished: Vec<Finished>, free: usize, busy: Busy) -> Result<Round, StorageError> {
        let (settings, holder, now) = (self.settings, self.holder.clone(), self.clock.now());
        let ended = !finished.is_empty();
        let (claimed, next, reported) = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    let mut reported = ended;
                    for one in finished {
                        settle(conn, &settings, &holder, one, now).await?;
                    }
                    for expired in conn.list_expired(now).await? {
                        if conn.end_expired(&expired, now).await? && expired.started_at.is_some() {
                            conn.add_report(
                                expired.user_id,
                                expired.chat_id,
                                &Report::Unknown { message: expired.id },
                                now,
                            )
                            .await?;
                            reported = true;
                        }
                    }
                    let mut claimed = Vec::new();
                    if free > 0 {
                        reported |= claim(conn, &settings, &holder, (free, busy), now, &mut claimed).await?;
                    }
                    let next = conn.next_due(now).await?;
                    Ok::<_, StorageError>((claimed, next, reported))
                })
            })
            .await?;
        if reported {
            self.reported.notify_one();
        }
        Ok((claimed, next))
    }

    /// One attempt.
    async fn deliver(&self, due: &Due, claimed_at: Moment) -> Result<Sent, SendError> {
        // A program that was stopped in between may not own the claim any more: nothing leaves then.
        if self.clock.now().since(claimed_at) > self.settings.lease / 3 * 2 {
            return Err(SendError::Call(crate::evolution::error::CallError::Connect));
        }
        let Some((server, name, key)) = self.open(due) else {
            return Err(SendError::Call(crate::evolution::error::CallError::Policy));
        };
        tracing::debug!(message.id = %due.id, "handing over");
        self.evolution.send_text(&server, &key, &name, &due.recipient, &due.message).await
    }

    fn open(&self, due: &Due) -> Option<(ServerUrl, InstanceName, ApiKey)> {
        let (url, name, key) = (due.api_url.as_deref()?, due.instance_name.as_deref()?, due.api_key.as_deref()?);
        let key = self.keyring.open(&key_context(due.user_id, url, name), key).ok()?;
        Some((
            ServerUrl::parse(url).ok()?,
            InstanceName::parse(name).ok()?,
            ApiKey::parse(&String::from_utf8(key).ok()?).ok()?,
        ))
    }

    /// Renews the leases while requests run.
    async fn heartbeat(self) {
        let third = self.settings.lease / 3;
        loop {
            tokio::select! {
                () = self.clock.sleep(third) => {}
                () = self.shutdown.cancelled() => return,
            }
            let (holder, now) = (self.holder.clone(), self.clock.now());
            let (until, since) = (now.plus(self.settings.lease), now.minus(LOST));
            let renewed: Result<(), StorageError> = self
                .db
                .write(move |conn| Box::pin(async move { conn.extend_leases(&holder, until, since).await }))
                .await;
            if let Err(error) = renewed {
                tracing::warn!(error = %error, "leases could not be renewed");
            }
        }
    }

    /// Looks again at instances with held messages; those that are open again let theirs go.
    async fn recheck(self) {
        loop {
            tokio::select! {
                () = self.clock.sleep(RECHECK) => {}
                () = self.shutdown.cancelled() => return,
            }
            if let Err(error) = self.recheck_once().await {
                tracing::warn!(error = %error, "held instances could not be looked at");
            }
        }
    }

    /// One look at every instance with held messages.
    pub async fn recheck_once(&self) -> Result<(), StorageError> {
        for held in self.db.read().await?.list_held_instances().await? {
            let Some((server, name, key)) = self.open_held(&held) else { continue };
            if self.evolution.connection_state(&server, &key, &name).await != Ok(Connection::Open) {
                continue;
            }
            let now = self.clock.now();
            let woken: Result<(), StorageError> = self
                .db
                .write(move |conn| {
                    Box::pin(async move {
                        let messages = conn.wake_held(held.user_id, held.id, now).await?;
                        conn.note_connection(held.id, Connection::Open.as_str(), now).await?;
                        if messages > 0
                            && let Some(chat) = conn.find_chat_of(held.user_id).await?
                        {
                            conn.add_report(held.user_id, chat, &Report::Mended { instance: held.id, messages }, now)
                                .await?;
                        }
                        Ok(())
                    })
                })
                .await;
            woken?;
            self.wake.notify_one();
            self.reported.notify_one();
        }
        Ok(())
    }

    fn open_held(&self, held: &HeldInstance) -> Option<(ServerUrl, InstanceName, ApiKey)> {
        let key =
            self.keyring.open(&key_context(held.user_id, &held.api_url, &held.instance_name), &held.api_key).ok()?;
        Some((
            ServerUrl::parse(&held.api_url).ok()?,
            InstanceName::parse(&held.instance_name).ok()?,
            ApiKey::parse(&String::from_utf8(key).ok()?).ok()?,
        ))
    }
}

/// Claims what may go now; the rest of what is due is postponed, held or late. Returns whether reports were written.
fn claim<'c>(
    conn: &'c mut Conn,
    settings: &'c Settings,
    holder: &'c str,
    (free, mut busy): (usize, Busy),
    now: Moment,
    claimed: &'c mut Vec<(Due, i64)>,
) -> BoxFuture<'c, Result<bool, StorageError>> {
    Box::pin(async move {
        let mut reported = false;
        let mut slots: HashMap<InstanceId, Moment> = HashMap::new();
        let mut late = Vec::new();
        let mut due = conn.list_due(now, i64::try_from(ROUND).unwrap_or(i64::MAX)).await?;
        if due.len() == ROUND {
            due = conn.list_due_by_account(now, ROUND_EACH).await?;
        }
        // Accounts in turn: the n-th of each before the (n+1)-th of any.
        let mut turn: HashMap<_, u32> = HashMap::new();
        let mut ranks = HashMap::new();
        for one in &due {
            let n = turn.entry(one.user_id).or_default();
            ranks.insert(one.id, *n);
            *n += 1;
        }
        due.sort_by_key(|one| (ranks.get(&one.id).copied().unwrap_or(0), one.due_at, one.id));
        for one in due {
            let lateness = now.since(one.scheduled_time);
            if lateness > settings.grace && (lateness > TOO_LATE || one.late_policy != LatePolicy::Always) {
                let status = if one.late_policy == LatePolicy::Never { Status::Cancelled } else { Status::Late };
                conn.set_aside(one.id, status, None, now).await?;
                if status == Status::Late && !late.contains(&one.user_id) {
                    late.push(one.user_id);
                    conn.add_report(one.user_id, one.chat_id, &Report::Late, now).await?;
                    reported = true;
                }
                continue;
            }
            let Some(through) = one.through else {
                let reason = if one.pinned { Reason::InstanceMissing } else { Reason::NoActiveInstance };
                reported |= hold(conn, &one, reason, now).await?;
                continue;
            };
            let slot = slots.get(&through).copied().or(one.next_send_at).unwrap_or(now);
            if slot > now {
                conn.postpone_message(one.id, slot).await?;
                slots.insert(through, slot.plus(settings.gap));
                continue;
            }
            if over_cap(conn, settings, through, now).await? {
                conn.postpone_message(one.id, now.plus(Duration::from_secs(60))).await?;
                continue;
            }
            // A server may have no more requests in flight than there are slots left, so that one that hangs leaves room.
            let at_server = busy.entry(one.api_url.clone().unwrap_or_default()).or_default();
            if *at_server >= free.saturating_sub(claimed.len()) {
                continue;
            }
            if let Some(attempt) = conn.claim_message(&one, holder, now.plus(settings.lease), now).await? {
                *at_server += 1;
                if !settings.gap.is_zero() {
                    let next = now.plus(settings.gap.mul_f64(1.0 + rand::random::<f64>() / 4.0));
                    slots.insert(through, next);
                    conn.note_sending(through, next).await?;
                }
                claimed.push((one, attempt));
            }
        }
        Ok(reported)
    })
}

fn release(busy: &mut Busy, due: &Due) {
    if let Some(count) = busy.get_mut(due.api_url.as_deref().unwrap_or_default()) {
        *count = count.saturating_sub(1);
    }
}

async fn over_cap(
    conn: &mut Conn,
    settings: &Settings,
    through: InstanceId,
    now: Moment,
) -> Result<bool, StorageError> {
    for (cap, window) in [(settings.per_hour, 3600), (settings.per_day, 86_400)] {
        if cap > 0 && conn.count_attempts(through, now.minus(Duration::from_secs(window))).await? >= cap {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Holds a due message; the chat is told once for each cause.
async fn hold(conn: &mut Conn, due: &Due, reason: Reason, now: Moment) -> Result<bool, StorageError> {
    let told = conn.holds_for(due.user_id, reason, due.id).await?;
    conn.set_aside(due.id, Status::Held, Some(reason), now).await?;
    if !told {
        conn.add_report(due.user_id, due.chat_id, &Report::Held { reason, message: due.id }, now).await?;
    }
    Ok(!told)
}

/// Writes the outcome of an attempt with its report.
async fn settle(
    conn: &mut Conn,
    settings: &Settings,
    holder: &str,
    one: Finished,
    now: Moment,
) -> Result<(), StorageError> {
    let Finished { due, attempt, outcome } = one;
    let tries = u32::try_from(due.tries + 1).unwrap_or(u32::MAX);
    let decision = decide(&outcome, tries, settings.retry, rand::random::<f64>(), now);
    let (status, reason, again, report) = match &decision {
        Decision::Sent => {
            let late_ms = i64::try_from(now.since(due.scheduled_time).as_millis()).unwrap_or(i64::MAX);
            (Status::Sent, None, None, Some(Report::Sent { message: due.id, late_ms }))
        }
        Decision::Again { at, reason } => (Status::Scheduled, Some(*reason), Some(*at), None),
        Decision::Held { reason, .. } => {
            let told = conn.holds_for(due.user_id, *reason, due.id).await?;
            let report = (!told).then_some(Report::Held { reason: *reason, message: due.id });
            (Status::Held, Some(*reason), None, report)
        }
        Decision::Failed { reason } => (Status::Failed, Some(*reason), None, Some(Report::Failed { message: due.id })),
        Decision::Unknown => {
            (Status::Unknown, Some(Reason::AnswerLost), None, Some(Report::Unknown { message: due.id }))
        }
    };
    let remote = outcome.as_ref().ok().zip(due.through).map(|(sent, through)| (sent.remote_id.as_str(), through));
    if !conn.settle_message(due.id, attempt, holder, status, reason, again, remote, now).await? {
        tracing::warn!(message.id = %due.id, attempt, "a late finisher was fenced");
        return Ok(());
    }
    if let Some(report) = report {
        conn.add_report(due.user_id, due.chat_id, &report, now).await?;
    }
    match (&decision, due.through) {
        (Decision::Sent, Some(through)) => conn.note_sent(through, now).await?,
        (Decision::Held { reason, connection }, Some(through)) => {
            conn.note_connection(through, connection.as_str(), now).await?;
            conn.hold_due_of(due.user_id, through, *reason, now).await?;
        }
        _ => {}
    }
    if let Err(error) = &outcome {
        tracing::info!(message.id = %due.id, attempt, outcome = status.as_str(), error = %error, "not handed over");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
