//! What browsers and clients send to the provider, one line each.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};

use crate::answer::Answer;
use crate::authorization_request::{AuthorizationRequest, Code};
use crate::client_request::ClientRequest;
use crate::interleaved::wait;
use crate::provider::TestProvider;
use crate::user_agent::UserAgent;

impl TestProvider {
    /// A new browser.
    #[must_use]
    pub fn user_agent(&self) -> UserAgent<'_> {
        UserAgent::new(self)
    }

    /// A GET without cookies of a path below the issuer.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.path(path).parse().expect("a path");
        self.send(request)
    }

    /// What a worker does from time to time: removes what has expired, and says how many records.
    pub fn run_once(&self) -> u64 {
        wait(self.provider.run_once(self.now())).expect("the store")
    }

    /// A new browser that lives as long as the provider.
    #[must_use]
    pub fn lasting_user_agent(&self) -> &UserAgent<'_> {
        Box::leak(Box::new(self.user_agent()))
    }

    /// An authorization request of a client.
    #[must_use]
    pub fn authorization_request(&self, client: &str) -> AuthorizationRequest {
        AuthorizationRequest::new(self, &self.registration(client))
    }

    /// A request of a client to any path, without parameters.
    #[must_use]
    pub fn request(&self, path: &str, client: &str) -> ClientRequest<'_> {
        ClientRequest::new(self, &self.path(path), Some(self.registration(client)))
    }

    /// A request of nobody to any path, without parameters.
    #[must_use]
    pub fn anonymous_request(&self, path: &str) -> ClientRequest<'_> {
        ClientRequest::new(self, &self.path(path), None)
    }

    /// A token request of a client, without parameters.
    #[must_use]
    pub fn token_request(&self, client: &str) -> ClientRequest<'_> {
        self.request("/token", client)
    }

    /// The exchange of a code, with all that its client has to show.
    #[must_use]
    pub fn code_request(&self, code: &Code) -> ClientRequest<'_> {
        let mut request = self.token_request(&code.client).param("grant_type", "authorization_code");
        request = request.param("code", &code.code);
        for (name, value) in [("redirect_uri", &code.redirect_uri), ("code_verifier", &code.verifier)] {
            if let Some(value) = value {
                request = request.param(name, value);
            }
        }
        request
    }

    /// Exchanges a code.
    #[must_use]
    pub fn exchange(&self, code: &Code) -> Answer {
        self.code_request(code).send()
    }

    /// A refresh request.
    #[must_use]
    pub fn refresh_request(&self, client: &str, refresh_token: &str) -> ClientRequest<'_> {
        self.token_request(client).param("grant_type", "refresh_token").param("refresh_token", refresh_token)
    }

    /// Refreshes.
    #[must_use]
    pub fn refresh(&self, client: &str, refresh_token: &str) -> Answer {
        self.refresh_request(client, refresh_token).send()
    }

    /// A client_credentials request without a scope.
    #[must_use]
    pub fn client_credentials_request(&self, client: &str) -> ClientRequest<'_> {
        self.token_request(client).param("grant_type", "client_credentials")
    }

    /// The push of an authorization request by its client (RFC 9126 section 2.1).
    #[must_use]
    pub fn push_request(&self, request: &AuthorizationRequest) -> ClientRequest<'_> {
        let push = self.request("/par", &request.client);
        // The other methods send `client_id` themselves.
        let has_header = self.registration(&request.client).method == "client_secret_basic";
        let parameters = request.parameters.iter().filter(|(name, _)| has_header || name != "client_id");
        parameters.fold(push, |push, (name, value)| push.param(name, value))
    }

    /// Pushes an authorization request: what its client sends the person away with then.
    #[must_use]
    #[track_caller]
    pub fn push(&self, request: &AuthorizationRequest) -> AuthorizationRequest {
        let pushed = self.push_request(request).send().expect_status(201);
        request.clone().by_reference(pushed.member("request_uri"))
    }

    /// An introspection request.
    #[must_use]
    pub fn introspection_request(&self, client: &str, token: &str) -> ClientRequest<'_> {
        self.request("/introspect", client).param("token", token)
    }

    /// What the client learns about a token; always 200.
    #[must_use]
    #[track_caller]
    pub fn introspect(&self, client: &str, token: &str) -> Answer {
        self.introspection_request(client, token).send().expect_status(200)
    }

    /// Whether a token is worth anything to its own client.
    #[must_use]
    #[track_caller]
    pub fn is_active(&self, client: &str, token: &str) -> bool {
        self.introspect(client, token)["active"] == true
    }

    /// A revocation request.
    #[must_use]
    pub fn revocation_request(&self, client: &str, token: &str) -> ClientRequest<'_> {
        self.request("/revoke", client).param("token", token)
    }

    /// Revokes a token.
    #[must_use]
    pub fn revoke(&self, client: &str, token: &str) -> Answer {
        self.revocation_request(client, token).send()
    }

    /// UserInfo by GET with the token in the header.
    #[must_use]
    pub fn userinfo(&self, access_token: &str) -> Answer {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.path("/userinfo").parse().expect("a path");
        let bearer = HeaderValue::from_str(&format!("Bearer {access_token}")).expect("a header value");
        request.headers_mut().insert(AUTHORIZATION, bearer);
        self.send(request)
    }

    /// A code for a person who is signed in and has agreed to everything.
    #[must_use]
    #[track_caller]
    pub fn code(&self, account: &str, client: &str, scope: &str) -> Code {
        let ua = self.user_agent();
        ua.signed_in(account);
        ua.has_consented(account, client, scope);
        let request = self.authorization_request(client).scope(scope);
        let tab = request.open(&ua);
        // A native client is asked about each time (RFC 8252 section 8.6).
        if tab.page().name == "consent" { tab.allow().expect_code() } else { tab.expect_code() }
    }

    /// Tokens for a person who is signed in and has agreed to everything.
    #[must_use]
    #[track_caller]
    pub fn tokens(&self, account: &str, client: &str, scope: &str) -> Answer {
        self.exchange(&self.code(account, client, scope)).expect_status(200)
    }
}
