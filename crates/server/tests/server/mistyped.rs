//! Wrong command lines, and what is said of each: which word it is, and what to type instead.

use std::fs;

use crate::support::{done, folder, initialised, refused, refused_with, run};

/// What is said of a command line that is not understood.
fn mistyped(folder: &std::path::Path, line: &[&str]) -> String {
    let output = run(folder, line, "");
    assert_eq!(output.status.code(), Some(2), "{line:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_a_command_does_not_take_is_explained() {
    let folder = folder();
    for (line, tip) in [
        (&["check", "chancery.toml"][..], "the configuration is named by '--config chancery.toml'"),
        (&["serve", "/etc/chancery.toml"], "the configuration is named by '--config /etc/chancery.toml'"),
        (&["serve", "http.listen=127.0.0.1:1"], "a setting is overridden by '--set http.listen=127.0.0.1:1'"),
        (&["serve", "8080"], "an address is given by '--set http.listen=127.0.0.1:8080'"),
        (&["serve", "--port", "8080"], "a setting is overridden by '--set http.listen=127.0.0.1:8080'"),
        (&["serve", "--log-level", "warn"], "a setting is overridden by '--set log.level=warn'"),
        (&["serve", "--issuer"], "a setting is overridden by '--set issuer=VALUE'"),
        (&["--config", "chancery.toml"], "name a command, such as 'chancery serve --config FILE'"),
        (&["check", "-c", "chancery.toml"], "the configuration is named by '--config FILE'"),
        (&["start"], "a similar subcommand exists: 'serve'"),
        (&["user", "delete", "alice"], "a similar subcommand exists: 'remove'"),
        (&["client", "create"], "a similar subcommand exists: 'add'"),
        (&["help"], "'chancery --help' shows all commands"),
        (&["dev", "--port", "4000"], "is given by '--listen 127.0.0.1:4000'"),
        (&["--port", "4000"], "'chancery dev --listen 127.0.0.1:4000'"),
        (
            &["client", "add", "--scope", "photos"],
            "scopes are given in JSON: '{\"scope\":\"openid photos\"}'",
        ),
        (&["user", "add", "bob", "--email", "b@example.org"], "a claim is given as 'email=b@example.org'"),
        (&["user", "add", "bob", "--password", "x"], "'--password-file FILE'"),
        (&["client", "secret", "photos"], "a similar subcommand exists: 'rotate'"),
        (&["--dev=x"], "'chancery dev --directory FOLDER'"),
        (&["status"], "/readyz of `management.listen`"),
        (&["health"], "'chancery check'"),
        (&["reload"], "'systemctl reload chancery'"),
        (&["restart"], "'systemctl restart chancery'"),
        (&["stop"], "SIGTERM"),
        (&["version"], "'chancery --version'"),
        (&["migrate"], "the first start of a new version"),
        (&["validate"], "a similar subcommand exists: 'check'"),
        (&["login"], "a similar subcommand exists: 'try'"),
        (&["export"], "a similar subcommand exists: 'backup'"),
        (&["import"], "a similar subcommand exists: 'restore'"),
        (&["log", "explain"], "'journalctl -u chancery -o cat | chancery log explain -'"),
        (&["log", "explain", "a", "b"], "one line stands in quotes"),
    ] {
        let said = mistyped(&folder, line);
        assert!(said.contains(tip), "{line:?}: {said}");
    }
}

/// What is near to nothing is not guessed at.
#[test]
fn a_far_command_or_flag_is_not_suggested() {
    let folder = folder();
    for line in [&["nonsense"][..], &["keys", "rotate", "--now"], &["client", "add", "--secret", "x"]] {
        let said = mistyped(&folder, line);
        assert!(!said.contains("similar"), "{line:?}: {said}");
    }
}

/// Flags that say which configuration count before the command, too.
#[test]
fn flags_may_stand_before_the_command() {
    let folder = initialised();
    done(&folder, &["--config", "chancery.toml", "--set", "realm=main", "check"], "");
    assert!(done(&folder, &["--json", "client", "list"], "").starts_with('['));
    let said = refused(&folder, &["--config=missing.toml", "check"], "");
    assert!(said.starts_with("missing.toml: does not exist"), "{said}");
}

/// Whoever misspells a variable has named no configuration, and no other one is taken for it silently.
#[test]
fn a_misspelt_variable_is_named_where_no_configuration_is_found() {
    let folder = folder();
    let check = |variable: (&str, &str)| refused_with(&folder, &["check"], "", &[variable]);
    let near = |name: &str, meant: &str| format!("{name}: there is no such setting; did you mean {meant}?");
    for (name, meant) in [
        ("CHANCERY_CONFG", "CHANCERY_CONFIG"),
        ("chancery_config", "CHANCERY_CONFIG"),
        ("chancery_session_idle", "CHANCERY_SESSION_IDLE"),
        ("CHANCERY_SESION_IDLE", "CHANCERY_SESSION_IDLE"),
    ] {
        let said = check((name, "x"));
        assert!(said.starts_with("chancery.toml: does not exist"), "{said}");
        assert!(said.contains(&near(name, meant)), "{said}");
    }
    let said = check(("CHANCERY_FILE_NAME", "/etc/chancery.toml"));
    assert!(
        said.contains("CHANCERY_FILE_NAME: there is no such setting; the file is named by CHANCERY_CONFIG")
    );
    for (name, value) in [("CHANCERY_VERSION", "1"), ("CHANCERY_SESSION_IDLE", "1d")] {
        assert_eq!(check((name, value)).lines().count(), 1, "{name}");
    }
    fs::create_dir(folder.join("chancery-dev")).unwrap();
    fs::write(folder.join("chancery-dev/chancery.toml"), "issuer = 'http://localhost:3000'").unwrap();
    let said = check(("CHANCERY_CONFG", "x"));
    assert!(
        said.starts_with(&near("CHANCERY_CONFG", "CHANCERY_CONFIG")) && !said.contains("Using"),
        "{said}"
    );
    assert!(check(("CHANCERY_SESION_IDLE", "1d")).contains("Using the development provider"));
}

/// A machine sends nobody to a page, and who signs people in needs an address to send them back to.
#[test]
fn redirect_uris_fit_the_kind_of_client() {
    let folder = initialised();
    for flag in ["--redirect-uri", "--post-logout-redirect-uri"] {
        let said =
            refused(&folder, &["client", "add", "--kind", "machine", flag, "https://a.example/cb"], "");
        assert!(
            said.starts_with(&format!("{flag}: ")) && said.contains("\"https://a.example/cb\""),
            "{said}"
        );
    }
    done(&folder, &["client", "add", "--kind", "machine", "--id", "job"], "");
    let said = refused(&folder, &["client", "update", "job", "--redirect-uri", "https://a.example/cb"], "");
    assert!(
        said.starts_with(
            "--redirect-uri: a machine sends nobody to a login, so that \"https://a.example/cb\""
        ),
        "{said}"
    );
    assert!(said.contains("Nothing was changed"), "{said}");
    done(&folder, &["client", "update", "job", "--name", "Job"], "");
    let two = "https://a.example/cb,https://b.example/cb";
    let said = refused(&folder, &["client", "add", "--kind", "web", "--redirect-uri", two], "");
    assert!(said.contains("is several URIs: repeat the flag for each"), "{said}");
    let add = ["client", "add", "--kind", "web", "--id", "web", "--redirect-uri", "https://a.example/cb"];
    done(&folder, &add, "");
    for flag in ["--redirect-uri", "--post-logout-redirect-uri"] {
        let said = refused(&folder, &["client", "update", "web", flag, two], "");
        assert!(
            said.contains("is several URIs: repeat the flag") && said.contains("Nothing was changed"),
            "{said}"
        );
    }
    // A host is no scheme.
    for (typed, meant) in [
        ("localhost:1234/cb", "http://localhost:1234/cb"),
        ("127.0.0.1/cb", "http://127.0.0.1/cb"),
        ("a.example:8443/cb", "https://a.example:8443/cb"),
        ("a.example/cb", "https://a.example/cb"),
    ] {
        let said = refused(&folder, &["client", "add", "--kind", "web", "--redirect-uri", typed], "");
        assert!(said.contains(&format!(": it is probably {meant}")), "{said}");
    }
    // JSON may come from elsewhere, so that it is warned of.
    let machine = r#"{"client_id":"m","grant_types":["client_credentials"],"response_types":[]"#;
    let output = run(
        &folder,
        &["client", "add", &format!("{machine},\"redirect_uris\":[\"https://a.example/cb\"]}}")],
        "",
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("warning: m: redirect_uris: it has no response_types"),
        "{said}"
    );
    let output = run(&folder, &["client", "update", "m", "--name", "M"], "");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let said = refused(&folder, &["client", "add", "--kind", "web"], "");
    assert!(said.contains("give it by --redirect-uri URI") && !said.contains("Rust"), "{said}");
    let said = refused(&folder, &["client", "add", "{\"client_name\":\"App\"}"], "");
    assert!(said.contains("such as [\"https://") && !said.contains("Rust"), "{said}");
}

/// What is said of a change is about the change.
#[test]
fn a_change_is_warned_of_once() {
    let folder = initialised();
    let add = |id: &str, members: &str| {
        let json =
            format!("{{\"client_id\":\"{id}\",\"redirect_uris\":[\"https://a.example/cb\"]{members}}}");
        String::from_utf8(run(&folder, &["client", "add", &json], "").stderr).unwrap()
    };
    assert_eq!(add("plain", ",\"default_acr_values\":[\"urn:chancery:acr:password\"]"), "");
    let said = add("strict", ",\"default_acr_values\":[\"urn:mfa\"],\"scope\":\"openid emial\"");
    assert!(said.contains("warning: strict: default_acr_values: nobody can reach \"urn:mfa\""), "{said}");
    assert!(said.contains("scope emial is not in the configuration"), "{said}");
    let output = run(&folder, &["client", "update", "strict", "--name", "Strict"], "");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let output = run(&folder, &["client", "update", "plain", "{\"default_acr_values\":[\"urn:mfa\"]}"], "");
    assert!(String::from_utf8(output.stderr).unwrap().contains("nobody can reach"));
    let output = run(&folder, &["check"], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("default_acr_values: nobody can reach").count(), 2, "{said}");
}

#[test]
fn a_folder_that_cannot_be_made_is_explained() {
    let folder = folder();
    fs::write(folder.join("file"), "").unwrap();
    for (directory, said) in [
        ("file", "file is a file: name a folder"),
        ("file/a/b", "file/a/b cannot be made, because file is a file: name another folder"),
        ("/proc/chancery", "/proc/chancery cannot be made by user "),
    ] {
        let init = ["init", "--directory", directory, "--issuer", "https://id.example.org", "--no-user"];
        let told = refused(&folder, &init, "");
        assert!(told.starts_with(said), "{told}");
    }
}

/// A list of nothing but short passwords refuses none.
#[test]
fn an_idle_blocklist_is_warned_of() {
    let folder = initialised();
    for (list, is_idle) in [("abc\n1234567\n", true), ("abc\npassword1\n", false)] {
        fs::write(folder.join("list.txt"), list).unwrap();
        let output = run(&folder, &["check", "--set", "passwords.blocklist=list.txt"], "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.contains("no line of 8 characters or more"), is_idle, "{said}");
    }
}
