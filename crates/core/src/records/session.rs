//! One login of one account.

use chancery_types::handle::HandleDigest;
use chancery_types::{ClientId, Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::Authentication;
use crate::records::Body;

/// A session. Its key is random and stays the same, so that grants can have it as their parent; its secret
/// changes with each login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionBody {
    /// Who, how, when.
    pub authentication: Authentication,
    /// Digest of the current secret.
    pub current: HandleDigest,
    /// Digest of the previous secret, and when it was replaced. It can be used for reading a little longer,
    /// so that parallel tabs keep working.
    pub former: Option<(HandleDigest, Timestamp)>,
    /// When the idle end was last extended.
    pub touched_at: Timestamp,
    /// Nothing extends the session beyond this time.
    pub absolute_end: Timestamp,
    /// The clients that the person signed in to.
    pub clients: Vec<ClientId>,
}

impl Body for SessionBody {
    const KIND: Kind = Kind::SESSION;
}
