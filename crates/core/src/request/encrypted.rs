//! RFC 9101 section 6.1 and OIDC Core section 6.3.1: request objects that are encrypted.
//!
//! Anybody can encrypt for our key, and anybody who has seen an encrypted object can send it, or change it, and look
//! at the answer. So whatever is wrong up to the signature inside is one reason, and told to nobody in more detail
//! (RFC 7516 section 11.5).

use chancery_jose::{CompactJwe, Error, unsecured};

use super::object::{ENCRYPTION_WRONG, MALFORMED, unverified};
use crate::client::decrypting_shared_keys;
use crate::context::{Call, Env};
use crate::error::{Failure, Reason};
use crate::keys::KeySet;
use crate::model::Client;
use crate::model::client::Encryption;

reasons! {
    /// The request object is encrypted, and does not decrypt (because it was made for a key that was retired, for
    /// instance), or it is not a JWT inside that the client has signed. Which of it is told to nobody, because the
    /// answer would help to read the request objects of others.
    pub(super) UNOPENED = unverified("request_object_not_opened", "RFC 9101 section 6.1");
}

/// What is inside of an encrypted request object: a JWT. Claims that were encrypted without being signed (OIDC Core
/// section 6.1) are those of an unsecured one.
pub(super) async fn decrypted(
    call: &Call,
    env: &Env,
    keys: &KeySet,
    client: &Client,
    jwe: CompactJwe<'_>,
) -> Result<String, Failure> {
    let (alg, enc) = (jwe.header().alg, jwe.header().enc);
    let decrypted = if alg.is_symmetric() {
        let random = |buffer: &mut [u8]| env.random.fill(buffer);
        let shared = decrypting_shared_keys(client, Encryption { alg, enc }, keys, call.now)?;
        shared.iter().find_map(|key| jwe.decrypt_with_shared(key, &random).ok())
    } else {
        keys.decrypt(env, call.now, jwe).await?.ok()
    };
    match decrypted.and_then(|decrypted| decrypted.into_text()) {
        Some(claims) if claims.starts_with('{') => Ok(unsecured(claims.as_bytes())),
        Some(jwt) => Ok(jwt),
        None => UNOPENED.refused(),
    }
}

/// Reads an encrypted request object. Nothing here depends on a key.
pub(super) fn read(text: &str) -> Result<CompactJwe<'_>, &'static Reason> {
    CompactJwe::parse(text).map_err(|error| match error {
        Error::UnknownAlgorithm | Error::Compressed => &ENCRYPTION_WRONG,
        _ => &MALFORMED,
    })
}
