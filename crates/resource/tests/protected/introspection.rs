//! RFC 7662 sections 2 and 4: opaque tokens, about which the issuer is asked.

use chancery_resource::Introspection;
use chancery_testkit::{SECRET, TestProvider, seconds};
use serde_json::{Value, json};

use crate::api::{API, Api, METADATA};

/// The identifier of the API whose tokens are opaque.
const OPAQUE: &str = "https://api.example";
const INTROSPECTION: &str = "https://id.example/introspect";

fn asking(introspection: Introspection) -> Api {
    Api::at(OPAQUE, TestProvider::builder(), |builder| builder.introspecting(introspection))
}

fn token(api: &Api) -> String {
    let request = api.kit.client_credentials_request("machine").param("scope", "read");
    request.send().expect_status(200).member("access_token").to_owned()
}

/// Section 2.2: the handler has what the issuer says, and every request asks.
#[test]
fn an_opaque_token_is_introspected() {
    let api = asking(Introspection::by("api", SECRET));
    let told = api.get(&token(&api));
    assert_eq!(
        (told.status, &told.body["subject"], &told.body["client"]),
        (200, &json!("machine"), &json!("machine"))
    );
    assert_eq!((&told.body["scope"], &told.body["audience"]), (&json!("read"), &json!([OPAQUE])));
    let tokens = api.kit.tokens("alice", "machine", "read");
    let of_person = tokens.member("access_token");
    assert_eq!(api.get(of_person).body["subject"], "alice");
    assert_eq!(api.wire.asked(), [METADATA, INTROSPECTION, INTROSPECTION]);
    let _ = api.kit.revoke("machine", of_person);
    assert_eq!(api.get(of_person).reason, "access_token_inactive");
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined.
#[test]
fn whatever_the_secret_looks_like() {
    let client = json!({"client_id": "notes api:1", "response_types": [], "grant_types": ["client_credentials"],
        "client_secret": "a:secret+with%every=kind & of character, 43"});
    let server =
        json!({"uri": "https://odd.example", "scopes": ["read"], "introspected_by": ["notes api:1"]});
    let owner = json!({"client_id": "app", "client_secret": SECRET, "response_types": [],
        "grant_types": ["client_credentials"], "chancery": {"default_resource": "https://odd.example"}});
    let kit = TestProvider::builder()
        .resource_server(serde_json::from_value(server).unwrap())
        .client(&client.to_string())
        .client(&owner.to_string());
    let by = Introspection::by("notes api:1", "a:secret+with%every=kind & of character, 43");
    let api = Api::at("https://odd.example", kit, |builder| builder.introspecting(by));
    let tokens = api.kit.client_credentials_request("app").param("scope", "read").send().expect_status(200);
    assert_eq!(api.get(tokens.member("access_token")).status, 200);
}

/// Section 4: an answer may be kept for a second and no longer, only a good one, and never beyond the token's end.
#[test]
fn answers_are_kept_for_a_second_at_most() {
    let api = asking(Introspection::by("api", SECRET).kept_for(seconds(60)));
    let token = token(&api);
    for _ in 0..20 {
        assert_eq!(api.get(&token).status, 200);
    }
    assert_eq!(api.wire.asked(), [METADATA, INTROSPECTION]);
    let _ = api.kit.revoke("machine", &token);
    assert_eq!(api.get(&token).status, 200, "kept");
    api.kit.clock.advance(seconds(1));
    for _ in 0..3 {
        assert_eq!(api.get(&token).reason, "access_token_inactive");
    }
    assert_eq!(api.wire.asked().len(), 3, "that it is not good is not kept");
    let now = api.kit.now().secs();
    let answer = json!({"active": true, "client_id": "machine", "aud": OPAQUE, "exp": now});
    api.wire.answers(INTROSPECTION, 200, answer.to_string());
    for _ in 0..2 {
        assert_eq!(api.get("at_another").status, 200, "within the tolerance");
    }
    assert_eq!(api.wire.asked().len(), 2, "not kept beyond its end");
}

/// So many answers are kept and no more, and those that are over make room.
#[test]
fn what_is_kept_is_bounded() {
    let api = asking(Introspection::by("api", SECRET).kept_for(seconds(1)));
    let answer = json!({"active": true, "client_id": "machine", "aud": OPAQUE});
    api.wire.answers(INTROSPECTION, 200, answer.to_string());
    let asked = |token: &str| {
        assert_eq!(api.get(token).status, 200, "{token}");
        api.wire.asked().len()
    };
    for n in 0..4_096 {
        let _ = asked(&format!("at_{n}"));
    }
    assert_eq!([asked("at_0"), asked("at_4095")], [0, 0], "kept");
    assert_eq!([asked("at_more"), asked("at_more")], [1, 1], "full");
    api.kit.clock.advance(seconds(1));
    assert_eq!([asked("at_more"), asked("at_more")], [1, 0], "there is room again");
}

/// JWTs are verified beside it, or introspected, too, so that what is revoked ends at once.
#[test]
fn of_jwts_as_well_if_that_is_wanted() {
    let verified = |asked: Introspection| {
        let api = Api::with(TestProvider::builder(), |builder| builder.introspecting(asked));
        let token = api.token("read");
        assert_eq!(api.get(&token).status, 200);
        let _ = api.kit.revoke("jwt", &token);
        api.get(&token).reason
    };
    assert_eq!(verified(Introspection::by("api", SECRET)), "", "until it expires");
    assert_eq!(verified(Introspection::by("api", SECRET).also_of_jwts()), "access_token_inactive");
}

#[test]
fn the_secret_cannot_be_printed() {
    assert!(!format!("{:?}", Introspection::by("api", SECRET)).contains(SECRET));
}

/// Whatever the endpoint answers: a token that is not certainly good is refused, and a fault is no fault of the token.
#[test]
fn what_must_not_be_accepted() {
    let api = asking(Introspection::by("api", SECRET));
    let good = json!({"active": true, "client_id": "machine", "aud": OPAQUE});
    let now = api.kit.now().secs();
    let with = |name: &str, value: Value| {
        let mut answer = good.clone();
        answer[name] = value;
        answer.to_string()
    };
    let refused = |reason| (401, reason);
    let rows = [
        ("inactive", json!({"active": false}).to_string(), refused("access_token_inactive")),
        ("nothing said", "{}".to_owned(), refused("access_token_inactive")),
        ("active as text", with("active", json!("true")), refused("access_token_inactive")),
        ("active as a number", with("active", json!(1)), refused("access_token_inactive")),
        ("another audience", with("aud", json!([API])), refused("access_token_audience_wrong")),
        (
            "no audience",
            json!({"active": true, "client_id": "machine"}).to_string(),
            refused("access_token_audience_wrong"),
        ),
        ("another issuer", with("iss", json!("https://evil.example")), refused("access_token_issuer_wrong")),
        ("expired", with("exp", json!(now - 30)), refused("access_token_expired")),
        ("valid later", with("nbf", json!(now + 31)), refused("access_token_not_yet_valid")),
        (
            "no client",
            json!({"active": true, "aud": OPAQUE}).to_string(),
            refused("jwt_access_token_malformed"),
        ),
        ("an unknown confirmation", with("cnf", json!({"kid": "1"})), refused("jwt_access_token_malformed")),
    ];
    for (name, answer, (status, reason)) in rows {
        api.wire.answers(INTROSPECTION, 200, answer);
        let told = api.get("at_some");
        assert_eq!((told.status, &*told.reason), (status, reason), "{name}");
        assert_eq!(told.body["error"], "invalid_token", "{name}");
    }
    for (name, status, answer) in [
        ("500", 500, ""),
        ("401: the resource's own credentials are wrong", 401, r#"{"error":"invalid_client"}"#),
        ("a redirect", 302, ""),
        ("not JSON", 200, "<html>"),
        ("an array", 200, r#"[{"active":true}]"#),
        (
            "active twice",
            200,
            r#"{"active":false,"active":true,"client_id":"machine","aud":"https://api.example"}"#,
        ),
        ("empty", 200, ""),
    ] {
        api.wire.answers(INTROSPECTION, status, answer);
        let told = api.get("at_some");
        assert_eq!((told.status, &*told.challenge), (503, ""), "{name}");
        assert_eq!(told.body["error"], "temporarily_unavailable", "{name}");
    }
    api.wire.answers(INTROSPECTION, 200, format!("{{\"active\":true,\"x\":\"{}\"}}", "y".repeat(64 * 1024)));
    assert_eq!(api.get("at_some").status, 503, "too long");
    api.wire.hangs(INTROSPECTION);
    assert_eq!(api.get("at_some").status, 503, "nobody answers");
    api.wire.answers(
        METADATA,
        200,
        json!({"issuer": "https://id.example", "jwks_uri": "https://id.example/jwks"}).to_string(),
    );
    api.wire.answers(INTROSPECTION, 200, good.to_string());
    api.kit.clock.advance(seconds(3599));
    assert_eq!(api.get("at_some").status, 200, "it answers, and metadata counts for an hour");
    api.kit.clock.advance(seconds(1));
    assert_eq!(api.get("at_some").status, 503, "there is no such endpoint any more");
    api.wire.recovers();
    let wrong = asking(Introspection::by("api", "a wrong secret that is as long as all others are"));
    assert_eq!(wrong.get(&token(&wrong)).status, 503, "wrong credentials");
}
