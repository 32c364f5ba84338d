//! A family of refresh tokens: one record, however often it rotates.

use std::time::Duration;

use chancery_types::handle::HandleDigest;
use chancery_types::{Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Granted, TokenBinding};
use crate::records::Body;

/// A refresh family. Its key is random; its parent is the grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshFamilyBody {
    /// Digest of the current secret.
    pub current: HandleDigest,
    /// Digest of the secret before it.
    pub previous: Option<HandleDigest>,
    /// When the current secret replaced the previous one.
    pub rotated_at: Timestamp,
    /// The root secret from which the current secret was derived.
    pub key_version: u32,
    /// No rotation extends the family beyond this time.
    pub absolute_end: Timestamp,
    /// The longest life of the access tokens that its tokens are exchanged for, if what began the grant sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Duration>,
    /// Who may use its tokens (RFC 9449 section 5).
    #[serde(default, skip_serializing_if = "TokenBinding::is_none")]
    pub binding: TokenBinding,
    /// What its tokens are made from.
    pub granted: Granted,
}

impl Body for RefreshFamilyBody {
    const KIND: Kind = Kind::REFRESH_FAMILY;
}
