//! Tells chats what became of their messages: a report becomes outbox rows, in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use super::Context;
use super::outbound;
use super::screen::{Html, Outgoing, Screen};
use super::screens;
use super::screens::messages::{Card, preview, reason_line, reason_of};
use crate::domain::account::Account;
use crate::domain::clock::Moment;
use crate::domain::ids::{AccountId, ChatId, MessageId};
use crate::domain::message::{ScheduledMessage, Status};
use crate::domain::report::{Live, Report};
use crate::locale::{format, plain, t};
use crate::services::{Refusal, Services, digests};
use crate::storage::StorageError;
use crate::storage::reports::ReportRow;
use crate::telegram::tap::Tap;

/// How late a message must be for its report to say so.
const NOTABLE_MS: i64 = 60_000;

/// Runs until the program is to stop; woken when reports were written.
pub async fn run(ctx: Arc<Context>, reported: Arc<Notify>) {
    while !ctx.shutdown.is_cancelled() {
        let woken = reported.notified();
        let more = match tell_all(&ctx).await {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!(error = %error, "reports could not be told; they wait");
                false
            }
        };
        if more {
            continue;
        }
        tokio::select! {
            () = woken => {}
            () = ctx.clock.sleep(std::time::Duration::from_secs(30)) => {}
            () = ctx.shutdown.cancelled() => {}
        }
    }
}

/// Tells what waits; whether there was anything. What cannot be read is set aside and holds up nothing else.
pub async fn tell_all(ctx: &Arc<Context>) -> Result<bool, Refusal> {
    let waiting = ctx.db.read().await?.waiting_reports(100).await?;
    for id in &waiting.unreadable {
        set_aside(ctx, *id, "it cannot be read").await?;
    }
    let rows = &waiting.rows;
    // What a digest tells leaves the table together with it: else a death in between would leave some untold.
    let mut kept_back: HashMap<(AccountId, ChatId), (Vec<i64>, Vec<Told>)> = HashMap::new();
    let mut silent = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let (told, with_others) = match tell(&ctx.services, rows, n).await {
            Ok(told) => told,
            Err(Refusal::Storage(error)) if error.is_outage() => return Err(Refusal::Storage(error)),
            // What it tells of may be in the error's own words, other than the place of a corrupt value.
            Err(Refusal::Storage(error @ StorageError::Corrupt { .. })) => {
                set_aside(ctx, row.id, &error.to_string()).await?;
                continue;
            }
            Err(_) => {
                set_aside(ctx, row.id, "what it tells of cannot be read").await?;
                continue;
            }
        };
        let group = kept_back.entry((row.account, row.chat));
        match with_others {
            Together::Later => {
                let (ids, all) = group.or_default();
                ids.push(row.id);
                all.extend(told);
            }
            Together::Now => {
                let (mut ids, mut all) = kept_back.remove(&(row.account, row.chat)).unwrap_or_default();
                ids.push(row.id);
                all.extend(told);
                write_down(ctx, ids, &all).await?;
            }
            Together::Alone if told.is_empty() => silent.push(row.id),
            Together::Alone => write_down(ctx, vec![row.id], &told).await?,
        }
    }
    if !silent.is_empty() {
        write_down(ctx, silent, &[]).await?;
    }
    Ok(!rows.is_empty() || !waiting.unreadable.is_empty())
}

/// Sets a report aside that cannot be told.
async fn set_aside(ctx: &Context, id: i64, why: &str) -> Result<(), StorageError> {
    tracing::error!(report.id = id, why, "a report cannot be told and is set aside");
    ctx.db.write(move |conn| Box::pin(async move { conn.set_report_aside(id).await })).await
}

/// Turns reports into what is to be said.
async fn write_down(ctx: &Context, ids: Vec<i64>, told: &[Told]) -> Result<(), StorageError> {
    let now = ctx.clock.now();
    let mut sealed = Vec::with_capacity(told.len());
    for (chat, outgoing, live) in told {
        match outbound::seal(&ctx.keyring, outgoing) {
            Ok(body) => sealed.push((*chat, body, *live)),
            Err(error) => tracing::error!(error = %error, "a report could not be written down"),
        }
    }
    let written: Result<(), StorageError> = ctx
        .db
        .write(move |conn| {
            Box::pin(async move {
                let mut is_ours = false;
                for id in ids {
                    is_ours |= conn.done_report(id).await?;
                }
                if !is_ours {
                    return Ok(());
                }
                for (chat, body, live) in &sealed {
                    if let Some((kind, since)) = live {
                        conn.touch_live_card(*chat, *kind, *since, now.minus(digests::life(*kind)), now).await?;
                    }
                    conn.insert_outgoing(*chat, body, now).await?;
                }
                Ok(())
            })
        })
        .await;
    written?;
    ctx.wake_outbox();
    Ok(())
}

/// Whether a report is written down by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Together {
    /// By itself.
    Alone,
    /// With a later one of its kind.
    Later,
    /// Now, with those before it.
    Now,
}

/// What a chat is told, and the live card that it goes on with, which began at this moment.
type Told = (ChatId, Outgoing, Option<(Live, Moment)>);

/// What the n-th report shows: the message's card drawn anew, and a new message where a person should notice. Many
/// outcomes at once become one digest, and the late ones one card.
async fn tell(services: &Services, rows: &[ReportRow], n: usize) -> Result<(Vec<Told>, Together), Refusal> {
    let nothing = || Ok((Vec::new(), Together::Alone));
    let Some(row) = rows.get(n) else { return nothing() };
    let Some(account) = services.accounts.find_account(row.account).await? else { return nothing() };
    let chats = services.accounts.chats_of(account.id).await?;
    // The chat that asked, while it is linked; else the account's other chats.
    let to: Vec<ChatId> = if chats.contains(&row.chat) { vec![row.chat] } else { chats };
    let same = |other: &ReportRow| other.account == row.account && other.chat == row.chat;
    let alike = rows.iter().filter(|other| same(other) && is_alike(&other.report, &row.report)).count();
    let is_last = !rows.iter().skip(n + 1).any(|other| same(other) && is_alike(&other.report, &row.report));
    let (mut told, mut together) = (Vec::new(), Together::Alone);
    for chat in to {
        match &row.report {
            // The card is drawn once for all that became late.
            Report::Late if !is_last => {}
            // Of many that changed at once, few may have been shown.
            Report::Changed { message } if !services.messages.may_have_card(chat, *message).await? => {}
            Report::Sent { message, .. }
                if services.messages.is_one_of_many(account.id, row.chat, chat, alike).await? =>
            {
                together = if is_last { Together::Now } else { Together::Later };
                let Some(message) = find(services, &account, *message).await? else { continue };
                told.push((chat, Outgoing::Redraw(card(services, &account, &message).await?), None));
                if is_last {
                    let all = rows.iter().filter(|other| same(other));
                    let since = first_sent(services, &account, all).await?;
                    let (digest, newest) = services.messages.digest(account.id, row.chat, chat, since).await?;
                    let screen = screens::messages::digest(&digest, &newest, account.zone, account.language);
                    told.push((chat, Outgoing::Live(Live::Digest, screen), Some((Live::Digest, since))));
                }
            }
            report => {
                for outgoing in one(services, &account, report).await? {
                    let live = match &outgoing {
                        Outgoing::Live(kind, _) => Some((*kind, services.messages.clock.now())),
                        _ => None,
                    };
                    told.push((chat, outgoing, live));
                }
            }
        }
    }
    Ok((told, together))
}

/// When the first of some messages was sent.
async fn first_sent(
    services: &Services,
    account: &Account,
    rows: impl Iterator<Item = &ReportRow>,
) -> Result<Moment, Refusal> {
    let mut first = services.messages.clock.now();
    for row in rows {
        if let Report::Sent { message, .. } = row.report
            && let Some(message) = find(services, account, message).await?
        {
            first = message.sent_at.map_or(first, |at| at.min(first));
        }
    }
    Ok(first)
}

fn is_alike(one: &Report, other: &Report) -> bool {
    matches!((one, other), (Report::Sent { .. }, Report::Sent { .. }) | (Report::Late, Report::Late))
}

async fn one(services: &Services, account: &Account, report: &Report) -> Result<Vec<Outgoing>, Refusal> {
    let language = account.language;
    match report {
        Report::Sent { message, late_ms } => {
            let Some(message) = find(services, account, *message).await? else { return Ok(Vec::new()) };
            let (to, text) = (message.recipient.shown(), preview(&message.body, 60).replace('\n', " "));
            let said = if *late_ms > NOTABLE_MS {
                let by = std::time::Duration::from_millis(late_ms.unsigned_abs());
                t!(language, "report-sent-late", to = to, span = format::span(by, language), text = text)
            } else {
                let at = message.sent_at.unwrap_or(message.scheduled_time).in_zone(account.zone).format("%H:%M");
                t!(language, "report-sent", to = to, time = at, text = text)
            };
            Ok(vec![
                Outgoing::Redraw(card(services, account, &message).await?),
                Outgoing::Send(see(said, message.id, account)),
            ])
        }
        Report::Failed { message } | Report::Unknown { message } => {
            let Some(message) = find(services, account, *message).await? else { return Ok(Vec::new()) };
            let (to, text) = (message.recipient.shown(), preview(&message.body, 60).replace('\n', " "));
            let mut said = if message.status == Status::Unknown {
                t!(language, "report-unknown", to = to, text = text)
            } else {
                t!(language, "report-failed", to = to, text = text)
            };
            if let Some(reason) = reason_of(&message, language) {
                said.line(&reason);
            }
            let card = card(services, account, &message).await?;
            let asked = Screen { html: said, ..card.clone() };
            Ok(vec![Outgoing::Redraw(card), Outgoing::Send(asked)])
        }
        Report::Late => {
            let late = services.messages.late(account.id).await?;
            if late.count == 0 {
                return Ok(Vec::new());
            }
            Ok(vec![Outgoing::Live(Live::Late, screens::messages::late(&late, account.zone, language))])
        }
        Report::Held { reason, message } => {
            let mut said = t!(language, "report-held-title");
            said.line(&reason_line(*reason, language));
            let screen = Screen::new(said)
                .key(format!("📱 {}", plain!(language, "instances")), &Tap::Instances(0))
                .beside(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(false, 0));
            let mut shown = Vec::new();
            if let Some(message) = find(services, account, *message).await? {
                shown.push(Outgoing::Redraw(card(services, account, &message).await?));
            }
            shown.push(Outgoing::Send(screen));
            Ok(shown)
        }
        Report::Changed { message } => {
            let Some(message) = find(services, account, *message).await? else { return Ok(Vec::new()) };
            Ok(vec![Outgoing::Redraw(card(services, account, &message).await?)])
        }
        Report::Dropped { messages } => {
            let count = *messages;
            let said = Html::trusted(plain!(language, "report-dropped", count = count));
            let screen = Screen::new(said).key(format!("📨 {}", plain!(language, "messages")), &Tap::Messages(true, 0));
            Ok(vec![Outgoing::Send(screen)])
        }
        Report::RulesChanged { messages, first } => {
            let (mut shown, mut rows) = (Vec::new(), Vec::with_capacity(first.len()));
            for one in first {
                let Some(message) = find(services, account, one.message).await? else { continue };
                // Its card shows the moment.
                shown.push(Outgoing::Redraw(card(services, account, &message).await?));
                rows.push((message, one.from, one.to));
            }
            shown.push(Outgoing::Send(screens::messages::rules_changed(*messages, &rows, account.zone, language)));
            Ok(shown)
        }
        Report::Down { instance } | Report::Up { instance, .. } => {
            let name = match services.instances.find(account.id, *instance).await {
                Ok(instance) => instance.label.as_str().to_owned(),
                Err(Refusal::NotFound) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let said = match report {
                Report::Up { messages, .. } => {
                    let (name, count) = (Html::escape(&name).to_string(), *messages);
                    Html::trusted(plain!(language, "report-up", count = count, name = name))
                }
                _ => t!(language, "report-down", name = name),
            };
            let screen = Screen::new(said).key(format!("📱 {}", plain!(language, "instances")), &Tap::Instances(0));
            Ok(vec![Outgoing::Send(screen)])
        }
        Report::Guessing { tries } => {
            let screen = Screen::new(t!(language, "report-guessing", count = tries))
                .key(format!("🔑 {}", plain!(language, "password")), &Tap::Password)
                .beside(format!("💬 {}", plain!(language, "linked-chats")), &Tap::Chats);
            Ok(vec![Outgoing::Send(screen)])
        }
        Report::Clock { by_ms: 0 } => Ok(vec![Outgoing::Send(Screen::new(t!(language, "report-clock-right")))]),
        Report::Clock { by_ms } => {
            // To the minute: Telegram tells whole seconds, and its answer took a while.
            let minutes = by_ms.unsigned_abs().saturating_add(30_000) / 60_000;
            let by = format::span(std::time::Duration::from_secs(minutes * 60), language);
            let said = if *by_ms > 0 {
                t!(language, "report-clock-ahead", span = by)
            } else {
                t!(language, "report-clock-behind", span = by)
            };
            Ok(vec![Outgoing::Send(Screen::new(said))])
        }
        Report::Mended { instance, messages } => {
            let name = match services.instances.find(account.id, *instance).await {
                Ok(instance) => instance.label.as_str().to_owned(),
                Err(Refusal::NotFound) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let (name, count) = (Html::escape(&name).to_string(), *messages);
            Ok(vec![Outgoing::Send(Screen::new(Html::trusted(plain!(
                language,
                "report-mended",
                count = count,
                name = name
            ))))])
        }
    }
}

fn see(said: Html, id: MessageId, account: &Account) -> Screen {
    Screen::new(said).key(format!("🔎 {}", plain!(account.language, "see-message")), &Tap::Message(id))
}

async fn find(services: &Services, account: &Account, id: MessageId) -> Result<Option<ScheduledMessage>, Refusal> {
    match services.messages.find(account.id, id).await {
        Ok(message) => Ok(Some(message)),
        Err(Refusal::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn card(services: &Services, account: &Account, message: &ScheduledMessage) -> Result<Screen, Refusal> {
    let through = match message.goes_through() {
        Some(id) => services.instances.find(account.id, id).await.ok(),
        None if message.pinned => None,
        None => services.instances.active(account.id).await?,
    };
    let now = services.messages.clock.now();
    let card = Card { message, through: through.as_ref(), now, zone: account.zone, fresh: false };
    Ok(screens::messages::card(&card, account.language))
}
