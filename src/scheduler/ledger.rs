//! The ledger: a small file beside an SQLite database that says what was handed over. It is written before a
//! request leaves and outlives the database, so that a restored copy does not send again what its own time had
//! sent already (RELIABILITY.md P8). It holds ids and moments, no texts and no numbers.

use std::collections::{HashMap, HashSet};
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
    /// It says under which start of the machine it is written. That is said with the first line of a run, when what the
    /// run before left is settled.
    named: bool,
}

/// The ledger of a database; on PostgreSQL there is none.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    book: Option<Arc<Mutex<Book>>>,
    /// The newest attempt of each message that the file told of at the start, with the moment it was created.
    told: Arc<HashMap<(MessageId, Moment), i64>>,
    is_new: bool,
    /// The machine has not started anew since the last run wrote, so that all of it is there.
    is_whole: bool,
}

/// Names this start of the machine (`random(4)`: made anew at each boot).
fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// What a line begins with that says what a server took.
const TAKEN: &str = "taken ";

/// That a server took a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Which message.
    pub id: MessageId,
    /// When it was created.
    pub created: Moment,
    /// By which attempt.
    pub attempt: i64,
    /// `key.id` of the server.
    pub remote: String,
}

/// What a line begins with that names the start of the machine under which the next lines were written.
const BOOT: &str = "boot ";

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
        let (mut lines, mut written_under) = (0, None);
        if !is_new {
            for line in BufReader::new(File::open(&path)?).lines() {
                let line = line?;
                if let Some(boot) = line.strip_prefix(BOOT) {
                    written_under = Some(boot.to_owned());
                }
                // A torn last line is one that was being written: its request had not left.
                let Some((id, created, attempt, _)) = parse(&line) else { continue };
                lines += 1;
                let newest = told.entry((id, created)).or_default();
                *newest = attempt.max(*newest);
            }
        }
        let file = append(&path)?;
        Ok(Self {
            book: Some(Arc::new(Mutex::new(Book { path, file, lines, torn: false, named: false }))),
            told: Arc::new(told),
            is_new,
            is_whole: written_under.is_some() && written_under == boot(),
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

    /// Whether a claim of an earlier run certainly never left: what leaves is noted before, and nothing that was noted is
    /// lost while the machine runs.
    pub fn never_left(&self, id: MessageId, created: Moment, attempt: i64) -> bool {
        self.is_whole && self.told.get(&(id, created)).is_none_or(|told| *told < attempt)
    }

    /// Whether there is a ledger.
    pub fn is_kept(&self) -> bool {
        self.book.is_some()
    }

    /// Writes down what servers took, until the store does: who dies in between is in no doubt about it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note_taken(&self, taken: &[Taken], now: Moment) -> io::Result<()> {
        let Some(book) = self.book.as_ref().filter(|_| !taken.is_empty()) else { return Ok(()) };
        let line = |one: &Taken| {
            // What a server calls a message is one word, or it is not written down.
            let is_word = !one.remote.is_empty() && !one.remote.contains(char::is_whitespace);
            let (id, created, attempt, at) = (one.id.0, one.created.0, one.attempt, now.0);
            is_word.then(|| format!("{TAKEN}{id} {created} {attempt} {at} {};\n", one.remote))
        };
        let lines: String = taken.iter().filter_map(line).collect();
        book.lock().unwrap_or_else(PoisonError::into_inner).write(&lines)
    }

    /// What servers took of these claims of an earlier run, each with the moment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find_taken(&self, claims: &HashSet<(MessageId, Moment, i64)>) -> io::Result<Vec<(Taken, Moment)>> {
        let Some(book) = self.book.as_ref().filter(|_| self.is_whole && !claims.is_empty()) else {
            return Ok(Vec::new());
        };
        let path = book.lock().unwrap_or_else(PoisonError::into_inner).path.clone();
        let mut found = Vec::new();
        for line in BufReader::new(File::open(path)?).lines() {
            let line = line?;
            // A line that was torn has no end.
            let whole = line.strip_prefix(TAKEN).and_then(|line| line.strip_suffix(';'));
            let Some((told, remote)) = whole.and_then(|line| line.rsplit_once(' ')) else { continue };
            let Some((id, created, attempt, at)) = parse(told) else { continue };
            if claims.contains(&(id, created, attempt)) {
                found.push((Taken { id, created, attempt, remote: remote.to_owned() }, at));
            }
        }
        Ok(found)
    }

    /// Writes down what is about to leave.
    ///
    /// # Errors
    /// When it cannot be written: then nothing may leave.
    pub fn note<'a>(&self, leaving: impl IntoIterator<Item = &'a Due>, now: Moment) -> io::Result<()> {
        let Some(book) = &self.book else { return Ok(()) };
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut lines, mut count) = (String::new(), 0);
        for due in leaving {
            use std::fmt::Write as _;
            count += 1;
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{} {} {} {}", due.id.0, due.created_at.0, due.attempt + 1, now.0);
        }
        book.write(&lines)?;
        book.lines += count;
        if book.lines > LINES {
            book.shorten(now)?;
        }
        Ok(())
    }
}

impl Book {
    /// Appends whole lines; they do not stand on a torn one.
    fn write(&mut self, lines: &str) -> io::Result<()> {
        let torn = std::mem::replace(&mut self.torn, true);
        if torn {
            self.file.write_all(b"\n")?;
        }
        if !self.named {
            let boot = boot().map(|boot| format!("{BOOT}{boot}\n")).unwrap_or_default();
            self.file.write_all(boot.as_bytes())?;
            self.named = true;
        }
        self.file.write_all(lines.as_bytes())?;
        self.torn = false;
        Ok(())
    }

    fn shorten(&mut self, now: Moment) -> io::Result<()> {
        let mut kept = boot().map(|boot| format!("{BOOT}{boot}\n")).unwrap_or_default();
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
