//! What `chancery check` warns of, although it is no mistake in itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::{initialised, refused, run};

const DAY: Duration = Duration::from_secs(86_400);

/// The warnings of a check that finds nothing wrong.
fn warned(folder: &Path, settings: &[&str]) -> Vec<String> {
    let set = settings.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<&str> = ["check"].into_iter().chain(set).collect();
    let output = run(folder, &arguments, "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{settings:?}: {said}");
    let lines = said.lines().filter_map(|line| line.strip_prefix("warning: "));
    // How many files may be open is up to the machine.
    lines.filter(|line| !line.contains("LimitNOFILE")).map(str::to_owned).collect()
}

#[test]
fn exposed_addresses_and_proxies_of_everybody_are_warned_of() {
    let folder = initialised();
    for (settings, expected) in [
        (&["realm=main"][..], &[][..]),
        (&["http.listen=[::1]:8080"], &[]),
        // Behind a proxy that is named, within a network of its own.
        (&["http.listen=0.0.0.0:8080", "http.trusted_proxies=172.17.0.0/16"], &[]),
        (&["http.listen=10.0.0.5:8080", "http.trusted_proxies=10.0.0.1"], &[]),
        (&["http.listen=[fd00::5]:8080", "http.trusted_proxies=fd00::1"], &[]),
        (
            &["http.listen=0.0.0.0:8080", "http.trusted_proxies="],
            &["http.listen: 0.0.0.0:8080 can be reached"],
        ),
        (&["http.listen=10.0.0.5:80", "http.trusted_proxies="], &["http.listen: 10.0.0.5:80 can be reached"]),
        (&["http.listen=198.51.100.7:80"], &["http.listen: 198.51.100.7:80 can be reached"]),
        (&["http.listen=[2001:db8::7]:80"], &["http.listen: [2001:db8::7]:80 can be reached"]),
        (&["management.listen=0.0.0.0:9090"], &["management.listen: 0.0.0.0:9090 can be reached"]),
        (&["http.trusted_proxies=0.0.0.0/0"], &["http.trusted_proxies: 0.0.0.0/0 is nearly everybody"]),
        (
            &["http.trusted_proxies=10.0.0.0/8,0.0.0.0/1,128.0.0.0/1,::/0"],
            &[
                "http.trusted_proxies: 0.0.0.0/1",
                "http.trusted_proxies: 128.0.0.0/1",
                "http.trusted_proxies: ::/0",
            ],
        ),
        (
            &["http.client_certificate=rfc9440", "http.client_certificate_proxies=::/0"],
            &[
                "http.client_certificate_proxies: ::/0 is nearly everybody, and everybody there can log in as any client",
            ],
        ),
        (&["store.group_access=true"], &["store.group_access: the group of "]),
    ] {
        let warned = warned(&folder, settings);
        assert_eq!(warned.len(), expected.len(), "{settings:?}: {warned:?}");
        for (line, begin) in warned.iter().zip(expected) {
            assert!(line.starts_with(begin), "{settings:?}: {line}");
        }
    }
}

#[test]
fn a_server_without_a_store_is_warned_of() {
    let folder = initialised();
    let text = "issuer = \"https://id.example.org\"\n[http]\nlisten = [\"127.0.0.1:8080\"]\n";
    fs::write(folder.join("chancery.toml"), text).unwrap();
    let warned = warned(&folder, &[]);
    assert!(matches!(&*warned, [line] if line.starts_with("store.sqlite: is not set: keys, ")), "{warned:?}");
}

/// Of a certificate its end and its host are looked at.
#[test]
fn a_certificate_that_ends_soon_or_is_of_another_host_is_warned_of() {
    let folder = initialised();
    let write = |names: &[&str], begins: SystemTime, ends: SystemTime| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (begins.into(), ends.into());
        let key = rcgen::KeyPair::generate().unwrap();
        fs::write(folder.join("tls.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
        fs::set_permissions(folder.join("tls.key"), fs::Permissions::from_mode(0o600)).unwrap();
    };
    let now = SystemTime::now();
    for (names, begins, ends, expected) in [
        (&["id.example.org"][..], now - DAY, now + 30 * DAY, ""),
        (&["other.example", "*.example.org"], now - DAY, now + 30 * DAY, ""),
        (&["id.example.org"], now - DAY, now + 13 * DAY, "in less than 14 days"),
        (&["id.example.org"], now - 30 * DAY, now - DAY, "has ended on 2"),
        (&["id.example.org"], now + DAY, now + 30 * DAY, "is not valid yet"),
        (&["other.example"], now - DAY, now + 30 * DAY, "is not for the host of the issuer, id.example.org"),
        (&["*.id.example.org"], now - DAY, now + 30 * DAY, "is not for the host"),
    ] {
        write(names, begins, ends);
        let settings = ["tls.listen=127.0.0.1:0", "tls.certificate=tls.pem", "tls.key=tls.key"];
        let warned = warned(&folder, &settings);
        match expected {
            "" => assert!(warned.is_empty(), "{names:?}: {warned:?}"),
            expected => assert!(
                matches!(&*warned, [line] if line.starts_with("tls.certificate: ") && line.contains(expected)),
                "{expected}: {warned:?}"
            ),
        }
    }
}

#[test]
fn a_limit_of_open_files_below_the_connections_is_warned_of() {
    let folder = initialised();
    let check = |limit: u32| {
        let script = format!("ulimit -n {limit}; exec {} check", env!("CARGO_BIN_EXE_chancery"));
        let output = Command::new("sh").args(["-c", &script]).current_dir(&folder).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = check(512);
    let warning = "http.connections: 4096 connections need 4160 open files, and this process may open 512";
    assert!(said.contains(warning), "{said}");
}

/// A realm of which nothing is stored is named, by `check`, `serve` and every other command.
#[test]
fn an_unknown_realm_is_refused() {
    let folder = initialised();
    let set = ["--set", "realm=mian"];
    for command in
        [&["check"][..], &["serve"], &["client", "list"], &["user", "show", "alice"], &["keys", "list"]]
    {
        let said = refused(&folder, &[command, &set].concat(), "");
        assert!(
            said.starts_with("realm: nothing is stored for realm mian; known: main"),
            "{command:?}: {said}"
        );
    }
}

/// Everything is there for programs, too.
#[test]
fn a_check_is_json_when_asked() {
    let folder = initialised();
    let json = |arguments: &[&str]| {
        let output = run(&folder, &[&["check", "--json"], arguments].concat(), "");
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(output.stderr.is_empty() && value["good"] == output.status.success(), "{value}");
        value
    };
    assert_eq!(json(&[])["wrong"].as_array().map(Vec::len), Some(0));
    let value = json(&[
        "--set",
        "issuer=http://id.example.org",
        "--set",
        "http.listen=0.0.0.0:1",
        "--set",
        "http.trusted_proxies=",
    ]);
    assert_eq!(value["wrong"].as_array().map(Vec::len), Some(1), "{value}");
    assert!(value["warnings"][0].as_str().unwrap().starts_with("http.listen: "), "{value}");
    let value = json(&["--strict", "--set", "compatibility.implicit=true"]);
    assert_eq!(value["loosened"].as_array().map(Vec::len), Some(1), "{value}");
}
