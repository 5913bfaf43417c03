//! Lists of recipients in a request, by comma, semicolon or line. What stands in a list and is no number stays in it, so
//! that it can be refused: it is no part of the message.

use std::ops::Range;

use chrono::DateTime;
use chrono_tz::Tz;

use super::super::grammar::Parser;
use super::super::lexer::lex;
use super::super::words::Term;
use super::{head_of, is_clock, phones};
use crate::domain::language::Language;

/// Stands for each byte of a list in the text that is split: nobody types it.
pub(super) const MARK: u8 = 1;

/// Fewer digits than these are an hour, a day or an amount.
const FEWEST_DIGITS: usize = 3;

/// More words than these between commas are no name.
const MOST_WORDS: usize = 2;

/// More words than these at the end of an entry are not looked at.
const LONGEST_TAIL: usize = 5;

/// The list of recipients of a text.
pub(super) struct List {
    /// The text, as long as before, with marks in the place of the list.
    pub marked: String,
    /// The list as typed.
    pub to: String,
}

/// An entry between two separators, with spaces cut off.
struct Entry {
    span: Range<usize>,
    /// It stands on the line of the one before it.
    same_line: bool,
}

struct Finder<'a> {
    head: &'a str,
    /// A colon ends the head.
    closed: bool,
    entries: Vec<Entry>,
    now: DateTime<Tz>,
    language: Language,
}

/// Finds the list of recipients at the head of a text; `None` for one number, and for none.
pub(super) fn find(text: &str, now: DateTime<Tz>, language: Language) -> Option<List> {
    if text.as_bytes().contains(&MARK) {
        return None;
    }
    let colon =
        text.char_indices().find(|(at, c)| *c == ':' && !is_clock(text, *at) && !text[*at..].starts_with("://"));
    let head = &text[..colon.map_or(text.len(), |(at, _)| at)];
    let finder = Finder { head, closed: colon.is_some(), entries: entries(head), now, language };
    let mut spans = finder.spans()?;
    spans.sort_by_key(|span| span.start);
    let (mut marked, mut to) = (text.as_bytes().to_vec(), String::new());
    let mut before: Option<usize> = None;
    for span in spans {
        if let Some(end) = before {
            let gap = end..span.start;
            let is_blank = text[gap.clone()].chars().all(|c| is_separator(c) || c.is_whitespace());
            to.push_str(if is_blank { &text[gap.clone()] } else { ", " });
            if is_blank {
                // A line end in a list ends no head.
                marked.get_mut(gap)?.fill(b';');
            }
        }
        to.push_str(&text[span.clone()]);
        before = Some(span.end);
        marked.get_mut(span)?.fill(MARK);
    }
    Some(List { marked: String::from_utf8(marked).ok()?, to })
}

/// Whether all that was marked, and nothing else, is named as the recipient.
pub(super) fn is_whole(to: &str, marked: &str) -> bool {
    let marks = |text: &str| text.bytes().filter(|b| *b == MARK).count();
    to.bytes().all(|b| matches!(b, MARK | b',' | b' ')) && marks(to) == marks(marked)
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';' | '\n')
}

fn entries(head: &str) -> Vec<Entry> {
    let (mut found, mut at, mut same_line) = (Vec::new(), 0, true);
    for piece in head.split_inclusive(is_separator) {
        let said = piece.trim_end_matches(is_separator);
        let start = at + (said.len() - said.trim_start().len());
        let span = start..start + said.trim().len();
        if !span.is_empty() {
            found.push(Entry { span, same_line });
            same_line = true;
        }
        same_line &= !piece.ends_with('\n');
        at += piece.len();
    }
    found
}

/// Whether a text is meant as a number, though it may be none: "12345", "11 9700A-0002".
fn is_like_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let has_digit = |word: &str| word.contains(|c: char| c.is_ascii_digit()) || !word.contains(char::is_alphanumeric);
    digits >= FEWEST_DIGITS
        && digits > letters
        && text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "+-().–—/".contains(c))
        && text.split_whitespace().all(has_digit)
}

/// Whether a text may be a name.
fn is_like_name(text: &str) -> bool {
    text.split_whitespace().count() <= MOST_WORDS && text.chars().all(|c| c.is_alphanumeric() || " '’-@".contains(c))
}

impl Finder<'_> {
    /// The entries of the list.
    fn spans(&self) -> Option<Vec<Range<usize>>> {
        let Some(first) = self.entries.iter().position(|e| !phones(&self.head[e.span.clone()]).is_empty()) else {
            return self.without_phones();
        };
        let own = &self.entries.get(first)?.span;
        let mut list: Vec<Range<usize>> = self.phones_of(own);
        let is_last = self.says_more(&(list.last()?.end..own.end));
        let named = self.named_before(first);
        let mut bad = named.len();
        if !is_last {
            bad += self.behind(first + 1, &mut list);
        }
        list.extend(named);
        (list.len() > 1 || bad > 0).then_some(list)
    }

    /// The entries before the first number that are meant as recipients and are no numbers.
    fn named_before(&self, first: usize) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for entry in self.entries.iter().take(first).rev() {
            let span = entry.span.clone();
            if self.is_time(&span) {
                continue;
            }
            let led = self.behind_lead(&span);
            let said = led.clone().or_else(|| self.tail(&span));
            match said {
                Some(said) if is_like_number(&self.head[said.clone()]) || is_like_name(&self.head[said.clone()]) => {
                    found.push(said.clone());
                    if led.is_some() || said != span {
                        break;
                    }
                }
                _ => break,
            }
        }
        found
    }

    /// Goes on with the entries behind the first number; how many of them are no numbers.
    fn behind(&self, from: usize, list: &mut Vec<Range<usize>>) -> usize {
        let (mut bad, mut unsure): (usize, Vec<Range<usize>>) = (0, Vec::new());
        let mut is_one_line = true;
        for entry in self.entries.iter().skip(from) {
            let (span, said) = (entry.span.clone(), &self.head[entry.span.clone()]);
            let numbers = self.phones_of(&span);
            if let (Some(head), Some(tail)) = (numbers.first(), numbers.last()) {
                let more = self.says_more(&(tail.end..span.end));
                // A line that goes on in words is the message.
                if self.says_more(&(span.start..head.start)) || (more && !entry.same_line) {
                    break;
                }
                bad += unsure.len();
                list.append(&mut unsure);
                list.extend(numbers);
                if more {
                    return bad;
                }
                continue;
            }
            if self.is_time(&span) {
                continue;
            }
            match self.front(&span) {
                Some(front) if unsure.is_empty() => {
                    bad += 1;
                    list.push(front);
                }
                Some(front) => unsure.push(front),
                None if is_like_name(said) => {
                    is_one_line &= entry.same_line;
                    unsure.push(span);
                }
                None => {
                    unsure.clear();
                    break;
                }
            }
        }
        if self.closed && is_one_line {
            bad += unsure.len();
            list.append(&mut unsure);
        }
        bad
    }

    /// "para 123: oi": what is meant as a number behind "to whom", before the colon.
    fn without_phones(&self) -> Option<Vec<Range<usize>>> {
        let said = |entry: &Entry| self.behind_lead(&entry.span).and_then(|said| self.front(&said));
        let (first, span) = self.entries.iter().enumerate().find_map(|(n, e)| said(e).map(|said| (n, said)))?;
        if !self.closed || !self.entries.iter().take(first).all(|entry| self.is_time(&entry.span)) {
            return None;
        }
        let mut list = vec![span];
        self.behind(first + 1, &mut list);
        Some(list)
    }

    /// The numbers of an entry.
    fn phones_of(&self, span: &Range<usize>) -> Vec<Range<usize>> {
        let found = phones(&self.head[span.clone()]);
        found.into_iter().map(|at| span.start + at.start..span.start + at.end).collect()
    }

    /// Whether a part says more than a time, or nothing.
    fn says_more(&self, span: &Range<usize>) -> bool {
        let said = self.head[span.clone()].trim();
        let head = head_of(said, self.now, self.language);
        !said.is_empty() && (head.loose || head.split.to.is_some())
    }

    /// Whether a part says a time, or nothing.
    fn is_time(&self, span: &Range<usize>) -> bool {
        !self.says_more(span)
    }

    /// What follows "to whom", where nothing but a time stands before it.
    fn behind_lead(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let said = &self.head[span.clone()];
        let tokens = lex(said, self.language);
        let parser = Parser { tokens: &tokens, language: self.language };
        let lead = (0..tokens.len()).find(|i| parser.has(*i, Term::ToWhom))?;
        let end = tokens.get(lead)?.span.end;
        let start = span.start + end + (said[end..].len() - said[end..].trim_start().len());
        (start < span.end && self.is_time(&(span.start..span.start + end))).then_some(start..span.end)
    }

    /// What is meant as a number at the front of an entry, with nothing but a time behind it.
    fn front(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let said = &self.head[span.clone()];
        let ends = said.match_indices(' ').map(|(at, _)| at).chain([said.len()]);
        let mut ends: Vec<_> = ends.take(LONGEST_TAIL + 1).chain([said.len()]).collect();
        ends.reverse();
        let fits = |end: &usize| is_like_number(&said[..*end]) && self.is_time(&(span.start + end..span.end));
        ends.into_iter().find(fits).map(|end| span.start..span.start + end)
    }

    /// What is meant as a number at the end of an entry, with nothing but a time before it.
    fn tail(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let said = &self.head[span.clone()];
        let starts = said.rmatch_indices(' ').map(|(at, _)| at + 1).take(LONGEST_TAIL);
        let starts: Vec<_> = [0].into_iter().chain(starts).collect();
        let fits = |start: &usize| is_like_number(&said[*start..]) && self.is_time(&(span.start..span.start + start));
        starts.into_iter().find(fits).map(|start| span.start + start..span.end)
    }
}
