//! RFC 6749 section 3.3, access token scope; OIDC Core sections 3.1.2.1, 5.4 and 11.
//! Config     `[scopes]`
//! Discovery  scopes_supported

use std::sync::Arc;

use chancery_jose::ClaimsWriter;
use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{Scope, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Reason, Refusal};
use crate::model::{Client, ResourceServer};
use crate::offered::Component;

reasons! {
    /// `scope` contains characters that the standard does not allow.
    pub MALFORMED = Reason {
        name: "scope_malformed",
        code: ErrorCode::InvalidScope,
        description: "scope contains invalid characters",
        section: "RFC 6749 section 3.3",
    };
    /// The client requests a scope that it is not registered for.
    pub NOT_ALLOWED = Reason {
        name: "scope_not_allowed",
        code: ErrorCode::InvalidScope,
        description: "requested scope is not allowed",
        section: "RFC 7591 section 2",
    };
    /// The request contains an unknown scope, and `scopes.unknown` is `refuse`.
    pub UNKNOWN = Reason {
        name: "scope_unknown",
        code: ErrorCode::InvalidScope,
        description: "requested scope is unknown",
        section: "RFC 6749 section 3.3",
    };
    /// None of the requested scopes is known.
    pub NOTHING = Reason {
        name: "scope_nothing",
        code: ErrorCode::InvalidScope,
        description: "scope must name something that this server knows, such as what its metadata has as scopes_supported",
        section: "RFC 6749 section 3.3",
    };
    /// The requested scopes that are known are of no use to the client: they are about a person, and the token stands for
    /// nobody but the client; or only `offline_access` was requested, by a client that gets no refresh tokens.
    pub NOTHING_OF_USE = Reason {
        name: "scope_nothing_of_use",
        code: ErrorCode::InvalidScope,
        description: "scope names only what is of no use to this client here: what is about an End-User where there is none, or offline_access without refresh tokens",
        section: "RFC 6749 section 3.3",
    };
}

/// `[scopes]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScopesConfig {
    /// The application's own scopes that belong to no resource server, in addition to `openid`,
    /// `offline_access` and those of `[claims]`.
    pub extra: Vec<Scope>,
    /// What happens to a scope that neither this server nor a resource server of the request knows.
    pub unknown: UnknownScopes,
}

/// What happens to an unknown scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownScopes {
    /// It is ignored, as OIDC Core section 3.1.2.1 recommends, and an event is recorded.
    #[default]
    Ignore,
    /// `invalid_scope` (RFC 6749 section 4.1.2.1).
    Refuse,
}

/// The scopes that this server knows.
#[derive(Clone, Debug)]
pub struct ScopeRule {
    supported: Scopes,
    /// Those that say nothing without a person: `openid`, `offline_access`, and those that stand for claims.
    of_person: Scopes,
    unknown: UnknownScopes,
}

impl ScopeRule {
    /// Built from the configuration and the scopes that stand for claims.
    #[must_use]
    pub fn new(config: &ScopesConfig, of_claims: impl Iterator<Item = Scope>) -> Self {
        let fixed =
            [Scope::OPENID, Scope::OFFLINE_ACCESS].into_iter().filter_map(|text| Scope::parse(text).ok());
        let of_person: Scopes = fixed.chain(of_claims).collect();
        let supported = of_person.iter().chain(&config.extra).cloned().collect();
        Self { supported, of_person, unknown: config.unknown }
    }

    /// `scopes_supported`.
    #[must_use]
    pub fn supported(&self) -> &Scopes {
        &self.supported
    }

    /// What a request's `scope` means to this server and to the resource servers that it is for.
    ///
    /// # Errors
    /// [`MALFORMED`]; [`NOT_ALLOWED`] for a known scope, including one of a resource server, that the
    /// client is not registered for; [`UNKNOWN`] for an unknown one if the configuration says so.
    pub fn asked(
        &self,
        text: Option<&str>,
        client: &Client,
        servers: &[Arc<ResourceServer>],
    ) -> Result<AskedScopes, Refusal> {
        let asked = read(text)?.unwrap_or_default();
        let is_known = |scope: &Scope| {
            self.supported.contains(scope.as_str()) || servers.iter().any(|server| server.knows(scope))
        };
        let is_allowed = |scope: &Scope| client.scopes().is_none_or(|list| list.contains(scope.as_str()));
        let (known, unknown) = (asked.filtered(is_known), asked.filtered(|scope| !is_known(scope)));
        if !known.iter().all(is_allowed) {
            return NOT_ALLOWED.refused();
        }
        if self.unknown == UnknownScopes::Refuse && !unknown.is_empty() {
            return UNKNOWN.refused();
        }
        // OIDC Core section 11: `offline_access` is ignored if the client cannot get a refresh token, so that
        // nobody is asked about it.
        let is_of_use = |scope: &Scope| {
            scope.as_str() != Scope::OFFLINE_ACCESS || client.has_grant_type(&GrantType::RefreshToken)
        };
        let asked = AskedScopes { known, unknown, withheld: Scopes::default() };
        Ok(asked.withholding(|scope| !is_of_use(scope)))
    }

    /// The same for a token that stands for nobody but the client, and says nothing about a person.
    ///
    /// # Errors
    /// Those of [`asked`](Self::asked).
    pub(crate) fn asked_of_no_person(
        &self,
        text: Option<&str>,
        client: &Client,
        servers: &[Arc<ResourceServer>],
    ) -> Result<AskedScopes, Refusal> {
        let asked = self.asked(text, client, servers)?;
        Ok(asked.withholding(|scope| self.of_person.contains(scope.as_str())))
    }
}

impl Component for ScopeRule {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata.strings("scopes_supported", self.supported.iter().map(Scope::as_str));
    }
}

/// What a request asks for: each scope once, in the order of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedScopes {
    /// The scopes that this server or a resource server of the request knows.
    pub known: Scopes,
    /// Unknown scopes, which are ignored.
    pub unknown: Scopes,
    /// Known scopes of which the client can have no use, which are ignored, too.
    pub withheld: Scopes,
}

impl AskedScopes {
    /// Why nothing can be granted, when no known scope is left.
    #[must_use]
    pub(crate) fn why_nothing(&self) -> &'static Reason {
        if self.withheld.is_empty() { &NOTHING } else { &NOTHING_OF_USE }
    }

    /// Without those known scopes for which this holds.
    pub(crate) fn withholding(self, is_withheld: impl Fn(&Scope) -> bool) -> Self {
        let more = self.known.filtered(&is_withheld);
        if more.is_empty() {
            return self;
        }
        let withheld = self.withheld.iter().chain(more.iter()).cloned().collect();
        Self { known: self.known.filtered(|scope| !is_withheld(scope)), withheld, ..self }
    }
}

/// Reads the parameter `scope`, for every endpoint.
///
/// # Errors
/// [`MALFORMED`].
pub fn read(text: Option<&str>) -> Result<Option<Scopes>, Refusal> {
    text.map(Scopes::parse).transpose().map_err(|_| (&MALFORMED).into())
}
