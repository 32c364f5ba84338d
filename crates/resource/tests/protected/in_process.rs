//! An API in the program of its provider: nothing goes over the network, whatever the tokens look like.

use std::sync::Arc;

use chancery_resource::ProtectedResource;
use chancery_testkit::{TestProvider, hours};
use serde_json::json;

use crate::api::{Handler, Told, bearer, told};
use tower_layer::Layer as _;

const OPAQUE: &str = "https://api.example";
const JWT: &str = "https://jwt-api.example";

fn at(kit: &TestProvider, uri: &str) -> ProtectedResource {
    ProtectedResource::of_provider(Arc::clone(&kit.provider)).at(uri).unwrap()
}

fn get(resource: &ProtectedResource, token: &str) -> Told {
    told(resource.layer().layer(Handler), bearer(token))
}

/// JWTs and opaque tokens alike: what the handler gets, the two trips to the store, and that they end at once.
#[test]
fn both_forms_of_tokens() {
    for (uri, client) in [(OPAQUE, "machine"), (JWT, "jwt")] {
        let kit = TestProvider::new();
        let resource = at(&kit, uri);
        let now = kit.now().secs();
        let tokens = kit.tokens("alice", client, "openid read");
        let token = tokens.member("access_token");
        let (good, trips) = kit.trips(|| get(&resource, token));
        assert_eq!(
            (good.status, &good.body["subject"], &good.body["client"]),
            (200, &json!("alice"), &json!(client))
        );
        assert_eq!((&good.body["scope"], &good.body["audience"]), (&json!("read"), &json!([uri])));
        assert_eq!((&good.body["auth_time"], &good.body["amr"]), (&json!(now), &json!(["pwd"])));
        assert_eq!(good.body["issued_at"], now);
        assert!(trips <= 2, "{trips}");
        assert!(kit.fetch.asked().is_empty());
        let own =
            kit.client_credentials_request(client).param("scope", "read write").send().expect_status(200);
        let own = get(&resource, own.member("access_token"));
        assert_eq!(
            (own.status, &own.body["subject"], &own.body["scope"]),
            (200, &json!(client), &json!("read write"))
        );
        let _ = kit.revoke(client, token);
        assert_eq!(get(&resource, token).reason, "access_token_unknown");
    }
}

/// What ends the authority behind a token ends the token (RFC 9068 section 4), and so does its end.
#[test]
fn what_must_not_be_accepted() {
    let kit = TestProvider::new();
    let (opaque, jwt) = (at(&kit, OPAQUE), at(&kit, JWT));
    let token =
        |client: &str, scope: &str| kit.tokens("alice", client, scope).member("access_token").to_owned();
    let of_opaque = token("machine", "read");
    let refresh = kit.tokens("alice", "machine", "read").member("refresh_token").to_owned();
    let rows = [
        ("for another", &jwt, of_opaque.clone(), "access_token_for_another_audience"),
        ("a JWT for another", &opaque, token("jwt", "read"), "access_token_for_another_audience"),
        ("for UserInfo alone", &opaque, token("web", "openid"), "access_token_for_another_audience"),
        ("a refresh token", &opaque, refresh, "access_token_unknown"),
        (
            "an ID token",
            &jwt,
            kit.tokens("alice", "jwt", "openid read").member("id_token").to_owned(),
            "access_token_unknown",
        ),
        ("nonsense", &opaque, "at_x".to_owned(), "access_token_unknown"),
    ];
    for (name, resource, token, reason) in rows {
        let told = get(resource, &token);
        assert_eq!(
            (told.status, &*told.reason, &told.body["error"]),
            (401, reason, &json!("invalid_token")),
            "{name}"
        );
    }
    assert_eq!(get(&opaque, &of_opaque).status, 200);
    kit.accounts.disable("alice");
    assert_eq!(get(&opaque, &of_opaque).reason, "access_token_withdrawn");
    let own = kit.client_credentials_request("machine").param("scope", "read").send().expect_status(200);
    let own = own.member("access_token");
    assert_eq!(get(&opaque, own).status, 200);
    kit.change_client("machine", r#"{"chancery":{"enabled":false}}"#).unwrap();
    assert_eq!(get(&opaque, own).reason, "access_token_client_disabled");
    kit.clock.advance(hours(2));
    assert_eq!(get(&opaque, own).reason, "access_token_unknown", "expired");
}

/// RFC 9449 section 7.1: a challenge asks for no proof where the provider binds no token to a key.
#[test]
fn it_asks_for_dpop_where_the_provider_offers_it() {
    for is_offered in [false, true] {
        let kit = TestProvider::builder().configure(|config| config.dpop.offered = is_offered).build();
        let resource = at(&kit, OPAQUE);
        let refused = told(resource.layer().layer(Handler), crate::api::with_headers(&[]));
        assert_eq!(
            (refused.status, refused.challenge.contains("DPoP")),
            (401, is_offered),
            "{}",
            refused.challenge
        );
    }
}
