//! Reads "when?" replies in Portuguese, English and Spanish: a text, the present moment and a language in, a [`Reading`] out.
//! Pure: no clock, no input or output, no panic, and time linear in the length of the text.
//! Languages are word tables (`words/`); one grammar serves all of them.

mod english;
mod expand;
mod grammar;
mod item;
mod json;
mod lexer;
mod recur;
mod resolve;
mod split;
mod words;

use std::ops::Range;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;

use crate::domain::language::Language;

pub use expand::{Occurrence, next_after, settle};
pub use json::answer_json;
pub use split::{Split, split};
pub use words::Part;

/// What a text says about time, and the bytes of it that say so.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub meaning: Meaning,
    /// The bytes of text used; `0..0` for [`Meaning::Nothing`].
    pub span: Range<usize>,
    /// The zone whose clocks say it. Nothing for a length from now ("in two hours"): that is a moment, and no wall time.
    pub zone: Option<Tz>,
}

/// How precise a moment was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grain {
    Second,
    Minute,
    Hour,
    /// A part of the day ("tomorrow morning"): the hour is ours.
    Part,
    /// A date without a clock time.
    Day,
}

/// The meaning of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// One moment.
    At(DateTime<Tz>, Grain),
    /// A repetition.
    Every(Recurrence),
    /// Something is open: the question, and the moments that could be meant, in order of likelihood.
    /// A candidate whose hour was not said stands at a usual hour.
    Unclear { question: Question, candidates: Vec<DateTime<Tz>> },
    /// A moment already gone.
    Past(DateTime<Tz>),
    /// A time that cannot be.
    Impossible(Reason),
    /// No time at all.
    Nothing,
}

/// What has to be asked back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Question {
    /// Which half of the day: "at 8".
    AmPm,
    /// Which hour of a known date.
    Hour(NaiveDate),
    /// Which of two weekdays: "next friday".
    Weekday,
    /// A length or a clock time: "2 horas".
    Duration,
    /// Which of two moments with the same wall time, as clocks go back.
    Fold,
    /// Which date.
    Date,
    /// The text is too vague ("later"), or says two things.
    Moment,
}

/// Why a time cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The calendar has no such date.
    NoSuchDate {
        /// The nearest dates that exist, where one was nearly said.
        nearest: Vec<NaiveDate>,
    },
    /// Clocks skip this wall time; the nearest ones that exist.
    Gap { nearest: Vec<DateTime<Tz>> },
    /// Further away than anything is planned.
    TooFar,
}

/// A repetition as RFC 5545 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// The rule without `RRULE:`; a time is in it only if one was said.
    pub rule: String,
    /// The part of day where no hour was said.
    pub part: Option<Part>,
    /// The first moment, at the said hour or one that stands for the part, else 09:00.
    pub first: DateTime<Tz>,
    /// Whether a clock time was said.
    pub timed: bool,
}

/// Reads a reply. A word that was not understood and may belong to the time makes it [`Meaning::Unclear`].
pub fn read(text: &str, now: DateTime<Tz>, language: Language) -> Reading {
    let outcome = resolve::reply(text, now, language);
    Reading { meaning: outcome.meaning, span: outcome.span, zone: outcome.zone }
}

/// Reads the time of a text that says more than that: words beside it are none of its business.
fn read_amid(text: &str, now: DateTime<Tz>, language: Language) -> Reading {
    let outcome = resolve::outcome(text, now, language);
    Reading { meaning: outcome.meaning, span: outcome.span, zone: outcome.zone }
}
