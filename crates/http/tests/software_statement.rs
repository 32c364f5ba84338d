//! RFC 7591 sections 2.3 and 3.1.1: software statements, by which somebody else vouches for a client.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::LazyLock;

use chancery_core::client::{RegistrationPolicy, StatementIssuer, StatementKeys};
use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::ports::Registry as _;
use chancery_jose::SigningAlgorithm;
use chancery_testkit::{
    Answer, ClientKey, NegativeTable, Refused, TestProvider, TestProviderBuilder, minutes, wait,
};
use chancery_types::ClientId;
use chancery_types::iana::GrantType;
use http::Method;
use serde_json::{Value, json};

static KEY: LazyLock<ClientKey> = LazyLock::new(|| ClientKey::generate(SigningAlgorithm::Es256));
static OTHER: LazyLock<ClientKey> = LazyLock::new(|| ClientKey::generate(SigningAlgorithm::Es256));

const PUBLISHER: &str = "https://publisher.example";
const KEYS_URL: &str = "https://publisher.example/jwks";

fn keys(key: &ClientKey) -> Option<StatementKeys> {
    Some(StatementKeys::try_from(key.jwks().to_string()).expect("public keys"))
}

/// Three issuers: one that vouches for anything, one for a known software, one that publishes its keys and whose
/// clients may be machines.
fn builder() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| {
        config.registration.access = RegistrationAccess::Open;
        config.registration.management = true;
        config.registration.network_quota = 0;
        config.registration_policy = vec![RegistrationPolicy {
            name: "machines".into(),
            grant_types: vec![GrantType::ClientCredentials],
            ..RegistrationPolicy::default()
        }];
        let issuer = |issuer: &str, jwks| StatementIssuer {
            issuer: issuer.into(),
            jwks,
            ..StatementIssuer::default()
        };
        config.software_statement_issuer = vec![
            issuer(PUBLISHER, keys(&KEY)),
            StatementIssuer {
                software_ids: vec!["4NRB1-0XZABZI9E6-5SM3R".into()],
                ..issuer("https://strict.example", keys(&OTHER))
            },
            StatementIssuer {
                jwks_uri: Some(KEYS_URL.into()),
                policies: vec!["machines".into()],
                ..issuer("https://machines.example", None)
            },
        ];
    })
}

fn provider() -> TestProvider {
    builder().build()
}

fn web() -> Value {
    json!({ "redirect_uris": ["https://rp.example/cb"], "client_name": "Self-asserted" })
}

/// A statement of the first issuer.
fn statement(claims: &Value) -> String {
    let mut all = claims.clone();
    if all.get("iss").is_none() {
        all["iss"] = json!(PUBLISHER);
    }
    KEY.sign(&json!({ "kid": KEY.kid() }), &all)
}

fn with(mut metadata: Value, statement: &str) -> Value {
    metadata["software_statement"] = json!(statement);
    metadata
}

fn put(kit: &TestProvider, given: &Answer, body: &Value) -> Answer {
    kit.send(kit.management_request(&Method::PUT, given, Some(body)))
}

/// REG-10, GAP-15: what the statement says counts instead of what the client says; the rest is the client's own. The
/// answer has both, and the statement as it was sent.
#[test]
fn what_is_vouched_for_counts() {
    let kit = provider();
    let signed = statement(&json!({
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "client_name": "Vouched for",
        "client_uri": "https://publisher.example/app",
        "token_endpoint_auth_method": "none",
        "nonsense": { "a": 1 },
    }));
    let mut metadata = with(web(), &signed);
    metadata["contacts"] = json!(["ops@rp.example"]);
    metadata["token_endpoint_auth_method"] = json!("client_secret_post");
    let given = kit.register(&metadata).expect_status(201);
    assert_eq!(given["software_statement"], signed);
    assert_eq!(given["client_name"], "Vouched for");
    assert_eq!(given["software_id"], "4NRB1-0XZABZI9E6-5SM3R");
    assert_eq!(given["client_uri"], "https://publisher.example/app");
    assert_eq!(given["token_endpoint_auth_method"], "none");
    assert_eq!(given["redirect_uris"], json!(["https://rp.example/cb"]));
    assert_eq!(given["contacts"], json!(["ops@rp.example"]));
    for absent in ["client_secret", "nonsense", "iss"] {
        assert_eq!(given.json().get(absent), None, "{absent}");
    }
    let read = kit.send(kit.management_request(&Method::GET, &given, None)).expect_status(200);
    assert_eq!(read["software_statement"], signed);
    let ua = kit.user_agent();
    let tab = kit.authorization_request(given.member("client_id")).scope("openid").open(&ua);
    assert!(tab.expect_page("login").answer().text().contains("Vouched for"));
}

/// What somebody vouches for cannot be contradicted in another language or form, nor by leaving it out.
#[test]
fn what_is_vouched_for_is_not_contradicted() {
    let kit = provider();
    let signed = statement(&json!({
        "client_name": "Vouched for",
        "logo_uri#fr": "https://publisher.example/fr.png",
        "tos_uri": null,
        "id_token_signed_response_alg": "ES256",
        "jwks": KEY.jwks(),
    }));
    let mut metadata = with(web(), &signed);
    for (member, value) in [
        ("client_name#de", json!("Deine Bank")),
        ("client_name#EN", json!("Your Bank")),
        ("logo_uri", json!("https://bank.example/logo.png")),
        ("logo_uri#de", json!("https://bank.example/logo.png")),
        ("tos_uri", json!("https://bank.example/terms")),
        ("tos_uri#de", json!("https://bank.example/terms")),
        ("id_token_signing_alg_values_supported", json!(["RS256"])),
        ("jwks_uri", json!("https://bank.example/jwks")),
    ] {
        metadata[member] = value;
    }
    let given = kit.register(&metadata).expect_status(201);
    assert_eq!(given["client_name"], "Vouched for");
    assert_eq!(given["logo_uri#fr"], "https://publisher.example/fr.png");
    assert_eq!(given["id_token_signed_response_alg"], "ES256");
    assert_eq!(given["jwks"], KEY.jwks());
    assert!(!given.text().contains("bank.example") && !given.text().contains("Bank"), "{}", given.text());
}

/// Nobody vouches for what a client cannot decide, nor for what is not valid.
#[test]
fn a_statement_decides_no_more_than_a_client() {
    let kit = provider();
    let claims = json!({ "client_id": "web", "client_secret": "x", "chancery": { "consent": "implied" },
        "registration_access_token": "x", "software_statement": "x", "client_id_issued_at": 1 });
    let given = kit.register(&with(web(), &statement(&claims))).expect_status(201);
    assert_ne!(given["client_id"], "web");
    assert_ne!(given["client_secret"], "x");
    assert_ne!(given["software_statement"], "x");
    let ua = kit.user_agent();
    let request = kit.authorization_request(given.member("client_id")).scope("openid");
    let _ = request.open(&ua).login("alice").expect_page("consent");
    for (claims, code) in [
        (json!({ "redirect_uris": ["https://10.0.0.1/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri"),
        (json!({ "logo_uri": "data:image/png;base64,AAAA" }), "invalid_client_metadata"),
        (json!({ "grant_types": ["client_credentials"], "response_types": [] }), "invalid_client_metadata"),
    ] {
        let refused = kit.register(&with(web(), &statement(&claims))).expect_status(400);
        assert_eq!(refused["error"], code, "{claims}");
    }
}

/// An issuer leads to the policies that its clients are held to; those of an initial access token hold beside them.
#[test]
fn an_issuer_leads_to_policies() {
    let kit = provider();
    kit.fetch.answers(KEYS_URL, 200, OTHER.jwks().to_string());
    let machine = json!({ "grant_types": ["client_credentials"], "response_types": [] });
    let signed = OTHER.sign(&json!({}), &json!({ "iss": "https://machines.example" }));
    assert_eq!(kit.register(&machine).expect_status(400)["error"], "invalid_client_metadata");
    let given = kit.register(&with(machine.clone(), &signed)).expect_status(201);
    assert_eq!(given["grant_types"], json!(["client_credentials"]));
    // A client of such a policy is held to it for ever: no consent of a person.
    let change = json!({ "client_id": given["client_id"], "redirect_uris": ["https://rp.example/cb"] });
    assert_eq!(put(&kit, &given, &change)["error"], "invalid_client_metadata");
}

/// Keys that an issuer publishes are kept, and fetched again when none of them verifies; while it cannot be reached,
/// nobody can tell whether a statement is good.
#[test]
fn keys_are_fetched() {
    let kit = provider();
    let machine = json!({ "grant_types": ["client_credentials"], "response_types": [] });
    let by = |key: &ClientKey| {
        let signed = key.sign(&json!({ "kid": key.kid() }), &json!({ "iss": "https://machines.example" }));
        kit.register(&with(machine.clone(), &signed)).status
    };
    assert_eq!(by(&KEY), 503);
    kit.clock.advance(minutes(2));
    kit.fetch.answers(KEYS_URL, 200, KEY.jwks().to_string());
    let _ = kit.fetch.asked();
    assert_eq!((by(&KEY), by(&KEY)), (http::StatusCode::CREATED, http::StatusCode::CREATED));
    assert_eq!(kit.fetch.asked().len(), 1);
    kit.fetch.answers(KEYS_URL, 200, OTHER.jwks().to_string());
    assert_eq!(by(&OTHER), 400, "not again within a minute");
    kit.clock.advance(minutes(2));
    assert_eq!((by(&OTHER), by(&KEY)), (http::StatusCode::CREATED, http::StatusCode::BAD_REQUEST));
    assert_eq!(kit.fetch.asked().len(), 1);
}

/// RFC 7592 section 2.2: a statement goes on to count when it is sent again, when it is left out and when it has
/// expired; a newer one of the same issuer replaces it.
#[test]
fn an_update_keeps_or_replaces_the_statement() {
    let kit = provider();
    let exp = kit.now().secs() + 600;
    let signed = statement(&json!({ "client_name": "Vouched for", "exp": exp, "aud": "https://id.example" }));
    let given = kit.register(&with(web(), &signed)).expect_status(201);
    kit.clock.advance(minutes(60));
    let change = json!({ "client_id": given["client_id"], "redirect_uris": ["https://rp.example/other"],
        "client_name": "Another" });
    let left_out = put(&kit, &given, &change).expect_status(200);
    let again = put(&kit, &left_out, &with(change.clone(), &signed)).expect_status(200);
    let empty = put(&kit, &again, &with(change.clone(), "")).expect_status(200);
    for changed in [&left_out, &again, &empty] {
        assert_eq!(changed["software_statement"], signed);
        assert_eq!(changed["client_name"], "Vouched for");
        assert_eq!(changed["redirect_uris"], json!(["https://rp.example/other"]));
    }
    let newer = statement(&json!({ "client_name": "Renamed", "client_uri": "https://publisher.example/" }));
    let replaced = put(&kit, &empty, &with(change.clone(), &newer)).expect_status(200);
    assert_eq!(
        (&replaced["software_statement"], &replaced["client_name"]),
        (&json!(newer), &json!("Renamed"))
    );
    // The former one has expired, and cannot come back.
    let back = put(&kit, &replaced, &with(change.clone(), &signed)).expect_status(400);
    assert_eq!(back["error"], "invalid_software_statement");
    // Another issuer vouches for its own clients only.
    let claims = json!({ "iss": "https://strict.example", "software_id": "4NRB1-0XZABZI9E6-5SM3R" });
    let foreign = OTHER.sign(&json!({}), &claims);
    let refused = put(&kit, &replaced, &with(change, &foreign)).expect_status(400);
    assert_eq!(refused["error"], "unapproved_software_statement");
    // A client that nobody vouched for can find somebody.
    let plain = kit.register(&web()).expect_status(201);
    let change = json!({ "client_id": plain["client_id"], "redirect_uris": ["https://rp.example/cb"] });
    let vouched = put(&kit, &plain, &with(change, &newer)).expect_status(200);
    assert_eq!(vouched["client_name"], "Renamed");
}

/// When an issuer is no longer configured, its clients stay, but cannot change what it has vouched for.
#[test]
fn an_issuer_can_be_removed() {
    let kit = provider();
    let given = kit.register(&with(web(), &statement(&json!({})))).expect_status(201);
    let realm = kit.env().realm.clone();
    let id = ClientId::parse(given.member("client_id")).expect("an id");
    let client = wait(kit.registry.client(&realm, &id)).expect("the registry").expect("the client");
    let later = builder().configure(|config| config.software_statement_issuer.clear()).build();
    let _ = wait(later.registry.put_client(&realm, None, client)).expect("the registry");
    let read = later.send(later.management_request(&Method::GET, &given, None)).expect_status(200);
    assert_eq!(read["software_statement"], given["software_statement"]);
    let change = json!({ "client_id": given["client_id"], "redirect_uris": ["https://rp.example/cb"] });
    let refused = put(&later, &given, &change).expect_status(400);
    assert_eq!(refused["error"], "unapproved_software_statement");
}

/// A policy may demand a statement: then there is no registration without one, and no update either.
#[test]
fn a_policy_may_demand_a_statement() {
    let kit = builder()
        .configure(|config| {
            config
                .registration_policy
                .push(RegistrationPolicy { software_statement: true, ..RegistrationPolicy::default() });
        })
        .build();
    let clients = kit.clients();
    let refused = kit.register(&web()).expect_status(400);
    assert_eq!(refused["error"], "invalid_software_statement");
    assert_eq!(kit.clients(), clients);
    let given = kit.register(&with(web(), &statement(&json!({})))).expect_status(201);
    let change = json!({ "client_id": given["client_id"], "redirect_uris": ["https://rp.example/cb"] });
    let _ = put(&kit, &given, &change).expect_status(200);
}

/// RFC 7591 section 3.1.1: a server that knows no issuer ignores statements.
#[test]
fn without_issuers_statements_are_ignored() {
    let kit = builder().configure(|config| config.software_statement_issuer.clear()).build();
    for sent in [json!(statement(&json!({ "client_name": "Vouched for" }))), json!(7), json!("nonsense")] {
        let mut metadata = web();
        metadata["software_statement"] = sent;
        let given = kit.register(&metadata).expect_status(201);
        assert_eq!(given["client_name"], "Self-asserted");
        assert_eq!(given.json().get("software_statement"), None);
    }
}

/// RFC 8725, GAP-14: which statements do not count; nothing is stored.
#[test]
fn what_nobody_vouches_for() {
    let kit = provider();
    let (clients, now) = (kit.clients(), kit.now().secs());
    let sent = |statement: &str| kit.registration_request(&with(web(), statement));
    let of = |claims: Value| sent(&statement(&claims));
    let by = |key: &ClientKey, header: Value| sent(&key.sign(&header, &json!({ "iss": PUBLISHER })));
    let strict = |claims: Value| {
        let mut all = claims;
        all["iss"] = json!("https://strict.example");
        sent(&OTHER.sign(&json!({}), &all))
    };
    let good = statement(&json!({}));
    let (head, signature) = good.rsplit_once('.').expect("three parts");
    let unsigned = |header: Value| {
        let parts = [header, json!({ "iss": PUBLISHER })]
            .map(|part| chancery_jose::base64url::encode(part.to_string()));
        sent(&format!("{}.{}.", parts[0], parts[1]))
    };
    let mut number = with(web(), "");
    number["software_statement"] = json!(7);
    let hmac = ClientKey::of_secret(SigningAlgorithm::Hs256, &KEY.jwks().to_string());
    let rsa = ClientKey::generate(SigningAlgorithm::Rs384);
    let invalid = Refused::Json(400, "invalid_software_statement");
    let unapproved = Refused::Json(400, "unapproved_software_statement");
    NegativeTable::new(&kit)
        .row("a number", kit.registration_request(&number), invalid)
        .row("no JWT", sent("nonsense"), invalid)
        .row("two parts", sent(head), invalid)
        .row("no signature", sent(&format!("{head}.")), invalid)
        .row("another signature", sent(&format!("{head}.{}", "A".repeat(signature.len()))), invalid)
        .row("a changed payload", sent(&good.replacen('.', ".e30", 1)), invalid)
        .row("the algorithm none", unsigned(json!({ "alg": "none" })), invalid)
        .row("an unknown algorithm", unsigned(json!({ "alg": "XS256" })), invalid)
        .row("a critical extension", by(&KEY, json!({ "crit": ["b64"], "b64": false })), invalid)
        .row("another key", by(&OTHER, json!({})), invalid)
        .row("another key under the known name", by(&OTHER, json!({ "kid": KEY.kid() })), invalid)
        .row("an unknown name of the key", by(&KEY, json!({ "kid": "x" })), invalid)
        .row("the public key as a secret", by(&hmac, json!({ "kid": KEY.kid() })), invalid)
        .row("an algorithm that is not configured", by(&rsa, json!({})), invalid)
        .row("its own key in the header", by(&OTHER, json!({ "jwk": OTHER.public() })), invalid)
        .row("an access token", by(&KEY, json!({ "typ": "at+jwt" })), invalid)
        .row("a logout token", by(&KEY, json!({ "typ": "logout+jwt" })), invalid)
        .row("without an issuer", sent(&KEY.sign(&json!({}), &json!({ "client_name": "x" }))), invalid)
        .row("an issuer that is a number", of(json!({ "iss": 7 })), invalid)
        .row("expired", of(json!({ "exp": now - 10 })), invalid)
        .row("not yet valid", of(json!({ "nbf": now + 60 })), invalid)
        .row("issued in the future", of(json!({ "iat": now + 60 })), invalid)
        .row("an end that is a text", of(json!({ "exp": "tomorrow" })), invalid)
        .row("for another server", of(json!({ "aud": "https://other.example" })), invalid)
        .row("for a client, like an ID token", of(json!({ "aud": ["web"] })), invalid)
        .row("17 KiB", of(json!({ "client_name": "x".repeat(17 * 1024) })), invalid)
        .row("an unknown issuer", of(json!({ "iss": "https://elsewhere.example" })), unapproved)
        .row("nearly a known issuer", of(json!({ "iss": format!("{PUBLISHER}/") })), unapproved)
        .row("a software that is not approved", strict(json!({ "software_id": "x" })), unapproved)
        .row("a nameless software", strict(json!({})), unapproved)
        .run();
    assert_eq!(kit.clients(), clients);
    for good in [
        strict(json!({ "software_id": "4NRB1-0XZABZI9E6-5SM3R" })),
        of(json!({ "aud": "https://id.example", "exp": now + 1, "nbf": now, "iat": now, "jti": "x" })),
        by(&KEY, json!({ "typ": "JWT", "kid": KEY.kid() })),
    ] {
        assert_eq!(kit.send(good).status, 201);
    }
}

/// CONF-05: one row per rule of `[[software_statement_issuer]]`.
#[test]
fn what_is_wrong_with_an_issuer() {
    let good = StatementIssuer { issuer: PUBLISHER.into(), jwks: keys(&KEY), ..StatementIssuer::default() };
    let wrong = [
        vec![StatementIssuer { issuer: "".into(), ..good.clone() }],
        vec![StatementIssuer { jwks: None, ..good.clone() }],
        vec![StatementIssuer { jwks_uri: Some(KEYS_URL.into()), ..good.clone() }],
        vec![StatementIssuer { jwks: None, jwks_uri: Some("http://x.example/".into()), ..good.clone() }],
        vec![StatementIssuer { algorithms: Vec::new(), ..good.clone() }],
        vec![StatementIssuer { algorithms: vec![SigningAlgorithm::Hs256], ..good.clone() }],
        vec![StatementIssuer { policies: vec!["unknown".into()], ..good.clone() }],
        vec![good.clone(), good.clone()],
    ];
    for issuers in wrong {
        let built = TestProvider::builder().configure(|config| config.software_statement_issuer = issuers);
        let complaints = built.try_build().err().expect("complaints");
        let [only] = complaints.as_slice() else { panic!("{complaints:?}") };
        assert_eq!(only.setting, "software_statement_issuer");
    }
    for jwks in ["", "[]", r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#] {
        assert!(StatementKeys::try_from(jwks.to_owned()).is_err(), "{jwks}");
    }
}
