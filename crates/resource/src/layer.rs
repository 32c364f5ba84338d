//! The layer around an API, and the answers of those requests that it does not let through.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chancery_core::error::Failure;
use chancery_core::model::{AccessToken, Acr};
use chancery_http::{Challenge, token_challenge};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower_layer::Layer;
use tower_service::Service;

use crate::demands::Demands;
use crate::protected_resource::{Inner, ProtectedResource};
use crate::request_head::RequestHead;

/// Lets a request through only with an access token that is good for a resource, and enough for a route of it.
#[derive(Clone)]
pub struct RequireToken {
    resource: ProtectedResource,
    demands: Arc<Demands>,
}

impl RequireToken {
    pub(crate) fn new(resource: ProtectedResource, demands: Demands) -> Self {
        Self { resource, demands: Arc::new(demands) }
    }

    /// Demands as well that the person has authenticated in one of these ways, the best first (RFC 9470 section 3).
    #[must_use]
    pub fn acr_values<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        Arc::make_mut(&mut self.demands).authentication.acr_values =
            values.into_iter().map(|acr| Acr(acr.into())).collect();
        self
    }

    /// Demands as well that the person has authenticated no longer ago than this, in whole seconds (RFC 9470 section 3).
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        Arc::make_mut(&mut self.demands).authentication.max_age = Some(Duration::from_secs(age.as_secs()));
        self
    }

    /// As [`ProtectedResource::access_token`], for a token that has to meet these demands, too.
    ///
    /// # Errors
    /// The answer for whoever has sent the request.
    pub async fn access_token<'r>(
        &self,
        request: impl Into<RequestHead<'r>>,
    ) -> Result<AccessToken, Response<Full<Bytes>>> {
        let (inner, head) = (&self.resource.inner, request.into());
        let now = inner.now();
        let found = match inner.admitted(&head) {
            Some(token) => inner.demand(token, &self.demands, now).map(|()| token.clone()),
            None => inner.judge(&head, &self.demands, now).await,
        };
        found.map_err(|failure| refusal(inner, &head, failure))
    }

    /// The same where the head of the request is at hand to be changed, as in an extractor: the token is kept in its
    /// extensions, so that it is judged once for each request.
    ///
    /// # Errors
    /// The answer for whoever has sent the request.
    pub async fn access_token_of(&self, parts: &mut Parts) -> Result<AccessToken, Response<Full<Bytes>>> {
        let token = self.access_token(&*parts).await?;
        self.resource.inner.admit(parts, token.clone());
        Ok(token)
    }
}

impl<S> Layer<S> for RequireToken {
    type Service = Protected<S>;

    fn layer(&self, service: S) -> Protected<S> {
        Protected { service, required: self.clone() }
    }
}

/// A service behind [`RequireToken`].
#[derive(Clone)]
pub struct Protected<S> {
    service: S,
    required: RequireToken,
}

/// Why a request was not let through: in the extensions of its answer, for logs.
#[derive(Clone, Debug)]
pub struct Refused(pub Failure);

/// The token that a layer of this resource has found good, in the extensions of a request that has more layers before
/// it. The application cannot make one, so that nothing in between decides about what counts.
#[derive(Clone)]
struct Admitted {
    by: Arc<Inner>,
    token: Arc<AccessToken>,
}

impl Inner {
    /// The token of a request that was found good before.
    fn admitted<'r>(self: &Arc<Self>, head: &RequestHead<'r>) -> Option<&'r AccessToken> {
        let admitted =
            head.extensions?.get::<Admitted>().filter(|admitted| Arc::ptr_eq(&admitted.by, self))?;
        Some(&admitted.token)
    }

    /// Leaves the token in the extensions of the request.
    fn admit(self: &Arc<Self>, parts: &mut Parts, token: AccessToken) {
        parts.extensions.insert(Admitted { by: Arc::clone(self), token: Arc::new(token.clone()) });
        parts.extensions.insert(token);
    }
}

impl<S, B, R> Service<Request<B>> for Protected<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Send + 'static,
    R: From<Bytes> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let metadata = &self.required.resource.inner.metadata;
        if request.uri().path() == &*metadata.path {
            return Box::pin(ready(Ok(metadata.answer(request.method()))));
        }
        // The one that was found ready goes along, and a copy of it stays.
        let copy = self.service.clone();
        let mut service = std::mem::replace(&mut self.service, copy);
        let required = self.required.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match required.access_token(&parts).await {
                Ok(token) => {
                    required.resource.inner.admit(&mut parts, token);
                    service.call(Request::from_parts(parts, body)).await
                }
                Err(refusal) => {
                    let (head, body) = refusal.into_parts();
                    let Ok(body) = body.collect().await;
                    Ok(Response::from_parts(head, R::from(body.to_bytes())))
                }
            }
        })
    }
}

/// The answer (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3, RFC 9728 section 5.1).
fn refusal(inner: &Inner, head: &RequestHead<'_>, failure: Failure) -> Response<Full<Bytes>> {
    let is_of_dpop = |value: &http::HeaderValue| {
        value
            .as_bytes()
            .split(|byte| *byte == b' ')
            .next()
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"DPoP"))
    };
    let challenge = Challenge {
        realm: inner.expected.audience.as_str(),
        dpop: inner.dpop_algorithms.as_deref(),
        uses_dpop: head.headers.contains_key("dpop")
            || head.headers.get(AUTHORIZATION).is_some_and(is_of_dpop),
        metadata: Some(&inner.metadata.url),
    };
    let mut answer = token_challenge(&failure, &challenge);
    answer.extensions_mut().insert(Refused(failure));
    answer
}
