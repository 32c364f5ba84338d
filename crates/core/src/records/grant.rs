//! One authorization of one client.

use chancery_types::Kind;
use serde::{Deserialize, Serialize};

use crate::model::Granted;
use crate::records::Body;

/// A grant: root of a client's tokens. Random key; parent: the session, or none when `offline_access` was granted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GrantBody {
    /// What was given.
    pub granted: Granted,
}

impl Body for GrantBody {
    const KIND: Kind = Kind::GRANT;
}
