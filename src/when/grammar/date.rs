//! Dates: in digits, with the name of the month, weekdays, days counted in a month, weeks and months from now.

use super::super::item::{Counted, InMonth, Item, Length};
use super::super::words::{Term, Unit, month_first};
use super::Parser;

impl Parser<'_> {
    pub fn month(&self, i: usize) -> Option<u32> {
        // "dia 2, dez pras oito": the word is also a number.
        let minutes = self.cardinal(i).is_some()
            && self.has(i + 1, Term::To)
            && self.number(self.skip(i + 2, &[Term::At, Term::The], 1)).is_some();
        self.get(i, |t| if let Term::Month(m) = t { Some(m) } else { None }).filter(|_| !minutes)
    }

    /// Whether a number is the hour of a clock time: "9:30", "6pm", "8 at night".
    fn clock_time(&self, i: usize) -> bool {
        let part =
            |n: usize| self.part(self.skip(n, &[Term::Of, Term::On, Term::The, Term::MaybeIn, Term::At], 3)).is_some();
        self.hour(i, false).is_some()
            || self.offset_to_clock(i).is_some()
            || self.number(i).is_some_and(|n| n.value <= 12 && part(n.next))
    }

    pub fn pm_follows(&self, i: usize) -> bool {
        self.has(i, Term::Pm) || self.has(i, Term::Am)
    }

    /// A day and the name of its month, in either order.
    pub fn month_day(&self, start: usize) -> Option<(Item, usize)> {
        let mut i = self.skip(start, &[Term::On, Term::The, Term::MaybeIn, Term::Next, Term::This], 3);
        if self.unit(i) == Some(Unit::Day) && self.digits(i).is_none() && self.cardinal(i).is_none() {
            i += 1;
            i = self.skip(i, &[Term::The], 1);
        }
        // A word may lead and count at once ("a", "o").
        if i > start && self.month(i).is_none() && self.number(i).is_none() && self.ordinal(i).is_none() {
            i -= 1;
        }
        // "dez de maio": the word is also short for December.
        let counted = self.cardinal(i).is_some() && self.has(i + 1, Term::Of);
        if let Some(month) = self.month(i).filter(|_| !counted) {
            return self.after_month(i, month);
        }
        if let Some((year, next)) = self.year(i).filter(|_| self.digits(i).is_some()) {
            let month = self.month(next)?;
            let day = self.digits(next + 1).filter(|d| d.len <= 2 && !self.sign(d.next, ':'))?;
            return Some((Item::Date(day.value, month, Some(year)), day.next));
        }
        let day = self.ordinal(i).or_else(|| self.number(i)).filter(|n| n.len <= 2 && n.value >= 1)?;
        if self.glued_before(i) {
            return None;
        }
        let mut next = day.next;
        let dot = usize::from(self.sign(next, '.') && self.month(next + 1).is_some());
        next += dot;
        if self.unit(next) == Some(Unit::Day) && self.has(next + 1, Term::Of) {
            next += 1;
        }
        if self.sign(next, '-') {
            next += 1;
        }
        next = self.skip(next, &[Term::Of, Term::The, Term::MaybeIn], 2);
        if let Some(month) = self.month(next) {
            // "One may ask".
            if day.value == 1 && next == day.next && self.cardinal(i).is_some() && self.ordinal(i).is_none() {
                return None;
            }
            let (year, end) = self.trailing_year(next + 1);
            return Some((Item::Date(day.value, month, year), end));
        }
        // "el 21 del 3": the month by its number, where a word leads the day.
        let led = i > start && self.has(day.next, Term::Of) && day.value <= 31 && !month_first(self.language);
        let month = self.digits(day.next + 1).filter(|m| led && m.len <= 2 && (1..=12).contains(&m.value))?;
        let clock = self.sign(month.next, ':') || self.has(month.next, Term::HourMark) || self.pm_follows(month.next);
        (!clock && next == day.next + 1).then_some((Item::Date(day.value, month.value, None), month.next))
    }

    fn after_month(&self, i: usize, month: u32) -> Option<(Item, usize)> {
        let mut j = i + 1;
        if self.sign(j, '-') || self.sign(j, ']') {
            j += 1;
        }
        j += usize::from(self.sign(j, ',') && self.digits(j + 1).is_some_and(|d| d.len <= 2));
        j = self.skip(j, &[Term::The], 1);
        if self.sign(j, ']') {
            j += 1;
        }
        let day = self
            .ordinal(j)
            .or_else(|| self.number(j).filter(|n| n.len > 0 || n.value > 1))
            .filter(|n| n.len <= 2 && n.value >= 1)?;
        let clock = self.sign(day.next, ':')
            || self.has(day.next, Term::HourMark)
            || self.pm_follows(day.next)
            || self.sign(day.next, '%');
        let range = self.sign(day.next, '-')
            && self.digits(day.next + 1).is_some_and(|d| d.len <= 2)
            && !self.clock_time(day.next + 1);
        if clock || range || self.has(day.next, Term::Unit(Unit::Minute)) || self.glued(day.next) {
            return None;
        }
        let (year, end) = self.trailing_year(day.next);
        Some((Item::Date(day.value, month, year), end))
    }

    fn trailing_year(&self, i: usize) -> (Option<i32>, usize) {
        let mut j = i;
        for _ in 0..4 {
            let skip =
                self.has(j, Term::Of) || self.sign(j, ',') || self.sign(j, '-') || self.unit(j) == Some(Unit::Year);
            if !skip {
                break;
            }
            j += 1;
        }
        match self.year(j) {
            Some((year, next)) if !self.sign(next, ':') => (Some(year), next),
            _ => (None, i),
        }
    }

    /// "last Monday of March", "primeiro dia útil do mês", "o terceiro dia de outubro".
    pub fn nth(&self, start: usize) -> Option<(Item, usize)> {
        let mut i = self.skip(start, &[Term::On, Term::The], 2);
        if i > start && self.ordinal(i).is_none() && !self.has(i, Term::Last) {
            i = start;
        }
        // "first and third monday": the first one shares what follows the second.
        if let Some(one) = self.ordinal(i).filter(|o| o.value <= 31)
            && (self.has(one.next, Term::And) || self.sign(one.next, ','))
            && self.ordinal(one.next + 1).is_some_and(|two| two.value > one.value)
            && let Some((Item::Nth(_, what, month), _)) = self.nth(one.next + 1)
        {
            return Some((Item::Nth(i32::try_from(one.value).ok()?, what, month), one.next + 1));
        }
        let (mut n, mut next) = match self.ordinal(i) {
            Some(ord) if ord.value <= 31 => (i32::try_from(ord.value).ok()?, ord.next),
            _ if self.has(i, Term::Last) => (-1, i + 1),
            _ => return None,
        };
        if n > 0 && self.has(next, Term::Last) {
            n = -n;
            next += 1;
        }
        let plural = self.get(next, |t| if let Term::Weekdays(day) = t { Some(day) } else { None });
        let counted = if let Some(day) = self.weekday_name(next).or(plural) {
            next += 1;
            next = self.skip(next, &[Term::Feira], 1);
            Counted::Weekday(day)
        } else {
            // "first weekday of november".
            match self.unit(next).or(self.has(next, Term::Workdays).then_some(Unit::Business))? {
                Unit::Day => Counted::Day,
                Unit::Business => Counted::Business,
                _ => return None,
            }
            .also(&mut next)
        };
        if next <= i + 1 {
            next = i + 2;
        }
        if n < 0 && counted == Counted::Day && self.has(next, Term::Last) {
            next += 1;
        }
        let tied = [Term::Of, Term::On, Term::Every, Term::This].iter().any(|term| self.has(next, *term));
        if let Some((month, end)) = tied.then(|| self.in_month(next)).flatten() {
            return Some((Item::Nth(n, counted, month), end));
        }
        // "every month on the first monday", "no último dia útil": the month is said elsewhere, or is this one.
        let alone = match counted {
            Counted::Business => true,
            Counted::Day => n < 0,
            Counted::Weekday(_) => {
                (1..=5).contains(&n)
                    && self.digits(i).is_none()
                    && self.weekday_name(i).is_none()
                    && self.month(next).is_none()
            }
        };
        alone.then_some((Item::Nth(n, counted, InMonth::Rel(0)), next))
    }

    fn in_month(&self, i: usize) -> Option<(InMonth, usize)> {
        let mut j = i;
        let mut rel = 0;
        for _ in 0..5 {
            if self.month(j).is_some() || self.unit(j) == Some(Unit::Month) {
                break;
            }
            if self.has(j, Term::Every) {
                rel = i64::MAX;
            } else if self.has(j, Term::Next) {
                rel = 1;
            } else if !(self.has(j, Term::Of)
                || self.has(j, Term::On)
                || self.has(j, Term::The)
                || self.has(j, Term::This))
            {
                return None;
            }
            j += 1;
        }
        if let Some(month) = self.month(j) {
            let (year, end) = self.trailing_year(j + 1);
            return Some((InMonth::Named(month, year), end));
        }
        if self.unit(j) != Some(Unit::Month) {
            return None;
        }
        if rel == i64::MAX {
            return Some((InMonth::Each, j + 1));
        }
        if self.has(j + 1, Term::Next) {
            return Some((InMonth::Rel(1), j + 2));
        }
        Some((InMonth::Rel(rel), j + 1))
    }

    /// A month by its name, without a day: "em abril", "next june", "março do ano que vem".
    pub fn named_month(&self, start: usize) -> Option<(Item, usize)> {
        let mut i = start;
        let mut led =
            start > 0 && self.get(start - 1, |t| matches!(t, Term::Edge(_) | Term::Until).then_some(())).is_some();
        for _ in 0..3 {
            if self.month(i).is_some() {
                break;
            }
            let lead = [Term::MaybeIn, Term::Next, Term::This].iter().any(|t| self.has(i, *t));
            led |= lead;
            if !(lead || self.has(i, Term::On) || self.has(i, Term::Of) || self.has(i, Term::The)) {
                return None;
            }
            i += 1;
        }
        let month = self.month(i)?;
        let long = self.tokens.get(i).is_some_and(|t| t.span.len() >= 4);
        let number = self.digits(i + 1).is_some_and(|d| d.len <= 2) && !self.has(i + 1, Term::Of);
        if !(led || long) || number || self.has(i + 1, Term::Last) {
            return None;
        }
        let (year, end) = self.trailing_year(i + 1);
        let next = self.has(end, Term::Next) && self.unit(end + 1).is_none();
        Some((Item::Named(month, year), end + usize::from(next)))
    }

    /// A day of a month that is not named, or that words count from now.
    pub fn day(&self, start: usize) -> Option<(Item, usize)> {
        let mut i = start;
        let mut led = false;
        let mut word = false;
        for _ in 0..4 {
            let number = self.digits(i).is_some() || self.cardinal(i).is_some() || self.ordinal(i).is_some();
            if number {
                break;
            }
            if self.unit(i) == Some(Unit::Day) {
                word = true;
            } else if self.has(i, Term::The) && !self.has(i, Term::At) {
                led = true;
            } else if self.has(i, Term::For)
                || !(self.has(i, Term::On) || self.has(i, Term::This) || self.has(i, Term::Next))
                || self.has(i, Term::At)
            {
                return None;
            }
            i += 1;
        }
        if i == start {
            if let Some(n) =
                self.digits(i).filter(|n| n.len <= 2 && (1..=31).contains(&n.value) && self.has(n.next, Term::Of))
                && matches!(self.relative(n.next), Some((Item::Month(_), _)))
            {
                return Some((Item::Day(n.value, true), n.next));
            }
            // "the third of the month".
            if let Some(n) = self.ordinal(i).filter(|n| (1..=31).contains(&n.value) && self.has(n.next, Term::Of))
                && let Some((Item::Month(_), _)) = self.relative(n.next)
            {
                return Some((Item::Day(n.value, true), n.next));
            }
            // An ordinal in digits is a day by itself.
            let n = self.ordinal(i).filter(|n| n.len > 0 && (1..=31).contains(&n.value))?;
            let end = self.skip(n.next, &[Term::Unit(Unit::Day)], 1);
            let quarter =
                self.has(end, Term::Quarter) && (self.has(end + 1, Term::To) || self.has(end + 1, Term::Past));
            return ((self.unit(end).is_none() || quarter) && !self.glued(end))
                .then_some((Item::Day(n.value, true), end));
        }
        let ordinal = self.ordinal(i);
        let n = ordinal.or_else(|| self.number(i)).filter(|n| n.len <= 2 && (1..=31).contains(&n.value))?;
        if self.glued(i) || self.glued(n.next) {
            return None;
        }
        let clock = self.sign(n.next, ':')
            || self.has(n.next, Term::HourMark)
            || self.pm_follows(n.next)
            || self.has(n.next, Term::Sharp);
        if clock && ordinal.is_none() {
            return None;
        }
        // "the 3 of us".
        let others = self.has(n.next, Term::Of)
            && matches!(self.tokens.get(n.next + 1).map(|t| &t.kind), Some(super::Kind::Unknown));
        if others && !word {
            return None;
        }
        // "on 15", "el 16", "dia 5"; a bare preposition is not enough before a small number or a word.
        let plain = !led && !word && ordinal.is_none();
        // "the second" alone is seldom a day.
        if ordinal.is_some_and(|o| o.len == 0 && o.value == 2)
            && !word
            && !self.has(start, Term::On)
            && self.tokens.get(n.next).is_none()
        {
            return None;
        }
        if plain
            && (self.has(start, Term::MaybeIn)
                || n.len == 0
                || !self.has(start, Term::On)
                || self.unit(n.next).is_some()
                || self.has(n.next, Term::And))
        {
            return None;
        }
        if ordinal.is_some() && n.len == 0 && !word {
            let open = match self.tokens.get(n.next).map(|t| &t.kind) {
                None | Some(super::Kind::Sign(_) | super::Kind::Digits(_)) => true,
                Some(super::Kind::Unknown) => false,
                Some(super::Kind::Word(terms)) => terms.iter().any(|t| {
                    matches!(
                        t,
                        Term::At
                            | Term::On
                            | Term::Of
                            | Term::Every
                            | Term::MaybeIn
                            | Term::Noon
                            | Term::Midnight
                            | Term::Part(_)
                            | Term::Num(_)
                            | Term::Unit(Unit::Day)
                    )
                }),
            };
            if !open {
                return None;
            }
        }
        let quarter =
            self.has(n.next, Term::Quarter) && (self.has(n.next + 1, Term::To) || self.has(n.next + 1, Term::Past));
        if !quarter && self.unit(n.next).is_some_and(|u| u != Unit::Day) {
            return None;
        }
        let end = if self.unit(n.next) == Some(Unit::Day) { n.next + 1 } else { n.next };
        // "el 5 que viene".
        let end = end + usize::from(self.has(end, Term::Next) && self.unit(end + 1).is_none());
        Some((Item::Day(n.value, word || led || ordinal.is_some()), end))
    }

    /// Today, tomorrow, next week, this month.
    pub fn relative(&self, start: usize) -> Option<(Item, usize)> {
        let mut rel = None;
        for i in start..start + 4 {
            if let Some(n) = self.get(i, |t| if let Term::Rel(n) = t { Some(n) } else { None }) {
                return Some((today(n, rel), i + 1));
            }
            if let Some(unit) = self.unit(i) {
                let post = if self.has(i + 1, Term::Next) {
                    Some(1)
                } else if self.has(i + 1, Term::AfterNext) {
                    Some(2)
                } else {
                    self.has(i + 1, Term::Last).then_some(-1)
                };
                let article = i > start && (self.has(i - 1, Term::Of) || self.has(i - 1, Term::The));
                let edge = start > 0 && self.get(start - 1, |t| matches!(t, Term::Edge(_)).then_some(())).is_some();
                let here =
                    article && unit == Unit::Month || edge && matches!(unit, Unit::Month | Unit::Week | Unit::Year);
                let weeks = rel.or(post).or(here.then_some(0))?;
                let next = if rel.is_none() && post.is_some() { i + 2 } else { i + 1 };
                return match unit {
                    Unit::Week => Some((Item::Week(weeks), next)),
                    Unit::Month => Some((Item::Month(weeks), next)),
                    Unit::Year => Some((Item::Years(weeks), next)),
                    Unit::Day if weeks == 1 => Some((Item::Rel(1), next)),
                    Unit::Business if weeks == 1 => {
                        Some((Item::Length(Length { business: 1, ..Length::default() }, Some(1), false), next))
                    }
                    _ => None,
                };
            }
            if self.has(i, Term::Weekend) && self.has(i + 1, Term::Next) && rel.is_none() {
                return Some((Item::Weekend(1), i + 2));
            }
            if self.has(i, Term::Weekend) && i > start && !self.terms(i).iter().any(|t| matches!(t, Term::Freq(..))) {
                return Some((Item::Weekend(rel.unwrap_or(0)), i + 1));
            }
            if rel == Some(0)
                && let Some(part) = self.part(i)
            {
                // "esta noite": the day is today; the part is read next.
                let _ = part;
                return Some((Item::Rel(0), i));
            }
            if self.has(i, Term::Next) {
                rel = Some(1);
            } else if self.has(i, Term::This) {
                rel = Some(0);
            } else if self.has(i, Term::Last) {
                rel = Some(-1);
            } else if !(self.has(i, Term::On) || self.has(i, Term::The) || self.has(i, Term::Of)) {
                return None;
            }
        }
        None
    }
}

/// "Esta mañana" is today, though its word also means tomorrow.
const fn today(n: i64, rel: Option<i64>) -> Item {
    match rel {
        Some(0) if n == 1 => Item::Rel(0),
        _ => Item::Rel(n),
    }
}

/// Takes the token of what is counted.
trait Also {
    fn also(self, next: &mut usize) -> Self;
}

impl Also for Counted {
    fn also(self, next: &mut usize) -> Self {
        *next += 1;
        self
    }
}
