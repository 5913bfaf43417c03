//! Instances: the list, the card, the questions, the doctor's findings.

use std::time::Duration;

use crate::domain::clock::Moment;
use crate::domain::instance::{Connection, InstanceName};
use crate::domain::language::Language;
use crate::domain::recipient::phone;
use crate::evolution::doctor::Diagnosis;
use crate::locale::{format, plain, t};
use crate::services::instances::Instance;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::state::InstanceDraft;
use crate::telegram::tap::{Field, Tap};

use super::with_cancel;

/// What was looked at within this time was looked at now.
const JUST_NOW: Duration = Duration::from_secs(10);

/// How many instances a page of the list shows.
const PAGE: usize = 8;

/// A connection state as one mark.
pub fn dot(connection: Connection) -> &'static str {
    match connection {
        Connection::Open => "🟢",
        Connection::Connecting => "🟡",
        Connection::Close | Connection::Unreachable | Connection::Refused | Connection::Missing => "🔴",
        Connection::Unknown => "⚪",
    }
}

/// A connection state in words.
pub fn connection(connection: Connection, language: Language) -> String {
    match connection {
        Connection::Open => plain!(language, "connection-open"),
        Connection::Connecting => plain!(language, "connection-connecting"),
        Connection::Close => plain!(language, "connection-close"),
        Connection::Unreachable => plain!(language, "connection-unreachable"),
        Connection::Refused => plain!(language, "connection-refused"),
        Connection::Missing => plain!(language, "connection-missing"),
        Connection::Unknown => plain!(language, "connection-unknown"),
    }
}

/// The list: a row per instance, and a mark on the active one.
pub fn list(rows: &[Instance], page: i64, language: Language) -> Screen {
    let mut screen = Screen::new(t!(language, "instances-title"));
    screen = if rows.is_empty() {
        screen.line(&t!(language, "instances-none"))
    } else {
        screen.line(&Html::trusted(plain!(language, "instances-count", count = rows.len())))
    };
    let pages = rows.len().div_ceil(PAGE).max(1);
    let page = usize::try_from(page).unwrap_or(0).min(pages - 1);
    for i in rows.iter().skip(page * PAGE).take(PAGE) {
        let mark = if i.is_active { " ✅" } else { "" };
        let number = i.number.as_deref().map(|n| format!(" · {}", phone(n))).unwrap_or_default();
        screen = screen.key(format!("{} {}{number}{mark}", dot(i.connection), i.label.as_str()), &Tap::Instance(i.id));
    }
    if pages > 1 {
        let to = |p: usize| Tap::Instances(i64::try_from(p).unwrap_or(0));
        screen = screen
            .key("◀️", &to(page.saturating_sub(1)))
            .beside(format!("{}/{pages}", page + 1), &to(page))
            .beside("▶️", &to((page + 1).min(pages - 1)));
    }
    super::with_home(screen.key(format!("➕ {}", plain!(language, "new-instance")), &Tap::NewInstance), language)
}

/// An instance's card.
pub fn card(i: &Instance, waiting: i64, now: Moment, zone: chrono_tz::Tz, language: Language) -> Screen {
    let checked = i.checked_at.map_or_else(
        || plain!(language, "never-checked"),
        |at| match now.since(at) {
            age if age < JUST_NOW => plain!(language, "checked-now"),
            age => plain!(language, "checked-ago", span = format::span(age, language)),
        },
    );
    let mut html =
        Html::trusted(format!("<b>{}</b>{}", Html::escape(i.label.as_str()), if i.is_active { " ✅" } else { "" }));
    if i.is_active {
        html.line(&t!(language, "instance-is-active"));
    }
    html.line(&t!(
        language,
        "instance-state",
        dot = dot(i.connection),
        state = connection(i.connection, language),
        checked = checked
    ));
    if let Some(number) = &i.number {
        html.line(&t!(
            language,
            "instance-number",
            number = phone(number),
            profile = i.profile.clone().unwrap_or_default()
        ));
    }
    html.line(&t!(language, "instance-url", url = i.server.as_str()));
    html.line(&t!(language, "instance-name", name = i.name.as_str()));
    html.line(&t!(language, "instance-key", key = i.key_hint));
    html.line(&Html::trusted(plain!(language, "instance-waiting", count = waiting)));
    if let Some(at) = i.last_sent_at {
        html.line(&t!(language, "instance-last-sent", moment = format::moment(at, zone, language)));
    }
    let mut screen = Screen::new(html);
    let test = format!("🩺 {}", plain!(language, "test"));
    screen = if i.is_active {
        screen.key(test, &Tap::TestInstance(i.id))
    } else {
        screen
            .key(format!("✅ {}", plain!(language, "activate")), &Tap::ActivateInstance(i.id))
            .beside(test, &Tap::TestInstance(i.id))
    };
    screen
        .key(format!("✏️ {}", plain!(language, "edit")), &Tap::EditInstance(i.id))
        .beside(format!("🗑 {}", plain!(language, "delete")), &Tap::DeleteInstance(i.id))
        .key(format!("↩️ {}", plain!(language, "back")), &Tap::Instances(0))
}

/// Which field to edit.
pub fn choose_field(i: &Instance, language: Language) -> Screen {
    fields(Screen::new(t!(language, "edit-which", name = i.label.as_str())), language, |field| {
        Tap::EditField(i.id, field)
    })
    .key(format!("↩️ {}", plain!(language, "back")), &Tap::Instance(i.id))
}

/// Which field of the draft to edit.
pub fn choose_draft_field(language: Language) -> Screen {
    with_cancel(fields(Screen::new(t!(language, "edit-which-draft")), language, Tap::DraftField), language)
}

fn fields(screen: Screen, language: Language, tap: impl Fn(Field) -> Tap) -> Screen {
    screen
        .key(plain!(language, "field-label"), &tap(Field::Label))
        .beside(plain!(language, "field-url"), &tap(Field::Url))
        .key(plain!(language, "field-key"), &tap(Field::Key))
        .beside(plain!(language, "field-name"), &tap(Field::Name))
}

/// Asks for a field; `offered` are texts that can be taken by a key.
pub fn ask(field: Field, offered: &[String], language: Language) -> Screen {
    let mut screen = Screen::new(match field {
        Field::Label => t!(language, "ask-label"),
        Field::Url => t!(language, "ask-url"),
        Field::Key => t!(language, "ask-key"),
        Field::Name => t!(language, "ask-name"),
    });
    for (n, text) in (0_i64..).zip(offered.iter().take(20)) {
        screen = screen.key(super::messages::preview(text, 40), &Tap::Take(n));
    }
    with_cancel(screen, language)
}

/// Asks for the name on the server: those found there, and a key that creates one. `listed`: that none were found is known.
pub fn names(found: &[String], may_create: bool, listed: bool, language: Language) -> Screen {
    let mut screen = ask(Field::Name, found, language);
    screen.html = match (found.is_empty(), may_create && listed) {
        (false, _) => t!(language, "names-found"),
        (true, true) => t!(language, "names-none"),
        (true, false) => screen.html,
    };
    if may_create {
        let cancel = screen.rows.pop();
        screen = screen.key(format!("➕ {}", plain!(language, "create-on-server")), &Tap::CreateOnServer);
        screen.rows.extend(cancel);
    }
    screen
}

/// Asks for the name of an instance to be created.
pub fn ask_new_name(offered: &[String], language: Language) -> Screen {
    let mut screen = ask(Field::Name, offered, language);
    screen.html = t!(language, "ask-new-name");
    screen
}

/// An instance is being created.
pub fn creating(name: &str, language: Language) -> Screen {
    Screen::new(t!(language, "creating", name = name))
}

/// A test is running.
pub fn testing(label: &str, language: Language) -> Screen {
    Screen::new(t!(language, "testing", name = label))
}

/// What was typed and what the test found, with the keys that end the dialogue.
pub fn summary(draft: &InstanceDraft, hint: &str, found: &Diagnosis, language: Language) -> Screen {
    let none = String::new;
    let mut html = t!(language, "summary-title", name = draft.label.clone().unwrap_or_else(none));
    html.line(&t!(language, "instance-url", url = draft.url.clone().unwrap_or_else(none)));
    html.line(&t!(language, "instance-name", name = draft.name.clone().unwrap_or_else(none)));
    html.line(&t!(language, "instance-key", key = hint));
    html.line(&Html::default());
    let mut screen = Screen::new(html).line(&super::diagnosis::lines(found, language));
    if draft.own_key {
        screen = screen.line(&t!(language, "own-key-kept"));
    }
    let name = draft.name.as_deref().and_then(|name| InstanceName::parse(name).ok());
    if found.is_creatable() && name.is_some_and(|name| name.is_creatable()) {
        screen = screen.key(format!("➕ {}", plain!(language, "create-on-server")), &Tap::CreateOnServer);
    }
    if found.is_connected() {
        screen = screen.key(format!("💾 {}", plain!(language, "save")), &Tap::Save);
        if draft.id.is_none() {
            screen = screen.beside(format!("✅ {}", plain!(language, "save-activate")), &Tap::SaveActivate);
        }
    } else if found.is_savable() {
        screen = screen.line(&Html::default()).line(&t!(language, "save-warning"));
        screen = screen.key(format!("💾 {}", plain!(language, "save-anyway")), &Tap::SaveAnyway);
    }
    let screen = screen
        .key(format!("✏️ {}", plain!(language, "edit-field")), &Tap::DraftEdit)
        .beside(format!("🩺 {}", plain!(language, "test-again")), &Tap::TestAgain);
    with_cancel(screen, language)
}

/// What a test of a saved instance found.
pub fn tested(i: &Instance, found: &Diagnosis, language: Language) -> Screen {
    Screen::new(t!(language, "tested-title", name = i.label.as_str()))
        .line(&super::diagnosis::lines(found, language))
        .key(format!("🩺 {}", plain!(language, "test-again")), &Tap::TestInstance(i.id))
        .beside(format!("✏️ {}", plain!(language, "edit")), &Tap::EditInstance(i.id))
        .key(format!("↩️ {}", plain!(language, "back")), &Tap::Instance(i.id))
}

/// Asks before an instance is deleted: names it and what waits on it.
pub fn confirm_delete(i: &Instance, waiting: i64, other_active: bool, language: Language) -> Screen {
    let mut screen = Screen::new(t!(language, "delete-ask", name = i.label.as_str()))
        .line(&Html::trusted(plain!(language, "instance-waiting", count = waiting)))
        .key(format!("↩️ {}", plain!(language, "back")), &Tap::Instance(i.id));
    let wipe = |screen: Screen| {
        if i.connection == Connection::Missing {
            return screen;
        }
        screen.key(format!("⚠️ {}", plain!(language, "delete-on-server")), &Tap::DeleteOnServer(i.id))
    };
    if waiting == 0 {
        return wipe(screen.beside(format!("🗑 {}", plain!(language, "delete")), &Tap::DeleteHold(i.id)));
    }
    if other_active {
        screen = screen.key(plain!(language, "delete-move"), &Tap::DeleteMove(i.id));
    } else {
        screen = screen.key(plain!(language, "delete-hold"), &Tap::DeleteHold(i.id));
    }
    wipe(screen.key(plain!(language, "delete-cancel"), &Tap::DeleteCancel(i.id)))
}

/// Asks before an instance is deleted on its server: what is lost there.
pub fn confirm_wipe(i: &Instance, language: Language) -> Screen {
    let server = i.server.as_str();
    Screen::new(t!(language, "wipe-ask", name = i.name.as_str(), server = server))
        .key(format!("↩️ {}", plain!(language, "back")), &Tap::DeleteInstance(i.id))
        .key(format!("⚠️ {}", plain!(language, "delete-on-server")), &Tap::DeleteOnServerYes(i.id))
}

/// It is being deleted on its server.
pub fn wiping(i: &Instance, language: Language) -> Screen {
    Screen::new(t!(language, "wiping", name = i.name.as_str()))
}

/// The server did not delete it.
pub fn not_wiped(i: &Instance, language: Language) -> Screen {
    Screen::new(t!(language, "not-wiped", name = i.name.as_str()))
        .key(format!("🩺 {}", plain!(language, "test")), &Tap::TestInstance(i.id))
        .beside(format!("↩️ {}", plain!(language, "back")), &Tap::Instance(i.id))
}

/// It was activated. What waited may stay with the one that was active before.
pub fn activated(
    i: &Instance,
    before: Option<&Instance>,
    waiting: i64,
    now: Moment,
    zone: chrono_tz::Tz,
    language: Language,
) -> Screen {
    let mut html = t!(language, "activated", name = i.label.as_str());
    if waiting > 0 {
        html.line(&Html::trusted(plain!(language, "activated-waiting", count = waiting)));
    }
    let card = card(i, waiting, now, zone, language);
    html.line(&Html::default());
    html.line(&card.html);
    let mut screen = Screen::new(html);
    if let Some(before) = before.filter(|_| waiting > 0) {
        let name = super::messages::preview(before.label.as_str(), 30);
        screen = screen.key(format!("📌 {}", plain!(language, "keep-on", name = name)), &Tap::KeepOn(before.id, now.0));
    }
    screen.rows.extend(card.rows);
    screen
}

/// What waited stays with this one.
pub fn kept(i: &Instance, count: u64, waiting: i64, now: Moment, zone: chrono_tz::Tz, language: Language) -> Screen {
    let name = Html::escape(i.label.as_str()).to_string();
    let mut html = Html::trusted(plain!(language, "kept-on", count = count, name = name));
    let card = card(i, waiting, now, zone, language);
    html.line(&Html::default());
    html.line(&card.html);
    Screen { html, ..card }
}
