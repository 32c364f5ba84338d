//! A resource server, which accepts access tokens.

use std::time::Duration;

use chancery_jose::SigningAlgorithm;
use chancery_types::{ClientId, ResourceUri, Scope, Scopes};

use super::{Client, TokenEncryption};

/// The form of a resource server's access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TokenFormat {
    /// A handle, which the resource server introspects (RFC 7662).
    #[default]
    Opaque,
    /// A signed JWT (RFC 9068).
    Jwt,
}

/// A resource server, which accepts access tokens. Its serde form is what configurations and registries
/// contain.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceServer {
    /// Its identifier, the `aud` of its tokens (RFC 9068 section 3).
    pub uri: ResourceUri,
    /// What people are told it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// The scopes that it knows.
    #[serde(default)]
    pub scopes: Scopes,
    /// Whether every client may ask people for access to it, and not only clients that are registered for it.
    #[serde(default)]
    pub any_client: bool,
    /// Opaque or JWT.
    #[serde(default)]
    pub format: TokenFormat,
    /// The lifetime of its tokens; `None` for the default of the format.
    #[serde(default, with = "crate::duration::optional", skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Duration>,
    /// What its JWTs are signed with.
    #[serde(default = "es256")]
    pub alg: SigningAlgorithm,
    /// How its JWTs are encrypted for it; they are only signed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<TokenEncryption>,
    /// Clients that may introspect its tokens.
    #[serde(default)]
    pub introspected_by: Vec<ClientId>,
    /// Whether its tokens tell it how and when the person authenticated (RFC 9068 section 2.2.1).
    #[serde(default = "yes")]
    pub authentication: bool,
    /// Whether UserInfo accepts its tokens as well, if `openid` was granted together with its scopes.
    #[serde(default = "yes")]
    pub userinfo: bool,
}

impl ResourceServer {
    /// A resource server with opaque tokens, for which clients have to be registered.
    #[must_use]
    pub fn new(uri: ResourceUri, scopes: Scopes) -> Self {
        Self {
            uri,
            name: None,
            scopes,
            any_client: false,
            format: TokenFormat::Opaque,
            lifetime: None,
            alg: es256(),
            encryption: None,
            introspected_by: Vec::new(),
            authentication: true,
            userinfo: true,
        }
    }

    /// Whether the scope means something here. `openid` and `offline_access` always belong to the
    /// authorization server, because every scope of a token must mean something to exactly one of its
    /// audiences (RFC 9068 section 5).
    #[must_use]
    pub fn knows(&self, scope: &Scope) -> bool {
        let is_reserved = matches!(scope.as_str(), Scope::OPENID | Scope::OFFLINE_ACCESS);
        !is_reserved && self.scopes.contains(scope.as_str())
    }

    /// Whether UserInfo takes its tokens: not if only the resource server can read them.
    #[must_use]
    pub fn is_for_userinfo(&self) -> bool {
        self.userinfo && self.encryption.is_none()
    }

    /// Whether the client may ask for tokens that are accepted here. For tokens of its own, about which no person
    /// is asked, it has to be registered for this resource server.
    #[must_use]
    pub fn admits(&self, client: &Client, is_of_person: bool) -> bool {
        client.names_resource(&self.uri) || (self.any_client && is_of_person)
    }

    /// Whether any of these scopes means something here.
    #[must_use]
    pub fn knows_any(&self, scopes: &Scopes) -> bool {
        scopes.iter().any(|scope| self.knows(scope))
    }
}

fn yes() -> bool {
    true
}

fn es256() -> SigningAlgorithm {
    SigningAlgorithm::Es256
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AT-03: opaque unless it says otherwise, and nothing but these two.
    #[test]
    fn the_format_is_opaque_or_jwt() {
        let read = |json: &str| serde_json::from_str::<ResourceServer>(json).map(|server| server.format).ok();
        assert_eq!(read(r#"{"uri":"https://api.example"}"#), Some(TokenFormat::Opaque));
        assert_eq!(read(r#"{"uri":"https://api.example","format":"jwt"}"#), Some(TokenFormat::Jwt));
        for format in ["JWT", "paseto", "", "jwe"] {
            assert_eq!(
                read(&format!(r#"{{"uri":"https://api.example","format":"{format}"}}"#)),
                None,
                "{format}"
            );
        }
        assert_eq!(read(r#"{"uri":"https://api.example","nonsense":1}"#), None);
    }
}
