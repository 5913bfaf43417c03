//! Two moments in one reply.

use chrono::DateTime;
use chrono_tz::Tz;

use super::super::item::Item;
use super::super::{Meaning, Question};
use super::{Draft, Plain};

/// "tomorrow or friday": the user chooses.
pub(super) fn either(left: &[Item], right: &[Item], now: DateTime<Tz>) -> (Meaning, Option<Plain>) {
    let mut left = left.to_vec();
    let mut right: Vec<Item> = right.iter().copied().filter(|i| !matches!(i, Item::Or)).collect();
    let clock = |items: &[Item]| items.iter().copied().find(|i| matches!(i, Item::Clock(_) | Item::Part(_)));
    let date = |items: &[Item]| {
        items.iter().copied().find(|i| matches!(i, Item::Rel(_) | Item::Weekday(..) | Item::Date(..) | Item::Day(..)))
    };
    let (lc, rc, ld, rd) = (clock(&left), clock(&right), date(&left), date(&right));
    match (lc, rc) {
        (Some(c), None) => right.push(c),
        (None, Some(c)) => left.push(c),
        _ => {}
    }
    match (ld, rd) {
        (Some(d), None) => right.push(d),
        (None, Some(d)) => left.push(d),
        _ => {}
    }
    let (one, plain) = Draft::from_items(&left).meaning(now);
    let (two, _) = Draft::from_items(&right).meaning(now);
    let mut candidates = Vec::new();
    for meaning in [one, two] {
        match meaning {
            Meaning::At(at, _) => candidates.push(at),
            Meaning::Unclear { candidates: more, .. } => candidates.extend(more.first()),
            _ => {}
        }
    }
    // "tomorrow or friday", on a thursday.
    candidates.dedup();
    (Meaning::Unclear { question: Question::Moment, candidates }, plain)
}
