//! RFC 9101 section 10.4: whoever registers a client chooses what is asked of other servers. Each request says
//! whether a stranger has chosen its address.

use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{ClientKey, Fetched, TestProvider};
use serde_json::{Value, json};

const REQUEST: &str = "https://app.example/request.jwt";
const KEYS: &str = "https://app.example/jwks";
const SECTOR: &str = "https://app.example/sector";
const LOGOUT: &str = "https://app.example/logout";

fn provider() -> (TestProvider, ClientKey, Value) {
    let open = RegistrationAccess::Open;
    let kit = TestProvider::builder().configure(|to| to.registration.access = open).build();
    let key = ClientKey::generate(Es256);
    kit.fetch.answers(KEYS, 200, key.jwks().to_string());
    kit.fetch.answers(SECTOR, 200, r#"["https://app.example/cb"]"#);
    kit.fetch.answers(LOGOUT, 200, "");
    let metadata = json!({"redirect_uris": ["https://app.example/cb"], "jwks_uri": KEYS,
        "sector_identifier_uri": SECTOR, "backchannel_logout_uri": LOGOUT, "request_uris": [REQUEST],
        "id_token_signed_response_alg": "ES256"});
    (kit, key, metadata)
}

/// Everything that is asked for this client, once each.
fn asked(kit: &TestProvider, key: &ClientKey, id: &str) -> Vec<Fetched> {
    let request = kit.authorization_request(id).scope("openid");
    kit.fetch.answers(REQUEST, 200, key.request_object(&request.encode(), kit.issuer().as_str(), kit.now()));
    let ua = kit.user_agent();
    let _ = request.by_reference(REQUEST).open(&ua).login("alice").allow().expect_code();
    let _ = kit.end_sessions("alice");
    let _ = kit.deliver();
    kit.fetch.asked()
}

/// FETCH-03: all of them for a client that has registered itself, none for an operator's.
#[test]
fn each_request_says_for_whom_it_is() {
    let (kit, key, metadata) = provider();
    let registered = kit.register(&metadata).expect_status(201);
    let by_stranger = asked(&kit, &key, registered.member("client_id"));
    let (kit, key, mut metadata) = provider();
    metadata["client_id"] = "own".into();
    let sector = metadata.as_object_mut().unwrap().remove("sector_identifier_uri");
    kit.put_client(&metadata.to_string());
    let of_sector = json!({"client_id": "another", "redirect_uris": metadata["redirect_uris"],
        "sector_identifier_uri": sector, "token_endpoint_auth_method": "none"});
    kit.put_client_fetching(&of_sector.to_string()).unwrap();
    let by_operator = asked(&kit, &key, "own");
    for (asked, is_of_stranger) in [(by_stranger, true), (by_operator, false)] {
        let urls: Vec<&str> = asked.iter().map(|one| one.url.as_str()).collect();
        assert_eq!(urls, [SECTOR, REQUEST, KEYS, LOGOUT]);
        for one in asked {
            assert_eq!(one.is_of_stranger, is_of_stranger, "{}", one.url);
        }
    }
}

/// What a stranger cannot have, and what was learnt of it, is no matter of an operator's client with the same
/// address.
#[test]
fn strangers_share_no_keys_with_others() {
    let (kit, key, mut metadata) = provider();
    kit.fetch.goes_down(KEYS);
    metadata["token_endpoint_auth_method"] = "private_key_jwt".into();
    let registered = kit.register(&metadata).expect_status(201);
    // Whoever has authenticated hears that there is no such code.
    let error = |id: &str, jti: &str| {
        let assertion = key.assertion(id, kit.issuer().as_str(), jti, kit.now());
        let request = kit.anonymous_request("/token").param("grant_type", "authorization_code");
        request.param("code", "x").assertion(&assertion).send().member("error").to_owned()
    };
    assert_eq!(error(registered.member("client_id"), "1"), "invalid_client");
    kit.fetch.answers(KEYS, 200, key.jwks().to_string());
    metadata["client_id"] = "own".into();
    metadata.as_object_mut().unwrap().remove("sector_identifier_uri");
    kit.put_client(&metadata.to_string());
    assert_eq!(error("own", "2"), "invalid_grant");
    assert_eq!(error(registered.member("client_id"), "3"), "invalid_client", "asked less than a minute ago");
}
