//! Dates: in digits, with the name of the month, weekdays, days counted in a month, weeks and months from now.

use super::super::item::{Counted, InMonth, Item, Length, Which};
use super::super::words::{Term, Unit, month_first};
use super::Parser;

impl Parser<'_> {
    pub fn month(&self, i: usize) -> Option<u32> {
        self.get(i, |t| if let Term::Month(m) = t { Some(m) } else { None })
    }

    pub fn weekday_name(&self, i: usize) -> Option<u32> {
        self.get(i, |t| match t {
            Term::Weekday(d) => Some(d),
            Term::Weak(d) if self.tokens[i].dotted || self.company(i) => Some(d),
            Term::Short(d) if self.tokens[i].dotted || self.company(i) || self.more_company(i) => Some(d),
            _ => None,
        })
    }

    /// Whether a short form stands alone, or beside a word of time or one that leads a date.
    fn more_company(&self, i: usize) -> bool {
        let words = |t: &super::super::lexer::Token| matches!(t.kind, super::Kind::Word(_) | super::Kind::Unknown);
        if self.tokens.iter().filter(|t| words(t)).count() == 1 {
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

    /// Whether a short form of a weekday has a number or another weekday beside it.
    fn company(&self, i: usize) -> bool {
        let near = |j: usize| {
            self.digits(j).is_some()
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
        near(after) || (i > 0 && near(i - 1)) || (i > 1 && near(i - 2))
    }

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

    fn pm_follows(&self, i: usize) -> bool {
        self.has(i, Term::Pm) || self.has(i, Term::Am)
    }

    fn glued_before(&self, i: usize) -> bool {
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
        let range = self.sign(day.next, '-') && self.digits(day.next + 1).is_some_and(|d| d.len <= 2);
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
            match self.unit(next)? {
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

    /// A weekday with what tells which one.
    pub fn weekday(&self, start: usize) -> Option<(Item, usize)> {
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
        // "de seg a sex", "monday to friday", "mon-fri".
        let tie = usize::from(
            self.has(next, Term::To) || self.has(next, Term::Until) || self.has(next, Term::At) || self.sign(next, '-'),
        );
        if which == Which::Plain && (tie == 1 || self.joined(next)) {
            let over = next + tie;
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

    /// "4ª feira", "6a": the weekdays counted from Sunday.
    fn ordinal_weekday(&self, i: usize) -> Option<(u32, usize)> {
        let n = self.digits(i).filter(|n| n.len == 1 && (2..=6).contains(&n.value))?;
        (self.joined(n.next) && self.has(n.next, Term::WeekdayMark)).then_some((n.value - 2, n.next + 1))
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
            return (self.unit(end).is_none() && !self.glued(end)).then_some((Item::Day(n.value, true), end));
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
        if self.unit(n.next).is_some_and(|u| u != Unit::Day) {
            return None;
        }
        let end = if self.unit(n.next) == Some(Unit::Day) { n.next + 1 } else { n.next };
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
