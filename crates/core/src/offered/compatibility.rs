//! What is offered only to clients that cannot do without it, because it leaves what RFC 9700 or its own
//! standard recommends. Everything is off by default.
//! Config     `[compatibility]`
//! Discovery  none; what is switched on is announced where it belongs

use serde::{Deserialize, Serialize};

use crate::error::{Complaint, SectionCheck};
use crate::profile::{Demands, Section};
use chancery_types::iana::ResponseType;

/// `[compatibility]`: each setting is named for what it permits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompatibilityConfig {
    /// Redirect URIs of any scheme but those that a browser runs or opens itself.
    pub any_redirect_scheme: bool,
    /// Whom the assertions of clients may be for. A single client can be laxer than this.
    pub assertion_audience: AssertionAudience,
    /// `"scope": ""` where nothing was granted, in token responses, introspection and JWT access tokens, for
    /// clients that take its absence for everything that they asked for.
    pub empty_scope_members: bool,
    /// The response types that combine a code with tokens from the authorization endpoint, for clients that are
    /// registered for them.
    pub hybrid: bool,
    /// The response types that have tokens from the authorization endpoint alone, for clients that are
    /// registered for them.
    pub implicit: bool,
    /// Redirect URIs that are spelled differently from the registered ones and mean the same.
    pub normalised_redirect_match: bool,
    /// Which clients may omit PKCE.
    pub pkce_optional: PkceOptional,
    /// The code challenge method `plain`, for every client.
    pub pkce_plain: bool,
    /// An access token in the query of a UserInfo request.
    pub query_access_token: bool,
    /// Parameters that stand only outside of a request object, for OpenID requests (OIDC Core section 6.1). Nobody
    /// vouches for them.
    pub request_object_merging: bool,
    /// Pages on another origin whose URL carries no handle.
    pub stored_interactions_by_client: InteractionsByClient,
    /// Introspection by clients that do not authenticate, of their own tokens and in plain text.
    pub unauthenticated_introspection: bool,
    /// Redirect URIs that are not registered, in requests that a client which authenticates has pushed.
    pub unregistered_redirect_uris: bool,
    /// ID tokens without a signature, from the token endpoint, for clients that are registered for them.
    pub unsigned_id_token: bool,
    /// Request objects without a signature, for clients that are not registered for any other.
    pub unsigned_request_object: bool,
    /// Wildcards in registered redirect URIs.
    pub wildcard_redirect_uris: bool,
}

/// How pages say which client's sign-in they are about, instead of by a handle. Every request is stored then, and
/// found by a cookie that the browser has for its client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InteractionsByClient {
    /// The parameter of the pages' URL, and of what they ask, that holds the client's id; empty for none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub parameter: Box<str>,
    /// The header of what they ask that holds it; empty for none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub header: Box<str>,
}

impl InteractionsByClient {
    /// Whether there are such pages.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.parameter.is_empty() || !self.header.is_empty()
    }
}

/// How the rules for redirect URIs are loosened. RFC 9700 section 2.1 demands exact string matching.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedirectLeniency {
    /// `any_redirect_scheme`
    pub any_scheme: bool,
    /// `any_loopback_port`, which only a client can have.
    pub any_port: bool,
    /// `http_loopback_redirects`, or a provider that is itself in development.
    pub http_loopback: bool,
    /// `normalised_redirect_match`
    pub normalised: bool,
    /// `wildcard_redirect_uris`
    pub wildcards: bool,
}

impl RedirectLeniency {
    /// What either of two permits, such as the server and a client's own settings.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            any_scheme: self.any_scheme || other.any_scheme,
            any_port: self.any_port || other.any_port,
            http_loopback: self.http_loopback || other.http_loopback,
            normalised: self.normalised || other.normalised,
            wildcards: self.wildcards || other.wildcards,
        }
    }
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

impl Departure {
    /// Those of the settings that are on.
    pub(crate) fn those_of(
        settings: impl IntoIterator<Item = (bool, &'static str, &'static str)>,
    ) -> Vec<Self> {
        let on = settings.into_iter().filter(|(is_on, ..)| *is_on);
        on.map(|(_, setting, section)| Self { setting, section }).collect()
    }

    /// Those of the settings that are on and that a section forbids.
    pub(crate) fn contradicting(
        settings: impl IntoIterator<Item = (bool, &'static str, Option<Section>)>,
    ) -> Vec<Self> {
        let forbidden = settings
            .into_iter()
            .filter_map(|(is_on, setting, section)| section.map(|section| (is_on, setting, section)));
        Self::those_of(forbidden)
    }
}

impl CompatibilityConfig {
    /// Every setting that is on.
    #[must_use]
    pub fn departures(&self) -> Vec<Departure> {
        let all = [
            (self.any_redirect_scheme, "any_redirect_scheme", ANY_REDIRECT_SCHEME),
            (self.assertion_audience != AssertionAudience::Issuer, "assertion_audience", ASSERTION_AUDIENCE),
            (self.empty_scope_members, "empty_scope_members", EMPTY_SCOPE_MEMBERS),
            (self.hybrid, "hybrid", "RFC 9700 section 2.1.2"),
            (self.implicit, "implicit", "RFC 9700 section 2.1.2"),
            (self.normalised_redirect_match, "normalised_redirect_match", EXACT_MATCHING),
            (self.pkce_optional != PkceOptional::Never, "pkce_optional", PKCE),
            (self.pkce_plain, "pkce_plain", PKCE),
            (self.query_access_token, "query_access_token", "RFC 9700 section 4.3.2"),
            (self.request_object_merging, "request_object_merging", "RFC 9101 section 6.3"),
            (self.stored_interactions_by_client.is_on(), "stored_interactions_by_client", BY_CLIENT),
            (
                self.unauthenticated_introspection,
                "unauthenticated_introspection",
                AUTHENTICATED_INTROSPECTION,
            ),
            (self.unregistered_redirect_uris, "unregistered_redirect_uris", EXACT_MATCHING),
            (self.unsigned_id_token, "unsigned_id_token", "RFC 8725 section 3.2"),
            (self.unsigned_request_object, "unsigned_request_object", "RFC 9101 section 10.5"),
            (self.wildcard_redirect_uris, "wildcard_redirect_uris", EXACT_MATCHING),
        ];
        Departure::those_of(all)
    }

    /// Every setting that is on and contradicts a demand, with the section of the demand.
    #[must_use]
    pub fn contradictions(&self, demands: &Demands) -> Vec<Departure> {
        let unsigned = demands.algorithms.section();
        let all = [
            (self.any_redirect_scheme, "any_redirect_scheme", demands.redirects.section()),
            (
                self.assertion_audience != AssertionAudience::Issuer,
                "assertion_audience",
                demands.sole_audience,
            ),
            (self.hybrid, "hybrid", demands.forbids_type(ResponseType::CodeIdToken)),
            (self.implicit, "implicit", demands.forbids_type(ResponseType::IdToken)),
            (self.normalised_redirect_match, "normalised_redirect_match", demands.exact_redirects),
            (self.pkce_optional != PkceOptional::Never, "pkce_optional", demands.pkce),
            (self.pkce_plain, "pkce_plain", demands.pkce.or(demands.pkce_if_pushed)),
            (self.query_access_token, "query_access_token", demands.header_tokens),
            (self.request_object_merging, "request_object_merging", demands.object_alone),
            (self.unregistered_redirect_uris, "unregistered_redirect_uris", demands.exact_redirects),
            (self.unsigned_id_token, "unsigned_id_token", unsigned),
            (self.unsigned_request_object, "unsigned_request_object", unsigned),
            (self.wildcard_redirect_uris, "wildcard_redirect_uris", demands.exact_redirects),
        ];
        Departure::contradicting(all)
    }

    /// What is wrong with it, where the pages are on another origin or not.
    pub(crate) fn complaints(&self, are_pages_elsewhere: bool) -> Vec<Complaint> {
        let InteractionsByClient { parameter, header } = &self.stored_interactions_by_client;
        let is_plain =
            |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let is_good = is_plain(parameter) && is_plain(header) && &**parameter != "interaction";
        SectionCheck::of("compatibility")
            .demand(
                is_good,
                "stored_interactions_by_client",
                "must be names of letters, digits, - and _, and not `interaction`",
                "RFC 9110 section 5.1",
            )
            .demand(
                are_pages_elsewhere || !self.stored_interactions_by_client.is_on(),
                "stored_interactions_by_client",
                "needs interaction.location",
                BY_CLIENT,
            )
            .complaints()
    }

    /// What is loosened for redirect URIs.
    #[must_use]
    pub fn redirects(&self) -> RedirectLeniency {
        RedirectLeniency {
            any_scheme: self.any_redirect_scheme,
            any_port: false,
            http_loopback: false,
            normalised: self.normalised_redirect_match,
            wildcards: self.wildcard_redirect_uris,
        }
    }
}

/// `redirect_uris` of web clients MUST only be `https`.
pub(crate) const ANY_REDIRECT_SCHEME: &str = "OIDC Registration section 2";
pub(crate) const ASSERTION_AUDIENCE: &str = "draft-ietf-oauth-rfc7523bis section 4";
pub(crate) const AUTHENTICATED_INTROSPECTION: &str = "RFC 7662 section 4";
/// A scope has at least one token.
pub(crate) const CLAIMS_FROM_USERINFO: &str = "OIDC Core section 5.4";
pub(crate) const EMPTY_SCOPE_MEMBERS: &str = "RFC 6749 section 3.3";
/// What tells the request of one page from that of another, in one browser.
pub(crate) const BY_CLIENT: &str = "OIDC Core section 3.1.2.3";
pub(crate) const EXACT_MATCHING: &str = "RFC 9700 section 2.1";

/// What `http_loopback_redirects` leaves.
pub(crate) const ENCRYPTED_REDIRECTS: &str = "RFC 9700 section 2.6";
pub(crate) const PKCE: &str = "RFC 9700 section 2.1.1";
