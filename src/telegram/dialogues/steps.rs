//! The step one stands at: its question again, its help, and how it is left.

use super::{Talk, account, instance_draft, message_draft, sign_up};
use crate::domain::account::Account;
use crate::locale::t;
use crate::services::Refusal;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::screens;
use crate::telegram::session::Turn;
use crate::telegram::state::State;

/// The question of the step, as it was asked; `None` when nothing is asked.
pub(super) async fn question(talk: &Talk<'_>, who: Option<&Account>) -> Result<Option<Screen>, Refusal> {
    match (&talk.session.state, who) {
        (State::SignUp { .. } | State::LogIn { .. }, None) => Ok(sign_up::question(talk)),
        (State::Instance(draft), Some(_)) => Ok(Some(instance_draft::question(talk, draft))),
        (State::Message(draft), Some(account)) => Ok(Some(message_draft::question(talk, account, draft).await?)),
        (State::Settings(setting), Some(who)) => Ok(Some(account::question(talk, who, setting))),
        _ => Ok(None),
    }
}

/// The same step again, after saying why. What may be a secret is deleted from the chat.
pub(super) async fn again(talk: &Talk<'_>, who: Option<&Account>, why: Html) -> Result<Turn, Refusal> {
    let turn = match question(talk, who).await? {
        Some(question) => talk.repeat(talk.state(), question.because(why)),
        None => talk.stay(Screen::new(why)),
    };
    Ok(if talk.session.state.awaits_secret() { talk.forget(turn) } else { turn })
}

/// A command that we do not know. Where a secret is awaited, it may have been one.
pub(super) async fn unknown(talk: &Talk<'_>, who: Option<&Account>) -> Result<Turn, Refusal> {
    again(talk, who, t!(talk.language, "unknown-command")).await
}

/// Help for the step, or the general one; nothing is lost by asking for it.
pub(super) async fn help(talk: &Talk<'_>, who: Option<&Account>) -> Result<Turn, Refusal> {
    match (talk.session.state.step(), question(talk, who).await?) {
        // The question stays where it stands: the key of an older message must not take its place.
        (Some(step), Some(question)) => {
            Ok(talk.repeat(talk.state(), screens::help::step(step, question, talk.language)))
        }
        _ => Ok(talk.stay(screens::help::general(who.is_some(), talk.language))),
    }
}
