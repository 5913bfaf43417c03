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

/// A result of the store.
pub type Result<T> = std::result::Result<T, StorageError>;
