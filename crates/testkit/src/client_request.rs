//! What a client's own program sends: token, introspection, revocation and UserInfo requests.

use bytes::Bytes;
use chancery_http::PeerCertificate;
use chancery_types::params;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request};

use crate::answer::Answer;
use crate::certificates::TestCertificate;
use crate::clients::Registration;
use crate::provider::TestProvider;

/// A form that a client posts. It authenticates as it is registered, unless it is told otherwise.
#[derive(Clone)]
pub struct ClientRequest<'k> {
    kit: &'k TestProvider,
    method: Method,
    path: String,
    parameters: Vec<(String, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    authentication: Option<Registration>,
    certificate: Option<PeerCertificate>,
}

impl<'k> ClientRequest<'k> {
    pub(crate) fn new(kit: &'k TestProvider, path: &str, client: Option<Registration>) -> Self {
        let (path, parameters, headers) = (path.to_owned(), Vec::new(), Vec::new());
        Self {
            kit,
            method: Method::POST,
            path,
            parameters,
            headers,
            authentication: client,
            certificate: None,
        }
    }

    /// With a parameter, also a second one of the same name.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this value in the place of all others of the parameter.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).param(name, value)
    }

    /// Without a parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(have, _)| have != name);
        self
    }

    /// With a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        self.headers.push((name, HeaderValue::from_str(value).expect("a header value")));
        self
    }

    /// With the method GET; parameters stand in the query then.
    #[must_use]
    pub fn get(mut self) -> Self {
        self.method = Method::GET;
        self
    }

    /// Without any client authentication, not even `client_id`.
    #[must_use]
    pub fn unauthenticated(mut self) -> Self {
        self.authentication = None;
        self
    }

    /// With another secret than the right one.
    #[must_use]
    pub fn secret(self, secret: &str) -> Self {
        self.authentication(|registration| registration.secret = Some(secret.to_owned()))
    }

    /// By another method than the registered one: `client_secret_basic`, `client_secret_post` or `none`.
    #[must_use]
    pub fn by_method(self, method: &str) -> Self {
        self.authentication(|registration| registration.method = method.to_owned())
    }

    /// Over a connection on which the client has shown this certificate.
    #[must_use]
    pub fn certificate(mut self, certificate: &TestCertificate) -> Self {
        self.certificate = Some(certificate.shown());
        self
    }

    /// With this assertion as the client's authentication (RFC 7523 section 2.2), and no other.
    #[must_use]
    pub fn assertion(mut self, assertion: &str) -> Self {
        self.authentication = None;
        let jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        self.set("client_assertion", assertion).set("client_assertion_type", jwt_bearer)
    }

    /// Where it goes: the provider, the method and the path.
    pub(crate) fn target(&self) -> (&'k TestProvider, Method, String) {
        (self.kit, self.method.clone(), self.path.clone())
    }

    fn authentication(mut self, change: impl FnOnce(&mut Registration)) -> Self {
        change(self.authentication.as_mut().expect("a client that authenticates"));
        self
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn to_http(&self) -> Request<Bytes> {
        let mut parameters: Vec<(&str, &str)> =
            self.parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let mut headers = self.headers.clone();
        if let Some(client) = &self.authentication {
            let secret = client.secret.as_deref().unwrap_or("");
            match client.method.as_str() {
                "client_secret_basic" => headers.push((AUTHORIZATION, basic(&client.client_id, secret))),
                "client_secret_post" => {
                    parameters.extend([("client_id", client.client_id.as_str()), ("client_secret", secret)]);
                }
                "none" | "tls_client_auth" | "self_signed_tls_client_auth" => {
                    parameters.push(("client_id", &client.client_id))
                }
                other => panic!("the kit does not know the method {other}"),
            }
        }
        let form = params::encode(parameters.into_iter());
        let (target, body) = match (&self.method, form.is_empty()) {
            (&Method::GET, false) => (format!("{}?{form}", self.path), String::new()),
            (&Method::GET, true) => (self.path.clone(), String::new()),
            _ => (self.path.clone(), form),
        };
        if self.method == Method::POST && !headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")));
        }
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = target.parse().expect("a target");
        if let Some(certificate) = &self.certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        for (name, value) in headers {
            request.headers_mut().append(name, value);
        }
        request
    }

    /// Sends it.
    #[must_use]
    pub fn send(&self) -> Answer {
        self.kit.send(self.to_http())
    }
}

impl From<ClientRequest<'_>> for Request<Bytes> {
    fn from(request: ClientRequest<'_>) -> Self {
        request.to_http()
    }
}

/// The Authorization header of `client_secret_basic`: both parts form-encoded (RFC 6749 section 2.3.1).
#[must_use]
pub fn basic(client_id: &str, secret: &str) -> HeaderValue {
    let encoded = |text: &str| params::encode([("", text)].into_iter()).trim_start_matches('=').to_owned();
    let pair = format!("{}:{}", encoded(client_id), encoded(secret));
    HeaderValue::from_str(&format!("Basic {}", base64(pair.as_bytes()))).expect("base64 is ASCII")
}

/// Base64 with padding (RFC 4648 section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    let url_safe = chancery_jose::base64url::encode(bytes).replace('-', "+").replace('_', "/");
    let padding = "=".repeat((4 - url_safe.len() % 4) % 4);
    url_safe + &padding
}
