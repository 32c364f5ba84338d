//! The plain secret of a client that is registered for an HMAC algorithm (OIDC Core section 10.1) or for
//! symmetric encryption (section 10.2). It is sealed under the realm's root secret, so that every node of the
//! realm can open it and no registry can.
//!
//! The seal names the version of its root secret. Older seals stay readable, and a new secret is sealed under
//! the newest version. A root secret must not be removed while any client's secret is sealed under it.

use chancery_jose::{HmacKey, SharedKey, SigningAlgorithm, base64url};
use chancery_types::{ClientId, Timestamp};
use zeroize::Zeroizing;

use crate::client::RegistrationRules;
use crate::error::Fault;
use crate::keys::KeySet;
use crate::model::Client;
use crate::model::client::{ClientSecret, Encryption, HmacSecret};

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

/// The key that signs for this client now: the oldest of its secrets that have not expired; `None` if all
/// have. While one secret replaces another, the client certainly has the older one, but perhaps not the newer
/// one yet. Once the older one has expired, the client must have the newer one.
///
/// # Errors
/// A fault if the secret is missing, or if it was sealed under a root secret that has been removed or for
/// another client.
pub(crate) fn signing_hmac_key(
    client: &Client,
    alg: SigningAlgorithm,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Option<HmacKey>, Fault> {
    let oldest = client.secrets().iter().find(|secret| secret.is_good(now));
    oldest.map(|secret| hmac_key(client, secret, alg, keys)).transpose()
}

/// The key by which something is encrypted for this client now, derived from the secret that would sign for
/// it; `None` if all have expired.
///
/// # Errors
/// As [`signing_hmac_key`], and for an asymmetric algorithm.
pub(crate) fn shared_key(
    client: &Client,
    encryption: Encryption,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Option<SharedKey>, Fault> {
    let Some(secret) = client.secrets().iter().find(|secret| secret.is_good(now)) else { return Ok(None) };
    let secret = opened(client, secret, keys)?;
    let key = SharedKey::from_client_secret(encryption.alg, encryption.enc, &secret);
    key.map(Some).map_err(|error| broken(client, &error.to_string()))
}

/// The keys by which the client may encrypt something for this server now, each derived from one of its secrets
/// that have not expired.
///
/// # Errors
/// As [`shared_key`].
pub(crate) fn decrypting_shared_keys(
    client: &Client,
    Encryption { alg, enc }: Encryption,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Vec<SharedKey>, Fault> {
    let good = client.secrets().iter().filter(|secret| secret.is_good(now));
    let derived = |secret| {
        let key = SharedKey::from_client_secret(alg, enc, &opened(client, secret, keys)?);
        key.map_err(|error| broken(client, &error.to_string()))
    };
    good.map(derived).collect()
}

/// The keys that the client may sign its assertions with now: its secrets that have not expired. Whichever is
/// too short for the algorithm is none.
///
/// # Errors
/// As [`signing_hmac_key`].
pub(crate) fn authenticating_hmac_keys(
    client: &Client,
    alg: SigningAlgorithm,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Vec<HmacKey>, Fault> {
    let mut good = Vec::new();
    for secret in client.secrets().iter().filter(|secret| secret.is_good(now)) {
        good.extend(HmacKey::new(alg, &opened(client, secret, keys)?).ok());
    }
    Ok(good)
}

/// The keys that may have signed something for this client earlier: all its secrets, including expired ones.
/// Such a signature proves a past login, which counts for as long as the session can live (OIDC Core section
/// 3.1.2.1, `id_token_hint`). An expired secret, like a retired key, no longer signs anything, and a hint
/// grants nothing.
pub(crate) fn past_hmac_keys(
    client: &Client,
    alg: SigningAlgorithm,
    keys: &KeySet,
) -> impl Iterator<Item = HmacKey> {
    client.secrets().iter().filter_map(move |secret| hmac_key(client, secret, alg, keys).ok())
}

/// The client without what was sealed with root secrets that are lost, or `None` if it has nothing of that kind. A secret of which
/// its digest is enough goes on; one that is needed itself has ended, also for authentication, until the client gets
/// another one.
#[must_use]
pub fn without_sealed_secrets(client: &Client, now: Timestamp) -> Option<Client> {
    if !client.secrets().iter().any(|secret| secret.hmac.is_some()) {
        return None;
    }
    let mut body = client.body().clone();
    let is_needed_itself = body.metadata.needs_secret_itself();
    for secret in &mut body.secrets {
        if secret.hmac.take().is_some() && is_needed_itself {
            secret.ends = Some(secret.ends.map_or(now, |ends| ends.min(now)));
        }
    }
    Some(Client::new(body).seen_at(client.revision()))
}

fn hmac_key(
    client: &Client,
    secret: &ClientSecret,
    alg: SigningAlgorithm,
    keys: &KeySet,
) -> Result<HmacKey, Fault> {
    let secret = opened(client, secret, keys)?;
    HmacKey::new(alg, &secret).map_err(|error| broken(client, &error.to_string()))
}

/// The secret itself.
fn opened(client: &Client, secret: &ClientSecret, keys: &KeySet) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let broken = |what: &str| broken(client, what);
    match secret
        .hmac
        .as_ref()
        .ok_or_else(|| broken("it is not there, although an HMAC or encryption needs it"))?
    {
        HmacSecret::InMemory(secret) => Ok(Zeroizing::new(secret.as_bytes().to_vec())),
        HmacSecret::Sealed { root_secret, sealed } => {
            let root = keys.derived(*root_secret).ok_or_else(|| broken("its root secret was forgotten"))?;
            let sealed = base64url::decode(sealed).map_err(|error| broken(&error.to_string()))?;
            let opened = root.client_secret.open(&sealed_for(keys, client.id()), &sealed);
            opened.ok_or_else(|| broken("it was sealed in another realm or for another client"))
        }
    }
}

fn broken(client: &Client, what: &str) -> Fault {
    Fault::internal(format!("the secret of client {}: {what}", client.id()))
}

/// The associated data that binds a seal to its realm and client, so that it cannot be moved to another.
fn sealed_for(keys: &KeySet, client: &ClientId) -> Vec<u8> {
    [keys.realm().as_str().as_bytes(), &[0], client.as_str().as_bytes()].concat()
}
