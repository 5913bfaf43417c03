//! Named zones beside a clock time: "9h de Lisboa", "3pm EST", "18h UTC+1".

use chrono_tz::Tz;

use super::super::item::Item;
use super::super::words::Term;
use super::{Kind, Parser};

/// How far before a zone its clock time may stand.
const REACH: usize = 4;

impl Parser<'_> {
    /// A zone, if a clock time or a word such as "time" stands beside it; else its word is anyone's.
    pub fn zone(&self, i: usize) -> Option<(Item, usize)> {
        let tz = self.get(i, |t| if let Term::Zone(tz) = t { Some(tz) } else { None })?;
        let mut next = i + 1;
        if tz == Tz::UTC
            && let Some((shifted, end)) = self.shift(next)
        {
            return Some((Item::Zone(shifted), end));
        }
        let marked = self.has(next, Term::ZoneMark);
        next += usize::from(marked);
        let led = i > 0 && self.has(i - 1, Term::ZoneMark);
        (marked || led || self.behind_clock(i)).then_some((Item::Zone(tz), next))
    }

    /// Whether a clock time stands before a place, with nothing but small words between.
    fn behind_clock(&self, i: usize) -> bool {
        let coast = [Tz::America__New_York, Tz::America__Chicago, Tz::America__Denver, Tz::America__Los_Angeles];
        let wide = self.get(i, |t| if let Term::Zone(tz) = t { Some(coast.contains(&tz)) } else { None }) == Some(true);
        let short = wide || self.tokens.get(i).is_some_and(|t| t.span.len() <= 4);
        for (gone, j) in (i.saturating_sub(REACH)..i).rev().enumerate() {
            let small = [Term::Of, Term::On, Term::MaybeIn, Term::The, Term::ZoneMark];
            let to = self.has(j, Term::ToWhom);
            let clock = match self.tokens.get(j).map(|t| &t.kind) {
                Some(Kind::Digits(_)) => true,
                Some(Kind::Word(terms)) => terms.iter().any(|t| {
                    matches!(
                        t,
                        Term::HourMark
                            | Term::Am
                            | Term::Pm
                            | Term::Sharp
                            | Term::Noon
                            | Term::Midnight
                            | Term::Part(_)
                            | Term::Num(_)
                            | Term::Half
                            | Term::Quarter
                    )
                }),
                _ => false,
            };
            // A place without a preposition may be anything; an abbreviation may not.
            if clock && !(self.has(j, Term::The) && gone == 0) {
                return gone > 0 || short || self.has(i + 1, Term::ZoneMark);
            }
            let between = small.iter().any(|t| self.has(j, *t)) || self.sign(j, '(') || self.sign(j, ',');
            if to || !between {
                return false;
            }
        }
        false
    }

    /// "+1", "-03:00" behind "UTC".
    fn shift(&self, i: usize) -> Option<(Tz, usize)> {
        let sign = ['+', '-'].into_iter().find(|s| self.sign(i, *s))?;
        let n = self.digits(i + 1)?;
        let (mut hours, mut minutes, mut end) = (n.value, 0, n.next);
        if n.len == 4 {
            (hours, minutes) = (n.value / 100, n.value % 100);
        } else if self.sign(end, ':') && self.joined(end) {
            let m = self.digits(end + 1).filter(|m| m.len == 2)?;
            minutes = m.value;
            end = m.next;
        }
        let tz = match (sign, hours, minutes) {
            (_, 0, 0) => Tz::UTC,
            ('+', 3, 30) => Tz::Asia__Tehran,
            ('+', 4, 30) => Tz::Asia__Kabul,
            ('+', 5, 30) => Tz::Asia__Kolkata,
            ('+', 5, 45) => Tz::Asia__Kathmandu,
            ('+', 6, 30) => Tz::Asia__Yangon,
            ('+', 9, 30) => Tz::Australia__Darwin,
            // The names of these zones have the sign turned round.
            ('+', 1..=14, 0) => format!("Etc/GMT-{hours}").parse().ok()?,
            ('-', 1..=12, 0) => format!("Etc/GMT+{hours}").parse().ok()?,
            _ => return None,
        };
        Some((tz, end))
    }
}
