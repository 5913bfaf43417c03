//! Whether a text speaks of time at all.

use super::super::grammar::Found;
use super::super::item::Item;
use super::super::lexer::{Kind, Token};
use super::super::words::Term;

/// Whether the pieces say enough to be a time at all: weak ones only count when every word of the text is known.
pub(super) fn telling(found: &Found, tokens: &[Token]) -> bool {
    let clocked = found.items.iter().any(|(i, _)| matches!(i, Item::Clock(_) | Item::Part(_) | Item::Every(..)));
    let word = |at: usize| tokens.get(at).map(|t| &t.kind);
    let strong = found.items.iter().any(|(item, at)| match item {
        // "segunda reunião" is the second one, not Monday's.
        Item::Weekday(..) if !clocked => {
            let last = at.end.saturating_sub(1);
            let ordinal =
                matches!(word(last), Some(Kind::Word(terms)) if terms.iter().any(|t| matches!(t, Term::Ord(_))));
            !(ordinal && matches!(word(at.end), Some(Kind::Unknown)))
        }
        Item::Clock(c) => !c.weak && (c.led || c.full || c.pm.is_some() || c.noon || c.midnight),
        Item::Length(_, sign, _) => sign.is_some(),
        Item::Date(..)
        | Item::Moving(_)
        | Item::Weekday(..)
        | Item::Weekdays(_)
        | Item::Range(..)
        | Item::Nth(..)
        | Item::Fridays(..)
        | Item::Rel(_) => true,
        Item::Day(_, said) => *said && found.unknown <= 6,
        Item::Every(_, unit) => found.unknown <= if unit.is_some() { 6 } else { 1 },
        Item::Parts(_) | Item::Workdays => found.unknown <= 4 && !found.greeting,
        // "in the morning", "pela manhã": led, or said in more than one word.
        Item::Part(_) => {
            let led = at.start > 0
                && matches!(word(at.start - 1), Some(Kind::Word(terms))
                    if terms.iter().any(|t| matches!(t, Term::On | Term::Of | Term::The | Term::At)));
            let long = tokens.get(at.start).is_some_and(|t| t.words > 2);
            (led || long) && found.unknown <= 2 && !found.greeting
        }
        // "já recebi": such a word is only a time alone.
        Item::Now if matches!(word(at.start), Some(Kind::Word(terms)) if terms.contains(&Term::Glue)) => {
            found.unknown == 0 && !found.greeting
        }
        Item::Now
        | Item::Vague
        | Item::Week(_)
        | Item::Month(_)
        | Item::Years(_)
        | Item::Weekend(_)
        | Item::Per(..) => found.unknown <= 2 && !found.greeting,
        _ => false,
    });
    let part = found.items.iter().any(|(i, _)| matches!(i, Item::Part(_)));
    let strong = strong || (part && found.items.iter().any(|(i, _)| matches!(i, Item::Clock(_))));
    let some = found.items.iter().any(|(item, _)| {
        !matches!(
            item,
            Item::Or
                | Item::Until
                | Item::Start
                | Item::Except
                | Item::Edge(_, None)
                | Item::Zone(_)
                | Item::Year(_)
                | Item::Less(_)
                | Item::Count(_)
                | Item::For(_)
        )
    });
    some && (strong || (found.unknown == 0 && !found.greeting))
}
