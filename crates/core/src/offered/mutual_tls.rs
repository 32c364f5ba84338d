//! RFC 8705, OAuth 2.0 Mutual-TLS Client Authentication and Certificate-Bound Access Tokens: which of it is on
//! (section 3.3), and section 5, other URLs for those who call with a certificate.
//! Config     `[mtls]`
//! Discovery  tls_client_certificate_bound_access_tokens mtls_endpoint_aliases

use chancery_jose::ClaimsWriter;
use chancery_types::{Issuer, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Caller, Component, Endpoint, EndpointSet, Routes};
use crate::error::Complaint;

const RFC8705: &str = "RFC 8705 section 5";

/// `[mtls]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MutualTlsConfig {
    /// Whether clients may authenticate by a certificate that one of the trusted authorities vouches for (section
    /// 2.1).
    pub tls_client_auth: bool,
    /// Whether clients may authenticate by a certificate that they have registered themselves (section 2.2).
    pub self_signed_tls_client_auth: bool,
    /// Whether access tokens can be bound to certificates (section 3).
    pub certificate_bound_access_tokens: bool,
    /// Where the endpoints are for those who call with a certificate: the URL that stands in the place of the
    /// issuer. Empty if they are asked for it at the same URLs as everybody.
    pub endpoint_aliases: Box<str>,
}

impl MutualTlsConfig {
    /// Whether anything here looks at certificates.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.tls_client_auth || self.self_signed_tls_client_auth || self.certificate_bound_access_tokens
    }

    /// What is wrong with it for this issuer; `has_authorities` says whether there is an authority that can vouch for
    /// certificates.
    pub(crate) fn complaints(&self, issuer: &Issuer, has_authorities: bool) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        if self.tls_client_auth && !has_authorities {
            let rule = "needs the authorities that vouch for certificates (`tls.client_authorities`)";
            complaints.push(Complaint::new("mtls.tls_client_auth", rule, "RFC 8705 section 2.1"));
        }
        let Some(aliases) = self.base() else { return complaints };
        let setting = "mtls.endpoint_aliases";
        match Issuer::parse(aliases) {
            Err(_) => {
                let rule = "must be an https URL with its host in lower case, and without query, fragment or trailing slash";
                complaints.push(Complaint::new(setting, rule, RFC8705));
            }
            Ok(url) if url.origin() == issuer.origin() => {
                let rule = "must have another host or port than the issuer: a handshake asks for a certificate or it does not";
                complaints.push(Complaint::new(setting, rule, RFC8705));
            }
            Ok(url) if !url.path().is_empty() && url.path() != issuer.path() => {
                complaints.push(Complaint::new(
                    setting,
                    "must have the path of the issuer, or none",
                    RFC8705,
                ));
            }
            Ok(_) => {}
        }
        complaints
    }

    fn base(&self) -> Option<&str> {
        Some(&*self.endpoint_aliases).filter(|aliases| !aliases.is_empty())
    }

    /// The URL of an endpoint for those who call with a certificate, if there is another one than for everybody. Those
    /// that clients do not call directly have none.
    #[must_use]
    pub fn alias(&self, endpoint: Endpoint, routes: &Routes) -> Option<String> {
        let aliases = self.base()?;
        let is_called = matches!(endpoint.describe().caller, Caller::Client | Caller::Bearer);
        routes.path(endpoint).filter(|_| is_called).map(|path| format!("{aliases}{path}"))
    }
}

/// The members of the metadata.
pub(crate) struct MutualTlsMetadata {
    binds_tokens: bool,
    aliases: Vec<(&'static str, String)>,
}

impl MutualTlsMetadata {
    /// With the aliases of the endpoints that are on.
    pub(crate) fn new(config: &MutualTlsConfig, routes: &Routes, on: &EndpointSet) -> Self {
        let endpoints = Endpoint::ALL.iter().copied().filter(|endpoint| on.has(*endpoint));
        let alias = |endpoint: Endpoint| Some((endpoint.describe().member?, config.alias(endpoint, routes)?));
        let binds_tokens = config.certificate_bound_access_tokens;
        Self { binds_tokens, aliases: endpoints.filter_map(alias).collect() }
    }
}

impl Component for MutualTlsMetadata {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        if self.binds_tokens {
            metadata.boolean("tls_client_certificate_bound_access_tokens", true);
        }
        let mut aliases = ClaimsWriter::new();
        for (member, url) in &self.aliases {
            aliases.string(member, url);
        }
        if !self.aliases.is_empty() {
            metadata.object("mtls_endpoint_aliases", aliases);
        }
    }
}
