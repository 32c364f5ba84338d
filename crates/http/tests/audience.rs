//! Whom an access token is for: decided when the person agrees, and never changed after (RFC 9700 section 2.3).

use chancery_core::policy::AUDIENCE_WITHDRAWN;
use chancery_testkit::{SECRET, TestProvider, assert_refused, seconds};

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

/// RFC 7662 section 2.2: a token for UserInfo names the issuer as its audience; a refresh token is for its client only.
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
