//! Repetitions: from the pieces to an RFC 5545 rule and its first moment.

mod rule;
mod times;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Timelike as _};
use chrono_tz::Tz;

use super::expand::next_after;
use super::item::{Clock, Counted, InMonth, Item, Which};
use super::resolve::{Draft, Plain, first, plus, time};
use super::words::Unit;
use super::{Meaning, Question, Reason, Recurrence};
use rule::Rule;

/// Whether the pieces speak of a repetition.
pub(super) fn repeats(items: &[Item]) -> bool {
    let mut weekdays: Vec<u32> =
        items.iter().filter_map(|i| if let Item::Weekday(d, _) = i { Some(*d) } else { None }).collect();
    weekdays.dedup();
    let or = items.iter().any(|i| matches!(i, Item::Or));
    items.iter().any(|i| {
        matches!(
            i,
            Item::Every(..)
                | Item::Weekdays(_)
                | Item::Range(..)
                | Item::Parts(_)
                | Item::Per(..)
                | Item::Workdays
                | Item::Nth(_, _, InMonth::Each)
                | Item::Weekday(_, Which::Alternate)
        )
    }) || (weekdays.len() > 2 && !or)
}

/// The rule that the pieces make.
pub(super) fn recurrence(items: &[Item], now: DateTime<Tz>) -> (Meaning, Option<Plain>) {
    let local = now.naive_local();
    let rule = gather(items);
    // "all" alone is nothing.
    if items.len() == 1 && rule.text().is_none() {
        return (Meaning::Nothing, None);
    }
    let ends = end_of(&rule.until, local);
    let begins = day_of(&rule.start, local);
    let times = rule.times();
    let candidates = || {
        let today = times.iter().filter_map(|t| first(local.date().and_time(time(t / 60, *t, 0)), now.timezone()));
        today.filter(|at| *at > now).collect()
    };
    let lost = (!rule.until.is_empty() && ends.is_none()) || (!rule.start.is_empty() && begins.is_none());
    let Some((text, freq)) = rule.text().filter(|_| !rule.open && !lost) else {
        return (Meaning::Unclear { question: Question::Moment, candidates: candidates() }, None);
    };
    let from = begins.unwrap_or(local.date());
    let Some(mut text) = rule.with_times(text, freq, &times) else {
        return (Meaning::Unclear { question: Question::Moment, candidates: candidates() }, None);
    };
    let Some(start) = rule.first(freq, &times, local, from).and_then(|at| first(at, now.timezone())) else {
        return (Meaning::Impossible(Reason::NoSuchDate { nearest: Vec::new() }), None);
    };
    if let Some(count) = rule.count {
        text = format!("{text};COUNT={count}");
    } else if let Some(until) = ends.or_else(|| span_end(&rule, start.naive_local())) {
        // The last day counts whole; a rule's end is told in UTC.
        let end = first(until.and_time(time(23, 59, 59)), now.timezone()).map(|at| at.to_utc());
        if let Some(end) = end {
            text = format!("{text};UNTIL={}", end.format("%Y%m%dT%H%M%SZ"));
        }
    }
    // A rule that does not yield its own first moment was misunderstood, or is over before it begins.
    let next = next_after(&text, start.naive_local(), now.timezone(), start - Duration::seconds(1));
    if next.is_none_or(|next| next.at != start) {
        return (Meaning::Unclear { question: Question::Moment, candidates: candidates() }, None);
    }
    let part = rule.part.filter(|_| times.is_empty());
    (Meaning::Every(Recurrence { rule: text, part, first: start, timed: !times.is_empty() }), None)
}

/// The day that pieces name.
fn day_of(items: &[Item], now: NaiveDateTime) -> Option<NaiveDate> {
    if items.is_empty() {
        return None;
    }
    let day = Draft::from_items(items).date_of(now)?.ok()?;
    Some(day.date).filter(|date| *date >= now.date())
}

/// The last day of the week, month or year, or the day, that pieces name.
fn end_of(items: &[Item], now: NaiveDateTime) -> Option<NaiveDate> {
    let day = day_of(items, now)?;
    let fixed = items.iter().any(|i| {
        matches!(
            i,
            Item::Date(..)
                | Item::Moving(_)
                | Item::Rel(_)
                | Item::Weekday(..)
                | Item::Day(..)
                | Item::Nth(..)
                | Item::Edge(..)
        )
    });
    let within = |date: &NaiveDate| {
        let same = |f: &str| date.format(f).to_string() == day.format(f).to_string();
        match items {
            _ if fixed => *date == day,
            _ if items.iter().any(|i| matches!(i, Item::Week(_) | Item::Weekend(_))) => same("%G-%V"),
            _ if items.iter().any(|i| matches!(i, Item::Month(_) | Item::Named(..))) => same("%Y-%m"),
            _ => same("%Y"),
        }
    };
    day.iter_days().take(367).take_while(within).last()
}

/// The last day of a length from the first moment: "for 4 weeks".
fn span_end(rule: &Rule, start: NaiveDateTime) -> Option<NaiveDate> {
    let whole = plus(start.date(), rule.length?, 1)?;
    Some(if start.hour() > 0 { whole.pred_opt()? } else { whole })
}

/// What the pieces at hand are about.
#[derive(PartialEq)]
enum Talk {
    Rule,
    Until,
    Start,
    Except,
}

fn gather(items: &[Item]) -> Rule {
    let mut rule = Rule { interval: 1, ..Rule::default() };
    let mut talk = Talk::Rule;
    for (at, item) in items.iter().enumerate() {
        let item = *item;
        let dated = matches!(
            item,
            Item::Date(..)
                | Item::Moving(_)
                | Item::Rel(_)
                | Item::Weekday(..)
                | Item::Day(..)
                | Item::Month(_)
                | Item::Week(_)
                | Item::Years(_)
                | Item::Named(..)
                | Item::Edge(..)
                | Item::Year(_)
                | Item::Weekend(_)
                | Item::Nth(..)
                | Item::Bare(..)
        );
        match talk {
            Talk::Until | Talk::Start if dated => {
                let list = if talk == Talk::Until { &mut rule.until } else { &mut rule.start };
                list.push(if let Item::Bare(n, _) = item { Item::Day(n, true) } else { item });
                continue;
            }
            Talk::Except => match item {
                Item::Weekday(d, _) | Item::Weekdays(d) => {
                    rule.leave(&[d]);
                    continue;
                }
                Item::Weekend(_) | Item::Every(_, Some(Unit::Weekend)) => {
                    rule.leave(&[5, 6]);
                    continue;
                }
                Item::Workdays => {
                    rule.leave(&[0, 1, 2, 3, 4]);
                    continue;
                }
                _ => {}
            },
            _ => {}
        }
        if !matches!(item, Item::Or | Item::Start | Item::Until | Item::Except) {
            talk = Talk::Rule;
        }
        match item {
            Item::Until => talk = Talk::Until,
            Item::Start => talk = Talk::Start,
            Item::Except => {
                talk = Talk::Except;
                rule.open |= !items.get(at + 1).is_some_and(|next| {
                    matches!(next, Item::Weekday(..) | Item::Weekdays(_) | Item::Weekend(_) | Item::Workdays)
                        || matches!(next, Item::Every(_, Some(Unit::Weekend)))
                });
            }
            Item::Every(n, unit) => {
                rule.interval = rule.interval.max(n);
                rule.unit = rule.unit.filter(|_| unit.is_none() || unit == Some(Unit::Day)).or(unit);
            }
            Item::Per(n, unit) => {
                rule.per = Some((n, unit));
                rule.unit = rule.unit.or(Some(unit));
            }
            // "every month on the last friday".
            Item::Weekday(d, Which::Last) if rule.unit == Some(Unit::Month) => {
                rule.nth.push((-1, Counted::Weekday(d), InMonth::Each));
            }
            Item::Weekday(d, Which::Alternate) => {
                rule.interval = rule.interval.max(2);
                rule.mark(d);
            }
            Item::Weekday(d, _) | Item::Weekdays(d) => rule.mark(d),
            Item::Range(a, b) => {
                let mut d = a;
                for _ in 0..7 {
                    rule.mark(d);
                    if d == b {
                        break;
                    }
                    d = (d + 1) % 7;
                }
            }
            Item::Workdays => (0..5).for_each(|d| rule.mark(d)),
            Item::Weekend(_) => (5..7).for_each(|d| rule.mark(d)),
            Item::Nth(n, what, month) => rule.nth.push((n, what, month)),
            Item::Day(d, _) => rule.month_days.push(d),
            Item::Date(d, m, _) => rule.date = Some((d, m)),
            Item::Clock(clock) => rule.clock(clock, at.checked_sub(1).map(|p| &items[p])),
            Item::Bare(n, _) => {
                let before = at.checked_sub(1).map(|p| &items[p]);
                let after_every = matches!(before, Some(Item::Every(..) | Item::Day(..)));
                // "todo dia 5, 15 e 25".
                let after_day = matches!(before, Some(Item::Bare(..))) && !rule.month_days.is_empty();
                let before_month = matches!(items.get(at + 1), Some(Item::Every(1, Some(Unit::Month))));
                // "todo dia 8 da noite" tells the hour, "todo dia 2, 8 da noite" both.
                let has = |test: &dyn Fn(&Item) -> bool| items.iter().any(test);
                let alone = items.iter().filter(|i| matches!(i, Item::Bare(..))).count() == 1;
                let timed = has(&|i| matches!(i, Item::Part(_)))
                    && !has(&|i| matches!(i, Item::Clock(_)))
                    && (alone || matches!(items.get(at + 1), Some(Item::Part(_))));
                if (after_every || after_day || before_month)
                    && !timed
                    && (1..=31).contains(&n)
                    && matches!(rule.unit, Some(Unit::Day | Unit::Month) | None)
                {
                    rule.month_days.push(n);
                } else if n < 24 {
                    rule.clocks.push(Clock { hour: n, ..Clock::default() });
                } else {
                    rule.open = true;
                }
            }
            Item::Part(part) | Item::Parts(part) => rule.part = Some(part),
            // "once every two weeks"; "twice every week" may be any.
            Item::Count(n) if matches!(items.get(at + 1), Some(Item::Every(..))) => rule.open |= n > 1,
            Item::Count(n) => rule.count = Some(n),
            Item::For(length) => rule.length = Some(length),
            Item::Length(length, None, _) => rule.length = rule.length.or(Some(length)),
            Item::Less(minutes) => {
                if let Some(clock) = rule.clocks.last_mut() {
                    clock.less = minutes;
                }
            }
            _ => {}
        }
    }
    // An end or a start whose words were not understood must not be lost in silence.
    rule.open |= items.iter().enumerate().any(|(at, item)| {
        let clock = matches!(items.get(at + 1), Some(Item::Clock(_) | Item::Bare(..)));
        match item {
            Item::Until => rule.until.is_empty() && !clock,
            _ => false,
        }
    });
    rule
}
