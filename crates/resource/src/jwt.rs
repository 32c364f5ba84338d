//! RFC 9068, JWT Profile for OAuth 2.0 Access Tokens: section 4, validating them; RFC 8725 section 3.
//! Config     none
//! Discovery  none

use std::sync::Arc;
use std::time::Duration;

use chancery_core::error::{Failure, Reason, Refusal};
use chancery_core::model::AccessToken;
use chancery_jose::{Compact, Error, JwtClaims, SigningAlgorithm, Verified};
use chancery_types::iana::ErrorCode;
use chancery_types::{Issuer, ResourceUri, Timestamp};

use crate::issuer::TrustedIssuer;

const SECTION: &str = "RFC 9068 section 4";

const fn invalid_token(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidToken, description, section: SECTION }
}

const MALFORMED_TEXT: &str = "the access token is malformed";

chancery_core::reasons! {
    /// The access token is not a signed JWT, has a header that is not understood, or lacks a claim that every access
    /// token has, or one of its claims has another type than it should.
    MALFORMED = invalid_token("jwt_access_token_malformed", MALFORMED_TEXT);
    /// The header `typ` of the JWT is not `at+jwt`, so that it is one for another purpose, such as an ID token.
    TYPE_WRONG = invalid_token("jwt_access_token_type_wrong", "the token is no access token");
    /// The JWT is signed by an algorithm that is not among those of the resource, or not at all.
    ALGORITHM_WRONG =
        invalid_token("jwt_access_token_algorithm_wrong", "the algorithm of the access token is not accepted");
    /// The issuer has no key with the name that the JWT says, or none for its algorithm.
    KEY_UNKNOWN = invalid_token("jwt_access_token_key_unknown", "the key of the access token is not known");
    /// The JWT is not signed by the key that it names.
    SIGNATURE_WRONG =
        invalid_token("jwt_access_token_signature_wrong", "the signature of the access token is wrong");
    /// `iss` of the token is not the issuer that is trusted.
    ISSUER_WRONG = invalid_token("access_token_issuer_wrong", "the access token has another issuer");
    /// `aud` of the token does not name this resource.
    AUDIENCE_WRONG = invalid_token("access_token_audience_wrong", "the access token is for another audience");
    /// `exp` of the token is past.
    EXPIRED = invalid_token("access_token_expired", "the access token has expired");
    /// `nbf` or `iat` of the token is in the future by more than the tolerance.
    NOT_YET_VALID = invalid_token("access_token_not_yet_valid", "the access token is not valid yet");
}

/// What is demanded of every token.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// Whom it has to be for.
    pub(crate) audience: ResourceUri,
    /// What a JWT may be signed with.
    pub(crate) algorithms: Vec<SigningAlgorithm>,
    /// How far the clock of the issuer may differ from ours.
    pub(crate) clock_tolerance: Duration,
}

impl Expected {
    /// The token, if issuer, audience and times are as they should be.
    pub(crate) fn judge(
        &self,
        claims: JwtClaims,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<AccessToken, Refusal> {
        if claims.iss.as_deref().is_some_and(|iss| iss != issuer.as_str()) {
            return ISSUER_WRONG.refused();
        }
        if !claims.is_for(self.audience.as_str()) {
            return AUDIENCE_WRONG.refused();
        }
        let latest = now + self.clock_tolerance;
        if claims.exp.is_some_and(|exp| exp + self.clock_tolerance <= now) {
            return EXPIRED.refused();
        }
        if [claims.nbf, claims.iat].into_iter().flatten().any(|from| from > latest) {
            return NOT_YET_VALID.refused();
        }
        AccessToken::of_claims(claims).map_err(|_| (&MALFORMED).into())
    }

    /// The token that this JWT is, if it is good.
    pub(crate) async fn jwt(
        &self,
        text: &str,
        issuer: &TrustedIssuer,
        now: Timestamp,
    ) -> Result<AccessToken, Failure> {
        let compact = Compact::parse(text).map_err(|error| match error {
            Error::UnknownAlgorithm => Refusal::from(&ALGORITHM_WRONG),
            _ => (&MALFORMED).into(),
        })?;
        if !compact.header().is_type("at+jwt") {
            return TYPE_WRONG.refused();
        }
        if !self.algorithms.contains(&compact.header().alg) {
            return ALGORITHM_WRONG.refused();
        }
        let verified = verified(&compact, issuer, now).await?;
        let claims = verified.claims().map_err(|_| Refusal::from(&MALFORMED))?;
        // Section 2.2: what every one has. `client_id` is asked for by whoever reads the rest.
        let is_complete = claims.iss.is_some() && claims.sub.is_some() && claims.jti.is_some();
        if !is_complete || claims.exp.is_none() || claims.iat.is_none() {
            return MALFORMED.refused();
        }
        Ok(self.judge(claims, &issuer.issuer, now)?)
    }
}

/// Verified by the key that it names. If the issuer has no such key, it may have a new one, so that its keys are fetched
/// again, at most once a minute.
async fn verified(
    compact: &Compact<'_>,
    issuer: &TrustedIssuer,
    now: Timestamp,
) -> Result<Verified, Failure> {
    let keys = issuer.keys(now, None).await?;
    let verified = match keys.verify(compact) {
        Err(Error::KeyNotForAlgorithm) => {
            let newer = issuer.keys(now, Some(&keys)).await?;
            if Arc::ptr_eq(&newer, &keys) { Err(Error::KeyNotForAlgorithm) } else { newer.verify(compact) }
        }
        verified => verified,
    };
    verified.map_err(|error| match error {
        Error::KeyNotForAlgorithm => Failure::from(&KEY_UNKNOWN),
        _ => Failure::from(&SIGNATURE_WRONG),
    })
}
