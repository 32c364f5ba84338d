//! Who learns the subjects of a sector by a device: RFC 8628 beside OIDC Core section 8.1.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use chancery_core::client::RegistrationPolicy;
use chancery_core::endpoint::registration::{RegistrationAccess, RegistrationConfig};
use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{Answer, CIBA_GRANT, ClientKey, ClientRequest, DEVICE_GRANT, SECRET, TestProvider};
use chancery_types::iana::{GrantType, SubjectType};
use http::Method;
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";

/// A list of a sector that names whatever anybody asks for.
const SECTOR: &str = "https://victim.example/uris.json";

/// A provider at which strangers may register for devices, and a client of an honest sector.
fn provider() -> TestProvider {
    let victim = json!({"client_id": "victim", "client_secret": SECRET, "subject_type": "pairwise",
        "redirect_uris": ["https://victim.example/cb"], "id_token_signed_response_alg": "ES256"});
    let kit = TestProvider::builder()
        .configure(|config| {
            config.device_authorization.offered = true;
            config.ciba.offered = true;
            config.subjects.types = vec![SubjectType::Public, SubjectType::Pairwise];
            let (access, management) = (RegistrationAccess::Open, true);
            config.registration =
                RegistrationConfig { access, management, network_quota: 0, ..RegistrationConfig::default() };
            let grant_types = GrantType::ALL.to_vec();
            config.registration_policy =
                vec![RegistrationPolicy { grant_types, ..RegistrationPolicy::default() }];
        })
        .client(&victim.to_string())
        .build();
    let listed = json!(["https://victim.example/cb", "https://keys.example/jwks.json"]);
    kit.fetch.answers(SECTOR, 200, listed.to_string());
    kit
}

fn sub(id_token: &str) -> String {
    let payload = id_token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&chancery_jose::base64url::decode(payload).unwrap()).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}

/// Who alice is to the victim.
fn of_victim(kit: &TestProvider) -> String {
    sub(kit.tokens("alice", "victim", "openid").member("id_token"))
}

/// Metadata of a pairwise client with the device grant, and more.
fn metadata(more: Value) -> Value {
    let mut metadata = json!({"subject_type": "pairwise", "response_types": [], "grant_types": [DEVICE_GRANT],
        "id_token_signed_response_alg": "ES256", "token_endpoint_auth_method": "client_secret_post"});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata
}

/// Redirect URIs of the victim, with the grant type that they are for.
fn redirects() -> Value {
    json!({"redirect_uris": ["https://victim.example/cb"], "response_types": ["code"],
        "grant_types": ["authorization_code", DEVICE_GRANT]})
}

fn with(mut metadata: Value, more: Value) -> Value {
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata
}

/// Who alice is to whoever sends the requests of this client.
fn subject<'k>(kit: &'k TestProvider, of_client: impl Fn(ClientRequest<'k>) -> ClientRequest<'k>) -> String {
    let asked = kit.anonymous_request("/device_authorization").param("scope", "openid");
    let asked = of_client(asked).send().expect_status(200);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let page = ua.enter_user_code(asked.member("user_code")).confirm_device();
    let _ = page.expect_page("consent").allow().expect_page("device-done");
    let poll = kit.anonymous_request("/token").param("grant_type", DEVICE_GRANT);
    let poll = poll.param("device_code", asked.member("device_code"));
    sub(of_client(poll).send().expect_status(200).member("id_token"))
}

/// Requests of a client that authenticates by its secret.
fn by_secret<'k>(client: &Answer) -> impl Fn(ClientRequest<'k>) -> ClientRequest<'k> {
    let (id, secret) = (client.member("client_id").to_owned(), client.member("client_secret").to_owned());
    move |request| request.param("client_id", &id).param("client_secret", &secret)
}

fn refused(answer: &Answer, member: &str) {
    assert_eq!((answer.status.as_u16(), &answer["error"]), (400, &json!("invalid_client_metadata")));
    let text = answer["error_description"].as_str().unwrap();
    assert!(text.contains(member), "{text}");
}

/// PPID-03, PPID-06: nothing of the device grant comes to redirect URIs, so that naming those of somebody else, or their
/// `sector_identifier_uri`, is no way to learn how people are called there.
#[test]
fn nobody_learns_the_subjects_of_a_foreign_sector() {
    let kit = provider();
    let clients = kit.clients();
    let own_keys = json!({"jwks_uri": "https://keys.example/jwks.json",
        "token_endpoint_auth_method": "private_key_jwt"});
    let victims_keys = json!({"jwks_uri": "https://victim.example/jwks.json"});
    let listed = json!({"sector_identifier_uri": SECTOR});
    for (what, more, member) in [
        ("redirect URIs", redirects(), "jwks_uri"),
        ("a list", listed.clone(), "jwks_uri"),
        ("both", with(redirects(), listed.clone()), "jwks_uri"),
        ("redirect URIs and own keys", with(redirects(), own_keys.clone()), "jwks_uri"),
        ("a list and own keys", with(listed.clone(), own_keys.clone()), "jwks_uri"),
        ("keys that are not used", with(redirects(), victims_keys.clone()), "token_endpoint_auth_method"),
        (
            "without authentication",
            with(with(redirects(), victims_keys.clone()), json!({"token_endpoint_auth_method": "none"})),
            "token_endpoint_auth_method",
        ),
        // CIBA Core section 4 is content with signed requests, which a device does not send.
        (
            "signed requests",
            with(
                victims_keys,
                json!({"grant_types": [DEVICE_GRANT, CIBA_GRANT],
            "backchannel_token_delivery_mode": "poll",
            "backchannel_authentication_request_signing_alg": "ES256"}),
            ),
            "token_endpoint_auth_method",
        ),
    ] {
        println!("{what}");
        refused(&kit.register(&metadata(more)), member);
    }
    assert_eq!(kit.clients(), clients);
    // Nor by a change.
    let plain = with(metadata(redirects()), json!({"grant_types": ["authorization_code"]}));
    let given = kit.register(&plain).expect_status(201);
    let change = with(metadata(redirects()), json!({"client_id": given["client_id"]}));
    refused(&kit.send(kit.management_request(&Method::PUT, &given, Some(&change))), "jwks_uri");
}

/// A client for devices alone is a sector by itself, and one that shows that a sector is its own belongs to that.
#[test]
fn whose_sector_it_is() {
    let kit = provider();
    let alone = kit.register(&metadata(json!({}))).expect_status(201);
    let others = kit.register(&metadata(json!({}))).expect_status(201);
    let all = [subject(&kit, by_secret(&alone)), subject(&kit, by_secret(&others)), of_victim(&kit)];
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");
    // Public subjects are no secret of a sector.
    let public = kit.register(&with(metadata(redirects()), json!({"subject_type": "public"})));
    assert_eq!(subject(&kit, by_secret(&public.expect_status(201))), "alice");
    // The sector itself, which has its keys there.
    let key = ClientKey::generate(Es256);
    let jwks = "https://VICTIM.example/jwks.json";
    kit.fetch.answers(jwks, 200, key.jwks().to_string());
    let keys = json!({"jwks_uri": jwks, "token_endpoint_auth_method": "private_key_jwt"});
    let own = kit.register(&metadata(with(redirects(), keys))).expect_status(201);
    let id = own.member("client_id");
    let counted = std::cell::Cell::new(0);
    let by_key = subject(&kit, |request| {
        counted.set(counted.get() + 1);
        request.assertion(&key.assertion(id, ISSUER, &counted.get().to_string(), kit.now()))
    });
    assert_eq!(by_key, of_victim(&kit));
}

/// An operator knows whom they register: nothing is asked of that client (RFC 8628 has no sectors).
#[test]
fn an_operators_client_needs_no_proof() {
    let kit = provider();
    let metadata = with(metadata(redirects()), json!({"client_id": "tv", "client_secret": SECRET}));
    kit.put_client(&metadata.to_string());
    let subject = subject(&kit, |request| request.param("client_id", "tv").param("client_secret", SECRET));
    assert_eq!(subject, of_victim(&kit));
}
