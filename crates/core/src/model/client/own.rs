//! The member `chancery`: what an operator decides about one client.

use chancery_jose::json::Object;
use chancery_types::{ClientId, ResourceUri};
use serde::{Deserialize, Serialize};

use super::Reader;
use super::openid::is_false;
use crate::offered::{
    ANY_REDIRECT_SCHEME, ASSERTION_AUDIENCE, AssertionAudience, CLAIMS_FROM_USERINFO, Departure,
    EMPTY_SCOPE_MEMBERS, ENCRYPTED_REDIRECTS, EXACT_MATCHING, PKCE, RedirectLeniency,
};
use crate::profile::{Demands, Profile};

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
    /// Whether its redirect URIs may be of any scheme but those that a browser runs or opens itself.
    #[serde(skip_serializing_if = "is_false")]
    pub any_redirect_scheme: bool,
    /// Whom its assertions may be for.
    pub assertion_audience: AssertionAudience,
    /// Whether people are asked for consent.
    pub consent: ConsentMode,
    /// The resource server that its access tokens are for if its request names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_resource: Option<ResourceUri>,
    /// Whether it gets `"scope": ""` where nothing was granted, instead of no `scope`.
    #[serde(skip_serializing_if = "is_false")]
    pub empty_scope_members: bool,
    /// Whether it may be used at all.
    pub enabled: bool,
    /// Whether its redirect URIs may be `http` on a loopback host, although it is a web client: while it is being developed.
    #[serde(skip_serializing_if = "is_false")]
    pub http_loopback_redirects: bool,
    /// Clients whose tokens it may introspect in addition to its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspects: Vec<ClientId>,
    /// Whether its requests may name any port of a loopback host, by the name `localhost`, too, as those of a native
    /// application do (RFC 8252 section 7.3).
    #[serde(skip_serializing_if = "is_false")]
    pub any_loopback_port: bool,
    /// Whether its requests may spell a redirect URI differently from the registered one.
    #[serde(skip_serializing_if = "is_false")]
    pub normalised_redirect_match: bool,
    /// Whether it may omit PKCE, which RFC 9700 section 2.1.1 recommends for every client. A public client
    /// may not.
    pub pkce_optional: bool,
    /// Whether it may use the code challenge method `plain`, which RFC 9700 section 2.1.1 advises against.
    #[serde(skip_serializing_if = "is_false")]
    pub pkce_plain: bool,
    /// What it is held to, besides what every client is.
    #[serde(skip_serializing_if = "Profile::is_baseline")]
    pub profile: Profile,
    /// When it gets refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// The resource servers that it may ask for, besides its default one (RFC 8707 section 2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceUri>,
    /// Whether the claims of scopes are in its ID tokens although it can get them from UserInfo (OIDC Core
    /// section 5.4).
    #[serde(skip_serializing_if = "is_false")]
    pub scope_claims_in_id_token: bool,
    /// How its secret may be sent.
    pub secret_method: SecretMethod,
    /// Whether its redirect URIs may have wildcards.
    #[serde(skip_serializing_if = "is_false")]
    pub wildcard_redirect_uris: bool,
}

impl Default for OwnSettings {
    fn default() -> Self {
        Self {
            any_redirect_scheme: false,
            assertion_audience: AssertionAudience::default(),
            consent: ConsentMode::default(),
            default_resource: None,
            empty_scope_members: false,
            enabled: true,
            http_loopback_redirects: false,
            introspects: Vec::new(),
            any_loopback_port: false,
            normalised_redirect_match: false,
            pkce_optional: false,
            pkce_plain: false,
            profile: Profile::default(),
            refresh_tokens: RefreshTokens::default(),
            resources: Vec::new(),
            scope_claims_in_id_token: false,
            secret_method: SecretMethod::default(),
            wildcard_redirect_uris: false,
        }
    }
}

/// What `profile` may be.
const PROFILES: &str = "\"baseline\", \"fapi1-advanced\", \"fapi2-security\" or \"fapi2-message-signing\"";

impl OwnSettings {
    /// An unknown name is a mistake here, because these settings are Chancery's own.
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        from.nested("chancery", "chancery.", |own| Self {
            any_redirect_scheme: own.boolean("any_redirect_scheme").unwrap_or(false),
            assertion_audience: own
                .value("assertion_audience", "\"issuer\" or \"endpoints\"")
                .unwrap_or_default(),
            consent: own.value("consent", "\"ask\" or \"implied\"").unwrap_or_default(),
            default_resource: own
                .value("default_resource", "an absolute URI without a fragment (RFC 8707 section 2)"),
            empty_scope_members: own.boolean("empty_scope_members").unwrap_or(false),
            enabled: own.boolean("enabled").unwrap_or(true),
            http_loopback_redirects: own.boolean("http_loopback_redirects").unwrap_or(false),
            introspects: own.value("introspects", "an array of client ids").unwrap_or_default(),
            any_loopback_port: own.boolean("any_loopback_port").unwrap_or(false),
            normalised_redirect_match: own.boolean("normalised_redirect_match").unwrap_or(false),
            pkce_optional: own.boolean("pkce_optional").unwrap_or(false),
            pkce_plain: own.boolean("pkce_plain").unwrap_or(false),
            profile: own.value("profile", PROFILES).unwrap_or_default(),
            refresh_tokens: own.value("refresh_tokens", "\"offline\" or \"always\"").unwrap_or_default(),
            resources: own
                .value("resources", "an array of absolute URIs without a fragment (RFC 8707 section 2)")
                .unwrap_or_default(),
            scope_claims_in_id_token: own.boolean("scope_claims_in_id_token").unwrap_or(false),
            secret_method: own.value("secret_method", "\"either\" or \"registered\"").unwrap_or_default(),
            wildcard_redirect_uris: own.boolean("wildcard_redirect_uris").unwrap_or(false),
        })
        .unwrap_or_default()
    }

    /// The profile that this metadata names, before it is read. One that is not known is complained about later.
    pub(crate) fn profile_in(metadata: &Object<'_>) -> Profile {
        let own = metadata.raw("chancery").and_then(|own| Object::parse(own.get().as_bytes()).ok());
        let named = own.as_ref().and_then(|own| own.raw("profile"));
        named.and_then(|named| serde_json::from_str(named.get()).ok()).unwrap_or_default()
    }

    /// What is loosened for its redirect URIs.
    pub(crate) fn redirects(&self) -> RedirectLeniency {
        RedirectLeniency {
            any_scheme: self.any_redirect_scheme,
            any_port: self.any_loopback_port,
            http_loopback: self.http_loopback_redirects,
            normalised: self.normalised_redirect_match,
            wildcards: self.wildcard_redirect_uris,
        }
    }

    /// Every setting that leaves a standard.
    #[must_use]
    pub fn departures(&self) -> Vec<Departure> {
        let to_issuer = self.assertion_audience == AssertionAudience::Issuer;
        Departure::those_of([
            (self.any_redirect_scheme, "any_redirect_scheme", ANY_REDIRECT_SCHEME),
            (!to_issuer, "assertion_audience", ASSERTION_AUDIENCE),
            (self.empty_scope_members, "empty_scope_members", EMPTY_SCOPE_MEMBERS),
            (self.any_loopback_port, "any_loopback_port", EXACT_MATCHING),
            (self.http_loopback_redirects, "http_loopback_redirects", ENCRYPTED_REDIRECTS),
            (self.normalised_redirect_match, "normalised_redirect_match", EXACT_MATCHING),
            (self.pkce_optional, "pkce_optional", PKCE),
            (self.pkce_plain, "pkce_plain", PKCE),
            (self.scope_claims_in_id_token, "scope_claims_in_id_token", CLAIMS_FROM_USERINFO),
            (self.wildcard_redirect_uris, "wildcard_redirect_uris", EXACT_MATCHING),
        ])
    }

    /// Every setting that contradicts a demand, with the section of the demand.
    pub(crate) fn contradictions(&self, demands: &Demands) -> Vec<Departure> {
        let to_issuer = self.assertion_audience == AssertionAudience::Issuer;
        Departure::contradicting([
            (self.any_redirect_scheme, "any_redirect_scheme", demands.redirects.section()),
            (!to_issuer, "assertion_audience", demands.sole_audience),
            (self.any_loopback_port, "any_loopback_port", demands.exact_redirects),
            (self.http_loopback_redirects, "http_loopback_redirects", demands.redirects.section()),
            (self.normalised_redirect_match, "normalised_redirect_match", demands.exact_redirects),
            (self.pkce_optional, "pkce_optional", demands.pkce),
            (self.pkce_plain, "pkce_plain", demands.pkce.or(demands.pkce_if_pushed)),
            (self.wildcard_redirect_uris, "wildcard_redirect_uris", demands.exact_redirects),
        ])
    }
}
