//! What a client has signed is verified here, with the keys that it registered (RFC 7591 section 2, `jwks`):
//! assertions (RFC 7523) and whatever else it signs.

use chancery_jose::{Compact, Error, Verified};

use crate::context::{Call, Env};
use crate::error::Failure;
use crate::model::Client;

/// Verifies the signature of a client.
///
/// # Errors
/// Outside: a refusal if its keys cannot be had. Inside: why it does not verify.
pub(crate) async fn verify(
    _call: &Call,
    _env: &Env,
    client: &Client,
    compact: &Compact<'_>,
) -> Result<Result<Verified, Error>, Failure> {
    Ok(match &client.metadata().jwks {
        Some(jwks) => jwks.keys().verify(compact),
        None => Err(Error::KeyNotForAlgorithm),
    })
}
