//! Request bodies as strangers send them: RFC 9110 sections 8.6, 10.1.1 and 15.5.14. What is held of requests
//! that are not complete is counted here, not timed.

#![expect(clippy::panic, reason = "tests")]

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use chancery_http::{Peer, Service};
use chancery_testkit::{TestProvider, wait};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use tower_service::Service as _;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const GRANT: &str =
    "grant_type=client_credentials&client_id=post&client_secret=a-secret-of-forty-three-characters-for-test";

/// What a Service may hold of requests that are not complete, and of those of one network.
const ROOM: usize = 16 * 1024 * 1024;
const ROOM_OF_A_NETWORK: usize = 2 * 1024 * 1024;

/// A body that begins and does not go on.
struct Unfinished(Option<Bytes>);

impl Body for Unfinished {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(Frame::data(bytes)))))
    }
}

/// A body that comes whole, a moment after its header.
struct Late {
    was_asked_for: bool,
    whole: Option<Bytes>,
}

impl Body for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !std::mem::replace(&mut self.was_asked_for, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.whole.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// A body of which only the length may be known.
struct Announced(u64);

impl Body for Announced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("the body was read")
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

fn request<B>(
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
    peer: Option<IpAddr>,
    body: B,
) -> Request<B> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().unwrap_or_default();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap_or(HeaderName::from_static("x-broken"));
        request
            .headers_mut()
            .append(name, HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("")));
    }
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer));
    }
    request
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send>>;

/// What became of requests: those that wait for more of their body, and the status of those that were
/// answered.
#[derive(Default)]
struct Begun {
    waiting: Vec<Answering>,
    answered: Vec<u16>,
}

impl Begun {
    /// Lets those go on who can: whoever has to make way hears of it.
    fn settle(&mut self) {
        let answered = &mut self.answered;
        self.waiting.retain_mut(|answering| {
            match answering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => true,
                Poll::Ready(Ok(answer)) => {
                    answered.push(answer.status().as_u16());
                    false
                }
            }
        });
    }

    /// Sends one request to the token endpoint whose body begins with so many bytes.
    fn begin(&mut self, kit: &TestProvider, peer: Option<IpAddr>, bytes: usize) {
        let mut service: Service = kit.service.clone();
        let body = Unfinished(Some(Bytes::from(vec![b'a'; bytes])));
        let mut answering = service.call(request(Method::POST, "/token", &[FORM], peer, body));
        match answering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => self.waiting.push(answering),
            Poll::Ready(Ok(answer)) => self.answered.push(answer.status().as_u16()),
        }
        if self.waiting.len().is_multiple_of(64) {
            self.settle();
        }
    }
}

fn address(network: u8) -> Option<IpAddr> {
    Some(IpAddr::V4(Ipv4Addr::new(192, 0, network, 1)))
}

/// Sends a request whose body comes whole a moment after its header, as that of most programs does.
fn late(kit: &TestProvider, peer: Option<IpAddr>, form: &str) -> u16 {
    let mut service: Service = kit.service.clone();
    let body = Late { was_asked_for: false, whole: Some(Bytes::from(form.to_owned())) };
    let Ok(answer) = wait(service.call(request(Method::POST, "/token", &[FORM], peer, body)));
    answer.status().as_u16()
}

fn whole(kit: &TestProvider, peer: Option<IpAddr>, form: &str) -> u16 {
    let mut service: Service = kit.service.clone();
    let body = Full::new(Bytes::from(form.to_owned()));
    let Ok(answer) = wait(service.call(request(Method::POST, "/token", &[FORM], peer, body)));
    answer.status().as_u16()
}

/// 3,000 requests that do not end, as 30 connections with 100 streams make them, hold what one network may
/// hold; those that came first are told to come back, and nobody else feels it, neither in the same network
/// nor in another.
#[test]
fn what_one_network_holds_is_bounded() {
    let kit = TestProvider::new();
    for bytes in [0, 1, 300, 4 * 1024, 64 * 1024] {
        let mut begun = Begun::default();
        let counted = allocation_counter::measure(|| {
            (0..3000).for_each(|_| begun.begin(&kit, address(1), bytes));
            begun.settle();
        });
        let held = usize::try_from(counted.bytes_current).unwrap_or_default();
        assert!(
            held < 3 * ROOM_OF_A_NETWORK,
            "{} wait with {bytes} bytes each and hold {held}",
            begun.waiting.len()
        );
        assert!(begun.waiting.len() <= 512, "{} wait with {bytes} bytes each", begun.waiting.len());
        assert!(!begun.waiting.is_empty() && begun.answered.iter().all(|status| *status == 503), "{bytes}");

        assert_eq!(whole(&kit, address(1), GRANT), 200, "a body that came whole is read in spite of them");
        for sent in [whole, late] {
            for form in [GRANT.to_owned(), format!("{GRANT}&x={}", "x".repeat(60_000))] {
                assert_eq!(sent(&kit, address(1), &form), 200, "those who do not go on make way");
            }
        }
        let mut other = Begun::default();
        other.begin(&kit, address(2), bytes);
        assert_eq!(other.waiting.len(), 1, "another network has its own");
        drop((begun, other));
        let mut again = Begun::default();
        again.begin(&kit, address(1), bytes);
        assert_eq!(again.waiting.len(), 1, "all was given back");
    }
}

/// Many networks together, and peers of whom nothing is known.
#[test]
fn what_all_hold_is_bounded() {
    for peer in [(|n| address(n)) as fn(u8) -> Option<IpAddr>, |_| None] {
        let kit = TestProvider::new();
        let mut begun = Begun::default();
        let counted = allocation_counter::measure(|| {
            for network in 0..100 {
                (0..60).for_each(|_| begun.begin(&kit, peer(network), 40 * 1024));
            }
            begun.settle();
        });
        let held = usize::try_from(counted.bytes_current).unwrap_or_default();
        assert!(held < ROOM * 3 / 2, "{} wait and hold {held}", begun.waiting.len());
        assert!(begun.waiting.len() > 200 && begun.answered.iter().all(|status| *status == 503));
        for sent in [whole, late] {
            assert_eq!(sent(&kit, peer(200), GRANT), 200);
        }
    }
}

/// Strangers from many networks take all the room that there is, and take it anew whenever it is taken from
/// them: whoever goes on is read all the same.
#[test]
fn those_who_never_go_on_keep_out_nobody_who_does() {
    let kit = TestProvider::new();
    let mut begun = Begun::default();
    let all_room = |begun: &mut Begun| {
        for network in 0..16 {
            (0..300).for_each(|_| begun.begin(&kit, address(network), 0));
        }
    };
    for _ in 0..3 {
        all_room(&mut begun);
        for (peer, _) in
            [(address(3), "theirs"), (address(99), "another"), (None, "unknown")].iter().cycle().take(30)
        {
            assert_eq!(late(&kit, *peer, GRANT), 200);
        }
    }
    begun.settle();
    assert!(begun.waiting.len() > 3000 && begun.answered.iter().all(|status| *status == 503));
}

/// Whoever makes way is told when to come back, clients and people.
#[test]
fn who_makes_way_is_told_to_come_back() {
    let kit = TestProvider::new();
    let first = [("/token", "temporarily_unavailable"), ("/authorize", "data-page=\"error\"")].map(
        |(path, shown)| {
            let mut service: Service = kit.service.clone();
            let body = Unfinished(Some(Bytes::from_static(b"a=")));
            let mut answering: Answering =
                service.call(request(Method::POST, path, &[FORM], address(1), body));
            assert!(answering.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            (path, shown, answering)
        },
    );
    let mut begun = Begun::default();
    (0..3000).for_each(|_| begun.begin(&kit, address(1), 0));
    for (path, shown, answering) in first {
        let Ok(answer) = wait(answering);
        assert_eq!(answer.status(), 503, "{path}");
        assert!(answer.headers().contains_key("retry-after"), "{path}");
        let Ok(body) = wait(answer.into_body().collect());
        assert!(String::from_utf8_lossy(&body.to_bytes()).contains(shown), "{path}");
    }
}

/// RFC 9110 section 15.5.14, PARM-05: a length that is announced is looked at before anything is read, which
/// over HTTP/1.1 means before `100 Continue` is said (section 10.1.1).
#[test]
fn an_announced_length_that_is_too_long_is_refused_at_once() {
    let kit = TestProvider::new();
    for path in
        ["/token", "/introspect", "/revoke", "/userinfo", "/authorize", "/interaction", "/interaction/in_x"]
    {
        for length in [64 * 1024 + 1, 1 << 40, u64::MAX] {
            let mut service: Service = kit.service.clone();
            let answering = service.call(request(Method::POST, path, &[FORM], None, Announced(length)));
            let Ok(answer) = wait(answering);
            assert_eq!(answer.status(), 413, "{path} {length}");
        }
    }
}

type Row<'a> = (Method, &'a str, &'a [(&'a str, &'a str)], u16);

/// What the header refuses already is not read.
#[test]
fn a_body_whose_header_is_refused_is_not_read() {
    let kit = TestProvider::new();
    let long = format!("/authorize?{}", "x".repeat(9000));
    let rows: [Row<'_>; 12] = [
        (Method::POST, "/token", &[], 400),
        (Method::POST, "/token", &[("content-type", "application/json")], 400),
        (Method::POST, "/token", &[FORM, FORM], 400),
        (Method::POST, "/token", &[FORM, ("authorization", "Basic x"), ("authorization", "Basic x")], 400),
        (Method::POST, "/userinfo", &[("content-type", "text/plain")], 400),
        (Method::POST, "/nowhere", &[FORM], 404),
        (Method::POST, "/jwks", &[FORM], 405),
        (Method::PUT, "/token", &[FORM], 405),
        (Method::GET, "/authorize", &[FORM], 400),
        (Method::POST, "/interaction", &[FORM, ("origin", "https://evil.example")], 400),
        (Method::POST, "/interaction/in_x", &[FORM, ("sec-fetch-site", "same-site")], 400),
        (Method::POST, &long, &[FORM], 414),
    ];
    for (method, target, headers, status) in rows {
        let mut service: Service = kit.service.clone();
        let Ok(answer) = wait(service.call(request(method.clone(), target, headers, None, Announced(10))));
        assert_eq!(answer.status(), status, "{method} {target:.40} {headers:?}");
    }
}

/// What does not come from the pages on another origin, or is no JSON, is refused with its header.
#[test]
fn the_interface_for_pages_reads_no_other_body() {
    let kit = TestProvider::builder().configure(|config| {
        config.interaction.location = "https://login.id.example/".to_owned().try_into().ok();
    });
    let kit = kit.build();
    let json = ("content-type", "application/json");
    let rows: [(&[(&str, &str)], u16); 4] = [
        (&[json], 403),
        (&[json, ("origin", "https://evil.example")], 403),
        (&[json, ("origin", "https://id.example")], 403),
        (&[FORM, ("origin", "https://login.id.example")], 400),
    ];
    for (headers, status) in rows {
        let mut service: Service = kit.service.clone();
        let request = request(Method::POST, "/interaction/login", headers, None, Announced(10));
        let Ok(answer) = wait(service.call(request));
        assert_eq!(answer.status(), status, "{headers:?}");
    }
}
