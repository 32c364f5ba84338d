//! An authorization request that passed every check, what the checks are made against, and why they refuse.

use std::sync::Arc;

use chancery_jose::ClaimsWriter;
use chancery_types::iana::ErrorCode;
use chancery_types::{Issuer, Timestamp};

use super::asked::asked;
use super::pushed::PUSH_MISSING;
use crate::client::meets;
use crate::error::Reason;
use crate::keys::KeySet;
use crate::offered::{Component, Offered};
use crate::policy::{DynAuthorizationPolicy, PromptOrder};
use crate::request::{Addressed, Asked, Door, Refused, Resolver};
use crate::rule::authorization_details::DetailTypes;
use crate::rule::claims::ClaimsRule;
use crate::rule::pkce::Pkce;
use crate::rule::scope::ScopeRule;

reasons! {
    /// The client has not signed the request, or not all of it, and its requests are refused otherwise
    /// (`require_signed_request_object`).
    pub UNSIGNED = Reason {
        name: "request_unsigned",
        code: ErrorCode::InvalidRequest,
        description: "Request Object must be used by this client",
        section: "RFC 9101 section 10.5",
    };
    /// The authorization request carries a request object, which this provider does not support.
    pub REQUEST_UNSUPPORTED = Reason {
        name: "request_unsupported",
        code: ErrorCode::RequestNotSupported,
        description: "",
        section: "OIDC Core section 6.1",
    };
    /// The authorization request refers to a request object, which this provider does not support.
    pub REQUEST_URI_UNSUPPORTED = Reason {
        name: "request_uri_unsupported",
        code: ErrorCode::RequestUriNotSupported,
        description: "",
        section: "OIDC Core section 6.2",
    };
    /// The authorization request has a `registration` parameter, which this provider does not support.
    pub REGISTRATION_UNSUPPORTED = Reason {
        name: "registration_unsupported",
        code: ErrorCode::RegistrationNotSupported,
        description: "",
        section: "OIDC Core section 7.2.1",
    };
    /// The authorization request has no `response_type` parameter.
    pub RESPONSE_TYPE_MISSING = Reason {
        name: "response_type_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter response_type",
        section: "RFC 6749 section 4.1.1",
    };
    /// This provider does not offer the response type.
    pub RESPONSE_TYPE_UNSUPPORTED = Reason {
        name: "response_type_unsupported",
        code: ErrorCode::UnsupportedResponseType,
        description: "unsupported response_type requested",
        section: "RFC 6749 section 4.1.2.1",
    };
    /// The client is not registered for the response type.
    pub RESPONSE_TYPE_UNREGISTERED = Reason {
        name: "response_type_unregistered",
        code: ErrorCode::UnauthorizedClient,
        description: "requested response_type is not allowed for this client",
        section: "RFC 6749 section 4.1.2.1",
    };
    /// `prompt` has a value that this provider does not know.
    pub PROMPT_UNSUPPORTED = Reason {
        name: "prompt_unsupported",
        code: ErrorCode::InvalidRequest,
        description: "unsupported prompt value requested",
        section: "OIDC Core section 3.1.2.1",
    };
    /// `prompt` combines `none` with another value.
    pub PROMPT_NONE_COMBINED = Reason {
        name: "prompt_none_combined",
        code: ErrorCode::InvalidRequest,
        description: "prompt none must only be used alone",
        section: "OIDC Core section 3.1.2.1",
    };
    /// The request has a parameter that only means something with the scope `openid`, and lacks that scope.
    pub OPENID_MISSING = Reason {
        name: "openid_missing",
        code: ErrorCode::InvalidRequest,
        description: "openid scope must be requested when using acr_values, claims, claims_locales, id_token_hint, max_age or nonce",
        section: "OIDC Core section 3.1.2.1",
    };
    /// The response has an ID token, and without the scope `openid` there is none.
    pub OPENID_MISSING_FOR_ID_TOKEN = Reason {
        name: "openid_missing_for_id_token",
        code: ErrorCode::InvalidRequest,
        description: "openid scope must be requested for this response_type",
        section: "OIDC Core section 3.2.2.1",
    };
    /// The response has an ID token, and only a `nonce` ties it to the client's own session; or the profile that the
    /// client is held to demands a `nonce` of every OpenID request.
    pub NONCE_MISSING = Reason {
        name: "nonce_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter nonce",
        section: "OIDC Core section 3.2.2.1",
    };
    /// The request is not one of OpenID Connect, and the profile that its client is held to demands a `state` then.
    pub STATE_MISSING = Reason {
        name: "state_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter state",
        section: "FAPI 1.0 part 1 section 5.2.2.3",
    };
    /// The response would not be signed, as the profile that the client is held to demands.
    pub RESPONSE_UNSIGNED = Reason {
        name: "response_unsigned",
        code: ErrorCode::InvalidRequest,
        description: "response_mode must be one whose responses are signed",
        section: "FAPI 2.0 Message Signing section 5.4.1",
    };
    /// `dpop_jkt` is not the thumbprint of a key.
    pub DPOP_JKT_MALFORMED = Reason {
        name: "dpop_jkt_malformed",
        code: ErrorCode::InvalidRequest,
        description: "dpop_jkt must be the base64url of a SHA-256 thumbprint",
        section: "RFC 9449 section 10",
    };
    /// `max_age` is not a number of seconds.
    pub MAX_AGE_MALFORMED = Reason {
        name: "max_age_malformed",
        code: ErrorCode::InvalidRequest,
        description: "invalid max_age parameter value",
        section: "OIDC Core section 3.1.2.1",
    };
    /// `id_token_hint` is not an ID token that this server issued to the client.
    pub ID_TOKEN_HINT_INVALID = Reason {
        name: "id_token_hint_invalid",
        code: ErrorCode::InvalidRequest,
        description: "could not validate id_token_hint",
        section: "OIDC Core section 3.1.2.1",
    };
    /// `id_token_hint` and `claims` name different people, or `claims` names somebody who cannot exist.
    pub SUBJECT_IMPOSSIBLE = Reason {
        name: "subject_impossible",
        code: ErrorCode::InvalidRequest,
        description: "no End-User can have the requested subject",
        section: "OIDC Core section 5.5.1",
    };
    /// `state` or `nonce` is longer than 4096 bytes.
    pub TOO_LONG = Reason {
        name: "parameter_too_long",
        code: ErrorCode::InvalidRequest,
        description: "state and nonce must not be longer than 4096 bytes",
        section: "RFC 6819 section 4.4.1.11",
    };
    /// The request is longer than a page's form can carry.
    pub REQUEST_TOO_LONG = Reason {
        name: "request_too_long",
        code: ErrorCode::InvalidRequest,
        description: "the request must not be longer than 16384 bytes",
        section: "RFC 9110 section 15.5.14",
    };
}

/// What the checks are made against: the snapshot's components.
pub struct Rules {
    /// What opens a request.
    pub resolver: Resolver,
    /// Response types and modes.
    pub offered: Arc<Offered>,
    /// RFC 9396.
    pub details: Arc<DetailTypes>,
    /// RFC 6749 section 3.3.
    pub scope: ScopeRule,
    /// RFC 7636.
    pub pkce: Pkce,
    /// OIDC Core section 5.5.
    pub claims: ClaimsRule,
    /// For `id_token_hint`.
    pub keys: Arc<KeySet>,
    /// For `id_token_hint`.
    pub issuer: Issuer,
    /// Which prompts can be asked for.
    pub prompts: PromptOrder,
    /// What the application decides.
    pub policy: Arc<dyn DynAuthorizationPolicy>,
}

impl Component for Rules {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata.boolean("authorization_response_iss_parameter_supported", true);
    }
}

/// An authorization request that passed every check. Only [`Addressed::validate`] makes one.
///
/// ```
/// # use chancery_core::request::{Addressed, Asked, Rules, ValidatedAuthorizationRequest};
/// fn checked(addressed: Addressed<'_>, rules: &Rules) {
///     let validated: Option<ValidatedAuthorizationRequest<'_>> = addressed.validate(rules).ok();
/// }
/// ```
/// ```compile_fail,E0451
/// # use chancery_core::request::{Addressed, Asked, ValidatedAuthorizationRequest};
/// fn forged(addressed: Addressed<'_>, asked: Asked) {
///     let validated = Some(ValidatedAuthorizationRequest { addressed, asked });
/// }
/// ```
pub struct ValidatedAuthorizationRequest<'a> {
    addressed: Addressed<'a>,
    asked: Asked,
}

impl<'a> ValidatedAuthorizationRequest<'a> {
    /// Who asks, and where the answer goes.
    #[must_use]
    pub fn addressed(&self) -> &Addressed<'a> {
        &self.addressed
    }

    /// What is asked for.
    #[must_use]
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Both.
    #[must_use]
    pub fn into_parts(self) -> (Addressed<'a>, Asked) {
        (self.addressed, self.asked)
    }
}

impl<'a> Addressed<'a> {
    /// The list of checks, in the order in which they are made; the first that fails wins.
    ///
    /// # Errors
    /// The request's first fault, with the request that can tell its client so.
    pub fn validate(self, rules: &Rules) -> Result<ValidatedAuthorizationRequest<'a>, Refused<'a>> {
        if let Some(why) = self.refused {
            return Err(Refused { addressed: Box::new(self), why: why.into() });
        }
        let client = Arc::clone(&self.client);
        let demands = client.demands(&rules.offered.floor);
        if let Err(why) = meets(&client, demands) {
            return Err(Refused { addressed: Box::new(self), why });
        }
        if !self.source.is_pushed() && rules.resolver.demands_push(&self.client) {
            return Err(Refused { addressed: Box::new(self), why: (&PUSH_MISSING).into() });
        }
        if !self.source.is_signed() && rules.resolver.demands_signature(&self.client) {
            return Err(Refused { addressed: Box::new(self), why: (&UNSIGNED).into() });
        }
        let door = if self.source.is_pushed() { Door::Pushed } else { Door::Authorization };
        match asked(&self.params, &self.client, &self.resources, door, rules) {
            Ok(asked) if demands.forbids_response(asked.response_type, self.is_jwt).is_some() => {
                Err(Refused { addressed: Box::new(self), why: (&RESPONSE_UNSIGNED).into() })
            }
            Ok(asked) => Ok(ValidatedAuthorizationRequest { addressed: self, asked }),
            Err(why) => Err(Refused { addressed: Box::new(self), why }),
        }
    }
}
