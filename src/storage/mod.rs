//! All SQL. One set of queries for two engines: every query is a method of [`Conn`], used alike
//! inside and outside a transaction; only DDL, the claim and the wake-up differ.

mod error;

pub mod accounts;
pub mod ahead;
pub mod cards;
pub mod chats;
pub mod conversations;
pub mod health;
pub mod inbox;
pub mod instances;
pub mod leases;
mod listed;
pub mod live;
pub mod looks;
pub mod messages;
pub mod outbox;
pub mod outcomes;
pub mod queue;
pub mod reports;
pub mod series;
mod waits;
pub mod wake;
pub mod walls;

use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Postgres, Sqlite};
use tokio::sync::{mpsc, oneshot};

pub use error::{Result, StorageError};

static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// Runs one expression on whichever engine a [`Conn`] is of; `$c` is its connection.
macro_rules! on {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::storage::Conn::Sqlite(conn) => {
                let $c = &mut **conn;
                $body
            }
            $crate::storage::Conn::Postgres(conn) => {
                let $c = &mut **conn;
                $body
            }
        }
    };
}
pub(crate) use on;

/// A connection to either engine; the methods are in the modules beside this one.
#[derive(Debug)]
pub enum Conn {
    /// An embedded file.
    Sqlite(PoolConnection<Sqlite>),
    /// A server.
    Postgres(PoolConnection<Postgres>),
}

/// A piece of work.
pub type Work = Box<dyn for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Verdict> + Send>;

/// What a piece of work in a group commit wants done with its part.
pub struct Verdict {
    keep: bool,
    /// Called with the fate of the commit.
    answer: Box<dyn FnOnce(std::result::Result<(), String>) + Send>,
}

/// The database: reads run beside each other, writes go through [`Database::write`].
#[derive(Debug, Clone)]
pub enum Database {
    /// An embedded file: a pool for reads, and one writer that commits in groups.
    Sqlite {
        /// Connections for reading.
        reads: SqlitePool,
        /// The writer's queue.
        writer: mpsc::Sender<SqliteWork>,
        /// How the file is opened.
        options: Arc<SqliteConnectOptions>,
    },
    /// A server.
    Postgres {
        /// Connections for everything but the scheduler's rounds.
        pool: PgPool,
        /// Connections for those: the same few statements again and again, whose plans are made once.
        rounds: PgPool,
    },
}

/// What waits for the writer: a piece of work, or the wish that it closes the file.
pub enum SqliteWork {
    /// A piece of work.
    Do(Work),
    /// Close, and say so.
    Close(oneshot::Sender<()>),
}

impl std::fmt::Debug for SqliteWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteWork")
    }
}

/// What a round reads it finds by an index, whatever the tables hold: planning that anew each time would cost a tenth of it.
const ROUNDS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;
    SET enable_mergejoin = off; SET random_page_cost = 1.1; SET jit = off";

/// How many pieces of work one commit takes at most.
const GROUP: usize = 256;

impl Database {
    /// Opens `url` (`sqlite://path` or `postgres://…`) and brings the schema up to date.
    pub async fn open(url: &str) -> Result<Self> {
        let database = Self::connect(url).await?;
        match &database {
            Self::Sqlite { .. } => {}
            Self::Postgres { pool, .. } => POSTGRES.run(pool).await?,
        }
        Ok(database)
    }

    async fn connect(url: &str) -> Result<Self> {
        if url.starts_with("postgres") {
            // Else each harmless ROLLBACK below would be a warning in our log.
            let options = PgConnectOptions::from_str(url)?.options([("client_min_messages", "error")]);
            // A statement that is planned once, while a table is small, goes on reading all of it when it is not; and
            // where pages are far apart no more, an index is never the dear way.
            let pool = postgres_pool(16, "SET plan_cache_mode = force_custom_plan; SET random_page_cost = 1.1")
                .connect_with(options.clone())
                .await?;
            let rounds = postgres_pool(2, ROUNDS).connect_lazy_with(options);
            return Ok(Self::Postgres { pool, rounds });
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .pragma("secure_delete", "ON")
            .statement_cache_capacity(256);
        make_private(options.get_filename())?;
        let single = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        SQLITE.run(&single).await?;
        let reads = SqlitePoolOptions::new()
            .max_connections(4)
            .min_connections(1)
            // A file is there or it is not: asking before each read costs as much as the read.
            .test_before_acquire(false)
            .connect_with(options.clone().pragma("query_only", "ON"))
            .await?;
        let (writer, queue) = mpsc::channel(1024);
        tokio::spawn(write_in_groups(single, queue));
        Ok(Self::Sqlite { reads, writer, options: Arc::new(options) })
    }

    /// The same for the scheduler's rounds, which are the same few statements again and again.
    pub fn for_rounds(&self) -> Self {
        match self {
            Self::Sqlite { .. } => self.clone(),
            Self::Postgres { rounds, .. } => Self::Postgres { pool: rounds.clone(), rounds: rounds.clone() },
        }
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<Conn> {
        Ok(match self {
            Self::Sqlite { reads, .. } => Conn::Sqlite(reads.acquire().await?),
            Self::Postgres { pool, .. } => Conn::Postgres(pool.acquire().await?),
        })
    }

    /// Runs `work` in a transaction: kept when it returns `Ok`, undone otherwise. It runs to its end even
    /// when the caller goes away. On SQLite several callers may share one commit.
    pub async fn write<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, std::result::Result<T, E>> + Send + 'static,
    {
        match self {
            Self::Sqlite { writer, .. } => {
                let (tell, told) = oneshot::channel();
                let work: Work = Box::new(move |conn| {
                    Box::pin(async move {
                        let outcome = work(conn).await;
                        let keep = outcome.is_ok();
                        let answer = move |commit: std::result::Result<(), String>| {
                            let outcome = match commit {
                                Ok(()) => outcome,
                                Err(why) => Err(StorageError::Uncommitted(why).into()),
                            };
                            // The caller may have gone away.
                            let _ = tell.send(outcome);
                        };
                        Verdict { keep, answer: Box::new(answer) }
                    })
                });
                writer.send(SqliteWork::Do(work)).await.map_err(|_| StorageError::Abandoned)?;
                told.await.map_err(|_| StorageError::Abandoned)?
            }
            Self::Postgres { pool, .. } => {
                let pool = pool.clone();
                let task = tokio::spawn(async move {
                    let mut conn = Conn::Postgres(pool.acquire().await.map_err(StorageError::from)?);
                    let done = AssertUnwindSafe(async {
                        conn.execute("BEGIN").await?;
                        let outcome = work(&mut conn).await;
                        let ended = conn.execute(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
                        Ok::<_, E>((outcome, ended))
                    });
                    // This task is its own, so nobody breaks it off in the midst of a transaction (sqlx #4393). Where it
                    // breaks off by itself, its connection is not used again.
                    match done.catch_unwind().await {
                        Ok(Ok((outcome, Ok(())))) => outcome,
                        Ok(Ok((_, Err(error)))) => {
                            conn.forsake();
                            Err(error.into())
                        }
                        Ok(Err(error)) => {
                            conn.forsake();
                            Err(error)
                        }
                        Err(_) => {
                            conn.forsake();
                            tracing::error!("a piece of work on the store panicked");
                            Err(StorageError::Abandoned.into())
                        }
                    }
                });
                task.await.map_err(|_| StorageError::Abandoned)?
            }
        }
    }

    /// Writes a consistent copy of an SQLite database to `file`, which must not exist yet; only its owner may read it.
    pub async fn backup(&self, file: &Path) -> Result<()> {
        match self {
            Self::Sqlite { options, .. } => {
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(sqlx::Error::Io)?;
                let mut conn = options.connect().await?;
                sqlx::query("VACUUM INTO $1").bind(file.to_string_lossy().into_owned()).execute(&mut conn).await?;
                conn.close().await?;
                Ok(())
            }
            Self::Postgres { .. } => {
                Err(StorageError::Engine(sqlx::Error::Configuration("use pg_dump for PostgreSQL".into())))
            }
        }
    }

    /// Whether an SQLite file is whole.
    pub async fn check_integrity(&self) -> Result<()> {
        let Self::Sqlite { reads, .. } = self else { return Ok(()) };
        let said: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(reads).await?;
        if said == "ok" {
            return Ok(());
        }
        Err(StorageError::Engine(sqlx::Error::Protocol(format!("the file is damaged: {said}"))))
    }

    /// Closes it: waits for what is being written.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { reads, writer, .. } => {
                reads.close().await;
                let (tell, told) = oneshot::channel();
                if writer.send(SqliteWork::Close(tell)).await.is_ok() {
                    // A writer that is gone has closed.
                    let _ = told.await;
                }
            }
            Self::Postgres { pool, rounds } => {
                rounds.close().await;
                pool.close().await;
            }
        }
    }
}

impl Conn {
    /// Closes a connection that nobody knows the state of, so that the pool makes a new one.
    fn forsake(self) {
        if let Self::Postgres(conn) = self {
            drop(conn.detach());
        }
    }

    /// Runs a statement without arguments.
    pub async fn execute(&mut self, sql: &'static str) -> Result<()> {
        on!(self, c => sqlx::raw_sql(sql).execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Reads a value of the installation, such as the id of the secret key.
    pub async fn find_meta(&mut self, name: &str) -> Result<Option<String>> {
        Ok(on!(self, c => sqlx::query_scalar("SELECT value FROM meta WHERE name = $1")
            .bind(name).fetch_optional(c).await)?)
    }

    /// Writes a value of the installation.
    pub async fn set_meta(&mut self, name: &str, value: &str) -> Result<()> {
        on!(self, c => sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(name).bind(value).execute(c).await.map(|_| ()))?;
        Ok(())
    }
}

/// Makes the file of a new database readable by its owner alone, as SQLite then makes those beside it; a database
/// that everyone on the machine may read is refused (SECURITY.md T27).
fn make_private(file: &Path) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(sqlx::Error::Io(error).into()),
    }
    let mode = std::fs::metadata(file).map_err(sqlx::Error::Io)?.permissions().mode() & 0o777;
    let others = mode & 0o007;
    if others == 0 { Ok(()) } else { Err(StorageError::Exposed { path: file.to_owned(), mode }) }
}

/// How connections to a server are made and kept; each is tuned as told.
fn postgres_pool(most: u32, tune: &'static str) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(move |conn, _| {
            Box::pin(async move {
                sqlx::raw_sql(tune).execute(conn).await?;
                Ok(())
            })
        })
        // A connection that was used a moment ago is there still.
        .test_before_acquire(false)
        .before_acquire(|conn, last| {
            Box::pin(async move {
                if last.idle_for > Duration::from_secs(1) {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
}

/// The writer: takes what has gathered, commits it together, and answers all.
async fn write_in_groups(pool: SqlitePool, mut queue: mpsc::Receiver<SqliteWork>) {
    let mut batch = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut batch, GROUP).await > 0 {
        let mut answers = Vec::with_capacity(batch.len());
        let mut last = None;
        let works = batch.drain(..).filter_map(|one| match one {
            SqliteWork::Do(work) => Some(work),
            SqliteWork::Close(tell) => {
                last = Some(tell);
                None
            }
        });
        let works: Vec<Work> = works.collect();
        let fate = if works.is_empty() { Ok(()) } else { commit(&pool, works, &mut answers).await };
        if let Err(error) = &fate {
            tracing::warn!(error = %error, "a write could not be committed");
        }
        let fate = fate.map_err(|error| error.to_string());
        for answer in answers {
            answer(fate.clone());
        }
        if let Some(tell) = last {
            pool.close().await;
            // Whoever asked may have gone away.
            let _ = tell.send(());
            return;
        }
    }
}

type Answer = Box<dyn FnOnce(std::result::Result<(), String>) + Send>;

async fn commit(pool: &SqlitePool, batch: Vec<Work>, answers: &mut Vec<Answer>) -> Result<()> {
    let mut conn = Conn::Sqlite(pool.acquire().await?);
    // One piece of work alone needs no savepoint: the transaction is its own. Each statement that is sent by itself
    // costs more than what it does, so the savepoints are set and released in passing.
    let (alone, last) = (batch.len() == 1, batch.len() - 1);
    if let Err(error) = conn.execute(if alone { "BEGIN IMMEDIATE" } else { "BEGIN IMMEDIATE; SAVEPOINT part" }).await {
        // It may have begun; a transaction that has not cannot be undone.
        let _ = conn.execute("ROLLBACK").await;
        return Err(error);
    }
    let mut broken = None;
    for (n, work) in batch.into_iter().enumerate() {
        // A panic ends its own piece of work; the caller hears that it was given up.
        let keep = match AssertUnwindSafe(async { work(&mut conn).await }).catch_unwind().await {
            Ok(verdict) => {
                answers.push(verdict.answer);
                verdict.keep
            }
            Err(_) => {
                tracing::error!("a piece of work on the store panicked");
                false
            }
        };
        let end = match (alone, keep) {
            (true, true) => continue,
            (true, false) => return conn.execute("ROLLBACK").await,
            // The commit releases the last one.
            (false, true) if n == last => continue,
            (false, true) => "RELEASE part; SAVEPOINT part",
            // It stands still, for the next.
            (false, false) => "ROLLBACK TO part",
        };
        if let Err(error) = conn.execute(end).await {
            broken = Some(error);
            break;
        }
    }
    let fate = match broken {
        None => conn.execute("COMMIT").await,
        Some(error) => Err(error),
    };
    if fate.is_err() {
        // It may be gone already; what matters is that the next group starts afresh.
        let _ = conn.execute("ROLLBACK").await;
    }
    fate
}
