//! RFC 9449, OAuth 2.0 Demonstrating Proof of Possession (DPoP): sections 4 to 11.
//! Config     `[dpop]`
//! Discovery  dpop_signing_alg_values_supported

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::{ClaimsWriter, SigningAlgorithm, base64url};
use chancery_types::iana::ErrorCode;
use chancery_types::{Issuer, TargetUri, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::{Call, Env};
use crate::error::{Complaint, Failure, Reason, Refusal, SectionCheck};
use crate::keys::{DerivedKeys, KeySet};
use crate::model::Thumbprint;
use crate::offered::{Component, Endpoint, MutualTlsConfig, Routes};
use crate::profile::{Demands, Floor};

mod proof;
use proof::Sent;
pub use proof::{Proof, ProvenRequest};

/// `[dpop]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DpopConfig {
    /// Whether clients can bind their tokens to a key of their own. Otherwise their proofs are ignored.
    pub offered: bool,
    /// What proofs may be signed with.
    pub algorithms: Vec<SigningAlgorithm>,
    /// How long after it was made a proof can be used.
    #[serde(with = "crate::duration")]
    pub proof_lifetime: Duration,
    /// How far the clock of a client may be ahead of ours.
    #[serde(with = "crate::duration")]
    pub clock_tolerance: Duration,
    /// Whether every proof has to contain a nonce of this server. Then the clocks of clients do not matter, and no
    /// proof can have been made in advance.
    pub require_nonce: bool,
}

impl Default for DpopConfig {
    fn default() -> Self {
        use SigningAlgorithm::{Ed25519, EdDsa, Es256, Es384, Ps256};
        Self {
            offered: false,
            algorithms: vec![Es256, Es384, Ps256, EdDsa, Ed25519],
            proof_lifetime: Duration::from_secs(60),
            clock_tolerance: Duration::from_secs(60),
            require_nonce: false,
        }
    }
}

impl DpopConfig {
    /// What proofs may be signed with; nothing if it is off.
    pub(crate) fn offered_algorithms(&self) -> Vec<SigningAlgorithm> {
        if self.offered { self.algorithms.clone() } else { Vec::new() }
    }

    /// What is wrong with it.
    #[must_use]
    pub fn complaints(&self) -> Vec<Complaint> {
        const LONGEST: Duration = Duration::from_secs(300);
        let hmac = self.algorithms.iter().find(|alg| alg.is_symmetric()).map_or("", |alg| alg.name());
        SectionCheck::of("dpop")
            .lifetimes(&[("proof_lifetime", self.proof_lifetime)])
            .demand(
                self.proof_lifetime <= LONGEST,
                "proof_lifetime",
                "must be at most 5m, because a proof is for one request",
                "RFC 9449 section 11.1",
            )
            .demand(
                self.clock_tolerance <= LONGEST,
                "clock_tolerance",
                "must be at most 5m; demand nonces if the clocks of clients are worse",
                "RFC 9449 section 11.1",
            )
            .demand(
                !self.algorithms.is_empty(),
                "algorithms",
                "is empty: name what proofs may be signed with, such as ES256; `dpop.offered = false` turns DPoP off",
                "RFC 9449 section 5.1",
            )
            .demand(
                hmac.is_empty(),
                "algorithms",
                &format!("must not name {hmac}, an HMAC, for which there is no public key: leave it out"),
                "RFC 9449 section 11.6",
            )
            .complaints()
    }
}

const fn invalid_proof(name: &'static str, description: &'static str, section: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidDpopProof, description, section }
}

const CHECKS: &str = "RFC 9449 section 4.3";

reasons! {
    /// The request has more than one DPoP header.
    SEVERAL = invalid_proof("dpop_header_repeated", "there must be one DPoP header", CHECKS);
    /// The DPoP header is not a signed JWT, or larger than 16 KiB.
    MALFORMED = invalid_proof("dpop_proof_malformed", "the DPoP proof must be a signed JWT", CHECKS);
    /// The proof lacks one of the claims `jti`, `htm`, `htu` and `iat`, or `ath` beside an access token, or its `jti`
    /// is longer than 256 bytes.
    INCOMPLETE =
        invalid_proof("dpop_proof_incomplete", "the DPoP proof lacks a claim", "RFC 9449 section 4.2");
    /// The header `typ` of the proof is not `dpop+jwt`, so that it is a JWT for another purpose.
    TYPE_WRONG =
        invalid_proof("dpop_type_wrong", "the DPoP proof must have typ dpop+jwt", "RFC 9449 section 11.5");
    /// The proof is signed by an algorithm that `dpop.algorithms` does not name, by an HMAC, or not at all.
    ALGORITHM_WRONG = invalid_proof(
        "dpop_algorithm_wrong",
        "the algorithm of the DPoP proof is not supported",
        "RFC 9449 section 11.6",
    );
    /// The header `jwk` of the proof is missing, is no public key, or holds the private one, too.
    KEY_WRONG =
        invalid_proof("dpop_key_wrong", "the DPoP proof must have a public key as its jwk", CHECKS);
    /// The proof is not signed by the key that it names.
    SIGNATURE_WRONG =
        invalid_proof("dpop_signature_wrong", "the signature of the DPoP proof is wrong", CHECKS);
    /// `htm` of the proof is not the method of the request.
    METHOD_WRONG = invalid_proof("dpop_method_wrong", "the DPoP proof is for another method", CHECKS);
    /// `htu` of the proof is not the URI of the endpoint. If clients know the server by another address than its
    /// issuer, the issuer is wrong.
    TARGET_WRONG = invalid_proof("dpop_target_wrong", "the DPoP proof is for another URI", CHECKS);
    /// The proof has a nonce, and this server has given none.
    NONCE_UNKNOWN =
        invalid_proof("dpop_nonce_unknown", "the nonce of the DPoP proof is not one of this server", CHECKS);
    /// The proof is older than `dpop.proof_lifetime`, or its own `exp` is past.
    EXPIRED = invalid_proof("dpop_proof_expired", "the DPoP proof is too old", "RFC 9449 section 11.1");
    /// The proof was made in the future: the clock of the client is ahead by more than `dpop.clock_tolerance`.
    NOT_YET_VALID = invalid_proof(
        "dpop_proof_not_yet_valid",
        "the DPoP proof was made in the future",
        "RFC 9449 section 11.1",
    );
    /// `ath` of the proof is not the hash of the access token.
    TOKEN_WRONG = invalid_proof("dpop_token_wrong", "the DPoP proof is for another access token", CHECKS);
    /// The proof was used before.
    pub REPLAYED =
        invalid_proof("dpop_proof_replayed", "the DPoP proof was used before", "RFC 9449 section 11.1");
    /// The proof has no nonce, and `dpop.require_nonce` demands one. The response has one for the next attempt.
    NONCE_MISSING = Reason {
        name: "dpop_nonce_missing",
        code: ErrorCode::UseDpopNonce,
        description: "the DPoP proof must have the nonce of this response",
        section: "RFC 9449 section 8",
    };
    /// The nonce of the proof is not one of this server, or older than five minutes. The response has another one.
    NONCE_OLD = Reason {
        name: "dpop_nonce_old",
        code: ErrorCode::UseDpopNonce,
        description: "the DPoP proof must have the nonce of this response",
        section: "RFC 9449 section 8",
    };
}

/// The mark of a used proof outlives the proof by this much: by the clock of another node, which may be behind ours, the
/// proof can still be good.
const REMEMBERED: Duration = Duration::from_secs(10);

/// The rule. If it is off, every request is as if it had no proof.
pub struct Dpop {
    config: DpopConfig,
    issuer: Issuer,
    targets: Vec<(Endpoint, TargetUri)>,
    keys: Arc<KeySet>,
}

impl Component for Dpop {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        if self.config.offered {
            let names = self.config.algorithms.iter().map(|alg| alg.name());
            metadata.strings("dpop_signing_alg_values_supported", names);
        }
    }
}

impl Dpop {
    /// Built from the configuration. What the profile of the server does not permit is not offered.
    pub(crate) fn new(
        mut config: DpopConfig,
        floor: &Floor,
        issuer: Issuer,
        routes: &Routes,
        mutual_tls: &MutualTlsConfig,
        keys: Arc<KeySet>,
    ) -> Self {
        config.algorithms.retain(|alg| floor.server().algorithms.has(alg));
        let targets = targets(&issuer, routes, mutual_tls);
        Self { config, issuer, targets, keys }
    }

    /// Whether it is on.
    pub(crate) fn is_offered(&self) -> bool {
        self.config.offered
    }

    /// The algorithms of proofs, as a challenge names them (section 7.1); `None` if it is off.
    pub(crate) fn challenge_algorithms(&self) -> Option<String> {
        let names: Vec<&str> = self.config.algorithms.iter().map(|alg| alg.name()).collect();
        self.config.offered.then(|| names.join(" "))
    }

    /// The key whose possession a request without an access token proves. Its proof is used up.
    ///
    /// # Errors
    /// As [`Dpop::proof`] and [`Proof::use_up`].
    pub(crate) async fn shown(
        &self,
        call: &Call,
        env: &Env,
        endpoint: Endpoint,
        demands: &Demands,
    ) -> Result<Option<Thumbprint>, Failure> {
        let Some(proof) = self.proof(call, endpoint, None)? else { return Ok(None) };
        proof.use_up(call, env, demands).await?;
        Ok(Some(proof.key()))
    }

    /// The proof of a request to this endpoint, if it has one, judged in the order of section 4.3.
    ///
    /// # Errors
    /// A refusal for the first rule that it breaks.
    pub(crate) fn proof(
        &self,
        call: &Call,
        endpoint: Endpoint,
        access_token: Option<&str>,
    ) -> Result<Option<Proof>, Refusal> {
        let Some(header) = call.dpop.as_ref().filter(|_| self.config.offered) else { return Ok(None) };
        let request = ProvenRequest {
            now: call.now,
            access_token,
            is_target: &|htu| self.is_target(endpoint, htu),
            nonce_end: &|nonce| self.nonces().end(nonce, call.now),
        };
        Proof::judge(header, &request, &self.config).map(Some)
    }

    /// Whether this is a URI of the endpoint.
    fn is_target(&self, endpoint: Endpoint, htu: &TargetUri) -> bool {
        self.targets.iter().any(|(of, uri)| *of == endpoint && uri == htu)
    }

    /// The nonce for the client's next proof, if that of this request is not the newest one (section 8.2).
    pub(crate) fn next_nonce(&self, call: &Call) -> Option<String> {
        let is_needed = self.config.offered && self.config.require_nonce;
        let header = call.dpop.as_ref().filter(|_| is_needed)?;
        let newest = self.nonces().newest(call.now);
        let sent = Sent::read(header).ok().and_then(|sent| sent.nonce);
        (sent.as_ref() != Some(&newest)).then_some(newest)
    }

    fn nonces(&self) -> Nonces<'_> {
        Nonces { keys: &self.keys, issuer: &self.issuer }
    }
}

/// The URIs of the endpoints, and those at which clients with certificates call them (RFC 8705 section 5). They come from
/// the configuration, because a request says nothing reliable about its host.
fn targets(issuer: &Issuer, routes: &Routes, mutual_tls: &MutualTlsConfig) -> Vec<(Endpoint, TargetUri)> {
    let uris = |endpoint| {
        let own = routes.path(endpoint).map(|path| format!("{issuer}{path}"));
        [own, mutual_tls.alias(endpoint, routes)].into_iter().flatten().map(move |uri| (endpoint, uri))
    };
    let all = Endpoint::ALL.iter().flat_map(|endpoint| uris(*endpoint));
    all.filter_map(|(endpoint, uri)| Some((endpoint, TargetUri::parse(&uri).ok()?))).collect()
}

/// Nonces that nobody stores (section 8): an HMAC over a window of time, under a key that every node derives from the
/// same root secret.
struct Nonces<'k> {
    keys: &'k KeySet,
    issuer: &'k Issuer,
}

/// For how many milliseconds the same nonce is given. It is good for as long again, so that it lives for at most five
/// minutes.
const WINDOW: i64 = 150_000;

impl Nonces<'_> {
    /// The nonce that is given now.
    fn newest(&self, now: Timestamp) -> String {
        self.of(self.keys.newest(), window(now))
    }

    /// The nonce of a window: the version of the root secret, and half of the HMAC.
    fn of(&self, derived: &DerivedKeys, window: i64) -> String {
        let digest = derived.dpop_nonce.digest([self.issuer.as_str().as_bytes(), &window.to_be_bytes()]);
        let (half, _) = digest.split_at(16);
        base64url::encode([&derived.version.to_be_bytes(), half].concat())
    }

    /// When this nonce ends; `None` if it has, or is not one of ours. One of the next window comes from a node whose
    /// clock is ahead.
    fn end(&self, nonce: &str, now: Timestamp) -> Option<Timestamp> {
        let bytes = base64url::decode(nonce).ok()?;
        let version = u32::from_be_bytes(*bytes.first_chunk()?);
        let derived = self.keys.derived(version)?;
        let current = window(now);
        let of = [current, current - 1, current + 1].into_iter().find(|of| self.of(derived, *of) == nonce)?;
        Some(Timestamp::from_millis((of + 2).saturating_mul(WINDOW)))
    }
}

fn window(now: Timestamp) -> i64 {
    now.millis().div_euclid(WINDOW)
}

#[cfg(test)]
mod tests;
