//! A second reader for English: `chrono-english`. It is asked only when our grammar read nothing, and believed only
//! when it cannot have dropped a clock time: it reads "tomorrow 9am" as tomorrow at the present hour.

use chrono::DateTime;
use chrono_english::{Dialect, parse_date_string};
use chrono_tz::Tz;

use super::resolve::{Outcome, Plain};
use super::words::month_first;
use super::{Grain, Meaning};
use crate::domain::language::Language;

/// Longer texts are no bare time expressions.
const LONGEST: usize = 32;

/// What `chrono-english` makes of a text, if it may be believed.
pub(super) fn read(text: &str, now: DateTime<Tz>, language: Language) -> Option<Outcome> {
    let trimmed = text.trim();
    let words = trimmed.split_whitespace().count();
    // It wants a word with letters and digits of a clock; anything else is ours to judge.
    let shaped = trimmed.contains(':') && trimmed.chars().any(char::is_alphabetic) && words >= 2;
    // It panics on letters beyond ASCII, and its numbers may overflow.
    let plain = trimmed.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b':' | b'/' | b'-' | b'.'));
    let short = trimmed.split(|c: char| !c.is_ascii_digit()).all(|digits| digits.len() <= 4);
    if !month_first(language) || !shaped || !plain || !short || trimmed.len() > LONGEST {
        return None;
    }
    let at = parse_date_string(trimmed, now, Dialect::Us).ok()?;
    // A kept wall time means that it took no notice of the clock in the text.
    let lost = at.time() == now.time() || at.naive_local() < now.naive_local();
    let start = text.len() - text.trim_start().len();
    (!lost).then(|| Outcome {
        meaning: Meaning::At(at, Grain::Minute),
        plain: Some(Plain::Moment(at.naive_local())),
        span: start..start + trimmed.len(),
        zone: Some(now.timezone()),
    })
}
