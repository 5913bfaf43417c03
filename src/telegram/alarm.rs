//! Tells the administrators what keeps the whole program from its work.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::Context;
use crate::domain::guard::{Guard, Standing};
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

async fn tell(ctx: &Context, report: &Report) -> Result<(), StorageError> {
    let (report, now) = (report.clone(), ctx.clock.now());
    ctx.db
        .write(move |conn| {
            Box::pin(async move {
                for (account, chat) in conn.list_admin_chats().await? {
                    conn.add_report(account, chat, &report, now).await?;
                }
                Ok(())
            })
        })
        .await
}
