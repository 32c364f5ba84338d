//! A client that asks a person at another device (CIBA).

use chancery_core::interaction::approvals::reference;
use chancery_core::records::{BackchannelAuthenticationBody, Decision, Found};
use chancery_types::Key;
use chancery_types::handle::{AuthReqId, Handle};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client_key::ClientKey;
use crate::client_request::ClientRequest;
use crate::clients::SECRET;
use crate::interleaved::wait;
use crate::provider::TestProvider;

/// `grant_type` of CIBA (CIBA Core section 10.1).
pub const CIBA_GRANT: &str = "urn:openid:params:grant-type:ciba";

/// A request that waits for its person.
pub struct Backchannel<'k> {
    kit: &'k TestProvider,
    client: String,
    /// What the client was told.
    pub answer: Answer,
}

impl TestProvider {
    /// Registers a client that asks people at another device and nothing else, with these members besides. It
    /// authenticates with [`SECRET`], unless these say otherwise.
    ///
    /// # Panics
    /// When something is wrong with it.
    #[track_caller]
    pub fn put_ciba_client(&self, client: &str, mode: &str, more: Value) {
        let mut metadata = json!({"client_id": client, "client_name": format!("The {client}"),
            "client_secret": SECRET, "response_types": [], "grant_types": [CIBA_GRANT, "refresh_token"],
            "id_token_signed_response_alg": "ES256", "backchannel_token_delivery_mode": mode});
        if mode != "poll" {
            metadata["backchannel_client_notification_endpoint"] = notification_endpoint(client).into();
        }
        if let (Some(metadata), Value::Object(more)) = (metadata.as_object_mut(), more) {
            metadata.extend(more);
        }
        self.put_client(&metadata.to_string());
    }

    /// A request of this client, with these scopes and alice's name.
    #[must_use]
    pub fn backchannel_request(&self, client: &str, scope: &str) -> ClientRequest<'_> {
        self.request("/backchannel", client).param("scope", scope).param("login_hint", "alice")
    }

    /// A request of this client that waits for alice. One that is told of the answer has sent its token.
    #[must_use]
    #[track_caller]
    pub fn backchannel(&self, client: &str, scope: &str) -> Backchannel<'_> {
        let token = notification_token(client);
        self.backchannel_by(
            client,
            self.backchannel_request(client, scope).param("client_notification_token", &token),
        )
    }

    /// What waits after this request.
    #[must_use]
    #[track_caller]
    pub fn backchannel_by(&self, client: &str, request: ClientRequest<'_>) -> Backchannel<'_> {
        let answer = request.send().expect_status(200);
        Backchannel { kit: self, client: client.to_owned(), answer }
    }
}

/// Where a client is told.
#[must_use]
pub fn notification_endpoint(client: &str) -> String {
    format!("https://{client}.example/ciba")
}

/// What a client knows us by there.
#[must_use]
pub fn notification_token(client: &str) -> String {
    format!("8d67dc78-7faa-4d41-aabd-67707b374255.{client}")
}

impl ClientKey {
    /// A signed authentication request (CIBA Core section 7.1.1): these parameters, and everything that it says of
    /// itself.
    #[must_use]
    pub fn authentication_request(&self, kit: &TestProvider, client: &str, parameters: &Value) -> Value {
        let now = kit.now().secs();
        let mut claims = json!({"iss": client, "aud": kit.issuer().as_str(), "exp": now + 300, "iat": now, "nbf": now,
            "jti": format!("request of {now}")});
        if let (Some(claims), Value::Object(parameters)) = (claims.as_object_mut(), parameters.clone()) {
            claims.extend(parameters);
        }
        claims
    }
}

impl<'k> Backchannel<'k> {
    /// `auth_req_id`
    #[must_use]
    pub fn id(&self) -> &str {
        self.answer.member("auth_req_id")
    }

    /// The page on which its person decides.
    #[must_use]
    #[track_caller]
    pub fn link(&self) -> String {
        format!("/approvals/{}", reference(&self.key()))
    }

    /// The key of its record.
    ///
    /// # Panics
    /// If the client was told something that is no `auth_req_id`.
    #[must_use]
    #[track_caller]
    fn key(&self) -> Key {
        Handle::<AuthReqId>::parse(self.id()).expect("an auth_req_id").key(&self.kit.env().realm)
    }

    /// Its record.
    ///
    /// # Panics
    /// When there is none any more.
    #[must_use]
    #[track_caller]
    pub fn found(&self) -> Found<BackchannelAuthenticationBody> {
        let records = self.kit.env().records();
        wait(records.get(self.kit.now(), self.key())).expect("a store").expect("a record")
    }

    /// What was decided.
    #[must_use]
    #[track_caller]
    pub fn decision(&self) -> Option<Decision> {
        self.found().body.awaited.decision
    }

    /// Nothing was decided yet.
    #[track_caller]
    pub fn expect_waiting(&self) {
        assert!(self.decision().is_none(), "{:?}", self.decision());
    }

    /// It was refused, for this reason.
    #[track_caller]
    pub fn expect_refused(&self, reason: &str) {
        let decision = self.decision();
        assert!(
            matches!(&decision, Some(Decision::Refused { reason: why, .. }) if **why == *reason),
            "{decision:?}"
        );
    }

    /// Alice signs in, in a browser of her own, and approves it or refuses it.
    #[track_caller]
    pub fn decide(&self, is_yes: bool) {
        let ua = self.kit.user_agent();
        ua.signed_in("alice");
        let page = ua.get(&self.link()).expect_page("approve");
        let _ = if is_yes { page.allow() } else { page.deny() }.expect_page("approval-done");
    }

    /// What the client sends when it polls.
    #[must_use]
    pub fn poll_request(&self) -> ClientRequest<'k> {
        let request = self.kit.token_request(&self.client).param("grant_type", CIBA_GRANT);
        request.param("auth_req_id", self.id())
    }

    /// Polls.
    #[must_use]
    pub fn poll(&self) -> Answer {
        self.poll_request().send()
    }

    /// Polls, and is told to go on, or why not.
    #[track_caller]
    pub fn expect_error(&self, code: &str) -> Answer {
        let answer = self.poll().expect_status(400);
        assert_eq!(answer["error"], code, "{}", answer.text());
        answer
    }
}
