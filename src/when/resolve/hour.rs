//! From a clock time or a part of day to the hour meant, on a day or the next time it comes.

use chrono::{Duration, NaiveDateTime, Timelike as _};

use super::super::item::Clock;
use super::super::words::Part;
use super::super::{Grain, Question};
use super::day::Day;
use super::{Draft, Local, time};

/// Minutes in a day.
const DAY: u32 = 1440;

/// The next moment with such a minute of the day.
pub(super) fn coming(minute: u32, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let at = now.date().and_time(time(minute / 60, minute, 0));
    if at >= now.with_second(0)? { Some(at) } else { at.checked_add_signed(Duration::days(1)) }
}

/// The minutes from midnight a clock time may mean, the first the likelier; more than one where am or pm is missing.
/// Minutes past the end of the day belong to the next.
fn minutes(clock: &Clock, part: Option<Part>, dated: bool) -> Vec<u32> {
    let h = clock.hour;
    let hours = if clock.midnight || h == 24 {
        vec![24]
    } else if let (Some(Part::Evening | Part::Night | Part::LateNight), Some(false), 1..=5 | 12) = (part, clock.pm, h) {
        // "tomorrow night 1am": of the night that begins then, or of that date.
        vec![h % 12 + 24, h % 12]
    } else if let Some(pm) = clock.pm {
        vec![if h > 12 { h } else { h % 12 + if pm { 12 } else { 0 } }]
    } else if let (Some(part), 1..=12) = (part, h) {
        vec![in_part(h, part)]
    } else if clock.full || h > 12 || h == 0 || (dated && h >= 6) {
        vec![h]
    } else if dated {
        vec![h + 12, h]
    } else {
        vec![h % 12, h % 12 + 12]
    };
    let less = |m: u32| if clock.less > m { m + DAY - clock.less } else { m - clock.less };
    hours.into_iter().map(|h| less(h * 60 + clock.minute)).collect()
}

/// The one minute of the day that a repetition takes a clock time for.
pub(in super::super) fn usual_minute(clock: &Clock, part: Option<Part>) -> u32 {
    minutes(clock, part, true).first().copied().unwrap_or_default() % DAY
}

/// The hour of the day of a 12-hour clock within a part of the day.
fn in_part(h: u32, part: Part) -> u32 {
    match part {
        Part::EarlyMorning => h % 12,
        Part::Morning | Part::MidMorning => h,
        Part::Lunch if h >= 10 => h,
        Part::Lunch | Part::Afternoon | Part::MidAfternoon | Part::LateAfternoon => h % 12 + 12,
        Part::Evening | Part::Night | Part::LateNight => match h {
            12 => 24,
            1..=3 => h + 24,
            _ => h + 12,
        },
    }
}

impl Draft {
    /// The local moments that the clock or part of day may mean.
    pub(super) fn moments(&self, day: Option<&Day>, now: NaiveDateTime) -> Local {
        let Some(clock) = self.clocks.first() else {
            return self.part_of_day(day, now);
        };
        let second = clock.second;
        let grain = if clock.seconds {
            Grain::Second
        } else if clock.minute == 0 && clock.less == 0 {
            Grain::Hour
        } else {
            Grain::Minute
        };
        let mut question = None;
        let mut moments = Vec::new();
        let distinct = self.clocks.iter().any(|c| (c.hour, c.minute, c.less) != (clock.hour, clock.minute, clock.less));
        if clock.stretch {
            question = Some(Question::Moment);
        }
        if distinct && day.is_none_or(|d| d.question.is_none()) {
            question = Some(Question::Moment);
        }
        for clock in self.clocks.iter().take(if distinct { 4 } else { 1 }) {
            let options = minutes(clock, self.part, day.is_some());
            if let Some(day) = day {
                // A part of the day decides its half.
                let clock = Clock { full: clock.full || self.part.is_some(), ..*clock };
                on_day(day, &clock, &options, second, now, &mut moments, &mut question);
            } else {
                let mut found: Vec<_> = options
                    .iter()
                    .filter_map(|m| coming(m % DAY, now))
                    .map(|m| m + Duration::seconds(i64::from(second)))
                    .collect();
                found.sort();
                if found.len() > 1 {
                    question = question.or(Some(Question::AmPm));
                }
                moments.extend(found);
            }
        }
        if clock.length && day.is_none() && self.part.is_none() && clock.pm.is_none() && !clock.led {
            question = question.or(Some(Question::Duration));
            moments.push(now + Duration::minutes(i64::from(clock.hour * 60 + clock.minute)));
        }
        Local { moments, question, grain }
    }

    fn part_of_day(&self, day: Option<&Day>, now: NaiveDateTime) -> Local {
        let part = self.part.unwrap_or(Part::Morning);
        let today = now.date();
        let date = match day {
            Some(day) => day.date,
            None if now.hour() + 1 >= part.end() => today + Duration::days(1),
            None => today,
        };
        let hour = if date == today && part.hour() <= now.hour() && now.hour() + 1 < part.end() {
            now.hour() + 1
        } else {
            part.hour()
        };
        let mut moments = vec![date.and_time(time(hour, 0, 0))];
        if let Some(day) = day {
            moments.extend(day.others.iter().map(|d| d.and_time(time(part.hour(), 0, 0))));
        }
        // "fim do dia" said as the day ends: this one, or the next.
        let ending = day.is_none() && part == Part::LateAfternoon && now.hour() > part.hour();
        if ending && date == today {
            moments.push((today + Duration::days(1)).and_time(time(part.hour(), 0, 0)));
        }
        Local { moments, question: ending.then_some(Question::Moment), grain: Grain::Part }
    }
}

/// Adds the moments of a clock time on a day.
fn on_day(
    day: &Day,
    clock: &Clock,
    options: &[u32],
    second: u32,
    now: NaiveDateTime,
    moments: &mut Vec<NaiveDateTime>,
    question: &mut Option<Question>,
) {
    let mut found: Vec<NaiveDateTime> = Vec::new();
    for date in std::iter::once(day.date).chain(day.others.iter().copied()) {
        for m in options {
            // Midnight of a calendar date begins it; of today, ends it.
            let midnight = clock.midnight && day.fixed;
            let m = if midnight { (*m).saturating_sub(DAY) } else { *m };
            let at =
                date.and_time(time(0, 0, 0)) + Duration::minutes(i64::from(m)) + Duration::seconds(i64::from(second));
            found.push(at);
            if clock.midnight && !day.fixed && !day.today {
                *question = question.or(Some(Question::Date));
                found.push(at - Duration::days(1));
            }
        }
    }
    if options.len() > 1 {
        let ahead: Vec<_> = found.iter().copied().filter(|at| *at >= now).collect();
        if ahead.len() > 1 {
            *question = question.or(Some(Question::AmPm));
        }
        if !ahead.is_empty() {
            found = ahead;
        }
    } else if day.today
        && found.first().is_some_and(|at| *at < now)
        && clock.pm.is_none()
        && !clock.full
        && clock.hour <= 12
    {
        // "hoje às 9" said in the afternoon is nine in the evening.
        let later = found[0] + Duration::hours(12);
        if later > now && later.date() == day.date {
            found[0] = later;
        }
    }
    moments.extend(found);
}
