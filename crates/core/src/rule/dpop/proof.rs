//! RFC 9449, OAuth 2.0 Demonstrating Proof of Possession (DPoP): sections 4.2 and 4.3, the proof of one request.
//! Config     `[dpop]`
//! Discovery  none

use chancery_jose::{Compact, Error, JwtClaims, PublicJwk, SigningAlgorithm, base64url, sha256};
use chancery_types::{TargetUri, Timestamp};

use super::{
    ALGORITHM_WRONG, DpopConfig, EXPIRED, INCOMPLETE, KEY_WRONG, MALFORMED, METHOD_WRONG, NONCE_MISSING,
    NONCE_OLD, NONCE_UNKNOWN, NOT_YET_VALID, REMEMBERED, REPLAYED, SEVERAL, SIGNATURE_WRONG, TARGET_WRONG,
    TOKEN_WRONG, TYPE_WRONG,
};
use crate::context::{Call, DpopHeader, Env};
use crate::error::{Failure, Refusal};
use crate::model::Thumbprint;
use crate::profile::Demands;
use crate::records::proof_key;

/// The `typ` of a proof (section 4.2).
const TYPE: &str = "dpop+jwt";

/// The longest `jti` (section 11.1).
const LONGEST_JTI: usize = 256;

/// The request that a proof is for, and by when.
pub struct ProvenRequest<'a> {
    /// When it arrived.
    pub now: Timestamp,
    /// The access token that it brings, if it is for a protected resource.
    pub access_token: Option<&'a str>,
    /// Whether this is its URI.
    pub is_target: &'a dyn Fn(&TargetUri) -> bool,
    /// When this nonce ends; `None` if it has, or was never given. It is asked if nonces are demanded.
    pub nonce_end: &'a dyn Fn(&str) -> Option<Timestamp>,
}

/// A proof that is good, but for whether it was used before.
#[derive(Clone, Debug)]
pub struct Proof {
    alg: SigningAlgorithm,
    key: Thumbprint,
    jti: String,
    /// When it expires: from then on it is refused, used or not.
    ends: Timestamp,
}

impl Proof {
    /// Judges a proof in the order of section 4.3.
    ///
    /// # Errors
    /// A refusal for the first rule that it breaks.
    pub fn judge(header: &DpopHeader, of: &ProvenRequest<'_>, by: &DpopConfig) -> Result<Self, Refusal> {
        let sent = Sent::read(header)?;
        let is_complete = sent.ath.is_some() || of.access_token.is_none();
        if sent.jti.is_empty() || sent.jti.len() > LONGEST_JTI || !is_complete {
            return INCOMPLETE.refused();
        }
        if !sent.compact.header().is_type(TYPE) {
            return TYPE_WRONG.refused();
        }
        let alg = sent.compact.header().alg;
        if !by.algorithms.contains(&alg) {
            return ALGORITHM_WRONG.refused();
        }
        let key = sent.verify()?;
        if sent.htm != *header.method {
            return METHOD_WRONG.refused();
        }
        if !TargetUri::parse(&sent.htu).is_ok_and(|htu| (of.is_target)(&htu)) {
            return TARGET_WRONG.refused();
        }
        let ends = sent.end(of, by)?;
        let hash = of.access_token.map(|token| base64url::encode(sha256(token.as_bytes())));
        if hash.is_some() && hash != sent.ath {
            return TOKEN_WRONG.refused();
        }
        Ok(Self { alg, key, jti: sent.jti, ends })
    }

    /// The key whose possession it proves.
    #[must_use]
    pub fn key(&self) -> Thumbprint {
        self.key
    }

    /// What names it, and no other: its key and its `jti` (section 11.1).
    #[must_use]
    pub fn mark(&self) -> [u8; 32] {
        // The key has a fixed length, so that the two cannot be cut otherwise.
        sha256(&[self.key.as_bytes(), self.jti.as_bytes()].concat())
    }

    /// Until when its use has to be remembered.
    #[must_use]
    pub fn remembered_until(&self) -> Timestamp {
        self.ends + REMEMBERED
    }

    /// Uses it up, in one step of the store (section 11.1). `demands` are those that the client is held to.
    ///
    /// # Errors
    /// A refusal if it was used before, on whichever node, or if its algorithm is not permitted; a fault of the store.
    pub(crate) async fn use_up(&self, call: &Call, env: &Env, demands: &Demands) -> Result<(), Failure> {
        if !demands.algorithms.has(&self.alg) {
            return ALGORITHM_WRONG.refused();
        }
        let mark = proof_key(&env.realm, &self.mark());
        let is_first = env.records().use_once(call.now, mark, self.remembered_until()).await?;
        if is_first { Ok(()) } else { REPLAYED.refused() }
    }
}

/// A proof as it was sent: well formed, with all claims that every proof has (section 4.2). Anybody may have written
/// it.
pub(super) struct Sent<'h> {
    pub(super) compact: Compact<'h>,
    pub(super) jti: String,
    pub(super) htm: String,
    pub(super) htu: String,
    pub(super) iat: Timestamp,
    exp: Option<Timestamp>,
    nbf: Option<Timestamp>,
    pub(super) nonce: Option<String>,
    ath: Option<String>,
}

impl<'h> Sent<'h> {
    pub(super) fn read(header: &'h DpopHeader) -> Result<Self, Refusal> {
        let [text] = &*header.fields else { return SEVERAL.refused() };
        let compact = Compact::parse(text).map_err(|error| match error {
            Error::UnknownAlgorithm => Refusal::from(&ALGORITHM_WRONG),
            _ => (&MALFORMED).into(),
        })?;
        let claims = JwtClaims::parse(compact.unverified_payload()).map_err(|_| Refusal::from(&MALFORMED))?;
        let string = |name| claims.string(name).map_err(|_| Refusal::from(&MALFORMED));
        Ok(Self {
            htm: string("htm")?.ok_or(&INCOMPLETE)?,
            htu: string("htu")?.ok_or(&INCOMPLETE)?,
            ath: string("ath")?,
            jti: claims.jti.ok_or(&INCOMPLETE)?,
            iat: claims.iat.ok_or(&INCOMPLETE)?,
            exp: claims.exp,
            nbf: claims.nbf,
            nonce: claims.nonce,
            compact,
        })
    }

    /// Verifies the signature with the key that the proof brings, and names that key.
    pub(super) fn verify(&self) -> Result<Thumbprint, Refusal> {
        let key: PublicJwk = self.compact.embedded_key().map_err(|_| Refusal::from(&KEY_WRONG))?;
        let verifying = key.verifying_key().map_err(|_| Refusal::from(&KEY_WRONG))?;
        self.compact.verify_any([verifying]).map_err(|error| match error {
            Error::KeyNotForAlgorithm => Refusal::from(&KEY_WRONG),
            _ => (&SIGNATURE_WRONG).into(),
        })?;
        Thumbprint::parse(&key.thumbprint()).ok_or_else(|| (&KEY_WRONG).into())
    }

    /// When a proof that is in time ends. It was made at the time of its nonce if there are nonces, and at `iat`
    /// otherwise.
    fn end(&self, of: &ProvenRequest<'_>, by: &DpopConfig) -> Result<Timestamp, Refusal> {
        let (now, tolerance) = (of.now, by.clock_tolerance);
        // RFC 7519 sections 4.1.4 and 4.1.5: a proof needs neither `exp` nor `nbf`; one that has them is held to them.
        if self.exp.is_some_and(|exp| exp + tolerance <= now) {
            return EXPIRED.refused();
        }
        if self.nbf.is_some_and(|nbf| nbf > now + tolerance) {
            return NOT_YET_VALID.refused();
        }
        match (&self.nonce, by.require_nonce) {
            (Some(nonce), true) => (of.nonce_end)(nonce).ok_or_else(|| (&NONCE_OLD).into()),
            (None, true) => NONCE_MISSING.refused(),
            (Some(_), false) => NONCE_UNKNOWN.refused(),
            (None, false) => {
                let ends = self.iat + by.proof_lifetime;
                if ends <= now {
                    return EXPIRED.refused();
                }
                if self.iat > now + tolerance { NOT_YET_VALID.refused() } else { Ok(ends) }
            }
        }
    }
}
