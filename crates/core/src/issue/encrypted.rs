//! OpenID Connect Core 1.0 sections 10.2 and 16.14, JARM section 2.2: what is signed for a client is then encrypted for it.
//! Config     none
//! Discovery  id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported

use chancery_jose::{
    ClaimsWriter, ContentEncryptionAlgorithm, EncryptionKey, JweWriter, KeyManagementAlgorithm, Recipient,
    SharedKey,
};
use chancery_types::iana::ErrorCode;

use super::TokenIssuer;
use super::id_token::SECRET_ENDED;
use crate::client::{encryption_key, shared_key};
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, Reason};
use crate::model::Client;
use crate::model::client::Encryption;

reasons! {
    /// None of the client's keys is for encryption by the algorithm that it has registered, so nothing can be
    /// sent to it that it would understand.
    pub ENCRYPTION_KEY_MISSING = Reason {
        name: "encryption_key_missing",
        code: ErrorCode::InvalidClient,
        description: "no key of this client is for the encryption that it has registered",
        section: "OIDC Core section 10.2",
    };
}

/// What something is encrypted with for a client.
pub(super) enum KeyOfClient {
    /// Derived from its secret.
    Shared(SharedKey),
    /// A public key of its own.
    Public(EncryptionKey),
}

impl TokenIssuer {
    /// Encrypts what was signed for this client, if it has registered for that: for a public key of its own,
    /// or with a key that is derived from its secret.
    pub(crate) async fn encrypt_for(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        encryption: Option<Encryption>,
        jwt: String,
    ) -> Result<String, Failure> {
        let Some(encryption) = encryption else { return Ok(jwt) };
        let writer = JweWriter {
            cty: Some("JWT"),
            iss: Some(env.issuer.as_str()),
            aud: Some(client.id().as_str()),
            ..JweWriter::new(encryption.alg, encryption.enc)
        };
        let key = self.key_for(call, env, client, encryption).await?;
        let recipient = match &key {
            KeyOfClient::Shared(key) => Recipient::Shared(key),
            KeyOfClient::Public(key) => Recipient::Public(key),
        };
        let jwe = writer.encrypt(recipient, jwt.as_bytes(), &|buffer| env.random.fill(buffer));
        Ok(jwe.map_err(|error| Fault::internal(format!("encryption for {}: {error}", client.id())))?)
    }

    /// The key by which something is encrypted for this client now.
    pub(super) async fn key_for(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        encryption: Encryption,
    ) -> Result<KeyOfClient, Failure> {
        if encryption.alg.is_symmetric() {
            let key = shared_key(client, encryption, &self.keys, call.now)?;
            return key.map_or_else(|| SECRET_ENDED.refused(), |key| Ok(KeyOfClient::Shared(key)));
        }
        let key = encryption_key(call, env, client, encryption.alg).await?;
        key.map_or_else(|| ENCRYPTION_KEY_MISSING.refused(), |key| Ok(KeyOfClient::Public(key)))
    }
}

/// The members of the metadata that list how this response can be encrypted.
pub(crate) fn announce_encryption(metadata: &mut ClaimsWriter, [alg, enc]: [&'static str; 2]) {
    metadata
        .strings(alg, KeyManagementAlgorithm::ALL.iter().map(|alg| alg.name()))
        .strings(enc, ContentEncryptionAlgorithm::ALL.iter().map(|enc| enc.name()));
}
