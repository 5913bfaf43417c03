//! What missed its moment: send, choose, tomorrow at the same time, drop.

use super::Talk;
use crate::domain::account::Account;
use crate::locale::{plain, t};
use crate::services::Refusal;
use crate::services::late::Answer;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::screens;
use crate::telegram::session::Turn;
use crate::telegram::tap::Tap;

/// A key of the late card: it means those that it was drawn for.
pub(super) async fn tap(talk: &Talk<'_>, account: &Account, tap: &Tap) -> Result<Turn, Refusal> {
    let (messages, chat) = (&talk.services.messages, talk.event.subject.chat);
    let (shown, answer) = match *tap {
        Tap::LateSend(shown) => (shown, Answer::Send),
        Tap::LateTomorrow(shown) => (shown, Answer::Tomorrow),
        Tap::LateDrop(shown) => (shown, Answer::Drop),
        _ => return choose(talk, account).await,
    };
    let done = match messages.answer_late(account, chat, shown, answer).await {
        Err(Refusal::Changed) => {
            let late = messages.late(account.id).await?;
            if late.count == 0 {
                return Ok(talk.toast(plain!(talk.language, "toast-nothing-late")));
            }
            let card = screens::messages::late(&late, account.zone, talk.language);
            return Ok(talk.stay(card).toast(&plain!(talk.language, "toast-changed")));
        }
        done => done?,
    };
    let said = match answer {
        Answer::Send => plain!(talk.language, "late-sent", count = done),
        Answer::Tomorrow => plain!(talk.language, "late-tomorrow", count = done),
        Answer::Drop => plain!(talk.language, "late-dropped", count = done),
    };
    let screen = Screen::new(Html::trusted(said)).line(&t!(talk.language, "late-see-messages"));
    Ok(talk.stay(screen.key(format!("📨 {}", plain!(talk.language, "messages")), &Tap::Messages(false, 0))))
}

/// The late ones one by one, as far as they go into one list.
async fn choose(talk: &Talk<'_>, account: &Account) -> Result<Turn, Refusal> {
    let messages = &talk.services.messages;
    let late = messages.late(account.id).await?;
    if late.count == 0 {
        return Ok(talk.toast(plain!(talk.language, "toast-nothing-late")));
    }
    messages.late_card_answered(talk.event.subject.chat).await?;
    Ok(talk.stay(screens::messages::choose_late(&late, account.zone, talk.language)))
}
