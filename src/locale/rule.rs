//! Rules of series in words: "toda semana · seg, qua · às 09:00".

use chrono::{Datelike, Weekday};
use chrono_tz::Tz;

use super::{format, plain};
use crate::domain::clock::Moment;
use crate::domain::language::Language;
use crate::domain::series::Rhythm;

const DAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

/// A rhythm in words. What a rule leaves open, its first occurrence says.
pub fn rule(rhythm: &Rhythm, zone: Tz, language: Language) -> String {
    let part = |name: &str| {
        rhythm.rule.split(';').filter_map(|part| part.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    };
    let start = rhythm.starts_at;
    let n: u32 = part("INTERVAL").and_then(|n| n.parse().ok()).unwrap_or(1);
    let by_day = part("BYDAY");
    let mut said = Vec::new();
    let mut timed = true;
    match part("FREQ").unwrap_or_default() {
        "MINUTELY" => {
            said.push(plain!(language, "every-minutes", n = n));
            timed = false;
        }
        "HOURLY" => {
            said.push(plain!(language, "every-hours", n = n));
            timed = false;
        }
        "WEEKLY" => match by_day {
            Some("MO,TU,WE,TH,FR") if n == 1 => said.push(plain!(language, "every-workday")),
            Some("SA,SU") if n == 1 => said.push(plain!(language, "every-weekend")),
            _ => {
                said.push(plain!(language, "every-weeks", n = n));
                said.push(match by_day {
                    Some(days) => list(days.split(',').map(|day| weekday(day, language)), language),
                    None => format::weekday_name(start.weekday(), language),
                });
            }
        },
        "MONTHLY" => {
            said.push(plain!(language, "every-months", n = n));
            said.push(within(&part, start.day(), language));
        }
        "YEARLY" => {
            said.push(plain!(language, "every-years", n = n));
            let month: u32 = part("BYMONTH").and_then(|m| m.parse().ok()).unwrap_or(start.month());
            let day = part("BYMONTHDAY").and_then(|d| d.parse().ok()).unwrap_or(start.day());
            if by_day.is_some() {
                said.push(within(&part, start.day(), language));
                said.push(format::month_name(month, language));
            } else {
                said.push(format::day_of_month(day, month, language));
            }
        }
        _ => match by_day {
            Some(days) => said.push(list(days.split(',').map(|day| weekday(day, language)), language)),
            None => said.push(plain!(language, "every-days", n = n)),
        },
    }
    if timed {
        let minute: u32 = part("BYMINUTE").and_then(|m| m.parse().ok()).unwrap_or_else(|| minute(start));
        let hours: Vec<u32> = part("BYHOUR")
            .map_or_else(|| vec![hour(start)], |hours| hours.split(',').filter_map(|hour| hour.parse().ok()).collect());
        let times = list(hours.into_iter().map(|hour| format!("{hour:02}:{minute:02}")), language);
        said.push(plain!(language, "rule-at", times = times));
    }
    if let Some(count) = part("COUNT").and_then(|n| n.parse::<u32>().ok()) {
        said.push(plain!(language, "rule-count", n = count));
    }
    if let Some(until) = part("UNTIL").and_then(|until| end(until, zone)) {
        said.push(plain!(language, "rule-until", day = format::day(until, language)));
    }
    said.join(" · ")
}

fn hour(at: chrono::NaiveDateTime) -> u32 {
    chrono::Timelike::hour(&at)
}

fn minute(at: chrono::NaiveDateTime) -> u32 {
    chrono::Timelike::minute(&at)
}

/// Which days of a month: "dia 5", "2ª ter", "último dia útil".
fn within<'a>(part: &impl Fn(&str) -> Option<&'a str>, otherwise: u32, language: Language) -> String {
    if let Some(place) = part("BYSETPOS").and_then(|n| n.parse::<i32>().ok()) {
        return match place {
            ..0 => plain!(language, "rule-last-workday"),
            n => plain!(language, "rule-nth-workday", n = n),
        };
    }
    if let Some(days) = part("BYDAY") {
        return list(days.split(',').map(|day| nth(day, language)), language);
    }
    match part("BYMONTHDAY") {
        Some("-1") => plain!(language, "rule-last-day"),
        Some(days) => plain!(language, "rule-days", days = list(days.split(',').map(str::to_owned), language)),
        None => plain!(language, "rule-days", days = otherwise.to_string()),
    }
}

/// "2ª ter" of `2TU`, "última sex" of `-1FR`.
fn nth(day: &str, language: Language) -> String {
    let (place, name) = day.split_at_checked(day.len().saturating_sub(2)).unwrap_or(("", day));
    let number = DAYS.iter().find(|(short, _)| *short == name).map_or(1, |(_, day)| day.number_from_monday());
    match place.parse::<i32>() {
        Err(_) => weekday(name, language),
        Ok(..0) => plain!(language, "rule-last-weekday", weekday = number, day = weekday(name, language)),
        Ok(n) => plain!(language, "rule-nth", n = n, weekday = number, day = weekday(name, language)),
    }
}

fn weekday(name: &str, language: Language) -> String {
    let known = DAYS.iter().find(|(short, _)| *short == name);
    known.map_or_else(|| name.to_owned(), |(_, day)| format::weekday_name(*day, language))
}

/// "seg, qua e sex"
fn list(items: impl Iterator<Item = String>, language: Language) -> String {
    let mut items: Vec<String> = items.collect();
    match items.pop() {
        Some(last) if !items.is_empty() => format!("{} {} {last}", items.join(", "), plain!(language, "and")),
        Some(one) => one,
        None => String::new(),
    }
}

/// The last day of an `UNTIL`, in the zone.
fn end(until: &str, zone: Tz) -> Option<chrono::NaiveDate> {
    match chrono::NaiveDateTime::parse_from_str(until, "%Y%m%dT%H%M%SZ") {
        Ok(at) => Some(Moment::from(at.and_utc()).in_zone(zone).date_naive()),
        Err(_) => chrono::NaiveDate::parse_from_str(until.get(..8)?, "%Y%m%d").ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_rule_is_said_in_words() {
        let say = |rule: &str, language| {
            let starts_at = "2026-03-12T09:30:00".parse().unwrap();
            super::rule(&Rhythm { rule: rule.to_owned(), starts_at }, chrono_tz::America::Sao_Paulo, language)
        };
        let (pt, en, es) = (Language::Portuguese, Language::English, Language::Spanish);
        for (rule, language, words) in [
            ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0", pt, "todo dia · às 09:00"),
            ("FREQ=DAILY;INTERVAL=2", en, "every 2 days · at 09:30"),
            ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8;BYMINUTE=0", en, "every weekday · at 08:00"),
            (
                "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYHOUR=9,17;BYMINUTE=5",
                pt,
                "toda semana · seg, qua e sex · às 09:05 e 17:05",
            ),
            ("FREQ=WEEKLY;INTERVAL=2", es, "cada 2 semanas · jue · a las 09:30"),
            ("FREQ=MONTHLY;BYMONTHDAY=5;BYHOUR=10;BYMINUTE=0", pt, "todo mês · dia 5 · às 10:00"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", pt, "todo mês · último dia · às 09:30"),
            ("FREQ=MONTHLY;BYDAY=2TU", en, "every month · 2nd Tue · at 09:30"),
            ("FREQ=MONTHLY;BYDAY=-1FR", pt, "todo mês · última sex · às 09:30"),
            ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", es, "cada mes · 1.º día hábil · a las 09:30"),
            ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", pt, "todo ano · 25/12 · às 09:30"),
            ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", en, "every year · Dec 25 · at 09:30"),
            ("FREQ=HOURLY;INTERVAL=2;COUNT=3", en, "every 2 hours · 3 times"),
            ("FREQ=DAILY;UNTIL=20260401T025959Z", pt, "todo dia · às 09:30 · até ter, 31/03/2026"),
        ] {
            assert_eq!(say(rule, language), words, "{rule}");
        }
    }
}
