//! `chancery keys replace`: what a store without its wrapping key keeps, and what it loses.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chancery_types::params::encode;
use rusqlite::Connection;
use serde_json::Value;

use crate::development::free;
use crate::sessions::{sign_in, sign_in_for};
use crate::support::{PATIENCE, Server, chancery, done, get, http, initialised, post, refused, rows};

const SECRET: &str = "a secret of at least thirty-two characters, as an HMAC needs it, or more of them";
const PAIRWISE: &str = "subjects.types=public,pairwise";
const REPLACE: [&str; 4] = ["keys", "replace", "--lost-wrapping-key", "--yes"];
const POINTER: &str =
    "`chancery keys replace --lost-wrapping-key` makes new keys and keeps people and clients";

/// A client whose secret is known by its digest, one whose secret signs, and one with subjects of its own.
fn with_clients() -> PathBuf {
    let folder = initialised();
    for (id, more) in [
        ("app", r#""grant_types":["authorization_code","refresh_token","client_credentials"]"#),
        ("signed", r#""id_token_signed_response_alg":"HS256""#),
        ("apart", r#""subject_type":"pairwise","id_token_signed_response_alg":"EdDSA""#),
    ] {
        let client = format!(
            r#"{{"client_id":"{id}","client_secret":"{SECRET}","redirect_uris":["https://{id}.example/cb"],{more},
                "token_endpoint_auth_method":"client_secret_post","chancery":{{"consent":"implied","pkce_optional":true}}}}"#
        );
        if id == "apart" {
            done(&folder, &["keys", "add", "EdDSA"], "");
        }
        done(&folder, &["client", "add", "--file", "-", "--set", PAIRWISE], &client);
    }
    folder
}

fn token(http: SocketAddr, client: &str, secret: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let credentials = [("client_id", client), ("client_secret", secret)];
    let (status, body) = post(http, "/token", &encode(form.iter().chain(&credentials).copied()));
    (status, serde_json::from_str(&body).unwrap())
}

fn exchanged(http: SocketAddr, client: &str, secret: &str, code: &str) -> (u16, Value) {
    let uri = format!("https://{client}.example/cb");
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &uri)];
    token(http, client, secret, &form)
}

fn text(answer: &Value, member: &str) -> String {
    answer.get(member).and_then(Value::as_str).unwrap_or_else(|| panic!("no {member}: {answer}")).to_owned()
}

fn userinfo(address: SocketAddr, token: &str) -> (u16, String) {
    http(
        address,
        &format!(
            "GET /userinfo HTTP/1.1\r\nHost: id.example.org\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        ),
    )
}

/// The person of this access token, as its client knows them.
fn subject(http: SocketAddr, token: &str) -> String {
    let (status, claims) = userinfo(http, token);
    assert_eq!(status, 200, "{claims}");
    text(&serde_json::from_str(&claims).unwrap(), "sub")
}

/// The person as the client learns to know them at a new login.
fn subject_at(http: SocketAddr, client: &str) -> String {
    let (status, answer) = exchanged(http, client, SECRET, &sign_in(http, client, "alice"));
    assert_eq!(status, 200, "{answer}");
    subject(http, &text(&answer, "access_token"))
}

/// The names of the published keys.
fn published(http: SocketAddr) -> BTreeSet<String> {
    let keys: Value = serde_json::from_str(&get(http, "/jwks").1).unwrap();
    keys.get("keys").and_then(Value::as_array).unwrap().iter().map(|key| text(key, "kid")).collect()
}

fn stopped(mut server: Server) {
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
}

fn copies(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("before-new-keys")).collect()
}

/// People and clients go on with what they know; what the lost keys have made is worth nothing, and who has to do something is
/// named.
#[test]
fn people_and_clients_stay_where_the_wrapping_key_is_lost() {
    let folder = with_clients();
    let opening = done(&folder, &["registration-token", "add", "partner"], "");
    let mut server = Server::start(&folder, &[PAIRWISE]);
    let http = server.address("http");
    let scope = "openid%20offline_access";
    let (status, before) = exchanged(http, "app", SECRET, &sign_in_for(http, ("app", scope), "alice", ""));
    assert_eq!(status, 200, "{before}");
    let (access, refresh) = (text(&before, "access_token"), text(&before, "refresh_token"));
    let (public, apart) = (subject(http, &access), subject_at(http, "apart"));
    let (status, own) = token(http, "app", SECRET, &[("grant_type", "client_credentials")]);
    assert_eq!(status, 200, "{own}");
    let code = sign_in(http, "app", "alice");
    let keys = published(http);
    stopped(server);

    fs::remove_file(folder.join("wrapping.key")).unwrap();
    for command in [&["serve"][..], &["check"], &["keys", "list"], &["user", "list"]] {
        let said = refused(&folder, command, "");
        assert!(
            said.contains("wrapping.key: does not exist; restore your copy") && said.contains(POINTER),
            "{said}"
        );
    }
    let replaced = done(&folder, &[&REPLACE[..], &["--json", "--set", PAIRWISE]].concat(), "");
    let replaced: Value = serde_json::from_str(&replaced).unwrap();
    assert_eq!(replaced["secrets_lost"], serde_json::json!(["signed"]));
    assert_eq!(replaced["subjects_changed"], serde_json::json!(["apart"]));
    assert_eq!((&replaced["people"], &replaced["clients"]), (&1.into(), &3.into()));
    assert_eq!(replaced["ended"]["sessions"], 3, "{replaced}");
    assert_eq!(replaced["wrapping_key_made"], true);
    let made = replaced["keys"].as_array().unwrap();
    let algorithms: Vec<String> = made.iter().map(|key| text(key, "alg")).collect();
    assert_eq!(algorithms, ["RS256", "PS256", "ES256", "EdDSA"], "those of the clients, too");

    assert!(done(&folder, &["check", "--set", PAIRWISE], "").contains("is good"));
    let mut server = Server::start(&folder, &[PAIRWISE]);
    let http = server.address("http");
    assert_eq!(published(http), made.iter().map(|key| text(key, "kid")).collect());
    assert!(published(http).is_disjoint(&keys));
    for old in [&access, &text(&own, "access_token")] {
        let (status, said) = userinfo(http, old);
        assert!(status == 401 && said.contains("invalid_token"), "{status} {said}");
    }
    let (status, said) =
        token(http, "app", SECRET, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]);
    assert!(status == 400 && said["error"] == "invalid_grant", "{said}");
    let (status, said) = exchanged(http, "app", SECRET, &code);
    assert!(status == 400 && said["error"] == "invalid_grant", "{said}");
    assert_eq!(rows(&folder, &["session", "list", "alice"]), "");

    assert_eq!(subject_at(http, "app"), public, "the same password, secret and subject");
    assert_ne!(subject_at(http, "apart"), apart);
    let code = sign_in(http, "signed", "alice");
    let (status, said) = exchanged(http, "signed", SECRET, &code);
    assert!(status == 401 && said["error"] == "invalid_client", "{said}");
    let new = done(&folder, &["client", "secret", "rotate", "signed"], "");
    let new = text(&serde_json::from_str(&new).unwrap(), "client_secret");
    let until = Instant::now() + PATIENCE;
    // The server notices within a moment what a command has written.
    let signed = loop {
        match exchanged(http, "signed", &new, &sign_in(http, "signed", "alice")) {
            (200, answer) => break answer,
            (_, answer) => assert!(Instant::now() < until, "{answer}"),
        }
    };
    assert!(text(&signed, "id_token").starts_with("eyJhbGciOiJIUzI1NiJ9."), "{signed}");
    assert!(rows(&folder, &["registration-token", "list"]).starts_with("partner\t"));
    assert!(!opening.is_empty());
    stopped(server);
}

/// A key of another store is as good as none; what `restore` takes of the copy that is kept is everything, once the lost key
/// turns up.
#[test]
fn a_key_of_another_store_is_taken_and_a_found_one_undoes_it() {
    let (folder, other) = (with_clients(), initialised());
    let key = fs::read(folder.join("wrapping.key")).unwrap();
    fs::copy(other.join("wrapping.key"), folder.join("wrapping.key")).unwrap();
    for command in [&["serve"][..], &["check"], &["client", "list"]] {
        let said = refused(&folder, command, "");
        assert!(said.contains("sealed with another wrapping key") && said.contains(POINTER), "{said}");
    }
    let said = done(&folder, &REPLACE, "");
    for part in [
        "written: 4 keys (RS256, PS256, ES256, EdDSA) and a root secret, sealed with wrapping.key\n",
        "lost:    the secret of a client: `chancery client secret rotate signed` makes another one\n",
        "changed: the `sub` of every person at the client apart\n",
        "next:    chancery check, then start the server; ",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(fs::read(folder.join("wrapping.key")).unwrap() == fs::read(other.join("wrapping.key")).unwrap());
    done(&folder, &["check"], "");

    let [copy] = &*copies(&folder) else { panic!("{:?}", copies(&folder)) };
    let list = done(&folder, &["restore", "--undo"], "");
    let line = format!(
        "{copy}: the store before `chancery keys replace`: with the former key in its place, `chancery restore {copy} --replace` puts it back\n"
    );
    assert!(list.starts_with("no restore has kept anything") && list.ends_with(&line), "{list}");
    fs::write(folder.join("wrapping.key"), key).unwrap();
    done(&folder, &["restore", copy, "--replace"], "");
    done(&folder, &["check"], "");
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let (status, answer) = exchanged(http, "signed", SECRET, &sign_in(http, "signed", "alice"));
    assert_eq!(status, 200, "{answer}");
    stopped(server);
}

/// A backup is as good as the store: it is put in place first.
#[test]
fn a_backup_of_which_the_wrapping_key_is_lost_is_restored_all_the_same() {
    let folder = with_clients();
    done(&folder, &["backup", "backup"], "");
    for name in ["chancery.sqlite", "wrapping.key"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let restore = |more: &[&'static str]| [&["restore", "backup"], more].concat();
    let said = refused(&folder, &restore(&[]), "");
    assert!(
        said.contains("wrapping.key: does not exist") && said.contains("With --lost-wrapping-key it is "),
        "{said}"
    );
    assert!(!folder.join("chancery.sqlite").exists());
    let said = done(&folder, &restore(&["--lost-wrapping-key"]), "");
    assert!(said.contains("1 person, 3 clients, keys that only the lost wrapping key opens"), "{said}");
    assert!(
        said.ends_with("next:  chancery keys replace --lost-wrapping-key, then start the server\n"),
        "{said}"
    );
    assert!(refused(&folder, &["serve"], "").contains(POINTER));
    assert!(!folder.join("wrapping.key").exists());
    done(&folder, &REPLACE, "");
    done(&folder, &["check"], "");

    // The new key opens none of the backup either; and what it opens is restored as ever.
    let said = refused(&folder, &restore(&["--replace"]), "");
    assert!(
        said.contains("cannot be used with") && said.contains("With --lost-wrapping-key it is "),
        "{said}"
    );
    done(&folder, &["backup", "new"], "");
    let said = done(&folder, &["restore", "new", "--replace", "--lost-wrapping-key"], "");
    assert!(
        said.contains("4 keys") && said.ends_with("next:  chancery check, then start the server\n"),
        "{said}"
    );
    let both = restore(&["--replace", "--lost-wrapping-key", "--keep-logins"]);
    assert!(refused(&folder, &both, "").contains("cannot be used with"));
}

/// On a terminal it shows what is lost, and asks.
#[test]
fn a_terminal_is_asked() {
    let folder = with_clients();
    fs::remove_file(folder.join("wrapping.key")).unwrap();
    let typed = |answer: &str| {
        let line = format!("{} keys replace --lost-wrapping-key", env!("CARGO_BIN_EXE_chancery"));
        let mut command = Command::new("script");
        command.current_dir(&folder).args(["-qec", &line, "/dev/null"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let before = state(&folder);
    let (is_done, said) = typed("no\n");
    assert!(!is_done && said.contains("nothing was changed"), "{said}");
    for part in
        ["1 person", "3 clients", "the secret of 1 client: signed", "at 1 client: apart", "Type yes: "]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(state(&folder) == before, "it was changed");
    assert!(!folder.join("wrapping.key").exists() && copies(&folder).is_empty());
    let (is_done, said) = typed("yes\n");
    assert!(is_done && said.contains("written: 4 keys"), "{said}");
    done(&folder, &["check"], "");
}

/// What the store has: the keys, the clients, and how many records.
fn state(folder: &Path) -> (Vec<u8>, Vec<u8>, i64) {
    let store = Connection::open(folder.join("chancery.sqlite")).unwrap();
    store.busy_timeout(PATIENCE).unwrap();
    let body = |query: &str| store.query_row(query, [], |row| row.get(0)).unwrap();
    (
        body("select body from document where kind = 4"),
        body("select body from document where kind = 2 and id = 'signed'"),
        store.query_row("select count(*) from record", [], |row| row.get(0)).unwrap(),
    )
}

/// Wherever it is killed, the store is the former one or the new one, and the command can be repeated.
#[test]
fn whoever_kills_it_finds_the_old_store_or_the_new_one() {
    let folder = with_clients();
    fs::remove_file(folder.join("wrapping.key")).unwrap();
    let store = Connection::open(folder.join("chancery.sqlite")).unwrap();
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
        insert into record (key, account, expires_at, revision, sweep_at, lingers, body)
        select cast(x'07' || randomblob(34) as blob), randomblob(32), 9e12, 1, 9e12, 1, randomblob(300) from n";
    store.execute(many, []).unwrap();
    drop(store);
    let old = state(&folder);
    let (mut olds, mut news) = (0, 0);
    for run in 0_u32.. {
        let scratch = crate::support::folder();
        for name in ["chancery.toml", "chancery.sqlite"] {
            fs::copy(folder.join(name), scratch.join(name)).unwrap();
        }
        let mut command = chancery(&scratch);
        command.args(REPLACE).stdout(Stdio::null()).stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let until = Instant::now() + PATIENCE;
        // The new wrapping key is written before the step.
        while !scratch.join("wrapping.key").exists() {
            assert!(Instant::now() < until);
            std::thread::yield_now();
        }
        let kill = Instant::now() + Duration::from_millis(40) * run;
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() > kill {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::yield_now();
        };
        let found = state(&scratch);
        if found == old {
            olds += 1;
            assert!(ended.is_none(), "what has ended in order has made keys");
            assert!(refused(&scratch, &["check"], "").contains(POINTER));
            done(&scratch, &REPLACE, "");
        } else {
            news += 1;
            assert!(found.0 != old.0 && found.1 != old.1 && found.2 == 0, "half: {} records", found.2);
        }
        done(&scratch, &["check"], "");
        fs::remove_dir_all(&scratch).unwrap();
        if ended.is_some() {
            break;
        }
    }
    assert!(olds > 0 && news > 0, "{olds} times the old one, {news} times the new one");
}

/// What goes on with a store, or makes one, says the same of a key with which it was not made.
#[test]
fn whoever_begins_on_a_store_of_another_key_is_told_what_to_do() {
    let (folder, other) = (initialised(), initialised());
    fs::copy(other.join("wrapping.key"), folder.join("wrapping.key")).unwrap();
    fs::remove_file(folder.join("chancery.toml")).unwrap();
    let init = ["init", "--issuer", "https://id.example.org", "--no-user"];
    assert!(refused(&folder, &init, "").contains(POINTER));
    fs::remove_file(folder.join("wrapping.key")).unwrap();
    assert!(refused(&folder, &init, "").contains(POINTER));
    for (from, to) in [(&folder, "chancery.sqlite"), (&other, "wrapping.key")] {
        fs::create_dir_all(folder.join("chancery-dev")).unwrap();
        fs::copy(from.join(to), folder.join("chancery-dev").join(to)).unwrap();
    }
    // One that started would not end.
    let mut develop = Command::new("timeout");
    develop.args(["20", env!("CARGO_BIN_EXE_chancery"), "dev", "--set", "realm=main", "--listen"]);
    let developed = develop.arg(free().to_string()).current_dir(&folder).output().unwrap().stderr;
    let developed = String::from_utf8(developed).unwrap();
    assert!(developed.contains("keys.wrapping_key: ") && developed.contains(POINTER), "{developed}");
}

/// Negative: what is not lost stays, and nothing happens unasked or beside a server.
#[test]
fn what_is_not_lost_is_not_replaced() {
    let folder = with_clients();
    let before = state(&folder);
    let unchanged = |said: &str, why: &str| {
        assert!(said.contains(why) && said.contains("nothing was changed"), "{why} in {said}");
        assert!(state(&folder) == before, "{why}");
        assert!(copies(&folder).is_empty(), "{why}");
    };
    let said = refused(&folder, &REPLACE, "");
    unchanged(&said, "wrapping.key: it opens every key of this store");
    assert!(said.contains("`chancery keys rotate`") && said.contains("`chancery keys remove KID`"), "{said}");

    let server = Server::start(&folder, &[]);
    let key = fs::read(folder.join("wrapping.key")).unwrap();
    fs::remove_file(folder.join("wrapping.key")).unwrap();
    unchanged(&refused(&folder, &REPLACE, ""), "is in use by a server (process ");
    stopped(server);

    unchanged(&refused(&folder, &REPLACE[..3], "yes\n"), "there is no terminal to ask on: say --yes");
    assert!(refused(&folder, &["keys", "replace", "--yes"], "").contains("--lost-wrapping-key"));
    let nowhere = [&REPLACE[..], &["--set", "keys.wrapping_key=missing/key"]].concat();
    unchanged(&refused(&folder, &nowhere, ""), "missing/key: its folder does not exist");
    let nowhere = [&REPLACE[..], &["--set", "keys.wrapping_key=/proc/key"]].concat();
    unchanged(&refused(&folder, &nowhere, ""), "`head -c 32 /dev/urandom | basenc --base64url | tr -d =`");
    fs::create_dir(folder.join("folder")).unwrap();
    let in_place = [&REPLACE[..], &["--set", "keys.wrapping_key=folder"]].concat();
    assert!(refused(&folder, &in_place, "").contains("folder is a folder"));
    for none in ["no base64url!", "dG9vIHNob3J0"] {
        fs::write(folder.join("wrapping.key"), none).unwrap();
        fs::set_permissions(folder.join("wrapping.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        let said = refused(&folder, &REPLACE, "");
        assert!(said.contains("move this file away") && said.contains(POINTER), "{said}");
        fs::remove_file(folder.join("wrapping.key")).unwrap();
    }
    assert!(!folder.join("wrapping.key").exists());
    for (setting, why) in [
        ("realm=other", "nothing is stored for realm other"),
        ("issuer=https://other.example", "is not the issuer of this store"),
    ] {
        let said = refused(&folder, &[&REPLACE[..], &["--set", setting]].concat(), "");
        assert!(said.contains(why), "{setting}: {said}");
    }
    let missing = refused(&folder, &[&REPLACE[..], &["--set", "store.sqlite=missing"]].concat(), "");
    assert!(missing.contains("missing does not exist"), "{missing}");
    assert!(!folder.join("wrapping.key").exists() && state(&folder) == before);

    // One seal that is broken is damage, and no reason to give up the rest.
    fs::write(folder.join("wrapping.key"), key).unwrap();
    fs::set_permissions(folder.join("wrapping.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    let store = Connection::open(folder.join("chancery.sqlite")).unwrap();
    let text = String::from_utf8(before.0.clone()).unwrap();
    let (head, seal) = text.rsplit_once("\"sealed\":\"").unwrap();
    let broken = format!("{head}\"sealed\":\"{}{seal}", if seal.starts_with('A') { "BA" } else { "AB" });
    let damaged = broken.into_bytes();
    store.execute("update document set body = ?1 where kind = 4", [damaged.as_slice()]).unwrap();
    drop(store);
    let said = refused(&folder, &REPLACE, "");
    assert!(
        said.contains("it opens 4 of 5 keys") && said.contains("`chancery restore FILE --replace`"),
        "{said}"
    );
}

/// A running server needs the file no more, but the next start does: whoever has sent the signal is told.
#[test]
fn a_reload_warns_of_a_wrapping_key_with_which_no_server_would_start() {
    let (folder, other) = (initialised(), initialised());
    let mut server = Server::start(&folder, &[]);
    server.signal("HUP");
    server.wait_for("configuration_reloaded");
    assert!(!server.has_said("wrapping_key_unusable"));
    let key = folder.join("wrapping.key");
    fs::remove_file(&key).unwrap();
    server.signal("HUP");
    let line = server.wait_for("wrapping.key: does not exist");
    assert!(line.contains("\"wrapping_key_unusable\"") && line.contains("\"warn\""), "{line}");
    assert!(
        line.contains("; this server goes on with the key of its start, and the next start fails"),
        "{line}"
    );
    fs::copy(other.join("wrapping.key"), &key).unwrap();
    server.signal("HUP");
    let line = server.wait_for("sealed with another wrapping key");
    assert!(line.contains("\"wrapping_key_unusable\""), "{line}");
    assert_eq!(get(server.address("http"), "/jwks").0, 200);
}
