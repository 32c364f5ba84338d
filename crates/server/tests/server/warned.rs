//! What `chancery check` warns of, although it is no mistake in itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Server, ask, done, initialised, refused, run};

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
        // As `init` has written it, for a proxy on this machine: nobody else needs the address.
        (
            &["http.listen=0.0.0.0:8080"],
            &[
                "http.listen: 0.0.0.0:8080 can be reached from other machines, and passwords and tokens pass it unencrypted, \
                 although http.trusted_proxies names only proxies on this machine: listen on 127.0.0.1",
            ],
        ),
        (
            &["http.listen=[::]:8080", "http.trusted_proxies=127.0.0.0/8,::1"],
            &["http.listen: [::]:8080 can be reached"],
        ),
        (&["http.listen=198.51.100.7:80"], &["http.listen: 198.51.100.7:80 can be reached"]),
        (&["http.listen=[2001:db8::7]:80"], &["http.listen: [2001:db8::7]:80 can be reached"]),
        (&["management.listen=0.0.0.0:9090"], &["management.listen: 0.0.0.0:9090 can be reached"]),
        (&["http.trusted_proxies=0.0.0.0/0"], &["http.trusted_proxies: 0.0.0.0/0 is nearly everybody"]),
        (
            &["http.trusted_proxies=10.1.2.3/8,fd00::5/64"],
            &[
                "http.trusted_proxies: 10.1.2.3/8 is all of 10.0.0.0/8",
                "http.trusted_proxies: fd00::5/64 is all of fd00::/64",
            ],
        ),
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
        (
            &["tls.certificate=tls.pem", "tls.key=tls.key"],
            &["tls.certificate: is read for tls.listen", "tls.key: is read for tls.listen"],
        ),
        (&["store.group_access=true"], &["store.group_access: the group of "]),
        (
            &["http.idle_timeout=60s"],
            &["http.idle_timeout: proxies keep an idle connection for 1m (nginx), and answer 502"],
        ),
        (&["http.idle_timeout=61s"], &[]),
        (&["http.idle_timeout=5s", "http.trusted_proxies="], &[]),
    ] {
        let warned = warned(&folder, settings);
        assert_eq!(warned.len(), expected.len(), "{settings:?}: {warned:?}");
        for (line, begin) in warned.iter().zip(expected) {
            assert!(line.starts_with(begin), "{settings:?}: {line}");
        }
    }
}

/// What the log says when the first person comes through a proxy that is not named, `check` says before, in the same words.
#[test]
fn a_proxy_that_nobody_has_named_is_warned_of() {
    let folder = initialised();
    let file = folder.join("chancery.toml");
    let written = fs::read_to_string(&file).unwrap();
    let lines = written.lines().filter(|line| !line.starts_with("trusted_proxies"));
    fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let lines = warned(&folder, &[]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let words = "a request came from a loopback address, which for an https issuer is a proxy's";
    assert!(lines[0].starts_with("http.trusted_proxies: is not set, and 127.0.0.1:"), "{lines:?}");
    assert!(lines[0].contains(words) && lines[0].contains("let it send X-Forwarded-For"), "{lines:?}");
    for meant in ["http.trusted_proxies=", "http.trusted_proxies=127.0.0.1"] {
        assert!(warned(&folder, &[meant]).is_empty(), "{meant}");
    }
    let mut server = Server::start(&folder, &[]);
    let address = server.address("http");
    crate::support::get(address, "/jwks");
    assert!(server.wait_for("\"peer_unknown\"").contains(words));
}

/// The issuer's path stands before that of each endpoint, and not in it.
#[test]
fn the_issuers_path_within_a_path_is_warned_of() {
    let folder = initialised();
    let issuer = "issuer=https://id.example.org/auth";
    done(&folder, &["accept-issuer", "--set", issuer], "");
    for (route, expected) in [
        (
            "routes.token=/auth/token",
            Some(
                "routes.token: /auth/token stands below the issuer's own path, so that the address is \
                 https://id.example.org/auth/auth/token: write \"/token\" if it is to be https://id.example.org/auth/token",
            ),
        ),
        ("routes.token=/authors/token", None),
        ("routes.token=/oauth/token", None),
    ] {
        let warned = warned(&folder, &[issuer, route]);
        assert_eq!(warned.len(), usize::from(expected.is_some()), "{route}: {warned:?}");
        for (line, begin) in warned.iter().zip(expected) {
            assert!(line.starts_with(begin), "{route}: {line}");
        }
    }
}

/// OIDC Core section 5.4: whoever adds a scope replaces the others.
#[test]
fn standard_scopes_that_are_replaced_are_warned_of() {
    let folder = initialised();
    let path = folder.join("chancery.toml");
    let good = fs::read_to_string(&path).unwrap();
    let standard = good.lines().find_map(|line| line.strip_prefix("# scopes = { address = ")).unwrap();
    for (scopes, expected) in [
        (
            "{ staff = ['badge'], email = ['email'], address = ['address'], phone = ['phone_number', 'phone_number_verified'], \
             profile = ['name'] }",
            Some(
                "claims.scopes: replaces the standard scopes as a whole, and leaves out email_verified of the scope email; \
                 family_name, given_name, ",
            ),
        ),
        (
            "{ staff = ['badge'] }",
            Some(
                "claims.scopes: replaces the standard scopes as a whole, and leaves out the scope address; the scope email; \
                 the scope phone; the scope profile: add what",
            ),
        ),
        (&format!("{{ staff = ['badge'], address = {standard}"), None),
    ] {
        let text = good.replacen("[claims]\n", &format!("[claims]\nscopes = {scopes}\n"), 1);
        fs::write(&path, text).unwrap();
        let warned = warned(&folder, &[]);
        assert_eq!(warned.len(), usize::from(expected.is_some()), "{scopes}: {warned:?}");
        for (line, begin) in warned.iter().zip(expected) {
            assert!(line.starts_with(begin), "{scopes}: {line}");
        }
    }
}

/// A language of one's own that is not complete shows some English.
#[test]
fn a_catalogue_that_lacks_sentences_is_warned_of() {
    let folder = initialised();
    fs::create_dir(folder.join("messages")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join("messages").join(name), text).unwrap();
    write("de.toml", "'login.title' = 'Servus'\n");
    assert_eq!(warned(&folder, &["pages.messages=messages"]), [""; 0]);
    write("fr.toml", "'language.name' = 'Français'\n'login.title' = 'Connexion'\n");
    let warned = warned(&folder, &["pages.messages=messages"]);
    assert!(
        matches!(&*warned, [line] if line.starts_with("pages.messages: fr.toml lacks ")
            && line.contains(" sentences (first: ") && line.ends_with("English is shown for them")),
        "{warned:?}"
    );
}

#[test]
fn a_server_without_a_store_is_warned_of() {
    let folder = initialised();
    let text = "issuer = \"https://id.example.org\"\n[http]\nlisten = [\"127.0.0.1:8080\"]\ntrusted_proxies = [\"127.0.0.1\"]\n";
    fs::write(folder.join("chancery.toml"), text).unwrap();
    let warned = warned(&folder, &[]);
    assert!(matches!(&*warned, [line] if line.starts_with("store.sqlite: is not set: keys, ")), "{warned:?}");
}

const TLS: [&str; 3] = ["tls.listen=127.0.0.1:0", "tls.certificate=tls.pem", "tls.key=tls.key"];

/// Writes a certificate for these names.
fn certificate(folder: &Path, names: &[&str], begins: SystemTime, ends: SystemTime) {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    (params.not_before, params.not_after) = (begins.into(), ends.into());
    let key = rcgen::KeyPair::generate().unwrap();
    fs::write(folder.join("tls.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    write_key(folder, &key.serialize_pem());
}

fn write_key(folder: &Path, pem: &str) {
    fs::write(folder.join("tls.key"), pem).unwrap();
    fs::set_permissions(folder.join("tls.key"), fs::Permissions::from_mode(0o600)).unwrap();
}

/// Of a certificate its end and its host are looked at.
#[test]
fn a_certificate_that_ends_soon_or_is_of_another_host_is_warned_of() {
    let folder = initialised();
    let now = SystemTime::now();
    for (names, ends, expected) in [
        (&["id.example.org"][..], now + 30 * DAY, ""),
        (&["other.example", "*.example.org"], now + 30 * DAY, ""),
        (&["id.example.org"], now + 13 * DAY, "in less than 14 days: renew it"),
        (
            &["other.example"],
            now + 30 * DAY,
            "is for other.example, not for the host of the issuer, id.example.org",
        ),
        (&["*.id.example.org"], now + 30 * DAY, "is for *.id.example.org, not for the host"),
        (&[], now + 30 * DAY, "names no host"),
    ] {
        certificate(&folder, names, now - DAY, ends);
        let warned = warned(&folder, &TLS);
        match expected {
            "" => assert!(warned.is_empty(), "{names:?}: {warned:?}"),
            expected => assert!(
                matches!(&*warned, [line] if line.starts_with("tls.certificate: ") && line.contains(expected)),
                "{expected}: {warned:?}"
            ),
        }
    }
}

/// A running server says so, too: in the log from the start, and to Prometheus.
#[test]
fn a_server_says_that_its_certificate_ends_soon() {
    let folder = initialised();
    let now = SystemTime::now();
    let ends = now + 13 * DAY;
    certificate(&folder, &["id.example.org"], now - DAY, ends);
    let mut server = Server::start(&folder, &TLS);
    let line = server.wait_for("certificate_ends");
    assert!(line.contains("\"warn\"") && line.contains("in less than 14 days: renew it"), "{line}");
    let (_, metrics) = ask(server.address("management"), "/metrics");
    let told =
        metrics.lines().find_map(|line| line.strip_prefix("chancery_certificate_ends_timestamp_seconds "));
    let told: f64 = told.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap();
    let ends = ends.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((told - ends).abs() < 2.0, "{told} {ends}");
}

/// What every client refuses is refused at once, by `check` and `serve`: the file, why, and what to do.
#[test]
fn a_certificate_that_no_client_takes_is_refused() {
    let folder = initialised();
    let now = SystemTime::now();
    let said = |what: &str, expected: &str| {
        let set = TLS.iter().flat_map(|setting| ["--set", setting]);
        for command in ["check", "serve"] {
            let arguments: Vec<&str> = [command].into_iter().chain(set.clone()).collect();
            let said = refused(&folder, &arguments, "");
            let line = said.lines().find(|line| line.starts_with("tls.")).unwrap_or_default();
            assert!(line.contains(expected), "{command}: {what}: {said}");
            assert!(line.contains("tls.pem: ") || line.contains("tls.key: "), "{said}");
        }
    };
    certificate(&folder, &["id.example.org"], now - 30 * DAY, UNIX_EPOCH + 20_000 * DAY);
    said("ended", "ended on 2024-10-04 at 00:00:00 UTC, and every client refuses it: renew it");
    certificate(&folder, &["id.example.org"], now + DAY, now + 30 * DAY);
    said("not yet", "is not valid before 2");
    certificate(&folder, &["id.example.org"], now - DAY, now + 30 * DAY);
    let key = fs::read_to_string(folder.join("tls.key")).unwrap();
    write_key(&folder, &rcgen::KeyPair::generate().unwrap().serialize_pem());
    said("another key", "it is not the key of the first certificate of tls.certificate: name the key");
    write_key(&folder, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    said("encrypted", "the key is encrypted: write it without a passphrase");
    write_key(&folder, "a key");
    said("no key", "has no private key: it must be PEM");
    write_key(&folder, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    said("broken key", "is no key that can be used for TLS here");
    write_key(&folder, &fs::read_to_string(folder.join("tls.pem")).unwrap());
    said("exchanged", "were tls.certificate and tls.key exchanged?");
    write_key(&folder, &key);
    let shared =
        |name: &str| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/certificates/").to_owned() + name;
    fs::copy(shared("rsa1024.pem"), folder.join("tls.pem")).unwrap();
    said("weak", "its key is RSA with 1024 bits, and clients demand 2048 or more");
    fs::copy(shared("sha1.pem"), folder.join("tls.pem")).unwrap();
    said("SHA-1", "is signed with MD5 or SHA-1");
    fs::write(folder.join("tls.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    said("broken", "its first certificate cannot be read");
    fs::write(folder.join("tls.pem"), &key).unwrap();
    said("exchanged", "were tls.certificate and tls.key exchanged?");
    fs::write(folder.join("tls.pem"), [0x30, 0x82]).unwrap();
    said("DER", "has no certificate: it must be PEM");
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
    let warning = "http.connections: 4096 connections need 4160 open files, and a server that is started from here may open 512";
    assert!(said.contains(warning), "{said}");
}

/// A server raises a limit that is low only until somebody asks for more, as shells have it.
#[test]
fn a_server_raises_its_limit_of_open_files() {
    let folder = initialised();
    let script =
        "ulimit -Sn 256; exec \"$0\" serve --set http.listen=127.0.0.1:0 --set management.listen=127.0.0.1:0";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_chancery")]).current_dir(&folder);
    let mut server = Server::spawn(command);
    let (_, metrics) = ask(server.address("management"), "/metrics");
    let limit = metrics.lines().find_map(|line| line.strip_prefix("process_max_fds ")).unwrap();
    assert!(limit.parse::<u64>().unwrap() > 256, "{limit}");
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

/// A store and a wrapping key that do not belong together are named once, by every command.
#[test]
fn another_wrapping_key_is_refused() {
    let (folder, other) = (initialised(), initialised());
    fs::copy(other.join("wrapping.key"), folder.join("wrapping.key")).unwrap();
    for command in [&["check"][..], &["serve"], &["client", "list"], &["keys", "list"]] {
        let said = refused(&folder, command, "");
        assert!(said.contains("keys.wrapping_key: ") && said.contains("wrapping.key: the key "), "{said}");
        let way_out = "put back the one that this store was made with; if there is no copy of it, `chancery keys replace \
                       --lost-wrapping-key`";
        assert!(said.contains(way_out), "{said}");
        assert_eq!(said.lines().filter(|line| !line.starts_with("warning: ")).count(), 1, "{said}");
    }
    let operate = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operate.md");
    assert!(fs::read_to_string(operate).unwrap().contains("\n### Without the wrapping key\n"));
    // What is left of an earlier run was sealed by it, too.
    fs::remove_file(folder.join("chancery.toml")).unwrap();
    let said = refused(&folder, &["init", "--issuer", "https://id.example.org", "--no-user"], "");
    assert!(
        said.contains("wrapping.key: the key ") && said.contains("\"Without the wrapping key\""),
        "{said}"
    );
}

/// An address that only a network without dots in its names knows may be meant, and is more often a slip.
#[test]
fn a_mail_address_without_a_domain_is_noticed() {
    let notice = |folder: &Path, arguments: &[&str]| {
        let output = run(folder, arguments, "correct horse\n");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let folder = crate::support::folder();
    let init = ["init", "--issuer", "https://id.example.org", "--username", "alice", "--email", "alice@walk"];
    let expected = |name: &str| {
        format!(
            "notice: email: \"alice@walk\": walk has no dot, so that mail reaches it in a network with such names alone; if that is a \
             slip, `chancery user set {name} email=ADDRESS` corrects it\n"
        )
    };
    assert_eq!(notice(&folder, &init), expected("alice"));
    assert_eq!(notice(&folder, &["user", "add", "bob", "email=alice@walk"]), expected("bob"));
    assert_eq!(notice(&folder, &["user", "set", "bob", "nickname=b"]), "", "it was said");
    for good in ["bob@walk.example", "bob@[192.0.2.1]", "bob@[IPv6:2001:db8::1]"] {
        assert_eq!(notice(&folder, &["user", "set", "bob", &format!("email={good}")]), "", "{good}");
    }
    assert_eq!(notice(&folder, &["user", "set", "bob", "email=alice@walk"]), expected("bob"));
}

/// A strict check says what it refuses although nothing is wrong.
#[test]
fn a_strict_check_says_why() {
    let said = refused(&initialised(), &["check", "--strict", "--set", "compatibility.implicit=true"], "");
    assert!(said.ends_with("nothing is wrong, but --strict refuses what is loosened\n"), "{said}");
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
