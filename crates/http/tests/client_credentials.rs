//! RFC 6749 section 4.4: what a client gets for itself; RFC 9068, as far as such a token is a JWT.

use chancery_core::endpoint::token::GRANT_TYPE_UNREGISTERED;
use chancery_testkit::{NegativeTable, Refused, SECRET, TestProvider, assert_refused};

/// CC-01, CC-02, CC-04, GRANT-12, AT-04, AT-05, AT-12: a JWT for the resource server is made without a trip
/// to the store, and looked at in one.
#[test]
fn a_jwt_takes_no_trip() {
    let kit = TestProvider::new();
    let request = kit.client_credentials_request("jwt").param("scope", "read unknown");
    let (tokens, trips) = kit.trips(|| request.send().expect_status(200));
    assert_eq!((trips, &tokens["expires_in"], &tokens["scope"]), (0, &300.into(), &"read".into()));
    assert_eq!(tokens.member_names(), ["access_token", "token_type", "expires_in", "scope"]);
    let jwt =
        kit.try_verify(tokens.member("access_token"), "jwt").expect("it verifies by the published keys");
    assert_eq!((jwt.header.typ.as_deref(), jwt.header.alg.name()), (Some("at+jwt"), "ES256"));
    assert!(jwt.header.kid.is_some());
    assert_eq!(jwt.names, ["iss", "sub", "aud", "client_id", "jti", "iat", "exp", "scope"]);
    assert_eq!((&jwt.claims["sub"], &jwt.claims["client_id"]), (&"jwt".into(), &"jwt".into()));
    assert_eq!(
        (&jwt.claims["aud"], &jwt.claims["scope"]),
        (&"https://jwt-api.example".into(), &"read".into())
    );
    let (active, trips) = kit.trips(|| kit.is_active("api", tokens.member("access_token")));
    assert_eq!((active, trips), (true, 1));
}

/// CC-04, AT-13: an opaque token is one record, and no token of a client itself comes with an ID token or a
/// refresh token.
#[test]
fn an_opaque_token_is_one_record() {
    let kit = TestProvider::new();
    let (tokens, trips) = kit.trips(|| kit.client_credentials_request("api").send().expect_status(200));
    assert_eq!((trips, &tokens["expires_in"]), (1, &600.into()));
    assert_eq!(tokens.member_names(), ["access_token", "token_type", "expires_in"]);
    assert!(tokens.member("access_token").starts_with("at_"));
}

/// CC-02, CC-03, TOKEN-03: what a client must not get for itself. RFC 6749 section 5.1: the answer has to say which scope was
/// granted, so that a request of which nothing is left has no good answer.
#[test]
fn what_is_refused() {
    let kit = TestProvider::new();
    kit.put_client(&format!(
        r#"{{"client_id":"reader","client_secret":"{SECRET}","response_types":[],"grant_types":["client_credentials"],
            "scope":"read","chancery":{{"default_resource":"https://jwt-api.example"}}}}"#
    ));
    let reader = |scope: &str| kit.client_credentials_request("reader").param("scope", scope);
    assert_eq!(reader("read").send().expect_status(200)["scope"], "read");
    assert_refused!(reader("write").send(), "invalid_scope", "scope_not_allowed");
    for client in ["spa", "native", "operator"] {
        assert_refused!(kit.client_credentials_request(client).send(), GRANT_TYPE_UNREGISTERED);
    }
    let scope = Refused::Json(400, "invalid_scope");
    NegativeTable::new(&kit)
        .row("a scope of another client", reader("write"), scope)
        .row("one of two", reader("read write"), scope)
        .row("nothing that is known", reader("unknown"), scope)
        .row(
            "nothing but a person's",
            kit.client_credentials_request("machine").param("scope", "openid email"),
            scope,
        )
        .row("a quote", reader("read\""), scope)
        .row("two scopes", reader("read").param("scope", "read"), Refused::Json(400, "invalid_request"))
        .row(
            "a public client",
            kit.client_credentials_request("spa"),
            Refused::Json(400, "unauthorized_client"),
        )
        .row("a wrong secret", reader("read").secret("wrong"), Refused::Json(401, "invalid_client"))
        .run();
}
