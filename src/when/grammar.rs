//! Walks over the tokens of a text and gathers the pieces of a time: one grammar for every language.
//! Each parser looks at a bounded number of tokens, so the walk is linear in the length of the text.

mod clock;
mod date;
mod every;
mod length;
mod numeric;
mod weekday;
mod zone;

use std::ops::Range;

use super::item::{Clock, Item};
use super::lexer::{Kind, Token};
use super::words::{Edge, Part, Term, Unit};
use crate::domain::language::Language;

/// A number as said: its value and how many digits it has, 0 for words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    pub value: u32,
    pub len: usize,
    pub next: usize,
}

/// The pieces of a text, each with the tokens it covers.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub items: Vec<(Item, Range<usize>)>,
    /// Words of no table.
    pub unknown: usize,
    /// A word takes something back, and what is not said.
    pub negated: bool,
    /// An ordinal that counts nothing known.
    pub ordinal: bool,
    /// Phrases that only look like a time.
    pub greeting: bool,
}

pub(super) struct Parser<'a> {
    pub tokens: &'a [Token],
    pub language: Language,
}

impl Parser<'_> {
    /// Gathers every piece of the text.
    pub fn scan(&self) -> Found {
        let mut found = Found::default();
        let mut i = 0;
        while i < self.tokens.len() {
            // A number behind "room" or "version" is no time.
            if let Some(next) = self.labelled(i) {
                found.unknown += 1;
                i = next;
                continue;
            }
            if let Some((item, next)) = self.item(i) {
                // "el viernes de mañana": a word that is also tomorrow is the morning of a day said before it.
                let said = found.items.last().is_some_and(|(last, range)| {
                    range.end == i
                        && matches!(
                            last,
                            Item::Weekday(..)
                                | Item::Rel(_)
                                | Item::Date(..)
                                | Item::Day(..)
                                | Item::Week(_)
                                | Item::Length(_, _, false)
                        )
                });
                let morning = self.part(next - 1).filter(|_| said && item == Item::Rel(1));
                let item = morning.map_or(item, Item::Part);
                if let Some(extra) = self.companion(i, item) {
                    found.items.push((extra, i..next));
                }
                found.items.push((item, i..next));
                i = next.max(i + 1);
                continue;
            }
            match &self.tokens[i].kind {
                Kind::Unknown => found.unknown += 1,
                Kind::Word(terms) if terms.contains(&Term::Greeting) => found.greeting = true,
                Kind::Word(terms) if terms.contains(&Term::Not) => found.negated = true,
                Kind::Word([Term::Ord(_)]) => found.ordinal = true,
                _ => {}
            }
            i += 1;
        }
        found
    }

    /// The end of a number that a word before it claims for something else.
    fn labelled(&self, i: usize) -> Option<usize> {
        if !self.has(i, Term::Label) {
            return None;
        }
        let mut next = i + 1;
        next += usize::from(self.sign(next, '.') || self.sign(next, ':') || self.sign(next, '#'));
        let mut end = self.digits(next)?.next;
        // Versions, scores, numbers with signs; but not a time that only follows.
        let clock = self.sign(end, ':') || self.has(end, Term::HourMark) || self.sign(end, '/');
        if clock || self.get(end, |t| matches!(t, Term::Am | Term::Pm).then_some(())).is_some() {
            return None;
        }
        while self.joined(end) && matches!(self.tokens.get(end).map(|t| &t.kind), Some(Kind::Sign(_) | Kind::Digits(_)))
        {
            end += 1;
        }
        // "3 a 2", "9 de julho": what the number is tied to.
        let tie = self.has(end, Term::At) || self.has(end, Term::To) || self.has(end, Term::Of);
        let more = self.digits(end + 1).map(|n| n.next).or_else(|| self.month(end + 1).map(|_| end + 2));
        let small = if self.has(end, Term::At) { 1 } else { 2 };
        Some(more.filter(|_| tie && self.tokens.get(end).is_some_and(|t| t.span.len() <= small)).unwrap_or(end))
    }

    fn item(&self, i: usize) -> Option<(Item, usize)> {
        self.every(i)
            .or_else(|| self.first_of_two(i))
            .or_else(|| self.offset_to_clock(i))
            .or_else(|| self.numeric_date(i))
            .or_else(|| self.nth(i))
            .or_else(|| self.offset(i))
            .or_else(|| self.month_day(i))
            .or_else(|| self.weekday(i))
            .or_else(|| self.day(i))
            .or_else(|| self.relative(i))
            .or_else(|| self.named_month(i))
            .or_else(|| self.clock(i))
            .or_else(|| self.single(i))
    }

    /// The second piece of words that say two things at once, such as "tonight".
    fn companion(&self, i: usize, item: Item) -> Option<Item> {
        let rel = self.get(i, |t| if let Term::Rel(n) = t { Some(n) } else { None })?;
        match (item, self.part(i)) {
            (Item::Rel(_), Some(part)) if self.tokens_mean_both(i) => Some(Item::Part(part)),
            (Item::Part(_), _) if self.tokens_mean_both(i) => Some(Item::Rel(rel)),
            _ => None,
        }
    }

    /// "tonight" is a day and a part of it; "mañana" is one or the other.
    fn tokens_mean_both(&self, i: usize) -> bool {
        self.get(i, |t| if let Term::Rel(n) = t { Some(n) } else { None }).is_some_and(|n| n <= 0)
    }

    /// Pieces of one token.
    fn single(&self, i: usize) -> Option<(Item, usize)> {
        let terms = self.terms(i);
        for term in terms {
            let item = match *term {
                Term::Now => Item::Now,
                Term::Part(part) => Item::Part(part),
                Term::Parts(part) => Item::Parts(part),
                Term::Workdays => Item::Workdays,
                Term::Weekend => Item::Weekend(0),
                Term::Freq(n, unit) => Item::Every(n, Some(unit)),
                Term::Until => Item::Until,
                Term::Or => Item::Or,
                Term::Vague => Item::Vague,
                Term::Zone(_) => return self.zone(i),
                Term::Feast(day, month) => Item::Date(day, month, None),
                Term::Edge(edge) => return Some(self.edge(i, edge)),
                Term::Moving(feast) => Item::Moving(feast),
                Term::Start => Item::Start,
                Term::Except => Item::Except,
                Term::Twice => return self.per(2, i + 1),
                Term::Weekdays(day) => Item::Weekdays(day),
                _ => continue,
            };
            return Some((item, i + 1));
        }
        let n = self.number(i)?;
        if self.has(n.next, Term::Times) {
            return self.per(n.value, n.next + 1).or(Some((Item::Count(n.value), n.next + 1)));
        }
        if n.len == 4 && (1900..2200).contains(&n.value) && !self.glued(i) && !self.glued(n.next) {
            return Some((Item::Year(i32::try_from(n.value).ok()?), n.next));
        }
        // "friday 9 15", "amanhã 14 30": beside a day, two numbers are an hour and its minutes.
        if let Some((clock, next)) = self.apart(i, n) {
            return Some((Item::Clock(clock), next));
        }
        // "el martes 6": the article makes it a date.
        let weekday = |i: usize| self.get(i, |t| matches!(t, Term::Weekday(_)).then_some(())).is_some();
        if i >= 2
            && weekday(i - 1)
            && self.has(i - 2, Term::The)
            && self.has(i - 2, Term::On)
            && (1..=31).contains(&n.value)
        {
            // "el sábado 8 de la noche": or it is an hour of a part of the day.
            let part = self.part(self.skip(n.next, &[Term::Of], 1)).is_some();
            let item = if part && n.value <= 12 { Item::Bare(n.value, false) } else { Item::Day(n.value, true) };
            return Some((item, n.next));
        }
        // "0900": a clock in the manner of armies.
        let long =
            |i: usize| self.digits(i).is_some_and(|n| (3..=5).contains(&n.len) && !(1900..2200).contains(&n.value));
        let phone = (i > 0 && long(i - 1)) || long(n.next);
        if n.len == 4
            && self.tokens.len() > 1
            && !phone
            && !self.glued(i)
            && !self.glued(n.next)
            && n.value / 100 < 24
            && n.value % 100 < 60
        {
            let zero = n.value < 1000;
            let clock =
                Clock { hour: n.value / 100, minute: n.value % 100, full: true, weak: !zero, ..Clock::default() };
            return (zero || n.value % 5 == 0).then_some((Item::Clock(clock), n.next));
        }
        // "friday 830", "730 tomorrow".
        if n.len == 3
            && !phone
            && !self.glued(i)
            && !self.glued(n.next)
            && n.value % 100 < 60
            && n.value % 5 == 0
            && ((i > 0 && self.is_day(i - 1)) || self.is_day(n.next))
        {
            let clock = Clock { hour: n.value / 100, minute: n.value % 100, ..Clock::default() };
            return Some((Item::Clock(clock), n.next));
        }
        let digits = n.len <= 2 && !self.glued(i) && !self.glued(n.next);
        // "daily 7" is an hour; "todo dia 7" is a day of the month.
        let daily = |t| matches!(t, Term::Freq(1, Unit::Day)).then_some(());
        if digits && n.value < 24 && i > 0 && self.get(i - 1, daily).is_some() {
            return Some((Item::Clock(Clock { hour: n.value, ..Clock::default() }), n.next));
        }
        // "uma da tarde".
        let part = self.skip(n.next, &[Term::Of, Term::On, Term::The, Term::MaybeIn], 3);
        let hour = n.len == 0
            && n.value == 1
            && self.part(part).is_some()
            && (part > n.next || self.tokens.get(part).is_some_and(|t| t.words > 1));
        if hour {
            return Some((Item::Bare(1, true), n.next));
        }
        // "one" and "a" are seldom hours.
        (digits && n.value <= 31 && (n.len > 0 || n.value != 1)).then_some((Item::Bare(n.value, n.len == 0), n.next))
    }

    /// A weekday, today or a day counted from it.
    fn is_day(&self, i: usize) -> bool {
        self.weekday_name(i).is_some() || self.get(i, |t| matches!(t, Term::Rel(0..)).then_some(())).is_some()
    }

    /// An hour and its minutes with a space between, beside a day: "friday 8 30 please", "todo dia 8 30".
    fn apart(&self, i: usize, n: Number) -> Option<(Clock, usize)> {
        let m = self.digits(n.next).filter(|m| m.len == 2 && m.value < 60)?;
        let is_hour = (1..=2).contains(&n.len) && n.value < 24 && !self.glued(i) && !self.joined(n.next);
        // What follows may need the second number: "sexta 8 10h", "todo dia 5 10 e 20", "mon 9 12/04".
        let hours = self.has(m.next, Term::HourMark) || self.unit(m.next) == Some(Unit::Hour);
        let month = self.month(self.skip(m.next, &[Term::Of], 1)).is_some();
        let other = self.unit(m.next).is_some_and(|unit| unit != Unit::Hour);
        let sign = self.joined(m.next) && !self.sign(m.next, ',') && !self.sign(m.next, '!');
        let taken = (hours && m.value < 25) || month || other || sign || self.number(m.next).is_some();
        let listed = self.has(m.next, Term::And) || self.sign(m.next, ',');
        let daily = i > 0
            && !listed
            && (self.get(i - 1, |t| matches!(t, Term::Freq(1, Unit::Day)).then_some(())).is_some()
                || self.unit(i - 1) == Some(Unit::Day)
                    && (1..=3).any(|back| i > back && self.has(i - 1 - back, Term::Every)));
        let before = i == 0 && self.is_day(m.next);
        let beside = before || i > 0 && (self.is_day(i - 1) || daily);
        let next = m.next + usize::from(hours);
        let clock = Clock { hour: n.value, minute: m.value, pair: true, ..Clock::default() };
        (is_hour && beside && (before || !taken)).then_some((clock, next))
    }

    /// "a day", "por semana", "al mes" behind "twice".
    fn per(&self, n: u32, i: usize) -> Option<(Item, usize)> {
        let unit = |unit: Unit| matches!(unit, Unit::Day | Unit::Week | Unit::Month | Unit::Year).then_some(unit);
        let freq = self.get(i, |t| if let Term::Freq(1, u) = t { unit(u) } else { None });
        if let Some(unit) = freq {
            return Some((Item::Per(n, unit), i + 1));
        }
        let j = self.skip(i, &[Term::The, Term::For, Term::Every, Term::At, Term::Num(1)], 2);
        (j > i).then(|| self.unit(j).and_then(unit)).flatten().map(|unit| (Item::Per(n, unit), j + 1))
    }

    /// The edge of a week, month or year; "fim de mês" is that of the present one.
    fn edge(&self, i: usize, edge: Edge) -> (Item, usize) {
        let own = self.unit(i);
        let j = self.skip(i + 1, &[Term::Of, Term::The, Term::On, Term::This], 3);
        let whole = |unit: Unit| matches!(unit, Unit::Week | Unit::Month | Unit::Year).then_some(unit);
        let here =
            own.or_else(|| self.unit(j).filter(|_| !self.has(j + 1, Term::Next) && !self.has(j + 1, Term::Last)));
        match here.and_then(whole) {
            Some(unit) => (Item::Edge(edge, Some(unit)), if own.is_some() { i + 1 } else { j + 1 }),
            None => (Item::Edge(edge, None), i + 1),
        }
    }

    pub fn terms(&self, i: usize) -> &'static [Term] {
        match self.tokens.get(i) {
            Some(Token { kind: Kind::Word(terms), .. }) => terms,
            _ => &[],
        }
    }

    pub fn has(&self, i: usize, term: Term) -> bool {
        self.terms(i).contains(&term)
    }

    pub fn get<T>(&self, i: usize, read: impl Fn(Term) -> Option<T>) -> Option<T> {
        self.terms(i).iter().find_map(|t| read(*t))
    }

    pub fn part(&self, i: usize) -> Option<Part> {
        self.get(i, |t| if let Term::Part(p) = t { Some(p) } else { None })
    }

    pub fn unit(&self, i: usize) -> Option<Unit> {
        self.get(i, |t| if let Term::Unit(u) = t { Some(u) } else { None })
    }

    pub fn sign(&self, i: usize, sign: char) -> bool {
        matches!(self.tokens.get(i), Some(Token { kind: Kind::Sign(s), .. }) if *s == sign)
    }

    pub fn joined(&self, i: usize) -> bool {
        self.tokens.get(i).is_some_and(|t| t.joined)
    }

    pub fn digits(&self, i: usize) -> Option<Number> {
        match self.tokens.get(i)?.kind {
            Kind::Digits(d) => Some(Number { value: d.value, len: d.len, next: i + 1 }),
            _ => None,
        }
    }

    /// Skips tokens with one of the meanings, at most `most` of them.
    pub fn skip(&self, mut i: usize, terms: &[Term], most: usize) -> usize {
        for _ in 0..most {
            if terms.iter().any(|t| self.has(i, *t)) || (terms.contains(&Term::Glue) && self.sign(i, ',')) {
                i += 1;
            } else {
                break;
            }
        }
        i
    }

    /// Whether the token at `i` is tied to the one before it by more than its place: part of a phone number, a price, a formula.
    pub fn glued(&self, i: usize) -> bool {
        let Some(token) = self.tokens.get(i) else {
            return false;
        };
        if !token.joined || i == 0 {
            return false;
        }
        // "fri-3pm", "sexta/15h": a sign may stand between a day and its hour.
        if i > 1
            && matches!(token.kind, Kind::Digits(_))
            && (self.sign(i - 1, '/') || self.sign(i - 1, '-'))
            && self
                .get(i - 2, |t| matches!(t, Term::Weekday(_) | Term::Short(_) | Term::Rel(_)).then_some(()))
                .is_some()
        {
            return false;
        }
        match (&self.tokens[i - 1].kind, &token.kind) {
            (Kind::Digits(_), Kind::Sign('/' | '-' | ':' | '.' | ',')) => {
                self.joined(i + 1) && matches!(self.tokens.get(i + 1).map(|t| &t.kind), Some(Kind::Digits(_)))
            }
            (Kind::Sign('.' | ','), Kind::Digits(_)) => {
                i >= 2
                    && !self.sign(i + 1, ':')
                    && self.joined(i - 1)
                    && matches!(self.tokens[i - 2].kind, Kind::Digits(_))
            }
            (_, Kind::Sign('%' | '$' | '€' | '#'))
            | (Kind::Sign('$' | '€' | '#' | '%'), _)
            | (Kind::Sign('/' | '-' | ':' | '+' | '*' | '_' | '=') | Kind::Unknown, Kind::Digits(_))
            | (Kind::Digits(_), Kind::Unknown) => true,
            _ => false,
        }
    }

    /// A cardinal number in digits or words up to 99.
    pub fn number(&self, i: usize) -> Option<Number> {
        if let Some(n) = self.digits(i) {
            return Some(n);
        }
        let value = self.cardinal(i)?;
        if value >= 20 && value % 10 == 0 {
            let j = i + 1 + usize::from(self.has(i + 1, Term::And));
            if let Some(ones @ 1..=9) = self.cardinal(j) {
                return Some(Number { value: value + ones, len: 0, next: j + 1 });
            }
        }
        Some(Number { value, len: 0, next: i + 1 })
    }

    fn cardinal(&self, i: usize) -> Option<u32> {
        self.get(i, |t| if let Term::Num(n) = t { Some(n) } else { None })
    }

    /// An ordinal number: "3rd", "1º", "twenty first".
    pub fn ordinal(&self, i: usize) -> Option<Number> {
        let of = |i: usize| self.get(i, |t| if let Term::Ord(n) = t { Some(n) } else { None });
        if let Some(n) = self.digits(i) {
            let dot = usize::from(self.sign(n.next, '.') && self.joined(n.next));
            let mark = n.next + dot;
            let is = n.len <= 2 && self.joined(mark) && self.has(mark, Term::OrdMark);
            return is.then_some(Number { value: n.value, len: n.len, next: mark + 1 });
        }
        if let Some(tens @ (10 | 20 | 30)) = of(i).or_else(|| self.cardinal(i))
            && let Some(ones @ 1..=9) = of(i + 1)
        {
            return Some(Number { value: tens + ones, len: 0, next: i + 2 });
        }
        of(i).map(|value| Number { value, len: 0, next: i + 1 })
    }

    /// A year: four digits, or "dois mil e vinte".
    pub fn year(&self, i: usize) -> Option<(i32, usize)> {
        if let Some(n) = self.digits(i) {
            let is = n.len == 4 && (1900..2200).contains(&n.value) && !self.glued(n.next);
            return is.then_some((i32::try_from(n.value).ok()?, n.next));
        }
        let two = self.cardinal(i).filter(|n| *n == 2)?;
        if !self.has(i + 1, Term::Thousand) {
            return None;
        }
        let j = i + 2 + usize::from(self.has(i + 2, Term::And));
        let (rest, next) = match self.number(j) {
            Some(n) if n.len == 0 && n.value < 100 => (n.value, n.next),
            _ => (0, i + 2),
        };
        Some((i32::try_from(two * 1000 + rest).ok()?, next))
    }
}
