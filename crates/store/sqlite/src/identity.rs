//! Notices when the open files are no longer those that the path names.
//!
//! SQLite keeps its files open. When somebody renames, removes or replaces one, all steps still succeed, but
//! what they write is lost with the last connection. So nothing is written from the moment in which it is noticed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chancery_store::BackendError;

/// The database and its companions, each with the id that the operating system gives it.
#[derive(Clone)]
pub(crate) struct Identity {
    files: Vec<(PathBuf, FileId)>,
}

/// What identifies a file under every name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The files as they are now. All of them exist while a connection is open.
    pub(crate) fn of(path: &Path) -> Result<Self, BackendError> {
        let files = with_companions(path).into_iter().map(|file| file_id(&file).map(|id| (file, id)));
        Ok(Self { files: files.collect::<Result<_, _>>()? })
    }

    /// Checks that the path still names these files.
    ///
    /// # Errors
    /// Names the file that is missing or was replaced.
    pub(crate) fn check(&self) -> Result<(), BackendError> {
        for (path, opened) in &self.files {
            if file_id(path)? != *opened {
                let text = "was replaced by another file while it was open: if this is the right one, restart the server; if not, \
                    put the right file back";
                return Err(BackendError::new(format!("{}: {text}", path.display())));
            }
        }
        Ok(())
    }
}

/// Whether the last look found other files than those that are open. Every step asks it, which costs no call of the system.
#[derive(Clone, Default)]
pub(crate) struct Lost(Arc<AtomicBool>);

impl Lost {
    /// Takes note of what a look has found.
    pub(crate) fn heed(&self, found: &Result<(), BackendError>) {
        self.0.store(found.is_err(), Ordering::Relaxed);
    }

    /// # Errors
    /// When what is written would be lost.
    pub(crate) fn check(&self) -> Result<(), BackendError> {
        match self.0.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(BackendError::new(
                "the file was removed or replaced while it was open, and nothing is written any more",
            )),
        }
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
        let text = "is no longer there: move it back; if it is lost, stop the server, put a backup in its place with `chancery \
            restore FILE --replace`, and start it";
        BackendError::new(format!("{}: {text} ({error})", path.display()))
    })?;
    Ok(FileId { device: metadata.dev(), inode: metadata.ino() })
}

/// On other systems an open file can neither be renamed nor removed.
#[cfg(not(unix))]
fn file_id(_: &Path) -> Result<FileId, BackendError> {
    Ok(FileId { device: 0, inode: 0 })
}
