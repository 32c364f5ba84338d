//! RFC 7592, dynamic client registration management.

use chancery_core::endpoint::registration::{
    REGISTRATION_TOKEN_UNKNOWN, RegistrationAccess, RegistrationConfig, TOO_MANY_REGISTRATIONS,
};
use chancery_testkit::{
    Answer, NegativeTable, Refused, TestProvider, TestProviderBuilder, assert_refused, json_request,
};
use http::{Method, Request};
use serde_json::{Value, json};

fn managed() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| {
        config.registration = RegistrationConfig {
            access: RegistrationAccess::Open,
            management: true,
            network_quota: 0,
            ..RegistrationConfig::default()
        };
    })
}

fn web() -> Value {
    json!({ "redirect_uris": ["https://rp.example/cb"], "client_name": "Before", "contacts": ["a@rp.example"] })
}

/// What a client sends to change itself: what it registered, and its id.
fn change_of(given: &Answer) -> Value {
    json!({ "client_id": given["client_id"], "redirect_uris": ["https://rp.example/cb"] })
}

fn put(kit: &TestProvider, given: &Answer, body: &Value) -> Answer {
    kit.send(kit.management_request(&Method::PUT, given, Some(body)))
}

fn get(kit: &TestProvider, given: &Answer) -> Answer {
    kit.send(kit.management_request(&Method::GET, given, None))
}

fn delete(kit: &TestProvider, given: &Answer) -> Answer {
    kit.send(kit.management_request(&Method::DELETE, given, None))
}

/// CONF-04: management is on by its own setting, and only together with registration.
#[test]
fn management_has_its_own_switch() {
    let kit = TestProvider::builder()
        .configure(|config| config.registration.access = RegistrationAccess::Open)
        .build();
    let given = kit.register(&web()).expect_status(201);
    let path = format!("/clients/{}", given.member("client_id"));
    assert_eq!(kit.send(json_request(&Method::GET, &path, Some("x"), b"")).status, 404);
    let alone = TestProvider::builder().configure(|config| config.registration.management = true).try_build();
    assert!(alone.is_err_and(|complaints| complaints[0].setting == "registration.management"));
}

/// REG-09, REGM-01, META-28: a client reads itself, with the same token again.
#[test]
fn a_client_reads_itself() {
    let kit = managed().build();
    let mut metadata = web();
    metadata["initiate_login_uri"] = json!("https://rp.example/login");
    let given = kit.register(&metadata).expect_status(201);
    let id = given.member("client_id");
    assert_eq!(given["registration_client_uri"], format!("https://id.example/clients/{id}"));
    assert_eq!(given["initiate_login_uri"], "https://rp.example/login");
    let read = get(&kit, &given).expect_status(200);
    let mut expected = given.json().clone();
    // Only its digest is kept.
    expected.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(read.json(), &expected);
    assert_eq!(read.header("cache-control"), Some("no-store"));
    assert!(read.events.is_empty());
}

/// REGM-05, REGM-06, REGM-07, REGM-08, REGM-10: an update replaces everything that was registered, keeps
/// secret and id, and replaces the token.
#[test]
fn a_client_changes_itself() {
    let kit = managed().build();
    let given = kit.register(&web()).expect_status(201);
    let tokens = kit.tokens("alice", given.member("client_id"), "openid");
    let mut change = change_of(&given);
    change["client_secret"] = given["client_secret"].clone();
    change["client_name"] = json!("After");
    change["contacts"] = Value::Null;
    change["policy_uri"] = json!("");
    let changed = put(&kit, &given, &change).expect_status(200);
    assert_eq!(changed.event_names(), ["client_updated"]);
    assert_eq!(changed["client_name"], "After");
    for absent in ["contacts", "policy_uri", "client_secret", "chancery"] {
        assert_eq!(changed.json().get(absent), None, "{absent}");
    }
    for same in ["client_id", "client_id_issued_at", "client_secret_expires_at", "registration_client_uri"] {
        assert_eq!(changed[same], given[same], "{same}");
    }
    assert_ne!(changed["registration_access_token"], given["registration_access_token"]);
    assert_refused!(get(&kit, &given).expect_status(401), REGISTRATION_TOKEN_UNKNOWN);
    assert_eq!(get(&kit, &changed).expect_status(200)["client_name"], "After");
    // It is the same client, with the same secret.
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 200);
    let _ = kit.tokens("alice", given.member("client_id"), "openid");
}

/// REGM-07: a secret is made when the client needs one that it did not need before, and goes when it needs
/// none any more.
#[test]
fn a_secret_follows_the_method_and_the_algorithms() {
    let kit = managed().build();
    let given = kit.register(&web()).expect_status(201);
    let update = |given: &Answer, members: &[(&str, &str)]| {
        let mut change = change_of(given);
        members.iter().for_each(|(name, value)| change[*name] = json!(value));
        put(&kit, given, &change).expect_status(200)
    };
    let public = update(&given, &[("token_endpoint_auth_method", "none")]);
    assert_eq!((&public["client_secret"], &public["client_secret_expires_at"]), (&Value::Null, &Value::Null));
    let again = update(&public, &[]);
    assert_ne!(again["client_secret"], given["client_secret"]);
    assert_eq!(again.member("client_secret").len(), 43);
    // The key of an HMAC has to be kept, so the client gets another secret, or sends the one that it has.
    let made = update(&again, &[("id_token_signed_response_alg", "HS256")]);
    assert_ne!(made["client_secret"], again["client_secret"]);
    let longer = update(&made, &[("id_token_signed_response_alg", "HS512")]);
    assert!(longer.member("client_secret").len() >= 64);
    let same = update(&longer, &[("id_token_signed_response_alg", "HS256")]);
    assert_eq!(same["client_secret"], Value::Null);
    // So has the secret from which a key for encryption is derived (OIDC Core section 10.2).
    let plain = update(&update(&same, &[("token_endpoint_auth_method", "none")]), &[]);
    let made = update(&plain, &[("id_token_encrypted_response_alg", "dir")]);
    assert!(made["client_secret"].is_string() && made["client_secret"] != plain["client_secret"]);
    let same = update(&made, &[("id_token_encrypted_response_alg", "A128KW")]);
    assert_eq!(same["client_secret"], Value::Null);

    let given = kit.register(&web()).expect_status(201);
    let secret = given.member("client_secret");
    let sent = update(&given, &[("id_token_signed_response_alg", "HS256"), ("client_secret", secret)]);
    assert_eq!(sent["client_secret"], secret);
    let _ = kit.tokens("alice", given.member("client_id"), "openid");
}

/// An update decides nothing that is an operator's to decide.
#[test]
fn what_an_operator_decides_stays() {
    let kit = managed().build();
    let given = kit.register(&web()).expect_status(201);
    let id = given.member("client_id");
    let mut change = change_of(&given);
    change["chancery"] = json!({ "consent": "implied" });
    let changed = put(&kit, &given, &change).expect_status(200);
    let ua = kit.user_agent();
    let _ = kit.authorization_request(id).scope("openid").open(&ua).login("alice").expect_page("consent");
    assert_eq!(changed.json().get("chancery"), None);
}

/// An update that has this server ask another address than before costs what a new client costs; any other is free.
#[test]
fn addresses_that_are_asked_have_a_quota() {
    let kit = managed().configure(|config| config.registration.network_quota = 4).build();
    let keys = |host: &str| json!(format!("https://{host}.example/jwks"));
    let mut metadata = web();
    metadata["jwks_uri"] = keys("a");
    let mut given = kit.register(&metadata).expect_status(201);
    let update = |given: &Answer, members: &[(&str, Value)]| {
        let mut change = change_of(given);
        members.iter().for_each(|(name, value)| change[*name] = value.clone());
        put(&kit, given, &change)
    };
    for name in ["b", "c", "d", "e"] {
        let free = [("jwks_uri", keys("a")), ("client_name", json!(name)), ("logo_uri", keys("logo"))];
        given = update(&given, &free).expect_status(200);
    }
    let requests = json!(["https://r.example/1", "https://r.example/2"]);
    for (name, value) in
        [("jwks_uri", keys("b")), ("backchannel_logout_uri", keys("c")), ("request_uris", requests)]
    {
        given = update(&given, &[(name, value)]).expect_status(200);
    }
    // What it has not asked for a while is another address again.
    let refused = update(&given, &[("jwks_uri", keys("a"))]).expect_status(429);
    assert_refused!(refused, TOO_MANY_REGISTRATIONS);
    let read = get(&kit, &given).expect_status(200);
    assert_eq!(read["request_uris"], given["request_uris"], "nothing has changed");
    assert_eq!(kit.register(&web()).status, 429, "it is one quota");
    let _ = update(&given, &[]).expect_status(200);
}

/// REGM-09, REGM-10: what was issued to a removed client ends with it.
#[test]
fn a_client_removes_itself() {
    let kit = managed().build();
    let given = kit.register(&web()).expect_status(201);
    let other = kit.register(&web()).expect_status(201);
    let id = given.member("client_id");
    let tokens = kit.tokens("alice", id, "openid");
    let code = kit.code("alice", id, "openid");
    let removed = delete(&kit, &given).expect_status(204);
    assert_eq!((removed.body.len(), removed.event_names()), (0, vec!["client_removed"]));
    assert_eq!(removed.header("content-type"), None);
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 401);
    assert_eq!(kit.exchange(&code).expect_status(401)["error"], "invalid_client");
    let ua = kit.user_agent();
    let _ = kit.authorization_request(id).open(&ua).expect_page("error");
    for again in [get(&kit, &given), delete(&kit, &given), put(&kit, &given, &change_of(&given))] {
        assert_refused!(again.expect_status(401), REGISTRATION_TOKEN_UNKNOWN);
    }
    let _ = get(&kit, &other).expect_status(200);
}

/// REGM-02, REGM-03, REGM-04, REG-12: only the client's own token, only in the header; another client's, an
/// unknown client's and one that an operator registered look alike.
#[test]
fn what_a_token_is_not_good_for() {
    let kit = managed().build();
    let given = kit.register(&web()).expect_status(201);
    let other = kit.register(&web()).expect_status(201);
    let path = format!("/clients/{}", given.member("client_id"));
    let token = given.member("registration_access_token");
    let access = kit.tokens("alice", given.member("client_id"), "openid");
    let change = change_of(&given).to_string();
    let to = |path: &str, token: Option<&str>| -> Vec<(&'static str, Request<bytes::Bytes>)> {
        vec![
            ("GET", json_request(&Method::GET, path, token, b"")),
            ("PUT", json_request(&Method::PUT, path, token, change.as_bytes())),
            ("DELETE", json_request(&Method::DELETE, path, token, b"")),
        ]
    };
    let in_query = format!("{path}?access_token={token}");
    let refused = Refused::Json(401, "invalid_token");
    let rows = [
        ("another client's", path.as_str(), Some(other.member("registration_access_token"))),
        ("an access token", path.as_str(), Some(access.member("access_token"))),
        ("the secret", path.as_str(), Some(given.member("client_secret"))),
        ("nonsense", path.as_str(), Some("ra_x")),
        ("an unknown client", "/clients/nobody", Some(token)),
        ("an operator's client", "/clients/web", Some(token)),
        ("an encoded id", "/clients/%77eb", Some(token)),
    ];
    let mut table = NegativeTable::new(&kit);
    for (name, path, token) in rows {
        for (method, request) in to(path, token) {
            table = table.row(format!("{name}, {method}"), request, refused);
        }
    }
    // RFC 6750 section 3.1: whoever shows no token is told of no error.
    for (name, path) in [("no token", path.as_str()), ("in the query", in_query.as_str())] {
        for (method, request) in to(path, None) {
            table = table.row(format!("{name}, {method}"), request, Refused::Challenge);
        }
    }
    let clients = kit.clients();
    table
        .row(
            "a second token",
            {
                let mut request = json_request(&Method::GET, &path, Some(token), b"");
                request.headers_mut().append("authorization", "Bearer x".parse().unwrap());
                request
            },
            Refused::Json(400, "invalid_request"),
        )
        .row(
            "by POST",
            json_request(&Method::POST, &path, Some(token), change.as_bytes()),
            Refused::Status(405),
        )
        .row("no client", json_request(&Method::GET, "/clients", Some(token), b""), Refused::Status(404))
        .row(
            "below a client",
            json_request(&Method::GET, &format!("{path}/x"), Some(token), b""),
            Refused::Status(404),
        )
        .run();
    assert_eq!(kit.clients(), clients);
    let challenged = kit.send(json_request(&Method::GET, &path, None, b""));
    assert_eq!(challenged.header("www-authenticate"), Some("Bearer realm=\"https://id.example\""));
    let _ = get(&kit, &given).expect_status(200);
}

/// REGM-05: an update that is not allowed changes nothing, not even the token.
#[test]
fn what_is_not_changed() {
    let kit = managed().build();
    let given = kit.register(&web()).expect_status(201);
    let before = get(&kit, &given).expect_status(200);
    let with = |member: &str, value: Value| {
        let mut change = change_of(&given);
        change[member] = value;
        kit.management_request(&Method::PUT, &given, Some(&change))
    };
    let (malformed, metadata) =
        (Refused::Json(400, "invalid_request"), Refused::Json(400, "invalid_client_metadata"));
    let mut untyped = with("client_name", json!("x"));
    untyped.headers_mut().remove("content-type");
    NegativeTable::new(&kit)
        .row("no id", with("client_id", Value::Null), malformed)
        .row("another id", with("client_id", json!("web")), malformed)
        .row("another secret", with("client_secret", json!("x".repeat(43))), malformed)
        .row(
            "its token",
            with("registration_access_token", given["registration_access_token"].clone()),
            malformed,
        )
        .row("its URI", with("registration_client_uri", given["registration_client_uri"].clone()), malformed)
        .row("the secret's end", with("client_secret_expires_at", json!(0)), malformed)
        .row("its birthday", with("client_id_issued_at", given["client_id_issued_at"].clone()), malformed)
        .row("no JSON type", untyped, malformed)
        .row("no redirect URI", with("redirect_uris", json!([])), Refused::Json(400, "invalid_redirect_uri"))
        .row(
            "a bad redirect URI",
            with("redirect_uris", json!(["javascript:x"])),
            Refused::Json(400, "invalid_redirect_uri"),
        )
        .row("a forbidden grant type", with("grant_types", json!(["client_credentials"])), metadata)
        .row("a bad name", with("client_name", json!({})), metadata)
        .run();
    assert_eq!(get(&kit, &given).expect_status(200).json(), before.json());
}
