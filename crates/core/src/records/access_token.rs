//! What introspection and UserInfo know about an opaque access token.

use chancery_types::{Kind, ResourceUri, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{AuthorizationDetail, Claims, Holder, TokenBinding};
use crate::records::Body;

/// An opaque access token. Its key is derived from its secret; its parent is the grant, or none for client
/// credentials.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessTokenBody {
    /// Whom it stands for.
    pub holder: Holder,
    /// What it may be used for.
    pub scopes: Scopes,
    /// The resource server that accepts it; `None` for UserInfo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceUri>,
    /// Its authorization details (RFC 9396 section 9.2). Those of the holder are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<AuthorizationDetail>,
    /// Who may use it (RFC 9449 section 6, RFC 8705 section 3).
    #[serde(default, skip_serializing_if = "TokenBinding::is_none")]
    pub binding: TokenBinding,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Extra claims for introspection.
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    pub extra: Claims,
}

impl Body for AccessTokenBody {
    const KIND: Kind = Kind::ACCESS_TOKEN;
}
