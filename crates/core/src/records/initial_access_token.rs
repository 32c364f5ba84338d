//! What opens the registration endpoint (RFC 7591 section 3).

use chancery_types::{Kind, RealmId, Tag};
use serde::{Deserialize, Serialize};

use crate::records::Body;

/// An initial access token: what an operator gives to whoever is to register clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialAccessTokenBody {
    /// The name by which operators know it.
    pub name: Box<str>,
    /// The names of the policies that its clients are held to; those of `[registration]` if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Box<str>>,
    /// How many more clients it registers; any number if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
}

impl Body for InitialAccessTokenBody {
    const KIND: Kind = Kind::INITIAL_ACCESS_TOKEN;
}

/// The tag that all initial access tokens of a realm carry.
#[must_use]
pub fn initial_access_tokens(realm: &RealmId) -> Tag {
    Tag::derive(realm, "registration", b"initial access tokens")
}
