//! The errors of registration (RFC 7591 section 3.2.2) and of its management (RFC 7592 section 2).

use chancery_core::endpoint::registration::RegistrationError;
use chancery_core::error::{Complaint, Failure};
use chancery_types::Issuer;
use chancery_types::iana::ErrorCode;
use http::StatusCode;
use serde::Serialize;

use super::{Challenge, HttpResponse, error_body, json, token_challenge};

#[derive(Serialize)]
struct ErrorBody {
    error: ErrorCode,
    error_description: String,
}

/// The answer to a failed registration. Only a missing or invalid token is challenged.
pub(crate) fn registration_error(error: &RegistrationError, issuer: &Issuer) -> HttpResponse {
    match error {
        RegistrationError::Metadata(reason, complaints) => {
            let body = ErrorBody { error: reason.code, error_description: description(complaints) };
            json(StatusCode::BAD_REQUEST, serde_json::to_vec(&body).unwrap_or_default())
        }
        RegistrationError::Failed(failure) => match failure {
            Failure::Refused(refusal)
                if matches!(refusal.reason.code, ErrorCode::InvalidToken | ErrorCode::InsufficientScope) =>
            {
                token_challenge(failure, &Challenge { realm: issuer.as_str(), ..Challenge::default() })
            }
            _ => error_body(failure, issuer),
        },
    }
}

/// How long a description may be: enough for several members.
const LONGEST: usize = 1_000;

/// Which members are wrong and why, in ASCII without quotes and backslashes (RFC 6749 section 5.2).
fn description(complaints: &[Complaint]) -> String {
    let mut text = String::new();
    for complaint in complaints {
        let separator = if text.is_empty() { "" } else { "; " };
        let one = format!("{separator}{} {}", complaint.setting, complaint.rule);
        let plain = one.chars().map(|c| match c {
            '"' => '\'',
            '\\' => '/',
            c if (' '..='~').contains(&c) => c,
            _ => '?',
        });
        text.extend(plain.take(LONGEST - text.len()));
        if text.len() == LONGEST {
            return text + "...";
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_names_the_members_in_plain_text() {
        let complaint = |rule: &str| Complaint::new("contacts", rule, "RFC 7591 section 2");
        let said = description(&[complaint("\"\u{e4}\" is \\ wrong"), complaint("too")]);
        assert_eq!(said, "contacts '?' is / wrong; contacts too");
        let many = description(&vec![complaint("is wrong"); 10_000]);
        assert!(many.len() == LONGEST + 3 && many.ends_with("..."));
        let long = description(&[complaint(&"x".repeat(2 * LONGEST))]);
        assert!(long.len() == LONGEST + 3 && long.starts_with("contacts xxx"));
    }
}
