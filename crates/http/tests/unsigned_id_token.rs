//! OpenID Connect Core 1.0 sections 2 and 3.1.3.7: ID tokens without a signature, which are off by default (RFC
//! 8725 section 3.2).

#![expect(clippy::expect_used, reason = "tests")]

use std::sync::Arc;

use chancery_core::issue::id_token::UNSIGNED;
use chancery_core::ports::Registry as _;
use chancery_core::request::validated::ID_TOKEN_HINT_INVALID;
use chancery_jose::base64url;
use chancery_store::Put;
use chancery_testkit::{
    NegativeTable, Refused, SECRET, TestProvider, TestProviderBuilder, TestRegistry, assert_refused, wait,
};
use chancery_types::ClientId;
use serde_json::{Value, json};

fn client(more: &str) -> String {
    format!(
        r#"{{"client_id":"plain","client_secret":"{SECRET}","redirect_uris":["https://plain.example/cb"],
            "grant_types":["authorization_code","refresh_token"],"id_token_signed_response_alg":"none"{more}}}"#
    )
}

fn permitting() -> TestProviderBuilder {
    TestProvider::builder().configure(|to| {
        to.compatibility.unsigned_id_token = true;
        to.compatibility.implicit = true;
        to.compatibility.hybrid = true;
    })
}

/// Header and claims of a JWT that has no signature.
fn read(jwt: &str) -> (Value, Value) {
    let mut parts = jwt.split('.');
    let mut next = || parts.next().unwrap_or_default();
    let (header, claims) = (next(), next());
    assert_eq!((parts.next(), parts.next()), (Some(""), None), "{jwt}");
    let part = |text: &str| {
        serde_json::from_slice(&base64url::decode(text).expect("base64url")).expect("a JSON object")
    };
    (part(header), part(claims))
}

/// oidcc-idtoken-unsigned: from the token endpoint, at the exchange and at a refresh, for a client that is
/// registered for it. There is no hash without an algorithm that says which.
#[test]
fn from_the_token_endpoint() {
    let kit = permitting().client(&client("")).build();
    let algorithms =
        kit.get("/.well-known/openid-configuration").json()["id_token_signing_alg_values_supported"].clone();
    assert!(algorithms.as_array().is_some_and(|all| all.contains(&json!("none"))), "{algorithms}");
    let tokens = kit.tokens("alice", "plain", "openid email offline_access");
    let refreshed = kit.refresh("plain", tokens.member("refresh_token")).expect_status(200);
    for answer in [&tokens, &refreshed] {
        let (header, claims) = read(answer.member("id_token"));
        assert_eq!(header, json!({"alg": "none"}));
        assert_eq!((&claims["sub"], &claims["aud"]), (&json!("alice"), &json!("plain")));
        assert_eq!(claims["iss"], kit.issuer().as_str());
        assert!(claims["at_hash"].is_null() && claims["email"].is_null(), "{claims}");
        assert_eq!(kit.userinfo(answer.member("access_token")).expect_status(200)["sub"], "alice");
    }
    // Everybody else's are signed as before.
    let signed = kit.tokens("alice", "web", "openid");
    assert_eq!(kit.id_token(&signed, "web").claims["sub"], "alice");
}

/// Beside an access token from the browser as well: the ID token still comes from the token endpoint.
#[test]
fn beside_an_access_token_from_the_browser() {
    let kit = permitting().client(&client(r#","response_types":["code token"]"#)).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "plain", "openid");
    let request = kit.authorization_request("plain").scope("openid").set("response_type", "code token");
    let tab = request.open(&ua);
    assert!(tab.expect_arrival().value("id_token").is_none());
    let tokens = kit.exchange(&tab.expect_code()).expect_status(200);
    assert_eq!(read(tokens.member("id_token")).0, json!({"alg": "none"}));
}

/// A client that was registered while it was permitted gets no tokens while it is not, and its code stays good.
#[test]
fn a_client_of_former_days() {
    let registry = Arc::new(TestRegistry::default());
    let on = permitting().registry(Arc::clone(&registry)).realm("on").client(&client("")).build();
    let signed = client("").replace("\"none\"", "\"ES256\"");
    let off = TestProvider::builder().registry(Arc::clone(&registry)).realm("off").client(&signed).build();
    let id = ClientId::parse("plain").unwrap();
    let get = |kit: &TestProvider| wait(registry.client(&kit.env().realm, &id)).unwrap().unwrap();
    let (of_on, of_off) = (get(&on), get(&off));
    let put = registry.put_client(&off.env().realm, Some(of_off.revision()), of_on);
    assert!(matches!(wait(put), Ok(Put::Done(_))));
    let code = off.code("alice", "plain", "openid");
    assert_refused!(off.exchange(&code), UNSIGNED);
    assert_refused!(off.exchange(&code), UNSIGNED);
}

/// OIDC Registration section 2, CMETA-10: off by default; never for ID tokens that go through the browser; never
/// for UserInfo.
#[test]
fn who_may_be_registered() {
    let off = TestProvider::new();
    let refused = |kit: &TestProvider, metadata: &str| {
        let complaints = kit.registry.put(metadata).unwrap_err();
        complaints.into_iter().map(|complaint| complaint.setting).collect::<Vec<_>>()
    };
    assert_eq!(refused(&off, &client("")), ["id_token_signed_response_alg"]);
    let algorithms = off.get("/.well-known/openid-configuration");
    assert!(!algorithms.text().contains("\"none\"],\"userinfo"), "{}", algorithms.text());
    let on = permitting().build();
    for types in ["id_token", "id_token token", "code id_token", "code id_token token"] {
        let metadata = client(&format!(r#","response_types":["code","{types}"]"#));
        assert_eq!(refused(&on, &metadata), ["id_token_signed_response_alg"], "{types}");
    }
    let userinfo = client(r#","userinfo_signed_response_alg":"none""#);
    assert_eq!(refused(&on, &userinfo), ["userinfo_signed_response_alg"]);
    for odd in ["NONE", "None", " none"] {
        assert_eq!(
            refused(&on, &client("").replace("\"none\"", &format!("{odd:?}"))),
            ["id_token_signed_response_alg"],
            "{odd}"
        );
    }
}

/// RFC 8725 section 3.2: what nobody has signed is taken from nobody, also when this server made it.
#[test]
fn nothing_unsigned_is_taken() {
    let kit = permitting().client(&client("")).build();
    let tokens = kit.tokens("alice", "plain", "openid");
    let unsigned = tokens.member("id_token");
    let (_, claims) = read(unsigned);
    let web = kit.tokens("alice", "web", "openid");
    let (head, body) = (base64url::encode(br#"{"alg":"none"}"#), web.member("id_token").split('.').nth(1));
    let stripped = format!("{head}.{}.", body.unwrap_or_default());
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let hinted = |client: &str, hint: &str| {
        kit.authorization_request(client).scope("openid").set("id_token_hint", hint)
    };
    assert_refused!(hinted("plain", unsigned).open(&ua), ID_TOKEN_HINT_INVALID);
    let typed = base64url::encode(br#"{"alg":"none","typ":"at+jwt"}"#);
    let access = format!("{typed}.{}.", base64url::encode(claims.to_string()));
    let refused = Refused::Client("invalid_request");
    let bearer =
        |token: &str| kit.anonymous_request("/userinfo").header("authorization", &format!("Bearer {token}"));
    NegativeTable::new(&kit)
        .row("a hint of the client itself", hinted("plain", unsigned), refused)
        .row("a hint whose signature was taken off", hinted("web", &stripped), refused)
        .row("an access token", bearer(&access), Refused::Json(401, "invalid_token"))
        .row("an ID token as access token", bearer(unsigned), Refused::Json(401, "invalid_token"))
        .run();
}
