//! Who has a store to itself: one server works on a store at a time, and what replaces the store or moves it to another
//! issuer does so while none works on it. Commands that change single things go on beside a server.
//!
//! The lock is on a file beside the store, because the store itself may be removed or replaced while a server has it open.
//! The operating system releases it when the process ends, however it ends.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::access::{as_owner_of, check_store, folder_of, full_disk, ourselves, real};
use crate::settings::{Settings, Store};

/// What wants a store for itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Server,
    /// A command, by its name.
    Command(&'static str),
}

/// Held by whoever has the store to itself.
pub(crate) struct StoreLock(#[expect(dead_code, reason = "closing it releases the lock")] File);

impl StoreLock {
    /// Takes the store of these settings; one in memory is nobody else's.
    ///
    /// # Errors
    /// Who has it, or why nobody can tell.
    pub(crate) fn take(settings: &Settings, holder: Holder) -> Result<Option<Self>, String> {
        let Store::Sqlite { path, group_access, .. } = &settings.store else { return Ok(None) };
        let about = |what: &dyn std::fmt::Display| format!("store.sqlite: {what}");
        // Before a file is made here that its owner could not open.
        check_store(path, *group_access).map_err(|what| about(&what))?;
        let place = place(path);
        let failed = |error| about(&unusable(&place, error));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&place).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(about(&taken(path, &mut file, holder))),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Whoever may open the store may ask who has it. Only the owner can see to that.
        if let Ok(store) = path.metadata() {
            let _not_ours = file.set_permissions(store.permissions());
        }
        write(&mut file, holder).map_err(failed)?;
        Ok(Some(Self(file)))
    }
}

/// Checks that the lock could be taken, as far as its file is there. Whether somebody has it does not matter.
pub(crate) fn check_lock(store: &Path) -> Result<(), String> {
    let place = place(store);
    match OpenOptions::new().read(true).write(true).open(&place) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("store.sqlite: {}", unusable(&place, error)))
        }
        _ => Ok(()),
    }
}

/// What is said of the file of the lock that this process cannot use.
fn unusable(place: &Path, error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => {
            let (user, shown, first) = (ourselves(), place.display(), as_owner_of(place, "it"));
            format!(
                "{shown}, by which one server at a time has the store, cannot be opened by user {user}, as whom this runs \
                 ({error}): {first}`chown {user} {shown}` and `chmod 600 {shown}`"
            )
        }
        ErrorKind::StorageFull => format!("{}: {}", place.display(), full_disk(&folder_of(place))),
        _ => format!("{}: {error}", place.display()),
    }
}

/// The file of the lock. Its name begins otherwise than the store's, so that it stays when somebody moves `chancery.sqlite*`
/// away; and it is that of the store itself, whichever link leads there, even if there is no store any more.
fn place(store: &Path) -> PathBuf {
    let target = store.canonicalize().unwrap_or_else(|_| real(store));
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".lock");
    target.with_file_name(name)
}

/// Notes who has it, for those that come meanwhile.
fn write(file: &mut File, holder: Holder) -> std::io::Result<()> {
    let command = match holder {
        Holder::Server => "",
        Holder::Command(name) => name,
    };
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{} {command}", std::process::id())
}

/// What is said to whoever comes meanwhile.
fn taken(store: &Path, file: &mut File, wanted: Holder) -> String {
    let mut note = String::new();
    let _unread = file.take(100).read_to_string(&mut note);
    let (process, command) = note.trim_end().split_once(' ').unwrap_or((note.trim_end(), ""));
    let who = match (command, wanted) {
        ("", Holder::Server) => "another server".to_owned(),
        ("", Holder::Command(_)) => "a server".to_owned(),
        (command, _) => format!("`chancery {command}`"),
    };
    let process = match process.parse::<u32>() {
        Ok(id) => format!(" (process {id})"),
        Err(_) => format!(", which `fuser {0}` or `lsof {0}` names", place(store).display()),
    };
    let then = match (command, wanted) {
        ("", Holder::Server) => "stop it first",
        ("", Holder::Command(_)) => "stop it first; nothing was changed",
        (_, _) => "wait until it has ended; nothing was changed",
    };
    format!("{} is in use by {who}{process}: {then}", store.display())
}
