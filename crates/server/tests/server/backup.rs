//! `chancery backup` and `chancery restore`.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{PATIENCE, Server, done, folder, initialised, post, refused};

const CLIENT: &str = r#"{"client_id":"api","client_secret":"a secret of at least thirty-two characters","grant_types":["client_credentials"],"response_types":[],"redirect_uris":[],"token_endpoint_auth_method":"client_secret_post"}"#;
const CREDENTIALS: &str = "client_id=api&client_secret=a+secret+of+at+least+thirty-two+characters";

pub(crate) fn with_client() -> PathBuf {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], CLIENT);
    folder
}

/// An access token, acknowledged and therefore stored.
pub(crate) fn token(address: SocketAddr) -> String {
    let (status, body) = post(address, "/token", &format!("grant_type=client_credentials&{CREDENTIALS}"));
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    answer.get("access_token").and_then(Value::as_str).unwrap().to_owned()
}

pub(crate) fn is_active(address: SocketAddr, token: &str) -> bool {
    let (status, body) = post(address, "/introspect", &format!("token={token}&{CREDENTIALS}"));
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    answer.get("active").and_then(Value::as_bool).unwrap()
}

pub(crate) fn stopped(mut server: Server) {
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

/// Whoever can write to the folder of a backup could put another one in its place.
#[test]
fn a_backup_is_not_put_where_others_write() {
    let folder = with_client();
    let place = folder.join("backups");
    fs::create_dir(&place).unwrap();
    for (mode, is_good) in [(0o777, false), (0o1777, false), (0o770, false), (0o702, false), (0o755, true)] {
        fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
        // What root has made and given to a group is up to root.
        let is_given = fs::metadata(&folder).map(|made| made.uid()).unwrap() == 0 && mode == 0o770;
        if is_good || is_given {
            done(&folder, &["backup", &format!("backups/{mode:o}")], "");
            continue;
        }
        let said = refused(&folder, &["backup", "backups/b"], "");
        assert!(said.starts_with("backups: ") && said.contains("`mkdir -m 700`"), "{mode:o}: {said}");
        assert_eq!(said.contains("`chmod go-w`"), mode & 0o1000 == 0, "{mode:o}: {said}");
        assert!(!fs::read_dir(&place).unwrap().any(|file| file.unwrap().file_name() == "b"), "{mode:o}");
    }
}

/// CR-8: while many write, backups are made; each has every write that was answered before it was begun, and is whole.
#[test]
fn a_backup_under_load_has_every_write_that_was_answered_before() {
    let folder = with_client();
    let mut server = Server::start(&folder, &[]);
    let address = server.address("http");
    let (tokens, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let backups: Vec<(usize, PathBuf)> = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let token = token(address);
                    tokens.lock().unwrap().push(token);
                }
            });
        }
        let until = std::time::Instant::now() + PATIENCE;
        let made = (1..=5).map(|n| {
            while tokens.lock().unwrap().len() < n * 20 {
                assert!(std::time::Instant::now() < until);
                std::thread::yield_now();
            }
            let answered = tokens.lock().unwrap().len();
            let name = format!("backup-{n}");
            done(&folder, &["backup", &name], "");
            (answered, folder.join(name))
        });
        let made = made.collect();
        is_over.store(true, Ordering::Relaxed);
        made
    });
    for (answered, file) in &backups {
        assert_eq!(mode(file), 0o600);
        let copy = Connection::open(file).unwrap();
        let count = |query: &str| copy.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
        let stored = usize::try_from(count("select count(*) from record")).unwrap();
        assert!(stored >= *answered, "{stored} of {answered}");
        let check: String = copy.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }
    stopped(server);

    let (_, last) = backups.last().unwrap();
    let said = done(&folder, &["restore", last.to_str().unwrap(), "--replace"], "");
    assert!(said.contains("1 person, 1 client, 3 keys") && said.contains("before-restore-"), "{said}");
    let mut server = Server::start(&folder, &[]);
    let address = server.address("http");
    let before = tokens.into_inner().unwrap().swap_remove(0);
    assert!(!is_active(address, &before), "what may have ended since the backup does not come back");
    assert!(is_active(address, &token(address)), "what is new is good");
    stopped(server);
    assert_eq!(mode(&folder.join("chancery.sqlite")), 0o600);
    let names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(names, [".chancery.sqlite.lock"], "nothing unfinished is left: {names:?}");
}

/// A server that moves: it is stopped, and its logins and tokens come with it.
#[test]
fn what_was_stopped_before_moves_with_its_logins() {
    let folder = with_client();
    let mut server = Server::start(&folder, &[]);
    let token = token(server.address("http"));
    done(&folder, &["backup", "running"], "");
    stopped(server);
    done(&folder, &["backup", "stopped"], "");

    let elsewhere = crate::support::folder();
    for file in ["chancery.toml", "wrapping.key", "running", "stopped"] {
        fs::copy(folder.join(file), elsewhere.join(file)).unwrap();
    }
    let why = refused(&elsewhere, &["restore", "running", "--keep-logins"], "");
    assert!(why.contains("while a server was running") && why.contains("nothing was changed"), "{why}");
    assert!(!elsewhere.join("chancery.sqlite").exists());
    done(&elsewhere, &["restore", "stopped", "--keep-logins"], "");
    let mut server = Server::start(&elsewhere, &[]);
    assert!(is_active(server.address("http"), &token));
    stopped(server);
    let printed = done(&elsewhere, &["check"], "");
    assert!(printed.contains("the configuration is good"), "{printed}");
}

/// With pages of its own: what the backup names is what a server needs elsewhere, and the drill of docs/operate.md needs no copies.
#[test]
fn what_is_not_in_a_backup_is_named() {
    let folder = with_client();
    done(&folder, &["pages", "export", "pages"], "");
    fs::write(folder.join("logo.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
    fs::write(folder.join("refused.txt"), "correct horse\n").unwrap();
    let configuration = fs::read_to_string(folder.join("chancery.toml")).unwrap();
    let pages = "[pages]\nlogo = 'logo.svg'\ntemplates = 'pages/templates'\nmessages = 'pages/messages'\n";
    let configuration = configuration.replace("[pages]\n", pages);
    let configuration = configuration.replace("[passwords]\n", "[passwords]\nblocklist = 'refused.txt'\n");
    fs::write(folder.join("chancery.toml"), configuration).unwrap();
    let said = done(&folder, &["backup", "backup"], "");
    let (_, list) = said.split_once("not in it, so keep copies of them elsewhere:\n").unwrap();
    let named: Vec<(&str, &str)> = list.lines().map(|line| line.trim().split_once(" (").unwrap()).collect();
    for (file, setting) in [
        ("chancery.toml", "the configuration"),
        ("wrapping.key", "keys.wrapping_key"),
        ("logo.svg", "pages.logo"),
        ("pages/templates", "pages.templates"),
        ("pages/messages", "pages.messages"),
        ("refused.txt", "passwords.blocklist"),
    ] {
        assert!(named.iter().any(|(found, of)| *found == file && of.starts_with(setting)), "{file}: {said}");
    }

    let drill = crate::support::folder();
    let store = format!("store.sqlite={}", drill.join("chancery.sqlite").display());
    done(&folder, &["restore", "backup", "--set", &store], "");
    assert!(done(&folder, &["check", "--set", &store], "").contains("the configuration is good"));
    assert!(done(&folder, &["user", "list", "--set", &store], "").contains("alice"));

    let elsewhere = crate::support::folder();
    for (file, _) in named.into_iter().chain([("backup", "")]) {
        let to = elsewhere.join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let copied = std::process::Command::new("cp").arg("-pr").arg(folder.join(file)).arg(to).status();
        assert!(copied.unwrap().success());
    }
    done(&elsewhere, &["restore", "backup"], "");
    assert!(done(&elsewhere, &["check"], "").contains("the configuration is good"));
}

/// The copy is made, and a timer alarms: without the key it is worth little, which is seen now and not when it is needed.
#[test]
fn a_backup_without_its_wrapping_key_is_an_alarm() {
    let folder = with_client();
    fs::rename(folder.join("wrapping.key"), folder.join("kept.key")).unwrap();
    let output = crate::support::run(&folder, &["backup", "backup"], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let line =
        "wrapping.key (keys.wrapping_key), without which no key in it can be used: it does not exist\n";
    assert!(said.contains("written: backup (") && said.contains(line), "{said}");
    let alarm = "keys.wrapping_key: wrapping.key does not exist, so the keys in this backup cannot be used: restore your copy";
    assert!(said.lines().any(|line| line.contains(alarm)), "{said}");
    fs::rename(folder.join("kept.key"), folder.join("wrapping.key")).unwrap();
    assert!(!done(&folder, &["backup", "another"], "").contains("does not exist"));
    done(&folder, &["restore", "backup", "--replace"], "");
}

/// What cannot be written is the backup, and the store is blameless.
#[test]
fn a_backup_that_cannot_be_written_is_named() {
    let folder = with_client();
    let place = folder.join("backups");
    fs::create_dir(&place).unwrap();
    // As on a full disk: no file may be longer than 40 KiB, which the index of the store's log fits into. The signal for it is ignored, as it never comes on a full disk.
    let limited = "trap '' XFSZ; ulimit -f 40; exec \"$0\" backup backups/b";
    let mut command = std::process::Command::new("bash");
    command.current_dir(&folder).args(["-c", limited, env!("CARGO_BIN_EXE_chancery")]);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.starts_with("backups/b: "), "{said}");
    assert!(said.contains("disk of the folder backups") && said.contains("no backup was made"), "{said}");
    assert!(fs::read_dir(&place).unwrap().next().is_none(), "nothing is left of it");
    let said = refused(&folder, &["backup", "/proc/x"], "");
    assert!(said.starts_with("/proc/x: user ") && said.contains("name one in another folder"), "{said}");
}

/// Each wrong file gets a sentence about itself, and the store stays as it was.
#[test]
fn a_wrong_file_is_named_and_changes_nothing() {
    let folder = with_client();
    done(&folder, &["backup", "good"], "");
    let good = fs::read(folder.join("good")).unwrap();
    let write = |name: &str, content: &[u8]| fs::write(folder.join(name), content).unwrap();
    write(
        "text",
        b"this is a text and not a database, as long as a header: 0123456789 0123456789 0123456789",
    );
    write("empty", b"");
    write("half", &good[..good.len() / 2]);
    let mut flipped = good.clone();
    let length = flipped.len();
    for byte in &mut flipped[length / 4..length / 2] {
        *byte ^= 0x55;
    }
    write("flipped", &flipped);
    fs::copy(folder.join("chancery.sqlite"), folder.join("store")).unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    let foreign = Connection::open(folder.join("foreign")).unwrap();
    foreign.execute_batch("create table t (x)").unwrap();
    drop(foreign);
    let newer = Connection::open({
        fs::copy(folder.join("good"), folder.join("newer")).unwrap();
        folder.join("newer")
    })
    .unwrap();
    newer.execute("insert into migration values (999, x'00')", []).unwrap();
    drop(newer);
    for (file, acting) in [
        ("trigger", "create trigger t after insert on record begin delete from record; end"),
        ("view", "drop table running; create view running as select 1"),
        (
            "changed",
            "drop trigger record_leaves_children;
             create trigger record_leaves_children after delete on record begin delete from document; end",
        ),
    ] {
        fs::copy(folder.join("good"), folder.join(file)).unwrap();
        Connection::open(folder.join(file)).unwrap().execute_batch(acting).unwrap();
    }
    let store = fs::read(folder.join("chancery.sqlite")).unwrap();
    for (file, why) in [
        ("missing", "No such file"),
        ("text", "not an SQLite file"),
        ("empty", "is empty"),
        ("half", "is damaged"),
        ("flipped", "is damaged"),
        ("store", "is a store and no backup of one: `chancery restore --undo` shows"),
        ("folder", "is a folder"),
        ("foreign", "belongs to another program"),
        ("newer", "newer than this version"),
        ("trigger", "has triggers or views"),
        ("view", "has triggers or views"),
        ("changed", "has triggers or views"),
    ] {
        let said = refused(&folder, &["restore", file, "--replace"], "");
        assert!(said.contains(why) && said.contains(file), "{file}: {said}");
        assert!(said.contains("nothing was changed"), "{file}: {said}");
        assert_eq!(fs::read(folder.join("chancery.sqlite")).unwrap(), store, "{file}");
    }
    assert_eq!(fs::read(folder.join("good")).unwrap(), good);
    let said = refused(&folder, &["restore", "good", "--replace", "--set", "realm=other"], "");
    assert!(said.contains("realm other"), "{said}");
    let said = refused(&folder, &["restore", "good"], "");
    assert!(said.contains("--replace") && said.contains("was not changed"), "{said}");
    let said = refused(&folder, &["restore", "missing"], "");
    assert!(said.contains("missing: No such file") && !said.contains("--replace"), "{said}");
    fs::create_dir(folder.join("open")).unwrap();
    fs::copy(folder.join("good"), folder.join("open/good")).unwrap();
    fs::set_permissions(folder.join("open"), fs::Permissions::from_mode(0o777)).unwrap();
    let said = refused(&folder, &["restore", "open/good", "--replace"], "");
    assert!(said.contains("open: everybody can access it") && said.contains("nothing was changed"), "{said}");
    let said = refused(&folder, &["backup", "good"], "");
    assert!(said.contains("exists already"), "{said}");
    let said = refused(&folder, &["backup", "missing/backup"], "");
    assert!(said.contains("missing/backup: its folder does not exist: make it first"), "{said}");

    let key = fs::read(folder.join("wrapping.key")).unwrap();
    let other = initialised();
    fs::copy(other.join("wrapping.key"), folder.join("wrapping.key")).unwrap();
    let said = refused(&folder, &["restore", "good", "--replace"], "");
    assert!(said.contains("cannot be used with") && said.contains("wrapping.key"), "{said}");
    fs::write(folder.join("wrapping.key"), key).unwrap();
    assert_eq!(fs::read(folder.join("chancery.sqlite")).unwrap(), store);
}

/// Bad input: whatever a file says of itself, it does nothing on the terminal of whoever restores it, and is no line of ours.
#[test]
fn what_a_backup_says_is_text() {
    let folder = with_client();
    done(&folder, &["backup", "good"], "");
    let copy = Connection::open(folder.join("good")).unwrap();
    copy.execute("update backup set version = char(27) || '[2J' || char(10) || 'next:  sh'", []).unwrap();
    drop(copy);
    let said = done(&folder, &["restore", "good", "--replace"], "");
    assert!(said.contains("by version \\u{1b}[2J\\nnext:  sh;"), "{said:?}");
}

#[test]
fn a_store_in_use_is_never_replaced() {
    let folder = with_client();
    let mut server = Server::start(&folder, &[]);
    done(&folder, &["backup", "backup"], "");
    let said = refused(&folder, &["restore", "backup", "--replace"], "");
    assert!(said.contains("is in use by a server (process "), "{said}");
    token(server.address("http"));
    stopped(server);
    done(&folder, &["restore", "backup", "--replace"], "");
}

/// A server that is started while the backup is read, as one that a supervisor restarts, does not get the store that is about to
/// be replaced; and what another program has opened meanwhile is not replaced.
#[test]
fn a_store_that_comes_into_use_meanwhile_is_not_replaced() {
    let folder = with_client();
    done(&folder, &["backup", "good"], "");
    let pipe = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::thread::scope(|scope| {
        let restored = scope.spawn(|| refused(&folder, &["restore", "pipe", "--replace"], ""));
        // This waits until the command has begun to read.
        let mut backup = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        let said = refused(&folder, &["serve"], "");
        assert!(said.contains("is in use by `chancery restore` (process "), "{said}");
        let other = Connection::open(folder.join("chancery.sqlite")).unwrap();
        other.execute_batch("begin; select count(*) from document").unwrap();
        std::io::copy(&mut fs::File::open(folder.join("good")).unwrap(), &mut backup).unwrap();
        drop(backup);
        let said = restored.join().unwrap();
        assert!(
            said.contains("is in use by another program") && said.contains("nothing was changed"),
            "{said}"
        );
    });
    let mut server = Server::start(&folder, &[]);
    token(server.address("http"));
    stopped(server);
}

/// Of a server that was killed, what is not in its file yet is kept beside it, and nothing that only processes need.
#[test]
fn a_store_of_a_killed_server_is_set_aside_whole() {
    let folder = with_client();
    done(&folder, &["backup", "backup"], "");
    let mut server = Server::start(&folder, &[]);
    token(server.address("http"));
    server.signal("KILL");
    assert_eq!(server.end(), None);
    assert!(folder.join("chancery.sqlite-shm").exists());
    done(&folder, &["restore", "backup", "--replace"], "");
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter(|name| name.contains("sqlite")).collect();
    assert!(names.iter().any(|name| name.contains(".before-restore-")), "{names:?}");
    assert!(!names.iter().any(|name| name.ends_with("-shm")), "{names:?}");
}

/// What is damaged is what a backup is for.
#[test]
fn a_damaged_store_can_be_replaced() {
    let folder = with_client();
    done(&folder, &["backup", "backup"], "");
    fs::write(folder.join("chancery.sqlite"), b"nothing that anybody can read, and longer than a header")
        .unwrap();
    let said = refused(&folder, &["check"], "");
    assert!(said.contains("store.sqlite: ") && said.contains("`chancery restore FILE --replace`"), "{said}");
    done(&folder, &["restore", "backup", "--replace"], "");
    let mut server = Server::start(&folder, &[]);
    token(server.address("http"));
    stopped(server);
}

/// Only what is damaged is replaced by a backup, which costs all logins.
#[test]
fn a_store_that_is_locked_is_not_called_damaged() {
    let folder = with_client();
    let file = folder.join("chancery.sqlite");
    let other = Connection::open(&file).unwrap();
    other.execute_batch("begin immediate").unwrap();
    for command in [&["check"][..], &["user", "list"]] {
        let said = refused(&folder, command, "");
        assert!(said.contains("is locked: another process holds the write lock; `fuser "), "{said}");
        assert!(!said.contains("restore"), "{said}");
    }
    drop(other);
    done(&folder, &["check"], "");
}

/// Overwrites a page that nobody reads who reads the tables.
fn damage_an_index(folder: &Path) {
    let file = folder.join("chancery.sqlite");
    let store = Connection::open(&file).unwrap();
    store.pragma_update(None, "wal_checkpoint", "truncate").unwrap();
    let index = "select rootpage from sqlite_schema where type = 'index' and tbl_name = 'record' order by rootpage desc";
    let page: u32 = store.query_row(index, [], |row| row.get(0)).unwrap();
    drop(store);
    let mut bytes = fs::read(&file).unwrap();
    let start = (page as usize - 1) * 4096;
    bytes.get_mut(start..start + 4096).unwrap().fill(0xaa);
    fs::write(&file, &bytes).unwrap();
}

/// A copy is made of the tables, and its indexes anew: it is good, and whoever waits for it hears that the store is not.
#[test]
fn a_backup_of_a_damaged_store_is_made_and_says_so() {
    let folder = with_client();
    damage_an_index(&folder);
    let said = refused(&folder, &["backup", "backup"], "");
    assert!(said.starts_with("written: backup ("), "{said}");
    let line = said.lines().find(|line| line.starts_with("store.sqlite: ")).unwrap();
    for part in
        ["chancery.sqlite is damaged (", "`chancery restore backup --replace`", "keep earlier backups"]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
    done(&folder, &["restore", "backup", "--replace"], "");
    let said = done(&folder, &["check"], "");
    assert!(said.contains("the configuration is good"), "{said}");
    done(&folder, &["backup", "another"], "");
}

/// What no command would meet before somebody needs it: `check` reads the whole file.
#[test]
fn check_finds_what_is_damaged_anywhere() {
    let folder = with_client();
    damage_an_index(&folder);
    let said = refused(&folder, &["check"], "");
    let line = said.lines().find(|line| line.starts_with("store.sqlite: ")).unwrap();
    for part in
        ["chancery.sqlite is damaged (", "`chancery restore FILE --replace` (docs/operate.md, Restore)"]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_store_in_memory_has_no_backup() {
    let folder = folder();
    fs::write(
        folder.join("chancery.toml"),
        "issuer = 'https://id.example.org'\nhttp.listen = ['127.0.0.1:0']\n",
    )
    .unwrap();
    for command in [["backup", "file"], ["restore", "file"]] {
        let said = refused(&folder, &command, "");
        assert!(said.contains("store.sqlite is not set"), "{said}");
    }
}

/// Whoever has lost the store is told both ways on, and both of them lead on.
#[test]
fn a_lost_store_is_restored_or_begun_anew() {
    let folder = with_client();
    done(&folder, &["backup", "backup"], "");
    let file = |name: &str| folder.join(name);
    fs::remove_file(file("chancery.sqlite")).unwrap();
    for command in [
        &["check"][..],
        &["serve"],
        &["keys", "list"],
        &["backup", "other"],
        &["init", "--issuer", "https://a.example"],
    ] {
        let said = refused(&folder, command, "");
        assert!(
            said.contains("`chancery restore FILE`") && said.contains("`chancery init --new-store`"),
            "{command:?}: {said}"
        );
    }
    for left in ["chancery.sqlite-wal", "chancery.sqlite-shm"] {
        fs::write(file(left), "what is left").unwrap();
        let said = refused(&folder, &["init", "--new-store", "--no-user"], "");
        assert!(said.contains(left) && said.contains("move it away"), "{said}");
        let said = refused(&folder, &["restore", "backup"], "");
        assert!(said.contains(left) && said.contains("is left of a store that is lost"), "{said}");
        let said = refused(&folder, &["check"], "");
        assert!(said.contains("`chancery restore FILE --replace`"), "the command that works: {said}");
        let said = refused(&folder, &["init", "--issuer", "https://a.example"], "");
        assert!(said.contains("`chancery restore FILE --replace`"), "{said}");
        fs::remove_file(file(left)).unwrap();
    }
    let key = fs::read(file("wrapping.key")).unwrap();
    let begun = done(&folder, &["init", "--new-store", "--username", "bob"], "correct horse\n");
    assert!(begun.contains("chancery.sqlite") && !begun.contains("wrapping.key"), "{begun}");
    assert_eq!(fs::read(file("wrapping.key")).unwrap(), key);
    assert!(done(&folder, &["check"], "").contains("is good"));
    assert!(done(&folder, &["user", "list"], "").contains("bob"));
    assert!(refused(&folder, &["init", "--new-store", "--no-user"], "").contains("was not changed"));
    // Without the wrapping key, it is made anew as well.
    for left in ["chancery.sqlite", "wrapping.key"] {
        fs::remove_file(file(left)).unwrap();
    }
    let begun = done(&folder, &["init", "--new-store", "--no-user"], "");
    assert!(begun.contains("wrapping.key (keep it secret, and keep a copy"), "{begun}");
    assert!(done(&folder, &["check"], "").contains("is good"));
    fs::write(file("wrapping.key"), key).unwrap();
    done(&folder, &["restore", "backup", "--replace"], "");
    assert!(done(&folder, &["user", "list"], "").contains("alice"));
    // A file of the right name with nothing in it is no store either.
    fs::write(file("chancery.sqlite"), "").unwrap();
    let said = refused(&folder, &["check"], "");
    assert!(
        said.contains("chancery.sqlite is an empty store") && said.contains("`chancery restore FILE"),
        "{said}"
    );
}

/// To change the mode of a folder as that of a file would shut everybody out.
#[test]
fn a_folder_in_the_place_of_a_file_is_named_as_that() {
    let folder = initialised();
    fs::create_dir(folder.join("folder")).unwrap();
    for setting in ["store.sqlite=folder", "keys.wrapping_key=folder"] {
        for command in ["check", "serve"] {
            let said = refused(&folder, &[command, "--set", setting], "");
            assert!(said.contains("folder is a folder") && !said.contains("chmod"), "{setting}: {said}");
        }
    }
    fs::write(folder.join("x"), "x").unwrap();
    let said = refused(&folder, &["restore", "x", "--replace", "--set", "store.sqlite=folder"], "");
    assert!(said.contains("is a folder"), "{said}");
    let said = refused(&folder, &["check", "--config", "."], "");
    assert!(said.contains("is a folder: name the file in it, such as ./chancery.toml"), "{said}");
}
