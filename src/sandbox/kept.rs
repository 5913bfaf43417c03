//! What the demo's world remembers over a restart: people and their chats, the server's instances, and what reached
//! WhatsApp. A file beside the bot's own data, written soon after each change.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::evolution::{self, EvolutionServer};
use super::telegram::{self, Telegram};

/// Changes within this time are written together.
const TOGETHER: Duration = Duration::from_millis(150);

#[derive(Serialize, Deserialize)]
struct Kept {
    telegram: telegram::Kept,
    evolution: evolution::Kept,
}

/// Puts the world back as it was kept; `false` when nothing was, or nothing that can be read.
pub(super) fn restore(path: &Path, telegram: &Telegram, evolution: &EvolutionServer) -> bool {
    let Ok(kept) = std::fs::read(path) else { return false };
    match serde_json::from_slice::<Kept>(&kept) {
        Ok(kept) => {
            telegram.restore(kept.telegram);
            evolution.restore(kept.evolution);
            true
        }
        Err(error) => {
            tracing::warn!(error = %error, "the demo's chats cannot be read and begin anew");
            false
        }
    }
}

/// Writes the world down as it stands: beside the old file first, so that a kill leaves one or the other.
pub(super) fn write(path: &Path, telegram: &Telegram, evolution: &EvolutionServer) {
    let kept = Kept { telegram: telegram.keep(), evolution: evolution.keep() };
    let fresh = path.with_extension("new");
    let written = serde_json::to_vec(&kept)
        .map_err(std::io::Error::from)
        .and_then(|bytes| std::fs::write(&fresh, bytes))
        .and_then(|()| std::fs::rename(&fresh, path));
    if let Err(error) = written {
        tracing::warn!(error = %error, "the demo's chats cannot be kept");
    }
}

/// Writes it down whenever something changed.
#[expect(clippy::disallowed_methods, reason = "the demo runs by the machine's clock")]
pub(super) async fn keep(path: &Path, telegram: &Telegram, evolution: &EvolutionServer) {
    loop {
        let (said, sent) = (telegram.revision(), evolution.count());
        write(path, telegram, evolution);
        tokio::select! {
            _ = telegram.changed_after(said) => {}
            () = evolution.wait_for(sent + 1) => {}
        }
        tokio::time::sleep(TOGETHER).await;
    }
}
