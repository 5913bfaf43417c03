//! When a program with other rules of time zones starts: what waits for a wall time gets its moment anew, and its chat is
//! told.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;

use super::series;
use crate::domain::clock::{Clock, Moment};
use crate::domain::ids::{AccountId, ChatId};
use crate::domain::report::{MovedMessage, Report};
use crate::domain::wall::WallTime;
use crate::storage::walls::{Move, WallRow};
use crate::storage::{Conn, Database, StorageError};
use crate::when;

/// Under which name the store notes the rules by which its moments were reckoned.
pub const NOTED: &str = "zone_rules";
/// How many accounts are looked up at once.
const AT_ONCE: i64 = 200;
/// How many messages a report names.
pub const NAMED: usize = 10;
/// How far back the occurrences of a series count that were skipped.
const BACK: Duration = Duration::from_secs(2 * 24 * 3600);
/// Until the next try when the store failed.
const AGAIN: Duration = Duration::from_secs(30);

/// Rules of time zones. A program has those it was built with; tests bring others.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Which release of the zone database they are, such as `2025b`.
    pub version: String,
    /// What the clocks of a zone show at a moment.
    pub wall_at: fn(Moment, Tz) -> WallTime,
    /// The moment of a wall time, and whether that had to go forward over a gap. Of two it is the first.
    pub moment_of: fn(WallTime) -> Option<(Moment, bool)>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            version: chrono_tz::IANA_TZDB_VERSION.to_owned(),
            wall_at: WallTime::at,
            moment_of: |wall| when::settle(wall.local, wall.zone).map(|(at, moved)| (at.into(), moved)),
        }
    }
}

impl Rules {
    /// The moment of a wall time in place of the one that was reckoned for it. Nothing where clocks show the wall time at
    /// that moment still; so the second of two stays what it is.
    pub fn anew(&self, wall: WallTime, at: Moment) -> Option<(Moment, bool)> {
        if (self.wall_at)(at, wall.zone) == wall {
            return None;
        }
        (self.moment_of)(wall).filter(|(to, _)| to.0.div_euclid(1000) != at.0.div_euclid(1000))
    }

    fn of_row(&self, row: &WallRow, waits: bool) -> Option<Move> {
        // A zone that the new rules do not know any more: what was reckoned stays.
        let wall = WallTime::read(&row.wall_time, &row.time_zone)?;
        let (to, moved) = self.anew(wall, row.scheduled_time)?;
        let (message, chat, series, from) = (row.id, row.chat_id, row.series_id, row.scheduled_time);
        Some(Move { message, chat, series, from, to, moved, waits })
    }
}

/// Brings what waits to the rules of this program.
#[derive(Debug, Clone)]
pub struct ZoneRules {
    /// The store.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// The rules.
    pub rules: Rules,
}

impl ZoneRules {
    /// Tries until it is done, or the program is to stop.
    pub async fn follow_soon(&self, shutdown: &CancellationToken) {
        while let Err(error) = self.follow().await {
            tracing::warn!(error = %error, "what waits could not be brought to the present rules of time zones yet");
            tokio::select! {
                () = self.clock.sleep(AGAIN) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Where the store was reckoned by older rules: moves what they put elsewhere, account by account, each with its
    /// reports in one transaction, and notes the rules at the end. What was moved is where it belongs, so that another
    /// replica at the same time, or another try, moves and tells nothing twice. How many messages moved.
    ///
    /// An older program than the last one moves nothing, as its rules know less; it is noted, so that the next newer one
    /// looks again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn follow(&self) -> Result<usize, StorageError> {
        let noted = self.db.read().await?.find_meta(NOTED).await?;
        let version = self.rules.version.clone();
        if noted.as_deref() == Some(&version) {
            return Ok(0);
        }
        let mut count = 0;
        // A release is a year and a letter.
        if noted.as_ref().is_none_or(|noted| *noted < version) {
            let mut last = AccountId(0);
            loop {
                let accounts = self.db.read().await?.list_account_ids(last, AT_ONCE).await?;
                let Some(end) = accounts.last() else { break };
                last = *end;
                for account in accounts {
                    count += self.follow_account(account).await?;
                }
            }
            tracing::info!(noted, version, count, "what waits follows the rules of time zones of this program");
        }
        self.db.write(move |conn| Box::pin(async move { conn.set_meta(NOTED, &version).await })).await.map(|()| count)
    }

    async fn follow_account(&self, owner: AccountId) -> Result<usize, StorageError> {
        let now = self.clock.now();
        // Most accounts have nothing to move: they are only looked at.
        let mut conn = self.db.read().await?;
        let idle = self.moves(&mut conn, owner, now).await?.is_empty()
            && series::out_of_step(&mut conn, owner, &self.rules).await?.is_empty();
        drop(conn);
        if idle {
            return Ok(0);
        }
        let service = self.clone();
        self.db.write(move |conn| Box::pin(async move { service.settle(conn, owner, now).await })).await
    }

    /// Moves what is to be moved of an account, in the caller's transaction.
    async fn settle(&self, conn: &mut Conn, owner: AccountId, now: Moment) -> Result<usize, StorageError> {
        for series in conn.list_active_series(owner).await? {
            conn.lock_series(owner, series.id).await?;
        }
        // Before the occurrences move, by which they are found.
        let stepped = series::out_of_step(conn, owner, &self.rules).await?;
        let mut told: BTreeMap<ChatId, Vec<Move>> = BTreeMap::new();
        for one in self.moves(conn, owner, now).await? {
            if conn.move_wall(owner, &one, now).await? && one.waits {
                told.entry(one.chat).or_default().push(one);
            }
        }
        series::step_again(conn, &stepped, now).await?;
        let mut count = 0;
        for (chat, mut moves) in told {
            count += moves.len();
            moves.sort_by_key(|one| (one.to, one.message));
            let named = |one: &Move| MovedMessage { message: one.message, from: one.from, to: one.to };
            let first = moves.iter().take(NAMED).map(named).collect();
            let report = Report::RulesChanged { messages: moves.len() as u64, first };
            conn.add_report(owner, chat, &report, now).await?;
        }
        Ok(count)
    }

    /// What is to be moved of an account: what goes later from the last on, then what goes earlier from the first on, so
    /// that no occurrence comes to stand where another one still is.
    async fn moves(&self, conn: &mut Conn, owner: AccountId, now: Moment) -> Result<Vec<Move>, StorageError> {
        let mut moves: Vec<Move> =
            conn.list_walls(owner).await?.iter().filter_map(|row| self.rules.of_row(row, true)).collect();
        for series in conn.list_active_series(owner).await? {
            let skipped = conn.list_skipped_walls(owner, series.id, now.minus(BACK)).await?;
            moves.extend(skipped.iter().filter_map(|row| self.rules.of_row(row, false)));
        }
        moves.sort_by_key(|one| if one.to > one.from { (0, -one.from.0) } else { (1, one.from.0) });
        Ok(moves)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeDelta};

    use super::*;

    const ZONE: Tz = Tz::America__New_York;

    fn wall(hour: u32, minute: u32) -> WallTime {
        let day = NaiveDate::from_ymd_opt(2027, 3, 14).unwrap();
        WallTime { local: day.and_hms_opt(hour, minute, 0).unwrap(), zone: ZONE }
    }

    /// Rules by which New York keeps winter time for good.
    fn winter() -> Rules {
        let wall_at = |at: Moment, zone| WallTime { local: (at.utc() - TimeDelta::hours(5)).naive_utc(), zone };
        let moment_of = |wall: WallTime| Some(((wall.local + TimeDelta::hours(5)).and_utc().into(), false));
        Rules { version: "2027a".to_owned(), wall_at, moment_of }
    }

    #[test]
    fn what_clocks_show_decides() {
        let ours = Rules::default();
        let nine = Moment::from((wall(9, 0).local + TimeDelta::hours(4)).and_utc());
        assert_eq!(ours.anew(wall(9, 0), nine), None);
        // Clocks do not go forward any more: nine is an hour later.
        let later = nine.plus(Duration::from_secs(3600));
        assert_eq!(winter().anew(wall(9, 0), nine), Some((later, false)));
        assert_eq!(winter().anew(wall(9, 0), later), None);
        // And the other way round.
        assert_eq!(ours.anew(wall(9, 0), later), Some((nine, false)));
    }

    #[test]
    fn a_gap_goes_forward_and_the_second_of_two_stays() {
        let ours = Rules::default();
        // 02:30 did not use to be in a gap.
        let then = Moment::from((wall(2, 30).local + TimeDelta::hours(5)).and_utc());
        assert_eq!(ours.anew(wall(2, 30), then), None, "forward, it is the same moment");
        let earlier = then.minus(Duration::from_secs(3600));
        assert_eq!(ours.anew(wall(2, 30), earlier), Some((then, true)));
        let day = NaiveDate::from_ymd_opt(2027, 11, 7).unwrap();
        let twice = WallTime { local: day.and_hms_opt(1, 30, 0).unwrap(), zone: ZONE };
        let first = Moment::from((twice.local + TimeDelta::hours(4)).and_utc());
        for (hours, anew) in [(0, None), (1, None), (2, Some((first, false)))] {
            assert_eq!(ours.anew(twice, first.plus(Duration::from_secs(3600 * hours))), anew);
        }
    }
}
