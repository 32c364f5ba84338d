//! A request for which the person has still to act, once they have authenticated.

use chancery_types::handle::SecretDigest;
use chancery_types::{Key, Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::records::Body;

/// A stored interaction. Key from its secret, in the partition of its session, but not below it: when the session ends, the
/// request can still be started again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InteractionBody {
    /// The request's parameters, form-encoded.
    pub request: String,
    /// When the request was first seen.
    pub first_seen: Timestamp,
    /// The session in which it is answered.
    pub session: Key,
    /// Digest of the browser cookie: another browser that learns the URL is shown nothing of the request.
    pub browser: SecretDigest,
    /// What the person has already done for this request.
    pub done: Vec<crate::model::StepDone>,
}

impl Body for InteractionBody {
    const KIND: Kind = Kind::INTERACTION;
}
