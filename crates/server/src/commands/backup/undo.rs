//! `chancery restore --undo`: the store that a restore has kept, put back.

use std::path::{Path, PathBuf};

use chancery_store_sqlite::{Seen, look_through};

use super::{check_unused, content};
use crate::access::{check_folder, check_store, folder_of, real, with_companions};
use crate::arguments::Restore;
use crate::commands::Output;
use crate::kept::{Kept, complete, copies_before_new_keys, set_aside};
use crate::parts::{check_kind, hindered};
use crate::settings::{Settings, Store};
use crate::store_lock::{Holder, StoreLock};
use crate::terminal::{Escaped, Word};

const UNCHANGED: &str = "nothing was changed";

/// Shows what was kept, or puts that of the time back which somebody has named.
pub(super) async fn undo(settings: &Settings, when: Option<&str>, wanted: &Restore) -> Output {
    let Store::Sqlite { path, wrapping_key, group_access } = &settings.store else {
        return Err(super::NO_STORE.to_owned());
    };
    let store = &real(path);
    let Some(when) = when else { return Ok(shown(store, &Kept::all(store)?) + &before_new_keys(store)?) };
    check_folder(&folder_of(store), *group_access).map_err(|what| format!("store.sqlite: {what}"))?;
    let _alone = StoreLock::take(settings, Holder::Command("restore"))?;
    complete(store)?;
    let kept = named(store, when)?;
    let about = |what: &dyn std::fmt::Display| format!("{}: {what}; {UNCHANGED}", kept.store.display());
    if !kept.has_store {
        return Err(format!(
            "{} is no store, but what was left of one whose file was lost: it cannot be put back; {UNCHANGED}",
            kept.log.display()
        ));
    }
    check_store(&kept.store, *group_access).map_err(|what| format!("{what}; {UNCHANGED}"))?;
    check_kind(&kept.store).map_err(|_| about(&"is no SQLite file, and stays where it is"))?;
    match look_through(&kept.store, || true) {
        Ok(Seen::Damaged(what)) => return Err(about(&format!("is damaged ({what}), and stays where it is"))),
        Ok(_) => {}
        Err(why) => return Err(format!("{}; {UNCHANGED}", hindered(&kept.store, &why))),
    }
    // Whoever opens it alone moves its log into it, so that it is one file.
    check_unused(&kept.store)?;
    let content = content(&settings.with_store_at(&kept.store), wrapping_key, wanted.lost_wrapping_key).await;
    let content = content.map_err(|why| about(&why))?;
    let [_, log, index] = with_companions(&kept.store);
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        return Err(about(&"could not be closed in order"));
    }
    for file in [log, index] {
        let _absent = std::fs::remove_file(file);
    }
    check_unused(store)?;
    let before = set_aside(store)?;
    let moved =
        std::fs::rename(&kept.store, store).and_then(|()| std::fs::File::open(folder_of(store))?.sync_all());
    moved.map_err(|error| {
        format!("{}: {error}: the store is still {}", store.display(), kept.store.display())
    })?;
    let mut said =
        format!("put back: {}, as it was kept at {} ({})\n", store.display(), kept.stamp, content.said);
    if let Some(before) = before {
        said.push_str(&format!("kept: {}\n", before.said()));
    }
    said.push_str(
        "look:  its logins and tokens are good again; what was changed since is undone, also passwords, disabled people and \
         clients, and removed keys\n",
    );
    said.push_str(content.next());
    Ok(said)
}

/// What was kept at this time. Its whole name is as good.
fn named(store: &Path, when: &str) -> Result<Kept, String> {
    let mut all = Kept::all(store)?;
    let found = all.iter().position(|kept| {
        let name = kept.store.file_name().unwrap_or_default();
        kept.stamp == when || Path::new(when).file_name() == Some(name)
    });
    match found {
        Some(place) => Ok(all.swap_remove(place)),
        None => Err(format!("{when}: nothing was kept at this time; {UNCHANGED}\n{}", shown(store, &all))),
    }
}

/// The copies of `keys replace`, which nothing but the former wrapping key opens, a line for each.
fn before_new_keys(store: &Path) -> Result<String, String> {
    let line = |copy: &PathBuf| {
        let name = copy.to_string_lossy();
        format!(
            "{}: the store before `chancery keys replace`: with the former key in its place, `chancery restore {} --replace` puts \
             it back\n",
            Escaped(&name),
            Word(&name)
        )
    };
    Ok(copies_before_new_keys(store)?.iter().map(line).collect())
}

/// What there is to put back, a line for each.
fn shown(store: &Path, all: &[Kept]) -> String {
    if all.is_empty() {
        return format!("no restore has kept anything beside {}\n", store.display());
    }
    let mut shown = String::new();
    for kept in all {
        let size = kept.store.metadata().map_or(0, |found| found.len());
        let what = match (kept.has_store, kept.has_log) {
            (true, false) => format!("a store ({size} bytes)"),
            (true, true) => format!("a store ({size} bytes, and what was not moved into it yet)"),
            (false, _) => {
                "no store, but what was left of one whose file was lost: it cannot be put back".to_owned()
            }
        };
        shown.push_str(&format!("{}  {what}\n", Escaped(&kept.stamp)));
    }
    if let Some(kept) = all.iter().rfind(|kept| kept.has_store) {
        shown.push_str(&format!(
            "next:  stop the server, and name the time of one, such as `{}`: what is there now is kept in turn\n",
            Escaped(&kept.command())
        ));
    }
    shown
}
