//! The pieces of a time that the grammar finds in a text, before they are put together.

use chrono_tz::Tz;

use super::words::{Edge, Feast, Part, Unit};

/// A clock time as said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent trait of how the time was said")]
pub(super) struct Clock {
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    /// `Some(true)` for pm, `Some(false)` for am.
    pub pm: Option<bool>,
    /// Said on the clock of 24 hours: no am or pm is missing.
    pub full: bool,
    /// Led by a word such as "at".
    pub led: bool,
    /// Might as well be a length: "2 horas", "1h30".
    pub length: bool,
    /// Only a time in company of a date or a part of day.
    pub weak: bool,
    pub midnight: bool,
    pub noon: bool,
    /// "h" and seconds were said, so the moment is precise to that.
    pub seconds: bool,
    /// Two numbers with an "and" between: "8 e 20" may be two hours.
    pub pair: bool,
    /// The first of a stretch: "from 9 to 10".
    pub stretch: bool,
    /// Minutes less ("quarter to"), taken off once the half of the day is known.
    pub less: u32,
}

/// A length of time: calendar months, days and seconds apart, as they add up differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Length {
    pub months: i64,
    pub days: i64,
    pub business: i64,
    pub seconds: i64,
    /// Hours or less were said, so the sum is a moment and not a date.
    pub clock: bool,
}

/// Which of several weekdays of a name is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Plain,
    This,
    /// "next friday": the first one, or the one of next week.
    Next,
    AfterNext,
    /// "na outra sexta": the one after the first, or the first.
    Other,
    /// "sexta sim, sexta não": every second one.
    Alternate,
    /// "friday week": a week after the first one.
    WeekAfter,
    Last,
}

/// The month in which something is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InMonth {
    /// Months from this one.
    Rel(i64),
    Named(u32, Option<i32>),
    /// "of every month".
    Each,
}

/// What is counted in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Weekday(u32),
    Day,
    Business,
}

/// One piece of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// Days from today.
    Rel(i64),
    Now,
    Weekday(u32, Which),
    /// Weekdays that repeat.
    Weekdays(u32),
    Range(u32, u32),
    /// Day of a month not named; `true` when an article or "dia" says so.
    Day(u32, bool),
    /// Day and month, maybe year.
    Date(u32, u32, Option<i32>),
    Year(i32),
    Week(i64),
    Month(i64),
    /// Years from this one.
    Years(i64),
    Moving(Feast),
    /// A month by its name.
    Named(u32, Option<i32>),
    /// The edge of the week, month or year said with it, or of the present one.
    Edge(Edge, Option<Unit>),
    /// The nth, or from the end, of a month.
    Nth(i32, Counted, InMonth),
    /// The nth such weekday from now.
    Fridays(i64, u32),
    Closest(u32),
    Clock(Clock),
    /// A number that is an hour or a day only in company.
    Bare(u32, bool),
    Part(Part),
    Parts(Part),
    /// A length: its sign when a word leads or follows it, and whether a date follows to count from.
    Length(Length, Option<i64>, bool),
    /// Minutes taken off the clock: "menos cuarto".
    Less(u32),
    Every(u32, Option<Unit>),
    Workdays,
    /// A weekend, so many weeks from now.
    Weekend(i64),
    Until,
    /// The first day of a repetition follows.
    Start,
    /// Days to leave out follow.
    Except,
    /// How often.
    Count(u32),
    /// How often in a day, week or month.
    Per(u32, Unit),
    For(Length),
    Or,
    Vague,
    Zone(Tz),
}
