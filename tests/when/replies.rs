//! Chat replies as a table, `reply => moment`, on Wednesday 11 March 2026 at 14:20 in São Paulo.

use schedulezap::domain::language::Language;
use schedulezap::when::read;

use super::{short, wednesday};

fn check(language: Language, table: &str) {
    let wrong: Vec<_> = table
        .lines()
        .filter_map(|line| line.split_once(" => "))
        .filter_map(|(reply, want)| {
            let got = short(&read(reply.trim(), wednesday(), language));
            (got != want.trim()).then(|| format!("{} => {got}, not {want}", reply.trim()))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn in_portuguese() {
    check(Language::Portuguese, include_str!("pt-BR.txt"));
}

#[test]
fn in_english() {
    check(Language::English, include_str!("en.txt"));
}

#[test]
fn in_spanish() {
    check(Language::Spanish, include_str!("es.txt"));
}
