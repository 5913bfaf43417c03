//! Ingest: polls Telegram and keeps what comes in the inbox. Telegram is told only after the commit.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::api::{ApiError, RawUpdate};
use super::{Arrival, Context, inbound};
use crate::domain::ids::{ChatId, UpdateId};
use crate::domain::language::Language;
use crate::domain::well::Part;
use crate::storage::StorageError;

/// How soon what could not be kept is asked for again, at the latest.
const UNKEPT: Duration = Duration::from_secs(4);

/// Polls until `stop`. Returns only an error that no retry can mend.
pub(super) async fn run(ctx: Arc<Context>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut offset = None;
    let mut wait = Duration::from_millis(500);
    let mut conflict_told = false;
    // The first poll, and the first after trouble, only finds out whether Telegram answers.
    let mut at_once = true;
    loop {
        let polled = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            polled = ctx.api.get_updates(offset, at_once) => polled,
        };
        match &polled {
            Ok(_) => ctx.pulse.beat(ctx.clock.pause_now()),
            Err(_) => ctx.pulse.stop(),
        }
        at_once = polled.is_err();
        let pause = match polled {
            Ok(updates) if updates.is_empty() => {
                // Telegram starts its ids anew after a quiet week; what was confirmed stays confirmed.
                offset = None;
                conflict_told = false;
                wait = Duration::from_millis(500);
                continue;
            }
            Ok(updates) => {
                let last = updates.iter().map(|update| update.id.0).max();
                let who = heard(&updates);
                match keep(&ctx, updates).await {
                    Ok(()) => {
                        ctx.well.note(Part::Inbox, true);
                        offset = last.map(|id| id + 1);
                        conflict_told = false;
                        wait = Duration::from_millis(500);
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(
                            error = format!("{error:#}"),
                            "updates could not be kept; they are asked for again"
                        );
                        // They are told once that they were heard; Telegram keeps what they said.
                        ctx.unkept.lock().unwrap_or_else(PoisonError::into_inner).extend(who);
                        ctx.well.note(Part::Inbox, false);
                        wait.min(UNKEPT)
                    }
                }
            }
            Err(ApiError::Unauthorized) => return Err(ApiError::Unauthorized.into()),
            Err(ApiError::RetryAfter(pause)) => pause,
            Err(ApiError::Conflict) => {
                if !conflict_told {
                    tracing::error!("another process polls with the same bot token; waiting for it to stop");
                    conflict_told = true;
                }
                Duration::from_secs(5)
            }
            Err(error) => {
                tracing::warn!(error = %error, "the poll failed");
                wait
            }
        };
        wait = (wait * 2).min(Duration::from_secs(30));
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = ctx.clock.sleep(pause) => {}
        }
    }
}

/// Who spoke, and their language.
fn heard(updates: &[RawUpdate]) -> Vec<(ChatId, Language)> {
    let one = |update: &RawUpdate| {
        let chat = inbound::chat_of_lane(&inbound::lane_of(&update.body))?;
        let body: Value = serde_json::from_str(&update.body).ok()?;
        let from =
            ["/message/from", "/callback_query/from", "/edited_message/from"].iter().find_map(|at| body.pointer(at))?;
        let tag = from.get("language_code").and_then(Value::as_str).unwrap_or_default();
        Some((chat, Language::from_tag(tag).unwrap_or_default()))
    };
    updates.iter().filter_map(one).collect()
}

/// Keeps a batch in one transaction and hands what is new to the lanes.
pub(super) async fn keep(ctx: &Arc<Context>, mut updates: Vec<RawUpdate>) -> anyhow::Result<()> {
    // The ids tell the order in which things were said.
    updates.sort_by_key(|update| update.id.0);
    let now = ctx.clock.now();
    let batch: Vec<_> = updates
        .into_iter()
        .map(|update| {
            let lane = inbound::lane_of(&update.body);
            let sealed = ctx.keyring.seal(&format!("inbox/{}", update.id), update.body.as_bytes());
            (update.id, lane, sealed)
        })
        .collect();
    let fresh: Result<Vec<_>, StorageError> = ctx
        .db
        .write(move |conn| {
            Box::pin(async move {
                let mut fresh: HashSet<UpdateId> = conn.insert_updates(&batch, now).await?.into_iter().collect();
                Ok(batch.into_iter().filter(|update| fresh.remove(&update.0)).collect())
            })
        })
        .await;
    for (id, lane, sealed) in fresh? {
        ctx.arrive(Arrival { id, lane, body: Some(sealed), again: false });
    }
    Ok(())
}
