//! The answer of a protected resource, here UserInfo (RFC 6750 section 3, RFC 9449 section 7.1, OIDC Core section
//! 5.3.3).

use chancery_core::error::{Failure, Reason, Remedy};
use chancery_core::rule::bearer::is_unauthenticated;
use chancery_types::iana::ErrorCode;
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;

use super::error_body::{broken, error_parameters, insert, refused};
use super::{HttpResponse, empty};

/// What a protected resource says of itself in its challenges.
#[derive(Clone, Copy, Debug, Default)]
pub struct Challenge<'a> {
    /// What it calls itself (RFC 9110 section 11.5).
    pub realm: &'a str,
    /// The algorithms of DPoP proofs; `None` if only `Bearer` is taken.
    pub dpop: Option<&'a str>,
    /// Whether the request uses DPoP.
    pub uses_dpop: bool,
    /// Where its metadata is (RFC 9728 section 5.1).
    pub metadata: Option<&'a str>,
}

/// The answer to a failed request for a protected resource. There is a challenge for each scheme; the error stands in
/// that of the one that was used (RFC 9449 section 7.2) and in the body, or nowhere if there was no token (RFC 6750 section 3.1).
#[must_use]
pub fn token_challenge(failure: &Failure, challenge: &Challenge<'_>) -> HttpResponse {
    let Challenge { realm, .. } = challenge;
    let refusal = match failure {
        Failure::Refused(refusal) => refusal,
        Failure::Broken(fault) => return broken(fault.kind()),
    };
    let told = told(refusal.reason);
    let is_unauthenticated = is_unauthenticated(refusal.reason);
    let mut answer = match is_unauthenticated {
        true => empty(StatusCode::UNAUTHORIZED),
        false => refused(&told, refusal.remedy.as_ref(), realm),
    };
    if matches!(told.code, ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce) {
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
    }
    let error = match is_unauthenticated {
        true => String::new(),
        false => error_parameters(&told) + &remedy_parameters(refusal.remedy.as_ref()),
    };
    let metadata = challenge.metadata.map(|url| parameter("resource_metadata", url)).unwrap_or_default();
    let is_of_dpop = challenge.uses_dpop && challenge.dpop.is_some();
    let of = |is_used: bool| if is_used { error.as_str() } else { "" };
    let bearer = format!("Bearer realm=\"{realm}\"{}{metadata}", of(!is_of_dpop));
    let dpop = challenge
        .dpop
        .map(|algs| format!("DPoP realm=\"{realm}\"{}, algs=\"{algs}\"{metadata}", of(is_of_dpop)));
    let mut challenges: Vec<String> = [Some(bearer), dpop].into_iter().flatten().collect();
    if is_of_dpop {
        // Many clients read only the first one.
        challenges.reverse();
    }
    // Of several header fields some clients read the first and some the last, so that it is one, as in RFC 9449.
    insert(&mut answer, WWW_AUTHENTICATE, &challenges.join(", "));
    answer
}

/// What would help, for the client's next authorization request.
fn remedy_parameters(remedy: Option<&Remedy>) -> String {
    match remedy {
        Some(Remedy::Scope(scope)) => parameter("scope", scope),
        Some(Remedy::Authentication { acr_values, max_age }) => {
            let acr_values = acr_values.as_deref().map(|values| parameter("acr_values", values));
            let max_age = max_age.map(|age| parameter("max_age", &age.as_secs().to_string()));
            [acr_values, max_age].into_iter().flatten().collect()
        }
        Some(Remedy::RetryAfter(_) | Remedy::Offered(_) | Remedy::Registered(_)) | None => String::new(),
    }
}

/// A parameter of a challenge. All values are URLs, scopes, classes and numbers, in which nothing has to be escaped.
fn parameter(name: &str, value: &str) -> String {
    format!(", {name}=\"{value}\"")
}

/// The reason as this endpoint can tell it: a client for which no answer can be made, because its keys or its secret
/// are of no use, is no error of its token, and `invalid_client` is not defined here (section 3.1).
fn told(&Reason { name, code, description, section }: &Reason) -> Reason {
    let code = if code == ErrorCode::InvalidClient { ErrorCode::InvalidRequest } else { code };
    Reason { name, code, description, section }
}

#[cfg(test)]
mod tests {
    use super::super::error_body::tests::{header, reason, text};
    use super::*;
    use chancery_core::error::{Fault, Refusal};
    use chancery_core::rule::bearer::TOKEN_MISSING;

    const BEARER: Challenge<'_> =
        Challenge { realm: "https://id.example", dpop: None, uses_dpop: false, metadata: None };

    /// RFC 9470 section 3, figure 2, and RFC 9728 section 5.1.
    #[test]
    fn what_would_help_and_where_to_read_more() {
        let remedy = |acr_values: Option<&str>, max_age| {
            let remedy = Remedy::Authentication { acr_values: acr_values.map(Box::from), max_age };
            let code = ErrorCode::InsufficientUserAuthentication;
            let refusal = Refusal { reason: reason(code, "again"), remedy: Some(remedy) };
            let metadata = Some("https://api.example/.well-known/oauth-protected-resource");
            let answer = token_challenge(&refusal.into(), &Challenge { metadata, ..BEARER });
            assert_eq!(answer.status(), 401);
            let told = header(&answer, WWW_AUTHENTICATE).to_owned();
            let told = told.strip_prefix(concat!(
                "Bearer realm=\"https://id.example\", error=\"insufficient_user_authentication\", ",
                "error_description=\"again\""
            ));
            let told = told.unwrap().strip_suffix(
                ", resource_metadata=\"https://api.example/.well-known/oauth-protected-resource\"",
            );
            told.unwrap().to_owned()
        };
        let age = Some(std::time::Duration::from_secs(5));
        assert_eq!(remedy(Some("gold silver"), None), ", acr_values=\"gold silver\"");
        assert_eq!(remedy(None, age), ", max_age=\"5\"");
        assert_eq!(remedy(Some("gold"), age), ", acr_values=\"gold\", max_age=\"5\"");
    }

    /// UINF-04
    #[test]
    fn without_a_token_no_error_is_named() {
        let answer = token_challenge(&(&TOKEN_MISSING).into(), &BEARER);
        assert_eq!(answer.status(), 401);
        assert_eq!(header(&answer, WWW_AUTHENTICATE), "Bearer realm=\"https://id.example\"");
        assert_eq!(text(answer), "");
    }

    /// UINF-05, UINF-07
    #[test]
    fn the_scope_that_would_help_is_named() {
        let remedy = Some(Remedy::Scope("openid".into()));
        let refusal = Refusal { reason: reason(ErrorCode::InsufficientScope, "too little"), remedy };
        let answer = token_challenge(&refusal.into(), &BEARER);
        assert_eq!(answer.status(), 403);
        assert_eq!(
            header(&answer, WWW_AUTHENTICATE),
            "Bearer realm=\"https://id.example\", error=\"insufficient_scope\", error_description=\"too little\", \
             scope=\"openid\""
        );
        assert!(text(answer).ends_with(r#""scope":"openid"}"#));
        let bad = token_challenge(&reason(ErrorCode::InvalidRequest, "").into(), &BEARER);
        assert_eq!(bad.status(), 400);
        assert_eq!(
            header(&bad, WWW_AUTHENTICATE),
            "Bearer realm=\"https://id.example\", error=\"invalid_request\""
        );
    }

    #[test]
    fn a_fault_is_no_challenge() {
        let answer = token_challenge(&Fault::unavailable("x").into(), &BEARER);
        assert_eq!((answer.status().as_u16(), header(&answer, WWW_AUTHENTICATE)), (503, ""));
    }

    /// DPOP-17: RFC 9449 section 7.2, figures 17 and 18.
    #[test]
    fn the_error_stands_in_the_challenge_of_the_scheme_that_was_used() {
        let challenges = |reason: &'static Reason, uses_dpop| {
            let answer = token_challenge(
                &reason.into(),
                &Challenge { dpop: Some("ES256 PS256"), uses_dpop, ..BEARER },
            );
            (answer.status().as_u16(), header(&answer, WWW_AUTHENTICATE).to_owned())
        };
        let bearer = "Bearer realm=\"https://id.example\"";
        let dpop = "DPoP realm=\"https://id.example\"";
        let error = ", error=\"invalid_token\", error_description=\"no\"";
        let algs = ", algs=\"ES256 PS256\"";
        let invalid = reason(ErrorCode::InvalidToken, "no");
        assert_eq!(challenges(&TOKEN_MISSING, false), (401, format!("{bearer}, {dpop}{algs}")));
        assert_eq!(challenges(invalid, false), (401, format!("{bearer}{error}, {dpop}{algs}")));
        assert_eq!(challenges(invalid, true), (401, format!("{dpop}{error}{algs}, {bearer}")));
        for code in [ErrorCode::InvalidDpopProof, ErrorCode::UseDpopNonce] {
            assert_eq!(challenges(reason(code, ""), true).0, 401);
        }
    }
}
