//! RFC 8414, OAuth 2.0 Authorization Server Metadata: section 2; OpenID Connect Discovery 1.0: section 3. And the JWK Set.
//! Config     `[routes]`, `[discovery]`
//! Discovery  issuer jwks_uri and what the components announce
//!
//! Both documents are made once per snapshot; a request is answered with bytes.

use std::collections::BTreeMap;

use bytes::Bytes;
use chancery_jose::{ClaimsWriter, SigningAlgorithm, base64url, sha256};
use chancery_types::iana::{CodeChallengeMethod, Display, GrantType, Prompt, ResponseMode, ResponseType};
use chancery_types::{Issuer, Scope, Timestamp};
use serde::{Deserialize, Serialize};

use crate::client::METHODS;
use crate::error::Complaint;
use crate::interaction::Interactions;
use crate::keys::KeySet;

/// `[routes]`: the paths of the endpoints, below the issuer's own path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routes {
    /// The authorization endpoint.
    pub authorization: String,
    /// The pages on the way: here a first page's form is posted, below it are stored interactions.
    pub interaction: String,
    /// The introspection endpoint.
    pub introspection: String,
    /// The JWK Set.
    pub jwks: String,
    /// The revocation endpoint.
    pub revocation: String,
    /// The token endpoint.
    pub token: String,
    /// UserInfo.
    pub userinfo: String,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            authorization: "/authorize".into(),
            interaction: "/interaction".into(),
            introspection: "/introspect".into(),
            jwks: "/jwks".into(),
            revocation: "/revoke".into(),
            token: "/token".into(),
            userinfo: "/userinfo".into(),
        }
    }
}

impl Routes {
    /// Each path is absolute, plain and taken once.
    #[must_use]
    pub fn complaints(&self) -> Vec<Complaint> {
        let routes = [
            ("authorization", &self.authorization),
            ("interaction", &self.interaction),
            ("introspection", &self.introspection),
            ("jwks", &self.jwks),
            ("revocation", &self.revocation),
            ("token", &self.token),
            ("userinfo", &self.userinfo),
        ];
        let mut complaints = Vec::new();
        for (at, (name, path)) in routes.iter().enumerate() {
            let mut complain = |rule: String| {
                complaints.push(Complaint::new(format!("routes.{name}"), rule, "RFC 6749 section 3"));
            };
            if !is_path(path) {
                complain("must begin with / and have letters, digits, - . _ ~ between single slashes".to_owned());
            }
            if path.starts_with("/.well-known/") {
                complain("must not stand among the well-known paths (RFC 8615)".to_owned());
            }
            if let Some((other, _)) = routes.iter().take(at).find(|(_, taken)| taken == path) {
                complain(format!("is the path of {other} already"));
            }
            let below = path.strip_prefix(&*self.interaction).filter(|rest| rest.starts_with('/'));
            if below.is_some() {
                complain("must not stand below the interactions".to_owned());
            }
        }
        complaints
    }
}

fn is_path(text: &str) -> bool {
    let is_segment = |segment: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        !matches!(segment, "" | "." | "..") && segment.bytes().all(plain)
    };
    text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment))
}

/// `[discovery]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Members that the engine does not know, such as `service_documentation`. They add and replace nothing.
    pub extra: BTreeMap<String, String>,
}

/// A document that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What is sent.
    pub body: Bytes,
    /// Its entity tag with the quotes (RFC 9110 section 8.8.3): moves when the body does.
    pub etag: String,
}

impl Document {
    /// Prepares a body.
    #[must_use]
    pub fn new(body: String) -> Self {
        let digest = sha256(body.as_bytes());
        Self { etag: format!("\"{}\"", base64url::encode(digest)), body: body.into() }
    }
}

/// Who announces something.
pub struct Announced<'a> {
    /// Whose metadata it is.
    pub issuer: &'a Issuer,
    /// Where the endpoints are.
    pub routes: &'a Routes,
    /// What signs.
    pub keys: &'a KeySet,
    /// Scopes, claims, authentication context classes.
    pub interactions: &'a Interactions,
    /// The languages of the pages.
    pub ui_locales: &'a [String],
    /// `[discovery]`
    pub config: &'a Config,
}

/// The metadata. The order of the members is fixed, so that the entity tag moves only with the content.
#[must_use]
pub fn metadata(from: &Announced<'_>, now: Timestamp) -> Document {
    let Announced { issuer, routes, keys, interactions, ui_locales, config } = from;
    let url = |path: &str| format!("{issuer}{path}");
    let methods = || METHODS.iter().map(|method| method.as_str());
    let signing: Vec<SigningAlgorithm> = keys.algorithms(now);
    let symmetric = SigningAlgorithm::ALL.into_iter().filter(|alg| alg.is_symmetric());
    // A client that is registered for an HMAC is answered with its secret as key (OIDC Core section 10.1).
    let algorithms: Vec<&str> = signing.into_iter().chain(symmetric).map(SigningAlgorithm::name).collect();

    let mut members = ClaimsWriter::new();
    members
        .string("issuer", issuer.as_str())
        .string("authorization_endpoint", &url(&routes.authorization))
        .string("token_endpoint", &url(&routes.token))
        .string("userinfo_endpoint", &url(&routes.userinfo))
        .string("jwks_uri", &url(&routes.jwks))
        .string("introspection_endpoint", &url(&routes.introspection))
        .string("revocation_endpoint", &url(&routes.revocation))
        .strings("scopes_supported", interactions.rules.scope.supported().iter().map(Scope::as_str))
        .strings("response_types_supported", ResponseType::ALL.iter().map(|value| value.as_str()))
        .strings("response_modes_supported", ResponseMode::ALL.iter().map(|value| value.as_str()))
        .strings("grant_types_supported", GrantType::ALL.iter().map(|value| value.as_str()))
        .strings("acr_values_supported", interactions.reachable.iter().map(|acr| &*acr.0))
        .strings("subject_types_supported", ["public"])
        .strings("id_token_signing_alg_values_supported", algorithms.iter().copied())
        .strings("userinfo_signing_alg_values_supported", algorithms.iter().copied())
        .strings("token_endpoint_auth_methods_supported", methods())
        .strings("introspection_endpoint_auth_methods_supported", methods())
        .strings("revocation_endpoint_auth_methods_supported", methods())
        .strings("code_challenge_methods_supported", [CodeChallengeMethod::S256.as_str()])
        .strings("prompt_values_supported", Prompt::ALL.iter().map(|value| value.as_str()))
        .strings("display_values_supported", [Display::Page, Display::Popup, Display::Touch].map(Display::as_str))
        .strings("claim_types_supported", ["normal"])
        .strings("claims_supported", interactions.rules.claims.supported());
    if !ui_locales.is_empty() {
        members.strings("ui_locales_supported", ui_locales.iter().map(String::as_str));
    }
    members
        .boolean("claims_parameter_supported", true)
        .boolean("request_parameter_supported", false)
        // Absent means true (OIDC Discovery section 3).
        .boolean("request_uri_parameter_supported", false)
        .boolean("authorization_response_iss_parameter_supported", true);
    for (name, value) in &config.extra {
        members.string(name, value);
    }
    Document::new(members.finish())
}
