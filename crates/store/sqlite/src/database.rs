//! One connection to the file, and the statements that run on it.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chancery_store::Fault;
use rusqlite::{Connection, OpenFlags};

use crate::sql::Sql;

/// How long a step waits for another process that writes to the same file.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the file is, and what is said to it.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) path: Arc<Path>,
    pub(crate) sql: Arc<Sql>,
}

impl Place {
    /// Creates the file, if there is none, with mode 0600; SQLite gives its log the same.
    pub(crate) fn create(&self) -> Result<(), Fault> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path).map(drop).map_err(|error| Fault::new(format!("{}: {error}", self.path.display())))
    }
}

/// A connection. Each belongs to one thread.
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) sql: Arc<Sql>,
}

impl Database {
    /// One that writes.
    pub(crate) fn writing(place: &Place) -> Result<Self, Fault> {
        let database = Self::open(place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mode: String =
            database.connection.query_row("pragma journal_mode = wal", [], |row| row.get(0)).map_err(Fault::new)?;
        if mode != "wal" {
            return Err(Fault::new(format!("{}: no write-ahead log on this file system", place.path.display())));
        }
        database.connection.execute_batch(Self::WRITING).map_err(Fault::new)?;
        Ok(database)
    }

    /// `synchronous` belongs to the connection: an answer is given when the disk has it. Checkpoints are made elsewhere.
    const WRITING: &str = "pragma synchronous = full; pragma wal_autocheckpoint = 0;";

    /// One that only reads.
    pub(crate) fn reading(place: &Place) -> Result<Self, Fault> {
        Self::open(place, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    fn open(place: &Place, flags: OpenFlags) -> Result<Self, Fault> {
        let open = || {
            let connection = Connection::open_with_flags(&place.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(PATIENCE)?;
            connection.set_prepared_statement_cache_capacity(64);
            connection.execute_batch("pragma trusted_schema = off; pragma temp_store = memory;")?;
            Ok(connection)
        };
        let connection =
            open().map_err(|error: rusqlite::Error| Fault::new(format!("{}: {error}", place.path.display())))?;
        Ok(Self { connection, sql: place.sql.clone() })
    }
}
