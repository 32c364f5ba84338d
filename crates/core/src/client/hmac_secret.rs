//! The plain secret of a client that is registered for an HMAC algorithm (OIDC Core section 10.1). It is
//! sealed under the realm's root secret, so that every node of the realm can open it and no registry can.
//!
//! The seal names the version of its root secret. Older seals stay readable, and a new secret is sealed under
//! the newest version. A root secret must not be removed while any client's secret is sealed under it.

use chancery_jose::{HmacKey, SigningAlgorithm, base64url};
use chancery_types::ClientId;
use zeroize::Zeroizing;

use crate::client::RegistrationRules;
use crate::error::Fault;
use crate::keys::KeySet;
use crate::model::Client;
use crate::model::client::HmacSecret;

/// Seals a secret for the client with this id.
pub(super) fn seal(
    secret: &Zeroizing<String>,
    client: &ClientId,
    nonce: [u8; 12],
    rules: &RegistrationRules<'_>,
) -> Result<HmacSecret, Fault> {
    let Some(keys) = rules.keys else { return Ok(HmacSecret::InMemory(secret.clone())) };
    let root = keys.newest();
    let sealed = root.client_secret.seal(nonce, &sealed_for(keys, client), secret.as_bytes());
    let sealed = sealed.map_err(|error| Fault::internal(error.to_string()))?;
    Ok(HmacSecret::Sealed { root_secret: root.version, sealed: base64url::encode(sealed).into() })
}

/// The HMAC key for this client: its newest secret.
///
/// # Errors
/// A fault if the client has no such secret, or if it was sealed under a root secret that has been removed or
/// for another client.
pub(crate) fn hmac_key(client: &Client, alg: SigningAlgorithm, keys: &KeySet) -> Result<HmacKey, Fault> {
    let broken = |what: &str| Fault::internal(format!("the secret of client {}: {what}", client.id()));
    let newest = client.secrets().last().and_then(|secret| secret.hmac.as_ref());
    let secret = match newest.ok_or_else(|| broken("it is not there, although an HMAC needs it"))? {
        HmacSecret::InMemory(secret) => Zeroizing::new(secret.as_bytes().to_vec()),
        HmacSecret::Sealed { root_secret, sealed } => {
            let root = keys.derived(*root_secret).ok_or_else(|| broken("its root secret was forgotten"))?;
            let sealed = base64url::decode(sealed).map_err(|error| broken(&error.to_string()))?;
            let opened = root.client_secret.open(&sealed_for(keys, client.id()), &sealed);
            opened.ok_or_else(|| broken("it was sealed in another realm or for another client"))?
        }
    };
    HmacKey::new(alg, &secret).map_err(|error| broken(&error.to_string()))
}

/// The associated data that binds a seal to its realm and client, so that it cannot be moved to another.
fn sealed_for(keys: &KeySet, client: &ClientId) -> Vec<u8> {
    [keys.realm().as_str().as_bytes(), &[0], client.as_str().as_bytes()].concat()
}
