//! The ledger: a small file beside an SQLite database that says what was handed over. It is written before a
//! request leaves and outlives the database, so that a restored copy does not send again what its own time had
//! sent already (RELIABILITY.md P8). It holds ids and moments, no texts and no numbers.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::clock::Moment;
use crate::domain::ids::MessageId;
use crate::storage::queue::{Due, Waiting};

/// After how many lines the file is written anew with what is young.
const LINES: usize = 200_000;
/// How old a line is kept at most when the file is written anew, in milliseconds: 48 h.
const YOUNG: i64 = 48 * 3600 * 1000;

#[derive(Debug)]
struct Book {
    path: PathBuf,
    file: File,
    lines: usize,
    /// The last line could not be written to its end.
    torn: bool,
}

/// The ledger of a database; on PostgreSQL there is none.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    book: Option<Arc<Mutex<Book>>>,
    /// The newest attempt of each message that the file told of at the start, with the moment it was created.
    told: Arc<HashMap<(MessageId, Moment), i64>>,
    is_new: bool,
}

impl Ledger {
    /// Opens the ledger beside `database`.
    ///
    /// # Errors
    /// When the file cannot be read or made.
    pub fn open(database: &Path) -> io::Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-sends");
        let path = PathBuf::from(path);
        let mut told = HashMap::new();
        let is_new = !path.exists();
        let mut lines = 0;
        if !is_new {
            for line in BufReader::new(File::open(&path)?).lines() {
                // A torn last line is one that was being written: its request had not left.
                let Some((id, created, attempt, _)) = parse(&line?) else { continue };
                lines += 1;
                let newest = told.entry((id, created)).or_default();
                *newest = attempt.max(*newest);
            }
        }
        let file = append(&path)?;
        Ok(Self {
            book: Some(Arc::new(Mutex::new(Book { path, file, lines, torn: false }))),
            told: Arc::new(told),
            is_new,
        })
    }

    /// Whether there was no ledger: the database is new, or it was brought from elsewhere.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Whether a message that the database takes for unsent was handed over already.
    pub fn was_sent(&self, waiting: &Waiting) -> bool {
        self.told.get(&(waiting.id, waiting.created_at)).is_some_and(|attempt| *attempt > waiting.attempt)
    }

    /// Writes down what is about to leave.
    ///
    /// # Errors
    /// When it cannot be written: then nothing may leave.
    pub fn note(&self, claimed: &[Due], now: Moment) -> io::Result<()> {
        let Some(book) = &self.book else { return Ok(()) };
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = String::with_capacity(claimed.len() * 48);
        if book.torn {
            lines.push('\n');
        }
        for due in claimed {
            use std::fmt::Write as _;
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{} {} {} {}", due.id.0, due.created_at.0, due.attempt + 1, now.0);
        }
        book.torn = true;
        book.file.write_all(lines.as_bytes())?;
        book.torn = false;
        book.lines += claimed.len();
        if book.lines > LINES {
            book.shorten(now)?;
        }
        Ok(())
    }
}

impl Book {
    fn shorten(&mut self, now: Moment) -> io::Result<()> {
        let mut kept = String::new();
        self.lines = 0;
        for line in BufReader::new(File::open(&self.path)?).lines() {
            let line = line?;
            if parse(&line).is_some_and(|(.., at)| at.0 > now.0 - YOUNG) {
                kept.push_str(&line);
                kept.push('\n');
                self.lines += 1;
            }
        }
        // When all of it is young, it is looked at again later.
        self.lines = self.lines.min(LINES / 2);
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(kept.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)?;
        self.file = append(&self.path)?;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    // What comes next does not stand on a torn line.
    file.write_all(b"\n")?;
    Ok(file)
}

fn parse(line: &str) -> Option<(MessageId, Moment, i64, Moment)> {
    let mut numbers = line.split(' ').map(str::parse::<i64>);
    let mut next = || numbers.next()?.ok();
    Some((MessageId(next()?), Moment(next()?), next()?, Moment(next()?)))
}
