//! The gallery: every screen, in every language, as text. A change of a screen is a change of a file that people
//! read. After a wanted change: `INSTA_UPDATE=always cargo test --test it gallery`, then look at the difference.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use schedulezap::domain::account::{Account, GRACES, LatePolicy, Role, UsernameError};
use schedulezap::domain::clock::Moment;
use schedulezap::domain::ids::{AccountId, ChatId, InstanceId, MessageId, SeriesId, TelegramUserId};
use schedulezap::domain::instance::{
    ApiKeyError, Connection, InstanceName, InstanceNameError, KeyKind, Label, LabelError, ServerUrl, ServerUrlError,
};
use schedulezap::domain::language::Language;
use schedulezap::domain::message::{BodyError, Reason, RefusedField, ScheduledMessage, Search, Status};
use schedulezap::domain::recipient::{Recipient, RecipientError};
use schedulezap::domain::series::{Rhythm, Series, SeriesStatus};
use schedulezap::evolution::doctor::{Check, CheckName, Diagnosis};
use schedulezap::sandbox::telegram::text_of;
use schedulezap::services::Refusal;
use schedulezap::services::accounts::{Admission, ClosedReason, LinkedChat};
use schedulezap::services::instances::Instance;
use schedulezap::services::late::Late;
use schedulezap::services::messages::{Addressee, Attempt, Digest};
use schedulezap::services::passwords::PasswordError;
use schedulezap::services::series::Shown;
use schedulezap::telegram::screen::{Html, KeyAction, Screen};
use schedulezap::telegram::screens::messages::{Card, Confirm, List, Plan};
use schedulezap::telegram::screens::{
    account, diagnosis, help, home, instances, messages, refusal, series, with_cancel, with_home, with_resume,
};
use schedulezap::telegram::state::{InstanceDraft, MessageDraft, Setting, SignUp, State, Step};
use schedulezap::telegram::tap::Field;

use crate::harness::START;

const ZONE: chrono_tz::Tz = chrono_tz::America::Sao_Paulo;
/// What people write to break things.
const NASTY: &str = "<b>Promoção</b> & \"cia\" 😀\n{$name} { -brand } </blockquote>";

/// What Telegram would take of a screen: HTML it can parse, 1 to 4096 units, keys within their limits.
fn check(name: &str, language: Language, screen: &Screen) {
    let place = format!("{name} in {}:\n{screen}", language.tag());
    let text = text_of(screen.html.as_str()).unwrap_or_else(|why| panic!("{why}: {place}"));
    let units = text.encode_utf16().count();
    assert!((1..=4096).contains(&units), "{units} units: {place}");
    assert!(!text.replace("{$name}", "").contains("{$"), "a value is missing: {place}");
    assert!(screen.rows.iter().map(Vec::len).sum::<usize>() <= 100, "too many keys: {place}");
    for key in screen.rows.iter().flatten() {
        assert!(!key.label.trim().is_empty(), "a key without words: {place}");
        assert!(!key.label.contains("{$"), "a value is missing: {place}");
        assert!(key.label.chars().count() <= 64, "a key too long to be read: {place}");
        match &key.does {
            KeyAction::Tap(data) => assert!((1..=64).contains(&data.len()), "{data:?}: {place}"),
            KeyAction::Copy(text) => assert!((1..=256).contains(&text.chars().count()), "{place}"),
            KeyAction::Url(url) => assert!(url.starts_with("https://") || url.starts_with("http://"), "{place}"),
        }
    }
}

/// One file: the variants of a screen, each in all languages.
fn hang(name: &str, draw: impl Fn(Language) -> Vec<(&'static str, Screen)>) {
    let mut file = String::new();
    for language in Language::ALL {
        for (variant, screen) in draw(language) {
            check(name, language, &screen);
            let title = if variant.is_empty() { String::new() } else { format!(" · {variant}") };
            writeln!(file, "──── {}{title}\n{screen}", language.tag()).unwrap();
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, file.trim_end()));
}

/// A screen without variants.
fn hang_one(name: &str, draw: impl Fn(Language) -> Screen) {
    hang(name, |language| vec![("", draw(language))]);
}

/// Short texts that stand within screens.
fn hang_texts(name: &str, draw: impl Fn(Language) -> Vec<(&'static str, Html)>) {
    hang(name, |language| draw(language).into_iter().map(|(title, html)| (title, Screen::new(html))).collect());
}

fn ana(role: Role) -> Account {
    Account {
        id: AccountId(1),
        username: "ana.souza".to_owned(),
        role,
        language: Language::default(),
        zone: ZONE,
        region: "BR".to_owned(),
        late_policy: LatePolicy::Ask,
        late_grace: None,
        force_password_change: false,
        disabled_at: None,
    }
}

fn instance(id: i64, label: &str, connection: Connection, is_active: bool) -> Instance {
    Instance {
        id: InstanceId(id),
        label: Label::parse(label).unwrap(),
        server: ServerUrl::parse("https://evolution.example.com").unwrap(),
        name: InstanceName::parse("loja").unwrap(),
        key_hint: "••••1a2b".to_owned(),
        is_active,
        connection,
        checked_at: Some(Moment(START.0 - 125_000)),
        number: Some("5511912345678".to_owned()),
        profile: Some("Loja & <Cia>".to_owned()),
        server_version: Some("2.3.6".to_owned()),
        last_sent_at: Some(Moment(START.0 - 3_600_000)),
    }
}

fn unseen(id: i64) -> Instance {
    Instance {
        checked_at: None,
        number: None,
        profile: None,
        server_version: None,
        last_sent_at: None,
        ..instance(id, "Nova", Connection::Unknown, false)
    }
}

fn many() -> Vec<Instance> {
    (1..=11).map(|n| instance(n, &format!("Loja {n}"), Connection::Open, n == 3)).collect()
}

fn maria() -> Addressee {
    Addressee { recipient: Recipient::Phone("5511988887777".to_owned()), name: "Maria <3".to_owned() }
}

fn group() -> Addressee {
    Addressee { recipient: Recipient::Group("120363025246125486@g.us".to_owned()), name: String::new() }
}

fn message(id: i64, status: Status, reason: Option<Reason>) -> ScheduledMessage {
    let at = START.plus(std::time::Duration::from_secs(67_200));
    ScheduledMessage {
        id: MessageId(id),
        account: AccountId(1),
        instance: Some(InstanceId(1)),
        sent_through: (status == Status::Sent).then_some(InstanceId(1)),
        search: Search::Not,
        pinned: false,
        recipient: maria().recipient,
        recipient_name: maria().name,
        body: NASTY.to_owned(),
        scheduled_time: at,
        due_at: at,
        time_zone: ZONE.name().to_owned(),
        status,
        reason,
        refused_field: None,
        attempt: 1,
        sent_at: (status == Status::Sent).then_some(START),
        version: 3,
        chat: ChatId(1001),
        series: None,
        moved: false,
    }
}

fn series(rule: &str, status: SeriesStatus) -> Series {
    Series {
        id: SeriesId(7),
        account: AccountId(1),
        instance: Some(InstanceId(1)),
        pinned: false,
        recipient: maria().recipient,
        recipient_name: maria().name,
        body: NASTY.to_owned(),
        rhythm: Rhythm { rule: rule.to_owned(), starts_at: "2026-03-12T09:00:00".parse().unwrap() },
        zone: ZONE,
        status,
        made_to: START,
        next_at: Some(START.plus(std::time::Duration::from_secs(67_200))),
        version: 4,
        chat: ChatId(1001),
    }
}

const STATUSES: [Status; 8] = [
    Status::Scheduled,
    Status::Sending,
    Status::Sent,
    Status::Held,
    Status::Late,
    Status::Unknown,
    Status::Failed,
    Status::Cancelled,
];

const REASONS: [Reason; 14] = [
    Reason::NoActiveInstance,
    Reason::Disconnected,
    Reason::KeyRefused,
    Reason::InstanceMissing,
    Reason::Licence,
    Reason::Unusable,
    Reason::Unreachable,
    Reason::Busy,
    Reason::NotOnWhatsApp,
    Reason::GroupUnknown,
    Reason::Invalid,
    Reason::ChannelRefused,
    Reason::AnswerLost,
    Reason::SeriesChanged,
];

const CHECKS: [CheckName; 9] = [
    CheckName::Url,
    CheckName::Policy,
    CheckName::Dns,
    CheckName::Connect,
    CheckName::Tls,
    CheckName::Evolution,
    CheckName::Key,
    CheckName::Instance,
    CheckName::Connection,
];

fn well() -> Diagnosis {
    Diagnosis {
        checks: CHECKS.into_iter().skip(2).map(|name| Check { name, ok: true }).collect(),
        connection: Connection::Open,
        version: Some("2.3.6".to_owned()),
        key_kind: Some(KeyKind::Global),
        number: Some("5511912345678".to_owned()),
        profile_name: Some("Loja & <Cia>".to_owned()),
        names: vec!["loja".to_owned()],
    }
}

fn fails(at: CheckName) -> Diagnosis {
    let checks = CHECKS.into_iter().take_while(|name| *name != at).map(|name| Check { name, ok: true });
    Diagnosis {
        checks: checks.chain([Check { name: at, ok: false }]).collect(),
        connection: Connection::Unknown,
        version: None,
        key_kind: (at == CheckName::Connection).then_some(KeyKind::Instance),
        number: None,
        profile_name: None,
        names: Vec::new(),
    }
}

fn draft(id: Option<InstanceId>) -> InstanceDraft {
    InstanceDraft {
        id,
        label: Some("Loja & <Cia>".to_owned()),
        url: Some("https://evolution.example.com".to_owned()),
        key: Some("key".to_owned()),
        name: Some("loja".to_owned()),
        ..InstanceDraft::default()
    }
}

#[test]
fn the_door_and_home() {
    hang("home_welcome", |l| {
        [
            ("claim", Admission::Claim),
            ("invited", Admission::Invite),
            ("open", Admission::Open),
            ("closed", Admission::Refused(ClosedReason::Closed)),
            ("needs an invite", Admission::Refused(ClosedReason::NeedsInvite)),
            ("bad code", Admission::Refused(ClosedReason::CodeInvalid)),
        ]
        .into_iter()
        .map(|(name, admission)| (name, home::welcome(&admission, l)))
        .collect()
    });
    hang("home_home", |l| {
        let open = instance(1, "Loja & <Cia>", Connection::Open, true);
        vec![
            ("new", home::home(&ana(Role::User), None, 0, false, l)),
            ("one waits", home::home(&ana(Role::User), Some(&open), 1, false, l)),
            ("draft", home::home(&ana(Role::Admin), Some(&open), 1234, true, l)),
        ]
    });
    hang_one("home_apology", home::apology);
    hang_one("home_store_fails", home::store_fails);
    hang_one("home_store_works", home::store_works);
}

#[test]
fn the_help_of_each_step_and_what_leaving_it_comes_to() {
    hang("help_general", |l| vec![("linked", help::general(true, l)), ("stranger", help::general(false, l))]);
    hang("help_step", |l| {
        let question = |l| with_cancel(Screen::new(Html::default()), l);
        Step::ALL.into_iter().map(|step| (name_of(step), help::step(step, question(l), l))).collect()
    });
    hang_texts("help_left", |l| {
        let password = SignUp::Password { username: "ana".to_owned() };
        let edit = MessageDraft { id: Some(MessageId(7)), ..MessageDraft::default() };
        let states = [
            ("nothing", State::Idle),
            ("a new account", State::SignUp { step: password, code: None }),
            ("a login", State::LogIn { username: None }),
            ("a new instance", State::Instance(draft(None))),
            ("one that was created", State::Instance(InstanceDraft { own_key: true, ..draft(None) })),
            ("an instance's edit", State::Instance(draft(Some(InstanceId(1))))),
            ("a new message", State::Message(MessageDraft::default())),
            ("a message's edit", State::Message(edit)),
            ("a draft that was left", State::Left { draft: Box::new(State::Message(MessageDraft::default())) }),
            ("a setting", State::Settings(Setting::Region)),
        ];
        states.into_iter().map(|(name, state)| (name, help::left(&state, l))).collect()
    });
}

fn name_of(step: Step) -> &'static str {
    match step {
        Step::Username => "username",
        Step::NewPassword => "new password",
        Step::LoginName => "login name",
        Step::LoginPassword => "login password",
        Step::Label => "label",
        Step::Url => "address",
        Step::Key => "key",
        Step::Name => "name",
        Step::NewName => "new name",
        Step::Summary => "summary",
        Step::To => "to",
        Step::Body => "text",
        Step::More => "more text",
        Step::When => "when",
        Step::Hour => "hour",
        Step::Every => "repetition",
        Step::EveryHour => "hour of a repetition",
        Step::Confirm => "confirm",
        Step::Zone => "zone",
        Step::Region => "region",
        Step::OldPassword => "old password",
    }
}

#[test]
fn accounts() {
    let chat = |id, name: &str| LinkedChat {
        user: TelegramUserId(id),
        chat: ChatId(id),
        name: name.to_owned(),
        linked_at: Some(START),
        blocked: false,
    };
    hang("account_ask_username", |l| {
        vec![("offered", account::ask_username(Some("ana_tg"), l)), ("none", account::ask_username(None, l))]
    });
    hang_one("account_ask_password", |l| account::ask_password("ana.souza", l));
    hang_one("account_ask_login_name", account::ask_login_name);
    hang_one("account_ask_login_password", account::ask_login_password);
    hang("account_account", |l| {
        vec![
            ("admin", account::account(&ana(Role::Admin), GRACES[1], 1, START, l)),
            ("user", account::account(&ana(Role::User), GRACES[2], 3, START, l)),
        ]
    });
    hang_one("account_languages", account::languages);
    hang("account_ask_zone", |l| {
        let found = ["Europe/Lisbon".to_owned(), "America/New_York".to_owned()];
        vec![("", account::ask_zone(&[], START, l)), ("found", account::ask_zone(&found, START, l))]
    });
    hang("account_ask_first_zone", |l| {
        let usual = ["America/New_York".to_owned(), "America/Bogota".to_owned()];
        vec![("", account::ask_first_zone(&ana(Role::User), &usual, START, l))]
    });
    hang_one("account_assumed", |l| {
        account::assumed(home::home(&ana(Role::User), None, 0, false, l), &ana(Role::User), START, l)
    });
    hang_texts("account_starts_with", |l| vec![("", account::starts_with(&ana(Role::User), START, l))]);
    hang_one("account_ask_region", account::ask_region);
    hang("account_late_policies", |l| {
        let short = Account { late_policy: LatePolicy::Always, late_grace: Some(GRACES[0]), ..ana(Role::User) };
        vec![
            ("as the program is set", account::late_policies(&ana(Role::User), GRACES[1], l)),
            ("chosen", account::late_policies(&short, std::time::Duration::from_secs(3600), l)),
        ]
    });
    hang_one("account_ask_old_password", account::ask_old_password);
    hang_one("account_ask_new_password", account::ask_new_password);
    hang("account_must_change", |l| {
        vec![("first the old one", account::must_change(true, l)), ("the new one", account::must_change(false, l))]
    });
    hang_one("account_chats", |l| account::chats(&[chat(1001, "Ana & <Cia>"), chat(1002, "")], l));
    hang_one("account_confirm_unlink", |l| account::confirm_unlink(&chat(1001, "Ana & <Cia>"), l));
    hang_one("account_invite", |l| account::invite("https://t.me/schedulezap_bot?start=inv_AbC-123", l));
}

#[test]
fn instances_and_their_tests() {
    hang("instances_list", |l| {
        vec![
            ("none", instances::list(&[], 0, l)),
            ("one", instances::list(&many()[2..3], 0, l)),
            ("first page", instances::list(&many(), 0, l)),
            ("last page", instances::list(&many(), 1, l)),
            ("page that is gone", instances::list(&many(), 99, l)),
        ]
    });
    hang("instances_card", |l| {
        let mut all = vec![
            ("active", instances::card(&instance(1, "Loja <3", Connection::Open, true), 2, START, ZONE, l)),
            ("never seen", instances::card(&unseen(2), 0, START, ZONE, l)),
        ];
        for state in [Connection::Connecting, Connection::Close, Connection::Unreachable] {
            all.push((state.as_str(), instances::card(&instance(3, "Suporte", state, false), 1, START, ZONE, l)));
        }
        for state in [Connection::Refused, Connection::Missing] {
            all.push((state.as_str(), instances::card(&instance(3, "Suporte", state, false), 1, START, ZONE, l)));
        }
        all
    });
    let loja = instance(1, "Loja & <Cia>", Connection::Open, true);
    hang_one("instances_choose_field", |l| instances::choose_field(&loja, l));
    hang_one("instances_choose_draft_field", instances::choose_draft_field);
    hang("instances_ask", |l| {
        let long = ["loja".to_owned(), "a <long> name & more of it ".repeat(4)];
        vec![
            ("label", instances::ask(Field::Label, &[], l)),
            ("url", instances::ask(Field::Url, &["https://evolution.example.com".to_owned()], l)),
            ("key", instances::ask(Field::Key, &[], l)),
            ("name", instances::ask(Field::Name, &long, l)),
        ]
    });
    hang("instances_names", |l| {
        let found = ["loja".to_owned(), "suporte".to_owned()];
        vec![
            ("found", instances::names(&found, false, true, l)),
            ("found, may create", instances::names(&found, true, true, l)),
            ("none, may create", instances::names(&[], true, true, l)),
            ("none", instances::names(&[], false, true, l)),
        ]
    });
    hang("instances_ask_new_name", |l| {
        vec![
            ("", instances::ask_new_name(&[], l)),
            ("suggested", instances::ask_new_name(&["loja-matriz".to_owned()], l)),
        ]
    });
    hang_one("instances_creating", |l| instances::creating("loja-matriz", l));
    hang_one("instances_confirm_wipe", |l| instances::confirm_wipe(&loja, l));
    hang_one("instances_wiping", |l| instances::wiping(&loja, l));
    hang_one("instances_not_wiped", |l| instances::not_wiped(&loja, l));
    hang("instances_kept", |l| {
        let old = instance(2, "Antiga & <Cia>", Connection::Open, false);
        [("none", 0), ("one", 1), ("many", 8)]
            .map(|(title, n)| (title, instances::kept(&old, n, 8, START, ZONE, l)))
            .to_vec()
    });
    hang_one("instances_testing", |l| instances::testing("Loja & <Cia>", l));
    hang("instances_summary", |l| {
        let edited = draft(Some(InstanceId(1)));
        let mut all = vec![
            ("well", instances::summary(&draft(None), "••••1a2b", &well(), l)),
            ("well, edited", instances::summary(&edited, "••••1a2b", &well(), l)),
            (
                "created here",
                instances::summary(&InstanceDraft { own_key: true, ..draft(None) }, "••••1a2b", &well(), l),
            ),
        ];
        for at in CHECKS {
            all.push(("fails", instances::summary(&draft(None), "••••1a2b", &fails(at), l)));
        }
        all
    });
    hang("instances_tested", |l| {
        vec![
            ("well", instances::tested(&loja, &well(), l)),
            ("fails", instances::tested(&loja, &fails(CheckName::Connection), l)),
        ]
    });
    hang("instances_confirm_delete", |l| {
        vec![
            ("nothing waits", instances::confirm_delete(&loja, 0, false, l)),
            ("no other", instances::confirm_delete(&loja, 1, false, l)),
            ("another is active", instances::confirm_delete(&loja, 7, true, l)),
        ]
    });
    hang("instances_activated", |l| {
        let old = instance(2, "Antiga & <Cia>", Connection::Close, false);
        let activated = |before, waiting| instances::activated(&loja, before, waiting, START, ZONE, l);
        vec![
            ("first", activated(None, 1)),
            ("nothing waits", activated(Some(&old), 0)),
            ("many wait", activated(Some(&old), 8)),
        ]
    });
    hang_texts("diagnosis_lines", |l| CHECKS.map(|at| ("", diagnosis::lines(&fails(at), l))).to_vec());
}

#[test]
fn scheduling() {
    let open = instance(1, "Loja <3", Connection::Open, true);
    let day = std::time::Duration::from_secs(86_400);
    let moments = [START.plus(day / 24), START.plus(day), START.plus(day * 400)];
    hang("messages_ask_to", |l| {
        let all = [maria(), group()];
        vec![
            ("", messages::ask_to(&[], false, l)),
            ("recent", messages::ask_to(&all, false, l)),
            ("one", messages::ask_to(&[], true, l)),
        ]
    });
    hang_one("messages_ask_text", messages::ask_text);
    hang_one("messages_ask_more", |l| messages::ask_more(4096, l));
    hang_one("messages_ask_when", |l| messages::ask_when(&moments, ZONE, l));
    hang_one("messages_ask_which", |l| messages::ask_which(Html::escape("10 < 22?"), &moments, ZONE, l));
    hang("messages_confirm", |l| {
        let card = |to, body, at, through| {
            messages::confirm(&Confirm { to, body, plan: Plan::Once(at), now: START, zone: ZONE, through }, l)
        };
        let long = "😀<".repeat(40_000);
        vec![
            ("", card(&[maria()][..], NASTY, moments[1], Some(&open))),
            ("nothing active", card(&[group(), maria()][..], "Bom dia!", START, None)),
            ("as long as can be", card(&[maria()][..], &long, moments[2], Some(&open))),
        ]
    });
    hang("messages_without_whatsapp", |l| {
        let two = ["+55 11 98888-7777".to_owned(), "Maria <3 (+55 11 97777-6666)".to_owned()];
        vec![("one", messages::without_whatsapp(&two[..1], l)), ("several", messages::without_whatsapp(&two, l))]
    });
    hang("messages_recipients_stay", |l| {
        let (one, two) = (message(7, Status::Scheduled, None), message(8, Status::Held, None));
        vec![("one", messages::recipients_stay(&[&one], l)), ("several", messages::recipients_stay(&[&one, &two], l))]
    });
    hang("messages_card", |l| {
        let card = |message: &ScheduledMessage, through, fresh| {
            messages::card(&Card { message, through, now: START, zone: ZONE, fresh }, l)
        };
        let mut all: Vec<_> = STATUSES
            .map(|status| {
                let reason = match status {
                    Status::Held => Some(Reason::Disconnected),
                    Status::Failed => Some(Reason::NotOnWhatsApp),
                    Status::Unknown => Some(Reason::AnswerLost),
                    _ => None,
                };
                (status.as_str(), card(&message(12, status, reason), Some(&open), false))
            })
            .into();
        let pinned = ScheduledMessage { pinned: true, ..message(12, Status::Scheduled, None) };
        all.push(("fresh", card(&message(12, Status::Scheduled, None), Some(&open), true)));
        let looked_for =
            ScheduledMessage { search: Search::Open, ..message(12, Status::Unknown, Some(Reason::AnswerLost)) };
        all.push(("looked for", card(&looked_for, Some(&open), false)));
        let dropped = ScheduledMessage { search: Search::Dropped, ..looked_for.clone() };
        all.push(("looked for and cancelled", card(&dropped, Some(&open), false)));
        let (gone, never) = (
            message(12, Status::Sent, None),
            ScheduledMessage { sent_through: None, instance: None, ..message(12, Status::Sent, None) },
        );
        all.push(("sent through a deleted one", card(&gone, None, false)));
        all.push(("sent, nobody knows through what", card(&never, None, false)));
        all.push(("pinned", card(&pinned, Some(&open), false)));
        all.push(("pinned to a deleted one", card(&pinned, None, false)));
        all.push(("nothing active", card(&message(12, Status::Scheduled, None), None, false)));
        let occurrence =
            ScheduledMessage { series: Some(SeriesId(7)), moved: true, ..message(12, Status::Scheduled, None) };
        all.push(("of a series", card(&occurrence, Some(&open), false)));
        let malformed = ScheduledMessage {
            refused_field: RefusedField::parse("text"),
            ..message(12, Status::Failed, Some(Reason::Invalid))
        };
        all.push(("a field was refused", card(&malformed, Some(&open), false)));
        let withdrawn = ScheduledMessage {
            series: Some(SeriesId(7)),
            ..message(12, Status::Cancelled, Some(Reason::SeriesChanged))
        };
        all.push(("of a stopped series", card(&withdrawn, Some(&open), false)));
        let doubted = message(12, Status::Late, Some(Reason::AnswerLost));
        all.push(("late, and may have been sent", card(&doubted, Some(&open), false)));
        all
    });
    hang_texts("messages_status_line", |l| {
        STATUSES.map(|s| (s.as_str(), Html::escape(&messages::status_line(s, l)))).to_vec()
    });
    hang_texts("messages_reason_line", |l| REASONS.map(|r| (r.as_str(), messages::reason_line(r, l))).to_vec());
    hang_one("messages_scheduled_many", |l| {
        let three: Vec<_> = (1..=3).map(|n| message(n, Status::Scheduled, None)).collect();
        messages::scheduled_many(&three, moments[1], ZONE, l)
    });
    hang("messages_list", |l| {
        let rows: Vec<_> = (1..).zip(STATUSES).map(|(n, status)| message(n, status, None)).collect();
        let list = |rows, past, page, waiting, gone| {
            messages::list(&List { rows, past, page, waiting, gone, series: waiting / 7, zone: ZONE }, l)
        };
        vec![
            ("none", list(&[], false, 0, 0, 0)),
            ("waiting", list(&rows[3..6], false, 1, 14, 3)),
            ("past", list(&rows[6..], true, 0, 1, 2)),
        ]
    });
    hang("messages_pin", |l| {
        let pinned = ScheduledMessage { pinned: true, ..message(12, Status::Scheduled, None) };
        vec![
            ("", messages::pin(&message(12, Status::Scheduled, None), &many()[..3], l)),
            ("pinned", messages::pin(&pinned, &many()[..2], l)),
        ]
    });
    hang("messages_history", |l| {
        let attempt = |outcome: Option<&str>, reason| Attempt {
            attempt: 1,
            started_at: START,
            finished_at: None,
            outcome: outcome.map(str::to_owned),
            reason,
            refused_field: None,
            instance_id: Some(InstanceId(1)),
            label: Some("Loja & <Cia>".to_owned()),
            former: None,
        };
        let unanswered = Some(Reason::AnswerLost);
        let attempts = [
            attempt(None, None),
            attempt(Some("sent"), None),
            attempt(Some("found"), None),
            attempt(Some("arrived"), None),
            attempt(Some("failed"), Some(Reason::NotOnWhatsApp)),
            Attempt { refused_field: RefusedField::parse("text"), ..attempt(Some("failed"), Some(Reason::Invalid)) },
            attempt(Some("unknown"), unanswered),
            attempt(Some("absent"), unanswered),
            attempt(Some("again"), Some(Reason::Unreachable)),
            Attempt { label: None, ..attempt(Some("again"), None) },
            Attempt { former: Some("Loja <3".to_owned()), ..attempt(Some("released"), None) },
            Attempt { instance_id: None, label: None, ..attempt(Some("found"), None) },
        ];
        let why = REASONS.map(|reason| attempt(Some("held"), Some(reason)));
        let worst = attempt(Some("again"), Some(Reason::InstanceMissing));
        let id = MessageId(12);
        let history = |attempts: &[Attempt], earlier| messages::history(id, attempts, earlier, ZONE, l);
        vec![
            ("", history(&attempts, 0)),
            ("why", history(&why, 1)),
            ("many", history(&vec![Attempt { former: Some("😀".repeat(64)), ..worst.clone() }; 20], 1234)),
            ("none", history(&[], 0)),
        ]
    });
    hang("messages_digest", |l| {
        let newest: Vec<_> = (1..=3).map(|n| message(n, Status::Sent, None)).collect();
        let digest = |sent, failed, left| Digest { sent, failed, left, newest: Vec::new() };
        vec![
            ("running", messages::digest(&digest(37, 0, 43), &newest, ZONE, l)),
            ("done", messages::digest(&digest(3, 1, 0), &newest, ZONE, l)),
        ]
    });
    hang("messages_late", |l| {
        let rows: Vec<_> = (1..=12).map(|n| message(n, Status::Late, None)).collect();
        let late = |count: usize| Late { count, doubted: 0, which: 7, first: rows[..count.min(12)].to_vec() };
        let doubted = |count: usize| {
            let doubt = |n| message(n, Status::Late, Some(Reason::AnswerLost));
            let first = (1..).take(count).map(doubt).chain(rows[count..3].iter().cloned()).collect();
            Late { count: 3, doubted: count, which: 7, first }
        };
        vec![
            ("one", messages::late(&late(1), ZONE, l)),
            ("one of three may have been sent", messages::late(&doubted(1), ZONE, l)),
            ("all three may have been sent", messages::late(&doubted(3), ZONE, l)),
            ("eleven", messages::late(&late(11), ZONE, l)),
            ("many", messages::late(&late(2000), ZONE, l)),
        ]
    });
    hang("messages_choose_late", |l| {
        let rows: Vec<_> = (1..=20).map(|n| message(n, Status::Late, None)).collect();
        let late = |count: usize| Late { count, doubted: 0, which: 7, first: rows[..count.min(20)].to_vec() };
        let first = vec![rows[0].clone(), message(2, Status::Late, Some(Reason::AnswerLost))];
        vec![
            ("two", messages::choose_late(&late(2), ZONE, l)),
            ("one may have been sent", messages::choose_late(&Late { doubted: 1, first, ..late(2) }, ZONE, l)),
            ("many", messages::choose_late(&late(2000), ZONE, l)),
        ]
    });
    hang("messages_rules_changed", |l| {
        let hour = std::time::Duration::from_secs(3600);
        let moved = |n| (message(n, Status::Scheduled, None), START.plus(hour), START.plus(hour * 2));
        let rows: Vec<_> = (1..=10).map(moved).collect();
        vec![
            ("one", messages::rules_changed(1, &rows[..1], ZONE, l)),
            ("many", messages::rules_changed(1234, &rows, ZONE, l)),
        ]
    });
}

#[test]
fn repetitions() {
    let open = instance(1, "Loja <3", Connection::Open, true);
    let day = std::time::Duration::from_secs(86_400);
    let upcoming = [(START.plus(day), false), (START.plus(day * 2), true), (START.plus(day * 3), false)];
    let weekdays = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9;BYMINUTE=0";
    let monthly = "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9,18;BYMINUTE=30;COUNT=10";
    let shown = |rule: &str, status| Shown { series: series(rule, status), next: None };
    hang_one("series_ask_every", |l| {
        let offered = [series(weekdays, SeriesStatus::Active).rhythm, series(monthly, SeriesStatus::Active).rhythm];
        series::ask_every(&offered, ZONE, l)
    });
    hang_one("series_ask_every_hour", |l| {
        let rhythm = series("FREQ=DAILY;INTERVAL=2", SeriesStatus::Active).rhythm;
        let offered = [series(weekdays, SeriesStatus::Active).rhythm];
        series::ask_every_hour(&rhythm, &offered, ZONE, l)
    });
    hang("messages_confirm_series", |l| {
        let rhythm = series(weekdays, SeriesStatus::Active).rhythm;
        let card = |to, body, upcoming, through| {
            let plan = Plan::Every { rhythm: &rhythm, upcoming };
            messages::confirm(&Confirm { to, body, plan, now: START, zone: ZONE, through }, l)
        };
        let long = "😀<".repeat(40_000);
        vec![
            ("", card(&[maria()][..], NASTY, &upcoming[..1], Some(&open))),
            ("moved", card(&[group(), maria()][..], "Bom dia!", &upcoming[..], None)),
            ("as long as can be", card(&[maria()][..], &long, &upcoming[..], Some(&open))),
        ]
    });
    hang("series_card", |l| {
        let card = |shown: &Shown, upcoming, fresh| {
            series::card(&series::Card { shown, upcoming, now: START, through: Some(&open), fresh }, l)
        };
        let next = Some(message(12, Status::Scheduled, None));
        let over = Series { next_at: None, ..series(monthly, SeriesStatus::Active) };
        let pinned = Series { pinned: true, ..series(weekdays, SeriesStatus::Active) };
        vec![
            ("fresh", card(&Shown { next, series: series(weekdays, SeriesStatus::Active) }, &upcoming[..1], true)),
            ("active", card(&shown(monthly, SeriesStatus::Active), &upcoming[..], false)),
            ("pinned", card(&Shown { series: pinned, next: None }, &upcoming[..1], false)),
            ("paused", card(&shown(monthly, SeriesStatus::Paused), &upcoming[..], false)),
            ("stopped", card(&shown(monthly, SeriesStatus::Stopped), &upcoming[..], false)),
            ("over", card(&Shown { series: over, next: None }, &[], false)),
        ]
    });
    hang_texts("series_status_line", |l| {
        [SeriesStatus::Active, SeriesStatus::Paused, SeriesStatus::Stopped]
            .map(|status| ("", Html::escape(&series::status_line(&shown(weekdays, status), l))))
            .to_vec()
    });
    hang_one("series_started_many", |l| {
        series::started_many(&[shown(weekdays, SeriesStatus::Active), shown(monthly, SeriesStatus::Active)], l)
    });
    hang("series_list", |l| {
        let rows = [shown(weekdays, SeriesStatus::Active), shown(monthly, SeriesStatus::Paused)];
        vec![("none", series::list(&[], 0, 0, l)), ("two", series::list(&rows, 1, 8, l))]
    });
    hang("series_pin", |l| {
        let pinned = Series { pinned: true, ..series(weekdays, SeriesStatus::Active) };
        vec![
            ("", series::pin(&shown(weekdays, SeriesStatus::Active), &many()[..3], l)),
            ("pinned", series::pin(&Shown { series: pinned, next: None }, &many()[..2], l)),
        ]
    });
}

#[test]
fn refusals() {
    hang_texts("refusal_refusal", |l| {
        let until = START.plus(std::time::Duration::from_secs(95));
        [
            ("taken", Refusal::UsernameTaken),
            ("wrong password", Refusal::WrongPassword),
            ("throttled", Refusal::Throttled { until }),
            ("busy", Refusal::Busy),
            ("code", Refusal::CodeInvalid),
            ("closed", Refusal::SignupClosed),
            ("invite", Refusal::SignupNeedsInvite),
            ("weak", Refusal::Password(PasswordError::Weak)),
            ("not found", Refusal::NotFound),
            ("disabled", Refusal::Disabled),
            ("chats", Refusal::TooManyChats),
            ("exists", Refusal::AlreadyExists { name: "Loja & <Cia>".to_owned() }),
            ("too many", Refusal::TooMany { limit: 20_000 }),
            ("not allowed", Refusal::NotAllowed),
            ("too far", Refusal::TooFar),
            ("changed", Refusal::Changed),
            ("being sent", Refusal::BeingSent),
            ("already sent", Refusal::AlreadySent),
            ("not admin", Refusal::NotAdmin),
        ]
        .into_iter()
        .map(|(name, why)| (name, refusal::refusal(&why, START, l)))
        .collect()
    });
    hang_texts("refusal_typed", |l| {
        let long = "a<b>".repeat(50);
        vec![
            ("password short", refusal::password(PasswordError::TooShort, l)),
            ("password long", refusal::password(PasswordError::TooLong, l)),
            ("password blank", refusal::password(PasswordError::Blank, l)),
            ("password is the name", refusal::password(PasswordError::SameAsName, l)),
            ("password unchanged", refusal::password(PasswordError::Unchanged, l)),
            ("username length", refusal::username(UsernameError::Length, l)),
            ("username characters", refusal::username(UsernameError::Characters, l)),
            ("url", refusal::url(&ServerUrlError::NotAUrl, l)),
            ("url scheme", refusal::url(&ServerUrlError::Scheme, l)),
            ("url credentials", refusal::url(&ServerUrlError::Credentials, l)),
            ("url query", refusal::url(&ServerUrlError::QueryOrFragment, l)),
            ("url port", refusal::url(&ServerUrlError::Port, l)),
            ("key", refusal::key(&ApiKeyError, l)),
            ("name", refusal::name(&InstanceNameError, l)),
            ("label", refusal::label(&LabelError, l)),
            ("text empty", refusal::body(BodyError::Empty, l)),
            ("text long", refusal::body(BodyError::TooLong(65_537), l)),
            ("to", refusal::recipient(&long, &RecipientError::NotANumber, l)),
            ("to length", refusal::recipient("123", &RecipientError::Length(3), l)),
            ("to address", refusal::recipient("a@lid", &RecipientError::Address, l)),
            ("to in line", refusal::in_line(2, &refusal::recipient("123", &RecipientError::Length(3), l), l)),
        ]
    });
    hang_texts("refusal_toast", |l| {
        [("changed", Refusal::Changed), ("being sent", Refusal::BeingSent), ("already sent", Refusal::AlreadySent)]
            .into_iter()
            .chain([("else", Refusal::NotFound)])
            .map(|(name, why)| (name, Html::escape(&refusal::toast(&why, l))))
            .collect()
    });
}

#[test]
fn ways_out() {
    let screen = || Screen::new(Html::escape("…"));
    hang_one("mod_with_cancel", |l| with_cancel(screen(), l));
    hang_one("mod_with_home", |l| with_home(screen(), l));
    hang_one("mod_with_resume", |l| with_resume(screen(), l));
}

/// Every public function of `src/telegram/screens` that draws hangs here.
#[test]
fn nothing_is_missing() {
    let here = include_str!("gallery.rs");
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/telegram/screens");
    let mut missing = Vec::new();
    for file in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let module = file.file_stem().unwrap().to_string_lossy().into_owned();
        for line in fs::read_to_string(&file).unwrap().lines() {
            let Some(rest) = line.strip_prefix("pub fn ") else { continue };
            let name = rest.split(['(', '<']).next().unwrap();
            let called = if module == "mod" { format!("{name}(") } else { format!("{module}::{name}") };
            if (line.contains("-> Screen") || line.contains("-> Html")) && !here.contains(&called) {
                missing.push(called);
            }
        }
    }
    assert!(missing.is_empty(), "draw these in tests/it/gallery.rs: {missing:?}");
}
