//! The parts of a rule, its text and its first moment.

use chrono::{Datelike as _, Duration, NaiveDate, NaiveDateTime};

use super::super::item::{Clock, Counted, InMonth, Item, Length};
use super::super::resolve::{nth_of, time};
use super::super::words::{Part, Unit};

const NAMES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
/// The hour of a repetition that says none.
const USUAL_HOUR: u32 = 9;

/// The parts of a rule as they are gathered.
#[derive(Default)]
pub(super) struct Rule {
    pub interval: u32,
    pub unit: Option<Unit>,
    pub weekdays: [bool; 7],
    pub nth: Vec<(i32, Counted, InMonth)>,
    pub month_days: Vec<u32>,
    /// The days of the month were said like a time.
    pub bare_days: bool,
    pub date: Option<(u32, u32)>,
    pub clocks: Vec<Clock>,
    pub part: Option<Part>,
    pub until: Vec<Item>,
    pub start: Vec<Item>,
    pub count: Option<u32>,
    pub per: Option<(u32, Unit)>,
    pub length: Option<Length>,
    /// Something was said that no rule takes up.
    pub open: bool,
}

impl Rule {
    pub fn mark(&mut self, day: u32) {
        if let Some(slot) = usize::try_from(day).ok().and_then(|d| self.weekdays.get_mut(d)) {
            *slot = true;
        }
    }

    /// Takes days out: of all, where none are marked yet.
    pub fn leave(&mut self, days: &[u32]) {
        if !self.weekdays.contains(&true) {
            self.weekdays = [true; 7];
        }
        for day in days {
            if let Some(slot) = usize::try_from(*day).ok().and_then(|d| self.weekdays.get_mut(d)) {
                *slot = false;
            }
        }
    }

    fn names(&self) -> String {
        let names: Vec<_> = NAMES.iter().zip(self.weekdays).filter_map(|(name, on)| on.then_some(*name)).collect();
        names.join(",")
    }

    /// The rule without its time and end, and its frequency.
    pub fn text(&self) -> Option<(String, Unit)> {
        let every =
            |freq: &str, n: u32| if n > 1 { format!("FREQ={freq};INTERVAL={n}") } else { format!("FREQ={freq}") };
        let n = self.interval;
        if let Some((_, what, month)) = self.nth.first().copied() {
            // Several are of one kind, or no rule says them.
            if self.nth.iter().any(|(_, other, _)| std::mem::discriminant(other) != std::mem::discriminant(&what)) {
                return None;
            }
            let all = |each: &dyn Fn(i32, Counted) -> String| {
                self.nth.iter().map(|(k, what, _)| each(*k, *what)).collect::<Vec<_>>().join(",")
            };
            let name = |day: u32| usize::try_from(day).ok().and_then(|d| NAMES.get(d)).copied().unwrap_or_default();
            let tail = match what {
                Counted::Weekday(_) => {
                    let each = |k: i32, what| {
                        if let Counted::Weekday(d) = what { format!("{k}{}", name(d)) } else { String::new() }
                    };
                    format!("BYDAY={}", all(&each))
                }
                Counted::Day => format!("BYMONTHDAY={}", all(&|k, _| k.to_string())),
                Counted::Business => format!("BYDAY=MO,TU,WE,TH,FR;BYSETPOS={}", all(&|k, _| k.to_string())),
            };
            return Some(match month {
                InMonth::Named(m, _) => (format!("{};BYMONTH={m};{tail}", every("YEARLY", n)), Unit::Year),
                _ => (format!("{};{tail}", every("MONTHLY", n)), Unit::Month),
            });
        }
        if let Some((d, m)) = self.date {
            return Some((format!("{};BYMONTH={m};BYMONTHDAY={d}", every("YEARLY", n)), Unit::Year));
        }
        if !self.month_days.is_empty() && !self.weekdays.contains(&true) {
            let days: Vec<_> = self.month_days.iter().map(u32::to_string).collect();
            let months = match self.unit {
                Some(Unit::Quarter) => 3 * n,
                Some(Unit::Semester) => 6 * n,
                _ => n,
            };
            return Some((format!("{};BYMONTHDAY={}", every("MONTHLY", months), days.join(",")), Unit::Month));
        }
        if self.weekdays.contains(&true) {
            // "every 2 hours on weekdays"; with hours to begin and end it is so many times a day.
            if let (Some(unit @ (Unit::Hour | Unit::Minute)), true) = (self.unit, self.clocks.len() < 2) {
                let freq = if unit == Unit::Hour { "HOURLY" } else { "MINUTELY" };
                return Some((format!("{};BYDAY={}", every(freq, n), self.names()), unit));
            }
            // "every 15 days on friday" is every other one; "every 2 days on friday" is nothing.
            let n = match self.unit {
                Some(Unit::Hour | Unit::Minute) => 1,
                Some(Unit::Day) if n == 15 => 2,
                Some(Unit::Day) if n > 1 && !n.is_multiple_of(7) => return None,
                Some(Unit::Day) if n > 1 => n / 7,
                Some(Unit::Month | Unit::Quarter | Unit::Semester | Unit::Year) => return None,
                _ => n,
            };
            let n = if self.unit == Some(Unit::Fortnight) { 2 * n } else { n };
            return Some((format!("{};BYDAY={}", every("WEEKLY", n), self.names()), Unit::Week));
        }
        Some(match self.unit {
            Some(Unit::Hour | Unit::Minute) if self.clocks.len() == 2 => (every("DAILY", 1), Unit::Day),
            Some(Unit::Minute) => (every("MINUTELY", n), Unit::Minute),
            Some(Unit::Hour) => (every("HOURLY", n), Unit::Hour),
            Some(Unit::Day) => (every("DAILY", n), Unit::Day),
            None if self.part.is_some() || !self.clocks.is_empty() => (every("DAILY", n), Unit::Day),
            Some(Unit::Business) if n == 1 => (format!("{};BYDAY=MO,TU,WE,TH,FR", every("WEEKLY", n)), Unit::Business),
            Some(Unit::Second | Unit::Business) | None => return None,
            Some(Unit::Week) => (every("WEEKLY", n), Unit::Week),
            Some(Unit::Fortnight) => (every("WEEKLY", 2 * n), Unit::Week),
            Some(Unit::Weekend) => (format!("{};BYDAY=SA,SU", every("WEEKLY", n)), Unit::Weekend),
            Some(Unit::Month) => (every("MONTHLY", n), Unit::Month),
            Some(Unit::Quarter) => (every("MONTHLY", 3 * n), Unit::Month),
            Some(Unit::Semester) => (every("MONTHLY", 6 * n), Unit::Month),
            Some(Unit::Year) => (every("YEARLY", n), Unit::Year),
        })
    }

    /// The first moment after now.
    pub fn first(&self, freq: Unit, times: &[u32], now: NaiveDateTime, from: NaiveDate) -> Option<NaiveDateTime> {
        if matches!(freq, Unit::Minute | Unit::Hour) {
            let step = i64::from(self.interval) * if freq == Unit::Hour { 60 } else { 1 };
            let soon = now.checked_add_signed(Duration::try_minutes(step)?)?;
            let said = times.first().map(|t| time(t / 60, *t, 0));
            let at = match said {
                Some(said) => now.date().and_time(said),
                None if from > now.date() => from.and_time(time(USUAL_HOUR, 0, 0)),
                None => soon,
            };
            let days = (0..).map_while(|k| at.checked_add_signed(Duration::days(k)));
            let on = |at: &NaiveDateTime| {
                let weekday = usize::try_from(at.weekday().num_days_from_monday()).unwrap_or_default();
                *at > now && at.date() >= from && (!self.weekdays.contains(&true) || self.weekdays[weekday])
            };
            return days.take(400).find(on);
        }
        let usual = [self.part.map_or(USUAL_HOUR, Part::hour) * 60];
        let times = if times.is_empty() { &usual[..] } else { times };
        // Leap days are eight years apart at most.
        from.iter_days()
            .take(2930)
            .filter(|d| self.falls_on(freq, *d, now.date()))
            .find_map(|d| times.iter().map(|t| d.and_time(time(t / 60, *t, 0))).find(|at| *at > now))
    }

    fn falls_on(&self, freq: Unit, day: NaiveDate, today: NaiveDate) -> bool {
        if !self.nth.is_empty() {
            return self.nth.iter().any(|(n, what, month)| {
                let month = if matches!(month, InMonth::Rel(_)) { InMonth::Each } else { *month };
                nth_of(*n, *what, month, day.max(today)) == Some(day)
            });
        }
        if let Some((d, m)) = self.date {
            return (day.day(), day.month()) == (d, m);
        }
        if freq == Unit::Month && !self.month_days.is_empty() {
            return self.month_days.contains(&day.day());
        }
        let weekday = day.weekday().num_days_from_monday();
        match freq {
            Unit::Business => weekday < 5,
            Unit::Weekend => weekday >= 5,
            _ if self.weekdays.contains(&true) => {
                usize::try_from(weekday).ok().and_then(|d| self.weekdays.get(d)).is_some_and(|on| *on)
            }
            _ => true,
        }
    }
}
