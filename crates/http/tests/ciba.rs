//! OpenID Connect Client-Initiated Backchannel Authentication (CIBA) Core 1.0: what a client asks and polls. How it is
//! told is in `ciba_ping.rs` and `ciba_push.rs`.

use chancery_core::config::Config;
use chancery_core::endpoint::awaited::TOO_EARLY;
use chancery_core::endpoint::backchannel_authentication::grant::{
    AUTH_REQ_ID_EXPIRED, AUTH_REQ_ID_FOREIGN, AUTH_REQ_ID_UNKNOWN,
};
use chancery_core::endpoint::backchannel_authentication::hint::PERSON_UNKNOWN;
use chancery_core::endpoint::backchannel_authentication::{OPENID_NOT_ASKED, TOO_MANY_WAIT};
use chancery_core::profile::Profile;
use chancery_core::request::backchannel::{
    BESIDE_SIGNED, NOT_SIGNED, REQUEST_REPLAYED, SIGNING_UNREGISTERED,
};
use chancery_jose::SigningAlgorithm::{self, Es256, Es384, Ps256};
use chancery_testkit::{
    Answer, CIBA_GRANT, ClientKey, ClientRequest, NegativeTable, Refused, SECRET, TestProvider,
    assert_refused, hours, minutes, seconds,
};
use chancery_types::iana::BackchannelTokenDeliveryMode::{Ping, Poll, Push};
use serde_json::{Value, json};

/// With a till that polls, one that signs, and one that is told.
fn provider(change: impl FnOnce(&mut Config)) -> TestProvider {
    let offered = |config: &mut Config| {
        config.ciba.offered = true;
        config.ciba.delivery_modes = vec![Poll, Ping, Push];
    };
    let kit = TestProvider::builder().configure(offered).configure(change).build();
    kit.put_ciba_client("till", "poll", json!({}));
    kit.put_ciba_client("other", "poll", json!({}));
    kit
}

/// A till that signs its requests, and its key.
fn signing(kit: &TestProvider, client: &str, alg: SigningAlgorithm) -> ClientKey {
    let key = ClientKey::generate(alg);
    let member = "backchannel_authentication_request_signing_alg";
    kit.put_ciba_client(client, "poll", json!({"jwks": key.jwks(), member: alg.name()}));
    key
}

fn sent<'k>(kit: &'k TestProvider, client: &str, key: &ClientKey, claims: &Value) -> ClientRequest<'k> {
    kit.request("/backchannel", client).param("request", &key.sign(&json!({}), claims))
}

/// DISC-06, CIBA-01: everything of it is announced as soon as it is on, and nothing before.
#[test]
fn it_is_announced() {
    let metadata = provider(|_| {}).get("/.well-known/openid-configuration");
    let issuer = metadata.member("issuer").to_owned();
    assert_eq!(metadata["backchannel_authentication_endpoint"], format!("{issuer}/backchannel"));
    assert_eq!(metadata["backchannel_token_delivery_modes_supported"], json!(["poll", "ping", "push"]));
    assert_eq!(metadata["backchannel_user_code_parameter_supported"], true);
    let algorithms = metadata["backchannel_authentication_request_signing_alg_values_supported"].to_string();
    assert!(algorithms.contains("ES256") && !algorithms.contains("HS"), "{algorithms}");
    assert!(metadata["grant_types_supported"].to_string().contains(CIBA_GRANT));

    let without = TestProvider::new();
    let metadata = without.get("/.well-known/openid-configuration");
    assert!(
        !metadata.text().contains("ciba") && !metadata.text().contains("backchannel_a"),
        "{}",
        metadata.text()
    );
    assert_eq!(without.request("/backchannel", "web").send().status, 404);

    let pushed = TestProvider::builder().configure(|config| {
        config.ciba.offered = true;
        config.ciba.delivery_modes = vec![Push];
    });
    let metadata = pushed.build().get("/.well-known/openid-configuration");
    assert!(!metadata["grant_types_supported"].to_string().contains(CIBA_GRANT), "there is nothing to fetch");
}

/// CIBA-03, CIBA-04, CIBA-08, CIBA-10, CIBA-18: what the client gets, and what it hears until the person decides.
#[test]
fn a_request_waits_for_its_person() {
    let kit = provider(|_| {});
    let (till, trips) = kit.trips(|| kit.backchannel("till", "openid profile"));
    assert_eq!(trips, 1);
    let answer = &till.answer;
    assert_eq!(answer.member_names(), ["auth_req_id", "expires_in", "interval"]);
    assert_eq!((&answer["expires_in"], &answer["interval"]), (&json!(600), &json!(5)));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.event_names(), ["backchannel_authentication_asked"]);
    assert!(till.id().len() >= 46, "256 bits and more");
    assert!(
        till.id().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
        "{}",
        till.id()
    );

    let (pending, trips) = kit.trips(|| till.expect_error("authorization_pending"));
    assert_eq!((trips, pending.events.len()), (1, 0), "it is no refusal, so that a log is not filled");
    assert_eq!(kit.trips(|| assert_refused!(till.poll(), TOO_EARLY)).1, 2);
    kit.clock.advance(seconds(9));
    assert_refused!(till.poll(), TOO_EARLY);
    kit.clock.advance(seconds(15));
    let _ = till.expect_error("authorization_pending");
    kit.clock.advance(minutes(10));
    assert_refused!(till.poll(), AUTH_REQ_ID_EXPIRED);
    assert_eq!(till.poll()["error"], "expired_token");
    kit.clock.advance(hours(24));
    assert_refused!(till.poll(), AUTH_REQ_ID_UNKNOWN);
}

/// CIBA-15: it is good in the hands of its client alone, and goes on being good there.
#[test]
fn another_client_gets_nothing() {
    let kit = provider(|_| {});
    let till = kit.backchannel("till", "openid");
    let stolen = kit.token_request("other").param("grant_type", CIBA_GRANT).param("auth_req_id", till.id());
    assert_refused!(stolen.send(), AUTH_REQ_ID_FOREIGN);
    let _ = till.expect_error("authorization_pending");
    // Another client of the same name is another client.
    kit.put_ciba_client("till", "poll", json!({}));
    kit.clock.advance(seconds(9));
    assert!(matches!(till.poll()["error"].as_str(), Some("authorization_pending" | "invalid_grant")));
}

/// CIBA-06: a client can be interested for less time, as a number in decimal digits.
#[test]
fn a_client_says_for_how_long_it_is_interested() {
    let kit = provider(|_| {});
    for (asked, granted) in [("10", 10), ("1", 1), ("600", 600), ("601", 600), ("999999999999999", 600)] {
        let answer = kit.backchannel_request("till", "openid").param("requested_expiry", asked).send();
        assert_eq!(answer.expect_status(200)["expires_in"], granted, "{asked}");
    }
    for bad in ["0", "-1", "+5", "1.5", "1e3", " 5", "ten", "9999999999999999", "0x10", "\u{0661}"] {
        let answer = kit.backchannel_request("till", "openid").param("requested_expiry", bad).send();
        assert_eq!(answer.expect_status(400)["error"], "invalid_request", "{bad}");
    }
}

/// CIBA-07, fapi-ciba-id1-ensure-authorization-request-with-binding-message-succeeds,
/// fapi-ciba-id1-ensure-authorization-request-with-potentially-bad-binding-message
#[test]
fn a_binding_message_is_short_and_plain() {
    let kit = provider(|_| {});
    let send = |text: &str| kit.backchannel_request("till", "openid").param("binding_message", text).send();
    for good in ["1234", "W4SCT", "Pay 5.00 EUR at till #7?", &"x".repeat(60)] {
        let _ = send(good).expect_status(200);
    }
    for bad in [
        &"x".repeat(61),
        &"1234 \u{1f44d} \u{4e16}\u{754c} ".repeat(40),
        " 1234",
        "1234 ",
        "12\n34",
        "12\t34",
        "12\u{202e}34",
        "12\u{0}34",
        "K\u{f6}ln",
    ] {
        let answer = send(bad).expect_status(400);
        let code = answer.member("error");
        assert!(matches!(code, "invalid_binding_message" | "invalid_request"), "{bad:?}: {code}");
        assert!(bad.contains('\0') || code == "invalid_binding_message", "{bad:?}: {code}");
    }
    let kit = provider(|config| config.ciba.binding_message_required = true);
    assert_eq!(kit.backchannel_request("till", "openid").send()["error"], "invalid_binding_message");
    let _ =
        kit.backchannel_request("till", "openid").param("binding_message", "1234").send().expect_status(200);
}

/// CIBA-08: each hint leads to its person.
#[test]
fn a_hint_means_a_person() {
    let kit = provider(|_| {});
    kit.put_client(
        &json!({"client_id": "both", "client_secret": SECRET, "redirect_uris": ["https://both.example/cb"],
            "grant_types": ["authorization_code", CIBA_GRANT], "backchannel_token_delivery_mode": "poll",
            "id_token_signed_response_alg": "ES256", "chancery": {"consent": "implied"}})
        .to_string(),
    );
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let code = kit.authorization_request("both").scope("openid").open(&ua).expect_code();
    let id_token = kit.exchange(&code).expect_status(200).member("id_token").to_owned();
    let ask = |name: &str, value: &str| {
        let request = kit.request("/backchannel", "both").param("scope", "openid");
        request.param(name, value).send()
    };
    // Also when it has expired: it is no proof, but a hint (section 14).
    for _ in 0..2 {
        let _ = ask("id_token_hint", &id_token).expect_status(200);
        kit.clock.advance(hours(20));
    }
    let _ = ask("login_hint", "bob").expect_status(200);
    assert_eq!(
        ask("login_hint_token", "for:bob").expect_status(400)["error"],
        "invalid_request",
        "unsupported"
    );
    kit.accounts.understands_hint_tokens();
    let _ = ask("login_hint_token", "for:bob").expect_status(200);
    for (name, value, code) in [
        ("login_hint", "mallory", "unknown_user_id"),
        ("login_hint_token", "for:mallory", "unknown_user_id"),
        ("login_hint_token", "expired", "expired_login_hint_token"),
        ("login_hint_token", "forged", "invalid_request"),
        ("id_token_hint", "eyJhbGciOiJub25lIn0.e30.", "invalid_request"),
        ("id_token_hint", &id_token.replace('.', "x"), "invalid_request"),
    ] {
        assert_eq!(ask(name, value).expect_status(400)["error"], code, "{name}={value}");
    }
    let foreign =
        kit.request("/backchannel", "till").param("scope", "openid").param("id_token_hint", &id_token);
    assert_eq!(foreign.send().expect_status(400)["error"], "invalid_request", "another client's");
    kit.accounts.disable("bob");
    assert_refused!(ask("login_hint", "bob"), PERSON_UNKNOWN);
}

/// CIBA-09, section 7.1.2: whom somebody with a code may ask, the code says.
#[test]
fn a_user_code_protects_its_person() {
    let kit = provider(|_| {});
    let ask = |code: Option<&str>| {
        let request = kit.backchannel_request("till", "openid");
        code.into_iter().fold(request, |request, code| request.param("user_code", code)).send()
    };
    let _ = ask(None).expect_status(200);
    let _ = ask(Some("whatever")).expect_status(200);
    kit.accounts.has_user_code("alice", "4711");
    assert_eq!(ask(None).expect_status(400)["error"], "missing_user_code");
    assert_eq!(ask(Some("4712")).expect_status(400)["error"], "invalid_user_code");
    let _ = ask(Some("4711")).expect_status(200);
}

/// CIBA-12, JAR-14: a signed request is all that counts, and is good once. A till that signs cannot do without.
#[test]
fn a_request_can_be_signed() {
    let kit = provider(|_| {});
    let key = signing(&kit, "signs", Es256);
    let asked = json!({"scope": "openid", "login_hint": "alice", "requested_expiry": 10, "binding_message": "1234",
        "request_context": {"location": {"lat": 51.17, "lng": -1.8}}});
    let claims = key.authentication_request(&kit, "signs", &asked);
    let (answer, trips) = kit.trips(|| sent(&kit, "signs", &key, &claims).send().expect_status(200));
    assert_eq!((trips, &answer["expires_in"]), (2, &json!(10)), "its mark, and the request");
    assert_refused!(sent(&kit, "signs", &key, &claims).send(), REQUEST_REPLAYED);

    let with = |changes: Value| {
        let mut claims = key.authentication_request(&kit, "signs", &asked);
        claims["jti"] = changes.to_string().into();
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        claims
    };
    let now = kit.now().secs();
    for good in [
        json!({"requested_expiry": "20"}),
        json!({"aud": ["https://other.example", kit.issuer().as_str()]}),
        json!({"exp": now + 3600}),
        json!({"nbf": now - 3000, "exp": now + 600}),
        json!({"iat": now + 8, "nbf": now + 8, "exp": now + 100}),
        json!({"client_id": "somebody", "unknown": ["ignored"]}),
    ] {
        let _ = sent(&kit, "signs", &key, &with(good)).send().expect_status(200);
    }
    let typed = key.sign(&json!({"typ": "OautH-auThZ-REQ+jWt"}), &with(json!({})));
    let _ = kit.request("/backchannel", "signs").param("request", &typed).send().expect_status(200);

    assert_refused!(kit.backchannel_request("signs", "openid").send(), NOT_SIGNED);
    for beside in ["scope", "login_hint", "binding_message", "user_code", "requested_expiry", "acr_values"] {
        let request = sent(&kit, "signs", &key, &with(json!({"beside": beside}))).param(beside, "1");
        assert_refused!(request.send(), BESIDE_SIGNED);
    }
    // What nobody knows is ignored, wherever it stands.
    let _ = sent(&kit, "signs", &key, &with(json!({"n": 1}))).param("x", "1").send().expect_status(200);
    let unregistered = sent(&kit, "till", &key, &key.authentication_request(&kit, "till", &asked));
    assert_refused!(unregistered.send(), SIGNING_UNREGISTERED);
}

/// CIBA-12, JAR-14, JAR-19: whatever is wrong with a signed request is `invalid_request` (section 13 knows no other
/// code), and no mark is left.
#[test]
fn a_signed_request_is_refused_for_whatever_is_wrong() {
    let kit = provider(|_| {});
    let (key, other) = (signing(&kit, "signs", Es256), signing(&kit, "signs too", Es256));
    let now = kit.now().secs();
    let asked = json!({"scope": "openid", "login_hint": "alice"});
    let claims = key.authentication_request(&kit, "signs", &asked);
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        match value {
            Value::Null => drop(claims.as_object_mut().map(|claims| claims.remove(name))),
            value => claims[name] = value,
        }
        claims
    };
    let rows = [
        ("iss", Value::Null),
        ("iss", json!("till")),
        ("aud", Value::Null),
        ("aud", json!("https://op.example.org")),
        ("aud", json!(format!("{}/backchannel", kit.issuer()))),
        ("exp", Value::Null),
        ("exp", json!(now - 3600)),
        ("exp", json!(now - 11)),
        ("exp", json!(now + 4200)),
        ("exp", json!("soon")),
        ("iat", Value::Null),
        ("iat", json!(now + 600)),
        ("nbf", Value::Null),
        ("nbf", json!(now + 600)),
        ("nbf", json!(now - 4200)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!("x".repeat(257))),
        ("request", json!("eyJ")),
        ("request_uri", json!("urn:x")),
        ("scope", json!(["openid"])),
        ("login_hint", json!({"format": "email"})),
        ("login_hint", Value::Null),
        ("login_hint_token", json!("for:bob")),
        ("requested_expiry", json!(0)),
        ("requested_expiry", json!(-5)),
        ("requested_expiry", json!(1.5)),
        ("requested_expiry", json!(true)),
    ];
    let mut table = NegativeTable::new(&kit);
    for (name, value) in rows {
        let claims = changed(name, value.clone());
        table = table.row(format!("{name}: {value}"), sent(&kit, "signs", &key, &claims), INVALID);
    }
    let text = |text: &str| kit.request("/backchannel", "signs").param("request", text);
    let signed = key.sign(&json!({}), &claims);
    let parts: Vec<&str> = signed.split('.').collect();
    let none = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    let hmac = ClientKey::of_secret(SigningAlgorithm::Hs256, SECRET).sign(&json!({}), &claims);
    let es384 = ClientKey::generate(Es384).sign(&json!({}), &claims);
    table
        .row("another client's key", sent(&kit, "signs", &other, &claims), INVALID)
        .row("no signature", text(&none), INVALID)
        .row("an HMAC", text(&hmac), INVALID)
        .row("another algorithm than the registered one", text(&es384), INVALID)
        .row("a signature that was changed", text(&format!("{}x", &signed[..signed.len() - 1])), INVALID)
        .row("a type of its own", text(&key.sign(&json!({"typ": "at+jwt"}), &claims)), INVALID)
        .row("five parts, as if it was encrypted", text(&format!("{signed}.a.b")), INVALID)
        .row("no JWT", text("nonsense"), INVALID)
        .row("twice", text(&signed).param("request", &signed), INVALID)
        .run();
    let _ = sent(&kit, "signs", &key, &claims).send().expect_status(200);
}

const INVALID: Refused = Refused::Json(400, "invalid_request");

/// FAPI-01, FAPI-CIBA section 5.2.2: a profile demands signed requests, and that nothing is pushed.
#[test]
fn a_profile_demands_more() {
    let key = ClientKey::generate(Ps256);
    let metadata = |mode: &str, alg: Option<&str>| {
        let mut metadata = json!({"client_id": "bank", "jwks": key.jwks(), "response_types": [],
            "grant_types": [CIBA_GRANT], "token_endpoint_auth_method": "private_key_jwt",
            "id_token_signed_response_alg": "ES256", "backchannel_token_delivery_mode": mode,
            "backchannel_client_notification_endpoint": "https://bank.example/ciba",
            "chancery": {"profile": "fapi1-advanced"}});
        if let Some(alg) = alg {
            metadata["backchannel_authentication_request_signing_alg"] = alg.into();
        }
        metadata.to_string()
    };
    let kit = provider(|config| config.mtls.certificate_bound_access_tokens = true);
    assert_eq!(kit.registry.put(&metadata("ping", Some("PS256"))).err(), None);
    for (mode, alg, member) in [
        ("push", Some("PS256"), "backchannel_token_delivery_mode"),
        ("poll", None, "backchannel_authentication_request_signing_alg"),
        ("poll", Some("RS256"), "backchannel_authentication_request_signing_alg"),
    ] {
        let refused = kit.registry.put(&metadata(mode, alg)).err().unwrap_or_default();
        assert!(refused.iter().any(|complaint| complaint.setting == member), "{mode} {alg:?}: {refused:?}");
    }
    let demands = Profile::Fapi2Security.demands();
    assert!(demands.no_push.is_some() && demands.signed_backchannel.is_some());
}

/// META-37, CMETA-08: what a registration has to say, and what it cannot.
#[test]
fn a_registration_is_judged() {
    let kit = provider(|_| {});
    let metadata = |change: &Value| {
        let mut metadata = json!({"client_id": "new", "client_secret": SECRET, "response_types": [],
            "grant_types": [CIBA_GRANT], "id_token_signed_response_alg": "ES256",
            "backchannel_token_delivery_mode": "ping",
            "backchannel_client_notification_endpoint": "https://new.example/ciba"});
        for (name, value) in change.as_object().into_iter().flatten() {
            match value {
                Value::Null => drop(metadata.as_object_mut().map(|members| members.remove(name))),
                value => metadata[name] = value.clone(),
            }
        }
        metadata.to_string()
    };
    let key = ClientKey::generate(Es256);
    for good in [
        json!({}),
        json!({"backchannel_token_delivery_mode": "poll", "backchannel_client_notification_endpoint": null}),
        json!({"backchannel_token_delivery_mode": "push", "grant_types": []}),
        json!({"backchannel_user_code_parameter": true}),
        json!({"backchannel_authentication_request_signing_alg": "ES256", "jwks": key.jwks()}),
    ] {
        assert_eq!(kit.registry.put(&metadata(&good)).err(), None, "{good}");
    }
    for (bad, member) in [
        (json!({"backchannel_token_delivery_mode": null}), "backchannel_token_delivery_mode"),
        (json!({"backchannel_token_delivery_mode": "pull"}), "backchannel_token_delivery_mode"),
        (
            json!({"backchannel_client_notification_endpoint": null}),
            "backchannel_client_notification_endpoint",
        ),
        (
            json!({"backchannel_client_notification_endpoint": "http://new.example/ciba"}),
            "backchannel_client_notification_endpoint",
        ),
        (
            json!({"backchannel_client_notification_endpoint": "https://new.example/ciba#x"}),
            "backchannel_client_notification_endpoint",
        ),
        (
            json!({"backchannel_client_notification_endpoint": "ciba"}),
            "backchannel_client_notification_endpoint",
        ),
        (json!({"grant_types": []}), "grant_types"),
        (
            json!({"backchannel_authentication_request_signing_alg": "HS256"}),
            "backchannel_authentication_request_signing_alg",
        ),
        (
            json!({"backchannel_authentication_request_signing_alg": "none"}),
            "backchannel_authentication_request_signing_alg",
        ),
        (json!({"backchannel_authentication_request_signing_alg": "ES256"}), "jwks"),
        (json!({"backchannel_user_code_parameter": "yes"}), "backchannel_user_code_parameter"),
        (json!({"token_endpoint_auth_method": "none", "client_secret": null}), "token_endpoint_auth_method"),
    ] {
        let refused = kit.registry.put(&metadata(&bad)).err().unwrap_or_default();
        assert!(refused.iter().any(|complaint| complaint.setting == member), "{bad}: {refused:?}");
    }
    let polled = provider(|config| config.ciba.delivery_modes = vec![Poll]);
    let refused = polled.registry.put(&metadata(&json!({}))).err().unwrap_or_default();
    assert!(
        refused.iter().any(|complaint| complaint.setting == "backchannel_token_delivery_mode"),
        "{refused:?}"
    );
}

/// So many wait, and no more.
#[test]
fn there_is_room_for_so_many() {
    let kit = provider(|config| config.ciba.open_limit = 3);
    let ask = || kit.backchannel_request("till", "openid").param("requested_expiry", "60").send();
    for _ in 0..3 {
        let _ = ask().expect_status(200);
    }
    let full = ask();
    assert_eq!((full.status.as_u16(), full.header("retry-after")), (429, Some("60")));
    assert_refused!(full, TOO_MANY_WAIT);
    let _ = kit.backchannel("other", "openid");
    kit.clock.advance(seconds(60));
    let _ = ask().expect_status(200);
}

/// CIBA-05: a client that is told sends the token that it knows us by; one that polls need not.
#[test]
fn a_notification_token_is_a_bearer_token() {
    let kit = provider(|_| {});
    kit.put_ciba_client("pinged", "ping", json!({}));
    kit.put_ciba_client("pushed", "push", json!({"grant_types": []}));
    let ask = |client: &str, token: &str| {
        kit.backchannel_request(client, "openid").param("client_notification_token", token).send()
    };
    let longest = format!("{}+/~._-=", "x".repeat(1017));
    for client in ["pinged", "pushed"] {
        for good in ["8d67dc78-7faa-4d41-aabd-67707b374255", "_MiUOY07EOCvWR5BVuOL=", &longest] {
            let answer = ask(client, good).expect_status(200);
            assert_eq!(answer["interval"].is_null(), client == "pushed", "nothing is polled");
        }
        for bad in ["", "two words", "=", "a=b", "\u{f6}", "a\"b", &format!("{longest}=")] {
            assert_eq!(ask(client, bad).expect_status(400)["error"], "invalid_request", "{client} {bad}");
        }
    }
    let _ = ask("till", "two words").expect_status(200);
    assert_eq!(
        kit.token_request("pushed").param("grant_type", CIBA_GRANT).param("auth_req_id", "x").send()["error"],
        "unauthorized_client"
    );
}

/// Section 7.1: the issuer, the token endpoint and this endpoint are audiences of an assertion, as far as the settings
/// permit endpoints.
#[test]
fn assertions_for_this_endpoint() {
    let ask = |kit: &TestProvider, audience: String| -> Answer {
        let key = ClientKey::generate(Es256);
        let method = json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": key.jwks()});
        kit.put_ciba_client("asserts", "poll", method);
        let assertion = key.assertion("asserts", &audience, &audience, kit.now());
        kit.backchannel_request("asserts", "openid").assertion(&assertion).send()
    };
    let strict = provider(|_| {});
    let _ = ask(&strict, strict.issuer().to_string()).expect_status(200);
    let _ = ask(&strict, format!("{}/backchannel", strict.issuer())).expect_status(401);
    let lax = provider(|config| {
        config.compatibility.assertion_audience = chancery_core::offered::AssertionAudience::Endpoints;
    });
    for path in ["", "/token", "/backchannel"] {
        let _ = ask(&lax, format!("{}{path}", lax.issuer())).expect_status(200);
    }
}

/// CIBA-19, HTTP-10: what is refused by code.
#[test]
fn refused() {
    let kit = provider(|_| {});
    let ask = |changes: &[(&str, &str)]| {
        let request = kit.backchannel_request("till", "openid");
        changes.iter().fold(request, |request, (name, value)| request.set(name, value))
    };
    let poll = |id: &str| kit.token_request("till").param("grant_type", CIBA_GRANT).param("auth_req_id", id);
    NegativeTable::new(&kit)
        .row("no authentication", ask(&[]).unauthenticated(), INVALID)
        .row("a wrong secret", ask(&[]).secret("wrong"), Refused::Json(401, "invalid_client"))
        .row(
            "a client of another kind",
            kit.request("/backchannel", "web").param("scope", "openid").param("login_hint", "alice"),
            Refused::Json(400, "unauthorized_client"),
        )
        .row("no scope", ask(&[]).without("scope"), INVALID)
        .row("no openid", ask(&[("scope", "profile")]), INVALID)
        .row("an unfit scope", ask(&[("scope", "openid \"x\"")]), Refused::Json(400, "invalid_scope"))
        .row("no hint", ask(&[]).without("login_hint"), INVALID)
        .row("an empty hint", ask(&[("login_hint", "")]), INVALID)
        .row("two hints", ask(&[("login_hint_token", "x")]), INVALID)
        .row("two other hints", ask(&[("id_token_hint", "x")]), INVALID)
        .row("three hints", ask(&[("id_token_hint", "x"), ("login_hint_token", "x")]), INVALID)
        .row("a hint twice", ask(&[]).param("login_hint", "alice"), INVALID)
        .row("nobody", ask(&[("login_hint", "mallory")]), Refused::Json(400, "unknown_user_id"))
        .row("request_uri", ask(&[("request_uri", "urn:x")]), INVALID)
        .row("registration", ask(&[("registration", "{}")]), INVALID)
        .row("claims that are none", ask(&[("claims", "{")]), INVALID)
        .row("authorization_details", ask(&[("authorization_details", "[]")]), INVALID)
        .row("polled without its name", poll("").without("auth_req_id"), INVALID)
        .row("an unknown name", poll("ba_x"), Refused::Json(400, "invalid_grant"))
        .row("another kind of name", poll("ac_x"), Refused::Json(400, "invalid_grant"))
        .run();
    assert_refused!(ask(&[("scope", "profile")]).send(), OPENID_NOT_ASKED);
    assert_eq!(ask(&[]).get().send().status, 405);
}
