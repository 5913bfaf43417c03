//! Repetitions: the questions, the confirm card, a series' card, the list.

use chrono_tz::Tz;

use crate::domain::clock::Moment;
use crate::domain::ids::InstanceId;
use crate::domain::language::Language;
use crate::domain::series::{Rhythm, SeriesStatus};
use crate::locale::rule::rule;
use crate::locale::{format, plain, t};
use crate::services::instances::Instance;
use crate::services::messages::Addressee;
use crate::services::series::{PAGE, Shown};
use crate::telegram::screen::{Html, Screen};
use crate::telegram::tap::{Part, Tap};

use super::instances::dot;
use super::messages::{addressee, preview, quote};
use super::with_cancel;

/// Asks which repetition; usual ones are offered.
pub fn ask_every(offered: &[Rhythm], zone: Tz, language: Language) -> Screen {
    let mut screen = Screen::new(t!(language, "ask-every"));
    for (n, rhythm) in (0_i64..).zip(offered) {
        screen = screen.key(format!("🔁 {}", preview(&rule(rhythm, zone, language), 60)), &Tap::PickEvery(n));
    }
    with_cancel(screen, language)
}

/// Asks at what hour a repetition goes that was said without one; usual hours are offered.
pub fn ask_every_hour(rhythm: &Rhythm, offered: &[Rhythm], zone: Tz, language: Language) -> Screen {
    let said = rule(rhythm, zone, language);
    let said = said.rsplit_once(" · ").map_or(said.as_str(), |(before, _)| before).to_owned();
    let mut screen = Screen::new(t!(language, "ask-every-hour", rule = said));
    for (n, rhythm) in (0_i64..).zip(offered) {
        screen = screen.key(format!("🕐 {}", rhythm.starts_at.format("%H:%M")), &Tap::PickEvery(n));
    }
    with_cancel(screen, language)
}

/// The rule in words, and its next moments; of the first, how far away it is.
pub(super) fn moments(
    mut screen: Screen,
    rhythm: &Rhythm,
    next: &[(Moment, bool)],
    (now, zone): (Moment, Tz),
    language: Language,
) -> Screen {
    let place = format::zone(next.first().map_or(now, |one| one.0), zone, language);
    screen = screen.line(&t!(language, "card-every", rule = rule(rhythm, zone, language), zone = place));
    for (n, (at, _)) in next.iter().enumerate() {
        let moment = format::moment(*at, zone, language);
        screen = screen.line(&if n == 0 {
            t!(language, "card-first", moment = moment, span = format::span(at.since(now), language))
        } else {
            t!(language, "card-next", moment = moment)
        });
    }
    if next.iter().any(|one| one.1) {
        screen = screen.line(&t!(language, "card-moved"));
    }
    screen
}

pub(super) fn through(instance: Option<&Instance>, language: Language) -> Html {
    match instance {
        Some(i) => t!(language, "card-through", dot = dot(i.connection), name = i.label.as_str()),
        None => t!(language, "series-through-none"),
    }
}

/// What a series' card is drawn from.
#[derive(Debug)]
pub struct Card<'a> {
    /// The series.
    pub shown: &'a Shown,
    /// Its next moments.
    pub upcoming: &'a [(Moment, bool)],
    /// Now.
    pub now: Moment,
    /// The instance that it leaves through.
    pub through: Option<&'a Instance>,
    /// It was started just now: it can be undone.
    pub fresh: bool,
}

/// A series' card.
pub fn card(card: &Card<'_>, language: Language) -> Screen {
    let series = &card.shown.series;
    let to = Addressee { recipient: series.recipient.clone(), name: series.recipient_name.clone() };
    let screen = Screen::new(Html::trusted(format!("<b>{}</b> #{}", status_line(card.shown, language), series.id)))
        .line(&t!(language, "card-to", to = addressee(&to)));
    let upcoming = if series.status == SeriesStatus::Active { card.upcoming } else { &[] };
    let mut screen = moments(screen, &series.rhythm, upcoming, (card.now, series.zone), language);
    if series.status != SeriesStatus::Stopped {
        screen = screen.line(&through(card.through, language));
        if series.pinned {
            screen = screen.line(&t!(language, "card-pinned"));
        }
    }
    screen = screen.line(&Html::default()).line(&quote(&series.body)).card_of_series(series.id);
    keys(screen, card, language)
}

fn keys(mut screen: Screen, card: &Card<'_>, language: Language) -> Screen {
    let series = &card.shown.series;
    let (id, version) = (series.id, series.version);
    if series.status.is_open() {
        if card.fresh {
            screen = screen.key(format!("↩️ {}", plain!(language, "undo")), &Tap::StopSeries(id, version));
        }
        screen = screen
            .key(format!("🕐 {}", plain!(language, "change-time")), &Tap::EditSeries(id, Part::Time, version))
            .beside(format!("✏️ {}", plain!(language, "change-text")), &Tap::EditSeries(id, Part::Text, version))
            .key(format!("👤 {}", plain!(language, "change-recipient")), &Tap::EditSeries(id, Part::To, version))
            .beside(format!("📌 {}", plain!(language, "pin-instance")), &Tap::PinSeries(id, version));
        screen = match series.status {
            SeriesStatus::Paused => {
                screen.key(format!("▶️ {}", plain!(language, "resume-series")), &Tap::ResumeSeries(id, version))
            }
            _ if card.shown.is_over() => screen,
            _ => screen
                .key(format!("⏭ {}", plain!(language, "skip-next")), &Tap::SkipNext(id, version))
                .beside(format!("⏸ {}", plain!(language, "pause")), &Tap::PauseSeries(id, version)),
        };
        if let Some(next) = &card.shown.next {
            screen = screen.key(format!("🔎 {}", plain!(language, "see-message")), &Tap::Message(next.id));
        }
        screen = screen.key(format!("⏹ {}", plain!(language, "stop-series")), &Tap::StopSeries(id, version));
    }
    screen
        .key(format!("🔁 {}", plain!(language, "repetitions-plain")), &Tap::SeriesList(0))
        .beside(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(false, 0))
}

/// Where a series stands, with its mark.
pub fn status_line(shown: &Shown, language: Language) -> String {
    match shown.series.status {
        _ if shown.is_over() => format!("🏁 {}", plain!(language, "series-over")),
        SeriesStatus::Active => format!("🔁 {}", plain!(language, "series-active")),
        SeriesStatus::Paused => format!("⏸ {}", plain!(language, "series-paused")),
        SeriesStatus::Stopped => format!("⏹ {}", plain!(language, "series-stopped")),
    }
}

/// Several series were started at once.
pub fn started_many(all: &[Shown], language: Language) -> Screen {
    let mut screen = Screen::new(Html::trusted(format!("🔁 {}", plain!(language, "series-many", count = all.len()))));
    for shown in all.iter().take(20) {
        screen = screen.key(preview(&name(shown), 40), &Tap::Series(shown.series.id));
    }
    super::with_home(screen, language)
}

fn name(shown: &Shown) -> String {
    let series = &shown.series;
    if series.recipient_name.is_empty() { series.recipient.shown() } else { series.recipient_name.clone() }
}

/// A page of the series; `count` is of all.
pub fn list(rows: &[Shown], page: i64, count: i64, language: Language) -> Screen {
    let mut screen = Screen::new(t!(language, "series-title"));
    if rows.is_empty() {
        screen = screen.line(&t!(language, "series-none"));
    }
    for shown in rows {
        let series = &shown.series;
        let mark = status_line(shown, language);
        let mark = mark.split(' ').next().unwrap_or_default().to_owned();
        let rhythm = rule(&series.rhythm, series.zone, language);
        let line = format!(
            "{mark} <b>{}</b> → {}: {}",
            Html::escape(&rhythm),
            Html::escape(&name(shown)),
            Html::escape(&preview(&series.body, 40).replace('\n', " "))
        );
        screen = screen.line(&Html::trusted(line));
        if let Some(at) = shown.next_at().filter(|_| series.status == SeriesStatus::Active) {
            screen = screen.line(&t!(language, "card-next", moment = format::moment(at, series.zone, language)));
        }
        screen = screen
            .key(format!("{mark} {} · {}", preview(&name(shown), 24), preview(&rhythm, 30)), &Tap::Series(series.id));
    }
    let pages = (count + PAGE - 1) / PAGE;
    if pages > 1 {
        let (before, after) = ((page - 1).max(0), (page + 1).min(pages - 1));
        screen = screen
            .key("◀️", &Tap::SeriesList(before))
            .beside(format!("{}/{pages}", page + 1), &Tap::SeriesList(page))
            .beside("▶️", &Tap::SeriesList(after));
    }
    let screen = screen
        .key(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(false, 0))
        .beside(format!("📝 {}", plain!(language, "schedule-message")), &Tap::NewMessage);
    super::with_home(screen, language)
}

/// To which instance a series is pinned.
pub fn pin(shown: &Shown, instances: &[Instance], language: Language) -> Screen {
    let (id, version) = (shown.series.id, shown.series.version);
    let mut screen = Screen::new(t!(language, "series-pin-ask", id = id));
    for i in instances {
        screen =
            screen.key(format!("{} {}", dot(i.connection), i.label.as_str()), &Tap::PinSeriesTo(id, i.id, version));
    }
    if shown.series.pinned {
        screen = screen.key(plain!(language, "unpin"), &Tap::PinSeriesTo(id, InstanceId(0), version));
    }
    screen.key(format!("↩️ {}", plain!(language, "back")), &Tap::Series(id))
}
