//! What introspection and UserInfo tell of an opaque access token.

use chancery_types::{Kind, ResourceUri, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Claims, Holder};
use crate::records::Body;

/// An opaque access token. Key from its secret; parent: the grant, or none for client credentials.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessTokenBody {
    /// Whom it stands for.
    pub holder: Holder,
    /// What it may be used for.
    pub scopes: Scopes,
    /// Which resource server takes it; `None` for UserInfo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceUri>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Extra claims for introspection.
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    pub extra: Claims,
}

impl Body for AccessTokenBody {
    const KIND: Kind = Kind::ACCESS_TOKEN;
}
