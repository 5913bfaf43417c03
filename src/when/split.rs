//! One-line requests: finds the time, the recipient and the message in "amanhã 9h para 11 98888-7777: Bom dia!".
//! The message is what follows the head; the head holds the time and the recipient in any order.

use std::ops::Range;

use chrono::DateTime;
use chrono_tz::Tz;

use super::grammar::Parser;
use super::lexer::{Kind, Token, lex};
use super::words::Term;
use super::{Meaning, Reading, read};
use crate::domain::language::Language;

/// The digits a phone number may have.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// The parts of a one-line request; what is missing is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Split {
    /// The time, its span in bytes of the whole text.
    pub when: Option<Reading>,
    /// The recipient as typed: numbers, separated by commas, or a name.
    pub to: Option<String>,
    /// The message, as typed.
    pub body: Option<String>,
}

/// Splits a one-line request. A text without a head that says when or to whom is all message.
pub fn split(text: &str, now: DateTime<Tz>, language: Language) -> Split {
    if let Some((head, body)) = cut(text) {
        let mut found = head_of(&text[head.clone()], now, language);
        if found.when.is_some() || found.to.is_some() {
            found.body = Some(text[body].trim().to_owned()).filter(|b| !b.is_empty());
            return shifted(found, head.start);
        }
        return Split { body: Some(text.trim().to_owned()), ..Split::default() };
    }
    let phones = phones(text);
    let Some(last) = phones.last() else {
        let found = head_of(text, now, language);
        return if found.when.is_some() {
            found
        } else {
            Split { body: Some(text.trim().to_owned()).filter(|b| !b.is_empty()), ..found }
        };
    };
    // Without a colon the message may follow the number, unless that is the time.
    let rest = text[last.end..].trim();
    let mut found = head_of(text, now, language);
    let timed_before = read(&text[..last.start], now, language).meaning != Meaning::Nothing;
    if !rest.is_empty() && (timed_before || read(rest, now, language).meaning == Meaning::Nothing) {
        found = head_of(&text[..last.end], now, language);
        found.body =
            Some(rest.trim_start_matches([',', '-', '–', '—', ';']).trim().to_owned()).filter(|b| !b.is_empty());
    }
    found
}

fn shifted(mut split: Split, by: usize) -> Split {
    if let Some(reading) = &mut split.when {
        reading.span = reading.span.start + by..reading.span.end + by;
    }
    split
}

/// Head and message on the two sides of the colon or line end that parts them. A colon between digits is a clock's.
fn cut(text: &str) -> Option<(Range<usize>, Range<usize>)> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    text.char_indices().find_map(|(at, c)| {
        let clock = c == ':' && digit(at.checked_sub(1)) && digit(Some(at + 1));
        let link = c == ':' && text[at..].starts_with("://");
        let parts = (c == ':' && !clock && !link) || (c == '\n' && at > 0);
        parts.then(|| (0..at, at + c.len_utf8()..text.len()))
    })
}

/// Time and recipient of a head.
fn head_of(head: &str, now: DateTime<Tz>, language: Language) -> Split {
    let phones = phones(head);
    let mut blank = head.to_owned();
    for phone in &phones {
        blank.replace_range(phone.clone(), &";".repeat(phone.len()));
    }
    let reading = read(&blank, now, language);
    let when = (reading.meaning != Meaning::Nothing).then_some(reading);
    let to = if phones.is_empty() {
        name(&blank, language)
    } else {
        let numbers: Vec<_> = phones.iter().map(|p| head[p.clone()].trim()).collect();
        Some(numbers.join(", "))
    };
    Split { when, to, body: None }
}

/// The phone numbers of a text: runs of digits, spaces, hyphens, dots and brackets that are no date or clock.
fn phones(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let starts = matches!(bytes[at], b'+' | b'(' | b'0'..=b'9')
            && (at == 0 || !matches!(bytes[at - 1], b'/' | b':' | b'0'..=b'9') && !bytes[at - 1].is_ascii_alphabetic());
        if !starts {
            at += 1;
            continue;
        }
        let mut end = at;
        let mut last = at;
        let mut digits = 0;
        while let Some(b) = bytes.get(end) {
            match b {
                b'0'..=b'9' => {
                    // A number of fifteen digits is full: what follows is another.
                    digits += 1;
                    last = end + 1;
                }
                b'+' if end > at => break,
                b'+' | b'(' | b')' | b'-' | b' ' => {}
                b'.' if bytes.get(end + 1).is_some_and(u8::is_ascii_digit) => {}
                _ => break,
            }
            end += 1;
        }
        let after = bytes.get(last);
        let clock = matches!(after, Some(b'/'))
            || (after == Some(&b':') && bytes.get(last + 1).is_some_and(u8::is_ascii_digit))
            || after.is_some_and(u8::is_ascii_alphabetic);
        let run = &text[at..last];
        if PHONE_DIGITS.contains(&digits) && !clock && !is_date(run) {
            found.push(at..last);
        } else if let Some(space) = run.find(' ').filter(|_| digits > 8) {
            // A clock or a date may stand before the number: try again behind it.
            at += space + 1;
            continue;
        }
        at = last.max(at + 1);
    }
    found
}

/// "2026-03-20" and "20.03.2026" are dates, not numbers.
fn is_date(run: &str) -> bool {
    let fields: Vec<_> = run.split(['-', '.']).collect();
    match fields.as_slice() {
        [a, b, c] => (a.len() == 4 && b.len() <= 2 && c.len() <= 2) || (a.len() <= 2 && b.len() <= 2 && c.len() == 4),
        _ => run.len() == 8 && run.starts_with("20"),
    }
}

/// The name behind "para", "to" or "lembra a", up to the time or the end of the head.
fn name(head: &str, language: Language) -> Option<String> {
    let tokens = lex(head, language);
    let parser = Parser { tokens: &tokens, language };
    let found = parser.scan();
    let timed = |i: usize| found.items.iter().any(|(_, r)| r.contains(&i));
    let plain =
        |i: usize| !timed(i) && matches!(tokens.get(i), Some(Token { kind: Kind::Unknown | Kind::Word(_), .. }));
    let lead = |term: Term| (0..tokens.len()).find(|i| parser.has(*i, term) && !timed(*i) && plain(*i + 1));
    let mut start = lead(Term::ToWhom).or_else(|| lead(Term::Wish))? + 1;
    let small = |i: usize| {
        [Term::The, Term::At, Term::Of, Term::Glue, Term::ToWhom, Term::OrdMark].iter().any(|t| parser.has(i, *t))
    };
    while plain(start) && small(start) && plain(start + 1) {
        start += 1;
    }
    let mut end = start;
    while plain(end) && !(end > start && (parser.has(end, Term::Glue) || parser.has(end, Term::Wish))) {
        end += 1;
    }
    // Words that lead the time ("on", "às") belong to it.
    while end > start + 1 && matches!(tokens[end - 1].kind, Kind::Word(_)) && small(end - 1) {
        end -= 1;
    }
    let from = tokens.get(start)?.span.start;
    let until = tokens.get(end.checked_sub(1)?)?.span.end;
    (end > start).then(|| head.get(from..until).unwrap_or_default().trim().to_owned()).filter(|n| !n.is_empty())
}
