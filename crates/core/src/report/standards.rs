//! The standards that a configuration is graded against.

use std::time::Duration;

use chancery_types::iana::{ClientAuthenticationMethod, GrantType, ResponseType};
use chancery_types::{RedirectKind, Scope};

use super::rows::asks_people;
use super::{Breach, Grade, Level, Subject};
use crate::model::Client;
use crate::profile::{Among, BindingMethod, Demand, Demands, Profile, Response, Section};

/// A standard that a configuration is graded against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standard {
    /// RFC 9700, the best current practice.
    Bcp,
    /// draft-ietf-oauth-v2-1.
    OAuth21,
    /// The standard of a profile.
    Profile(Profile),
}

impl Standard {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Bcp,
        Self::OAuth21,
        Self::Profile(Profile::Fapi1Advanced),
        Self::Profile(Profile::Fapi2Security),
        Self::Profile(Profile::Fapi2MessageSigning),
    ];

    /// Its short name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bcp => "rfc9700",
            Self::OAuth21 => "oauth-2.1",
            Self::Profile(profile) => profile.as_str(),
        }
    }

    /// Its title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Bcp | Self::Profile(Profile::Baseline) => {
                "RFC 9700, Best Current Practice for OAuth 2.0 Security"
            }
            Self::OAuth21 => "OAuth 2.1 (draft-ietf-oauth-v2-1)",
            Self::Profile(Profile::Fapi1Advanced) => "FAPI 1.0, part 2: Advanced",
            Self::Profile(Profile::Fapi2Security) => "FAPI 2.0 Security Profile",
            Self::Profile(Profile::Fapi2MessageSigning) => "FAPI 2.0 Message Signing",
        }
    }

    /// What it demands.
    pub(super) fn demands(self) -> Demands {
        match self {
            Self::Bcp => bcp(),
            Self::OAuth21 => oauth21(),
            // That of request objects is Message Signing's.
            Self::Profile(Profile::Fapi2Security) => {
                Demands { object_lifetime: None, ..Profile::Fapi2Security.demands() }
            }
            Self::Profile(profile) => profile.demands(),
        }
    }

    /// How strongly this section of it demands what it does.
    pub(super) fn level(self, section: Section) -> Level {
        let is_advice = match self {
            Self::Bcp => {
                [BCP_PKCE, BCP_RESPONSES, BCP_ISSUER, BCP_BINDING, BCP_AUTHENTICATION].contains(&section)
            }
            Self::OAuth21 => {
                [OAUTH21_ISSUER, OAUTH21_BINDING, OAUTH21_AUTHENTICATION, OAUTH21_CODE].contains(&section)
            }
            Self::Profile(_) => false,
        };
        if is_advice { Level::Recommended } else { Level::Required }
    }

    /// What to do about a client that nothing holds to a demand: which setting it is, and what that has to be. Instead
    /// of another profile, a member of its metadata (`otherwise`) will do.
    pub(super) fn advice(self, otherwise: Option<&'static str>) -> (&'static str, String) {
        match (self, otherwise) {
            (Self::Profile(profile), None) => {
                ("chancery.profile", format!("must be {}, of the client or of the server", profile.as_str()))
            }
            (Self::Profile(profile), Some(member)) => (
                "chancery.profile",
                format!("must be {}, of the client or of the server; or set {member}", profile.as_str()),
            ),
            (_, Some(member)) => (member, "must be set".to_owned()),
            (_, None) => ("chancery.profile", "must be one that demands it".to_owned()),
        }
    }
}

const BCP_PKCE: Section = "RFC 9700 section 2.1.1";
const BCP_RESPONSES: Section = "RFC 9700 section 2.1.2";
const BCP_ISSUER: Section = "RFC 9700 section 4.4.2.1";
const BCP_BINDING: Section = "RFC 9700 section 2.2.1";
const BCP_AUTHENTICATION: Section = "RFC 9700 section 2.5";

const OAUTH21_ISSUER: Section = "draft-ietf-oauth-v2-1 section 7.15.1";
const OAUTH21_BINDING: Section = "draft-ietf-oauth-v2-1 section 1.4.3";
const OAUTH21_AUTHENTICATION: Section = "draft-ietf-oauth-v2-1 section 2.4";
const OAUTH21_CODE: Section = "draft-ietf-oauth-v2-1 section 4.1.2";

/// Public clients have nothing to authenticate with; of the others a key of their own is expected, for assertions or for
/// mutual TLS.
const ASYMMETRIC_OR_NONE: &[ClientAuthenticationMethod] = &[
    ClientAuthenticationMethod::PrivateKeyJwt,
    ClientAuthenticationMethod::TlsClientAuth,
    ClientAuthenticationMethod::SelfSignedTlsClientAuth,
    ClientAuthenticationMethod::None,
];

/// Without access tokens, which would go through the browser.
const WITHOUT_ACCESS_TOKENS: &[Response] = &[
    Response { response_type: ResponseType::Code, is_signed: false },
    Response { response_type: ResponseType::CodeIdToken, is_signed: false },
    Response { response_type: ResponseType::IdToken, is_signed: false },
    Response { response_type: ResponseType::None, is_signed: false },
];

const ENCRYPTED: &[RedirectKind] =
    &[RedirectKind::Https, RedirectKind::HttpLoopback, RedirectKind::PrivateUse];

const EITHER: &[BindingMethod] = &[BindingMethod::Certificate, BindingMethod::Key];

fn bcp() -> Demands {
    Demands {
        authentication: Among::these(ASYMMETRIC_OR_NONE, BCP_AUTHENTICATION),
        responses: Among::these(WITHOUT_ACCESS_TOKENS, BCP_RESPONSES),
        pkce: Some(BCP_PKCE),
        redirects: Among::these(ENCRYPTED, "RFC 9700 section 2.6"),
        exact_redirects: Some("RFC 9700 section 2.1"),
        response_iss: Some(BCP_ISSUER),
        bindings: Among::these(EITHER, BCP_BINDING),
        header_tokens: Some("RFC 9700 section 4.3.2"),
        ..Demands::default()
    }
}

fn oauth21() -> Demands {
    Demands {
        authentication: Among::these(ASYMMETRIC_OR_NONE, OAUTH21_AUTHENTICATION),
        responses: Among::these(WITHOUT_ACCESS_TOKENS, "draft-ietf-oauth-v2-1 section 10.1"),
        pkce: Some("draft-ietf-oauth-v2-1 section 7.5.1.1"),
        redirects: Among::these(ENCRYPTED, "draft-ietf-oauth-v2-1 section 1.5"),
        exact_redirects: Some("draft-ietf-oauth-v2-1 section 2.3.1"),
        response_iss: Some(OAUTH21_ISSUER),
        code_lifetime: Some(Demand { what: Duration::from_secs(600), section: OAUTH21_CODE }),
        bindings: Among::these(EITHER, OAUTH21_BINDING),
        header_tokens: Some("draft-ietf-oauth-v2-1 section 5.1"),
        ..Demands::default()
    }
}

/// What is demanded of the server alone, and what only the first two standards say.
pub(super) fn more(standard: Standard, subject: &Subject<'_>) -> Vec<Grade> {
    let is_encrypted = subject.issuer.as_str().starts_with("https:");
    let plain = (!is_encrypted).then(|| Breach::of_server("issuer", "must be https"));
    let plain = plain.into_iter().collect();
    let tls = |section| Grade::new("Endpoints are reached over TLS", section, Level::Required, plain);
    let [pkce, rotation, inactivity, audience, password] = match standard {
        Standard::Bcp => [
            BCP_PKCE,
            "RFC 9700 section 2.2.2",
            "RFC 9700 section 4.14.2",
            "RFC 9700 section 2.3",
            "RFC 9700 section 2.4",
        ],
        Standard::OAuth21 => [
            "draft-ietf-oauth-v2-1 section 7.5.1.1",
            "draft-ietf-oauth-v2-1 section 4.3.1",
            "draft-ietf-oauth-v2-1 section 4.3.3",
            "draft-ietf-oauth-v2-1 section 7.1.4",
            "draft-ietf-oauth-v2-1 section 10",
        ],
        Standard::Profile(Profile::Fapi1Advanced) => return vec![tls("FAPI 1.0 part 1 section 7.1")],
        Standard::Profile(_) => return vec![tls("FAPI 2.0 Security Profile section 5.2.1-1")],
    };
    let public = || subject.clients.iter().filter(|client| client.is_public());
    let without_pkce = public()
        .filter(|client| asks_people(client) && subject.may_omit_pkce(client))
        .map(|client| Breach::of_client(client, "compatibility.pkce_optional", "must be left out"));
    let fixed = public()
        .filter(|client| client.has_grant_type(&GrantType::RefreshToken))
        .filter(|client| subject.demands(client).no_rotation.is_some())
        .map(|client| {
            Breach::of_client(client, "chancery.profile", "must be one that rotates its refresh tokens")
        });
    let password_grant = subject
        .offered
        .grant_types
        .iter()
        .filter(|grant| grant.as_str() == "password")
        .map(|_| Breach::of_server("grant types", "must not include the password grant"));
    let of_server = match standard {
        Standard::OAuth21 => Some(tls("draft-ietf-oauth-v2-1 section 1.5")),
        _ => None,
    };
    let of_clients = [
        Grade::new("Public clients use PKCE", pkce, Level::Required, without_pkce.collect()),
        Grade::new(
            "Refresh tokens of public clients are rotated or bound",
            rotation,
            Level::Required,
            fixed.collect(),
        ),
        Grade::new("Unused refresh tokens end", inactivity, Level::Recommended, kept_for_long(subject)),
        Grade::new(
            "Access tokens are for one resource server",
            audience,
            Level::Recommended,
            unaddressed(subject),
        ),
        Grade::new("There is no password grant", password, Level::Required, password_grant.collect()),
    ];
    of_clients.into_iter().chain(of_server).collect()
}

/// Refresh tokens that live as long unused as if they were used.
fn kept_for_long(subject: &Subject<'_>) -> Vec<Breach> {
    let tokens = &subject.config.refresh_token;
    let is_kept = tokens.idle >= tokens.absolute
        && subject.clients.iter().any(|client| client.has_grant_type(&GrantType::RefreshToken));
    let breach = || Breach::of_server("refresh_token.idle", "must be shorter than refresh_token.absolute");
    is_kept.then(breach).into_iter().collect()
}

/// Clients whose tokens can be for nobody in particular. With the scopes of OpenID Connect alone, a token is for UserInfo.
fn unaddressed(subject: &Subject<'_>) -> Vec<Breach> {
    let own_scopes = &subject.config.scopes.extra;
    let may_call_others = |client: &Client| {
        let has_scope = |scope: &Scope| client.scopes().is_none_or(|scopes| scopes.contains(scope.as_str()));
        client.has_grant_type(&GrantType::ClientCredentials) || own_scopes.iter().any(has_scope)
    };
    let names_none =
        |client: &&Client| client.default_resource().is_none() && client.metadata().own.resources.is_empty();
    let clients = subject.clients.iter().copied().filter(names_none);
    let remedy = "must name the resource server that its access tokens are for";
    clients
        .filter(|client| may_call_others(client))
        .map(|client| Breach::of_client(client, "chancery.default_resource", remedy))
        .collect()
}
