//! Tells the administrators what keeps the whole program from its work.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::{Context, screens};
use crate::domain::guard::{Guard, Standing};
use crate::domain::ids::ChatId;
use crate::domain::language::Language;
use crate::domain::report::Report;
use crate::storage::StorageError;

/// How soon Telegram is asked again for the time, at first.
const SOON: Duration = Duration::from_secs(2);
/// And at last.
const LATER: Duration = Duration::from_secs(30);

/// Asks Telegram what time it is while the clock is not to be trusted, and tells the administrators when it is wrong
/// and when it is right again.
pub async fn clock(ctx: Arc<Context>, guard: Guard, reported: Arc<Notify>) {
    let mut changes = guard.changes();
    let mut told = false;
    let mut wait = SOON;
    loop {
        let standing = *changes.borrow_and_update();
        let report = match standing {
            Standing::Wrong { by_ms } if !told => Some(by_ms),
            Standing::Trusted if told => Some(0),
            _ => None,
        };
        if let Some(by_ms) = report {
            if by_ms != 0 {
                tracing::error!(seconds = by_ms / 1000, "the clock of this machine is wrong, says Telegram");
            }
            match tell(&ctx, &Report::Clock { by_ms }).await {
                Ok(()) => told = by_ms != 0,
                Err(error) => tracing::warn!(error = %error, "the administrators could not be told yet"),
            }
            reported.notify_one();
        }
        if standing == Standing::Trusted {
            wait = SOON;
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = ctx.shutdown.cancelled() => return,
            }
            continue;
        }
        // Every answer tells the time.
        let asked = tokio::select! {
            asked = ctx.api.get_me() => asked,
            () = ctx.shutdown.cancelled() => return,
        };
        if let Err(error) = asked {
            tracing::warn!(error = %error, "Telegram could not be asked for the time");
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = ctx.clock.sleep(wait) => wait = (wait * 2).min(LATER),
            () = ctx.shutdown.cancelled() => return,
        }
    }
}

/// How long the store may be out of order before people are told: it may only be starting anew.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often those who speak meanwhile are looked for, and whom could not be told yet.
const AGAIN: Duration = Duration::from_secs(5);
/// How long the administrators' chats are remembered, for when they cannot be read.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Tells administrators, and whoever speaks meanwhile, when nothing can be written down, and when that is over. What
/// says so cannot be written down either: it goes to Telegram straight away.
pub async fn store(ctx: Arc<Context>) {
    let mut changes = ctx.well.changes();
    let mut admins = Vec::new();
    loop {
        if let Ok(read) = admin_chats(&ctx).await {
            admins = read;
        }
        // Waits for trouble that lasts.
        tokio::select! {
            failing = changes.wait_for(|tries| tries.fail()) => if failing.is_err() { return },
            () = ctx.clock.sleep(REMEMBERED) => continue,
            () = ctx.shutdown.cancelled() => return,
        }
        let lasts = tokio::select! {
            _ = changes.wait_for(|tries| !tries.fail()) => false,
            () = ctx.clock.sleep(PATIENCE) => true,
            () = ctx.shutdown.cancelled() => return,
        };
        if !lasts {
            continue;
        }
        let mut told: HashMap<ChatId, Language> = HashMap::new();
        if let Ok(read) = admin_chats(&ctx).await {
            admins = read;
        }
        loop {
            let spoke = std::mem::take(&mut *ctx.unkept.lock().unwrap_or_else(PoisonError::into_inner));
            let all = admins.iter().copied().chain(spoke);
            for (chat, language) in all.collect::<Vec<_>>() {
                let is_new = !told.contains_key(&chat);
                if is_new && ctx.api.send(chat, &screens::home::store_fails(language), false).await.is_ok() {
                    told.insert(chat, language);
                }
            }
            tokio::select! {
                _ = changes.wait_for(|tries| !tries.fail()) => break,
                () = ctx.clock.sleep(AGAIN) => {}
                () = ctx.shutdown.cancelled() => return,
            }
        }
        for (chat, language) in told {
            if let Err(error) = ctx.api.send(chat, &screens::home::store_works(language), false).await {
                tracing::warn!(chat.id = chat.0, error = %error, "a chat could not be told that all is well again");
            }
        }
    }
}

async fn admin_chats(ctx: &Context) -> Result<Vec<(ChatId, Language)>, StorageError> {
    let chats = ctx.db.read().await?.list_admin_chats().await?;
    Ok(chats.into_iter().map(|one| (one.chat_id, Language::from_tag(&one.locale).unwrap_or_default())).collect())
}

async fn tell(ctx: &Context, report: &Report) -> Result<(), StorageError> {
    let (report, now) = (report.clone(), ctx.clock.now());
    ctx.db
        .write(move |conn| {
            Box::pin(async move {
                for one in conn.list_admin_chats().await? {
                    conn.add_report(one.account, one.chat_id, &report, now).await?;
                }
                Ok(())
            })
        })
        .await
}
