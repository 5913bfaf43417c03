//! Series: create, change, skip, pause, resume, stop, and the making of their occurrences.

use std::time::Duration;

use chrono_tz::Tz;

use super::messages::Addressee;
use super::refusal::Refusal;
use super::zone_rules::Rules;
use crate::domain::account::Account;
use crate::domain::clock::{Clock, Moment};
use crate::domain::ids::{AccountId, ChatId, InstanceId, SeriesId, TelegramMessageId};
use crate::domain::message::{Body, ScheduledMessage, Status};
use crate::domain::series::{Rhythm, Series, SeriesStatus};
use crate::domain::wall::WallTime;
use crate::storage::series::{NewSeries, Occurrence, Progress};
use crate::storage::wake::Wake;
use crate::storage::{Conn, Database, StorageError};
use crate::when;

/// How long before an occurrence the one after it is made, at the latest.
const LEAD: Duration = Duration::from_secs(3600);
/// How many missed occurrences are made at most, after a long time without the program: the latest.
const MISSED: usize = 31;
/// How many occurrences are stepped over at most to catch up; then the series goes on from now.
const STEPS: usize = 10_000;
/// An occurrence that is made this long after its moment may have been made and sent by another copy of the store.
const DOUBT: Duration = Duration::from_secs(60);
/// How many series are looked after in one transaction.
const AT_ONCE: i64 = 50;
/// How many series a page of the list shows.
pub const PAGE: i64 = 6;

/// The series of all accounts.
#[derive(Debug, Clone)]
pub struct AllSeries {
    /// The store.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// Told when the next due moment may have changed.
    pub wake: Wake,
    /// How many waiting messages and series an account may have; 0: any number.
    pub quota: u64,
}

/// A series with its next occurrence, where that is made already.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The series.
    pub series: Series,
    /// Its next occurrence that waits.
    pub next: Option<ScheduledMessage>,
}

impl Shown {
    /// When it happens next.
    pub fn next_at(&self) -> Option<Moment> {
        self.next.as_ref().map(|one| one.scheduled_time).or(self.series.next_at)
    }

    /// Whether its rule has no more occurrences.
    pub fn is_over(&self) -> bool {
        self.series.status == SeriesStatus::Active && self.next_at().is_none()
    }
}

/// The next moments of a rhythm after `after`, with whether each goes later than its wall time, which does not exist
/// that day.
pub fn upcoming(rhythm: &Rhythm, zone: Tz, after: Moment, most: usize) -> Vec<(Moment, bool)> {
    let mut found = Vec::with_capacity(most);
    let mut cursor = after;
    while found.len() < most {
        let Some(next) = next_after(rhythm, zone, cursor) else { break };
        found.push(next);
        cursor = next.0;
    }
    found
}

fn next_after(rhythm: &Rhythm, zone: Tz, after: Moment) -> Option<(Moment, bool)> {
    next_occurrence(rhythm, zone, after).map(|next| (next.at, next.moved))
}

fn next_occurrence(rhythm: &Rhythm, zone: Tz, after: Moment) -> Option<Occurrence> {
    let next = when::next_after(&rhythm.rule, rhythm.starts_at, zone, after.in_zone(zone))?;
    let wall = rhythm.keeps_wall_time().then_some(WallTime { local: next.wall, zone });
    Some(Occurrence { at: next.at.into(), moved: next.moved, skipped: false, wall })
}

/// What is to be made of a series by `now`, and how far it has got then: a pure decision. An occurrence is made
/// [`LEAD`] before the one ahead of it, and the first at once, so that one at least is always there to be seen.
fn plan(series: &Series, is_new: bool, now: Moment) -> (Vec<Occurrence>, Progress) {
    let (rhythm, zone) = (&series.rhythm, series.zone);
    let mut make: Vec<Occurrence> = Vec::new();
    let mut cursor = series.made_to;
    let mut make_at = if is_new { now } else { cursor.minus(LEAD) };
    for _ in 0..STEPS {
        let Some(next) = next_occurrence(rhythm, zone, cursor) else {
            return (make, Progress { made_to: cursor, next_at: None, make_at: None });
        };
        if make_at > now {
            return (make, Progress { made_to: cursor, next_at: Some(next.at), make_at: Some(make_at) });
        }
        if make.len() == MISSED && make.iter().all(|one| one.at <= now) {
            make.remove(0);
        }
        make.push(next);
        cursor = next.at;
        make_at = next.at.minus(LEAD);
    }
    let next = next_after(rhythm, zone, now);
    (make, Progress { made_to: now, next_at: next.map(|one| one.0), make_at: next.map(|_| now) })
}

/// Makes what is to be made of a series, in the caller's transaction. Whether there was something.
async fn make(conn: &mut Conn, series: &Series, is_new: bool, now: Moment) -> Result<bool, StorageError> {
    let (made, progress) = plan(series, is_new, now);
    let instance = match series.instance.filter(|_| series.pinned) {
        Some(pinned) => Some(pinned),
        None => conn.find_active_instance(series.account).await?.map(|row| row.id),
    };
    for one in &made {
        conn.make_occurrence(series, instance, *one, now.minus(DOUBT), now).await?;
    }
    conn.set_series_progress(series.id, progress, now).await?;
    Ok(!made.is_empty())
}

/// How far apart rules of time zones put a wall time, as a rule; a country that changes sides of the date line is not foreseen.
const APART: Duration = Duration::from_secs(3 * 3600);

/// Up to where a series is made by other rules of time zones: the moment of the wall time of its last occurrence. Where
/// that is not noted, the nearest that its rule has.
async fn made_to_by(conn: &mut Conn, series: &Series, rules: &Rules) -> Result<Moment, StorageError> {
    let was = series.made_to;
    if !series.rhythm.keeps_wall_time() {
        return Ok(was);
    }
    if let Some(row) = conn.find_wall_of_origin(series.account, series.id, was).await? {
        let wall = WallTime::read(&row.wall_time, &row.time_zone);
        return Ok(wall.and_then(|wall| rules.anew(wall, was)).map_or(was, |anew| anew.0));
    }
    let mut nearest = None;
    let mut cursor = was.minus(APART);
    while let Some((at, _)) = next_after(&series.rhythm, series.zone, cursor).filter(|next| next.0 <= was.plus(APART)) {
        let distance = at.0.abs_diff(was.0);
        nearest = Some(nearest.map_or((distance, at), |least: (u64, Moment)| least.min((distance, at))));
        cursor = at;
    }
    Ok(nearest.map_or(was, |least| least.1))
}

/// The series of an account that stand elsewhere by other rules of time zones: those that have another next moment.
pub(super) async fn out_of_step(conn: &mut Conn, owner: AccountId, rules: &Rules) -> Result<Vec<Series>, StorageError> {
    let mut found = Vec::new();
    for series in conn.list_active_series(owner).await? {
        let made_to = made_to_by(conn, &series, rules).await?;
        let next_at = next_after(&series.rhythm, series.zone, made_to).map(|next| next.0);
        if made_to != series.made_to || next_at != series.next_at {
            found.push(Series { made_to, ..series });
        }
    }
    Ok(found)
}

/// Lets series go on from where they stand now, in the caller's transaction.
pub(super) async fn step_again(conn: &mut Conn, stepped: &[Series], now: Moment) -> Result<(), StorageError> {
    for series in stepped {
        make(conn, series, false, now).await?;
    }
    Ok(())
}

/// With what a change begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// With the next occurrence.
    Next,
    /// With the next, or with the one after it where that is being sent already.
    Following,
}

impl AllSeries {
    /// Starts one series for each addressee. `origin` makes it idempotent.
    pub async fn start(
        &self,
        account: &Account,
        chat: ChatId,
        to: &[Addressee],
        body: &Body,
        rhythm: &Rhythm,
        origin: &str,
    ) -> Result<Vec<SeriesId>, Refusal> {
        let (owner, now, quota) = (account.id, self.clock.now(), self.quota);
        let new: Vec<NewSeries> = to
            .iter()
            .enumerate()
            .map(|(n, to)| NewSeries {
                instance: None,
                recipient: to.recipient.clone(),
                recipient_name: to.name.clone(),
                body: body.as_str().to_owned(),
                rhythm: rhythm.clone(),
                zone: account.zone,
                chat,
                origin: format!("{origin}:{n}"),
            })
            .collect();
        let ids = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    let waiting = conn.count_waiting(owner).await?;
                    let all = waiting.unsigned_abs() + conn.count_series(owner).await?.unsigned_abs();
                    if quota > 0 && all + new.len() as u64 > quota {
                        return Err(Refusal::TooMany { limit: quota });
                    }
                    let active = conn.find_active_instance(owner).await?.map(|row| row.id);
                    let mut ids = Vec::with_capacity(new.len());
                    for mut series in new {
                        series.instance = active;
                        let series = conn.add_series(owner, &series, now).await?;
                        ids.push(series.id);
                        // The same said again finds what was made the first time.
                        if series.made_to == now && series.next_at.is_none() {
                            make(conn, &series, true, now).await?;
                        }
                    }
                    Ok(ids)
                })
            })
            .await?;
        self.wake.notify_one();
        Ok(ids)
    }

    /// One series of an account, with what comes next.
    pub async fn find(&self, owner: AccountId, id: SeriesId) -> Result<Shown, Refusal> {
        let now = self.clock.now();
        let mut conn = self.db.read().await?;
        let series = conn.find_series(owner, id).await?.ok_or(Refusal::NotFound)?;
        Ok(Shown { next: conn.find_occurrence(owner, id, now).await?.map(|next| next.at(now)), series })
    }

    /// A page of an account's series, with how many there are.
    pub async fn page(&self, owner: AccountId, page: i64) -> Result<(Vec<Shown>, i64), Refusal> {
        let now = self.clock.now();
        let mut conn = self.db.read().await?;
        let count = conn.count_series(owner).await?;
        let mut shown = Vec::new();
        for series in conn.list_series(owner, page.clamp(0, 100_000) * PAGE, PAGE).await? {
            let next = conn.find_occurrence(owner, series.id, now).await?.map(|next| next.at(now));
            shown.push(Shown { series, next });
        }
        Ok((shown, count))
    }

    /// How many series an account has.
    pub async fn count(&self, owner: AccountId) -> Result<i64, Refusal> {
        Ok(self.db.read().await?.count_series(owner).await?)
    }

    /// The series whose card a Telegram message is; it says nothing about whose it is.
    pub async fn of_card(&self, chat: ChatId, shown: TelegramMessageId) -> Result<Option<SeriesId>, Refusal> {
        Ok(self.db.read().await?.find_card_series(chat, shown).await?)
    }

    /// Changes a series that is open and, where given, still as the button knew it; its next occurrence is meant too, and
    /// where that is being sent already the change is refused.
    async fn change<F>(&self, owner: AccountId, id: SeriesId, version: Option<i64>, work: F) -> Result<Shown, Refusal>
    where
        F: for<'c> FnOnce(&'c mut Conn, Series, Moment) -> futures::future::BoxFuture<'c, Result<(), StorageError>>
            + Send
            + 'static,
    {
        self.change_since(Since::Next, owner, id, version, work).await.map(|done| done.0)
    }

    /// Changes a series that is open and, where given, still as the button knew it. Whether an occurrence that is being sent
    /// already goes all the same.
    async fn change_since<F>(
        &self,
        since: Since,
        owner: AccountId,
        id: SeriesId,
        version: Option<i64>,
        work: F,
    ) -> Result<(Shown, bool), Refusal>
    where
        F: for<'c> FnOnce(&'c mut Conn, Series, Moment) -> futures::future::BoxFuture<'c, Result<(), StorageError>>
            + Send
            + 'static,
    {
        let (now, ahead) = (self.clock.now(), self.wake.ahead.clone());
        let goes = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    conn.recall(&ahead, owner, now).await?;
                    let series = conn.lock_series(owner, id).await?.ok_or(Refusal::NotFound)?;
                    let is_current = version.is_none_or(|version| version == series.version);
                    if series.status == SeriesStatus::Stopped || !is_current {
                        return Err(Refusal::Changed);
                    }
                    work(conn, series, now).await?;
                    // Claimed by another replica, or begun this very moment: it cannot be taken back, so nothing is said to be.
                    let next = conn.find_occurrence(owner, id, now).await?;
                    match (next.is_some_and(|next| next.status == Status::Sending), since) {
                        (true, Since::Next) => Err(Refusal::BeingSent),
                        (goes, _) => Ok(goes),
                    }
                })
            })
            .await?;
        self.wake.notify_one();
        Ok((self.find(owner, id).await?, goes))
    }

    /// Skips the next occurrence; returns when it would have been.
    pub async fn skip(&self, owner: AccountId, id: SeriesId, version: i64) -> Result<(Shown, Moment), Refusal> {
        let before = self.find(owner, id).await?;
        let skipped = before.next_at().ok_or(Refusal::Changed)?;
        let after = self
            .change(owner, id, Some(version), move |conn, series, now| {
                Box::pin(async move {
                    // Not made yet: it is made as a skipped one.
                    let made = conn.find_occurrence(owner, id, now).await?;
                    if let Some(one) = made {
                        conn.cancel_message(owner, one.id, now).await?;
                    } else {
                        let next = next_occurrence(&series.rhythm, series.zone, series.made_to.max(now));
                        let Some(next) = next else { return Ok(()) };
                        let one = Occurrence { skipped: true, ..next };
                        conn.make_occurrence(&series, series.instance, one, Moment::default(), now).await?;
                        let after = next_after(&series.rhythm, series.zone, next.at).map(|next| next.0);
                        let make_at = after.map(|_| next.at.minus(LEAD).max(now));
                        conn.set_series_progress(id, Progress { made_to: next.at, next_at: after, make_at }, now)
                            .await?;
                    }
                    conn.set_series_status(owner, id, series.status, now).await
                })
            })
            .await?;
        Ok((after, skipped))
    }

    /// Pauses a series: nothing of it leaves any more, other than what is being sent already; whether something is.
    pub async fn pause(&self, owner: AccountId, id: SeriesId, version: i64) -> Result<(Shown, bool), Refusal> {
        self.change_since(Since::Following, owner, id, Some(version), move |conn, _, now| {
            Box::pin(async move {
                conn.set_series_status(owner, id, SeriesStatus::Paused, now).await?;
                conn.withdraw_occurrences(owner, id, Moment::default(), now).await.map(drop)
            })
        })
        .await
    }

    /// Goes on with a paused series, from now on: what was missed meanwhile stays so.
    pub async fn resume(&self, owner: AccountId, id: SeriesId, version: i64) -> Result<Shown, Refusal> {
        self.change(owner, id, Some(version), move |conn, series, now| {
            Box::pin(async move {
                if series.status != SeriesStatus::Paused {
                    return Ok(());
                }
                conn.set_series_status(owner, id, SeriesStatus::Active, now).await?;
                let series = Series { made_to: now, status: SeriesStatus::Active, ..series };
                make(conn, &series, true, now).await.map(drop)
            })
        })
        .await
    }

    /// Stops a series for good, as it is paused.
    pub async fn stop(&self, owner: AccountId, id: SeriesId, version: Option<i64>) -> Result<(Shown, bool), Refusal> {
        self.change_since(Since::Following, owner, id, version, move |conn, _, now| {
            Box::pin(async move {
                conn.set_series_status(owner, id, SeriesStatus::Stopped, now).await?;
                conn.withdraw_occurrences(owner, id, Moment::default(), now).await.map(drop)
            })
        })
        .await
    }

    /// Gives a series another rhythm: what is to come follows it, what is due already goes on.
    pub async fn reschedule(&self, account: &Account, id: SeriesId, rhythm: Rhythm) -> Result<Shown, Refusal> {
        let (owner, zone) = (account.id, account.zone);
        self.change(owner, id, None, move |conn, series, now| {
            Box::pin(async move {
                conn.set_series_rhythm(owner, id, &rhythm, zone, now).await?;
                conn.withdraw_occurrences(owner, id, now, now).await?;
                let series = Series { rhythm, zone, made_to: now, ..series };
                if series.status == SeriesStatus::Paused {
                    let next_at = next_after(&series.rhythm, zone, now).map(|next| next.0);
                    return conn.set_series_progress(id, Progress { made_to: now, next_at, make_at: None }, now).await;
                }
                make(conn, &series, true, now).await.map(drop)
            })
        })
        .await
    }

    /// Gives a series another text or recipient.
    pub async fn rewrite(&self, owner: AccountId, id: SeriesId, to: Addressee, body: Body) -> Result<Shown, Refusal> {
        self.change(owner, id, None, move |conn, series, now| {
            Box::pin(async move {
                let body = body.as_str().to_owned();
                let series = Series { recipient: to.recipient, recipient_name: to.name, body, ..series };
                conn.rewrite_series(&series, now).await
            })
        })
        .await
    }

    /// Pins a series to an instance, or unpins it.
    pub async fn pin(
        &self,
        owner: AccountId,
        id: SeriesId,
        to: Option<InstanceId>,
        version: i64,
    ) -> Result<Shown, Refusal> {
        if let Some(instance) = to
            && self.db.read().await?.find_instance(owner, instance).await?.is_none()
        {
            return Err(Refusal::NotFound);
        }
        self.change(owner, id, Some(version), move |conn, series, now| {
            Box::pin(async move {
                let series = Series { pinned: to.is_some(), instance: to.or(series.instance), ..series };
                conn.rewrite_series(&series, now).await
            })
        })
        .await
    }

    /// Makes what is to be made by now; returns when there is more to make. For the scheduler.
    pub async fn make_due(&self) -> Result<Option<Moment>, StorageError> {
        loop {
            let now = self.clock.now();
            let (taken, made): (usize, bool) = self
                .db
                .write(move |conn| {
                    Box::pin(async move {
                        let taken = conn.take_series_to_make(now, AT_ONCE).await?;
                        let mut made = false;
                        for series in &taken {
                            made |= make(conn, series, false, now).await?;
                        }
                        Ok::<_, StorageError>((taken.len(), made))
                    })
                })
                .await?;
            if made {
                self.wake.notify_one();
            }
            if taken == 0 {
                return self.db.read().await?.next_series_make().await;
            }
        }
    }
}
