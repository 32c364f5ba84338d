//! Client authentication at the endpoints: RFC 6749 sections 2.3 and 5.2, RFC 7009 section 2.1, RFC 7662
//! section 2.1. That failures cannot be told apart is shown in `indistinguishable.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chancery_core::event::Event;
use chancery_core::model::SecretMethod;
use chancery_http::{Peer, TrustedProxies};
use chancery_testkit::{
    ClientRequest, HandClock, NegativeTable, Refused, SECRET, TestProvider, assert_refused,
    check_refused_by_name, seconds,
};

/// The endpoints that authenticate clients, each with a request that is complete but for that.
const ENDPOINTS: [(&str, &[(&str, &str)]); 3] = [
    ("/token", &[("grant_type", "client_credentials")]),
    ("/introspect", &[("token", "x")]),
    ("/revoke", &[("token", "x")]),
];

fn requests<'k>(kit: &'k TestProvider, client: &str) -> Vec<ClientRequest<'k>> {
    let request = |(path, parameters): (&str, &[(&str, &str)])| {
        parameters.iter().fold(kit.request(path, client), |request, (name, value)| request.param(name, value))
    };
    ENDPOINTS.into_iter().map(request).collect()
}

/// Client secrets cannot be guessed quickly: after ten wrong ones no secret of this client is looked at from
/// this network for a while, not even the right one, and whether the client exists makes no difference (RFC
/// 6749 section 2.3.1). From another network the right secret feels nothing, and it never costs a trip to the
/// store.
#[test]
fn guessing_a_secret_is_slowed_down() {
    let kit = TestProvider::new();
    let attempt = |client: &str, secret: &str, from: &str| {
        let request = kit.client_credentials_request("machine").unauthenticated();
        let mut request = request.param("client_id", client).param("client_secret", secret).to_http();
        request.extensions_mut().insert(Peer(from.parse().unwrap()));
        kit.send(request)
    };
    let (attacker, own) = ("198.51.100.7", "203.0.113.9");
    for client in ["machine", "no-such-client"] {
        for n in 0..11 {
            let _ = attempt(client, &format!("guess {n}"), attacker).expect_status(401);
        }
        for (wait, secret) in [("1", "another"), ("1", SECRET)] {
            let (throttled, trips) = kit.trips(|| attempt(client, secret, attacker));
            assert_eq!(
                (throttled.status.as_u16(), throttled.header("retry-after"), trips),
                (429, Some(wait), 0)
            );
            assert_eq!(throttled.member("error"), "invalid_client");
        }
    }
    let (_, trips) = kit.trips(|| attempt("machine", SECRET, own).expect_status(200));
    assert_eq!(trips, 1, "the token, and nothing beside it");
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        kit.clock.advance(seconds(wait));
        let _ = attempt("machine", &format!("guess after {wait} s, {}", kit.now().secs()), attacker)
            .expect_status(401);
        let _ = attempt("machine", SECRET, attacker).expect_status(429);
    }
    // It ends by itself.
    kit.clock.advance(seconds(60));
    let _ = attempt("machine", SECRET, attacker).expect_status(200);
}

/// FR-01: a wait that was set while the clock was ahead is no longer than others once the clock is right
/// again.
#[test]
fn a_clock_that_was_ahead_locks_no_client_out() {
    for ahead in [30, 120, 86_400] {
        let kit = TestProvider::new();
        kit.clock.advance(seconds(ahead));
        let guess = |n: u32| kit.client_credentials_request("machine").secret(&format!("guess {n}")).send();
        (0..11).for_each(|n| drop(guess(n).expect_status(401)));
        for n in 11..20 {
            kit.clock.advance(seconds(60));
            let _ = guess(n).expect_status(401);
        }
        kit.clock.set(HandClock::START);
        let first = kit.client_credentials_request("machine").send();
        let wait = first.header("retry-after").map_or(0, |wait| wait.parse().unwrap());
        assert!(wait <= 60, "{wait}");
        kit.clock.advance(seconds(wait));
        let _ = kit.client_credentials_request("machine").send().expect_status(200);
    }
}

/// An instance that goes on with the secret of yesterday is no attack: what is sent again is one guess.
#[test]
fn the_same_wrong_secret_is_one_guess() {
    let kit = TestProvider::new();
    for n in 0..100 {
        let old = format!("the secret before {}", n % 3);
        let _ = kit.client_credentials_request("machine").secret(&old).send().expect_status(401);
    }
    let _ = kit.client_credentials_request("machine").send().expect_status(200);
}

/// A proxy on this machine that nobody has named speaks for everybody: a stranger who guesses a client's
/// secret through it must not stop the client, which comes through it, too. Whoever runs it is told, once.
#[test]
fn a_proxy_that_was_not_named_is_no_network() {
    for proxy in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
        let kit = TestProvider::new();
        let attempt = |secret: &str| {
            let mut request = kit.client_credentials_request("machine").secret(secret).to_http();
            request.extensions_mut().insert(Peer(proxy.parse().unwrap()));
            request.headers_mut().insert("x-forwarded-for", "198.51.100.7".parse().unwrap());
            kit.send(request)
        };
        let first = attempt("guess");
        let told = |event: &Event| matches!(event, Event::PeerUnknown { advice } if advice.contains("proxy"));
        assert_eq!(first.events.iter().filter(|event| told(event)).count(), 1, "{proxy}: {:?}", first.events);
        for n in 0..200 {
            assert!(!attempt(&format!("guess {n}")).events.iter().any(told), "{proxy}");
            let _ = attempt(SECRET).expect_status(200);
        }
    }
    // Without https there is no proxy: it is the person's own machine.
    let kit = TestProvider::builder().issuer("http://localhost:3000").build();
    let mut request = kit.client_credentials_request("machine").secret("guess").to_http();
    request.extensions_mut().insert(Peer("127.0.0.1".parse().unwrap()));
    assert_eq!(kit.send(request).event_names(), ["refused"]);
}

/// Whoever has named the proxy is not told to name it: the advice is about what is missing.
#[test]
fn the_advice_about_a_proxy_is_about_what_is_missing() {
    for (trusted, forwarded, advised) in [
        ("10.0.0.0/8", Some("198.51.100.7"), Some("Name the proxy among the trusted ones")),
        ("10.0.0.0/8", None, Some("Name the proxy among the trusted ones")),
        ("127.0.0.1", None, Some("Let the proxy set it")),
        ("127.0.0.1", Some("127.0.0.1"), Some("a test by hand")),
        ("127.0.0.1", Some("::1"), Some("a test by hand")),
        ("127.0.0.1", Some("198.51.100.7"), None),
    ] {
        let proxies = TrustedProxies::parse([trusted]).unwrap();
        let kit = TestProvider::builder().trusted_proxies(proxies).build();
        let mut request = kit.client_credentials_request("machine").secret(SECRET).to_http();
        request.extensions_mut().insert(Peer("127.0.0.1".parse().unwrap()));
        if let Some(forwarded) = forwarded {
            request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
        }
        let answer = kit.send(request).expect_status(200);
        let told = answer.events.iter().find_map(|event| match event {
            Event::PeerUnknown { advice } => Some(*advice),
            _ => None,
        });
        let is_right = match (told, advised) {
            (Some(told), Some(advised)) => told.contains(advised),
            (told, advised) => told == advised,
        };
        assert!(is_right, "{trusted} {forwarded:?}: {told:?}");
    }
}

/// A harmless cause, such as a test by hand, does not take the place of another one that is met later.
#[test]
fn each_cause_of_an_unknown_peer_is_told_once() {
    let proxies = TrustedProxies::parse(["127.0.0.1"]).unwrap();
    let kit = TestProvider::builder().trusted_proxies(proxies).without_peers().build();
    for is_new in [true, false] {
        for (peer, forwarded, advised) in [
            (Some("127.0.0.1"), Some("127.0.0.1"), "a test by hand"),
            (Some("127.0.0.1"), None, "Let the proxy set it"),
            (Some("::1"), None, "Name the proxy among the trusted ones"),
            (None, None, "Insert `Peer(address)`"),
        ] {
            let mut request = kit.client_credentials_request("machine").secret(SECRET).to_http();
            if let Some(peer) = peer {
                request.extensions_mut().insert(Peer(peer.parse().unwrap()));
            }
            if let Some(forwarded) = forwarded {
                request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
            }
            let events = kit.send(request).events;
            let told =
                |event: &Event| matches!(event, Event::PeerUnknown { advice } if advice.contains(advised));
            assert_eq!(events.iter().any(told), is_new, "{peer:?} {forwarded:?}: {events:?}");
        }
    }
}

/// CAUTH-01, CAUTH-02, CAUTH-03, CAUTH-24: a secret comes in the header or in the body, whichever of the two
/// is registered, the same at each endpoint.
#[test]
fn each_endpoint_takes_a_secret_in_the_header_or_in_the_body() {
    let kit = TestProvider::builder().unauthenticated_introspection().build();
    for client in ["web", "post"] {
        for method in ["client_secret_basic", "client_secret_post"] {
            for request in requests(&kit, client) {
                let _ = request.by_method(method).send().expect_status(200);
            }
        }
    }
    for request in requests(&kit, "spa").into_iter().skip(1) {
        let _ = request.send().expect_status(200);
    }
}

/// CAUTH-03, OIDC Registration section 2: with `secret_method = "registered"` only the registered way is
/// taken, for all clients of a server or for one. Nothing that a client is registered with makes a strict
/// server laxer.
#[test]
fn the_registered_way_alone_on_demand() {
    let client = |id: &str, method: &str, own: &str| {
        format!(
            r#"{{"client_id":"{id}","client_secret":"{SECRET}","token_endpoint_auth_method":"{method}",
                "response_types":[],"grant_types":["client_credentials"],"chancery":{{{own}}}}}"#
        )
    };
    let ways = ["client_secret_basic", "client_secret_post"];
    for server in [SecretMethod::Either, SecretMethod::Registered] {
        for own in ["", r#""secret_method":"either""#, r#""secret_method":"registered""#] {
            let is_strict = server == SecretMethod::Registered || own.contains("registered");
            let kit = TestProvider::builder()
                .configure(|config| config.client_authentication.secret_method = server)
                .client(&client("basic", ways[0], own))
                .client(&client("body", ways[1], own))
                .build();
            for (id, registered) in [("basic", ways[0]), ("body", ways[1])] {
                for way in ways {
                    let expected = if is_strict && way != registered { 401 } else { 200 };
                    for request in requests(&kit, id) {
                        let status = request.by_method(way).send().status;
                        assert_eq!(status, expected, "server {server:?}, client {own}, {id} by {way}");
                    }
                }
            }
        }
    }
}

/// RFC 6749 section 3.2: a parameter without a value counts as not sent. Client libraries send an empty
/// `client_secret` beside the header.
#[test]
fn empty_parameters_beside_the_header_are_none() {
    let kit = TestProvider::new();
    for client in ["web", "post"] {
        for request in requests(&kit, client) {
            let request =
                request.by_method("client_secret_basic").param("client_id", "").param("client_secret", "");
            let _ = request.param("client_assertion", "").send().expect_status(200);
        }
    }
}

/// CAUTH-09, CAUTH-10: RFC 6749 section 2.3.1 encodes both parts before RFC 7617 joins them; the scheme knows
/// no case.
#[test]
fn the_authorization_header_as_libraries_send_it() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"odd: id","client_secret":"s %+&=:/?#[]@!$'()*,; ~ of enough length","response_types":[],
                "grant_types":["client_credentials"],"chancery":{"default_resource":"https://api.example"}}"#,
        )
        .build();
    let _ = kit.client_credentials_request("odd: id").send().expect_status(200);
    let header = kit.client_credentials_request("web").to_http().headers()["authorization"].clone();
    let value = header.to_str().unwrap_or_default().to_owned();
    let again = |value: &str| {
        let request = kit.anonymous_request("/token").param("grant_type", "client_credentials");
        request.header("authorization", value).send().status.as_u16()
    };
    for spelling in [&value, &value.replace("Basic", "basic"), &value.replace("Basic", "BASIC")] {
        assert_eq!(again(spelling), 200, "{spelling}");
    }
    assert_eq!(again(value.trim_end_matches('=')), 200, "padding may be left out");
}

/// CAUTH-10: what is decoded is the form encoding (RFC 6749 appendix B) of id and secret, once, and only in
/// the header.
#[test]
fn secrets_that_look_encoded() {
    let odd = "a%2Bb+c%25d of enough characters to be a good secret";
    let kit = TestProvider::builder()
        .client(&format!(
            r#"{{"client_id":"odd","client_secret":"{odd}","response_types":[],"grant_types":["client_credentials"]}}"#
        ))
        .build();
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let by_header = |pair: String| {
        let header = format!("Basic {}", STANDARD.encode(pair));
        let request = kit.anonymous_request("/token").param("grant_type", "client_credentials");
        request.header("authorization", &header).send().status.as_u16()
    };
    let encoded = odd.replace('%', "%25").replace('+', "%2B");
    for (name, secret, expected) in [
        ("encoded", encoded.replace(' ', "+"), 200),
        ("encoded, with %20 for a blank", encoded.replace(' ', "%20"), 200),
        ("every character encoded, in lower case", percent(odd), 200),
        ("not encoded", odd.to_owned(), 401),
        ("encoded twice", percent(&percent(odd)), 401),
        ("a broken escape at the end", format!("{encoded}%"), 400),
        ("a character outside of ASCII", format!("{encoded}%C3%A4"), 400),
        ("a line break", format!("{encoded}%0A"), 400),
    ] {
        assert_eq!(by_header(format!("odd:{secret}")), expected, "{name}");
    }
    assert_eq!(by_header(format!("%6F%64d:{}", percent(odd))), 200, "the id is encoded, too");
    let by_body = |secret: &str| {
        let request = kit.client_credentials_request("odd").by_method("client_secret_post");
        request.secret(secret).send().status.as_u16()
    };
    assert_eq!((by_body(odd), by_body(&encoded)), (200, 401), "the body is encoded once, as every form");
}

/// CAUTH-06: a `client_id` beside the header has to be the same one.
#[test]
fn the_id_may_be_said_twice() {
    let kit = TestProvider::new();
    let _ = kit.client_credentials_request("web").param("client_id", "web").send().expect_status(200);
}

/// CAUTH-08: every 401 has a challenge (RFC 9110 section 15.5.2), of the scheme that the client used (RFC
/// 6749 section 5.2).
#[test]
fn a_401_is_challenged() {
    let kit = TestProvider::new();
    for client in ["web", "post"] {
        for request in requests(&kit, client) {
            let answer = request.secret("wrong").send().expect_status(401);
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert!(
                challenge.starts_with("Basic realm=\"https://id.example\", error=\"invalid_client\""),
                "{challenge}"
            );
            assert_eq!(answer["error"], "invalid_client");
            assert_eq!(answer["error_description"], "client authentication failed");
        }
    }
    let malformed =
        kit.anonymous_request("/token").header("authorization", "Basic ?").send().expect_status(400);
    assert_eq!(malformed.header("www-authenticate"), None);
}

/// A secret that was replaced is as good as any other wrong one, from the next request on.
#[test]
fn a_secret_that_was_taken_away_is_wrong() {
    let kit = TestProvider::new();
    let before = kit.client_credentials_request("web");
    let _ = before.send().expect_status(200);
    kit.put_client(
        r#"{"client_id":"web","client_secret":"another-secret-of-enough-characters-for-it","response_types":[],
            "grant_types":["client_credentials"]}"#,
    );
    let _ = before.send().expect_status(401);
    let _ = kit.client_credentials_request("web").send().expect_status(200);
}

/// A14, CAUTH-03, CAUTH-07, CAUTH-15, CAUTH-21, CAUTH-23, EVT-04: unknown, disabled, wrong secret and wrong
/// method are one answer at each endpoint; the event alone says which it was.
#[test]
fn failures_differ_in_the_event_alone() {
    let kit = TestProvider::new();
    let client = |id: &str, own: &str| {
        format!(
            r#"{{"client_id":"{id}","client_secret":"{SECRET}","token_endpoint_auth_method":"client_secret_post",
                "response_types":[],"grant_types":["client_credentials"],"chancery":{{{own}}}}}"#
        )
    };
    kit.put_client(&client("off", r#""enabled":false"#));
    kit.put_client(&client("strict", r#""secret_method":"registered""#));
    for (at, (path, _)) in ENDPOINTS.into_iter().enumerate() {
        let by = |client: &str, method: &str| requests(&kit, client).remove(at).by_method(method);
        let named =
            |client: &str| requests(&kit, "web").remove(at).unauthenticated().param("client_id", client);
        let (basic, post) = ("client_secret_basic", "client_secret_post");
        let unregistered = "client_authentication_method_unregistered";
        let rows = [
            (named("nobody").param("client_secret", SECRET), "client_unknown"),
            (named("nobody"), "client_unknown"),
            (named("ä"), "client_unknown"),
            (named(&"a".repeat(300)), "client_unknown"),
            (by("off", basic), "client_disabled"),
            (by("off", post), "client_disabled"),
            (by("web", basic).secret("wrong"), "client_secret_wrong"),
            (by("web", basic).secret(&format!("{SECRET}x")), "client_secret_wrong"),
            (by("post", post).secret("wrong"), "client_secret_wrong"),
            (by("post", basic).secret("wrong"), "client_secret_wrong"),
            (by("web", post).secret("wrong"), "client_secret_wrong"),
            (by("strict", basic), unregistered),
            (named("web"), unregistered),
            (named("spa").param("client_secret", SECRET), unregistered),
            (by("spa", basic).secret(SECRET), unregistered),
            (
                named("web").param("client_assertion", "a.b.c").param("client_assertion_type", "x"),
                unregistered,
            ),
            (
                named("spa").param("client_assertion", "a.b.c").param("client_assertion_type", "x"),
                unregistered,
            ),
            (named("").param("client_assertion", "a.b.c").param("client_assertion_type", "x"), unregistered),
            (by("web", basic).param("client_assertion", "a.b.c"), "assertion_not_alone"),
            (named("post").param("client_secret", "x").param("client_assertion", "a"), "assertion_not_alone"),
            (by("web", basic).param("client_assertion_type", "x"), "assertion_not_alone"),
        ];
        for (request, reason) in rows {
            let answer = request.send().expect_status(401);
            check_refused_by_name(&answer, "invalid_client", reason);
            if reason != "assertion_not_alone" {
                assert_eq!(answer["error_description"], "client authentication failed", "{path}: {reason}");
            }
        }
        let _ = by("strict", post).send().expect_status(200);
        for (request, reason) in [
            (by("web", basic).param("client_secret", SECRET), "several_authentication_mechanisms"),
            (named("web").param("client_assertion", "a.b.c"), "assertion_parameters_incomplete"),
            (named("").param("client_assertion_type", "x"), "assertion_parameters_incomplete"),
            (named(""), "no_authentication_mechanism"),
            (named("").param("client_secret", "x"), "no_authentication_mechanism"),
            (by("web", basic).param("client_id", "post"), "client_id_mismatch"),
            (named("").header("authorization", "Bearer x"), "authorization_header_malformed"),
            (named("").header("authorization", "Basic"), "authorization_header_malformed"),
            (named("").header("authorization", "Basic YmFzaWM6"), "authorization_header_without_secret"),
            (by("post", post).param("client_id", "post"), "malformed_parameter"),
            (by("post", post).param("client_secret", "x"), "malformed_parameter"),
            (
                named("post").param("client_assertion", "a").param("client_assertion", "b"),
                "malformed_parameter",
            ),
        ] {
            let answer = request.send().expect_status(400);
            check_refused_by_name(&answer, "invalid_request", reason);
        }
    }
}

/// CAUTH-13, META-04: a secret that has ended is a wrong secret; `0` is no end (RFC 7591 section 3.2.1).
/// Whoever goes on with the right one does not guess, and neither does a client that is disabled: neither is
/// slowed down.
#[test]
fn a_secret_ends() {
    let kit = TestProvider::new();
    let client = |id: &str, end: i64, is_enabled: bool| {
        format!(
            r#"{{"client_id":"{id}","client_secret":"{SECRET}","client_secret_expires_at":{end},"response_types":[],
                "grant_types":["client_credentials"],"chancery":{{"enabled":{is_enabled}}}}}"#
        )
    };
    let end = kit.now().secs() + 100;
    kit.put_client(&client("short", end, true));
    kit.put_client(&client("long", 0, true));
    let send = |client: &str| kit.client_credentials_request(client).send();
    kit.clock.advance(seconds(99));
    let _ = send("short").expect_status(200);
    kit.clock.advance(seconds(1));
    for _ in 0..50 {
        assert_refused!(send("short"), "invalid_client", "client_secret_expired");
    }
    let _ = send("long").expect_status(200);
    kit.put_client(&client("long", 0, false));
    for _ in 0..50 {
        assert_refused!(send("long"), "invalid_client", "client_disabled");
    }
    kit.put_client(&client("short", end + 100, true));
    kit.put_client(&client("long", 0, true));
    let _ = (send("short").expect_status(200), send("long").expect_status(200));
}

/// META-02: RFC 7591 section 3.2.1: what the provider makes for a client nobody can know.
#[test]
fn made_secrets_and_ids_are_random() {
    let kit = TestProvider::new();
    let metadata = r#"{"redirect_uris":["https://made.example/cb"]}"#;
    let mut made: Vec<String> = (0..50)
        .map(|_| kit.registry.put(metadata).expect("good metadata").expect("a secret").to_string())
        .collect();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 50);
    for secret in &made {
        let bytes = chancery_jose::base64url::decode(secret).expect("base64url");
        let distinct: std::collections::BTreeSet<u8> = bytes.iter().copied().collect();
        assert!(bytes.len() == 32 && distinct.len() > 16, "{secret}");
    }
}

/// CAUTH-01, CAUTH-04..07, CAUTH-09..11, CAUTH-21..23: at each endpoint.
#[test]
fn clients_that_must_not_be_served() {
    let kit = TestProvider::new();
    let (malformed, failed) = (Refused::Json(400, "invalid_request"), Refused::Json(401, "invalid_client"));
    let mut table = NegativeTable::new(&kit);
    for (at, (path, _)) in ENDPOINTS.into_iter().enumerate() {
        let by = |client: &str| requests(&kit, client).remove(at);
        let rows = [
            ("nobody", by("web").unauthenticated(), malformed),
            ("an empty client_id", by("web").unauthenticated().param("client_id", ""), malformed),
            ("no secret", by("web").by_method("none"), failed),
            ("an empty secret in the body", by("post").secret(""), failed),
            ("an empty secret in the header", by("web").secret(""), malformed),
            ("a wrong secret", by("web").secret("wrong"), failed),
            ("the secret and more", by("web").secret(&format!("{SECRET}x")), failed),
            ("the beginning of the secret", by("web").secret(&SECRET[..SECRET.len() - 1]), failed),
            ("the secret in capitals", by("post").secret(&SECRET.to_uppercase()), failed),
            ("a wrong secret in the body", by("web").by_method("client_secret_post").secret("wrong"), failed),
            (
                "a wrong secret in the header",
                by("post").by_method("client_secret_basic").secret("wrong"),
                failed,
            ),
            ("no secret where it may come either way", by("post").by_method("none"), failed),
            ("a public client with a secret", by("spa").param("client_secret", SECRET), failed),
            (
                "a public client with a header",
                by("spa").by_method("client_secret_basic").secret(SECRET),
                failed,
            ),
            ("an unknown client", by("web").unauthenticated().param("client_id", "nobody"), failed),
            (
                "an unknown client with a secret",
                by("web").unauthenticated().param("client_id", "nobody").param("client_secret", SECRET),
                failed,
            ),
            (
                "the same secret twice",
                by("post").by_method("client_secret_basic").param("client_secret", SECRET),
                malformed,
            ),
            ("a right secret and a wrong one", by("web").param("client_secret", "wrong"), malformed),
            ("the secret alone", by("web").unauthenticated().param("client_secret", SECRET), malformed),
            (
                "another's id with the secret",
                by("web").by_method("client_secret_post").set("client_id", "spa"),
                malformed,
            ),
            (
                "header and body",
                by("web").param("client_id", "web").param("client_secret", SECRET),
                malformed,
            ),
            ("header and assertion", by("web").param("client_assertion", "x"), failed),
            (
                "secret and assertion",
                by("post")
                    .param("client_assertion", "x")
                    .param("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                failed,
            ),
            (
                "an assertion",
                by("web")
                    .unauthenticated()
                    .param("client_id", "web")
                    .param("client_assertion", "x")
                    .param("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                failed,
            ),
            ("another id beside the header", by("web").param("client_id", "post"), malformed),
            ("two ids", by("post").param("client_id", "post"), malformed),
            ("two secrets", by("post").param("client_secret", SECRET), malformed),
            (
                "two assertions",
                by("spa").param("client_assertion", "x").param("client_assertion", "x"),
                malformed,
            ),
            ("two headers", by("web").header("authorization", "Basic eDp5"), malformed),
            ("a bearer token", by("web").unauthenticated().header("authorization", "Bearer x"), malformed),
            ("another scheme", by("web").unauthenticated().header("authorization", "Negotiate x"), malformed),
            ("a tab", by("web").unauthenticated().header("authorization", "Basic\td2ViOng="), malformed),
            ("blanks alone", by("web").unauthenticated().header("authorization", "Basic   "), malformed),
            ("no credentials", by("web").unauthenticated().header("authorization", "Basic"), malformed),
            ("no colon", by("web").unauthenticated().header("authorization", "Basic d2Vi"), malformed),
            (
                "another alphabet",
                by("web").unauthenticated().header("authorization", "Basic d2ViOn-_"),
                malformed,
            ),
            (
                "too much padding",
                by("web").unauthenticated().header("authorization", "Basic d2ViOng=="),
                malformed,
            ),
            (
                "a broken escape",
                by("web").unauthenticated().header("authorization", "Basic d2ViOiU="),
                malformed,
            ),
        ];
        for (name, request, refused) in rows {
            table = table.row(format!("{path}: {name}"), request, refused);
        }
        // RFC 6749 section 2.3.1: credentials must not be in the URI.
        let parameters = "client_id=post&client_secret=a-secret-of-forty-three-characters-for-test";
        let in_query = format!("{path}?{parameters}");
        table = table.row(format!("{path}: in the query"), kit.anonymous_request(&in_query), malformed);
    }
    table.run();
}
