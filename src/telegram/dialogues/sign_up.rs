//! Strangers: create an account, or log in.

use super::{Talk, steps};
use crate::domain::account::Username;
use crate::locale::{plain, t};
use crate::services::Refusal;
use crate::services::accounts::Admission;
use crate::telegram::command::Command;
use crate::telegram::event::Input;
use crate::telegram::screen::{Outgoing, Screen};
use crate::telegram::screens;
use crate::telegram::session::Turn;
use crate::telegram::state::{Setting, SignUp, State};
use crate::telegram::tap::Tap;

/// A turn of someone without an account.
pub(super) async fn turn(talk: &Talk<'_>) -> Result<Turn, Refusal> {
    let language = talk.language;
    match &talk.event.input {
        Input::Command { name, args } => match Command::read(name) {
            Some(Command::Home) => {
                welcome(talk, Some(args.clone()).filter(|args| !args.is_empty()).or(code(talk))).await
            }
            Some(Command::Help) => steps::help(talk, None).await,
            Some(Command::Cancel) => leave(talk).await,
            Some(_) if talk.session.state.step().is_some() => {
                steps::again(talk, None, t!(language, "needs-account")).await
            }
            Some(_) => welcome(talk, code(talk)).await,
            None => steps::unknown(talk, None).await,
        },
        Input::Tap(Tap::CreateAccount) => create(talk).await,
        Input::Tap(Tap::HaveAccount) => {
            Ok(talk.go(State::LogIn { username: None }, screens::account::ask_login_name(language)))
        }
        Input::Tap(Tap::UseName) => match talk.state() {
            State::SignUp { step: SignUp::Username { offered: Some(name) }, code } => username(talk, &name, code).await,
            _ => Ok(talk.toast(plain!(language, "toast-expired"))),
        },
        Input::Tap(Tap::Language(other)) => {
            talk.services.accounts.set_language(&talk.event.subject, None, *other).await?;
            let admission = talk.services.accounts.admission(code(talk).as_deref()).await?;
            Ok(talk.stay(screens::home::welcome(&admission, *other)))
        }
        Input::Tap(Tap::Home) => welcome(talk, code(talk)).await,
        Input::Tap(Tap::Cancel) => leave(talk).await,
        Input::Tap(Tap::Help) => steps::help(talk, None).await,
        Input::Tap(_) | Input::StaleTap => Ok(talk.toast(plain!(language, "toast-expired"))),
        Input::Text { plain, .. } => said(talk, plain).await,
        Input::Found(_) | Input::Edited { .. } | Input::Overheard => Ok(Turn::new(talk.state(), Vec::new())),
        Input::Contact { .. } | Input::Other if talk.session.state.step().is_some() => {
            steps::again(talk, None, t!(language, "send-as-text")).await
        }
        Input::Contact { .. } | Input::Other => welcome(talk, code(talk)).await,
    }
}

/// What the step asks; `None` at the door.
pub(super) fn question(talk: &Talk<'_>) -> Option<Screen> {
    let language = talk.language;
    match &talk.session.state {
        State::SignUp { step: SignUp::Username { offered }, .. } => {
            let offered = offered.as_deref()?;
            Some(screens::account::ask_username(Some(offered).filter(|name| !name.is_empty()), language))
        }
        State::SignUp { step: SignUp::Password { username }, .. } => {
            Some(screens::account::ask_password(username, language))
        }
        State::LogIn { username: None } => Some(screens::account::ask_login_name(language)),
        State::LogIn { username: Some(_) } => Some(screens::account::ask_login_password(language)),
        _ => None,
    }
}

/// Leaves what is going on for the door; the code of the link stays good.
async fn leave(talk: &Talk<'_>) -> Result<Turn, Refusal> {
    let said = screens::help::left(&talk.session.state, talk.language);
    let mut turn = welcome(talk, code(talk)).await?;
    for shown in &mut turn.show {
        if let Outgoing::Send(screen) | Outgoing::Edit(_, screen) = shown {
            *screen = screen.clone().below(said.clone());
        }
    }
    Ok(turn)
}

fn code(talk: &Talk<'_>) -> Option<String> {
    match talk.state() {
        State::SignUp { code, .. } => code,
        _ => None,
    }
}

async fn welcome(talk: &Talk<'_>, code: Option<String>) -> Result<Turn, Refusal> {
    let admission = talk.services.accounts.admission(code.as_deref()).await?;
    let mut screen = screens::home::welcome(&admission, talk.language);
    if code.as_ref().is_some_and(|c| c.starts_with("claim_") || c.starts_with("invite_"))
        && matches!(admission, Admission::Refused(_))
    {
        screen = screen.line(&t!(talk.language, "refusal-code-invalid"));
    }
    Ok(talk.go(State::SignUp { step: SignUp::Username { offered: None }, code }, screen))
}

async fn create(talk: &Talk<'_>) -> Result<Turn, Refusal> {
    let code = code(talk);
    if matches!(talk.services.accounts.admission(code.as_deref()).await?, Admission::Refused(_)) {
        return Err(Refusal::SignupNeedsInvite);
    }
    let mut offered = None;
    if let Some(name) = &talk.event.who.username
        && let Ok(name) = Username::parse(name)
        && talk.services.accounts.username_free(&name).await?
    {
        offered = Some(name.as_str().to_owned());
    }
    let screen = screens::account::ask_username(offered.as_deref(), talk.language);
    Ok(talk.go(State::SignUp { step: SignUp::Username { offered: Some(offered.unwrap_or_default()) }, code }, screen))
}

async fn username(talk: &Talk<'_>, name: &str, code: Option<String>) -> Result<Turn, Refusal> {
    let name = match Username::parse(name) {
        Ok(name) => name,
        Err(error) => return steps::again(talk, None, screens::refusal::username(error, talk.language)).await,
    };
    if !talk.services.accounts.username_free(&name).await? {
        return Err(Refusal::UsernameTaken);
    }
    let screen = screens::account::ask_password(name.as_str(), talk.language);
    Ok(talk.go(State::SignUp { step: SignUp::Password { username: name.as_str().to_owned() }, code }, screen))
}

async fn said(talk: &Talk<'_>, text: &str) -> Result<Turn, Refusal> {
    match talk.state() {
        State::SignUp { step: SignUp::Username { offered: Some(_) }, code } => username(talk, text, code).await,
        State::SignUp { step: SignUp::Password { username }, code } => {
            let turn = match password(talk, &username, text, code).await {
                Ok(turn) => turn,
                Err(Refusal::Storage(error)) => return Err(Refusal::Storage(error)),
                Err(taken @ Refusal::UsernameTaken) => {
                    let why = screens::refusal::refusal(&taken, talk.now, talk.language);
                    let step = SignUp::Username { offered: Some(String::new()) };
                    let screen = screens::account::ask_username(None, talk.language).because(why);
                    talk.go(State::SignUp { step, code: self::code(talk) }, screen)
                }
                Err(other) => talk.refuse(&other).await?,
            };
            Ok(talk.forget(turn))
        }
        State::LogIn { username: None } => {
            let next = State::LogIn { username: Some(text.trim().to_owned()) };
            Ok(talk.go(next, screens::account::ask_login_password(talk.language)))
        }
        State::LogIn { username: Some(username) } => {
            let outcome = talk.services.accounts.log_in(&talk.event.subject, &username, text).await;
            let turn = match outcome {
                Ok(account) if account.force_password_change => {
                    let next = State::Settings(Setting::NewPassword { current: text.to_owned() });
                    talk.go(next, screens::account::must_change(false, account.language))
                }
                Ok(account) => {
                    let screen = talk.home_screen(&account, false).await?;
                    talk.go(State::Idle, screen)
                }
                Err(Refusal::WrongPassword) => {
                    let why = screens::refusal::refusal(&Refusal::WrongPassword, talk.now, talk.language);
                    let screen = screens::account::ask_login_name(talk.language).because(why);
                    talk.go(State::LogIn { username: None }, screen)
                }
                Err(Refusal::Storage(error)) => return Err(Refusal::Storage(error)),
                Err(other) => talk.refuse(&other).await?,
            };
            Ok(talk.forget(turn))
        }
        _ => welcome(talk, code(talk)).await,
    }
}

async fn password(talk: &Talk<'_>, username: &str, text: &str, code: Option<String>) -> Result<Turn, Refusal> {
    let accounts = &talk.services.accounts;
    let username = Username::parse(username).map_err(|_| Refusal::NotFound)?;
    let hash = accounts.hash_password(&username, text).await?;
    let account =
        accounts.create_account(&talk.event.subject, code.as_deref(), &username, &hash, talk.language).await?;
    super::account::welcome(talk, &account).await
}
