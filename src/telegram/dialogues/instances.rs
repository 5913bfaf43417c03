//! Saved instances: list, card, test, activate, delete.

use super::{Talk, instance_draft};
use crate::domain::account::Account;
use crate::domain::ids::InstanceId;
use crate::locale::t;
use crate::services::Refusal;
use crate::services::instances::Pending;
use crate::telegram::effects::{Effect, Finding};
use crate::telegram::screen::{Html, Screen};
use crate::telegram::screens;
use crate::telegram::session::Turn;
use crate::telegram::state::State;
use crate::telegram::tap::Tap;

/// The list.
pub(super) async fn list(talk: &Talk<'_>, account: &Account, page: i64) -> Result<Turn, Refusal> {
    let rows = talk.services.instances.list(account.id).await?;
    Ok(talk.go(talk.left(), screens::instances::list(&rows, page, talk.language)))
}

/// A card.
pub(super) async fn card(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    let waiting = talk.services.instances.waiting(account.id, &instance).await?;
    Ok(talk.go(talk.left(), screens::instances::card(&instance, waiting, talk.now, account.zone, talk.language)))
}

/// Which field to edit.
pub(super) async fn choose_field(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    Ok(talk.stay(screens::instances::choose_field(&instance, talk.language)))
}

/// Tests a saved one.
pub(super) async fn test(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    let mut turn = talk.stay(screens::instances::testing(instance.label.as_str(), talk.language));
    turn.effect = Some(Effect::TestInstance { id });
    Ok(turn)
}

/// Makes it the active one.
pub(super) async fn activate(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let (instance, waiting) = talk.services.instances.activate(account.id, id).await?;
    let mut html = screens::instances::activated(&instance, waiting, talk.language);
    let card = screens::instances::card(&instance, waiting, talk.now, account.zone, talk.language);
    html.line(&Html::default());
    html.line(&card.html);
    Ok(talk.go(talk.left(), Screen { html, ..card }))
}

/// Asks before deleting.
pub(super) async fn ask_delete(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    let waiting = talk.services.instances.waiting(account.id, &instance).await?;
    let active = talk.services.instances.active(account.id).await?;
    let other = active.is_some_and(|a| a.id != id);
    Ok(talk.stay(screens::instances::confirm_delete(&instance, waiting, other, talk.language)))
}

/// Deletes it.
pub(super) async fn delete(talk: &Talk<'_>, account: &Account, tap: &Tap) -> Result<Turn, Refusal> {
    let (id, pending) = match tap {
        Tap::DeleteMove(id) => (*id, Pending::Move),
        Tap::DeleteCancel(id) => (*id, Pending::Cancel),
        Tap::DeleteHold(id) => (*id, Pending::Hold),
        _ => return Err(Refusal::NotFound),
    };
    let instance = talk.services.instances.find(account.id, id).await?;
    talk.services.instances.delete(account.id, id, pending).await?;
    let rows = talk.services.instances.list(account.id).await?;
    let list = screens::instances::list(&rows, 0, talk.language);
    let mut html = t!(talk.language, "instance-deleted", name = instance.label.as_str());
    if instance.is_active && !rows.is_empty() {
        html.line(&t!(talk.language, "no-active-now"));
    }
    html.line(&Html::default());
    html.line(&list.html);
    Ok(talk.go(talk.left(), Screen { html, ..list }))
}

/// An effect came back.
pub(super) async fn found(talk: &Talk<'_>, account: &Account, finding: &Finding) -> Result<Turn, Refusal> {
    match (finding, talk.state()) {
        (Finding::Draft { run, found }, State::Instance(draft)) => {
            Ok(instance_draft::tested(talk, draft, *run, found.clone()))
        }
        (Finding::Names { run, names }, State::Instance(draft)) => {
            Ok(instance_draft::names(talk, draft, *run, names.clone()))
        }
        (Finding::Instance { id, found: Some(found) }, state) => {
            let instance = talk.services.instances.find(account.id, *id).await?;
            Ok(talk.go(state, screens::instances::tested(&instance, found, talk.language)))
        }
        (Finding::Instance { found: None, .. }, _) => Err(Refusal::NotFound),
        // The draft it was for is gone.
        (Finding::Draft { .. } | Finding::Names { .. }, state) => Ok(Turn::new(state, Vec::new())),
    }
}
