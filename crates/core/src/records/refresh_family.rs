//! A family of refresh tokens: one record, however often it rotates.

use chancery_types::handle::HandleDigest;
use chancery_types::{Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::Granted;
use crate::records::Body;

/// A refresh family. Random key; parent: the grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshFamilyBody {
    /// Digest of the current secret.
    pub current: HandleDigest,
    /// Digest of the secret before it.
    pub previous: Option<HandleDigest>,
    /// When the current secret came into force.
    pub rotated_at: Timestamp,
    /// The root secret from which the current secret was derived.
    pub key_version: u32,
    /// Beyond this time no rotation prolongs it.
    pub absolute_end: Timestamp,
    /// What its tokens are made from.
    pub granted: Granted,
}

impl Body for RefreshFamilyBody {
    const KIND: Kind = Kind::REFRESH_FAMILY;
}
