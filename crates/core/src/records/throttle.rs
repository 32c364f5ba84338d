//! Failures of a name, of a network, or of a browser.

use chancery_types::{Key, Kind, Timestamp};
use serde::{Deserialize, Serialize};

use super::consent::derived;
use crate::context::Env;
use crate::records::Body;

/// How often something failed lately. Key from what is counted; lives for minutes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ThrottleBody {
    /// Failures in a row.
    pub failures: u32,
    /// Before this time nothing is looked at.
    pub not_before: Timestamp,
    /// When an attempt is looked at although a count that others share is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted_at: Option<Timestamp>,
}

impl Body for ThrottleBody {
    const KIND: Kind = Kind::THROTTLE;
}

/// The key of the failures of `names`; `what` tells a name from a network.
#[must_use]
pub fn throttle_key(env: &Env, what: &str, names: &[&str]) -> Key {
    derived(&env.realm, Kind::THROTTLE, &env.names.digest(what, names))
}
