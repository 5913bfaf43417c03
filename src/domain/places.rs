//! Places that people type: a city or a zone's name for a time zone, a country for a region.

mod names;
mod zones;

use chrono_tz::{TZ_VARIANTS, Tz};
use phonenumber::country;
use unicode_normalization::UnicodeNormalization;

use super::clock::Moment;
use super::language::Language;
use names::{CITIES, COUNTRIES};
use zones::{NAMES, ZONES_OF};

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
    search(text).0
}

/// The only zone that this is a whole name of, and not the beginning of one.
pub fn zone_named(text: &str) -> Option<Tz> {
    match search(text) {
        (zones, true) if zones.len() == 1 => zones.first().map(|(zone, _)| *zone),
        _ => None,
    }
}

/// The zones that a text may mean, and whether it is a whole name of them.
fn search(text: &str) -> (Vec<(Tz, String)>, bool) {
    let typed = fold(&text.chars().take(64).collect::<String>());
    if typed.is_empty() {
        return (Vec::new(), false);
    }
    if let Some(zone) = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text.trim())) {
        return (vec![(*zone, zone.name().to_owned())], true);
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
    (zones, exact)
}

/// What people call a zone: its city, as the language writes it.
pub fn zone_name(zone: Tz, language: Language) -> String {
    let place = match language {
        Language::Portuguese => 0,
        Language::English => 1,
        Language::Spanish => 2,
    };
    if let Some((_, names)) = NAMES.iter().find(|(known, _)| *known == zone.name()) {
        return names[place].to_owned();
    }
    let last = zone.name().rsplit('/').next().unwrap_or(zone.name()).replace('_', " ");
    let Some((_, cities)) = CITIES.iter().find(|(known, _)| *known == zone.name()) else { return last };
    // The city that the zone is named after, else the largest one.
    let first = |city: &str| city.split('=').next().unwrap_or(city).to_owned();
    let named = cities.split(';').map(first).find(|city| fold(city) == fold(&last));
    named.unwrap_or_else(|| cities.split(';').next().map_or(last, first))
}

/// The ISO 3166 code of the country that a zone lies in, where it is one that we know by name.
pub fn region_of(zone: Tz) -> Option<&'static str> {
    let lies = |zones: &str| zones.split(';').any(|one| one == zone.name());
    ZONES_OF.iter().find(|(_, zones)| lies(zones)).map(|(code, _)| *code)
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
    fn zones_are_called_as_their_people_call_them() {
        use Language::{English, Portuguese, Spanish};
        for (zone, language, name) in [
            (Tz::America__Sao_Paulo, Portuguese, "São Paulo"),
            (Tz::America__Sao_Paulo, English, "São Paulo"),
            (Tz::America__New_York, Portuguese, "Nova York"),
            (Tz::America__New_York, Spanish, "Nueva York"),
            (Tz::America__Bogota, English, "Bogotá"),
            (Tz::America__Belem, Portuguese, "Belém"),
            (Tz::America__Cuiaba, Portuguese, "Cuiabá"),
            (Tz::America__Maceio, Portuguese, "Maceió"),
            (Tz::America__Bahia, Portuguese, "Salvador"),
            (Tz::America__Noronha, Portuguese, "Fernando de Noronha"),
            (Tz::America__Argentina__Cordoba, Spanish, "Córdoba"),
            (Tz::America__Argentina__Tucuman, Spanish, "Tucumán"),
            (Tz::America__Cancun, Spanish, "Cancún"),
            (Tz::America__Guayaquil, Spanish, "Guayaquil"),
            (Tz::Europe__London, Spanish, "Londres"),
            (Tz::Africa__Ouagadougou, English, "Ouagadougou"),
            (Tz::UTC, English, "UTC"),
        ] {
            assert_eq!(zone_name(zone, language), name, "{zone}");
        }
    }

    #[test]
    fn only_a_whole_name_names_a_zone() {
        for (text, zone) in [
            ("lima", Some(Tz::America__Lima)),
            ("Nova Iorque", Some(Tz::America__New_York)),
            ("america/bogota", Some(Tz::America__Bogota)),
            ("simf", None),
            ("xyzzy", None),
        ] {
            assert_eq!(zone_named(text), zone, "{text}");
        }
    }

    #[test]
    fn zones_lie_in_countries() {
        for (zone, code) in [
            (Tz::America__Sao_Paulo, Some("BR")),
            (Tz::America__New_York, Some("US")),
            (Tz::Europe__Madrid, Some("ES")),
            (Tz::America__Argentina__Buenos_Aires, Some("AR")),
            (Tz::UTC, None),
        ] {
            assert_eq!(region_of(zone), code, "{zone}");
        }
        for (zone, _) in NAMES {
            assert!(zone.parse::<Tz>().is_ok(), "{zone}");
        }
        for (code, zones) in ZONES_OF {
            assert!(COUNTRIES.iter().any(|(known, _)| known == code), "{code}");
            for zone in zones.split(';') {
                assert!(zone.parse::<Tz>().is_ok(), "{zone}");
            }
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
