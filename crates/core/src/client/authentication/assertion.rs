//! RFC 7523, JWT Profile for OAuth 2.0 Client Authentication: sections 2.2 and 3, with the audience of
//! draft-ietf-oauth-rfc7523bis section 4; OIDC Core section 9, `private_key_jwt` and `client_secret_jwt`.
//! Config     `client_authentication.assertion_algorithms`, `compatibility.assertion_audience` (also of a client)
//! Discovery  *_endpoint_auth_signing_alg_values_supported of the endpoints that clients call

use std::time::Duration;

use chancery_jose::{Compact, Error, JwtClaims};
use chancery_types::{Issuer, Timestamp};

use super::{Authenticator, CLIENT_DISABLED, authentication_failed_by};
use crate::client::{authenticating_hmac_keys, keys};
use crate::context::{Call, Env};
use crate::error::{Failure, Reason, Refusal};
use crate::model::Client;
use crate::offered::{AssertionAudience, Endpoint};
use crate::policy::AssertionView;
use crate::records::assertion_key;

/// How far the clock of a client may be from ours.
const TOLERANCE: Duration = Duration::from_secs(10);

/// For how long an assertion can be good, and therefore how long its use is remembered.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// An assertion that is well formed. Nothing in it was verified: anybody may have written it.
pub(super) struct Assertion<'p> {
    text: &'p str,
    compact: Compact<'p>,
    claims: JwtClaims,
}

const RFC7523: &str = "RFC 7523 section 3";
const AUDIENCE: &str = "draft-ietf-oauth-rfc7523bis section 4";

reasons! {
    /// The assertion is not a signed JWT, or larger than 16 KiB.
    MALFORMED = authentication_failed_by("assertion_malformed", RFC7523);
    /// The assertion is signed with an algorithm that the client is not registered for or that is not
    /// offered, or it is unsigned.
    ALGORITHM_WRONG = authentication_failed_by("assertion_algorithm_wrong", "RFC 8725 section 3.1");
    /// The header `typ` of the assertion says that it is a JWT for another purpose.
    TYPE_WRONG = authentication_failed_by("assertion_type_wrong", "RFC 8725 section 3.11");
    /// The issuer (`iss`) of the assertion is not the client.
    ISSUER_WRONG = authentication_failed_by("assertion_issuer_wrong", RFC7523);
    /// The subject (`sub`) of the assertion is not the client.
    pub(super) SUBJECT_WRONG = authentication_failed_by("assertion_subject_wrong", RFC7523);
    /// The audience (`aud`) of the assertion is not the issuer alone. `assertion_audience = "endpoints"`
    /// permits the URL of the token endpoint and of the called endpoint as well. A profile can demand a string:
    /// then an array is wrong, too.
    AUDIENCE_WRONG = authentication_failed_by("assertion_audience_wrong", AUDIENCE);
    /// The assertion has no end (`exp`).
    ENDLESS = authentication_failed_by("assertion_without_expiry", RFC7523);
    /// The assertion has expired (`exp`).
    EXPIRED = authentication_failed_by("assertion_expired", RFC7523);
    /// The assertion is not valid yet (`nbf`, `iat`): the client's clock is more than ten seconds ahead.
    NOT_YET_VALID = authentication_failed_by("assertion_not_yet_valid", RFC7523);
    /// The assertion is valid for more than an hour.
    TOO_LONG_VALID = authentication_failed_by("assertion_lifetime_too_long", RFC7523);
    /// The assertion has no identifier (`jti`).
    UNIDENTIFIED = authentication_failed_by("assertion_without_jti", "OIDC Core section 9");
    /// No key of the client fits the assertion's algorithm and `kid`.
    KEY_UNKNOWN = authentication_failed_by("assertion_key_unknown", RFC7523);
    /// The signature of the assertion is not the client's.
    pub(super) SIGNATURE_WRONG = authentication_failed_by("assertion_signature_wrong", RFC7523);
    /// The assertion was used before.
    REPLAYED = authentication_failed_by("assertion_replayed", RFC7523);
}

impl<'p> Assertion<'p> {
    /// Reads `client_assertion`.
    pub(super) fn read(text: &'p str) -> Result<Self, Refusal> {
        let read = || {
            let compact = Compact::parse(text)?;
            let claims = JwtClaims::parse(compact.unverified_payload())?;
            Ok(Self { text, compact, claims })
        };
        read().map_err(|error| match error {
            Error::UnknownAlgorithm => (&ALGORITHM_WRONG).into(),
            _ => (&MALFORMED).into(),
        })
    }

    /// The client that it claims to come from.
    pub(super) fn subject(&self) -> Option<&str> {
        self.claims.sub.as_deref()
    }

    /// The whole assertion, if its key has to be the client's secret.
    pub(super) fn signed_with_secret(&self) -> Option<&str> {
        self.compact.header().alg.is_symmetric().then_some(self.text)
    }

    /// Until when it can be used: all claims are as the standard demands of an assertion of this client. If the
    /// audience is the sole one, an array is none, not even with one item.
    fn check(
        &self,
        client: &Client,
        (audience, is_sole): (impl Fn(&str) -> bool, bool),
        now: Timestamp,
    ) -> Result<Checked<'_>, &'static Reason> {
        let claims = &self.claims;
        // A JWT with a type of its own is for something else (RFC 8725 section 3.11); most clients give none.
        let header = self.compact.header();
        if header.typ.is_some() && !["JWT", "client-authentication+jwt"].iter().any(|typ| header.is_type(typ))
        {
            return Err(&TYPE_WRONG);
        }
        if claims.iss.as_deref() != Some(client.id().as_str()) {
            return Err(&ISSUER_WRONG);
        }
        if claims.sub.as_deref() != Some(client.id().as_str()) {
            return Err(&SUBJECT_WRONG);
        }
        if claims.aud.is_empty() || !claims.aud.iter().all(|aud| audience(aud)) {
            return Err(&AUDIENCE_WRONG);
        }
        if is_sole && !claims.is_aud_string {
            return Err(&AUDIENCE_WRONG);
        }
        let ends = claims.exp.ok_or(&ENDLESS)?;
        if ends + TOLERANCE <= now {
            return Err(&EXPIRED);
        }
        if [claims.nbf, claims.iat].into_iter().flatten().any(|begins| begins > now + TOLERANCE) {
            return Err(&NOT_YET_VALID);
        }
        if ends > claims.iat.unwrap_or(now) + LONGEST {
            return Err(&TOO_LONG_VALID);
        }
        let jti = claims.jti.as_deref().filter(|jti| !jti.is_empty()).ok_or(&UNIDENTIFIED)?;
        Ok(Checked { jti, ends: ends + TOLERANCE })
    }
}

/// What is needed to use an assertion up.
struct Checked<'a> {
    jti: &'a str,
    /// From then on it is refused anyway.
    ends: Timestamp,
}

impl Authenticator {
    /// Verifies an assertion of this client and uses it up, in one step of the store and after everything
    /// else.
    pub(super) async fn asserted(
        &self,
        call: &Call,
        env: &Env,
        endpoint: Endpoint,
        assertion: &Assertion<'_>,
        client: &Client,
    ) -> Result<(), Failure> {
        let alg = assertion.compact.header().alg;
        let is_offered = self.config.assertion_algorithms.iter().any(|offered| offered.is_same_as(alg));
        let demands = client.demands(&self.floor);
        if !is_offered || !demands.algorithms.has(&alg) || !client.metadata().flow.signs_assertions(alg) {
            return ALGORITHM_WRONG.refused();
        }
        let audience = |aud: &str| self.is_audience(client, &env.issuer, endpoint, aud);
        let is_sole = demands.sole_audience.is_some();
        let Checked { jti, ends } =
            assertion.check(client, (audience, is_sole), call.now).map_err(Failure::from)?;
        let verified = if alg.is_symmetric() {
            let secrets = authenticating_hmac_keys(client, alg, &self.keys, call.now)?;
            assertion.compact.verify_any(secrets)
        } else {
            keys::verify(call, env, client, &assertion.compact).await?
        };
        let verified = verified.map_err(|error| match error {
            Error::KeyNotForAlgorithm => &KEY_UNKNOWN,
            _ => &SIGNATURE_WRONG,
        })?;
        let view = AssertionView { header: verified.header(), claims: &assertion.claims };
        self.policy.assertion(client, &view)?;
        if !client.is_enabled() {
            return CLIENT_DISABLED.refused();
        }
        let mark = assertion_key(&env.realm, client.id(), jti);
        if env.records().use_once(call.now, mark, ends).await? { Ok(()) } else { REPLAYED.refused() }
    }

    /// Whether an assertion may name this audience.
    fn is_audience(&self, client: &Client, issuer: &Issuer, endpoint: Endpoint, aud: &str) -> bool {
        if aud == issuer.as_str() {
            return true;
        }
        let is_lax =
            [self.audience, client.metadata().own.assertion_audience].contains(&AssertionAudience::Endpoints);
        let is_url_of = |endpoint| {
            let path = aud.strip_prefix(issuer.as_str());
            let alias = self.mutual_tls.alias(endpoint, &self.routes);
            (path.is_some() && path == self.routes.path(endpoint)) || alias.is_some_and(|alias| alias == aud)
        };
        let is_lax = is_lax && client.demands(&self.floor).sole_audience.is_none();
        is_lax && (is_url_of(Endpoint::Token) || is_url_of(endpoint))
    }
}

#[cfg(test)]
mod tests {
    use chancery_jose::{SystemRandom, base64url};
    use serde_json::Value;

    use chancery_seeded::Seeded;

    use super::*;
    use crate::client::{RegistrationRules, register};
    use crate::offered::Offered;

    const NOW: i64 = 1_800_000_000;

    /// No input causes a panic, and everything that is accepted is as the standard demands, judged by another
    /// parser.
    #[test]
    fn generated_assertions() {
        let offered = Offered::default();
        let now = Timestamp::from_secs(NOW);
        let rules = RegistrationRules::new(&offered, &[], now);
        let client = br#"{"client_id":"app","redirect_uris":["https://app.example/cb"]}"#;
        let client = register(client, &SystemRandom, &rules).unwrap().client;
        let mut seeded = Seeded::new(1);
        let mut next = |limit: usize| seeded.below(limit);
        let headers = [
            r#""alg":"ES256""#,
            r#""alg":"ES256","typ":"JWT""#,
            r#""alg":"HS256","kid":"\u0000""#,
            r#""alg":"none""#,
            r#""typ":"client-authentication+jwt","alg":"RS256""#,
            r#""alg":"ES256","typ":"at+jwt""#,
            r#""alg":"ES256","crit":[]"#,
            r#""alg":["ES256"]"#,
            r#""kid":1,"alg":"ES256""#,
            "",
        ];
        let numbers = [
            "1799999990",
            "1799999991",
            "1800000000",
            "1800000060",
            "1800003600",
            "1800003601",
            "0",
            "-1",
            "1e400",
            "1.8e9",
            "1800000010.5",
            "\"1800000000\"",
            "null",
            "9007199254740993",
            "[]",
        ];
        let texts = [
            r#""app""#,
            r#""app""#,
            r#""app""#,
            r#""web""#,
            r#""""#,
            r#""\u0061pp""#,
            r#""app ""#,
            "null",
            "{}",
        ];
        let audiences = [
            r#""https://op.example""#,
            r#""https://op.example""#,
            r#"["https://op.example"]"#,
            r#"["https://op.example","https://evil.example"]"#,
            "[]",
            r#"[["https://op.example"]]"#,
            "7",
        ];
        let mut accepted = 0;
        for _ in 0..100_000 {
            let mut members = Vec::new();
            for (name, values) in [
                ("iss", &texts[..]),
                ("sub", &texts),
                ("aud", &audiences),
                ("exp", &numbers),
                ("jti", &texts),
                ("iat", &numbers),
                ("nbf", &numbers),
            ] {
                let is_optional = matches!(name, "iat" | "nbf");
                // Mostly there, mostly once.
                let times = match next(20) {
                    0 => 0,
                    1 => 2,
                    _ => usize::from(!is_optional || next(2) == 0),
                };
                members.extend((0..times).map(|_| format!("\"{name}\":{}", values[next(values.len())])));
            }
            let claims = format!("{{{}}}", members.join(","));
            let header = format!("{{{}}}", headers[next(headers.len())]);
            let mut text = [header.as_str(), &claims, "signature"].map(base64url::encode).join(".");
            if next(10) == 0 {
                let at = next(text.len());
                let other = [".", "=", "", "A", "\0", "\u{e4}"][next(6)];
                text.replace_range(at..=at, other);
            }
            let Ok(assertion) = Assertion::read(&text) else { continue };
            let audience = |aud: &str| aud == "https://op.example";
            let Ok(Checked { jti, ends }) = assertion.check(&client, (audience, false), now) else {
                continue;
            };
            accepted += 1;
            let part = |n: usize| -> Value {
                let part = text.split('.').nth(n).unwrap();
                serde_json::from_slice(&base64url::decode(part).unwrap()).unwrap()
            };
            let (header, claims) = (part(0), part(1));
            let typ = header["typ"].as_str();
            assert!(
                typ.is_none() || typ == Some("JWT") || typ == Some("client-authentication+jwt"),
                "{header}"
            );
            assert!(claims["iss"] == "app" && claims["sub"] == "app", "{claims}");
            let aud = &claims["aud"];
            assert!(
                *aud == "https://op.example" || *aud == serde_json::json!(["https://op.example"]),
                "{claims}"
            );
            assert!(!jti.is_empty() && claims["jti"] == jti, "{claims}");
            let exp = claims["exp"].as_f64().unwrap();
            assert!(
                exp > NOW as f64 - 10.0
                    && ends == Timestamp::from_millis((exp * 1000.0).round() as i64) + TOLERANCE,
                "{claims}"
            );
            let begins = claims["iat"].as_f64();
            assert!(exp <= begins.unwrap_or(NOW as f64) + 3600.0, "{claims}");
            for at in [begins, claims["nbf"].as_f64()].into_iter().flatten() {
                assert!(at <= NOW as f64 + 10.0, "{claims}");
            }
        }
        assert!(accepted > 100, "only {accepted} were good");
    }
}
