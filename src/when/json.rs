//! Answers JSON lines: `{"text","lang","reference"}` in, `{"value","recurrence","ask","us"}` out.

use std::time::Instant;

use chrono::{DateTime, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::resolve::{self, Plain};
use super::{Meaning, Part, Question};
use crate::domain::language::Language;

/// One case to be read.
#[derive(Deserialize)]
struct Case {
    text: String,
    #[serde(default)]
    lang: String,
    reference: String,
    /// An IANA zone; without it the offset of the reference holds.
    #[serde(default)]
    zone: Option<String>,
}

/// The answer to a case.
#[derive(Serialize, Default)]
struct Answer {
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ask: Option<&'static str>,
    /// Why a line could not be read, or was read otherwise than it asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    us: f64,
}

/// Answers one JSON line with another; a line that is no case gets an empty answer that says why.
pub fn answer_json(line: &str) -> String {
    let failed = |error: String| Answer { error: Some(error), ..Answer::default() };
    let answer = match serde_json::from_str::<Case>(line) {
        Ok(case) => {
            answer(&case).unwrap_or_else(|| failed(format!("no such reference: {}", case.reference.escape_debug())))
        }
        Err(error) => failed(format!("no case: {error}")),
    };
    serde_json::to_string(&answer).unwrap_or_else(|_| r#"{"value":null}"#.to_owned())
}

fn answer(case: &Case) -> Option<Answer> {
    let now = reference(&case.reference, case.zone.as_deref())?;
    let known = Language::from_tag(&case.lang);
    let language = known.unwrap_or_default();
    let lost = case.zone.as_deref().filter(|name| name.parse::<Tz>().is_err());
    let error = lost.map(|name| format!("no such zone: {}", name.escape_debug()));
    let error = error.or_else(|| {
        (known.is_none() && !case.lang.is_empty())
            .then(|| format!("no such lang: {}; read as {}", case.lang.escape_debug(), language.tag()))
    });
    let start = Instant::now();
    let outcome = resolve::reply(&case.text, now, language);
    let us = start.elapsed().as_secs_f64() * 1e6;
    let value = match outcome.plain {
        Some(Plain::Date(date)) => Some(date.format("%Y-%m-%d").to_string()),
        Some(Plain::Moment(at)) => Some(at.format("%Y-%m-%dT%H:%M:%S").to_string()),
        None => None,
    };
    let recurrence = match &outcome.meaning {
        Meaning::Every(every) => Some(match every.part.and_then(part_name) {
            Some(part) => format!("{};X-PART={part}", every.rule),
            None => every.rule.clone(),
        }),
        _ => None,
    };
    let ask = match &outcome.meaning {
        Meaning::Unclear { question, .. } => question_name(*question),
        Meaning::Past(_) => Some("past"),
        Meaning::Impossible(_) => Some("impossible"),
        _ => None,
    };
    Some(Answer { value, recurrence, ask, error, us })
}

/// The name of a question; an hour that is not said is no question to the scorer, which takes bare dates.
const fn question_name(question: Question) -> Option<&'static str> {
    match question {
        Question::AmPm => Some("am_pm"),
        Question::Hour(_) => None,
        Question::Weekday => Some("weekday"),
        Question::Duration => Some("duration"),
        Question::Fold => Some("fold"),
        Question::Date => Some("date"),
        Question::Moment => Some("moment"),
    }
}

const fn part_name(part: Part) -> Option<&'static str> {
    match part {
        Part::EarlyMorning | Part::Morning | Part::MidMorning => Some("MORNING"),
        Part::Lunch => None,
        Part::Afternoon | Part::MidAfternoon | Part::LateAfternoon => Some("AFTERNOON"),
        Part::Evening => Some("EVENING"),
        Part::Night | Part::LateNight => Some("NIGHT"),
    }
}

/// The moment of reference in its zone, or in one with its offset, or, for offsets that no zone has, at its wall time.
fn reference(text: &str, zone: Option<&str>) -> Option<DateTime<Tz>> {
    let Ok(at) = DateTime::parse_from_rfc3339(text) else {
        let naive: NaiveDateTime = text.get(..19)?.parse().ok()?;
        return Tz::UTC.from_local_datetime(&naive).earliest();
    };
    if let Some(zone) = zone.and_then(|name| name.parse::<Tz>().ok()) {
        return Some(at.with_timezone(&zone));
    }
    let seconds = at.offset().fix().local_minus_utc();
    let hours = seconds / 3600;
    if seconds % 3600 == 0 && (-12..=14).contains(&hours) {
        let name = if hours == 0 { "UTC".to_owned() } else { format!("Etc/GMT{:+}", -hours) };
        if let Ok(zone) = name.parse::<Tz>() {
            return Some(at.with_timezone(&zone));
        }
    }
    Tz::UTC.from_local_datetime(&at.naive_local()).earliest()
}
