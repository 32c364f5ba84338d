//! One server works on a store at a time, and what replaces a store wants it for itself.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use crate::support::{Server, chancery, done, initialised, refused};

fn serve(folder: &Path) -> String {
    refused(
        folder,
        &["serve", "--set", "http.listen=127.0.0.1:0", "--set", "management.listen=127.0.0.1:0"],
        "",
    )
}

fn ended(mut server: Server) {
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
}

/// The second is refused, whichever link leads to the store, and the first one is left alone: its unclean end is noticed
/// afterwards, and a clean one is not called unclean. A server can start at once after either.
#[test]
fn a_second_server_is_refused_and_changes_nothing() {
    let folder = initialised();
    let server = Server::start(&folder, &[]);
    let in_use =
        format!("chancery.sqlite is in use by another server (process {}): stop it first\n", server.id());
    let said = serve(&folder);
    assert!(said.starts_with("store.sqlite: ") && said.ends_with(&in_use), "{said}");
    std::os::unix::fs::symlink("chancery.sqlite", folder.join("link")).unwrap();
    let said =
        refused(&folder, &["serve", "--set", "store.sqlite=link", "--set", "http.listen=127.0.0.1:0"], "");
    assert!(said.contains("link is in use by another server"), "{said}");
    // Commands that change single things go on.
    done(&folder, &["user", "add", "bob"], "correct horse\n");
    drop(server);
    let mut server = Server::start(&folder, &[]);
    server.wait_for("\"store_checked\"");
    serve(&folder);
    ended(server);
    let mut server = Server::start(&folder, &[]);
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    assert!(!server.printed().iter().any(|line| line.contains("store_check")), "the last end was in order");
}

/// What the running server has open is not what the path names any more: what is put there now, it does not see.
#[test]
fn a_server_holds_its_store_although_the_file_is_gone() {
    type Loss = (&'static str, fn(&Path));
    let losses: [Loss; 2] = [
        ("removed", |folder| {
            for name in ["chancery.sqlite", "chancery.sqlite-wal", "chancery.sqlite-shm"] {
                fs::remove_file(folder.join(name)).unwrap();
            }
        }),
        ("replaced", |folder| {
            fs::copy(folder.join("backup"), folder.join("copy")).unwrap();
            fs::rename(folder.join("copy"), folder.join("chancery.sqlite")).unwrap();
        }),
    ];
    for (what, lose) in losses {
        let folder = initialised();
        done(&folder, &["backup", "backup"], "");
        let server = Server::start(&folder, &[]);
        let in_use =
            format!("is in use by a server (process {}): stop it first; nothing was changed", server.id());
        lose(&folder);
        let said = refused(&folder, &["restore", "backup", "--replace"], "");
        assert!(said.contains(&in_use), "{what}: {said}");
        if what == "removed" {
            let said = refused(&folder, &["init", "--new-store", "--no-user"], "");
            assert!(said.contains(&in_use), "{what}: {said}");
            assert!(!folder.join("chancery.sqlite").exists());
        } else {
            assert!(serve(&folder).contains("is in use by another server"), "{what}");
        }
        ended(server);
        done(&folder, &["restore", "backup", "--replace"], "");
        ended(Server::start(&folder, &[]));
    }
}

/// A server that works on the store has its issuer in every token.
#[test]
fn a_store_that_is_served_is_not_moved_to_another_issuer() {
    let folder = initialised();
    let server = Server::start(&folder, &[]);
    let moved = ["accept-issuer", "--set", "issuer=https://id.example.org/auth"];
    let said = refused(&folder, &moved, "");
    assert!(said.contains("is in use by a server (process ") && said.contains("stop it first"), "{said}");
    ended(server);
    done(&folder, &moved, "");
}

/// A server that has run as another user has left the file to that one, who can go on with it. Only root can show it.
#[test]
fn a_lock_of_another_user_names_who_can_take_it() {
    let folder = initialised();
    ended(Server::start(&folder, &[]));
    let lock = folder.join(".chancery.sqlite.lock");
    let ours = fs::metadata(&folder).unwrap().uid();
    if ours != 0 {
        return;
    }
    let nobody = 65_534;
    for name in ["chancery.sqlite", "chancery.toml", "wrapping.key", "."] {
        chown(folder.join(name), Some(nobody), None).unwrap();
    }
    chown(&lock, Some(1), None).unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = chancery(&folder);
    command.uid(nobody).args(["serve", "--set", "http.listen=127.0.0.1:0"]);
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    let first = "run it as user 1, who owns it, with `sudo -u '#1'`; or `chown 65534 ";
    assert!(said.contains(first), "{said}");
}
