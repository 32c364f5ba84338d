//! CIBA Core section 7: a request of a client, which waits for its person at another device.

use chancery_types::{AccountId, ClientId, Kind};
use serde::{Deserialize, Serialize};

use crate::model::{Carrier, RegistrationId, Source, TokenBinding};
use crate::records::{Awaited, AwaitsDecision, Body, RequestOrigin};

/// A backchannel authentication request. Its key is derived from `auth_req_id`; it is tagged with the account, so that
/// the person finds what waits for them. The record outlives `auth_req_id`, so that a late poll learns that it
/// has expired, and that a replay is noticed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackchannelAuthenticationBody {
    /// Which client asks.
    pub client: ClientId,
    /// The registration of that client; another client with the same id cannot use it.
    pub registration: RegistrationId,
    /// Whom it asks. Nobody else can decide.
    pub account: AccountId,
    /// Its request, to be validated from the beginning: scope, resource, `acr_values`, `claims`. What has served its
    /// purpose is not kept: the hint, the user code, the notification token.
    pub request: Carrier,
    /// Who vouches for it.
    pub source: Source,
    /// What the person compares with what the client shows (section 7.1).
    pub binding_message: Option<Box<str>>,
    /// When it came and from where, as the person is shown it.
    pub origin: RequestOrigin,
    /// How the client is told of the decision; `None` for one that only polls.
    pub client_notification: Option<ClientNotification>,
    /// What the client waits for.
    pub awaited: Awaited,
}

impl Body for BackchannelAuthenticationBody {
    const KIND: Kind = Kind::BACKCHANNEL_AUTHENTICATION;
}

impl AwaitsDecision for BackchannelAuthenticationBody {
    fn asked_by(&self) -> (&ClientId, RegistrationId) {
        (&self.client, self.registration)
    }

    fn request(&self) -> &Carrier {
        &self.request
    }

    fn source(&self) -> Source {
        self.source
    }

    fn origin(&self) -> &RequestOrigin {
        &self.origin
    }

    fn awaited(&self) -> &Awaited {
        &self.awaited
    }

    fn awaited_mut(&mut self) -> &mut Awaited {
        &mut self.awaited
    }

    /// Tokens that are sent are fetched by nobody, also when the client was registered for another mode meanwhile: they
    /// leave in one way (CIBA Core section 10).
    fn is_fetched(&self) -> bool {
        !self.is_push()
    }
}

impl BackchannelAuthenticationBody {
    /// Whether its tokens are sent to the client, so that nobody fetches them.
    #[must_use]
    pub fn is_push(&self) -> bool {
        self.client_notification.as_ref().is_some_and(|notification| notification.is_push)
    }
}

/// How a client is told (sections 10.2 and 10.3).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientNotification {
    /// `auth_req_id` and `client_notification_token`, sealed: nobody but the client's endpoint is shown them again.
    pub secrets: Box<str>,
    /// Whether the tokens are sent along, and not fetched.
    pub is_push: bool,
    /// What tokens that are sent are bound to: what the client has shown with its request (section 5).
    #[serde(default, skip_serializing_if = "TokenBinding::is_none")]
    pub binding: TokenBinding,
}

/// What a client is told with, before it is sealed. It has no `Debug`, because it holds secrets.
#[derive(Serialize, Deserialize)]
pub struct NotificationSecrets {
    /// `auth_req_id`
    pub auth_req_id: String,
    /// `client_notification_token`
    pub client_notification_token: String,
}

impl NotificationSecrets {
    /// As what it is sealed.
    pub const KIND: &'static str = "client notification";
}
