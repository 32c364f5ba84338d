//! Marks a JWT access token that was revoked before it expired.

use chancery_types::{Key, Kind, Partition, RealmId};
use serde::{Deserialize, Serialize};

use crate::records::Body;

/// The mark that a JWT is revoked. Its key is derived from the `jti`, in the grant's partition; it outlives
/// the `exp` of the JWT.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevocationBody {}

impl Body for RevocationBody {
    const KIND: Kind = Kind::REVOCATION;
}

/// The key of the mark. It is never a parent, so it may be derived.
#[must_use]
pub fn revocation_key(realm: &RealmId, partition: Partition, jti: &str) -> Key {
    Key::derive(realm, Kind::REVOCATION, partition, jti.as_bytes())
}
