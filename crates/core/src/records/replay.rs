//! Marks something that can be used only once as used.

use chancery_jose::sha256;
use chancery_types::{ClientId, Key, Kind, RealmId};
use serde::{Deserialize, Serialize};

use crate::records::Body;

/// The mark that something was used. Its key is derived from what was used; it lives as long as that could be
/// presented again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplayBody {}

impl Body for ReplayBody {
    const KIND: Kind = Kind::REPLAY;
}

/// The key of the mark for a challenge. It is never a parent, so it may be derived.
#[must_use]
pub fn challenge_key(realm: &RealmId, challenge: &str) -> Key {
    Key::derive_placed(realm, Kind::REPLAY, &sha256(&[b"challenge", challenge.as_bytes()].concat()))
}

/// The key of the mark for a DPoP proof (RFC 9449 section 11.1), which is named by its key and its `jti`. It is never a
/// parent, so it may be derived.
#[must_use]
pub fn proof_key(realm: &RealmId, proof: &[u8; 32]) -> Key {
    Key::derive_placed(realm, Kind::REPLAY, &sha256(&[b"dpop\0".as_slice(), proof].concat()))
}

/// The key of the mark for an assertion of a client (RFC 7523 section 3): its `jti` counts for each client by
/// itself. It is never a parent, so it may be derived.
#[must_use]
pub fn assertion_key(realm: &RealmId, client: &ClientId, jti: &str) -> Key {
    // A client id has no NUL, so the two cannot run into each other.
    let used = [b"assertion\0", client.as_str().as_bytes(), b"\0", jti.as_bytes()].concat();
    Key::derive_placed(realm, Kind::REPLAY, &sha256(&used))
}

/// The key of the mark for a signed authentication request (CIBA Core section 7.1.1): its `jti` counts for each client
/// by itself. It is never a parent, so it may be derived.
#[must_use]
pub fn signed_request_key(realm: &RealmId, client: &ClientId, jti: &str) -> Key {
    let used = [b"signed request\0", client.as_str().as_bytes(), b"\0", jti.as_bytes()].concat();
    Key::derive_placed(realm, Kind::REPLAY, &sha256(&used))
}
