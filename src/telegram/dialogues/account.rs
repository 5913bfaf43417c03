//! The account's card and its settings.

use std::time::Duration;

use super::{Talk, message_draft, steps};
use crate::domain::account::{self, Account, GRACES};
use crate::domain::language::Language;
use crate::domain::places;
use crate::locale::{plain, t};
use crate::services::Refusal;
use crate::telegram::command::Command;
use crate::telegram::event::Input;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::screens;
use crate::telegram::screens::account::minutes_of;
use crate::telegram::session::Turn;
use crate::telegram::state::{Setting, State};
use crate::telegram::tap::Tap;

/// Zones offered before anything was typed.
const USUAL_ZONES: [&str; 8] = [
    "America/Sao_Paulo",
    "America/Manaus",
    "Europe/Lisbon",
    "Europe/Madrid",
    "America/New_York",
    "America/Mexico_City",
    "America/Argentina/Buenos_Aires",
    "Europe/London",
];

/// Zones offered to a new account, by its language.
fn first_zones(language: Language) -> [&'static str; 6] {
    match language {
        Language::Portuguese => [
            "America/Sao_Paulo",
            "America/Manaus",
            "America/Rio_Branco",
            "Europe/Lisbon",
            "Africa/Luanda",
            "Africa/Maputo",
        ],
        Language::English => [
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Los_Angeles",
            "Europe/London",
            "Australia/Sydney",
        ],
        Language::Spanish => [
            "America/Mexico_City",
            "America/Bogota",
            "America/Lima",
            "America/Santiago",
            "America/Argentina/Buenos_Aires",
            "Europe/Madrid",
        ],
    }
}

/// A new account: says which zone and region it starts with. Whoever speaks another language than most here is asked.
pub(super) async fn welcome(talk: &Talk<'_>, account: &Account) -> Result<Turn, Refusal> {
    let created = t!(talk.language, "account-created", name = account.username);
    if talk.language != talk.services.accounts.settings.language {
        return Ok(first_zone(talk, account, Some(created)));
    }
    let home = talk.home_screen(account, false).await?;
    let screen = screens::account::assumed(home, account, talk.now, talk.language).below(created);
    Ok(talk.go(State::Idle, screen))
}

/// Asks a new account for its zone.
fn first_zone(talk: &Talk<'_>, account: &Account, said: Option<Html>) -> Turn {
    let zones = first_zones(talk.language).into_iter().filter(|zone| *zone != account.zone.name());
    let offered: Vec<String> = zones.map(str::to_owned).collect();
    let screen = screens::account::ask_first_zone(account, &offered, talk.now, talk.language);
    let screen = said.into_iter().fold(screen, Screen::below);
    let next = match talk.state() {
        // It goes on; the keys answer without it.
        draft if draft.is_draft() => draft,
        _ => State::Settings(Setting::Zone { offered, first: true }),
    };
    talk.go(next, screen)
}

/// The state after a setting was changed: what goes on beside it, goes on.
fn settled(talk: &Talk<'_>) -> State {
    match talk.state() {
        draft @ (State::Instance(_) | State::Message(_) | State::Left { .. }) => draft,
        State::Idle | State::SignUp { .. } | State::LogIn { .. } | State::Settings(_) => State::Idle,
    }
}

/// The first zone is known now, and the region with it.
async fn first_done(talk: &Talk<'_>, account: &Account) -> Result<Turn, Refusal> {
    let account = talk.services.accounts.find_account(account.id).await?.ok_or(Refusal::NotFound)?;
    let next = settled(talk);
    let home = talk.home_screen(&account, matches!(next, State::Left { .. })).await?;
    let said = screens::account::starts_with(&account, talk.now, talk.language);
    Ok(talk.go(next, home.below(said)))
}

/// A zone is taken; the first one brings its country's region.
async fn take_zone(talk: &Talk<'_>, account: &Account, zone: chrono_tz::Tz, first: bool) -> Result<Turn, Refusal> {
    talk.services.accounts.set_zone(account.id, zone).await?;
    if !first {
        return changed(talk, account, t!(talk.language, "zone-changed")).await;
    }
    if let Some(region) = places::region_of(zone) {
        talk.services.accounts.set_region(account.id, region).await?;
    }
    first_done(talk, account).await
}

/// How late a message of the account may still go by itself.
fn grace(talk: &Talk<'_>, account: &Account) -> Duration {
    account::grace(account.late_grace, talk.services.accounts.settings.grace)
}

/// The card.
pub(super) async fn card(talk: &Talk<'_>, account: &Account) -> Result<Turn, Refusal> {
    let chats = talk.services.accounts.list_chats(account.id).await?.len();
    let card = screens::account::account(account, grace(talk, account), chats, talk.now, talk.language);
    Ok(talk.go(talk.left(), card))
}

/// Says what was changed and shows the card anew.
async fn changed(talk: &Talk<'_>, account: &Account, said: Html) -> Result<Turn, Refusal> {
    let account = talk.services.accounts.find_account(account.id).await?.ok_or(Refusal::NotFound)?;
    let chats = talk.services.accounts.list_chats(account.id).await?.len();
    let card = screens::account::account(&account, grace(talk, &account), chats, talk.now, account.language);
    Ok(talk.go(settled(talk), card.below(said)))
}

/// An invite link.
pub(super) async fn invite(talk: &Talk<'_>, account: &Account) -> Result<Turn, Refusal> {
    if !account.is_admin() {
        return Ok(talk.stay(Screen::new(t!(talk.language, "invite-not-you"))));
    }
    let code = talk.services.accounts.make_invite(account).await?;
    let link = format!("https://t.me/{}?start={code}", talk.session.bot_username);
    Ok(talk.stay(screens::account::invite(&link, talk.language)))
}

/// A key of the settings.
pub(super) async fn tap(talk: &Talk<'_>, account: &Account, tap: &Tap) -> Result<Turn, Refusal> {
    let accounts = &talk.services.accounts;
    let language = talk.language;
    match tap {
        Tap::Languages => Ok(talk.stay(screens::account::languages(language))),
        Tap::Language(other) => {
            accounts.set_language(&talk.event.subject, Some(account.id), *other).await?;
            changed(talk, account, t!(*other, "language-changed")).await
        }
        Tap::Zone => {
            let offered: Vec<String> = USUAL_ZONES.map(str::to_owned).to_vec();
            let screen = screens::account::ask_zone(&offered, talk.now, language);
            Ok(talk.go(State::Settings(Setting::Zone { offered, first: false }), screen))
        }
        Tap::FirstZone => Ok(first_zone(talk, account, None)),
        Tap::KeepZone => first_done(talk, account).await,
        Tap::TakeZone(zone, first) => take_zone(talk, account, *zone, *first).await,
        Tap::Region => Ok(talk.go(State::Settings(Setting::Region), screens::account::ask_region(language))),
        Tap::Password => {
            Ok(talk.go(State::Settings(Setting::OldPassword), screens::account::ask_old_password(language)))
        }
        Tap::LatePolicies => Ok(talk.stay(screens::account::late_policies(account, accounts.settings.grace, language))),
        Tap::LatePolicy(policy) => {
            accounts.set_late_policy(account.id, *policy).await?;
            changed(talk, account, t!(language, "late-policy-changed")).await
        }
        Tap::LateGrace(minutes) => {
            let chosen = GRACES.into_iter().find(|grace| minutes_of(*grace) == *minutes);
            if chosen.is_none() && *minutes != 0 {
                return Err(Refusal::NotFound);
            }
            accounts.set_late_grace(account.id, chosen).await?;
            changed(talk, account, t!(language, "late-policy-changed")).await
        }
        Tap::Chats => {
            let chats = accounts.list_chats(account.id).await?;
            Ok(talk.stay(screens::account::chats(&chats, language)))
        }
        Tap::Unlink(user) => {
            let chats = accounts.list_chats(account.id).await?;
            let chat = chats.iter().find(|chat| chat.user == *user).ok_or(Refusal::NotFound)?;
            Ok(talk.stay(screens::account::confirm_unlink(chat, language)))
        }
        Tap::UnlinkYes(user) => {
            accounts.unlink(account.id, *user).await?;
            if *user == talk.event.subject.user {
                return Ok(talk.go(State::Idle, Screen::new(t!(language, "unlinked-here"))));
            }
            changed(talk, account, t!(language, "unlinked")).await
        }
        Tap::Invite => invite(talk, account).await,
        _ => card(talk, account).await,
    }
}

/// What a setting asks.
pub(super) fn question(talk: &Talk<'_>, account: &Account, setting: &Setting) -> Screen {
    match setting {
        Setting::OldPassword if account.force_password_change => screens::account::must_change(true, talk.language),
        Setting::NewPassword { .. } if account.force_password_change => {
            screens::account::must_change(false, talk.language)
        }
        Setting::Zone { offered, first: true } => {
            screens::account::ask_first_zone(account, offered, talk.now, talk.language)
        }
        Setting::Zone { offered, .. } => screens::account::ask_zone(offered, talk.now, talk.language),
        Setting::Region => screens::account::ask_region(talk.language),
        Setting::OldPassword => screens::account::ask_old_password(talk.language),
        Setting::NewPassword { .. } => screens::account::ask_new_password(talk.language),
    }
}

/// Someone whose account must have a new password first: nothing else works.
pub(super) async fn forced(talk: &Talk<'_>, account: &Account) -> Result<Turn, Refusal> {
    match &talk.event.input {
        Input::Tap(_) | Input::StaleTap => return Ok(talk.toast(plain!(talk.language, "must-change-password-toast"))),
        Input::Found(_) | Input::Edited { .. } => return Ok(Turn::new(talk.state(), Vec::new())),
        _ => {}
    }
    let State::Settings(setting @ (Setting::OldPassword | Setting::NewPassword { .. })) = talk.state() else {
        let turn = talk.go(State::Settings(Setting::OldPassword), screens::account::must_change(true, talk.language));
        // A text that was said before the question may have been meant as a password.
        return Ok(if matches!(talk.event.input, Input::Text { .. }) { talk.forget(turn) } else { turn });
    };
    match &talk.event.input {
        Input::Command { name, .. } => match Command::read(name) {
            Some(Command::Help) => steps::help(talk, Some(account)).await,
            Some(_) => Ok(talk.stay(question(talk, account, &setting))),
            None => steps::unknown(talk, Some(account)).await,
        },
        input => answer(talk, account, setting, input).await,
    }
}

/// Something was said to a setting.
pub(super) async fn answer(
    talk: &Talk<'_>,
    account: &Account,
    setting: Setting,
    input: &Input,
) -> Result<Turn, Refusal> {
    let language = talk.language;
    let text = match input {
        Input::Text { plain, .. } => plain.as_str(),
        Input::Edited { .. } => return Ok(Turn::new(talk.state(), Vec::new())),
        _ => return steps::again(talk, Some(account), t!(language, "send-as-text")).await,
    };
    let accounts = &talk.services.accounts;
    match setting {
        Setting::Zone { first, .. } => {
            let found = places::find_zones(text);
            // A newcomer's region hangs on it: what merely begins so is offered.
            let only = match found.as_slice() {
                _ if first => places::zone_named(text),
                [(zone, _)] => Some(*zone),
                _ => None,
            };
            if let Some(zone) = only {
                return take_zone(talk, account, zone, first).await;
            }
            if first
                && found.is_empty()
                && let Input::Text { plain, marked } = input
            {
                // A newcomer may have begun already, as the help says: the question can be left aside.
                let line = message_draft::read_line(talk, account, plain, marked);
                if !line.draft.to.is_empty() || line.refused.is_some() {
                    return message_draft::begin(talk, account, line).await;
                }
            }
            if found.is_empty() {
                let why = t!(language, "zone-not-found", said = screens::messages::preview(text, 60));
                return steps::again(talk, Some(account), why).await;
            }
            let offered: Vec<String> = found.iter().map(|(zone, _)| zone.name().to_owned()).collect();
            let setting = Setting::Zone { offered, first };
            let screen = question(talk, account, &setting);
            Ok(talk.go(State::Settings(setting), screen))
        }
        Setting::Region => match places::is_region(text) {
            Some(region) => {
                accounts.set_region(account.id, region).await?;
                changed(
                    talk,
                    account,
                    t!(language, "region-changed", region = crate::domain::recipient::region(region)),
                )
                .await
            }
            None => steps::again(talk, Some(account), t!(language, "region-not-found")).await,
        },
        Setting::OldPassword => {
            let next = State::Settings(Setting::NewPassword { current: text.to_owned() });
            Ok(talk.forget(talk.go(next, screens::account::ask_new_password(language))))
        }
        Setting::NewPassword { current } => {
            let outcome = accounts.change_password(account.id, talk.event.subject.user, &current, text).await;
            let turn = match outcome {
                Ok(()) => changed(talk, account, t!(language, "password-changed")).await?,
                Err(Refusal::Storage(error)) => return Err(Refusal::Storage(error)),
                Err(Refusal::WrongPassword) => {
                    let screen =
                        question(talk, account, &Setting::OldPassword).because(t!(language, "old-password-wrong"));
                    talk.go(State::Settings(Setting::OldPassword), screen)
                }
                Err(refusal) => talk.refuse(&refusal).await?,
            };
            Ok(talk.forget(turn))
        }
    }
}
