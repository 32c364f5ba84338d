//! Notices that SQLite can make no sense of the file. No probe finds that by itself, because it would have to read all of
//! the file: what a request has met is remembered.

use std::error::Error;
use std::fmt;
use std::sync::OnceLock;

use chancery_store::{BackendError, StoreError};
use rusqlite::ErrorCode;

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

/// The error of SQLite, with the way out if the file is damaged.
pub(crate) fn explained(error: rusqlite::Error) -> BackendError {
    if is_damage(&error) { BackendError::new(Damaged(error)) } else { BackendError::new(error) }
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
