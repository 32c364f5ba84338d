//! `chancery restore --undo`, and what a restore keeps.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::backup::{is_active, stopped, token, with_client};
use crate::support::{Server, chancery, done, refused};

/// Writes a file that only its owner can read, as those of a store are.
fn write(file: &Path, content: &[u8]) {
    fs::write(file, content).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

const DAMAGED: &[u8] = b"nothing that anybody can read, and longer than a header";

/// The names in the folder that begin like this, in their order.
fn names(folder: &Path, begin: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with(begin));
    names.sort();
    names
}

fn kept(folder: &Path) -> Vec<String> {
    names(folder, "chancery.sqlite.before-restore-")
}

fn stamp(name: &str) -> &str {
    name.strip_prefix("chancery.sqlite.before-restore-").unwrap().trim_end_matches("-wal")
}

fn people(folder: &Path) -> String {
    done(folder, &["user", "list"], "")
}

fn add(folder: &Path, name: &str) {
    done(folder, &["user", "add", name], "correct horse\n");
}

/// The store is removed under the server, a backup is restored, later another one: what was left of the first store never meets
/// the second.
#[test]
fn what_two_restores_have_kept_is_never_mixed() {
    let folder = with_client();
    done(&folder, &["backup", "backup"], "");
    let mut server = Server::start(&folder, &[]);
    token(server.address("http"));
    fs::remove_file(folder.join("chancery.sqlite")).unwrap();
    server.signal("KILL");
    assert_eq!(server.end(), None);

    let said = done(&folder, &["restore", "backup", "--replace"], "");
    let [log] = &kept(&folder)[..] else { panic!("{:?}", kept(&folder)) };
    assert!(log.ends_with("-wal"), "{log}");
    let line = said.lines().find(|line| line.starts_with("kept: ")).unwrap();
    assert!(line.contains(log) && line.contains("no store"), "{line}");
    assert!(!said.contains("puts it back"), "{said}");
    let lost = stamp(log).to_owned();

    add(&folder, "carol");
    let said = done(&folder, &["restore", "backup", "--replace"], "");
    let now = kept(&folder);
    assert_eq!(now.len(), 2, "{now:?}");
    let store = now.iter().find(|name| !name.ends_with("-wal")).unwrap().clone();
    let line = said.lines().find(|line| line.starts_with("kept: the store")).unwrap();
    assert!(line.contains(&store), "{line}");
    assert!(line.contains(&format!("`chancery restore --undo {}` puts it back", stamp(&store))), "{line}");
    assert!(!people(&folder).contains("carol"));

    let list = done(&folder, &["restore", "--undo"], "");
    let of = |stamp: &str| list.lines().find(|line| line.starts_with(stamp)).unwrap().to_owned();
    assert!(of(&lost).contains("no store"), "{list}");
    assert!(of(stamp(&store)).contains("a store"), "{list}");
    let said = refused(&folder, &["restore", "--undo", &lost], "");
    assert!(said.contains("no store") && said.contains("nothing was changed"), "{said}");

    add(&folder, "dora");
    let said = done(&folder, &["restore", "--undo", stamp(&store)], "");
    assert!(said.starts_with("put back: ") && said.contains("2 people, 1 client, 3 keys"), "{said}");
    assert!(people(&folder).contains("carol") && !people(&folder).contains("dora"));
    assert!(done(&folder, &["check"], "").contains("the configuration is good"));
    assert!(kept(&folder).contains(log), "what was left of the lost store is untouched");

    // What was replaced was kept, and the undoing can be undone.
    let [back] = &kept(&folder).into_iter().filter(|name| name != log).collect::<Vec<_>>()[..] else {
        panic!("{:?}", kept(&folder))
    };
    done(&folder, &["restore", "--undo", back], "");
    assert!(!people(&folder).contains("carol") && people(&folder).contains("dora"));
    assert!(done(&folder, &["check"], "").contains("the configuration is good"));
}

/// Logins and tokens come back with the store, and nobody takes it from a server.
#[test]
fn a_restore_is_undone_while_no_server_runs() {
    let folder = with_client();
    assert!(done(&folder, &["restore", "--undo"], "").contains("no restore has kept anything"));
    done(&folder, &["backup", "backup"], "");
    let mut server = Server::start(&folder, &[]);
    let token = token(server.address("http"));
    stopped(server);
    done(&folder, &["restore", "backup", "--replace"], "");
    let [store] = &kept(&folder)[..] else { panic!("{:?}", kept(&folder)) };
    let stamp = stamp(store).to_owned();

    let mut server = Server::start(&folder, &[]);
    assert!(!is_active(server.address("http"), &token));
    assert!(done(&folder, &["restore", "--undo"], "").contains(&stamp), "whoever looks hinders nobody");
    let said = refused(&folder, &["restore", "--undo", &stamp], "");
    assert!(said.contains("is in use by a server") && said.contains("nothing was changed"), "{said}");
    stopped(server);
    let said = refused(&folder, &["restore", "--undo", "2026-11-27"], "");
    assert!(said.contains("2026-11-27") && said.contains(&stamp), "it names those that there are: {said}");
    let said = refused(&folder, &["restore"], "");
    assert!(said.contains("<FILE>"), "{said}");
    refused(&folder, &["restore", "backup", "--undo", &stamp], "");

    done(&folder, &["restore", "--undo", &stamp], "");
    let mut server = Server::start(&folder, &[]);
    assert!(is_active(server.address("http"), &token));
    stopped(server);
    assert_eq!(names(&folder, "."), [".chancery.sqlite.lock"]);
}

/// What cannot be used is not put in the place of what can.
#[test]
fn a_kept_store_that_is_damaged_stays_where_it_is() {
    let folder = with_client();
    done(&folder, &["backup", "backup"], "");
    write(&folder.join("chancery.sqlite"), DAMAGED);
    write(&folder.join("chancery.sqlite-wal"), b"what was not moved into it");
    let said = done(&folder, &["restore", "backup", "--replace"], "");
    let [store, log] = &kept(&folder)[..] else { panic!("{:?}", kept(&folder)) };
    assert_eq!(format!("{store}-wal"), *log);
    let line = said.lines().find(|line| line.starts_with("kept: the store")).unwrap();
    assert!(line.contains(store) && line.contains(log), "{line}");
    assert_eq!(fs::read(folder.join(store)).unwrap(), DAMAGED);
    assert!(done(&folder, &["restore", "--undo"], "").contains("and what was not moved into it yet"));
    let said = refused(&folder, &["restore", "--undo", stamp(store)], "");
    assert!(said.contains(store) && said.contains("nothing was changed"), "{said}");
    assert_eq!(fs::read(folder.join(log)).unwrap(), b"what was not moved into it");
    assert!(people(&folder).contains("alice"));
}

/// A crash: wherever a restore ends, there is one whole store, or whoever looks is told how to have one.
#[test]
fn an_interrupted_restore_leaves_a_whole_store() {
    let folder = with_client();
    let file = |name: &str| folder.join(name);
    done(&folder, &["backup", "backup"], "");
    let stamp = "2026-11-27T13-08-17-583Z";
    let kept_name = format!("chancery.sqlite.before-restore-{stamp}");
    let mut server = Server::start(&folder, &[]);
    let token = token(server.address("http"));
    server.signal("KILL");
    assert_eq!(server.end(), None);
    assert!(fs::metadata(file("chancery.sqlite-wal")).unwrap().len() > 0);

    // It ended when the store had its second name: nothing is kept, and the store stays.
    fs::hard_link(file("chancery.sqlite"), file(&kept_name)).unwrap();
    assert!(done(&folder, &["restore", "--undo"], "").contains("no restore has kept anything"));
    assert!(refused(&folder, &["restore", "--undo", stamp], "").contains("nothing was changed"));
    assert!(!file(&kept_name).exists(), "one store has one name again");

    // It ended when the first name was gone, and what was not moved into the store yet still had both.
    let log = format!("{kept_name}-wal");
    fs::rename(file("chancery.sqlite"), file(&kept_name)).unwrap();
    fs::hard_link(file("chancery.sqlite-wal"), file(&log)).unwrap();
    for command in [&["check"][..], &["serve"]] {
        let said = refused(&folder, command, "");
        assert!(said.contains(&format!("`chancery restore --undo {stamp}`")), "{said}");
    }
    done(&folder, &["restore", "--undo", stamp], "");
    assert_eq!(kept(&folder), [""; 0], "nothing else was there to be kept");
    let mut server = Server::start(&folder, &[]);
    assert!(is_active(server.address("http"), &token), "what was answered is there");
    stopped(server);
}

/// Concurrency: the same with a real command, which is killed ever later, until it has ended by itself.
#[test]
fn whoever_kills_a_restore_finds_a_whole_store() {
    let folder = with_client();
    done(&folder, &["backup", "backup"], "");
    add(&folder, "carol");
    let (mut olds, mut ended) = (0, false);
    for run in 0_u32.. {
        let scratch = crate::support::folder();
        for name in ["chancery.toml", "wrapping.key", "chancery.sqlite", "backup"] {
            fs::copy(folder.join(name), scratch.join(name)).unwrap();
        }
        let mut command = chancery(&scratch);
        command.args(["restore", "backup", "--replace"]).stdout(Stdio::null()).stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let kill = Instant::now() + Duration::from_millis(4) * run;
        while Instant::now() < kill && !ended {
            ended = child.try_wait().unwrap().is_some();
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let is_old = people(&scratch).contains("carol");
        assert!(people(&scratch).contains("alice"));
        done(&scratch, &["check"], "");
        let list = done(&scratch, &["restore", "--undo"], "");
        assert_eq!(list.contains("no restore has kept anything"), is_old, "{list}");
        olds += u32::from(is_old);
        fs::remove_dir_all(&scratch).unwrap();
        if ended {
            break;
        }
    }
    assert!(olds > 0, "it was never killed in time");
}

/// SQLite keeps what belongs to a store beside the file itself, and not beside a link to it.
#[test]
fn a_store_behind_a_link_is_kept_beside_itself() {
    let folder = with_client();
    done(&folder, &["backup", "backup"], "");
    let disk = folder.join("disk");
    fs::create_dir(&disk).unwrap();
    fs::rename(folder.join("chancery.sqlite"), disk.join("chancery.sqlite")).unwrap();
    symlink("disk/chancery.sqlite", folder.join("chancery.sqlite")).unwrap();
    add(&folder, "carol");
    let store = fs::read(disk.join("chancery.sqlite")).unwrap();
    fs::remove_file(disk.join("chancery.sqlite")).unwrap();
    write(&disk.join("chancery.sqlite-wal"), b"of the lost one");
    let said = refused(&folder, &["check"], "");
    assert!(said.contains("`chancery restore FILE --replace`"), "{said}");
    done(&folder, &["restore", "backup", "--replace"], "");
    assert!(folder.join("chancery.sqlite").is_symlink());
    assert_eq!(kept(&folder), [""; 0]);
    let [log] = &kept(&disk)[..] else { panic!("{:?}", kept(&disk)) };
    assert_eq!(fs::read(disk.join(log)).unwrap(), b"of the lost one");
    assert!(!people(&folder).contains("carol"));
    let stamp = "2026-11-27T13-08-17-583Z";
    write(&disk.join(format!("chancery.sqlite.before-restore-{stamp}")), &store);
    done(&folder, &["restore", "--undo", stamp], "");
    assert!(people(&folder).contains("carol") && folder.join("chancery.sqlite").is_symlink());
}
