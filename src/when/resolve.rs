//! Puts the pieces of a time together and finds the moment they mean: the next one, unless they say otherwise.

mod day;
mod doubt;
mod hour;
mod telling;
mod two;

use std::ops::Range;

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;

use super::grammar::{Found, Parser};
use super::item::{Clock, Item, Length};
use super::lexer::{Token, lex};
use super::words::{Edge, Feast, Part, Unit};
use super::{Grain, Meaning, Question, Reason, english, recur};
use crate::domain::language::Language;
use day::Day;
use telling::telling;
use two::either;

pub(super) use day::{nth_of, plus};
pub(super) use hour::usual_minute;

/// The hours offered when only the date is known.
const USUAL_HOURS: [u32; 3] = [9, 14, 19];
/// Nothing is planned further ahead than this.
const TOO_FAR_DAYS: i64 = 3660;
/// A number beside a weekday that would be a date further ahead than this is asked about.
const FAR_DAYS: i64 = 62;

/// A value without its zone, for those who compare wall times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    Date(NaiveDate),
    Moment(NaiveDateTime),
}

/// What was made of a text.
pub(super) struct Outcome {
    pub meaning: Meaning,
    pub plain: Option<Plain>,
    pub span: Range<usize>,
    /// The zone whose clocks say it; nothing for a length from now.
    pub zone: Option<Tz>,
}

/// The pieces of one moment, sorted by kind.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent trait of what was said")]
pub(super) struct Draft {
    pub rel: Option<i64>,
    pub weekday: Option<(u32, super::item::Which)>,
    pub day: Option<u32>,
    pub date: Option<(u32, u32, Option<i32>)>,
    pub year: Option<i32>,
    pub week: Option<i64>,
    pub month: Option<i64>,
    pub nth: Option<(i32, super::item::Counted, super::item::InMonth)>,
    pub fridays: Option<(i64, u32)>,
    pub closest: Option<u32>,
    pub weekend: Option<i64>,
    pub years: Option<i64>,
    pub moving: Option<Feast>,
    pub named: Option<(u32, Option<i32>)>,
    pub edge: Option<(Edge, Option<Unit>)>,
    pub clocks: Vec<Clock>,
    pub part: Option<Part>,
    pub length: Option<(Length, Option<i64>)>,
    pub now: bool,
    pub vague: bool,
    /// The length is counted from the date said with it.
    anchored: bool,
    /// How long something lasts: "a meeting for 30 minutes".
    lasts: Option<Length>,
    bares: Vec<(u32, bool)>,
    /// The day of the month was a number that might as well be another thing.
    placed: bool,
}

/// Local candidates with the question that is open between them.
pub(super) struct Local {
    pub moments: Vec<NaiveDateTime>,
    pub question: Option<Question>,
    pub grain: Grain,
}

/// Reads a reply: what stands beside the time and may belong to it makes the time a question.
pub(super) fn reply(text: &str, now: DateTime<Tz>, language: Language) -> Outcome {
    let tokens = lex(text, language);
    let parser = Parser { tokens: &tokens, language };
    let found = parser.scan();
    let left_over = doubt::left_over(text, &parser, &found);
    let mut outcome = put_together(text, &tokens, &found, now, language);
    // A repetition is shown whole before it begins.
    if left_over && !matches!(outcome.meaning, Meaning::Every(_)) {
        (outcome.meaning, outcome.plain) = doubted(outcome.meaning, outcome.plain);
    }
    outcome
}

/// Reads a text.
pub(super) fn outcome(text: &str, now: DateTime<Tz>, language: Language) -> Outcome {
    let tokens = lex(text, language);
    let found = Parser { tokens: &tokens, language }.scan();
    put_together(text, &tokens, &found, now, language)
}

/// Reads what was found in a text.
fn put_together(text: &str, tokens: &[Token], found: &Found, now: DateTime<Tz>, language: Language) -> Outcome {
    let nothing = || Outcome { meaning: Meaning::Nothing, plain: None, span: 0..0, zone: None };
    if !telling(found, tokens) {
        return english::read(text, now, language).unwrap_or_else(nothing);
    }
    let span = span(found, tokens);
    let zone = found.items.iter().find_map(|(item, _)| if let Item::Zone(zone) = item { Some(zone) } else { None });
    let clocked = found.items.iter().any(|(item, _)| matches!(item, Item::Clock(_)));
    let there = zone.filter(|_| clocked).map_or(now, |zone| now.with_timezone(zone));
    let items: Vec<Item> = found.items.iter().map(|(item, _)| *item).collect();
    let (meaning, plain) = understand(&items, there);
    if meaning == Meaning::Nothing {
        return english::read(text, now, language).unwrap_or_else(nothing);
    }
    let doubt = found.negated || (found.ordinal && matches!(meaning, Meaning::Every(_)));
    let (meaning, plain) = if doubt { doubted(meaning, plain) } else { (meaning, plain) };
    let zone = (!Draft::from_items(&items).passes()).then(|| there.timezone());
    if there.timezone() == now.timezone() {
        return Outcome { meaning, plain, span, zone };
    }
    let meaning = homeward(meaning, now.timezone());
    let plain = match (&meaning, plain) {
        (Meaning::At(at, _), Some(Plain::Moment(_))) => Some(Plain::Moment(at.naive_local())),
        (_, plain) => plain,
    };
    Outcome { meaning, plain, span, zone }
}

/// What was said with a "not" somewhere is asked about.
fn doubted(meaning: Meaning, plain: Option<Plain>) -> (Meaning, Option<Plain>) {
    let ask = |candidates| Meaning::Unclear { question: Question::Moment, candidates };
    let meaning = match meaning {
        Meaning::At(at, _) => ask(vec![at]),
        Meaning::Every(_) => ask(Vec::new()),
        Meaning::Unclear { question: Question::Hour(_), candidates } => ask(candidates),
        other => other,
    };
    (meaning, plain)
}

/// The same meaning in the account's zone.
fn homeward(meaning: Meaning, zone: Tz) -> Meaning {
    let home = |at: DateTime<Tz>| at.with_timezone(&zone);
    match meaning {
        Meaning::At(at, grain) => Meaning::At(home(at), grain),
        Meaning::Past(at) => Meaning::Past(home(at)),
        Meaning::Unclear { question, candidates } => {
            Meaning::Unclear { question, candidates: candidates.into_iter().map(home).collect() }
        }
        Meaning::Every(_) => Meaning::Unclear { question: Question::Moment, candidates: Vec::new() },
        other => other,
    }
}

fn span(found: &Found, tokens: &[Token]) -> Range<usize> {
    let start = found.items.iter().filter_map(|(_, r)| tokens.get(r.start)).map(|t| t.span.start).min();
    let end = found.items.iter().filter_map(|(_, r)| tokens.get(r.end.saturating_sub(1))).map(|t| t.span.end).max();
    start.unwrap_or(0)..end.unwrap_or(0)
}

/// The meaning of the pieces at a moment, and the plain value for comparison.
fn understand(items: &[Item], now: DateTime<Tz>) -> (Meaning, Option<Plain>) {
    if recur::repeats(items) {
        return recur::recurrence(items, now);
    }
    // "any day but friday".
    let dated =
        |i: &Item| matches!(i, Item::Weekday(..) | Item::Rel(_) | Item::Date(..) | Item::Day(..) | Item::Weekend(_));
    if items.windows(2).any(|pair| matches!(pair[0], Item::Except) && dated(&pair[1])) {
        return (Meaning::Unclear { question: Question::Moment, candidates: Vec::new() }, None);
    }
    // Two weekdays are two moments.
    let weekday = |i: &Item| if let Item::Weekday(day, _) = i { Some(*day) } else { None };
    let one = items.iter().find_map(weekday);
    if let Some(at) = items.iter().position(|i| weekday(i).is_some() && weekday(i) != one)
        && !items.iter().any(|i| matches!(i, Item::Or))
    {
        return either(&items[..at], &items[at..], now);
    }
    if let Some(at) = items.iter().position(|i| matches!(i, Item::Or)) {
        let (left, right) = (&items[..at], &items[at + 1..]);
        let dated = |side: &[Item]| side.iter().any(|i| !matches!(i, Item::Or));
        if dated(left) && dated(right) {
            return either(left, right, now);
        }
    }
    let draft = Draft::from_items(items);
    draft.meaning(now)
}

impl Draft {
    pub(super) fn from_items(items: &[Item]) -> Self {
        let mut draft = Self::default();
        for (at, item) in items.iter().enumerate() {
            match *item {
                Item::Rel(n) => draft.rel = Some(draft.rel.filter(|_| n == 0).unwrap_or(n)),
                Item::Now => draft.now = true,
                Item::Weekday(day, which) => draft.weekday = draft.weekday.or(Some((day, which))),
                Item::Day(d, _) => draft.day = draft.day.or(Some(d)),
                Item::Date(d, m, y) => draft.date = draft.date.or(Some((d, m, y))),
                Item::Year(y) => draft.year = Some(y),
                Item::Week(n) => draft.week = Some(n),
                Item::Month(n) => draft.month = Some(n),
                Item::Nth(n, what, month) => draft.nth = Some((n, what, month)),
                Item::Fridays(n, day) => draft.fridays = Some((n, day)),
                Item::Closest(day) => draft.closest = Some(day),
                Item::Weekend(n) => draft.weekend = Some(n),
                Item::Years(n) => draft.years = Some(n),
                Item::Moving(feast) => draft.moving = Some(feast),
                Item::Named(month, year) => draft.named = Some((month, year)),
                Item::Edge(edge, unit) => draft.edge = Some((edge, unit)),
                Item::Clock(clock) => draft.clocks.push(clock),
                Item::Bare(n, word) => draft
                    .bares
                    .push((n, word || matches!(at.checked_sub(1).map(|p| items[p]), Some(Item::Weekday(..))))),
                Item::Part(part) => draft.part = Some(part),
                Item::Length(length, sign, from) => {
                    draft.anchored |= from || at > 0;
                    draft.length = draft.length.or(Some((length, sign)));
                }
                Item::Less(minutes) => {
                    if let Some(clock) = draft.clocks.last_mut() {
                        clock.less = minutes;
                    }
                }
                Item::For(length) => draft.lasts = Some(length),
                Item::Vague => draft.vague = true,
                _ => {}
            }
        }
        if draft.length.is_none() && !(draft.dated() || draft.part.is_some() || !draft.clocks.is_empty()) {
            draft.length = draft.lasts.map(|length| (length, None));
        }
        draft
    }

    pub(super) fn dated(&self) -> bool {
        self.rel.is_some()
            || self.weekday.is_some()
            || self.day.is_some()
            || self.date.is_some()
            || self.nth.is_some()
            || self.fridays.is_some()
            || self.weekend.is_some()
            || self.week.is_some()
            || self.month.is_some()
            || self.years.is_some()
            || self.moving.is_some()
            || self.named.is_some()
            || self.edge.is_some_and(|(_, unit)| unit.is_some())
    }

    /// Whether it is a length of time that passes from now, whatever clocks show: "in two hours", "now".
    fn passes(&self) -> bool {
        let clocked = self.dated() || self.part.is_some() || !self.clocks.is_empty();
        self.length.map_or(self.now && !clocked, |(length, _)| length.clock)
    }

    fn meaning(mut self, now: DateTime<Tz>) -> (Meaning, Option<Plain>) {
        let local = now.naive_local();
        let today = local.date();
        let mut open = self.place_numbers(today);
        // A lone number may be an hour or a day.
        if let ([], false, None, None, Some((n, _))) =
            (self.clocks.as_slice(), self.dated(), self.part, self.length, self.bares.first().copied())
        {
            return lone_number(n, now);
        }
        let length = self.length;
        if let Some((length, sign)) = length {
            return self.offset(length, sign, now);
        }
        let dated = match self.date_of(local) {
            Some(Ok(day)) => Some(day),
            Some(Err(reason)) => return (Meaning::Impossible(reason), None),
            None => None,
        };
        // "sexta 31 10": such a day is far away.
        let far = dated.as_ref().filter(|day| self.placed && (day.date - today).num_days() > FAR_DAYS);
        if let (Some(day), Some((weekday, _))) = (far, self.weekday) {
            open = open.or(Some(Question::Date));
            if let (Some(n @ ..24), true, None) = (self.day, self.clocks.is_empty(), self.part) {
                let hour = day::coming(today, weekday).and_time(time(n, 0, 0));
                let moments = [hour, day.date.and_time(time(USUAL_HOURS[0], 0, 0))];
                return (settle(&moments, open, Grain::Hour, now).0, Some(Plain::Date(day.date)));
            }
        }
        if self.clocks.is_empty() && self.part.is_none() {
            return match dated {
                Some(day) => date_only(&day, open, now),
                None if self.now => (Meaning::At(now, Grain::Second), Some(Plain::Moment(local))),
                None if self.vague => (Meaning::Unclear { question: Question::Moment, candidates: Vec::new() }, None),
                None => (Meaning::Nothing, None),
            };
        }
        if let Some(day) = &dated {
            open = open.or(day.question);
        }
        let mut found = self.moments(dated.as_ref(), local);
        // "sexta 4 12" is an hour, or a date.
        if let Some(date) = self.pair_as_date(today) {
            found.moments.push(date.and_time(time(USUAL_HOURS[0], 0, 0)));
            open = open.or(Some(Question::Moment));
        }
        open = open.or(found.question);
        settle(&found.moments, open, found.grain, now)
    }

    /// The date that the two numbers of a clock time are as well, where it falls on the weekday said with them.
    fn pair_as_date(&self, today: NaiveDate) -> Option<NaiveDate> {
        let (weekday, _) = self.weekday?;
        let clock = self.clocks.iter().find(|clock| clock.pair && !clock.weak)?;
        let years = [today.year(), today.year() + 1];
        let of = |day: u32, month: u32| {
            let mut dates = years.iter().filter_map(|year| NaiveDate::from_ymd_opt(*year, month, day));
            dates.find(|date| *date >= today && (*date - today).num_days() < 183)
        };
        let both = [of(clock.hour, clock.minute), of(clock.minute, clock.hour)];
        both.into_iter().flatten().find(|date| date.weekday().num_days_from_monday() == weekday)
    }

    /// Decides whether bare numbers are hours or days. A number that could be either is asked about.
    fn place_numbers(&mut self, today: NaiveDate) -> Option<Question> {
        let (n, after_weekday) = *self.bares.first()?;
        // "viernes 25, 5 de la madrugada": a day and an hour.
        if let ([one, two], true, true, true) = (
            self.bares.as_slice(),
            self.clocks.is_empty(),
            self.weekday.is_some(),
            self.day.is_none() && self.date.is_none(),
        ) {
            let (day, hour) =
                if (two.1 && !one.1) || (one.0 <= 12 && two.0 > 24) { (two.0, one.0) } else { (one.0, two.0) };
            if (1..=31).contains(&day) && hour <= 24 {
                self.day = Some(day);
                self.placed = true;
                self.clocks.push(Clock { hour, ..Clock::default() });
                return None;
            }
        }
        if !self.clocks.is_empty() {
            if self.weekday.is_some() && self.day.is_none() && self.date.is_none() && (1..=31).contains(&n) {
                self.day = Some(n);
                self.placed = true;
                return None;
            }
            // A number that finds no place may change the rest.
            return Some(Question::Moment);
        }
        if !(self.dated() || self.part.is_some()) || n > 31 {
            return None;
        }
        let hour = |n: u32| Clock { hour: n, ..Clock::default() };
        if let (Some((wd, _)), true, true) = (
            self.weekday,
            after_weekday,
            self.day.is_none() && self.date.is_none() && n >= 1 && (self.part.is_none() || n > 12),
        ) {
            let coming = day::coming(today, wd);
            let fits = (0..2).any(|k| chrono::Datelike::day(&(coming + Duration::days(7 * k))) == n);
            if fits || n > 12 && (self.part.is_none() || n > 24) {
                self.day = Some(n);
                self.placed = !fits;
                return (!fits && n < 24).then_some(Question::Date);
            }
        }
        if n <= 24 {
            self.clocks.push(hour(n));
        }
        (self.bares.len() > 1).then_some(Question::Moment)
    }

    /// An offset from now, or from a date that is said with it.
    fn offset(mut self, length: Length, sign: Option<i64>, now: DateTime<Tz>) -> (Meaning, Option<Plain>) {
        let local = now.naive_local();
        let anchor = match self.date_of(local) {
            Some(Ok(day)) => Some(day),
            Some(Err(reason)) => return (Meaning::Impossible(reason), None),
            None => None,
        };
        let negative = sign == Some(-1);
        let unit = if negative { -1 } else { 1 };
        let weekday_only = self.weekday.is_some() && self.rel.is_none() && self.date.is_none();
        if length.clock {
            let Some(span) = Duration::try_seconds(length.seconds.saturating_mul(unit)) else {
                return (Meaning::Impossible(Reason::TooFar), None);
            };
            let base = anchor.as_ref().filter(|a| a.date != local.date()).map(|a| a.date.and_time(local.time()));
            let whole = Length { seconds: 0, clock: false, ..length };
            let start = base.unwrap_or(local);
            let Some(date) = day::plus(start.date(), whole, unit) else {
                return (Meaning::Impossible(Reason::TooFar), None);
            };
            let at = if base.is_none() && date == local.date() {
                now + span
            } else {
                match zoned(date.and_time(start.time()) + span, now.timezone()) {
                    Ok(found) => found[0],
                    Err(reason) => return (Meaning::Impossible(reason), None),
                }
            };
            let plain = Some(Plain::Moment(at.naive_local()));
            if at < now {
                return (Meaning::Past(at), None);
            }
            // "an hour after midnight": a clock that the length does not reckon with.
            if sign.is_none() || !self.clocks.is_empty() {
                return (Meaning::Unclear { question: Question::Duration, candidates: vec![at] }, plain);
            }
            return (Meaning::At(at, Grain::Minute), plain);
        }
        let start = anchor
            .as_ref()
            .filter(|_| !weekday_only || sign.is_none() || self.anchored)
            .map_or(local.date(), |a| a.date);
        let Some(date) = day::plus(start, length, unit) else {
            return (Meaning::Impossible(Reason::TooFar), None);
        };
        if let (Some((wd, _)), true) = (self.weekday, weekday_only && !self.anchored) {
            let on = day::coming(date, wd);
            if on != date {
                let day = Day { question: Some(Question::Date), others: vec![on - Duration::days(7)], ..Day::on(on) };
                if self.clocks.is_empty() && self.part.is_none() {
                    return date_only(&day, None, now);
                }
                let found = self.moments(Some(&day), local);
                return settle(&found.moments, day.question.or(found.question), found.grain, now);
            }
        }
        if negative && (date < local.date() || !self.anchored) {
            let at = first(date.and_time(local.time()), now.timezone());
            return (at.map_or(Meaning::Nothing, Meaning::Past), None);
        }
        self.length = None;
        if self.clocks.is_empty() && self.part.is_none() {
            let plain = Some(Plain::Moment(date.and_time(local.time())));
            let day = Day { date, question: sign.is_none().then_some(Question::Duration), ..Day::on(date) };
            let (meaning, _) = date_only(&day, None, now);
            return (meaning, plain);
        }
        let found = self.moments(Some(&Day::on(date)), local);
        settle(&found.moments, found.question, found.grain, now)
    }
}

/// A number and nothing else: the next such hours, and the day of the month.
fn lone_number(n: u32, now: DateTime<Tz>) -> (Meaning, Option<Plain>) {
    let local = now.naive_local();
    let mut moments = Vec::new();
    if n <= 23 {
        moments.extend(hour::coming(n * 60, local));
        if (1..12).contains(&n) {
            moments.extend(hour::coming((n + 12) * 60, local));
        }
    }
    if let Some(date) = day::next_day_of_month(local.date(), n) {
        moments.push(date.and_time(time(9, 0, 0)));
    }
    if n == 0 || n > 31 {
        return (Meaning::Nothing, None);
    }
    let candidates = moments.into_iter().filter_map(|m| first(m, now.timezone())).collect();
    (Meaning::Unclear { question: Question::Moment, candidates }, None)
}

/// A date whose hour was not said.
fn date_only(day: &Day, open: Option<Question>, now: DateTime<Tz>) -> (Meaning, Option<Plain>) {
    let today = now.naive_local().date();
    let zone = now.timezone();
    if day.date < today {
        let at = first(day.date.and_time(time(USUAL_HOURS[0], 0, 0)), zone);
        return (at.map_or(Meaning::Nothing, Meaning::Past), None);
    }
    if (day.date - today).num_days() > TOO_FAR_DAYS {
        return (Meaning::Impossible(Reason::TooFar), Some(Plain::Date(day.date)));
    }
    let plain = Some(Plain::Date(day.date));
    if let Some(question) = open.or(day.question) {
        let dates = std::iter::once(day.date).chain(day.others.iter().copied());
        let candidates =
            dates.filter_map(|d| first(d.and_time(time(USUAL_HOURS[0], 0, 0)), zone)).filter(|at| *at > now).collect();
        return (Meaning::Unclear { question, candidates }, plain);
    }
    let candidates = USUAL_HOURS
        .iter()
        .filter_map(|h| first(day.date.and_time(time(*h, 0, 0)), zone))
        .filter(|at| *at > now)
        .collect();
    (Meaning::Unclear { question: Question::Hour(day.date), candidates }, plain)
}

/// The meaning of local moments: the first one, if nothing is open.
fn settle(
    moments: &[NaiveDateTime],
    open: Option<Question>,
    grain: Grain,
    now: DateTime<Tz>,
) -> (Meaning, Option<Plain>) {
    let zone = now.timezone();
    let Some(first_local) = moments.first().copied() else {
        return (Meaning::Nothing, None);
    };
    let plain = Some(Plain::Moment(first_local));
    if let Some(question) = open {
        let candidates: Vec<_> = moments.iter().filter_map(|m| first(*m, zone)).filter(|at| *at > now).collect();
        if let ([at], true, Question::Weekday | Question::AmPm) = (candidates.as_slice(), moments.len() > 1, question) {
            return (Meaning::At(*at, grain), Some(Plain::Moment(at.naive_local())));
        }
        if candidates.is_empty() {
            return first(first_local, zone).map_or((Meaning::Nothing, None), |at| (Meaning::Past(at), None));
        }
        return (Meaning::Unclear { question, candidates }, plain);
    }
    match zoned(first_local, zone) {
        Err(reason) => (Meaning::Impossible(reason), None),
        Ok(found) => {
            let at = found[0];
            if first_local < now.naive_local() && at < now {
                return (Meaning::Past(at), None);
            }
            if (at - now).num_days() > TOO_FAR_DAYS {
                return (Meaning::Impossible(Reason::TooFar), plain);
            }
            if found.len() > 1 {
                return (Meaning::Unclear { question: Question::Fold, candidates: found }, plain);
            }
            (Meaning::At(at, grain), plain)
        }
    }
}

/// The moments with a wall time: one, or two as clocks go back; else the gap that swallows it.
pub(super) fn zoned(local: NaiveDateTime, zone: Tz) -> Result<Vec<DateTime<Tz>>, Reason> {
    match zone.from_local_datetime(&local) {
        chrono::LocalResult::Single(at) => Ok(vec![at]),
        chrono::LocalResult::Ambiguous(a, b) => Ok(vec![a, b]),
        chrono::LocalResult::None => {
            // The wall time less and plus the width of the gap: read with the offset that holds after it, and before. The
            // widest gap is a whole day.
            let steps = || (1..=104).map(|k| Duration::minutes(15 * k));
            let before = steps().find_map(|step| zone.from_local_datetime(&(local - step)).latest());
            let after = steps().find_map(|step| zone.from_local_datetime(&(local + step)).earliest());
            let with = |side: &DateTime<Tz>| local.checked_sub_offset(side.offset().fix());
            let sides = [after.as_ref(), before.as_ref()];
            let nearest =
                sides.into_iter().flatten().filter_map(with).map(|utc| zone.from_utc_datetime(&utc)).collect();
            Err(Reason::Gap { nearest })
        }
    }
}

/// The first moment with a wall time, moved forward over a gap.
pub(super) fn first(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Tz>> {
    match zoned(local, zone) {
        Ok(found) => found.into_iter().next(),
        Err(Reason::Gap { nearest }) => nearest.into_iter().next_back(),
        Err(_) => None,
    }
}

/// A time of day; hours past the end wrap.
pub(super) fn time(hour: u32, minute: u32, second: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour % 24, minute % 60, second % 60).unwrap_or_default()
}
