//! A development provider as an application has it.

#![cfg(feature = "development")]
#![expect(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use chancery::development::DevelopmentError;
use chancery::{Peer, Service};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tower_service::Service as _;

async fn get(service: &mut chancery::OwnHost<Service>, host: &str, path: &str) -> (StatusCode, String) {
    get_from(None, service, host, path).await
}

async fn get_from(
    peer: Option<&str>,
    service: &mut chancery::OwnHost<Service>,
    host: &str,
    path: &str,
) -> (StatusCode, String) {
    let mut request =
        Request::builder().uri(path).header("host", host).body(Full::new(Bytes::new())).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    }
    let response = service.call(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn it_answers_to_its_own_name_only() {
    let demo = chancery::development("http://localhost:3000").await.unwrap();
    let mut service = demo.service();
    let (status, body) = get(&mut service, "localhost:3000", "/.well-known/openid-configuration").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("\"issuer\":\"http://localhost:3000\""), "{body}");
    let (status, _) = get(&mut service, "evil.example", "/.well-known/openid-configuration").await;
    assert_eq!(status, StatusCode::MISDIRECTED_REQUEST);
}

/// A program that listens to a network tells its secrets to nobody there: any name can be written into `Host`.
#[tokio::test]
async fn it_answers_to_this_machine_only() {
    let demo = chancery::development("http://localhost:3000").await.unwrap();
    let mut service = demo.service();
    for peer in ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"] {
        let (status, body) = get_from(Some(peer), &mut service, "localhost:3000", "/").await;
        assert!(status == StatusCode::OK && body.contains("demo-web"), "{peer}: {status}");
    }
    for peer in ["192.0.2.1", "10.0.0.7", "::ffff:192.0.2.1", "2001:db8::1", "fe80::1"] {
        for path in ["/", "/.well-known/openid-configuration"] {
            let (status, body) = get_from(Some(peer), &mut service, "localhost:3000", path).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{peer} {path}");
            assert!(!body.contains("demo") && body.contains("this machine"), "{body}");
        }
    }
}

#[tokio::test]
async fn printing_it_says_everything_that_one_needs() {
    let (one, other) =
        (chancery::development("http://localhost:1").await, chancery::development("http://[::1]:1").await);
    let (one, other) = (one.unwrap().to_string(), other.unwrap().to_string());
    for part in [
        "http://localhost:1\n",
        "demo-api",
        "password ",
        "secret ",
        "chancery try --issuer http://localhost:1\n",
    ] {
        assert!(one.contains(part), "{part} in {one}");
    }
    let password = |text: &str| text.lines().find(|line| line.contains("password")).map(str::to_owned);
    assert_ne!(password(&one), password(&other), "each has its own");
}

/// It must not reach a network by mistake.
#[tokio::test]
async fn only_loopback_is_an_issuer() {
    for issuer in [
        "https://id.example.org",
        "http://192.0.2.1",
        "http://localhost.evil.example",
        "https://localhost",
        "x",
    ] {
        let refused = chancery::development(issuer).await.err();
        assert!(matches!(refused, Some(DevelopmentError::NotLoopback)), "{issuer}");
    }
    for issuer in
        ["http://localhost", "http://127.0.0.1:3000", "http://[::1]:3000", "http://localhost:3000/oidc"]
    {
        assert!(chancery::development(issuer).await.is_ok(), "{issuer}");
    }
}
