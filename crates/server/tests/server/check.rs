//! `chancery check`.

use std::fs;

use crate::support::{done, initialised, refused, run};

/// A22, CONF-02: three seeded complaints at once, each with setting, rule and section.
#[test]
fn check_names_three_complaints_at_once() {
    let folder = initialised();
    let path = folder.join("chancery.toml");
    let good = fs::read_to_string(&path).unwrap();
    let (before, codes) = good.split_once("[authorization_code]").unwrap();
    let before = before
        .replace("issuer = \"https://id.example.org\"", "issuer = \"http://id.example.org\"\nisuer = \"x\"");
    let codes = codes.replacen("# lifetime = \"1m\"", "lifetime = \"11 minutes\"", 1);
    let bad = format!("{before}[authorization_code]{codes}");
    assert_ne!(good, bad);
    fs::write(&path, bad).unwrap();
    let said = refused(&folder, &["check"], "");
    for part in [
        "isuer: there is no such setting; did you mean `issuer`?",
        "issuer: http is for localhost, 127.0.0.1 and [::1] alone: it must begin with https://; it is \"http://id.example.org\"",
        "RFC 8414",
        "authorization_code.lifetime: write \"11m\": a duration is",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert_eq!(said.lines().count(), 3, "{said}");
}

/// Each compatibility setting is listed with the section that it leaves, and a strict check refuses it.
#[test]
fn check_names_what_the_configuration_loosens() {
    let folder = initialised();
    assert!(!done(&folder, &["check"], "").contains("loosened"));
    for (setting, value, section) in [
        ("any_redirect_scheme", "true", "OIDC Registration section 2"),
        ("empty_scope_members", "true", "RFC 6749 section 3.3"),
        ("hybrid", "true", "RFC 9700 section 2.1.2"),
        ("implicit", "true", "RFC 9700 section 2.1.2"),
        ("normalised_redirect_match", "true", "RFC 9700 section 2.1"),
        ("pkce_optional", "confidential", "RFC 9700 section 2.1.1"),
        ("pkce_optional", "always", "RFC 9700 section 2.1.1"),
        ("pkce_plain", "true", "RFC 9700 section 2.1.1"),
        ("query_access_token", "true", "RFC 9700 section 4.3.2"),
        ("request_object_merging", "true", "RFC 9101 section 6.3"),
        ("unauthenticated_introspection", "true", "RFC 7662 section 4"),
        ("unsigned_id_token", "true", "RFC 8725 section 3.2"),
        ("unsigned_request_object", "true", "RFC 9101 section 10.5"),
        ("wildcard_redirect_uris", "true", "RFC 9700 section 2.1"),
    ] {
        let set = format!("compatibility.{setting}={value}");
        let said = done(&folder, &["check", "--set", &set], "");
        assert!(said.contains(&format!("loosened: compatibility.{setting} ({section})\n")), "{said}");
        assert!(!run(&folder, &["check", "--strict", "--set", &set], "").status.success(), "{set}");
    }
}

/// What fails a check, as `check --help` says it.
#[test]
fn the_exit_code_says_whether_a_check_has_failed() {
    let folder = initialised();
    let warned = ["--set", "management.listen=0.0.0.0:9090"];
    let loosened = ["--set", "compatibility.hybrid=true"];
    for (flags, expected) in [
        (&[][..], 0),
        (&warned, 0),
        (&["--strict", warned[0], warned[1]], 0),
        (&loosened, 0),
        (&["--strict", loosened[0], loosened[1]], 1),
        (&["--set", "realm=Main"], 1),
        // It is far from all that FAPI demands.
        (&["--report"], 0),
        (&["--report", "rfc9700", "--set", "realm=Main"], 1),
        (&["--strickt"], 2),
    ] {
        let output = run(&folder, &[&["check"], flags].concat(), "");
        assert_eq!(output.status.code(), Some(expected), "{flags:?}: {output:?}");
    }
    let help = done(&folder, &["check", "--help"], "");
    assert!(help.contains("The exit code is 1 if"), "{help}");
}

/// A setting that is a table is only in the file.
#[test]
fn check_names_front_ends_that_carry_no_handle() {
    let folder = initialised();
    let path = folder.join("chancery.toml");
    let before = fs::read_to_string(&path).unwrap();
    let table = "[compatibility]\nstored_interactions_by_client = { parameter = \"app_id\" }\n";
    fs::write(&path, before.replace("[compatibility]\n", table)).unwrap();
    assert!(refused(&folder, &["check"], "").contains("needs interaction.location"));
    // Another port is another origin of the same site.
    let issuer = before.lines().find_map(|line| line.strip_prefix("issuer = ")).unwrap().trim_matches('"');
    let location = format!("interaction.location={issuer}:5173/");
    let said = done(&folder, &["check", "--set", &location], "");
    let named = "loosened: compatibility.stored_interactions_by_client (OIDC Core section 3.1.2.3)\n";
    assert!(said.contains(named), "{said}");
    assert!(!run(&folder, &["check", "--strict", "--set", &location], "").status.success());
}

/// RFC 9101 section 10.4: hosts of the internal network that strangers can have asked are listed; not if nobody can
/// register a client, or no host is named.
#[test]
fn check_names_hosts_that_strangers_reach() {
    let folder = initialised();
    let settings =
        ["fetch.allow_hosts=intern.example", "fetch.allow_hosts_for=everybody", "registration.access=open"];
    for missing in [None, Some(0), Some(1), Some(2)] {
        let set = settings.iter().enumerate().filter(|(at, _)| missing != Some(*at));
        let flags: Vec<&str> = ["check"].into_iter().chain(set.flat_map(|(_, set)| ["--set", set])).collect();
        let said = done(&folder, &flags, "");
        let is_listed = said.contains("loosened: fetch.allow_hosts_for (RFC 9101 section 10.4)\n");
        assert_eq!(is_listed, missing.is_none(), "{said}");
    }
    let wrong = refused(&folder, &["check", "--set", "fetch.allow_hosts_for=strangers"], "");
    assert!(wrong.contains("allow_hosts_for"), "{wrong}");
}

/// Values that are of the right form, and still wrong together.
#[test]
fn check_asks_the_engine_and_the_files() {
    let folder = initialised();
    let flags =
        ["--set", "session.idle=91d", "--set", "tls.listen=127.0.0.1:0", "--set", "tls.certificate=no.pem"];
    let other = "interaction.location=https://a.example/";
    let check = ["check", "--set", "tls.key=no.pem", "--set", other];
    let said = refused(&folder, &[&check, &flags[..]].concat(), "");
    let parts = ["session.idle", "no.pem", "interaction.location"];
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
}

/// FETCH-05: the authorities and hosts of the operator's own are read before anything is fetched.
#[test]
fn check_reads_what_other_servers_need() {
    let folder = initialised();
    let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    fs::write(folder.join("own.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let check = |roots: &str, hosts: &str| {
        let hosts = format!("fetch.allow_hosts={hosts}");
        let roots = format!("fetch.extra_roots={roots}");
        run(&folder, &["check", "--set", &hosts, "--set", &roots], "")
    };
    assert!(check("own.pem", "intern.example,other.example:8443,[fd00::1]:1").status.success());
    for (roots, hosts, said) in [
        ("missing.pem", "a.example", "fetch.extra_roots: "),
        ("own.pem,key.pem", "a.example", "key.pem: it has no certificate: it must be PEM"),
        ("own.pem", "https://a.example", "fetch.allow_hosts: `https://a.example` must be"),
        ("own.pem", "*.example", "fetch.allow_hosts: `*.example` must be `host` or `host:port`"),
        ("own.pem", "10.0.0.0/8", "fetch.allow_hosts: `10.0.0.0/8` must be"),
        ("own.pem", "a.example:0", "fetch.allow_hosts: `a.example:0` must be"),
    ] {
        let output = check(roots, hosts);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(said), "{roots} {hosts}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    let said = refused(&folder, &["serve", "--set", "fetch.extra_roots=missing.pem"], "");
    assert!(said.contains("fetch.extra_roots: ") && said.contains("missing.pem"), "{said}");
}

/// RI-01, CONF-02: one line for each mistake in a `[[resource_server]]`, which says in which one it is.
#[test]
fn check_names_what_is_wrong_with_a_resource_server() {
    let folder = initialised();
    let path = folder.join("chancery.toml");
    let good = fs::read_to_string(&path).unwrap();
    let clients = r#"[{"client_id":"api","response_types":[],"grant_types":["client_credentials"]},
        {"client_id":"spa","redirect_uris":["https://spa.example/cb"],"token_endpoint_auth_method":"none"}]"#;
    done(&folder, &["client", "add", "--file", "-"], clients);
    let check = |blocks: &str, expected: &[&str]| {
        fs::write(&path, format!("{good}\n{blocks}\n")).unwrap();
        if expected.is_empty() {
            return assert!(done(&folder, &["check", "--strict"], "").contains("is good"));
        }
        let said = refused(&folder, &["check"], "");
        assert_eq!(said.lines().count(), expected.len(), "{blocks}: {said}");
        for line in expected {
            assert!(said.contains(line), "{line} in {said}");
        }
    };
    check("[[resource_server]]\nuri = \"urn:a\"\n[[resource_server]]\nuri = \"https://b.example\"", &[]);
    check("[[resource_server]]\nuri = \"urn:a\"\nformat = \"jwt\"\nintrospected_by = [\"api\"]", &[]);
    check("[resource_server]\nuri = \"urn:a\"", &["resource_server: must be written as [[resource_server]]"]);
    check(
        "[[resource_server]]\nuri = \"urn:a\"\n[[resource_server]]\nuri = \"/b\"\n[[resource_server]]\nname = \"C\"",
        &[
            "resource_server: number 2: uri must be an absolute URI",
            "resource_server: number 3: uri is missing",
        ],
    );
    for (uri, expected) in [
        (
            "https://a.example/#x",
            "without a fragment, such as \"https://api.example.org\"; it is \"https://a.example/#x\"",
        ),
        ("", "number 1: uri must be"),
        ("https://id.example.org", "uri must not be the issuer"),
    ] {
        check(&format!("[[resource_server]]\nuri = \"{uri}\""), &[expected]);
    }
    for (member, expected) in [
        ("scope = [\"read\"]", "resource_server.scope: there is no such setting; did you mean `scopes`?"),
        ("nonsense = 1", "resource_server.nonsense: there is no such setting"),
        ("scopes = \"read\"", "urn:a: scopes: must be a list, and is the string \"read\""),
        ("scopes = [\"re ad\"]", "urn:a: scopes: number 1, \"re ad\", is several scopes, which stand by"),
        ("scopes = [\"email\"]", "urn:a: scope email belongs to the authorization server itself"),
        ("scopes = [\"openid\"]", "urn:a: scope openid belongs to the authorization server itself"),
        ("format = \"JWT\"", "urn:a: format: must be `opaque` or `jwt`, and is `JWT`; did you mean jwt?"),
        ("alg = \"none\"", "urn:a: alg: \"none\" is none of RS256, "),
        ("lifetime = \"5\"", "urn:a: lifetime: a duration is whole numbers with a unit"),
        ("lifetime = \"0s\"", "urn:a: lifetime must be at least 1s"),
        ("name = \" \"", "urn:a: name must not be empty"),
        ("any_client = \"yes\"", "urn:a: any_client: must be true or false, and is the string \"yes\""),
        ("encryption = { alg = \"ECDH-ES\" }", "urn:a: encryption: missing field `key`"),
        (
            "encryption = { alg = \"ECDH-ES\", key = \"x\" }",
            "urn:a: encryption: key must be a public JWK as JSON, such as {\"kty\": \"EC\", ...}: it is not the expected JSON object",
        ),
        ("introspected_by = [\"nobody\"]", "urn:a: introspected_by: nobody is no client that is registered"),
        ("introspected_by = [\"spa\"]", "urn:a: introspected_by: spa does not authenticate"),
    ] {
        check(&format!("[[resource_server]]\nuri = \"urn:a\"\n{member}"), &[expected]);
    }
    check(
        "[[resource_server]]\nuri = \"urn:a\"\n[[resource_server]]\nuri = \"urn:a\"",
        &["resource_server: urn:a: is the uri of two resource servers, number 1 and number 2"],
    );
    // A resource server that is taken out of the configuration, while a client is still registered for it.
    fs::write(&path, format!("{good}\n[[resource_server]]\nuri = \"urn:a\"\n")).unwrap();
    let client = r#"{"client_id":"app","redirect_uris":["https://app.example/cb"],"chancery":{"resources":["urn:a"]}}"#;
    done(&folder, &["client", "add", "--file", "-"], client);
    check("", &["client app: chancery.resources: must be uris of a [[resource_server]]"]);
}

/// What no key signs would be a fault with every token.
#[test]
fn check_names_a_resource_server_that_nothing_signs_for() {
    let folder = initialised();
    let path = folder.join("chancery.toml");
    let good = fs::read_to_string(&path).unwrap();
    for (alg, expected) in
        [("PS512", "there is no key for PS512"), ("HS256", "alg must be one with a public key")]
    {
        let server = format!(
            "\n[[resource_server]]\nuri = \"https://api.example\"\nformat = \"jwt\"\nalg = \"{alg}\"\n"
        );
        fs::write(&path, good.clone() + &server).unwrap();
        let said = refused(&folder, &["check"], "");
        assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
        assert!(refused(&folder, &["serve"], "").contains(expected));
    }
}

/// A mistake of form does not hide a mistake of rule, and neither is said twice.
#[test]
fn check_names_settings_and_what_to_do() {
    let folder = initialised();
    let said = refused(
        &folder,
        &["check", "--set", "session.idle=91d", "--set", "throttle.failures=-1", "--set", "realm"],
        "",
    );
    for begin in ["session.idle: ", "throttle.failures: ", "--set realm: must be SETTING=VALUE"] {
        assert!(said.lines().any(|line| line.starts_with(begin)), "{begin} in {said}");
    }
    assert_eq!(said.lines().count(), 3, "{said}");
    let said = refused(&folder, &["check", "--set", "http.listen=", "--config", "no.toml"], "");
    assert!(said.contains("no.toml") && said.contains("chancery init"), "{said}");
    fs::remove_file(folder.join("wrapping.key")).unwrap();
    assert!(refused(&folder, &["serve"], "").starts_with("keys.wrapping_key: "));
}

/// FAPI-06: a client that was registered before the profile of the server was raised is listed with each demand that it
/// breaks and the section, and is not registered anew. One with a profile of its own is held to that.
#[test]
fn check_names_the_demands_that_clients_break() {
    let folder = initialised();
    let plain = r#"{"client_id":"plain","redirect_uris":["https://plain.example/cb"]}"#;
    done(&folder, &["client", "add", "--file", "-"], plain);
    assert!(!done(&folder, &["check", "--strict"], "").contains("client plain"));
    let raised = ["--set", "profile=fapi2-security", "--set", "dpop.offered=true"];
    let said = refused(&folder, &[&["check"][..], &raised].concat(), "");
    let named: Vec<&str> = said.lines().filter(|line| line.starts_with("client plain: ")).collect();
    assert_eq!(
        named,
        [
            "client plain: token_endpoint_auth_method: must be private_key_jwt, tls_client_auth or \
             self_signed_tls_client_auth, not client_secret_basic (FAPI 2.0 Security Profile section 5.3.2.1-6)",
            "client plain: id_token_signed_response_alg: must be PS256, ES256, EdDSA or Ed25519, \
             not RS256 (FAPI 2.0 Security Profile section 5.4.1-1)",
        ],
        "{said}"
    );
    let other = plain.replace("plain", "other");
    let said = refused(&folder, &[&["client", "add", "--file", "-"][..], &raised].concat(), &other);
    assert!(
        said.contains("token_endpoint_auth_method: must be private_key_jwt, tls_client_auth or self_signed"),
        "{said}"
    );
    let own = r#"{"chancery":{"profile":"fapi2-security"}}"#;
    let said = refused(&folder, &["client", "set", "plain", "--file", "-"], own);
    assert!(said.contains("FAPI 2.0 Security Profile section 5.3.2.1-6"), "{said}");
    // Its own profile demands what the server does not offer: it is not stored, and told if it was stored before.
    let key = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let bank = format!(
        r#"{{"client_id":"bank","redirect_uris":["https://bank.example/cb"],"jwks":{{"keys":[{key}]}},
        "token_endpoint_auth_method":"private_key_jwt","id_token_signed_response_alg":"ES256",
        "chancery":{{"profile":"fapi2-security"}}}}"#
    );
    let add = ["client", "add", "--file", "-"];
    let [pushed, bound] = [
        "chancery.profile: needs pushed requests, which are not offered here: set pushed_requests.offered \
         (FAPI 2.0 Security Profile section 5.3.2.2-3)",
        "chancery.profile: needs access tokens that are bound to their sender: set dpop.offered or \
         mtls.certificate_bound_access_tokens (FAPI 2.0 Security Profile section 5.3.2.1-4)",
    ];
    let said = refused(&folder, &add, &bank);
    assert!(said.contains(pushed) && said.contains(bound), "{said}");
    let offered = ["--set", "pushed_requests.offered=true", "--set", "dpop.offered=true"];
    done(&folder, &[&add[..], &offered].concat(), &bank);
    done(&folder, &[&["check"][..], &offered].concat(), "");
    let said = refused(&folder, &["check"], "");
    for complaint in [pushed, bound] {
        assert!(said.contains(&format!("client bank: {complaint}")), "{said}");
    }
    // Settings that contradict the profile keep the server from starting.
    let said = refused(
        &folder,
        &["check", "--set", "profile=fapi2-security", "--set", "compatibility.implicit=true"],
        "",
    );
    let complaint = "compatibility.implicit: must be left out: profile is fapi2-security; it is true (FAPI 2.0 Security Profile section 5.3.2.2-1)";
    assert!(said.contains(complaint), "{said}");
}

/// FAPI-06: a profile demands bound tokens, and a server that has no way to bind one would refuse every token request.
#[test]
fn check_misses_a_way_to_bind_tokens() {
    let folder = initialised();
    let ways = "profile: needs access tokens that are bound to their sender: set ";
    for (settings, missing) in [
        (&["profile=baseline"][..], None),
        (&["profile=fapi2-security"], Some("dpop.offered or mtls.certificate_bound_access_tokens")),
        (&["profile=fapi2-security", "dpop.offered=true"], None),
        (
            &["profile=fapi1-advanced", "response_modes.jwt=true", "dpop.offered=true"],
            Some("mtls.certificate_bound_access_tokens"),
        ),
        (
            &[
                "profile=fapi1-advanced",
                "response_modes.jwt=true",
                "mtls.certificate_bound_access_tokens=true",
                "http.client_certificate=rfc9440",
                "http.client_certificate_proxies=127.0.0.1",
            ],
            None,
        ),
    ] {
        let set = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> = ["check"].into_iter().chain(set).collect();
        let Some(missing) = missing else {
            done(&folder, &arguments, "");
            continue;
        };
        let said = refused(&folder, &arguments, "");
        assert!(said.starts_with(&format!("{ways}{missing}; it is \"fapi")), "{settings:?}: {said}");
    }
}

/// The report names each demand with its section, and whatever breaks it; the same as text and as JSON. It follows the
/// settings.
#[test]
fn check_grades_the_configuration() {
    let folder = initialised();
    let clients = r#"[{"client_id":"one","redirect_uris":["https://one.example/cb"]},
        {"client_id":"other","redirect_uris":["https://other.example/cb"]}]"#;
    done(&folder, &["client", "add", "--file", "-"], clients);
    let said = done(&folder, &["check", "--report"], "");
    for line in [
        "clients: 2",
        "RFC 9700, Best Current Practice for OAuth 2.0 Security  6 of 6 demands are met, 5 of 7 recommendations are followed",
        "  met      No access token is accepted in a query (RFC 9700 section 4.3.2)",
        "  advised  Clients authenticate with a key of their own (RFC 9700 section 2.5)",
        "  NOT MET  Authorization requests are pushed (FAPI 2.0 Security Profile section 5.3.2.2-3)",
        "           clients one, other: chancery.profile: must be fapi2-security, of the client or of the server",
        "           clients one, other: token_endpoint_auth_method: should be private_key_jwt, tls_client_auth, self_signed_tls_client_auth or none, not client_secret_basic",
    ] {
        assert!(said.lines().any(|found| found == line), "{line} in {said}");
    }
    let loosened = ["check", "--report", "--set", "compatibility.query_access_token=true"];
    let said = done(&folder, &loosened, "");
    let broken = "  NOT MET  No access token is accepted in a query (RFC 9700 section 4.3.2)\n           \
                  compatibility.query_access_token: must be left out\n";
    assert!(said.contains(broken), "{said}");
    let one = done(&folder, &["check", "--report", "oauth-2.1"], "");
    assert_eq!((one.matches("OAuth 2.1 (").count(), one.matches("RFC 9700,").count()), (2, 0), "{one}");
    assert!(refused(&folder, &["check", "--report", "rfc6749"], "").contains("fapi2-message-signing"));
    let long = ["check", "--report", "--set", "pushed_requests.lifetime=10m"];
    let said = done(&folder, &long, "");
    let broken = "  NOT MET  Pushed requests are short-lived (FAPI 2.0 Security Profile section 5.3.2.2-12)\n           \
                  pushed_requests.lifetime: must be at most 599s\n";
    assert!(said.contains(broken), "{said}");
    let json = done(&folder, &[&loosened[..], &["--format", "json"]].concat(), "");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let standards: Vec<_> =
        json.as_array().unwrap().iter().map(|report| report["standard"].as_str().unwrap()).collect();
    assert_eq!(
        standards,
        ["rfc9700", "oauth-2.1", "fapi1-advanced", "fapi2-security", "fapi2-message-signing"]
    );
    let grades = json.pointer("/0/grades").and_then(|grades| grades.as_array()).unwrap();
    let of_query = grades.iter().find(|grade| grade["section"] == "RFC 9700 section 4.3.2").unwrap();
    assert_eq!(
        *of_query,
        serde_json::json!({
            "demand": "No access token is accepted in a query", "section": "RFC 9700 section 4.3.2",
            "level": "required", "is_met": false,
            "breaches": [{"setting": "compatibility.query_access_token", "remedy": "must be left out"}]
        })
    );
    for wrong in [&["check", "--report", "--strict"][..], &["check", "--format", "json"]] {
        assert!(!run(&folder, wrong, "").status.success(), "{wrong:?}");
    }
}
