//! A family of refresh tokens: one record, however often it rotates (architecture section 8.3).

use chancery_types::handle::SecretDigest;
use chancery_types::{AccountId, ClientId, Kind, ResourceUri, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Authentication, ClaimsRequest, GrantId};
use crate::records::Body;

/// A refresh family. Random key; parent: the grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshFamilyBody {
    /// Digest of the current secret.
    pub current: SecretDigest,
    /// Digest of the secret before it.
    pub previous: Option<SecretDigest>,
    /// When the current secret came into force.
    pub rotated_at: Timestamp,
    /// The root secret from which the current secret was derived.
    pub key_version: u32,
    /// Beyond this time no rotation prolongs it.
    pub absolute_end: Timestamp,
    /// Whose it is.
    pub client: ClientId,
    /// For whom.
    pub account: AccountId,
    /// The grant it belongs to.
    pub grant: GrantId,
    /// When the grant was born.
    pub granted_at: Timestamp,
    /// What was granted.
    pub scopes: Scopes,
    /// The resource server that its access tokens are for; `None` for UserInfo or nothing in particular.
    pub resource: Option<ResourceUri>,
    /// Single claims that were asked for and consented to.
    pub claims: ClaimsRequest,
    /// How the person authenticated.
    pub authentication: Authentication,
    /// The person's session at the client.
    pub sid: Box<str>,
}

impl Body for RefreshFamilyBody {
    const KIND: Kind = Kind::REFRESH_FAMILY;
}
