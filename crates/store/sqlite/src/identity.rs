//! Which files the path meant when it was opened, and whether it still means them.
//!
//! SQLite holds its files open: when somebody renames, removes or replaces one, everything goes on, and what is written
//! is lost with the last connection.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chancery_store::BackendError;

/// The database and its companions, each as the system knows it.
#[derive(Clone)]
pub(crate) struct Identity {
    files: Vec<(PathBuf, FileId)>,
}

/// The device and the number of a file on it: the same under every name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl Identity {
    /// As the files are now; all of them exist while a connection is open.
    pub(crate) fn of(path: &Path) -> Result<Self, BackendError> {
        let files = with_companions(path).into_iter().map(|file| file_id(&file).map(|id| (file, id)));
        Ok(Self { files: files.collect::<Result<_, _>>()? })
    }

    /// # Errors
    /// Which file is gone, or is another one now.
    pub(crate) fn check(&self) -> Result<(), BackendError> {
        for (path, opened) in &self.files {
            if file_id(path)? != *opened {
                let text = "was replaced by another file while it was open; restart the server on the right one";
                return Err(BackendError::new(format!("{}: {text}", path.display())));
            }
        }
        Ok(())
    }
}

/// SQLite names the companions after the file itself, not after a link to it.
fn with_companions(path: &Path) -> [PathBuf; 3] {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let companion = |ending: &str| {
        let mut name = OsString::from(&target);
        name.push(ending);
        PathBuf::from(name)
    };
    [path.to_owned(), companion("-wal"), companion("-shm")]
}

#[cfg(unix)]
fn file_id(path: &Path) -> Result<FileId, BackendError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).map_err(|error| {
        let text = "is not at its place any more; restart the server on the right one";
        BackendError::new(format!("{}: {text} ({error})", path.display()))
    })?;
    Ok(FileId(metadata.dev(), metadata.ino()))
}

/// Elsewhere an open file can neither be renamed nor removed.
#[cfg(not(unix))]
fn file_id(_: &Path) -> Result<FileId, BackendError> {
    Ok(FileId(0, 0))
}
