//! What an operator does about clients.

use std::fs;

use crate::support::{done, initialised, refused, rows, run};

#[test]
fn clients_are_added_from_metadata_one_or_many() {
    let folder = initialised();
    let one = r#"{"client_name":"One","grant_types":["client_credentials"],"response_types":[],"redirect_uris":[],"logo_uri":"https://x.example/l.png","software_version":"1"}"#;
    let said = done(&folder, &["client", "add", "--file", "-"], one);
    assert!(said.contains("client_id") && said.contains("client_secret"), "{said}");

    let secret = "a secret of at least thirty-two characters";
    let many = format!(
        r#"[{{"client_id":"a","token_endpoint_auth_method":"none","redirect_uris":["https://a.example/cb"]}},
            {{"client_id":"b","client_secret":"{secret}","redirect_uris":["https://b.example/cb"],"chancery":{{"pkce_optional":true,"pkce_plain":true}}}},
            {{"client_id":"c","token_endpoint_auth_method":"client_secret_jwt","redirect_uris":["https://c.example/cb"],
              "chancery":{{"assertion_audience":"endpoints"}}}}]"#
    );
    fs::write(folder.join("clients.json"), many).unwrap();
    let said = done(&folder, &["client", "add", "--file", "clients.json"], "");
    assert!(said.contains("\"a\"") && said.contains("\"b\"") && !said.contains(secret), "{said}");
    let list = rows(&folder, &["client", "list"]);
    assert!(list.contains("a\t-\tspa\tnone\tenabled"), "{list}");
    assert!(list.contains("b\t-\tweb\tclient_secret_basic\tenabled"), "{list}");

    // What leaves RFC 9700 is listed, and fails a strict check.
    let path = folder.join("chancery.toml");
    let before = fs::read_to_string(&path).unwrap();
    let loosened = "[compatibility]\nassertion_audience = \"endpoints\"\n";
    fs::write(&path, before.replace("[compatibility]\n", loosened)).unwrap();
    let said = done(&folder, &["check"], "");
    for expected in [
        "loosened: client b: pkce_optional (RFC 9700",
        "loosened: client b: pkce_plain (RFC 9700",
        "loosened: client c: assertion_audience (draft-ietf-oauth-rfc7523bis section 4)",
        "loosened: compatibility.assertion_audience (draft-ietf-oauth-rfc7523bis section 4)",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    for client in ["b", "c"] {
        assert!(!run(&folder, &["check", "--strict"], "").status.success());
        done(&folder, &["client", "remove", client], "");
    }
    assert!(!run(&folder, &["check", "--strict"], "").status.success(), "the setting of the server");
    fs::write(&path, before).unwrap();
    assert!(refused(&folder, &["client", "remove", "b"], "").contains("no such client"));
    assert!(done(&folder, &["check", "--strict"], "").contains("good"));
}

#[test]
fn a_wrong_client_is_refused_and_none_of_its_file_is_stored() {
    let folder = initialised();
    let weak = r#"[{"client_id":"a","token_endpoint_auth_method":"none","redirect_uris":["https://a.example/cb"]},
                   {"client_id":"b","client_secret":"too short","redirect_uris":["https://b.example/cb"],"require_pushed_authorization_requests":true}]"#;
    let said = refused(&folder, &["client", "add", "--file", "-"], weak);
    assert!(
        said.contains("[1].client_secret") && said.contains("[1].require_pushed_authorization_requests"),
        "{said}"
    );
    assert_eq!(rows(&folder, &["client", "list"]), "");
    let weak = r#"{"client_id":"b","client_secret":"too short","redirect_uris":["https://b.example/cb"]}"#;
    done(&folder, &["client", "add", "--weak-secret", "--file", "-"], weak);
    assert!(
        refused(&folder, &["client", "add", "--weak-secret", "--file", "-"], weak)
            .contains("there is a client")
    );
    // What was let in is named, and fails a strict check.
    let loosened = "client b: a secret of fewer than 32 characters (RFC 6749 section 10.10)";
    assert!(done(&folder, &["check"], "").contains(loosened));
    let strict = run(&folder, &["check", "--strict"], "");
    assert!(
        !strict.status.success() && String::from_utf8_lossy(&strict.stderr).contains(loosened),
        "{strict:?}"
    );
    done(&folder, &["client", "remove", "b"], "");
    assert!(done(&folder, &["check", "--strict"], "").contains("good"));
}

/// What no setting knows would fail at each of the client's requests, or never be granted.
#[test]
fn a_client_is_held_against_the_configuration() {
    let folder = initialised();
    let client = r#"{"client_id":"a","token_endpoint_auth_method":"none","redirect_uris":["https://a.example/cb"],
        "scope":"openid email read raed","chancery":{"default_resource":"https://api.example"}}"#;
    let said = refused(&folder, &["client", "add", "--file", "-"], client);
    assert!(said.contains("chancery.default_resource: must be the uri of a [[resource_server]]"), "{said}");
    let server = "\n[[resource_server]]\nuri = \"https://api.example\"\nscopes = [\"read\"]\n";
    let path = folder.join("chancery.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap() + server).unwrap();
    let output = run(&folder, &["client", "add", "--file", "-"], client);
    let notices = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notices}");
    assert_eq!(notices, "a: scope raed is not in the configuration and is never granted\n");
}

/// PPID-05: the list of a sector is fetched before its client is stored; the operator hears why it cannot be.
#[test]
fn the_list_of_a_sector_has_to_be_there() {
    let folder = initialised();
    let client = r#"{"redirect_uris":["https://a.example/cb"],"sector_identifier_uri":"https://127.0.0.1/"}"#;
    let said = refused(&folder, &["client", "add", "--file", "-"], client);
    assert!(said.contains("sector_identifier_uri: must lead to") && said.contains("127.0.0.1"), "{said}");
    assert_eq!(rows(&folder, &["client", "list"]), "");
}

/// FR-16: all or nothing; each item against the others and against the store.
#[test]
fn a_batch_of_clients_is_stored_whole_or_not_at_all() {
    let folder = initialised();
    let client = |id: &str| {
        format!(
            r#"{{"client_id":"{id}","token_endpoint_auth_method":"none","redirect_uris":["https://a.example/cb"]}}"#
        )
    };
    let batch = |ids: &[&str]| format!("[{}]", ids.iter().map(|id| client(id)).collect::<Vec<_>>().join(","));
    done(&folder, &["client", "add", "--file", "-"], &client("old"));
    for (ids, complaints) in [
        (&["a", "old", "b"][..], &["[1].client_id: old: there is a client"][..]),
        (&["a", "b", "a"], &["[2].client_id: a: an earlier client in the file"]),
        (&["old", "a", "a", "old"], &["[0].client_id", "[2].client_id", "[3].client_id"]),
    ] {
        let said = refused(&folder, &["client", "add", "--file", "-"], &batch(ids));
        for complaint in complaints {
            assert!(said.contains(complaint), "{complaint} in {said}");
        }
        assert_eq!(said.lines().count(), complaints.len() + 1, "{said}");
        assert!(said.ends_with("\nNone of the clients was added.\n"), "{said}");
        assert_eq!(rows(&folder, &["client", "list"]).lines().count(), 1, "{ids:?}");
    }
    done(&folder, &["client", "add", "--file", "-"], &batch(&["a", "b"]));
    assert_eq!(rows(&folder, &["client", "list"]).lines().count(), 3);
    assert!(
        refused(&folder, &["client", "add", "--file", "-"], &client("a"))
            .starts_with("client_id: a: there is")
    );
}

/// A stored client is changed member by member, and what comes out of it is judged like a new one.
#[test]
fn clients_are_changed() {
    let folder = initialised();
    let client = r#"{"client_id":"web","redirect_uris":["https://web.example/cb"],"client_name":"Before",
        "chancery":{"refresh_tokens":"always"}}"#;
    done(&folder, &["client", "add", "--file", "-"], client);
    let set = ["client", "set", "web", "--file", "-"];
    let listed = || rows(&folder, &["client", "list"]);
    let said = done(&folder, &set, r#"{"client_name":"After","chancery":{"consent":"implied"}}"#);
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    let expected = ["chancery.consent: \"ask\" → \"implied\"", "client_name: \"Before\" → \"After\""];
    assert_eq!(lines, expected);
    for same in [r#"{"client_name":"After"}"#, r#"{"tos_uri":null,"client_name#de":null}"#, "{}"] {
        assert_eq!(done(&folder, &set, same), "nothing was changed\n", "{same}");
        let json = done(&folder, &[&set[..], &["--json"]].concat(), same);
        assert!(json.contains("\"unchanged\""), "{json}");
    }
    assert!(listed().contains("web\tAfter\tweb\tclient_secret_basic\tenabled"), "{}", listed());
    let said = done(&folder, &set, r#"{"client_name":null,"token_endpoint_auth_method":"none"}"#);
    for line in [
        "client_name: \"After\" → none\n",
        "token_endpoint_auth_method: \"client_secret_basic\" → \"none\"\n",
        "client_secret: removed\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(listed().contains("web\t-\tspa\tnone\tenabled"), "{}", listed());
    // It needs a secret again, which is told once.
    let output = run(&folder, &set, r#"{"token_endpoint_auth_method":"client_secret_post"}"#);
    let (secret, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(secret.starts_with("{\"client_id\":\"web\",\"client_secret\":"), "{secret}");
    assert!(
        said.ends_with("client_secret: made\n") && said.contains(": \"none\" → \"client_secret_post\""),
        "{said}"
    );
    // One that is the key of an HMAC has to be stored itself, so there is another one.
    let json = done(
        &folder,
        &[&set[..], &["--json"]].concat(),
        r#"{"token_endpoint_auth_method":"client_secret_jwt"}"#,
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let secret = json["client_secret"].as_str().unwrap();
    assert_eq!(json["changes"]["client_secret"], "replaced");
    assert_eq!(json["changes"]["token_endpoint_auth_method"]["old"], "client_secret_post");
    assert!(!json["changes"].to_string().contains(secret) && json["done"] == "changed", "{json}");
    for (patch, said) in [
        (r#"{"redirect_uris":["javascript:alert(1)"]}"#, "redirect_uris"),
        (r#"{"redirect_uris":null}"#, "redirect_uris"),
        (r#"{"client_id":"other"}"#, "client_id"),
        (r#"{"client_secret":"0123456789abcdef0123456789abcdef"}"#, "client_secret"),
        (r#"{"chancery":{"nonsense":1}}"#, "chancery.nonsense"),
        (r#"{"chancery":{"default_resource":"https://nobody.example"}}"#, "chancery.default_resource"),
        (r#"{"client_name":"a","client_name":"b"}"#, "JSON"),
        ("[]", "JSON"),
        ("", "JSON"),
    ] {
        let refused = refused(&folder, &set, patch);
        assert!(refused.contains(said), "{patch}: {refused}");
    }
    assert!(refused(&folder, &["client", "set", "nobody", "--file", "-"], "{}").contains("no such client"));
}

/// A change is made as a whole or not at all: what is no member is refused, also where `null` would remove it.
#[test]
fn a_change_of_what_is_no_member_changes_nothing() {
    let folder = initialised();
    let client = r#"{"client_id":"web","redirect_uris":["https://web.example/cb"],"client_name":"Before"}"#;
    done(&folder, &["client", "add", "--file", "-"], client);
    let before = done(&folder, &["client", "show", "web", "--json"], "");
    let unused = "is not used here: correct its name or leave it out";
    for (patch, name, near) in [
        (r#"{"clinet_name":"x"}"#, "clinet_name", "; did you mean client_name?"),
        (r#"{"clinet_name":"x","client_name":"After"}"#, "clinet_name", "; did you mean client_name?"),
        (r#"{"quux":1,"client_name":"After"}"#, "quux", ""),
        (r#"{"clinet_name":null}"#, "clinet_name", "; did you mean client_name?"),
        (r#"{"chancery":{"consnt":null}}"#, "chancery.consnt", "; did you mean consent?"),
    ] {
        for form in [&[][..], &["--json"]] {
            let said = refused(&folder, &[&["client", "update", "web", patch], form].concat(), "");
            assert!(said.starts_with(&format!("{name}: {unused}{near} (")), "{patch}: {said}");
            assert!(said.ends_with("\nNothing was changed.\n"), "{patch}: {said}");
        }
    }
    assert_eq!(done(&folder, &["client", "show", "web", "--json"], ""), before);
}

/// A misspelt member may be the reason of a refusal, so that it is named with it.
#[test]
fn misspelt_members_are_named_with_what_is_wrong() {
    let folder = initialised();
    let add = ["client", "add", "--file", "-"];
    for (metadata, lines) in [
        (
            r#"{"redirect_uri":"https://web.example/cb"}"#,
            &[
                "redirect_uris: ",
                "redirect_uri: is not used here: correct its name or leave it out; did you mean redirect_uris? (",
            ][..],
        ),
        (
            r#"{"grant_type":["client_credentials"],"response_type":[],"contact":[],"scopes":"a","colour":"red"}"#,
            &[
                "redirect_uris: ",
                "contact: is not used here: correct its name or leave it out; did you mean contacts? (",
                "grant_type: is not used here: correct its name or leave it out; did you mean grant_types? (",
                "response_type: is not used here: correct its name or leave it out; did you mean response_types? (",
                "scopes: is not used here: correct its name or leave it out; did you mean scope? (",
            ],
        ),
        (
            r#"[{"client_id":"a","redirect_uri":"https://web.example/cb"}]"#,
            &["[0].redirect_uris: ", "[0].redirect_uri: is not used here: "],
        ),
    ] {
        let said = refused(&folder, &add, metadata);
        assert_eq!(said.lines().count(), lines.len(), "{metadata}: {said}");
        for (line, begin) in said.lines().zip(lines) {
            assert!(line.starts_with(begin), "{metadata}: {begin} in {said}");
        }
    }
    let client = r#"{"client_id":"web","redirect_uris":["https://web.example/cb"]}"#;
    done(&folder, &add, client);
    let patch = r#"{"redirect_uris":[],"redirect_uri":"https://other.example/cb"}"#;
    let said = refused(&folder, &["client", "update", "web", patch], "");
    assert!(said.contains("\nredirect_uri: is not used here: "), "{said}");
}

/// A client is disabled and enabled again; what it is stays.
#[test]
fn clients_are_disabled_and_enabled() {
    let folder = initialised();
    let client = r#"{"client_id":"web","redirect_uris":["https://web.example/cb"],"client_name":"Web"}"#;
    done(&folder, &["client", "add", "--file", "-"], client);
    let listed = || rows(&folder, &["client", "list"]);
    for (command, begin, state) in [
        ("disable", "disabled: from now on it is refused everywhere\nended for good: ", "disabled"),
        ("disable", "it was disabled already; nothing was changed\n", "disabled"),
        ("enable", "enabled: people agree and sign in to it anew", "enabled"),
        ("enable", "it was enabled already; nothing was changed\n", "enabled"),
    ] {
        let said = done(&folder, &["client", command, "web"], "");
        assert!(said.starts_with(begin) && !said.contains("JWT"), "{said}");
        assert!(listed().contains(&format!("web\tWeb\tweb\tclient_secret_basic\t{state}")), "{}", listed());
    }
    // Whoever verifies tokens without asking takes them for as long as they last.
    let server =
        "\n[[resource_server]]\nuri = \"https://api.example\"\nformat = \"jwt\"\nlifetime = \"20m\"\n";
    let path = folder.join("chancery.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap() + server).unwrap();
    let said = done(&folder, &["client", "disable", "web"], "");
    assert!(said.contains("JWT access tokens") && said.contains("for up to 20m\n"), "{said}");
    assert!(said.ends_with("not ended: the sessions of people, here (`chancery session end NAME`) and in the application itself\n"));
    let said = done(&folder, &["client", "remove", "web"], "");
    assert!(said.starts_with("removed\nended for good: ") && said.contains("for up to 20m\n"), "{said}");
    for command in ["disable", "enable"] {
        assert!(refused(&folder, &["client", command, "nobody"], "").contains("no such client"));
    }
}

/// What can never match is refused, each mistake in its own words; what hardly ever matches is stored, and said.
#[test]
fn redirect_uris_that_never_match_are_named() {
    let folder = initialised();
    let client = |kind: &str, uri: &str| {
        run(&folder, &["client", "add", "--kind", kind, "--name", "A", "--redirect-uri", uri], "")
    };
    for (kind, uri, said) in [
        ("web", "https://a.example/*", "must not have a wildcard"),
        ("web", "https://*.a.example/cb", "must not have a wildcard"),
        ("web", "https://a.example/cb#top", "must not have a fragment"),
        ("web", "https://a.example/cb ", "must not have blanks"),
        ("web", " https://a.example/cb", "must not have blanks"),
        ("web", "https://user@a.example/cb", "must not have a user name"),
        ("web", "a.example/cb", "must be an absolute URI"),
        ("web", "/cb", "must be an absolute URI"),
        ("web", "http://a.example/cb", "must be https; http is for loopback hosts alone"),
        ("spa", "http://localhost:*/cb", "must not have a wildcard there"),
        ("native", "http://a.example/cb", "must be https; http is for loopback hosts alone"),
    ] {
        let output = client(kind, uri);
        let refusal = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && refusal.contains(said), "{uri}: {refusal}");
    }
    for (kind, uri, said) in [
        ("web", "https://a.example", "most programs send \"https://a.example/\" instead"),
        ("web", "https://A.example/cb", "most programs send \"https://a.example/cb\" instead"),
        ("web", "https://a.example:443/cb", "most programs send \"https://a.example/cb\" instead"),
        ("web", "https://a.example/x/../cb", "most programs send \"https://a.example/cb\" instead"),
        ("native", "http://localhost/cb", "of localhost the port is compared"),
        ("native", "http://127.0.0.1/cb", ""),
        ("native", "http://localhost:8080/cb", ""),
        ("native", "com.example.app:/cb", ""),
        ("web", "https://a.example/cb?x=1", ""),
    ] {
        let output = client(kind, uri);
        let notice = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && notice.contains(said), "{uri}: {notice}");
        assert_eq!(notice.is_empty(), said.is_empty(), "{uri}: {notice}");
    }
}

/// What is wrong with the JSON of a client is said with what to write.
#[test]
fn wrong_metadata_are_explained() {
    let folder = initialised();
    done(
        &folder,
        &["client", "add", r#"{"client_id":"web","redirect_uris":["https://web.example/cb"]}"#],
        "",
    );
    for (arguments, expected) in [
        (
            &["add", "{client_id:x}"][..],
            "the argument is not JSON (key must be a string at line 1 column 2): names and texts",
        ),
        (
            &["update", "web", "{client_id:x}"],
            "the argument is not JSON (key must be a string at line 1 column 2): names and",
        ),
        (&["add", "[{}, 1]"], "the argument: number 2 of the list is no JSON object, such as {"),
        (&["update", "web", "[]"], "the argument is no JSON object, such as {"),
        (
            &["add", "--file", "nope.json"],
            "--file: nope.json: No such file or directory (os error 2): correct the path",
        ),
        (
            &["add", r#"{"redirect_uris":["https://a.example/cb"],"client_secret":"short"}"#],
            "client_secret: must have at least 32 characters, because only its digest protects it; leave it out, and a good one is \
             made; --weak-secret takes this one",
        ),
        (
            &["add", r#"{"redirect_uris":["https://a.example/cb"],"scope":["openid","email"]}"#],
            r#"scope: must be a string; it is ["openid","email"]: write "openid email" (RFC 7591 section 2)"#,
        ),
        (
            &["update", "web", r#"{"redirect_uris":"https://a.example/cb"}"#],
            r#"redirect_uris: must be an array of strings; it is "https://a.example/cb": write ["https://a.example/cb"]"#,
        ),
        (
            &["add", r#"{"redirect_uris":["https://a.example/cb"],"jwks":[]}"#],
            r#"jwks: must be a JWK Set, such as {"keys": [{"kty": "EC", ...}]}: it is not the expected JSON object"#,
        ),
    ] {
        let said = refused(&folder, &[&["client"][..], arguments].concat(), "");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
