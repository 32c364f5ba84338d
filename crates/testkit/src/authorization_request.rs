//! What a client sends a person away with, and what comes back to it.

use bytes::Bytes;
use chancery_jose::{base64url, sha256};
use chancery_types::params;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};

use crate::clients::Registration;
use crate::provider::TestProvider;
use crate::user_agent::{Tab, UserAgent};

/// An authorization request. It begins with what every request of the client has: `response_type=code`,
/// `client_id`, the first registered `redirect_uri`, `state`, and PKCE unless the client is registered with
/// `pkce_optional`.
#[derive(Clone)]
pub struct AuthorizationRequest {
    path: String,
    pub(crate) client: String,
    pub(crate) parameters: Vec<(String, String)>,
    /// What the request object of the request holds, if it has one.
    inside: Option<Vec<(String, String)>>,
    verifier: Option<String>,
}

impl AuthorizationRequest {
    /// The redirect URI of a native client gets a port, as such a client would choose one.
    pub(crate) fn new(kit: &TestProvider, client: &Registration) -> Self {
        let path = kit.path("/authorize");
        let mut request = Self {
            path,
            client: client.client_id.clone(),
            parameters: Vec::new(),
            inside: None,
            verifier: None,
        };
        request = request.set("response_type", "code").set("client_id", &client.client_id);
        if let Some(uri) = client.redirect_uris.first() {
            request =
                request.set("redirect_uri", &uri.replace("http://127.0.0.1/", "http://127.0.0.1:4711/"));
        }
        request = request.set("state", "a state of the client");
        if client.is_pkce_optional {
            return request;
        }
        let verifier = base64url::encode(sha256(&kit.random.next().to_le_bytes()));
        request.pkce(&verifier)
    }

    /// With this value in the place of all others of the parameter.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).param(name, value)
    }

    /// With a parameter, also a second one of the same name.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(have, _)| have != name);
        self
    }

    /// With this scope.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.set("scope", scope)
    }

    /// With this verifier and its challenge by S256.
    #[must_use]
    pub fn pkce(mut self, verifier: &str) -> Self {
        self.verifier = Some(verifier.to_owned());
        let challenge = base64url::encode(sha256(verifier.as_bytes()));
        self.set("code_challenge", &challenge).set("code_challenge_method", "S256")
    }

    /// Without PKCE.
    #[must_use]
    pub fn without_pkce(mut self) -> Self {
        self.verifier = None;
        self.without("code_challenge").without("code_challenge_method")
    }

    /// The same request by a request object, which holds its parameters: beside it stands `client_id` alone (RFC
    /// 9101 section 5).
    #[must_use]
    pub fn by_value(mut self, request_object: &str) -> Self {
        self.inside = Some(self.parameters.clone());
        self.parameters.retain(|(name, _)| name == "client_id");
        self.param("request", request_object)
    }

    /// The same request by a reference to its request object, or to where it was pushed: beside it stands `client_id`
    /// alone.
    #[must_use]
    pub fn by_reference(mut self, request_uri: &str) -> Self {
        self.inside = self.inside.or_else(|| Some(self.parameters.clone()));
        self.parameters.retain(|(name, _)| name == "client_id");
        self.param("request_uri", request_uri)
    }

    /// The value of a parameter.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The values of a parameter in the request object, or else outside.
    pub(crate) fn meant(&self, name: &str) -> impl Iterator<Item = &str> {
        let all = self.inside.as_ref().unwrap_or(&self.parameters).iter();
        all.filter(move |(have, value)| have == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The parameters, form-encoded.
    #[must_use]
    pub fn encode(&self) -> String {
        params::encode(self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// As a GET without any cookie.
    #[must_use]
    pub fn to_http(&self) -> Request<Bytes> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = format!("{}?{}", self.path, self.encode()).parse().expect("a target");
        request
    }

    /// As a POST without any cookie.
    #[must_use]
    pub fn to_http_post(&self) -> Request<Bytes> {
        let mut request = Request::new(Bytes::from(self.encode()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.parse().expect("a target");
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        request
    }

    /// Follows the client's link in a new tab of this browser.
    #[must_use]
    pub fn open<'u, 'k>(&self, ua: &'u UserAgent<'k>) -> Tab<'u, 'k> {
        ua.open(self)
    }

    /// The client's page posts it from its own site (OIDC Core section 3.1.2.1).
    #[must_use]
    pub fn post<'u, 'k>(&self, ua: &'u UserAgent<'k>) -> Tab<'u, 'k> {
        ua.post(self)
    }

    /// The `code_verifier`, if there is a challenge.
    #[must_use]
    pub fn verifier(&self) -> Option<&str> {
        self.verifier.as_deref()
    }
}

impl From<AuthorizationRequest> for Request<Bytes> {
    fn from(request: AuthorizationRequest) -> Self {
        request.to_http()
    }
}

/// What reached the client through its redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// How it was carried: `query`, `fragment`, `form_post` or `web_message`.
    pub mode: &'static str,
    /// The address, without what the response added; of a message the origin.
    pub uri: String,
    /// All parameters in the order of the wire, also those that the redirect URI had before.
    pub parameters: Vec<(String, String)>,
}

impl Arrival {
    /// The value of a parameter that is there once.
    #[track_caller]
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut values =
            self.parameters.iter().filter(|(have, _)| have == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} is there twice");
        value
    }

    /// The names in the order of the wire.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.parameters.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// A code, and what its client has to show with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub code: String,
    /// Whose.
    pub client: String,
    /// `redirect_uri`, if the request had one.
    pub redirect_uri: Option<String>,
    /// `code_verifier`, if the request had a challenge.
    pub verifier: Option<String>,
}
