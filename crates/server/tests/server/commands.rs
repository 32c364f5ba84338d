//! What an operator does with the binary, without a server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{chancery, done, folder, initialised, refused, refused_with, rows, run};

#[test]
fn init_writes_a_good_configuration_and_secrets_that_only_the_owner_reads() {
    let folder = initialised();
    assert!(done(&folder, &["check", "--strict"], "").contains("good"));
    for name in ["wrapping.key", "chancery.sqlite"] {
        let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let keys = rows(&folder, &["keys", "list"]);
    for alg in ["RS256", "PS256", "ES256"] {
        assert!(keys.contains(&format!("\t{alg}\tsigning\tsigns since 2")), "{keys}");
    }
    assert_eq!(keys.lines().count(), 3, "{keys}");
    assert!(rows(&folder, &["user", "list"]).contains("alice\tactive"));
    let again = refused(&folder, &["init", "--issuer", "https://x.example", "--no-user"], "");
    assert!(again.contains("already"), "{again}");
}

/// Before an https issuer's loopback address stands the proxy that ends TLS. Not named, it would be throttled
/// as one network, and whoever guesses through it would make everybody wait.
#[test]
fn init_names_the_proxy_of_an_https_issuer() {
    for (issuer, named) in [
        ("https://id.example.org", "\ntrusted_proxies = [\"127.0.0.1\"]\n"),
        ("https://id.example.org:8443/a", "\ntrusted_proxies = [\"127.0.0.1\"]\n"),
        ("http://localhost:3000", "\ntrusted_proxies = []\n"),
    ] {
        let folder = folder();
        done(&folder, &["init", "--issuer", issuer, "--no-user"], "");
        let written = fs::read_to_string(folder.join("chancery.toml")).unwrap();
        assert!(written.contains(named), "{issuer}: {written}");
    }
}

#[test]
fn a_wrapping_key_that_others_can_read_is_refused() {
    let folder = initialised();
    fs::set_permissions(folder.join("wrapping.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let said = refused(&folder, &["check"], "");
    assert!(said.contains("everybody can access it (mode 644)"), "{said}");
}

/// FR-08: a name, a password or a list of passwords is taken by the same rules from a command as from a page.
#[test]
fn people_are_added_changed_and_removed() {
    let folder = initialised();
    fs::write(folder.join("claims.json"), r#"{"name":"Bob","email":"bob@example.org"}"#).unwrap();
    fs::write(folder.join("password"), "battery staple\n").unwrap();
    done(&folder, &["user", "add", "bob", "--claims", "claims.json", "--password-file", "password"], "");
    for taken in ["BOB", "b0b", "\u{ff42}ob"] {
        let said = refused(&folder, &["user", "add", taken], "battery staple\n");
        assert!(said.contains("another user") || said.contains("of this name already"), "{taken}: {said}");
    }
    for bad in ["b\u{43e}b", "b b", "b\u{200b}b", "\u{202e}bob", ""] {
        let said = refused(&folder, &["user", "add", bad], "battery staple\n");
        assert!(said.contains("several scripts") || said.contains("RFC 8265"), "{bad:?}: {said}");
    }
    for (weak, why) in
        [("short", "8 characters"), ("", "no password"), ("xxxxxxxxx", "repeats"), ("Passw0rd123", "common")]
    {
        for command in [["user", "add", "carol"], ["user", "passwd", "bob"]] {
            let said = refused(&folder, &command, &format!("{weak}\n"));
            assert!(said.contains(why) && (weak.is_empty() || !said.contains(weak)), "{weak}: {said}");
        }
    }
    fs::write(folder.join("list"), "battery staple\n").unwrap();
    let own_list = ["user", "passwd", "bob", "--set", "passwords.blocklist=list"];
    assert!(refused(&folder, &own_list, "Battery Staple\n").contains("most common"));
    done(&folder, &own_list, "Passw0rd123\n");
    let said = refused(&folder, &["user", "list", "--set", "passwords.blocklist=nowhere"], "");
    assert!(said.contains("passwords.blocklist: nowhere"), "{said}");
    fs::write(folder.join("claims.json"), r#"{"email":1}"#).unwrap();
    let said = refused(&folder, &["user", "add", "carol", "--claims", "claims.json"], "battery staple\n");
    assert!(said.contains("email"), "{said}");
    let said = refused(&folder, &["user", "set", "bob", "--claims", "claims.json"], "");
    assert!(said.contains("email"), "{said}");
    fs::write(folder.join("claims.json"), r##"{"name":"Bob","name#ja-Kana-JP":"ボブ"}"##).unwrap();
    done(&folder, &["user", "set", "bob", "--claims", "claims.json"], "");
    assert!(
        refused(&folder, &["user", "set", "carol", "--claims", "claims.json"], "").contains("no such user")
    );
    fs::write(folder.join("claims.json"), r##"{"name#de_DE":"Bob"}"##).unwrap();
    assert!(
        refused(&folder, &["user", "set", "bob", "--claims", "claims.json"], "").contains("language tag")
    );
    let listed = rows(&folder, &["user", "list"]);
    let id = listed.split('\t').next().unwrap();
    let client = format!(
        r#"{{"client_id":"{id}","token_endpoint_auth_method":"none","redirect_uris":["https://a.example/cb"]}}"#
    );
    let said = refused(&folder, &["client", "add", "--file", "-"], &client);
    assert!(said.contains("client_id") && said.contains("there is a user with this id"), "{said}");
    done(&folder, &["user", "passwd", "bob"], "another one\n");
    done(&folder, &["user", "disable", "bob"], "");
    assert!(rows(&folder, &["user", "list"]).contains("bob\tdisabled"));
    done(&folder, &["user", "enable", "bob"], "");
    done(&folder, &["user", "remove", "bob"], "");
    assert!(refused(&folder, &["user", "passwd", "bob"], "another one\n").contains("no such user"));
}

/// What is wrong with the name or the claims of somebody new is said before a password is asked for: here none comes.
#[test]
fn nobody_types_a_password_in_vain() {
    let folder = initialised();
    for (rest, why) in [
        (&["alice"][..], "of this name already"),
        (&["ALICE"], "of this name already"),
        (&["a1ice"], "looks like that of another user"),
        (&["\u{430}lice"], "several scripts"),
        (&["al ice"], "RFC 8265"),
        (&["carol", "email=nobody"], "must be an e-mail address"),
        (&["carol", "email=nobody"], "such as alice@example.org; it is \"nobody\" (OIDC Core section 5.1)"),
        (
            &["carol", "address=Berlin"],
            "such as {\"locality\": \"Berlin\", \"country\": \"Germany\"}; it is \"Berlin\" (OIDC Core section 5.1.1)",
        ),
        (&["carol", "sub=x"], "set by the provider"),
        (&["carol"], "no password came"),
    ] {
        let said = refused(&folder, &[&["user", "add"][..], rest].concat(), "");
        assert!(said.contains(why), "{rest:?}: {said}");
    }
    let init =
        ["init", "--issuer", "https://id.example", "--directory", "other", "--username", "\u{430}lice"];
    assert!(refused(&folder, &init, "").contains("several scripts"));
}

/// A17: a rotation that caches cannot have noticed warns.
#[test]
fn keys_are_rotated_and_hasty_rotation_warns() {
    let folder = initialised();
    let output = run(&folder, &["keys", "rotate"], "");
    assert!(output.status.success() && output.stderr.is_empty());
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!((said.matches("signs from").count(), said.matches("signs until").count()), (3, 3), "{said}");
    let again = run(&folder, &["keys", "rotate"], "");
    assert!(again.status.success() && again.stdout.is_empty(), "{again:?}");
    let again = String::from_utf8(again.stderr).unwrap();
    let hint = "A shorter --sign-after ends it sooner, and `chancery keys remove KID`";
    assert!(again.starts_with("a rotation is under way until 2") && again.contains(hint), "{again}");
    assert!(again.contains("Z; nothing was changed. "), "{again}");
    let list = rows(&folder, &["keys", "list"]);
    assert_eq!((list.matches("\tuntil ").count(), list.matches("signs from").count()), (3, 3), "{list}");
    let output = run(&folder, &["keys", "rotate", "--sign-after", "2s"], "");
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("caches"));
    assert!(refused(&folder, &["keys", "rotate", "--sign-after", "soon"], "").contains("duration"));
}

/// A22
#[test]
fn the_printed_schema_is_the_committed_one() {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.schema.json");
    assert_eq!(done(&folder(), &["schema"], ""), fs::read_to_string(committed).unwrap());
}

#[test]
fn a_password_is_never_taken_from_the_command_line() {
    let folder = initialised();
    for arguments in [&["user", "add", "bob", "--password", "x"][..], &["user", "passwd", "alice", "x"]] {
        assert_eq!(run(&folder, arguments, "").status.code(), Some(2), "{arguments:?}");
    }
}

/// The first person has an e-mail address, if it is one.
#[test]
fn init_takes_an_address() {
    let folder = folder();
    let init = |email| ["init", "--issuer", "https://id.example.org", "--username", "ada", "--email", email];
    let said = refused(&folder, &init("nobody"), "correct horse\n");
    assert!(
        said == "email: must be an e-mail address, such as alice@example.org; it is \"nobody\" (OIDC Core section 5.1)\n",
        "{said}"
    );
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    done(&folder, &init("ada@example.org"), "correct horse\n");
    assert!(done(&folder, &["user", "claims", "ada"], "").contains("\"email\": \"ada@example.org\""));
    let said = refused(&folder, &["init", "--issuer", "http://id.example.org/?a", "--no-user"], "");
    assert!(said.contains("http is for localhost") && said.contains("query"), "{said}");
}

/// Nothing is written that the person would have to tidy up first.
#[test]
fn init_looks_at_the_password_before_it_writes() {
    let folder = folder();
    let said =
        refused(&folder, &["init", "--issuer", "https://id.example.org", "--username", "ada"], "short\n");
    assert!(said.contains("at least 8 characters"), "{said}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

/// FR-05: nothing is written before everything is checked, so that the same command passes once the mistake
/// is mended.
#[test]
fn init_writes_nothing_before_everything_is_checked() {
    let init = ["init", "--issuer", "https://id.example.org", "--username", "ada"];
    let password = "correct horse\n";
    for (name, value) in [
        ("CHANCERY_ISUER", "x"),
        ("CHANCERY_SESSION_IDLE", "soon"),
        ("CHANCERY_SESSION_IDLE", "91d"),
        ("CHANCERY_STORE_SQLITE", "missing/chancery.sqlite"),
        ("CHANCERY_KEYS_WRAPPING_KEY", "missing/wrapping.key"),
    ] {
        let folder = folder();
        let said = refused_with(&folder, &init, password, &[(name, value)]);
        assert!(!said.is_empty());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "{name}={value}: {said}");
        done(&folder, &init, password);
        assert!(done(&folder, &["check", "--strict"], "").contains("good"));
    }
}

/// FR-05: what a run has left that was broken off at any place is gone on with.
#[test]
fn a_half_done_init_is_repeated() {
    let init = ["init", "--issuer", "https://id.example.org", "--username", "ada"];
    let whole = initialised();
    for kept in [&["wrapping.key"][..], &["wrapping.key", "chancery.sqlite"]] {
        let folder = folder();
        for name in kept {
            fs::copy(whole.join(name), folder.join(name)).unwrap();
        }
        let key = fs::read(folder.join("wrapping.key")).unwrap();
        done(&folder, &init, "correct horse\n");
        assert_eq!(fs::read(folder.join("wrapping.key")).unwrap(), key, "the store is sealed under it");
        assert!(rows(&folder, &["user", "list"]).contains("ada\tactive"));
        assert_eq!(rows(&folder, &["keys", "list"]).lines().count(), 3);
        let said = refused(&folder, &init, "correct horse\n");
        assert!(said.contains("already"), "{said}");
    }
    // A store without its key can only be put right by hand.
    let folder = folder();
    fs::copy(whole.join("chancery.sqlite"), folder.join("chancery.sqlite")).unwrap();
    assert!(refused(&folder, &init, "correct horse\n").contains("restore your copy"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

/// FR-05: what Kubernetes sets beside a Service of our name, and what scripts set, stops no command.
#[test]
fn variables_of_others_are_no_mistakes() {
    let folder = initialised();
    let kubernetes = [
        ("CHANCERY_SERVICE_HOST", "10.0.0.1"),
        ("CHANCERY_SERVICE_PORT", "3000"),
        ("CHANCERY_PORT", "tcp://10.0.0.1:3000"),
        ("CHANCERY_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
        ("CHANCERY_PORT_3000_TCP_PROTO", "tcp"),
        ("CHANCERY_PORT_3000_TCP_PORT", "3000"),
        ("CHANCERY_PORT_3000_TCP_ADDR", "10.0.0.1"),
        ("CHANCERY_HTTP_SERVICE_HOST", "10.0.0.1"),
        ("CHANCERY_HTTP_PORT", "tcp://10.0.0.1:80"),
    ];
    let checked = |variables: &[(&str, &str)]| {
        let output =
            chancery(&folder).args(["check", "--strict"]).envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(checked(&kubernetes), "the configuration is good\n");
    let said = checked(&[("CHANCERY_VERSION", "1"), ("CHANCERY_X\u{1b}[2J", "1")]);
    assert!(said.contains("not read: CHANCERY_VERSION, CHANCERY_X\\u{1b}[2J\n"), "{said}");
    for misspelt in ["CHANCERY_ISUER", "CHANCERY_HTTP_PORT", "CHANCERY_SESSIONS_IDLE"] {
        let said = refused_with(&folder, &["check"], "", &[(misspelt, "8080")]);
        assert!(said.starts_with(&format!("{misspelt}: there is no such setting")), "{said}");
    }
}

/// A client's name is its own choice, and so is a person's: neither writes to the operator's terminal.
#[test]
fn text_of_others_does_nothing_on_a_terminal() {
    let folder = initialised();
    let hostile = r"\u001b[2J\u0007\u009b1A x\u202eevil\u2066\nb\tconfidential\tenabled\r\u0000";
    let client = format!(
        r#"{{"client_id":"a","client_name":"{hostile}","token_endpoint_auth_method":"none","redirect_uris":["https://a.example/cb"],"scope":"read","{hostile}":1}}"#
    );
    let harmless = |what: &str, output: &[u8]| {
        let text = String::from_utf8(output.to_vec()).unwrap();
        let acts =
            |c: char| (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{2069}').contains(&c);
        assert!(!text.chars().any(acts), "{what}: {text:?}");
        text
    };
    let output = run(&folder, &["client", "add", "--file", "-"], &client);
    let notices = harmless("notices", &output.stderr);
    harmless("added", &output.stdout);
    if output.status.success() {
        let list = harmless("list", &run(&folder, &["client", "list"], "").stdout);
        assert_eq!(list.lines().count(), 2, "{list}");
    } else {
        assert!(notices.contains("client_name"), "{notices}");
    }
    let output = run(&folder, &["client", "remove", "a\u{1b}[2J\u{202e}"], "");
    harmless("removed", &output.stderr);
    let wrong = client.replace("https://a.example/cb", r"https://a.example/\u001b[2J\u202e#\n");
    harmless("complaints", &run(&folder, &["client", "add", "--file", "-"], &wrong).stderr);
    for arguments in [
        &["check", "--set", "http.listen=\u{1b}[2J\u{202e}"][..],
        &["check", "--set", "\u{1b}[2J=1"],
        &["check", "--config", "\u{1b}[2J\u{202e}.toml"],
        &["user", "passwd", "ada\u{202e}\u{9b}"],
        &["user", "add", "ada\u{202e}\u{9b}"],
    ] {
        let output = run(&folder, arguments, "correct horse\n");
        harmless(&format!("{arguments:?}"), &output.stderr);
        harmless(&format!("{arguments:?}"), &output.stdout);
    }
    harmless("people", &run(&folder, &["user", "list"], "").stdout);
    fs::write(
        folder.join("bad.toml"),
        "issuer = 'https://id.example'\n\"\u{202e}\u{1b}[2J\" = 1\nx = \u{1b}[2J",
    )
    .unwrap();
    let said = harmless("TOML", &run(&folder, &["check", "--config", "bad.toml"], "").stderr);
    assert!(said.contains("line "), "{said}");
}

/// FR-06, JOSE-05: the second rotation of two at one moment finds the first; a shorter delay takes over from
/// a longer one.
#[test]
fn rotations_at_one_moment_leave_one_key_of_each_algorithm() {
    let folder = initialised();
    let rotations: Vec<_> = (0..4)
        .map(|_| {
            let mut rotate = chancery(&folder);
            rotate
                .args(["keys", "rotate"])
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped());
            rotate.spawn().unwrap()
        })
        .collect();
    for rotation in rotations {
        let output = rotation.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let going_on = |list: &str| {
        list.lines().filter(|line| line.contains("\tsigns from") || line.contains("\tsigns since ")).count()
    };
    let list = rows(&folder, &["keys", "list"]);
    assert_eq!(going_on(&list), 3, "{list}");
    run(&folder, &["keys", "rotate", "--sign-after", "0s"], "");
    let list = rows(&folder, &["keys", "list"]);
    assert_eq!((going_on(&list), list.matches("\tsigns since ").count()), (3, 3), "{list}");
}

/// JOSE-07, JOSE-05: a key for another algorithm signs at once, is there once, however often it is asked for, and is
/// rotated with the others. Clients can be registered for it.
#[test]
fn a_key_for_another_algorithm_is_added() {
    let folder = initialised();
    let write = |alg: &str| {
        let metadata = format!(
            r#"{{"client_id":"{alg}","redirect_uris":["https://a.example/cb"],
            "id_token_signed_response_alg":"{alg}"}}"#
        );
        fs::write(folder.join("client.json"), metadata).unwrap();
    };
    let add_client = ["client", "add", "--file", "client.json"];
    for alg in ["PS256", "EdDSA", "ES384"] {
        write(alg);
        let is_there = alg == "PS256";
        if !is_there {
            let said = refused(&folder, &add_client, "");
            assert!(said.contains("not an algorithm that this server signs with"), "{alg}: {said}");
            let made = rows(&folder, &["keys", "add", alg]);
            assert!(
                made.contains(&format!("\t{alg}\tsigning\tsigns since 2"))
                    && made.ends_with("\twithout an end\n")
                    && made.lines().count() == 1,
                "{made}"
            );
        }
        let again = refused(&folder, &["keys", "add", alg], "");
        assert!(again.contains("there is a key for it already"), "{alg}: {again}");
        done(&folder, &add_client, "");
    }
    // Both are names of the same algorithm (RFC 9864 section 2.2).
    assert!(refused(&folder, &["keys", "add", "Ed25519"], "").contains("there is a key for it already"));
    for bad in ["HS256", "none", "ps256", "PS256 ", "RSA", "RSA-OAEP", ""] {
        let said = refused(&folder, &["keys", "add", bad], "");
        assert!(
            said.contains("must be one of RS256, ") && said.contains(&format!("{bad:?}")),
            "{bad}: {said}"
        );
    }
    done(&folder, &["keys", "rotate"], "");
    let list = rows(&folder, &["keys", "list"]);
    assert_eq!(list.matches("\tsigns from ").count(), 5, "{list}");
    assert!(done(&folder, &["check"], "").contains("good"));
}

/// A key that is no secret any more is removed at once, whether it signs, will sign, or has signed;
/// afterwards one key of its algorithm signs, and goes on.
#[test]
fn a_compromised_key_is_removed_at_once() {
    let folder = initialised();
    let kids = |state: &str| -> Vec<String> {
        let list = rows(&folder, &["keys", "list"]);
        let lines = list.lines().filter(|line| line.contains("\tES256\t") && line.contains(state));
        lines.map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    let removed = |kid: &str| {
        let output = run(&folder, &["keys", "remove", kid], "");
        assert!(output.status.success(), "{kid}: {output:?}");
        let warning = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(warning.contains(&format!("nothing that {kid} signed is valid any more")), "{warning}");
        assert!(kids("").iter().all(|have| have != kid));
    };
    // The only one.
    let [first] = kids("signs").try_into().unwrap();
    removed(&first);
    let [second] = kids("signs").try_into().unwrap();
    // The one that will sign, and the one that signs meanwhile.
    done(&folder, &["keys", "rotate"], "");
    let [next] = kids("signs from").try_into().unwrap();
    removed(&next);
    assert_eq!(kids("\tsigns").len(), 1, "{:?}", kids(""));
    done(&folder, &["keys", "rotate"], "");
    let [now] = kids("signs until").try_into().unwrap();
    let [prepared] = kids("signs from").try_into().unwrap();
    removed(&now);
    assert_eq!(kids("\tsigns").len(), 1, "{:?}", kids(""));
    assert!(kids("never signed").contains(&prepared), "{}", rows(&folder, &["keys", "list"]));
    // One that counts only.
    if kids("").contains(&second) {
        removed(&second);
    }
    assert_eq!(kids("\tsigns").len(), 1);
    assert!(refused(&folder, &["keys", "remove", "nothing"], "").contains("there is no key nothing"));
    let check = done(&folder, &["check"], "");
    assert!(check.contains("good"), "{check}");
}

/// Nobody has signed in yet; who and what does not exist is said.
#[test]
fn sessions_are_listed_and_ended_by_person() {
    let folder = initialised();
    assert_eq!(done(&folder, &["session", "list", "alice"], ""), "");
    let ended = done(&folder, &["session", "end", "alice"], "");
    assert_eq!(ended, "there was no session to end\n");
    let none = refused(&folder, &["session", "end", "alice", "-no-such-session"], "");
    assert!(none.contains("no such session; `chancery session list alice`"), "{none}");
    for command in ["list", "end"] {
        let nobody = refused(&folder, &["session", command, "nobody"], "");
        assert!(nobody.contains("nobody") || nobody.contains("no "), "{nobody}");
    }
}

/// People read the name of a client, and its `client_id` where it has none.
#[test]
fn a_client_without_a_name_is_noticed() {
    let folder = initialised();
    let add = |more: &[&str]| {
        let output = run(&folder, &[&["client", "add", "--kind"], more].concat(), "");
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let redirect = ["--redirect-uri", "https://photos.example/cb"];
    let said = add(&[&["web", "--id", "photos"], &redirect[..]].concat());
    assert!(
        said.contains("photos: has no name, so that people will read \"to continue to photos\""),
        "{said}"
    );
    assert!(said.contains("`--name`") && said.contains("client update photos"), "{said}");
    let said = add(&[&["web", "--id", "my photos"], &redirect[..]].concat());
    assert!(said.contains("`chancery client update 'my photos' "), "{said}");
    assert_eq!(add(&[&["web", "--name", "Photos"], &redirect[..]].concat()), "");
    assert_eq!(add(&["machine"]), "", "nobody reads its name");
}

/// Whoever forgets the password hears of that, and not of rules for passwords.
#[test]
fn no_password_is_no_short_one() {
    let folder = initialised();
    for nothing in ["", "\n"] {
        let said = refused(&folder, &["user", "add", "bob"], nothing);
        assert!(said.contains("no password came") && said.contains("--password-file"), "{said}");
    }
    let file = folder.join("password");
    fs::write(&file, "").unwrap();
    let said = refused(&folder, &["user", "add", "bob", "--password-file", file.to_str().unwrap()], "");
    assert!(said.contains("password: has no password"), "{said}");
}

/// The log names people by their id alone, and who is in a hurry copies that.
#[test]
fn a_person_is_found_by_their_id_too() {
    let folder = initialised();
    let list = done(&folder, &["user", "list", "--json"], "");
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let id = list[0]["id"].as_str().unwrap();
    assert!(done(&folder, &["user", "show", id], "").contains("alice"));
    done(&folder, &["user", "disable", id], "");
    assert!(done(&folder, &["user", "list"], "").contains("disabled"));
    done(&folder, &["user", "enable", id], "");
    done(&folder, &["session", "end", id], "");
    assert!(refused(&folder, &["user", "show", "nobody"], "").contains("no such user"));
}

/// What is there already is said before a password is asked for, with what changes it.
#[test]
fn what_exists_is_refused_with_what_changes_it() {
    let folder = initialised();
    let said = refused(&folder, &["user", "add", "alice", "--password-file", "nope"], "");
    assert!(said.contains("`chancery user set`") && said.contains("`chancery user passwd`"), "{said}");
    let said = refused(&folder, &["user", "add", "bob", "--password-file", "nope"], "");
    assert!(said.starts_with("--password-file: nope: ") && said.contains("name a file"), "{said}");
    let add = ["client", "add", "--kind", "spa", "--id", "app", "--redirect-uri", "https://app.example/"];
    done(&folder, &add, "");
    let said = refused(&folder, &add, "");
    let (update, remove) =
        (said.find("`chancery client update app"), said.find("`chancery client remove app`"));
    assert!(update.is_some() && update < remove, "{said}");
}

/// The issuer is there for ever, so that what is probably no issuer is told before.
#[test]
fn an_issuer_that_is_probably_none_is_told() {
    let folder = folder();
    let said = refused(
        &folder,
        &["init", "--no-user", "--issuer", "https://id.example.org/auth/.well-known/openid-configuration"],
        "",
    );
    assert!(said.contains("the issuer is probably https://id.example.org/auth\n"), "{said}");
    for (issuer, noticed) in [
        ("https://10.0.0.5", "10.0.0.5 is an address"),
        ("https://[2001:db8::1]:8443/a", "2001:db8::1 is an address"),
        ("https://localhost:8443", "localhost leads everybody to their own machine"),
        ("https://127.0.0.1", "127.0.0.1 leads everybody to their own machine"),
        ("http://localhost:8080", ""),
        ("https://id.example.org", ""),
    ] {
        let folder = crate::support::folder();
        let output = run(&folder, &["init", "--no-user", "--issuer", issuer], "");
        assert!(output.status.success(), "{issuer}: {output:?}");
        let checked = run(&folder, &["check"], "");
        assert!(checked.status.success(), "{issuer}: {checked:?}");
        for stderr in [output.stderr, checked.stderr] {
            let said = String::from_utf8(stderr).unwrap();
            assert!(said.contains(noticed) && said.is_empty() == noticed.is_empty(), "{issuer}: {said}");
        }
    }
}
