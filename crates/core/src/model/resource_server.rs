//! A resource server: who takes access tokens, and of what form.

use std::time::Duration;

use chancery_jose::SigningAlgorithm;
use chancery_types::{ClientId, ResourceUri, Scopes};

/// The form of a resource server's access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// A handle; the resource server introspects it (RFC 7662).
    Opaque,
    /// A signed JWT (RFC 9068).
    Jwt,
}

/// Who takes access tokens, and of what form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceServer {
    /// Its identifier, the `aud` of its tokens (RFC 9068 section 3).
    pub uri: ResourceUri,
    /// The scopes that it knows.
    pub scopes: Scopes,
    /// Opaque or JWT.
    pub format: TokenFormat,
    /// How long its tokens live; `None` for the default of the format.
    pub lifetime: Option<Duration>,
    /// What its JWTs are signed with.
    pub alg: SigningAlgorithm,
    /// Clients that may introspect its tokens.
    pub introspected_by: Vec<ClientId>,
}
