//! RFC 6749 section 4.5: grant types of an application's own.
#![expect(clippy::expect_used, reason = "what the tests are given is good")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chancery_core::client::RegistrationPolicy;
use chancery_core::endpoint::token::extension::{Entitled, ExtensionGrant, ExtensionRequest};
use chancery_core::error::{Fault, Reason, Refusal};
use chancery_core::event::Event;
use chancery_core::model::{Amr, Factor};
use chancery_core::rule::scope::{NOTHING, NOTHING_OF_USE};
use chancery_testkit::{
    Answer, ClientRequest, NegativeTable, Refused, SECRET, TestProvider, TestProviderBuilder, assert_refused,
};
use chancery_types::iana::{ErrorCode, ExtensionGrantName, GrantType};
use chancery_types::{AccountId, ClientId, Scope, Scopes};
use serde_json::json;

const BADGE: &str = "urn:example:badge";

const BADGE_UNKNOWN: Reason = Reason {
    name: "badge_unknown",
    code: ErrorCode::InvalidGrant,
    description: "grant request is invalid",
    section: "RFC 6749 section 5.2",
};

const NO_BADGE: Reason = Reason { name: "badge_missing", code: ErrorCode::InvalidRequest, ..BADGE_UNKNOWN };

const NOT_TRUE: Reason = Reason { name: "badge_login", code: ErrorCode::LoginRequired, ..BADGE_UNKNOWN };

/// Whose badge is in front of the reader: the badge is the name of an account.
struct Badge {
    name: ExtensionGrantName,
    parameters: &'static [&'static str],
    /// How often the application was asked.
    asked: Arc<AtomicUsize>,
}

impl Badge {
    fn new(name: &str) -> Self {
        let name = ExtensionGrantName::parse(name).expect("a name");
        Self { name, parameters: &["badge", "scope", "client_secret_of_reader"], asked: Arc::default() }
    }
}

impl ExtensionGrant for Badge {
    fn grant_type(&self) -> &ExtensionGrantName {
        &self.name
    }

    fn parameters(&self) -> &[&str] {
        self.parameters
    }

    fn repeatable(&self) -> &[&str] {
        &["door"]
    }

    async fn entitle(&self, asked: ExtensionRequest<'_>) -> Result<Result<Entitled, Refusal>, Fault> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        for secret in ["client_secret", "client_id", "undeclared", "grant_type"] {
            assert_eq!(asked.parameter(secret), None);
        }
        let scopes = Scopes::parse(asked.parameter("scope").unwrap_or("openid")).expect("scopes");
        let Some(badge) = asked.parameter("badge") else { return Ok(NO_BADGE.refused()) };
        let proof = Factor { method: Amr::HARDWARE_KEY, at: asked.now };
        let of = |name: &str| {
            Entitled::person(AccountId::parse(name).expect("an id"), proof.clone(), scopes.clone())
        };
        match badge {
            "own" => Ok(Ok(Entitled::client(scopes))),
            "short" => Ok(Ok(of("alice").for_at_most(Duration::from_secs(60)))),
            "long" => Ok(Ok(of("alice").for_at_most(Duration::from_secs(86_400)))),
            "short and long" => Ok(Ok(of("alice").for_at_most(Duration::from_secs(60)).with_refresh_token())),
            "once" => Ok(Ok(of("alice"))),
            "forged" => Ok(BADGE_UNKNOWN.refused()),
            "untrue" => Ok(NOT_TRUE.refused()),
            "broken" => Err(Fault::unavailable("the reader does not answer")),
            "doors" => Ok(Ok(of(&asked.all("door").collect::<String>()))),
            name => Ok(Ok(of(name).with_refresh_token())),
        }
    }
}

fn client(id: &str, grants: &str) -> String {
    format!(
        r#"{{"client_id":"{id}","client_secret":"{SECRET}","response_types":[],"grant_types":[{grants}],
            "scope":"openid profile offline_access doors"}}"#
    )
}

fn builder() -> TestProviderBuilder {
    let door = r#""urn:example:badge","refresh_token""#;
    let kit = TestProvider::builder().extension_grant(Badge::new(BADGE));
    let kit = kit.configure(|config| config.scopes.extra.extend(Scope::parse("doors")));
    kit.client(&client("door", door)).client(
        r#"{"client_id":"open","token_endpoint_auth_method":"none","response_types":[],
            "grant_types":["urn:example:badge"]}"#,
    )
}

fn request<'k>(kit: &'k TestProvider, badge: &str) -> ClientRequest<'k> {
    kit.token_request("door").param("grant_type", BADGE).param("badge", badge)
}

/// RFC 8707 section 2.2 holds for a grant type that does not declare `resource`; otherwise the parameter is its own.
#[test]
fn a_grant_type_with_a_resource_of_its_own() {
    for (parameters, status) in [(&["badge", "scope"][..], 400), (&["badge", "scope", "resource"], 200)] {
        let badge = Badge { parameters, ..Badge::new(BADGE) };
        let door = client("door", "\"urn:example:badge\"");
        let kit = TestProvider::builder().extension_grant(badge).client(&door).build();
        let answer = request(&kit, "alice").param("resource", "the door in the yard").send();
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(status == 200 || answer["error"] == "invalid_target");
    }
}

/// EXT-01: what is registered is announced, a client may have it, and its parameters alone are read.
#[test]
fn it_is_offered_like_the_others() {
    let kit = builder().build();
    let metadata = kit.get("/.well-known/openid-configuration").expect_status(200);
    let announced = metadata["grant_types_supported"].as_array().expect("a list").clone();
    assert!(announced.contains(&BADGE.into()), "{announced:?}");
    // What may be sent more than once comes in the order of the request, without what is empty.
    let undeclared = request(&kit, "doors").param("undeclared", "1").param("undeclared", "2");
    for (doors, status) in [(&["al", "", "ice"][..], 200), (&["alice"], 200), (&["ice", "al"], 400)] {
        let asked = doors.iter().fold(undeclared.clone(), |asked, door| asked.param("door", door));
        let answer = asked.send().expect_status(status);
        match status {
            200 => assert_eq!(kit.id_token(&answer, "door").claims["sub"], "alice", "{doors:?}"),
            _ => assert_eq!(answer["error"], "invalid_grant", "{doors:?}"),
        }
    }
    let open = kit.token_request("open").param("grant_type", BADGE).param("badge", "alice");
    assert!(open.send().expect_status(200).member("access_token").starts_with("at_"));
}

/// EXT-02, EXT-04: the engine makes the tokens of what the application says, in one step.
#[test]
fn the_engine_makes_the_tokens() {
    let kit = builder().build();
    let asked = request(&kit, "alice").param("scope", "openid offline_access");
    let (tokens, trips) = kit.trips(|| asked.send().expect_status(200));
    assert_eq!(trips, 1);
    assert_eq!(
        tokens.member_names(),
        ["access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope"]
    );
    let issued = Event::TokensIssued {
        client: ClientId::parse("door").expect("an id"),
        grant_type: GrantType::parse(BADGE).expect("a name"),
        account: AccountId::parse("alice").ok(),
    };
    assert_eq!(tokens.events, [issued]);
    let id_token = kit.try_verify(tokens.member("id_token"), "door").expect("it verifies");
    assert_eq!(id_token.claims["sub"], "alice");
    assert_eq!(id_token.claims["amr"], serde_json::json!(["hwk"]));
    assert!(id_token.claims.get("sid").is_none());
    assert!(kit.is_active("door", tokens.member("access_token")));

    let refreshed = kit.refresh_request("door", tokens.member("refresh_token")).send().expect_status(200);
    let revoked = kit.revocation_request("door", refreshed.member("refresh_token")).send();
    assert_eq!(revoked.status, 200);
    for token in [tokens.member("access_token"), refreshed.member("access_token")] {
        assert!(!kit.is_active("door", token), "a token lives below its grant");
    }
}

/// EXT-04, RFC 9068 section 2.2: for a resource server that reads JWTs, the application's person and lifetime
/// stand in the token, which ends with its grant; the client's own token names the client.
#[test]
fn a_resource_server_with_jwts() {
    let metadata = format!(
        r#"{{"client_id":"reader","client_secret":"{SECRET}","response_types":[],
            "scope":"openid read offline_access","id_token_signed_response_alg":"ES256",
            "grant_types":["{BADGE}","refresh_token"],"chancery":{{"default_resource":"https://jwt-api.example"}}}}"#
    );
    let kit = builder().client(&metadata).build();
    let issuer = kit.issuer().as_str().to_owned();
    let asked = |badge: &str, scope: &str| {
        let request = kit.token_request("reader").param("grant_type", BADGE).param("badge", badge);
        request.param("scope", scope).send().expect_status(200)
    };
    let claims = |tokens: &Answer| {
        let token = kit.try_verify(tokens.member("access_token"), "reader").expect("a JWT");
        assert_eq!(token.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!((&token.claims["iss"], &token.claims["client_id"]), (&json!(issuer), &json!("reader")));
        token.claims
    };
    let now = kit.now().secs();
    for (badge, scope, sub, aud, lifetime) in [
        ("long", "read", "alice", json!("https://jwt-api.example"), 300),
        ("short", "read", "alice", json!("https://jwt-api.example"), 60),
        ("once", "openid read", "alice", json!(["https://jwt-api.example", issuer]), 300),
        ("own", "openid read", "reader", json!("https://jwt-api.example"), 300),
    ] {
        let tokens = asked(badge, scope);
        let seen = claims(&tokens);
        let expected = (&json!(sub), &aud, &json!(now + lifetime));
        assert_eq!((&seen["sub"], &seen["aud"], &seen["exp"]), expected, "{badge} {scope}");
        assert_eq!(tokens["expires_in"], lifetime, "{badge} {scope}");
        assert_eq!(
            kit.introspect("api", tokens.member("access_token"))["client_id"],
            "reader",
            "{badge} {scope}"
        );
    }
    // Scopes that no server knows make no JWT: the token is for UserInfo.
    let plain = asked("once", "openid");
    assert!(plain.member("access_token").starts_with("at_"), "{}", plain.text());

    let tokens = asked("alice", "openid read offline_access");
    let refreshed = kit.refresh("reader", tokens.member("refresh_token")).expect_status(200);
    assert_eq!(claims(&refreshed)["sub"], "alice");
    let _ = kit.revoke("reader", refreshed.member("refresh_token")).expect_status(200);
    for answer in [&tokens, &refreshed] {
        assert!(!kit.is_active("api", answer.member("access_token")), "a JWT ends with its grant");
    }
}

/// RFC 6749 section 5.1: where the client has asked for scopes, the answer says which it got, or is `invalid_scope`.
#[test]
fn an_answer_says_what_is_left_of_the_scopes() {
    let kit = builder().build();
    for (badge, scope, left) in [
        ("alice", "openid unknown", Ok("openid")),
        ("alice", "unknown", Err(&NOTHING)),
        ("own", "doors profile openid", Ok("doors")),
        ("own", "openid profile", Err(&NOTHING_OF_USE)),
    ] {
        let answer = request(&kit, badge).param("scope", scope).send();
        match left {
            Ok(left) => assert_eq!(answer.expect_status(200)["scope"], left, "{badge} {scope}"),
            Err(why) => assert_refused!(answer, *why),
        }
    }
    let unasked = request(&kit, "own").send().expect_status(200);
    assert_eq!(unasked.member_names(), ["access_token", "token_type", "expires_in"]);
}

/// RFC 6749 section 2.3.1: while a client's secrets are not looked at, the application is not asked.
#[test]
fn guessing_a_secret_is_slowed_down_here_too() {
    let asked = Arc::new(AtomicUsize::new(0));
    let badge = Badge { asked: Arc::clone(&asked), ..Badge::new(BADGE) };
    let kit = TestProvider::builder().extension_grant(badge);
    let kit = kit.client(&client("door", r#""urn:example:badge""#)).build();
    let _ = request(&kit, "alice").send().expect_status(200);
    for n in 0..11 {
        let _ = request(&kit, "alice").secret(&format!("guess {n}")).send().expect_status(401);
    }
    let (refused, trips) = kit.trips(|| request(&kit, "alice").send().expect_status(429));
    assert_eq!(
        (&refused["error"], refused.header("retry-after"), trips),
        (&json!("invalid_client"), Some("1"), 0)
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    kit.clock.advance(Duration::from_secs(1));
    let _ = request(&kit, "alice").send().expect_status(200);
}

/// A client that is no longer registered for the grant type gets nothing new by it, and what it got goes on; what
/// was issued to a client that is disabled ends at that moment for good, as with every other grant type.
#[test]
fn a_client_that_is_changed_after_the_issue() {
    let kit = builder().build();
    let change = |patch: &str| kit.change_client("door", patch).expect("a good change");
    let own = request(&kit, "own").param("scope", "openid doors").send().expect_status(200);
    let tokens = request(&kit, "alice").param("scope", "openid offline_access").send().expect_status(200);
    let refresh = || kit.refresh("door", tokens.member("refresh_token"));

    change(r#"{"grant_types":["refresh_token"]}"#);
    assert_eq!(request(&kit, "alice").send().expect_status(400)["error"], "unauthorized_client");
    assert!(kit.is_active("door", tokens.member("access_token")));
    let _ = refresh().expect_status(200);
    change(r#"{"grant_types":["urn:example:badge","refresh_token"]}"#);
    let _ = request(&kit, "alice").send().expect_status(200);

    change(r#"{"chancery":{"enabled":false}}"#);
    for refused in [request(&kit, "alice").send(), refresh()] {
        assert_eq!(refused.expect_status(401)["error"], "invalid_client");
    }
    assert_eq!(kit.userinfo(tokens.member("access_token")).status, 401);
    change(r#"{"chancery":{"enabled":true}}"#);
    for token in [tokens.member("access_token"), tokens.member("refresh_token"), own.member("access_token")] {
        assert!(!kit.is_active("door", token), "{token}");
    }
    assert_eq!(refresh().expect_status(400)["error"], "invalid_grant");
    let _ = request(&kit, "alice").send().expect_status(200);
}

/// EXT-04: with a lifetime below the usual one, without refresh token, and for the client itself.
#[test]
fn what_an_application_may_say() {
    let kit = builder().build();
    for (badge, expires_in) in [("short", 60), ("long", 3600), ("once", 3600)] {
        let tokens = request(&kit, badge).param("scope", "openid offline_access").send().expect_status(200);
        assert_eq!(tokens["expires_in"], expires_in, "{badge}");
        assert!(!tokens.member_names().contains(&"refresh_token".to_owned()), "{badge}");
    }
    let (own, trips) =
        kit.trips(|| request(&kit, "own").param("scope", "openid doors").send().expect_status(200));
    assert_eq!((trips, &own["scope"], &own["expires_in"]), (1, &"doors".into(), &600.into()));
    assert!(!own.member_names().contains(&"id_token".to_owned()));
}

/// EXT-04: what the application says of the lifetime holds for the whole grant, however often it is refreshed, also when
/// a client repeats a request or asks for less, in both forms of access tokens.
#[test]
fn a_shorter_life_is_that_of_refreshed_tokens_too() {
    let metadata = format!(
        r#"{{"client_id":"reader","client_secret":"{SECRET}","response_types":[],"scope":"openid read offline_access",
            "grant_types":["{BADGE}","refresh_token"],"chancery":{{"default_resource":"https://jwt-api.example"}}}}"#
    );
    for (client, scope, usual) in [
        ("door", "openid offline_access", 3600),
        ("reader", "read offline_access", 300),
        ("reader", "openid read offline_access", 300),
    ] {
        for (badge, lifetime) in [("short and long", 60), ("alice", usual)] {
            let kit = builder().client(&metadata).build();
            let asked = kit.token_request(client).param("grant_type", BADGE).param("badge", badge);
            let mut tokens = asked.param("scope", scope).send().expect_status(200);
            assert_eq!(tokens["expires_in"], lifetime, "{client} {badge}");
            for narrower in ["", "", "openid"] {
                let shown = tokens.member("refresh_token").to_owned();
                let refresh = || {
                    let request = kit.refresh_request(client, &shown);
                    let request = if client == "door" { request.param("scope", narrower) } else { request };
                    request.send().expect_status(200)
                };
                let repeated = (refresh(), refresh());
                for answer in [&repeated.0, &repeated.1] {
                    assert_eq!(answer["expires_in"], lifetime, "{client} {badge} {narrower}");
                }
                kit.clock.advance(Duration::from_secs(61));
                let token = repeated.0.member("access_token");
                let caller = if client == "door" { client } else { "api" };
                assert_eq!(kit.is_active(caller, token), lifetime > 61, "{client} {badge} {narrower}");
                tokens = repeated.1;
            }
        }
    }
}

/// EXT-01, EXT-02, EXT-04: what is refused, by the engine and by the application.
#[test]
fn what_is_refused() {
    let kit = builder().client(&client("other", r#""client_credentials""#)).build();
    let tokens = request(&kit, "bob").send().expect_status(200);
    kit.accounts.disable("bob");
    assert!(!kit.is_active("door", tokens.member("access_token")), "the account was disabled");
    let grant = Refused::Json(400, "invalid_grant");
    let malformed = Refused::Json(400, "invalid_request");
    NegativeTable::new(&kit)
        .row(
            "unknown",
            request(&kit, "alice").set("grant_type", "urn:example:other"),
            Refused::Json(400, "unsupported_grant_type"),
        )
        .row(
            "another case",
            request(&kit, "alice").set("grant_type", "URN:example:badge"),
            Refused::Json(400, "unsupported_grant_type"),
        )
        .row(
            "not the client's",
            kit.token_request("other").param("grant_type", BADGE).param("badge", "alice"),
            Refused::Json(400, "unauthorized_client"),
        )
        .row("twice", request(&kit, "alice").param("badge", "alice"), malformed)
        .row("missing", request(&kit, ""), malformed)
        .row(
            "a scope of others",
            request(&kit, "alice").param("scope", "openid email"),
            Refused::Json(400, "invalid_scope"),
        )
        .row("a disabled account", request(&kit, "bob"), grant)
        .row("nobody", request(&kit, "nobody"), grant)
        .row("refused by the application", request(&kit, "forged"), grant)
        .row("a wrong secret", request(&kit, "alice").secret("wrong"), Refused::Json(401, "invalid_client"))
        .row("no client", request(&kit, "alice").unauthenticated(), Refused::Json(400, "invalid_request"))
        .run();
    assert_eq!(request(&kit, "untrue").send().status, 500);
    assert_eq!(request(&kit, "broken").send().status, 503);
}

/// EXT-01: a client can be registered for exactly the grant types that there are, as can a policy.
#[test]
fn clients_are_registered_for_what_there_is() {
    let kit = builder().build();
    assert!(kit.put_client_fetching(&client("new", r#""urn:example:badge""#)).is_ok());
    for unknown in ["urn:example:other", "password", "badge", "Authorization_code"] {
        let refused = kit.put_client_fetching(&client("new", &format!("{unknown:?}")));
        assert!(refused.is_err(), "{unknown}");
    }
    let policy = TestProvider::builder().configure(|config| {
        let grant_types = vec![GrantType::parse("badge").expect("a name")];
        config.registration_policy.push(RegistrationPolicy { grant_types, ..RegistrationPolicy::default() });
    });
    let complaints = policy.try_build().err().expect("it is refused");
    assert!(complaints.iter().any(|complaint| complaint.setting == "registration_policy"), "{complaints:?}");
}

/// EXT-01: what cannot be registered.
#[test]
fn what_cannot_be_registered() {
    for taken in ["authorization_code", "implicit", "client_credentials", "refresh_token", "password"] {
        assert!(ExtensionGrantName::parse(taken).is_err(), "{taken}");
    }
    let twice = TestProvider::builder().extension_grant(Badge::new(BADGE)).extension_grant(Badge::new(BADGE));
    let secret = Badge { parameters: &["client_secret"], ..Badge::new(BADGE) };
    let nobody = TestProvider::builder().configure(|config| {
        config.extension_grants.push(ExtensionGrantName::parse("badge").expect("a name"))
    });
    for wrong in [twice, TestProvider::builder().extension_grant(secret), nobody] {
        let complaints = wrong.try_build().err().expect("it is refused");
        assert_eq!(complaints[0].setting, "extension_grants");
    }
}
