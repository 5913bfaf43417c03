//! Lengths of time: "in an hour and a half", "daqui 15 dias", "2 days later".

use super::super::item::{Item, Length};
use super::super::words::{Term, Unit};
use super::Parser;

/// An amount in twelfths, so that halves, thirds and quarters stay whole.
struct Amount {
    twelfths: i64,
    next: usize,
    /// Nothing but a unit may follow: a half or a fraction.
    part: bool,
}

impl Parser<'_> {
    /// A length with the words that make it an offset.
    pub fn offset(&self, start: usize) -> Option<(Item, usize)> {
        // "twenty-second of June" counts no seconds.
        if let Some(day) = self.ordinal(start)
            && self.month(self.skip(day.next, &[Term::Of], 1)).is_some()
        {
            return None;
        }
        let mut sign = None;
        let mut i = start;
        // "sexta - 15h": a dash of its own stands before an hour.
        let dash = self.sign(i, '-')
            && !self.joined(i + 1)
            && self.number(i + 1).is_some_and(|n| self.has(n.next, Term::HourMark) || self.sign(n.next, ':'));
        if (self.sign(i, '+') || self.sign(i, '-')) && !self.joined(i) && !dash {
            sign = Some(if self.sign(i, '+') { 1 } else { -1 });
            i += 1;
        } else if self.has(i, Term::In) || self.has(i, Term::MaybeIn) || self.has(i, Term::After) {
            sign = Some(1);
            i = self.skip(i + 1, &[Term::Approx, Term::The, Term::Plural, Term::Next], 3);
            // "in a ..." begins with a number that is also an article.
            if self.unit(i).is_some() && self.cardinal(i - 1).is_some() {
                i -= 1;
            }
        } else if self.has(i, Term::Ago) {
            sign = Some(-1);
            i = self.skip(i + 1, &[Term::Approx], 1);
        } else if self.has(i, Term::For) && !self.has(i, Term::Of) {
            let (length, next) = self.length(i + 1)?;
            return Some((Item::For(length), next));
        }
        let signed = i > start && (self.sign(start, '+') || self.sign(start, '-'));
        if self.glued(i) && !signed {
            return None;
        }
        if let Some((item, next)) =
            self.fridays(i, sign).or_else(|| self.weekends(i, sign)).or_else(|| self.nights(i, sign))
        {
            return Some((item, next));
        }
        if sign.is_none()
            && let Some(found) = self.day_beside(i)
        {
            return Some(found);
        }
        // "in 30" and nothing else: minutes, perhaps.
        let leads = start == 0 && (self.has(start, Term::In) || self.has(start, Term::MaybeIn));
        if let Some(n) = self.digits(i).filter(|n| leads && (5..=90).contains(&n.value) && n.next == self.tokens.len())
        {
            let length = Length { seconds: i64::from(n.value) * 60, clock: true, ..Length::default() };
            return Some((Item::Length(length, None, false), n.next));
        }
        let (length, mut next) = self.length(i)?;
        let mut from = false;
        let hour = self.number(self.skip(i, &[Term::Approx], 1)).is_some_and(|n| self.has(n.next, Term::HourMark));
        if self.sign(next, '\'') {
            next += 1;
        }
        if self.has(next, Term::Of) && self.has(next + 1, Term::Later) {
            next += 1;
        }
        if self.has(next, Term::Later) {
            sign = Some(1);
            next += 1;
            if self.has(next, Term::Later) {
                next += 1;
            }
        } else if self.has(next, Term::Ago) {
            sign = Some(-1);
            next += 1;
        } else if self.has(next, Term::AfterNext) {
            // "two days after next friday".
            sign = Some(1);
            from = true;
        } else if self.has(next, Term::From) {
            sign = Some(1);
            from = true;
            next += 1;
        }
        // "3 days before friday".
        if self.has(next, Term::To) && !length.clock && sign.is_none() {
            sign = Some(-1);
            from = true;
            next += 1;
        }
        // "1600 hours", "15.15h".
        let army = self.digits(i).is_some_and(|n| {
            n.len == 4 && n.value / 100 < 24 && n.value % 100 < 60 && self.unit(n.next) == Some(Unit::Hour)
        });
        let dotted = self.digits(i).is_some_and(|n| {
            n.value < 25
                && self.sign(n.next, '.')
                && self
                    .digits(n.next + 1)
                    .is_some_and(|m| m.len == 2 && m.value < 60 && self.has(m.next, Term::HourMark))
        });
        // "9h" and "2 horas" are clock times first.
        if sign.is_none() && (hour || army || dotted) {
            return None;
        }
        Some((Item::Length(length, sign, from), next))
    }

    /// "the day before christmas", "day after friday", "el día después del viernes".
    fn day_beside(&self, start: usize) -> Option<(Item, usize)> {
        let i = self.skip(start, &[Term::The], 1);
        let next = self.get(i, |t| matches!(t, Term::Rel(1)).then_some(())).is_some()
            && self.tokens.get(i).is_some_and(|t| t.words > 1)
            && (self.has(i + 1, Term::Of) || self.has(i + 1, Term::At));
        let after = next || self.has(i + 1, Term::From) || self.has(i + 1, Term::AfterNext);
        let before = self.has(i + 1, Term::To);
        let named = self.skip(i + 2, &[Term::Of, Term::The, Term::On], 2);
        let is_day = self.weekday_name(named).is_some()
            || self.get(named, |t| matches!(t, Term::Feast(..) | Term::Moving(_)).then_some(())).is_some();
        let one = next || self.unit(i) == Some(Unit::Day);
        let length = Length { days: 1, ..Length::default() };
        (one && is_day && (after || before))
            .then_some((Item::Length(length, Some(if after { 1 } else { -1 }), true), i + 2))
    }

    /// "3 fridays from now".
    fn fridays(&self, i: usize, sign: Option<i64>) -> Option<(Item, usize)> {
        // "daqui 30 seg" counts seconds.
        let n = self.number(i).filter(|n| self.unit(n.next).is_none())?;
        let day = self.get(n.next, |t| match t {
            Term::Weekday(d) | Term::Weekdays(d) => Some(d),
            _ => None,
        })?;
        let (later, ago) = (self.has(n.next + 1, Term::Later), self.has(n.next + 1, Term::Ago));
        let count = if ago { -i64::from(n.value) } else { i64::from(n.value) };
        // "daqui a duas sextas", "in two fridays".
        let plural = self.get(n.next, |t| matches!(t, Term::Weekdays(_)).then_some(())).is_some();
        // In Spanish one word is both: "en dos viernes".
        let plural = plural || n.len == 0 && n.value > 1;
        let led = sign == Some(1) && i > 0 && (self.has(i - 1, Term::In) || plural && self.has(i - 1, Term::MaybeIn));
        let end = n.next + 1 + usize::from(later || ago);
        (later || ago || led).then_some((Item::Fridays(count, day), end))
    }

    /// "in 2 weekends": the second one to come.
    fn weekends(&self, i: usize, sign: Option<i64>) -> Option<(Item, usize)> {
        let n = self.number(i).filter(|n| (1..=52).contains(&n.value) && self.has(n.next, Term::Weekend))?;
        let later = self.has(n.next + 1, Term::Later);
        let ahead = later || (sign == Some(1) && !self.has(n.next + 1, Term::Ago));
        ahead.then(|| (Item::Weekend(i64::from(n.value) - 1), n.next + 1 + usize::from(later)))
    }

    /// "in 2 nights": that many days.
    fn nights(&self, i: usize, sign: Option<i64>) -> Option<(Item, usize)> {
        let n = self.number(i).filter(|n| (1..=31).contains(&n.value))?;
        self.get(n.next, |t| matches!(t, Term::Parts(_)).then_some(()))?;
        let later = self.has(n.next + 1, Term::Later);
        let length = Length { days: i64::from(n.value), ..Length::default() };
        (later || sign == Some(1)).then(|| (Item::Length(length, Some(1), false), n.next + 1 + usize::from(later)))
    }

    /// A sum of amounts: "1 day 2 hours", "1h30", "uma hora e meia".
    pub fn length(&self, i: usize) -> Option<(Length, usize)> {
        let mut sum = Length::default();
        let (mut unit, mut next) = self.piece(i, &mut sum)?;
        for _ in 0..3 {
            if unit == Unit::Hour
                && self.joined(next)
                && let Some(n) = self.digits(next).filter(|n| n.value < 60 && n.len == 2)
            {
                sum.seconds += i64::from(n.value) * 60;
                next = n.next + usize::from(self.unit(n.next) == Some(Unit::Minute));
                break;
            }
            let and = self.has(next, Term::And) || self.sign(next, ',');
            let j = next + usize::from(and);
            let said = self.has(next, Term::And);
            if said && (self.has(j, Term::Half) || self.has(j, Term::Quarter)) {
                let twelfths = if self.has(j, Term::Half) { 6 } else { 3 };
                if let Some(after) = self.unit(j + 1).filter(|_| self.has(j, Term::Half)) {
                    add(&mut sum, after, 6);
                    next = j + 2;
                } else {
                    add(&mut sum, unit, twelfths);
                    next = j + 1;
                }
                break;
            }
            // "daqui 15 dias 9h": nine is a clock time.
            let hour = self.number(self.skip(j, &[Term::Approx], 1));
            let late = hour.is_some_and(|n| n.value > 12);
            let hour = hour.map_or(j, |n| n.next);
            let short = self.tokens.get(hour).is_some_and(|t| t.span.len() <= 3);
            if !said && seconds(unit) >= 86_400 && self.has(hour, Term::HourMark) && (!and || short || late) {
                break;
            }
            let mut more = sum;
            if let Some((smaller, after)) = self.piece(j, &mut more).filter(|(u, _)| seconds(*u) < seconds(unit)) {
                sum = more;
                unit = smaller;
                next = after;
                continue;
            }
            if let Some(n) = self
                .number(j)
                .filter(|n| and && unit == Unit::Hour && n.value < 60 && n.value >= 5 && self.has(next, Term::And))
                && !self.has(n.next, Term::HourMark)
                && !self.glued(n.next)
                && !self.sign(n.next, ':')
            {
                sum.seconds += i64::from(n.value) * 60;
                next = n.next;
            }
            break;
        }
        Some((sum, next))
    }

    /// One amount with its unit.
    fn piece(&self, i: usize, sum: &mut Length) -> Option<(Unit, usize)> {
        let i = self.skip(i, &[Term::Approx], 1);
        let amount = self.amount(i)?;
        let mut next = amount.next;
        let mut twelfths = amount.twelfths;
        // "2 and a half hours".
        if !amount.part && self.has(next, Term::And) && self.has(next + 1, Term::Half) && self.unit(next + 2).is_some()
        {
            twelfths += 6;
            next += 2;
        }
        if amount.part {
            next = self.skip(next, &[Term::Of], 1);
            if self.unit(next).is_none() && self.cardinal(next) == Some(1) {
                next += 1;
            }
        } else if self.unit(next).is_none() && self.has(next, Term::Of) && self.digits(i).is_none() {
            next += 1;
        }
        let unit = match self.unit(next) {
            Some(unit) => unit,
            None if self.sign(next, '\'') && self.joined(next) => Unit::Minute,
            None if self.sign(next, '"') && self.joined(next) => Unit::Second,
            None => return None,
        };
        add(sum, unit, twelfths);
        Some((unit, next + 1))
    }

    fn amount(&self, i: usize) -> Option<Amount> {
        let part = |twelfths, next| Some(Amount { twelfths, next, part: true });
        if self.has(i, Term::Half) {
            return part(6, i + 1);
        }
        if self.has(i, Term::ThreeQuarters) {
            return part(9, i + 1);
        }
        if self.has(i, Term::Quarter) && self.unit(i + 1).is_some() {
            return part(3, i + 1);
        }
        if let Some(few) = self.get(i, |t| if let Term::Few(n) = t { Some(n) } else { None }) {
            return Some(Amount { twelfths: i64::from(few) * 12, next: i + 1, part: false });
        }
        let Some(n) = self.number(i) else {
            // "fortnight", "quinzena" may stand without a number, and "hora y media".
            let whole = matches!(self.unit(i), Some(Unit::Hour | Unit::Day | Unit::Month));
            let half = whole && self.has(i + 1, Term::And) && self.has(i + 2, Term::Half);
            let alone = half || matches!(self.unit(i), Some(Unit::Fortnight));
            return alone.then_some(Amount { twelfths: 12, next: i, part: false });
        };
        if n.value > 9999 {
            return None;
        }
        let whole = i64::from(n.value) * 12;
        // "2 1/2 hours".
        if n.len > 0
            && let Some(over) = self.digits(n.next).filter(|over| over.len == 1 && self.sign(over.next, '/'))
            && let Some(under) =
                self.digits(over.next + 1).filter(|d| (2..=4).contains(&d.value) && over.value < d.value)
        {
            let value = whole + i64::from(over.value) * 12 / i64::from(under.value);
            return Some(Amount { twelfths: value, next: under.next, part: false });
        }
        if n.len > 0 && self.joined(n.next) {
            if self.sign(n.next, '/') {
                let under = self.digits(n.next + 1).filter(|d| (2..=4).contains(&d.value))?;
                return part(whole / i64::from(under.value), under.next);
            }
            if (self.sign(n.next, '.') || self.sign(n.next, ',')) && self.joined(n.next + 1) {
                let tenths = self.digits(n.next + 1).filter(|d| d.len <= 2)?;
                let under = if tenths.len == 1 { 10 } else { 100 };
                let value = whole + i64::from(tenths.value) * 12 / under;
                return Some(Amount { twelfths: value, next: tenths.next, part: false });
            }
        }
        Some(Amount { twelfths: whole, next: n.next, part: false })
    }
}

/// How long a unit is, to tell the smaller from the larger.
const fn seconds(unit: Unit) -> i64 {
    match unit {
        Unit::Second => 1,
        Unit::Minute => 60,
        Unit::Hour => 3600,
        Unit::Day | Unit::Business => 86_400,
        Unit::Week | Unit::Weekend => 604_800,
        Unit::Fortnight => 1_209_600,
        Unit::Month => 2_592_000,
        Unit::Quarter => 7_776_000,
        Unit::Semester => 15_552_000,
        Unit::Year => 31_536_000,
    }
}

fn add(sum: &mut Length, unit: Unit, twelfths: i64) {
    match unit {
        Unit::Second | Unit::Minute | Unit::Hour => {
            sum.seconds += twelfths * seconds(unit) / 12;
            sum.clock = true;
        }
        Unit::Business => sum.business += twelfths / 12,
        Unit::Day | Unit::Week | Unit::Fortnight | Unit::Weekend => {
            let all = twelfths * seconds(unit) / 12;
            sum.days += all / 86_400;
            if all % 86_400 != 0 {
                sum.seconds += all % 86_400;
                sum.clock = true;
            }
        }
        Unit::Month => sum.months += twelfths / 12,
        Unit::Quarter => sum.months += twelfths / 4,
        Unit::Semester => sum.months += twelfths / 2,
        Unit::Year => sum.months += twelfths,
    }
    if unit == Unit::Month && twelfths % 12 != 0 {
        sum.days += twelfths % 12 * 30 / 12;
    }
}
