//! RFC 9701 section 6: how a client, which is a resource server then, wants the answers of the introspection endpoint.

use chancery_jose::{ContentEncryptionAlgorithm, KeyManagementAlgorithm, SigningAlgorithm};
use serde::{Deserialize, Serialize};

use super::openid::algorithm;
use super::{Encryption, Reader};

const SECTION: &str = "RFC 9701 section 6";

/// How introspection answers that are JWTs are made for a client. One that is registered for them gets no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntrospectionResponses {
    /// What they are signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<SigningAlgorithm>,
    /// How the client learns the key of an encrypted one; they are not encrypted if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// How an encrypted one is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<ContentEncryptionAlgorithm>,
}

/// What they are signed with.
const SIGNED: &str = "introspection_signed_response_alg";

/// How they are encrypted.
const ENCRYPTED: [&str; 2] = ["introspection_encrypted_response_alg", "introspection_encrypted_response_enc"];

impl IntrospectionResponses {
    /// `algorithms` are the ones that can sign.
    pub(super) fn read(from: &mut Reader<'_>, algorithms: &[SigningAlgorithm]) -> Self {
        let encryption = Encryption::read(from, ENCRYPTED, SECTION);
        Self {
            introspection_signed_response_alg: algorithm(from, SIGNED, algorithms, SECTION),
            introspection_encrypted_response_alg: encryption.map(|pair| pair.alg),
            introspection_encrypted_response_enc: encryption.map(|pair| pair.enc),
        }
    }

    /// Without what a client can never get, because it does not authenticate or there is no such endpoint: an
    /// algorithm is left out with a notice, and encryption, which is a demand for protection, is refused.
    pub(crate) fn leave_out(&mut self, from: &mut Reader<'_>) {
        if self.introspection_signed_response_alg.take().is_some() {
            from.notice(format!("{SIGNED}: this client gets no such answers; it was left out"));
        }
        if self.encryption().is_some() {
            let [alg, _] = ENCRYPTED;
            from.complain_by(alg, "this client gets no such answers; leave it out", SECTION);
        }
    }

    /// Whether the client is registered for JWTs.
    #[must_use]
    pub fn are_jwt(&self) -> bool {
        self.introspection_signed_response_alg.is_some() || self.encryption().is_some()
    }

    /// How they are encrypted, if they are.
    #[must_use]
    pub fn encryption(&self) -> Option<Encryption> {
        let enc = self.introspection_encrypted_response_enc.unwrap_or_default();
        self.introspection_encrypted_response_alg.map(|alg| Encryption { alg, enc })
    }

    /// By which algorithm they are encrypted, with the member that says so.
    pub(super) fn encryption_algorithm(&self) -> Option<(&'static str, KeyManagementAlgorithm)> {
        let [alg, _] = ENCRYPTED;
        self.introspection_encrypted_response_alg.map(|value| (alg, value))
    }

    /// The HMAC algorithm that they are signed with, if it is one; its key is the client's secret.
    pub(super) fn hmac_algorithm(&self) -> Option<SigningAlgorithm> {
        self.introspection_signed_response_alg.filter(|alg| alg.is_symmetric())
    }
}
