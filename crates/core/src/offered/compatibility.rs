//! What is offered only to clients that cannot do without it, because it leaves what RFC 9700 or its own
//! standard recommends. Everything is off by default.
//! Config     `[compatibility]`
//! Discovery  none; what is switched on is announced where it belongs

use serde::{Deserialize, Serialize};

/// `[compatibility]`: each setting is named for what it permits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompatibilityConfig {
    /// Whom the assertions of clients may be for. A single client can be laxer than this.
    pub assertion_audience: AssertionAudience,
    /// The response types that combine a code with tokens from the authorization endpoint, for clients that are
    /// registered for them.
    pub hybrid: bool,
    /// The response types that have tokens from the authorization endpoint alone, for clients that are
    /// registered for them.
    pub implicit: bool,
    /// Which clients may omit PKCE.
    pub pkce_optional: PkceOptional,
    /// The code challenge method `plain`, for every client.
    pub pkce_plain: bool,
    /// An access token in the query of a UserInfo request.
    pub query_access_token: bool,
    /// ID tokens without a signature, from the token endpoint, for clients that are registered for them.
    pub unsigned_id_token: bool,
}

/// Whom an assertion of a client may be for (`aud`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AssertionAudience {
    /// The issuer and nobody else (draft-ietf-oauth-rfc7523bis section 4).
    #[default]
    Issuer,
    /// Also the URL of the token endpoint, or that of the endpoint that is called. Another server that the
    /// client uses can then have it sign an assertion that is good here.
    Endpoints,
}

/// Which clients may omit PKCE, besides those with the setting `pkce_optional` of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PkceOptional {
    /// None.
    #[default]
    Never,
    /// Those that authenticate at the token endpoint.
    Confidential,
    /// Public ones as well, for which PKCE is a MUST: whoever intercepts a code can redeem it.
    Always,
}

/// A setting that leaves a standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The setting.
    pub setting: &'static str,
    /// The section that it leaves.
    pub section: &'static str,
}

impl CompatibilityConfig {
    /// Every setting that is on.
    #[must_use]
    pub fn departures(&self) -> Vec<Departure> {
        let all = [
            (
                self.assertion_audience != AssertionAudience::Issuer,
                "assertion_audience",
                "draft-ietf-oauth-rfc7523bis section 4",
            ),
            (self.hybrid, "hybrid", "RFC 9700 section 2.1.2"),
            (self.implicit, "implicit", "RFC 9700 section 2.1.2"),
            (self.pkce_optional != PkceOptional::Never, "pkce_optional", "RFC 9700 section 2.1.1"),
            (self.pkce_plain, "pkce_plain", "RFC 9700 section 2.1.1"),
            (self.query_access_token, "query_access_token", "RFC 9700 section 4.3.2"),
            (self.unsigned_id_token, "unsigned_id_token", "RFC 8725 section 3.2"),
        ];
        let on = all.into_iter().filter(|(is_on, ..)| *is_on);
        on.map(|(_, setting, section)| Departure { setting, section }).collect()
    }
}
