//! A new message, or an edit of a waiting one: to whom → what → when → confirm.

use chrono::NaiveDate;
use std::time::Duration;

use super::when_reply::{Heard, hours, quick, read_time};
use super::{Talk, messages, series};
use crate::domain::account::Account;
use crate::domain::clock::Moment;
use crate::domain::ids::{MessageId, SeriesId, TelegramMessageId};
use crate::domain::language::Language;
use crate::domain::message::{Body, ScheduledMessage};
use crate::domain::recipient::Recipient;
use crate::domain::series::Series;
use crate::domain::wall::Due;
use crate::locale::{plain, t};
use crate::services::Refusal;
use crate::services::instances::Instance;
use crate::services::messages::{Addressee, Said};
use crate::services::series::{Shown, upcoming};
use crate::telegram::effects::Effect;
use crate::telegram::event::Input;
use crate::telegram::screen::{Html, Screen};
use crate::telegram::screens;
use crate::telegram::screens::messages::{Confirm, Plan};
use crate::telegram::session::Turn;
use crate::telegram::state::{MessageDraft, State};
use crate::telegram::tap::{Part, Tap};
use crate::when::{self, Grain, Meaning, Question};

/// A text this long may be the first piece of a longer one: Telegram cuts at 4,096.
const MAYBE_MORE: usize = 4_000;

/// How many recipients one draft may have.
const MOST_RECIPIENTS: usize = 50;

fn fresh(talk: &Talk<'_>) -> MessageDraft {
    let (chat, update) = (talk.event.subject.chat, talk.event.update);
    MessageDraft { origin: format!("tg:{chat}:{}", update.0), ..MessageDraft::default() }
}

/// Starts a message; what stands behind the command is read as one line.
pub(super) async fn start(talk: &Talk<'_>, account: &Account, args: &str) -> Result<Turn, Refusal> {
    if args.trim().is_empty() {
        return next(talk, account, fresh(talk)).await;
    }
    begin(talk, account, read_line(talk, account, args, args)).await
}

/// Goes on with what one line said; recipients that could not be taken are asked for.
pub(super) async fn begin(talk: &Talk<'_>, account: &Account, line: Line) -> Result<Turn, Refusal> {
    match line.refused {
        Some(why) => ask_to_again(talk, account, line.draft, why).await,
        None => next(talk, account, line.draft).await,
    }
}

/// Anything said while idle starts a draft with it.
pub(super) async fn one_line(talk: &Talk<'_>, account: &Account, text: &str, marked: &str) -> Result<Turn, Refusal> {
    let line = read_line(talk, account, text, marked);
    let draft = &line.draft;
    if draft.to.is_empty() && !knows_when(draft) && draft.body.is_none() && line.refused.is_none() {
        return Ok(talk.stay(Screen::new(t!(talk.language, "not-understood"))));
    }
    begin(talk, account, line).await
}

/// A contact card sent while idle.
pub(super) async fn with_contact(talk: &Talk<'_>, account: &Account, phone: &str, name: &str) -> Result<Turn, Refusal> {
    let draft = fresh(talk);
    add_contact(talk, account, draft, phone, name).await
}

/// What one line says.
pub(super) struct Line {
    /// What was understood.
    pub draft: MessageDraft,
    /// Why the numbers that it names could not be taken; none of them is part of the text.
    pub refused: Option<Html>,
    /// A colon stands before the text, or there is no text.
    closed: bool,
}

/// Reads what one line says of time, recipient and text; the rest is asked.
pub(super) fn read_line(talk: &Talk<'_>, account: &Account, text: &str, marked: &str) -> Line {
    let mut draft = fresh(talk);
    let split = when::split(text, talk.now.in_zone(account.zone), talk.language);
    let mut refused = None;
    if let Some(to) = &split.to {
        let above = text.find(to.as_str()).map_or(0, |at| text[..at].matches('\n').count());
        match recipients(to, above, account, talk.language) {
            Ok(to) => draft.to = to,
            // A name alone is asked about like any other that is missing.
            Err(why) => refused = Some(why).filter(|_| to.contains(|c: char| c.is_ascii_digit())),
        }
    }
    let before = split.body.as_deref().and_then(|body| text.trim_end().strip_suffix(body));
    let closed = split.body.is_none() || before.is_some_and(|before| before.trim_end().ends_with(':'));
    if let Some(reading) = split.when {
        match reading.meaning {
            Meaning::At(at, grain) if grain != Grain::Day => {
                let due = Due { at: at.into(), by: reading.zone };
                draft.goes(due, talk.now);
            }
            Meaning::At(at, _) => draft.day = Some(at.date_naive().to_string()),
            Meaning::Unclear { question: Question::Hour(day), .. } => draft.day = Some(day.to_string()),
            Meaning::Nothing => {}
            // It repeats, or something about it is to be asked back when its turn comes.
            _ => draft.when_said = text.get(reading.span).map(str::to_owned),
        }
    }
    if let Some(said) = &draft.when_said
        && let Heard::Every(rhythm) = read_time(talk, account, None, None, said)
    {
        draft.every = Some(rhythm);
        draft.when_said = None;
    }
    let understood = !draft.to.is_empty() || refused.is_some() || knows_when(&draft);
    // A text that is neither addressed nor timed is the message itself.
    let body = if understood { split.body } else { Some(marked.to_owned()) };
    draft.body = body.filter(|body| Body::parse(body).is_ok());
    draft.said_in = talk.event.message.map(|m| m.0);
    draft.said_line = understood;
    Line { draft, refused, closed }
}

/// Whether something about the time was said.
pub(super) fn knows_when(draft: &MessageDraft) -> bool {
    draft.at.is_some() || draft.day.is_some() || draft.every.is_some() || draft.when_said.is_some()
}

/// Asks what is missing, or shows the confirm card.
pub(super) async fn next(talk: &Talk<'_>, account: &Account, mut draft: MessageDraft) -> Result<Turn, Refusal> {
    let part = if draft.to.is_empty() {
        Some(Part::To)
    } else if draft.body.is_none() || draft.more {
        Some(Part::Text)
    } else if draft.at.is_none() && draft.every.is_none() {
        Some(Part::Time)
    } else {
        None
    };
    match part {
        Some(part) => ask(talk, account, draft, part).await,
        None => {
            draft.asking = None;
            confirm(talk, account, draft).await
        }
    }
}

async fn ask(talk: &Talk<'_>, account: &Account, mut draft: MessageDraft, part: Part) -> Result<Turn, Refusal> {
    draft.asking = Some(part);
    if part == Part::Time
        && let Some(said) = draft.when_said.take()
    {
        return Box::pin(time(talk, account, draft, &said)).await;
    }
    if part == Part::To {
        draft.recent = talk.services.messages.recent(account.id).await?;
    }
    let screen = question_of(talk, account, &draft, part);
    Ok(talk.go(State::Message(draft), screen))
}

/// What a draft awaits.
pub(super) async fn question(talk: &Talk<'_>, account: &Account, draft: &MessageDraft) -> Result<Screen, Refusal> {
    match draft.asking {
        Some(part) => Ok(question_of(talk, account, draft, part)),
        None => Ok(confirm_card(talk, account, draft).await?.0),
    }
}

fn question_of(talk: &Talk<'_>, account: &Account, draft: &MessageDraft, part: Part) -> Screen {
    let (language, zone) = (talk.language, account.zone);
    match part {
        Part::To => screens::messages::ask_to(&draft.recent, draft.is_of_one(), language),
        Part::Text if draft.more => {
            let length = draft.body.as_deref().map_or(0, |body| body.chars().count());
            screens::messages::ask_more(length, language)
        }
        Part::Text => screens::messages::ask_text(language),
        Part::Time => {
            if let Some(said) = &draft.every_said
                && let Heard::EveryDay(rhythm, offered) = read_time(talk, account, None, None, said)
            {
                return screens::series::ask_every_hour(&rhythm, &offered, zone, language);
            }
            if draft.repeat {
                return screens::series::ask_every(&draft.offered, zone, language);
            }
            match draft.day.as_deref().and_then(|day| day.parse().ok()) {
                Some(day) => screens::messages::ask_which(
                    ask_hour(day, language),
                    &hours(day, talk.now, account),
                    zone,
                    language,
                ),
                None => screens::messages::ask_when(&quick(talk.now, account), zone, language),
            }
        }
    }
}

fn ask_hour(day: NaiveDate, language: Language) -> Html {
    t!(language, "ask-hour", day = crate::locale::format::day(day, language))
}

/// Asks the same again, after saying why.
async fn again(talk: &Talk<'_>, account: &Account, draft: MessageDraft, why: Html) -> Result<Turn, Refusal> {
    let screen = question(talk, account, &draft).await?.because(why);
    Ok(talk.go(State::Message(draft), screen))
}

/// The confirm card, and what it would leave through.
async fn confirm_card(
    talk: &Talk<'_>,
    account: &Account,
    draft: &MessageDraft,
) -> Result<(Screen, Option<Instance>), Refusal> {
    let through = talk.services.instances.active(account.id).await?;
    let (now, zone) = (talk.now, account.zone);
    let next = draft.every.as_ref().map(|rhythm| upcoming(rhythm, zone, now, series::AHEAD)).unwrap_or_default();
    let plan = match &draft.every {
        Some(rhythm) => Plan::Every { rhythm, upcoming: &next },
        None => Plan::Once(draft.at.unwrap_or(now)),
    };
    let (to, body) = (draft.to.as_slice(), draft.body.as_deref().unwrap_or_default());
    let screen =
        screens::messages::confirm(&Confirm { to, body, plan, now, zone, through: through.as_ref() }, talk.language);
    Ok((screen, through))
}

async fn confirm(talk: &Talk<'_>, account: &Account, mut draft: MessageDraft) -> Result<Turn, Refusal> {
    let (screen, through) = confirm_card(talk, account, &draft).await?;
    let unknown = if through.is_some() { unseen(&draft) } else { Vec::new() };
    if unknown.is_empty() {
        return Ok(talk.go(State::Message(draft), screen));
    }
    draft.looked_up.extend(unknown.iter().cloned());
    let effect = Effect::LookUp { origin: draft.origin.clone(), numbers: unknown };
    Ok(talk.go(State::Message(draft), screen).effect(effect))
}

/// The numbers of a draft that were not asked about yet.
fn unseen(draft: &MessageDraft) -> Vec<String> {
    let numbers = draft.to.iter().filter_map(|to| match &to.recipient {
        Recipient::Phone(digits) => Some(digits.clone()),
        Recipient::Group(_) => None,
    });
    numbers.filter(|number| !draft.looked_up.contains(number)).collect()
}

/// The server knows which numbers have no WhatsApp: a warning below the card; the choice stays with the person.
pub(super) fn looked_up(talk: &Talk<'_>, draft: MessageDraft, origin: &str, absent: &[String]) -> Turn {
    let to: Vec<_> = draft
        .to
        .iter()
        .filter(|to| absent.iter().any(|number| number == to.recipient.as_str()))
        .map(screens::messages::addressee)
        .collect();
    if draft.origin != origin || to.is_empty() || draft.asking.is_some() {
        return Turn::new(talk.state(), Vec::new());
    }
    Turn::say(State::Message(draft), screens::messages::without_whatsapp(&to, talk.language))
}

/// Reads recipients, by comma, semicolon or line. A refusal names the entry and, where there are several lines, its line,
/// with `above` lines before the first.
fn recipients(text: &str, above: usize, account: &Account, language: Language) -> Result<Vec<Addressee>, Html> {
    let mut to: Vec<Addressee> = Vec::new();
    let several = above > 0 || text.trim().contains('\n');
    for (n, line) in text.split('\n').enumerate() {
        for said in entries(line) {
            let recipient = Recipient::parse(said, &account.region).map_err(|error| {
                let why = screens::refusal::recipient(said, &error, language);
                if several { screens::refusal::in_line(above + n + 1, &why, language) } else { why }
            })?;
            if to.iter().all(|other| other.recipient != recipient) {
                to.push(Addressee { recipient, name: String::new() });
            }
        }
    }
    match to.len() {
        0 => Err(t!(language, "to-not-a-number", said = screens::messages::preview(text, 60))),
        n if n > MOST_RECIPIENTS => Err(t!(language, "to-too-many", limit = MOST_RECIPIENTS, count = n)),
        _ => Ok(to),
    }
}

/// The entries of a list, by comma, semicolon or line.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '\n']).map(str::trim).filter(|said| !said.is_empty())
}

/// Whether several are named, one of them at least a number.
fn is_list(text: &str, account: &Account) -> bool {
    entries(text).count() > 1 && entries(text).any(|said| Recipient::parse(said, &account.region).is_ok())
}

/// Asks for the recipients again, after saying why those that were said could not be taken.
async fn ask_to_again(talk: &Talk<'_>, account: &Account, mut draft: MessageDraft, why: Html) -> Result<Turn, Refusal> {
    draft.asking = Some(Part::To);
    draft.recent = talk.services.messages.recent(account.id).await?;
    again(talk, account, draft, why).await
}

/// The recipients were said, or the whole request in one line where nothing was said yet.
async fn to(
    talk: &Talk<'_>,
    account: &Account,
    mut draft: MessageDraft,
    text: &str,
    marked: &str,
) -> Result<Turn, Refusal> {
    let why = match recipients(text, 0, account, talk.language) {
        Ok(to) if draft.is_of_one() && to.len() > 1 => t!(talk.language, "to-one-only", count = to.len()),
        Ok(to) => {
            draft.to = to;
            return changed(talk, account, draft).await;
        }
        Err(why) => why,
    };
    if draft.body.is_some() || knows_when(&draft) {
        return again(talk, account, draft, why).await;
    }
    let line = read_line(talk, account, text, marked);
    // What stands in a list and is no number is no text.
    let is_request = !line.draft.to.is_empty() && (line.closed || !is_list(text, account));
    if is_request || line.refused.is_some() {
        return begin(talk, account, line).await;
    }
    again(talk, account, draft, why).await
}

async fn add_contact(
    talk: &Talk<'_>,
    account: &Account,
    mut draft: MessageDraft,
    phone: &str,
    name: &str,
) -> Result<Turn, Refusal> {
    // A card's number is international, with or without its plus.
    let recipient = Recipient::parse(&format!("+{}", phone.trim_start_matches('+')), &account.region)
        .or_else(|_| Recipient::parse(phone, &account.region));
    match recipient {
        Ok(recipient) => {
            draft.to = vec![Addressee { recipient, name: name.chars().take(64).collect() }];
            changed(talk, account, draft).await
        }
        Err(error) => {
            ask_to_again(talk, account, draft, screens::refusal::recipient(phone, &error, talk.language)).await
        }
    }
}

/// Something was said to the draft.
pub(super) async fn answer(
    talk: &Talk<'_>,
    account: &Account,
    draft: MessageDraft,
    input: &Input,
) -> Result<Turn, Refusal> {
    match (draft.asking, input) {
        (Some(Part::To), Input::Contact { phone, name }) => add_contact(talk, account, draft, phone, name).await,
        (Some(Part::To), Input::Text { plain, marked }) => to(talk, account, draft, plain, marked).await,
        (Some(Part::Text), Input::Text { marked, .. }) => text(talk, account, draft, marked).await,
        (Some(Part::Time), Input::Text { plain, .. }) => time(talk, account, draft, plain).await,
        // At the confirm card a new time may simply be said.
        (None, Input::Text { plain, .. }) => time(talk, account, draft, plain).await,
        (_, Input::Edited { .. }) => Ok(Turn::new(talk.state(), Vec::new())),
        _ => again(talk, account, draft, t!(talk.language, "send-as-text")).await,
    }
}

async fn text(talk: &Talk<'_>, account: &Account, mut draft: MessageDraft, said: &str) -> Result<Turn, Refusal> {
    let whole = match draft.body.as_deref().filter(|_| draft.more) {
        Some(before) => format!("{before}{said}"),
        None => said.to_owned(),
    };
    let body = match Body::parse(&whole) {
        Ok(body) => body,
        Err(error) => return again(talk, account, draft, screens::refusal::body(error, talk.language)).await,
    };
    let length = body.as_str().chars().count();
    draft.more = said.chars().count() >= MAYBE_MORE || draft.more;
    draft.said_in = if draft.more { None } else { talk.event.message.map(|m| m.0) };
    draft.said_line = false;
    draft.body = Some(body.as_str().to_owned());
    if draft.more {
        draft.asking = Some(Part::Text);
        return Ok(talk.go(State::Message(draft), screens::messages::ask_more(length, talk.language)));
    }
    changed(talk, account, draft).await
}

async fn time(talk: &Talk<'_>, account: &Account, mut draft: MessageDraft, text: &str) -> Result<Turn, Refusal> {
    let day = draft.day.as_deref().and_then(|day| day.parse().ok());
    let language = talk.language;
    match read_time(talk, account, day, draft.every_said.as_deref(), text) {
        Heard::Every(rhythm) => {
            (draft.every, draft.at, draft.day, draft.every_said) = (Some(rhythm), None, None, None);
            // A waiting message that is to repeat becomes a series.
            draft.replaces = draft.replaces.or(draft.id.take());
            changed(talk, account, draft).await
        }
        Heard::EveryDay(rhythm, offered) => {
            (draft.asking, draft.every_said) = (Some(Part::Time), Some(text.to_owned()));
            let screen = screens::series::ask_every_hour(&rhythm, &offered, account.zone, language);
            draft.offered = offered;
            Ok(talk.go(State::Message(draft), screen))
        }
        Heard::At(_) | Heard::Day(_) | Heard::Ask(..) if draft.repeat => {
            draft.asking = Some(Part::Time);
            again(talk, account, draft, t!(language, "ask-every-again")).await
        }
        Heard::At(due) => {
            draft.goes(due, talk.now);
            changed(talk, account, draft).await
        }
        Heard::Day(day) => {
            draft.day = Some(day.to_string());
            ask(talk, account, draft, Part::Time).await
        }
        Heard::Ask(question, candidates) => {
            draft.asking = Some(Part::Time);
            let screen = screens::messages::ask_which(question, &candidates, account.zone, language);
            Ok(talk.go(State::Message(draft), screen))
        }
        Heard::Refused(why) => {
            draft.asking = Some(Part::Time);
            again(talk, account, draft, why).await
        }
    }
}

/// A part is known now: an edit of what is saved is saved too, a draft goes on.
async fn changed(talk: &Talk<'_>, account: &Account, draft: MessageDraft) -> Result<Turn, Refusal> {
    let edited = (draft.series, draft.id);
    let saved = match edited {
        (Some(id), _) => changed_series(talk, account, id, draft).await,
        (None, Some(id)) => changed_message(talk, account, id, draft).await,
        (None, None) => return Box::pin(next(talk, account, draft)).await,
    };
    match saved {
        Err(why @ (Refusal::AlreadySent | Refusal::BeingSent | Refusal::Changed | Refusal::NotFound)) => {
            ended(talk, account, edited, &why).await
        }
        saved => saved,
    }
}

/// What was edited cannot be changed any more: the edit is over, and its card is shown as things stand.
async fn ended(
    talk: &Talk<'_>,
    account: &Account,
    edited: (Option<SeriesId>, Option<MessageId>),
    why: &Refusal,
) -> Result<Turn, Refusal> {
    let mut said = match why {
        // The card follows: nothing is to be looked for elsewhere.
        Refusal::Changed => t!(talk.language, "toast-changed"),
        why => screens::refusal::refusal(why, talk.now, talk.language),
    };
    let next = match talk.state() {
        State::Message(_) => State::Idle,
        other => other,
    };
    let card = match edited {
        (Some(id), _) => match talk.services.series.find(account.id, id).await {
            Ok(shown) => series::draw(talk, account, &shown, false).await,
            Err(refusal) => Err(refusal),
        },
        (None, Some(id)) => match talk.services.messages.find(account.id, id).await {
            Ok(message) => messages::draw(talk, account, &message, false).await,
            Err(refusal) => Err(refusal),
        },
        (None, None) => Err(Refusal::NotFound),
    };
    match card {
        Ok(card) => {
            said.line(&t!(talk.language, "edit-ended"));
            Ok(talk.go(next, card.below(said)))
        }
        Err(Refusal::NotFound) => Ok(talk.go(next, screens::with_home(Screen::new(said), talk.language))),
        Err(refusal) => Err(refusal),
    }
}

/// A part of a waiting message is known now: it is saved.
async fn changed_message(
    talk: &Talk<'_>,
    account: &Account,
    id: MessageId,
    draft: MessageDraft,
) -> Result<Turn, Refusal> {
    let services = &talk.services.messages;
    let message = match draft.asking {
        Some(Part::Time) | None => match draft.due(talk.now) {
            Some(due) if due.at <= talk.now && !draft.now => return Ok(past(talk, account, draft, due.at)),
            Some(due) => services.reschedule(account, id, due).await?,
            None => return Err(Refusal::Changed),
        },
        Some(Part::Text | Part::To) => {
            let body = draft.body.as_deref().and_then(|body| Body::parse(body).ok()).ok_or(Refusal::Changed)?;
            let to = draft.to.into_iter().next().ok_or(Refusal::Changed)?;
            services.rewrite(account.id, id, to, body).await?
        }
    };
    let card = messages::draw(talk, account, &message, false).await?;
    Ok(match talk.state() {
        State::Message(_) => talk.go(State::Idle, card),
        // It was said in reply to a card.
        _ => talk.say_changed(State::Idle, card),
    })
}

/// A part of a series is known now: it is saved.
async fn changed_series(
    talk: &Talk<'_>,
    account: &Account,
    id: SeriesId,
    draft: MessageDraft,
) -> Result<Turn, Refusal> {
    let all = &talk.services.series;
    let shown = match (draft.asking, draft.every) {
        (Some(Part::Time) | None, Some(rhythm)) => all.reschedule(account, id, rhythm).await?,
        (Some(Part::Text | Part::To), _) => {
            let body = draft.body.as_deref().and_then(|body| Body::parse(body).ok()).ok_or(Refusal::Changed)?;
            let to = draft.to.into_iter().next().ok_or(Refusal::Changed)?;
            all.rewrite(account.id, id, to, body).await?
        }
        (Some(Part::Time) | None, None) => return Err(Refusal::Changed),
    };
    Ok(talk.go(State::Idle, series::draw(talk, account, &shown, false).await?))
}

fn past(talk: &Talk<'_>, account: &Account, mut draft: MessageDraft, at: Moment) -> Turn {
    (draft.at, draft.day, draft.every, draft.every_said) = (None, None, None, None);
    draft.asking = Some(Part::Time);
    let why = t!(talk.language, "when-past", moment = crate::locale::format::moment(at, account.zone, talk.language));
    let mut offered = vec![talk.now.plus(Duration::from_secs(60))];
    offered.extend(quick(talk.now, account));
    let screen = screens::messages::ask_which(why, &offered, account.zone, talk.language);
    talk.go(State::Message(draft), screen)
}

/// A recent recipient is taken.
pub(super) async fn take(
    talk: &Talk<'_>,
    account: &Account,
    mut draft: MessageDraft,
    index: i64,
) -> Result<Turn, Refusal> {
    let to = usize::try_from(index).ok().and_then(|n| draft.recent.get(n)).cloned();
    match (draft.asking, to) {
        (Some(Part::To), Some(to)) => {
            draft.to = vec![to];
            changed(talk, account, draft).await
        }
        _ => Ok(talk.toast(plain!(talk.language, "toast-expired"))),
    }
}

/// A key of the draft.
pub(super) async fn tap(talk: &Talk<'_>, account: &Account, tap: &Tap) -> Result<Turn, Refusal> {
    let State::Message(mut draft) = talk.state() else {
        // Most often it was confirmed by the tap before.
        return Ok(talk.toast(match tap {
            Tap::Confirm => plain!(talk.language, "toast-nothing-to-confirm"),
            _ => plain!(talk.language, "toast-expired"),
        }));
    };
    match tap {
        Tap::DraftPart(part) => {
            if *part == Part::Time {
                (draft.day, draft.every_said) = (None, None);
            }
            ask(talk, account, draft, *part).await
        }
        Tap::Finished if draft.body.is_some() => {
            draft.more = false;
            changed(talk, account, draft).await
        }
        Tap::Pick(at) => {
            let at = Moment(*at);
            // What a key shows is a wall time.
            if at <= talk.now {
                return Ok(past(talk, account, draft, at));
            }
            draft.goes(Due::by_clocks(at, account.zone), talk.now);
            changed(talk, account, draft).await
        }
        Tap::PickEvery(n) if draft.asking == Some(Part::Time) => {
            let taken = usize::try_from(*n).ok().and_then(|n| draft.offered.get(n)).cloned();
            let Some(rhythm) = taken else { return Ok(talk.toast(plain!(talk.language, "toast-expired"))) };
            (draft.every, draft.at, draft.day, draft.every_said) = (Some(rhythm), None, None, None);
            draft.replaces = draft.replaces.or(draft.id.take());
            changed(talk, account, draft).await
        }
        Tap::Confirm if draft.asking.is_none() && draft.id.is_none() && draft.series.is_none() => {
            schedule(talk, account, draft).await
        }
        _ => Ok(talk.toast(plain!(talk.language, "toast-expired"))),
    }
}

/// Starts the series of a draft; the message that it takes the place of is cancelled.
async fn start_series(talk: &Talk<'_>, account: &Account, draft: MessageDraft, body: &Body) -> Result<Turn, Refusal> {
    let Some(rhythm) = &draft.every else { return Box::pin(next(talk, account, draft)).await };
    let (all, chat) = (&talk.services.series, talk.event.subject.chat);
    let ids = all.start(account, chat, &draft.to, body, rhythm, &draft.origin).await?;
    if let Some(message) = draft.replaces {
        // Where it has gone meanwhile, the series goes on by itself.
        if let Err(Refusal::Storage(error)) = talk.services.messages.cancel(account.id, message).await {
            return Err(Refusal::Storage(error));
        }
    }
    let mut made: Vec<Shown> = Vec::with_capacity(ids.len());
    for id in ids {
        made.push(all.find(account.id, id).await?);
    }
    let screen = match made.as_slice() {
        [one] => series::draw(talk, account, one, true).await?,
        many => screens::series::started_many(many, talk.language),
    };
    Ok(talk.go(State::Idle, screen))
}

async fn schedule(talk: &Talk<'_>, account: &Account, draft: MessageDraft) -> Result<Turn, Refusal> {
    if let (Some(_), Some(Ok(body))) = (&draft.every, draft.body.as_deref().map(Body::parse)) {
        return start_series(talk, account, draft, &body).await;
    }
    let (Some(due), Some(Ok(body))) = (draft.due(talk.now), draft.body.as_deref().map(Body::parse)) else {
        return Box::pin(next(talk, account, draft)).await;
    };
    if due.at <= talk.now && !draft.now {
        return Ok(past(talk, account, draft, due.at));
    }
    let services = &talk.services.messages;
    let said =
        Said { chat: talk.event.subject.chat, message: draft.said_in.map(TelegramMessageId), line: draft.said_line };
    let ids = services.schedule(account, said, &draft.to, &body, due, &draft.origin).await?;
    let mut made: Vec<ScheduledMessage> = Vec::with_capacity(ids.len());
    for id in ids {
        made.push(services.find(account.id, id).await?);
    }
    let screen = match made.as_slice() {
        [one] => messages::draw(talk, account, one, true).await?,
        many => screens::messages::scheduled_many(many, due.at, account.zone, talk.language),
    };
    Ok(talk.go(State::Idle, screen))
}

/// Edits a part of a waiting message.
pub(super) async fn edit(talk: &Talk<'_>, account: &Account, id: MessageId, part: Part) -> Result<Turn, Refusal> {
    let message = talk.services.messages.find(account.id, id).await?;
    if !message.status.is_open() {
        return Err(Refusal::AlreadySent);
    }
    let draft = MessageDraft { id: Some(id), ..copy(talk, &message) };
    ask(talk, account, draft, part).await
}

/// Edits a part of a series.
pub(super) async fn edit_series(talk: &Talk<'_>, account: &Account, id: SeriesId, part: Part) -> Result<Turn, Refusal> {
    let shown = talk.services.series.find(account.id, id).await?;
    if !shown.series.status.is_open() {
        return Err(Refusal::Changed);
    }
    ask(talk, account, of_series(talk, account, &shown.series), part).await
}

/// A reply to a series' card says another rhythm.
pub(super) async fn new_rhythm(
    talk: &Talk<'_>,
    account: &Account,
    series: &Series,
    text: &str,
) -> Result<Turn, Refusal> {
    if !series.status.is_open() {
        return Err(Refusal::Changed);
    }
    let draft = MessageDraft { asking: Some(Part::Time), ..of_series(talk, account, series) };
    time(talk, account, draft, text).await
}

fn of_series(talk: &Talk<'_>, account: &Account, series: &Series) -> MessageDraft {
    let to = Addressee { recipient: series.recipient.clone(), name: series.recipient_name.clone() };
    MessageDraft {
        series: Some(series.id),
        to: vec![to],
        body: Some(series.body.clone()),
        repeat: true,
        offered: series::usual(series.rhythm.starts_at, talk.now, account),
        ..MessageDraft::default()
    }
}

/// A fresh draft with the recipient and text of another message.
pub(super) fn copy(talk: &Talk<'_>, message: &ScheduledMessage) -> MessageDraft {
    let to = Addressee { recipient: message.recipient.clone(), name: message.recipient_name.clone() };
    MessageDraft { to: vec![to], body: Some(message.body.clone()), ..fresh(talk) }
}

/// A reply to a card says another time.
pub(super) async fn new_time(
    talk: &Talk<'_>,
    account: &Account,
    message: &ScheduledMessage,
    text: &str,
) -> Result<Turn, Refusal> {
    let draft = MessageDraft { id: Some(message.id), asking: Some(Part::Time), ..copy(talk, message) };
    time(talk, account, draft, text).await
}

/// A new draft with the recipient and text of another message.
pub(super) async fn duplicate(talk: &Talk<'_>, account: &Account, id: MessageId) -> Result<Turn, Refusal> {
    let message = talk.services.messages.find(account.id, id).await?;
    next(talk, account, copy(talk, &message)).await
}
