//! RFC 7591 section 3, initial access tokens, and the policies that they name.

#![expect(clippy::expect_used, reason = "tests")]

use chancery_core::client::RegistrationPolicy;
use chancery_core::endpoint::registration::{
    INITIAL_ACCESS_TOKEN_MISSING, INITIAL_ACCESS_TOKEN_UNKNOWN, NewInitialAccessToken, RegistrationAccess,
    TOO_MANY_REGISTRATIONS,
};
use chancery_testkit::{
    Answer, NegativeTable, Refused, TestProvider, assert_refused, days, json_request, wait,
};
use chancery_types::iana::{ClientAuthenticationMethod, GrantType};
use http::{Method, Request};
use serde_json::{Value, json};

fn provider(access: RegistrationAccess) -> TestProvider {
    TestProvider::builder()
        .configure(|config| {
            config.registration.access = access;
            config.registration.management = true;
            config.registration_policy = vec![
                RegistrationPolicy {
                    name: "partners".into(),
                    redirect_hosts: vec!["rp.example".into(), "*.partner.example".into()],
                    authentication_methods: vec![ClientAuthenticationMethod::ClientSecretBasic],
                    secret_lifetime: Some(days(90)),
                    ..RegistrationPolicy::default()
                },
                RegistrationPolicy {
                    name: "machines".into(),
                    grant_types: vec![GrantType::ClientCredentials],
                    network_quota: 2,
                    ..RegistrationPolicy::default()
                },
            ];
        })
        .build()
}

/// A token of this name, with these policies.
fn token(kit: &TestProvider, name: &str, policies: &[&str], count: Option<u32>) -> String {
    let policies = policies.iter().map(|policy| (*policy).into()).collect();
    let wanted = NewInitialAccessToken { name: name.into(), policies, count, lifetime: days(30) };
    let made = wait(kit.provider.add_initial_access_token(kit.now(), wanted));
    made.expect("the store").expect("a new name").to_string()
}

fn request(token: Option<&str>, metadata: &Value) -> Request<bytes::Bytes> {
    json_request(&Method::POST, "/register", token, metadata.to_string().as_bytes())
}

fn web(uri: &str) -> Value {
    json!({ "redirect_uris": [uri] })
}

fn register(kit: &TestProvider, token: &str, metadata: &Value) -> Answer {
    kit.send(request(Some(token), metadata))
}

const CALLBACK: &str = "https://rp.example/cb";

/// REG-06, REG-07: whoever has a token registers any number of clients until it ends.
#[test]
fn a_token_opens_the_endpoint() {
    let kit = provider(RegistrationAccess::Token);
    let partners = token(&kit, "any", &[], None);
    for _ in 0..3 {
        let answer = register(&kit, &partners, &web(CALLBACK)).expect_status(201);
        assert_eq!(answer.event_names(), ["client_registered"]);
    }
    let missing = kit.register(&web(CALLBACK)).expect_status(401);
    assert_eq!(missing.header("www-authenticate").map(|text| text.starts_with("Bearer realm=")), Some(true));
    assert_refused!(missing, INITIAL_ACCESS_TOKEN_MISSING);
    kit.clock.advance(days(30));
    assert_refused!(register(&kit, &partners, &web(CALLBACK)), INITIAL_ACCESS_TOKEN_UNKNOWN);
}

/// A count is kept, whoever registers at the same moment.
#[test]
fn a_token_registers_so_many_clients() {
    for seed in 0..20 {
        let kit = provider(RegistrationAccess::Token);
        let before = kit.clients();
        let two = token(&kit, "two", &[], Some(2));
        assert_eq!(register(&kit, &two, &web("javascript:x")).status, 400, "does not count");
        let requests = (0..5).map(|_| request(Some(&two), &web(CALLBACK))).collect();
        let answers = kit.send_at_once(seed, requests);
        let registered = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!((registered, kit.clients() - before), (2, 2), "seed {seed}");
        assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 201 | 401)), "seed {seed}");
        assert_refused!(register(&kit, &two, &web(CALLBACK)), INITIAL_ACCESS_TOKEN_UNKNOWN);
    }
}

/// Operators list tokens by name and remove them; the clients stay.
#[test]
fn tokens_are_listed_and_removed() {
    let kit = provider(RegistrationAccess::Token);
    let first = token(&kit, "b", &["partners"], Some(7));
    let second = token(&kit, "a", &[], None);
    let twice = NewInitialAccessToken { name: "a".into(), policies: vec![], count: None, lifetime: days(1) };
    assert!(wait(kit.provider.add_initial_access_token(kit.now(), twice)).expect("the store").is_none());
    let unknown = NewInitialAccessToken {
        name: "c".into(),
        policies: vec!["x".into()],
        count: None,
        lifetime: days(1),
    };
    assert!(wait(kit.provider.add_initial_access_token(kit.now(), unknown)).is_err());
    let given = register(&kit, &first, &web(CALLBACK)).expect_status(201);
    let listed = || -> Vec<(String, Option<u32>)> {
        let all = wait(kit.provider.initial_access_tokens(kit.now())).expect("the store");
        all.iter().map(|found| (found.body.name.to_string(), found.body.left)).collect()
    };
    assert_eq!(listed(), [("a".to_owned(), None), ("b".to_owned(), Some(6))]);
    assert!(wait(kit.provider.remove_initial_access_token(kit.now(), "b")).expect("the store"));
    assert!(!wait(kit.provider.remove_initial_access_token(kit.now(), "b")).expect("the store"));
    assert_eq!(listed(), [("a".to_owned(), None)]);
    assert_refused!(register(&kit, &first, &web(CALLBACK)), INITIAL_ACCESS_TOKEN_UNKNOWN);
    assert_eq!(kit.send(kit.management_request(&Method::GET, &given, None)).status, 200);
    assert_eq!(register(&kit, &second, &web(CALLBACK)).status, 201);
    assert!(!kit.interleaved.has_written(&first) && !kit.interleaved.has_written(&second));
}

/// REG-08: a token's policies decide what its clients may be, also when they change themselves.
#[test]
fn policies_hold_for_the_clients_of_a_token() {
    let kit = provider(RegistrationAccess::Open);
    let partners = token(&kit, "partners", &["partners"], None);
    for uri in [CALLBACK, "https://a.partner.example/cb", "https://RP.example/cb"] {
        let answer = register(&kit, &partners, &web(uri)).expect_status(201);
        assert_eq!(answer["client_secret_expires_at"], kit.now().secs() + 90 * 86_400);
    }
    let native = json!({ "redirect_uris": ["http://127.0.0.1/cb"], "application_type": "native" });
    assert_eq!(register(&kit, &partners, &native).status, 201);
    for uri in [
        "https://partner.example/cb",
        "https://evilpartner.example/cb",
        "https://rp.example.evil.example/cb",
        "https://a.rp.example/cb",
    ] {
        let refused = register(&kit, &partners, &web(uri)).expect_status(400);
        assert_eq!(refused["error"], "invalid_redirect_uri", "{uri}");
        // A logout leads there as well, and nobody has to be signed in for it.
        let mut leaving = web(CALLBACK);
        leaving["post_logout_redirect_uris"] = json!([uri]);
        let refused = register(&kit, &partners, &leaving).expect_status(400);
        assert_eq!(refused["error"], "invalid_client_metadata", "after logout: {uri}");
    }
    let mut leaving = web(CALLBACK);
    leaving["post_logout_redirect_uris"] = json!(["https://a.partner.example/bye"]);
    assert_eq!(register(&kit, &partners, &leaving).status, 201);
    let mut public = web(CALLBACK);
    public["token_endpoint_auth_method"] = json!("none");
    assert_eq!(register(&kit, &partners, &public)["error"], "invalid_client_metadata");
    // Without the token another policy holds.
    assert_eq!(kit.register(&web("https://elsewhere.example/cb")).status, 201);

    let given = register(&kit, &partners, &web(CALLBACK)).expect_status(201);
    let change =
        json!({ "client_id": given["client_id"], "redirect_uris": ["https://elsewhere.example/cb"] });
    let refused = kit.send(kit.management_request(&Method::PUT, &given, Some(&change)));
    assert_eq!(refused["error"], "invalid_redirect_uri");
}

/// A policy may permit what nobody consents to, and has a quota of its own; several hold together.
#[test]
fn policies_permit_and_limit() {
    let kit = provider(RegistrationAccess::Token);
    let machine = json!({ "grant_types": ["client_credentials"], "response_types": [] });
    let machines = token(&kit, "machines", &["machines"], None);
    for _ in 0..2 {
        let answer = register(&kit, &machines, &machine).expect_status(201);
        assert_eq!(answer["grant_types"], json!(["client_credentials"]));
    }
    assert_refused!(register(&kit, &machines, &machine).expect_status(429), TOO_MANY_REGISTRATIONS);
    let both = token(&kit, "both", &["machines", "partners"], None);
    for metadata in [machine, web(CALLBACK)] {
        assert_eq!(register(&kit, &both, &metadata)["error"], "invalid_client_metadata");
    }
}

/// REG-07: get token, lower its count, store the client: registration costs 2 trips to the store of records at most, and
/// none without a token. The client is one write more (`a_made_id_is_stored_without_a_look`).
#[test]
fn trips() {
    let kit = provider(RegistrationAccess::Open);
    let (counted, any) = (token(&kit, "counted", &[], Some(2)), token(&kit, "any", &[], None));
    let trips = |token| kit.trips(|| kit.send(request(token, &web(CALLBACK))).expect_status(201)).1;
    assert_eq!((trips(None), trips(Some(&any)), trips(Some(&counted))), (0, 1, 2));
}

/// REG-06, REG-12: what is no initial access token.
#[test]
fn what_opens_nothing() {
    let kit = provider(RegistrationAccess::Open);
    let good = token(&kit, "good", &[], None);
    let given = register(&kit, &good, &web(CALLBACK)).expect_status(201);
    let access = kit.tokens("alice", "web", "openid");
    let clients = kit.clients();
    let with = |token: &str| request(Some(token), &web(CALLBACK));
    let mut basic = with("x");
    basic.headers_mut().insert("authorization", "Basic d2ViOng=".parse().expect("a header"));
    let mut twice = with(&good);
    twice.headers_mut().append("authorization", "Bearer x".parse().expect("a header"));
    let unknown = Refused::Json(401, "invalid_token");
    NegativeTable::new(&kit)
        .row("nonsense", with("x"), unknown)
        .row("another one", with(&(good[..good.len() - 1].to_owned() + "A")), unknown)
        .row("a registration access token", with(given.member("registration_access_token")), unknown)
        .row("an access token", with(access.member("access_token")), unknown)
        .row("another scheme", basic, Refused::Challenge)
        .row("two of them", twice, Refused::Json(400, "invalid_request"))
        .run();
    assert_eq!(kit.clients(), clients);
}
