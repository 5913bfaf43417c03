//! What missed its moment: send, choose, tomorrow at the same time, drop.

use chrono::{Days, TimeZone};

use super::Talk;
use crate::domain::account::Account;
use crate::domain::clock::Moment;
use crate::domain::wall::Due;
use crate::locale::{plain, t};
use crate::services::Refusal;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::screens;
use crate::telegram::screens::messages::List;
use crate::telegram::session::Turn;
use crate::telegram::tap::Tap;

/// A key of the late card: it means those that it showed.
pub(super) async fn tap(talk: &Talk<'_>, account: &Account, tap: &Tap) -> Result<Turn, Refusal> {
    let messages = &talk.services.messages;
    let rows = messages.late(account.id).await?;
    if rows.is_empty() {
        return Ok(talk.toast(plain!(talk.language, "toast-nothing-late")));
    }
    if let Tap::LateSend(shown) | Tap::LateTomorrow(shown) | Tap::LateDrop(shown) = *tap
        && shown != screens::messages::which(&rows)
    {
        let card = screens::messages::late(&rows, account.zone, talk.language);
        return Ok(talk.stay(card).toast(&plain!(talk.language, "toast-changed")));
    }
    messages.late_card_answered(talk.event.subject.chat).await?;
    if *tap == Tap::LateChoose {
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let list = List {
            rows: &rows[..rows.len().min(20)],
            past: false,
            page: 0,
            waiting: count.min(6),
            gone: 0,
            series: 0,
            zone: account.zone,
        };
        return Ok(talk.stay(screens::messages::list(&list, talk.language)));
    }
    let mut done = 0_usize;
    for message in &rows {
        let outcome = match tap {
            Tap::LateSend(_) => messages.send_now(account, message.id).await,
            Tap::LateTomorrow(_) => {
                messages.reschedule(account, message.id, tomorrow(talk.now, message.scheduled_time, account)).await
            }
            _ => messages.cancel(account.id, message.id).await,
        };
        match outcome {
            Ok(_) => done += 1,
            Err(Refusal::Storage(error)) => return Err(Refusal::Storage(error)),
            // It was changed meanwhile: it is not late any more.
            Err(_) => {}
        }
    }
    let said = match tap {
        Tap::LateSend(_) => plain!(talk.language, "late-sent", count = done),
        Tap::LateTomorrow(_) => plain!(talk.language, "late-tomorrow", count = done),
        _ => plain!(talk.language, "late-dropped", count = done),
    };
    let screen = Screen::new(Html::trusted(said)).line(&t!(talk.language, "late-see-messages"));
    Ok(talk.stay(screen.key(format!("📨 {}", plain!(talk.language, "messages")), &Tap::Messages(false, 0))))
}

/// Tomorrow at the wall time it was meant for; in a gap of the clock, an hour later.
fn tomorrow(now: Moment, meant: Moment, account: &Account) -> Due {
    let day = now.in_zone(account.zone).date_naive() + Days::new(1);
    let wall = day.and_time(meant.in_zone(account.zone).time());
    let found = account.zone.from_local_datetime(&wall).earliest();
    let found = found.or_else(|| account.zone.from_local_datetime(&(wall + chrono::TimeDelta::hours(1))).earliest());
    let at = found.map_or(meant.plus(std::time::Duration::from_secs(86_400)), Into::into);
    Due::by_clocks(at, account.zone)
}
