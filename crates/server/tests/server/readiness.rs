//! `/readyz` and the store: what a login would meet, the supervisor is told.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::metrics::{CLIENT, GRANT};
use crate::support::{PATIENCE, Server, ask, chancery, done, get, initialised, post, refused};

fn opened(folder: &Path) -> Connection {
    let connection = Connection::open(folder.join("chancery.sqlite")).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection
}

/// Somebody else holds the store's write lock: reads go on, but no code can be redeemed and no token stored.
#[test]
fn a_store_that_only_reads_is_not_ready() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    let (http, management) = (server.address("http"), server.address("management"));
    server.wait_for_readiness(200);
    let other = opened(&folder);
    other.execute_batch("begin immediate").unwrap();
    // As at the start, it says how the other one is found.
    let why = server.wait_for_readiness(503);
    let file = folder.join("chancery.sqlite");
    let way_out =
        format!("another process holds the write lock; `fuser {0}` or `lsof {0}` names it", file.display());
    assert!(why.contains(&way_out), "{why}");
    assert_eq!((ask(management, "/livez").0, get(http, "/jwks").0), (200, 200));
    other.execute_batch("rollback").unwrap();
    server.wait_for_readiness(200);
    server.wait_for("\"not_ready\"");
    server.wait_for("\"ready_again\"");
}

/// A command as on a full disk: the process may not write beyond 4 MiB of any file. The signal that the system sends for it is
/// ignored, as it never comes on a full disk.
fn without_room(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new("bash");
    let limited = format!("trap '' XFSZ; ulimit -f 4096; exec \"$0\" {arguments}");
    command.current_dir(folder).args(["-c", &limited, env!("CARGO_BIN_EXE_chancery")]);
    command
}

/// The store's log is longer already than whoever has no room may write.
#[test]
fn a_full_disk_is_not_ready() {
    let folder = initialised();
    let serve = "serve --set http.listen=127.0.0.1:0 --set management.listen=127.0.0.1:0";
    let mut server = Server::spawn(without_room(&folder, serve));
    let http = server.address("http");
    server.wait_for_readiness(200);
    // The log cannot begin anew while somebody reads what stands in it.
    let (reading, writing) = (opened(&folder), opened(&folder));
    reading.execute_batch("begin; select count(*) from document").unwrap();
    writing
        .execute_batch("create table ballast (x); insert into ballast values (zeroblob(8000000))")
        .unwrap();
    let why = server.wait_for_readiness(503);
    assert!(why.contains("the store cannot be written"), "{why}");
    let folder = folder.canonicalize().unwrap();
    let remedy = format!("make room on the disk of the folder {}", folder.display());
    let is_told = |why: &str| why.contains(&remedy) || why.contains("look whether the disk");
    assert!(is_told(&why), "{why}");
    let checked = without_room(&folder, "check").output().unwrap();
    let said = String::from_utf8(checked.stderr).unwrap();
    assert!(!checked.status.success() && said.contains("the store cannot be written: "), "{said}");
    assert!(is_told(&said) && said.lines().count() == 1, "{said}");
    assert_eq!(get(http, "/jwks").0, 200, "what is only read goes on");
    drop(reading);
    writing.execute_batch("drop table ballast; vacuum; pragma wal_checkpoint(truncate)").unwrap();
    server.wait_for_readiness(200);
    done(&folder, &["check"], "");
    server.wait_for_readiness(200);
}

/// Whatever is written to a file that nobody finds any more is lost.
#[test]
fn a_store_that_is_lost_is_not_ready() {
    type Loss = (&'static str, fn(&Path));
    let losses: [Loss; 3] = [
        ("removed", |file| fs::remove_file(file).unwrap()),
        ("renamed", |file| fs::rename(file, file.with_extension("old")).unwrap()),
        ("replaced", |file| {
            fs::copy(file, file.with_extension("copy")).unwrap();
            fs::rename(file.with_extension("copy"), file).unwrap();
        }),
    ];
    for (what, lose) in losses {
        let folder = initialised();
        let mut server = Server::start(&folder, &[]);
        server.wait_for_readiness(200);
        lose(&folder.join("chancery.sqlite"));
        let why = server.wait_for_readiness(503);
        let way_out =
            if what == "replaced" { "if this is the right one, restart the server" } else { "move it back" };
        assert!(why.contains("chancery.sqlite") && why.contains(way_out), "{what}: {why}");
        // Also for whoever reads only the log.
        assert!(server.wait_for("\"not_ready\"").contains(way_out));
    }
}

/// Nobody is told that something is stored which will be gone with the next start, whoever asks for readiness or not; and when
/// the file is back, everything goes on.
#[test]
fn nothing_is_acknowledged_that_a_lost_store_would_lose() {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], CLIENT);
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let token_until = |status: u16| {
        let until = Instant::now() + PATIENCE;
        while post(http, "/token", GRANT).0 != status {
            assert!(Instant::now() < until, "it does not get to {status}");
        }
    };
    token_until(200);
    let (file, elsewhere) = (folder.join("chancery.sqlite"), folder.join("elsewhere"));
    fs::rename(&file, &elsewhere).unwrap();
    let begun = Instant::now();
    token_until(503);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(get(http, "/jwks").0, 200, "what is only read goes on");
    server.wait_for("\"not_ready\"");
    fs::rename(&elsewhere, &file).unwrap();
    token_until(200);
    server.wait_for("\"ready_again\"");
    // Another file of the same content: what a command writes there, this server does not see.
    fs::copy(&file, &elsewhere).unwrap();
    fs::rename(&elsewhere, &file).unwrap();
    token_until(503);
}

/// Who looks at the last lines of the log finds the one that says what to do, and not what follows from it every second.
#[test]
fn while_a_store_is_lost_the_log_repeats_no_other_fault() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    server.wait_for_readiness(200);
    let management = server.address("management");
    let (file, elsewhere) = (folder.join("chancery.sqlite"), folder.join("elsewhere"));
    fs::rename(&file, &elsewhere).unwrap();
    server.wait_for("\"not_ready\"");
    let until = Instant::now() + PATIENCE;
    // By then the deliveries of some seconds have failed, too.
    while ask(management, "/metrics").1.contains("chancery_sweep_failures_total 0") {
        assert!(Instant::now() < until, "no sweep has failed");
    }
    fs::rename(&elsewhere, &file).unwrap();
    server.wait_for("\"ready_again\"");
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let lines = server.printed().iter().skip_while(|line| !line.contains("\"not_ready\"")).skip(1);
    let faults: Vec<_> = lines.filter(|line| line.contains("\"error\"")).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn after_an_unclean_end_the_store_is_checked() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let mut server = Server::start(&folder, &[]);
    server.signal("KILL");
    server.end();
    assert!(!server.printed().iter().any(|line| line.contains("store_check")), "the first end was in order");
    // A command in between closes the file in order, and does not hide what was before.
    crate::support::done(&folder, &["keys", "list"], "");
    let mut server = Server::start(&folder, &[]);
    server.wait_for("\"store_checked\"");
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));

    let mut server = Server::start(&folder, &[]);
    server.signal("KILL");
    server.end();
    let damaged = opened(&folder);
    // An index without an entry that its table has.
    damaged.pragma_update(None, "writable_schema", true).unwrap();
    damaged.execute("delete from sqlite_schema where name = 'document_alias_holder'", []).unwrap();
    drop(damaged);
    let file = folder.join("chancery.sqlite");
    let said =
        refused(&folder, &["serve", "--set", "management.listen=", "--set", "http.listen=127.0.0.1:0"], "");
    assert!(
        said.contains("is damaged") && said.contains("`chancery restore FILE --replace`"),
        "{said} {}",
        file.display()
    );
}

/// Who may write the store is whom they like.
#[cfg(unix)]
#[test]
fn a_store_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = initialised();
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap()
    };
    for (name, bad, good) in
        [("chancery.sqlite", 0o644, 0o600), ("chancery.sqlite", 0o660, 0o600), ("", 0o777, 0o755)]
    {
        mode(name, bad);
        for command in [&["check"][..], &["serve"], &["client", "list"], &["keys", "rotate"]] {
            let said = refused(&folder, command, "");
            assert!(said.contains("store.sqlite") && said.contains("chmod"), "{command:?} {bad:o}: {said}");
        }
        mode(name, good);
        assert!(chancery(&folder).arg("check").status().unwrap().success());
    }
    mode("chancery.sqlite", 0o660);
    let allowed = ["check", "--set", "store.group_access=true"];
    assert!(chancery(&folder).args(allowed).status().unwrap().success());
    let said = refused(&folder, &["check", "--set", "store.group_access=yes"], "");
    assert!(said.contains("must be true or false"), "{said}");
}
