//! Words of repetition: "every 2 days", "toda terça", "de 6 em 6 horas".

use super::super::item::{Counted, InMonth, Item};
use super::super::words::{Term, Unit, month_first};
use super::Parser;

impl Parser<'_> {
    /// A word of repetition with its interval and unit; what repeats is read by the other parsers.
    pub fn every(&self, start: usize) -> Option<(Item, usize)> {
        if let Some(found) = self.so_in_so(start) {
            return Some(found);
        }
        let mut i = start;
        if !self.has(i, Term::Every) {
            return None;
        }
        let other = self.has(i, Term::Other);
        i += 1;
        i = self.skip(i, &[Term::Plural], 1);
        if other || self.has(i, Term::Other) {
            i += usize::from(!other);
            return Some(self.unit_of_every(i, 2));
        }
        if self.has(i, Term::Last)
            && let Some(day) = self.weekday_name(i + 1)
            && (!self.has(i + 2, Term::Of) || self.part(i + 3).is_some())
        {
            return Some((Item::Nth(-1, Counted::Weekday(day), InMonth::Each), self.skip(i + 2, &[Term::Feira], 1)));
        }
        if self.has(i, Term::Half) && self.unit(i + 1) == Some(Unit::Hour) {
            return Some((Item::Every(30, Some(Unit::Minute)), i + 2));
        }
        // "every second friday", "every 2nd monday", where no month is said: the numbers of the weeks between.
        if let Some(n) = self.ordinal(i).filter(|n| (2..=4).contains(&n.value) && month_first(self.language))
            && self.weekday_name(n.next).is_some()
            && !self.has(n.next + 1, Term::Of)
            && !self.has(n.next + 1, Term::MaybeIn)
        {
            return Some((Item::Every(n.value, None), n.next));
        }
        if let Some(n) = self.number(i).filter(|n| (1..=999).contains(&n.value)) {
            let weekday = self.weekday_name(n.next).is_some()
                || self.get(n.next, |t| matches!(t, Term::Weekdays(_)).then_some(())).is_some();
            if self.unit(n.next).is_some() || weekday || self.has(n.next, Term::Weekend) {
                return Some(self.unit_of_every(n.next, n.value));
            }
            // "every 2 nights".
            if self.get(n.next, |t| matches!(t, Term::Parts(_)).then_some(())).is_some() {
                return Some((Item::Every(n.value, Some(Unit::Day)), n.next));
            }
            return Some((Item::Every(1, None), i));
        }
        if let Some(n) = self.ordinal(i) {
            // "every second day", but "toda segunda" and "every first monday of the month" count otherwise.
            if self.nth(i).is_none()
                && self.weekday_name(i).is_none()
                && (self.unit(n.next).is_some() || self.weekday_name(n.next).is_some())
            {
                return Some(self.unit_of_every(n.next, n.value));
            }
            return Some((Item::Every(1, None), i));
        }
        // "toda seg" is a weekday, not a second.
        if (self.unit(i).is_some() && self.weekday_name(i).is_none()) || self.has(i, Term::Weekend) {
            return Some(self.unit_of_every(i, 1));
        }
        Some((Item::Every(1, None), i))
    }

    fn unit_of_every(&self, i: usize, n: u32) -> (Item, usize) {
        if self.has(i, Term::Weekend) {
            return (Item::Every(n, Some(Unit::Weekend)), i + 1);
        }
        if self.has(i, Term::Workdays) {
            return (Item::Every(n, None), i);
        }
        // "todo dia primeiro", "todo dia 1º": the day is a date.
        if self.unit(i) == Some(Unit::Day) && n == 1 && self.ordinal(i + 1).is_some() {
            return (Item::Every(n, None), i);
        }
        match self.unit(i) {
            Some(unit) => (Item::Every(n, Some(unit)), i + 1),
            None => (Item::Every(n, None), i),
        }
    }

    /// "de 6 em 6 horas".
    fn so_in_so(&self, start: usize) -> Option<(Item, usize)> {
        let i = start + usize::from(self.has(start, Term::Of));
        if self.has(i, Term::Half) && self.has(i + 1, Term::MaybeIn) && self.has(i + 2, Term::Half) {
            return (self.unit(i + 3) == Some(Unit::Hour)).then_some((Item::Every(30, Some(Unit::Minute)), i + 4));
        }
        let one = self.number(i)?;
        let link = self.has(one.next, Term::MaybeIn) || (self.has(one.next, Term::At) && i > start);
        let two = self.number(one.next + 1).filter(|two| link && two.value == one.value)?;
        let unit = self.unit(two.next)?;
        Some((Item::Every(one.value, Some(unit)), two.next + 1))
    }
}
