//! An API behind the layer, and the provider that it trusts.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use chancery_core::error::{Failure, Fault};
use chancery_core::fetch::{Fetch, FetchRequest, FetchResponse};
use chancery_resource::{AccessToken, Builder, ProtectedResource, Refused, RequireToken};
use chancery_testkit::{TestProvider, TestProviderBuilder, wait};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_layer::Layer as _;
use tower_service::Service;

/// The identifier of the API, whose tokens are JWTs.
pub(crate) const API: &str = "https://jwt-api.example";

/// The provider's keys, and its metadata.
pub(crate) const JWKS: &str = "https://id.example/jwks";
pub(crate) const METADATA: &str = "https://id.example/.well-known/oauth-authorization-server";

/// The network: the provider, and what a test has put in its place.
pub(crate) struct Wire {
    kit: Arc<TestProvider>,
    instead: Mutex<HashMap<String, Option<(u16, String)>>>,
    asked: Mutex<Vec<String>>,
}

impl Wire {
    /// From now on this address answers so.
    pub(crate) fn answers(&self, url: &str, status: u16, body: impl Into<String>) {
        self.instead.lock().unwrap().insert(url.to_owned(), Some((status, body.into())));
    }

    /// From now on nobody is at this address, or nobody within reasonable time.
    pub(crate) fn hangs(&self, url: &str) {
        self.instead.lock().unwrap().insert(url.to_owned(), None);
    }

    /// From now on the provider answers again.
    pub(crate) fn recovers(&self) {
        self.instead.lock().unwrap().clear();
    }

    /// What was asked since this was called last.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Fetch for Wire {
    async fn fetch(&self, request: &FetchRequest<'_>) -> Result<FetchResponse, Fault> {
        let url = request.url();
        self.asked.lock().unwrap().push(url.to_owned());
        let instead = self.instead.lock().unwrap().get(url).cloned();
        let (status, body) = match instead {
            Some(Some((status, body))) => (status, Bytes::from(body)),
            Some(None) => {
                return Err(Fault::unavailable("nobody answers within five seconds"));
            }
            None => {
                let mut sent = Request::builder().uri(url.trim_start_matches("https://id.example"));
                if request.body().is_some() {
                    sent =
                        sent.method(Method::POST).header("content-type", "application/x-www-form-urlencoded");
                }
                if let Some(authorization) = request.authorization() {
                    sent = sent.header("authorization", authorization);
                }
                let form = request.body().unwrap_or_default().to_owned();
                let answer = self.kit.send(sent.body(Bytes::from(form)).unwrap());
                (answer.status.as_u16(), answer.body)
            }
        };
        request.answered(status, body)
    }
}

/// The API itself: it says what it knows of the token.
#[derive(Clone)]
pub(crate) struct Handler;

impl Service<Request<Full<Bytes>>> for Handler {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let token = request.extensions().get::<AccessToken>().expect("a token");
        let said = json!({"subject": &*token.subject, "client": token.client.as_str(),
            "scope": token.scopes.to_string(), "audience": token.audience,
            "issued_at": token.issued_at.map(|at| at.secs()), "expires_at": token.expires_at.map(|at| at.secs()),
            "auth_time": token.authenticated_at.map(|at| at.secs()), "acr": token.acr.as_ref().map(|acr| &*acr.0),
            "amr": token.amr.iter().map(|amr| amr.as_str()).collect::<Vec<_>>(),
            "claims": token.claims.iter().map(|(name, value)| (name.to_owned(), value.get().into()))
                .collect::<serde_json::Map<_, _>>()});
        ready(Ok(Response::new(Full::from(said.to_string()))))
    }
}

/// What came of a request to the API.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) challenge: String,
    pub(crate) body: Value,
    /// The reason, for logs.
    pub(crate) reason: String,
}

pub(crate) struct Api {
    pub(crate) kit: Arc<TestProvider>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) resource: ProtectedResource,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::with(TestProvider::builder(), |builder| builder)
    }

    /// An API that takes JWTs of this provider, over the network.
    pub(crate) fn with(kit: TestProviderBuilder, change: impl FnOnce(Builder) -> Builder) -> Self {
        Self::at(API, kit, change)
    }

    pub(crate) fn at(uri: &str, kit: TestProviderBuilder, change: impl FnOnce(Builder) -> Builder) -> Self {
        let kit = Arc::new(kit.build());
        let wire =
            Arc::new(Wire { kit: Arc::clone(&kit), instead: Mutex::default(), asked: Mutex::default() });
        let builder = ProtectedResource::trusting("https://id.example", Arc::<Wire>::clone(&wire));
        let builder = builder.clock(Arc::<chancery_testkit::HandClock>::clone(&kit.clock));
        let resource = change(builder).at(uri).unwrap();
        Self { kit, wire, resource }
    }

    /// A good token of a client's own for the API.
    pub(crate) fn token(&self, scope: &str) -> String {
        let request = self.kit.client_credentials_request("jwt").param("scope", scope);
        request.send().expect_status(200).member("access_token").to_owned()
    }

    /// The claims of a good token, as of now.
    pub(crate) fn claims(&self) -> Value {
        let now = self.kit.now().secs();
        json!({"iss": "https://id.example", "sub": "alice", "aud": API, "client_id": "jwt", "jti": "j1",
            "iat": now, "exp": now + 300, "scope": "read"})
    }

    /// A token with these claims, signed by the provider.
    pub(crate) fn signed(&self, claims: &Value) -> String {
        self.kit.sign(&json!({"typ": "at+jwt"}), claims)
    }

    pub(crate) fn get(&self, token: &str) -> Told {
        self.send(&self.resource.layer(), bearer(token))
    }

    /// What the API behind this layer answers.
    pub(crate) fn send(&self, layer: &RequireToken, request: Request<Full<Bytes>>) -> Told {
        told(layer.layer(Handler), request)
    }
}

/// A request with a token.
pub(crate) fn bearer(token: &str) -> Request<Full<Bytes>> {
    with_headers(&[("authorization", &format!("Bearer {token}"))])
}

pub(crate) fn with_headers(headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let request = Request::builder().uri("/notes?limit=5");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Full::default()).unwrap()
}

pub(crate) fn told<S>(mut service: S, request: Request<Full<Bytes>>) -> Told
where
    S: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    let Ok(answer) = wait(service.call(request));
    let (head, body) = answer.into_parts();
    let Ok(body) = wait(body.collect());
    let reason = head.extensions.get::<Refused>().map(|Refused(failure)| match failure {
        Failure::Refused(refusal) => refusal.reason.name.to_owned(),
        Failure::Broken(fault) => fault.to_string(),
    });
    let challenge = head.headers.get("www-authenticate").map_or("", |value| value.to_str().unwrap());
    Told {
        status: head.status.as_u16(),
        challenge: challenge.to_owned(),
        body: serde_json::from_slice(&body.to_bytes()).unwrap_or_default(),
        reason: reason.unwrap_or_default(),
    }
}
