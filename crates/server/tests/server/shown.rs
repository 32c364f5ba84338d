//! What the commands show: lists with headings, `show`, `--json`, and suggestions for misspelt names.

use serde_json::Value;

use crate::support::{chancery, done, initialised, refused, run};

const WEB: [&str; 10] = [
    "client",
    "add",
    "--kind",
    "web",
    "--id",
    "photos",
    "--name",
    "Photos",
    "--redirect-uri",
    "https://photos.example/cb",
];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Each list has headings for people, and is an array for programs, also when there is nothing.
#[test]
fn lists_have_headings_and_are_json_when_asked() {
    let folder = initialised();
    for (list, empty, headings) in [
        (&["client", "list"][..], true, "CLIENT_ID  NAME"),
        (&["user", "list"], false, "ID  "),
        (&["keys", "list"], false, "KID  "),
        (&["session", "list", "alice"], true, "SESSION  SIGNED IN"),
        (&["registration-token", "list"], true, "NAME  ENDS"),
    ] {
        let of_json = json(&done(&folder, &[list, &["--json"]].concat(), ""));
        let output = run(&folder, list, "");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(of_json.as_array().unwrap().is_empty(), empty, "{list:?}");
        match empty {
            true => assert!(text.is_empty() && !output.stderr.is_empty(), "{list:?}: {text}"),
            false => assert!(text.starts_with(&headings[..3]), "{list:?}: {text}"),
        }
    }
    done(&folder, &WEB, "");
    let text = done(&folder, &["client", "list"], "");
    let mut lines = text.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("CLIENT_ID  NAME    KIND  AUTHENTICATION       STATE    REGISTERED"),
        "{text}"
    );
    assert!(
        lines.next().unwrap().starts_with("photos     Photos  web   client_secret_basic  enabled  2"),
        "{text}"
    );
    let keys = json(&done(&folder, &["keys", "--json", "list"], ""));
    for key in keys.as_array().unwrap() {
        assert_eq!(
            (&key["use"], &key["state"], &key["sign_until"]),
            (&"signing".into(), &"signs".into(), &Value::Null)
        );
    }
    done(&folder, &["keys", "rotate"], "");
    let keys = json(&done(&folder, &["keys", "list", "--json"], ""));
    let until = keys.as_array().unwrap().iter().filter(|key| key["sign_until"].is_string());
    assert_eq!(until.count(), 3, "who signs until when: {keys}");
}

/// What `show` says can be edited and given to `update`.
#[test]
fn a_client_is_shown_and_updated() {
    let folder = initialised();
    let made = json(&done(&folder, &WEB, ""));
    let secret = made["client_secret"].as_str().unwrap();
    let text = done(&folder, &["client", "show", "photos"], "");
    for line in [
        "client_name                   Photos",
        "chancery.consent              ask",
        "secret                        good without an end",
    ] {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(text.lines().any(|have| have.split_whitespace().eq(words.iter().copied())), "{line}: {text}");
    }
    let shown = json(&done(&folder, &["client", "show", "photos", "--json"], ""));
    assert!(!text.contains(secret) && !shown.to_string().contains(secret));
    let mut metadata = shown["metadata"].clone();
    metadata["client_name"] = "Better".into();
    let same = metadata.to_string();
    let output = run(&folder, &["client", "update", "photos", "--file", "-"], &same);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let done_ = done(
        &folder,
        &["client", "update", "photos", r#"{"tos_uri":"https://photos.example/tos"}"#, "--json"],
        "",
    );
    assert_eq!(
        json(&done_),
        serde_json::json!({ "client_id": "photos", "done": "changed",
            "changes": { "tos_uri": { "old": null, "new": "https://photos.example/tos" } } })
    );
    let shown = json(&done(&folder, &["client", "show", "photos", "--json"], ""));
    assert_eq!(
        (&shown["metadata"]["client_name"], &shown["metadata"]["tos_uri"]),
        (&"Better".into(), &"https://photos.example/tos".into())
    );
    // Two secrets while one replaces the other.
    done(&folder, &["client", "secret", "rotate", "photos", "--keep-old", "24h"], "");
    let shown = json(&done(&folder, &["client", "show", "photos", "--json"], ""));
    let ends: Vec<bool> =
        shown["secrets"].as_array().unwrap().iter().map(|one| one["ends"].is_string()).collect();
    assert_eq!(ends, [true, false]);
    done(&folder, &["client", "secret", "rotate", "photos", "--overlap", "0s"], "");
    let shown = json(&done(&folder, &["client", "show", "photos", "--json"], ""));
    assert_eq!(shown["secrets"].as_array().map(Vec::len), Some(1), "{shown}");
    assert!(refused(&folder, &["client", "update", "photos"], "").contains("--file"));
}

/// A client is changed by the flags by which it was added; what is refused says that nothing has changed.
#[test]
fn a_client_is_updated_by_flags() {
    let folder = initialised();
    done(&folder, &WEB, "");
    let update = ["client", "update", "photos", "--name", "Better", "--redirect-uri", "https://a.example/cb"];
    let more = ["--redirect-uri", "https://b.example/cb", "--post-logout-redirect-uri", "https://a.example/"];
    done(&folder, &[&update[..], &more].concat(), "");
    let shown = json(&done(&folder, &["client", "show", "photos", "--json"], ""));
    let metadata = &shown["metadata"];
    assert_eq!(metadata["client_name"], "Better");
    assert_eq!(
        metadata["redirect_uris"],
        serde_json::json!(["https://a.example/cb", "https://b.example/cb"])
    );
    assert_eq!(metadata["post_logout_redirect_uris"], serde_json::json!(["https://a.example/"]));
    for (wrong, input) in [
        (&["client", "update", "photos", "--redirect-uri", "a.example"][..], ""),
        (&["client", "update", "photos", r#"{"redirect_uris":["a.example"]}"#], ""),
        (&["user", "set", "alice", "email=nobody"], ""),
        (&["user", "set", "alice", "email"], ""),
        (&["user", "set", "alice", "--claims", "-"], "[]"),
    ] {
        let said = refused(&folder, wrong, input);
        assert!(said.ends_with("\nNothing was changed.\n"), "{wrong:?}: {said}");
    }
    for wrong in [&["--name", "X", "{}"][..], &["--redirect-uri", "https://a.example/", "--file", "-"]] {
        let output = run(&folder, &[&["client", "update", "photos"], wrong].concat(), "");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {output:?}");
    }
}

/// A client of each kind is added without a line of JSON.
#[test]
fn clients_of_each_kind_are_added() {
    let folder = initialised();
    for (kind, rest, method) in [
        ("web", &["--redirect-uri", "https://a.example/cb"][..], "client_secret_basic"),
        ("spa", &["--redirect-uri", "https://a.example/"], "none"),
        ("native", &["--redirect-uri", "http://127.0.0.1/cb"], "none"),
        ("machine", &[], "client_secret_basic"),
    ] {
        done(&folder, &[&["client", "add", "--kind", kind, "--id", kind][..], rest].concat(), "");
        let shown = json(&done(&folder, &["client", "show", kind, "--json"], ""));
        assert_eq!(shown["metadata"]["token_endpoint_auth_method"], method, "{kind}");
    }
    let api = r#"{"client_id":"api","response_types":[],"grant_types":[]}"#;
    done(&folder, &["client", "add", api], "");
    // The list has the words of `--kind`, and none where the metadata tell nothing.
    for client in json(&done(&folder, &["client", "list", "--json"], "")).as_array().unwrap() {
        match client["client_id"].as_str().unwrap() {
            "api" => assert!(client["kind"].is_null(), "{client}"),
            id => assert_eq!(client["kind"], id),
        }
    }
    for wrong in [
        &["client", "add"][..],
        &["client", "add", "--kind", "toaster"],
        &["client", "add", "--id", "x"],
        &["client", "add", "--kind", "web", "{}"],
        &["client", "add", "{}", "--file", "-"],
    ] {
        assert!(!run(&folder, wrong, "").status.success(), "{wrong:?}");
    }
}

/// A client of a kind that signs people in has the grant type of refresh tokens where they are asked for.
#[test]
fn refresh_tokens_are_for_clients_that_sign_people_in() {
    let folder = initialised();
    for (kind, uri) in
        [("web", "https://a.example/cb"), ("spa", "https://a.example/"), ("native", "a.example:/cb")]
    {
        for (more, grants) in [
            (&[][..], &["authorization_code"][..]),
            (&["--refresh-tokens"], &["authorization_code", "refresh_token"]),
        ] {
            let id = format!("{kind}{}", grants.len());
            let add = ["client", "add", "--kind", kind, "--id", &id, "--redirect-uri", uri];
            done(&folder, &[&add[..], more].concat(), "");
            let shown = json(&done(&folder, &["client", "show", &id, "--json"], ""));
            assert_eq!(shown["metadata"]["grant_types"], serde_json::json!(grants), "{id}");
        }
    }
    let add = ["client", "add", "--kind", "machine", "--id", "m"];
    done(&folder, &add, "");
    for (command, of) in [("add", &["--kind", "machine"][..]), ("update", &["m"])] {
        let said = refused(&folder, &[&["client", command, "--refresh-tokens"], of].concat(), "");
        assert!(said.starts_with("--refresh-tokens: ") && said.contains("web, spa or native"), "{said}");
    }
    // Later, beside what it may ask for already, and twice is once.
    for more in [&[][..], &["--name", "A"]] {
        done(&folder, &[&["client", "update", "web1", "--refresh-tokens"], more].concat(), "");
        let shown = json(&done(&folder, &["client", "show", "web1", "--json"], ""));
        let grants = serde_json::json!(["authorization_code", "refresh_token"]);
        assert_eq!(shown["metadata"]["grant_types"], grants);
    }
    let json = r#"{"redirect_uris":["https://a.example/cb"]}"#;
    for more in [&["--refresh-tokens"][..], &["--name", "A"], &["--id", "a"]] {
        let said = refused(&folder, &[&["client", "add", json], more].concat(), "");
        assert!(said.contains("cannot be used with"), "beside JSON it would have no effect: {said}");
    }
}

/// A person is shown, and changed claim by claim; what is printed can be given back.
#[test]
fn a_person_is_shown_and_changed() {
    let folder = initialised();
    done(
        &folder,
        &["user", "set", "alice", "email=alice@example.org", "name=Alice", "email_verified=true"],
        "",
    );
    let text = done(&folder, &["user", "show", "alice"], "");
    assert!(text.contains("alice@example.org") && text.ends_with("no session\n"), "{text}");
    let shown = json(&done(&folder, &["user", "show", "alice", "--json"], ""));
    assert_eq!(
        shown["claims"],
        serde_json::json!({ "email": "alice@example.org", "name": "Alice", "email_verified": true })
    );
    assert_eq!(done(&folder, &["user", "set", "alice", "name="], ""), "name: \"Alice\" → none\n");
    let said = done(&folder, &["user", "set", "alice", "email_verified=true"], "");
    assert_eq!(said, "nothing was changed\n");
    let said = json(&done(&folder, &["user", "set", "alice", "email=alice@example.org", "--json"], ""));
    assert_eq!(
        (&said["claims"]["email"], &said["done"]),
        (&"alice@example.org".into(), &"unchanged".into()),
        "{said}"
    );
    let said = json(&done(&folder, &["user", "set", "alice", "nickname=Al", "--json"], ""));
    assert_eq!(said["changes"], serde_json::json!({ "nickname": { "old": null, "new": "Al" } }), "{said}");
    done(&folder, &["user", "set", "alice", "nickname="], "");
    for (command, begin) in [
        ("enable", "it was enabled already; nothing was changed\n"),
        ("disable", "disabled; "),
        ("disable", "it was disabled already; "),
        ("enable", "enabled\n"),
    ] {
        let said = done(&folder, &["user", command, "alice"], "");
        assert!(said.starts_with(begin), "{command}: {said}");
    }
    let claims = done(&folder, &["user", "claims", "alice"], "");
    assert_eq!(json(&claims), serde_json::json!({ "email": "alice@example.org", "email_verified": true }));
    done(&folder, &["user", "set", "alice", "--claims", "-"], &claims);
    assert_eq!(done(&folder, &["user", "claims", "alice"], ""), claims);
    let said = refused(&folder, &["user", "set", "alice", "email=nobody", "sub=x"], "");
    assert!(said.contains("email: must be") && said.contains("sub: is set by the provider"), "{said}");
    done(&folder, &["user", "password", "alice"], "battery staple\n");
    // What looks like a slip is refused as a whole, and what is only told to nobody is stored and said.
    for (slip, input) in [
        (&["user", "set", "alice", "emial=x", "nickname=Al"][..], ""),
        (&["user", "set", "alice", "emial="], ""),
        (&["user", "set", "alice", "--claims", "-"], r#"{"emial":"x"}"#),
        (&["user", "add", "bob", "emial=x"], ""),
    ] {
        let said = refused(&folder, slip, input);
        assert!(said.starts_with("claim emial: ") && said.contains("; did you mean email?\n"), "{said}");
        assert_eq!(said.contains("\nNothing was changed.\n"), slip[1] == "set", "{said}");
    }
    assert_eq!(done(&folder, &["user", "claims", "alice"], ""), claims);
    let output = run(&folder, &["user", "set", "alice", "mobile=x"], "");
    let notice = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && notice.contains("no client is told it"), "{notice}");
    let said = done(&folder, &["user", "update", "alice", "mobile="], "");
    assert_eq!(said, "mobile: \"x\" → none\n");
}

/// Whoever is not found is suggested; so is a misspelt member.
#[test]
fn misspelt_names_are_suggested() {
    let folder = initialised();
    done(&folder, &WEB, "");
    for (arguments, said) in [
        (&["client", "show", "fotos"][..], "fotos: there is no such client; did you mean photos?"),
        (&["client", "remove", "photo"], "did you mean photos?"),
        (&["user", "show", "alise"], "alise: there is no such user; did you mean alice?"),
        (&["session", "list", "alic"], "did you mean alice?"),
        (&["keys", "add", "es256k"], "did you mean ES256?"),
        (
            &["client", "update", "photos", r#"{"chancery":{"refresh_token":"always"}}"#],
            "did you mean refresh_tokens?",
        ),
        (&["client", "update", "photos", r#"{"client_nam":"x"}"#], "did you mean client_name?"),
        (
            &["client", "update", "photos", r#"{client_name:"x"}"#],
            "the argument is not JSON: key must be a string at line 1 column 2",
        ),
        (&["client", "members", "redirect_url"], "did you mean redirect_uris?"),
        (&["log", "explain", "pkce_mising"], "did you mean pkce_missing?"),
    ] {
        let refusal = refused(&folder, arguments, "");
        assert!(refusal.contains(said), "{arguments:?}: {refusal}");
    }
    let added = r#"{"client_id":"web","redirect_uris":["https://a.example/cb"],"client_nam":"x"}"#;
    let output = run(&folder, &["client", "add", added], "");
    let notice = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success()
            && notice.contains("client_nam is not used here and was left out; did you mean client_name?"),
        "{notice}"
    );
    let explained = done(&folder, &["client", "members", "grant_types"], "");
    assert!(explained.starts_with("grant_types\n") && explained.lines().count() == 3, "{explained}");
}

/// `--help` ends with an example; that each command has one is shown beside the table of them.
#[test]
fn help_ends_with_an_example() {
    let folder = initialised();
    for (path, expected) in [
        (&["client", "secret", "rotate"][..], "\n  chancery client secret rotate photos "),
        (&["client", "update"], "A list is replaced as a whole (RFC 7396)."),
        (&[], "\nExamples:\n  chancery  "),
    ] {
        let output = chancery(&folder).args(path).arg("--help").output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(expected), "{path:?}: {said}");
    }
}

/// The examples of `docs/clients.md` are clients that can be added.
#[test]
fn the_documented_clients_are_good() {
    let folder = initialised();
    let settings = folder.join("chancery.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text + "\n[[resource_server]]\nuri = \"https://api.example\"\n").unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/clients.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let added = examples.map(|example| {
        let output = run(&folder, &["client", "add", "--file", "-"], example);
        assert!(output.status.success() && output.stderr.is_empty(), "{example}: {output:?}");
    });
    assert_eq!(added.count(), 4);
}

/// A request for a client that nobody knows has no `client_id` in the log, so that the advice names none.
#[test]
fn advice_about_an_unknown_client_names_nothing_that_the_line_lacks() {
    let folder = initialised();
    for reason in ["authorization_client_unknown", "client_id_missing"] {
        let line = format!(r#"{{"event":"refused","endpoint":"authorization","reason":"{reason}"}}"#);
        let said = done(&folder, &["log", "explain", &line], "");
        assert!(said.contains("what to do: ask whoever runs the application"), "{said}");
        assert!(!said.contains("the line's client_id"), "{said}");
    }
}
