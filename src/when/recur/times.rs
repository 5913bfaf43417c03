//! The times of a repetition: several in a day, and hours between two of them.

use super::super::item::{Clock, Item};
use super::super::resolve::usual_minute;
use super::super::words::Unit;
use super::rule::Rule;

/// More times than these in a day are no plan.
const MOST: usize = 48;

impl Rule {
    /// Takes a clock time; two numbers that look like one are taken apart: "às 8, 12 e 18".
    pub fn clock(&mut self, clock: Clock, before: Option<&Item>) {
        let hour = |hour: u32| Clock { hour, ..Clock::default() };
        let day = matches!(before, Some(Item::Every(_, Some(Unit::Day | Unit::Month) | None)));
        let listed = !self.month_days.is_empty() && matches!(before, Some(Item::Bare(..) | Item::Day(..)));
        if clock.pair && clock.weak && (day || listed) && clock.hour > 0 && (1..=31).contains(&clock.minute) {
            self.month_days.extend([clock.hour, clock.minute]);
            self.bare_days = day;
            return;
        }
        let odd = !clock.minute.is_multiple_of(5) || matches!(before, Some(Item::Clock(_)));
        let twice = matches!(self.per, Some((2, Unit::Day)));
        if clock.pair && (clock.minute < 24) && (odd || twice) {
            self.clocks.extend([hour(clock.hour), hour(clock.minute)]);
            return;
        }
        self.clocks.push(clock);
    }

    /// The minutes of the day at which it happens.
    pub fn times(&self) -> Vec<u32> {
        let mut times: Vec<u32> = self.clocks.iter().map(|c| usual_minute(c, self.part)).collect();
        let step = match self.unit {
            Some(Unit::Hour) => self.interval * 60,
            Some(Unit::Minute) => self.interval,
            _ => 0,
        };
        if step > 0
            && let [from, to] = times[..]
        {
            // "every 2 hours between 8 and 18".
            let last = if to > from { to } else { to + 720 };
            times = (0..).map(|k| from + k * step).take_while(|t| *t <= last && *t < 1440).take(MOST + 1).collect();
        }
        times.sort_unstable();
        times.dedup();
        times
    }

    /// The rule with its times; `None` where no rule can say them.
    pub fn with_times(&self, text: String, freq: Unit, times: &[u32]) -> Option<String> {
        let enough = match self.per {
            Some((n, Unit::Day)) if n > 1 => times.len() == usize::try_from(n).ok()?,
            Some((n, Unit::Week)) if n > 1 => {
                self.weekdays.iter().filter(|on| **on).count() == usize::try_from(n).ok()?
            }
            Some((n, _)) if n > 1 => self.month_days.len() == usize::try_from(n).ok()?,
            _ => true,
        };
        // "todo dia 9 e 30" may be a time or two dates.
        if !enough || times.len() > MOST || (self.bare_days && times.is_empty()) {
            return None;
        }
        // "every 2 hours from 8": the time is that of the first one.
        if times.is_empty() || (matches!(freq, Unit::Hour | Unit::Minute) && times.len() == 1) {
            return Some(text);
        }
        if matches!(freq, Unit::Hour | Unit::Minute) {
            return None;
        }
        let list = |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let unique = |f: fn(u32) -> u32| {
            let mut all: Vec<u32> = times.iter().map(|t| f(*t)).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let (hours, minutes) = (unique(|t| t / 60), unique(|t| t % 60));
        let clock = format!("BYHOUR={};BYMINUTE={}", list(&hours), list(&minutes));
        let grid: Vec<u32> = hours.iter().flat_map(|h| minutes.iter().map(move |m| h * 60 + m)).collect();
        if let Some((head, position)) = text.rsplit_once(";BYSETPOS=") {
            // Positions count times, not days: all times of the day that is meant.
            let (k, n) = (position.parse::<i32>().ok()?, i32::try_from(times.len()).ok()?);
            let from = if k > 0 { (k - 1) * n + 1 } else { k * n };
            let all: Vec<_> = (from..from + n).map(|p| p.to_string()).collect();
            return (grid.len() == times.len()).then(|| format!("{head};BYSETPOS={};{clock}", all.join(",")));
        }
        if grid.len() == times.len() {
            return Some(format!("{text};{clock}"));
        }
        // Times with different minutes: those of the grid that are meant, on each day of the period.
        let days = match freq {
            Unit::Day => 1,
            Unit::Month if self.nth.len() == 1 || self.month_days.len() == 1 => 1,
            Unit::Year if self.nth.len() == 1 || self.date.is_some() => 1,
            Unit::Week | Unit::Business | Unit::Weekend if self.weekdays.contains(&true) => {
                self.weekdays.iter().filter(|on| **on).count()
            }
            _ => return None,
        };
        let positions: Vec<_> = (0..days)
            .flat_map(|day| {
                let chosen = grid.iter().enumerate().filter(|(_, t)| times.contains(t));
                chosen.map(|(at, _)| (day * grid.len() + at + 1).to_string()).collect::<Vec<_>>()
            })
            .collect();
        Some(format!("{text};{clock};BYSETPOS={}", positions.join(",")))
    }
}
