//! JARM section 3: how a client wants the responses of the authorization endpoint that are JWTs.

use chancery_jose::{ContentEncryptionAlgorithm, KeyManagementAlgorithm, SigningAlgorithm};
use serde::{Deserialize, Serialize};

use super::openid::algorithm;
use super::{Encryption, Reader};

pub(super) const JARM: &str = "JARM section 3";

/// How JWT-secured authorization responses are made for a client. They are always signed, with RS256 unless it has
/// chosen another algorithm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationResponses {
    /// What they are signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<SigningAlgorithm>,
    /// How the client learns the key of an encrypted one; they are not encrypted if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// How an encrypted one is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_enc: Option<ContentEncryptionAlgorithm>,
}

/// What they are signed with.
const SIGNED: &str = "authorization_signed_response_alg";

/// How they are encrypted.
const ENCRYPTED: [&str; 2] = ["authorization_encrypted_response_alg", "authorization_encrypted_response_enc"];

impl AuthorizationResponses {
    /// `algorithms` are the ones that can sign.
    pub(super) fn read(from: &mut Reader<'_>, algorithms: &[SigningAlgorithm]) -> Self {
        let encryption = Encryption::read(from, ENCRYPTED, JARM);
        Self {
            authorization_signed_response_alg: algorithm(from, SIGNED, algorithms, JARM),
            authorization_encrypted_response_alg: encryption.map(|pair| pair.alg),
            authorization_encrypted_response_enc: encryption.map(|pair| pair.enc),
        }
    }

    /// Without what a provider that has no such responses cannot promise: an algorithm is left out with a notice,
    /// and encryption, which is a demand for protection, is refused.
    pub(crate) fn leave_out(&mut self, from: &mut Reader<'_>) {
        if self.authorization_signed_response_alg.take().is_some() {
            from.notice(format!("{SIGNED}: these responses are not signed here; it was left out"));
        }
        if self.encryption().is_some() {
            let [alg, _] = ENCRYPTED;
            from.complain_by(alg, "these responses are not encrypted here; leave it out", JARM);
        }
    }

    /// With this algorithm, if the client names none and it is not the one that the standard has for that.
    pub(crate) fn or_signed_with(&mut self, default: SigningAlgorithm) {
        if self.signing_algorithm() != default {
            self.authorization_signed_response_alg.get_or_insert(default);
        }
    }

    /// What they are signed with.
    #[must_use]
    pub fn signing_algorithm(&self) -> SigningAlgorithm {
        self.authorization_signed_response_alg.unwrap_or(SigningAlgorithm::Rs256)
    }

    /// How they are encrypted, if they are.
    #[must_use]
    pub fn encryption(&self) -> Option<Encryption> {
        let enc = self.authorization_encrypted_response_enc.unwrap_or_default();
        self.authorization_encrypted_response_alg.map(|alg| Encryption { alg, enc })
    }

    /// By which algorithm they are encrypted, with the member that says so.
    pub(super) fn encryption_algorithm(&self) -> Option<(&'static str, KeyManagementAlgorithm)> {
        let [alg, _] = ENCRYPTED;
        self.authorization_encrypted_response_alg.map(|value| (alg, value))
    }

    /// The HMAC algorithm that they are signed with, if it is one; its key is the client's secret.
    pub(super) fn hmac_algorithm(&self) -> Option<SigningAlgorithm> {
        self.authorization_signed_response_alg.filter(|alg| alg.is_symmetric())
    }
}
