//! A request for which the person has still to act, once they have authenticated.

use chancery_types::{Key, Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::records::Body;

/// A stored interaction. Key from its secret; parent: the session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InteractionBody {
    /// The request's parameters, form-encoded.
    pub request: String,
    /// When the request was first seen.
    pub first_seen: Timestamp,
    /// The session in which it is answered.
    pub session: Key,
    /// What the person has already done for this request.
    pub done: Vec<crate::model::StepDone>,
}

impl Body for InteractionBody {
    const KIND: Kind = Kind::INTERACTION;
}
