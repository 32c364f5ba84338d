//! RFC 9701, JWT Response for OAuth Token Introspection: sections 4 to 7.
//! Config     none; a client (`introspection_signed_response_alg` and others) says how its answers are made
//! Discovery  introspection_signing_alg_values_supported introspection_encryption_alg_values_supported
//!            introspection_encryption_enc_values_supported

use chancery_jose::{ClaimsWriter, SigningAlgorithm};
use chancery_types::Timestamp;
use chancery_types::iana::ErrorCode;
use serde_json::value::RawValue;

use super::{Introspection, IntrospectionEndpoint};
use crate::client::PROFILE_BROKEN;
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::issue::authorization_response::NOTHING_SIGNS;
use crate::issue::encrypted::announce_encryption;
use crate::model::Client;
use crate::offered::{Component, Endpoint};

reasons! {
    /// The client is registered for answers that are JWTs, and the `Accept` header of its request does not admit them.
    pub JWT_NOT_ACCEPTED = Reason {
        name: "introspection_jwt_not_accepted",
        code: ErrorCode::InvalidRequest,
        description: "Accept must admit application/token-introspection+jwt for this client",
        section: "RFC 9701 section 4",
    };
}

/// The media type of the answer.
pub(super) const MEDIA_TYPE: &str = "application/token-introspection+jwt";

/// The `typ` of the JWT.
const TYPE: &str = "token-introspection+jwt";

/// Whether the asker gets a JWT: one that is registered for it always does, any other one if its `Accept` header names
/// it and prefers nothing else.
pub(super) fn is_wanted(call: &Call, asker: &Client) -> Result<bool, Refusal> {
    let jwt = Welcome::of(call.accept.as_deref(), MEDIA_TYPE);
    match asker.metadata().introspection_responses.are_jwt() {
        // Never in plain text, which would not be protected as the client has demanded (section 8.2).
        true if jwt.quality == 0 => JWT_NOT_ACCEPTED.refused(),
        true => Ok(true),
        false => {
            let json = Welcome::of(call.accept.as_deref(), "application/json");
            Ok(jwt.is_named && jwt.quality > 0 && jwt.quality >= json.quality)
        }
    }
}

/// How welcome a media type is as an answer (RFC 9110 section 12.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Welcome {
    /// Whether the header names it, and not only others of its kind.
    is_named: bool,
    /// In thousandths.
    quality: u16,
}

impl Welcome {
    /// The most specific range counts. Without the header anything is welcome.
    fn of(accept: Option<&str>, media_type: &str) -> Self {
        let Some(accept) = accept else { return Self { is_named: false, quality: 1000 } };
        let kind = media_type.split('/').next().unwrap_or_default();
        let ranges = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next()?;
            let specificity = match named.split_once('/') {
                _ if named.eq_ignore_ascii_case(media_type) => 2,
                Some((of, "*")) if of.eq_ignore_ascii_case(kind) => 1,
                Some(("*", "*")) => 0,
                _ => return None,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            Some((specificity, quality.map_or(1000, |text| thousandths(text).unwrap_or(0))))
        });
        let best = ranges.max_by_key(|(specificity, _)| *specificity);
        best.map_or(Self { is_named: false, quality: 0 }, |(specificity, quality)| Self {
            is_named: specificity == 2,
            quality,
        })
    }
}

/// `qvalue` of RFC 9110 section 12.4.2.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = whole.len() == 1 && part.len() <= 3 && is_digits(whole) && is_digits(part);
    format!("{whole}{part:0<3}").parse().ok().filter(|value| is_number && *value <= 1000)
}

impl IntrospectionEndpoint {
    /// The answer as a JWT for this asker: signed, and encrypted if the asker is registered for that (section 5).
    pub(super) async fn sign(
        &self,
        call: &Call,
        env: &Env,
        asker: &Client,
        said: Introspection,
    ) -> Result<String, Failure> {
        let alg = self.algorithm(call.now, asker)?;
        let said = RawValue::from_string(said.json())
            .map_err(|error| Fault::internal("an introspection that is no JSON").because(error))?;
        let mut claims = ClaimsWriter::new();
        claims
            .string("iss", env.issuer.as_str())
            .string("aud", asker.id().as_str())
            .date("iat", call.now)
            .raw("token_introspection", &said);
        let signed = self.issuer.sign_typed(call, env, asker, (alg, Some(TYPE)), &claims.finish()).await?;
        let encryption = asker.metadata().introspection_responses.encryption();
        self.issuer.encrypt_for(call, env, asker, encryption, signed).await
    }

    /// What the asker is registered for, or else RS256 (section 6); where that is not to be had, another algorithm that
    /// is.
    fn algorithm(&self, now: Timestamp, asker: &Client) -> Result<SigningAlgorithm, Refusal> {
        let permitted = &asker.demands(&self.issuer.floor).algorithms;
        let can_sign = |alg: SigningAlgorithm| alg.is_symmetric() || self.issuer.keys.can_sign(alg, now);
        if let Some(alg) = asker.metadata().introspection_responses.introspection_signed_response_alg {
            return match (permitted.has(&alg), can_sign(alg)) {
                (true, true) => Ok(alg),
                (true, false) => NOTHING_SIGNS.refused(),
                (false, _) => PROFILE_BROKEN.refused(),
            };
        }
        let others = self.issuer.algorithms(now).into_iter().filter(|alg| !alg.is_symmetric());
        let mut all = std::iter::once(SigningAlgorithm::Rs256).chain(others);
        Ok(all.find(|alg| permitted.has(alg) && can_sign(*alg)).ok_or(&NOTHING_SIGNS)?)
    }
}

impl Component for IntrospectionEndpoint {
    fn announce(&self, now: Timestamp, metadata: &mut ClaimsWriter) {
        if !self.offered.endpoints.has(Endpoint::Introspection) {
            return;
        }
        let algorithms = self.issuer.algorithms(now);
        metadata
            .strings("introspection_signing_alg_values_supported", algorithms.iter().map(|alg| alg.name()));
        announce_encryption(
            metadata,
            [
                "introspection_encryption_alg_values_supported",
                "introspection_encryption_enc_values_supported",
            ],
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// INTRO-08: RFC 9110 section 12.5.1.
    #[test]
    fn how_welcome_it_is() {
        for (accept, is_named, quality) in [
            ("application/token-introspection+jwt", true, 1000),
            ("Application/Token-Introspection+JWT; q=0.5", true, 500),
            ("application/token-introspection+jwt;q=0", true, 0),
            ("application/token-introspection+jwt;Q=0.25;x=y, */*", true, 250),
            ("*/*;q=0.1, application/*;q=0.2", false, 200),
            ("application/*", false, 1000),
            ("text/html,*/*;q=0.8", false, 800),
            ("application/json", false, 0),
            ("application/jwt", false, 0),
            ("text/*", false, 0),
            ("", false, 0),
            (",,;", false, 0),
            ("application/token-introspection+jwt;q=2", true, 0),
            ("application/token-introspection+jwt;q=0.0001", true, 0),
            ("application/token-introspection+jwt;q=-1", true, 0),
            ("application/token-introspection+jwt;q=", true, 0),
        ] {
            assert_eq!(Welcome::of(Some(accept), MEDIA_TYPE), Welcome { is_named, quality }, "{accept}");
        }
        assert_eq!(Welcome::of(None, MEDIA_TYPE), Welcome { is_named: false, quality: 1000 });
    }
}
