//! A new instance, or an edit of a saved one: label → address → key → name → test → summary.

use unicode_normalization::UnicodeNormalization;

use super::Talk;
use crate::domain::account::Account;
use crate::domain::ids::InstanceId;
use crate::domain::instance::{ApiKey, InstanceName, Label, ServerUrl, ServerUrlError};
use crate::evolution::doctor::Diagnosis;
use crate::locale::{plain, t};
use crate::services::Refusal;
use crate::services::instances::Draft;
use crate::services::on_server::{Creation, fresh_token};
use crate::telegram::effects::Effect;
use crate::telegram::event::Input;
use crate::telegram::screen::Screen;
use crate::telegram::screens;
use crate::telegram::session::Turn;
use crate::telegram::state::{InstanceDraft, State};
use crate::telegram::tap::{Field, Tap};

/// Starts a new instance.
pub(super) fn start(talk: &Talk<'_>) -> Turn {
    ask(talk, fresh(talk), Field::Label)
}

/// A draft whose findings are told from those of earlier ones, which may come late.
fn fresh(talk: &Talk<'_>) -> InstanceDraft {
    InstanceDraft { run: talk.event.update.0, ..InstanceDraft::default() }
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
    let screen = question(talk, &draft);
    talk.go(State::Instance(draft), screen)
}

/// What a draft awaits.
pub(super) fn question(talk: &Talk<'_>, draft: &InstanceDraft) -> Screen {
    let Some(field) = draft.asking else { return standing(talk, draft) };
    match field {
        Field::Name if draft.creating => screens::instances::ask_new_name(&draft.offered, talk.language),
        Field::Name if draft.may_create || !draft.offered.is_empty() => {
            // What was asked for before tells nothing of whether there are others.
            let listed = draft.name.is_none();
            screens::instances::names(&draft.offered, draft.may_create, listed, talk.language)
        }
        // An address that only lacks its beginning is offered with it.
        Field::Url => screens::instances::ask(field, &draft.offered, talk.language),
        _ => screens::instances::ask(field, &[], talk.language),
    }
}

/// Asks the same again, after saying why.
fn again(talk: &Talk<'_>, draft: InstanceDraft, why: &crate::telegram::screen::Html) -> Turn {
    let screen = question(talk, &draft).because(why.clone());
    let is_said = !matches!(talk.event.input, Input::Tap(_) | Input::Found(_));
    let next = State::Instance(draft);
    if is_said { talk.repeat(next, screen) } else { talk.go(next, screen) }
}

/// A draft of which something is to be found out now: counted, and told where the person is.
fn begin(talk: &Talk<'_>, draft: &mut InstanceDraft) -> i64 {
    // What follows from a finding stays where that is told.
    let is_below = draft.told_below == Some(draft.run) && matches!(talk.event.input, Input::Found(_));
    draft.run += 1;
    draft.told_below = is_below.then_some(draft.run);
    draft.run
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
    let effect = Effect::TestDraft { run: begin(talk, &mut draft), url, key, name };
    let screen = standing(talk, &draft);
    talk.work(State::Instance(draft), screen, effect)
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
            _ => {
                let screen = standing(talk, &draft).below(t!(talk.language, "use-the-keys"));
                talk.repeat(talk.state(), screen)
            }
        });
    };
    let Input::Text { plain: text, .. } = input else {
        let turn = match input {
            Input::Edited { .. } => Turn::new(talk.state(), Vec::new()),
            _ => again(talk, draft, &t!(talk.language, "send-as-text")),
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
            Err(error) => return Ok(again(talk, draft, &screens::refusal::label(&error, language))),
        },
        Field::Url => match ServerUrl::parse(text) {
            Ok(url) if !talk.services.instances.allowed(&url) => {
                draft.offered.clear();
                return Ok(again(talk, draft, &t!(language, "url-not-allowed")));
            }
            Ok(url) => draft.url = Some(url.as_str().to_owned()),
            Err(error) => {
                draft.offered = match &error {
                    ServerUrlError::MissingScheme { completed } => vec![completed.clone()],
                    _ => Vec::new(),
                };
                return Ok(again(talk, draft, &screens::refusal::url(&error, language)));
            }
        },
        Field::Key => match ApiKey::parse(text) {
            Ok(key) => draft.key = Some(key.expose().to_owned()),
            Err(error) => return Ok(again(talk, draft, &screens::refusal::key(&error, language))),
        },
        Field::Name => match InstanceName::parse(text) {
            Ok(name) if draft.creating && !name.is_creatable() => {
                return Ok(again(talk, draft, &t!(language, "name-not-creatable")));
            }
            Ok(name) => draft.name = Some(name.as_str().to_owned()),
            Err(_) if draft.creating => return Ok(again(talk, draft, &t!(language, "name-not-creatable"))),
            Err(error) => return Ok(again(talk, draft, &screens::refusal::name(&error, language))),
        },
    }
    if matches!(field, Field::Url | Field::Key) {
        // What was found out by another address or key counts no more.
        draft.offered.clear();
        (draft.may_create, draft.own_key) = (false, false);
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
        let run = begin(talk, &mut draft);
        let effect = match (&draft.url, &draft.key) {
            (Some(url), Some(key)) => Some(Effect::ListNames { run, url: url.clone(), key: key.clone() }),
            _ => None,
        };
        draft.asking = Some(Field::Name);
        let screen = question(talk, &draft);
        return Ok(match effect {
            Some(effect) => talk.work(State::Instance(draft), screen, effect),
            None => talk.go(State::Instance(draft), screen),
        });
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
                return Ok(again(talk, draft, &why));
            }
            other => other?,
        }
    }
    if draft.creating && done == Field::Name {
        return Ok(create(talk, draft));
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
pub(super) fn names(talk: &Talk<'_>, mut draft: InstanceDraft, run: i64, names: Vec<String>, may_create: bool) -> Turn {
    if draft.run != run || draft.asking != Some(Field::Name) || (names.is_empty() && !may_create) {
        return Turn::new(talk.state(), Vec::new());
    }
    draft.offered = names;
    draft.may_create = may_create;
    ask(talk, draft, Field::Name)
}

/// Has the instance created on the server.
fn create(talk: &Talk<'_>, mut draft: InstanceDraft) -> Turn {
    let (Some(url), Some(key), Some(name)) = (draft.url.clone(), draft.key.clone(), draft.name.clone()) else {
        return test(talk, draft);
    };
    draft.asking = None;
    draft.found = None;
    let run = begin(talk, &mut draft);
    // The same at every try: what a lost answer made is known again by it.
    let token = draft.token.get_or_insert_with(fresh_token).clone();
    let effect = Effect::CreateInstance { run, url, key, name: name.clone(), token };
    talk.work(State::Instance(draft), screens::instances::creating(&name, talk.language), effect)
}

/// An instance was to be created on the server.
pub(super) fn created(talk: &Talk<'_>, mut draft: InstanceDraft, run: i64, creation: &Creation) -> Turn {
    if draft.run != run || draft.asking.is_some() {
        return Turn::new(talk.state(), Vec::new());
    }
    let why = match creation {
        Creation::Made(key) => {
            draft.key = Some(key.expose().to_owned());
            draft.own_key = true;
            draft.creating = false;
            return test(talk, draft);
        }
        Creation::Taken => t!(talk.language, "create-taken", name = draft.name.clone().unwrap_or_default()),
        Creation::KeyRefused => {
            draft.may_create = false;
            draft.creating = false;
            t!(talk.language, "create-refused")
        }
        Creation::Busy => t!(talk.language, "create-busy"),
        Creation::Failed => t!(talk.language, "create-failed"),
    };
    draft.offered = match creation {
        Creation::Busy | Creation::Failed => draft.name.take().into_iter().collect(),
        Creation::Made(_) | Creation::Taken | Creation::KeyRefused => Vec::new(),
    };
    draft.name = None;
    draft.asking = Some(Field::Name);
    again(talk, draft, &why)
}

/// A name for the server made of the label: what it has of letters and digits.
fn suggestion(label: &str) -> Option<String> {
    let mut name = String::new();
    for c in label.nfkd().filter(char::is_ascii) {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = InstanceName::parse(name.trim_end_matches('-')).ok()?;
    name.is_creatable().then(|| name.as_str().to_owned())
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
    if draft.found.is_none() {
        return test(talk, draft);
    }
    let screen = standing(talk, &draft);
    talk.go(State::Instance(draft), screen)
}

/// The summary; while a test still runs, that it does.
fn standing(talk: &Talk<'_>, draft: &InstanceDraft) -> Screen {
    let Some(found) = &draft.found else {
        let label = draft.label.as_deref().unwrap_or_default();
        return screens::with_cancel(screens::instances::testing(label, talk.language), talk.language);
    };
    let hint = draft.key.as_deref().and_then(|key| ApiKey::parse(key).ok()).map(|key| key.hint()).unwrap_or_default();
    screens::instances::summary(draft, &hint, found, talk.language)
}

/// A key of the draft.
pub(super) async fn tap(talk: &Talk<'_>, account: &Account, tap: &Tap) -> Result<Turn, Refusal> {
    let State::Instance(draft) = talk.state() else { return Ok(talk.toast(plain!(talk.language, "toast-expired"))) };
    match tap {
        Tap::TestAgain => Ok(test(talk, draft)),
        Tap::DraftEdit => Ok(talk.go(State::Instance(draft), screens::instances::choose_draft_field(talk.language))),
        Tap::DraftField(field) => {
            let draft = InstanceDraft { creating: false, offered: Vec::new(), ..draft };
            Ok(ask(talk, draft, *field))
        }
        Tap::CreateOnServer => Ok(start_create(talk, draft)),
        Tap::Save | Tap::SaveAnyway => save(talk, account, draft, false).await,
        _ => save(talk, account, draft, true).await,
    }
}

/// The key that creates: with the name that is missing on the server, or one that is asked for.
fn start_create(talk: &Talk<'_>, mut draft: InstanceDraft) -> Turn {
    let name = draft.name.as_deref().and_then(|name| InstanceName::parse(name).ok());
    let is_missing = draft.found.as_ref().is_some_and(Diagnosis::is_creatable);
    match (draft.asking, name) {
        (None, Some(name)) if is_missing && name.is_creatable() => create(talk, draft),
        (Some(Field::Name), _) if draft.may_create => {
            let taken = std::mem::take(&mut draft.offered);
            draft.offered =
                draft.label.as_deref().and_then(suggestion).filter(|s| !taken.contains(s)).into_iter().collect();
            draft.creating = true;
            ask(talk, draft, Field::Name)
        }
        _ => talk.toast(plain!(talk.language, "toast-expired")),
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
    Ok(talk.go(State::Idle, card.below(t!(talk.language, "instance-saved", name = saved.label.as_str()))))
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
        ..fresh(talk)
    };
    Ok(ask(talk, draft, field))
}
