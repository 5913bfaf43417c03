//! Clock times: "9h30", "quarter past six", "as três e meia", "340pm".

use super::super::item::{Clock, Item};
use super::super::words::{Term, Unit, day_clock, month_first};
use super::Parser;

impl Parser<'_> {
    /// A clock time with its leading words.
    pub fn clock(&self, start: usize) -> Option<(Item, usize)> {
        if self.has(start, Term::Minus) {
            let (minutes, next) = self.minutes(start + 1)?;
            return Some((Item::Less(minutes), next));
        }
        let mut i = start;
        let mut led = false;
        for _ in 0..4 {
            if self.joined(i) && i > 0 && self.digits(i - 1).is_some() {
                break;
            }
            if self.has(i, Term::At) || self.sign(i, '@') {
                led = true;
            } else if !(self.has(i, Term::Approx) || (self.has(i, Term::For) && self.has(i, Term::On))) {
                break;
            }
            i += 1;
        }
        // "3 a 2" is a score, unless a word leads the first number.
        let score = led
            && i == start + 1
            && self.has(start, Term::OrdMark)
            && start > 0
            && self.digits(start - 1).is_some()
            && !(start > 1 && (self.has(start - 2, Term::Of) || self.has(start - 2, Term::From)))
            && self.digits(i).is_some_and(|n| !self.has(n.next, Term::HourMark) && !self.sign(n.next, ':'));
        if score {
            return None;
        }
        let (mut clock, next) = self.hour(i, led)?;
        clock.led |= led;
        Some((Item::Clock(clock), next))
    }

    /// The first hour of a stretch: "from 9 to 5", "entre 2 e 4 da tarde", where a bare number would be minutes.
    pub fn first_of_two(&self, i: usize) -> Option<(Item, usize)> {
        let of = i > 0
            && self.has(i - 1, Term::Of)
            && !(i > 1 && (self.digits(i - 2).is_some() || self.month(i - 2).is_some()))
            && self.digits(i).is_some_and(|n| self.has(n.next, Term::At) && self.digits(n.next + 1).is_some());
        let from = of || i > 0 && (self.has(i - 1, Term::Between) || self.has(i - 1, Term::Start));
        let n = self.number(i).filter(|n| from && n.len <= 2 && n.value <= 24)?;
        let tie =
            [Term::To, Term::And, Term::Until, Term::At].iter().any(|t| self.has(n.next, *t)) || self.sign(n.next, '-');
        if !tie || self.glued(i) {
            return None;
        }
        let lead = self.skip(n.next + 1, &[Term::At], 1);
        let (second, _) = self.hour(lead, true)?;
        let pm = second.pm.filter(|_| n.value <= second.hour);
        let clock = Clock { hour: n.value, pm, full: second.full, led: true, stretch: true, ..Clock::default() };
        Some((Item::Clock(clock), n.next))
    }

    /// Minutes before or after an hour: "quinze pras dez", "half past 3 pm".
    pub fn offset_to_clock(&self, start: usize) -> Option<(Item, usize)> {
        let mut i = start;
        for _ in 0..3 {
            let lead = self.has(i, Term::At)
                || self.sign(i, '@')
                || self.has(i, Term::Approx)
                || self.has(i, Term::Of)
                || (self.has(i, Term::For) && self.has(i, Term::On));
            if lead && self.cardinal(i).is_none() {
                i += 1;
            } else {
                break;
            }
        }
        if self.glued(i) {
            return None;
        }
        let lead = i > start;
        let (minutes, next) = self.minutes(i)?;
        // "half eight", as the British say it.
        if month_first(self.language)
            && self.has(i, Term::Half)
            && let Some(n) = self.number(next).filter(|n| (1..=12).contains(&n.value) && n.len <= 2)
            && self.unit(n.next).is_none()
            && !self.glued(n.next)
        {
            let clock = Clock { hour: n.value, minute: 30, led: true, ..Clock::default() };
            let (clock, end) = self.tail(clock, n.next);
            return Some((Item::Clock(clock), end));
        }
        let past = self.has(next, Term::Past);
        // "10 of 4 pm", as Americans say it.
        let of = month_first(self.language)
            && self.has(next, Term::Of)
            && self.number(next + 1).is_some_and(|n| n.value <= 12 && self.pm_follows(n.next));
        if !past && !of && !self.has(next, Term::To) {
            return None;
        }
        let i = self.skip(next + 1, &[Term::At, Term::The], 2);
        let (mut clock, next) = self.hour(i, true)?;
        if clock.minute != 0 || clock.less != 0 {
            return None;
        }
        if past {
            clock.minute = minutes;
        } else {
            clock.less = minutes;
        }
        clock.led = lead;
        Some((Item::Clock(clock), next))
    }

    /// A number of minutes, or a half or a quarter of an hour.
    fn minutes(&self, i: usize) -> Option<(u32, usize)> {
        if self.has(i, Term::Half) {
            return Some((30, i + 1));
        }
        if self.has(i, Term::Quarter) {
            return Some((15, i + 1));
        }
        let n = self.number(i).filter(|n| n.value < 60 && n.len <= 2)?;
        // "1/4 to 6".
        if self.sign(n.next, '/') && self.joined(n.next) && self.joined(n.next + 1) {
            let under = self.digits(n.next + 1).filter(|d| (d.value == 2 || d.value == 4) && n.value < d.value)?;
            let tied = self.has(under.next, Term::To) || self.has(under.next, Term::Past);
            return tied.then_some((60 * n.value / under.value, under.next));
        }
        Some((n.value, n.next + usize::from(self.unit(n.next) == Some(Unit::Minute))))
    }

    /// An hour with all that may follow it.
    pub fn hour(&self, i: usize, led: bool) -> Option<(Clock, usize)> {
        if let Some(noon) = self.twelve(i) {
            let clock =
                Clock { hour: if noon { 12 } else { 0 }, noon, midnight: !noon, full: true, ..Clock::default() };
            return Some(self.tail(clock, i + 1));
        }
        let n = self.number(i)?;
        if self.glued(i) {
            return None;
        }
        if n.len > 0 && self.ordinal(i).is_some() {
            return None;
        }
        let mut clock = Clock { hour: n.value, ..Clock::default() };
        if (3..=4).contains(&n.len) {
            return self.compact(n.value, n.next, led);
        }
        if n.value > 24 || n.len > 2 {
            return None;
        }
        if n.len == 2 && n.value < 10 {
            clock.full = true;
        }
        let mut next = n.next;
        let mut marked = false;
        if n.len > 0 && self.sign(next, ':') && self.joined(next) {
            let m = self.digits(next + 1).filter(|m| m.len == 2 && m.value < 60)?;
            clock.minute = m.value;
            clock.full |= day_clock(self.language);
            next = self.behind_minutes(m.next);
            marked = true;
            if self.sign(next, ':') && self.joined(next) {
                let s = self.digits(next + 1).filter(|s| s.len == 2 && s.value < 60)?;
                clock.second = s.value;
                clock.seconds = true;
                next = s.next;
                if self.sign(next, '.') && self.digits(next + 1).is_some() {
                    next += 2;
                }
            }
        } else if n.len > 0
            && self.sign(next, '.')
            && self.joined(next)
            && self.joined(next + 1)
            && self.digits(next + 1).is_some()
        {
            let m = self.digits(next + 1).filter(|m| m.len == 2 && m.value < 60)?;
            if self.glued(m.next)
                || matches!(self.tokens.get(m.next), Some(t) if matches!(t.kind, super::Kind::Unknown))
            {
                return None;
            }
            clock.minute = m.value;
            clock.full |= day_clock(self.language);
            next = self.behind_minutes(m.next);
            marked = true;
        } else if self.has(next, Term::HourMark) {
            (clock, next) = self.marked(clock, n.next);
            marked = true;
        } else if self.glued(next) {
            return None;
        } else if let Some((minutes, after, weak)) = self.spoken(n.value, n.len, next, led) {
            clock.minute = minutes;
            clock.weak = weak;
            clock.pair = n.len > 0 && self.has(next, Term::And) && self.digits(next + 1).is_some();
            next = after;
            marked = true;
        }
        let twelve = self.skip(next, &[Term::Of], 1);
        if let (1..=11, Some(true), true) = (clock.hour, self.twelve(twelve), twelve > next) {
            clock.pm = Some(clock.hour < 10);
            return Some((clock, twelve + 1));
        }
        if let (12, Some(noon)) = (clock.hour, self.twelve(twelve)) {
            next = twelve;
            clock.hour = if noon { 12 } else { 0 };
            clock.noon = noon;
            clock.midnight = !noon;
            clock.full = true;
            return Some((clock, next + 1));
        }
        let (clock, after) = self.tail(clock, next);
        let said = marked || after > next;
        let range = !said && self.sign(after, '-') && self.digits(after + 1).is_some();
        let odd = range || matches!(self.tokens.get(after), Some(t) if matches!(t.kind, super::Kind::Sign('%' | '$')));
        ((said || led) && !odd).then_some((clock, after))
    }

    /// Past the mark of hours that may stand behind minutes: "15:15 hs".
    fn behind_minutes(&self, i: usize) -> usize {
        let mark = (self.has(i, Term::HourMark) || self.unit(i) == Some(Unit::Hour))
            && self.tokens.get(i).is_some_and(|t| t.span.len() <= 5);
        i + usize::from(mark && !self.has(i, Term::ZoneMark))
    }

    fn twelve(&self, i: usize) -> Option<bool> {
        self.get(i, |t| match t {
            Term::Noon => Some(true),
            Term::Midnight => Some(false),
            _ => None,
        })
    }

    /// "15h15", "quinze horas e quinze minutos": `at` is the hour mark.
    fn marked(&self, mut clock: Clock, at: usize) -> (Clock, usize) {
        let word = self.tokens.get(at).map_or(0, |t| t.span.len());
        let mut next = at + 1;
        clock.full = true;
        clock.length = word > 3 && clock.hour <= 12;
        let and = usize::from(self.has(next, Term::And));
        if (self.joined(next) || and == 1 || self.digits(next).is_some_and(|m| m.len == 2))
            && let Some((minutes, after)) = self.minutes(next + and)
        {
            let other = self.has(after, Term::HourMark)
                || self.glued(after)
                || self.pm(after).is_some() && and == 1
                || self.has(after, Term::Month(1));
            let two = self.digits(next + and).is_none_or(|m| m.len == 2);
            let apart = !self.joined(next) && and == 0;
            let of = self.skip(after, &[Term::Of], 1);
            let date = self.month(after).is_some() && (apart || and == 1)
                || apart && (self.month(of).is_some() || self.has(after, Term::OrdMark));
            if !other && !date && (two || and == 1) {
                clock.minute = minutes;
                clock.length = clock.hour <= 4;
                next = after;
            }
        }
        if clock.minute == 0 && word <= 3 && (1..=3).contains(&clock.hour) {
            clock.length = true;
        }
        (clock, next)
    }

    /// Minutes said after the hour: "e meia", "twenty five", "cero dos". The flag tells that company is needed.
    fn spoken(&self, hour: u32, len: usize, i: usize, led: bool) -> Option<(u32, usize, bool)> {
        if self.has(i, Term::And) {
            let (minutes, next) = self.minutes(i + 1)?;
            let said = self.digits(i + 1).is_none_or(|d| d.len == 2);
            let other = self.has(next, Term::HourMark)
                || self.glued(next)
                || (self.pm(next).is_some() && minutes <= 12 && len > 0);
            let month = self.get(next, |t| matches!(t, Term::Month(_)).then_some(())).is_some();
            return (said && (minutes >= 5) && !other && !month && hour <= 24).then_some((
                minutes,
                next,
                !led && len > 0 && self.digits(i + 1).is_some(),
            ));
        }
        let n = self.number(i)?;
        if self.glued(n.next)
            || self.has(n.next, Term::HourMark)
            || self.has(n.next, Term::Times)
            || self.get(n.next, |t| matches!(t, Term::Month(_)).then_some(())).is_some()
        {
            return None;
        }
        if n.value == 0 && n.len <= 1 {
            let ones = self.number(n.next).filter(|m| m.value < 10 && m.len <= 1)?;
            return Some((ones.value, ones.next, !led));
        }
        let unit = usize::from(self.unit(n.next) == Some(Unit::Minute));
        let after = n.next + unit;
        let close = self.pm(after).is_some()
            || self.part(self.skip(after, &[Term::Of, Term::On, Term::The, Term::At], 2)).is_some();
        if n.value >= 60 || (n.len > 0) != (len > 0) {
            return None;
        }
        if n.len > 0 {
            return (n.len == 2 && (led || self.pm(after).is_some())).then_some((n.value, after, false));
        }
        if n.value < 10 && !close && !(led && hour >= 10) {
            return None;
        }
        Some((n.value, after, !led && !close))
    }

    /// "340pm", "approximately 1030".
    fn compact(&self, value: u32, next: usize, led: bool) -> Option<(Clock, usize)> {
        let (hour, minute) = (value / 100, value % 100);
        if hour > 23 || minute > 59 || self.glued(next) {
            return None;
        }
        let mut clock = Clock { hour, minute, ..Clock::default() };
        let mut behind = next;
        if self.unit(next) == Some(Unit::Hour) {
            clock.full = true;
            behind += 1;
        }
        let (clock, after) = self.tail(clock, behind);
        (after > next || led).then_some((clock, after))
    }

    fn pm(&self, i: usize) -> Option<bool> {
        let joined = self.joined(i);
        self.get(i, |t| match t {
            Term::Am => Some(false),
            Term::Pm => Some(true),
            _ => None,
        })
        .filter(|_| joined || self.terms(i).len() == 1)
    }

    /// What follows an hour: "o'clock", "pm", "y media", "menos cuarto".
    fn tail(&self, mut clock: Clock, mut i: usize) -> (Clock, usize) {
        for _ in 0..4 {
            if self.has(i, Term::Sharp) || self.has(i, Term::Ish) {
                clock.led = true;
                i += 1;
                continue;
            }
            if self.sign(i, '-') && self.has(i + 1, Term::Ish) {
                i += 2;
                continue;
            }
            if let Some(pm) = self.pm(i).filter(|_| clock.pm.is_none()) {
                // "4a" alone is more often the name of something else.
                if !pm && self.terms(i).len() > 1 && clock.minute == 0 {
                    break;
                }
                clock.pm = Some(pm);
                i += 1;
                continue;
            }
            let and = self.has(i, Term::And)
                && clock.minute == 0
                && clock.less == 0
                && (clock.pm.is_some() || clock.noon || clock.midnight);
            if and
                && let Some((minutes, next)) = self
                    .minutes(i + 1)
                    .filter(|(m, next)| *m >= 5 && !self.has(*next, Term::HourMark) && self.pm(*next).is_none())
            {
                clock.minute = minutes;
                i = next;
                continue;
            }
            if self.has(i, Term::Minus)
                && clock.less == 0
                && let Some((minutes, next)) = self.minutes(i + 1)
            {
                clock.less = minutes;
                i = next;
                continue;
            }
            break;
        }
        (clock, i)
    }
}
