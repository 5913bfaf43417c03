//! Replies about time: what they come to, and the moments that are offered.

use std::time::Duration;

use chrono::{Days, NaiveDate, TimeZone};

use super::Talk;
use crate::domain::account::Account;
use crate::domain::clock::Moment;
use crate::domain::language::Language;
use crate::domain::series::Rhythm;
use crate::domain::wall::Due;
use crate::locale::t;
use crate::telegram::screen::Html;
use crate::when::{self, Grain, Meaning, Question, Recurrence};

/// Usual moments: in an hour, this evening, tomorrow morning and afternoon.
pub(super) fn quick(now: Moment, account: &Account) -> Vec<Moment> {
    let today = now.in_zone(account.zone).date_naive();
    let tomorrow = today + Days::new(1);
    let in_an_hour = Moment((now.0 + 3_600_000) / 60_000 * 60_000);
    let mut at: Vec<_> =
        [Some(in_an_hour), wall(today, 18, account), wall(tomorrow, 9, account), wall(tomorrow, 14, account)]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .collect();
    at.sort_unstable();
    at.dedup();
    at
}

/// Usual hours of a day that are still to come.
pub(super) fn hours(day: NaiveDate, now: Moment, account: &Account) -> Vec<Moment> {
    [9, 14, 19].into_iter().filter_map(|hour| wall(day, hour, account)).filter(|at| *at > now).collect()
}

fn wall(day: NaiveDate, hour: u32, account: &Account) -> Option<Moment> {
    let at = day.and_hms_opt(hour, 0, 0)?;
    account.zone.from_local_datetime(&at).earliest().map(Into::into)
}

/// What a reply about time comes to.
pub(super) enum Heard {
    /// A moment.
    At(Due),
    /// A day; the hour is to be asked.
    Day(NaiveDate),
    /// A repetition.
    Every(Rhythm),
    /// A repetition without an hour, with usual ones.
    EveryDay(Rhythm, Vec<Rhythm>),
    /// Something open: a question with the moments that may be meant.
    Ask(Html, Vec<Moment>),
    /// Nothing that can be used; why.
    Refused(Html),
}

/// Reads a reply. A bare hour belongs to the `day`, or to the repetition `every`, that was said before.
pub(super) fn read_time(
    talk: &Talk<'_>,
    account: &Account,
    day: Option<NaiveDate>,
    every: Option<&str>,
    text: &str,
) -> Heard {
    let (language, now) = (talk.language, talk.now.in_zone(account.zone));
    let when::Reading { mut meaning, mut zone, .. } = when::read(text, now, language);
    if let Some(day) = day {
        // A bare hour belongs to the day that was said before.
        let order = if language == Language::English { "%m/%d/%Y" } else { "%d/%m/%Y" };
        let joined = when::read(&format!("{} {text}", day.format(order)), now, language);
        if let Meaning::At(at, grain) = &joined.meaning
            && *grain != Grain::Day
            && at.date_naive() == day
        {
            (meaning, zone) = (joined.meaning, joined.zone);
        }
    }
    if let Some(before) = every
        && let Some(joined) = hour_of(before, text, now, language)
    {
        meaning = Meaning::Every(joined);
    }
    match meaning {
        Meaning::At(at, Grain::Day) => Heard::Day(at.date_naive()),
        Meaning::At(at, _) => Heard::At(Due { at: at.into(), by: zone }),
        Meaning::Unclear { question: Question::Hour(day), .. } => Heard::Day(day),
        Meaning::Unclear { candidates, .. } => {
            let near: Vec<Moment> = candidates.into_iter().map(Into::into).filter(|at| *at > talk.now).collect();
            if near.is_empty() {
                Heard::Refused(t!(language, "when-not-understood"))
            } else {
                let ask = if near.len() == 1 { t!(language, "when-unclear-one") } else { t!(language, "when-unclear") };
                Heard::Ask(ask, near)
            }
        }
        Meaning::Past(at) => {
            let at = Moment::from(at);
            let ask = t!(language, "when-past", moment = crate::locale::format::moment(at, account.zone, language));
            let local = at.in_zone(account.zone);
            let again = [
                talk.now.in_zone(account.zone).date_naive(),
                talk.now.in_zone(account.zone).date_naive() + Days::new(1),
            ];
            let near = again
                .into_iter()
                .filter_map(|day| account.zone.from_local_datetime(&day.and_time(local.time())).earliest())
                .map(Moment::from)
                .filter(|at| *at > talk.now)
                .take(1);
            Heard::Ask(ask, std::iter::once(talk.now.plus(Duration::from_secs(60))).chain(near).collect())
        }
        Meaning::Impossible(when::Reason::NoSuchDate { nearest }) => {
            // The hour that was said with it, or a usual one, on the nearest days that exist.
            let order = if language == Language::English { "%m/%d/%Y" } else { "%d/%m/%Y" };
            let hour = text.split_once([' ', ',']).map_or("9:00", |(_, rest)| rest.trim());
            let near = nearest.into_iter().filter_map(|day| {
                let read = |hour: &str| match when::read(&format!("{} {hour}", day.format(order)), now, language)
                    .meaning
                {
                    Meaning::At(at, grain) if grain != Grain::Day && at.date_naive() == day => Some(Moment::from(at)),
                    _ => None,
                };
                read(hour).or_else(|| read("9:00"))
            });
            let near: Vec<Moment> = near.filter(|at| *at > talk.now).collect();
            let said = t!(language, "when-no-such-date");
            if near.is_empty() { Heard::Refused(said) } else { Heard::Ask(said, near) }
        }
        Meaning::Impossible(when::Reason::Gap { nearest }) => {
            Heard::Ask(t!(language, "when-gap"), nearest.into_iter().map(Into::into).collect())
        }
        Meaning::Impossible(when::Reason::TooFar) => Heard::Refused(t!(language, "when-too-far")),
        Meaning::Every(every) => repetition(every, talk.now, account),
        Meaning::Nothing => Heard::Refused(t!(language, "when-not-understood")),
    }
}

/// Usual hours of a repetition that was said without one.
const USUAL_HOURS: [u32; 3] = [9, 14, 19];

fn repetition(every: Recurrence, now: Moment, account: &Account) -> Heard {
    let runs_by_the_clock = ["FREQ=HOURLY", "FREQ=MINUTELY"].iter().any(|freq| every.rule.starts_with(freq));
    let rhythm = Rhythm { rule: every.rule, starts_at: every.first.naive_local() };
    if every.timed || runs_by_the_clock {
        return Heard::Every(rhythm);
    }
    // A part of the day was said: its hour comes first.
    let said = every.part.map(when::Part::hour);
    let hours = said.into_iter().chain(USUAL_HOURS.into_iter().filter(|hour| Some(*hour) != said));
    let offered = hours.filter_map(|hour| {
        let (head, end) = rhythm.rule.split_at(end_of(&rhythm.rule));
        let rule = format!("{head};BYHOUR={hour};BYMINUTE=0{end}");
        super::series::starting(rule, chrono::NaiveTime::from_hms_opt(hour, 0, 0)?, now, account)
    });
    let offered = offered.collect();
    Heard::EveryDay(rhythm, offered)
}

/// Where the end of a rule begins, as in `…;COUNT=3`.
fn end_of(rule: &str) -> usize {
    [";COUNT=", ";UNTIL="].iter().filter_map(|end| rule.find(end)).min().unwrap_or(rule.len())
}

/// A repetition said before, with the hour that is said now; `None` where they make no sense together.
fn hour_of(before: &str, text: &str, now: chrono::DateTime<chrono_tz::Tz>, language: Language) -> Option<Recurrence> {
    let Meaning::Every(known) = when::read(before, now, language).meaning else { return None };
    let at = match language {
        Language::Portuguese => "às",
        Language::English => "at",
        Language::Spanish => "a las",
    };
    // "9" behind "todo dia" would be a day of the month.
    [format!("{before} {at} {text}"), format!("{before} {text}")].into_iter().find_map(|joined| {
        match when::read(&joined, now, language).meaning {
            Meaning::Every(every) if every.timed && every.rule.starts_with(&known.rule[..end_of(&known.rule)]) => {
                Some(every)
            }
            _ => None,
        }
    })
}
