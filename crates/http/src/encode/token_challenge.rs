//! The answer of a protected resource, here UserInfo (RFC 6750 section 3, RFC 9449 section 7.1, OIDC Core section
//! 5.3.3).

use chancery_core::rule::bearer::TOKEN_MISSING;
use chancery_core::error::{Failure, Reason, Remedy};
use chancery_types::Issuer;
use chancery_types::iana::ErrorCode;
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;

use super::error_body::{error_parameters, insert, refused};
use super::{HttpResponse, error_body};

/// The schemes by which a resource takes access tokens.
pub(crate) struct Schemes<'a> {
    /// The algorithms of DPoP proofs; `None` if only `Bearer` is taken.
    pub(crate) dpop: Option<&'a str>,
    /// Whether the request uses DPoP.
    pub(crate) uses_dpop: bool,
}

impl Schemes<'_> {
    /// `Bearer` alone.
    pub(crate) const BEARER: Self = Self { dpop: None, uses_dpop: false };
}

/// The answer to a failed request for a protected resource. There is a challenge for each scheme; the error stands in
/// that of the one that was used (RFC 9449 section 7.2), or in none if there was no token (RFC 6750 section 3.1).
pub(crate) fn token_challenge(failure: &Failure, issuer: &Issuer, schemes: &Schemes<'_>) -> HttpResponse {
    let Failure::Refused(refusal) = failure else { return error_body(failure, issuer) };
    let told = told(refusal.reason);
    let mut answer = refused(&told, refusal.remedy.as_ref(), issuer);
    if matches!(told.code, ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce) {
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
    }
    let error = (*refusal.reason != TOKEN_MISSING).then(|| {
        let mut error = error_parameters(&told);
        if let Some(Remedy::Scope(scope)) = refusal.remedy {
            error.push_str(", scope=\"");
            error.push_str(scope);
            error.push('"');
        }
        error
    });
    let is_of_dpop = schemes.uses_dpop && schemes.dpop.is_some();
    let of = |is_used: bool| error.as_deref().filter(|_| is_used).unwrap_or_default();
    let bearer = format!("Bearer realm=\"{issuer}\"{}", of(!is_of_dpop));
    let dpop = schemes.dpop.map(|algs| format!("DPoP realm=\"{issuer}\"{}, algs=\"{algs}\"", of(is_of_dpop)));
    let mut challenges: Vec<String> = [Some(bearer), dpop].into_iter().flatten().collect();
    if is_of_dpop {
        // Many clients read only the first one.
        challenges.reverse();
    }
    // Of several header fields some clients read the first and some the last, so that it is one, as in RFC 9449.
    insert(&mut answer, WWW_AUTHENTICATE, &challenges.join(", "));
    answer
}

/// The reason as this endpoint can tell it: a client for which no answer can be made, because its keys or its secret
/// are of no use, is no error of its token, and `invalid_client` is not defined here (section 3.1).
fn told(&Reason { name, code, description, section }: &Reason) -> Reason {
    let code = if code == ErrorCode::InvalidClient { ErrorCode::InvalidRequest } else { code };
    Reason { name, code, description, section }
}

#[cfg(test)]
mod tests {
    use super::super::error_body::tests::{header, issuer, reason, text};
    use super::*;
    use chancery_core::error::{Fault, Refusal};

    /// UINF-04
    #[test]
    fn without_a_token_no_error_is_named_in_the_challenge() {
        let answer = token_challenge(&(&TOKEN_MISSING).into(), &issuer(), &Schemes::BEARER);
        assert_eq!(answer.status(), 401);
        assert_eq!(header(&answer, WWW_AUTHENTICATE), "Bearer realm=\"https://id.example\"");
    }

    /// UINF-05, UINF-07
    #[test]
    fn the_scope_that_would_help_is_named() {
        let remedy = Some(Remedy::Scope("openid"));
        let refusal = Refusal { reason: reason(ErrorCode::InsufficientScope, "too little"), remedy };
        let answer = token_challenge(&refusal.into(), &issuer(), &Schemes::BEARER);
        assert_eq!(answer.status(), 403);
        assert_eq!(
            header(&answer, WWW_AUTHENTICATE),
            "Bearer realm=\"https://id.example\", error=\"insufficient_scope\", error_description=\"too little\", \
             scope=\"openid\""
        );
        assert!(text(answer).ends_with(r#""scope":"openid"}"#));
        let bad = token_challenge(&reason(ErrorCode::InvalidRequest, "").into(), &issuer(), &Schemes::BEARER);
        assert_eq!(bad.status(), 400);
        assert_eq!(
            header(&bad, WWW_AUTHENTICATE),
            "Bearer realm=\"https://id.example\", error=\"invalid_request\""
        );
    }

    #[test]
    fn a_fault_is_no_challenge() {
        let answer = token_challenge(&Fault::unavailable("x").into(), &issuer(), &Schemes::BEARER);
        assert_eq!((answer.status().as_u16(), header(&answer, WWW_AUTHENTICATE)), (503, ""));
    }

    /// DPOP-17: RFC 9449 section 7.2, figures 17 and 18.
    #[test]
    fn the_error_stands_in_the_challenge_of_the_scheme_that_was_used() {
        let challenges = |reason: &'static Reason, uses_dpop| {
            let answer =
                token_challenge(&reason.into(), &issuer(), &Schemes { dpop: Some("ES256 PS256"), uses_dpop });
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
