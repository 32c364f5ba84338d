//! RFC 8414, OAuth 2.0 Authorization Server Metadata: sections 2 and 2.1; OpenID Connect Discovery 1.0: section 3. And
//! the JWK Set.
//! Config     `[discovery]`
//! Discovery  issuer jwks_uri protected_resources (RFC 9728 section 4) signed_metadata and what the components announce
//!
//! Both documents are made once per snapshot; a request is answered with bytes.

use std::collections::BTreeMap;

use bytes::Bytes;
use chancery_jose::{ClaimsWriter, base64url, sha256};
use chancery_types::{Issuer, ResourceUri, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Complaint;
use crate::offered::{Component, Endpoint, Offered, Routes, Switch};

/// `[discovery]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiscoveryConfig {
    /// Members that the engine does not have, such as `service_documentation`: they add, and replace nothing.
    pub extra: BTreeMap<String, String>,
    /// The protected resources that are announced (RFC 9728 section 4).
    pub protected_resources: Vec<ResourceUri>,
    /// Whether the document has its members once more as a JWT that the provider has signed.
    pub signed: bool,
}

/// The members that the provider has itself, now or with other settings, beside those of its endpoints; and the setting
/// that decides each, if one does.
const OWN: &[(&str, &str)] = &[
    ("acr_values_supported", ""),
    ("authorization_details_types_supported", "authorization_details.types"),
    ("authorization_encryption_alg_values_supported", "response_modes.jwt"),
    ("authorization_encryption_enc_values_supported", "response_modes.jwt"),
    ("authorization_response_iss_parameter_supported", ""),
    ("authorization_signing_alg_values_supported", "response_modes.jwt"),
    ("backchannel_authentication_request_signing_alg_values_supported", "request_objects.algorithms"),
    ("backchannel_logout_session_supported", ""),
    ("backchannel_logout_supported", ""),
    ("backchannel_token_delivery_modes_supported", "ciba.delivery_modes"),
    ("backchannel_user_code_parameter_supported", ""),
    ("claim_types_supported", ""),
    ("claims_locales_supported", "claims.locales"),
    ("claims_parameter_supported", ""),
    ("claims_supported", "claims.extra"),
    ("code_challenge_methods_supported", "compatibility.pkce_plain"),
    ("display_values_supported", ""),
    ("dpop_signing_alg_values_supported", "dpop.algorithms"),
    ("frontchannel_logout_session_supported", "endpoints.end_session"),
    ("frontchannel_logout_supported", "endpoints.end_session"),
    ("grant_types_supported", ""),
    ("id_token_encryption_alg_values_supported", ""),
    ("id_token_encryption_enc_values_supported", ""),
    ("id_token_signing_alg_values_supported", ""),
    ("introspection_encryption_alg_values_supported", ""),
    ("introspection_encryption_enc_values_supported", ""),
    ("introspection_signing_alg_values_supported", ""),
    ("issuer", "issuer"),
    ("mtls_endpoint_aliases", "mtls.endpoint_aliases"),
    ("prompt_values_supported", "sign_up.offered"),
    ("protected_resources", "discovery.protected_resources"),
    ("request_object_encryption_alg_values_supported", "request_objects.encryption_algorithms"),
    ("request_object_encryption_enc_values_supported", "request_objects.encryption_algorithms"),
    ("request_object_signing_alg_values_supported", "request_objects.algorithms"),
    ("request_parameter_supported", "request_objects.by_value"),
    ("request_uri_parameter_supported", "request_objects.by_reference"),
    ("require_pushed_authorization_requests", "pushed_requests.required"),
    ("require_request_uri_registration", ""),
    ("require_signed_request_object", "request_objects.required"),
    ("response_modes_supported", "response_modes.jwt"),
    ("response_types_supported", "compatibility.implicit"),
    ("scopes_supported", "scopes.extra"),
    (SIGNED, "discovery.signed"),
    ("subject_types_supported", "subjects.types"),
    ("tls_client_certificate_bound_access_tokens", "mtls.certificate_bound_access_tokens"),
    ("ui_locales_supported", "pages.messages"),
    ("userinfo_encryption_alg_values_supported", ""),
    ("userinfo_encryption_enc_values_supported", ""),
    ("userinfo_signing_alg_values_supported", ""),
];

/// What to do about a member that the provider has itself; `None` for one that is an operator's.
fn remedy(name: &str) -> Option<String> {
    let leave_out = "leave it out";
    if let Some((_, setting)) = OWN.iter().find(|(own, _)| *own == name) {
        return Some(match *setting {
            "" => leave_out.to_owned(),
            setting => format!("{leave_out}; what it says follows from {setting}"),
        });
    }
    Endpoint::ALL.iter().map(|endpoint| endpoint.describe()).find_map(|endpoint| {
        let switch = match endpoint.switch {
            Switch::Endpoints => format!(", and endpoints.{0} whether it is there", endpoint.name),
            Switch::None | Switch::OwnSection => String::new(),
        };
        if endpoint.member == Some(name) {
            return Some(format!("{leave_out}; routes.{} says where the endpoint is{switch}", endpoint.name));
        }
        let [methods, algorithms] = endpoint.authentication_members?;
        match name {
            _ if name == methods => Some(leave_out.to_owned()),
            _ if name == algorithms => Some(format!(
                "{leave_out}; what it says follows from client_authentication.assertion_algorithms"
            )),
            _ => None,
        }
    })
}

impl DiscoveryConfig {
    /// A member of the provider's own would say something else than what it does.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        let complaint = |(name, value): (&String, &String)| {
            let rule = format!("{value:?}: the provider writes this member itself: {}", remedy(name)?);
            Some(Complaint::new(format!("discovery.extra.{name}"), rule, "RFC 8414 section 2"))
        };
        self.extra.iter().filter_map(complaint).collect()
    }
}

/// A document that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticDocument {
    /// What is sent.
    pub body: Bytes,
    /// Its entity tag with the quotes (RFC 9110 section 8.8.3): moves when the body does.
    pub etag: String,
}

impl StaticDocument {
    /// Prepares a body.
    #[must_use]
    pub fn new(body: String) -> Self {
        let digest = sha256(body.as_bytes());
        Self { etag: format!("\"{}\"", base64url::encode(digest)), body: body.into() }
    }
}

/// What a metadata document is made from, beside the components that announce themselves.
pub struct Announcement<'a> {
    /// Whose metadata it is.
    pub issuer: &'a Issuer,
    /// Where the endpoints are.
    pub routes: &'a Routes,
    /// Which endpoints are on.
    pub offered: &'a Offered,
    /// The languages of the pages.
    pub ui_locales: &'a [String],
    /// `[discovery]`
    pub config: &'a DiscoveryConfig,
}

/// The name of the JWT (section 2.1).
const SIGNED: &str = "signed_metadata";

/// The metadata. The order of the members is fixed, so that the entity tag moves only with the content.
pub struct Metadata<'a> {
    issuer: &'a Issuer,
    members: ClaimsWriter,
    extra: &'a BTreeMap<String, String>,
}

impl Metadata<'_> {
    /// What is signed (section 2.1): the same members, and by whom and when.
    #[must_use]
    pub fn claims(&self, now: Timestamp) -> String {
        let mut claims = self.members.clone();
        claims.string("iss", self.issuer.as_str()).date("iat", now);
        for (name, value) in self.extra.iter().filter(|(name, _)| *name != SIGNED) {
            claims.string(name, value);
        }
        claims.finish()
    }

    /// The document, with the JWT if there is one.
    #[must_use]
    pub fn document(self, signed: Option<&str>) -> StaticDocument {
        let mut members = self.members;
        members.string_if(SIGNED, signed);
        for (name, value) in self.extra {
            members.string(name, value);
        }
        StaticDocument::new(members.finish())
    }
}

/// What the components announce.
#[must_use]
pub fn metadata<'a>(from: &Announcement<'a>, components: &[&dyn Component], now: Timestamp) -> Metadata<'a> {
    let Announcement { issuer, routes, offered, ui_locales, config } = from;
    let mut members = ClaimsWriter::new();
    members.string("issuer", issuer.as_str());
    for endpoint in offered.endpoints() {
        if let (Some(member), Some(path)) = (endpoint.describe().member, routes.path(endpoint)) {
            members.string(member, &format!("{issuer}{path}"));
        }
    }
    for component in components {
        component.announce(now, &mut members);
    }
    if !ui_locales.is_empty() {
        members.strings("ui_locales_supported", ui_locales.iter().map(String::as_str));
    }
    if !config.protected_resources.is_empty() {
        members.strings("protected_resources", config.protected_resources.iter().map(ResourceUri::as_str));
    }
    Metadata { issuer, members, extra: &config.extra }
}
