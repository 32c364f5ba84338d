//! Client authentication at the endpoints: RFC 6749 sections 2.3 and 5.2, RFC 7009 section 2.1, RFC 7662 section 2.1. That
//! failures cannot be told apart is shown in `indistinguishable.rs`.

use chancery_testkit::{ClientRequest, NegativeTable, Refused, SECRET, TestProvider};

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

/// CAUTH-01, CAUTH-02, CAUTH-24: one registered method, the same at each endpoint.
#[test]
fn each_endpoint_takes_the_registered_method() {
    let kit = TestProvider::new();
    for client in ["web", "post"] {
        for request in requests(&kit, client) {
            let _ = request.send().expect_status(200);
        }
    }
    for request in requests(&kit, "spa").into_iter().skip(1) {
        let _ = request.send().expect_status(200);
    }
}

/// CAUTH-09, CAUTH-10: RFC 6749 section 2.3.1 encodes both parts before RFC 7617 joins them; the scheme knows no case.
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

/// CAUTH-06: a `client_id` beside the header has to be the same one.
#[test]
fn the_id_may_be_said_twice() {
    let kit = TestProvider::new();
    let _ = kit.client_credentials_request("web").param("client_id", "web").send().expect_status(200);
}

/// CAUTH-08: every 401 has a challenge (RFC 9110 section 15.5.2), of the scheme that the client used (RFC 6749 section 5.2).
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
    let malformed = kit.anonymous_request("/token").header("authorization", "Basic ?").send().expect_status(400);
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
            ("by the body instead of the header", by("web").by_method("client_secret_post"), failed),
            ("by the header instead of the body", by("post").by_method("client_secret_basic"), failed),
            ("a public client with a secret", by("spa").param("client_secret", SECRET), failed),
            ("a public client with a header", by("spa").by_method("client_secret_basic").secret(SECRET), failed),
            ("an unknown client", by("web").unauthenticated().param("client_id", "nobody"), failed),
            (
                "an unknown client with a secret",
                by("web").unauthenticated().param("client_id", "nobody").param("client_secret", SECRET),
                failed,
            ),
            ("header and body", by("web").param("client_id", "web").param("client_secret", SECRET), malformed),
            ("header and assertion", by("web").param("client_assertion", "x"), malformed),
            (
                "secret and assertion",
                by("post")
                    .param("client_assertion", "x")
                    .param("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                malformed,
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
            ("two assertions", by("spa").param("client_assertion", "x").param("client_assertion", "x"), malformed),
            ("two headers", by("web").header("authorization", "Basic eDp5"), malformed),
            ("a bearer token", by("web").unauthenticated().header("authorization", "Bearer x"), malformed),
            ("another scheme", by("web").unauthenticated().header("authorization", "Negotiate x"), malformed),
            ("two spaces", by("web").unauthenticated().header("authorization", "Basic  d2ViOng="), malformed),
            ("no credentials", by("web").unauthenticated().header("authorization", "Basic"), malformed),
            ("no colon", by("web").unauthenticated().header("authorization", "Basic d2Vi"), malformed),
            ("another alphabet", by("web").unauthenticated().header("authorization", "Basic d2ViOn-_"), malformed),
            ("too much padding", by("web").unauthenticated().header("authorization", "Basic d2ViOng=="), malformed),
            ("a broken escape", by("web").unauthenticated().header("authorization", "Basic d2ViOiU="), malformed),
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
