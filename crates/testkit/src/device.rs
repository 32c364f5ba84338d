//! A device without a browser, and the person who decides about it in one (RFC 8628).

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client_request::ClientRequest;
use crate::provider::TestProvider;
use crate::user_agent::{Tab, UserAgent};

/// `grant_type` of a device (RFC 8628 section 3.4).
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device that waits for its person.
pub struct Device<'k> {
    kit: &'k TestProvider,
    client: String,
    /// What it was told.
    pub answer: Answer,
}

impl TestProvider {
    /// Registers a client for devices alone, with these members besides. It has no redirect URI.
    ///
    /// # Panics
    /// When something is wrong with it.
    #[track_caller]
    pub fn put_device_client(&self, client: &str, more: Value) {
        let mut metadata = json!({"client_id": client, "client_name": format!("The {client}"),
            "response_types": [], "grant_types": [DEVICE_GRANT, "refresh_token"],
            "id_token_signed_response_alg": "ES256"});
        if let (Some(metadata), Value::Object(more)) = (metadata.as_object_mut(), more) {
            metadata.extend(more);
        }
        self.put_client(&metadata.to_string());
    }

    /// What a device of this client asks, without a scope.
    #[must_use]
    pub fn device_request(&self, client: &str) -> ClientRequest<'_> {
        self.request("/device_authorization", client)
    }

    /// A device of this client that waits for its person.
    #[must_use]
    #[track_caller]
    pub fn device(&self, client: &str, scope: &str) -> Device<'_> {
        self.device_by(client, self.device_request(client).param("scope", scope))
    }

    /// A device that has sent this request.
    #[must_use]
    #[track_caller]
    pub fn device_by(&self, client: &str, request: ClientRequest<'_>) -> Device<'_> {
        let answer = request.send().expect_status(200);
        Device { kit: self, client: client.to_owned(), answer }
    }
}

impl<'k> Device<'k> {
    /// What it shows.
    #[must_use]
    pub fn user_code(&self) -> &str {
        self.answer.member("user_code")
    }

    /// What it sends when it polls.
    #[must_use]
    pub fn poll_request(&self) -> ClientRequest<'k> {
        let request = self.kit.token_request(&self.client).param("grant_type", DEVICE_GRANT);
        request.param("device_code", self.answer.member("device_code"))
    }

    /// Polls.
    #[must_use]
    pub fn poll(&self) -> Answer {
        self.poll_request().send()
    }

    /// Polls, and is told to go on.
    #[track_caller]
    pub fn expect_error(&self, code: &str) -> Answer {
        let answer = self.poll().expect_status(400);
        assert_eq!(answer["error"], code, "{}", answer.text());
        answer
    }
}

impl<'k> UserAgent<'k> {
    /// The person opens the page for codes and enters one.
    #[must_use]
    #[track_caller]
    pub fn enter_user_code<'u>(&'u self, code: &str) -> Tab<'u, 'k> {
        self.get(&self.kit.path("/device")).expect_page("user-code").enter_user_code(code)
    }
}

impl Tab<'_, '_> {
    /// Enters a code that a device shows.
    #[must_use]
    #[track_caller]
    pub fn enter_user_code(&self, code: &str) -> Self {
        self.submit(&[("user_code".to_owned(), code.to_owned())], ("action", "continue"))
    }

    /// Says that the device is one's own.
    #[must_use]
    #[track_caller]
    pub fn confirm_device(&self) -> Self {
        self.submit(&[], ("action", "confirm"))
    }
}
