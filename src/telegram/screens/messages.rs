//! Scheduling: the questions, the confirm card, a message's card, the lists.

use chrono_tz::Tz;

use crate::domain::clock::Moment;
use crate::domain::ids::{InstanceId, MessageId};
use crate::domain::language::Language;
use crate::domain::message::{Reason, ScheduledMessage, Search, Status};
use crate::domain::series::Rhythm;
use crate::locale::{format, plain, t};
use crate::services::instances::Instance;
use crate::services::late::Late;
use crate::services::messages::{Addressee, Attempt, Digest, PAGE};
use crate::telegram::screen::{Html, Screen};
use crate::telegram::tap::{Part, Tap};

use super::instances::dot;
use super::with_cancel;

/// How much of a text a card shows.
const PREVIEW: usize = 900;

/// A recipient as people read it, with a name where there is one.
pub fn addressee(to: &Addressee) -> String {
    let number = to.recipient.shown();
    if to.name.is_empty() { number } else { format!("{} ({number})", to.name) }
}

/// The start of a text.
pub fn preview(text: &str, most: usize) -> String {
    let short: String = text.chars().take(most).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// Asks to whom, or to which one person; recent recipients are offered.
pub fn ask_to(recent: &[Addressee], one: bool, language: Language) -> Screen {
    let mut screen = Screen::new(if one { t!(language, "ask-to-one") } else { t!(language, "ask-to") });
    for (n, to) in (0_i64..).zip(recent) {
        screen = screen.key(format!("👤 {}", preview(&addressee(to), 40)), &Tap::Take(n));
    }
    with_cancel(screen, language)
}

/// Asks what.
pub fn ask_text(language: Language) -> Screen {
    with_cancel(Screen::new(t!(language, "ask-text")), language)
}

/// A long text came in: more may follow.
pub fn ask_more(length: usize, language: Language) -> Screen {
    let screen = Screen::new(t!(language, "ask-more", length = length));
    with_cancel(screen.key(format!("✅ {}", plain!(language, "finished")), &Tap::Finished), language)
}

/// Asks when; usual moments are offered.
pub fn ask_when(quick: &[Moment], zone: Tz, language: Language) -> Screen {
    with_cancel(moments(Screen::new(t!(language, "ask-when")), quick, zone, language), language)
}

/// Asks back, with candidate moments as keys.
pub fn ask_which(question: Html, candidates: &[Moment], zone: Tz, language: Language) -> Screen {
    with_cancel(moments(Screen::new(question), candidates, zone, language), language)
}

fn moments(mut screen: Screen, at: &[Moment], zone: Tz, language: Language) -> Screen {
    for moment in at {
        screen = screen.key(format!("🕐 {}", format::moment(*moment, zone, language)), &Tap::Pick(moment.0));
    }
    screen
}

/// When it is to go.
#[derive(Debug)]
pub enum Plan<'a> {
    /// Once.
    Once(Moment),
    /// Again and again.
    Every {
        /// The repetition.
        rhythm: &'a Rhythm,
        /// Its next moments, and whether each goes later than its wall time.
        upcoming: &'a [(Moment, bool)],
    },
}

/// What is about to be scheduled.
#[derive(Debug)]
pub struct Confirm<'a> {
    /// To whom.
    pub to: &'a [Addressee],
    /// What.
    pub body: &'a str,
    /// When.
    pub plan: Plan<'a>,
    /// Now.
    pub now: Moment,
    /// The account's zone.
    pub zone: Tz,
    /// What it will leave through.
    pub through: Option<&'a Instance>,
}

/// The confirm card: everything that was understood.
pub fn confirm(card: &Confirm<'_>, language: Language) -> Screen {
    let to: Vec<_> = card.to.iter().map(addressee).collect();
    let screen = Screen::new(t!(language, "confirm-title")).line(&Html::default()).line(&t!(
        language,
        "card-to",
        to = to.join(", ")
    ));
    let screen = match card.plan {
        Plan::Once(at) => screen.line(&when(at, card.now, card.zone, language)).line(&through(card.through, language)),
        Plan::Every { rhythm, upcoming } => {
            super::series::moments(screen, rhythm, upcoming, (card.now, card.zone), language)
                .line(&super::series::through(card.through, language))
        }
    };
    let screen = screen
        .line(&Html::default())
        .line(&quote(card.body))
        .key(format!("✅ {}", plain!(language, "confirm")), &Tap::Confirm)
        .key(format!("🕐 {}", plain!(language, "change-time")), &Tap::DraftPart(Part::Time))
        .beside(format!("✏️ {}", plain!(language, "change-text")), &Tap::DraftPart(Part::Text))
        .key(format!("👤 {}", plain!(language, "change-recipient")), &Tap::DraftPart(Part::To));
    with_cancel(screen, language)
}

/// Says that the recipients of messages stay, though others are named in an edit of what they were made from.
pub fn recipients_stay(messages: &[&ScheduledMessage], language: Language) -> Screen {
    let to: Vec<_> = messages.iter().map(|message| message.recipient.shown()).collect();
    let (count, to) = (messages.len(), Html::escape(&preview(&to.join(", "), 600)).to_string());
    Screen::new(Html::trusted(plain!(language, "edited-not-to", count = count, to = to)))
        .key(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(false, 0))
}

/// Warns that numbers have no WhatsApp, as far as the server knows.
pub fn without_whatsapp(to: &[String], language: Language) -> Screen {
    let count = to.len();
    let names = Html::escape(&preview(&to.join(", "), 600)).to_string();
    let screen = Screen::new(Html::trusted(plain!(language, "without-whatsapp", count = count, to = names)))
        .key(format!("👤 {}", plain!(language, "change-recipient")), &Tap::DraftPart(Part::To))
        .key(format!("✅ {}", plain!(language, "confirm")), &Tap::Confirm);
    with_cancel(screen, language)
}

fn when(at: Moment, now: Moment, zone: Tz, language: Language) -> Html {
    let moment = format::moment(at, zone, language);
    let name = format::zone(at, zone, language);
    if at > now {
        t!(language, "card-when", moment = moment, zone = name, span = format::span(at.since(now), language))
    } else {
        t!(language, "card-when-now", moment = moment, zone = name)
    }
}

fn through(instance: Option<&Instance>, language: Language) -> Html {
    match instance {
        Some(i) => t!(language, "card-through", dot = dot(i.connection), name = i.label.as_str()),
        None => t!(language, "card-through-none"),
    }
}

/// A text as it goes out, cut to what a card shows.
pub(super) fn quote(body: &str) -> Html {
    Html::trusted(format!("<blockquote>{}</blockquote>", Html::escape(&preview(body, PREVIEW))))
}

/// What a message's card is drawn from.
#[derive(Debug)]
pub struct Card<'a> {
    /// The message.
    pub message: &'a ScheduledMessage,
    /// The instance that it will leave (or left) through.
    pub through: Option<&'a Instance>,
    /// Now.
    pub now: Moment,
    /// The reader's zone.
    pub zone: Tz,
    /// It was scheduled just now: it can be undone.
    pub fresh: bool,
}

/// A message's card.
pub fn card(card: &Card<'_>, language: Language) -> Screen {
    let message = card.message;
    let to = Addressee { recipient: message.recipient.clone(), name: message.recipient_name.clone() };
    let status = match message.search {
        Search::Not => status_line(message.status, language),
        Search::Open | Search::Dropped => format!("🔎 {}", plain!(language, "status-looking")),
    };
    let mut screen = Screen::new(Html::trusted(format!("<b>{status}</b> #{}", message.id)));
    if matches!(message.status, Status::Held | Status::Failed | Status::Unknown | Status::Cancelled)
        && let Some(reason) = reason_of(message, language)
    {
        screen = screen.line(&reason);
    }
    if message.is_doubted() {
        screen = screen.line(&t!(language, "card-doubted"));
    }
    if message.search == Search::Dropped {
        screen = screen.line(&t!(language, "card-dropped"));
    }
    screen = screen.line(&t!(language, "card-to", to = addressee(&to)));
    screen = match (message.status, message.sent_at) {
        (Status::Sent, Some(at)) => {
            screen.line(&t!(language, "card-sent-at", moment = format::moment(at, card.zone, language)))
        }
        // What will not go counts down to nothing.
        (Status::Cancelled | Status::Failed, _) => {
            screen.line(&when(message.scheduled_time, message.scheduled_time, card.zone, language))
        }
        _ => screen.line(&when(message.scheduled_time, card.now, card.zone, language)),
    };
    if message.moved {
        screen = screen.line(&t!(language, "card-moved"));
    }
    if message.series.is_some() {
        screen = screen.line(&t!(language, "card-of-series"));
    }
    if !matches!(message.status, Status::Cancelled) {
        screen = match (message.status, card.through) {
            // It went, and waits for nothing.
            (Status::Sent, None) if message.goes_through().is_none() => screen,
            (Status::Sent, None) => screen.line(&t!(language, "card-through-deleted")),
            // It waits for an instance that is gone.
            (_, None) if message.pinned => screen.line(&t!(language, "card-through-gone")),
            (_, instance) => screen.line(&through(instance, language)),
        };
        if message.pinned && card.through.is_some() {
            screen = screen.line(&t!(language, "card-pinned"));
        }
    }
    screen = screen.line(&Html::default()).line(&quote(&message.body)).card_of(message.id);
    card_keys(screen, message, card.fresh, language)
}

fn card_keys(mut screen: Screen, message: &ScheduledMessage, fresh: bool, language: Language) -> Screen {
    let (id, version) = (message.id, message.version);
    let send_again = format!("🔁 {}", plain!(language, "send-again"));
    let cancel = format!("🗑 {}", plain!(language, "cancel-message"));
    // What repeats already leads to its series.
    let repeat = match message.series {
        Some(series) => (format!("🔁 {}", plain!(language, "see-series")), Tap::Series(series)),
        None => (format!("🔁 {}", plain!(language, "repeat")), Tap::Repeat(id)),
    };
    match message.status {
        Status::Scheduled | Status::Held | Status::Late => {
            if fresh {
                screen = screen.key(format!("↩️ {}", plain!(language, "undo")), &Tap::Undo(id, version));
            }
            screen = edit_keys(screen, message, language)
                .beside(format!("🚀 {}", plain!(language, "send-now")), &Tap::SendNow(id, version))
                .key(format!("📌 {}", plain!(language, "pin-instance")), &Tap::PinMessage(id, version))
                .beside(format!("📄 {}", plain!(language, "duplicate")), &Tap::Duplicate(id))
                .key(repeat.0, &repeat.1)
                .beside(cancel, &Tap::CancelMessage(id, version));
        }
        Status::Unknown if message.search == Search::Dropped => {}
        Status::Unknown if message.search == Search::Open => {
            screen = screen.key(cancel, &Tap::CancelMessage(id, version));
        }
        Status::Unknown => {
            screen = screen
                .key(format!("✅ {}", plain!(language, "it-arrived")), &Tap::Arrived(id, version))
                .beside(send_again, &Tap::SendAgain(id, version))
                .key(cancel, &Tap::CancelMessage(id, version));
        }
        Status::Failed => {
            screen = edit_keys(screen.key(send_again, &Tap::SendAgain(id, version)), message, language)
                .key(cancel, &Tap::CancelMessage(id, version));
        }
        Status::Sent | Status::Cancelled => {
            screen = screen
                .key(format!("📄 {}", plain!(language, "duplicate")), &Tap::Duplicate(id))
                .beside(repeat.0, &repeat.1);
        }
        Status::Sending => {}
    }
    screen =
        screen.key(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(!message.status.is_waiting(), 0));
    // What was found though we know of no attempt has one written down for it.
    if message.attempt > 0 || message.status == Status::Sent {
        screen = screen.beside(format!("📜 {}", plain!(language, "history")), &Tap::History(id));
    }
    screen
}

/// The newest attempts of a message, the newest first; `earlier` is how many came before them.
pub fn history(id: MessageId, attempts: &[Attempt], earlier: i64, zone: Tz, language: Language) -> Screen {
    let mut screen = Screen::new(t!(language, "history-title", id = id));
    if attempts.is_empty() {
        screen = screen.line(&t!(language, "history-none"));
    }
    for one in attempts {
        let what = match one.outcome.as_deref() {
            Some("sent") => plain!(language, "attempt-sent"),
            Some("found") => plain!(language, "attempt-found"),
            Some("arrived") => plain!(language, "attempt-arrived"),
            Some("absent") => plain!(language, "attempt-absent"),
            Some("again") => plain!(language, "attempt-again"),
            Some("held") => plain!(language, "attempt-held"),
            Some("failed") => plain!(language, "attempt-failed"),
            Some("unknown") => plain!(language, "attempt-unknown"),
            _ => plain!(language, "attempt-open"),
        };
        let why = match (one.reason, &one.refused_field) {
            (Some(Reason::Invalid), Some(field)) => Some(plain!(language, "why-invalid-field", field = field.as_str())),
            (reason, _) => reason.and_then(|reason| why(reason, language)),
        };
        let why = why.map_or(String::new(), |why| format!(" ({why})"));
        let at = one.started_at.in_zone(zone);
        let at = format!("{} {}", format::day(at.date_naive(), language), at.format("%H:%M:%S"));
        let through = match (&one.former, &one.label, one.instance_id) {
            (Some(former), ..) => {
                format!(" · {}", plain!(language, "through-former", name = preview(former, LABEL)))
            }
            (None, Some(label), _) => format!(" · {}", preview(label, LABEL)),
            (None, None, Some(_)) => format!(" · {}", plain!(language, "through-deleted")),
            (None, None, None) => String::new(),
        };
        screen = screen.line(&Html::escape(&format!("• {at}{through}: {what}{why}")));
    }
    if earlier > 0 {
        screen = screen.line(&t!(language, "history-earlier", count = earlier));
    }
    screen.key(format!("↩️ {}", plain!(language, "back")), &Tap::Message(id))
}

/// How much of the name of an instance a line of the history shows: twenty of them go into one message.
const LABEL: usize = 32;

/// Why an attempt came to nothing, in few words; nothing where its outcome says that.
fn why(reason: Reason, language: Language) -> Option<String> {
    Some(match reason {
        Reason::NoActiveInstance => plain!(language, "why-no-active-instance"),
        Reason::Disconnected => plain!(language, "why-disconnected"),
        Reason::KeyRefused => plain!(language, "why-key-refused"),
        Reason::InstanceMissing => plain!(language, "why-instance-missing"),
        Reason::Licence => plain!(language, "why-licence"),
        Reason::Unusable => plain!(language, "why-unusable"),
        Reason::Unreachable => plain!(language, "why-unreachable"),
        Reason::Busy => plain!(language, "why-busy"),
        Reason::NotOnWhatsApp => plain!(language, "why-not-on-whatsapp"),
        Reason::GroupUnknown => plain!(language, "why-group-unknown"),
        Reason::Invalid => plain!(language, "why-invalid"),
        Reason::ChannelRefused => plain!(language, "why-channel-refused"),
        Reason::AnswerLost | Reason::SeriesChanged => return None,
    })
}

fn edit_keys(screen: Screen, message: &ScheduledMessage, language: Language) -> Screen {
    let (id, version) = (message.id, message.version);
    screen
        .key(format!("🕐 {}", plain!(language, "change-time")), &Tap::EditPart(id, Part::Time, version))
        .beside(format!("✏️ {}", plain!(language, "change-text")), &Tap::EditPart(id, Part::Text, version))
        .key(format!("👤 {}", plain!(language, "change-recipient")), &Tap::EditPart(id, Part::To, version))
}

/// A status with its mark.
pub fn status_line(status: Status, language: Language) -> String {
    match status {
        Status::Scheduled => format!("🗓 {}", plain!(language, "status-scheduled")),
        Status::Sending => format!("📤 {}", plain!(language, "status-sending")),
        Status::Sent => format!("✅ {}", plain!(language, "status-sent")),
        Status::Held => format!("⏸ {}", plain!(language, "status-held")),
        Status::Late => format!("⏰ {}", plain!(language, "status-late")),
        Status::Unknown => format!("❓ {}", plain!(language, "status-unknown")),
        Status::Failed => format!("⚠️ {}", plain!(language, "status-failed")),
        Status::Cancelled => format!("🚫 {}", plain!(language, "status-cancelled")),
    }
}

/// Why a message stands where it stands, and what to do about it.
pub fn reason_of(message: &ScheduledMessage, language: Language) -> Option<Html> {
    match (message.reason?, &message.refused_field) {
        (Reason::Invalid, Some(field)) => Some(t!(language, "reason-invalid-field", field = field.as_str())),
        (reason, _) => Some(reason_line(reason, language)),
    }
}

/// Why, and what to do about it.
pub fn reason_line(reason: Reason, language: Language) -> Html {
    match reason {
        Reason::NoActiveInstance => t!(language, "reason-no-active-instance"),
        Reason::Disconnected => t!(language, "reason-disconnected"),
        Reason::KeyRefused => t!(language, "reason-key-refused"),
        Reason::InstanceMissing => t!(language, "reason-instance-missing"),
        Reason::Licence => t!(language, "reason-licence"),
        Reason::Unusable => t!(language, "reason-unusable"),
        Reason::Unreachable => t!(language, "reason-unreachable"),
        Reason::Busy => t!(language, "reason-busy"),
        Reason::NotOnWhatsApp => t!(language, "reason-not-on-whatsapp"),
        Reason::GroupUnknown => t!(language, "reason-group-unknown"),
        Reason::Invalid => t!(language, "reason-invalid"),
        Reason::ChannelRefused => t!(language, "reason-channel-refused"),
        Reason::AnswerLost => t!(language, "reason-answer-lost"),
        Reason::SeriesChanged => t!(language, "reason-series-changed"),
    }
}

/// Several messages were scheduled at once.
pub fn scheduled_many(messages: &[ScheduledMessage], at: Moment, zone: Tz, language: Language) -> Screen {
    let title = plain!(language, "scheduled-many", count = messages.len());
    let mut screen =
        Screen::new(Html::trusted(format!("✅ {title}\n{}", Html::escape(&format::moment(at, zone, language)))));
    for message in messages.iter().take(20) {
        let to = Addressee { recipient: message.recipient.clone(), name: message.recipient_name.clone() };
        screen = screen.key(preview(&addressee(&to), 40), &Tap::Message(message.id));
    }
    super::with_home(screen, language)
}

/// A page of the messages.
#[derive(Debug)]
pub struct List<'a> {
    /// The page's messages.
    pub rows: &'a [ScheduledMessage],
    /// Past ones.
    pub past: bool,
    /// Which page, from 0.
    pub page: i64,
    /// How many wait.
    pub waiting: i64,
    /// How many are past.
    pub gone: i64,
    /// How many series there are.
    pub series: i64,
    /// The reader's zone.
    pub zone: Tz,
}

/// The waiting or the past messages.
pub fn list(list: &List<'_>, language: Language) -> Screen {
    let total = if list.past { list.gone } else { list.waiting };
    let title = if list.past {
        plain!(language, "messages-past", count = total)
    } else {
        plain!(language, "messages-waiting", count = total)
    };
    let mut screen = Screen::new(Html::trusted(format!("<b>{title}</b>")));
    if list.rows.is_empty() {
        screen = screen.line(&t!(language, "messages-none"));
    }
    for message in list.rows {
        screen = row(screen, message, list.zone, language);
    }
    let pages = (total + PAGE - 1) / PAGE;
    if pages > 1 {
        let (before, after) = ((list.page - 1).max(0), (list.page + 1).min(pages - 1));
        screen = screen
            .key("◀️", &Tap::Messages(list.past, before))
            .beside(format!("{}/{pages}", list.page + 1), &Tap::Messages(list.past, list.page))
            .beside("▶️", &Tap::Messages(list.past, after));
    }
    let (label, other) = if list.past {
        (format!("🗓 {}", plain!(language, "show-waiting", count = list.waiting)), Tap::Messages(false, 0))
    } else {
        (format!("🗂 {}", plain!(language, "show-past", count = list.gone)), Tap::Messages(true, 0))
    };
    let mut screen = screen.key(label, &other);
    if list.series > 0 {
        screen =
            screen.beside(format!("🔁 {}", plain!(language, "repetitions", count = list.series)), &Tap::SeriesList(0));
    }
    let screen = screen.key(format!("📝 {}", plain!(language, "schedule-message")), &Tap::NewMessage);
    super::with_home(screen, language)
}

/// A message in a list: a line, and a key that leads to its card.
fn row(screen: Screen, message: &ScheduledMessage, zone: Tz, language: Language) -> Screen {
    let at = format::moment(message.scheduled_time, zone, language);
    let to = if message.recipient_name.is_empty() { message.recipient.shown() } else { message.recipient_name.clone() };
    let mark = status_line(message.status, language);
    let mark = mark.split(' ').next().unwrap_or_default().to_owned();
    let mark = if message.series.is_some() { format!("{mark}🔁") } else { mark };
    let mark = if message.is_doubted() { format!("{mark}❓") } else { mark };
    let line = format!(
        "{mark} <b>{}</b> → {}: {}",
        Html::escape(&at),
        Html::escape(&to),
        Html::escape(&preview(&message.body, 40).replace('\n', " "))
    );
    screen
        .line(&Html::trusted(line))
        .key(format!("{mark} {} · {}", preview(&to, 24), preview(&at, 30)), &Tap::Message(message.id))
}

/// To which instance a message is pinned.
pub fn pin(message: &ScheduledMessage, instances: &[Instance], language: Language) -> Screen {
    let (id, version) = (message.id, message.version);
    let mut screen = Screen::new(t!(language, "pin-ask", id = id));
    for i in instances {
        screen = screen.key(format!("{} {}", dot(i.connection), i.label.as_str()), &Tap::PinTo(id, i.id, version));
    }
    if message.pinned {
        screen = screen.key(plain!(language, "unpin"), &Tap::PinTo(id, InstanceId(0), version));
    }
    screen.key(format!("↩️ {}", plain!(language, "back")), &Tap::Message(id))
}

/// The late ones: one card for all.
pub fn late(late: &Late, zone: Tz, language: Language) -> Screen {
    let mut screen = late_title(late, language);
    let rows = &late.first[..late.first.len().min(10)];
    for message in rows {
        let at = format::moment(message.scheduled_time, zone, language);
        let (to, text) = (message.recipient.shown(), preview(&message.body, 40));
        screen = screen.line(&if message.is_doubted() {
            t!(language, "late-row-doubted", moment = at, to = to, text = text)
        } else {
            t!(language, "late-row", moment = at, to = to, text = text)
        });
    }
    screen = more_late(screen, late.count, rows.len(), language);
    let shown = late.which;
    screen
        .key(format!("🚀 {}", plain!(language, "send-all")), &Tap::LateSend(shown))
        .beside(format!("👆 {}", plain!(language, "choose")), &Tap::LateChoose)
        .key(format!("📅 {}", plain!(language, "tomorrow-same-time")), &Tap::LateTomorrow(shown))
        .beside(format!("🗑 {}", plain!(language, "drop")), &Tap::LateDrop(shown))
}

/// The late ones one by one, as far as they go into one list.
pub fn choose_late(late: &Late, zone: Tz, language: Language) -> Screen {
    let title = late_title(late, language);
    let screen = late.first.iter().fold(title, |screen, message| row(screen, message, zone, language));
    let screen = more_late(screen, late.count, late.first.len(), language)
        .key(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(false, 0));
    super::with_home(screen, language)
}

/// How many are late; what may have been sent already is said before anything is sent.
fn late_title(late: &Late, language: Language) -> Screen {
    let screen = Screen::new(Html::trusted(plain!(language, "late-title", count = late.count)));
    match late.doubted {
        0 => screen,
        doubted => screen.line(&Html::trusted(plain!(language, "late-doubted", count = doubted))),
    }
}

fn more_late(screen: Screen, all: usize, shown: usize, language: Language) -> Screen {
    match all.saturating_sub(shown) {
        0 => screen,
        more => screen.line(&Html::trusted(plain!(language, "late-more", count = more))),
    }
}

/// The rules of time zones have changed: some of the messages that keep their wall times, each with the moment at which it
/// would have gone by what was reckoned, and the one at which it goes.
pub fn rules_changed(count: u64, rows: &[(ScheduledMessage, Moment, Moment)], zone: Tz, language: Language) -> Screen {
    let mut screen = Screen::new(Html::trusted(plain!(language, "rules-changed", count = count)));
    for (message, from, to) in rows {
        screen = screen.line(&t!(
            language,
            "rules-changed-row",
            to = message.recipient.shown(),
            old = format::moment(*from, zone, language),
            new = format::moment(*to, zone, language),
            zone = format::zone(*to, zone, language)
        ));
    }
    let more = count.saturating_sub(rows.len() as u64);
    if more > 0 {
        screen = screen.line(&t!(language, "rules-changed-more", count = more));
    }
    screen.key(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(false, 0))
}

/// How late a message must be for the digest to say so.
const NOTABLE: std::time::Duration = std::time::Duration::from_secs(60);
/// How many parts the bar of a digest has.
const BAR: i64 = 10;

/// Many outcomes at once: how far it has got, and the newest of them.
pub fn digest(digest: &Digest, newest: &[ScheduledMessage], zone: Tz, language: Language) -> Screen {
    let (done, all) = (digest.sent, digest.sent + digest.left);
    let mut screen = if digest.left > 0 {
        let full = (done * BAR / all.max(1)).clamp(0, BAR);
        let bar: String = (0..BAR).map(|n| if n < full { '▓' } else { '░' }).collect();
        Screen::new(t!(language, "digest-running", done = done, all = all)).line(&Html::escape(&bar))
    } else {
        Screen::new(Html::trusted(plain!(language, "digest-done", count = done)))
    };
    if digest.failed > 0 {
        screen = screen.line(&Html::trusted(plain!(language, "digest-failed", count = digest.failed)));
    }
    for message in newest {
        let sent = message.sent_at.unwrap_or(message.scheduled_time);
        let (at, late) = (sent.in_zone(zone).format("%H:%M"), sent.since(message.scheduled_time));
        let late = if late > NOTABLE {
            format!(" ({})", plain!(language, "digest-late", span = format::span(late, language)))
        } else {
            String::new()
        };
        let to = Addressee { recipient: message.recipient.clone(), name: message.recipient_name.clone() };
        let text = preview(&message.body, 40).replace('\n', " ");
        screen = screen.line(&Html::escape(&format!("✅ {at}{late} → {}: {text}", preview(&addressee(&to), 60))));
    }
    let more = done - i64::try_from(newest.len()).unwrap_or(done);
    if more > 0 {
        screen = screen.line(&t!(language, "digest-more", count = more));
    }
    screen.key(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(true, 0))
}
