//! What an application may decide about authorization requests and what comes of them.

use chancery_core::error::{Fault, Reason, Refusal};
use chancery_core::model::{ClaimsRequest, Client, ConsentAnswer, Entitlement};
use chancery_core::policy::{AuthorizationPolicy, TokenPolicy};
use chancery_testkit::TestProvider;
use chancery_types::iana::ErrorCode;
use chancery_types::{AccountId, Scopes};

/// This application gives no e-mail addresses one by one.
const NO_EMAIL: Reason = Reason {
    name: "no_email",
    code: ErrorCode::InvalidRequest,
    description: "ask for the scope email instead",
    section: "OIDC Core section 5.5",
};

struct NoEmail;

impl AuthorizationPolicy for NoEmail {
    fn claims_request(&self, asked: &ClaimsRequest, _client: &Client) -> Result<(), Refusal> {
        let is_asked = asked.userinfo.iter().any(|ask| &*ask.name == "email");
        if is_asked { Err((&NO_EMAIL).into()) } else { Ok(()) }
    }
}

/// CLAIM-03: a request for single claims can be refused; the client is told.
#[test]
fn a_claims_request_can_be_refused() {
    let kit = TestProvider::builder().authorization_policy(NoEmail).build();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid");
    let refused = request.clone().param("claims", r#"{"userinfo":{"email":null}}"#).open(&ua);
    let _ = refused.expect_error("invalid_request");
    let _ = request.param("claims", r#"{"userinfo":{"name":null}}"#).open(&ua).expect_page("login");
}

struct Vouched;

impl AuthorizationPolicy for Vouched {
    async fn standing_consent(
        &self,
        client: &Client,
        account: &AccountId,
        mut stored: ConsentAnswer,
    ) -> Result<ConsentAnswer, Fault> {
        if client.id().as_str() == "web" && account.as_str() == "alice" {
            let vouched = Scopes::parse("openid profile").unwrap_or_default();
            stored.scopes = vouched.iter().chain(stored.scopes.iter()).cloned().collect();
        }
        Ok(stored)
    }
}

/// POL-24: what an application knows to be agreed is not asked; everything else is, and of everybody else.
#[test]
fn a_consent_can_stand_elsewhere() {
    let kit = TestProvider::builder().authorization_policy(Vouched).build();
    let request = kit.authorization_request("web").scope("openid profile");
    let _ = request.open(&kit.user_agent()).login("alice").expect_code();
    let _ = request.open(&kit.user_agent()).login("bob").expect_page("consent");
    let wider = kit.authorization_request("web").scope("openid profile email");
    let ua = kit.user_agent();
    let page = wider.open(&ua).login("alice").expect_page("consent");
    assert_eq!(kit.exchange(&page.allow().expect_code()).member("scope"), "openid profile email");
}

struct AlwaysBound;

impl TokenPolicy for AlwaysBound {
    fn session_bound(&self, _what: &Entitlement, _client: &Client) -> bool {
        true
    }
}

/// SESS-21: by default `offline_access` outlives the session; an application can bind everything to it.
#[test]
fn everything_can_be_bound_to_the_session() {
    for (kit, lives) in
        [(TestProvider::new(), true), (TestProvider::builder().token_policy(AlwaysBound).build(), false)]
    {
        let ua = kit.user_agent();
        let request = kit.authorization_request("web").scope("openid offline_access");
        let tokens = kit.exchange(&request.open(&ua).login("alice").allow().expect_code()).expect_status(200);
        ua.ends_session();
        assert_eq!(kit.is_active("web", tokens.member("access_token")), lives);
        let refreshed = kit.refresh("web", tokens.member("refresh_token"));
        assert_eq!(refreshed.status == 200, lives);
    }
}
