//! RFC 8628, OAuth 2.0 Device Authorization Grant: what a device asks and polls. What its person sees is in
//! `user_code.rs`.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod sqlite_file;

use chancery_core::config::Config;
use chancery_core::endpoint::awaited::TOO_EARLY;
use chancery_core::endpoint::device_authorization::TOO_MANY_WAIT;
use chancery_core::endpoint::device_authorization::grant::{
    DEVICE_CODE_EXPIRED, DEVICE_CODE_FOREIGN, DEVICE_CODE_UNKNOWN, DEVICE_CODE_USED,
};
use chancery_core::interaction::DECLINED;
use chancery_http::Peer;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_store_memory::MemoryStore;
use chancery_testkit::{
    Answer, ClientKey, DEVICE_GRANT, Device, DpopKey, NegativeTable, Refused, SECRET, TestProvider,
    assert_refused, minutes, refusals, seconds,
};
use chancery_types::Timestamp;
use serde_json::json;
use sqlite_file::sqlite_file;
use std::collections::BTreeSet;
use std::sync::Arc;

/// With a television, which is a public client, and a box that authenticates.
fn provider(change: impl FnOnce(&mut Config)) -> TestProvider {
    let offered = |config: &mut Config| config.device_authorization.offered = true;
    with_clients(TestProvider::builder().configure(offered).configure(change).build())
}

fn with_clients(kit: TestProvider) -> TestProvider {
    kit.put_device_client("tv", json!({"token_endpoint_auth_method": "none", "application_type": "native"}));
    kit.put_device_client("box", json!({"client_secret": SECRET}));
    kit
}

/// A box whose person is signed in, has agreed before, and says that it is theirs.
fn approved<'k>(kit: &'k TestProvider, scope: &str) -> Device<'k> {
    let device = kit.device("box", scope);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "box", scope);
    let _ = ua.enter_user_code(device.user_code()).confirm_device().expect_page("device-done");
    device
}

/// DEV-01, DEV-03, DEV-04, DEV-11, DEV-12, DEV-15, DEV-18, EVT-06: the whole way, for a person who has to
/// sign in and to agree.
#[test]
fn a_device_gets_what_its_person_allows() {
    let kit = provider(|_| {});
    for client in ["tv", "box"] {
        let device = kit.device_by(client, kit.device_request(client).param("scope", "openid profile"));
        let answer = &device.answer;
        let uris = ["verification_uri", "verification_uri_complete"];
        let members = ["device_code", "user_code", uris[0], uris[1], "expires_in", "interval"];
        assert_eq!(answer.member_names(), members);
        assert_eq!((&answer["expires_in"], &answer["interval"]), (&json!(600), &json!(5)));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.event_names(), ["device_asked"]);
        assert!(answer.member("device_code").len() >= 46, "256 bits and more");
        let code = device.user_code();
        assert_eq!((code.len(), code.find('-')), (9, Some(4)), "{code}");
        assert!(code.bytes().all(|byte| b"BCDFGHJKLMNPQRSTVWXZ-".contains(&byte)), "{code}");
        let uri = answer.member("verification_uri");
        assert_eq!(uri, format!("{}/device", kit.issuer()));
        assert_eq!(answer.member("verification_uri_complete"), format!("{uri}?user_code={code}"));

        let _ = device.expect_error("authorization_pending");
        let ua = kit.user_agent();
        let tab = ua.enter_user_code(code).expect_page("confirm-device");
        let tab = tab.confirm_device().expect_page("login").login("alice").expect_page("consent");
        kit.clock.advance(seconds(5));
        let _ = device.expect_error("authorization_pending");
        let done = tab.allow().expect_page("device-done");
        assert!(done.page().text.contains("is connected"), "{}", done.page().text);
        assert!(done.event_names().contains(&"authorization_granted"));

        let tokens = device.poll().expect_status(200);
        assert_eq!((&tokens["token_type"], &tokens["scope"]), (&json!("Bearer"), &json!("openid profile")));
        assert_eq!(kit.id_token(&tokens, client).claims["sub"], "alice");
        let userinfo = kit.userinfo(tokens.member("access_token")).expect_status(200);
        assert_eq!(userinfo["sub"], "alice");
    }
}

/// DEV-15: the calls of the store. A poll costs one, also the one that brings the tokens, which uses the approval
/// up; one that is too early costs another one for the longer interval. An approval reads the device, writes the
/// grant, and decides; beside it stand session, consent, and the second look at the consent.
#[test]
fn trips() {
    let kit = provider(|_| {});
    let (device, trips) = kit.trips(|| kit.device("box", "openid offline_access"));
    assert_eq!(trips, 1, "asked");
    assert_eq!(kit.trips(|| device.expect_error("authorization_pending")).1, 1);
    assert_eq!(kit.trips(|| device.expect_error("slow_down")).1, 2);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "box", "openid offline_access");
    ua.has_visited("box");
    let page = ua.get("/device");
    assert_eq!(kit.trips(|| ua.get(&format!("/device?user_code={}", device.user_code()))).1, 0, "a link");
    let (confirm, trips) = kit.trips(|| page.enter_user_code(device.user_code()));
    assert_eq!(trips, 5, "session and budget; the device; session and consent");
    let (_, trips) = kit.trips(|| confirm.confirm_device().expect_page("device-done"));
    assert_eq!(trips, 3 + 3, "an approval, and session and consent twice");
    let (tokens, trips) = kit.trips(|| device.poll().expect_status(200));
    assert_eq!(trips, 1);
    let (_, trips) = kit.trips(|| kit.refresh("box", tokens.member("refresh_token")).expect_status(200));
    assert_eq!(trips, 2);
}

/// DEV-15, DEV-17: what was approved on one node is fetched on any; a node that remembers it gives out nothing that
/// has ended, is another client's, was fetched elsewhere, or is too late.
#[test]
fn an_approval_counts_on_every_node() {
    let (store, keys) = (Arc::new(MemoryStore::new()), TestProvider::new());
    let offered = |config: &mut Config| config.device_authorization.offered = true;
    let node = |seed| {
        let builder = TestProvider::builder().store(store.clone()).seed(seed).keys_of(&keys);
        with_clients(builder.configure(offered).build())
    };
    let (here, there) = (node(7), node(8));
    let elsewhere = |device: &Device<'_>| {
        let poll = there.token_request("box").param("grant_type", DEVICE_GRANT);
        poll.param("device_code", device.answer.member("device_code")).send()
    };
    let device = approved(&here, "openid offline_access");
    let (tokens, trips) = there.trips(|| elsewhere(&device).expect_status(200));
    assert_eq!(trips, 2, "it reads the approval, and uses it up");
    assert_refused!(device.poll(), DEVICE_CODE_USED);
    assert!(!here.is_active("box", tokens.member("access_token")), "of two who have the code one is a thief");

    let device = approved(&here, "openid offline_access");
    let foreign = device.poll_request().unauthenticated().set("client_id", "tv");
    assert_refused!(foreign.send(), DEVICE_CODE_FOREIGN);
    let _ = device.poll().expect_status(200);
    assert_refused!(elsewhere(&device), DEVICE_CODE_USED);

    let device = here.device("box", "openid");
    let ua = here.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "box", "openid");
    let _ = ua.enter_user_code(device.user_code()).confirm_device().expect_page("device-done");
    ua.ends_session();
    assert_refused!(device.poll(), DEVICE_CODE_UNKNOWN);

    let device = approved(&here, "openid");
    here.replace_client(
        &json!({"client_id": "box", "client_secret": SECRET, "response_types": [],
            "grant_types": [DEVICE_GRANT]})
        .to_string(),
    );
    assert_refused!(device.poll(), DEVICE_CODE_FOREIGN);

    let here = provider(|_| {});
    for late in [seconds(95), minutes(9)] {
        let device = approved(&here, "openid");
        here.clock.advance(late);
        let (_, trips) = here.trips(|| device.poll().expect_status(200));
        assert_eq!(trips, 2, "no longer remembered");
        here.clock.advance(minutes(10) - late);
        assert_refused!(device.poll(), DEVICE_CODE_USED);
    }
    let device = approved(&here, "openid");
    here.clock.advance(minutes(10));
    assert_refused!(device.poll(), DEVICE_CODE_EXPIRED);
}

/// DEV-16, GAP-07, RFC 8628 section 3.5: whoever polls too early hears `slow_down`, and has to wait longer
/// from then on; whoever keeps to it hears that nothing is decided. A decision is told at once.
#[test]
fn an_interval_is_kept() {
    let kit = provider(|_| {});
    let (device, other) = (kit.device("tv", "openid"), kit.device("tv", "openid"));
    for (wait, is_early) in
        [(0, false), (4, true), (9, true), (15, false), (15, false), (14, true), (15, true), (25, false)]
    {
        kit.clock.advance(seconds(wait));
        if is_early {
            assert_refused!(device.poll(), TOO_EARLY);
        } else {
            // It is no refusal, so that a log is not filled by devices that wait.
            assert!(device.expect_error("authorization_pending").events.is_empty());
        }
    }
    let _ = other.expect_error("authorization_pending");
    for _ in 0..20 {
        assert_refused!(other.poll(), TOO_EARLY);
    }
    kit.clock.advance(seconds(60));
    let _ = other.expect_error("authorization_pending");
    let ua = kit.user_agent();
    let tab = ua.enter_user_code(other.user_code()).confirm_device().login("alice");
    let _ = tab.allow().expect_page("device-done");
    let _ = other.poll().expect_status(200);
}

/// DEV-15, DEV-19: the code has its time, for the device and for its person. Whoever decides at the last
/// moment leaves the device a minute to learn of it.
#[test]
fn a_code_has_its_time() {
    let kit = provider(|_| {});
    let device = kit.device("tv", "openid");
    let ua = kit.user_agent();
    let tab = ua.enter_user_code(device.user_code()).expect_page("confirm-device");
    kit.clock.advance(minutes(10) - seconds(1));
    let _ = device.expect_error("authorization_pending");
    kit.clock.advance(seconds(1));
    assert_refused!(device.poll(), DEVICE_CODE_EXPIRED);
    let tab = tab.confirm_device().expect_page("user-code");
    assert!(tab.page().text.contains("time of this code is over"), "{}", tab.page().text);
    let tab = tab.enter_user_code(device.user_code()).expect_page("user-code");
    assert!(tab.page().text.contains("time of this code is over"), "{}", tab.page().text);
    kit.clock.advance(minutes(60));
    assert_refused!(device.poll(), DEVICE_CODE_UNKNOWN);

    for (late, is_good) in [(0, true), (59, true), (60, false), (3000, false)] {
        let device = kit.device("tv", "openid");
        let ua = kit.user_agent();
        let tab = ua.enter_user_code(device.user_code()).confirm_device().login("alice");
        kit.clock.advance(minutes(10) - seconds(1));
        let _ = tab.expect_page("consent").allow().expect_page("device-done");
        kit.clock.advance(seconds(late));
        if is_good {
            let _ = device.poll().expect_status(200);
        } else {
            assert_refused!(device.poll(), DEVICE_CODE_EXPIRED);
        }
    }
}

/// DEV-11, DEV-14, DEV-17: a no is told to the device, as often as it asks; by whichever page it was said.
#[test]
fn a_no_is_told() {
    let kit = provider(|_| {});
    let ua = kit.user_agent();
    for page in ["confirm-device", "login", "consent"] {
        let device = kit.device("tv", "openid");
        let tab = ua.enter_user_code(device.user_code()).expect_page("confirm-device");
        let tab = match page {
            "confirm-device" => tab.deny(),
            "login" => tab.confirm_device().expect_page("login").cancel(),
            _ => tab.confirm_device().login("alice").expect_page("consent").deny(),
        };
        let done = tab.expect_page("device-done");
        assert!(done.page().text.contains("is not connected"), "{}", done.page().text);
        for _ in 0..2 {
            assert_refused!(device.poll(), DECLINED);
        }
        let tab = ua.enter_user_code(device.user_code()).expect_page("user-code");
        assert!(tab.page().text.contains("used already"), "{page}: {}", tab.page().text);
    }
}

/// DEV-14: why it cannot be, the device hears, too; also when its client may not ask so any more.
#[test]
fn what_cannot_be_is_told() {
    let kit = provider(|_| {});
    let ua = kit.user_agent();
    let claims = r#"{"id_token":{"acr":{"essential":true,"value":"urn:example:retina"}}}"#;
    let asked = kit.device_request("tv").param("scope", "openid").param("claims", claims);
    let device = kit.device_by("tv", asked);
    let _ = ua.enter_user_code(device.user_code()).expect_page("device-done");
    assert_refused!(device.poll(), "unmet_authentication_requirements", "acr_unreachable");

    let device = kit.device("box", "openid profile");
    assert!(kit.change_client("box", r#"{"scope":"profile"}"#).is_ok());
    let _ = ua.enter_user_code(device.user_code()).expect_page("error");
    assert_eq!(device.poll().expect_status(400)["error"], "invalid_scope");

    // Of a client that was disabled meanwhile, the person sees that there is nothing more, and the log says why.
    let device = kit.device("tv", "openid");
    assert!(kit.change_client("tv", r#"{"chancery":{"enabled":false}}"#).is_ok());
    let tab = ua.enter_user_code(device.user_code()).expect_page("user-code");
    assert_eq!(refusals(tab.events()), ["authorization_client_disabled"]);
}

/// DEV-17: the second use of a device code ends what came of the first, also after its time; a foreign client
/// ends nothing.
#[test]
fn a_second_use_ends_what_came_of_the_first() {
    for later in [seconds(0), seconds(30), minutes(9), minutes(10), minutes(60)] {
        let kit = provider(|_| {});
        let device = approved(&kit, "openid offline_access");
        let tokens = device.poll().expect_status(200);
        kit.clock.advance(later);
        let foreign = device.poll_request().unauthenticated().set("client_id", "tv");
        assert_refused!(foreign.send(), DEVICE_CODE_FOREIGN);
        assert!(kit.is_active("box", tokens.member("refresh_token")), "{later:?}");
        let refused = device.poll();
        assert_refused!(refused, DEVICE_CODE_USED);
        assert_eq!(refused.event_names(), ["grant_ended", "refused"]);
        for token in ["access_token", "refresh_token"] {
            assert!(!kit.is_active("box", tokens.member(token)), "{later:?} {token}");
        }
        let again = device.poll().expect_status(400);
        assert!(["invalid_grant", "expired_token"].contains(&again.member("error")), "{}", again.text());
    }
}

/// 64 polls of one decided code at once: one succeeds, and because the others are replays, its tokens are
/// dead afterwards.
fn one_poll_succeeds(kit: &TestProvider, rounds: u64) {
    for round in 0..rounds {
        let device = approved(kit, "openid offline_access");
        let answers = kit.send_at_once(round, vec![device.poll_request().to_http(); 64]);
        let (won, lost): (Vec<&Answer>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "round {round}");
        for answer in lost {
            let reasons = refusals(&answer.events);
            // Who looks when the grant is dead already finds nothing.
            assert!(reasons == ["device_code_used"] || reasons == ["device_code_unknown"], "{reasons:?}");
            assert_eq!((answer.status.as_u16(), answer.member("error")), (400, "invalid_grant"));
        }
        assert!(!kit.is_active("box", won[0].member("access_token")), "round {round}");
        assert!(!kit.is_active("box", won[0].member("refresh_token")), "round {round}");
    }
}

/// DEV-17, GAP-06
#[test]
fn of_64_polls_at_once_one_succeeds_on_memory() {
    one_poll_succeeds(&provider(|_| {}), 200);
}

/// DEV-17, GAP-06
#[test]
fn of_64_polls_at_once_one_succeeds_on_sqlite() {
    let builder = TestProvider::builder().store(sqlite_file("polls"));
    let offered = |config: &mut Config| config.device_authorization.offered = true;
    one_poll_succeeds(&with_clients(builder.configure(offered).build()), 200);
}

/// DEV-13, GAP-07: an approval that was left is taken up again, here and in another browser; of two people
/// who answer at the same moment one decides, in whatever order the calls of the store happen.
#[test]
fn an_approval_that_was_left_can_be_taken_up_again() {
    let kit = provider(|_| {});
    let device = kit.device("tv", "openid");
    let (ua, elsewhere) = (kit.user_agent(), kit.user_agent());
    let left = ua.enter_user_code(device.user_code()).confirm_device().expect_page("login");
    let left_later = ua.enter_user_code(device.user_code()).confirm_device().login("alice");
    let tab = elsewhere.enter_user_code(device.user_code()).confirm_device().login("bob");
    let _ = tab.expect_page("consent").allow().expect_page("device-done");
    for late in [left.login("alice"), left_later.allow(), left_later.deny(), left_later.reload()] {
        let late = late.expect_page("user-code");
        assert!(late.page().text.contains("used already"), "{}", late.page().text);
    }
    let tokens = device.poll().expect_status(200);
    assert_eq!(kit.id_token(&tokens, "tv").claims["sub"], "bob");

    for seed in 0..200 {
        let device = kit.device("box", "openid");
        let browsers = ["alice", "bob"].map(|who| {
            let ua = kit.user_agent();
            ua.signed_in(who);
            ua.has_consented(who, "box", "openid");
            let tab = ua.enter_user_code(device.user_code()).expect_page("confirm-device");
            tab.to_http(&[], ("action", "confirm"))
        });
        let answers = kit.send_at_once(seed, browsers.to_vec());
        let decided = answers.iter().filter(|answer| answer.text().contains("device-done")).count();
        assert_eq!(decided, 1, "{seed}");
        let tokens = device.poll().expect_status(200);
        let sub = kit.id_token(&tokens, "box").claims["sub"].clone();
        let at = usize::from(sub == "bob");
        assert!(answers[at].text().contains("device-done"), "{seed}: {sub}");
    }
}

/// DEV-06, GAP-07: no two devices that wait have the same user code. Two nodes that draw the same random
/// numbers show it.
#[test]
fn user_codes_are_unique() {
    let kit = provider(|_| {});
    let codes: BTreeSet<String> =
        (0..500).map(|_| kit.device("box", "openid").user_code().to_owned()).collect();
    assert_eq!(codes.len(), 500);

    // Neither node makes keys, so that both draw the same numbers.
    let (store, keys) = (Arc::new(MemoryStore::new()), TestProvider::new());
    let offered = |config: &mut Config| config.device_authorization.offered = true;
    let node = || TestProvider::builder().store(store.clone()).seed(7).keys_of(&keys).configure(offered);
    let (first, second) = (with_clients(node().build()), with_clients(node().build()));
    let one = first.device("box", "openid");
    let (other, trips) = second.trips(|| second.device("box", "openid"));
    assert_eq!(trips, 2, "the first code was taken");
    assert_ne!(one.user_code(), other.user_code());
}

/// DEV-02, DEV-21: what means something without a redirect URI does; the rest is ignored, whatever its value.
/// A client that has to push its requests does not have to here.
#[test]
fn parameters() {
    let kit = provider(|config| config.pushed_requests.offered = true);
    kit.put_device_client(
        "pusher",
        json!({"require_pushed_authorization_requests": true,
        "token_endpoint_auth_method": "none", "default_max_age": 60}),
    );
    let asked = [
        "state",
        "redirect_uri",
        "response_type",
        "response_mode",
        "prompt",
        "code_challenge",
        "code_challenge_method",
        "dpop_jkt",
        "display",
        "web_message_uri",
    ];
    let asked =
        asked.iter().fold(kit.device_request("pusher"), |asked, name| asked.param(name, "none of it"));
    let asked = asked.param("scope", "openid").param("nonce", "the nonce").param("login_hint", "alice");
    let asked = asked.param("acr_values", "urn:chancery:acr:password").param("ui_locales", "de");
    let device = kit.device_by("pusher", asked.param("max_age", "0").param("unknown", "x"));
    let ua = kit.user_agent();
    ua.signed_in("bob");
    let tab = ua.enter_user_code(device.user_code()).confirm_device().expect_page("login");
    let hinted = tab.form().fields.iter().any(|(name, value)| name == "username" && value == "alice");
    assert!(hinted, "max_age and login_hint: {:?}", tab.form().fields);
    let _ = tab.login("alice").expect_page("consent").allow().expect_page("device-done");
    let tokens = device.poll().expect_status(200);
    assert_eq!(kit.id_token(&tokens, "pusher").claims["nonce"], "the nonce");

    // Whom the client expects, the page about accounts says.
    let hint = tokens.member("id_token").to_owned();
    let asked = kit.device_request("pusher").param("scope", "openid").param("id_token_hint", &hint);
    let device = kit.device_by("pusher", asked);
    let other = kit.user_agent();
    other.signed_in("bob");
    let _ = other.enter_user_code(device.user_code()).confirm_device().expect_page("accounts");
}

/// DEV-02: a request object counts, and alone; its client has to have signed it.
#[test]
fn a_request_object_counts() {
    let kit = provider(|_| {});
    let key = ClientKey::generate(Es256);
    kit.put_device_client(
        "signer",
        json!({"client_secret": SECRET, "jwks": key.jwks(),
        "require_signed_request_object": true}),
    );
    let object = |at: Timestamp| {
        key.request_object("client_id=signer&scope=openid+profile&nonce=inside", kit.issuer().as_str(), at)
    };
    let asked = kit.device_request("signer").param("nonce", "outside");
    let device = kit.device_by("signer", asked.clone().param("request", &object(kit.now())));
    let tab = kit.user_agent();
    let tab = tab.enter_user_code(device.user_code()).confirm_device().login("alice");
    let _ = tab.allow().expect_page("device-done");
    let tokens = device.poll().expect_status(200);
    assert_eq!(kit.id_token(&tokens, "signer").claims["nonce"], "inside");
    assert_eq!(tokens["scope"], "openid profile");
    let old = object(kit.now() - minutes(60));
    NegativeTable::new(&kit)
        .row("unsigned", asked.clone().param("scope", "openid"), Refused::Json(400, "invalid_request"))
        .row("an old one", asked.clone().param("request", &old), Refused::Json(400, "invalid_request_object"))
        .row("none", asked.param("request", "x"), Refused::Json(400, "invalid_request_object"))
        .run();
}

/// DEV-12, AUTHZ-25: what was granted ends with the session of the browser in which it was, unless the device
/// may act while its person is away; and its tokens can be bound to a key of the device.
#[test]
fn tokens_live_as_those_of_a_code() {
    let kit = provider(|config| config.dpop.offered = true);
    for (scope, lives_on) in [("openid", false), ("openid offline_access", true)] {
        let device = kit.device("box", scope);
        let ua = kit.user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "box", scope);
        let _ = ua.enter_user_code(device.user_code()).confirm_device().expect_page("device-done");
        let tokens = device.poll().expect_status(200);
        assert_eq!(tokens["refresh_token"].is_string(), lives_on);
        ua.ends_session();
        assert_eq!(kit.is_active("box", tokens.member("access_token")), lives_on, "{scope}");
    }
    let key = DpopKey::generate(Es256);
    let device = approved(&kit, "openid offline_access");
    let tokens = key.prove(device.poll_request()).send().expect_status(200);
    assert_eq!(tokens["token_type"], "DPoP");
}

/// RFC 8628 section 3.3.1: the address as a picture, for a device that cannot draw one, and for no other.
#[test]
fn a_picture_of_the_address() {
    let kit = provider(|_| {});
    let asked = kit.device_request("tv").param("scope", "openid").param("qr_code", "svg");
    let answer = asked.send().expect_status(200);
    let picture = answer.member("qr_code");
    assert!(picture.contains("<svg") && picture.contains("viewBox") && picture.len() < 20_000, "{picture}");
    for active in ["<script", "href", "<image", "<style", "onload"] {
        assert!(!picture.contains(active), "{active}");
    }
    assert!(kit.device("tv", "openid").answer["qr_code"].is_null());
}

/// DISC-02, DEV-01: announced and registered where it is offered, and nowhere else; strangers cannot register
/// it.
#[test]
fn it_is_off_unless_it_is_offered() {
    let member = "device_authorization_endpoint";
    let (on, off) = (provider(|_| {}), TestProvider::new());
    let metadata = on.get("/.well-known/openid-configuration");
    assert_eq!(metadata.member(member), format!("{}/device_authorization", on.issuer()));
    assert!(
        metadata["grant_types_supported"].as_array().is_some_and(|all| all.contains(&json!(DEVICE_GRANT)))
    );
    let metadata = off.get("/.well-known/openid-configuration");
    assert!(metadata[member].is_null());
    assert!(
        metadata["grant_types_supported"].as_array().is_some_and(|all| !all.contains(&json!(DEVICE_GRANT)))
    );
    assert_eq!(off.get("/device").status, 404);
    assert_eq!(off.device_request("web").send().status, 404);
    let client = json!({"client_id": "x", "response_types": [], "grant_types": [DEVICE_GRANT]}).to_string();
    assert!(off.put_client_fetching(&client).is_err());
    let poll = off.token_request("web").param("grant_type", DEVICE_GRANT).param("device_code", "dc_x");
    assert_eq!(poll.send().expect_status(400)["error"], "unsupported_grant_type");

    let open = provider(|config| {
        config.registration.access = chancery_core::endpoint::registration::RegistrationAccess::Open;
    });
    let metadata = json!({"response_types": [], "grant_types": [DEVICE_GRANT], "client_name": "A bank"});
    assert_eq!(open.register(&metadata).expect_status(400)["error"], "invalid_client_metadata");
}

/// RFC 8628 section 5.2: a client has room for so many devices, and one network does not use up that of a
/// public one.
#[test]
fn a_client_has_room_for_so_many_devices() {
    let kit = provider(|config| config.device_authorization.open_limit = 8);
    let asked = kit.device_request("tv").param("scope", "openid");
    for _ in 0..2 {
        let _ = asked.send().expect_status(200);
    }
    let refused = asked.send();
    assert_refused!(refused, TOO_MANY_WAIT);
    assert_eq!(refused.header("retry-after"), Some("600"));
    let mut elsewhere = asked.to_http();
    elsewhere.extensions_mut().insert(Peer([198, 51, 100, 7].into()));
    let _ = kit.send(elsewhere).expect_status(200);
    kit.clock.advance(minutes(10));
    let _ = asked.send().expect_status(200);
}

/// DEV-01, DEV-02, DEV-15: what is not a request of a device, or not a poll of this one.
#[test]
fn what_is_refused() {
    let kit = provider(|_| {});
    let asked = |client| kit.device_request(client).param("scope", "openid");
    let device = kit.device("box", "openid");
    let poll = || device.poll_request();
    let json = |code| Refused::Json(400, code);
    NegativeTable::new(&kit)
        .row("a client without the grant type", asked("web"), json("unauthorized_client"))
        .row("no client", asked("tv").unauthenticated(), json("invalid_request"))
        .row("a wrong secret", asked("box").secret("wrong"), Refused::Json(401, "invalid_client"))
        .row("by GET", asked("tv").get(), Refused::Status(405))
        .row("no scope", kit.device_request("tv"), json("invalid_scope"))
        .row("an unknown scope alone", kit.device_request("tv").param("scope", "x"), json("invalid_scope"))
        .row("a doubled scope", asked("tv").param("scope", "profile"), json("invalid_request"))
        .row("rich details", asked("tv").param("authorization_details", "[]"), json("invalid_request"))
        .row("a bad max_age", asked("tv").param("max_age", "-1"), json("invalid_request"))
        .row("a bad hint", asked("tv").param("id_token_hint", "x"), json("invalid_request"))
        .row("bad claims", asked("tv").param("claims", "{"), json("invalid_request"))
        .row("a reference", asked("tv").param("request_uri", "urn:x"), json("request_uri_not_supported"))
        .row("another picture", asked("tv").param("qr_code", "png"), json("invalid_request"))
        .row("no device code", poll().without("device_code"), json("invalid_request"))
        .row("two device codes", poll().param("device_code", "dc_x"), json("invalid_request"))
        .row("another sort of code", poll().set("device_code", "ac_AAAA"), json("invalid_grant"))
        .row("the user code instead", poll().set("device_code", device.user_code()), json("invalid_grant"))
        .row(
            "by another client",
            kit.token_request("tv")
                .param("grant_type", DEVICE_GRANT)
                .param("device_code", device.answer.member("device_code")),
            json("invalid_grant"),
        )
        .row("without its secret", poll().secret("wrong"), Refused::Json(401, "invalid_client"))
        .run();
    kit.replace_client(
        &json!({"client_id": "box", "client_secret": SECRET, "response_types": [],
            "grant_types": [DEVICE_GRANT]})
        .to_string(),
    );
    assert_refused!(device.poll(), DEVICE_CODE_FOREIGN);
}
