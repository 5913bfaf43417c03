//! Account, sign-up and settings.

use std::time::Duration;

use crate::domain::account::{Account, GRACES, LatePolicy, Role, grace};
use crate::domain::clock::Moment;
use crate::domain::language::Language;
use crate::domain::recipient;
use crate::locale::{format, plain, t};
use crate::services::accounts::LinkedChat;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::tap::Tap;

use super::with_cancel;

/// Asks for a username; Telegram's may be offered.
pub fn ask_username(offered: Option<&str>, language: Language) -> Screen {
    let mut screen = Screen::new(t!(language, "ask-username"));
    if let Some(name) = offered {
        screen = screen.key(name, &Tap::UseName);
    }
    with_cancel(screen, language)
}

/// Asks for a new password.
pub fn ask_password(username: &str, language: Language) -> Screen {
    with_cancel(Screen::new(t!(language, "ask-password", name = username)), language)
}

/// Asks who logs in.
pub fn ask_login_name(language: Language) -> Screen {
    with_cancel(Screen::new(t!(language, "ask-login-name")), language)
}

/// Asks for the password of a login.
pub fn ask_login_password(language: Language) -> Screen {
    with_cancel(Screen::new(t!(language, "ask-login-password")), language)
}

/// The account's card; `grace` is how late its messages may go by themselves.
pub fn account(account: &Account, grace: Duration, chats: usize, now: Moment, language: Language) -> Screen {
    let role = match account.role {
        Role::Admin => plain!(language, "role-admin"),
        Role::User => plain!(language, "role-user"),
    };
    let mut screen = Screen::new(t!(language, "account-title", name = account.username, role = role))
        .line(&t!(language, "account-language", language = language.name()))
        .line(&t!(
            language,
            "account-zone",
            zone = format::zone(now, account.zone, language),
            now = format::moment(now, account.zone, language)
        ))
        .line(&t!(language, "account-region", region = recipient::region(&account.region)))
        .line(&t!(
            language,
            "late-policy-line",
            grace = format::span(grace, language),
            choice = late_policy(account.late_policy, language)
        ))
        .line(&t!(language, "account-chats", count = chats))
        .key(format!("🌐 {}", plain!(language, "language")), &Tap::Languages)
        .beside(format!("🕐 {}", plain!(language, "time-zone")), &Tap::Zone)
        .key(format!("📞 {}", plain!(language, "region")), &Tap::Region)
        .beside(format!("🔑 {}", plain!(language, "password")), &Tap::Password)
        .key(format!("⏰ {}", plain!(language, "late-policy")), &Tap::LatePolicies)
        .beside(format!("💬 {}", plain!(language, "linked-chats")), &Tap::Chats);
    if account.is_admin() {
        screen = screen.key(format!("💌 {}", plain!(language, "invite")), &Tap::Invite);
    }
    super::with_home(screen, language)
}

fn late_policy(policy: LatePolicy, language: Language) -> String {
    match policy {
        LatePolicy::Ask => plain!(language, "late-policy-ask"),
        LatePolicy::Always => plain!(language, "late-policy-always"),
        LatePolicy::Never => plain!(language, "late-policy-never"),
    }
}

/// The choice of what becomes of late messages, and from when on they are late. `otherwise` is how late a message may go where
/// nothing was chosen.
pub fn late_policies(account: &Account, otherwise: Duration, language: Language) -> Screen {
    let (grace, usual) = (grace(account.late_grace, otherwise), grace(None, otherwise));
    let mut screen = Screen::new(t!(language, "late-policy-title", grace = format::span(grace, language)));
    for policy in [LatePolicy::Ask, LatePolicy::Always, LatePolicy::Never] {
        let mark = if policy == account.late_policy { "✅ " } else { "" };
        screen = screen.key(format!("{mark}{}", late_policy(policy, language)), &Tap::LatePolicy(policy));
    }
    let mut offered: Vec<Duration> = GRACES.into_iter().filter(|one| *one != usual).collect();
    offered.insert(offered.partition_point(|one| *one < usual), usual);
    for (n, one) in offered.into_iter().enumerate() {
        let mark = if one == grace { "✅ " } else { "" };
        let span = format::span(one, language);
        // What follows the program's setting goes with it when that changes.
        let (label, tap) = if one == usual {
            (plain!(language, "late-grace-usual", grace = span), Tap::LateGrace(0))
        } else {
            (plain!(language, "late-grace", grace = span), Tap::LateGrace(minutes_of(one)))
        };
        let label = format!("{mark}{label}");
        screen = if n % 2 == 0 { screen.key(label, &tap) } else { screen.beside(label, &tap) };
    }
    screen.key(format!("↩️ {}", plain!(language, "back")), &Tap::Account)
}

/// A length in whole minutes, as the keys say it.
pub fn minutes_of(length: Duration) -> i64 {
    i64::try_from(length.as_secs() / 60).unwrap_or(i64::MAX)
}

/// The choice of a language.
pub fn languages(language: Language) -> Screen {
    let mut screen = Screen::new(t!(language, "choose-language"));
    for other in Language::ALL {
        screen = screen.key(other.name(), &Tap::Language(other));
    }
    screen.key(format!("↩️ {}", plain!(language, "back")), &Tap::Account)
}

/// Asks for a city or zone; `offered` are the zones found.
pub fn ask_zone(offered: &[String], now: Moment, language: Language) -> Screen {
    with_cancel(with_zones(Screen::new(t!(language, "ask-zone")), offered, false, now, language), language)
}

/// Asks a new account where its person is; what it starts with can stay.
pub fn ask_first_zone(account: &Account, offered: &[String], now: Moment, language: Language) -> Screen {
    let keep = plain!(language, "keep-zone", zone = format::zone(now, account.zone, language));
    with_zones(Screen::new(t!(language, "ask-first-zone")), offered, true, now, language)
        .key(format!("⏭ {keep}"), &Tap::KeepZone)
}

/// The zone and region of a new account.
pub fn starts_with(account: &Account, now: Moment, language: Language) -> Html {
    let clock = now.in_zone(account.zone).format("%H:%M");
    let zone = format::zone(now, account.zone, language);
    t!(language, "starts-with", zone = zone, now = clock, region = recipient::region(&account.region))
}

/// Home of a new account, with the zone and region that are taken for granted and a key that changes them.
pub fn assumed(home: Screen, account: &Account, now: Moment, language: Language) -> Screen {
    let key = Screen::default().key(format!("🕐 {}", plain!(language, "other-zone")), &Tap::FirstZone);
    let mut screen = home.below(starts_with(account, now, language));
    screen.rows.extend(key.rows);
    screen
}

fn with_zones(mut screen: Screen, offered: &[String], first: bool, now: Moment, language: Language) -> Screen {
    for zone in offered.iter().filter_map(|name| name.parse::<chrono_tz::Tz>().ok()) {
        let label = format!("{} — {}", format::zone(now, zone, language), now.in_zone(zone).format("%H:%M"));
        screen = screen.key(label, &Tap::TakeZone(zone, first));
    }
    screen
}

/// Asks for a region.
pub fn ask_region(language: Language) -> Screen {
    with_cancel(Screen::new(t!(language, "ask-region")), language)
}

/// Asks for the current password.
pub fn ask_old_password(language: Language) -> Screen {
    with_cancel(Screen::new(t!(language, "ask-old-password")), language)
}

/// Asks for the new password.
pub fn ask_new_password(language: Language) -> Screen {
    with_cancel(Screen::new(t!(language, "ask-new-password")), language)
}

/// Nothing works before a new password is chosen.
pub fn must_change(asks_old: bool, language: Language) -> Screen {
    let question = if asks_old { t!(language, "ask-old-password") } else { t!(language, "ask-new-password") };
    Screen::new(t!(language, "must-change-password")).line(&Html::default()).line(&question)
}

/// The linked chats, each with a key that unlinks it.
pub fn chats(chats: &[LinkedChat], language: Language) -> Screen {
    let mut screen = Screen::new(t!(language, "chats-title"));
    for chat in chats {
        let name = if chat.name.is_empty() { chat.user.to_string() } else { chat.name.clone() };
        screen = screen.key(format!("🔌 {}", plain!(language, "unlink", name = name)), &Tap::Unlink(chat.user));
    }
    screen.key(format!("↩️ {}", plain!(language, "back")), &Tap::Account)
}

/// Asks before a chat is unlinked.
pub fn confirm_unlink(chat: &LinkedChat, language: Language) -> Screen {
    Screen::new(t!(language, "unlink-ask", name = chat.name))
        .key(format!("↩️ {}", plain!(language, "back")), &Tap::Chats)
        .beside(format!("🔌 {}", plain!(language, "confirm")), &Tap::UnlinkYes(chat.user))
}

/// An invite link, to be passed on.
pub fn invite(link: &str, language: Language) -> Screen {
    let screen =
        Screen::new(t!(language, "invite-link", link = link)).copy(format!("📋 {}", plain!(language, "copy")), link);
    super::with_home(screen, language)
}
