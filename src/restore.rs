//! Puts a backup in the place of an SQLite database. What was overdue in it is asked about before it is sent.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::config::Config;
use crate::domain::clock::Clock;
use crate::scheduler::DOUBT_BEFORE;
use crate::services::lock::DatabaseLock;
use crate::services::secrets::Keyring;
use crate::storage::{Database, StorageError};

/// Restores `file`; what was there before is kept beside it, and its path returned.
///
/// # Errors
/// When a server runs on the database, the file is no whole backup of this program, or its keys are not ours.
pub async fn restore(config: &Config, file: &Path, clock: &Clock) -> Result<Option<PathBuf>> {
    let Some(database) = config.sqlite_path() else { bail!("use pg_restore for PostgreSQL") };
    config.make_data_dir().context("DATABASE_URL: its folder")?;
    let _lock = DatabaseLock::take(database)?;
    let beside = |ending: &str| {
        let mut path = database.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    // The copy is looked at before anything is moved.
    let copy = beside(".restoring");
    std::fs::copy(file, &copy).with_context(|| file.display().to_string())?;
    let looked = look(&copy, &config.secret_key_file, clock).await;
    if let Err(error) = looked {
        remove(&copy)?;
        return Err(error.context(format!("{} was not restored", file.display())));
    }
    let old = beside(".before-restore");
    let was_there = database.exists();
    for ending in ["", "-wal", "-shm"] {
        let (from, mut to) = (beside(ending), old.clone().into_os_string());
        to.push(ending);
        if from.exists() {
            std::fs::rename(&from, to).with_context(|| from.display().to_string())?;
        }
    }
    std::fs::rename(&copy, database).context("DATABASE_URL")?;
    Ok(was_there.then_some(old))
}

/// Whether a copy is whole and ours; marks it as old.
async fn look(copy: &Path, key: &Path, clock: &Clock) -> Result<()> {
    let db =
        Database::open(&format!("sqlite://{}", copy.display())).await.context("it is no database of schedulezap")?;
    let looked = async {
        db.check_integrity().await?;
        Keyring::open_or_create(key)?.check(&db).await?;
        let now = clock.now().0.to_string();
        let marked: Result<(), StorageError> =
            db.write(move |conn| Box::pin(async move { conn.set_meta(DOUBT_BEFORE, &now).await })).await;
        marked?;
        anyhow::Ok(())
    };
    let looked = looked.await;
    db.close().await;
    looked
}

fn remove(copy: &Path) -> Result<()> {
    for ending in ["", "-wal", "-shm"] {
        let mut path = copy.as_os_str().to_owned();
        path.push(ending);
        let path = PathBuf::from(path);
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}
