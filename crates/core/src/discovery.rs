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

use crate::offered::{Component, Offered, Routes};

/// `[discovery]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiscoveryConfig {
    /// Members that the engine does not know, such as `service_documentation`. They add and replace nothing.
    pub extra: BTreeMap<String, String>,
    /// The protected resources that are announced (RFC 9728 section 4).
    pub protected_resources: Vec<ResourceUri>,
    /// Whether the document has its members once more as a JWT that the provider has signed.
    pub signed: bool,
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
