//! The Service as frameworks call it: any body, in pieces, complete or not (RFC 9110 sections 8.6 and
//! 15.5.14).

#![expect(clippy::panic, reason = "tests")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use chancery_http::Service;
use chancery_testkit::{TestProvider, wait};
use http::{HeaderValue, Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full};
use tower_service::Service as _;

/// A body that comes in pieces, and ends as it is told to.
struct Pieces(VecDeque<Result<Bytes, io::Error>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(self.0.pop_front().map(|piece| piece.map(Frame::data)))
    }
}

/// A body that nobody may read.
struct Unread;

impl Body for Unread {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        panic!("the body was read")
    }
}

fn pieces(pieces: impl IntoIterator<Item = Result<&'static str, io::ErrorKind>>) -> Pieces {
    let piece = |piece: Result<&'static str, io::ErrorKind>| piece.map(Bytes::from).map_err(io::Error::from);
    Pieces(pieces.into_iter().map(piece).collect())
}

fn post<B>(path: &str, body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.parse().unwrap_or_default();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert("content-type", form);
    request
}

/// Status and body of the answer, by the trait that frameworks use.
fn call<B>(kit: &TestProvider, request: Request<B>) -> (u16, String)
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut service: Service = kit.service.clone();
    let context = &mut Context::from_waker(std::task::Waker::noop());
    let ready = tower_service::Service::<Request<B>>::poll_ready(&mut service, context);
    assert!(ready.is_ready(), "it is always ready");
    let Ok(answer): Result<Response<Full<Bytes>>, Infallible> = wait(service.call(request));
    let status = answer.status().as_u16();
    let Ok(body) = wait(answer.into_body().collect());
    (status, String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

/// A framework may clone it, keep it and move it.
#[test]
fn it_can_be_shared() {
    fn is_shareable<T: Clone + Send + Sync + 'static>(_: &T) {}
    is_shareable(&TestProvider::new().service);
}

#[test]
fn a_body_may_come_in_pieces() {
    let kit = TestProvider::new();
    let whole = "grant_type=client_credentials&client_id=post&client_secret=a-secret-of-forty-three-characters-for-test";
    let (first, rest) = whole.split_at(20);
    let (second, third) = rest.split_at(1);
    let (status, body) = call(&kit, post("/token", pieces([Ok(first), Ok(""), Ok(second), Ok(third)])));
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("access_token"));
}

/// PARM-05: what breaks off or does not end is refused, and nothing of it is looked at.
#[test]
fn a_body_that_breaks_off_or_does_not_end() {
    const LONG: &str =
        "grant_type=client_credentials&client_id=post&x=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    let kit = TestProvider::new();
    for path in ["/token", "/introspect", "/revoke", "/userinfo"] {
        let broken =
            pieces([Ok("grant_type=client_credentials&client_id=post"), Err(io::ErrorKind::ConnectionReset)]);
        let (status, body) = call(&kit, post(path, broken));
        assert_eq!(status, 400, "{path}");
        assert!(body.contains("\"invalid_request\""), "{body}");
        let endless = pieces(std::iter::repeat_n(Ok(LONG), 700).chain([Err(io::ErrorKind::Other)]));
        assert_eq!(call(&kit, post(path, endless)).0, 413, "{path}");
    }
    for path in ["/authorize", "/interaction"] {
        let (status, body) =
            call(&kit, post(path, pieces([Ok("client_id=web"), Err(io::ErrorKind::ConnectionReset)])));
        assert_eq!(status, 400, "{path}");
        assert!(body.contains("data-page=\"error\""), "{body}");
    }
}

/// Where a body means nothing it is not read: other paths, other methods.
#[test]
fn a_body_that_means_nothing_is_not_read() {
    let kit = TestProvider::new();
    assert_eq!(call(&kit, post("/nowhere", Unread)).0, 404);
    for (method, path, status) in [
        (Method::GET, "/jwks", 200),
        (Method::GET, "/.well-known/openid-configuration", 200),
        (Method::GET, "/authorize", 400),
        (Method::GET, "/userinfo", 401),
        (Method::PUT, "/token", 405),
        (Method::OPTIONS, "/token", 405),
        (Method::DELETE, "/jwks", 405),
    ] {
        let mut request = post(path, Unread);
        *request.method_mut() = method.clone();
        assert_eq!(call(&kit, request).0, status, "{method} {path}");
    }
}
