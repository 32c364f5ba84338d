//! RFC 9101 section 5.2 and OIDC Core section 6.2: request objects by reference.

use bytes::Bytes;
use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::event::Event;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_jose::{base64url, sha256};
use chancery_testkit::{
    AuthorizationRequest, ClientKey, NegativeTable, Refused, TestProvider, check_refused_by_name, hours,
    millis, minutes, seconds,
};
use serde_json::json;

const URI: &str = "https://app.example/request.jwt#version-1";
/// What is asked for: the fragment stays here.
const URL: &str = "https://app.example/request.jwt";

/// A provider with the client `app`, which may publish request objects, its key, and what it asks for.
fn with_app() -> (TestProvider, ClientKey, AuthorizationRequest) {
    let (kit, key) = (TestProvider::new(), ClientKey::generate(Es256));
    let metadata = json!({"client_id": "app", "client_secret": chancery_testkit::SECRET, "jwks": key.jwks(),
        "id_token_signed_response_alg": "ES256", "chancery": {"consent": "implied"},
        "redirect_uris": ["https://app.example/cb"], "require_signed_request_object": true,
        "request_uris": [URI, "https://app.example/other"]});
    kit.put_client(&metadata.to_string());
    let request = kit.authorization_request("app").scope("openid").set("nonce", "n");
    (kit, key, request)
}

/// The object is fetched once for a request, although its person sees several pages, and may answer otherwise
/// later. The fragment is no hash that is compared.
#[test]
fn a_client_publishes_its_request() {
    let (kit, key, request) = with_app();
    let object = key.request_object(&request.encode(), "https://id.example", kit.now());
    kit.fetch.answers(URL, 200, format!("{object}\n"));
    let ua = kit.user_agent();
    let tab = request.clone().by_reference(URI).open(&ua).expect_page("login");
    kit.fetch.answers(URL, 200, "something else");
    let code = tab.login_wrongly("alice").login("alice").expect_code();
    assert_eq!(kit.fetch.asked().len(), 1);
    let tokens = kit.exchange(&code).expect_status(200);
    assert_eq!(kit.id_token(&tokens, "app").claims["nonce"], "n");

    // It is asked anew for the next one, because its server does not say that it may be kept.
    let _ = request.by_reference(URI).open(&ua).expect_arrival();
    assert_eq!(kit.fetch.asked().len(), 1);
}

/// OIDC Core section 6.2, RFC 9111 section 4.2: what a server says may be kept is not asked for again, for an hour at
/// most, and by its own client alone. Each object is judged each time.
#[test]
fn an_object_is_kept_for_as_long_as_its_server_says() {
    let (kit, key, request) = with_app();
    let publish = |text: &str| kit.fetch.answers(URL, 200, text.to_owned());
    let ask = || {
        let ua = kit.user_agent();
        let tab = request.clone().set("request_uri", URI).open(&ua);
        (tab.answer().status.as_u16(), kit.fetch.asked().len())
    };
    let lasting = |kit: &TestProvider| {
        let object = key.request_object(&request.encode(), "https://id.example", kit.now() + hours(9));
        publish(&object);
    };
    for (fresh_for, kept) in [
        (None, seconds(0)),
        (Some(seconds(0)), seconds(0)),
        (Some(seconds(90)), seconds(90)),
        (Some(hours(5)), hours(1)),
    ] {
        kit.clock.advance(hours(2));
        if let Some(fresh_for) = fresh_for {
            kit.fetch.is_fresh_for(URL, fresh_for);
        }
        lasting(&kit);
        assert_eq!(ask(), (200, 1), "{fresh_for:?}");
        publish("something else");
        if !kept.is_zero() {
            kit.clock.advance(kept - seconds(1));
            assert_eq!(ask(), (200, 0), "{fresh_for:?}");
            kit.clock.advance(seconds(1));
        }
        assert_eq!(ask(), (303, 1), "{fresh_for:?}: it may have changed");
        kit.clock.advance(hours(1));
    }
    // What has expired is refused, although it is kept.
    let object = key.request_object(&request.encode(), "https://id.example", kit.now());
    publish(&object);
    kit.fetch.is_fresh_for(URL, hours(1));
    assert_eq!(ask(), (200, 1));
    kit.clock.advance(minutes(5));
    assert_eq!(ask(), (303, 0));
    // A registration that no longer has the address does not reach what was kept.
    let metadata = json!({"client_id": "app", "client_secret": chancery_testkit::SECRET, "jwks": key.jwks(),
        "redirect_uris": ["https://app.example/cb"], "request_uris": ["https://app.example/other"]});
    kit.put_client(&metadata.to_string());
    let ua = kit.user_agent();
    let tab = request.clone().set("request_uri", URI).open(&ua);
    check_refused_by_name(&tab, "invalid_request_uri", "request_uri_unregistered");
}

/// OIDC Core section 6.2: what stands under its own hash cannot change, whatever its server says; another fragment is
/// another object.
#[test]
fn what_stands_under_its_hash_is_kept() {
    let (kit, key, request) = with_app();
    let object = key.request_object(&request.encode(), "https://id.example", kit.now() + hours(90));
    let hash = base64url::encode(sha256(object.as_bytes()));
    let uris = [format!("{URL}#{hash}"), format!("{URL}#{}", hash.to_ascii_lowercase()), URL.to_owned()];
    let metadata = json!({"client_id": "app", "client_secret": chancery_testkit::SECRET, "jwks": key.jwks(),
        "id_token_signed_response_alg": "ES256", "redirect_uris": ["https://app.example/cb"], "request_uris": uris});
    kit.put_client(&metadata.to_string());
    kit.fetch.answers(URL, 200, object);
    kit.fetch.is_fresh_for(URL, seconds(0));
    for (uri, is_kept) in uris.iter().zip([true, false, false]) {
        let asked = || {
            let _ = request.clone().by_reference(uri).open(&kit.user_agent()).expect_page("login");
            kit.fetch.asked().len()
        };
        assert_eq!(asked(), 1);
        kit.clock.advance(hours(23));
        assert_eq!(asked() == 0, is_kept, "{uri}");
        kit.clock.advance(hours(1));
        assert_eq!(asked(), 1, "{uri}: for a day");
    }
}

/// Strangers push nobody out, and what is kept of them is bounded.
#[test]
fn what_is_kept_is_bounded() {
    let open = RegistrationAccess::Open;
    let kit = TestProvider::builder()
        .configure(|to| (to.registration.access, to.registration.network_quota) = (open, 0))
        .build();
    let key = ClientKey::generate(Es256);
    let at = |n: usize| format!("https://app.example/{n}");
    let all: Vec<String> = (0..100).map(at).collect();
    let metadata = json!({"redirect_uris": ["https://app.example/cb"], "jwks": key.jwks(), "request_uris": all,
        "id_token_signed_response_alg": "ES256"});
    let mut own = metadata.clone();
    own["client_id"] = "own".into();
    kit.put_client(&own.to_string());
    let open = |id: &str, uri: &str| {
        let request = kit.authorization_request(id).scope("openid");
        let object = key.request_object(&request.encode(), "https://id.example", kit.now());
        kit.fetch.answers(uri, 200, object);
        kit.fetch.is_fresh_for(uri, hours(1));
        let _ = request.by_reference(uri).open(&kit.user_agent()).expect_page("login");
        kit.fetch.asked().len()
    };
    assert_eq!(open("own", &all[0]), 1);
    let strangers: Vec<String> =
        (0..3).map(|_| kit.register(&metadata).expect_status(201).member("client_id").to_owned()).collect();
    for stranger in &strangers {
        for uri in &all {
            kit.clock.advance(millis(10));
            assert_eq!(open(stranger, uri), 1);
        }
    }
    let kept = strangers.iter().flat_map(|id| all.iter().map(move |uri| (id, uri)));
    let kept: usize = kept.rev().take(128).filter(|(id, uri)| open(id, uri) == 0).count();
    assert!((64..=128).contains(&kept), "{kept}");
    assert_eq!(open("own", &all[0]), 0, "the operator's is still there");
}

/// Reading a request object elsewhere costs no trip to the store.
#[test]
fn as_many_trips_as_without() {
    let (kit, key, request) = with_app();
    let object = key.request_object(&request.encode(), "https://id.example", kit.now());
    kit.fetch.answers(URL, 200, object.clone());
    let ua = kit.user_agent();
    let trips = |request: AuthorizationRequest| kit.trips(|| request.open(&ua).expect_page("login")).1;
    assert_eq!(trips(request.clone().by_reference(URI)), trips(request.by_value(&object)));
}

/// Whatever is wrong at the other server, the caller hears the same, and the log why.
#[test]
fn the_other_server_is_told_of_to_nobody() {
    let (kit, _, request) = with_app();
    let answers: [Option<(u16, Bytes)>; 6] = [
        None,
        Some((404, Bytes::new())),
        Some((302, Bytes::new())),
        Some((500, Bytes::new())),
        Some((200, Bytes::from_static(&[0xff, 0xfe]))),
        Some((200, Bytes::from(vec![b'x'; 16 * 1024 + 1]))),
    ];
    let mut told = Vec::new();
    for answer in answers {
        match answer {
            Some((status, body)) => kit.fetch.answers(URL, status, body),
            None => kit.fetch.goes_down(URL),
        }
        let ua = kit.user_agent();
        let tab = request.clone().set("request_uri", URI).open(&ua);
        check_refused_by_name(&tab, "invalid_request_uri", "request_uri_unavailable");
        let causes = tab.events().iter().filter(|event| {
            matches!(event, Event::RequestObjectUnavailable { client, .. } if client.as_str() == "app")
        });
        assert_eq!(causes.count(), 1);
        told.push(tab.expect_arrival().value("error_description").map(str::to_owned));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

/// Only addresses that the client has registered are asked, letter by letter; what they answer is judged like any
/// other request object.
#[test]
fn what_is_refused() {
    let (kit, key, request) = with_app();
    let object = key.request_object(&request.encode(), "https://id.example", kit.now());
    let of_other = request.clone().set("client_id", "other").encode();
    kit.fetch.answers(URL, 200, key.request_object(&of_other, "https://id.example", kit.now()));
    kit.fetch.answers("https://app.example/other", 200, "no object");
    let by = |uri: &str| request.clone().set("request_uri", uri);
    let mut table = NegativeTable::new(&kit)
        .row("of another client", by(URI), Refused::Client("invalid_request_object"))
        .row("no object", by("https://app.example/other"), Refused::Client("invalid_request_object"))
        .row("both", by(URI).set("request", &object), Refused::Client("invalid_request"))
        .row("twice", by(URI).param("request_uri", URI), Refused::Client("invalid_request"))
        .row(
            "a client without",
            kit.authorization_request("web").set("request_uri", URI),
            Refused::Client("invalid_request_uri"),
        );
    for uri in [
        "https://app.example/request.jwt",
        "https://app.example/request.jwt#version-2",
        "https://app.example/request.jwt#VERSION-1",
        "https://app.example/request.jwt?#version-1",
        "https://app.example:443/request.jwt#version-1",
        "https://APP.example/request.jwt#version-1",
        "https://app.example/x/../request.jwt#version-1",
        "https://app.example@evil.example/request.jwt#version-1",
        "http://app.example/request.jwt#version-1",
        "https://169.254.169.254/latest/meta-data",
        "urn:ietf:params:oauth:request_uri:x",
        "file:///etc/passwd",
        "x",
    ] {
        table = table.row(uri, by(uri), Refused::Client("invalid_request_uri"));
    }
    table.run();
    assert_eq!(kit.fetch.asked().len(), 2, "nobody else was asked");

    let kit = TestProvider::builder().configure(|to| to.request_objects.by_reference = false).build();
    let off = kit.authorization_request("web").scope("openid").set("request_uri", URI);
    NegativeTable::new(&kit).row("off", off, Refused::Client("request_uri_not_supported")).run();
    let metadata = kit.get("/.well-known/openid-configuration");
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    assert!(metadata.json().get("require_request_uri_registration").is_none());
    assert_eq!(kit.fetch.asked().first(), None);
    assert!(metadata.json().as_object().unwrap().contains_key("request_object_signing_alg_values_supported"));
}
