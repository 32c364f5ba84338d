//! How a resource server's JWTs are encrypted for it (RFC 9068 section 6, OIDC Core section 16.14).

use chancery_jose::{
    ContentEncryptionAlgorithm, EncryptionKey, Error, JweWriter, KeyManagementAlgorithm, Recipient,
};
use serde::{Deserialize, Serialize};

/// A public key of a resource server and the algorithms by which its JWTs are encrypted, so that clients
/// cannot read them. They are signed first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct TokenEncryption {
    alg: KeyManagementAlgorithm,
    enc: ContentEncryptionAlgorithm,
    key: EncryptionKey,
}

/// The form in configurations: texts, of which `key` is a public JWK (RFC 7517).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    alg: KeyManagementAlgorithm,
    #[serde(default)]
    enc: ContentEncryptionAlgorithm,
    key: String,
}

impl TokenEncryption {
    /// Takes a public key that fits the algorithm.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`], also for a symmetric algorithm.
    pub fn new(
        alg: KeyManagementAlgorithm,
        enc: ContentEncryptionAlgorithm,
        key: EncryptionKey,
    ) -> Result<Self, Error> {
        if key.fits(alg) { Ok(Self { alg, enc, key }) } else { Err(Error::KeyNotForAlgorithm) }
    }

    /// Encrypts a signed JWT of this issuer for its audience.
    ///
    /// # Errors
    /// Those of [`JweWriter::encrypt`].
    pub(crate) fn encrypt(
        &self,
        jwt: &str,
        [typ, iss, aud]: [&str; 3],
        random: &dyn Fn(&mut [u8]),
    ) -> Result<String, Error> {
        let writer = JweWriter {
            cty: Some(typ),
            iss: Some(iss),
            aud: Some(aud),
            ..JweWriter::new(self.alg, self.enc)
        };
        writer.encrypt(Recipient::Public(&self.key), jwt.as_bytes(), random)
    }
}

impl TryFrom<Written> for TokenEncryption {
    type Error = String;
    fn try_from(Written { alg, enc, key }: Written) -> Result<Self, String> {
        let key = EncryptionKey::parse(key.as_bytes()).map_err(|error| {
            format!("key must be a public JWK as JSON, such as {{\"kty\": \"EC\", ...}}: {error}")
        })?;
        Self::new(alg, enc, key).map_err(|error| format!("alg: {error}"))
    }
}

impl From<TokenEncryption> for Written {
    fn from(TokenEncryption { alg, enc, key }: TokenEncryption) -> Self {
        Self { alg, enc, key: key.to_json() }
    }
}

#[cfg(test)]
mod tests {
    use chancery_jose::{DecryptionKey, EncryptionKeyType};
    use serde_json::{Value, json};

    use super::*;

    /// AT-08: a public key of a type that fits, and nothing else.
    #[test]
    fn what_is_read() {
        let key = DecryptionKey::generate(EncryptionKeyType::P256).unwrap();
        let (public, private) = (key.public_jwk().to_json(), key.to_jwk().unwrap().to_string());
        let read = |value: Value| serde_json::from_value::<TokenEncryption>(value);
        let good = read(json!({"alg": "ECDH-ES+A256KW", "key": public})).unwrap();
        assert_eq!(good.enc, ContentEncryptionAlgorithm::A128CbcHs256);
        assert_eq!(read(serde_json::to_value(&good).unwrap()).unwrap(), good);
        for wrong in [
            json!({"alg": "ECDH-ES"}),
            json!({"key": public}),
            json!({"alg": "RSA-OAEP", "key": public}),
            json!({"alg": "dir", "key": public}),
            json!({"alg": "RSA1_5", "key": public}),
            json!({"alg": "ECDH-ES", "enc": "A128CBC", "key": public}),
            json!({"alg": "ECDH-ES", "key": private}),
            json!({"alg": "ECDH-ES", "key": public.replace("enc", "sig")}),
            json!({"alg": "ECDH-ES", "key": r#"{"kty":"oct","k":"AAAA"}"#}),
            json!({"alg": "ECDH-ES", "key": "x"}),
            json!({"alg": "ECDH-ES", "key": public, "kid": "x"}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
