//! Notices that SQLite can make no sense of the file. No probe finds that by itself, because it would have to read all of
//! the file: what a request has met is remembered. [`look_through`] is for whoever has the time to read it.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

use chancery_store::{BackendError, StoreError};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::database::BUSY_TIMEOUT;

/// An error of SQLite that says that the file is damaged, with the way out.
#[derive(Debug)]
struct Damaged(rusqlite::Error);

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the file is damaged ({}): stop the server and put a backup in its place, with `chancery restore FILE --replace`",
            self.0
        )
    }
}

impl Error for Damaged {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The way out where there is no room.
const MAKE_ROOM: &str = "make room on the disk of the store's folder";

/// An error of SQLite that says that there is no room, with the way out.
#[derive(Debug)]
struct Full(rusqlite::Error);

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {MAKE_ROOM}", self.0)
    }
}

impl Error for Full {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// An error of SQLite because of which a transaction was not committed. Several steps are told of it.
#[derive(Debug)]
struct NotCommitted {
    said: String,
    cause: Option<ffi::Error>,
}

impl fmt::Display for NotCommitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not committed: {}", self.said)?;
        match self.cause.map(|cause| cause.code) {
            Some(ErrorCode::DiskFull) => write!(f, ": {MAKE_ROOM}"),
            _ => Ok(()),
        }
    }
}

impl Error for NotCommitted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// The error of a commit, with the way out if the disk is full.
pub(crate) fn not_committed(error: &rusqlite::Error) -> BackendError {
    BackendError::new(NotCommitted { said: error.to_string(), cause: error.sqlite_error().copied() })
}

/// The error of SQLite, with the way out if the file is damaged or the disk is full.
pub(crate) fn explained(error: rusqlite::Error) -> BackendError {
    match error.sqlite_error_code() {
        _ if is_damage(&error) => BackendError::new(Damaged(error)),
        Some(ErrorCode::DiskFull) => BackendError::new(Full(error)),
        _ => BackendError::new(error),
    }
}

pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// The first damage that was met. It is not forgotten before the file is opened again.
#[derive(Default)]
pub(crate) struct Damage(OnceLock<String>);

impl Damage {
    /// Takes note of the outcome of some work.
    pub(crate) fn heed<T>(&self, outcome: &Result<T, StoreError>) {
        let Err(StoreError::Backend(error)) = outcome else { return };
        let cause = error.source().and_then(<dyn Error>::downcast_ref::<rusqlite::Error>);
        if cause.is_some_and(is_damage) {
            self.0.get_or_init(|| error.to_string());
        }
    }

    /// # Errors
    /// What was met.
    pub(crate) fn check(&self) -> Result<(), BackendError> {
        self.0.get().map_or(Ok(()), |met| Err(BackendError::new(met.clone())))
    }
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All of it was read, and nothing is damaged.
    Sound,
    /// What is damaged, in the words of SQLite.
    Damaged(String),
    /// There was not enough time to read it.
    Unfinished,
}

/// How many steps SQLite makes before it asks whether to go on: far less than a millisecond's.
const STEPS: i32 = 1_000;

/// Reads a whole store and changes nothing in it, whoever else is working on it. It gives up when `goes_on` says no.
///
/// # Errors
/// When the file cannot be read at all.
pub fn look_through(store: &Path, goes_on: impl Fn() -> bool + Send + 'static) -> Result<Seen, BackendError> {
    let look = || -> rusqlite::Result<Seen> {
        // A connection that only reads leaves `-wal` and `-shm` behind where it is the last one.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(store, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute_batch("pragma trusted_schema = off;")?;
        connection.progress_handler(STEPS, Some(move || !goes_on()))?;
        let mut check = connection.prepare("pragma quick_check(3)")?;
        let found = check.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        Ok(match found.join("; ") {
            all if all == "ok" => Seen::Sound,
            damage => Seen::Damaged(damage.replace('\n', " ")),
        })
    };
    match look() {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(Seen::Unfinished)
        }
        Err(error) if is_damage(&error) => Ok(Seen::Damaged(error.to_string())),
        seen => seen.map_err(explained),
    }
}
