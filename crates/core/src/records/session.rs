//! One login of one account.

use chancery_types::handle::HandleDigest;
use chancery_types::{ClientId, Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::Authentication;
use crate::records::Body;

/// A session. Random key, so that grants can hang on it; its secret changes by login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionBody {
    /// Who, how, when.
    pub authentication: Authentication,
    /// Digest of the current secret.
    pub current: HandleDigest,
    /// Digest of the secret before it, and when it was replaced: good for reading a little longer, so that parallel
    /// tabs survive.
    pub former: Option<(HandleDigest, Timestamp)>,
    /// When the idle end was last moved.
    pub touched_at: Timestamp,
    /// Beyond this time nothing prolongs it.
    pub absolute_end: Timestamp,
    /// The clients that took part.
    pub clients: Vec<ClientId>,
}

impl Body for SessionBody {
    const KIND: Kind = Kind::SESSION;
}
