//! A service that answers under one host name only, and to this machine only.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use chancery_http::Peer;
use http::header::HOST;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

/// Answers only requests for its own host and port, and all others with 421 (RFC 9110 section 15.5.20), so
/// that a page of another site cannot reach a server on the same machine under its own host name (DNS
/// rebinding). Whoever connects from another machine can name any host, and is refused with 403, as far as it is known
/// from where ([`Peer`]): the page at the issuer's own address has secrets.
#[derive(Clone)]
pub struct OwnHost<S> {
    service: S,
    authority: HeaderValue,
}

impl<S> OwnHost<S> {
    /// What answers.
    #[cfg(feature = "axum")]
    pub(crate) fn service(&self) -> &S {
        &self.service
    }

    /// `authority` is host and port as browsers send them.
    pub(crate) fn new(service: S, authority: HeaderValue) -> Self {
        Self { service, authority }
    }
}

/// Whether the request is for this host and port: `:authority` in HTTP/2, exactly one `Host` in HTTP/1.1.
pub(crate) fn is_for<B>(request: &Request<B>, authority: &HeaderValue) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host_fits = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host == authority,
        (None, _) => request.uri().authority().is_some(),
        (Some(_), Some(_)) => false,
    };
    host_fits
        && request.uri().authority().is_none_or(|named| named.as_str().as_bytes() == authority.as_bytes())
}

/// Whether the request comes from this machine; also if nobody says from where.
fn is_local<B>(request: &Request<B>) -> bool {
    request.extensions().get::<Peer>().is_none_or(|peer| peer.0.to_canonical().is_loopback())
}

/// The answer to a request for another host.
pub(crate) fn misdirected(authority: &HeaderValue) -> Response<Full<Bytes>> {
    let name = authority.to_str().unwrap_or("its own name");
    let why = format!("this development provider answers only to http://{name}\n");
    let mut response = refused(StatusCode::MISDIRECTED_REQUEST, why);
    // A script that has the name wrong reads why, in the place of a complaint about its origin. It learns nothing else.
    response.headers_mut().insert("access-control-allow-origin", HeaderValue::from_static("*"));
    response
}

fn refused(status: StatusCode, why: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(why)));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

impl<S, B> Service<Request<B>> for OwnHost<S>
where
    B: Body,
    S: Service<Request<B>, Response = Response<Full<Bytes>>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = if !is_local(&request) {
            refused(StatusCode::FORBIDDEN, "this provider answers only programs of this machine\n".to_owned())
        } else if is_for(&request, &self.authority) {
            return Box::pin(self.service.call(request));
        } else {
            misdirected(&self.authority)
        };
        let answer: Ready<Result<_, Infallible>> = ready(Ok(answer));
        Box::pin(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, hosts: &[&str]) -> Request<()> {
        let request =
            hosts.iter().fold(Request::builder().uri(uri), |request, host| request.header(HOST, *host));
        request.body(()).unwrap()
    }

    #[test]
    fn only_requests_for_its_own_host_are_answered() {
        let own = HeaderValue::from_static("localhost:3000");
        assert!(is_for(&request("/", &["localhost:3000"]), &own));
        assert!(is_for(&request("http://localhost:3000/", &[]), &own), "HTTP/2");
        for (uri, hosts) in [
            ("/", &["localhost"] as &[&str]),
            ("/", &["127.0.0.1:3000"]),
            ("/", &["evil.example:3000"]),
            ("/", &["localhost:3000", "evil.example"]),
            ("/", &[]),
            ("http://evil.example/", &["localhost:3000"]),
            ("http://evil.example/", &[]),
        ] {
            assert!(!is_for(&request(uri, hosts), &own), "{uri} {hosts:?}");
        }
    }
}
