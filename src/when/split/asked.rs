//! Requests in a sentence, without a colon or a number: "lembra a Ana amanhã 9h de levar o bolo".

use std::ops::Range;

use chrono::DateTime;
use chrono_tz::Tz;

use super::super::grammar::Parser;
use super::super::lexer::{Kind, Token, lex};
use super::super::words::Term;
use super::super::{Meaning, read_amid};
use super::{LONGEST_NAME, Split, slice, small};
use crate::domain::language::Language;

/// More tokens than these are no sentence that asks for a message.
const LONGEST_SENTENCE: usize = 200;

/// Words that part the recipient from what is to be said.
const LINKS: [&str; 8] = ["que", "q", "de", "to", "that", "about", "sobre", "for"];
/// The one who writes.
const SELF: [&str; 3] = ["me", "mim", "myself"];
/// How the verbs begin behind which stands a person, and not the message.
const TELLING: [&str; 11] =
    ["lembr", "me lembr", "avis", "recuerd", "remind", "tell", "notif", "diz", "dile", "fala", "me avis"];
/// What a message is called.
const MESSAGE: [&str; 10] = [
    "mensagem",
    "msg",
    "message",
    "mensaje",
    "a message",
    "a mensagem",
    "uma mensagem",
    "uma msg",
    "un mensaje",
    "um recado",
];

struct Sentence<'a> {
    text: &'a str,
    tokens: &'a [Token],
    parser: Parser<'a>,
    /// The tokens of each piece of time.
    times: Vec<Range<usize>>,
}

/// Splits a sentence that asks for a message with a verb; `None` where it is no such sentence, or its parts are unsure.
pub(super) fn split(text: &str, now: DateTime<Tz>, language: Language) -> Option<Split> {
    let tokens = lex(text, language);
    if tokens.len() > LONGEST_SENTENCE {
        return None;
    }
    let parser = Parser { tokens: &tokens, language };
    let times = parser.scan().items.into_iter().map(|(_, range)| range).collect();
    let sentence = Sentence { text, tokens: &tokens, parser, times };
    sentence.split(now, language)
}

impl Sentence<'_> {
    fn split(&self, now: DateTime<Tz>, language: Language) -> Option<Split> {
        let wish = (0..self.tokens.len()).find(|i| self.parser.has(*i, Term::Wish) && !self.timed(*i))?;
        if !(0..wish).all(|i| self.timed(i) || small(self.tokens, i)) {
            return None;
        }
        let first = self.times.iter().any(|r| r.end <= wish).then_some(0..wish);
        self.sent_to(wish, first.clone(), now, language).or_else(|| self.told(wish, first, now, language))
    }

    /// "manda um oi pra Ana amanhã 9h": the message between the verb and "to whom".
    fn sent_to(
        &self,
        wish: usize,
        first: Option<Range<usize>>,
        now: DateTime<Tz>,
        language: Language,
    ) -> Option<Split> {
        let verb = self.word(wish).to_lowercase();
        if TELLING.iter().any(|head| verb.starts_with(head)) {
            return None;
        }
        let to = (wish + 1..self.tokens.len()).find(|i| {
            self.parser.has(*i, Term::ToWhom) && !self.timed(*i) && !self.timed(*i + 1) && *i + 1 < self.tokens.len()
        })?;
        let name = self.name(to + 1)?;
        let behind = name.end..self.tokens.len();
        let clean = behind.clone().all(|i| self.timed(i) || small(self.tokens, i));
        let between = (wish + 1..to).any(|i| self.timed(i));
        let body =
            slice(self.text, self.tokens, &(wish + 1..to)).filter(|b| !MESSAGE.contains(&b.to_lowercase().as_str()));
        if !clean || between {
            return None;
        }
        let when = match first {
            Some(first) => self.read(&first, now, language),
            None => self.read(&behind, now, language),
        };
        Some(Split { when, to: slice(self.text, self.tokens, &name), body })
    }

    /// "lembra a Ana amanhã 9h de levar o bolo", "remind me to call tomorrow at 9".
    fn told(&self, wish: usize, first: Option<Range<usize>>, now: DateTime<Tz>, language: Language) -> Option<Split> {
        let mut at = wish + 1;
        let own = self.is(at, &SELF)
            || self.text[..self.tokens.get(wish)?.span.end].to_lowercase().ends_with("me")
            || self.tokens.get(wish).is_some_and(|t| t.words > 1);
        at += usize::from(self.is(at, &SELF));
        let name = if own || self.timed(at) { None } else { Some(self.name(at)?) };
        at = name.as_ref().map_or(at, |n| n.end);
        let time = self.cluster(at);
        at = time.end;
        let link = self.is(at, &LINKS);
        at += usize::from(link);
        let mut when = first.or(Some(time.clone()).filter(|t| !t.is_empty()));
        if !link && when.is_none() {
            return None;
        }
        let mut body = at..self.tokens.len();
        if when.is_none() {
            // The time may stand at the end, if it is the only one.
            let last = (at..self.tokens.len()).find(|i| self.times.iter().any(|r| r.start == *i));
            let tail = last.map(|last| self.cluster(last)).filter(|tail| tail.end >= self.tokens.len());
            if let Some(tail) = tail {
                let lead = |i: usize| small(self.tokens, i) && !matches!(self.tokens[i].kind, Kind::Sign(_));
                let mut start = tail.start;
                while start > at && lead(start - 1) {
                    start -= 1;
                }
                // "the meeting moved to friday", "o bolo de sexta": the time is what is told.
                let told =
                    (start..=tail.start).any(|i| self.parser.has(i, Term::Of) || self.parser.has(i, Term::ToWhom));
                if start > at && !told {
                    when = Some(tail);
                    body = at..start;
                }
            }
        }
        let when = when.and_then(|range| self.read(&range, now, language));
        let body = slice(self.text, self.tokens, &body);
        let body = body.map(|b| b.trim_start_matches([',', ' ', '-']).to_owned()).filter(|b| !b.is_empty());
        Some(Split { when, to: name.and_then(|n| slice(self.text, self.tokens, &n)), body })
    }

    /// The words of a name from a token on, up to a time, a sign or a word that leads what is to be said.
    fn name(&self, from: usize) -> Option<Range<usize>> {
        let word = |i: usize| {
            !self.timed(i) && matches!(self.tokens.get(i).map(|t| &t.kind), Some(Kind::Word(_) | Kind::Unknown))
        };
        let mut start = from;
        while word(start) && self.parser.skip(start, &[Term::The, Term::At, Term::OrdMark, Term::ToWhom], 1) > start {
            start += 1;
        }
        let mut end = start;
        while word(end) {
            // "Ana de Souza" goes on, "Ana de levar" does not.
            let link = self.is(end, &LINKS) && !self.capital(end + 1);
            if end > start && (link || small(self.tokens, end) && !self.capital(end) && !self.capital(end + 1)) {
                break;
            }
            end += 1;
        }
        (end > start && end - start < LONGEST_NAME).then_some(start..end)
    }

    /// The pieces of time that follow one another from a token on, with the small words between.
    fn cluster(&self, from: usize) -> Range<usize> {
        let mut end = from;
        for range in self.times.iter().filter(|r| r.start >= from) {
            if !(end..range.start).all(|i| small(self.tokens, i) && !(self.is(i, &LINKS) && end == from)) {
                break;
            }
            end = range.end.max(end);
        }
        from..end
    }

    fn read(&self, range: &Range<usize>, now: DateTime<Tz>, language: Language) -> Option<super::Reading> {
        let from = self.tokens.get(range.start)?.span.start;
        let until = self.tokens.get(range.end.checked_sub(1)?)?.span.end;
        let mut reading = read_amid(self.text.get(from..until)?, now, language);
        reading.span = reading.span.start + from..reading.span.end + from;
        (reading.meaning != Meaning::Nothing).then_some(reading)
    }

    fn timed(&self, i: usize) -> bool {
        self.times.iter().any(|r| r.contains(&i))
    }

    fn word(&self, i: usize) -> &str {
        self.tokens.get(i).and_then(|t| self.text.get(t.span.clone())).unwrap_or_default()
    }

    fn is(&self, i: usize, words: &[&str]) -> bool {
        words.contains(&self.word(i).to_lowercase().as_str())
    }

    fn capital(&self, i: usize) -> bool {
        self.word(i).chars().next().is_some_and(char::is_uppercase)
    }
}
