//! Counts failures of a name, of a network, or of a browser.

use chancery_types::{Key, Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::Env;
use crate::records::Body;

/// How often something failed recently. Its key is derived from what is counted; it lives for minutes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ThrottleBody {
    /// Failures in a row.
    pub failures: u32,
    /// Attempts before this time are refused unchecked.
    pub not_before: Timestamp,
    /// When an attempt is checked even though a count that others share is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted_at: Option<Timestamp>,
}

impl Body for ThrottleBody {
    const KIND: Kind = Kind::THROTTLE;
}

/// The key of the failures of `names`; `what` distinguishes a name from a network.
#[must_use]
pub fn throttle_key(env: &Env, what: &str, names: &[&str]) -> Key {
    Key::derive_placed(&env.realm, Kind::THROTTLE, &env.names.digest(what, names))
}
