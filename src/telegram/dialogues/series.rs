//! Saved series: list, cards, skip, pause, resume, stop, pin, and replies to a card.

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::{Talk, message_draft};
use crate::domain::account::Account;
use crate::domain::clock::Moment;
use crate::domain::ids::{MessageId, SeriesId};
use crate::domain::series::{Rhythm, SeriesStatus};
use crate::locale::{format, plain, t};
use crate::services::Refusal;
use crate::services::series::{Shown, upcoming};
use crate::telegram::screen::Screen;
use crate::telegram::screens;
use crate::telegram::screens::series::Card;
use crate::telegram::session::Turn;
use crate::telegram::state::{MessageDraft, State};
use crate::telegram::tap::{Part, Tap};
use crate::when;

/// How many of its next moments a card shows.
pub(super) const AHEAD: usize = 3;

/// A page of the list.
pub(super) async fn list(talk: &Talk<'_>, account: &Account, page: i64) -> Result<Turn, Refusal> {
    let (rows, count) = talk.services.series.page(account.id, page).await?;
    Ok(talk.go(talk.left(), screens::series::list(&rows, page, count, talk.language)))
}

/// The card of a series, drawn.
pub(super) async fn draw(talk: &Talk<'_>, account: &Account, shown: &Shown, fresh: bool) -> Result<Screen, Refusal> {
    let series = &shown.series;
    let through = match series.instance.filter(|_| series.pinned) {
        Some(id) => talk.services.instances.find(account.id, id).await.ok(),
        None => talk.services.instances.active(account.id).await?,
    };
    let first = shown.next.as_ref().map(|one| (one.scheduled_time, one.moved));
    let after = shown.next.as_ref().map_or(series.made_to.max(talk.now), |one| one.scheduled_time);
    let mut next: Vec<(Moment, bool)> = first.into_iter().collect();
    next.extend(upcoming(&series.rhythm, series.zone, after, AHEAD - next.len()));
    let card = Card { shown, upcoming: &next, now: talk.now, through: through.as_ref(), fresh };
    Ok(screens::series::card(&card, talk.language))
}

/// A card.
pub(super) async fn card(talk: &Talk<'_>, account: &Account, id: SeriesId) -> Result<Turn, Refusal> {
    let shown = talk.services.series.find(account.id, id).await?;
    Ok(talk.go(talk.left(), draw(talk, account, &shown, false).await?))
}

/// A key of a card.
pub(super) async fn tap(talk: &Talk<'_>, account: &Account, tap: &Tap) -> Result<Turn, Refusal> {
    let (all, owner) = (&talk.services.series, account.id);
    let (id, outcome) = match *tap {
        Tap::SkipNext(id, version) => match all.skip(owner, id, version).await {
            Ok((shown, skipped)) => {
                let moment = format::moment(skipped, shown.series.zone, talk.language);
                let said = plain!(talk.language, "series-skipped", moment = moment);
                return Ok(talk.stay(draw(talk, account, &shown, false).await?).toast(&said));
            }
            Err(refusal) => (id, Err(refusal)),
        },
        Tap::PauseSeries(id, version) => (id, all.pause(owner, id, version).await),
        Tap::ResumeSeries(id, version) => (id, all.resume(owner, id, version).await.map(whole)),
        Tap::StopSeries(id, version) => (id, all.stop(owner, id, Some(version)).await),
        Tap::PinSeriesTo(id, to, version) => {
            (id, all.pin(owner, id, Some(to).filter(|to| to.0 != 0), version).await.map(whole))
        }
        Tap::PinSeries(id, version) | Tap::EditSeries(id, _, version) => {
            let shown = all.find(owner, id).await?;
            if shown.series.version != version || !shown.series.status.is_open() {
                return stale(talk, account, &shown).await;
            }
            if let Tap::EditSeries(_, part, _) = *tap {
                return message_draft::edit_series(talk, account, id, part).await;
            }
            let instances = talk.services.instances.list(owner).await?;
            return Ok(talk.stay(screens::series::pin(&shown, &instances, talk.language)));
        }
        Tap::Repeat(id) => return repeat(talk, account, id).await,
        _ => return Ok(talk.toast(plain!(talk.language, "toast-expired"))),
    };
    match outcome {
        Ok((shown, goes)) => Ok(talk.stay(ended(talk, account, &shown, goes).await?)),
        Err(Refusal::Changed) => stale(talk, account, &all.find(owner, id).await?).await,
        Err(refusal) => Err(refusal),
    }
}

/// A change that holds for all of a series.
fn whole(shown: Shown) -> (Shown, bool) {
    (shown, false)
}

/// The card after a change; where an occurrence goes all the same, it says so.
async fn ended(talk: &Talk<'_>, account: &Account, shown: &Shown, goes: bool) -> Result<Screen, Refusal> {
    let card = draw(talk, account, shown, false).await?;
    Ok(if goes { card.below(t!(talk.language, "series-last-goes")) } else { card })
}

/// The key was of an older state: the card is drawn as things stand.
async fn stale(talk: &Talk<'_>, account: &Account, shown: &Shown) -> Result<Turn, Refusal> {
    let said = if shown.series.status == SeriesStatus::Stopped {
        plain!(talk.language, "toast-series-stopped")
    } else {
        plain!(talk.language, "toast-changed")
    };
    Ok(talk.stay(draw(talk, account, shown, false).await?).toast(&said))
}

/// A message is to be repeated: a draft with its recipient and text, and usual repetitions at its hour.
async fn repeat(talk: &Talk<'_>, account: &Account, id: MessageId) -> Result<Turn, Refusal> {
    let message = talk.services.messages.find(account.id, id).await?;
    let at = message.scheduled_time.in_zone(account.zone).naive_local();
    let offered = usual(at, talk.now, account);
    let draft = MessageDraft { repeat: true, offered, ..message_draft::copy(talk, &message) };
    let screen = screens::series::ask_every(&draft.offered, account.zone, talk.language);
    Ok(talk.go(State::Message(MessageDraft { asking: Some(Part::Time), ..draft }), screen))
}

/// The usual repetitions of something that happens at a wall time.
pub(super) fn usual(at: NaiveDateTime, now: Moment, account: &Account) -> Vec<Rhythm> {
    let (hour, minute) = (at.hour(), at.minute());
    let day = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][at.weekday().num_days_from_monday() as usize % 7];
    let rules = [
        "FREQ=DAILY".to_owned(),
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR".to_owned(),
        format!("FREQ=WEEKLY;BYDAY={day}"),
        format!("FREQ=MONTHLY;BYMONTHDAY={}", at.day()),
    ];
    let rules = rules.into_iter().map(|rule| format!("{rule};BYHOUR={hour};BYMINUTE={minute}"));
    rules.filter_map(|rule| starting(rule, at.time(), now, account)).collect()
}

/// A rule as a rhythm that starts with its first occurrence after now.
pub(super) fn starting(rule: String, at: chrono::NaiveTime, now: Moment, account: &Account) -> Option<Rhythm> {
    let now = now.in_zone(account.zone);
    let from = now.date_naive().and_time(at);
    let first = when::next_after(&rule, from, account.zone, now)?;
    Some(Rhythm { rule, starts_at: first.wall })
}

/// A reply to a series' card: another rhythm, or a word that stops it.
pub(super) async fn reply(talk: &Talk<'_>, account: &Account, id: SeriesId, text: &str) -> Result<Turn, Refusal> {
    let shown = talk.services.series.find(account.id, id).await?;
    if super::messages::cancels(text) {
        let (stopped, goes) = talk.services.series.stop(account.id, id, None).await?;
        return Ok(talk.say(talk.state(), ended(talk, account, &stopped, goes).await?));
    }
    message_draft::new_rhythm(talk, account, &shown.series, text).await
}
