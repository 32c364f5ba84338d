//! What keeps SQLite from working on the file, as far as somebody can do something about it. A file that cannot be opened
//! is not a damaged one: whoever puts a backup in its place loses what was stored since.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use chancery_store::BackendError;
use rusqlite::{ErrorCode, ffi};

/// What is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// SQLite can make no sense of the file.
    Damaged,
    /// There is no room left on the disk.
    Full,
    /// This process may not open or write the file, its folder, or what is kept beside it.
    Forbidden,
    /// Another process holds the lock.
    Locked,
    /// The disk or the file system does not do what it is asked to.
    Failing,
}

impl Hindrance {
    /// What has led to this fault of the store, if it is known.
    #[must_use]
    pub fn of(fault: &BackendError) -> Option<Self> {
        let cause = fault.source()?;
        let of_sqlite = cause.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
        let code = of_sqlite.or_else(|| cause.downcast_ref::<ffi::Error>().map(|error| error.code));
        code.and_then(Self::of_code).or_else(|| cause.downcast_ref().and_then(Self::of_io))
    }

    pub(crate) fn of_code(code: ErrorCode) -> Option<Self> {
        match code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Self::Damaged),
            ErrorCode::DiskFull => Some(Self::Full),
            ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
                Some(Self::Forbidden)
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some(Self::Locked),
            ErrorCode::SystemIoFailure => Some(Self::Failing),
            _ => None,
        }
    }

    fn of_io(error: &io::Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(Self::Full),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Some(Self::Forbidden),
            _ => None,
        }
    }
}

/// A file that could not be made.
#[derive(Debug)]
pub(crate) struct NotMade {
    pub(crate) path: Arc<Path>,
    pub(crate) error: io::Error,
}

impl std::fmt::Display for NotMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl Error for NotMade {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{explained, not_committed};

    /// Only what SQLite calls corrupt is damaged.
    #[test]
    fn only_damage_is_damage() {
        for (code, expected) in [
            (ffi::SQLITE_CORRUPT, Some(Hindrance::Damaged)),
            (ffi::SQLITE_CORRUPT_INDEX, Some(Hindrance::Damaged)),
            (ffi::SQLITE_NOTADB, Some(Hindrance::Damaged)),
            (ffi::SQLITE_FULL, Some(Hindrance::Full)),
            (ffi::SQLITE_CANTOPEN, Some(Hindrance::Forbidden)),
            (ffi::SQLITE_READONLY_DIRECTORY, Some(Hindrance::Forbidden)),
            (ffi::SQLITE_BUSY, Some(Hindrance::Locked)),
            (ffi::SQLITE_LOCKED, Some(Hindrance::Locked)),
            (ffi::SQLITE_IOERR_SHMSIZE, Some(Hindrance::Failing)),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, None),
        ] {
            let error = || rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            for fault in [BackendError::new(error()), explained(error()), not_committed(&error())] {
                assert_eq!(Hindrance::of(&fault), expected, "{code}: {fault}");
            }
            for fault in [explained(error()), not_committed(&error())] {
                let is_told = fault.to_string().contains("make room on the disk");
                assert_eq!(is_told, code == ffi::SQLITE_FULL, "{fault}");
            }
        }
        let not_made = |error| BackendError::new(NotMade { path: Path::new("store").into(), error });
        let of_io = |kind: ErrorKind| Hindrance::of(&not_made(kind.into()));
        assert_eq!(of_io(ErrorKind::PermissionDenied), Some(Hindrance::Forbidden));
        assert_eq!(of_io(ErrorKind::StorageFull), Some(Hindrance::Full));
        assert_eq!(of_io(ErrorKind::NotFound), None);
        assert_eq!(Hindrance::of(&BackendError::new("migration 9 is newer")), None);
    }
}
