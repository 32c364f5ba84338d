//! The answer of a protected resource, here UserInfo (RFC 6750 section 3, OIDC Core section 5.3.3).

use chancery_core::endpoint::userinfo::TOKEN_MISSING;
use chancery_core::error::{Failure, Reason, Remedy};
use chancery_types::Issuer;
use chancery_types::iana::ErrorCode;
use http::header::WWW_AUTHENTICATE;

use super::error_body::{challenge, insert, refused};
use super::{HttpResponse, error_body};

/// The answer to a failed request for a protected resource. Without any token the challenge carries no error
/// (RFC 6750 section 3.1).
pub(crate) fn bearer_challenge(failure: &Failure, issuer: &Issuer) -> HttpResponse {
    let Failure::Refused(refusal) = failure else { return error_body(failure, issuer) };
    let told = told(refusal.reason);
    let mut answer = refused(&told, refusal.remedy.as_ref(), issuer);
    if *refusal.reason == TOKEN_MISSING {
        insert(&mut answer, WWW_AUTHENTICATE, &format!("Bearer realm=\"{issuer}\""));
        return answer;
    }
    let mut text = challenge("Bearer", issuer, &told);
    if let Some(Remedy::Scope(scope)) = refusal.remedy {
        text.push_str(", scope=\"");
        text.push_str(scope);
        text.push('"');
    }
    insert(&mut answer, WWW_AUTHENTICATE, &text);
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
        let answer = bearer_challenge(&(&TOKEN_MISSING).into(), &issuer());
        assert_eq!(answer.status(), 401);
        assert_eq!(header(&answer, WWW_AUTHENTICATE), "Bearer realm=\"https://id.example\"");
    }

    /// UINF-05, UINF-07
    #[test]
    fn the_scope_that_would_help_is_named() {
        let remedy = Some(Remedy::Scope("openid"));
        let refusal = Refusal { reason: reason(ErrorCode::InsufficientScope, "too little"), remedy };
        let answer = bearer_challenge(&refusal.into(), &issuer());
        assert_eq!(answer.status(), 403);
        assert_eq!(
            header(&answer, WWW_AUTHENTICATE),
            "Bearer realm=\"https://id.example\", error=\"insufficient_scope\", error_description=\"too little\", \
             scope=\"openid\""
        );
        assert!(text(answer).ends_with(r#""scope":"openid"}"#));
        let bad = bearer_challenge(&reason(ErrorCode::InvalidRequest, "").into(), &issuer());
        assert_eq!(bad.status(), 400);
        assert_eq!(
            header(&bad, WWW_AUTHENTICATE),
            "Bearer realm=\"https://id.example\", error=\"invalid_request\""
        );
    }

    #[test]
    fn a_fault_is_no_challenge() {
        let answer = bearer_challenge(&Fault::unavailable("x").into(), &issuer());
        assert_eq!((answer.status().as_u16(), header(&answer, WWW_AUTHENTICATE)), (503, ""));
    }
}
