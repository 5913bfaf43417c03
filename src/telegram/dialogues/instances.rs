//! Saved instances: list, card, test, activate, delete.

use std::time::Duration;

use super::{Talk, instance_draft, message_draft};
use crate::domain::account::Account;
use crate::domain::clock::Moment;
use crate::domain::ids::InstanceId;
use crate::locale::t;
use crate::services::Refusal;
use crate::services::instances::Pending;
use crate::telegram::effects::{Effect, Finding};
use crate::telegram::screen::Outgoing;
use crate::telegram::screens;
use crate::telegram::session::Turn;
use crate::telegram::state::State;
use crate::telegram::tap::Tap;

/// How old a state may be when its card is opened; an older one is looked at anew.
const FRESH: Duration = Duration::from_secs(10);

/// The list.
pub(super) async fn list(talk: &Talk<'_>, account: &Account, page: i64) -> Result<Turn, Refusal> {
    let rows = talk.services.instances.list(account.id).await?;
    Ok(talk.go(talk.left(), screens::instances::list(&rows, page, talk.language)))
}

/// A card.
pub(super) async fn card(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    let waiting = talk.services.instances.waiting(account.id, &instance).await?;
    let screen = screens::instances::card(&instance, waiting, talk.now, account.zone, talk.language);
    let turn = talk.go(talk.left(), screen);
    let is_fresh = instance.checked_at.is_some_and(|at| talk.now.since(at) < FRESH);
    // What was found out takes the place of the card, which is known where a key was tapped.
    if is_fresh || talk.event.message.is_none() {
        return Ok(turn);
    }
    Ok(turn.effect(Effect::LookAt { id, turn: talk.session.version + 1 }))
}

/// An instance was looked at while its card was shown: the card is drawn anew, where nothing came in between.
async fn looked(talk: &Talk<'_>, account: &Account, id: InstanceId, turn: i64) -> Result<Turn, Refusal> {
    if talk.session.version != turn || talk.event.message.is_none() {
        return Ok(Turn::new(talk.state(), Vec::new()));
    }
    let instance = match talk.services.instances.find(account.id, id).await {
        // Nobody asked for what is gone.
        Err(Refusal::NotFound) => return Ok(Turn::new(talk.state(), Vec::new())),
        found => found?,
    };
    let waiting = talk.services.instances.waiting(account.id, &instance).await?;
    Ok(talk.stay(screens::instances::card(&instance, waiting, talk.now, account.zone, talk.language)))
}

/// Which field to edit.
pub(super) async fn choose_field(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    Ok(talk.stay(screens::instances::choose_field(&instance, talk.language)))
}

/// Tests a saved one.
pub(super) async fn test(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    let screen = screens::instances::testing(instance.label.as_str(), talk.language);
    Ok(talk.work(talk.state(), screen, Effect::TestInstance { id }))
}

/// Makes it the active one.
pub(super) async fn activate(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let before = talk.services.instances.active(account.id).await?.filter(|before| before.id != id);
    let (instance, waiting) = talk.services.instances.activate(account.id, id).await?;
    let screen =
        screens::instances::activated(&instance, before.as_ref(), waiting, talk.now, account.zone, talk.language);
    Ok(talk.go(talk.left(), screen))
}

/// Pins what waited at that moment to the one that was active before.
pub(super) async fn keep_on(talk: &Talk<'_>, account: &Account, id: InstanceId, since: i64) -> Result<Turn, Refusal> {
    let count = talk.services.instances.keep_on(account.id, id, Moment(since)).await?;
    let instance = talk.services.instances.find(account.id, id).await?;
    let waiting = talk.services.instances.waiting(account.id, &instance).await?;
    let screen = screens::instances::kept(&instance, count, waiting, talk.now, account.zone, talk.language);
    Ok(talk.go(talk.left(), screen))
}

/// Asks before deleting it on its server.
pub(super) async fn ask_wipe(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    Ok(talk.stay(screens::instances::confirm_wipe(&instance, talk.language)))
}

/// Deletes it on its server.
pub(super) async fn wipe(talk: &Talk<'_>, account: &Account, id: InstanceId) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    let screen = screens::instances::wiping(&instance, talk.language);
    Ok(talk.work(talk.state(), screen, Effect::DeleteOnServer { id }))
}

/// It is gone from its server, or not; then what is to become of it here.
async fn wiped(talk: &Talk<'_>, account: &Account, id: InstanceId, done: bool) -> Result<Turn, Refusal> {
    let instance = talk.services.instances.find(account.id, id).await?;
    if !done {
        return Ok(talk.stay(screens::instances::not_wiped(&instance, talk.language)));
    }
    talk.services.instances.note_missing(account.id, id).await?;
    let mut turn = ask_delete(talk, account, id).await?;
    for shown in &mut turn.show {
        if let Outgoing::Send(screen) | Outgoing::Edit(_, screen) | Outgoing::Live(_, screen) = shown {
            *screen = screen.clone().below(t!(talk.language, "wiped", name = instance.name.as_str()));
        }
    }
    Ok(turn)
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
    Ok(talk.go(talk.left(), list.below(html)))
}

/// An effect came back.
pub(super) async fn found(talk: &Talk<'_>, account: &Account, finding: &Finding) -> Result<Turn, Refusal> {
    match (finding, talk.state()) {
        (Finding::Draft { run, found }, State::Instance(draft)) => {
            Ok(instance_draft::tested(talk, draft, *run, found.clone()))
        }
        (Finding::Names { run, names, may_create }, State::Instance(draft)) => {
            Ok(instance_draft::names(talk, draft, *run, names.clone(), *may_create))
        }
        (Finding::Created { run, creation }, State::Instance(draft)) => {
            Ok(instance_draft::created(talk, draft, *run, creation))
        }
        (Finding::DeletedOnServer { id, done }, _) => wiped(talk, account, *id, *done).await,
        (Finding::LookedUp { origin, absent }, State::Message(draft)) => {
            Ok(message_draft::looked_up(talk, draft, origin, absent))
        }
        (Finding::Looked { id, turn }, _) => looked(talk, account, *id, *turn).await,
        (Finding::Instance { id, found: Some(found) }, state) => {
            let instance = talk.services.instances.find(account.id, *id).await?;
            Ok(talk.go(state, screens::instances::tested(&instance, found, talk.language)))
        }
        (Finding::Instance { found: None, .. }, _) => Err(Refusal::NotFound),
        // The draft it was for is gone.
        (Finding::Draft { .. } | Finding::Names { .. } | Finding::Created { .. } | Finding::LookedUp { .. }, state) => {
            Ok(Turn::new(state, Vec::new()))
        }
    }
}
