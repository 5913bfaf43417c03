//! One-line requests: finds the time, the recipient and the message in "amanhã 9h para 11 98888-7777: Bom dia!".
//! The message is what follows the head; the head holds the time and the recipient in any order.

mod asked;
mod list;

use std::ops::Range;

use chrono::DateTime;
use chrono_tz::Tz;

use super::grammar::Parser;
use super::lexer::{Kind, Token, lex};
use super::words::Term;
use super::{Meaning, Reading, read_amid};
use crate::domain::language::Language;

/// The digits a phone number may have.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// The bytes a number may take, with spaces and signs.
const LONGEST_NUMBER: usize = 48;

/// More words than these are no name.
const LONGEST_NAME: usize = 4;

/// More signs than these are not looked at.
const MOST_PARTS: usize = 4;

/// The parts of a one-line request; what is missing is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Split {
    /// The time, its span in bytes of the whole text.
    pub when: Option<Reading>,
    /// The recipient as typed: numbers, by comma, semicolon or line, or a name. What stands in a list of numbers and is
    /// none is part of it.
    pub to: Option<String>,
    /// The message, as typed.
    pub body: Option<String>,
}

/// Splits a one-line request. A text whose head holds words of neither time nor recipient is all message, and so is one
/// that says neither: what is unsure is left to be asked.
pub fn split(text: &str, now: DateTime<Tz>, language: Language) -> Split {
    if let Some(list) = list::find(text, now, language) {
        let parts = split_plain(&list.marked, now, language);
        if parts.to.as_ref().is_some_and(|to| list::is_whole(to, &list.marked)) {
            return Split { to: Some(list.to), ..parts };
        }
    }
    split_plain(text, now, language)
}

/// Splits a text whose numbers are one recipient each.
fn split_plain(text: &str, now: DateTime<Tz>, language: Language) -> Split {
    let whole = || Split { body: Some(text.trim().to_owned()).filter(|b| !b.is_empty()), ..Split::default() };
    if let Some(found) = quoted(text, now, language) {
        return found;
    }
    let parted = heads(text);
    if let Some(found) = parted.iter().find_map(|at| headed(text, at, now, language)) {
        let longer = |found: Split, at: &Part| {
            let more = (at.dash && found.body.is_some()).then(|| headed(text, at, now, language)).flatten();
            // A longer head must tell something new.
            more.filter(|m| {
                (m.when.is_some(), m.to.is_some()) == (true, true) && (found.when.is_none() || found.to.is_none())
            })
            .unwrap_or(found)
        };
        let after = parted.iter().skip(1).take_while(|at| at.dash);
        return after.fold(found, longer);
    }
    let phones = phones(text);
    if let Some(last) = phones.last() {
        return addressed(text, last.end, now, language).unwrap_or_else(whole);
    }
    if let Some(found) = asked::split(text, now, language) {
        return found;
    }
    let head = head_of(text, now, language);
    // "Almoço sexta?" is asked of someone else.
    if !text.trim_end().ends_with('?')
        && !head.loose
        && (head.split.when.is_some() || parted.is_empty())
        && head.split != Split::default()
    {
        return head.split;
    }
    whole()
}

/// `manda "bom dia" pra 11 98888-7777 amanhã 9h`: the message between quotes, the rest around it.
fn quoted(text: &str, now: DateTime<Tz>, language: Language) -> Option<Split> {
    let pairs = [('"', '"'), ('“', '”'), ('«', '»')];
    let (start, open, close) = pairs.iter().find_map(|(open, close)| text.find(*open).map(|at| (at, *open, *close)))?;
    let from = start + open.len_utf8();
    let until = from + text[from..].rfind(close)?;
    let (body, after) = (text[from..until].trim(), until + close.len_utf8());
    if body.is_empty() {
        return None;
    }
    // Signs of the same length keep the spans right.
    let around = format!("{}{}{}", &text[..start], ";".repeat(after - start), &text[after..]);
    let head = head_of(&around, now, language);
    let told = head.split.when.is_some() || head.split.to.is_some();
    (told && !head.loose).then(|| Split { body: Some(body.to_owned()), ..head.split })
}

/// The head before a sign that parts it from the message, if it says a time or a recipient and nothing else.
fn headed(text: &str, at: &Part, now: DateTime<Tz>, language: Language) -> Option<Split> {
    let head = head_of(&text[..at.end], now, language);
    let told = head.split.when.is_some() || head.split.to.is_some();
    let body = Some(text[at.body..].trim().to_owned()).filter(|b| !b.is_empty());
    (told && !head.loose).then_some(Split { body, ..head.split })
}

/// A text with a number in it and no sign before the message: the message follows the head, or stands before all of it.
fn addressed(text: &str, last: usize, now: DateTime<Tz>, language: Language) -> Option<Split> {
    let rest = &text[last..];
    let all = head_of(text, now, language);
    if !all.loose {
        return Some(all.split);
    }
    let tidy = |body: &str| {
        let body = body.trim().trim_start_matches([',', '-', '–', '—', ';']).trim();
        Some(body.to_owned()).filter(|b| !b.is_empty())
    };
    let head = head_of(&text[..last], now, language);
    if !head.loose && head.split.when.is_some() {
        return Some(Split { body: tidy(rest), ..head.split });
    }
    let end = leading_time(rest, language);
    if !head.loose {
        let found = head_of(&text[..last + end], now, language);
        return Some(Split { body: tidy(&rest[end..]), ..found.split });
    }
    // "Bom dia, Ana! para 11 98888-7777 amanhã 9h": the message came first.
    let start = phones(text).first()?.start;
    let tokens = lex(&text[..start], language);
    let parser = Parser { tokens: &tokens, language };
    let lead = (0..tokens.len()).rev().find(|i| parser.has(*i, Term::ToWhom)).filter(|i| i + 1 == tokens.len())?;
    let front = &text[..tokens.get(lead)?.span.start];
    let tail = head_of(&text[front.len()..], now, language);
    let timed = read_amid(front, now, language).meaning != Meaning::Nothing;
    let mut found = shifted(tail.split, front.len());
    found.body = tidy(front.trim_end());
    let wish = (0..tokens.len()).any(|i| parser.has(i, Term::Wish));
    (!tail.loose && !timed && !wish).then_some(found)
}

/// How many bytes at the head of a text speak of time and nothing else.
fn leading_time(text: &str, language: Language) -> usize {
    let tokens = lex(text, language);
    let found = Parser { tokens: &tokens, language }.scan();
    let mut end = 0;
    for (_, range) in &found.items {
        let clean = (end..range.start).all(|i| small(&tokens, i));
        if !clean {
            break;
        }
        end = range.end.max(end);
    }
    end.checked_sub(1).and_then(|last| tokens.get(last)).map_or(0, |t| t.span.end)
}

/// Whether a token says nothing by itself: a sign, or a word that only leads others.
fn small(tokens: &[Token], i: usize) -> bool {
    let quiet = |t: &Term| {
        matches!(
            t,
            Term::The
                | Term::At
                | Term::On
                | Term::Of
                | Term::Glue
                | Term::ToWhom
                | Term::Wish
                | Term::Approx
                | Term::And
        )
    };
    match tokens.get(i).map(|t| &t.kind) {
        Some(Kind::Sign(_)) | None => true,
        Some(Kind::Word(terms)) => terms.iter().any(quiet),
        _ => false,
    }
}

fn shifted(mut split: Split, by: usize) -> Split {
    if let Some(reading) = &mut split.when {
        reading.span = reading.span.start + by..reading.span.end + by;
    }
    split
}

/// Where a head may end and its message begin.
struct Part {
    end: usize,
    body: usize,
    dash: bool,
}

/// The colons, line ends and dashes between words at which a head may end, up to the first colon. A colon between digits is
/// a clock's.
fn heads(text: &str) -> Vec<Part> {
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        let body = at + c.len_utf8();
        let clock = c == ':' && is_clock(text, at);
        let link = c == ':' && text[at..].starts_with("://");
        let colon = c == ':' && !clock && !link;
        let dash = matches!(c, '-' | '–' | '—') && text[..at].ends_with(' ') && text[body..].starts_with(' ');
        if at > 0 && (colon || dash || c == '\n') {
            found.push(Part { end: at, body, dash: dash || c == '\n' });
        }
        if colon || found.len() >= MOST_PARTS {
            break;
        }
    }
    found
}

/// Whether the colon at `at` stands between the digits of a clock. Behind more than two digits it is none.
fn is_clock(text: &str, at: usize) -> bool {
    let before = text.as_bytes()[..at].iter().rev().take(3).take_while(|b| b.is_ascii_digit()).count();
    (1..=2).contains(&before) && text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit)
}

/// What a head says.
struct Head {
    split: Split,
    /// Words are in it that belong to neither time nor recipient.
    loose: bool,
}

/// Time and recipient of a head.
fn head_of(head: &str, now: DateTime<Tz>, language: Language) -> Head {
    let phones = phones(head);
    let mut blank = head.to_owned();
    for phone in &phones {
        blank.replace_range(phone.clone(), &";".repeat(phone.len()));
    }
    let reading = read_amid(&blank, now, language);
    let when = (reading.meaning != Meaning::Nothing).then_some(reading);
    let tokens = lex(&blank, language);
    let parser = Parser { tokens: &tokens, language };
    let found = parser.scan();
    let mut times = vec![false; tokens.len()];
    for (_, range) in &found.items {
        times.iter_mut().take(range.end).skip(range.start).for_each(|timed| *timed = true);
    }
    let named = if phones.is_empty() { name(&tokens, &parser, &times) } else { None };
    let timed = |i: usize| when.is_some() && times[i];
    let in_name = |i: usize| named.as_ref().is_some_and(|n| n.contains(&i));
    let loose = (0..tokens.len()).any(|i| !timed(i) && !in_name(i) && !small(&tokens, i));
    let to = if phones.is_empty() {
        named.and_then(|range| slice(&blank, &tokens, &range))
    } else {
        let numbers: Vec<_> = phones.iter().map(|p| head[p.clone()].trim()).collect();
        Some(numbers.join(", "))
    };
    Head { split: Split { when, to, body: None }, loose }
}

/// The text of some tokens.
fn slice(text: &str, tokens: &[Token], range: &Range<usize>) -> Option<String> {
    let from = tokens.get(range.start)?.span.start;
    let until = tokens.get(range.end.checked_sub(1)?)?.span.end;
    Some(text.get(from..until)?.trim().to_owned()).filter(|t| !t.is_empty())
}

/// The phone numbers of a text: runs of digits, spaces, hyphens, dots and brackets that are no date or clock.
fn phones(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == list::MARK {
            let end = at + bytes[at..].iter().take_while(|b| **b == list::MARK).count();
            found.push(at..end);
            at = end;
            continue;
        }
        let starts = matches!(bytes[at], b'+' | b'(' | b'0'..=b'9')
            && (at == 0 || !matches!(bytes[at - 1], b'/' | b':' | b'0'..=b'9') && !bytes[at - 1].is_ascii_alphabetic());
        if !starts {
            at += 1;
            continue;
        }
        let mut end = at;
        let mut last = at;
        let mut digits = 0;
        // No number is longer, with all its signs: the walk stays linear.
        while let Some(b) = bytes.get(end).filter(|_| digits <= *PHONE_DIGITS.end() && end - at < LONGEST_NUMBER) {
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
            || (after == Some(&b':') && is_clock(text, last))
            || after.is_some_and(u8::is_ascii_alphabetic);
        let run = &text[at..last];
        if PHONE_DIGITS.contains(&digits) && !clock && !is_date(run) {
            found.push(at..last);
        } else if let Some(space) = run.find(' ').filter(|_| digits > 8) {
            // Two numbers in a row; or a clock or a date before the number: try again behind it.
            let first = run.get(..space).unwrap_or_default();
            if first.bytes().filter(u8::is_ascii_digit).count() >= 10 && !is_date(first) {
                found.push(at..at + space);
            }
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

/// The tokens of the name behind "para", "to" or "lembra a", up to the time or the end of the head.
fn name(tokens: &[Token], parser: &Parser<'_>, times: &[bool]) -> Option<Range<usize>> {
    let timed = |i: usize| times.get(i).is_some_and(|timed| *timed);
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
    (end > start && end - start <= LONGEST_NAME).then_some(start..end)
}
