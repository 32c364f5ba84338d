//! Checks who else can access the server's files: whoever reads the wrapping key has all private keys, and
//! whoever writes to the store can log in as anybody.

use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const GROUP: u32 = 0o070;
const GROUP_READS: u32 = 0o040;
const GROUP_WRITES: u32 = 0o020;
const OTHERS: u32 = 0o007;
const OTHERS_WRITE: u32 = 0o002;

/// The permission bits of a file, and whether root owns it.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    mode: u32,
    is_owned_by_root: bool,
}

impl From<&Metadata> for Access {
    fn from(metadata: &Metadata) -> Self {
        Self { mode: metadata.mode() & 0o777, is_owned_by_root: metadata.uid() == 0 }
    }
}

impl Access {
    /// Checks a key: only its owner may read it. If root owns it, as with a mounted secret, root has chosen
    /// the group, which may read it, too.
    pub(crate) fn check_key(self) -> Result<(), String> {
        let allowed = if self.is_owned_by_root { GROUP_READS } else { 0 };
        self.without(
            (GROUP | OTHERS) & !allowed,
            "the mode must be 600, or 440 if root owns the file: `chmod 600`",
        )
    }

    /// Checks the database or a companion of it. `is_group_trusted` is the setting `store.group_access`.
    fn check_database(self, is_group_trusted: bool) -> Result<(), String> {
        let forbidden = if is_group_trusted { OTHERS } else { GROUP | OTHERS };
        self.without(forbidden, "the mode must be 600, or 660 with store.group_access: `chmod 600`")
    }

    /// Checks the folder: whoever may write to it can replace the files in it. A group that root has chosen
    /// is trusted.
    fn check_folder(self, is_group_trusted: bool) -> Result<(), String> {
        let allowed = if is_group_trusted || self.is_owned_by_root { GROUP_WRITES } else { 0 };
        let rule = "only its owner may write to the store's folder: `chmod go-w`, or set store.group_access for its group";
        self.without((GROUP_WRITES | OTHERS_WRITE) & !allowed, rule)
    }

    fn without(self, forbidden: u32, rule: &str) -> Result<(), String> {
        let who = match self.mode & forbidden {
            0 => return Ok(()),
            reached if reached & OTHERS == 0 => "its group",
            _ => "everybody",
        };
        Err(format!("{who} can access it (mode {:o}); {rule}", self.mode))
    }
}

/// Checks the database, its companions and their folder, as far as they exist.
pub(crate) fn check_store(database: &Path, is_group_trusted: bool) -> Result<(), String> {
    let path = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    check_folder(&folder_of(&path), is_group_trusted)?;
    for file in with_companions(&path) {
        if let Ok(metadata) = std::fs::metadata(&file) {
            let checked = Access::from(&metadata).check_database(is_group_trusted);
            checked.map_err(|what| format!("{}: {what}", file.display()))?;
        }
    }
    Ok(())
}

/// Checks the folder in which a store is or will be.
pub(crate) fn check_folder(folder: &Path, is_group_trusted: bool) -> Result<(), String> {
    let metadata = std::fs::metadata(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Access::from(&metadata)
        .check_folder(is_group_trusted)
        .map_err(|what| format!("{}: {what}", folder.display()))
}

/// Makes a folder that only its owner can access, unless it exists.
pub(crate) fn make_folder(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| format!("{}: {error}", folder.display()))
}

/// The folder of a file.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn with_companions(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut name = OsString::from(database);
        name.push(ending);
        PathBuf::from(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(mode: u32, is_owned_by_root: bool) -> Access {
        Access { mode, is_owned_by_root }
    }

    /// FR-22: a mode means something only with its owner.
    #[test]
    fn a_key_is_its_owner_s_or_given_to_a_group_by_root() {
        for (mode, of_root, of_another) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o440, true, false),
            (0o640, true, false),
            (0o660, false, false),
            (0o460, false, false),
            (0o450, false, false),
            (0o404, false, false),
            (0o444, false, false),
            (0o644, false, false),
            (0o601, false, false),
            (0o602, false, false),
            (0o777, false, false),
        ] {
            assert_eq!(access(mode, true).check_key().is_ok(), of_root, "{mode:o} of root");
            assert_eq!(access(mode, false).check_key().is_ok(), of_another, "{mode:o} of another");
        }
    }

    #[test]
    fn a_database_is_its_owner_s_or_with_the_setting_its_group_s() {
        for (mode, as_it_is, with_setting) in [
            (0o600, true, true),
            (0o660, false, true),
            (0o640, false, true),
            (0o604, false, false),
            (0o666, false, false),
            (0o606, false, false),
            (0o610, false, true),
        ] {
            for is_owned_by_root in [true, false] {
                let access = access(mode, is_owned_by_root);
                assert_eq!(access.check_database(false).is_ok(), as_it_is, "{mode:o}");
                assert_eq!(
                    access.check_database(true).is_ok(),
                    with_setting,
                    "{mode:o} with store.group_access"
                );
            }
        }
    }

    #[test]
    fn nobody_else_writes_to_the_folder_unless_root_has_chosen_who() {
        for (mode, of_another, with_setting, of_root) in [
            (0o700, true, true, true),
            (0o755, true, true, true),
            (0o775, false, true, true),
            (0o770, false, true, true),
            (0o777, false, false, false),
            (0o757, false, false, false),
            (0o702, false, false, false),
        ] {
            assert_eq!(access(mode, false).check_folder(false).is_ok(), of_another, "{mode:o}");
            assert_eq!(
                access(mode, false).check_folder(true).is_ok(),
                with_setting,
                "{mode:o} with store.group_access"
            );
            assert_eq!(access(mode, true).check_folder(false).is_ok(), of_root, "{mode:o} of root");
        }
    }
}
