//! What somebody sends who registers a client and manages it.

use bytes::Bytes;
use chancery_core::ports::Registry as _;
use chancery_store::Revision;
use chancery_types::ClientId;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use serde_json::Value;

use crate::answer::Answer;
use crate::interleaved::wait;
use crate::provider::TestProvider;

/// A request with a JSON body.
#[must_use]
pub fn json_request(method: &Method, path: &str, token: Option<&str>, body: &[u8]) -> Request<Bytes> {
    let mut request = Request::new(Bytes::copy_from_slice(body));
    *request.method_mut() = method.clone();
    *request.uri_mut() = path.parse().expect("a target");
    let headers = request.headers_mut();
    if !body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(token) = token {
        let value = HeaderValue::from_str(&format!("Bearer {token}")).expect("a header value");
        headers.insert(AUTHORIZATION, value);
    }
    request
}

impl TestProvider {
    /// A registration of this client.
    #[must_use]
    pub fn registration_request(&self, metadata: &Value) -> Request<Bytes> {
        json_request(&Method::POST, &self.path("/register"), None, metadata.to_string().as_bytes())
    }

    /// Somebody registers this client. If it was registered, the kit can act as it from now on.
    pub fn register(&self, metadata: &Value) -> Answer {
        let answer = self.send(self.registration_request(metadata));
        if answer.status == 201 {
            self.know_client(answer.text());
        }
        answer
    }

    /// What a client sends to its configuration endpoint, with the token that it was given last.
    #[must_use]
    pub fn management_request(
        &self,
        method: &Method,
        given: &Answer,
        body: Option<&Value>,
    ) -> Request<Bytes> {
        let path = given.member("registration_client_uri");
        let path = path.strip_prefix(self.issuer().as_str()).expect("a URL of the issuer");
        let body = body.map(Value::to_string).unwrap_or_default();
        json_request(
            method,
            &self.path(path),
            Some(given.member("registration_access_token")),
            body.as_bytes(),
        )
    }

    /// How many clients there are.
    #[must_use]
    pub fn clients(&self) -> usize {
        wait(self.registry.clients(&self.env().realm, None, usize::MAX)).expect("the registry").len()
    }

    /// Which write of the client's registration was the last.
    #[must_use]
    pub fn client_revision(&self, client_id: &str) -> Revision {
        let id = ClientId::parse(client_id).expect("a client_id");
        let client = wait(self.registry.client(&self.env().realm, &id)).expect("the registry");
        client.expect("a client").revision()
    }
}
