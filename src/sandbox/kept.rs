//! What the demo's world remembers over a restart: people and their chats, the server's instances, and what reached
//! WhatsApp. A file beside the bot's own data that only its owner can read, written soon after each change.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
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
    /// Where the Evolution API listens: instances are saved with its address.
    #[serde(default)]
    port: Option<u16>,
}

/// What was put back.
pub(super) struct Restored {
    /// Where the Evolution API listened.
    pub port: Option<u16>,
}

/// Keeps the world in a file.
#[derive(Debug)]
pub(super) struct Keeper {
    path: PathBuf,
    telegram: Telegram,
    evolution: EvolutionServer,
    /// Held while the file is written, with the port that is written into it.
    port: Mutex<Option<u16>>,
}

impl Keeper {
    /// Keeps these two.
    pub(super) fn new(path: PathBuf, telegram: &Telegram, evolution: &EvolutionServer) -> Self {
        Self { path, telegram: telegram.clone(), evolution: evolution.clone(), port: Mutex::default() }
    }

    /// Puts the world back as it was kept; nothing when nothing was, or nothing that can be read.
    pub(super) fn restore(&self) -> Option<Restored> {
        let kept = fs::read(&self.path).ok()?;
        match serde_json::from_slice::<Kept>(&kept) {
            Ok(kept) => {
                self.telegram.restore(kept.telegram);
                self.evolution.restore(kept.evolution);
                Some(Restored { port: kept.port })
            }
            Err(error) => {
                tracing::warn!(error = %error, "the demo's chats cannot be read and begin anew");
                None
            }
        }
    }

    /// From now on this is where the Evolution API listens.
    pub(super) fn listens_at(&self, port: u16) {
        *self.port.lock().unwrap_or_else(PoisonError::into_inner) = Some(port);
    }

    /// Writes the world down as it stands.
    pub(super) fn write(&self) {
        let port = self.port.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = Kept { telegram: self.telegram.keep(), evolution: self.evolution.keep(), port: *port };
        if let Err(error) = self.replace(&kept) {
            tracing::warn!(error = %error, "the demo's chats cannot be kept");
        }
    }

    /// Writes a file beside the old one first, so that a kill leaves one or the other.
    fn replace(&self, kept: &Kept) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        fs::rename(&fresh, &self.path)
    }

    /// Writes it down whenever something changed.
    #[expect(clippy::disallowed_methods, reason = "the demo runs by the machine's clock")]
    pub(super) async fn keep(&self) {
        loop {
            let (said, sent) = (self.telegram.revision(), self.evolution.count());
            self.write();
            tokio::select! {
                _ = self.telegram.changed_after(said) => {}
                () = self.evolution.wait_for(sent + 1) => {}
            }
            tokio::time::sleep(TOGETHER).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_file_is_its_owners_alone_and_brings_back_the_port() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("world.json");
        // What an older demo left of a write that was cut off.
        fs::write(path.with_extension("new"), "{").unwrap();
        let world = || (Telegram::new("1:t", "bot"), EvolutionServer::new("key"));
        let (telegram, evolution) = world();
        let keeper = Arc::new(Keeper::new(path.clone(), &telegram, &evolution));
        assert!(keeper.restore().is_none());
        keeper.listens_at(8991);
        telegram.person("Ana", "pt-br").says("olá");
        keeper.write();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let (telegram, evolution) = world();
        let keeper = Keeper::new(path, &telegram, &evolution);
        assert_eq!(keeper.restore().and_then(|restored| restored.port), Some(8991));
        assert_eq!(telegram.person("Ana", "pt-br").chat().len(), 1);
    }
}
