//! Weekdays, their short forms, and the words that tell which one.

use super::super::item::{Item, Which};
use super::super::words::{Term, Unit};
use super::Parser;

/// Longer replies are never a weekday's short form alone.
const SHORT_REPLY: usize = 8;

impl Parser<'_> {
    pub fn weekday_name(&self, i: usize) -> Option<u32> {
        self.get(i, |t| match t {
            Term::Weekday(d) => Some(d),
            Term::Weak(d) if self.tokens[i].dotted || self.company(i) => Some(d),
            Term::Short(d) if self.tokens[i].dotted || self.company(i) || self.more_company(i) => Some(d),
            _ => None,
        })
    }

    /// Whether a short form of a weekday has a number or another weekday beside it.
    fn company(&self, i: usize) -> bool {
        let near = |j: usize| {
            self.digits(j).is_some()
                || self.month(j).is_some()
                || (self.has(j, Term::The) && self.ordinal(j + 1).is_some())
                || self.has(j, Term::Feira)
                || self.get(j, |t| matches!(t, Term::Weekday(_) | Term::Part(_) | Term::Every).then_some(())).is_some()
        };
        let after = i
            + 1
            + usize::from(
                self.sign(i + 1, ',')
                    || self.sign(i + 1, '-')
                    || [Term::At, Term::And, Term::To, Term::Until].iter().any(|t| self.has(i + 1, *t)),
            );
        // "mon to sat", "mon/wed/fri".
        let short = |j: usize| self.get(j, |t| matches!(t, Term::Short(_)).then_some(())).is_some();
        let tie = |j: usize| {
            ['/', ',', '-'].iter().any(|s| self.sign(j, *s))
                || [Term::To, Term::And, Term::Until].iter().any(|t| self.has(j, *t))
        };
        let tied = (tie(i + 1) && short(i + 2)) || (i > 1 && tie(i - 1) && short(i - 2));
        tied || near(after)
            || (i > 0 && near(i - 1))
            || (i > 1 && near(i - 2))
            || self.before_clock(i)
            || self.behind_clock_time(i)
    }

    /// Whether a clock time follows, with nothing but signs and small words between: "sat, around 3.30pm".
    fn before_clock(&self, i: usize) -> bool {
        let mut j = i + 1;
        for _ in 0..3 {
            let sign = [',', '-', '@', '(', ';'].iter().any(|s| self.sign(j, *s));
            if !(sign || self.has(j, Term::At) || self.has(j, Term::Approx)) || self.cardinal(j).is_some_and(|n| n > 1)
            {
                break;
            }
            j += 1;
        }
        let follows = |j: usize| {
            self.part(j).is_some()
                || self
                    .get(j, |t| {
                        let clock = matches!(
                            t,
                            Term::And
                                | Term::HourMark
                                | Term::Sharp
                                | Term::Am
                                | Term::Pm
                                | Term::To
                                | Term::Past
                                | Term::Minus
                        );
                        clock.then_some(())
                    })
                    .is_some()
        };
        let hour = self.number(j).is_some_and(|n| {
            ((1..=59).contains(&n.value) || (3..=4).contains(&n.len))
                && (follows(self.skip(n.next, &[Term::Of], 1))
                    || j > i + 1 && n.len > 0
                    || self.number(n.next).is_some_and(|m| follows(m.next)))
        });
        let name = self.get(j, |t| matches!(t, Term::Noon | Term::Midnight).then_some(())).is_some();
        let minutes = (self.has(j, Term::Half) || self.has(j, Term::Quarter))
            && (self.has(j + 1, Term::Past) || self.has(j + 1, Term::To) || self.number(j + 1).is_some());
        let part = self.part(self.skip(j, &[Term::Of, Term::On, Term::The], 2)).is_some();
        hour || name || minutes || part
    }

    /// Whether a clock time stands before it: "3pm, sat", "18 horas de dom".
    fn behind_clock_time(&self, i: usize) -> bool {
        let mut j = i;
        for _ in 0..2 {
            let small = j > 0
                && (self.sign(j - 1, ',')
                    || self.sign(j - 1, '-')
                    || self.sign(j - 1, '(')
                    || [Term::Of, Term::On, Term::This].iter().any(|t| self.has(j - 1, *t)));
            if !small {
                break;
            }
            j -= 1;
        }
        let half =
            j > 1 && self.has(j - 2, Term::And) && (self.has(j - 1, Term::Half) || self.has(j - 1, Term::Quarter));
        half || j > 0
            && self
                .get(j - 1, |t| {
                    let clock = matches!(
                        t,
                        Term::HourMark
                            | Term::Am
                            | Term::Pm
                            | Term::Sharp
                            | Term::Noon
                            | Term::Midnight
                            | Term::Part(_)
                            | Term::Unit(Unit::Minute)
                    );
                    clock.then_some(())
                })
                .is_some()
    }

    /// Whether a short form stands alone, or beside a word of time or one that leads a date.
    fn more_company(&self, i: usize) -> bool {
        let words = |t: &super::super::lexer::Token| matches!(t.kind, super::Kind::Word(_) | super::Kind::Unknown);
        if self.tokens.len() <= SHORT_REPLY && self.tokens.iter().filter(|t| words(t)).count() == 1 {
            // A foreign word alone is not taken for a weekday.
            return self.tokens.iter().any(|t| words(t) && t.own);
        }
        let near = |j: usize| {
            self.get(j, |t| {
                let near = matches!(
                    t,
                    Term::Next | Term::This | Term::Num(2..) | Term::Noon | Term::Midnight | Term::Short(_)
                );
                near.then_some(())
            })
            .is_some()
        };
        let lead = i > 0 && self.has(i - 1, Term::On) && !self.has(i - 1, Term::The) && !self.has(i - 1, Term::For);
        let then = self.sign(i + 1, ',') || self.has(i + 1, Term::At);
        // "on sun", "no dom": nothing may follow that claims the word for something else.
        let open = !matches!(self.tokens.get(i + 1).map(|t| &t.kind), Some(super::Kind::Unknown));
        near(i + 1) || (then && near(i + 2)) || (i > 0 && near(i - 1)) || (lead && open)
    }

    /// A weekday with what tells which one.
    pub fn weekday(&self, start: usize) -> Option<(Item, usize)> {
        if let Some(found) = self.weekdays_through(start) {
            return Some(found);
        }
        let mut i = start;
        let mut which = Which::Plain;
        let mut plural = false;
        for _ in 0..4 {
            if self.weekday_name(i).is_some() || self.ordinal_weekday(i).is_some() {
                break;
            }
            if self.has(i, Term::Next) || self.has(i, Term::AfterNext) {
                which = Which::Next;
            } else if self.has(i, Term::This) {
                which = Which::This;
            } else if self.has(i, Term::Last)
                || (self.has(i, Term::Past) && !self.has(i, Term::After) && !self.has(i, Term::Start))
            {
                which = Which::Last;
            } else if self.has(i, Term::Other) {
                which = Which::Other;
            } else if self.has(i, Term::Plural) {
                plural = true;
            } else if self.has(i, Term::Closest) {
                let day = self.weekday_name(i + 1)?;
                return self.has(i + 2, Term::To).then_some((Item::Closest(day), i + 3));
            } else if !(self.has(i, Term::On) || self.has(i, Term::The)) {
                return None;
            }
            i += 1;
        }
        let (day, mut next) = match self.ordinal_weekday(i) {
            Some(found) => found,
            None => (self.weekday_name(i)?, i + 1),
        };
        next = self.skip(next, &[Term::Feira], 1);
        if self.tokens.get(next - 1).is_some_and(|t| t.span.len() == 1) && self.sign(next, '.') {
            next += 1;
        }
        if let Some(end) = self.alternate(day, next) {
            return Some((Item::Weekday(day, Which::Alternate), end));
        }
        // "de seg a sex", "monday to friday", "mon-fri".
        let tie = usize::from(
            self.has(next, Term::To) || self.has(next, Term::Until) || self.has(next, Term::At) || self.sign(next, '-'),
        );
        if which == Which::Plain && (tie == 1 || self.joined(next)) {
            let over = next + tie;
            if let Some((last, end)) = self.ordinal_weekday(over).filter(|_| self.ordinal_weekday(i).is_some()) {
                return Some((Item::Range(day, last), self.skip(end, &[Term::Feira], 1)));
            }
            if let Some(last) = self.weekday_name(over) {
                return Some((Item::Range(day, last), self.skip(over + 1, &[Term::Feira], 1)));
            }
        }
        if self.has(next, Term::AfterNext) {
            return Some((Item::Weekday(day, Which::AfterNext), next + 1));
        }
        if self.has(next, Term::Last) {
            return Some((Item::Weekday(day, Which::Last), next + 1));
        }
        if which == Which::Plain {
            let week = self.unit(next + 1) == Some(Unit::Week) || self.month(next + 1).is_some();
            // "friday week" is a week later.
            let bare = self.unit(next) == Some(Unit::Week)
                && !self.has(next + 1, Term::Next)
                && self.digits(next + 1).is_none();
            if bare {
                return Some((Item::Weekday(day, Which::WeekAfter), next + 1));
            }
            if self.has(next, Term::Next) && !week {
                return Some((Item::Weekday(day, Which::Next), next + 1));
            }
            if self.has(next, Term::Now) && next == i + 1
                || self.has(next, Term::Now) && self.has(next - 1, Term::Feira)
            {
                return Some((Item::Weekday(day, Which::This), next + 1));
            }
        }
        if plural {
            return Some((Item::Weekdays(day), next));
        }
        Some((Item::Weekday(day, which), next))
    }

    /// "mondays through fridays".
    fn weekdays_through(&self, i: usize) -> Option<(Item, usize)> {
        let plural = |i: usize| self.get(i, |t| if let Term::Weekdays(d) = t { Some(d) } else { None });
        let first = plural(i)?;
        let tie = self.has(i + 1, Term::To)
            || self.has(i + 1, Term::Until)
            || self.has(i + 1, Term::At)
            || self.sign(i + 1, '-');
        let last = plural(i + 2).or_else(|| self.weekday_name(i + 2)).filter(|_| tie)?;
        Some((Item::Range(first, last), self.skip(i + 3, &[Term::Feira], 1)))
    }

    /// Behind a weekday, the end of "sim, sexta não", "sí y otro no".
    fn alternate(&self, day: u32, i: usize) -> Option<usize> {
        if !self.has(i, Term::Yes) {
            return None;
        }
        let mut j = i + 1 + usize::from(self.sign(i + 1, ','));
        j = self.skip(j, &[Term::And, Term::Num(1)], 2);
        if self.weekday_name(j) != Some(day) && !self.has(j, Term::Other) {
            return None;
        }
        j = self.skip(j + 1, &[Term::Feira], 1);
        j += usize::from(self.weekday_name(j) == Some(day));
        self.has(j, Term::Not).then_some(j + 1)
    }

    /// "4ª feira", "6a": the weekdays counted from Sunday.
    pub fn ordinal_weekday(&self, i: usize) -> Option<(u32, usize)> {
        let n = self.digits(i).filter(|n| n.len == 1 && (2..=6).contains(&n.value))?;
        (self.joined(n.next) && self.has(n.next, Term::WeekdayMark)).then_some((n.value - 2, n.next + 1))
    }
}
