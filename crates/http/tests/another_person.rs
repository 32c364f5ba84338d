//! One request, two persons: what one of them has allowed does not count for the other.

use chancery_core::error::Fault;
use chancery_core::interaction::NOTHING_GRANTED;
use chancery_core::model::ConsentAnswer;
use chancery_core::policy::AuthorizationPolicy;
use chancery_testkit::{
    AuthorizationRequest, Tab, TestProvider, UserAgent, assert_refused, minutes, seconds,
};
use chancery_types::AccountId;

/// alice reads her consent page for so long that her login becomes too old, and allows it then.
fn allowed_too_late<'u, 'k>(
    kit: &TestProvider,
    ua: &'u UserAgent<'k>,
    request: &AuthorizationRequest,
) -> Tab<'u, 'k> {
    ua.signed_in("alice");
    kit.clock.advance(seconds(5));
    let consent = request.open(ua).expect_page("consent");
    kit.clock.advance(minutes(2));
    consent.allow().expect_page("login")
}

/// A page that is not due any more is not answered: the login comes first, and bob is asked himself.
#[test]
fn a_consent_is_asked_of_whoever_signs_in() {
    for (client, prompt, has_consented) in
        [("web", "consent", true), ("web", "", false), ("native", "", true)]
    {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        if has_consented {
            ua.has_consented("bob", client, "openid email");
        }
        let mut request = kit.authorization_request(client).scope("openid email").param("max_age", "60");
        if !prompt.is_empty() {
            request = request.param("prompt", prompt);
        }
        let consent = allowed_too_late(&kit, &ua, &request).login("bob").expect_page("consent");
        assert!(consent.page().text.contains("bob"), "{client} {prompt}");
        let tokens = kit.exchange(&consent.allow().expect_code()).expect_status(200);
        assert_eq!(kit.userinfo(tokens.member("access_token"))["sub"], "bob");
    }
}

/// For the same person a second login does not undo the consent.
#[test]
fn the_same_person_is_asked_once() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid email").param("max_age", "60");
    let consent = allowed_too_late(&kit, &ua, &request).login("alice").expect_page("consent");
    let _ = consent.allow().expect_code();
    let _ = request.open(&ua).expect_code();
}

/// An application for which every consent stands, and none allows anything.
struct Hollow;

impl AuthorizationPolicy for Hollow {
    async fn standing_consent(
        &self,
        _client: &chancery_core::model::Client,
        _account: &AccountId,
        stored: ConsentAnswer,
    ) -> Result<ConsentAnswer, Fault> {
        let rejected_scopes = stored.scopes.iter().chain(stored.rejected_scopes.iter()).cloned().collect();
        Ok(ConsentAnswer { rejected_scopes, ..ConsentAnswer::default() })
    }
}

/// No code is worth nothing: a client that gets none of what it asked for is told so (RFC 6749 section 5.1
/// would read a missing `scope` as all of it), silently, on the first page and on a stored one; and it is
/// told once.
#[test]
fn no_code_for_nothing() {
    let kit = TestProvider::builder().authorization_policy(Hollow).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "email");
    let request = kit.authorization_request("web").scope("email");
    for tab in [request.open(&ua), request.clone().set("prompt", "none").open(&ua)] {
        let _ = tab.expect_error("access_denied");
        assert_refused!(tab, NOTHING_GRANTED);
    }
    let page = request.clone().set("prompt", "consent").open(&ua).expect_page("consent");
    let told = page.allow();
    let _ = told.expect_error("access_denied");
    assert_refused!(told, NOTHING_GRANTED);
    let again = page.deny();
    assert_eq!((again.expect_error("access_denied").value("error_description"), again.event_names()), {
        (Some(NOTHING_GRANTED.description), vec![])
    });
    kit.clock.advance(seconds(11));
    let _ = page.allow().expect_page("signed-in");
}
