//! Requests to other servers, for clients' keys, request objects and metadata documents, and for sending them
//! notices.
//!
//! The address may have been chosen by a stranger. How it is reached (proxies, time limits, forbidden
//! networks) is decided by the implementation; how large a response may be is decided here.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

use crate::error::Fault;

/// The media type of a form (RFC 6749 appendix B).
const FORM: &str = "application/x-www-form-urlencoded";

/// One request to another server. It is printed without what may be secret: the query, the body and who asks.
#[derive(Clone, PartialEq, Eq)]
pub struct FetchRequest<'a> {
    url: &'a str,
    accept: &'static str,
    body: Option<&'a str>,
    content_type: &'static str,
    authorization: Option<&'a str>,
    traceparent: Option<&'a str>,
    wants_document: bool,
    longest: usize,
    is_of_stranger: bool,
}

impl<'a> FetchRequest<'a> {
    /// Gets a document of at most this many bytes. `accept` lists the media types that it may have, with commas
    /// between them.
    #[must_use]
    pub fn get(url: &'a str, accept: &'static str, longest: usize) -> Self {
        Self {
            url,
            accept,
            body: None,
            content_type: FORM,
            authorization: None,
            traceparent: None,
            wants_document: true,
            longest,
            is_of_stranger: false,
        }
    }

    /// Posts a form. Only the status of the response is of interest.
    #[must_use]
    pub fn post(url: &'a str, form: &'a str) -> Self {
        Self { body: Some(form), wants_document: false, ..Self::get(url, "*/*", 0) }
    }

    /// Posts a JSON document. Only the status of the response is of interest.
    #[must_use]
    pub fn post_json(url: &'a str, document: &'a str) -> Self {
        Self { content_type: "application/json", ..Self::post(url, document) }
    }

    /// Posts a form that asks for a document, as [`FetchRequest::get`] does (RFC 7662 section 2.1).
    #[must_use]
    pub fn query(url: &'a str, form: &'a str, accept: &'static str, longest: usize) -> Self {
        Self { body: Some(form), ..Self::get(url, accept, longest) }
    }

    /// Says who asks, by the header `Authorization`.
    #[must_use]
    pub fn authorized(self, authorization: &'a str) -> Self {
        Self { authorization: Some(authorization), ..self }
    }

    /// The header `Authorization`.
    #[must_use]
    pub fn authorization(&self) -> Option<&'a str> {
        self.authorization
    }

    /// Says of which trace it is a part, by the header `traceparent` (W3C Trace Context section 3.2).
    #[must_use]
    pub fn traced(self, traceparent: &'a str) -> Self {
        Self { traceparent: Some(traceparent), ..self }
    }

    /// The header `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> Option<&'a str> {
        self.traceparent
    }

    /// Says whether a stranger has chosen the address: a client that has registered itself.
    #[must_use]
    pub fn of_stranger(self, is_of_stranger: bool) -> Self {
        Self { is_of_stranger, ..self }
    }

    /// Whether a stranger has chosen the address. What an operator has opened for the clients that he has registered
    /// is not open to everybody who can register one.
    #[must_use]
    pub fn is_of_stranger(&self) -> bool {
        self.is_of_stranger
    }

    /// The address.
    #[must_use]
    pub fn url(&self) -> &'a str {
        self.url
    }

    /// The address without its query, which may be a secret: for messages and logs.
    #[must_use]
    pub fn place(&self) -> &'a str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    /// The header `Accept`. A document of any other media type is treated like no response.
    #[must_use]
    pub fn accept(&self) -> &'static str {
        self.accept
    }

    /// The body of a POST; without one the request is a GET.
    #[must_use]
    pub fn body(&self) -> Option<&'a str> {
        self.body
    }

    /// The media type of the body.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// How many bytes of a document are accepted.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Whether the body of a response with this status is the document that was asked for. Any other body is of
    /// no use, and is not read.
    #[must_use]
    pub fn is_document(&self, status: u16) -> bool {
        self.wants_document && status == 200
    }

    /// The response, if its document is not too long.
    ///
    /// # Errors
    /// [`Fault::unavailable`] if the response is larger than we can use, which is treated like no response.
    pub fn answered(&self, status: u16, body: Bytes) -> Result<FetchResponse, Fault> {
        let body = if self.is_document(status) { body } else { Bytes::new() };
        if body.len() > self.longest {
            return Err(Fault::unavailable(format!(
                "{} answered more than {} bytes",
                self.place(),
                self.longest
            )));
        }
        Ok(FetchResponse { status, body, content_type: None, fresh_for: None })
    }
}

impl fmt::Debug for FetchRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printed = f.debug_struct("FetchRequest");
        printed.field("place", &self.place()).field("is_post", &self.body.is_some()).finish_non_exhaustive()
    }
}

/// The response of another server. Its size is bounded by the request that it was made from. It is printed
/// without its document.
#[derive(Clone, PartialEq, Eq)]
pub struct FetchResponse {
    status: u16,
    body: Bytes,
    content_type: Option<Box<str>>,
    fresh_for: Option<Duration>,
}

impl FetchResponse {
    /// Sets its media type, as sent.
    #[must_use]
    pub fn with_content_type(self, content_type: impl Into<Box<str>>) -> Self {
        Self { content_type: Some(content_type.into()), ..self }
    }

    /// Sets the time for which it may be cached (RFC 9111 section 4.2).
    #[must_use]
    pub fn with_fresh_for(self, fresh_for: Duration) -> Self {
        Self { fresh_for: Some(fresh_for), ..self }
    }

    /// The status code. Redirects are not followed, but returned like any other response.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The document; empty unless the status is 200, and if none was asked for.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The media type, as sent.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// For how long it may be cached, if the server said so.
    #[must_use]
    pub fn fresh_for(&self) -> Option<Duration> {
        self.fresh_for
    }
}

impl fmt::Debug for FetchResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printed = f.debug_struct("FetchResponse");
        printed.field("status", &self.status).field("length", &self.body.len()).finish_non_exhaustive()
    }
}

/// Sends requests to other servers. This is a port, because the engine has no network access.
pub trait Fetch: Send + Sync {
    /// Sends one request, follows no redirect, and gives up by itself after a time. If the caller gives up earlier, a
    /// request for a document goes on, and what comes is the answer to the next one: otherwise whoever ends their
    /// requests at once has us ask another server without a pause.
    fn fetch(&self, request: &FetchRequest<'_>) -> impl Future<Output = Result<FetchResponse, Fault>> + Send;

    /// Whether it reaches anybody, so that a client that depends on it can be refused when it is registered.
    fn reaches_others(&self) -> bool {
        true
    }

    /// Why it would never ask this address, whoever answers there; `None` if it would. By default it would ask any.
    fn refuses(&self, _url: &str) -> Option<Fault> {
        None
    }
}

chancery_types::port_object! {
    /// [`Fetch`] as an object, as the engine holds it: whatever implements that trait is one.
    pub trait DynFetch for Fetch {
        async fn fetch<'a>(&'a self, request: &'a FetchRequest<'a>) -> Result<FetchResponse, Fault>;
        fn reaches_others(&self) -> bool;
        fn refuses(&self, url: &str) -> Option<Fault>;
    }
}

/// Gets a document.
///
/// # Errors
/// [`Fault::unavailable`] for every response that has none, a redirect included.
pub(crate) async fn document(
    fetch: &dyn DynFetch,
    request: &FetchRequest<'_>,
) -> Result<FetchResponse, Fault> {
    let answer = fetch.fetch(request).await?;
    if !request.is_document(answer.status()) {
        return Err(Fault::unavailable(format!("{} answered {}", request.place(), answer.status())));
    }
    Ok(answer)
}

/// Reaches no server, which is the default. Whatever needs another server is unavailable.
#[derive(Clone, Copy, Debug)]
pub struct NoFetch;

impl Fetch for NoFetch {
    fn reaches_others(&self) -> bool {
        false
    }

    async fn fetch(&self, request: &FetchRequest<'_>) -> Result<FetchResponse, Fault> {
        Err(Fault::unavailable(format!("{} is not asked: the provider has no Fetch", request.place())))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::error::FaultKind;

    #[test]
    fn an_answer_is_no_longer_than_was_asked_for() {
        let request = FetchRequest::get("https://client.example/jwks", "application/json", 4);
        for (body, is_taken) in [("", true), ("1234", true), ("12345", false)] {
            let answer = request.answered(200, Bytes::from_static(body.as_bytes()));
            assert_eq!(answer.is_ok(), is_taken, "{body:?}");
            assert!(answer.is_ok_and(|answer| &**answer.body() == body.as_bytes()) == is_taken);
        }
    }

    #[test]
    fn only_a_document_that_was_asked_for_has_a_body() {
        let get = FetchRequest::get("https://client.example/jwks", "application/json", 4);
        let post = FetchRequest::post("https://client.example/logout", "logout_token=x");
        for (request, status, body) in
            [(&get, 200, "1234"), (&get, 404, ""), (&get, 302, ""), (&get, 206, ""), (&post, 200, "")]
        {
            let sent = if body.is_empty() { "a page for people" } else { body };
            let answer = request.answered(status, Bytes::from_static(sent.as_bytes()));
            assert!(
                answer.is_ok_and(|answer| answer.status() == status && &**answer.body() == body.as_bytes()),
                "{request:?}: {status}"
            );
        }
    }

    /// A query may be a secret, and the form of a logout notice is its token.
    #[test]
    fn what_is_printed_has_no_secrets() {
        let get = FetchRequest::get("https://client.example/jwks?key=secret", "application/json", 1);
        let post = FetchRequest::post("https://client.example/out?key=secret", "logout_token=secret");
        assert_eq!(get.place(), "https://client.example/jwks");
        let too_long = get.answered(200, Bytes::from_static(b"secret")).map_err(|fault| fault.to_string());
        let answered = FetchRequest::get("https://client.example/", "text/plain", 9)
            .answered(200, Bytes::from_static(b"secret"));
        for printed in
            [format!("{get:?}"), format!("{post:?}"), format!("{too_long:?}"), format!("{answered:?}")]
        {
            assert!(!printed.contains("secret"), "{printed}");
        }
    }

    #[test]
    fn by_default_nobody_is_asked() {
        let request = FetchRequest::post("https://client.example/logout", "logout_token=x");
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let answer = pin!(Fetch::fetch(&NoFetch, &request)).poll(&mut context);
        assert!(
            matches!(answer, std::task::Poll::Ready(Err(fault)) if fault.kind() == FaultKind::Unavailable)
        );
        assert!(!Fetch::reaches_others(&NoFetch));
    }
}
