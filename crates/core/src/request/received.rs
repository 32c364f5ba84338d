//! RFC 6749 section 4.1.1 and OIDC Core section 3.1.2.1: the parameters of an authorization request.

use std::sync::Arc;

use chancery_types::Params;

use super::resolver::Resolver;
use crate::context::{Call, Env};
use crate::error::{PageError, Reason};
use crate::model::{Carried, Client, Source};

/// The parameters that mean something here; all others are ignored (RFC 6749 section 3.1), also when sent
/// twice.
const RECOGNISED: &[&str] = &[
    "acr_values",
    "claims",
    "claims_locales",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "display",
    "id_token_hint",
    "login_hint",
    "max_age",
    "nonce",
    "prompt",
    "redirect_uri",
    "registration",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "ui_locales",
    "web_message_uri",
];

/// Whether a parameter means something here.
pub(super) fn is_recognised(name: &str) -> bool {
    RECOGNISED.contains(&name)
}

/// An authorization request as it came.
pub struct Received<'a> {
    params: Params<'a>,
    /// Who vouches for a request that was read before, and whether it is confidential; `None` for a new one.
    before: Option<(Source, bool)>,
}

/// The parameters that count, and no others. Nothing is known about them yet, except what their request object
/// has shown.
///
/// Before the redirect URI is known there is no way to answer a client:
///
/// ```
/// # use chancery_core::{context::Env, error::Refusal, request::Addressed};
/// fn later(addressed: &Addressed<'_>, env: &Env, why: &Refusal) { addressed.refuse(env, why); }
/// ```
/// ```compile_fail,E0599
/// # use chancery_core::{context::Env, error::Refusal, request::Resolved};
/// fn too_early(resolved: &Resolved<'_>, env: &Env, why: &Refusal) { resolved.refuse(env, why); }
/// ```
pub struct Resolved<'a> {
    pub(super) params: Params<'a>,
    pub(super) source: Source,
    /// Whether its client has encrypted it, so that no page may show it.
    pub(super) is_confidential: bool,
    /// The client, if a request object had to be verified.
    pub(super) client: Option<Arc<Client>>,
    /// Why the request object does not count. Then these are the parameters that stand outside of it.
    pub(super) refused: Option<&'static Reason>,
}

impl<'a> Received<'a> {
    /// Seen for the first time.
    #[must_use]
    pub fn new(params: Params<'a>) -> Self {
        Self { params, before: None }
    }

    /// Read again from where it was stored or from the form of its first page, with who vouched for it then. Its
    /// request object was opened when it was new, and is not judged again: it may have expired while the person
    /// was reading.
    #[must_use]
    pub fn again(Carried { params, is_confidential }: Carried<'a>, source: Source) -> Self {
        Self { params, before: Some((source, is_confidential)) }
    }

    /// Opens the request object of a new request (RFC 9101 section 6), and keeps of the parameters those that are
    /// recognised.
    ///
    /// # Errors
    /// A page for the person: nothing is known yet to which an error could be sent.
    pub async fn resolve(self, call: &Call, env: &Env, by: &Resolver) -> Result<Resolved<'a>, PageError> {
        let Self { params, before } = self;
        let params = params.filtered(is_recognised);
        match before {
            Some((source, is_confidential)) => {
                Ok(Resolved { params, source, is_confidential, client: None, refused: None })
            }
            None => by.open(call, env, params).await,
        }
    }
}
