//! RFC 6749 section 3.3, access token scope; OIDC Core sections 3.1.2.1, 5.4 and 11.
//! Config     `[scopes]`
//! Discovery  scopes_supported

use chancery_jose::ClaimsWriter;
use chancery_types::iana::ErrorCode;
use chancery_types::{Scope, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Reason, Refusal};
use crate::model::{Client, ResourceServer};
use crate::offered::Component;

/// The scope does not have the form of the standard.
pub const MALFORMED: Reason = Reason {
    name: "scope_malformed",
    code: ErrorCode::InvalidScope,
    description: "scope contains invalid characters",
    section: "RFC 6749 section 3.3",
};
/// The client is registered for less.
pub const NOT_ALLOWED: Reason = Reason {
    name: "scope_not_allowed",
    code: ErrorCode::InvalidScope,
    description: "requested scope is not allowed",
    section: "RFC 7591 section 2",
};
/// Nothing that is known here was asked for.
pub const NOTHING: Reason = Reason {
    name: "scope_nothing",
    code: ErrorCode::InvalidScope,
    description: "scope must name something that this server knows",
    section: "RFC 6749 section 3.3",
};

/// `[scopes]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Scopes of the application's own that belong to no resource server, beside `openid`, `offline_access` and those
    /// of `[claims]`.
    pub extra: Vec<Scope>,
}

/// Which scopes this server knows.
#[derive(Clone, Debug)]
pub struct ScopeRule {
    supported: Scopes,
}

impl ScopeRule {
    /// From the configuration and the scopes that stand for claims.
    #[must_use]
    pub fn new(config: &Config, of_claims: impl Iterator<Item = Scope>) -> Self {
        let fixed = [Scope::OPENID, Scope::OFFLINE_ACCESS].into_iter().filter_map(|text| Scope::parse(text).ok());
        Self { supported: fixed.chain(of_claims).chain(config.extra.iter().cloned()).collect() }
    }

    /// `scopes_supported`.
    #[must_use]
    pub fn supported(&self) -> &Scopes {
        &self.supported
    }

    /// What a request's `scope` means: known scopes in the order asked for, each once. Unknown ones are ignored, as the
    /// standard allows; those of the resource server count only when its tokens are what is asked for.
    ///
    /// # Errors
    /// [`MALFORMED`], and [`NOT_ALLOWED`] for a known scope, also one of the resource server, outside the client's
    /// registration.
    pub fn asked(
        &self,
        text: Option<&str>,
        client: &Client,
        resource: Option<&ResourceServer>,
    ) -> Result<Scopes, Refusal> {
        let text = text.unwrap_or("");
        // RFC 6749 appendix A.4 knows single spaces between tokens only.
        if text.starts_with(' ') || text.ends_with(' ') || text.contains("  ") {
            return Err((&MALFORMED).into());
        }
        let asked = Scopes::parse(text).map_err(|_| Refusal::from(&MALFORMED))?;
        let is_own = |scope: &Scope| self.supported.contains(scope.as_str());
        let is_resources = |scope: &Scope| resource.is_some_and(|known| known.scopes.contains(scope.as_str()));
        let is_allowed = |scope: &Scope| client.scopes.as_ref().is_none_or(|list| list.contains(scope.as_str()));
        let known = asked.filtered(|scope| is_own(scope) || is_resources(scope));
        if known.iter().all(is_allowed) { Ok(known) } else { Err((&NOT_ALLOWED).into()) }
    }
}

impl Component for ScopeRule {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata.strings("scopes_supported", self.supported.iter().map(Scope::as_str));
    }
}
