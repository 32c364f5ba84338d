//! RFC 7591 section 3 and RFC 7592: what is kept about a client that registered itself.

use chancery_types::Key;
use serde::{Deserialize, Serialize};

/// What is kept about a client that registered itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DynamicRegistration {
    /// The digest of its registration access token. `None` if it was registered while clients could not
    /// manage themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Key>,
    /// The names of the policies that it was registered under, and that its updates are held to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) policies: Vec<Box<str>>,
    /// The software statement that vouches for some of its metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) software_statement: Option<Box<str>>,
    /// Whether anybody has used it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_used: bool,
}
