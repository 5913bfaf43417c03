//! Repetitions: from the pieces to an RFC 5545 rule and its first moment.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, NaiveDateTime, Timelike as _};
use chrono_tz::Tz;

use super::item::{Clock, Counted, InMonth, Item, Length};
use super::resolve::{Plain, coming, first, nth_of, plus, time};
use super::words::{Part, Unit};
use super::{Meaning, Question, Reason, Recurrence};

const NAMES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
/// The hour of a repetition that says none.
const USUAL_HOUR: u32 = 9;

/// Whether the pieces speak of a repetition.
pub(super) fn repeats(items: &[Item]) -> bool {
    let mut weekdays: Vec<u32> =
        items.iter().filter_map(|i| if let Item::Weekday(d, _) = i { Some(*d) } else { None }).collect();
    weekdays.dedup();
    let or = items.iter().any(|i| matches!(i, Item::Or));
    items.iter().any(|i| {
        matches!(
            i,
            Item::Every(..)
                | Item::Weekdays(_)
                | Item::Range(..)
                | Item::Parts(_)
                | Item::Workdays
                | Item::Nth(_, _, InMonth::Each)
        )
    }) || (weekdays.len() > 1 && !or)
}

/// The parts of a rule as they are gathered.
#[derive(Default)]
struct Rule {
    interval: u32,
    unit: Option<Unit>,
    weekdays: [bool; 7],
    nth: Option<(i32, Counted, InMonth)>,
    month_days: Vec<u32>,
    date: Option<(u32, u32)>,
    clocks: Vec<Clock>,
    part: Option<Part>,
    until: Option<Item>,
    count: Option<u32>,
    length: Option<Length>,
}

/// The rule that the pieces make.
pub(super) fn recurrence(items: &[Item], now: DateTime<Tz>) -> (Meaning, Option<Plain>) {
    let rule = gather(items);
    let local = now.naive_local();
    let Some((mut text, freq)) = rule.text() else {
        return (Meaning::Unclear { question: Question::Moment, candidates: Vec::new() }, None);
    };
    let times = rule.times();
    let same = times.iter().all(|t| t % 60 == times[0] % 60);
    if !same {
        let candidates = times
            .iter()
            .filter_map(|t| first(local.date().and_time(time(t / 60, *t, 0)), now.timezone()))
            .filter(|at| *at > now)
            .collect();
        return (Meaning::Unclear { question: Question::Moment, candidates }, None);
    }
    if let Some(one) = times.first() {
        let hours: Vec<_> = times.iter().map(|t| (t / 60).to_string()).collect();
        text = format!("{text};BYHOUR={};BYMINUTE={}", hours.join(","), one % 60);
    }
    let Some(start) = rule.first(freq, &times, local).and_then(|at| first(at, now.timezone())) else {
        return (Meaning::Impossible(Reason::NoSuchDate { nearest: Vec::new() }), None);
    };
    if let Some(count) = rule.count {
        text = format!("{text};COUNT={count}");
    } else if let Some(until) = rule.until(start.naive_local()) {
        // The last day counts whole; a rule's end is told in UTC.
        let end = first(until.and_time(time(23, 59, 59)), now.timezone()).map(|at| at.to_utc());
        if let Some(end) = end {
            text = format!("{text};UNTIL={}", end.format("%Y%m%dT%H%M%SZ"));
        }
    }
    let part = rule.part.filter(|_| times.is_empty());
    (Meaning::Every(Recurrence { rule: text, part, first: start, timed: !times.is_empty() }), None)
}

fn gather(items: &[Item]) -> Rule {
    let mut rule = Rule { interval: 1, ..Rule::default() };
    let mut ending = false;
    for (at, item) in items.iter().enumerate() {
        if ending
            && matches!(
                item,
                Item::Date(..) | Item::Rel(_) | Item::Weekday(..) | Item::Day(..) | Item::Month(_) | Item::Bare(..)
            )
        {
            rule.until = rule.until.or(Some(*item));
            continue;
        }
        match *item {
            Item::Every(n, unit) => {
                rule.interval = rule.interval.max(n);
                rule.unit = rule.unit.filter(|_| unit.is_none() || unit == Some(Unit::Day)).or(unit);
            }
            Item::Weekday(d, _) | Item::Weekdays(d) => rule.mark(d),
            Item::Range(a, b) => {
                let mut d = a;
                for _ in 0..7 {
                    rule.mark(d);
                    if d == b {
                        break;
                    }
                    d = (d + 1) % 7;
                }
            }
            Item::Workdays => (0..5).for_each(|d| rule.mark(d)),
            Item::Weekend(_) => (5..7).for_each(|d| rule.mark(d)),
            Item::Nth(n, what, month) => rule.nth = Some((n, what, month)),
            Item::Day(d, _) => rule.month_days.push(d),
            Item::Date(d, m, _) => rule.date = Some((d, m)),
            Item::Clock(clock) => rule.clocks.push(clock),
            Item::Bare(n, _) => {
                let after_every =
                    at.checked_sub(1).is_some_and(|p| matches!(items[p], Item::Every(..) | Item::Day(..)));
                let timed = items.iter().any(|i| matches!(i, Item::Part(_)));
                if after_every
                    && !timed
                    && (1..=31).contains(&n)
                    && matches!(rule.unit, Some(Unit::Day | Unit::Month) | None)
                {
                    rule.month_days.push(n);
                } else if n < 24 {
                    rule.clocks.push(Clock { hour: n, ..Clock::default() });
                }
            }
            Item::Part(part) | Item::Parts(part) => rule.part = Some(part),
            Item::Until => ending = true,
            Item::Count(n) => rule.count = Some(n),
            Item::For(length) => rule.length = Some(length),
            Item::Length(length, None, _) => rule.length = rule.length.or(Some(length)),
            Item::Less(minutes) => {
                if let Some(clock) = rule.clocks.last_mut() {
                    clock.less = minutes;
                }
            }
            _ => {}
        }
    }
    rule
}

impl Rule {
    fn mark(&mut self, day: u32) {
        if let Some(slot) = usize::try_from(day).ok().and_then(|d| self.weekdays.get_mut(d)) {
            *slot = true;
        }
    }

    fn names(&self) -> String {
        let names: Vec<_> = NAMES.iter().zip(self.weekdays).filter_map(|(name, on)| on.then_some(*name)).collect();
        names.join(",")
    }

    /// The rule without its time and end, and its frequency.
    fn text(&self) -> Option<(String, Unit)> {
        let every =
            |freq: &str, n: u32| if n > 1 { format!("FREQ={freq};INTERVAL={n}") } else { format!("FREQ={freq}") };
        let n = self.interval;
        if let Some((k, what, month)) = self.nth {
            let tail = match what {
                Counted::Weekday(d) => format!("BYDAY={k}{}", NAMES.get(usize::try_from(d).ok()?)?),
                Counted::Day => format!("BYMONTHDAY={k}"),
                Counted::Business => format!("BYDAY=MO,TU,WE,TH,FR;BYSETPOS={k}"),
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
            let n = if self.unit == Some(Unit::Fortnight) { 2 * n } else { n };
            return Some((format!("{};BYDAY={}", every("WEEKLY", n), self.names()), Unit::Week));
        }
        Some(match self.unit {
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

    /// The minutes of the day at which it happens.
    fn times(&self) -> Vec<u32> {
        let mut times: Vec<u32> = self.clocks.iter().map(|c| super::resolve::usual_minute(c, self.part)).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// The first moment after now.
    fn first(&self, freq: Unit, times: &[u32], now: NaiveDateTime) -> Option<NaiveDateTime> {
        match freq {
            Unit::Minute => return now.checked_add_signed(Duration::minutes(i64::from(self.interval))),
            Unit::Hour => return now.checked_add_signed(Duration::hours(i64::from(self.interval))),
            _ => {}
        }
        let usual = [self.part.map_or(USUAL_HOUR, Part::hour) * 60];
        let times = if times.is_empty() { &usual[..] } else { times };
        // Leap days are eight years apart at most.
        now.date()
            .iter_days()
            .take(2930)
            .filter(|d| self.falls_on(freq, *d, now.date()))
            .find_map(|d| times.iter().map(|t| d.and_time(time(t / 60, *t, 0))).find(|at| *at > now))
    }

    fn falls_on(&self, freq: Unit, day: NaiveDate, today: NaiveDate) -> bool {
        if let Some((n, what, month)) = self.nth {
            let month = if matches!(month, InMonth::Rel(_)) { InMonth::Each } else { month };
            return day.day() <= 31 && nth_of(n, what, month, day.max(today)) == Some(day);
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

    /// The last day, where an end was said.
    fn until(&self, start: NaiveDateTime) -> Option<NaiveDate> {
        let today = start.date();
        match self.until {
            Some(Item::Date(d, m, Some(y))) => NaiveDate::from_ymd_opt(y, m, d),
            Some(Item::Date(d, m, None)) => {
                (0..=8).filter_map(|k| NaiveDate::from_ymd_opt(today.year() + k, m, d)).find(|date| *date >= today)
            }
            Some(Item::Rel(n)) => today.checked_add_signed(Duration::days(n)),
            Some(Item::Weekday(d, _)) => Some(coming(today, d)),
            Some(Item::Day(d, _) | Item::Bare(d, _)) => {
                (0..60).map(|k| today + Duration::days(k)).find(|date| date.day() == d)
            }
            _ => {
                let length = self.length?;
                let whole = plus(today, length, 1)?;
                Some(if start.hour() > 0 { whole.pred_opt()? } else { whole })
            }
        }
    }
}
