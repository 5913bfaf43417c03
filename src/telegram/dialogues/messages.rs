//! Saved messages: lists, cards, cancel, send now, pin, and replies to a card.

use super::{Talk, message_draft};
use crate::domain::account::Account;
use crate::domain::ids::{InstanceId, MessageId};
use crate::domain::message::{ScheduledMessage, Search, Status};
use crate::locale::{plain, t};
use crate::services::Refusal;
use crate::telegram::command::Command;
use crate::telegram::screen::Screen;
use crate::telegram::screens;
use crate::telegram::screens::messages::{Card, List};
use crate::telegram::session::Turn;
use crate::telegram::tap::Part;

/// A page of a list.
pub(super) async fn list(talk: &Talk<'_>, account: &Account, past: bool, page: i64) -> Result<Turn, Refusal> {
    let (rows, waiting, gone) = talk.services.messages.page(account.id, past, page).await?;
    let series = talk.services.series.count(account.id).await?;
    let list = List { rows: &rows, past, page, waiting, gone, series, zone: account.zone };
    Ok(talk.go(talk.left(), screens::messages::list(&list, talk.language)))
}

/// The card of a message, drawn.
pub(super) async fn draw(
    talk: &Talk<'_>,
    account: &Account,
    message: &ScheduledMessage,
    fresh: bool,
) -> Result<Screen, Refusal> {
    let through = match message.goes_through() {
        Some(id) => talk.services.instances.find(account.id, id).await.ok(),
        None if message.pinned => None,
        None => talk.services.instances.active(account.id).await?,
    };
    let card = Card { message, through: through.as_ref(), now: talk.now, zone: account.zone, fresh };
    Ok(screens::messages::card(&card, talk.language))
}

/// A card.
pub(super) async fn card(talk: &Talk<'_>, account: &Account, id: MessageId) -> Result<Turn, Refusal> {
    let message = talk.services.messages.find(account.id, id).await?;
    Ok(talk.go(talk.left(), draw(talk, account, &message, false).await?))
}

/// Redraws a card when the tap was of an older state of its message.
async fn current(talk: &Talk<'_>, account: &Account, id: MessageId, version: i64) -> Result<Option<Turn>, Refusal> {
    let message = talk.services.messages.find(account.id, id).await?;
    if version == message.version && message.status != Status::Cancelled {
        return Ok(None);
    }
    stale(talk, account, &message).await.map(Some)
}

/// The card as things stand, and in passing what became of the message.
async fn stale(talk: &Talk<'_>, account: &Account, message: &ScheduledMessage) -> Result<Turn, Refusal> {
    let said = match message.status {
        Status::Cancelled => plain!(talk.language, "toast-already-cancelled"),
        Status::Sent => plain!(talk.language, "toast-already-sent"),
        Status::Sending => plain!(talk.language, "toast-being-sent"),
        _ => plain!(talk.language, "toast-changed"),
    };
    Ok(talk.stay(draw(talk, account, message, false).await?).toast(&said))
}

/// The card after a change, or as things stand where another change came first.
async fn changed(
    talk: &Talk<'_>,
    account: &Account,
    id: MessageId,
    outcome: Result<ScheduledMessage, Refusal>,
) -> Result<Turn, Refusal> {
    match outcome {
        Ok(message) => Ok(talk.stay(draw(talk, account, &message, false).await?)),
        Err(Refusal::Changed | Refusal::BeingSent | Refusal::AlreadySent) => {
            let message = talk.services.messages.find(account.id, id).await?;
            stale(talk, account, &message).await
        }
        Err(refusal) => Err(refusal),
    }
}

/// Cancels it.
pub(super) async fn cancel(talk: &Talk<'_>, account: &Account, id: MessageId, version: i64) -> Result<Turn, Refusal> {
    if let Some(turn) = current(talk, account, id, version).await? {
        return Ok(turn);
    }
    let outcome = talk.services.messages.cancel_as_seen(account.id, id, Some(version)).await;
    changed(talk, account, id, outcome).await
}

/// Sends it now, or again.
pub(super) async fn send_now(talk: &Talk<'_>, account: &Account, id: MessageId, version: i64) -> Result<Turn, Refusal> {
    if let Some(turn) = current(talk, account, id, version).await? {
        return Ok(turn);
    }
    let outcome = talk.services.messages.send_as_seen(account, id, Some(version)).await;
    changed(talk, account, id, outcome).await
}

/// An unknown one arrived.
pub(super) async fn arrived(talk: &Talk<'_>, account: &Account, id: MessageId, version: i64) -> Result<Turn, Refusal> {
    if let Some(turn) = current(talk, account, id, version).await? {
        return Ok(turn);
    }
    let outcome = talk.services.messages.arrived_as_seen(account.id, id, Some(version)).await;
    changed(talk, account, id, outcome).await
}

/// Edits a part of a waiting one.
pub(super) async fn edit(
    talk: &Talk<'_>,
    account: &Account,
    id: MessageId,
    part: Part,
    version: i64,
) -> Result<Turn, Refusal> {
    match current(talk, account, id, version).await? {
        Some(turn) => Ok(turn),
        None => message_draft::edit(talk, account, id, part).await,
    }
}

/// The attempts of a message.
pub(super) async fn history(talk: &Talk<'_>, account: &Account, id: MessageId) -> Result<Turn, Refusal> {
    talk.services.messages.find(account.id, id).await?;
    let (attempts, earlier) = talk.services.messages.attempts(account.id, id).await?;
    Ok(talk.stay(screens::messages::history(id, &attempts, earlier, account.zone, talk.language)))
}

/// Asks to which instance it is pinned.
pub(super) async fn ask_pin(talk: &Talk<'_>, account: &Account, id: MessageId, version: i64) -> Result<Turn, Refusal> {
    if let Some(turn) = current(talk, account, id, version).await? {
        return Ok(turn);
    }
    let message = talk.services.messages.find(account.id, id).await?;
    let instances = talk.services.instances.list(account.id).await?;
    Ok(talk.stay(screens::messages::pin(&message, &instances, talk.language)))
}

/// Pins it.
pub(super) async fn pin(
    talk: &Talk<'_>,
    account: &Account,
    id: MessageId,
    to: InstanceId,
    version: i64,
) -> Result<Turn, Refusal> {
    if let Some(turn) = current(talk, account, id, version).await? {
        return Ok(turn);
    }
    let to = (to.0 != 0).then_some(to);
    let outcome = talk.services.messages.pin_as_seen(account.id, id, to, Some(version)).await;
    changed(talk, account, id, outcome).await
}

/// Whether a reply to a card cancels.
pub(super) fn cancels(text: &str) -> bool {
    let word = text.trim().trim_start_matches('/').to_lowercase();
    ["cancela", "cancele", "cancelar", "cancel", "cancelá"].contains(&word.as_str())
        || Command::read(&word) == Some(Command::Cancel)
}

/// A reply to a card: a new time, or a word that cancels.
pub(super) async fn reply(talk: &Talk<'_>, account: &Account, text: &str, marked: &str) -> Result<Turn, Refusal> {
    let Some(id) = talk.replied_card().await? else {
        return match talk.replied_series().await? {
            Some(id) => super::series::reply(talk, account, id, text).await,
            None => message_draft::one_line(talk, account, text, marked).await,
        };
    };
    let message = talk.services.messages.find(account.id, id).await?;
    if cancels(text) {
        let message = talk.services.messages.cancel(account.id, id).await?;
        return Ok(talk.say_changed(talk.state(), draw(talk, account, &message, false).await?));
    }
    if !message.status.is_open() && message.status != Status::Unknown && message.status != Status::Cancelled {
        return Ok(talk.say(talk.state(), Screen::new(t!(talk.language, "refusal-already-sent"))));
    }
    // It may have arrived: that is found out before it goes a second time.
    if message.search != Search::Not {
        return Ok(talk.say(talk.state(), draw(talk, account, &message, false).await?));
    }
    message_draft::new_time(talk, account, &message, text).await
}
