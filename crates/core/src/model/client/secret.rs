//! How a client's secret is stored.

use chancery_jose::SecretDigest;
use chancery_types::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A client secret, which may have expired.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ClientSecret {
    pub(crate) digest: SecretDigest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<Timestamp>,
    /// Whether it is so short that it could be guessed, which an operator allowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_weak: bool,
    /// The secret itself, if the client is registered for an HMAC (OIDC Core section 10.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hmac: Option<HmacSecret>,
}

impl ClientSecret {
    /// Whether it has not expired yet.
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        self.ends.is_none_or(|ends| now < ends)
    }
}

/// A secret that is needed in plain text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HmacSecret {
    /// Under the realm's root secret of this version; base64url.
    Sealed { root_secret: u32, sealed: Box<str> },
    /// Unsealed, in a registry that stores nothing. It cannot be serialised.
    #[serde(skip)]
    InMemory(Zeroizing<String>),
}
