//! An earlier message was edited: the draft that was made of it follows, or the message that waits.

use super::{Talk, message_draft, messages};
use crate::domain::account::Account;
use crate::domain::message::{Body, ScheduledMessage, Status};
use crate::domain::recipient::Recipient;
use crate::locale::{plain, t};
use crate::services::Refusal;
use crate::services::messages::Addressee;
use crate::telegram::screen::{Html, Outgoing, Screen};
use crate::telegram::screens;
use crate::telegram::session::Turn;
use crate::telegram::state::{MessageDraft, State};

/// What was edited is looked for in the draft, then among the messages.
pub(super) async fn turn(talk: &Talk<'_>, account: &Account, plain: &str, marked: &str) -> Result<Turn, Refusal> {
    let quiet = || Turn::new(talk.state(), Vec::new());
    let Some(said_in) = talk.event.message else { return Ok(quiet()) };
    let is_of = |draft: &MessageDraft| draft.id.is_none() && draft.said_in == Some(said_in.0);
    match talk.state() {
        State::Message(mut draft) if is_of(&draft) => {
            let (is_read, refused) = reread(talk, account, &mut draft, plain, marked);
            if !is_read {
                return Ok(quiet());
            }
            let mut turn = message_draft::next(talk, account, draft).await?;
            // What was edited is no message of ours: say the card anew.
            for shown in &mut turn.show {
                if let Outgoing::Edit(_, screen) = shown {
                    *shown = Outgoing::Send(screen.clone());
                }
                if let (Outgoing::Send(screen), Some(why)) = (shown, &refused) {
                    *screen = std::mem::take(screen).below(why.clone());
                }
            }
            return Ok(turn);
        }
        State::Left { draft } => {
            if let State::Message(mut draft) = *draft
                && is_of(&draft)
            {
                reread(talk, account, &mut draft, plain, marked);
                return Ok(Turn::new(State::Left { draft: Box::new(State::Message(draft)) }, Vec::new()));
            }
        }
        _ => {}
    }
    let made = talk.services.messages.said_in(account.id, talk.event.subject.chat, said_in).await?;
    let Some((_, line)) = made.first() else { return Ok(quiet()) };
    let (mut wanted, mut refused) = (MessageDraft::default(), None);
    if *line {
        let read = message_draft::read_line(talk, account, plain, marked);
        (wanted, refused) = (read.draft, read.refused);
        wanted.said_line = true;
    } else {
        wanted.body = Some(marked.to_owned());
    }
    let several = made.len() > 1;
    let mut turn = quiet();
    for (message, _) in &made {
        let screen = match follow(talk, account, message, &wanted, several).await {
            Ok(Some(screen)) => screen,
            Ok(None) => continue,
            Err(Refusal::Storage(error)) => return Err(Refusal::Storage(error)),
            Err(refusal) => Screen::new(screens::refusal::refusal(&refusal, talk.now, talk.language)),
        };
        turn = turn.and(Outgoing::Send(screen));
    }
    let open: Vec<&ScheduledMessage> =
        made.iter().map(|(message, _)| message).filter(|message| message.status.is_open()).collect();
    let is_other = refused.is_some() || (several || wanted.to.len() > 1) && differ(&open, &wanted.to);
    if !open.is_empty() && is_other {
        let stay = screens::messages::recipients_stay(&open, talk.language);
        turn = turn.and(Outgoing::Send(refused.into_iter().fold(stay, Screen::below)));
    }
    Ok(turn)
}

/// Whether others are named than those that the messages go to. To name nobody changes nothing.
fn differ(messages: &[&ScheduledMessage], wanted: &[Addressee]) -> bool {
    let goes = |to: &Recipient| messages.iter().any(|message| message.recipient == *to);
    let named = |to: &Recipient| wanted.iter().any(|other| other.recipient == *to);
    let is_new = wanted.iter().any(|to| !goes(&to.recipient));
    let is_left_out = messages.iter().any(|message| !named(&message.recipient));
    !wanted.is_empty() && (is_new || is_left_out)
}

/// Reads the text of a draft anew: whether anything came of it, and why its recipients could not be taken.
fn reread(
    talk: &Talk<'_>,
    account: &Account,
    draft: &mut MessageDraft,
    plain: &str,
    marked: &str,
) -> (bool, Option<Html>) {
    if !draft.said_line {
        let Ok(body) = Body::parse(marked) else { return (false, None) };
        draft.body = Some(body.as_str().to_owned());
        return (true, None);
    }
    let message_draft::Line { draft: read, refused, .. } = message_draft::read_line(talk, account, plain, marked);
    if !read.said_line {
        return (false, None);
    }
    if message_draft::knows_when(&read) {
        (draft.at, draft.by, draft.day) = (read.at, read.by.clone(), read.day.clone());
        draft.now = read.now;
        (draft.every, draft.when_said) = (read.every.clone(), read.when_said.clone());
    }
    if !read.to.is_empty() {
        draft.to = read.to;
    }
    if read.body.is_some() {
        draft.body = read.body;
    }
    (true, refused)
}

/// Lets one message follow; what is said of it, or nothing when nothing changed.
async fn follow(
    talk: &Talk<'_>,
    account: &Account,
    message: &ScheduledMessage,
    wanted: &MessageDraft,
    several: bool,
) -> Result<Option<Screen>, Refusal> {
    match message.status {
        Status::Cancelled => {
            return Ok(Some(Screen::new(Html::escape(&plain!(talk.language, "toast-already-cancelled")))));
        }
        Status::Sent => return Err(Refusal::AlreadySent),
        Status::Unknown => return Ok(Some(messages::draw(talk, account, message, false).await?)),
        Status::Sending => return Err(Refusal::BeingSent),
        Status::Scheduled | Status::Held | Status::Late | Status::Failed => {}
    }
    let services = &talk.services.messages;
    let body = match wanted.body.as_deref().map(Body::parse) {
        Some(Ok(body)) => body.as_str().to_owned(),
        Some(Err(error)) => return Ok(Some(Screen::new(screens::refusal::body(error, talk.language)))),
        None => message.body.clone(),
    };
    // One recipient may become another; which of several is which cannot be told.
    let to = match wanted.to.as_slice() {
        [to] if !several && to.recipient != message.recipient => to.clone(),
        _ => Addressee { recipient: message.recipient.clone(), name: message.recipient_name.clone() },
    };
    let mut changed = None;
    if body != message.body || to.recipient != message.recipient {
        let body = Body::parse(&body).map_err(|_| Refusal::Changed)?;
        changed = Some(services.rewrite(account.id, message.id, to, body).await?);
    }
    if let Some(due) = wanted.due(talk.now).filter(|due| due.at != message.scheduled_time) {
        changed = Some(services.reschedule(account, message.id, due).await?);
    }
    let (message, mut html) = match changed {
        Some(message) => (message, t!(talk.language, "edited")),
        // A time was said that cannot be taken as it stands.
        None if wanted.said_line && wanted.at.is_none() => (message.clone(), t!(talk.language, "edited-nothing")),
        None => return Ok(None),
    };
    let card = messages::draw(talk, account, &message, false).await?;
    html.line(&card.html);
    Ok(Some(Screen { html, ..card }))
}
