//! OpenID Connect CIBA Core 1.0 together with tokens that are bound to certificates (RFC 8705 section 3), pairwise subjects
//! (CIBA Core section 4) and resource indicators (RFC 8707), and how many requests may reach one person.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use chancery_core::config::Config;
use chancery_core::endpoint::backchannel_authentication::{PERSON_ASKED_TOO_OFTEN, TOO_MANY_WAIT};
use chancery_core::error::Complaint;
use chancery_core::model::{CERTIFICATE_MISSING, ResourceServer};
use chancery_core::policy::AUDIENCE_WITHDRAWN;
use chancery_core::rule::bearer::TOKEN_BOUND;
use chancery_core::rule::resource::{
    RESOURCE_AMBIGUOUS, RESOURCE_MALFORMED, RESOURCE_NOT_ALLOWED, RESOURCE_NOT_GRANTED, RESOURCE_UNKNOWN,
    RESOURCES_TOO_MANY,
};
use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{
    Answer, Backchannel, CIBA_GRANT, ClientKey, ClientRequest, DpopKey, NegativeTable, Refused, SECRET,
    TestCertificate, TestProvider, TestProviderBuilder, assert_refused, minutes, notification_endpoint,
    notification_token, refusals, seconds,
};
use chancery_types::iana::BackchannelTokenDeliveryMode::{Ping, Poll, Push};
use serde_json::{Value, json};

const LIGHTS: &str = "https://lights.example/";
const HEATING: &str = "https://heating.example/";
/// Not for the clients of these tests.
const PAYROLL: &str = "https://payroll.example";
/// Where the clients of a sector are listed.
const SECTOR: &str = "https://sector.example/uris.json";

fn builder(change: impl FnOnce(&mut Config)) -> TestProviderBuilder {
    let offered = |config: &mut Config| {
        config.ciba.offered = true;
        config.ciba.delivery_modes = vec![Poll, Ping, Push];
        config.dpop.offered = true;
        config.mtls.certificate_bound_access_tokens = true;
        config.mtls.self_signed_tls_client_auth = true;
    };
    TestProvider::builder().configure(offered).configure(change)
}

fn provider() -> TestProvider {
    builder(|_| {}).build()
}

/// What a client got sent after its person had said yes.
fn pushed(kit: &TestProvider, till: &Backchannel<'_>) -> Value {
    till.decide(true);
    let _ = kit.deliver();
    let sent: Vec<_> = kit.fetch.asked().into_iter().filter(|sent| sent.form.is_some()).collect();
    let [push] = sent.as_slice() else { panic!("one push: {sent:?}") };
    serde_json::from_str(push.form.as_deref().expect("a body")).expect("JSON")
}

fn userinfo<'k>(kit: &'k TestProvider, token: &str) -> ClientRequest<'k> {
    kit.anonymous_request("/userinfo").get().header("authorization", &format!("Bearer {token}"))
}

/// The token is good at UserInfo over a connection with this certificate and over no other, and whoever may introspect it
/// learns of the binding.
#[track_caller]
fn expect_bound(kit: &TestProvider, client: &str, token: &str, to: &TestCertificate) {
    let other = TestCertificate::self_signed("other");
    assert_eq!(kit.introspect(client, token)["cnf"], json!({"x5t#S256": to.thumbprint()}));
    assert_eq!(userinfo(kit, token).certificate(to).send().expect_status(200)["sub"], "alice");
    assert_refused!(userinfo(kit, token).send(), TOKEN_BOUND);
    assert_refused!(userinfo(kit, token).certificate(&other).send(), TOKEN_BOUND);
}

/// MTLS-04, MTLS-06, MTLS-07, CIBA-15: the poll that brings the tokens says which certificate they are bound to; one without
/// any brings nothing and uses nothing up. A client that is pinged polls likewise.
#[test]
fn polled_tokens_are_bound_to_the_certificate_of_the_poll() {
    for mode in ["poll", "ping"] {
        let kit = provider();
        kit.fetch.answers(&notification_endpoint("till"), 204, "");
        kit.put_ciba_client("till", mode, json!({"tls_client_certificate_bound_access_tokens": true}));
        let (mine, next) = (TestCertificate::self_signed("till"), TestCertificate::self_signed("till"));
        let till = kit.backchannel("till", "openid offline_access");
        till.decide(true);
        for _ in 0..2 {
            assert_refused!(till.poll(), CERTIFICATE_MISSING);
        }
        let tokens = till.poll_request().certificate(&mine).send().expect_status(200);
        assert_eq!(tokens["token_type"], "Bearer");
        expect_bound(&kit, "till", tokens.member("access_token"), &mine);
        // MTLS-05: the refresh token of a client that authenticates is bound to the client.
        let refresh = kit.refresh_request("till", tokens.member("refresh_token"));
        assert_refused!(refresh.send(), CERTIFICATE_MISSING);
        let refreshed = refresh.certificate(&next).send().expect_status(200);
        expect_bound(&kit, "till", refreshed.member("access_token"), &next);
    }
}

/// CIBA Core section 5, "Sender Constrained Tokens in Push Mode": tokens that are sent are bound to the certificate of the
/// request, because no other request of the client is to come.
#[test]
fn pushed_tokens_are_bound_to_the_certificate_of_the_request() {
    let kit = provider();
    kit.fetch.answers(&notification_endpoint("till"), 204, "");
    kit.put_ciba_client("till", "push", json!({"tls_client_certificate_bound_access_tokens": true}));
    let asks = || {
        let token = notification_token("till");
        kit.backchannel_request("till", "openid").param("client_notification_token", &token)
    };
    // Section 13 has no `invalid_grant`.
    let refused = asks().send().expect_status(400);
    assert_eq!(refused["error"], "invalid_request");
    assert_eq!(refusals(&refused.events), [CERTIFICATE_MISSING.name]);
    let mine = TestCertificate::self_signed("till");
    let till = kit.backchannel_by("till", asks().certificate(&mine));
    let body = pushed(&kit, &till);
    assert_eq!(body["token_type"], "Bearer");
    expect_bound(&kit, "till", body["access_token"].as_str().expect("a token"), &mine);
}

/// The same for a key, of which the request has a proof (RFC 9449 section 5).
#[test]
fn pushed_tokens_are_bound_to_the_key_of_the_request() {
    let kit = provider();
    kit.fetch.answers(&notification_endpoint("till"), 204, "");
    kit.put_ciba_client("till", "push", json!({}));
    let (token, key) = (notification_token("till"), DpopKey::generate(Es256));
    let request = kit.backchannel_request("till", "openid").param("client_notification_token", &token);
    let till = kit.backchannel_by("till", key.prove(request));
    let body = pushed(&kit, &till);
    assert_eq!(body["token_type"], "DPoP");
    let access_token = body["access_token"].as_str().expect("a token");
    assert_eq!(kit.introspect("till", access_token)["cnf"], json!({"jkt": key.thumbprint()}));
    assert_refused!(kit.userinfo(access_token), TOKEN_BOUND);
}

/// MTLS-02: a client that authenticates by its certificate does so at both endpoints; another certificate is another client.
#[test]
fn a_client_authenticates_by_its_certificate() {
    let kit = provider();
    let (mine, other) = (TestCertificate::self_signed("till"), TestCertificate::self_signed("till"));
    kit.put_client(
        &json!({"client_id": "till", "response_types": [], "grant_types": [CIBA_GRANT],
            "backchannel_token_delivery_mode": "poll", "id_token_signed_response_alg": "ES256",
            "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": mine.jwks(),
            "tls_client_certificate_bound_access_tokens": true})
        .to_string(),
    );
    let asks = || kit.backchannel_request("till", "openid");
    let _ = asks().certificate(&other).send().expect_status(401);
    let _ = asks().send().expect_status(401);
    let till = kit.backchannel_by("till", asks().certificate(&mine));
    till.decide(true);
    let _ = till.poll_request().certificate(&other).send().expect_status(401);
    let tokens = till.poll_request().certificate(&mine).send().expect_status(200);
    let claims = userinfo(&kit, tokens.member("access_token")).certificate(&mine).send().expect_status(200);
    assert_eq!(claims["sub"], "alice");
}

/// Metadata of a client with pairwise subjects that publishes its keys at this host and authenticates with them.
fn pairwise(kit: &TestProvider, client: &str, key: &ClientKey, host: &str) -> Value {
    let jwks_uri = format!("https://{host}/{client}/jwks.json");
    kit.fetch.answers(&jwks_uri, 200, key.jwks().to_string());
    json!({"client_id": client, "client_name": client, "response_types": [], "grant_types": [CIBA_GRANT],
        "id_token_signed_response_alg": "ES256", "subject_type": "pairwise", "jwks_uri": jwks_uri,
        "token_endpoint_auth_method": "private_key_jwt"})
}

fn with(mut metadata: Value, more: Value) -> Value {
    if let (Some(metadata), Value::Object(more)) = (metadata.as_object_mut(), more) {
        metadata.extend(more);
    }
    metadata
}

fn by_mode(mode: &str, endpoint: &str) -> Value {
    match mode {
        "poll" => json!({"backchannel_token_delivery_mode": "poll"}),
        "push" => json!({"backchannel_token_delivery_mode": "push", "grant_types": [],
            "backchannel_client_notification_endpoint": endpoint}),
        _ => json!({"backchannel_token_delivery_mode": "ping",
            "backchannel_client_notification_endpoint": endpoint}),
    }
}

/// Who alice is to a client that has asked her at another device.
fn subject(kit: &TestProvider, client: &str, key: &ClientKey, mode: &str) -> String {
    let now = || (kit.issuer().as_str(), format!("{client} {}", kit.now().millis()), kit.now());
    let assertion = || {
        kit.clock.advance(seconds(6));
        let (audience, jti, now) = now();
        key.assertion(client, audience, &jti, now)
    };
    let request = kit.backchannel_request(client, "openid").assertion(&assertion());
    let request = request.param("client_notification_token", &notification_token(client));
    let till = kit.backchannel_by(client, request);
    let id_token = if mode == "push" {
        let body = pushed(kit, &till);
        body["id_token"].as_str().expect("an ID token").to_owned()
    } else {
        till.decide(true);
        let _ = kit.deliver();
        let _ = kit.fetch.asked();
        let tokens = till.poll_request().assertion(&assertion()).send().expect_status(200);
        tokens.member("id_token").to_owned()
    };
    let id_token = kit.try_verify(&id_token, client).expect("an ID token of ours");
    id_token.claims["sub"].as_str().expect("a subject").to_owned()
}

/// Who alice is to a client with a redirect URI at this host.
fn subject_by_redirect(kit: &TestProvider, host: &str) -> String {
    let client = json!({"client_id": host, "client_secret": SECRET, "subject_type": "pairwise",
        "redirect_uris": [format!("https://{host}/cb")], "id_token_signed_response_alg": "ES256"});
    kit.put_client(&client.to_string());
    let id_token = kit.id_token(&kit.tokens("alice", host, "openid"), host);
    id_token.claims["sub"].as_str().expect("a subject").to_owned()
}

/// PPID-01, PPID-03: CIBA Core section 4, "Poll and Ping Modes with Pairwise Identifiers" and "Push Mode with Pairwise
/// Identifiers": the sector is the host of `jwks_uri`, or of the notification endpoint where tokens are sent.
#[test]
fn the_sector_is_where_the_client_is() {
    let kit = provider();
    let mut seen = Vec::new();
    for mode in ["poll", "ping", "push"] {
        let key = ClientKey::generate(Es256);
        let (keys, told) = (format!("keys-{mode}.example"), format!("told-{mode}.example"));
        let endpoint = format!("https://{told}/ciba");
        kit.fetch.answers(&endpoint, 204, "");
        kit.put_client(&with(pairwise(&kit, mode, &key, &keys), by_mode(mode, &endpoint)).to_string());
        let subject = subject(&kit, mode, &key, mode);
        let (sector, other) = if mode == "push" { (told, keys) } else { (keys, told) };
        assert_eq!(subject, subject_by_redirect(&kit, &sector), "{mode}");
        assert_ne!(subject, subject_by_redirect(&kit, &other), "{mode}");
        seen.push(subject);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "each is a sector of its own");
}

/// PPID-03, PPID-05: section 4: a `sector_identifier_uri` lists what stands in place of redirect URIs, and its host is the
/// sector of all that it lists.
#[test]
fn a_sector_lists_its_clients() {
    let kit = provider();
    let key = ClientKey::generate(Es256);
    let endpoint = "https://told.example/ciba";
    let listed = json!({"sector_identifier_uri": SECTOR});
    let by_host = subject_by_redirect(&kit, "sector.example");
    for mode in ["poll", "ping", "push"] {
        let metadata = with(pairwise(&kit, mode, &key, "keys.example"), by_mode(mode, endpoint));
        let metadata = with(metadata, listed.clone()).to_string();
        let (place, other) = match mode {
            "push" => (endpoint.to_owned(), "https://keys.example/push/jwks.json".to_owned()),
            _ => (format!("https://keys.example/{mode}/jwks.json"), endpoint.to_owned()),
        };
        kit.fetch.answers(SECTOR, 200, json!(["https://other.example/cb", place]).to_string());
        assert_eq!(kit.put_client_fetching(&metadata).err(), None, "{mode}");
        kit.fetch.answers(endpoint, 204, "");
        let _ = kit.fetch.asked();
        assert_eq!(subject(&kit, mode, &key, mode), by_host, "{mode}");
        kit.fetch.answers(SECTOR, 200, json!([other, format!("{place}/")]).to_string());
        let again = metadata.replacen(&format!("\"client_id\":\"{mode}"), "\"client_id\":\"other", 1);
        let refused = kit.put_client_fetching(&again).err().map(|why| settings(&why.complaints));
        assert_eq!(refused, Some(vec!["sector_identifier_uri".to_owned()]), "{mode}");
    }
}

fn settings(complaints: &[Complaint]) -> Vec<String> {
    complaints.iter().map(|complaint| complaint.setting.to_string()).collect()
}

/// PPID-03, PPID-06: section 4: whoever gets the subjects of a sector without a browser shows that the sector is theirs: by
/// keys that are published there, with which each request is signed or authenticated, or by the endpoint that tokens go to.
/// Redirect URIs, which can be anybody's, do not show it.
#[test]
fn pairwise_clients_that_are_refused() {
    let kit = provider();
    let key = ClientKey::generate(Es256);
    let endpoint = "https://told.example/ciba";
    let at = |mode: &str, host: &str| with(pairwise(&kit, "new", &key, host), by_mode(mode, endpoint));
    let redirects = |hosts: &[&str]| {
        let uris: Vec<String> = hosts.iter().map(|host| format!("https://{host}/cb")).collect();
        json!({"redirect_uris": uris, "response_types": ["code"],
            "grant_types": ["authorization_code", CIBA_GRANT]})
    };
    let by_secret = json!({"client_secret": SECRET, "token_endpoint_auth_method": "client_secret_basic"});
    let signing = json!({"backchannel_authentication_request_signing_alg": "ES256"});
    let without_uri = |mut metadata: Value| {
        let members = metadata.as_object_mut().expect("an object");
        members.remove("jwks_uri");
        members.insert("jwks".to_owned(), key.jwks());
        metadata
    };
    let poll = || at("poll", "keys.example");
    let complaints = |metadata: &Value| {
        kit.registry.put(&metadata.to_string()).err().map(|why| settings(&why)).unwrap_or_default()
    };
    for (what, good) in [
        ("authenticates with its keys", poll()),
        ("signs with its keys", with(with(poll(), by_secret.clone()), signing.clone())),
        ("redirect URIs at the host of its keys", with(poll(), redirects(&["keys.example", "KEYS.example"]))),
        ("tokens are sent", with(at("push", "keys.example"), by_secret.clone())),
        ("and redirected, to one host", with(at("push", "keys.example"), redirects(&["told.example"]))),
        (
            "public subjects",
            with(with(poll(), redirects(&["victim.example"])), json!({"subject_type": "public"})),
        ),
    ] {
        assert_eq!(complaints(&good), Vec::<String>::new(), "{what}");
    }
    let alg = "backchannel_authentication_request_signing_alg";
    for (what, bad, setting) in [
        ("a secret shows nothing", with(poll(), by_secret.clone()), alg),
        ("keys that are published nowhere", without_uri(poll()), "jwks_uri"),
        (
            "not even with redirect URIs",
            without_uri(with(poll(), redirects(&["victim.example"]))),
            "jwks_uri",
        ),
        (
            "a secret and redirect URIs",
            with(with(poll(), redirects(&["keys.example"])), by_secret.clone()),
            alg,
        ),
        ("redirect URIs elsewhere", with(poll(), redirects(&["victim.example"])), "sector_identifier_uri"),
        (
            "pings are no place",
            with(at("ping", "keys.example"), redirects(&["told.example"])),
            "sector_identifier_uri",
        ),
        (
            "tokens are sent elsewhere",
            with(at("push", "victim.example"), redirects(&["victim.example"])),
            "sector_identifier_uri",
        ),
    ] {
        assert_eq!(complaints(&bad), [setting], "{what}");
    }
}

fn server(uri: &str, scopes: [&str; 2], more: Value) -> ResourceServer {
    let server =
        json!({"uri": uri, "scopes": scopes, "introspected_by": ["api"], "name": format!("API at {uri}")});
    serde_json::from_value(with(server, more)).expect("a resource server")
}

/// With a till that polls and one that gets its tokens sent, which may use the lights and the heating.
fn with_servers() -> TestProvider {
    let kit = builder(|config| config.ciba.person_limit = 100)
        .resource_server(server(LIGHTS, ["switch", "dim"], json!({})))
        .resource_server(server(HEATING, ["switch", "heat"], json!({"format": "jwt"})))
        .resource_server(server(PAYROLL, ["pay", "read"], json!({})))
        .build();
    let own = json!({"chancery": {"resources": [LIGHTS, HEATING], "refresh_tokens": "always"}});
    kit.put_ciba_client("poll", "poll", own.clone());
    kit.put_ciba_client("push", "push", with(own, json!({"grant_types": ["refresh_token"]})));
    kit.fetch.answers(&notification_endpoint("push"), 204, "");
    kit
}

/// A request for these resource servers.
fn asked<'k>(kit: &'k TestProvider, client: &str, scope: &str, resources: &[&str]) -> ClientRequest<'k> {
    let request = kit.backchannel_request(client, scope);
    let request = request.param("client_notification_token", &notification_token(client));
    resources.iter().fold(request, |request, uri| request.param("resource", uri))
}

/// The audience and the scope of an access token, as its resource server learns them.
fn seen(kit: &TestProvider, token: &str) -> (Value, Value) {
    let answer = kit.introspect("api", token);
    assert_eq!(answer["active"], true, "{}", answer.text());
    (answer["aud"].clone(), answer["scope"].clone())
}

/// RI-02, RI-05, RI-07, RI-08, RI-10: the person is shown both servers; a poll names one, and a poll for another one uses
/// nothing up; a refresh widens to the other.
#[test]
fn a_poll_names_whom_its_token_is_for() {
    let kit = with_servers();
    let till = kit.backchannel_by("poll", asked(&kit, "poll", "openid switch dim heat", &[LIGHTS, HEATING]));
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let page = ua.get(&till.link()).expect_page("approve");
    for uri in [LIGHTS, HEATING] {
        assert!(page.page().text.contains(&format!("API at {uri}")), "{}", page.page().text);
    }
    let _ = page.allow().expect_page("approval-done");
    let poll = |uri: &str| till.poll_request().param("resource", uri);
    for _ in 0..2 {
        assert_refused!(poll(PAYROLL).send(), RESOURCE_NOT_GRANTED);
        assert_refused!(poll("https://nobody.example").send(), RESOURCE_NOT_GRANTED);
        assert_refused!(poll("lights").send(), RESOURCE_MALFORMED);
        assert_refused!(poll(LIGHTS).param("resource", HEATING).send(), RESOURCE_AMBIGUOUS);
    }
    let tokens = poll(LIGHTS).send().expect_status(200);
    assert_eq!(seen(&kit, tokens.member("access_token")), (LIGHTS.into(), "switch dim".into()));
    let refresh = kit.refresh_request("poll", tokens.member("refresh_token")).param("resource", HEATING);
    let other = refresh.send().expect_status(200);
    assert_eq!(seen(&kit, other.member("access_token")), (HEATING.into(), "switch heat".into()));
}

/// RI-06: in a signed request, too, as a text or an array.
#[test]
fn a_signed_request_names_resource_servers() {
    let kit = with_servers();
    let key = ClientKey::generate(Es256);
    let own = json!({"chancery": {"resources": [LIGHTS, HEATING]}, "jwks": key.jwks(),
        "backchannel_authentication_request_signing_alg": "ES256"});
    kit.put_ciba_client("signs", "poll", own);
    let signed = |resource: Value| {
        kit.clock.advance(seconds(1));
        let asked = json!({"scope": "openid switch", "login_hint": "alice", "resource": resource});
        let claims = key.authentication_request(&kit, "signs", &asked);
        kit.request("/backchannel", "signs").param("request", &key.sign(&json!({}), &claims))
    };
    for resource in [json!(LIGHTS), json!([LIGHTS]), json!([LIGHTS, HEATING])] {
        let till = kit.backchannel_by("signs", signed(resource));
        till.decide(true);
        let tokens = till.poll_request().param("resource", LIGHTS).send().expect_status(200);
        assert_eq!(seen(&kit, tokens.member("access_token")), (LIGHTS.into(), "switch".into()));
    }
    for (resource, why) in
        [(json!(PAYROLL), &RESOURCE_NOT_ALLOWED), (json!([LIGHTS, "x"]), &RESOURCE_MALFORMED)]
    {
        assert_refused!(signed(resource).send(), *why);
    }
}

/// RI-08: tokens that are sent are for whom a poll gets them that names nobody: for the one server, for the one that the
/// scopes mean, for the client's default one, or else for UserInfo alone.
#[test]
fn pushed_tokens_are_for_whom_polled_ones_are() {
    let kit = with_servers();
    let both = &[LIGHTS, HEATING][..];
    let default = json!({"chancery": {"default_resource": HEATING, "resources": [LIGHTS],
        "refresh_tokens": "always"}});
    for (scope, resources, has_default) in [
        ("openid switch", &[LIGHTS][..], false),
        ("openid switch", &[HEATING], false),
        ("openid dim", both, false),
        ("openid heat", both, false),
        ("openid switch", both, false),
        ("openid switch dim heat", both, true),
        ("openid", both, false),
        ("openid", &[], false),
        ("openid heat", &[], true),
    ] {
        let what = format!("{scope} for {resources:?}");
        if has_default {
            kit.put_ciba_client("poll", "poll", default.clone());
            let grant_types = json!({"grant_types": ["refresh_token"]});
            kit.put_ciba_client("push", "push", with(default.clone(), grant_types));
        }
        let till = kit.backchannel_by("poll", asked(&kit, "poll", scope, resources));
        till.decide(true);
        let polled = till.poll().expect_status(200);
        let till = kit.backchannel_by("push", asked(&kit, "push", scope, resources));
        let sent = pushed(&kit, &till);
        let pushed = sent["access_token"].as_str().unwrap_or_else(|| panic!("{what}: {sent}"));
        assert_eq!(sent["scope"], polled["scope"], "{what}");
        let of = |client: &str, token: &str| {
            let answer: Answer = kit.introspect(client, token);
            (answer["active"].clone(), answer["aud"].clone(), answer["scope"].clone())
        };
        assert_eq!(of("push", pushed), of("poll", polled.member("access_token")), "{what}");
    }
}

/// RI-03: what was allowed when the client asked, and is not when its person comes or when it polls.
#[test]
fn a_server_that_was_withdrawn() {
    let kit = with_servers();
    let withdraw = || kit.change_client("poll", &json!({"chancery": {"resources": [HEATING]}}).to_string());
    let asks = || kit.backchannel_by("poll", asked(&kit, "poll", "openid switch", &[LIGHTS]));
    let (approved, waits) = (asks(), asks());
    approved.decide(true);
    assert!(withdraw().is_ok());
    assert_refused!(approved.poll(), AUDIENCE_WITHDRAWN);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let _ = ua.get(&waits.link()).expect_page("error");
    kit.clock.advance(seconds(5));
    assert_refused!(waits.poll(), RESOURCE_NOT_ALLOWED);
}

/// CIBA Core section 7, RFC 10027 section 6.1.11: so many requests reach one person, whichever clients send them. What was
/// refused counts until its time is over, what was approved does not count any more; another person can be asked.
#[test]
fn a_person_is_asked_so_often() {
    let kit = builder(|config| config.ciba.person_limit = 3).build();
    for client in ["one", "two", "three"] {
        kit.put_ciba_client(client, "poll", json!({}));
    }
    let ask = |client: &str| kit.backchannel_request(client, "openid").param("requested_expiry", "120");
    let [first, second, _third] = ["one", "two", "two"].map(|client| kit.backchannel_by(client, ask(client)));
    let full = |client: &str, wait: &str| {
        let answer = ask(client).send();
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some(wait)), "{client}");
        assert_eq!(answer["error"], "invalid_request", "{client}");
        assert_refused!(answer, PERSON_ASKED_TOO_OFTEN);
    };
    for client in ["one", "two", "three", "three"] {
        full(client, "120");
    }
    let _ = ask("three").set("login_hint", "bob").send().expect_status(200);
    // By whichever of its names the person is meant, and also if the request is refused for what comes later.
    first.decide(false);
    full("three", "120");
    second.decide(true);
    let _ = ask("three").send().expect_status(200);
    full("one", "120");
    kit.clock.advance(seconds(90));
    full("one", "30");
    kit.clock.advance(seconds(30));
    for client in ["one", "two", "three"] {
        let _ = ask(client).send().expect_status(200);
    }
    full("three", "120");
}

/// What was refused for another reason takes no place: neither with the person nor with the client.
#[test]
fn what_is_not_stored_takes_no_place() {
    let kit = builder(|config| {
        config.ciba.person_limit = 1;
        config.ciba.open_limit = 2;
    });
    let kit = kit.build();
    kit.put_ciba_client("one", "poll", json!({}));
    let ask = |scope: &str, hint: &str| kit.backchannel_request("one", scope).set("login_hint", hint).send();
    for _ in 0..5 {
        let _ = ask("profile", "alice").expect_status(400);
        let _ = ask("openid", "mallory").expect_status(400);
    }
    let _ = ask("openid", "alice").expect_status(200);
    for _ in 0..5 {
        assert_refused!(ask("openid", "alice"), PERSON_ASKED_TOO_OFTEN);
    }
    let _ = ask("openid", "bob").expect_status(200);
    assert_refused!(ask("openid", "bob"), TOO_MANY_WAIT);
    kit.clock.advance(minutes(10));
    let _ = ask("openid", "bob").expect_status(200);
}

/// RI-01, RI-03, RI-04: whatever a client may not ask for in the background, it is told at once: `invalid_target`.
#[test]
fn refused() {
    let kit = with_servers();
    let many: Vec<String> = (0..50).map(|n| format!("https://api-{n}.example/")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let invalid = Refused::Json(400, "invalid_target");
    let of = |uris: &[&str]| asked(&kit, "poll", "openid switch", uris);
    for (uri, why) in [
        (PAYROLL, &RESOURCE_NOT_ALLOWED),
        ("https://unknown.example/", &RESOURCE_UNKNOWN),
        ("https://lights.example/#top", &RESOURCE_MALFORMED),
        ("/lights", &RESOURCE_MALFORMED),
    ] {
        assert_refused!(of(&[uri]).send(), *why);
        assert_refused!(asked(&kit, "push", "openid switch", &[uri]).send(), *why);
    }
    assert_refused!(of(&many).send(), RESOURCES_TOO_MANY);
    NegativeTable::new(&kit)
        .row("a fragment", of(&["https://lights.example/#top"]), invalid)
        .row("a relative one", of(&["lights"]), invalid)
        .row("unknown", of(&["https://unknown.example/"]), invalid)
        .row("not allowed for the client", of(&[PAYROLL]), invalid)
        .row("a good and a bad one", of(&[LIGHTS, PAYROLL]), invalid)
        .row("50 of them", of(&many), invalid)
        .row(
            "no certificate where one is needed",
            {
                kit.put_ciba_client(
                    "bound",
                    "push",
                    json!({"grant_types": [], "tls_client_certificate_bound_access_tokens": true}),
                );
                asked(&kit, "bound", "openid", &[])
            },
            Refused::Json(400, "invalid_request"),
        )
        .run();
}
