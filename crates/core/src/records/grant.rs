//! One authorization of one client.

use chancery_types::Kind;
use serde::{Deserialize, Serialize};

use crate::model::Granted;
use crate::records::Body;

/// A grant, the root of a client's tokens. Its key is random; its parent is the session, or none if
/// `offline_access` was granted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GrantBody {
    /// What was granted.
    pub granted: Granted,
}

impl Body for GrantBody {
    const KIND: Kind = Kind::GRANT;
}
