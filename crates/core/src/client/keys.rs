//! The public keys of a client: those that it registered, or those that it publishes (RFC 7591 section 2, `jwks`
//! and `jwks_uri`). Whatever a client signs is verified here, and what is encrypted for a client is encrypted
//! for one of these keys.

use std::sync::Arc;

use chancery_jose::{Compact, EncryptionKey, Error, KeyManagementAlgorithm, Verified};
use chancery_types::iana::ErrorCode;

use crate::context::{Call, Env};
use crate::error::Reason;
use crate::event::Event;
use crate::model::Client;
use crate::model::client::PublicKeys;
use crate::published_keys::Address;

reasons! {
    /// The keys of the client cannot be fetched from its `jwks_uri`, and there are none that were fetched
    /// during the last day. The event `client_keys_unavailable` has the cause.
    UNAVAILABLE = Reason {
        name: "client_keys_unavailable",
        code: ErrorCode::InvalidClient,
        description: "client authentication failed",
        section: "RFC 7591 section 2",
    };
    /// Something has to be encrypted for the client, and its keys cannot be fetched from its `jwks_uri`, nor were any
    /// during the last day. The event `client_keys_unavailable` has the cause.
    ENCRYPTION_KEYS_UNAVAILABLE = Reason {
        name: "encryption_keys_unavailable",
        code: ErrorCode::InvalidClient,
        description: "the keys of this client, for which the response is encrypted, cannot be fetched",
        section: "OIDC Core section 10.2",
    };
}

/// The client's keys as of now.
///
/// # Errors
/// [`UNAVAILABLE`].
pub(crate) async fn current(
    call: &Call,
    env: &Env,
    client: &Client,
) -> Result<Option<Arc<PublicKeys>>, &'static Reason> {
    let metadata = client.metadata();
    match (&metadata.jwks, &metadata.jwks_uri) {
        (Some(jwks), _) => Ok(Some(Arc::clone(jwks.keys()))),
        (None, Some(url)) => published(call, env, client, url, None).await.ok_or(&UNAVAILABLE).map(Some),
        (None, None) => Ok(None),
    }
}

/// Whether the client's keys fit. If none of those that it publishes does, it may have published another one since,
/// so they are fetched again (OIDC Core section 10.1.1).
///
/// # Errors
/// [`UNAVAILABLE`].
pub(crate) async fn any(
    call: &Call,
    env: &Env,
    client: &Client,
    fits: impl Fn(&PublicKeys) -> bool,
) -> Result<bool, &'static Reason> {
    let Some(keys) = current(call, env, client).await? else { return Ok(false) };
    let (Some(url), false) = (client.metadata().jwks_uri.as_deref(), fits(&keys)) else {
        return Ok(fits(&keys));
    };
    Ok(published(call, env, client, url, Some(&keys)).await.is_some_and(|newer| fits(&newer)))
}

/// Verifies what the client has signed. If none of the keys that it publishes fits, it may have published
/// another one since, so they are fetched again (OIDC Core section 10.1.1).
///
/// # Errors
/// Outside: [`UNAVAILABLE`]. Inside: why it does not verify.
pub(crate) async fn verify(
    call: &Call,
    env: &Env,
    client: &Client,
    compact: &Compact<'_>,
) -> Result<Result<Verified, Error>, &'static Reason> {
    let Some(keys) = current(call, env, client).await? else { return Ok(Err(Error::KeyNotForAlgorithm)) };
    let verified = keys.verify(compact);
    let Some(url) = client.metadata().jwks_uri.as_deref().filter(|_| verified.is_err()) else {
        return Ok(verified);
    };
    match published(call, env, client, url, Some(&keys)).await {
        Some(newer) if !Arc::ptr_eq(&newer, &keys) => Ok(newer.verify(compact)),
        _ => Ok(verified),
    }
}

async fn published(
    call: &Call,
    env: &Env,
    client: &Client,
    url: &str,
    unhelpful: Option<&Arc<PublicKeys>>,
) -> Option<Arc<PublicKeys>> {
    let address = Address { url: url.into(), is_of_stranger: client.is_dynamic() };
    let of = (Some(client.id()), &address);
    let looked = env.published_keys.look(call.now, &*env.fetch, of, unhelpful).await;
    if let Some(fault) = looked.failed {
        env.record(call, &Event::ClientKeysUnavailable { client: client.id().clone(), fault });
    }
    looked.keys
}

/// The key for which something is encrypted by this algorithm for the client: the first of its keys that
/// fits. If none of those that it publishes does, they are fetched again; `None` if none does then.
///
/// # Errors
/// [`ENCRYPTION_KEYS_UNAVAILABLE`].
pub(crate) async fn encryption_key(
    call: &Call,
    env: &Env,
    client: &Client,
    alg: KeyManagementAlgorithm,
) -> Result<Option<EncryptionKey>, &'static Reason> {
    let fitting = |keys: &PublicKeys| keys.set().encryption_keys(alg).next().cloned();
    let keys = current(call, env, client).await.map_err(|_| &ENCRYPTION_KEYS_UNAVAILABLE)?;
    let Some(keys) = keys else { return Ok(None) };
    let (Some(url), None) = (client.metadata().jwks_uri.as_deref(), fitting(&keys)) else {
        return Ok(fitting(&keys));
    };
    Ok(published(call, env, client, url, Some(&keys)).await.and_then(|newer| fitting(&newer)))
}
