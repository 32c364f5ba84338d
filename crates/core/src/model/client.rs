//! A registered client (RFC 6749 section 2). Only `client::registration` makes one.

use std::sync::Arc;

use chancery_jose::{HmacKey, SecretDigest, SigningAlgorithm};
use chancery_store::Revision;
use chancery_types::iana::{ClientAuthenticationMethod, ErrorCode, GrantType, ResponseMode, ResponseType};
use chancery_types::{ClientId, RedirectUri, ResourceUri, Scopes, Timestamp};

use crate::error::{Reason, Refusal};
use crate::model::Acr;

/// `application_type` (OIDC Registration section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationType {
    /// On a server, or in a browser.
    #[default]
    Web,
    /// On a person's device (RFC 8252).
    Native,
}

/// When a client gets refresh tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefreshTokens {
    /// When `offline_access` was granted (OIDC Core section 11).
    #[default]
    Offline,
    /// With every code exchange.
    Always,
}

/// Whether a person is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsentMode {
    /// The person is asked once.
    #[default]
    Ask,
    /// An operator's own application: the person is not asked, but for `offline_access` of a public client.
    Implied,
}

/// In which way a secret may be sent, of the two that RFC 6749 section 2.3.1 has for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretMethod {
    /// In the Authorization header or in the body, whichever of the two is registered; one of them per request.
    #[default]
    Either,
    /// Only in the registered one (RFC 7591 section 2: a client registers *the* method).
    Registered,
}

/// How a client proves who it is (RFC 6749 section 2.3).
pub enum ClientCredential {
    /// A public client (RFC 6749 section 2.1).
    Public,
    /// A secret.
    Secret {
        /// The registered way of sending it.
        method: ClientAuthenticationMethod,
        /// The secrets that are good, with their ends: several while one replaces the other.
        secrets: Vec<(SecretDigest, Option<Timestamp>)>,
    },
}

/// A registered client, parsed and checked.
///
/// ```
/// # use chancery_core::model::Client;
/// fn compared(id: chancery_types::ClientId, like: Client) -> bool { *like.id() == id }
/// ```
/// ```compile_fail,E0451
/// # use chancery_core::model::Client;
/// fn forged(id: chancery_types::ClientId, like: Client) -> Client { Client { id, ..like } }
/// ```
pub struct Client {
    pub(crate) id: ClientId,
    pub(crate) name: Option<Box<str>>,
    pub(crate) client_uri: Option<Box<str>>,
    pub(crate) logo_uri: Option<Box<str>>,
    pub(crate) policy_uri: Option<Box<str>>,
    pub(crate) tos_uri: Option<Box<str>>,
    pub(crate) initiate_login_uri: Option<Box<str>>,
    pub(crate) application_type: ApplicationType,
    pub(crate) credential: ClientCredential,
    pub(crate) is_enabled: bool,
    /// When it was registered: what is older belongs to another client of the same id.
    pub(crate) registered_at: Timestamp,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) response_types: Vec<ResponseType>,
    pub(crate) response_modes: Option<Vec<ResponseMode>>,
    pub(crate) grant_types: Vec<GrantType>,
    pub(crate) scopes: Option<Scopes>,
    pub(crate) default_max_age: Option<u64>,
    pub(crate) default_acr_values: Vec<Acr>,
    pub(crate) id_token_signed_response_alg: SigningAlgorithm,
    pub(crate) userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// The secret itself, for a client registered for HS* (OIDC Core section 10.1).
    pub(crate) hmac_key: Option<Arc<HmacKey>>,
    pub(crate) has_logout_uri: bool,
    pub(crate) is_pkce_optional: bool,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) default_resource: Option<ResourceUri>,
    pub(crate) introspects: Vec<ClientId>,
    pub(crate) consent: ConsentMode,
    pub(crate) secret_method: SecretMethod,
    /// The form in which a registry stores it, and how it was seen there.
    pub(crate) stored: Box<[u8]>,
    pub(crate) revision: Revision,
}

/// A redirect URI that was matched against the client's registration. Nothing else makes one.
///
/// ```
/// # use chancery_core::{error::Refusal, model::{Client, RedirectTarget}};
/// fn matched(client: &Client, uri: &str) -> Result<RedirectTarget, Refusal> { client.redirect_target(Some(uri)) }
/// ```
/// ```compile_fail,E0451
/// # use chancery_core::model::RedirectTarget;
/// fn forged(uri: chancery_types::RedirectUri) -> RedirectTarget { RedirectTarget { uri, was_sent: true } }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectTarget {
    uri: RedirectUri,
    was_sent: bool,
}

impl RedirectTarget {
    /// The URI to send the person to.
    #[must_use]
    pub fn uri(&self) -> &RedirectUri {
        &self.uri
    }

    /// Whether the request named it; then the token request has to repeat it (RFC 6749 section 4.1.3).
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.was_sent
    }
}

/// No redirect URI was sent, and there is not exactly one registered.
pub const REDIRECT_URI_MISSING: Reason = Reason {
    name: "redirect_uri_missing",
    code: ErrorCode::InvalidRequest,
    description: "missing required parameter redirect_uri",
    section: "RFC 6749 section 3.1.2.3",
};

/// The redirect URI is not a registered one.
pub const REDIRECT_URI_UNREGISTERED: Reason = Reason {
    name: "redirect_uri_unregistered",
    code: ErrorCode::InvalidRequest,
    description: "redirect_uri does not match any registered one",
    section: "RFC 9700 section 2.1",
};

impl Client {
    /// `client_id`.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// How its registry saw it; what a change has to name.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// `client_name`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `client_uri`: its home page.
    #[must_use]
    pub fn client_uri(&self) -> Option<&str> {
        self.client_uri.as_deref()
    }

    /// `logo_uri`.
    #[must_use]
    pub fn logo_uri(&self) -> Option<&str> {
        self.logo_uri.as_deref()
    }

    /// `policy_uri`: how it uses what it learns.
    #[must_use]
    pub fn policy_uri(&self) -> Option<&str> {
        self.policy_uri.as_deref()
    }

    /// `tos_uri`: its terms.
    #[must_use]
    pub fn tos_uri(&self) -> Option<&str> {
        self.tos_uri.as_deref()
    }

    /// `initiate_login_uri` (OIDC Core section 4): where a login can start again.
    #[must_use]
    pub fn initiate_login_uri(&self) -> Option<&str> {
        self.initiate_login_uri.as_deref()
    }

    /// Where a person can go on when a request cannot: where a login can start again, else its home page.
    #[must_use]
    pub fn way_on(&self) -> Option<&str> {
        self.initiate_login_uri().or(self.client_uri())
    }

    /// Whether it cannot keep a secret (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.credential, ClientCredential::Public)
    }

    /// Whether it may be used at all.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Whether it may leave PKCE out (RFC 9700 section 2.1.1 wants it).
    #[must_use]
    pub fn is_pkce_optional(&self) -> bool {
        self.is_pkce_optional
    }

    /// `redirect_uris`.
    #[must_use]
    pub fn redirect_uris(&self) -> &[RedirectUri] {
        &self.redirect_uris
    }

    /// `application_type`.
    #[must_use]
    pub fn application_type(&self) -> ApplicationType {
        self.application_type
    }

    /// The resource server that its plain OAuth tokens are for.
    #[must_use]
    pub fn default_resource(&self) -> Option<&ResourceUri> {
        self.default_resource.as_ref()
    }

    /// The scopes that it may ask for; `None` for all.
    #[must_use]
    pub fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_ref()
    }

    /// Whether the grant type is registered.
    #[must_use]
    pub fn has_grant_type(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// The redirect URI to use: the registered one that equals what was sent byte for byte (RFC 9700 section 2.1), for
    /// a native client also one that differs only in the port of a loopback IP (RFC 8252 section 7.3); or the only
    /// registered one when none was sent (RFC 6749 section 3.1.2.3).
    ///
    /// # Errors
    /// A refusal for the person, never for the client.
    pub fn redirect_target(&self, asked: Option<&str>) -> Result<RedirectTarget, Refusal> {
        let Some(asked) = asked else {
            return match self.redirect_uris.as_slice() {
                [only] => Ok(RedirectTarget { uri: only.clone(), was_sent: false }),
                _ => Err((&REDIRECT_URI_MISSING).into()),
            };
        };
        let uri = RedirectUri::parse(asked).map_err(|_| Refusal::from(&REDIRECT_URI_UNREGISTERED))?;
        let is_same = |registered: &RedirectUri| *registered == uri;
        let is_same_but_port = |registered: &RedirectUri| {
            self.application_type == ApplicationType::Native
                && uri.without_loopback_port().is_some_and(|bare| Some(bare) == registered.without_loopback_port())
        };
        if self.redirect_uris.iter().any(|registered| is_same(registered) || is_same_but_port(registered)) {
            Ok(RedirectTarget { uri, was_sent: true })
        } else {
            Err((&REDIRECT_URI_UNREGISTERED).into())
        }
    }
}
