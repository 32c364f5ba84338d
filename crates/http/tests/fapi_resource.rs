//! FAPI 1.0 part 1 section 6.2.1: the headers of a protected resource.

#![expect(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use chancery_testkit::{Answer, TestProvider};
use http::{HeaderValue, Method, Request};

const SENT: &str = "c770aef3-6784-41f7-8e0e-ff5f97bddb3a";

/// UserInfo, with this Authorization header and these interaction ids.
fn userinfo(kit: &TestProvider, method: Method, authorization: &str, ids: &[&str]) -> Answer {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = kit.path("/userinfo").parse().unwrap();
    if !authorization.is_empty() {
        request.headers_mut().insert("authorization", authorization.parse().unwrap());
    }
    for id in ids {
        request
            .headers_mut()
            .append("x-fapi-interaction-id", HeaderValue::from_bytes(id.as_bytes()).unwrap());
    }
    kit.send(request)
}

/// What the answer calls itself; every answer has a date.
#[track_caller]
fn id(answer: &Answer) -> String {
    assert_eq!(answer.header("date"), Some("Fri, 15 Jan 2027 08:00:00 GMT"));
    let id = answer.header("x-fapi-interaction-id").unwrap().to_owned();
    assert_eq!(answer.header("x-request-id"), Some(&*id), "every entry of the log has it");
    id
}

fn is_uuid(text: &str) -> bool {
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// FAPI 1.0 part 1 section 6.2.1-10 to 12: the id that the client has sent comes back, in errors as well, or else one of the server's own.
#[test]
fn every_answer_has_a_date_and_an_id() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid");
    let good = format!("Bearer {}", tokens.member("access_token"));
    for (method, authorization, status) in [
        (Method::GET, &*good, 200),
        (Method::POST, &good, 200),
        (Method::HEAD, &good, 200),
        (Method::GET, "", 401),
        (Method::GET, "Bearer nonsense", 401),
        (Method::GET, "Bearer a b", 400),
        (Method::PUT, &good, 405),
    ] {
        let answer = userinfo(&kit, method.clone(), authorization, &[SENT]);
        assert_eq!(
            (answer.status.as_u16(), id(&answer)),
            (status, SENT.to_owned()),
            "{method} {authorization}"
        );
        let [one, other] = [(); 2].map(|()| id(&userinfo(&kit, method.clone(), authorization, &[])));
        assert!(is_uuid(&one) && is_uuid(&other) && one != other, "{one} {other}");
    }
    let upper = SENT.to_uppercase();
    assert_eq!(id(&userinfo(&kit, Method::GET, &good, &[&upper])), upper);
    // Nothing else tells what only a protected resource does.
    for path in ["/jwks", "/.well-known/openid-configuration", "/authorize"] {
        assert_eq!(kit.get(path).header("x-fapi-interaction-id"), None, "{path}");
    }
}

/// FAPI 1.0 part 1 section 6.2.1-11: what is no UUID, or is there twice, is not repeated.
#[test]
fn ids_that_are_none() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid");
    let good = format!("Bearer {}", tokens.member("access_token"));
    let long = "a".repeat(4096);
    for sent in [
        &[SENT, SENT][..],
        &[""],
        &["x"],
        &["c770aef3-6784-41f7-8e0e-ff5f97bddb3"],
        &["c770aef3-6784-41f7-8e0e-ff5f97bddb3aa"],
        &["c770aef3-6784-41f7-8e0eff5f97bddb3a0a"],
        &["c770aef3678441f78e0eff5f97bddb3a"],
        &["{c770aef3-6784-41f7-8e0e-ff5f97bddb3a}"],
        &["urn:uuid:c770aef3-6784-41f7-8e0e-ff5f97bddb3a"],
        &["g770aef3-6784-41f7-8e0e-ff5f97bddb3a"],
        &["c770aef3-6784-41f7-8e0e-ff5f97bddb3a c770aef3-6784-41f7-8e0e-ff5f97bddb3a"],
        &["\u{e4}770aef3-6784-41f7-8e0e-ff5f97bddb3"],
        &[&long],
    ] {
        let answer = userinfo(&kit, Method::GET, &good, sent);
        assert_eq!(answer.status, 200);
        let own = id(&answer);
        assert!(is_uuid(&own) && !sent.contains(&&*own), "{sent:?} {own}");
    }
}
