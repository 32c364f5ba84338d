//! Two realms on one store, with the same keys, client ids, secrets, account ids and user names: nothing of
//! one is worth anything in the other (acceptance point A22, last clause).

use std::sync::Arc;

use bytes::Bytes;
use chancery_store_memory::MemoryStore;
use chancery_testkit::{Answer, NegativeTable, Refused, SECRET, TestProvider, TestRegistry, refusals};
use http::{HeaderValue, Request};

/// One store and one registry, two realms. Even their random bytes are the same.
fn realms() -> (TestProvider, TestProvider) {
    let (store, registry) = (Arc::new(MemoryStore::new()), Arc::new(TestRegistry::default()));
    let realm = |name: &str, issuer: &str| {
        let builder = TestProvider::builder().store(store.clone()).registry(registry.clone());
        builder.realm(name).issuer(issuer).build()
    };
    (realm("one", "https://one.example"), realm("two", "https://two.example"))
}

/// GET with this Cookie header.
fn with_cookie(kit: &TestProvider, mut request: Request<Bytes>, cookie: &str) -> Answer {
    request
        .headers_mut()
        .insert("cookie", HeaderValue::from_str(cookie).unwrap_or(HeaderValue::from_static("")));
    request.headers_mut().insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    kit.send(request)
}

/// The name of the realm's cookie of this sort, as a login sets it.
fn cookie_name(kit: &TestProvider, sort: &str) -> String {
    let ua = kit.user_agent();
    let login = kit.authorization_request("operator").scope("openid").open(&ua).expect_page("login");
    let tab = login.login("bob");
    let headers =
        [login.answer(), tab.answer()].map(|answer| answer.headers.get_all("set-cookie").iter().cloned());
    let lines = headers.into_iter().flatten().filter_map(|line| line.to_str().map(str::to_owned).ok());
    let names = lines.filter_map(|line| line.split('=').next().map(str::to_owned));
    names.into_iter().find(|name| name.contains(sort)).unwrap_or_default()
}

#[test]
fn codes_and_tokens() {
    let (one, two) = realms();
    let code = one.code("alice", "web", "openid offline_access");
    let foreign = two.exchange(&code).expect_status(400);
    assert_eq!(
        (refusals(&foreign.events), &foreign["error"]),
        (vec!["code_unknown"], &"invalid_grant".into())
    );
    let tokens = one.exchange(&code).expect_status(200);
    let (access, refresh) = (tokens.member("access_token"), tokens.member("refresh_token"));
    assert_eq!(two.refresh("web", refresh).expect_status(400)["error"], "invalid_grant");
    assert_eq!(two.userinfo(access).expect_status(401)["error"], "invalid_token");
    for token in [access, refresh] {
        assert!(!two.is_active("web", token));
        assert_eq!(two.revoke("web", token).status, 200, "as for any unknown token");
        assert!(one.is_active("web", token), "and nothing happened to it");
    }
    assert_eq!(one.userinfo(access).status, 200);
    assert_eq!(one.refresh("web", refresh).status, 200);
    let opaque = one.client_credentials_request("machine").send().expect_status(200);
    assert!(!two.is_active("machine", opaque.member("access_token")));
}

/// The keys are the same here, so that the name of the issuer is all that tells JWTs apart.
#[test]
fn signed_tokens() {
    let (one, two) = realms();
    let of_a_person = one.tokens("alice", "jwt", "openid read").member("access_token").to_owned();
    // No grant stands behind a client's own token, so that nothing of the other realm could be missed.
    let own = one.client_credentials_request("jwt").param("scope", "read").send().expect_status(200);
    for jwt in [of_a_person.as_str(), own.member("access_token")] {
        assert!(jwt.starts_with("ey") && one.is_active("jwt", jwt) && !two.is_active("jwt", jwt));
        let ended = two.revoke("jwt", jwt).expect_status(200);
        assert!(ended.events.is_empty(), "as for any unknown token: {:?}", ended.event_names());
        assert!(one.is_active("jwt", jwt));
    }
    assert_eq!(one.userinfo(&of_a_person).status, 200);
    assert_eq!(two.userinfo(&of_a_person).expect_status(401)["error"], "invalid_token");
    let hint = one.tokens("alice", "web", "openid").member("id_token").to_owned();
    let ua = two.user_agent();
    ua.signed_in("alice");
    let _ = two
        .authorization_request("web")
        .scope("openid")
        .set("id_token_hint", &hint)
        .open(&ua)
        .expect_error("invalid_request");
}

/// A session of one realm, under the cookie name of the other.
#[test]
fn sessions() {
    let (one, two) = realms();
    let ua = one.user_agent();
    ua.signed_in("alice");
    let session = ua.session_cookie().unwrap_or_default();
    let names = (cookie_name(&one, "session"), cookie_name(&two, "session"));
    assert!(!session.is_empty() && names.0.contains("session-") && names.0 != names.1, "{names:?}");
    let request = |kit: &TestProvider| {
        kit.authorization_request("operator").scope("openid").set("prompt", "none").to_http()
    };
    let sent = |answer: Answer| answer.header("location").unwrap_or_default().to_owned();
    let at_home = sent(with_cookie(&one, request(&one), &format!("{}={session}", names.0)));
    assert!(at_home.contains("code="), "{at_home}");
    for name in [&names.0, &names.1] {
        let abroad = sent(with_cookie(&two, request(&two), &format!("{name}={session}")));
        assert!(abroad.contains("error=login_required&"), "{name}: {abroad}");
    }
}

/// What a person has agreed to in one realm is not agreed to in the other, and neither is a person gone from
/// both.
#[test]
fn consents_and_people() {
    let (one, two) = realms();
    let (here, there) = (one.user_agent(), two.user_agent());
    here.signed_in("alice");
    there.signed_in("alice");
    here.has_consented("alice", "web", "openid");
    let request = |kit: &TestProvider| kit.authorization_request("web").scope("openid").set("prompt", "none");
    let _ = request(&one).open(&here).expect_code();
    let _ = request(&two).open(&there).expect_error("consent_required");
    there.ends_session();
    let _ = request(&two).open(&there).expect_error("login_required");
    let _ = request(&one).open(&here).expect_code();
}

/// A page of one realm, and where it waits: neither its form nor its address is good in the other, also in a
/// browser that shows the same binding value to both.
#[test]
fn interactions() {
    let (one, two) = realms();
    let (here, there) = (one.user_agent(), two.user_agent());
    let first = one.authorization_request("web").scope("openid").open(&here).expect_page("login");
    let mut fields = first.form().fields;
    fields.retain(|(name, _)| name != "username" && name != "password");
    fields.extend(
        [("username", "alice"), ("password", "correct horse alice"), ("action", "login")]
            .map(|(n, v)| (n.into(), v.into())),
    );
    let other = two.authorization_request("web").scope("openid").open(&there).expect_page("login");
    let posted = other.post("/interaction", &fields);
    assert!(!posted.event_names().contains(&"login_succeeded"), "{:?}", posted.event_names());

    let binding = here.browser_cookie().unwrap_or_default();
    let name = cookie_name(&two, "browser");
    assert!(!binding.is_empty() && name.contains("browser-"), "{name}");
    let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut request = Request::new(Bytes::from(chancery_types::params::encode(pairs)));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = "/interaction".parse().unwrap_or_default();
    request
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    let answer = with_cookie(&two, request, &format!("{name}={binding}"));
    assert!(!answer.event_names().contains(&"login_succeeded"), "{:?}", answer.event_names());

    let stored = first.login("alice").expect_page("consent");
    assert!(stored.address().starts_with("/interaction/in_"), "{}", stored.address());
    let abroad = there.get(stored.address());
    assert_ne!(abroad.page().name, "consent");
    let _ = stored.allow().expect_code();
}

/// Ending everything in one realm ends nothing in the other.
#[test]
fn what_ends_in_one_goes_on_in_the_other() {
    let (one, two) = realms();
    let scope = "openid offline_access";
    let (here, there) = (one.tokens("alice", "web", scope), two.tokens("alice", "web", scope));
    let _ = one.revoke("web", here.member("refresh_token")).expect_status(200);
    one.accounts.remove("alice");
    one.remove_client("web");
    assert_eq!(one.userinfo(here.member("access_token")).status, 401);
    assert_eq!(two.userinfo(there.member("access_token")).status, 200);
    let again = two.refresh("web", there.member("refresh_token")).expect_status(200);
    assert!(two.is_active("web", again.member("access_token")));
}

/// A client is one realm's: in the other nobody has its id, and whoever has the same id there is somebody
/// else.
#[test]
fn clients() {
    let (one, two) = realms();
    let registration = |secret: &str| {
        format!(
            r#"{{"client_id":"own","client_secret":"{secret}","response_types":["code"],"redirect_uris":["https://own.example/cb"],
                "id_token_signed_response_alg":"ES256","grant_types":["authorization_code","client_credentials"]}}"#
        )
    };
    one.put_client(&registration(SECRET));
    let own = one.client_credentials_request("own").send().expect_status(200);
    let link = one.authorization_request("own").scope("openid");
    let _ = link.open(&one.user_agent()).expect_page("login");
    let by_post = |kit: &TestProvider, secret: &str| {
        let request = kit.client_credentials_request("web").unauthenticated();
        request.param("client_id", "own").param("client_secret", secret).send().status.as_u16()
    };
    assert_eq!((by_post(&one, SECRET), by_post(&two, SECRET)), (200, 401));
    let _ = link.open(&two.user_agent()).expect_page("error");
    let other = "another-secret-of-enough-characters-for-this-one";
    two.put_client(&registration(other));
    assert_eq!((by_post(&two, SECRET), by_post(&two, other), by_post(&one, other)), (401, 200, 401));
    assert!(
        one.is_active("own", own.member("access_token")) && !two.is_active("own", own.member("access_token"))
    );
    two.remove_client("own");
    assert!(one.is_active("own", own.member("access_token")));
}

/// What the other realm issued is, for each endpoint, what nobody issued.
#[test]
fn what_must_not_be_taken_from_the_other_realm() {
    let (one, two) = realms();
    let code = one.code("alice", "web", "openid");
    let tokens = one.tokens("alice", "web", "openid offline_access");
    let (access, refresh) = (tokens.member("access_token"), tokens.member("refresh_token"));
    let jwt = one.tokens("alice", "jwt", "read").member("access_token").to_owned();
    let (grant, token) = (Refused::Json(400, "invalid_grant"), Refused::Json(401, "invalid_token"));
    let bearer =
        |token: &str| two.anonymous_request("/userinfo").header("authorization", &format!("Bearer {token}"));
    let hint =
        two.authorization_request("web").scope("openid").set("id_token_hint", tokens.member("id_token"));
    NegativeTable::new(&two)
        .row("a code", two.code_request(&code), grant)
        .row("a refresh token", two.refresh_request("web", refresh), grant)
        .row("a code as refresh token", two.refresh_request("web", &code.code), grant)
        .row("an access token", bearer(access), token)
        .row(
            "an access token in the body",
            two.anonymous_request("/userinfo").param("access_token", access),
            token,
        )
        .row("a JWT access token", bearer(&jwt), token)
        .row("an ID token as hint", hint, Refused::Client("invalid_request"))
        .run();
    assert_eq!(one.exchange(&code).status, 200, "at home it is still good");
}
