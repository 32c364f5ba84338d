//! The list of checks of an authorization request: one line per rule, cheap before dear, pure over the snapshot and
//! what `address` has loaded.

use std::sync::Arc;

use chancery_jose::{ClaimsWriter, Compact};
use chancery_types::iana::{ErrorCode, Prompt, ResponseMode};
use chancery_types::{Issuer, Params, Scope, Scopes, Timestamp};

use crate::client::hmac_key;
use crate::error::{MALFORMED_PARAMETER, Reason, Refusal};
use crate::keys::KeySet;
use crate::model::{Acr, ClaimsRequest, Client, ResourceServer};
use crate::offered::{Component, Offered};
use crate::policy::AuthorizationPolicy;
use crate::request::{Addressed, Refused};
use crate::rule::claims::ClaimsRule;
use crate::rule::pkce::CodeChallenge;
use crate::rule::scope::{self, ScopeRule};

reasons! {
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
    /// This provider does not offer the response mode.
    pub RESPONSE_MODE_UNSUPPORTED = Reason {
        name: "response_mode_unsupported",
        code: ErrorCode::UnsupportedResponseMode,
        description: "unsupported response_mode requested",
        section: "OAuth 2.0 Multiple Response Types section 2.1",
    };
    /// The client is registered for other response modes.
    pub RESPONSE_MODE_UNREGISTERED = Reason {
        name: "response_mode_unregistered",
        code: ErrorCode::InvalidRequest,
        description: "requested response_mode is not allowed for this client",
        section: "RFC 7591 section 2",
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

/// Parameters that mean something only in an OpenID Connect request (OIDC Core section 3.1.2.1).
const OPENID_ONLY: &[&str] = &["acr_values", "claims", "claims_locales", "id_token_hint", "max_age", "nonce"];

/// Longest `nonce`, in bytes; the same as for `state`.
const LONGEST: usize = super::addressed::LONGEST_STATE;

/// Longest request, form-encoded, in bytes: its page's form has to fit the limit of a body even when it is encoded again.
const LONGEST_REQUEST: usize = 16 * 1024;

/// What the checks are made against: the snapshot's components.
pub struct Rules {
    /// Response types and modes.
    pub offered: Arc<Offered>,
    /// RFC 6749 section 3.3.
    pub scope: ScopeRule,
    /// OIDC Core section 5.5.
    pub claims: ClaimsRule,
    /// For `id_token_hint`.
    pub keys: Arc<KeySet>,
    /// For `id_token_hint`.
    pub issuer: Issuer,
    /// What the application decides.
    pub policy: Arc<dyn AuthorizationPolicy>,
}

impl Component for Rules {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata
            .boolean("request_parameter_supported", false)
            // Absent means true (OIDC Discovery section 3).
            .boolean("request_uri_parameter_supported", false)
            .boolean("authorization_response_iss_parameter_supported", true);
    }
}

/// What `prompt` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompts {
    /// Show these pages. Often empty.
    Asked(Vec<Prompt>),
    /// Show no page: `none`, which cannot be combined.
    Silent,
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

/// What an authorization request asks for.
pub struct Asked {
    /// Scopes that are known here, in the order asked for.
    pub scopes: Scopes,
    /// Scopes that nobody knows.
    pub ignored: Scopes,
    /// The resource server that the scopes belong to; `None` when all of them are this server's own.
    pub resource: Option<Arc<ResourceServer>>,
    /// Single claims (OIDC Core section 5.5).
    pub claims: ClaimsRequest,
    /// Which pages to show.
    pub prompts: Prompts,
    /// How old the authentication may be, in seconds: the request's, else the client's.
    pub max_age: Option<u64>,
    /// Authentication context classes, best first: the request's, else the client's.
    pub acr_values: Vec<Acr>,
    /// To be repeated in the ID token.
    pub nonce: Option<Box<str>>,
    /// PKCE.
    pub code_challenge: Option<CodeChallenge>,
    /// Whom the client expects: `sub` of `id_token_hint`, or of `claims`.
    pub expected: Option<Box<str>>,
    /// What the person may have typed at the client.
    pub login_hint: Option<Box<str>>,
    /// In which languages to show pages, best first.
    pub ui_locales: Option<Box<str>>,
}

impl<'a> Addressed<'a> {
    /// The list of checks, in the order in which they are made; the first that fails wins.
    ///
    /// # Errors
    /// The request's first fault, with the request that can tell its client so.
    pub fn validate(self, rules: &Rules) -> Result<ValidatedAuthorizationRequest<'a>, Refused<'a>> {
        match check(&self, rules) {
            Ok(asked) => Ok(ValidatedAuthorizationRequest { addressed: self, asked }),
            Err(why) => Err(Refused { addressed: self, why }),
        }
    }
}

fn check(request: &Addressed<'_>, rules: &Rules) -> Result<Asked, Refusal> {
    let params = &request.params;
    let client = &request.client;
    sent_once(params)?;
    supported(params)?;
    if params.encoded_length() > LONGEST_REQUEST {
        return REQUEST_TOO_LONG.refused();
    }
    response_mode(params, client, &rules.offered)?;
    response_type(params, client, &rules.offered)?;
    let prompts = prompts(params)?;
    let (state, nonce) = (params.one("state")?, params.one("nonce")?);
    if state.into_iter().chain(nonce).any(|text| text.len() > LONGEST) {
        return TOO_LONG.refused();
    }
    let scopes = rules.scope.asked(params.one("scope")?, client, request.resource.as_deref())?;
    let is_openid = scopes.known.contains(Scope::OPENID);
    if !is_openid && OPENID_ONLY.iter().any(|name| params.has(name)) {
        return OPENID_MISSING.refused();
    }
    if scopes.known.is_empty() {
        return scope::NOTHING.refused();
    }
    // The access token is for the resource server that the scopes belong to (RFC 9068 section 3).
    let resource = request.resource.clone().filter(|server| server.knows_any(&scopes.known));
    let challenge = params.one("code_challenge")?;
    let code_challenge = CodeChallenge::parse(challenge, params.one("code_challenge_method")?, client)?;
    let max_age = max_age(params.one("max_age")?)?.or(client.metadata().openid.default_max_age.filter(|_| is_openid));
    let claims = params.one("claims")?.map_or(Ok(ClaimsRequest::default()), |text| rules.claims.parse(text))?;
    let mut claims = rules.claims.registered(claims, client);
    rules.policy.claims_request(&claims, client)?;
    claims.locales = params.one("claims_locales")?.map(Box::from);
    let acr_values = acr_values(params.one("acr_values")?, client, is_openid);
    let hinted = params.one("id_token_hint")?.map(|token| hinted_subject(token, client, rules)).transpose()?;

    let nonce = nonce.map(Box::from);
    let login_hint = params.one("login_hint")?.map(Box::from);
    let ui_locales = params.one("ui_locales")?.map(Box::from);
    let expected = expected_subject(hinted, &claims)?;
    Ok(Asked {
        scopes: scopes.known,
        ignored: scopes.unknown,
        resource,
        claims,
        prompts,
        max_age,
        acr_values,
        nonce,
        code_challenge,
        expected,
        login_hint,
        ui_locales,
    })
}

/// RFC 6749 section 3.1: parameters must not be included more than once.
fn sent_once(params: &Params<'_>) -> Result<(), Refusal> {
    let mut names: Vec<&str> = Vec::with_capacity(16);
    for (name, _) in params.iter() {
        if names.contains(&name) {
            return MALFORMED_PARAMETER.refused();
        }
        names.push(name);
    }
    Ok(())
}

/// OIDC Core sections 6.1, 6.2 and 7.2.1: what is not supported is refused by name.
fn supported(params: &Params<'_>) -> Result<(), Refusal> {
    let refused = [
        ("request", &REQUEST_UNSUPPORTED),
        ("request_uri", &REQUEST_URI_UNSUPPORTED),
        ("registration", &REGISTRATION_UNSUPPORTED),
    ];
    refused.into_iter().find(|(name, _)| params.has(name)).map_or(Ok(()), |(_, reason)| Err(reason.into()))
}

fn response_mode(params: &Params<'_>, client: &Client, offered: &Offered) -> Result<(), Refusal> {
    let mode = match params.one("response_mode")? {
        Some(asked) => offered.response_mode(asked).ok_or(&RESPONSE_MODE_UNSUPPORTED)?,
        None => ResponseMode::Query,
    };
    let is_registered = client.metadata().flow.response_modes.as_ref().is_none_or(|modes| modes.contains(&mode));
    if is_registered { Ok(()) } else { RESPONSE_MODE_UNREGISTERED.refused() }
}

fn response_type(params: &Params<'_>, client: &Client, offered: &Offered) -> Result<(), Refusal> {
    let asked = params.one("response_type")?.ok_or(&RESPONSE_TYPE_MISSING)?;
    let response_type = offered.response_type(asked).ok_or(&RESPONSE_TYPE_UNSUPPORTED)?;
    let is_registered = client.metadata().flow.response_types.contains(&response_type);
    if is_registered { Ok(()) } else { RESPONSE_TYPE_UNREGISTERED.refused() }
}

fn prompts(params: &Params<'_>) -> Result<Prompts, Refusal> {
    let mut asked = Vec::new();
    for word in params.one("prompt")?.unwrap_or("").split(' ').filter(|word| !word.is_empty()) {
        let prompt = Prompt::parse(word).ok_or(&PROMPT_UNSUPPORTED)?;
        if !asked.contains(&prompt) {
            asked.push(prompt);
        }
    }
    match asked.as_slice() {
        [Prompt::None] => Ok(Prompts::Silent),
        several if several.contains(&Prompt::None) => PROMPT_NONE_COMBINED.refused(),
        _ => Ok(Prompts::Asked(asked)),
    }
}

/// A non-negative number of seconds in decimal digits.
fn max_age(text: Option<&str>) -> Result<Option<u64>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let is_decimal = text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal).map(Some).ok_or_else(|| (&MAX_AGE_MALFORMED).into())
}

fn acr_values(text: Option<&str>, client: &Client, is_openid: bool) -> Vec<Acr> {
    match text {
        Some(text) => text.split(' ').filter(|word| !word.is_empty()).map(|word| Acr(word.into())).collect(),
        None if is_openid => client.metadata().openid.default_acr_values.clone(),
        None => Vec::new(),
    }
}

/// Whom the client expects. Nobody else may be the answer to a request for one `sub` (OIDC Core section 5.5.1), so that a
/// wish that nobody can meet is not overheard.
fn expected_subject(hinted: Option<Box<str>>, claims: &ClaimsRequest) -> Result<Option<Box<str>>, Refusal> {
    let Some(ask) = claims.of_id_token("sub").filter(|ask| !ask.values.is_empty()) else { return Ok(hinted) };
    let mut named = ask.strings().map(String::into_boxed_str);
    let met = match hinted {
        Some(hinted) => named.find(|sub| *sub == hinted),
        None => named.next(),
    };
    met.map(Some).ok_or_else(|| (&SUBJECT_IMPOSSIBLE).into())
}

/// OIDC Core section 3.1.2.1: an ID token that this server issued to this client, expired or not, and also when the key that
/// signed it has made way for another: it is about a session, which lives longer.
fn hinted_subject(token: &str, client: &Client, rules: &Rules) -> Result<Box<str>, Refusal> {
    let read = || {
        let compact = Compact::parse(token).ok()?;
        let verified = match client.metadata().hmac_algorithm() {
            Some(alg) if compact.header().alg.is_symmetric() => {
                compact.verify(&hmac_key(client, alg, &rules.keys).ok()?).ok()?
            }
            _ => rules.keys.verify_past_login(compact).ok()?,
        };
        // An access token (`at+jwt`) or any other typed token is no ID token (RFC 8725 section 3.11).
        if verified.header().typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return None;
        }
        let claims = verified.claims().ok()?;
        let is_ours = claims.iss.as_deref() == Some(rules.issuer.as_str()) && claims.is_for(client.id().as_str());
        // Every ID token of ours says when the person logged in, and a signed UserInfo answer, which has the same issuer,
        // audience and no type of its own (OIDC Core section 5.3.2), never does.
        let is_id_token = claims.exp.is_some() && claims.iat.is_some() && claims.raw("auth_time").is_some();
        claims.sub.filter(|_| is_ours && is_id_token).map(String::into_boxed_str)
    };
    read().ok_or_else(|| (&ID_TOKEN_HINT_INVALID).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AUTHZ-33: unlike the reference, decimal digits only.
    #[test]
    fn max_age_is_decimal_digits() {
        assert_eq!(max_age(Some("0")), Ok(Some(0)));
        assert_eq!(max_age(Some("3600")), Ok(Some(3600)));
        for bad in ["-1", "+1", "1.5", "0x10", " 1", "1e3", "9999999999999999"] {
            assert!(max_age(Some(bad)).is_err(), "{bad}");
        }
    }

    /// AUTHZ-31, AUTHZ-32
    #[test]
    fn none_stands_alone() {
        let prompts = |text| prompts(&Params::parse(text).unwrap());
        assert_eq!(prompts("prompt=none"), Ok(Prompts::Silent));
        assert_eq!(prompts("prompt=login+login"), Ok(Prompts::Asked(vec![Prompt::Login])));
        assert_eq!(prompts("prompt=none+login").unwrap_err().reason, &PROMPT_NONE_COMBINED);
        assert_eq!(prompts("prompt=create").unwrap_err().reason, &PROMPT_UNSUPPORTED);
    }
}
