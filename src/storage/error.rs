//! What can go wrong with the store.

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// What is written would break a rule of uniqueness.
    #[error("conflict with what is stored")]
    Conflict,
    /// A stored value cannot be read.
    #[error("corrupt value in {table}.{column}, row {row}")]
    Corrupt {
        /// Its table.
        table: &'static str,
        /// Its column.
        column: &'static str,
        /// Its row.
        row: i64,
    },
    /// Everyone on the machine may read the file.
    #[error("{path} has mode {mode:03o}: everyone on this machine may read it; run chmod 600 {path}", path = path.display())]
    Exposed {
        /// Which file.
        path: std::path::PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The transaction was given up by its caller.
    #[error("the transaction was not finished")]
    Abandoned,
    /// What was done could not be committed; nothing of it is kept.
    #[error("database: {0}")]
    Uncommitted(String),
    /// The engine refused: away, busy, disk full.
    #[error("database: {0}")]
    Engine(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) if db.is_unique_violation() => Self::Conflict,
            _ => Self::Engine(error),
        }
    }
}

impl StorageError {
    /// Whether the store as a whole is out of order, full, busy or away, which is no fault of what was asked of it.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Abandoned | Self::Uncommitted(_) => true,
            Self::Engine(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                // SQLite: busy, locked, read-only, I/O, full, cannot open, protocol; with its extended codes.
                let primary = code.parse::<u32>().map(|code| code & 0xff);
                // PostgreSQL: connection, read-only, resources, intervention by an operator, system.
                matches!(primary, Ok(5 | 6 | 8 | 10 | 13 | 14 | 15)) && code.len() < 5
                    || ["08", "25006", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
                        && code.len() == 5
            }
            Self::Engine(
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Protocol(_)
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Tls(_),
            ) => true,
            Self::Conflict | Self::Corrupt { .. } | Self::Exposed { .. } | Self::Engine(_) | Self::Migrate(_) => false,
        }
    }
}

/// A result of the store.
pub type Result<T> = std::result::Result<T, StorageError>;
