//! RFC 7636, Proof Key for Code Exchange (PKCE): sections 4.1 to 4.6. By default only S256, and required (RFC
//! 9700 section 2.1.1). The settings loosen nothing for a client whose profile demands S256.
//! Config     `[compatibility] pkce_optional, pkce_plain`; both are settings of a client as well
//! Discovery  code_challenge_methods_supported

use chancery_jose::{ClaimsWriter, base64url, constant_time_eq, sha256};
use chancery_types::Timestamp;
use chancery_types::iana::{CodeChallengeMethod, ErrorCode};
use zeroize::Zeroizing;

use crate::error::{Reason, Refusal};
use crate::model::Client;
use crate::offered::{CompatibilityConfig, Component, PkceOptional};
use crate::profile::Section;

reasons! {
    /// The request has no `code_challenge`, and nothing exempts the client from PKCE.
    pub MISSING = Reason {
        name: "pkce_missing",
        code: ErrorCode::InvalidRequest,
        description: "code_challenge is required",
        section: "RFC 9700 section 2.1.1",
    };
    /// `code_challenge` is not a possible result of the method S256.
    pub MALFORMED_CHALLENGE = Reason {
        name: "pkce_challenge_malformed",
        code: ErrorCode::InvalidRequest,
        description: "code_challenge must be 43 characters of base64url",
        section: "RFC 7636 section 4.2",
    };
    /// `code_challenge` is no verifier, which the method `plain` makes it; the client may use that method.
    pub MALFORMED_PLAIN_CHALLENGE = Reason {
        name: "pkce_plain_challenge_malformed",
        code: ErrorCode::InvalidRequest,
        description: "code_challenge must be 43 to 128 unreserved characters with the method plain",
        section: "RFC 7636 section 4.2",
    };
    /// The request has a `code_challenge_method` but no `code_challenge`.
    pub CHALLENGE_MISSING = Reason {
        name: "pkce_method_without_challenge",
        code: ErrorCode::InvalidRequest,
        description: "code_challenge must be provided with code_challenge_method",
        section: "RFC 7636 section 4.3",
    };
    /// `code_challenge_method` is unknown, or it is `plain` or missing, which means `plain`, and nothing allows
    /// the client to use that (`compatibility.pkce_plain`, or `pkce_plain` of the client).
    pub UNSUPPORTED_METHOD = Reason {
        name: "pkce_method_unsupported",
        code: ErrorCode::InvalidRequest,
        description: "code_challenge_method must be S256",
        section: "RFC 9700 section 2.1.1",
    };
    /// `code_challenge_method` is neither of the two that every client may use here.
    pub UNKNOWN_METHOD = Reason {
        name: "pkce_method_unknown",
        code: ErrorCode::InvalidRequest,
        description: "code_challenge_method must be S256 or plain",
        section: "RFC 7636 section 4.4.1",
    };
    /// `code_verifier` has the wrong length or characters.
    pub MALFORMED_VERIFIER = Reason {
        name: "pkce_verifier_malformed",
        code: ErrorCode::InvalidRequest,
        description: "code_verifier must be 43 to 128 unreserved characters",
        section: "RFC 7636 section 4.1",
    };
}

/// The rule. Which clients it can be loosened for is a compatibility setting.
#[derive(Clone, Copy, Debug)]
pub struct Pkce {
    optional: PkceOptional,
    plain: bool,
}

impl Component for Pkce {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        let plain = self.plain.then_some(CodeChallengeMethod::Plain);
        let methods = [CodeChallengeMethod::S256].into_iter().chain(plain);
        metadata.strings("code_challenge_methods_supported", methods.map(CodeChallengeMethod::as_str));
    }
}

/// What a verifier has to match (RFC 7636 section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge {
    /// How it was made.
    pub method: CodeChallengeMethod,
    text: Box<str>,
}

/// The secret that a challenge was made from (RFC 7636 section 4.1). It has no `Debug`.
pub struct CodeVerifier(Zeroizing<String>);

impl Pkce {
    /// Built from the configuration.
    #[must_use]
    pub fn new(config: &CompatibilityConfig) -> Self {
        Self { optional: config.pkce_optional, plain: config.pkce_plain }
    }

    /// Reads what an authorization request sent (RFC 7636 section 4.3). `demanded` is the section of a profile by
    /// which there has to be a challenge with S256, whatever the settings loosen.
    ///
    /// # Errors
    /// A refusal if the method is not one that the client may use, if the challenge is malformed, or if there
    /// is none and nothing exempts the client from PKCE.
    pub fn challenge(
        &self,
        challenge: Option<&str>,
        method: Option<&str>,
        client: &Client,
        demanded: Option<Section>,
    ) -> Result<Option<CodeChallenge>, Refusal> {
        let Some(text) = challenge else {
            return match method {
                Some(_) => CHALLENGE_MISSING.refused(),
                None if demanded.is_none() && self.is_optional(client) => Ok(None),
                None => MISSING.refused(),
            };
        };
        // RFC 7636 section 4.3: a method that is left out means `plain`.
        let method = method.map_or(Some(CodeChallengeMethod::Plain), CodeChallengeMethod::parse);
        let may_be_plain = |is_permitted: bool| is_permitted && demanded.is_none();
        let method = match method {
            // RFC 7636 section 4.2: base64url of 32 bytes, which is 43 characters; no verifier could match
            // any other.
            Some(CodeChallengeMethod::S256) => {
                base64url::decode(text)
                    .ok()
                    .filter(|digest| digest.len() == 32)
                    .ok_or(&MALFORMED_CHALLENGE)?;
                CodeChallengeMethod::S256
            }
            Some(CodeChallengeMethod::Plain) if may_be_plain(self.plain || client.is_pkce_plain()) => {
                is_well_formed(text).then_some(()).ok_or(&MALFORMED_PLAIN_CHALLENGE)?;
                CodeChallengeMethod::Plain
            }
            // What the server permits everybody is metadata; what one client may is not told to whoever names it.
            None if may_be_plain(self.plain) => return UNKNOWN_METHOD.refused(),
            _ => return UNSUPPORTED_METHOD.refused(),
        };
        Ok(Some(CodeChallenge { method, text: text.into() }))
    }

    /// Whether the client may omit PKCE.
    fn is_optional(&self, client: &Client) -> bool {
        let by_server = match self.optional {
            PkceOptional::Never => false,
            PkceOptional::Confidential => !client.is_public(),
            PkceOptional::Always => true,
        };
        by_server || client.is_pkce_optional()
    }
}

impl CodeChallenge {
    /// The challenge stored in a code's record.
    #[must_use]
    pub fn kept(method: CodeChallengeMethod, text: &str) -> Self {
        Self { method, text: text.into() }
    }

    /// As it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the verifier matches this challenge (RFC 7636 section 4.6), in constant time.
    #[must_use]
    pub fn admits(&self, verifier: &CodeVerifier) -> bool {
        match self.method {
            CodeChallengeMethod::S256 => {
                let derived = base64url::encode(sha256(verifier.0.as_bytes()));
                constant_time_eq(self.text.as_bytes(), derived.as_bytes())
            }
            CodeChallengeMethod::Plain => constant_time_eq(self.text.as_bytes(), verifier.0.as_bytes()),
        }
    }
}

impl CodeVerifier {
    /// Reads what a token request sent.
    ///
    /// # Errors
    /// [`MALFORMED_VERIFIER`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if is_well_formed(text) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            MALFORMED_VERIFIER.refused()
        }
    }
}

/// RFC 7636 section 4.1: 43 to 128 characters of `ALPHA / DIGIT / "-" / "." / "_" / "~"`.
fn is_well_formed(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B. PKCE-07
    #[test]
    fn the_example_of_the_standard() {
        let challenge =
            CodeChallenge::kept(CodeChallengeMethod::S256, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let verifier = |text| CodeVerifier::parse(text).unwrap();
        assert!(challenge.admits(&verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
        assert!(!challenge.admits(&verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl")));
    }

    #[test]
    fn verifiers_of_other_lengths_and_characters_are_refused() {
        for bad in ["", &"a".repeat(42), &"a".repeat(129), &"ä".repeat(43), &format!("{}=", "a".repeat(43))]
        {
            assert!(CodeVerifier::parse(bad).is_err(), "{bad}");
        }
    }
}
