//! RFC 9126, OAuth 2.0 Pushed Authorization Requests (PAR): section 4, a request that was pushed before, and what
//! demands that (sections 5 and 6).
//! Config     `[pushed_requests]`
//! Discovery  require_pushed_authorization_requests (in `resolver.rs`)

use std::time::Duration;

use chancery_types::handle::{Handle, PushedRequest};
use chancery_types::iana::ErrorCode;
use chancery_types::{Key, Params};
use serde::{Deserialize, Serialize};

use crate::context::{Call, Env};
use crate::error::{Complaint, Fault, Reason, SectionCheck};
use crate::model::{Carrier, Client};
use crate::records::{Found, InteractionId, PushedRequestBody};

/// What the `request_uri` of a pushed request begins with (section 2.2).
const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// The longest life of a request that waits to be referred to (section 2.2).
const LONGEST: Duration = Duration::from_secs(600);

/// One description for whatever is wrong with the reference: whether it is another client's is told to nobody.
const fn unusable(name: &'static str, section: &'static str) -> Reason {
    Reason {
        name,
        code: ErrorCode::InvalidRequestUri,
        description: "request_uri is invalid, expired, or was already used",
        section,
    }
}

reasons! {
    /// The request is to be pushed before (`require_pushed_authorization_requests`), and was not.
    pub(super) PUSH_MISSING = Reason {
        name: "request_not_pushed",
        code: ErrorCode::InvalidRequest,
        description: "Pushed Authorization Request must be used",
        section: "RFC 9126 section 4",
    };
    /// There is no pushed request behind `request_uri`: it has expired, or was never made.
    pub REFERENCE_UNKNOWN = unusable("pushed_request_unknown", "RFC 9126 section 4");
    /// The pushed request is another client's.
    pub(super) REFERENCE_FOREIGN = unusable("pushed_request_foreign", "RFC 9126 section 2.2");
    /// The pushed request was answered before.
    pub(super) REFERENCE_USED = unusable("pushed_request_used", "RFC 9126 section 4");
}

/// `[pushed_requests]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushedRequestsConfig {
    /// How long a request waits to be referred to.
    #[serde(with = "crate::duration")]
    pub lifetime: Duration,
    /// Whether clients may push their requests.
    pub offered: bool,
    /// How many requests of one client may wait at the same time, in each process.
    pub open_limit: usize,
    /// Whether requests that were not pushed are refused, for every client.
    pub required: bool,
}

impl Default for PushedRequestsConfig {
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(60), offered: false, open_limit: 1000, required: false }
    }
}

impl PushedRequestsConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        SectionCheck::of("pushed_requests")
            .lifetimes(&[("lifetime", self.lifetime)])
            .demand(self.lifetime <= LONGEST, "lifetime", "must be at most 10m", "RFC 9126 section 2.2")
            .demand(self.open_limit > 0, "open_limit", "must be at least 1", "RFC 9126 section 2.3")
            .demand(
                self.offered || !self.required,
                "required",
                "needs pushed_requests.offered, without which no client can push a request",
                "RFC 9126 section 5",
            )
            .complaints()
    }
}

/// The `request_uri` of a pushed request.
pub(crate) fn request_uri(handle: &Handle<PushedRequest>) -> String {
    format!("{URN}{}", handle.reveal())
}

/// The `request_uri` of a request that refers to a pushed one.
pub(super) fn reference<'p>(params: &'p Params<'_>) -> Option<&'p str> {
    let uri = params.one("request_uri").ok().flatten()?;
    (uri.starts_with(URN) && !params.has("request")).then_some(uri)
}

/// The pushed request that an authorization request refers to.
pub struct Pushed {
    /// The reference: it is secret, as is whatever refers to it again.
    uri: Box<str>,
    pub(crate) key: Key,
    pub(crate) found: Found<PushedRequestBody>,
}

impl Pushed {
    /// The pushed request of this client.
    ///
    /// # Errors
    /// The reason to refuse the reference.
    pub(super) async fn find(
        call: &Call,
        env: &Env,
        client: &Client,
        uri: &str,
    ) -> Result<Result<Self, &'static Reason>, Fault> {
        let handle = uri.strip_prefix(URN).and_then(|handle| Handle::<PushedRequest>::parse(handle).ok());
        let Some(handle) = handle else { return Ok(Err(&REFERENCE_UNKNOWN)) };
        let key = handle.key(&env.realm);
        let found: Option<Found<PushedRequestBody>> = env.records().get(call.now, key).await?;
        let Some(found) = found else { return Ok(Err(&REFERENCE_UNKNOWN)) };
        if found.body.client != *client.id() || found.body.registration != client.registration() {
            return Ok(Err(&REFERENCE_FOREIGN));
        }
        Ok(Ok(Self { uri: uri.into(), key, found }))
    }

    /// What refers to it once more.
    pub(super) fn carrier(&self) -> Carrier {
        let pairs = [("client_id", self.found.body.client.as_str()), ("request_uri", &self.uri)];
        Carrier::of(&pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Whether it was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.found.body.answered.is_some()
    }

    /// Whether it was answered, but not in this interaction.
    pub(crate) fn is_answered_elsewhere(&self, here: Option<InteractionId>) -> bool {
        self.is_answered() && self.found.body.answered != here
    }
}
