//! Wrong configurations and what `chancery check` says of each: `wrong_configurations.txt`. Each message names the
//! setting, the value and what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{done, initialised, run_with};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/wrong_configurations.txt");

/// What is set by flags, unless the configuration has a setting of that name itself.
const GOOD: [(&str, &str); 5] = [
    ("issuer", "issuer=https://id.example.org"),
    ("listen", "http.listen=127.0.0.1:8080"),
    ("trusted_proxies", "http.trusted_proxies=127.0.0.1"),
    ("sqlite", "store.sqlite=chancery.sqlite"),
    ("wrapping_key", "keys.wrapping_key=wrapping.key"),
];

/// A wrong configuration.
struct Case<'a> {
    name: &'a str,
    /// The file; lines that begin with `$` are variables, and those with `--set` are flags.
    input: &'a str,
    said: &'a str,
}

fn cases(table: &str) -> Vec<Case<'_>> {
    let blocks = table.split("## ").skip(1);
    let case = |block| -> Option<Case<'_>> {
        let (name, rest): (_, &str) = str::split_once(block, '\n')?;
        let (input, said) = rest.split_once("--\n")?;
        Some(Case { name, input, said: said.trim() })
    };
    blocks.map(|block| case(block).unwrap()).collect()
}

/// What `check` says of it, with the folder left out.
fn said(folder: &Path, input: &str) -> String {
    let lines = |prefix: &'static str| input.lines().filter_map(move |line| line.strip_prefix(prefix));
    let is_of_file = |line: &&str| !line.starts_with("$ ") && !line.starts_with("--set ");
    let text: Vec<&str> = input.lines().filter(is_of_file).collect();
    fs::write(folder.join("wrong.toml"), text.join("\n")).unwrap();
    let mut arguments = vec!["check", "--config", "wrong.toml"];
    let has = |name: &str| input.contains(name) || input.contains(&name.to_uppercase());
    for (_, good) in GOOD.iter().filter(|(name, _)| !has(name)) {
        arguments.extend(["--set", good]);
    }
    arguments.extend(lines("--set ").flat_map(|flag| ["--set", flag]));
    let variables: Vec<_> = lines("$ ").map(|line| line.split_once('=').unwrap()).collect();
    let output = run_with(folder, &arguments, "", &variables);
    assert!(!output.status.success(), "{input}: {output:?}");
    let text = String::from_utf8(output.stderr).unwrap().replace(&format!("{}/", folder.display()), "");
    // How many files may be open is up to the machine.
    let lines = text.lines().filter(|line| !line.contains("LimitNOFILE"));
    lines.collect::<Vec<_>>().join("\n")
}

fn prepared() -> std::path::PathBuf {
    let folder = initialised();
    let key = folder.join("open.key");
    fs::write(&key, "not a key").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let pem = folder.join("open.pem");
    fs::write(&pem, "-----BEGIN NOTHING-----\n").unwrap();
    fs::set_permissions(&pem, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(folder.join("latin1.txt"), b"password\ngr\xfc\xdfe\n").unwrap();
    fs::write(folder.join("empty.txt"), "\n").unwrap();
    assert!(done(&folder, &["check"], "").contains("good"));
    folder
}

/// CONF-02
#[test]
fn each_wrong_configuration_is_explained() {
    let folder = prepared();
    let table = fs::read_to_string(TABLE).unwrap();
    let cases = cases(&table);
    assert!(cases.len() >= 50, "{}", cases.len());
    for Case { name, input, said: expected } in cases {
        assert_eq!(said(&folder, input), expected, "{name}: renew the table, and read what changes");
    }
}

/// Writes what is said now into the table.
#[test]
#[ignore = "it changes the table"]
fn renew() {
    let folder = prepared();
    let table = fs::read_to_string(TABLE).unwrap();
    let renewed =
        |Case { name, input, .. }: &Case<'_>| format!("## {name}\n{input}--\n{}\n\n", said(&folder, input));
    let text: String = cases(&table).iter().map(renewed).collect();
    fs::write(TABLE, text.trim_end().to_owned() + "\n").unwrap();
}
