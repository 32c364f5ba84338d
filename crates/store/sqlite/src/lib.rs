//! Both stores in one SQLite file, for a single node.
//!
//! - **Writes**: one thread takes all waiting steps of a bounded queue into one transaction and answers them
//!   after its commit (`synchronous = FULL`), so that many steps share one wait for the disk.
//! - **Reads** have connections of their own and see every write that was answered before. A lookup by key is
//!   read on the calling thread while the disk is quick; lists, and all reads while it is slow, go to a few
//!   threads.
//! - **Checkpoints**: a thread of its own moves the write-ahead log into the file, so that no step waits for
//!   it.
//!
//! Other processes may open the same file at the same time.

mod watch;
pub use watch::{Watch, Work};

mod backup;
pub use backup::{Backup, NotCopied, back_up, examine, is_in_use, revive};

mod checkpoints;

mod damage;
pub use damage::{Seen, look_through};

mod database;

mod documents;

mod hindrance;
pub use hindrance::Hindrance;

mod identity;

mod migrations;

mod readers;

mod records;

mod renewal;

mod sql;

mod state;

mod supervision;
pub use supervision::{Due, Running};

mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chancery_store::{BackendError, StoreError, StoreFuture};

use crate::checkpoints::Checkpoints;
use crate::database::{Database, DatabaseFile};
use crate::identity::Identity;
use crate::readers::Readers;
use crate::sql::Sql;
use crate::watch::Unwatched;
use crate::writer::Writer;

/// Both stores in one SQLite file. Dropping it waits for the queued steps.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    file: DatabaseFile,
    identity: Identity,
    /// Held so that its thread ends when this is dropped, after the writer's.
    _checkpoints: Checkpoints,
}

impl SqliteStore {
    /// Opens the file or creates it (readable by its owner only), and brings its tables up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, belongs to another program, or has migrations other than those of this
    /// version: one was changed, is missing, or is newer.
    pub fn open(path: &Path) -> Result<Self, BackendError> {
        Self::open_with(path, Sql::new(), Arc::new(Unwatched))
    }

    /// The same, and somebody hears how long its work takes.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_watched(path: &Path, watch: Arc<dyn Watch>) -> Result<Self, BackendError> {
        Self::open_with(path, Sql::new(), watch)
    }

    /// The tests pass statements with mistakes.
    fn open_with(path: &Path, sql: Sql, watch: Arc<dyn Watch>) -> Result<Self, BackendError> {
        // No other thread opens the file between its creation and the closing of that handle.
        static OPENING: Mutex<()> = Mutex::new(());
        let _alone = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        let file = DatabaseFile { path: path.into(), sql: Arc::new(sql) };
        file.create()?;
        let mut writing = Database::writing(&file)?;
        migrations::apply(&mut writing.connection, migrations::ALL)?;
        let writer = Writer::start(writing, watch.clone())?;
        let readers = Readers::start(&file, watch)?;
        let identity = Identity::of(path)?;
        Ok(Self { writer, readers, identity, _checkpoints: Checkpoints::start(&file)?, file })
    }

    /// How many steps are queued or being committed.
    #[must_use]
    pub fn steps_waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// The realms of which there is anything that an operator made: keys, clients, people.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn realms(&self) -> StoreFuture<'_, Vec<String>> {
        self.readers.read(|database| {
            let mut list =
                database.connection.prepare("select distinct realm from document order by realm")?;
            let rows = list.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Reads the whole file and compares every index with its table, which takes some 30 s for a gigabyte of
    /// records.
    ///
    /// # Errors
    /// [`StoreError::Backend`] with what SQLite found.
    pub fn integrity_check(&self) -> StoreFuture<'_, ()> {
        self.readers.read(|database| {
            let complaint: String =
                database.connection.query_row("pragma integrity_check", [], |row| row.get(0))?;
            if complaint == "ok" {
                return Ok(());
            }
            let damage = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            Err(damage::explained(rusqlite::Error::SqliteFailure(damage, Some(complaint))).into())
        })
    }
}

/// An error of SQLite as the contracts express it.
struct SqliteError(StoreError);

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        Self(match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => StoreError::Busy,
            _ => damage::explained(error).into(),
        })
    }
}

impl From<StoreError> for SqliteError {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<BackendError> for SqliteError {
    fn from(fault: BackendError) -> Self {
        Self(fault.into())
    }
}
