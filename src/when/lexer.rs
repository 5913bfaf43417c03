//! Cuts a reply into tokens: numbers, folded words with their meanings, and signs.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::words::{Table, Term, tables};
use crate::domain::language::Language;

/// Digits as typed: their value and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    pub value: u32,
    pub len: usize,
}

/// What a token is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Digits(Digits),
    /// A word or phrase with its meanings.
    Word(&'static [Term]),
    /// A word of no table.
    Unknown,
    Sign(char),
}

/// A token with the bytes of text it covers.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
    /// Follows the token before it without a space.
    pub joined: bool,
    /// A dot follows without a space, as behind an abbreviation.
    pub dotted: bool,
    /// How many words the phrase has.
    pub words: usize,
    /// A word of the account's own language.
    pub own: bool,
}

/// A letter run, a digit run or a sign, before phrases are found.
struct Raw {
    text: String,
    digits: bool,
    sign: Option<char>,
    span: Range<usize>,
    joined: bool,
}

/// Cuts the text and looks its words up, the account's language first.
pub(super) fn lex(text: &str, language: Language) -> Vec<Token> {
    let raws = merge(cut(text));
    let tables = tables(language);
    let mut tokens: Vec<Token> = Vec::with_capacity(raws.len());
    let mut i = 0;
    while let Some(raw) = raws.get(i) {
        let mut next = i + 1;
        let mut kind = Kind::Unknown;
        let mut own = false;
        if raw.digits {
            let value = raw.text.parse().unwrap_or(u32::MAX);
            kind = Kind::Digits(Digits { value, len: raw.text.len() });
        } else if let Some(sign) = raw.sign {
            kind = Kind::Sign(sign);
        } else if let Some((terms, len, first)) = find(&raws[i..], tables) {
            kind = Kind::Word(terms);
            own = first;
            next = i + len;
        }
        let words = next - i;
        let last = &raws[next - 1];
        let dotted = raws.get(next).is_some_and(|r| r.sign == Some('.') && r.joined)
            && !raws.get(next + 1).is_some_and(|r| r.digits && r.joined);
        let span = raw.span.start..last.span.end;
        if matches!(kind, Kind::Word(_) | Kind::Unknown) && dotted {
            tokens.push(Token { kind, span, joined: raw.joined, dotted, words, own });
            next += 1;
        } else {
            tokens.push(Token { kind, span, joined: raw.joined, dotted: false, words, own });
        }
        i = next;
    }
    tokens
}

/// The longest phrase at the head of `raws`, in the first table that knows one, and whether that was the first of all.
fn find(raws: &[Raw], tables: [&'static Table; 3]) -> Option<(&'static [Term], usize, bool)> {
    let first = raws.first()?.text.as_str();
    let phrase = |table: &'static Table, word: &str| {
        table.phrases(word).iter().find_map(|phrase| {
            let mut len = 1;
            for word in &phrase.rest {
                // "dia sim, dia não", "St. Patrick's Day": a sign may part a long phrase.
                let sign = raws.get(len)?.sign;
                let comma = phrase.rest.len() > 2 && sign == Some(',') || phrase.rest.len() > 1 && sign == Some('.');
                len += usize::from(comma);
                let same = |raw: &Raw| {
                    // Only a long word is looked at again as a slip.
                    let like = word.len() > 4
                        && raw.text.as_bytes().first() == word.as_bytes().first()
                        && raw.text.len().abs_diff(word.len()) < 4;
                    !raw.digits && (raw.text == *word || like && table.correct(&raw.text) == Some(*word))
                };
                if !raws.get(len).is_some_and(same) {
                    return None;
                }
                len += 1;
            }
            Some((phrase.terms.as_slice(), len))
        })
    };
    let known = tables.iter().enumerate().find_map(|(at, table)| phrase(table, first).map(|(t, n)| (t, n, at == 0)));
    known.or_else(|| tables.iter().find_map(|table| phrase(table, table.correct(first)?)).map(|(t, n)| (t, n, false)))
}

/// Whether a hyphen only ties two words together ("segunda-feira").
fn merge(raws: Vec<Raw>) -> Vec<Raw> {
    let mut out: Vec<Raw> = Vec::with_capacity(raws.len());
    let mut raws = raws.into_iter().peekable();
    while let Some(mut raw) = raws.next() {
        let word = |r: &Raw| !r.digits && r.sign.is_none();
        if matches!(raw.sign, Some('-' | '–' | '—')) {
            raw.sign = Some('-');
            let tied = raw.joined && out.last().is_some_and(word) && raws.peek().is_some_and(|r| r.joined && word(r));
            if tied {
                continue;
            }
        }
        // "2nite" and its like are one word.
        if word(&raw)
            && raw.joined
            && (matches!(raw.text.as_str(), "nite" | "night" | "moro" | "morow" | "morro" | "morrow" | "mrw" | "mro")
                || raw.text == "day" && !counted(&out))
            && let Some(two) = out.last_mut().filter(|r| r.digits && r.text == "2")
        {
            two.digits = false;
            two.text.push_str(&raw.text);
            two.span.end = raw.span.end;
            continue;
        }
        // "p/" is short for "para".
        if raw.sign == Some('/')
            && raw.joined
            && let Some(last) = out.last_mut().filter(|r| r.text == "p")
        {
            last.text.push_str("ara");
            last.span.end = raw.span.end;
            continue;
        }
        if word(&raw) && raw.text == "m" && raws.peek().is_none_or(|r| r.digits || r.sign.is_some() || !r.joined) {
            let dot = usize::from(out.last().is_some_and(|r| r.sign == Some('.')));
            let at = out.len().checked_sub(1 + dot);
            if let Some(half) = at.and_then(|at| out.get_mut(at))
                && half.sign.is_none()
                && (half.text == "a" || half.text == "p")
            {
                half.text.push('m');
                half.span.end = raw.span.end;
                out.truncate(out.len() - dot);
                if let Some(r) = raws.next_if(|r| r.sign == Some('.'))
                    && let Some(last) = out.last_mut()
                {
                    last.span.end = r.span.end;
                }
                continue;
            }
        }
        out.push(raw);
    }
    out
}

/// Whether a word before the last number makes it count something: "in 2day".
fn counted(raws: &[Raw]) -> bool {
    let before = raws.len().checked_sub(2).and_then(|at| raws.get(at));
    before.is_some_and(|r| matches!(r.text.as_str(), "in" | "within" | "every" | "after" | "for" | "each"))
}

fn cut(text: &str) -> Vec<Raw> {
    let mut raws: Vec<Raw> = Vec::with_capacity(text.len() / 3);
    let mut space = true;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        if c.is_whitespace() || c.is_control() {
            space = true;
            continue;
        }
        if is_combining_mark(c) {
            if let Some(last) = raws.last_mut() {
                last.span.end = end;
            }
            continue;
        }
        let digit = c.is_ascii_digit();
        if c == '&' {
            raws.push(Raw { text: "and".to_owned(), digits: false, sign: None, span: at..end, joined: !space });
            space = true;
            continue;
        }
        if let Some((over, under)) = vulgar(c) {
            for (text, digits, sign) in [(over, true, None), ("", false, Some('/')), (under, true, None)] {
                let joined = sign.is_some() || text == under;
                raws.push(Raw { text: text.to_owned(), digits, sign, span: at..end, joined });
            }
            space = true;
            continue;
        }
        // The T of an ISO timestamp parts its date from its clock.
        if c == 'T'
            && !space
            && raws.last().is_some_and(|r| r.digits)
            && chars.peek().is_some_and(|(_, n)| n.is_ascii_digit())
        {
            space = true;
            continue;
        }
        let letter = c.is_alphabetic() || c == '°';
        let quote = matches!(c, '\'' | '’');
        if quote
            && !space
            && raws.last().is_some_and(|r| !r.digits && r.sign.is_none())
            && chars.peek().is_some_and(|(_, n)| n.is_alphabetic())
        {
            continue;
        }
        let grows = !space && raws.last().is_some_and(|r| r.sign.is_none() && r.digits == digit);
        if digit || letter {
            if !grows {
                raws.push(Raw { text: String::new(), digits: digit, sign: None, span: at..end, joined: !space });
            }
            if let Some(last) = raws.last_mut() {
                fold(c, &mut last.text);
                last.span.end = end;
            }
        } else {
            let sign = if quote { '\'' } else { c };
            raws.push(Raw { text: String::new(), digits: false, sign: Some(sign), span: at..end, joined: !space });
        }
        space = false;
    }
    raws
}

/// The two numbers of a fraction that is one character.
const fn vulgar(c: char) -> Option<(&'static str, &'static str)> {
    match c {
        '½' => Some(("1", "2")),
        '¼' => Some(("1", "4")),
        '¾' => Some(("3", "4")),
        _ => None,
    }
}

/// A word in lower case and without accents.
pub(super) fn folded(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    word.chars().for_each(|c| fold(c, &mut out));
    out
}

/// Adds a letter without its accent, in lower case.
fn fold(c: char, out: &mut String) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
    } else if matches!(c, 'º' | '°') {
        out.push('o');
    } else if c == 'ª' {
        out.push('a');
    } else {
        out.extend(c.to_lowercase().nfd().filter(|c| !is_combining_mark(*c)));
    }
}
