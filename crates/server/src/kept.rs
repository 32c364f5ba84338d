//! The stores that a restore or `keys replace` has kept, beside the store and under its name with the time at which they were kept.
//!
//! A store is its file together with what was not moved into it yet (`-wal`), and only their names say which two belong
//! together: SQLite would take the log of one store for that of another, and destroy it. So both are moved here, and nowhere else.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use chancery_core::ports::{Clock as _, SystemClock};

use crate::access::{folder_of, real, with_companions};

const BEFORE_RESTORE: &str = "before-restore";

const BEFORE_NEW_KEYS: &str = "before-new-keys";

/// What a restore has kept.
pub(crate) struct Kept {
    /// When it was kept, as its name has it.
    pub(crate) stamp: String,
    /// The file of the store.
    pub(crate) store: PathBuf,
    /// What was not moved into it when it was kept.
    pub(crate) log: PathBuf,
    pub(crate) has_store: bool,
    pub(crate) has_log: bool,
}

impl Kept {
    fn at(store: PathBuf, stamp: &str) -> Self {
        let [_, log, _] = with_companions(&store);
        let (has_store, has_log) = (is_there(&store), is_there(&log));
        Self { stamp: stamp.to_owned(), store, log, has_store, has_log }
    }

    /// Everything that was kept beside this store, the oldest first.
    ///
    /// # Errors
    /// When its folder cannot be read.
    pub(crate) fn all(store: &Path) -> Result<Vec<Self>, String> {
        let mut all = Self::named(store)?;
        // What has a second name only is no other store: the restore ended before it changed anything.
        all.retain(|kept| !are_same(&kept.store, store));
        Ok(all)
    }

    fn named(store: &Path) -> Result<Vec<Self>, String> {
        let stamps = stamps(store, BEFORE_RESTORE)?;
        let all = stamps.iter().map(|stamp| Self::at(named(store, BEFORE_RESTORE, stamp), stamp));
        Ok(all.filter(|kept| kept.has_store || kept.has_log).collect())
    }

    /// What it is, and where.
    pub(crate) fn said(&self) -> String {
        let (store, log) = (self.store.display(), self.log.display());
        match (self.has_store, self.has_log) {
            (true, false) => {
                format!("the store that was there, as {store}: `{}` puts it back", self.command())
            }
            (true, true) => {
                format!("the store that was there, as {store} and {log}: `{}` puts it back", self.command())
            }
            (false, _) => format!(
                "what was left of the store that was lost, as {log}, which is no store and is of no use without its file"
            ),
        }
    }

    /// What puts it back.
    pub(crate) fn command(&self) -> String {
        format!("chancery restore --undo {}", self.stamp)
    }
}

/// When something was kept beside this store before such a command, the oldest first.
fn stamps(store: &Path, before: &str) -> Result<BTreeSet<String>, String> {
    let folder = folder_of(store);
    let about = |error: std::io::Error| format!("store.sqlite: {}: {error}", folder.display());
    let begin = format!("{}.{before}-", store.file_name().unwrap_or_default().to_string_lossy());
    let mut stamps = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).map_err(about)? {
        let name = entry.map_err(about)?.file_name();
        if let Some(name) = name.to_str().and_then(|name| name.strip_prefix(&begin)) {
            let stamp = name.strip_suffix("-wal").or_else(|| name.strip_suffix("-shm")).unwrap_or(name);
            stamps.insert(stamp.to_owned());
        }
    }
    Ok(stamps)
}

/// The name under which `keys replace` keeps a copy of the store beside it.
pub(crate) fn copy_before_new_keys(store: &Path) -> PathBuf {
    named(store, BEFORE_NEW_KEYS, &now())
}

/// The copies of the store that `keys replace` has kept, the oldest first.
///
/// # Errors
/// When its folder cannot be read.
pub(crate) fn copies_before_new_keys(store: &Path) -> Result<Vec<PathBuf>, String> {
    let stamps = stamps(store, BEFORE_NEW_KEYS)?;
    let all = stamps.iter().map(|stamp| named(store, BEFORE_NEW_KEYS, stamp));
    Ok(all.filter(|copy| is_there(copy)).collect())
}

fn now() -> String {
    SystemClock.now().rfc3339().replace([':', '.'], "-")
}

fn named(store: &Path, before: &str, stamp: &str) -> PathBuf {
    let mut name = OsString::from(store);
    name.push(format!(".{before}-{stamp}"));
    PathBuf::from(name)
}

/// Keeps what is at the place of a store, so that another one can be renamed to it. Nothing is there afterwards, or only
/// a file that is whole without a log. Wherever this ends, the store that was there is whole, at its place or beside it.
///
/// # Errors
/// What is in the way; nothing was changed then, unless it says where the store is.
pub(crate) fn set_aside(store: &Path) -> Result<Option<Kept>, String> {
    let [_, log, index] = with_companions(store);
    let (has_store, has_log) = (is_there(store), log.metadata().is_ok_and(|log| log.len() > 0));
    let stamp = now();
    let base = named(store, BEFORE_RESTORE, &stamp);
    let [_, kept_log, _] = with_companions(&base);
    for (is_there, from, to) in [(has_store, store, &base), (has_log, log.as_path(), &kept_log)] {
        if is_there && let Err(error) = std::fs::hard_link(from, to) {
            if has_store && to != &base {
                let _absent = std::fs::remove_file(&base);
            }
            return Err(format!(
                "{}: {error}, so that it cannot be kept; nothing was changed",
                from.display()
            ));
        }
    }
    let kept = (has_store || has_log).then(|| Kept::at(base, &stamp));
    let failed = |file: &Path, error: std::io::Error| match &kept {
        Some(kept) => format!("{}: {error}. Kept: {}", file.display(), kept.said()),
        None => format!("{}: {error}; nothing was changed", file.display()),
    };
    let folder = folder_of(store);
    let sync = || File::open(&folder)?.sync_all();
    sync().map_err(|error| failed(&folder, error))?;
    // Without its log the file is another store, or none: nobody is to meet it so. A file that needs none stays until
    // another one takes its place, so that there always is a store.
    let first = if has_log { Some(store) } else { None };
    for file in first.into_iter().chain([log.as_path(), &index]) {
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(file, error)),
            _ => {}
        }
    }
    sync().map_err(|error| failed(&folder, error))?;
    Ok(kept)
}

/// Takes away the second names that [`set_aside`] has left because it was interrupted.
///
/// # Errors
/// What cannot be read or removed.
pub(crate) fn complete(store: &Path) -> Result<(), String> {
    let [_, log, index] = with_companions(store);
    for kept in Kept::named(store)? {
        let superfluous = if are_same(&kept.store, store) {
            [&kept.log, &kept.store]
        } else if !is_there(store) && are_same(&kept.log, &log) {
            [&log, &index]
        } else {
            continue;
        };
        for file in superfluous {
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(format!("{}: {error}", file.display()));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// What puts another store in the place of this one, which is not there or of no use, as somebody types it.
pub(crate) fn replacing(store: &Path) -> String {
    let store = real(store);
    let is_left = with_companions(&store).iter().any(|file| is_there(file));
    let restore = if is_left { "`chancery restore FILE --replace`" } else { "`chancery restore FILE`" };
    // Where it cannot be read, the command itself says why.
    let kept = Kept::all(&store).unwrap_or_default();
    match kept.iter().rfind(|kept| kept.has_store) {
        Some(kept) => {
            format!("{restore}, or the store that the last restore has kept with `{}`", kept.command())
        }
        None => restore.to_owned(),
    }
}

fn is_there(file: &Path) -> bool {
    file.symlink_metadata().is_ok()
}

/// Whether both are names of one file.
fn are_same(one: &Path, other: &Path) -> bool {
    let id = |file: &Path| file.symlink_metadata().map(|found| (found.dev(), found.ino()));
    matches!((id(one), id(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log that SQLite could not move into its file stays with it, and never stays behind for the next store.
    #[test]
    fn a_store_and_its_log_are_kept_together() {
        let folder = std::env::temp_dir().join(format!("chancery-kept-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = folder.join("store");
        let [_, log, index] = with_companions(&store);
        assert!(set_aside(&store).unwrap().is_none());
        for (file, content) in [(&store, "file"), (&log, "log"), (&index, "index")] {
            std::fs::write(file, content).unwrap();
        }
        let kept = set_aside(&store).unwrap().unwrap();
        let read = |file: &Path| std::fs::read_to_string(file).unwrap();
        assert_eq!((read(&kept.store).as_str(), read(&kept.log).as_str()), ("file", "log"));
        assert_eq!(kept.log.to_string_lossy(), format!("{}-wal", kept.store.display()));
        assert!([&store, &log, &index].iter().all(|file| !is_there(file)), "nothing stays behind");
        for file in [&kept.store, &kept.log] {
            assert!(kept.said().contains(&file.display().to_string()), "{}", kept.said());
        }

        for file in [&kept.store, &kept.log] {
            std::fs::remove_file(file).unwrap();
        }

        // Without a log, there is a store all the time.
        std::fs::write(&store, "file").unwrap();
        std::fs::write(&log, "").unwrap();
        let kept = set_aside(&store).unwrap().unwrap();
        assert!(are_same(&kept.store, &store) && kept.has_store && !kept.has_log && !is_there(&log));
        assert!(Kept::all(&store).unwrap().is_empty(), "the store itself is not kept as another one");
        std::fs::write(&kept.log, "a log of it").unwrap();
        complete(&store).unwrap();
        assert!(!is_there(&kept.store) && !is_there(&kept.log) && is_there(&store));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
