//! One-line requests: time, recipient and message in any order.

use schedulezap::domain::language::Language;
use schedulezap::when::split;

use super::{short, wednesday};

/// Splits and compares `when`, `to` and `body`; an empty string stands for what is missing.
fn check(language: Language, text: &str, when: &str, to: &str, body: &str) {
    let parts = split(text, wednesday(), language);
    let got = (
        parts.when.as_ref().map(short).unwrap_or_default(),
        parts.to.unwrap_or_default(),
        parts.body.unwrap_or_default(),
    );
    assert_eq!((got.0.as_str(), got.1.as_str(), got.2.as_str()), (when, to, body), "{text}");
}

#[test]
fn a_number_may_stand_before_or_behind_the_time() {
    let nine = "2026-03-12 09:00";
    check(Language::Portuguese, "amanhã 9h para 11 98888-7777: Bom dia!", nine, "11 98888-7777", "Bom dia!");
    check(
        Language::Portuguese,
        "para 11 98888-7777 amanhã às 9: oi: tudo bem?",
        nine,
        "11 98888-7777",
        "oi: tudo bem?",
    );
    check(Language::English, "tomorrow 9am to +1 415 555 2671: Hello", nine, "+1 415 555 2671", "Hello");
    check(Language::Spanish, "mañana a las 9 para +54 9 11 2345-6789: Hola", nine, "+54 9 11 2345-6789", "Hola");
}

#[test]
fn several_numbers_are_all_recipients() {
    check(
        Language::Portuguese,
        "manda para 11 98888-7777, 11 97777-6666 sexta 18:30: Reunião às 10:00",
        "2026-03-13 18:30",
        "11 98888-7777, 11 97777-6666",
        "Reunião às 10:00",
    );
}

#[test]
fn words_of_the_message_stay_in_it() {
    let nine = "2026-03-12 09:00";
    check(Language::Portuguese, "lembra a Ana amanhã 9h: levar o bolo de sexta", nine, "Ana", "levar o bolo de sexta");
    check(Language::English, "remind Ana tomorrow at 9am: bring friday's cake", nine, "Ana", "bring friday's cake");
    check(
        Language::Spanish,
        "recuerda a Ana mañana a las 9h: llevar la torta del viernes",
        nine,
        "Ana",
        "llevar la torta del viernes",
    );
}

#[test]
fn what_is_missing_is_left_open() {
    check(Language::Portuguese, "11 98888-7777: Bom dia", "", "11 98888-7777", "Bom dia");
    check(Language::Portuguese, "amanhã 9h: Bom dia", "2026-03-12 09:00", "", "Bom dia");
    check(Language::Portuguese, "manda para 11988887777 amanhã 9h", "2026-03-12 09:00", "11988887777", "");
    check(Language::Portuguese, "Bom dia, tudo bem?", "", "", "Bom dia, tudo bem?");
}

#[test]
fn repetitions_are_times_too() {
    check(
        Language::English,
        "every weekday at 8 to Mom: good morning",
        "every FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=8;BYMINUTE=0",
        "Mom",
        "good morning",
    );
}
