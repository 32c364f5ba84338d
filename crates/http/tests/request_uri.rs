//! RFC 9101 section 5.2 and OIDC Core section 6.2: request objects by reference.

use bytes::Bytes;
use chancery_core::event::Event;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{
    AuthorizationRequest, ClientKey, NegativeTable, Refused, TestProvider, check_refused_by_name,
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

    // It is asked anew for the next one.
    let _ = request.by_reference(URI).open(&ua).expect_arrival();
    assert_eq!(kit.fetch.asked().len(), 1);
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
