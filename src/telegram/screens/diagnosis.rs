//! What the doctor found: each line ticks, and the first failing one says what to do about it.

use crate::domain::instance::KeyKind;
use crate::domain::language::Language;
use crate::domain::recipient::phone;
use crate::evolution::doctor::{CheckName, Diagnosis};
use crate::locale::{plain, t};
use crate::telegram::screen::Html;

/// The lines of a diagnosis.
pub fn lines(found: &Diagnosis, language: Language) -> Html {
    let mut html = Html::default();
    for check in &found.checks {
        let mark = if check.ok { "✅" } else { "❌" };
        html.line(&Html::trusted(format!("{mark} {}", name(check.name, language))));
        if !check.ok {
            html.line(&fix(check.name, language));
            break;
        }
    }
    if let Some(version) = &found.version {
        html.line(&t!(language, "found-version", version = version));
    }
    match found.key_kind {
        Some(KeyKind::Global) => html.line(&t!(language, "found-key-global")),
        Some(KeyKind::Instance) => html.line(&t!(language, "found-key-instance")),
        None => {}
    }
    if let Some(number) = &found.number {
        let profile = found.profile_name.clone().unwrap_or_default();
        html.line(&t!(language, "found-number", number = phone(number), profile = profile));
    }
    html
}

fn name(check: CheckName, language: Language) -> String {
    match check {
        CheckName::Url => plain!(language, "check-url"),
        CheckName::Policy => plain!(language, "check-policy"),
        CheckName::Dns => plain!(language, "check-dns"),
        CheckName::Connect => plain!(language, "check-connect"),
        CheckName::Tls => plain!(language, "check-tls"),
        CheckName::Evolution => plain!(language, "check-evolution"),
        CheckName::Key => plain!(language, "check-key"),
        CheckName::Instance => plain!(language, "check-instance"),
        CheckName::Connection => plain!(language, "check-connection"),
    }
}

fn fix(check: CheckName, language: Language) -> Html {
    match check {
        CheckName::Url => t!(language, "fix-url"),
        CheckName::Policy => t!(language, "fix-policy"),
        CheckName::Dns => t!(language, "fix-dns"),
        CheckName::Connect => t!(language, "fix-connect"),
        CheckName::Tls => t!(language, "fix-tls"),
        CheckName::Evolution => t!(language, "fix-evolution"),
        CheckName::Key => t!(language, "fix-key"),
        CheckName::Instance => t!(language, "fix-instance"),
        CheckName::Connection => t!(language, "fix-connection"),
    }
}
