//! Tests of the reader of times: the corpora with their bars, chat replies as a table, clock changes, repetitions,
//! one-line requests, and any text at all.

mod clock_changes;
mod corpus;
mod expand;
mod replies;
mod requests;

use chrono::{DateTime, TimeZone as _};
use chrono_tz::Tz;
use schedulezap::domain::language::Language;
use schedulezap::when::{Meaning, Question, Reading, next_after, read};

/// Wednesday 11 March 2026, 14:20 in São Paulo.
fn wednesday() -> DateTime<Tz> {
    chrono_tz::America::Sao_Paulo.with_ymd_and_hms(2026, 3, 11, 14, 20, 0).single().expect("a plain wall time")
}

/// A reading in short: a moment, `every RULE`, `ask QUESTION`, `past`, `impossible` or `nothing`.
fn short(reading: &Reading) -> String {
    match &reading.meaning {
        Meaning::At(at, _) => at.format("%Y-%m-%d %H:%M").to_string(),
        Meaning::Every(every) => format!("every {}", every.rule),
        Meaning::Unclear { question: Question::Hour(date), .. } => date.to_string(),
        Meaning::Unclear { question, .. } => format!("ask {question:?}"),
        Meaning::Past(_) => "past".to_owned(),
        Meaning::Impossible(_) => "impossible".to_owned(),
        Meaning::Nothing => "nothing".to_owned(),
    }
}

/// What is said by clocks, and what is a length from now.
#[test]
fn a_length_from_now_is_no_wall_time() {
    let (here, there) = (chrono_tz::America::Sao_Paulo, chrono_tz::America::New_York);
    for (text, language, zone) in [
        ("amanhã 9h", Language::Portuguese, Some(here)),
        ("sexta às 15h30", Language::Portuguese, Some(here)),
        ("daqui a 2 dias às 9h", Language::Portuguese, Some(here)),
        ("meio-dia de amanhã", Language::Portuguese, Some(here)),
        ("tomorrow at 9 am New York time", Language::English, Some(there)),
        ("2026-03-12 09:00", Language::Spanish, Some(here)),
        ("em 2 horas", Language::Portuguese, None),
        ("daqui a meia hora", Language::Portuguese, None),
        ("em 1 dia e 3 horas", Language::Portuguese, None),
        ("agora", Language::Portuguese, None),
        ("in 20 minutes", Language::English, None),
        ("dentro de 3 horas", Language::Spanish, None),
    ] {
        let reading = read(text, wednesday(), language);
        assert!(matches!(reading.meaning, Meaning::At(..)), "{text}: {reading:?}");
        assert_eq!(reading.zone, zone, "{text}");
    }
}

mod clocks {
    //! Days on which clocks change.

    use super::*;
    use schedulezap::when::Reason;

    fn new_york(month: u32, day: u32) -> DateTime<Tz> {
        chrono_tz::America::New_York.with_ymd_and_hms(2026, month, day, 12, 0, 0).single().expect("noon is plain")
    }

    #[test]
    fn a_time_that_clocks_skip_is_impossible_and_its_neighbours_are_offered() {
        let reading = read("tomorrow at 2:30 am", new_york(3, 7), Language::English);
        let Meaning::Impossible(Reason::Gap { nearest }) = reading.meaning else {
            panic!("{reading:?}");
        };
        let times: Vec<_> = nearest.iter().map(|at| at.format("%H:%M").to_string()).collect();
        assert_eq!(times, ["01:30", "03:30"]);
    }

    #[test]
    fn a_time_that_comes_twice_is_asked() {
        let reading = read("tomorrow at 1:30 am", new_york(10, 31), Language::English);
        let Meaning::Unclear { question: Question::Fold, candidates } = reading.meaning else {
            panic!("{reading:?}");
        };
        assert_eq!((candidates[1] - candidates[0]).num_minutes(), 60);
    }

    #[test]
    fn hours_from_now_are_hours_that_pass() {
        let now =
            chrono_tz::America::New_York.with_ymd_and_hms(2026, 3, 8, 1, 0, 0).single().expect("before the change");
        let Meaning::At(at, _) = read("in 2 hours", now, Language::English).meaning else {
            panic!("a moment was said");
        };
        assert_eq!(at.format("%H:%M").to_string(), "04:00");
    }

    #[test]
    fn a_named_zone_is_brought_home() {
        assert_eq!(short(&read("amanhã 9h de Lisboa", wednesday(), Language::Portuguese)), "2026-03-12 06:00");
        assert_eq!(short(&read("3pm EST", wednesday(), Language::English)), "2026-03-11 16:00");
    }
}

mod lines {
    //! JSON lines for programs: each gets an answer, whatever it is.

    use schedulezap::when::answer_json;

    #[test]
    fn a_line_that_is_no_case_is_answered_with_what_is_wrong() {
        let parts = |line: &str| {
            let answer: serde_json::Value = serde_json::from_str(&answer_json(line)).expect("an answer is JSON");
            (answer["value"].as_str().map(str::to_owned), answer["error"].as_str().unwrap_or_default().to_owned())
        };
        let now = r#""reference":"2026-03-11T14:20:00-03:00""#;
        let nine = Some("2026-03-12T09:00:00".to_owned());
        assert_eq!(parts(&format!(r#"{{"text":"amanhã 9h","lang":"pt",{now}}}"#)), (nine.clone(), String::new()));
        assert_eq!(parts(&format!(r#"{{"text":"amanhã 9h",{now}}}"#)), (nine.clone(), String::new()));
        let (value, error) = parts(&format!(r#"{{"text":"amanhã 9h","lang":"fr",{now}}}"#));
        assert_eq!((value, error.as_str()), (nine.clone(), "no such lang: fr; read as pt-BR"));
        let (value, error) = parts(&format!(r#"{{"text":"amanhã 9h","lang":"pt","zone":"Mars/One",{now}}}"#));
        assert_eq!((value, error.as_str()), (nine, "no such zone: Mars/One"));
        for line in ["", " ", "{", "[]", "null", "9h", r#"{"text":"9h"}"#, r#"{"text":5,"reference":"x"}"#] {
            let (value, error) = parts(line);
            assert!(value.is_none() && error.starts_with("no case"), "{line}: {error}");
        }
        let (value, error) = parts(r#"{"text":"9h","lang":"pt","reference":"tomorrow"}"#);
        assert!(value.is_none() && error.starts_with("no such reference"), "{error}");
    }
}

mod any_text {
    //! Whatever is written, reading ends and does not panic.

    use super::*;
    use proptest::prelude::*;
    use schedulezap::when::{answer_json, split};

    fn check(text: &str) {
        for language in Language::ALL {
            let reading = read(text, wednesday(), language);
            assert!(text.get(reading.span.clone()).is_some(), "{text:?}: {:?}", reading.span);
            if let Meaning::Every(every) = &reading.meaning {
                let start = every.first.naive_local();
                let next = next_after(&every.rule, start, every.first.timezone(), wednesday());
                assert!(next.is_some(), "{text:?}: {}", every.rule);
            }
            let parts = split(text, wednesday(), language);
            if let Some(when) = parts.when {
                assert!(text.get(when.span.clone()).is_some(), "{text:?}: {:?}", when.span);
            }
        }
    }

    proptest! {
        #[test]
        fn of_any_characters(text in "\\PC{0,80}") {
            check(&text);
            answer_json(&text);
        }

        #[test]
        fn of_the_words_and_signs_of_times(text in "((amanha|next|que vem|sexta|friday|every|cada|dia|de|menos|e|y|and|to|pras|às|at|meia|half|h|am|pm|of|last|until|até|mil|dois|from|de|between|except|starting|twice a day|times|end of|month|year|weekdays|mondays|hours|utc|lisboa|dia útil|[0-9]{1,9}|[:/.,+%-]|º|ª|'| ) ?){0,24}") {
            check(&text);
        }
    }
}
