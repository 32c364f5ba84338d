//! `chancery backup` and `chancery restore`.

mod undo;

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chancery_core::documents::Openable;
use chancery_core::error::Fault;
use chancery_core::ports::{Clock as _, PrivateKeys as _, SystemClock};
use chancery_store_sqlite::{
    Backup as About, Hindrance, NotCopied, Seen, back_up, examine, is_in_use, look_through, revive,
};
use chancery_types::Kind;

use super::{Output, client, lines};
use crate::access::{
    IS_FOLDER, check_backups, check_folder, check_is_folder, check_source, check_store, folder_of,
    forbidden_store, full_disk, ourselves, real, with_companions,
};
use crate::arguments::{Backup, Restore};
use crate::kept::{Kept, complete, set_aside};
use crate::parts::{check_kind, hindered, missing, open, open_with};
use crate::secrets::{self, WITHOUT_COPY};
use crate::settings::{Settings, Source, Store, load, with_remedy};
use crate::store_lock::{Holder, StoreLock};
use crate::terminal::{Escaped, Word, counted};

/// What only makes something invalid, or tells of its end. Everything else that the protocol has made is left out of
/// what is restored: since the backup it may have been used, ended or withdrawn.
const KEPT: &[Kind] = &[Kind::DELIVERY, Kind::REPLAY, Kind::REVOCATION, Kind::THROTTLE];

pub(super) const NO_STORE: &str = "store.sqlite is not set, so there is no store for this command";

/// Copies the store while a server may be working on it.
pub(crate) async fn backup(wanted: Backup) -> Output {
    let settings = load(&wanted.configured).map_err(|complaints| lines(&complaints))?;
    let Store::Sqlite { path, group_access, .. } = &settings.store else {
        return Err(NO_STORE.to_owned());
    };
    let file = &wanted.file;
    let about = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    if !path.exists() {
        return Err(missing(path));
    }
    check_store(path, *group_access).map_err(|what| format!("store.sqlite: {what}"))?;
    if file.symlink_metadata().is_ok() {
        return Err(about(&"exists already and was not changed: name a new file"));
    }
    let folder = folder_of(file);
    check_is_folder(&folder).map_err(|what| about(&what))?;
    check_backups(&folder)?;
    let unfinished = Unfinished::beside(file, "backup").map_err(|error| about(&unmade(&folder, &error)))?;
    let now = SystemClock.now();
    let (source, target) = (path.clone(), unfinished.0.clone());
    let copied =
        tokio::task::spawn_blocking(move || back_up(&source, &target, now, env!("CARGO_PKG_VERSION")));
    copied.await.map_err(|error| error.to_string())?.map_err(|NotCopied { fault, is_of_target }| {
        match is_of_target {
            true => hindered(file, &fault) + "; no backup was made",
            false => format!("store.sqlite: {}; no backup was made", hindered(path, &fault)),
        }
    })?;
    unfinished.name(file).map_err(|error| about(&unmade(&folder, &error)))?;
    let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let said = format!(
        "written: {} ({size} bytes): the store with everything that was answered before {}\n{}",
        file.display(),
        now.rfc3339(),
        not_in_it(&Source::of(&wanted.configured).path, &settings)
    );
    let alarms: Vec<String> = lost_key(&settings).into_iter().chain(damage_left(path, file).await?).collect();
    // Whatever comes next, such as the removal of older backups, waits for somebody who has read this.
    if alarms.is_empty() { Ok(said) } else { Err(said + &alarms.join("\n")) }
}

/// What is said where the wrapping key is gone, perhaps beside a server that still has it in memory.
fn lost_key(settings: &Settings) -> Option<String> {
    let Store::Sqlite { wrapping_key, .. } = &settings.store else { return None };
    is_gone(wrapping_key).then(|| {
        let line = format!(
            "keys.wrapping_key: {} does not exist, so the keys in this backup cannot be used: restore your copy; {WITHOUT_COPY}",
            wrapping_key.display()
        );
        settings.values.explain_line(line)
    })
}

/// Whether nothing is there; what this user may not look at may be.
fn is_gone(file: &Path) -> bool {
    file.metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// What a server needs besides its store, with a line for each file.
fn not_in_it(configuration: &Path, settings: &Settings) -> String {
    let mut said = format!(
        "not in it, so keep copies of them elsewhere:\n  {} (the configuration)\n",
        configuration.display()
    );
    for (setting, file) in settings.files() {
        let why = match setting {
            "keys.wrapping_key" => ", without which no key in it can be used",
            _ => "",
        };
        let is_there = if is_gone(file) { ": it does not exist" } else { "" };
        said.push_str(&format!("  {} ({setting}){why}{is_there}\n", file.display()));
    }
    said
}

/// What is damaged in a store of which a copy could be made: it is made of the tables, and its indexes anew.
async fn damage_left(store: &Path, copy: &Path) -> Result<Option<String>, String> {
    let path = store.to_owned();
    let seen = tokio::task::spawn_blocking(move || look_through(&path, || true));
    let about = |what: String| format!("store.sqlite: {what}");
    match seen.await.map_err(|error| error.to_string())? {
        Ok(Seen::Damaged(what)) => Ok(Some(about(format!(
            "{} is damaged ({what}): keep earlier backups, too; stop the server and put this one in its place, with `chancery restore {} \
             --replace` (docs/operate.md, Restore)",
            store.display(),
            Word(&copy.to_string_lossy())
        )))),
        Ok(Seen::Sound | Seen::Unfinished) => Ok(None),
        Err(why) => {
            Ok(Some(about(format!("{}: it could not be looked through for damage", hindered(store, &why)))))
        }
    }
}

/// Puts a backup in the place of the store, or a store that was kept.
pub(crate) async fn restore(wanted: Restore) -> Output {
    let settings = load(&wanted.configured).map_err(|complaints| lines(&complaints))?;
    match (&wanted.undo, &wanted.file) {
        (None, Some(file)) => restored(&settings, file, &wanted).await,
        (when, _) => undo::undo(&settings, when.as_ref().and_then(Option::as_deref), &wanted).await,
    }
}

/// Puts a backup in the place of the store, after everything about it was checked.
async fn restored(settings: &Settings, from: &Path, wanted: &Restore) -> Output {
    let Store::Sqlite { path, wrapping_key, group_access } = &settings.store else {
        return Err(NO_STORE.to_owned());
    };
    // A link to the store stays: what belongs to the store is beside the file itself.
    let path = &real(path);
    let about = |what: &dyn std::fmt::Display| format!("{}: {what}; nothing was changed", from.display());
    let unread = |error| with_remedy(format!("{}: {error}", from.display())) + "; nothing was changed";
    // Before anything is said of the store: without a backup there is nothing to do.
    if from.metadata().map_err(unread)?.is_dir() {
        return Err(about(&"is a folder and no backup"));
    }
    check_source(from).map_err(|what| what + "; nothing was changed")?;
    check_folder(&folder_of(path), *group_access).map_err(|what| format!("store.sqlite: {what}"))?;
    let there: Vec<PathBuf> =
        with_companions(path).into_iter().filter(|file| file.symlink_metadata().is_ok()).collect();
    if path.is_dir() {
        return Err(format!("store.sqlite: {} {IS_FOLDER}", path.display()));
    }
    if !there.is_empty() && !wanted.replace {
        let files: Vec<String> = there.iter().map(|file| file.display().to_string()).collect();
        let (what, kept) = if there.contains(path) {
            let what =
                if files.len() > 1 { "exist and were not changed" } else { "exists and was not changed" };
            (what, "the store that is there now is kept beside it")
        } else {
            let what = if files.len() > 1 {
                "are left of a store that is lost, and were not changed"
            } else {
                "is left of a store that is lost, and was not changed"
            };
            (what, "what is left is kept beside it")
        };
        return Err(format!(
            "{} {what}. If the backup is to take its place, stop the server and say --replace: {kept}",
            files.join(", ")
        ));
    }
    let _alone = StoreLock::take(settings, Holder::Command("restore"))?;
    complete(path)?;
    check_unused(path)?;
    // Everything is done with a copy, beside the store, until it is good.
    let mut copy = Unfinished::beside(path, "restored").map_err(|error| unwritten(path, &error))?;
    let mut source = File::open(from).map_err(unread)?;
    let copied = OpenOptions::new().write(true).open(&copy.0).and_then(|mut file| {
        let length = std::io::copy(&mut source, &mut file)?;
        file.sync_all().map(|()| length)
    });
    let no_copy = |error: std::io::Error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => unwritten(path, &error),
        _ => about(&error),
    };
    if copied.map_err(no_copy)? == 0 {
        return Err(about(&"is empty"));
    }
    let made = examine(&copy.0).map_err(|why| about(&why))?;
    if wanted.keep_logins && made.was_running {
        let why = "was made while a server was running, so logins and tokens in it may have ended since: leave out \
                   --keep-logins, or stop the server and make another backup";
        return Err(about(&why));
    }
    revive(&copy.0, (!wanted.keep_logins).then_some(KEPT)).map_err(|why| match Hindrance::of(&why) {
        Some(Hindrance::Full | Hindrance::Failing) => hindered(path, &why) + "; nothing was changed",
        _ => about(&why),
    })?;
    let content = content(&settings.with_store_at(&copy.0), wrapping_key, wanted.lost_wrapping_key).await;
    let content = content.map_err(|why| about(&why))?;
    let [_, log, _] = with_companions(&copy.0);
    if log.metadata().is_ok_and(|metadata| metadata.len() > 0) {
        return Err(about(&"the copy could not be closed in order"));
    }
    // All that has taken its time, in which another program may have opened it.
    check_unused(path)?;
    let before = set_aside(path)?;
    let kept = before.as_ref().map_or_else(String::new, |kept| format!(". Kept: {}", kept.said()));
    copy.replace(path).map_err(|error| format!("{}: {error}{kept}", path.display()))?;
    Ok(said(wanted, path, &made, &content, before.as_ref()))
}

/// What is said of a backup for which no file can be made in its folder.
fn unmade(folder: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => full_disk(folder),
        _ => format!(
            "user {}, as whom this runs, cannot make a file in the folder {} ({error}): name one in another folder",
            ourselves(),
            folder.display()
        ),
    }
}

/// What is said when the copy cannot be written beside the store, which says nothing of the backup.
pub(super) fn unwritten(store: &Path, error: &std::io::Error) -> String {
    let folder = folder_of(store);
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("store.sqlite: {}; nothing was changed", full_disk(&folder))
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            format!("store.sqlite: {}; nothing was changed", forbidden_store(store))
        }
        _ => format!(
            "store.sqlite: nothing can be written into the folder {}: {error}; nothing was changed",
            folder.display()
        ),
    }
}

fn check_unused(store: &Path) -> Result<(), String> {
    // From one that is none of its own, SQLite would take away what was not moved into it yet.
    if store.exists() && check_kind(store).is_ok() && is_in_use(store) {
        return Err(format!(
            "{} is in use by another program, which `fuser` names: wait until it has ended; nothing was changed",
            store.display()
        ));
    }
    Ok(())
}

/// What is in a copy.
struct Content {
    /// In words.
    said: String,
    /// Whether the wrapping key opens its keys.
    is_usable: bool,
}

impl Content {
    /// What comes next.
    fn next(&self) -> &'static str {
        match self.is_usable {
            true => "next:  chancery check, then start the server\n",
            false => "next:  chancery keys replace --lost-wrapping-key, then start the server\n",
        }
    }
}

/// Opens the copy as the server will, and says what is in it.
async fn content(settings: &Settings, wrapping_key: &Path, is_key_lost: bool) -> Result<Content, String> {
    let unless_lost = |why: String| match is_key_lost {
        true => why,
        false => {
            format!("{why}. With --lost-wrapping-key it is restored all the same, and needs new keys then")
        }
    };
    let opened = match is_key_lost && wrapping_key.symlink_metadata().is_err() {
        true => open_with(settings, &secrets::new_wrapping_key().1),
        false => open(settings).map_err(unless_lost),
    }?;
    let realm = &settings.realm;
    let unusable = |fault: Fault| {
        format!("its keys for the realm {realm} cannot be used with {}: {fault}", wrapping_key.display())
    };
    let Openable { sealed, opened: usable } = opened.keys.openable(realm).await.map_err(unusable)?;
    if sealed == 0 {
        return Err(format!("has nothing of the realm {realm}: see the setting `realm`"));
    }
    let is_usable = !is_key_lost || usable > 0;
    let keys = match is_usable {
        true => {
            let keys = opened.keys.list(realm).await.map_err(|fault| unless_lost(unusable(fault)))?;
            counted(keys.len(), "key", "keys")
        }
        false => "keys that only the lost wrapping key opens".to_owned(),
    };
    let people = opened.accounts.list(realm).await.map_err(|error| error.to_string())?.len();
    let clients = client::all(settings, &opened).await.map_err(|fault| fault.to_string())?.len();
    let said = format!(
        "realm {realm}: {}, {}, {keys}",
        counted(people, "person", "people"),
        counted(clients, "client", "clients")
    );
    Ok(Content { said, is_usable })
}

fn said(wanted: &Restore, path: &Path, made: &About, content: &Content, before: Option<&Kept>) -> String {
    let mut said = format!(
        "restored: {}, as it was at {} (by version {}; {})\n",
        path.display(),
        made.made_at.rfc3339(),
        Escaped(&made.version),
        content.said
    );
    if let Some(before) = before {
        said.push_str(&format!("kept: {}\n", before.said()));
    }
    if wanted.keep_logins {
        said.push_str(
            "kept: logins and tokens. If a server has run since, end them with `chancery session end --all --grants`\n",
        );
    } else {
        said.push_str(
            "ended: all logins, tokens, consents and initial access tokens, because some may have been used or ended \
             since. Everybody signs in again\n",
        );
    }
    said.push_str(
        "look:  what was changed since is undone, also passwords, disabled people and clients, and removed keys: see \
         `chancery user list`, `client list`, `keys list`\n",
    );
    said.push_str(content.next());
    said
}

/// A file in the making, beside the one that it will be; gone with this unless it got its name.
pub(super) struct Unfinished(pub(super) PathBuf);

impl Unfinished {
    /// An empty file that only its owner can read.
    pub(super) fn beside(file: &Path, what: &str) -> std::io::Result<Self> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let unfinished = file.with_file_name(format!(".{name}.{what}.{}", std::process::id()));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        Ok(Self(unfinished))
    }

    /// Gives it a name that nothing has yet.
    pub(super) fn name(self, name: &Path) -> std::io::Result<()> {
        File::open(&self.0)?.sync_all()?;
        // Unlike a rename, this replaces no file.
        std::fs::hard_link(&self.0, name)?;
        File::open(folder_of(name))?.sync_all()
    }

    /// Moves it to this name.
    fn replace(&mut self, name: &Path) -> std::io::Result<()> {
        File::open(&self.0)?.sync_all()?;
        std::fs::rename(&self.0, name)?;
        File::open(folder_of(name))?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for file in with_companions(&self.0) {
            let _absent = std::fs::remove_file(file);
        }
    }
}
