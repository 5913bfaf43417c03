//! From an RFC 5545 rule to its moments, in a zone. Wall time is kept as clocks change: an occurrence at 09:00 stays at
//! 09:00. A wall time that does not exist that day moves forward by the width of the gap, as RFC 5545 reads such times;
//! one that comes twice happens the first time. Rules by hours or minutes count time that passes, not the clock's hands.

use chrono::{DateTime, Datelike as _, Duration, Months, NaiveDate, NaiveDateTime, Timelike as _};
use chrono_tz::Tz;

use super::Reason;
use super::resolve::zoned;

/// One moment of a repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    pub at: DateTime<Tz>,
    /// Clocks skip `wall` that day, so `at` stands behind it.
    pub moved: bool,
    /// The wall time that the rule asks for.
    pub wall: NaiveDateTime,
}

/// Periods without an occurrence after which a rule is given up; leap days are eight years apart at most.
const BARREN: u32 = 4000;

/// The first occurrence after a moment of the repetition that starts at a wall time. `COUNT` is counted from the start.
/// `None` when the repetition has ended, and for a rule that is not understood whole.
pub fn next_after(rule: &str, start: NaiveDateTime, zone: Tz, after: DateTime<Tz>) -> Option<Occurrence> {
    let rule = Rule::parse(rule)?;
    let after = after.with_timezone(&zone);
    match rule.freq {
        Freq::Hourly => rule.elapsed(Duration::hours(i64::from(rule.interval)), start, zone, after),
        Freq::Minutely => rule.elapsed(Duration::minutes(i64::from(rule.interval)), start, zone, after),
        _ => rule.calendar(start, zone, after),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Freq {
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// The last moment a rule allows: in UTC, or as a wall time.
#[derive(Debug, Clone, Copy)]
enum Until {
    Utc(NaiveDateTime),
    Wall(NaiveDateTime),
}

#[derive(Debug, Default)]
struct By {
    months: Vec<u32>,
    month_days: Vec<i32>,
    /// Weekdays from Monday, each with its ordinal or zero.
    days: Vec<(i32, u32)>,
    positions: Vec<i32>,
    hours: Vec<u32>,
    minutes: Vec<u32>,
}

#[derive(Debug)]
struct Rule {
    freq: Freq,
    interval: u32,
    by: By,
    until: Option<Until>,
    count: Option<u64>,
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let (mut freq, mut interval, mut until, mut count) = (None, 1, None, None);
        let mut by = By::default();
        for part in text.strip_prefix("RRULE:").unwrap_or(text).split(';') {
            let (name, value) = part.split_once('=')?;
            match name {
                "FREQ" => freq = Some(Freq::parse(value)?),
                "INTERVAL" => interval = value.parse().ok().filter(|n| (1..=100_000).contains(n))?,
                "COUNT" => count = Some(value.parse().ok()?),
                "UNTIL" => until = Some(Until::parse(value)?),
                "BYMONTH" => by.months = numbers(value, 1..=12)?,
                "BYMONTHDAY" => by.month_days = signed(value, 31)?,
                "BYSETPOS" => by.positions = signed(value, 366)?,
                "BYHOUR" => by.hours = numbers(value, 0..=23)?,
                "BYMINUTE" => by.minutes = numbers(value, 0..=59)?,
                "BYDAY" => by.days = value.split(',').map(weekday).collect::<Option<_>>()?,
                "WKST" if value == "MO" => {}
                _ => return None,
            }
        }
        let freq = freq?;
        if by.days.iter().any(|(n, _)| *n != 0) && freq < Freq::Monthly {
            return None;
        }
        Some(Self { freq, interval, by, until, count })
    }

    /// Every so much time; the other parts of the rule only take moments out.
    fn elapsed(&self, step: Duration, start: NaiveDateTime, zone: Tz, after: DateTime<Tz>) -> Option<Occurrence> {
        let (first, moved) = settle(start, zone)?;
        let gone = after.signed_duration_since(first);
        let past = if gone < Duration::zero() { 0 } else { gone.num_seconds() / step.num_seconds() + 1 };
        let plain = self.by.allows_all();
        let mut counted = if plain { u64::try_from(past).ok()? } else { 0 };
        // Counting through what is taken out begins at the start.
        let mut k = if plain || self.count.is_none() { past } else { 0 };
        let mut barren = 0;
        loop {
            let at = first.checked_add_signed(step.checked_mul(i32::try_from(k).ok()?)?)?;
            let wall = if k == 0 { start } else { at.naive_local() };
            if self.over(&at, wall) {
                return None;
            }
            if self.by.allows(wall) {
                counted += 1;
                if self.count.is_some_and(|count| counted > count) {
                    return None;
                }
                if at > after {
                    return Some(Occurrence { at, moved: moved && k == 0, wall });
                }
                barren = 0;
            }
            barren += 1;
            // A year of minutes.
            if barren > 527_040 {
                return None;
            }
            k += 1;
        }
    }

    /// Every so many days, weeks, months or years.
    fn calendar(&self, start: NaiveDateTime, zone: Tz, after: DateTime<Tz>) -> Option<Occurrence> {
        // Without a count the periods long gone need no look. One more than needed, for what moves forward.
        let skip = if self.count.is_some() { 0 } else { self.periods_between(start.date(), after.date_naive()) - 2 };
        let mut counted = 0;
        let mut barren = 0;
        for k in skip.max(0).. {
            let walls = self.period(start, k)?;
            let mut best: Option<Occurrence> = None;
            for wall in walls.into_iter().filter(|wall| *wall >= start) {
                let (at, moved) = settle(wall, zone)?;
                counted += 1;
                if self.over(&at, wall) || self.count.is_some_and(|count| counted > count) {
                    return best;
                }
                // A time that moved may land behind, or on, a later one of the same period.
                if at > after && best.as_ref().is_none_or(|b| (at, moved) < (b.at, b.moved)) {
                    best = Some(Occurrence { at, moved, wall });
                }
                barren = 0;
            }
            if best.is_some() {
                return best;
            }
            barren += 1;
            if barren > BARREN {
                return None;
            }
        }
        None
    }

    fn over(&self, at: &DateTime<Tz>, wall: NaiveDateTime) -> bool {
        match self.until {
            Some(Until::Utc(end)) => at.naive_utc() > end,
            Some(Until::Wall(end)) => wall > end,
            None => false,
        }
    }

    /// How many intervals lie between two days.
    fn periods_between(&self, from: NaiveDate, to: NaiveDate) -> i64 {
        let months = |d: NaiveDate| i64::from(d.year()) * 12 + i64::from(d.month0());
        let gone = match self.freq {
            Freq::Weekly => (to - from).num_days() / 7,
            Freq::Monthly => months(to) - months(from),
            Freq::Yearly => i64::from(to.year() - from.year()),
            _ => (to - from).num_days(),
        };
        gone / i64::from(self.interval)
    }

    /// The wall times of the period so many intervals after the start's, in order.
    fn period(&self, start: NaiveDateTime, k: i64) -> Option<Vec<NaiveDateTime>> {
        let n = k.checked_mul(i64::from(self.interval))?;
        let today = start.date();
        let months = |from: NaiveDate, n: i64| from.checked_add_months(Months::new(u32::try_from(n).ok()?));
        let days: Vec<NaiveDate> = match self.freq {
            Freq::Weekly => {
                let monday = today - Duration::days(i64::from(today.weekday().num_days_from_monday()));
                let monday = monday.checked_add_signed(Duration::try_days(n.checked_mul(7)?)?)?;
                monday.iter_days().take(7).filter(|d| self.on(*d, today)).collect()
            }
            Freq::Monthly => {
                let first = months(today.with_day(1)?, n)?;
                first.iter_days().take_while(|d| d.month() == first.month()).filter(|d| self.on(*d, today)).collect()
            }
            Freq::Yearly => {
                let first = months(today.with_day(1)?.with_month(1)?, n.checked_mul(12)?)?;
                first.iter_days().take_while(|d| d.year() == first.year()).filter(|d| self.on(*d, today)).collect()
            }
            _ => {
                let day = today.checked_add_signed(Duration::try_days(n)?)?;
                if self.on(day, today) { vec![day] } else { Vec::new() }
            }
        };
        let (hour, minute) = ([start.hour()], [start.minute()]);
        let hours = if self.by.hours.is_empty() { &hour[..] } else { &self.by.hours };
        let minutes = if self.by.minutes.is_empty() { &minute[..] } else { &self.by.minutes };
        let mut walls = Vec::new();
        for day in days {
            for h in hours {
                walls.extend(minutes.iter().filter_map(|m| day.and_hms_opt(*h, *m, start.second())));
            }
        }
        if self.by.positions.is_empty() {
            return Some(walls);
        }
        let last = i32::try_from(walls.len()).ok()?;
        let place = |at: usize| i32::try_from(at).unwrap_or(i32::MAX - 1) + 1;
        let chosen = |at: usize| self.by.positions.iter().any(|p| *p == place(at) || *p == place(at) - 1 - last);
        Some(walls.iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, wall)| *wall).collect())
    }

    /// Whether the rule falls on a day of one of its periods.
    fn on(&self, day: NaiveDate, start: NaiveDate) -> bool {
        let by = &self.by;
        let free = by.days.is_empty() && by.month_days.is_empty();
        let month = match self.freq {
            Freq::Yearly if by.months.is_empty() && free => day.month() == start.month(),
            _ => by.months.is_empty() || by.months.contains(&day.month()),
        };
        month
            && match self.freq {
                Freq::Weekly if by.days.is_empty() => day.weekday() == start.weekday(),
                Freq::Monthly | Freq::Yearly if free => day.day() == start.day(),
                // The ordinals of a year's weekdays run through the year only where no month is named.
                Freq::Yearly if by.months.is_empty() => {
                    by.has_day(day) && by.has_weekday(day, day.ordinal0(), year(day))
                }
                _ => by.has_day(day) && by.has_weekday(day, day.day0(), month_length(day)),
            }
    }
}

impl By {
    fn has_day(&self, day: NaiveDate) -> bool {
        let back = i32::try_from(month_length(day) - day.day0()).unwrap_or(0);
        let front = i32::try_from(day.day()).unwrap_or(0);
        self.month_days.is_empty() || self.month_days.iter().any(|d| *d == front || *d == -back)
    }

    /// Whether a day is one of the weekdays, counted within a stretch of `length` days of which `before` are gone.
    fn has_weekday(&self, day: NaiveDate, before: u32, length: u32) -> bool {
        let weekday = day.weekday().num_days_from_monday();
        let front = i32::try_from(before / 7 + 1).unwrap_or(0);
        let back = -i32::try_from((length - 1 - before) / 7 + 1).unwrap_or(0);
        let fits = |(n, d): &(i32, u32)| *d == weekday && (*n == 0 || *n == front || *n == back);
        self.days.is_empty() || self.days.iter().any(fits)
    }

    const fn allows_all(&self) -> bool {
        self.months.is_empty()
            && self.month_days.is_empty()
            && self.days.is_empty()
            && self.hours.is_empty()
            && self.minutes.is_empty()
    }

    fn allows(&self, wall: NaiveDateTime) -> bool {
        let listed = |list: &[u32], n: u32| list.is_empty() || list.contains(&n);
        let day = wall.date();
        listed(&self.months, day.month())
            && self.has_day(day)
            && self.has_weekday(day, day.day0(), month_length(day))
            && listed(&self.hours, wall.hour())
            && listed(&self.minutes, wall.minute())
    }
}

impl Freq {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "MINUTELY" => Self::Minutely,
            "HOURLY" => Self::Hourly,
            "DAILY" => Self::Daily,
            "WEEKLY" => Self::Weekly,
            "MONTHLY" => Self::Monthly,
            "YEARLY" => Self::Yearly,
            _ => return None,
        })
    }
}

impl Until {
    fn parse(text: &str) -> Option<Self> {
        let wall = |text: &str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok();
        if let Some(utc) = text.strip_suffix('Z') {
            return wall(utc).map(Self::Utc);
        }
        // A bare date counts whole.
        let day = || NaiveDate::parse_from_str(text, "%Y%m%d").ok()?.and_hms_opt(23, 59, 59);
        wall(text).or_else(day).map(Self::Wall)
    }
}

/// A list of numbers in order.
fn numbers(text: &str, range: std::ops::RangeInclusive<u32>) -> Option<Vec<u32>> {
    let mut list: Vec<u32> =
        text.split(',').map(|n| n.parse().ok().filter(|n| range.contains(n))).collect::<Option<_>>()?;
    list.sort_unstable();
    list.dedup();
    Some(list)
}

fn signed(text: &str, most: i32) -> Option<Vec<i32>> {
    text.split(',').map(|n| n.parse().ok().filter(|n| *n != 0 && (-most..=most).contains(n))).collect()
}

/// "MO", "2SU", "-1FR".
fn weekday(text: &str) -> Option<(i32, u32)> {
    let (ordinal, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let day = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].iter().position(|d| *d == name)?;
    let ordinal = if ordinal.is_empty() { 0 } else { ordinal.parse().ok().filter(|n: &i32| *n != 0)? };
    (ordinal.abs() <= 53).then_some((ordinal, u32::try_from(day).ok()?))
}

fn month_length(day: NaiveDate) -> u32 {
    u32::from(day.num_days_in_month())
}

fn year(day: NaiveDate) -> u32 {
    if day.leap_year() { 366 } else { 365 }
}

/// The moment of a wall time, and whether it had to move.
pub fn settle(wall: NaiveDateTime, zone: Tz) -> Option<(DateTime<Tz>, bool)> {
    match zoned(wall, zone) {
        Ok(found) => Some((found.into_iter().next()?, false)),
        Err(Reason::Gap { nearest }) => Some((nearest.into_iter().next_back()?, true)),
        Err(_) => None,
    }
}
