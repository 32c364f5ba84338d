//! Two realms on one store, with the same keys, client ids, secrets, account ids and user names, behind one
//! Service and in one browser: nothing of one is worth anything in the other (acceptance point A22, last
//! clause).

use std::sync::Arc;

use bytes::Bytes;
use chancery_store_memory::MemoryStore;
use chancery_testkit::{NegativeTable, Realms, Refused, SECRET, TestProvider, TestRegistry, refusals, wait};
use http::Request;
use http_body_util::Full;
use tower_service::Service as _;

/// How two issuers can lie to each other. Cookies are the same for all ports of a host, and those of a path
/// are sent to all paths below it.
const ISSUERS: [[&str; 2]; 6] = [
    ["https://one.example", "https://two.example"],
    ["https://id.example/one", "https://id.example/two"],
    ["https://id.example/on", "https://id.example/one"],
    ["https://id.example", "https://id.example/two"],
    ["https://id.example/one", "https://id.example/one/two"],
    ["http://localhost:3000", "http://localhost:3001"],
];

/// One store, one registry and one Service, two realms. Even their random bytes are the same.
fn realms() -> impl Iterator<Item = (TestProvider, TestProvider)> {
    ISSUERS.into_iter().map(|issuers| {
        let (store, registry) = (Arc::new(MemoryStore::new()), Arc::new(TestRegistry::default()));
        let service = Realms::default();
        let [one, two] = [("one", issuers[0]), ("two", issuers[1])].map(|(name, issuer)| {
            let builder = TestProvider::builder().store(store.clone()).registry(registry.clone());
            builder.realm(name).issuer(issuer).behind(&service).build()
        });
        (one, two)
    })
}

#[test]
fn codes_and_tokens() {
    for (one, two) in realms() {
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
}

/// Two providers of one realm on one store: with the same issuer they are nodes of one provider. With two issuers they are no
/// two providers either: what one has issued is good at the other, so each issuer has to have a realm of its own.
#[test]
fn one_realm_is_of_one_issuer() {
    let of_two = ["https://one.example", "https://two.example"];
    for issuers in [["https://one.example"; 2], of_two] {
        let (store, registry) = (Arc::new(MemoryStore::new()), Arc::new(TestRegistry::default()));
        let [one, two] = [(issuers[0], 1), (issuers[1], 2)].map(|(issuer, seed)| {
            let builder = TestProvider::builder().store(store.clone()).registry(registry.clone());
            builder.realm("one").issuer(issuer).seed(seed).build()
        });
        let code = one.code("alice", "web", "openid offline_access");
        let tokens = two.exchange(&code).expect_status(200);
        assert_eq!(one.exchange(&code).expect_status(400)["error"], "invalid_grant", "once, wherever");
        let access = tokens.member("access_token");
        assert!(!one.is_active("web", access), "the replay has ended what was issued");
        let tokens = one.tokens("alice", "web", "openid offline_access");
        assert_eq!(two.userinfo(tokens.member("access_token")).status, 200, "also at the other issuer");
        let next = two.refresh("web", tokens.member("refresh_token")).expect_status(200);
        assert_eq!(one.userinfo(next.member("access_token")).status, 200);
        let jwt = one.tokens("alice", "jwt", "openid read").member("access_token").to_owned();
        assert_eq!(two.is_active("jwt", &jwt), issuers != of_two, "a JWT names its issuer");
    }
}

/// The keys are the same here, so that the name of the issuer is all that tells JWTs apart.
#[test]
fn signed_tokens() {
    for (one, two) in realms() {
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
}

/// A session of one realm, in the same browser and under the cookie name of the other.
#[test]
fn sessions() {
    for (one, two) in realms() {
        let here = one.user_agent();
        let there = here.at(&two);
        here.signed_in("alice");
        let request =
            |kit: &TestProvider| kit.authorization_request("operator").scope("openid").set("prompt", "none");
        let _ = request(&one).open(&here).expect_code();
        let _ = request(&two).open(&there).expect_error("login_required");
        there.sets_cookie("session", &here.session_cookie().unwrap_or_default());
        let _ = request(&two).open(&there).expect_error("login_required");
        there.clear_cookies();
        let _ = request(&one).open(&here).expect_error("login_required");
    }
}

/// Who signs in at both has both sessions, and each realm ends its own only.
#[test]
fn both_at_once() {
    for (one, two) in realms() {
        let here = one.user_agent();
        let there = here.at(&two);
        let request = |kit: &TestProvider| kit.authorization_request("operator").scope("openid");
        for ua in [&here, &there] {
            let _ = request(ua.provider()).open(ua).expect_page("login").login("alice").expect_code();
        }
        for ua in [&here, &there] {
            let _ = request(ua.provider()).set("prompt", "none").open(ua).expect_code();
        }
        there.ends_session();
        let _ = request(&two).open(&there).expect_page("login");
        let _ = request(&one).set("prompt", "none").open(&here).expect_code();
    }
}

/// Two servers that know nothing of each other, as nobody has chosen the name of a realm: the browser sends
/// each the cookies of the other, and neither ends the other's sessions.
#[test]
fn strangers_of_the_same_name() {
    for issuers in ISSUERS {
        let service = Realms::default();
        let [one, two] =
            issuers.map(|issuer| TestProvider::builder().issuer(issuer).behind(&service).build());
        let here = one.user_agent();
        let there = here.at(&two);
        let request = |kit: &TestProvider| kit.authorization_request("operator").scope("openid");
        for ua in [&here, &there] {
            let _ = request(ua.provider()).open(ua).expect_page("login").login("alice").expect_code();
        }
        for ua in [&here, &there, &here] {
            let _ = request(ua.provider()).set("prompt", "none").open(ua).expect_code();
        }
    }
}

/// What a person has agreed to in one realm is not agreed to in the other, and neither is a person gone from
/// both.
#[test]
fn consents_and_people() {
    for (one, two) in realms() {
        let here = one.user_agent();
        let there = here.at(&two);
        here.signed_in("alice");
        there.signed_in("alice");
        here.has_consented("alice", "web", "openid");
        let request =
            |kit: &TestProvider| kit.authorization_request("web").scope("openid").set("prompt", "none");
        let _ = request(&one).open(&here).expect_code();
        let _ = request(&two).open(&there).expect_error("consent_required");
        there.ends_session();
        let _ = request(&two).open(&there).expect_error("login_required");
        let _ = request(&one).open(&here).expect_code();
    }
}

/// A page of one realm, and where it waits: neither its form nor its address is good in the other, also if
/// the browser shows the same binding value to both.
#[test]
fn interactions() {
    for (one, two) in realms() {
        let here = one.user_agent();
        let there = here.at(&two);
        let first = one.authorization_request("web").scope("openid").open(&here).expect_page("login");
        let mut fields = first.form().fields;
        fields.retain(|(name, _)| name != "username" && name != "password");
        fields.extend(
            [("username", "alice"), ("password", "correct horse alice"), ("action", "login")]
                .map(|(n, v)| (n.into(), v.into())),
        );
        let other = two.authorization_request("web").scope("openid").open(&there).expect_page("login");
        let binding = here.browser_cookie().unwrap_or_default();
        assert!(!binding.is_empty() && there.browser_cookie().is_some());
        for _ in 0..2 {
            let posted = other.post(&two.path("/interaction"), &fields);
            assert!(!posted.event_names().contains(&"login_succeeded"), "{:?}", posted.event_names());
            there.sets_cookie("browser", &binding);
        }

        let stored = first.login("alice").expect_page("consent");
        let place = stored.address().strip_prefix(one.issuer().path()).unwrap_or_default();
        assert!(place.starts_with("/interaction/in_"), "{}", stored.address());
        let abroad = there.get(&two.path(place));
        assert_ne!(abroad.page().name, "consent");
        let _ = stored.allow().expect_code();
    }
}

/// Ending everything in one realm ends nothing in the other.
#[test]
fn what_ends_in_one_goes_on_in_the_other() {
    for (one, two) in realms() {
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
}

/// A client is one realm's: in the other nobody has its id, and whoever has the same id there is somebody
/// else.
#[test]
fn clients() {
    for (one, two) in realms() {
        let registration = |secret: &str| {
            format!(
                r#"{{"client_id":"own","client_secret":"{secret}","response_types":["code"],"redirect_uris":["https://own.example/cb"],
                    "id_token_signed_response_alg":"ES256","grant_types":["authorization_code","client_credentials"]}}"#
            )
        };
        one.put_client(&registration(SECRET));
        let own = one.client_credentials_request("own").send().expect_status(200);
        let link = |kit: &TestProvider| {
            let request = kit.authorization_request("web").scope("openid");
            request.set("client_id", "own").set("redirect_uri", "https://own.example/cb")
        };
        let _ = link(&one).open(&one.user_agent()).expect_page("login");
        let by_post = |kit: &TestProvider, secret: &str| {
            let request = kit.client_credentials_request("web").unauthenticated();
            request.param("client_id", "own").param("client_secret", secret).send().status.as_u16()
        };
        assert_eq!((by_post(&one, SECRET), by_post(&two, SECRET)), (200, 401));
        let _ = link(&two).open(&two.user_agent()).expect_page("error");
        let other = "another-secret-of-enough-characters-for-this-one";
        two.put_client(&registration(other));
        assert_eq!((by_post(&two, SECRET), by_post(&two, other), by_post(&one, other)), (401, 200, 401));
        assert!(
            one.is_active("own", own.member("access_token"))
                && !two.is_active("own", own.member("access_token"))
        );
        two.remove_client("own");
        assert!(one.is_active("own", own.member("access_token")));
    }
}

/// RFC 8414 section 3, OIDC Discovery section 4: each realm's documents name its own issuer, and what no realm
/// has is not found.
#[test]
fn one_service_answers_for_both() {
    for issuers in ISSUERS {
        let service = Realms::default();
        let [one, two] =
            issuers.map(|issuer| TestProvider::builder().issuer(issuer).behind(&service).build());
        for kit in [&one, &two] {
            let (issuer, path) = (kit.issuer().as_str(), kit.issuer().path());
            let inserted = format!("/.well-known/oauth-authorization-server{path}");
            for place in [&*inserted, &kit.path("/.well-known/openid-configuration")] {
                let mut request = Request::new(Bytes::new());
                *request.uri_mut() = place.parse().unwrap_or_default();
                assert_eq!(kit.send(request).expect_status(200)["issuer"], issuer, "{place}");
            }
        }
        for target in [
            "https://another.example/token",
            "https://id.example:444/token",
            "https://id.example/another/token",
            "https://id.example/onetoken",
            "http://localhost/token",
            "/token",
        ] {
            let mut request = Request::new(Full::new(Bytes::new()));
            *request.uri_mut() = target.parse().unwrap_or_default();
            let Ok(answer) = wait(service.clone().call(request));
            let is_root = issuers.contains(&"https://id.example");
            let is_there = is_root && target.starts_with("https://id.example/");
            assert_eq!(answer.headers().contains_key("x-request-id"), is_there, "{target} {issuers:?}");
            assert_eq!(answer.status(), 404, "{target} {issuers:?}");
        }
    }
}

/// What the other realm issued is, for each endpoint, what nobody issued.
#[test]
fn what_must_not_be_taken_from_the_other_realm() {
    for (one, two) in realms() {
        let code = one.code("alice", "web", "openid");
        let tokens = one.tokens("alice", "web", "openid offline_access");
        let (access, refresh) = (tokens.member("access_token"), tokens.member("refresh_token"));
        let jwt = one.tokens("alice", "jwt", "read").member("access_token").to_owned();
        let (grant, token) = (Refused::Json(400, "invalid_grant"), Refused::Json(401, "invalid_token"));
        let bearer = |token: &str| {
            two.anonymous_request("/userinfo").header("authorization", &format!("Bearer {token}"))
        };
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
}
