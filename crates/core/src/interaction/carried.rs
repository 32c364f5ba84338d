//! What a form or a record carries of a request. A request that its client has encrypted (RFC 9101 section 6.1) is
//! sealed, so that the page does not show what the link did not.

use chancery_types::Params;

use super::form_token::{FORM_FOREIGN, open, seal};
use crate::context::Env;
use crate::error::{Fault, Refusal};
use crate::keys::KeySet;
use crate::model::{Carried, Carrier};
use crate::request::Addressed;

/// The one parameter of a sealed request. No request has one of this name: it means nothing there.
const SEALED: &str = "sealed";

/// The kind of what is sealed.
const KIND: &str = "request";

/// What a form or a record carries for this request.
///
/// # Errors
/// A fault of the cryptographic library.
pub(super) fn carrier(env: &Env, keys: &KeySet, request: &Addressed<'_>) -> Result<Carrier, Fault> {
    let plain = request.carrier();
    if !request.is_confidential {
        return Ok(plain);
    }
    let sealed = seal(env, keys, KIND, &plain)?;
    Ok(Carrier::of(&std::iter::once((SEALED.to_owned(), sealed)).collect()))
}

/// The request that a form or a record has carried.
///
/// # Errors
/// The reason to refuse what is none, or was sealed by somebody else.
pub(super) fn read<'t>(env: &Env, keys: &KeySet, carrier: &'t str) -> Result<Carried<'t>, Refusal> {
    let params = Params::parse(carrier)?;
    let Some(sealed) = params.one(SEALED)? else { return Ok(Carried { params, is_confidential: false }) };
    let plain: Carrier = open(env, keys, KIND, sealed).ok_or(&FORM_FOREIGN)?;
    Ok(Carried { params: plain.params()?.into_owned(), is_confidential: true })
}
