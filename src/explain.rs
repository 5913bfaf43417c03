//! Says in words how a reply about time is understood: for people at a terminal.

use chrono_tz::Tz;

use crate::domain::clock::Moment;
use crate::domain::language::Language;
use crate::domain::series::Rhythm;
use crate::locale::rule::rule;
use crate::locale::{format, plain};
use crate::when::{self, Meaning, Question, Reason};

/// One line for what `text` means, and one for each moment that could be meant.
pub fn explain(text: &str, now: Moment, zone: Tz, language: Language) -> String {
    let moment = |at: Moment| format::moment(at, zone, language);
    let place = |at: Moment| format::zone(at, zone, language);
    let list = |said: String, moments: Vec<Moment>| {
        moments.into_iter().fold(said, |lines, at| format!("{lines}\n  {} · {}", moment(at), place(at)))
    };
    match when::read(text, now.in_zone(zone), language).meaning {
        Meaning::At(at, when::Grain::Day) => {
            plain!(language, "explain-hour", day = format::day(at.date_naive(), language))
        }
        Meaning::At(at, _) => {
            let at = Moment::from(at);
            let span = format::span(at.since(now), language);
            plain!(language, "explain-at", moment = moment(at), zone = place(at), span = span)
        }
        Meaning::Every(every) => {
            let first = Moment::from(every.first);
            let rhythm = Rhythm { rule: every.rule, starts_at: every.first.naive_local() };
            let rule = rule(&rhythm, zone, language);
            plain!(language, "explain-every", rule = rule, moment = moment(first), zone = place(first))
        }
        Meaning::Unclear { question: Question::Hour(day), .. } => {
            plain!(language, "explain-hour", day = format::day(day, language))
        }
        Meaning::Unclear { candidates, .. } => {
            list(plain!(language, "explain-unclear"), candidates.into_iter().map(Into::into).collect())
        }
        Meaning::Past(at) => {
            let at = Moment::from(at);
            plain!(language, "explain-past", moment = moment(at), zone = place(at))
        }
        Meaning::Impossible(Reason::NoSuchDate { nearest }) => {
            nearest.into_iter().fold(plain!(language, "explain-no-date"), |lines, day| {
                format!("{lines}\n  {}", format::day(day, language))
            })
        }
        Meaning::Impossible(Reason::Gap { nearest }) => {
            list(plain!(language, "explain-gap"), nearest.into_iter().map(Into::into).collect())
        }
        Meaning::Impossible(Reason::TooFar) => plain!(language, "explain-far"),
        Meaning::Nothing => plain!(language, "explain-nothing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_reading_is_said_in_the_language_asked_for() {
        // Wednesday 11 March 2026, 14:20 in São Paulo.
        let now = Moment(1_773_249_600_000);
        let say = |text, language| explain(text, now, chrono_tz::America::Sao_Paulo, language);
        assert_eq!(
            say("amanhã 9h", Language::Portuguese),
            "qui, 12/03/2026 às 09:00 · São Paulo (UTC−3) · daqui a 18 h 40 min"
        );
        assert_eq!(say("tomorrow", Language::English), "On Thu, Mar 12, 2026, at what time?");
        assert!(say("cada lunes a las 8", Language::Spanish).starts_with("🔁 cada semana · lun · a las 08:00"));
        assert!(say("ontem 10h", Language::Portuguese).starts_with("Já passou"));
        assert_eq!(
            say("31/02/2027 10:00", Language::English),
            "That date does not exist.\n  Sun, Feb 28, 2027\n  Mon, Mar 1, 2027"
        );
        assert_eq!(say("hello", Language::English), "There is no time in that text. Example: tomorrow 9am");
    }
}
