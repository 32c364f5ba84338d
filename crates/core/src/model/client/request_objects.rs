//! RFC 9101 section 10.5 and OpenID Connect Dynamic Client Registration 1.0 section 2: how a client sends its
//! authorization requests as JWTs.

use chancery_jose::{ContentEncryptionAlgorithm, KeyManagementAlgorithm, SigningAlgorithm};
use serde::{Deserialize, Serialize};

use super::openid::{OIDC, is_false};
use super::{Encryption, Reader};

/// What a client signs its request objects with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RequestObjectAlgorithm {
    /// Nothing.
    #[serde(rename = "none")]
    Unsigned,
    /// This.
    #[serde(untagged)]
    Signed(SigningAlgorithm),
}

/// How a client sends its authorization requests as JWTs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestObjects {
    /// What its request objects are signed with; any algorithm of its own keys if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<RequestObjectAlgorithm>,
    /// By which algorithm it may encrypt its request objects. It may use others all the same, or none; a symmetric
    /// one says that its secret is kept for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_alg: Option<KeyManagementAlgorithm>,
    /// How it may encrypt their content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_enc: Option<ContentEncryptionAlgorithm>,
    /// Whether its requests are refused unless they are signed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub require_signed_request_object: bool,
    /// Where it publishes request objects (OIDC Core section 6.2). A fragment only tells versions apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<Box<str>>,
}

/// The member that says by which algorithm request objects are encrypted.
pub(super) const ENCRYPTION_ALG: &str = "request_object_encryption_alg";

/// How many `request_uris` a client may have.
const MOST: usize = 100;

/// The longest of them, as OIDC Core section 6.2 recommends.
const LONGEST: usize = 512;

impl RequestObjects {
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        let encryption = Encryption::read(from, [ENCRYPTION_ALG, "request_object_encryption_enc"], OIDC);
        let read = Self {
            request_object_signing_alg: algorithm(from),
            request_object_encryption_alg: encryption.map(|pair| pair.alg),
            request_object_encryption_enc: encryption.map(|pair| pair.enc),
            require_signed_request_object: from.boolean("require_signed_request_object").unwrap_or(false),
            request_uris: from.urls("request_uris"),
        };
        if read.request_uris.len() > MOST || read.request_uris.iter().any(|uri| uri.len() > LONGEST) {
            let rule = format!("must be at most {MOST} URLs of at most {LONGEST} characters");
            from.complain_by("request_uris", rule, "RFC 9101 section 5.2");
        }
        let is_unsigned = read.request_object_signing_alg == Some(RequestObjectAlgorithm::Unsigned);
        if is_unsigned && read.require_signed_request_object {
            let rule = "must not be none, because require_signed_request_object is true";
            from.complain_by("request_object_signing_alg", rule, "RFC 9101 section 10.5");
        }
        read
    }

    /// The HMAC algorithm that the client is registered for, if it is one; its key is the client's secret.
    #[must_use]
    pub fn hmac_algorithm(&self) -> Option<SigningAlgorithm> {
        match self.request_object_signing_alg {
            Some(RequestObjectAlgorithm::Signed(alg)) => Some(alg).filter(|alg| alg.is_symmetric()),
            _ => None,
        }
    }

    /// Whether the client may sign its request objects with this algorithm: the registered one, or else any
    /// that is for a key of its own. An HMAC needs the client's secret, which is only kept if the client is
    /// registered for an HMAC.
    #[must_use]
    pub fn signs_with(&self, alg: SigningAlgorithm) -> bool {
        match self.request_object_signing_alg {
            Some(RequestObjectAlgorithm::Signed(registered)) => registered.is_same_as(alg),
            Some(RequestObjectAlgorithm::Unsigned) => false,
            None => !alg.is_symmetric(),
        }
    }

    /// Whether keys are derived from the client's secret by which it may encrypt (OIDC Core section 10.2).
    #[must_use]
    pub fn derives_keys(&self) -> bool {
        self.request_object_encryption_alg.is_some_and(KeyManagementAlgorithm::is_symmetric)
    }

    /// Whether the client may encrypt its request objects by this algorithm: by any for a key of this server, and
    /// by a symmetric one if it is registered for such a one. Otherwise nothing but a digest of its secret is kept.
    #[must_use]
    pub fn encrypts_with(&self, alg: KeyManagementAlgorithm) -> bool {
        !alg.is_symmetric() || self.derives_keys()
    }

    /// Whether the client may send request objects that nobody has signed, as far as it is up to the client.
    #[must_use]
    pub fn may_be_unsigned(&self) -> bool {
        !self.require_signed_request_object
            && matches!(self.request_object_signing_alg, None | Some(RequestObjectAlgorithm::Unsigned))
    }
}

fn algorithm(from: &mut Reader<'_>) -> Option<RequestObjectAlgorithm> {
    let name = "request_object_signing_alg";
    let text = from.string(name)?;
    if text == "none" {
        return Some(RequestObjectAlgorithm::Unsigned);
    }
    let alg = SigningAlgorithm::parse(&text);
    if alg.is_none() {
        from.complain_by(name, format!("{text:?} is not an algorithm that this server verifies"), OIDC);
    }
    alg.map(RequestObjectAlgorithm::Signed)
}
