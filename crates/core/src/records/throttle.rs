//! Failures of a name or of a network.

use chancery_types::{Key, Kind, RealmId, Timestamp};
use serde::{Deserialize, Serialize};

use super::consent::derived;
use crate::records::Body;

/// How often something failed lately. Key from the name or network; lives for minutes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ThrottleBody {
    /// Failures in a row.
    pub failures: u32,
    /// Before this time nothing is looked at.
    pub not_before: Timestamp,
}

impl Body for ThrottleBody {
    const KIND: Kind = Kind::THROTTLE;
}

/// The key of the failures of one name or network; `what` tells them apart.
#[must_use]
pub fn throttle_key(realm: &RealmId, what: &str, id: &str) -> Key {
    derived(realm, Kind::THROTTLE, [what, "\0", id].concat().as_bytes())
}
