//! From the pieces of a date to the day meant.

use chrono::{Datelike as _, Duration, Months, NaiveDate, NaiveDateTime, Weekday};

use super::super::item::{Counted, InMonth, Length, Which};
use super::super::words::{Edge, Feast, Unit};
use super::super::{Question, Reason};
use super::Draft;

/// A date that passed so lately that it may be a slip is asked about.
const LATELY_DAYS: i64 = 31;

/// The day meant, the others it might be, and the question that decides.
#[derive(Debug, Clone)]
pub(in super::super) struct Day {
    pub date: NaiveDate,
    pub others: Vec<NaiveDate>,
    pub question: Option<Question>,
    /// A calendar date, as against one counted from today.
    pub fixed: bool,
    /// Said as today.
    pub today: bool,
}

impl Day {
    pub fn on(date: NaiveDate) -> Self {
        Self { date, others: Vec::new(), question: None, fixed: false, today: false }
    }
}

/// The last day of the month that was said, and the day after it.
fn no_such_date(year: i32, month: u32, day: u32) -> Reason {
    let last = (1..=31).rev().filter(|last| *last < day).find_map(|last| NaiveDate::from_ymd_opt(year, month, last));
    Reason::NoSuchDate { nearest: last.into_iter().flat_map(|last| [Some(last), last.succ_opt()]).flatten().collect() }
}

impl Draft {
    /// The day that the pieces name, if they name one.
    pub(in super::super) fn date_of(&self, now: NaiveDateTime) -> Option<Result<Day, Reason>> {
        let today = now.date();
        if let Some((d, m, y)) = self.date {
            return Some(self.calendar(d, m, y.or(self.year).or(self.year_ahead(today)), today));
        }
        if let Some(feast) = self.moving {
            let years = self.year.or(self.year_ahead(today)).map_or(today.year()..=today.year() + 1, |y| y..=y);
            let date = years.clone().filter_map(|y| feast_in(feast, y)).find(|date| *date >= today);
            let date = date.or_else(|| feast_in(feast, *years.end()))?;
            return Some(Ok(Day { fixed: true, ..Day::on(date) }));
        }
        if let (Some(d), Some((m, y))) = (self.day, self.named) {
            return Some(self.calendar(d, m, y.or(self.year).or(self.year_ahead(today)), today));
        }
        if let Some((n, what, month)) = self.nth {
            return Some(
                nth_of(n, what, month, today)
                    .map(|date| Day { fixed: true, ..Day::on(date) })
                    .ok_or(Reason::NoSuchDate { nearest: Vec::new() }),
            );
        }
        if let Some((n, wd)) = self.fridays {
            let weeks = if n < 0 { n.max(-500) } else { n.clamp(1, 500) - 1 };
            let date = coming(today + Duration::days(i64::from(n >= 0)), wd) + Duration::days(7 * weeks);
            return Some(Ok(Day::on(date)));
        }
        if let Some(d) = self.day {
            return Some(self.day_of_month(d, today).ok_or(Reason::NoSuchDate { nearest: Vec::new() }));
        }
        let ask = |date| Day { question: Some(Question::Date), ..Day::on(date) };
        if let (Some((wd, _)), Some(first)) = (self.weekday, self.first_of_named(today)) {
            return Some(Ok(ask(coming(first.max(today), wd))));
        }
        // "saturday of next weekend".
        if let (Some((wd @ 4..=6, _)), Some(n @ 1..)) = (self.weekday, self.weekend) {
            return Some(Ok(Day::on(monday(today) + Duration::days(7 * n + i64::from(wd)))));
        }
        if let Some((wd, which)) = self.weekday {
            return Some(Ok(self.weekday_of(wd, which, today)));
        }
        if let Some((date, other)) = self.edge_of(today) {
            return Some(Ok(Day { others: other.into_iter().filter(|d| *d != date).collect(), ..ask(date) }));
        }
        if let Some(n) = self.rel {
            return Some(Ok(Day { today: n == 0, ..Day::on(today + Duration::days(n)) }));
        }
        if let Some(n) = self.weekend {
            let n = n.max(self.week.unwrap_or(0));
            let saturday = coming(monday(today) + Duration::days(7 * n), 5);
            return Some(Ok(Day { others: vec![saturday + Duration::days(1)], ..ask(saturday.max(today)) }));
        }
        if let Some(n) = self.week {
            let start = monday(today) + Duration::days(7 * n);
            return Some(Ok(ask(if n == 0 { today } else { start })));
        }
        if let Some(n) = self.month.filter(|n| *n != 0 || self.named.is_none()) {
            let start = month_start(today, n)?;
            return Some(Ok(ask(if n == 0 { today } else { start })));
        }
        if let Some(first) = self.first_of_named(today) {
            let over = nth_in(-1, Counted::Day, first)? < today;
            return Some(Ok(ask(if over { first } else { first.max(today) })));
        }
        let first = NaiveDate::from_ymd_opt(self.year_ahead(today)?, 1, 1)?;
        Some(Ok(ask(if self.years == Some(0) { today } else { first })))
    }

    fn year_ahead(&self, today: NaiveDate) -> Option<i32> {
        today.year().checked_add(i32::try_from(self.years?).ok()?)
    }

    /// The first day of the month that is named, of this year if it is not over.
    fn first_of_named(&self, today: NaiveDate) -> Option<NaiveDate> {
        let (month, year) = self.named?;
        let said = year.or(self.year).or(self.year_ahead(today));
        NaiveDate::from_ymd_opt(said.unwrap_or(today.year() + i32::from(month < today.month())), month, 1)
    }

    /// The beginning, middle or end of the week, month or year that is said with it, and a second guess.
    fn edge_of(&self, today: NaiveDate) -> Option<(NaiveDate, Option<NaiveDate>)> {
        let (edge, own) = self.edge?;
        let week = self.week.or((own == Some(Unit::Week)).then_some(0));
        let month = self.month.or((own == Some(Unit::Month)).then_some(0));
        let first_of_month = month.and_then(|n| month_start(today, n)).or_else(|| self.first_of_named(today));
        let (first, middle, last, other) = if let Some(n) = week {
            let start = monday(today) + Duration::days(7 * n);
            let friday = start + Duration::days(4);
            (start, start + Duration::days(2), friday.max(today), Some(start + Duration::days(6)))
        } else if let Some(first) = first_of_month {
            let last = nth_in(-1, Counted::Day, first)?;
            (first, first + Duration::days(14), last, nth_in(-1, Counted::Business, first))
        } else {
            let year = self.year_ahead(today).or((own == Some(Unit::Year)).then_some(today.year()))?;
            let day = |month, day| NaiveDate::from_ymd_opt(year, month, day);
            (day(1, 1)?, day(7, 1)?, day(12, 31)?, None)
        };
        Some(match edge {
            Edge::First => (first.max(today), Some(first + Duration::days(1)).filter(|d| *d > today)),
            Edge::Middle => (middle.max(today), None),
            Edge::Last => (last.max(today), other.filter(|d| *d >= today)),
        })
    }

    fn calendar(&self, d: u32, m: u32, y: Option<i32>, today: NaiveDate) -> Result<Day, Reason> {
        let fits = |date: NaiveDate| self.weekday.is_none_or(|(wd, _)| date.weekday().num_days_from_monday() == wd);
        let date = if let Some(y) = y {
            NaiveDate::from_ymd_opt(y, m, d).ok_or_else(|| no_such_date(y, m, d))?
        } else {
            (0..=8)
                .filter_map(|k| NaiveDate::from_ymd_opt(today.year() + k, m, d))
                .find(|date| *date >= today)
                .ok_or_else(|| no_such_date(today.year() + i32::from(m < today.month()), m, d))?
        };
        let mut day = Day { fixed: true, ..Day::on(date) };
        if let Some(wd) = self.closest {
            let back = i64::from((date.weekday().num_days_from_monday() + 7 - wd) % 7);
            day.date = if back <= 3 { date - Duration::days(back) } else { date + Duration::days(7 - back) };
            return Ok(day);
        }
        if !fits(date) {
            day.question = Some(Question::Date);
        }
        let lately = NaiveDate::from_ymd_opt(today.year(), m, d)
            .is_some_and(|was| was < today && (today - was).num_days() <= LATELY_DAYS);
        if y.is_none() && lately {
            day.question = Some(Question::Date);
        }
        Ok(day)
    }

    fn day_of_month(&self, d: u32, today: NaiveDate) -> Option<Day> {
        let fixed = |date| Day { fixed: true, ..Day::on(date) };
        if let Some(n) = self.month {
            return month_start(today, n)?.with_day(d).map(fixed);
        }
        if let Some((wd, _)) = self.weekday {
            let found = (0..40)
                .filter_map(|k| month_start(today, k)?.with_day(d))
                .find(|date| *date >= today && date.weekday().num_days_from_monday() == wd);
            return found.map(fixed);
        }
        next_day_of_month(today, d).map(fixed)
    }

    fn weekday_of(&self, wd: u32, which: Which, today: NaiveDate) -> Day {
        if let Some(n) = self.week {
            return Day::on(monday(today) + Duration::days(7 * n + i64::from(wd)));
        }
        if let Some(n) = self.rel.filter(|n| *n >= 0) {
            let date = today + Duration::days(n);
            let fits = date.weekday().num_days_from_monday() == wd;
            let question = (!fits).then_some(Question::Date);
            return Day {
                question,
                others: if fits { Vec::new() } else { vec![coming(today, wd)] },
                today: n == 0,
                ..Day::on(date)
            };
        }
        let soon = coming(today, wd);
        let after = coming(today + Duration::days(1), wd);
        let week = monday(today) + Duration::days(7 + i64::from(wd));
        match which {
            Which::This => Day { today: soon == today, ..Day::on(soon) },
            Which::Plain if soon == today => {
                let ask = |date, other| Day { others: vec![other], question: Some(Question::Weekday), ..Day::on(date) };
                if self.clocks.is_empty() && self.part.is_none() { ask(after, today) } else { ask(today, after) }
            }
            Which::Plain | Which::Alternate => Day::on(soon),
            Which::Next if after == week => Day::on(after),
            Which::Next => Day { others: vec![after], question: Some(Question::Weekday), ..Day::on(week) },
            Which::Other => {
                Day { others: vec![after], question: Some(Question::Weekday), ..Day::on(after + Duration::days(7)) }
            }
            Which::AfterNext | Which::WeekAfter => Day::on(after + Duration::days(7)),
            Which::Last => Day::on(soon - Duration::days(7)),
        }
    }
}

/// The Monday of a day's week.
fn monday(day: NaiveDate) -> NaiveDate {
    day - Duration::days(i64::from(day.weekday().num_days_from_monday()))
}

/// The first such weekday from a day on.
pub(super) fn coming(from: NaiveDate, weekday: u32) -> NaiveDate {
    let ahead = (weekday + 7 - from.weekday().num_days_from_monday()) % 7;
    from + Duration::days(i64::from(ahead))
}

/// The first day of the month so many months from a day's.
fn month_start(today: NaiveDate, months: i64) -> Option<NaiveDate> {
    let start = today.with_day(1)?;
    let n = u32::try_from(months.unsigned_abs()).ok()?;
    if months < 0 { start.checked_sub_months(Months::new(n)) } else { start.checked_add_months(Months::new(n)) }
}

/// The next day of that number, in a month that has it.
pub(super) fn next_day_of_month(today: NaiveDate, d: u32) -> Option<NaiveDate> {
    (0..12).filter_map(|k| month_start(today, k)?.with_day(d)).find(|date| *date >= today)
}

/// The nth day, business day or weekday of a month; the first one not yet gone.
pub(in super::super) fn nth_of(n: i32, what: Counted, month: InMonth, today: NaiveDate) -> Option<NaiveDate> {
    match month {
        InMonth::Rel(k) => {
            let date = nth_in(n, what, month_start(today, k)?)?;
            if date < today && k == 0 { nth_in(n, what, month_start(today, 1)?) } else { Some(date) }
        }
        InMonth::Each => (0..14).filter_map(|k| nth_in(n, what, month_start(today, k)?)).find(|date| *date >= today),
        InMonth::Named(m, Some(y)) => nth_in(n, what, NaiveDate::from_ymd_opt(y, m, 1)?),
        InMonth::Named(m, None) => (0..=8)
            .filter_map(|k| nth_in(n, what, NaiveDate::from_ymd_opt(today.year() + k, m, 1)?))
            .find(|date| *date >= today),
    }
}

/// The date of a moving feast in a year.
fn feast_in(feast: Feast, year: i32) -> Option<NaiveDate> {
    match feast {
        Feast::Easter(days) => easter(year)?.checked_add_signed(Duration::days(days)),
        Feast::Nth(n, weekday, month, days) => {
            let date = nth_in(n, Counted::Weekday(weekday), NaiveDate::from_ymd_opt(year, month, 1)?)?;
            date.checked_add_signed(Duration::days(days))
        }
    }
}

/// Easter Sunday, after the rule of Meeus, Jones and Butcher.
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let moon = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let sunday = (32 + 2 * (b % 4) + 2 * (c / 4) - moon - c % 4) % 7;
    let days = moon + sunday - 7 * ((a + 11 * moon + 22 * sunday) / 451) + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(days / 31).ok()?, u32::try_from(days % 31 + 1).ok()?)
}

fn nth_in(n: i32, what: Counted, start: NaiveDate) -> Option<NaiveDate> {
    let business = |d: &NaiveDate| !matches!(d.weekday(), Weekday::Sat | Weekday::Sun);
    let mut days: Vec<NaiveDate> = start.iter_days().take_while(|d| d.month() == start.month()).collect();
    match what {
        Counted::Day => {}
        Counted::Business => days.retain(business),
        Counted::Weekday(wd) => days.retain(|d| d.weekday().num_days_from_monday() == wd),
    }
    if n < 0 {
        days.reverse();
    }
    let at = usize::try_from(n.unsigned_abs()).ok()?.checked_sub(1)?;
    days.get(at).copied()
}

/// A day plus or less a length of days, business days and months.
pub(in super::super) fn plus(start: NaiveDate, length: Length, sign: i64) -> Option<NaiveDate> {
    let months = Months::new(u32::try_from(length.months).ok()?);
    let moved = if sign < 0 { start.checked_sub_months(months)? } else { start.checked_add_months(months)? };
    let mut date = moved.checked_add_signed(Duration::try_days(length.days.checked_mul(sign)?)?)?;
    let step = Duration::days(sign);
    for _ in 0..length.business.clamp(0, 1000) {
        date = date.checked_add_signed(step)?;
        while matches!(date.weekday(), Weekday::Sat | Weekday::Sun) {
            date = date.checked_add_signed(step)?;
        }
    }
    (date.year() < 9000).then_some(date)
}
