//! Passwords that come through a pipe.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Instant;

use crate::support::{PATIENCE, chancery, done, folder, initialised, refused};

/// What a terminal asks for one by one does not become the password when it comes through a pipe; `init` says who was made.
#[test]
fn of_standard_input_one_line_is_read() {
    let folder = folder();
    let init = ["init", "--issuer", "https://id.example.org", "--username", "alice"];
    let said = refused(&folder, &init, "alice@example.org\ncorrect horse\n");
    assert!(said.contains("standard input has several lines") && said.contains("`init --email`"), "{said}");
    assert!(!folder.join("chancery.toml").exists() && !folder.join("chancery.sqlite").exists());
    let said = done(&folder, &init, "correct horse\n");
    assert!(said.ends_with("user:    alice, no e-mail address\n"), "{said}");
    for command in [
        &["user", "add", "bob"][..],
        &["user", "passwd", "alice"],
        &["user", "add", "bob", "--password-file", "-"],
    ] {
        let said = refused(&folder, command, "correct horse\nbattery staple\n");
        assert!(said.contains("standard input has several lines"), "{command:?}: {said}");
    }
    done(&folder, &["user", "add", "bob"], "correct horse\r\n\n");
    let other = crate::support::folder();
    let said = done(&other, &[&init[..], &["--email", "alice@example.org"]].concat(), "correct horse");
    assert!(said.ends_with("user:    alice, alice@example.org\n"), "{said}");
}

/// Whoever keeps the other end of a pipe open is not waited for once the password has come.
#[test]
fn an_open_pipe_is_not_waited_for() {
    let folder = initialised();
    let mut command = chancery(&folder);
    command.args(["user", "add", "bob"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"correct horse\n").unwrap();
    let until = Instant::now() + PATIENCE;
    let ended = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > until => {
                child.kill().unwrap();
                panic!("it waits for more");
            }
            None => std::thread::yield_now(),
        }
    };
    drop(input);
    assert!(ended.success());
}

/// Several lines of the log are explained however they come, and whoever pipes them without a `-` is told of it.
#[test]
fn several_lines_are_explained() {
    let folder = crate::support::folder();
    let lines = "{\"event\":\"refused\",\"reason\":\"pkce_missing\"}\n{\"event\":\"login_throttled\"}\n";
    let explained = done(&folder, &["log", "explain", "-"], lines);
    for name in ["pkce_missing\n", "login_throttled\n"] {
        assert!(explained.contains(name), "{explained}");
    }
    assert_eq!(done(&folder, &["log", "explain", lines], ""), explained);
    let said = refused(&folder, &["log", "explain"], lines);
    assert!(said.contains("'journalctl -u chancery -o cat | chancery log explain -'"), "{said}");
    for (argument, input) in [("-", " \n\n"), (" ", "")] {
        let said = refused(&folder, &["log", "explain", argument], input);
        assert!(said.contains("nothing to explain"), "{said}");
    }
}
