//! The member `chancery`: what an operator decides about one client.

use chancery_types::{ClientId, ResourceUri};
use serde::{Deserialize, Serialize};

use super::Reader;
use super::openid::is_false;
use crate::offered::AssertionAudience;

/// When a client gets refresh tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RefreshTokens {
    /// When `offline_access` was granted (OIDC Core section 11).
    #[default]
    Offline,
    /// With every code exchange.
    Always,
}

/// Whether a person is asked for consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ConsentMode {
    /// The person is asked once.
    #[default]
    Ask,
    /// An operator's own application: the person is not asked, except for `offline_access` of a public
    /// client.
    Implied,
}

/// Which of the two ways of RFC 6749 section 2.3.1 may be used to send a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SecretMethod {
    /// In the Authorization header or in the body, whichever of the two is registered, but only one of them
    /// per request.
    #[default]
    Either,
    /// Only in the registered one (RFC 7591 section 2: a client registers *the* method).
    Registered,
}

/// What an operator decides about one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnSettings {
    /// Whom its assertions may be for.
    pub assertion_audience: AssertionAudience,
    /// Whether people are asked for consent.
    pub consent: ConsentMode,
    /// The resource server that its plain OAuth tokens are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_resource: Option<ResourceUri>,
    /// Whether it may be used at all.
    pub enabled: bool,
    /// Clients whose tokens it may introspect in addition to its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspects: Vec<ClientId>,
    /// Whether it may omit PKCE, which RFC 9700 section 2.1.1 recommends for every client. A public client
    /// may not.
    pub pkce_optional: bool,
    /// Whether it may use the code challenge method `plain`, which RFC 9700 section 2.1.1 advises against.
    #[serde(skip_serializing_if = "is_false")]
    pub pkce_plain: bool,
    /// When it gets refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// How its secret may be sent.
    pub secret_method: SecretMethod,
}

impl Default for OwnSettings {
    fn default() -> Self {
        Self {
            assertion_audience: AssertionAudience::default(),
            consent: ConsentMode::default(),
            default_resource: None,
            enabled: true,
            introspects: Vec::new(),
            pkce_optional: false,
            pkce_plain: false,
            refresh_tokens: RefreshTokens::default(),
            secret_method: SecretMethod::default(),
        }
    }
}

impl OwnSettings {
    /// An unknown name is a mistake here, because these settings are Chancery's own.
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        from.nested("chancery", "chancery.", |own| Self {
            assertion_audience: own
                .value("assertion_audience", "\"issuer\" or \"endpoints\"")
                .unwrap_or_default(),
            consent: own.value("consent", "\"ask\" or \"implied\"").unwrap_or_default(),
            default_resource: own
                .value("default_resource", "an absolute URI without a fragment (RFC 8707 section 2)"),
            enabled: own.boolean("enabled").unwrap_or(true),
            introspects: own.value("introspects", "an array of client ids").unwrap_or_default(),
            pkce_optional: own.boolean("pkce_optional").unwrap_or(false),
            pkce_plain: own.boolean("pkce_plain").unwrap_or(false),
            refresh_tokens: own.value("refresh_tokens", "\"offline\" or \"always\"").unwrap_or_default(),
            secret_method: own.value("secret_method", "\"either\" or \"registered\"").unwrap_or_default(),
        })
        .unwrap_or_default()
    }
}
