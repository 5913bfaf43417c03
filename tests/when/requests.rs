//! One-line requests as tables, `request => when | to | message`, on Wednesday 11 March 2026 at 14:20 in São Paulo:
//! time, recipient and message in any order, and texts that are messages whole.

use schedulezap::domain::language::Language;
use schedulezap::when::split;

use super::{short, wednesday};

fn check(language: Language, table: &str) {
    let wrong: Vec<_> = table
        .lines()
        .filter_map(|line| line.split_once(" =>"))
        .filter_map(|(request, want)| {
            let parts = split(request, wednesday(), language);
            if let Some(when) = &parts.when {
                assert!(
                    request.get(when.span.clone()).is_some_and(|said| !said.is_empty()),
                    "{request}: {:?}",
                    when.span
                );
            }
            let said = parts.when.as_ref().map(short).unwrap_or_default();
            let got = [said, parts.to.unwrap_or_default(), parts.body.unwrap_or_default()];
            let want: Vec<_> = want.split('|').map(str::trim).collect();
            (got != want[..]).then(|| format!("{request} => {}, not {}", got.join(" | "), want.join(" | ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn in_portuguese() {
    check(Language::Portuguese, include_str!("requests-pt-BR.txt"));
}

#[test]
fn in_english() {
    check(Language::English, include_str!("requests-en.txt"));
}

#[test]
fn in_spanish() {
    check(Language::Spanish, include_str!("requests-es.txt"));
}
