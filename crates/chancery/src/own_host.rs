//! A service that answers under one host name only, and to this machine only.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use chancery_http::{Html, Peer};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

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

/// The answer to a request for another host, in the form that whoever asks can show: a page with a link for a person, the JSON of
/// an OAuth error for a library (RFC 6749 section 5.2), and else a line.
pub(crate) fn misdirected<B>(request: &Request<B>, authority: &HeaderValue) -> Response<Full<Bytes>> {
    let name = authority.to_str().unwrap_or("its own name");
    let why = format!("this development provider answers only to http://{name}");
    let accepted =
        request.headers().get(ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    let (content_type, body) = if accepted.contains("text/html") {
        let address = Html::escape(&format!("http://{name}/"));
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Another address</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><h1>Another address</h1>\
             <p>This development provider answers only at <a href=\"{address}\">{address}</a></p></html>\n"
        );
        ("text/html; charset=utf-8", page)
    } else if accepted.contains("json") {
        let error = serde_json::json!({ "error": "invalid_request", "error_description": why });
        ("application/json", error.to_string())
    } else {
        (PLAIN_TEXT, format!("{why}\n"))
    };
    let mut response = refused(StatusCode::MISDIRECTED_REQUEST, body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(
        "content-security-policy",
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    // A script that has the name wrong reads why, in the place of a complaint about its origin. It learns nothing else.
    response.headers_mut().insert("access-control-allow-origin", HeaderValue::from_static("*"));
    response
}

fn refused(status: StatusCode, why: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(why)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PLAIN_TEXT));
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
            misdirected(&request, &self.authority)
        };
        let answer: Ready<Result<_, Infallible>> = ready(Ok(answer));
        Box::pin(answer)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn request(uri: &str, hosts: &[&str]) -> Request<()> {
        let request =
            hosts.iter().fold(Request::builder().uri(uri), |request, host| request.header(HOST, *host));
        request.body(()).unwrap()
    }

    /// A person gets a link, oidc-client-ts, which shows the description of an OAuth error, that error, and curl a line.
    #[tokio::test]
    async fn another_host_is_told_the_right_one_in_a_form_that_can_be_shown() {
        let own = HeaderValue::from_static("localhost:3000");
        for (accepted, content_type, part) in [
            (
                "text/html,application/xhtml+xml,*/*;q=0.8",
                "text/html; charset=utf-8",
                "<a href=\"http://localhost:3000/\">",
            ),
            (
                "application/json",
                "application/json",
                "\"error_description\":\"this development provider answers only to http://localhost:3000\"",
            ),
            (
                "*/*",
                "text/plain; charset=utf-8",
                "this development provider answers only to http://localhost:3000\n",
            ),
        ] {
            let mut request = request("/", &["127.0.0.1:3000"]);
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accepted));
            let answer = misdirected(&request, &own);
            assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
            assert_eq!(answer.headers().get(CONTENT_TYPE).unwrap(), content_type);
            assert_eq!(answer.headers().get("access-control-allow-origin").unwrap(), "*");
            let body = String::from_utf8(answer.collect().await.unwrap().to_bytes().into()).unwrap();
            assert!(body.contains(part), "{body}");
        }
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
