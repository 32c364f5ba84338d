//! Checks who else can access the server's files: whoever reads the wrapping key has all private keys, and
//! whoever writes to the store can log in as anybody. The owner can do both whatever the mode says.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const GROUP: u32 = 0o070;
const GROUP_READS: u32 = 0o040;
const GROUP_WRITES: u32 = 0o020;
const OTHERS: u32 = 0o007;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

const ROOT: u32 = 0;

/// The permission bits of a file, its owner, and the user that this process acts as.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    mode: u32,
    /// Whether it is a folder for everybody, in which each can remove only what is theirs, as `/tmp`: it has to stay so.
    is_shared: bool,
    owner: u32,
    ourselves: u32,
}

impl Access {
    /// How this process can access the file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self::by(ourselves(), metadata)
    }

    fn by(ourselves: u32, metadata: &Metadata) -> Self {
        let mode = metadata.mode();
        Self { mode: mode & 0o777, is_shared: mode & STICKY != 0, owner: metadata.uid(), ourselves }
    }

    /// Checks a key: only we and root may own it, and only its owner may read it. If root owns it, as with a
    /// mounted secret, root has chosen the group, which may read it, too.
    pub(crate) fn check_key(self) -> Result<(), String> {
        self.check_owner(false)?;
        let allowed = if self.owner == ROOT { GROUP_READS } else { 0 };
        self.without(
            (GROUP | OTHERS) & !allowed,
            "the mode must be 600, or 440 if root owns the file: `chmod 600`",
        )
    }

    /// Checks the database or a companion of it. `is_group_trusted` is the setting `store.group_access`.
    fn check_database(self, is_group_trusted: bool) -> Result<(), String> {
        self.check_owner(is_group_trusted)?;
        let forbidden = if is_group_trusted { OTHERS } else { GROUP | OTHERS };
        self.without(forbidden, "the mode must be 600, or 660 with store.group_access: `chmod 600`")
    }

    /// Checks the folder: whoever may write to it can replace the files in it. A group that root has chosen
    /// is trusted.
    fn check_folder(self, is_group_trusted: bool) -> Result<(), String> {
        self.check_owner(is_group_trusted)?;
        let allowed = if is_group_trusted || self.owner == ROOT { GROUP_WRITES } else { 0 };
        let rule = match self.is_shared {
            true => {
                "only its owner may write to the store's folder, and this one is for everybody: move the store into a folder of its own, \
                     made with `mkdir -m 700`"
            }
            false => {
                "only its owner may write to the store's folder: `chmod go-w`, or set store.group_access for its group"
            }
        };
        self.without((GROUP_WRITES | OTHERS_WRITE) & !allowed, rule)
    }

    /// Checks the folder of a backup: whoever may write to it can put another file in its place, and be anybody once that is
    /// restored. A group is nobody that we know to be trusted.
    fn check_backups(self) -> Result<(), String> {
        self.check_owner(false)?;
        let allowed = if self.owner == ROOT { GROUP_WRITES } else { 0 };
        let rule = match self.is_shared || self.owner != self.ourselves {
            true => {
                "whoever writes there could put another backup in its place: make a folder of your own with `mkdir -m 700`"
            }
            false => {
                "whoever writes there could put another backup in its place: make a folder of your own with `mkdir -m 700`, or \
                      `chmod go-w` this one"
            }
        };
        self.without((GROUP_WRITES | OTHERS_WRITE) & !allowed, rule)
    }

    /// Checks a backup that is to be restored, or its folder: whoever may write there may have put another one in its place.
    fn check_source(self) -> Result<(), String> {
        let allowed = if self.owner == ROOT { GROUP_WRITES } else { 0 };
        let rule = "whoever writes there could have put another backup in its place, and would be anybody once it is restored: \
                    make sure that it is yours, and copy it into a folder of your own (`mkdir -m 700`)";
        self.without((GROUP_WRITES | OTHERS_WRITE) & !allowed, rule)
    }

    /// Checks that the file is ours or root's, unless another owner is trusted. Root never works on the files
    /// of another: what it makes beside them would be its own, and that user could not open it.
    fn check_owner(self, is_another_trusted: bool) -> Result<(), String> {
        let Self { owner, ourselves, .. } = self;
        match ourselves {
            _ if owner == ourselves || owner == ROOT => Ok(()),
            ROOT => Err(format!(
                "user {owner} owns it, but this process acts as root (user 0): run it as that user, as with \
                 `sudo -u '#{owner}'`, because that user could not open what root writes"
            )),
            _ if is_another_trusted => Ok(()),
            _ => Err(format!(
                "user {owner} owns it, but this process acts as user {ourselves}: `chown {ourselves}`"
            )),
        }
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

/// The effective user of this process.
pub(crate) fn ourselves() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// What is said of a folder that was named for a file. Its mode is not to be changed: then nobody could use it.
pub(crate) const IS_FOLDER: &str = "is a folder: name a file, which may be in it";

/// What is said where there is no room in this folder.
pub(crate) fn full_disk(folder: &Path) -> String {
    // Whoever reads this may be in another folder.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    format!("the disk is full: make room on the disk of the folder {}", folder.display())
}

/// What is said of a store that this process may not open or write: the file, its folder, or what is beside it.
pub(crate) fn forbidden_store(path: &Path) -> String {
    let (user, shown, folder) = (ourselves(), path.display(), folder_of(path));
    let first = as_owner_of(&folder, "the folder");
    let folder = folder.display();
    format!(
        "{shown} cannot be opened or written by user {user}, as whom this runs; its -wal and -shm are written beside it: {first}\
         `chown {user} {folder} {shown}*` and `chmod u+rwX {folder} {shown}*`; the file system must not be mounted read-only, and \
         each folder above must let that user in, as with `chmod g+x`"
    )
}

/// What whoever is not the owner of a folder or file does first, because its owner can work with it.
pub(crate) fn as_owner_of(place: &Path, called: &str) -> String {
    match std::fs::metadata(place).map(|metadata| metadata.uid()) {
        Ok(owner) if owner != ourselves() && owner != ROOT => {
            format!("run it as user {owner}, who owns {called}, with `sudo -u '#{owner}'`; or ")
        }
        _ => String::new(),
    }
}

/// What is said of a store that SQLite could not open or write, which has several causes and but one code.
pub(crate) fn unopened_store(path: &Path) -> String {
    let (shown, folder) = (path.display(), folder_of(path));
    if let Some(file) = with_companions(path).into_iter().find(|file| file.is_dir()) {
        return format!("{} {IS_FOLDER}", file.display());
    }
    if let Err(error) = std::fs::metadata(&folder)
        && error.kind() == ErrorKind::NotFound
    {
        return format!(
            "{shown} cannot be opened, because its folder {} does not exist: correct the path",
            folder.display()
        );
    }
    match std::fs::File::options().read(true).write(true).open(path) {
        Err(error)
            if !matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) =>
        {
            format!("{shown} cannot be opened: {error}")
        }
        // The file or, as it can be opened, what has to be made beside it.
        _ => forbidden_store(path),
    }
}

/// Checks the database, its companions and their folder, as far as they exist.
pub(crate) fn check_store(database: &Path, is_group_trusted: bool) -> Result<(), String> {
    check_store_by(ourselves(), database, is_group_trusted)
}

fn check_store_by(ourselves: u32, database: &Path, is_group_trusted: bool) -> Result<(), String> {
    let path = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    check_folder_by(ourselves, &folder_of(&path), is_group_trusted)?;
    for file in with_companions(&path) {
        if let Ok(metadata) = std::fs::metadata(&file) {
            if metadata.is_dir() {
                return Err(format!("{} {IS_FOLDER}", file.display()));
            }
            let checked = Access::by(ourselves, &metadata).check_database(is_group_trusted);
            checked.map_err(|what| format!("{}: {what}", file.display()))?;
        }
    }
    Ok(())
}

/// Checks that there is such a folder for a file that is to be written, as far as this process can see.
pub(crate) fn check_is_folder(folder: &Path) -> Result<(), String> {
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(format!("{} is a file: name a folder", folder.display())),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            // The current folder has no other name than this.
            let current = || std::env::current_dir().ok().filter(|_| folder == Path::new("."));
            let shown = current().unwrap_or_else(|| folder.to_owned());
            Err(format!(
                "user {}, as whom this runs, may not enter its folder {} or one above it: name a file in a folder of that user",
                ourselves(),
                shown.display()
            ))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err("its folder does not exist: make it first, with `mkdir -m 700`".to_owned())
        }
        Err(error) => Err(format!("its folder {}: {error}", folder.display())),
    }
}

/// Checks the folder in which a store is or will be.
pub(crate) fn check_folder(folder: &Path, is_group_trusted: bool) -> Result<(), String> {
    check_folder_by(ourselves(), folder, is_group_trusted)
}

/// Checks the folder in which a backup will be.
pub(crate) fn check_backups(folder: &Path) -> Result<(), String> {
    let metadata = std::fs::metadata(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Access::of(&metadata).check_backups().map_err(|what| format!("{}: {what}", folder.display()))
}

/// Checks the backup that is to be restored, and its folder.
pub(crate) fn check_source(backup: &Path) -> Result<(), String> {
    let path = backup.canonicalize().unwrap_or_else(|_| backup.to_owned());
    for file in [folder_of(&path), path] {
        let metadata = std::fs::metadata(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        Access::of(&metadata).check_source().map_err(|what| format!("{}: {what}", file.display()))?;
    }
    Ok(())
}

fn check_folder_by(ourselves: u32, folder: &Path, is_group_trusted: bool) -> Result<(), String> {
    let metadata = std::fs::metadata(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Access::by(ourselves, &metadata)
        .check_folder(is_group_trusted)
        .map_err(|what| format!("{}: {what}", folder.display()))
}

/// Makes a folder that only its owner can access, unless it exists.
pub(crate) fn make_folder(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| {
        let shown = folder.display();
        match folder.ancestors().find(|above| above.exists() && !above.is_dir()) {
            Some(file) if file == folder => format!("{shown} is a file: name a folder"),
            Some(file) => format!("{shown} cannot be made, because {} is a file: name another folder", file.display()),
            None => format!(
                "{shown} cannot be made by user {} ({error}): name another folder, or make it and give it to that user with `chown`",
                ourselves()
            ),
        }
    })
}

/// The folder of a file.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The database and the files that SQLite keeps beside it: beside the file itself, not beside a link to it.
pub(crate) fn with_companions(database: &Path) -> [PathBuf; 3] {
    let real = real(database);
    let companion = |ending: &str| {
        let mut name = OsString::from(&real);
        name.push(ending);
        PathBuf::from(name)
    };
    [database.to_owned(), companion("-wal"), companion("-shm")]
}

/// The file to which a link leads, even if it is not there any more. What is no link keeps the name that it has.
pub(crate) fn real(file: &Path) -> PathBuf {
    match file.read_link() {
        Ok(to) => file.canonicalize().unwrap_or_else(|_| folder_of(file).join(to)),
        Err(_) => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u32 = 1000;
    const ANOTHER: u32 = 1001;

    fn access(mode: u32, owner: u32, ourselves: u32) -> Access {
        Access { mode, is_shared: false, owner, ourselves }
    }

    /// Root may work anywhere, and its commands are for nobody else.
    #[test]
    fn a_stranger_is_told_to_be_the_owner_first() {
        assert_eq!(as_owner_of(Path::new("/"), "the folder"), "", "nobody is sent to root");
        let folder = std::env::temp_dir().join(format!("chancery-owned-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(as_owner_of(&folder, "the folder"), "", "it is ours");
        if ourselves() == ROOT {
            std::os::unix::fs::chown(&folder, Some(ANOTHER), None).unwrap();
            let first = "run it as user 1001, who owns the folder, with `sudo -u '#1001'`; or ";
            assert_eq!(as_owner_of(&folder, "the folder"), first);
            let told = forbidden_store(&folder.join("store"));
            assert!(told.contains(&format!("{first}`chown ")), "{told}");
        }
        std::fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn a_store_that_cannot_be_opened_is_told_which_of_the_causes_it_is() {
        let folder = std::env::temp_dir().join(format!("chancery-unopened-{}", std::process::id()));
        let store = folder.join("store");
        assert!(
            unopened_store(&store).contains("its folder")
                && unopened_store(&store).contains("does not exist")
        );
        std::fs::create_dir_all(folder.join("store-wal")).unwrap();
        let said = unopened_store(&store);
        assert!(said.starts_with(&format!("{}-wal is a folder", store.display())), "{said}");
        std::fs::remove_dir(folder.join("store-wal")).unwrap();
        let said = unopened_store(&store);
        assert!(said.contains("cannot be opened: ") && !said.contains("chown"), "{said}");
        std::fs::write(&store, "").unwrap();
        assert!(unopened_store(&store).contains("`chown "));
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// FR-22: a mode means something only with its owner.
    #[test]
    fn a_key_is_its_owner_s_or_given_to_a_group_by_root() {
        for (mode, of_root, of_us) in [
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
            assert_eq!(access(mode, ROOT, US).check_key().is_ok(), of_root, "{mode:o} of root");
            assert_eq!(access(mode, ROOT, ROOT).check_key().is_ok(), of_root, "{mode:o} of root, as root");
            assert_eq!(access(mode, US, US).check_key().is_ok(), of_us, "{mode:o} of ours");
        }
    }

    /// A folder for everybody, such as /tmp, must stay one, and root does not take from a service what it works with.
    #[test]
    fn a_remedy_breaks_nothing_else() {
        let of = |mode: u32, is_shared, owner, ourselves| Access { mode, is_shared, owner, ourselves };
        for (access, is_changed) in [
            (of(0o777, true, ROOT, US), false),
            (of(0o777, true, US, US), false),
            (of(0o777, false, ROOT, US), false),
            (of(0o777, false, US, US), true),
        ] {
            let said = access.check_backups().unwrap_err();
            assert!(said.contains("chmod") == is_changed && said.contains("mkdir -m 700"), "{said}");
        }
        let said = of(0o777, true, ROOT, US).check_folder(false).unwrap_err();
        assert!(!said.contains("chmod") && said.contains("mkdir -m 700"), "{said}");
        let said = access(0o600, US, ROOT).check_key().unwrap_err();
        assert!(said.contains("sudo -u '#1000'") && !said.contains("chown"), "{said}");
    }

    /// What this process may not look into is not missing. Root may look everywhere.
    #[test]
    fn a_folder_that_may_not_be_entered_exists() {
        use std::os::unix::fs::PermissionsExt as _;
        let closed = std::env::temp_dir().join(format!("chancery-closed-{}", std::process::id()));
        std::fs::create_dir_all(closed.join("in")).unwrap();
        assert!(check_is_folder(&closed.join("none")).unwrap_err().contains("does not exist: make it first"));
        std::fs::write(closed.join("file"), "").unwrap();
        assert!(check_is_folder(&closed.join("file")).unwrap_err().contains("is a file"));
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
        let said = check_is_folder(&closed.join("in"));
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::remove_dir_all(&closed).unwrap();
        if ourselves() != ROOT {
            let said = said.unwrap_err();
            assert!(said.contains("may not enter its folder") && said.contains("closed"), "{said}");
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
            for (owner, ourselves) in [(ROOT, ROOT), (ROOT, US), (US, US)] {
                let access = access(mode, owner, ourselves);
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
        for (mode, of_us, with_setting, of_root) in [
            (0o700, true, true, true),
            (0o755, true, true, true),
            (0o775, false, true, true),
            (0o770, false, true, true),
            (0o777, false, false, false),
            (0o757, false, false, false),
            (0o702, false, false, false),
        ] {
            assert_eq!(access(mode, US, US).check_folder(false).is_ok(), of_us, "{mode:o}");
            assert_eq!(
                access(mode, US, US).check_folder(true).is_ok(),
                with_setting,
                "{mode:o} with store.group_access"
            );
            assert_eq!(access(mode, ROOT, US).check_folder(false).is_ok(), of_root, "{mode:o} of root");
        }
    }

    /// FR-22: the owner can read and write whatever the mode says, so that another one than us and root has to
    /// be trusted by name.
    #[test]
    fn the_owner_is_root_or_we_or_trusted() {
        let good = [true, true, true];
        let only_with_setting = [false, false, true];
        let never = [false, false, false];
        for (owner, ourselves, [key, without_setting, with_setting], told) in [
            (ROOT, ROOT, good, ""),
            (ROOT, US, good, ""),
            (US, US, good, ""),
            (
                ANOTHER,
                US,
                only_with_setting,
                "user 1001 owns it, but this process acts as user 1000: `chown 1000`",
            ),
            (
                US,
                ANOTHER,
                only_with_setting,
                "user 1000 owns it, but this process acts as user 1001: `chown 1001`",
            ),
            (
                US,
                ROOT,
                never,
                "user 1000 owns it, but this process acts as root (user 0): run it as that user, as \
                with `sudo -u '#1000'`",
            ),
            (u32::MAX, ROOT, never, "user 4294967295 owns it"),
            (u32::MAX, US, only_with_setting, "user 4294967295 owns it"),
        ] {
            let access = access(0o600, owner, ourselves);
            for (checked, is_good) in [
                (access.check_key(), key),
                (access.check_database(false), without_setting),
                (access.check_database(true), with_setting),
                (access.check_folder(false), without_setting),
                (access.check_folder(true), with_setting),
            ] {
                let is_told = checked.as_ref().map_or_else(|why| why.contains(told), |()| true);
                assert!(checked.is_ok() == is_good && is_told, "{owner}, as {ourselves}: {checked:?}");
            }
        }
    }

    /// The same of real files. Whoever runs this test can have files that are not root's: their own, or as
    /// root those that are given away.
    #[test]
    fn files_of_another_user() {
        let folder = std::env::temp_dir().join(format!("chancery-owner-{}", std::process::id()));
        make_folder(&folder).unwrap();
        let (database, key) = (folder.join("chancery.sqlite"), folder.join("wrapping.key"));
        for file in with_companions(&database).iter().chain([&key]) {
            crate::secrets::write_private(file, "content").unwrap();
        }
        let everything = with_companions(&database).into_iter().chain([key.clone(), folder.clone()]);
        if ourselves() == ROOT {
            everything.for_each(|file| std::os::unix::fs::chown(file, Some(US), None).unwrap());
        }
        let metadata = std::fs::metadata(&key).unwrap();
        let owner = metadata.uid();
        let check_key = |ourselves| Access::by(ourselves, &metadata).check_key();
        let check_store = |ourselves, trusted| check_store_by(ourselves, &database, trusted);
        let outcome = [
            check_key(owner),
            check_store(owner, false),
            check_store(owner + 1, true),
            check_key(owner + 1),
            check_store(owner + 1, false),
            check_key(ROOT),
            check_store(ROOT, false),
            check_store(ROOT, true),
        ];
        std::fs::remove_dir_all(&folder).unwrap();
        let (good, refused) = outcome.split_at(3);
        assert!(good.iter().all(Result::is_ok), "{good:?}");
        let told = format!("user {owner} owns it");
        assert!(refused.iter().all(|one| one.as_ref().is_err_and(|why| why.contains(&told))), "{refused:?}");
        let named = outcome[4].as_ref().is_err_and(|why| why.contains(&*folder.to_string_lossy()));
        assert!(named, "it names the file: {:?}", outcome[4]);
    }
}
