//! What can go wrong with stored data, told without the data.

/// A failure of the store. No text holds a value that was stored or searched for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Others held the database for too long.
    #[error("the database is busy; nothing was changed; try again in a moment")]
    Busy,
    /// No room is left on the disk.
    #[error("the disk is full; nothing was changed; free some space, then try again")]
    Full,
    /// The file or its directory cannot be written.
    #[error(
        "the database file cannot be written; nothing was changed; check the data directory's permissions and mount"
    )]
    ReadOnly,
    /// The disk did not do what it was asked.
    #[error(
        "the disk failed while the database was used ({0}); whether the last change was saved must be read again; check the disk"
    )]
    Io(String),
    /// The disk failed before, in this process: it writes nothing any more.
    #[error(
        "the disk failed earlier ({0}) and nothing is written any more; nothing was changed; check the disk, then start again"
    )]
    Stopped(String),
    /// The file is damaged or is no database.
    #[error("the database file is damaged ({0}); stop using it and restore a backup")]
    Corrupt(String),
    /// Something of that kind exists already.
    #[error("{what} is already taken; nothing was changed; choose another one")]
    Duplicate {
        /// What must be unique; functions that a person can make fail this way name it.
        what: &'static str,
    },
    /// A compare-and-set lost: someone else moved the row on, or holds the lease now.
    #[error("someone else changed it meanwhile; nothing was changed; read it again")]
    Stale,
    /// The SQLite that this binary runs on has a known fault that can lose commits.
    #[error(
        "SQLite {found} is older than {needed}, which first keeps a write-ahead log safe; nothing was changed; use a binary with its own SQLite"
    )]
    OldSqlite {
        /// The version at run time.
        found: String,
        /// The oldest one that is accepted.
        needed: &'static str,
    },
    /// A newer Headgate has used this database.
    #[error(
        "the database has schema {found}, this binary knows up to {known}; nothing was changed; use the newer binary"
    )]
    NewerSchema {
        /// The newest migration found in the database.
        found: i64,
        /// The newest migration of this binary.
        known: i64,
    },
    /// A database that belongs to another program.
    #[error("the file is a database of another program; nothing was changed; name another data directory")]
    NotOurs,
    /// Anything else: a defect of this program, or of what stands in the database.
    #[error("the database refused the request ({0}); nothing was changed; this is worth a bug report")]
    Other(String),
}

impl StoreError {
    /// Names what was taken, if this is a [`StoreError::Duplicate`].
    pub(super) fn naming(self, what: &'static str) -> Self {
        match self {
            Self::Duplicate { .. } => Self::Duplicate { what },
            other => other,
        }
    }

    fn from_engine(error: &dyn sqlx::error::DatabaseError) -> Self {
        if error.is_unique_violation() {
            return Self::Duplicate { what: "the id" };
        }
        let text = || format!("{} [{}]", error.message(), error.code().unwrap_or_default());
        // The low byte is the primary code (SQLite's "Result Codes" page).
        match code_of(error).map(|code| code & 0xff) {
            Some(5 | 6) => Self::Busy,
            Some(8) => Self::ReadOnly,
            Some(13) => Self::Full,
            Some(10 | 14) => Self::Io(text()),
            Some(11 | 26) => Self::Corrupt(text()),
            _ => Self::Other(text()),
        }
    }
}

fn code_of(error: &dyn sqlx::error::DatabaseError) -> Option<i32> {
    error.code().and_then(|code| code.parse().ok())
}

/// SQLite's extended result code, if it was SQLite that refused.
pub(super) fn extended_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error().and_then(code_of)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => Self::from_engine(error.as_ref()),
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(error) => Self::Io(error.kind().to_string()),
            // The source would show the stored word.
            sqlx::Error::ColumnDecode { index, .. } => Self::Other(format!("unreadable column {index}")),
            sqlx::Error::Migrate(error) => Self::from(*error),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError;
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::from(error),
            other => Self::Other(other.to_string()),
        }
    }
}
