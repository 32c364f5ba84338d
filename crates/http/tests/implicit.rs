//! OpenID Connect Core 1.0 section 3.2, the implicit flow; OAuth 2.0 Multiple Response Types; RFC 9700 section
//! 2.1.2, for which it is off by default.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

use std::sync::Arc;

use chancery_core::endpoint::token::GRANT_TYPE_UNSUPPORTED;
use chancery_core::interaction::prompt::{CONSENT_MISSING, NO_SESSION};
use chancery_core::offered::Offered;
use chancery_core::ports::Registry as _;
use chancery_core::request::response::{RESPONSE_MODE_UNREGISTERED, RESPONSE_MODE_UNSAFE};
use chancery_core::request::validated::{
    NONCE_MISSING, OPENID_MISSING_FOR_ID_TOKEN, RESPONSE_TYPE_UNREGISTERED, RESPONSE_TYPE_UNSUPPORTED,
};
use chancery_core::rule::claims::{WITHOUT_ACCESS_TOKEN, WITHOUT_TOKENS};
use chancery_jose::{base64url, sha256};
use chancery_store::Put;
use chancery_testkit::{
    Arrival, AuthorizationRequest, NegativeTable, Refused, TestProvider, TestRegistry, UserAgent,
    VerifiedJwt, assert_refused, minutes, seconds, wait,
};
use chancery_types::ClientId;
use serde_json::json;

/// A page in a browser, which has no other way to its tokens, and others like it: with resource servers, and
/// one that takes its answers as a form.
fn kit() -> TestProvider {
    let client = |id: &str, more: &str| {
        format!(
            r#"{{"client_id":"{id}","token_endpoint_auth_method":"none","redirect_uris":["https://{id}.example/cb"],
                "response_types":["code","id_token","id_token token"],"id_token_signed_response_alg":"ES256",
                "grant_types":["authorization_code","implicit","refresh_token"]{more}}}"#
        )
    };
    TestProvider::builder()
        .configure(|to| to.compatibility.implicit = true)
        .client(&client("page", ""))
        .client(&client("posted", r#","response_modes":["form_post"]"#))
        .client(&client("of-api", r#","chancery":{"default_resource":"https://api.example"}"#))
        .client(&client("of-jwt-api", r#","chancery":{"default_resource":"https://jwt-api.example"}"#))
        .build()
}

fn request(kit: &TestProvider, client: &str, response_type: &str) -> AuthorizationRequest {
    let request = kit.authorization_request(client).without_pkce();
    request.set("response_type", response_type).scope("openid").set("nonce", "a nonce")
}

/// Somebody who has nothing to decide any more.
fn person<'k>(kit: &'k TestProvider, client: &str, scopes: &str) -> UserAgent<'k> {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", client, scopes);
    ua
}

/// The ID token, checked as a client has to (OIDC Core section 3.2.2.11).
fn id_token(kit: &TestProvider, arrival: &Arrival, client: &str) -> VerifiedJwt {
    let jwt = kit
        .try_verify(arrival.value("id_token").unwrap_or_default(), client)
        .expect("an ID token that verifies");
    assert_eq!(jwt.claims["iss"], kit.issuer().as_str());
    assert_eq!(jwt.claims["aud"], client);
    assert_eq!(jwt.claims["nonce"], "a nonce");
    let at_hash = arrival.value("access_token").map(|token| {
        let digest = sha256(token.as_bytes());
        base64url::encode(digest.split_at(16).0)
    });
    assert_eq!(jwt.claims["at_hash"].as_str(), at_hash.as_deref());
    assert!(jwt.claims["c_hash"].is_null() && jwt.claims["s_hash"].is_null());
    jwt
}

/// AUTHZ-06, CLAIM-17, oidcc-server, oidcc-scope-profile, oidcc-scope-email, oidcc-scope-address, oidcc-scope-all
///
/// CLAIM-15, oidcc-scope-phone: an ID token and nothing else, in the fragment, with
/// the claims of the scopes, because there is no access token that leads to them (OIDC Core section 5.4).
#[test]
fn an_id_token_alone() {
    let kit = kit();
    for (scope, claim) in [
        ("openid profile", "name"),
        ("openid email", "email"),
        ("openid address", "address"),
        ("openid phone", "phone_number"),
        ("openid profile email address phone", "phone_number"),
    ] {
        let ua = person(&kit, "page", scope);
        let tab = request(&kit, "page", "id_token").scope(scope).open(&ua);
        let arrival = tab.expect_arrival();
        assert_eq!((arrival.mode, arrival.uri.as_str()), ("fragment", "https://page.example/cb"));
        assert_eq!(arrival.names(), ["id_token", "state", "iss"]);
        let jwt = id_token(&kit, &arrival, "page");
        assert_eq!(jwt.claims["sub"], "alice");
        assert!(!jwt.claims[claim].is_null(), "{scope}: {}", jwt.claims);
        assert_eq!(tab.answer().header("cache-control"), Some("no-store"));
        assert_eq!(tab.event_names(), ["authorization_granted", "tokens_issued"]);
    }
}

/// AUTHZ-06, AUTHZ-50, CLAIM-17, oidcc-server, oidcc-userinfo-get, oidcc-alternate-happy-flow: the access token
/// is one like any other, the ID token vouches for it, and the claims of the scopes are at UserInfo.
#[test]
fn an_id_token_and_an_access_token() {
    let kit = kit();
    let ua = person(&kit, "page", "openid email");
    for response_type in ["id_token token", "token id_token", "token id_token token"] {
        let tab = request(&kit, "page", response_type).scope("email openid").open(&ua);
        let arrival = tab.expect_arrival();
        assert_eq!(arrival.mode, "fragment");
        let names = ["access_token", "token_type", "expires_in", "scope", "id_token", "state", "iss"];
        assert_eq!(arrival.names(), names);
        assert_eq!(arrival.value("token_type"), Some("Bearer"));
        assert_eq!(arrival.value("expires_in"), Some("3600"));
        assert_eq!(arrival.value("scope"), Some("email openid"));
        let jwt = id_token(&kit, &arrival, "page");
        assert!(jwt.claims["email"].is_null(), "{}", jwt.claims);
        let userinfo = kit.userinfo(arrival.value("access_token").unwrap_or_default()).expect_status(200);
        assert_eq!(userinfo["sub"], jwt.claims["sub"]);
        assert_eq!(userinfo["email"], "alice@example.org");
    }
    // The token lives as long as it says.
    let arrival = request(&kit, "page", "id_token token").open(&ua).expect_arrival();
    let token = arrival.value("access_token").unwrap_or_default();
    kit.clock.advance(minutes(59));
    let _ = kit.userinfo(token).expect_status(200);
    kit.clock.advance(minutes(1));
    assert_refused!(kit.userinfo(token), "invalid_token", "access_token_unknown");
}

/// AUTHZ-24, AUTHZ-50: `scope` says what was granted of what was asked for; `offline_access` means nothing without
/// a code, also to a client that may refresh (OIDC Core section 11).
#[test]
fn the_scope_may_be_narrower() {
    let kit = kit();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let tab =
        request(&kit, "page", "id_token token").scope("openid email unheard-of offline_access").open(&ua);
    let page = tab.clone().expect_page("consent");
    assert!(!page.page().text.contains("offline"), "nobody is asked for it: {}", page.page().text);
    let arrival = page.allow().expect_arrival();
    assert_eq!(arrival.value("scope"), Some("openid email"));
    assert_eq!(arrival.value("refresh_token"), None);
}

/// A resource server's token, opaque or a JWT, is as one from the token endpoint.
#[test]
fn a_token_for_a_resource_server() {
    let kit = kit();
    for (client, uri, expires_in) in
        [("of-api", "https://api.example", "3600"), ("of-jwt-api", "https://jwt-api.example", "300")]
    {
        let ua = person(&kit, client, "openid");
        let tab = request(&kit, client, "id_token token").scope("openid read").open(&ua);
        let arrival = tab.expect_page("consent").allow().expect_arrival();
        assert_eq!(arrival.value("expires_in"), Some(expires_in));
        assert_eq!(arrival.value("scope"), Some("openid read"));
        let _ = id_token(&kit, &arrival, client);
        let seen = kit.introspect("api", arrival.value("access_token").unwrap_or_default());
        assert_eq!(seen["aud"], json!([uri, kit.issuer().as_str()]));
        assert_eq!((&seen["sub"], &seen["client_id"]), (&json!("alice"), &json!(client)));
    }
}

/// What happens, and how.
type End = (&'static str, fn(&TestProvider, &UserAgent<'_>));

/// What ends a grant ends its tokens, wherever they came from: the session, the consent, the account.
#[test]
fn the_tokens_end_with_their_grant() {
    let ends: [End; 4] = [
        ("the session ends", |_, ua| ua.ends_session()),
        ("the consent is withdrawn", |kit, _| drop(kit.withdraw_consent("alice", "page"))),
        ("the account is disabled", |kit, _| kit.accounts.disable("alice")),
        ("the client is gone", |kit, _| kit.remove_client("page")),
    ];
    for (what, end) in ends {
        let kit = kit();
        let ua = person(&kit, "page", "openid");
        let arrival = request(&kit, "page", "id_token token").open(&ua).expect_arrival();
        let token = arrival.value("access_token").unwrap_or_default();
        let _ = kit.userinfo(token).expect_status(200);
        end(&kit, &ua);
        assert_eq!(kit.userinfo(token).status, 401, "{what}");
    }
}

/// INT-06, INT-10..14: a double click ends at the client with tokens that work, below the same grant; later
/// there is a page with a way on.
#[test]
fn a_step_that_is_repeated() {
    let kit = kit();
    for response_type in ["id_token", "id_token token"] {
        let ua = kit.user_agent();
        let login = request(&kit, "page", response_type).scope("openid email").open(&ua);
        let consent = login.login("alice").expect_page("consent");
        for arrival in [consent.allow().expect_arrival(), consent.allow().expect_arrival()] {
            let jwt = id_token(&kit, &arrival, "page");
            assert_eq!(jwt.claims["sub"], "alice");
            if let Some(token) = arrival.value("access_token") {
                let _ = kit.userinfo(token).expect_status(200);
            }
        }
        kit.clock.advance(seconds(11));
        let _ = consent.allow().expect_way_on();
        let (grants, _) = kit.withdraw_consent("alice", "page");
        assert_eq!(grants, 1, "{response_type}: there was one");
    }
}

/// The same at one moment: whatever the order of the two, both answers are worth something, or one leads
/// nowhere; no token works that was not stored.
#[test]
fn two_clicks_at_once() {
    for seed in 0..20 {
        let kit = kit();
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let consent = request(&kit, "page", "id_token token").open(&ua).expect_page("consent");
        let click = || consent.to_http(&[], ("action", "allow"));
        let answers = kit.send_at_once(seed, vec![click(), click()]);
        let mut reached = 0;
        for answer in &answers {
            let location = answer.header("location").unwrap_or_default();
            let token = location.split(['#', '&']).find_map(|part| part.strip_prefix("access_token="));
            if let Some(token) = token {
                reached += 1;
                let _ = kit.userinfo(token).expect_status(200);
            }
        }
        assert_eq!(reached, 2, "seed {seed}");
    }
}

/// AUTHZ-31, oidcc-prompt-none-not-logged-in, oidcc-prompt-none-logged-in, ERR-09: errors come in the fragment as
/// tokens do, with `state` and `iss`.
#[test]
fn errors_come_where_tokens_would() {
    let kit = kit();
    let ua = kit.user_agent();
    let silent = |client| request(&kit, client, "id_token token").set("prompt", "none");
    let tab = silent("page").open(&ua);
    assert_eq!(tab.expect_error("login_required").mode, "fragment");
    assert_refused!(tab, NO_SESSION);
    ua.signed_in("alice");
    let tab = silent("page").open(&ua);
    assert_eq!(tab.expect_error("consent_required").mode, "fragment");
    assert_refused!(tab, CONSENT_MISSING);
    let denied = request(&kit, "page", "id_token").open(&ua).expect_page("consent").deny();
    assert_eq!(denied.expect_error("access_denied").mode, "fragment");
    ua.has_consented("alice", "page", "openid");
    assert_eq!(silent("page").open(&ua).expect_arrival().value("error"), None);
}

/// RMODE-01, RMODE-03, RMODE-05, RMODE-09: the form is for tokens as well; the query is not, and says so in the
/// fragment.
#[test]
fn the_modes_of_tokens() {
    let kit = kit();
    let ua = person(&kit, "page", "openid");
    ua.has_consented("alice", "posted", "openid");
    for response_type in ["id_token", "id_token token"] {
        for mode in ["fragment", "form_post"] {
            let arrival = request(&kit, "page", response_type).set("response_mode", mode).open(&ua);
            let arrival = arrival.expect_arrival();
            assert_eq!(arrival.mode, mode);
            let _ = id_token(&kit, &arrival, "page");
        }
        let tab = request(&kit, "page", response_type).set("response_mode", "query").open(&ua);
        assert_eq!(tab.expect_error("invalid_request").mode, "fragment");
        assert_refused!(tab, RESPONSE_MODE_UNSAFE);
        let unknown = request(&kit, "page", response_type).set("response_mode", "x").open(&ua);
        assert_eq!(unknown.expect_error("unsupported_response_mode").mode, "fragment");
        let tab = request(&kit, "posted", response_type).open(&ua);
        assert_eq!(tab.expect_error("invalid_request").mode, "fragment");
        assert_refused!(tab, RESPONSE_MODE_UNREGISTERED);
    }
}

/// AUTHZ-09, RFC 9700 section 2.1.2: off by default, in the metadata as in requests, and for the client that is
/// registered for it only.
#[test]
fn it_is_off_by_default() {
    let metadata = r#"{"client_id":"page","token_endpoint_auth_method":"none",
        "redirect_uris":["https://page.example/cb"],"response_types":["id_token"]}"#;
    let kit = TestProvider::new();
    let discovery = kit.get("/.well-known/openid-configuration");
    assert_eq!(discovery["response_types_supported"], json!(["code", "none"]));
    assert_eq!(
        discovery["grant_types_supported"],
        json!(["authorization_code", "client_credentials", "refresh_token"])
    );
    let complaints = kit.registry.put(metadata).unwrap_err();
    assert!(complaints.iter().any(|complaint| complaint.setting == "response_types"), "{complaints:?}");
    let ua = person(&kit, "web", "openid");
    for response_type in ["id_token", "id_token token", "token", "token code id_token", "x token"] {
        let tab = request(&kit, "web", response_type).open(&ua);
        assert_eq!(tab.expect_error("unsupported_response_type").mode, "fragment", "{response_type}");
        assert_refused!(tab, RESPONSE_TYPE_UNSUPPORTED);
    }

    let kit = self::kit();
    let discovery = kit.get("/.well-known/openid-configuration");
    assert_eq!(discovery["response_types_supported"], json!(["code", "id_token", "id_token token", "none"]));
    assert_eq!(
        discovery["grant_types_supported"],
        json!(["authorization_code", "implicit", "client_credentials", "refresh_token"])
    );
    let ua = person(&kit, "web", "openid");
    let tab = request(&kit, "web", "id_token").open(&ua);
    assert_eq!(tab.expect_error("unauthorized_client").mode, "fragment");
    assert_refused!(tab, RESPONSE_TYPE_UNREGISTERED);
    for response_type in ["token", "code id_token"] {
        assert_refused!(request(&kit, "page", response_type).open(&ua), RESPONSE_TYPE_UNSUPPORTED);
    }
    assert!(!Offered::default().response_types.iter().any(|value| value.is_front_channel()));
}

/// A client that was registered while the setting was on gets nothing while it is off.
#[test]
fn a_client_of_former_days() {
    let registry = Arc::new(TestRegistry::default());
    let with = |is_on: bool| {
        TestProvider::builder()
            .registry(Arc::clone(&registry))
            .realm(if is_on { "on" } else { "off" })
            .configure(move |to| to.compatibility.implicit = is_on)
            .build()
    };
    let (on, off) = (with(true), with(false));
    on.put_client(
        r#"{"client_id":"page","token_endpoint_auth_method":"none",
            "redirect_uris":["https://page.example/cb"],"response_types":["id_token"]}"#,
    );
    let (realm, id) = (&on.env().realm, ClientId::parse("page").unwrap());
    let client = wait(registry.client(realm, &id)).unwrap().unwrap();
    assert!(matches!(wait(registry.put_client(&off.env().realm, None, client)), Ok(Put::Done(_))));
    let asked = request(&on, "page", "id_token");
    assert_refused!(asked.open(&off.user_agent()), RESPONSE_TYPE_UNSUPPORTED);
    let _ = asked.open(&on.user_agent()).expect_page("login");
}

/// CLAIM-02, CLAIM-04: what `claims` asks for in the ID token is there; what it asks for at UserInfo needs an
/// access token (OIDC Core section 5.5). oidcc-claims-essential
#[test]
fn single_claims() {
    let kit = kit();
    let ua = person(&kit, "page", "openid profile");
    let claims = |response_type, text: &str| {
        request(&kit, "page", response_type).scope("openid profile").set("claims", text).open(&ua)
    };
    let essential = r#"{"id_token":{"name":{"essential":true}}}"#;
    for response_type in ["id_token", "id_token token"] {
        let arrival = claims(response_type, essential).expect_arrival();
        assert!(id_token(&kit, &arrival, "page").claims["name"].is_string(), "{response_type}");
    }
    let userinfo = r#"{"userinfo":{"email":null}}"#;
    assert_refused!(claims("id_token", userinfo), WITHOUT_ACCESS_TOKEN);
    let arrival = claims("id_token token", userinfo).expect_page("consent").allow().expect_arrival();
    let answer = kit.userinfo(arrival.value("access_token").unwrap_or_default()).expect_status(200);
    assert_eq!(answer["email"], "alice@example.org");
    assert_eq!(WITHOUT_TOKENS.code.as_str(), "invalid_request");
}

/// PKCE-05: there is no code to protect, so that a challenge is ignored, whatever it is.
#[test]
fn a_challenge_is_ignored() {
    let kit = kit();
    let ua = person(&kit, "page", "openid");
    let with = request(&kit, "page", "id_token").pkce("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    for request in
        [with.clone(), with.clone().set("code_challenge_method", "x"), with.without("code_challenge")]
    {
        let _ = id_token(&kit, &request.open(&ua).expect_arrival(), "page");
    }
}

/// AUTHZ-33, oidcc-prompt-login, oidcc-max-age-1, oidcc-id-token-hint: login, its age and the person who is
/// expected count as with a code; the ID token of this flow is a hint as any other.
#[test]
fn the_login_is_the_same() {
    let kit = kit();
    let ua = person(&kit, "page", "openid");
    let first = request(&kit, "page", "id_token").open(&ua).expect_arrival();
    let before = id_token(&kit, &first, "page").claims["auth_time"].as_i64();
    kit.clock.advance(minutes(1));
    for again in [("prompt", "login"), ("max_age", "1")] {
        let tab = request(&kit, "page", "id_token").set(again.0, again.1).open(&ua);
        let arrival = tab.expect_page("login").login("alice").expect_arrival();
        let after = id_token(&kit, &arrival, "page").claims["auth_time"].as_i64();
        assert!(after > before, "{again:?}");
        kit.clock.advance(minutes(1));
    }
    let hint = first.value("id_token").unwrap_or_default();
    let silent = request(&kit, "page", "id_token").set("id_token_hint", hint).set("prompt", "none");
    let arrival = silent.open(&ua).expect_arrival();
    assert_eq!(id_token(&kit, &arrival, "page").claims["sub"], "alice");
}

/// RFC 9068 section 5: the gate of the token endpoint stands here as well, and its refusal has a code that the
/// authorization endpoint knows (RFC 6749 section 4.1.2.1).
#[test]
fn the_gate_is_the_same() {
    let kit = kit();
    kit.accounts.add("web");
    let ua = kit.user_agent();
    ua.signed_in("web");
    ua.has_consented("web", "page", "openid");
    for response_type in ["id_token", "id_token token"] {
        let tab = request(&kit, "page", response_type).open(&ua);
        let arrival = tab.expect_error("access_denied");
        assert_eq!((arrival.mode, arrival.value("id_token")), ("fragment", None));
        assert_eq!(tab.event_names(), ["refused"]);
    }
}

/// The tokens are written with their grant: as many calls of the store as for a code.
#[test]
fn it_costs_as_much_as_a_code() {
    let kit = kit();
    let ua = person(&kit, "page", "openid");
    for response_type in ["id_token", "id_token token"] {
        let request = request(&kit, "page", response_type);
        let trips = || kit.trips(|| request.open(&ua).expect_arrival()).1;
        assert_eq!((trips(), trips()), (4, 4), "{response_type}");
    }
}

/// AUTHZ-16, AUTHZ-27, TOKEN-02, oidcc-ensure-request-without-nonce-fails, oidcc-response-type-missing
///
/// AUTHZ-07, oidcc-ensure-registered-redirect-uri: what must not lead to tokens.
#[test]
fn requests_that_must_not_yield_tokens() {
    let kit = kit();
    let ua = person(&kit, "page", "openid");
    assert_refused!(request(&kit, "page", "id_token").without("nonce").open(&ua), NONCE_MISSING);
    let plain = request(&kit, "page", "id_token").scope("email").without("nonce").set("nonce", "n");
    assert_eq!(OPENID_MISSING_FOR_ID_TOKEN.code.as_str(), "invalid_request");
    assert_eq!(plain.open(&ua).expect_error("invalid_request").mode, "fragment");
    let grant = kit.token_request("page").param("grant_type", "implicit");
    assert_refused!(grant.send(), GRANT_TYPE_UNSUPPORTED);
    let client = Refused::Client("invalid_request");
    let unsupported = Refused::Client("unsupported_response_type");
    let mut table = NegativeTable::new(&kit)
        .row("no response type", request(&kit, "page", ""), client)
        .row("two response types", request(&kit, "page", "id_token").param("response_type", "code"), client)
        .row("an empty nonce", request(&kit, "page", "id_token token").set("nonce", ""), client)
        .row("two nonces", request(&kit, "page", "id_token").param("nonce", "x"), client)
        .row("no openid", request(&kit, "page", "id_token token").scope("email"), client)
        .row(
            "a foreign redirect URI",
            request(&kit, "page", "id_token").set("redirect_uri", "https://evil.example/cb"),
            Refused::Page(400, "invalid_request"),
        )
        .row(
            "an unknown client",
            request(&kit, "page", "id_token").set("client_id", "nobody"),
            Refused::Page(400, "invalid_client"),
        );
    for response_type in
        ["token", "id_token  token", "id_token none", "id_token,token", "ID_TOKEN", "id_token "]
    {
        table = table.row(response_type, request(&kit, "page", response_type), unsupported);
    }
    table = table.row(
        "tokens for a client that is not registered for them",
        request(&kit, "web", "id_token token"),
        Refused::Client("unauthorized_client"),
    );
    table.run();
}
