//! Whom an access token is for: decided when the person agrees, and never changed after (RFC 9700 section
//! 2.3).

use chancery_core::endpoint::token::refresh_token::NOTHING_FOR_AUDIENCE;
use chancery_core::model::ResourceServer;
use chancery_core::policy::AUDIENCE_WITHDRAWN;
use chancery_core::rule::bearer::TOKEN_FOR_ANOTHER;
use chancery_testkit::{NegativeTable, Refused, SECRET, TestProvider, assert_refused, minutes, seconds};
use serde_json::{Value, json};

/// A client whose tokens are for this resource server.
fn client(resource: &str) -> String {
    format!(
        r#"{{"client_id":"c","client_secret":"{SECRET}","redirect_uris":["https://c.example/cb"],
            "id_token_signed_response_alg":"ES256","grant_types":["authorization_code","refresh_token"],
            "chancery":{{"refresh_tokens":"always","default_resource":"{resource}"}}}}"#
    )
}

const API: &str = "https://api.example";
const OTHER: &str = "https://jwt-api.example";

/// Codes, refresh tokens and access tokens stay with the resource server that the person was told of.
#[test]
fn old_grants_do_not_follow_the_default_resource() {
    let kit = TestProvider::builder().client(&client(API)).build();
    let tokens = kit.tokens("alice", "c", "read");
    let code = kit.code("bob", "c", "read");
    kit.put_client(&client(OTHER));
    kit.clock.advance(seconds(2));
    assert_refused!(kit.exchange(&code), AUDIENCE_WITHDRAWN);
    assert_refused!(kit.refresh("c", tokens.member("refresh_token")), AUDIENCE_WITHDRAWN);
    assert!(!kit.is_active("c", tokens.member("access_token")));
    assert!(!kit.is_active("c", tokens.member("refresh_token")));
    // Nothing was used up: whose mistake it was can take it back.
    kit.put_client(&client(API));
    kit.clock.advance(seconds(2));
    assert_eq!(kit.exchange(&code).expect_status(200)["scope"], "read");
    assert_eq!(kit.refresh("c", tokens.member("refresh_token")).expect_status(200)["scope"], "read");
}

/// Tokens of a resource server that is no longer configured count for nothing, and none are made; nothing is
/// used up.
#[test]
fn a_resource_server_that_is_gone() {
    let kit = TestProvider::new();
    let jwt = kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
    let code = kit.code("alice", "jwt", "read");
    kit.registry_of_realms.lose_resource_servers(true);
    assert!(!kit.is_active("jwt", &jwt));
    assert_refused!(kit.exchange(&code), AUDIENCE_WITHDRAWN);
    kit.registry_of_realms.lose_resource_servers(false);
    assert!(kit.is_active("jwt", &jwt));
    let _ = kit.exchange(&code).expect_status(200);
}

/// `read` of one resource server is not `read` of another.
#[test]
fn a_consent_counts_for_its_resource_server() {
    let kit = TestProvider::builder().client(&client(API)).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request = kit.authorization_request("c").scope("read email");
    let _ = request.open(&ua).expect_page("consent").allow().expect_code();
    let _ = request.open(&ua).expect_code();
    kit.put_client(&client(OTHER));
    kit.clock.advance(seconds(2));
    let page = request.open(&ua).expect_page("consent");
    assert!(page.page().text.contains("read") && !page.page().text.contains("email"), "{}", page.page().text);
    let code = page.allow().expect_code();
    assert!(kit.exchange(&code).expect_status(200).text().contains("read"));
    kit.put_client(&client(API));
    kit.clock.advance(seconds(2));
    let _ = request.open(&ua).expect_code();
}

/// RFC 7662 section 2.2: a token for UserInfo names the issuer as its audience; a refresh token is for its
/// client only.
#[test]
fn introspection_tells_the_audience() {
    let inspector = format!(
        r#"{{"client_id":"inspector","client_secret":"{SECRET}","response_types":[],
            "grant_types":["client_credentials"],"chancery":{{"introspects":["machine"]}}}}"#
    );
    let kit = TestProvider::builder().client(&inspector).build();
    let tokens = kit.tokens("alice", "machine", "openid");
    assert_eq!(kit.introspect("inspector", tokens.member("access_token"))["aud"], kit.issuer().as_str());
    assert!(!kit.is_active("inspector", tokens.member("refresh_token")), "not the inspector's business");
    let own = kit.introspect("machine", tokens.member("refresh_token"));
    assert!(own["active"] == true && own["aud"].is_null(), "{}", own.text());
    let plain = kit.tokens("alice", "machine", "read");
    assert_eq!(kit.introspect("inspector", plain.member("access_token"))["aud"], API);
}

/// RI-08, CODE-10: RFC 9068 section 3, OIDC Core section 5.3: whoever asks for `openid` and for an API's
/// scopes at once gets a token for both; the person sees what it is for, and nothing that was asked for
/// vanishes.
#[test]
fn one_token_for_an_api_and_userinfo() {
    for (client, api) in [("jwt", OTHER), ("machine", API)] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let request = kit.authorization_request(client).scope("openid read email offline_access");
        let page = request.open(&ua).expect_page("consent");
        for shown in ["read", "email", "offline_access", api] {
            assert!(page.page().text.contains(shown), "{shown}: {}", page.page().text);
        }
        let tokens = kit.exchange(&page.allow().expect_code()).expect_status(200);
        assert_eq!(tokens["scope"], "openid read email offline_access");
        assert_eq!(kit.id_token(&tokens, client).claims["sub"], "alice");
        let access_token = tokens.member("access_token");
        let userinfo = kit.userinfo(access_token).expect_status(200);
        assert_eq!((&userinfo["sub"], &userinfo["email"]), (&"alice".into(), &"alice@example.org".into()));
        // What the API learns of it, by introspection or from the token itself.
        let introspected = kit.introspect("api", access_token);
        let both = json!([api, kit.issuer().as_str()]);
        assert_eq!((&introspected["aud"], &introspected["scope"]), (&both, &"read".into()));
        if client == "jwt" {
            let claims = kit.try_verify(access_token, client).map(|jwt| jwt.claims).unwrap_or_default();
            assert_eq!((&claims["aud"], &claims["scope"]), (&both, &"openid read email".into()));
        }
        // The standing consent is for all of it.
        let _ = request.set("prompt", "none").open(&ua).expect_code();
    }
}

/// RT-04: RFC 6749 section 6: less scope is less audience, and never another one.
#[test]
fn narrowing_leaves_audiences_out() {
    let kit = TestProvider::new();
    let scope = "openid email read write offline_access";
    for (asked, answered, audience, userinfo) in [
        ("read", "read", json!(OTHER), 401),
        ("read offline_access", "read offline_access", json!(OTHER), 401),
        // Without `openid` nobody takes `email`.
        ("email read", "read", json!(OTHER), 401),
        ("openid", "openid", json!(kit.issuer().as_str()), 200),
        ("email openid", "email openid", json!(kit.issuer().as_str()), 200),
        ("openid write", "openid write", json!([OTHER, kit.issuer().as_str()]), 200),
    ] {
        let tokens = kit.tokens("alice", "jwt", scope);
        let narrowed =
            kit.refresh_request("jwt", tokens.member("refresh_token")).param("scope", asked).send();
        let narrowed = narrowed.expect_status(200);
        assert_eq!(narrowed["scope"], answered, "{asked}");
        assert_eq!(narrowed["id_token"].is_string(), asked.contains("openid"), "{asked}");
        let access_token = narrowed.member("access_token");
        assert_eq!(kit.introspect("jwt", access_token)["aud"], audience, "{asked}");
        assert_eq!(
            access_token.starts_with("at_"),
            !asked.contains("read") && !asked.contains("write"),
            "{asked}"
        );
        assert_eq!(kit.userinfo(access_token).status, userinfo, "{asked}");
        assert_eq!(kit.refresh("jwt", narrowed.member("refresh_token"))["scope"], scope, "{asked}");
    }
    let tokens = kit.tokens("alice", "jwt", scope);
    for asked in ["email", "offline_access", "email offline_access"] {
        let nobody = kit.refresh_request("jwt", tokens.member("refresh_token")).param("scope", asked).send();
        assert_refused!(nobody, NOTHING_FOR_AUDIENCE);
    }
}

/// CLAIM-15: a resource server that does not want its tokens to be good at UserInfo: the ID token says then
/// what UserInfo would (OIDC Core section 5.4), and a token for UserInfo is got by refreshing with less.
#[test]
fn a_resource_server_that_keeps_its_tokens_for_itself() {
    for format in ["jwt", "opaque"] {
        let server =
            json!({"uri": "https://closed.example", "scopes": ["read"], "format": format, "userinfo": false});
        let server: ResourceServer = serde_json::from_value(server).expect("a resource server");
        let kit = TestProvider::builder()
            .client(&client("https://closed.example"))
            .resource_server(server.clone())
            .build();
        let tokens = kit.tokens("alice", "c", "openid email read");
        assert_eq!(tokens["scope"], "openid read");
        let access_token = tokens.member("access_token");
        let introspected = kit.introspect("c", access_token);
        assert_eq!(
            (&introspected["aud"], &introspected["scope"]),
            (&"https://closed.example".into(), &"read".into())
        );
        assert_refused!(kit.userinfo(access_token), TOKEN_FOR_ANOTHER);
        let id_token = kit.id_token(&tokens, "c");
        assert_eq!(
            (&id_token.claims["email"], &id_token.claims["name"]),
            (&"alice@example.org".into(), &Value::Null)
        );
        let other =
            kit.refresh_request("c", tokens.member("refresh_token")).param("scope", "openid email").send();
        assert_eq!(
            kit.userinfo(other.member("access_token")).expect_status(200)["email"],
            "alice@example.org"
        );
        assert_eq!(kit.id_token(&other, "c").claims["email"], Value::Null, "UserInfo says it");
    }
}

/// What changes after a token for both was issued counts at once.
#[test]
fn a_token_for_both_ends_at_both() {
    type End = fn(&TestProvider, &str);
    let ends: [(&str, End); 7] = [
        ("it is revoked", |kit, token| drop(kit.revoke("c", token))),
        ("the consent is withdrawn", |kit, _| drop(kit.withdraw_consent("alice", "c"))),
        ("the account is gone", |kit, _| kit.accounts.remove("alice")),
        ("the person has signed out everywhere", |kit, _| kit.accounts.sign_out_everywhere("alice")),
        ("the client is gone", |kit, _| kit.remove_client("c")),
        ("the client has another resource server", |kit, _| kit.put_client(&client(API))),
        ("it has expired", |kit, _| kit.clock.advance(minutes(5))),
    ];
    for (what, end) in ends {
        let kit = TestProvider::builder().client(&client(OTHER)).build();
        let tokens = kit.tokens("alice", "c", "openid read");
        let access_token = tokens.member("access_token");
        assert_eq!(kit.userinfo(access_token).status, 200);
        end(&kit, access_token);
        kit.clock.advance(seconds(2));
        let answer = kit.userinfo(access_token);
        assert_eq!((answer.status.as_u16(), &answer["error"]), (401, &"invalid_token".into()), "{what}");
        let by_api = kit.introspect("api", access_token);
        assert_eq!(by_api["active"], false, "{what}");
    }
}

/// UINF-07: RFC 9068 section 4, RFC 8725 section 3.11: what is no access token for UserInfo, is none, whoever
/// signed it.
#[test]
fn what_userinfo_must_not_take() {
    let kit = TestProvider::builder().client(&client(OTHER)).build();
    let elsewhere = TestProvider::builder().issuer("https://other.example").client(&client(OTHER)).build();
    let tokens = kit.tokens("alice", "c", "openid read");
    let good = tokens.member("access_token").to_owned();
    let plain = kit.tokens("alice", "c", "read").member("access_token").to_owned();
    let own = kit.client_credentials_request("jwt").param("scope", "openid read").send().expect_status(200);
    let foreign = elsewhere.tokens("alice", "c", "openid read").member("access_token").to_owned();
    let parts: Vec<&str> = good.split('.').collect();
    let with_header =
        |header: &str| [&chancery_jose::base64url::encode(header), parts[1], parts[2]].join(".");
    let payload =
        String::from_utf8(chancery_jose::base64url::decode(parts[1]).unwrap_or_default()).unwrap_or_default();
    let as_bob = chancery_jose::base64url::encode(payload.replace("alice", "bob"));
    let bearer =
        |token: &str| kit.anonymous_request("/userinfo").header("authorization", &format!("Bearer {token}"));
    let refused = Refused::Json(401, "invalid_token");
    NegativeTable::new(&kit)
        .row("a token for the API alone", bearer(&plain), refused)
        .row("a client's own token", bearer(own.member("access_token")), refused)
        .row("one of another issuer with the same keys", bearer(&foreign), refused)
        .row("an ID token", bearer(tokens.member("id_token")), refused)
        .row("a refresh token", bearer(tokens.member("refresh_token")), refused)
        .row("without a signature", bearer(&format!("{}.{}.", parts[0], parts[1])), refused)
        .row("unsigned", bearer(&with_header(r#"{"typ":"at+jwt","alg":"none"}"#)), refused)
        .row("with another header", bearer(&with_header(r#"{"typ":"JWT","alg":"ES256"}"#)), refused)
        .row("about another person", bearer(&[parts[0], &as_bob, parts[2]].join(".")), refused)
        .row("cut", bearer(good.trim_end_matches(|c: char| c != '.')), refused)
        .run();
    assert_eq!(kit.userinfo(&good).status, 200);
}
