//! The account's card and its settings.

use super::{Talk, steps};
use crate::domain::account::Account;
use crate::locale::{plain, t};
use crate::services::{Refusal, places};
use crate::telegram::command::Command;
use crate::telegram::event::Input;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::screens;
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

/// The card.
pub(super) async fn card(talk: &Talk<'_>, account: &Account) -> Result<Turn, Refusal> {
    let chats = talk.services.accounts.list_chats(account.id).await?.len();
    Ok(talk.go(talk.left(), screens::account::account(account, chats, talk.now, talk.language)))
}

/// Says what was changed and shows the card anew.
async fn changed(talk: &Talk<'_>, account: &Account, said: Html) -> Result<Turn, Refusal> {
    let account = talk.services.accounts.find_account(account.id).await?.ok_or(Refusal::NotFound)?;
    let chats = talk.services.accounts.list_chats(account.id).await?.len();
    let card = screens::account::account(&account, chats, talk.now, account.language);
    Ok(talk.go(State::Idle, card.below(said)))
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
            Ok(talk.go(State::Settings(Setting::Zone { offered }), screen))
        }
        Tap::TakeZone(index) => {
            let State::Settings(Setting::Zone { offered }) = talk.state() else {
                return Ok(talk.toast(plain!(language, "toast-expired")));
            };
            let zone = usize::try_from(*index).ok().and_then(|n| offered.get(n)).and_then(|name| name.parse().ok());
            let Some(zone) = zone else { return Ok(talk.toast(plain!(language, "toast-expired"))) };
            accounts.set_zone(account.id, zone).await?;
            changed(talk, account, t!(language, "zone-changed")).await
        }
        Tap::Region => Ok(talk.go(State::Settings(Setting::Region), screens::account::ask_region(language))),
        Tap::Password => {
            Ok(talk.go(State::Settings(Setting::OldPassword), screens::account::ask_old_password(language)))
        }
        Tap::LatePolicies => Ok(talk.stay(screens::account::late_policies(account.late_policy, language))),
        Tap::LatePolicy(policy) => {
            accounts.set_late_policy(account.id, *policy).await?;
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
        Setting::Zone { offered } => screens::account::ask_zone(offered, talk.now, talk.language),
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
        Setting::Zone { .. } => {
            let found = places::find_zones(text);
            if let [(zone, _)] = found.as_slice() {
                accounts.set_zone(account.id, *zone).await?;
                return changed(talk, account, t!(language, "zone-changed")).await;
            }
            if found.is_empty() {
                let screen = Screen::new(t!(language, "zone-not-found", said = screens::messages::preview(text, 60)));
                return Ok(talk.stay(screens::with_cancel(screen, language)));
            }
            let offered: Vec<String> = found.iter().map(|(zone, _)| zone.name().to_owned()).collect();
            let screen = screens::account::ask_zone(&offered, talk.now, language);
            Ok(talk.go(State::Settings(Setting::Zone { offered }), screen))
        }
        Setting::Region => match places::is_region(text) {
            Some(region) => {
                accounts.set_region(account.id, region).await?;
                changed(talk, account, t!(language, "region-changed", region = region)).await
            }
            None => Ok(talk.stay(screens::with_cancel(Screen::new(t!(language, "region-not-found")), language))),
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
                Err(refusal @ Refusal::WrongPassword) => {
                    let why = screens::refusal::refusal(&refusal, talk.now, language);
                    talk.go(State::Settings(Setting::OldPassword), screens::with_cancel(Screen::new(why), language))
                }
                Err(refusal) => talk.refuse(&refusal),
            };
            Ok(talk.forget(turn))
        }
    }
}
