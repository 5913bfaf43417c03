//! What missed its moment, and waits for the word of its account: all of it at once.

use std::time::Duration;

use chrono::{Days, TimeZone};

use super::messages::Messages;
use super::refusal::Refusal;
use crate::domain::account::Account;
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId};
use crate::domain::message::ScheduledMessage;
use crate::domain::report::Live;
use crate::domain::wall::Due;
use crate::storage::messages::LateOne;

/// The late messages of an account.
#[derive(Debug, Clone)]
pub struct Late {
    /// How many there are.
    pub count: usize,
    /// How many of them may have been sent already: the store may be an older copy.
    pub doubted: usize,
    /// Which they are, in which state: a key that was drawn for them carries it.
    pub which: i64,
    /// The oldest of them.
    pub first: Vec<ScheduledMessage>,
}

/// What becomes of all late ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// They go now.
    Send,
    /// They go tomorrow, at the same time of day.
    Tomorrow,
    /// They do not go.
    Drop,
}

/// How many of them are shown one by one.
pub const FIRST: i64 = 20;

/// For how long at most those that go now come due one after the other, so that what was to go first goes first.
const IN_TURN: Duration = Duration::from_secs(30);

impl Messages {
    /// The late ones.
    pub async fn late(&self, owner: AccountId) -> Result<Late, Refusal> {
        let mut conn = self.db.read().await?;
        let all = conn.list_all_late(owner).await?;
        let first = if all.is_empty() { Vec::new() } else { conn.list_late(owner, FIRST).await? };
        let doubted = all.iter().filter(|one| one.doubted).count();
        Ok(Late { count: all.len(), doubted, which: which(&all), first })
    }

    /// Does with all late ones what the card of a chat was answered; says with how many. Where others are late than those that
    /// it was drawn for, or in another state, it is refused as changed.
    pub async fn answer_late(
        &self,
        account: &Account,
        chat: ChatId,
        shown: i64,
        answer: Answer,
    ) -> Result<u64, Refusal> {
        let (owner, zone, now) = (account.id, account.zone, self.clock.now());
        let done = self
            .db
            .write(move |conn| {
                Box::pin(async move {
                    let all = conn.list_all_late(owner).await?;
                    if all.is_empty() || which(&all) != shown {
                        return Err(Refusal::Changed);
                    }
                    conn.forget_live_card(chat, Live::Late).await?;
                    let due: Vec<Due> = match answer {
                        Answer::Drop => Vec::new(),
                        Answer::Send => (0..all.len()).map(|before| in_turn(before, now).into()).collect(),
                        Answer::Tomorrow => all.iter().map(|one| tomorrow(now, one.scheduled_time, zone)).collect(),
                    };
                    let changed = if answer == Answer::Drop {
                        conn.drop_late(owner, &all, now).await?
                    } else {
                        let moved: Vec<(LateOne, Due)> = all.into_iter().zip(due).collect();
                        conn.reschedule_late(owner, &moved, zone.name(), now).await?
                    };
                    // Their own cards follow.
                    conn.add_changed(owner, &changed, now).await?;
                    Ok(changed.len() as u64)
                })
            })
            .await?;
        self.wake.notify_one();
        self.reported.notify_one();
        Ok(done)
    }

    /// The late card of a chat was answered: what is late next is said anew.
    pub async fn late_card_answered(&self, chat: ChatId) -> Result<(), Refusal> {
        self.db
            .write(move |conn| {
                Box::pin(async move { Ok::<_, Refusal>(conn.forget_live_card(chat, Live::Late).await?) })
            })
            .await
    }
}

/// Which messages these are, in which state.
fn which(all: &[LateOne]) -> i64 {
    all.iter().fold(0, |number: i64, one| {
        number.wrapping_mul(1_000_003).wrapping_add(one.id.0).wrapping_mul(1_000_003).wrapping_add(one.version)
    })
}

/// When one comes due that goes now, behind so many others.
fn in_turn(before: usize, now: Moment) -> Moment {
    now.plus(Duration::from_millis(before as u64).min(IN_TURN))
}

/// Tomorrow at the wall time it was meant for; in a gap of the clock, an hour later.
fn tomorrow(now: Moment, meant: Moment, zone: chrono_tz::Tz) -> Due {
    let day = now.in_zone(zone).date_naive() + Days::new(1);
    let wall = day.and_time(meant.in_zone(zone).time());
    let found = zone.from_local_datetime(&wall).earliest();
    let found = found.or_else(|| zone.from_local_datetime(&(wall + chrono::TimeDelta::hours(1))).earliest());
    let at = found.map_or(meant.plus(Duration::from_secs(86_400)), Into::into);
    Due::by_clocks(at, zone)
}
