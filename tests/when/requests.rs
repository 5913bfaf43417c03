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

#[test]
fn a_list_by_lines_is_the_recipients_and_a_line_of_words_is_the_message() {
    for (request, to, body) in [
        ("11 97000-0001\n11 97000-0002", "11 97000-0001\n11 97000-0002", None),
        ("11 97000-0001\n11 9700A-0002\n11 97000-0003", "11 97000-0001\n11 9700A-0002\n11 97000-0003", None),
        ("para 11 97000-0001\n12345\n\n11 97000-0003: oi", "11 97000-0001\n12345\n\n11 97000-0003", Some("oi")),
        ("11 97000-0001\n11 97000-0002\nOi, tudo bem?", "11 97000-0001\n11 97000-0002", Some("Oi, tudo bem?")),
        ("11 97000-0001\n11 97000-0002 é o novo", "11 97000-0001", Some("11 97000-0002 é o novo")),
        ("11 97000-0001\nNovo número: 11 97000-0002", "11 97000-0001", Some("Novo número: 11 97000-0002")),
        (
            "11 97000-0001\nOi, segue o contato do João:\n11 97000-0002",
            "11 97000-0001",
            Some("Oi, segue o contato do João:\n11 97000-0002"),
        ),
    ] {
        let parts = split(request, wednesday(), Language::Portuguese);
        assert_eq!((parts.to.as_deref(), parts.body.as_deref()), (Some(to), body), "{request}");
    }
    let numbers: Vec<_> = (10..61).map(|n| format!("11 97000-00{n}")).collect();
    for by in ["\n", ", ", ";"] {
        let list = numbers.join(by);
        let parts = split(&format!("amanhã 9h para {list}: lista"), wednesday(), Language::Portuguese);
        assert_eq!((parts.to, parts.body.as_deref()), (Some(list), Some("lista")));
        assert!(parts.when.is_some());
    }
}
