//! Dates, times and spans as speakers of a language write them.

use std::time::Duration;

use chrono::{Datelike, NaiveDate, Offset, Timelike};
use chrono_tz::Tz;

use super::plain;
use crate::domain::clock::Moment;
use crate::domain::language::Language;
use crate::domain::places::zone_name;

/// `qui, 12/03/2026 às 09:00`
pub fn moment(at: Moment, zone: Tz, language: Language) -> String {
    let local = at.in_zone(zone);
    let weekday = plain!(language, "weekday-short", n = weekday(local.weekday()));
    let (day, month, year) = (local.day(), local.month(), local.year());
    let (hour, minute) = (local.hour(), local.minute());
    match language {
        Language::Portuguese => format!("{weekday}, {day:02}/{month:02}/{year} às {hour:02}:{minute:02}"),
        Language::English => {
            let month = plain!(language, "month-short", n = month);
            format!("{weekday}, {month} {day}, {year} at {hour:02}:{minute:02}")
        }
        Language::Spanish => format!("{weekday}, {day:02}/{month:02}/{year} a las {hour:02}:{minute:02}"),
    }
}

/// `qui, 12/03/2026`
pub fn day(day: NaiveDate, language: Language) -> String {
    let weekday = plain!(language, "weekday-short", n = weekday(day.weekday()));
    match language {
        Language::Portuguese | Language::Spanish => {
            format!("{weekday}, {:02}/{:02}/{}", day.day(), day.month(), day.year())
        }
        Language::English => {
            let month = plain!(language, "month-short", n = day.month());
            format!("{weekday}, {month} {}, {}", day.day(), day.year())
        }
    }
}

/// `São Paulo (UTC−3)`
pub fn zone(at: Moment, zone: Tz, language: Language) -> String {
    let seconds = at.in_zone(zone).offset().fix().local_minus_utc();
    let sign = if seconds < 0 { '−' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    let city = zone_name(zone, language);
    if minutes == 0 { format!("{city} (UTC{sign}{hours})") } else { format!("{city} (UTC{sign}{hours}:{minutes:02})") }
}

/// `2 dias e 3 h`, `18 min`, `40 s`: the two largest units.
pub fn span(by: Duration, language: Language) -> String {
    let seconds = by.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let day = |n: u64| plain!(language, "span-days", n = n);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, 0, _) => day(d),
        (d, h, _) => format!("{} {h} h", day(d)),
    }
}

/// `qui`
pub fn weekday_name(day: chrono::Weekday, language: Language) -> String {
    plain!(language, "weekday-short", n = weekday(day))
}

/// `dez`
pub fn month_name(month: u32, language: Language) -> String {
    plain!(language, "month-short", n = month)
}

/// `25/12`, `Dec 25`
pub fn day_of_month(day: u32, month: u32, language: Language) -> String {
    match language {
        Language::Portuguese | Language::Spanish => format!("{day:02}/{month:02}"),
        Language::English => format!("{} {day}", month_name(month, language)),
    }
}

fn weekday(day: chrono::Weekday) -> u32 {
    day.number_from_monday()
}
