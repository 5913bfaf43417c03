//! A new instance, or an edit of a saved one: label → address → key → name → test → summary.

use super::Talk;
use crate::domain::account::Account;
use crate::domain::ids::InstanceId;
use crate::domain::instance::{ApiKey, InstanceName, Label, ServerUrl, ServerUrlError};
use crate::evolution::doctor::Diagnosis;
use crate::locale::{plain, t};
use crate::services::Refusal;
use crate::services::instances::Draft;
use crate::telegram::effects::Effect;
use crate::telegram::event::Input;
use crate::telegram::screen::Screen;
use crate::telegram::screens;
use crate::telegram::session::Turn;
use crate::telegram::state::{InstanceDraft, State};
use crate::telegram::tap::{Field, Tap};

/// Starts a new instance.
pub(super) fn start(talk: &Talk<'_>) -> Turn {
    ask(talk, InstanceDraft { asking: Some(Field::Label), ..InstanceDraft::default() }, Field::Label)
}

/// Shows where a draft stands.
pub(super) fn show(talk: &Talk<'_>, draft: InstanceDraft) -> Turn {
    match draft.asking {
        Some(field) => ask(talk, draft, field),
        None => test(talk, draft),
    }
}

fn ask(talk: &Talk<'_>, mut draft: InstanceDraft, field: Field) -> Turn {
    draft.asking = Some(field);
    let offered = if field == Field::Name { draft.offered.clone() } else { Vec::new() };
    talk.go(State::Instance(draft), screens::instances::ask(field, &offered, talk.language))
}

/// Asks the same again, after saying why.
fn again(talk: &Talk<'_>, draft: InstanceDraft, why: &crate::telegram::screen::Html, offered: &[String]) -> Turn {
    let Some(field) = draft.asking else { return test(talk, draft) };
    let mut screen = Screen::new(why.clone());
    let question = screens::instances::ask(field, offered, talk.language);
    screen = screen.line(&crate::telegram::screen::Html::default()).line(&question.html);
    screen.rows = question.rows;
    talk.go(State::Instance(draft), screen)
}

/// Runs the connection test; its result comes back as a finding.
fn test(talk: &Talk<'_>, mut draft: InstanceDraft) -> Turn {
    let (Some(url), Some(key), Some(name)) = (draft.url.clone(), draft.key.clone(), draft.name.clone()) else {
        let missing = if draft.url.is_none() {
            Field::Url
        } else if draft.key.is_none() {
            Field::Key
        } else {
            Field::Name
        };
        return ask(talk, draft, missing);
    };
    draft.asking = None;
    draft.found = None;
    draft.run += 1;
    let effect = Effect::TestDraft { run: draft.run, url, key, name };
    let screen = screens::instances::testing(draft.label.as_deref().unwrap_or_default(), talk.language);
    let mut turn = talk.go(State::Instance(draft), screen);
    turn.effect = Some(effect);
    turn
}

/// Something was said.
pub(super) async fn answer(
    talk: &Talk<'_>,
    account: &Account,
    draft: InstanceDraft,
    input: &Input,
) -> Result<Turn, Refusal> {
    let Some(field) = draft.asking else {
        return Ok(match input {
            Input::Edited { .. } => Turn::new(talk.state(), Vec::new()),
            _ => talk.stay(screens::with_cancel(Screen::new(t!(talk.language, "use-the-keys")), talk.language)),
        });
    };
    let Input::Text { plain: text, .. } = input else {
        let turn = match input {
            Input::Edited { .. } => Turn::new(talk.state(), Vec::new()),
            _ => again(talk, draft, &t!(talk.language, "send-as-text"), &[]),
        };
        return Ok(if field == Field::Key { talk.forget(turn) } else { turn });
    };
    let turn = typed(talk, account, draft, field, text).await;
    match turn {
        Ok(turn) => Ok(if field == Field::Key { talk.forget(turn) } else { turn }),
        Err(refusal) => Err(refusal),
    }
}

async fn typed(
    talk: &Talk<'_>,
    account: &Account,
    mut draft: InstanceDraft,
    field: Field,
    text: &str,
) -> Result<Turn, Refusal> {
    let language = talk.language;
    match field {
        Field::Label => match Label::parse(text) {
            Ok(label) => draft.label = Some(label.as_str().to_owned()),
            Err(error) => return Ok(again(talk, draft, &screens::refusal::label(&error, language), &[])),
        },
        Field::Url => match ServerUrl::parse(text) {
            Ok(url) if !talk.services.instances.allowed(&url) => {
                return Ok(again(talk, draft, &t!(language, "url-not-allowed"), &[]));
            }
            Ok(url) => draft.url = Some(url.as_str().to_owned()),
            Err(error) => {
                draft.offered = match &error {
                    ServerUrlError::MissingScheme { completed } => vec![completed.clone()],
                    _ => Vec::new(),
                };
                let offered = draft.offered.clone();
                return Ok(again(talk, draft, &screens::refusal::url(&error, language), &offered));
            }
        },
        Field::Key => match ApiKey::parse(text) {
            Ok(key) => draft.key = Some(key.expose().to_owned()),
            Err(error) => return Ok(again(talk, draft, &screens::refusal::key(&error, language), &[])),
        },
        Field::Name => match InstanceName::parse(text) {
            Ok(name) => draft.name = Some(name.as_str().to_owned()),
            Err(error) => {
                let offered = draft.offered.clone();
                return Ok(again(talk, draft, &screens::refusal::name(&error, language), &offered));
            }
        },
    }
    if field == Field::Url {
        draft.offered.clear();
    }
    Box::pin(next(talk, account, draft, field)).await
}

async fn next(talk: &Talk<'_>, account: &Account, draft: InstanceDraft, done: Field) -> Result<Turn, Refusal> {
    if draft.label.is_none() {
        return Ok(ask(talk, draft, Field::Label));
    }
    if draft.url.is_none() {
        return Ok(ask(talk, draft, Field::Url));
    }
    if draft.key.is_none() {
        return Ok(ask(talk, draft, Field::Key));
    }
    if draft.name.is_none() {
        let mut draft = draft;
        draft.run += 1;
        let effect = match (&draft.url, &draft.key) {
            (Some(url), Some(key)) => Some(Effect::ListNames { run: draft.run, url: url.clone(), key: key.clone() }),
            _ => None,
        };
        let mut turn = ask(talk, draft, Field::Name);
        turn.effect = effect;
        return Ok(turn);
    }
    if matches!(done, Field::Name | Field::Url)
        && let (Some(url), Some(name)) = (&draft.url, &draft.name)
        && let (Ok(url), Ok(name)) = (ServerUrl::parse(url), InstanceName::parse(name))
    {
        match talk.services.instances.check_new(account.id, &url, &name, draft.id).await {
            Err(Refusal::AlreadyExists { name }) => {
                let why = t!(talk.language, "refusal-already-exists", name = name);
                let mut draft = draft;
                draft.asking = Some(done);
                return Ok(again(talk, draft, &why, &[]));
            }
            other => other?,
        }
    }
    if draft.id.is_some() && done == Field::Label {
        return save(talk, account, draft, false).await;
    }
    Ok(test(talk, draft))
}

/// The n-th offered text is taken.
pub(super) async fn take(
    talk: &Talk<'_>,
    account: &Account,
    draft: InstanceDraft,
    index: i64,
) -> Result<Turn, Refusal> {
    let text = usize::try_from(index).ok().and_then(|n| draft.offered.get(n)).cloned();
    match (draft.asking, text) {
        (Some(field @ (Field::Url | Field::Name)), Some(text)) => typed(talk, account, draft, field, &text).await,
        _ => Ok(talk.toast(plain!(talk.language, "toast-expired"))),
    }
}

/// Names were found on the server.
pub(super) fn names(talk: &Talk<'_>, mut draft: InstanceDraft, run: i64, names: Vec<String>) -> Turn {
    if draft.run != run || draft.asking != Some(Field::Name) || names.is_empty() {
        return Turn::new(talk.state(), Vec::new());
    }
    draft.offered = names;
    let mut screen = screens::instances::ask(Field::Name, &draft.offered, talk.language);
    screen.html = t!(talk.language, "names-found");
    talk.go(State::Instance(draft), screen)
}

/// A test of the draft ended.
pub(super) fn tested(talk: &Talk<'_>, mut draft: InstanceDraft, run: i64, found: Option<Diagnosis>) -> Turn {
    if draft.run != run || draft.asking.is_some() {
        return Turn::new(talk.state(), Vec::new());
    }
    draft.found = found;
    summary(talk, draft)
}

fn summary(talk: &Talk<'_>, draft: InstanceDraft) -> Turn {
    let Some(found) = &draft.found else { return test(talk, draft) };
    let hint = draft.key.as_deref().and_then(|key| ApiKey::parse(key).ok()).map(|key| key.hint()).unwrap_or_default();
    let screen = screens::instances::summary(&draft, &hint, found, talk.language);
    talk.go(State::Instance(draft), screen)
}

/// A key of the draft.
pub(super) async fn tap(talk: &Talk<'_>, account: &Account, tap: &Tap) -> Result<Turn, Refusal> {
    let State::Instance(draft) = talk.state() else { return Ok(talk.toast(plain!(talk.language, "toast-expired"))) };
    match tap {
        Tap::TestAgain => Ok(test(talk, draft)),
        Tap::DraftEdit => Ok(talk.go(State::Instance(draft), screens::instances::choose_draft_field(talk.language))),
        Tap::DraftField(field) => Ok(ask(talk, draft, *field)),
        Tap::Save | Tap::SaveAnyway => save(talk, account, draft, false).await,
        _ => save(talk, account, draft, true).await,
    }
}

async fn save(talk: &Talk<'_>, account: &Account, draft: InstanceDraft, activate: bool) -> Result<Turn, Refusal> {
    let parsed = (|| {
        Some(Draft {
            label: Label::parse(draft.label.as_deref()?).ok()?,
            server: ServerUrl::parse(draft.url.as_deref()?).ok()?,
            key: ApiKey::parse(draft.key.as_deref()?).ok()?,
            name: InstanceName::parse(draft.name.as_deref()?).ok()?,
        })
    })();
    let Some(parsed) = parsed else { return Ok(test(talk, draft)) };
    let instances = &talk.services.instances;
    let saved = match draft.id {
        Some(id) => {
            let saved = instances.update(account.id, id, &parsed).await?;
            if let Some(found) = &draft.found {
                instances.note(account.id, id, found).await?;
            }
            instances.find(account.id, saved.id).await?
        }
        None => instances.add(account.id, &parsed, activate, draft.found.as_ref()).await?,
    };
    let waiting = instances.waiting(account.id, &saved).await?;
    let card = screens::instances::card(&saved, waiting, talk.now, account.zone, talk.language);
    let mut html = t!(talk.language, "instance-saved", name = saved.label.as_str());
    html.line(&crate::telegram::screen::Html::default());
    html.line(&card.html);
    Ok(talk.go(State::Idle, Screen { html, ..card }))
}

/// Edits one field of a saved instance.
pub(super) async fn edit_saved(
    talk: &Talk<'_>,
    account: &Account,
    id: InstanceId,
    field: Field,
) -> Result<Turn, Refusal> {
    let saved = talk.services.instances.draft(account.id, id).await?;
    let draft = InstanceDraft {
        id: Some(id),
        asking: Some(field),
        label: Some(saved.label.as_str().to_owned()),
        url: Some(saved.server.as_str().to_owned()),
        key: Some(saved.key.expose().to_owned()),
        name: Some(saved.name.as_str().to_owned()),
        ..InstanceDraft::default()
    };
    Ok(ask(talk, draft, field))
}
