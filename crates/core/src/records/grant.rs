//! One authorization of one client.

use chancery_types::{AccountId, ClientId, Kind, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::records::Body;

/// A grant: root of a client's tokens. Random key; parent: the session, or none when `offline_access` was granted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GrantBody {
    /// Whom it was given to.
    pub client: ClientId,
    /// By whom.
    pub account: AccountId,
    /// What was granted.
    pub scopes: Scopes,
    /// When.
    pub granted_at: Timestamp,
}

impl Body for GrantBody {
    const KIND: Kind = Kind::GRANT;
}
