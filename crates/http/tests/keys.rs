//! Keys by use and time (OIDC Core section 10.1.1): a rotation that no client notices.

#![expect(clippy::expect_used, reason = "tests")]

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use chancery_core::event::{BackgroundTask, Event};
use chancery_core::rotation::KeyEnd;
use chancery_jose::SigningAlgorithm::{Es256, Es384, Ps256, Rs256};
use chancery_jose::{Compact, JwkSet};
use chancery_store_memory::MemoryStore;
use chancery_testkit::{TestProvider, hours, millis, minutes, seconds, wait};

/// Consents, grants and counts of guesses are filed under names that do not change with the root secret:
/// after it was rotated the same node and one that is started anew find them, and whoever withdraws a consent
/// ends its grants.
#[test]
fn another_root_secret_loses_nothing() {
    let store = Arc::new(MemoryStore::new());
    let first = TestProvider::builder().own_keys(&[Rs256, Es256]).store(store.clone()).build();
    let alice = first.user_agent();
    let request = |kit: &TestProvider| kit.authorization_request("web").scope("openid offline_access");
    let page = request(&first).open(&alice).expect_page("login");
    let tokens = page.login("alice").expect_page("consent").allow().expect_code();
    let refresh_token = first.exchange(&tokens).expect_status(200).member("refresh_token").to_owned();
    // Somebody else has guessed bob's password from one network as often as is free.
    let guess = |kit: &TestProvider| {
        let ua = kit.user_agent();
        ua.comes_from("192.0.2.9");
        request(kit).open(&ua).expect_page("login").login_wrongly("bob").answer().status.as_u16()
    };
    (0..6).for_each(|_| assert_eq!(guess(&first), 200));
    assert_eq!(guess(&first), 429);
    first.keys.add_secret();
    first.clock.advance(millis(1));
    let again = TestProvider::builder().keys_of(&first).store(store).seed(2).build();
    again.clock.set(first.now());
    for kit in [&first, &again] {
        assert_eq!(guess(kit), 429, "the count is there");
        let other = kit.user_agent();
        let _ = request(kit).open(&other).expect_page("login").login("alice").expect_code();
        let _ = kit.refresh("web", &refresh_token).expect_status(200);
        kit.keys.add_secret();
    }
    // The grants are found, too: the first one and one per login since.
    assert_eq!(again.withdraw_consent("alice", "web").0, 3);
    assert_eq!(first.refresh("web", &refresh_token).status, 400);
    for kit in [&first, &again] {
        let _ =
            request(kit).open(&kit.user_agent()).expect_page("login").login("alice").expect_page("consent");
    }
}

/// A name can be guessed, and whoever has read the store could try them all: so records are filed, tagged and
/// told under names that only the root secret can make. Another one finds nothing of what is there.
#[test]
fn names_tell_nothing_without_the_root_secret() {
    let store = Arc::new(MemoryStore::new());
    let kits = [1, 2].map(|seed| {
        TestProvider::builder().own_keys(&[Rs256, Es256]).store(store.clone()).seed(seed).build()
    });
    let [ours, other] = &kits;
    let request = |kit: &TestProvider| kit.authorization_request("web").scope("openid offline_access");
    let ua = ours.user_agent();
    let page = request(ours).open(&ua).expect_page("login");
    let _ = page.login("alice").expect_page("consent").allow().expect_code();
    let silent = |kit: &TestProvider| {
        let ua = kit.user_agent();
        ua.signed_in("alice");
        request(kit).set("prompt", "none").open(&ua).is_answered_with("code")
    };
    assert!(silent(ours) && !silent(other), "the consent's key");
    assert_eq!(other.withdraw_consent("alice", "web").0, 0, "the grants' tags");
    assert_eq!(ours.withdraw_consent("alice", "web").0, 2);
    let guess = |kit: &TestProvider| {
        let ua = kit.user_agent();
        let failed = request(kit).open(&ua).expect_page("login").login_wrongly("bob");
        let Some(Event::LoginFailed { attempt, .. }) = failed.events().first() else { return None };
        Some(attempt.name_digest.clone())
    };
    let told: Vec<_> = (0..6).map(|_| guess(ours)).collect();
    assert!(told.iter().all(|digest| digest.is_some() && *digest == told[0]));
    assert_eq!(guess(ours), None, "throttled");
    assert!(
        guess(other).is_some_and(|digest| Some(digest) != told[0]),
        "the counts' keys, and what events tell"
    );
}

/// What a resource server keeps of the JWKS, and when it fetched it.
struct Cache {
    jwks: JwkSet,
    fetched_at: chancery_types::Timestamp,
}

impl Cache {
    fn fetch(kit: &TestProvider) -> Self {
        let answer = kit.get("/jwks").expect_status(200);
        assert_eq!(answer.header("cache-control"), Some("public, max-age=600"));
        Self { jwks: JwkSet::parse(&answer.body).expect("a JWK Set"), fetched_at: kit.now() }
    }

    /// Whether a token verifies with what is kept.
    fn verifies(&self, jwt: &str) -> bool {
        let compact = Compact::parse(jwt).expect("a JWT");
        let kid = compact.header().kid.clone();
        let key = self.jwks.candidates(kid.as_deref(), compact.header().alg).next();
        key.is_some_and(|key| compact.verify(&key.verifying_key().expect("a key")).is_ok())
    }
}

fn kid(jwt: &str) -> String {
    Compact::parse(jwt).expect("a JWT").header().kid.clone().expect("a kid")
}

/// A17, JOSE-05, JOSE-06: a key is published ten minutes before it signs, so that nobody who keeps the JWKS
/// for as long as its `max-age` ever meets an unknown key; and what the older key signed verifies until it is
/// retired.
#[test]
fn no_verification_fails_while_keys_are_rotated() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let token = || kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
    let first = kid(&token());
    let mut cache = Cache::fetch(&kit);
    kit.clock.advance(seconds(1));
    let second = kit.keys.add(Es256, kit.now(), kit.now() + minutes(10)).expect("a key");
    // Five minutes is how long a JWT lives.
    kit.keys.end(&first, KeyEnd::new(kit.now() + minutes(10), minutes(5)));
    let (mut alive, mut kids) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        // The worst client: it fetches only what it may keep no longer.
        if kit.now().since(cache.fetched_at) > minutes(10) {
            cache = Cache::fetch(&kit);
        }
        let fresh = token();
        kids.push(kid(&fresh));
        alive.push((kit.now() + minutes(5), fresh));
        alive.retain(|(ends, _)| *ends > kit.now());
        for (_, jwt) in &alive {
            assert!(cache.verifies(jwt), "{} of {kids:?}", kid(jwt));
            assert!(kit.is_active("api", jwt));
        }
        kit.clock.advance(seconds(30));
    }
    kids.dedup();
    assert_eq!(kids, [first, second.to_string()], "each signed in its time");
}

/// A17: a key that has counted is gone, and no token that it signed counts any more, at once.
#[test]
fn a_retired_key_is_gone() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let jwt = kit.tokens("alice", "jwt", "read").member("access_token").to_owned();
    let _ = kit.keys.add(Es256, kit.now(), kit.now()).expect("a key");
    kit.keys.end(&kid(&jwt), KeyEnd::new(kit.now(), minutes(1)));
    kit.clock.advance(minutes(1) - millis(1));
    assert!(kit.is_active("api", &jwt) && Cache::fetch(&kit).verifies(&jwt));
    kit.clock.advance(millis(1));
    assert!(!kit.is_active("api", &jwt), "its own time is not over");
    assert!(!Cache::fetch(&kit).verifies(&jwt));
}

/// FR-07, AUTHZ-35: what an ID token says about a session holds for as long as the session lives, which
/// outlives the token and the key that signed it.
#[test]
fn a_hint_works_for_as_long_as_its_session_can_live() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = || kit.authorization_request("web").scope("openid");
    let hint = kit.exchange(&request().open(&ua).expect_code()).member("id_token").to_owned();
    let _ = kit.keys.add(Es256, kit.now(), kit.now()).expect("a key");
    kit.keys.end(&kid(&hint), KeyEnd::new(kit.now(), hours(1)));
    for day in 1..=89 {
        kit.clock.advance(hours(24));
        let hinted = request().set("id_token_hint", &hint);
        let _ = hinted.clone().set("prompt", "none").open(&ua).expect_code();
        if day % 30 == 0 {
            let _ = hinted.open(&kit.user_agent()).expect_page("login");
        }
        assert!(!Cache::fetch(&kit).verifies(&hint), "day {day}: the key is not published any more");
    }
    // The session is over; the hint still says whom the client expects.
    kit.clock.advance(hours(48));
    let hinted = request().set("id_token_hint", &hint);
    let _ = hinted.clone().set("prompt", "none").open(&ua).expect_error("login_required");
    let _ = hinted.open(&ua).expect_page("login");
}

/// AUTHZ-35: a key that is no secret any more proves nothing.
#[test]
fn a_hint_of_a_removed_key_is_refused() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let hint = kit.tokens("alice", "web", "openid").member("id_token").to_owned();
    let request = kit.authorization_request("web").scope("openid").set("id_token_hint", &hint);
    let _ = request.open(&kit.user_agent()).expect_page("login");
    let _ = kit.keys.add(Rs256, kit.now(), kit.now()).expect("a key");
    kit.keys.remove(&kid(&hint));
    kit.clock.advance(seconds(1));
    let _ = request.open(&kit.user_agent()).expect_error("invalid_request");
}

/// HTTP-14: the documents change with the keys, and their ETag with them.
#[test]
fn the_jwks_has_another_etag_after_a_change() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let before = kit.get("/jwks");
    let etag = before.header("etag").expect("an ETag").to_owned();
    let conditional = || kit.anonymous_request("/jwks").get().header("if-none-match", &etag).send();
    assert_eq!(conditional().status, 304);
    let _ = kit.keys.add(Es256, kit.now() + minutes(1), kit.now() + minutes(11)).expect("a key");
    kit.clock.advance(seconds(2));
    assert_eq!(conditional().status, 304, "it is not published yet");
    kit.clock.advance(minutes(1));
    let after = conditional().expect_status(200);
    assert_ne!(after.header("etag"), Some(etag.as_str()));
    let keys = |answer: &chancery_testkit::Answer| answer["keys"].as_array().map(Vec::len);
    assert_eq!((keys(&before), keys(&after)), (Some(2), Some(3)));
    for private in ["\"d\"", "\"p\"", "\"q\"", "\"k\""] {
        assert!(!after.text().contains(private));
    }
}

/// The names of the published keys and the algorithms that are announced.
fn documents(kit: &TestProvider) -> (Option<String>, Option<String>) {
    let etag = |path: &str| kit.get(path).expect_status(200).header("etag").map(str::to_owned);
    (etag("/jwks"), etag("/.well-known/openid-configuration"))
}

/// JOSE-06: a key that is added, published, signs, or has counted shows within a second, and no document is
/// made anew without need.
#[test]
fn the_documents_follow_the_keys() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let first = documents(&kit);
    kit.clock.advance(seconds(10));
    assert_eq!(documents(&kit), first);
    let (publish_at, sign_from) = (kit.now() + seconds(10), kit.now() + seconds(20));
    let kid = kit.keys.add(Ps256, publish_at, sign_from).expect("a key");
    assert_eq!(documents(&kit), first, "asked less than a second ago");
    kit.clock.advance(seconds(1));
    assert_eq!(documents(&kit), first, "not published yet");
    kit.clock.advance(seconds(9));
    let published = documents(&kit);
    assert!(published.0 != first.0 && published.1 == first.1);
    assert!(kit.get("/jwks").text().contains(&*kid));
    kit.clock.advance(seconds(10));
    let signing = documents(&kit);
    assert!(signing.0 == published.0 && signing.1 != published.1);
    kit.keys.end(&kid, KeyEnd::new(kit.now() + seconds(1), seconds(0)));
    kit.clock.advance(seconds(1));
    assert_eq!(documents(&kit), first);
}

/// Keys that do not answer leave everything as it is, and one event a second tells of it.
#[test]
fn silent_keys_leave_the_documents_as_they_are() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let before = documents(&kit);
    kit.key_service.fall_silent();
    kit.clock.advance(seconds(2));
    assert_eq!(documents(&kit), before);
    let told = kit.events.rest();
    assert!(
        matches!(told.as_slice(), [Event::TaskFaulted { task: BackgroundTask::Refresh, .. }]),
        "{told:?}"
    );
    assert_eq!(
        (documents(&kit), kit.events.rest().len()),
        (before.clone(), 1),
        "not asked again within a second"
    );
    kit.key_service.answer_again();
    let _ = kit.keys.add(Es384, kit.now(), kit.now()).expect("a key");
    kit.clock.advance(seconds(1));
    assert_ne!(documents(&kit).0, before.0);
    assert_eq!(kit.events.rest().len(), 1);
}

/// When the time of a key comes while the keys do not answer, one request a second finds that out.
#[test]
fn silent_keys_are_not_flooded() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let _ = kit.keys.add(Ps256, kit.now() + seconds(10), kit.now() + seconds(10)).expect("a key");
    kit.clock.advance(seconds(2));
    let _ = kit.get("/jwks").expect_status(200);
    kit.key_service.fall_silent();
    kit.clock.advance(seconds(8));
    for _ in 0..100 {
        let _ = kit.get("/jwks").expect_status(200);
    }
    assert_eq!(kit.events.rest().len(), 1);
    kit.clock.advance(seconds(1));
    kit.key_service.answer_again();
    assert!(kit.get("/.well-known/openid-configuration").text().contains("PS256"));
}

/// A peer that breaks its request off in the middle of the question takes nobody's answer away: the next one
/// asks.
#[test]
fn a_question_that_is_broken_off_is_asked_again() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let before = kit.provider.snapshot().jwks.clone();
    let _ = kit.keys.add(Es384, kit.now(), kit.now()).expect("a key");
    kit.clock.advance(seconds(2));
    {
        let mut asks = pin!(kit.provider.refresh(kit.now()));
        assert!(asks.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    wait(kit.provider.refresh(kit.now()));
    assert_ne!(kit.provider.snapshot().jwks, before);
}
