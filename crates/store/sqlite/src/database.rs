//! One connection to the file, and the statements that run on it.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chancery_store::BackendError;
use rusqlite::{Connection, OpenFlags};

use crate::damage::explained;
use crate::hindrance::NotMade;
use crate::sql::Sql;

/// How long a step waits for another process that writes to the same file.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const ATTEMPTS: usize = 100;

/// The application id ("Chcy") in the header of every file that this crate makes.
pub(crate) const APPLICATION_ID: i64 = 0x4368_6379;

/// The path of the file, and the statements that run on it.
#[derive(Clone)]
pub(crate) struct DatabaseFile {
    pub(crate) path: Arc<Path>,
    pub(crate) sql: Arc<Sql>,
}

impl DatabaseFile {
    /// Creates the file, if there is none, with mode 0600; SQLite gives its log the same.
    ///
    /// A file that exists is not opened here, because closing it would drop the locks that other connections
    /// of this process have on it (POSIX `fcntl`).
    pub(crate) fn create(&self) -> Result<(), BackendError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&self.path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(BackendError::new(NotMade { path: self.path.clone(), error }))
            }
            _ => Ok(()),
        }
    }
}

/// A connection, used by one thread at a time.
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) sql: Arc<Sql>,
}

impl Database {
    /// A connection that writes.
    pub(crate) fn writing(file: &DatabaseFile) -> Result<Self, BackendError> {
        let database = Self::open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mode = database.write_ahead().map_err(explained)?;
        if mode != "wal" {
            return Err(BackendError::new("this file system does not support SQLite's write-ahead log"));
        }
        database.connection.execute_batch(Self::WRITING).map_err(explained)?;
        Ok(database)
    }

    /// Turns on the write-ahead log, which stays on in the file. When several connections do this to a new
    /// file at once, SQLite refuses some without waiting; these wait for the lock and try again.
    fn write_ahead(&self) -> rusqlite::Result<String> {
        let ask = || self.connection.query_row("pragma journal_mode = wal", [], |row| row.get(0));
        let mut mode = ask();
        for _ in 0..ATTEMPTS {
            if mode.is_ok() {
                break;
            }
            self.connection.execute_batch("begin immediate; rollback")?;
            mode = ask();
        }
        mode
    }

    /// A commit returns when the data is on the disk. Checkpoints are made by a thread of their own.
    const WRITING: &str = "pragma synchronous = full; pragma wal_autocheckpoint = 0;";

    /// A connection that only reads.
    pub(crate) fn reading(file: &DatabaseFile) -> Result<Self, BackendError> {
        Self::open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// A connection that only reads, and fails with `Busy` at once where it would have to wait for another
    /// process.
    pub(crate) fn reading_without_waiting(file: &DatabaseFile) -> Result<Self, BackendError> {
        let database = Self::reading(file)?;
        database.connection.busy_timeout(Duration::ZERO).map_err(BackendError::new)?;
        Ok(database)
    }

    fn open(file: &DatabaseFile, flags: OpenFlags) -> Result<Self, BackendError> {
        let open = || {
            let connection =
                Connection::open_with_flags(&file.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(64);
            connection.execute_batch("pragma trusted_schema = off; pragma temp_store = memory;")?;
            Ok(connection)
        };
        // Whoever has named the file says which it is.
        let connection = open().map_err(explained)?;
        Ok(Self { connection, sql: file.sql.clone() })
    }
}
