//! RFC 6749 section 3.3, access token scope; RFC 7591 section 2, the scopes that a client is registered for.

use chancery_core::endpoint::token::refresh_token::NOTHING_FOR_AUDIENCE;
use chancery_core::endpoint::userinfo::NO_OPENID;
use chancery_core::event::Event;
use chancery_core::policy::SCOPES_WITHDRAWN;
use chancery_core::rule::bearer::TOKEN_WITHDRAWN;
use chancery_core::rule::scope::{MALFORMED, NOT_ALLOWED, UNKNOWN, UnknownScopes};
use chancery_testkit::{NegativeTable, Refused, SECRET, TestProvider, assert_refused, seconds};

/// A client with these scopes and these members of `chancery`.
fn client(scope: &str, chancery: &str) -> String {
    format!(
        r#"{{"client_id":"c","client_secret":"{SECRET}","redirect_uris":["https://c.example/cb"],
            "id_token_signed_response_alg":"ES256","scope":"{scope}",
            "grant_types":["authorization_code","refresh_token","client_credentials"],"chancery":{{{chancery}}}}}"#
    )
}

/// Whoever is registered for `read` cannot ask for `write`, whether a person is asked or not.
#[test]
fn the_registration_bounds_the_scopes_of_the_resource_server() {
    for consent in ["ask", "implied"] {
        let chancery = format!(r#""default_resource":"https://api.example","consent":"{consent}""#);
        let kit = TestProvider::builder().client(&client("read", &chancery)).build();
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let _ = kit.authorization_request("c").scope("read write").open(&ua).expect_error("invalid_scope");
        let own = kit.client_credentials_request("c").param("scope", "read write").send();
        assert_refused!(own, NOT_ALLOWED);
    }
}

/// The `claims` parameter is no way round the registered scope, neither when it is sent nor after the
/// registration was narrowed.
#[test]
fn the_registration_bounds_single_claims() {
    let chancery = r#""consent":"implied","refresh_tokens":"always""#;
    let asked = r#"{"userinfo":{"email":null,"phone_number":null}}"#;
    let learn = |kit: &TestProvider, scope: &str| {
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let code = kit.authorization_request("c").scope(scope).param("claims", asked).open(&ua).expect_code();
        kit.exchange(&code).expect_status(200)
    };
    let kit = TestProvider::builder().client(&client("openid", chancery)).build();
    let info = kit.userinfo(learn(&kit, "openid").member("access_token"));
    assert!(!info.text().contains("email") && !info.text().contains("phone"), "{}", info.text());

    let kit = TestProvider::builder().client(&client("openid email", chancery)).build();
    let tokens = learn(&kit, "openid");
    assert!(kit.userinfo(tokens.member("access_token")).text().contains("email"));
    kit.put_client(&client("openid", chancery));
    kit.clock.advance(seconds(5));
    assert!(!kit.userinfo(tokens.member("access_token")).text().contains("email"));
    let refreshed = kit.refresh("c", tokens.member("refresh_token")).expect_status(200);
    assert!(!kit.userinfo(refreshed.member("access_token")).text().contains("email"));
}

/// RFC 6749 section 6: less scope is no other audience. Whoever gave `openid` and `email` away for UserInfo
/// did not agree to tokens for a resource server.
#[test]
fn narrowing_does_not_change_the_audience() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "jwt", "openid email");
    let narrowed = kit.refresh_request("jwt", tokens.member("refresh_token")).param("scope", "email").send();
    let narrowed = narrowed.expect_status(200);
    assert!(narrowed.member("access_token").starts_with("at_"), "not the resource server's JWT");
    assert!(!kit.introspect("jwt", narrowed.member("access_token")).text().contains("jwt-api.example"));
    assert_refused!(kit.userinfo(narrowed.member("access_token")), NO_OPENID);
}

/// A token for a resource server that may do nothing there is not made.
#[test]
fn nothing_is_left_for_the_resource_server() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "machine", "read offline_access");
    let only =
        |scope| kit.refresh_request("machine", tokens.member("refresh_token")).param("scope", scope).send();
    assert_refused!(only("offline_access"), NOTHING_FOR_AUDIENCE);
    assert_eq!(only("read").expect_status(200)["scope"], "read", "nothing was used up");

    let tokens = kit.tokens("alice", "machine", "email");
    assert!(!kit.introspect("machine", tokens.member("access_token")).text().contains("api.example"));
}

/// What is taken from a client's registration does not come again: not by refresh, introspection or UserInfo.
#[test]
fn what_is_taken_from_the_registration_is_gone_everywhere() {
    let always = r#""refresh_tokens":"always""#;
    let kit = TestProvider::builder().client(&client("openid email phone", always)).build();
    let tokens = kit.tokens("alice", "c", "openid email phone");
    assert!(kit.userinfo(tokens.member("access_token")).text().contains("phone_number"));
    kit.put_client(&client("openid email", always));
    kit.clock.advance(seconds(2));
    assert_eq!(kit.introspect("c", tokens.member("access_token"))["scope"], "openid email");
    assert!(!kit.userinfo(tokens.member("access_token")).text().contains("phone_number"));
    let refreshed = kit.refresh("c", tokens.member("refresh_token")).expect_status(200);
    assert_eq!(refreshed["scope"], "openid email");

    kit.put_client(&client("phone", always));
    kit.clock.advance(seconds(2));
    assert!(!kit.is_active("c", refreshed.member("access_token")));
    assert_refused!(kit.userinfo(refreshed.member("access_token")), TOKEN_WITHDRAWN);
    let narrowed =
        kit.refresh_request("c", refreshed.member("refresh_token")).param("scope", "openid email").send();
    assert_refused!(narrowed, SCOPES_WITHDRAWN);
    assert_eq!(kit.refresh("c", refreshed.member("refresh_token")).expect_status(200)["scope"], "phone");
}

/// The scopes that were ignored, as the events tell them.
fn ignored(events: &[Event]) -> Vec<String> {
    let of = |event: &Event| match event {
        Event::ScopesIgnored { scopes, .. } => Some(scopes.to_string()),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// OIDC Core section 3.1.2.1: a scope that nobody knows is ignored, the answer says what was granted, and an
/// event tells the operator. What only another client's resource server knows is known to nobody here.
#[test]
fn what_nobody_knows_is_ignored_and_told() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let tab = kit.authorization_request("web").scope("openid raed x:y read").open(&ua);
    assert_eq!(ignored(&tab.answer().events), ["raed x:y read"]);
    assert_eq!(kit.exchange(&tab.expect_code()).expect_status(200)["scope"], "openid");
    let own = kit.client_credentials_request("machine").param("scope", "read raed").send().expect_status(200);
    assert_eq!((ignored(&own.events), &own["scope"]), (vec!["raed".to_owned()], &"read".into()));
    let plain = kit.authorization_request("web").scope("openid").open(&ua);
    assert!(ignored(&plain.answer().events).is_empty());
    // Told once, and not again for each page of the request.
    let stranger = kit.user_agent();
    let login = kit.authorization_request("web").scope("openid raed").open(&stranger).expect_page("login");
    assert_eq!(ignored(&login.answer().events).len(), 1);
    let consent = login.login("bob").expect_page("consent");
    assert!(ignored(&consent.answer().events).is_empty());
}

/// What a stranger sends is told in part: a request that is as long as can be makes no event, and no line of
/// a log, that long.
#[test]
fn a_stranger_cannot_fill_an_event_with_scopes() {
    let kit = TestProvider::new();
    let many: String = (0..90).map(|n| format!(" {n}{}", "x".repeat(160))).collect();
    let scope = format!("openid{many}");
    let body = kit.authorization_request("web").scope(&scope).encode();
    let request = http::Request::post("/authorize").header("sec-fetch-site", "same-origin");
    let request =
        request.header("content-type", "application/x-www-form-urlencoded").body(body.into()).unwrap();
    let told = ignored(&kit.send(request).events);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("0xxx") && told[0].split(' ').count() == 10, "{}", told[0]);
}

/// The same scopes, where the operator wants misspellings to be refused.
#[test]
fn what_nobody_knows_can_be_refused() {
    let kit =
        TestProvider::builder().configure(|config| config.scopes.unknown = UnknownScopes::Refuse).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let asked = |client: &str, scope: &str| kit.authorization_request(client).scope(scope);
    let own = |scope: &str| kit.client_credentials_request("machine").param("scope", scope);
    assert_refused!(own("read raed").send(), UNKNOWN);
    NegativeTable::new(&kit)
        .row("misspelt", asked("web", "openid raed"), Refused::Client("invalid_scope"))
        .row("nothing else", asked("web", "raed"), Refused::Client("invalid_scope"))
        .row("another client's", asked("web", "openid read"), Refused::Client("invalid_scope"))
        .row("at the token endpoint", own("raed"), Refused::Json(400, "invalid_scope"))
        .run();
    let _ = asked("machine", "openid read").open(&ua).expect_page("consent");
    let _ = own("read write").send().expect_status(200);
}

/// RFC 6749 section 3.3: thousands of scopes, of which each would be compared with all before it, are refused
/// as soon as they are too many.
#[test]
fn thousands_of_scopes_cost_no_more_than_a_hundred() {
    let kit = TestProvider::new();
    let many = |count: usize| (0..count).map(|n| format!("{n:x}")).collect::<Vec<_>>().join(" ");
    let cost = |scope: &str| {
        let request = kit.authorization_request("web").scope(scope);
        let (method, body) = (http::Method::POST, bytes::Bytes::from(request.encode()));
        let post = || {
            let request = http::Request::builder()
                .method(&method)
                .uri("/authorize")
                .header("sec-fetch-site", "same-origin");
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            kit.send(request.body(body.clone()).unwrap())
        };
        let to = post();
        let to = to.header("location").unwrap_or_default();
        assert!(to.contains("error=invalid_scope"), "{to}");
        allocation_counter::measure(|| drop(post())).count_total
    };
    let (hundred, thousands) = (cost(&many(101)), cost(&many(3_000)));
    assert!(thousands <= hundred + 20, "{hundred} and {thousands} allocations");
}

/// FR-15: the parameter means the same at every endpoint that reads it (RFC 6749 section 3.3); nothing is
/// written, and no token is used up.
#[test]
fn one_reader_for_every_endpoint() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "machine", "read offline_access");
    let refresh =
        |scope: &str| kit.refresh_request("machine", tokens.member("refresh_token")).param("scope", scope);
    let mut table = NegativeTable::new(&kit);
    let many: Vec<String> = (0..101).map(|n| format!("s{n}")).collect();
    for scope in [
        " ",
        "  ",
        " read",
        "read ",
        "read  offline_access",
        "read\toffline_access",
        "read\noffline_access",
        "\"read\"",
        "read\\",
        "r\u{e4}d",
        "read\u{a0}offline_access",
        "\u{7f}",
        &"x".repeat(256),
        &many.join(" "),
    ] {
        let authorization = kit.authorization_request("machine").scope(scope);
        let own = kit.client_credentials_request("machine").param("scope", scope);
        table = table
            .row(
                format!("{scope:?} at the authorization endpoint"),
                authorization,
                Refused::Client("invalid_scope"),
            )
            .row(format!("{scope:?} of client credentials"), own, Refused::Json(400, "invalid_scope"))
            .row(
                format!("{scope:?} of a refresh token"),
                refresh(scope),
                Refused::Json(400, "invalid_scope"),
            );
    }
    table.run();
    assert_refused!(refresh(" ").send(), MALFORMED);
    // RFC 6749 section 3.1: sent without a value is not sent.
    assert_eq!(refresh("").send().expect_status(200)["scope"], "read offline_access");
}

/// OIDC Core section 11: `offline_access` is left out for a client that cannot get refresh tokens, and an event says so. So
/// it is with what is about a person where there is none.
#[test]
fn what_its_client_can_have_no_use_of_is_left_out_and_told() {
    let withheld = |events: &[Event]| -> Vec<String> {
        let of = |event: &Event| match event {
            Event::ScopesWithheld { scopes, .. } => Some(scopes.to_string()),
            _ => None,
        };
        events.iter().filter_map(of).collect()
    };
    let without =
        r#"{"client_id":"c","redirect_uris":["https://c.example/cb"],"token_endpoint_auth_method":"none"}"#;
    let kit = TestProvider::builder().client(without).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for client in ["web", "c"] {
        ua.has_consented("alice", client, "openid offline_access");
    }
    let asked = |client: &str, scope: &str| {
        let tab = kit.authorization_request(client).scope(scope).set("prompt", "consent").open(&ua);
        withheld(&tab.answer().events)
    };
    assert_eq!(asked("c", "openid offline_access"), ["offline_access"]);
    assert_eq!(asked("c", "openid"), [""; 0]);
    assert_eq!(asked("web", "openid offline_access"), [""; 0]);
    let own = "read openid profile email";
    let answer = kit.client_credentials_request("machine").param("scope", own).send().expect_status(200);
    assert_eq!(answer["scope"], "read");
    assert_eq!(
        (withheld(&answer.events), ignored(&answer.events)),
        (vec!["openid profile email".to_owned()], vec![])
    );
}
