//! Dates in digits: "15/04", "20.02.14", "2020/sep/23".

use super::super::item::Item;
use super::super::words::{Term, Unit, month_first};
use super::Parser;

impl Parser<'_> {
    /// "15/04", "20.02.14", "2020/sep/23", "20200701".
    pub fn numeric_date(&self, start: usize) -> Option<(Item, usize)> {
        let mut i = start;
        let mut led = false;
        for _ in 0..3 {
            let skipped = self.has(i, Term::On)
                || self.has(i, Term::The)
                || self.has(i, Term::MaybeIn)
                || (self.has(i, Term::Unit(Unit::Day)) && self.digits(i).is_none());
            if !skipped {
                break;
            }
            led = true;
            i += 1;
        }
        if self.glued_before(i) {
            return None;
        }
        let first = self.digits(i);
        if let Some(n) = first.filter(|n| n.len == 8) {
            let (y, m, d) = (n.value / 10_000, n.value / 100 % 100, n.value % 100);
            let is = (1900..2200).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d) && !self.glued(n.next);
            return is.then_some((Item::Date(d, m, Some(i32::try_from(y).ok()?)), n.next));
        }
        let one = self.field(i)?;
        let sign = ['/', '-', '.'].into_iter().find(|s| self.sign(i + 1, *s))?;
        if !self.joined(i + 1) || !self.joined(i + 2) {
            return None;
        }
        let two = self.field(i + 2)?;
        let three =
            if self.sign(i + 3, sign) && self.joined(i + 3) && self.joined(i + 4) { self.field(i + 4) } else { None };
        let end = if three.is_some() { i + 5 } else { i + 3 };
        // "1/4 h" is a part of an hour, "1/2 cup" one of a cup, "1.5 hours" a length.
        let unknown = matches!(self.tokens.get(end).map(|t| &t.kind), Some(super::Kind::Unknown));
        let measure = self.unit(end).is_some() || unknown;
        if three.is_none() && sign == '/' && one.0 < two.0 && two.0 <= 4 && measure && (!led || !unknown) {
            return None;
        }
        if three.is_none() && ((sign == '.' && self.unit(end).is_some()) || (sign == '/' && (one.0, two.0) == (24, 7)))
        {
            return None;
        }
        let tied = ['/', '-', '.'].into_iter().any(|s| self.sign(end, s)) && self.joined(end) && self.joined(end + 1);
        let time = three.is_some()
            && self.sign(end, '.')
            && self.digits(end + 1).is_some_and(|d| d.len == 2)
            && self.sign(end + 2, ':');
        if (tied && !time) || self.sign(end, '%') || (self.sign(end, ':') && self.joined(end)) {
            return None;
        }
        if sign == '.' && three.is_none() {
            let weekday = i > 0 && self.weekday_name(i - 1).is_some();
            let last_two = self.digits(i + 2).is_some_and(|d| d.len > 2);
            if (!led && !weekday) || last_two || self.pm_follows(end) {
                return None;
            }
        }
        let item = match three {
            Some(three) => {
                // "1.10.30" is the version of something.
                if sign == '.' && three.1 == 2 && one.1 < 2 && month_first(self.language) {
                    return None;
                }
                self.three_fields(one, two, three)?
            }
            None => self.two_fields(one, two, sign, led)?,
        };
        Some((item, if time { end + 1 } else { end }))
    }

    pub fn glued_before(&self, i: usize) -> bool {
        i > 0
            && self.joined(i)
            && ['/', '-', '.', ':', '+', ','].into_iter().any(|s| self.sign(i - 1, s))
            && (i < 2 || self.joined(i - 1) || self.sign(i - 1, '+'))
    }

    /// A field of a date: digits and their length, or a month by name (length 0).
    fn field(&self, i: usize) -> Option<(u32, usize)> {
        self.digits(i).map(|n| (n.value, n.len)).or_else(|| self.month(i).map(|m| (m, 0)))
    }

    fn two_fields(&self, one: (u32, usize), two: (u32, usize), sign: char, led: bool) -> Option<Item> {
        let (a, b) = (one.0, two.0);
        match (one.1, two.1) {
            (1..=2, 0) => Some(Item::Date(a, b, None)),
            (0, 1..=2) => Some(Item::Date(b, a, None)),
            (1..=2, 1..=2) => {
                if sign == '-' && !led && a <= 12 && b <= 12 {
                    return None;
                }
                let (d, m) = self.order(a, b);
                Some(Item::Date(d, m, None))
            }
            _ => None,
        }
    }

    fn three_fields(&self, one: (u32, usize), two: (u32, usize), three: (u32, usize)) -> Option<Item> {
        let fields = [one, two, three];
        let year_at = fields.iter().position(|field| field.1 == 4).or((three.1 == 2).then_some(2))?;
        let year = match fields[year_at] {
            (year, 4) => year,
            (year, _) if year < 70 => 2000 + year,
            (year, _) => 1900 + year,
        };
        let (former, latter) = match year_at {
            0 => (two, three),
            1 => (one, three),
            _ => (one, two),
        };
        if former.1 > 2 || latter.1 > 2 || !(1900..2200).contains(&year) {
            return None;
        }
        let (day, month) = match (former.1, latter.1) {
            (0, 0) => return None,
            (0, _) => (latter.0, former.0),
            (_, 0) => (former.0, latter.0),
            _ if year_at == 0 && former.0 > 12 && latter.0 <= 12 => (former.0, latter.0),
            _ if year_at == 0 => (latter.0, former.0),
            _ => self.order(former.0, latter.0),
        };
        Some(Item::Date(day, month, Some(i32::try_from(year).ok()?)))
    }

    /// Day and month from two numbers, in the order of the language unless only the other order is possible.
    fn order(&self, a: u32, b: u32) -> (u32, u32) {
        let (day, month) = if month_first(self.language) { (b, a) } else { (a, b) };
        if month > 12 && day <= 12 { (month, day) } else { (day, month) }
    }
}
