//! RFC 7662, OAuth 2.0 Token Introspection: section 2, asking about a token; section 4, what may be kept of the answer.
//! Config     none
//! Discovery  none

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chancery_core::error::{Failure, Fault, Reason};
use chancery_core::fetch::FetchRequest;
use chancery_core::model::AccessToken;
use chancery_jose::{JwtClaims, sha256};
use chancery_types::iana::ErrorCode;
use chancery_types::{Timestamp, params};
use zeroize::Zeroizing;

use crate::issuer::TrustedIssuer;
use crate::jwt::Expected;

chancery_core::reasons! {
    /// The issuer does not know the token, or it has ended, or this resource may not know of it.
    INACTIVE = Reason {
        name: "access_token_inactive",
        code: ErrorCode::InvalidToken,
        description: "the access token is not active",
        section: "RFC 7662 section 2.2",
    };
}

/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// The longest time for which an answer may be kept: a token that was revoked is good for as long.
const LONGEST_KEPT: Duration = Duration::from_secs(1);

/// How many answers are kept.
const MOST_KEPT: usize = 4_096;

/// As whom the issuer is asked about tokens, and when.
pub struct Introspection {
    authorization: Zeroizing<String>,
    of_jwts: bool,
    kept_for: Duration,
    kept: Mutex<HashMap<[u8; 32], (AccessToken, Timestamp)>>,
}

impl Introspection {
    /// Asks about tokens that are no JWTs, by the client with this id and secret (`client_secret_basic`, RFC 6749 section
    /// 2.3.1). Nothing is kept.
    #[must_use]
    pub fn by(client_id: &str, secret: &str) -> Self {
        // RFC 6749 section 2.3.1: both are form-encoded first, so that neither has a colon.
        let pair = Zeroizing::new(params::encode(std::iter::once((client_id, secret))).replacen('=', ":", 1));
        let authorization = Zeroizing::new(format!("Basic {}", STANDARD.encode(&*pair)));
        Self { authorization, of_jwts: false, kept_for: Duration::ZERO, kept: Mutex::default() }
    }

    /// Asks about JWTs as well, instead of verifying them: what is revoked ends at once.
    #[must_use]
    pub fn also_of_jwts(self) -> Self {
        Self { of_jwts: true, ..self }
    }

    /// Keeps the answer about a good token for so long, at most a second (RFC 7662 section 4). Without it every request
    /// is a request to the issuer.
    #[must_use]
    pub fn kept_for(self, time: Duration) -> Self {
        Self { kept_for: time.min(LONGEST_KEPT), ..self }
    }

    pub(crate) fn is_asked_about_jwts(&self) -> bool {
        self.of_jwts
    }

    /// The token, if the issuer says that it is good.
    pub(crate) async fn token(
        &self,
        text: &str,
        issuer: &TrustedIssuer,
        expected: &Expected,
        now: Timestamp,
    ) -> Result<AccessToken, Failure> {
        let digest = sha256(text.as_bytes());
        if let Some(kept) = self.kept(&digest, now) {
            return Ok(kept);
        }
        let claims = self.asked(text, issuer, now).await?;
        if claims.raw("active").map(|active| active.get()) != Some("true") {
            return INACTIVE.refused();
        }
        let token = expected.judge(claims, &issuer.issuer, now)?;
        self.keep(digest, &token, now);
        Ok(token)
    }

    async fn asked(&self, text: &str, issuer: &TrustedIssuer, now: Timestamp) -> Result<JwtClaims, Fault> {
        let endpoints = issuer.introspection(now).await?;
        let url = endpoints.introspection.as_deref().unwrap_or_default();
        let form = [("token", text), ("token_type_hint", "access_token")];
        let form = Zeroizing::new(params::encode(form.into_iter()));
        let request =
            FetchRequest::query(url, &form, "application/json", LONGEST).authorized(&self.authorization);
        let answer = issuer.fetch().fetch(&request).await?;
        if !request.is_document(answer.status()) {
            return Err(Fault::unavailable(format!("{url} answered {}", answer.status())));
        }
        JwtClaims::parse(answer.body())
            .map_err(|error| Fault::unavailable(format!("{url} is no introspection endpoint: {error}")))
    }

    fn kept(&self, digest: &[u8; 32], now: Timestamp) -> Option<AccessToken> {
        if self.kept_for.is_zero() {
            return None;
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, at) = kept.get(digest)?;
        let is_good = now.distance(*at) < self.kept_for && token.expires_at.is_none_or(|end| now < end);
        is_good.then(|| token.clone())
    }

    fn keep(&self, digest: [u8; 32], token: &AccessToken, now: Timestamp) {
        if self.kept_for.is_zero() {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, (_, at)| now.distance(*at) < self.kept_for);
        }
        if kept.len() < MOST_KEPT {
            kept.insert(digest, (token.clone(), now));
        }
    }
}

/// Shows nothing of the secret.
impl std::fmt::Debug for Introspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Introspection").field("kept_for", &self.kept_for).finish_non_exhaustive()
    }
}
