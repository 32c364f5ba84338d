//! Several realms behind one Service, mounted as an application would mount them.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use chancery_http::Service;
use chancery_types::Issuer;
use http::header::HOST;
use http::{Request, Response, StatusCode};
use http_body_util::Full;

/// One `tower::Service` for the realms whose providers were built with
/// [`behind`](crate::TestProviderBuilder::behind): a request reaches the realm whose issuer has its host and
/// the longest beginning of its path, and 404 answers what no realm has.
#[derive(Clone, Default)]
pub struct Realms(Arc<RwLock<Vec<(Issuer, Service)>>>);

impl Realms {
    pub(crate) fn mount(&self, issuer: Issuer, service: Service) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push((issuer, service));
    }

    fn find(&self, authority: &str, path: &str) -> Option<Service> {
        // RFC 8414 section 3.1: this well-known path stands before the issuer's path, not behind it.
        let path = path.strip_prefix("/.well-known/oauth-authorization-server").unwrap_or(path);
        let mounted = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let there = mounted.iter().filter(|(issuer, _)| {
            let is_below =
                path.strip_prefix(issuer.path()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            is_below && authority_of(issuer).eq_ignore_ascii_case(authority)
        });
        there.max_by_key(|(issuer, _)| issuer.path().len()).map(|(_, service)| service.clone())
    }
}

/// Host and port of an issuer, as the Host header has them.
pub(crate) fn authority_of(issuer: &Issuer) -> &str {
    issuer.origin().split_once("://").map_or("", |(_, authority)| authority)
}

impl tower_service::Service<Request<Full<Bytes>>> for Realms {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        // HTTP/2 puts the authority into the target, HTTP/1.1 into the Host header (RFC 9112 section 3.2).
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let authority = request.uri().authority().map(http::uri::Authority::as_str).or(host);
        match self.find(authority.unwrap_or_default(), request.uri().path()) {
            Some(mut realm) => realm.call(request),
            None => Box::pin(async {
                let mut nobody = Response::new(Full::default());
                *nobody.status_mut() = StatusCode::NOT_FOUND;
                Ok(nobody)
            }),
        }
    }
}
