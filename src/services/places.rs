//! Places that people type: a city or a zone's name for a time zone, a country for a region.

mod names;

use chrono_tz::{TZ_VARIANTS, Tz};
use phonenumber::country;
use unicode_normalization::UnicodeNormalization;

use crate::domain::clock::Moment;
use names::{CITIES, COUNTRIES};

/// How many zones are offered at most.
const MOST: usize = 8;

/// Without accents, case, and anything that is neither letter nor digit.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || c == '+' {
            folded.push(c);
        } else if !folded.ends_with(' ') && !folded.is_empty() {
            folded.push(' ');
        }
    }
    folded.trim_end().to_owned()
}

/// The zones that a typed city or zone name may mean, each with how it is shown; the best first, at most eight.
pub fn find_zones(text: &str) -> Vec<(Tz, String)> {
    let typed = fold(&text.chars().take(64).collect::<String>());
    if typed.is_empty() {
        return Vec::new();
    }
    if let Some(zone) = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text.trim())) {
        return vec![(*zone, zone.name().to_owned())];
    }
    let mut found: Vec<(u8, usize, Tz, String)> = Vec::new();
    for (order, (zone, cities)) in CITIES.iter().enumerate() {
        let Ok(zone) = zone.parse::<Tz>() else { continue };
        for city in cities.split(';') {
            let shown = city.split('=').next().unwrap_or(city);
            for name in city.split('=') {
                if let Some(rank) = rank(&typed, &fold(name)) {
                    found.push((rank, order, zone, shown.to_owned()));
                }
            }
        }
    }
    for zone in TZ_VARIANTS.iter().filter(|zone| zone.name().contains('/') && !zone.name().starts_with("Etc/")) {
        let city = zone.name().rsplit('/').next().unwrap_or_default();
        if let Some(rank) = rank(&typed, &fold(city)) {
            found.push((rank, usize::MAX, *zone, city.replace('_', " ")));
        }
    }
    found.sort_by_key(|(rank, order, _, _)| (*rank, *order));
    // Whoever types a whole name means it: what merely starts with it is not offered beside it.
    let exact = found.first().is_some_and(|(rank, ..)| *rank == 0);
    let mut zones: Vec<(Tz, String)> = Vec::new();
    for (rank, _, zone, shown) in found {
        let twin =
            |(known, name): &(Tz, String)| *known == zone || (fold(name) == fold(&shown) && same_clock(*known, zone));
        if (!exact || rank == 0) && !zones.iter().any(twin) {
            zones.push((zone, shown));
        }
    }
    zones.truncate(MOST);
    zones
}

/// Whether two zones, one of which may be an old name of the other, tell the same time in both halves of a year.
fn same_clock(one: Tz, other: Tz) -> bool {
    [1_767_225_600_000, 1_782_864_000_000]
        .map(Moment)
        .iter()
        .all(|at| at.in_zone(one).naive_local() == at.in_zone(other).naive_local())
}

/// 0: the name itself; 1: it starts so; 2: one of its words starts so.
fn rank(typed: &str, name: &str) -> Option<u8> {
    if name == typed {
        Some(0)
    } else if typed.len() < 3 {
        None
    } else if name.starts_with(typed) {
        Some(1)
    } else {
        name.contains(&format!(" {typed}")).then_some(2)
    }
}

/// The ISO 3166 code of a country that was typed as its code or its name.
pub fn is_region(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let typed = fold(text);
    if let Some((code, _)) = COUNTRIES.iter().find(|(_, names)| names.split(';').any(|name| fold(name) == typed)) {
        return Some(code);
    }
    if text.len() != 2 {
        return None;
    }
    let id: country::Id = text.to_ascii_uppercase().parse().ok()?;
    COUNTRIES.iter().map(|(code, _)| *code).find(|code| *code == id.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cities_are_found_in_three_languages() {
        for (text, zone) in [
            ("são paulo", Tz::America__Sao_Paulo),
            ("SAO PAULO", Tz::America__Sao_Paulo),
            ("sp", Tz::America__Sao_Paulo),
            ("nova york", Tz::America__New_York),
            ("New York", Tz::America__New_York),
            ("nueva york", Tz::America__New_York),
            ("londres", Tz::Europe__London),
            ("ciudad de méxico", Tz::America__Mexico_City),
            ("lisboa", Tz::Europe__Lisbon),
            ("america/manaus", Tz::America__Manaus),
            ("Tóquio", Tz::Asia__Tokyo),
            ("recife", Tz::America__Recife),
            ("buenos aires", Tz::America__Argentina__Buenos_Aires),
            ("UTC", Tz::UTC),
        ] {
            assert_eq!(find_zones(text).first().map(|(zone, _)| *zone), Some(zone), "{text}");
        }
        assert_eq!(find_zones("lisboa").len(), 1);
        assert_eq!(find_zones("buenos aires").len(), 1);
        assert!(find_zones("san").len() > 1);
        assert!(find_zones("san").len() <= MOST);
        for nothing in ["", "   ", "xyzzy", "🙂", &"a".repeat(5000)] {
            assert!(find_zones(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn every_row_of_the_tables_is_real() {
        for (zone, _) in CITIES {
            assert!(zone.parse::<Tz>().is_ok(), "{zone}");
        }
        for (code, _) in COUNTRIES {
            assert!(code.parse::<country::Id>().is_ok(), "{code}");
        }
    }

    #[test]
    fn countries_are_found_by_code_and_name() {
        for (text, code) in [
            ("br", "BR"),
            ("Brasil", "BR"),
            ("brazil", "BR"),
            ("méxico", "MX"),
            (" PT ", "PT"),
            ("estados unidos", "US"),
            ("España", "ES"),
        ] {
            assert_eq!(is_region(text), Some(code), "{text}");
        }
        assert_eq!(is_region("zz"), None);
        assert_eq!(is_region("nowhere"), None);
    }
}
