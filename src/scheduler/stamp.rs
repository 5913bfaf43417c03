//! A count that stands in a PostgreSQL database and in a file of this process. Where a copy of the data directory is put back, the
//! server, its database and its timeline are the same; but its count is behind that of the file, so that what is overdue in it
//! may have been sent (RELIABILITY.md P8). While the program runs, the server's own log position tells
//! ([`crate::storage::queue::Serving`]).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::storage::{Conn, StorageError};

/// How often it counts at most, while messages are claimed.
const EVERY: Duration = Duration::from_secs(2);

/// How many processes may keep a file in one folder.
const BESIDE: usize = 16;

/// The count of this process; none on SQLite, where there is a ledger, and where no file can be kept.
#[derive(Debug, Clone, Default)]
pub struct Stamp(Option<Arc<Mutex<Kept>>>);

#[derive(Debug)]
struct Kept {
    /// Locked: a second process in the same folder keeps another.
    file: File,
    /// Names the row.
    id: String,
    /// Which database of which server it counts for.
    identity: String,
    count: i64,
    /// When it counted last, by the steady clock.
    counted_at: Option<Duration>,
}

/// A count that goes into a transaction, and into the file when that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    name: String,
    count: i64,
}

impl Counted {
    /// Writes it into the database.
    pub async fn write(&self, conn: &mut Conn) -> Result<(), StorageError> {
        conn.set_meta(&self.name, &self.count.to_string()).await
    }
}

impl Stamp {
    /// Opens the file, or makes it; where another process has it, one beside it.
    ///
    /// # Errors
    /// When none can be read or made, or others have them all.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = take(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let mut words = text.split_whitespace();
        let mut word = || words.next().map(str::to_owned);
        let (id, identity, count) = (word(), word(), word().and_then(|count| count.parse().ok()));
        let (id, identity, count) = match (id, identity, count) {
            (Some(id), Some(identity), Some(count)) => (id, identity, count),
            // New, or torn.
            _ => (format!("{:016x}", rand::random::<u64>()), String::new(), 0),
        };
        Ok(Self(Some(Arc::new(Mutex::new(Kept { file, id, identity, count, counted_at: None })))))
    }

    /// Whether the database is older than what this process knew of it; it counts on from there.
    pub async fn is_newer_than(&self, conn: &mut Conn, identity: &str) -> Result<bool, StorageError> {
        let Some((name, known)) = self.with(|kept| {
            if kept.identity != identity {
                (kept.identity, kept.count) = (identity.to_owned(), 0);
            }
            (kept.name(), kept.count)
        }) else {
            return Ok(false);
        };
        let found = conn.find_meta(&name).await?.and_then(|count| count.parse().ok()).unwrap_or(0);
        self.with(|kept| kept.count = kept.count.max(found));
        Ok(found < known)
    }

    /// What is to be written now, at this time of the steady clock; nothing a moment after it was.
    pub fn count(&self, steady: Duration) -> Option<Counted> {
        self.with(|kept| {
            let is_due = kept.counted_at.is_none_or(|before| steady.saturating_sub(before) >= EVERY);
            (is_due && !kept.identity.is_empty()).then(|| {
                kept.counted_at = Some(steady);
                Counted { name: kept.name(), count: kept.count + 1 }
            })
        })?
    }

    /// It is in the database: the file says so, too.
    pub fn keep(&self, counted: &Counted) {
        let kept = self.with(|kept| {
            kept.count = kept.count.max(counted.count);
            kept.save()
        });
        if let Some(Err(error)) = kept {
            tracing::warn!(error = %error, "it could not be noted how far the database is");
        }
    }

    fn with<T>(&self, how: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        self.0.as_ref().map(|kept| how(&mut kept.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The first of these files that no other process has.
fn take(path: &Path) -> io::Result<File> {
    for n in 0..BESIDE {
        let mut name = path.as_os_str().to_owned();
        if n > 0 {
            name.push(format!("-{n}"));
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(name)?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

impl Kept {
    fn name(&self) -> String {
        format!("stamp:{}", self.id)
    }

    fn save(&mut self) -> io::Result<()> {
        let text = format!("{} {} {}\n", self.id, self.identity, self.count);
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }
}
