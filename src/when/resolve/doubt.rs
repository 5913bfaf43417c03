//! Whether something beside the time was not understood and may be part of it: "pasao mañana 9h", "sx 10h".

use super::super::grammar::{Found, Parser};
use super::super::item::Item;
use super::super::lexer::{Kind, Token, folded};
use super::super::words::{Term, Unit, near, small_talk};

/// Longer replies are sentences with words of their own.
const LONGEST: usize = 10;
/// Longer texts, in bytes, are not looked at.
const LONGEST_TEXT: usize = 120;
/// Longer words are no short forms.
const LONGEST_SHORT: usize = 6;

/// Whether words or numbers stand beside the pieces of a short reply that may change what they say.
pub(super) fn left_over(text: &str, parser: &Parser<'_>, found: &Found) -> bool {
    let (tokens, items) = (parser.tokens, &found.items);
    if text.len() > LONGEST_TEXT || tokens.len() > LONGEST {
        return false;
    }
    let used = |i: usize| items.iter().any(|(_, range)| range.contains(&i));
    let open = items.last().is_some_and(|(item, _)| matches!(item, Item::Or));
    let beside = |i: usize| used(i + 1) || (i > 0 && used(i - 1));
    let left = |(i, token): (usize, &Token)| {
        !used(i)
            && match token.kind {
                Kind::Digits(_) => !(i > 0 && parser.has(i - 1, Term::Label)),
                Kind::Unknown => beside(i) && doubtful(text.get(token.span.clone()).unwrap_or_default()),
                Kind::Word(terms) => weighty(terms),
                Kind::Sign(_) => false,
            }
    };
    open || tokens.iter().enumerate().any(left)
}

/// Whether all that a word may say bears on a day or an hour.
fn weighty(terms: &[Term]) -> bool {
    terms.iter().all(|t| {
        matches!(
            t,
            Term::Num(2..)
                | Term::Month(_)
                | Term::Weekday(_)
                | Term::Weak(_)
                | Term::Short(_)
                | Term::Half
                | Term::Minus
                | Term::Next
                | Term::AfterNext
                | Term::Last
                | Term::Ago
                | Term::Other
                | Term::Unit(Unit::Second | Unit::Minute | Unit::Hour | Unit::Week | Unit::Month | Unit::Year)
                | Term::Feira
                | Term::Times
        )
    })
}

/// Whether a word of no table may be meant as one of time: it is short, or near to one; and no small talk.
fn doubtful(word: &str) -> bool {
    let word = folded(word);
    !small_talk(&word) && (word.chars().count() <= LONGEST_SHORT || near(&word))
}
