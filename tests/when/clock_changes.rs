//! Wall times around changes of clocks in six zones, against Python's zoneinfo: see `clock_changes.py`.

use chrono::{DateTime, Duration, NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;
use schedulezap::domain::language::Language;
use schedulezap::when::{Meaning, Question, Reason, next_after, read};

struct Case {
    zone: Tz,
    wall: NaiveDateTime,
    kind: &'static str,
    moments: Vec<DateTime<Tz>>,
}

fn cases() -> Vec<Case> {
    let naive = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").expect("a time");
    let case = |line: &'static str| {
        let fields: Vec<&str> = line.split(' ').collect();
        let zone: Tz = fields[0].parse().expect("a zone");
        let moments = fields[3..].iter().map(|text| zone.from_utc_datetime(&naive(text))).collect();
        Case { zone, wall: naive(fields[1]), kind: fields[2], moments }
    };
    include_str!("clock_changes.txt").lines().map(case).collect()
}

#[test]
fn a_gap_is_impossible_with_its_neighbours_and_a_fold_is_asked() {
    let cases = cases();
    assert!(cases.len() >= 300, "{}", cases.len());
    for case in cases {
        // Three days before, in the zone's own time.
        let now = case.moments[0] - Duration::days(3);
        let reply = case.wall.format("%Y-%m-%d %H:%M").to_string();
        let meaning = read(&reply, now, Language::Portuguese).meaning;
        let same = match (case.kind, &meaning) {
            ("at", Meaning::At(at, _)) => *at == case.moments[0],
            ("fold", Meaning::Unclear { question: Question::Fold, candidates }) => *candidates == case.moments,
            ("gap", Meaning::Impossible(Reason::Gap { nearest })) => *nearest == case.moments,
            _ => false,
        };
        assert!(same, "{} {reply} is {}: {meaning:?}", case.zone, case.kind);
    }
}

#[test]
fn a_repetition_takes_the_first_of_a_fold_and_moves_forward_over_a_gap() {
    for case in cases() {
        let start = case.wall - Duration::days(2);
        let rule = case.wall.format("FREQ=DAILY;BYHOUR=%-H;BYMINUTE=%-M").to_string();
        let want = if case.kind == "gap" { &case.moments[1] } else { &case.moments[0] };
        // From a moment before the occurrence to it.
        let next = next_after(&rule, start, case.zone, *want - Duration::minutes(1)).expect("it happens daily");
        assert_eq!(next.at, *want, "{} {}", case.zone, case.wall);
        let fell_together = next.wall != case.wall;
        assert!(next.moved == (case.kind == "gap") || fell_together, "{} {}", case.zone, case.wall);
    }
}
