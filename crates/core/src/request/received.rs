//! RFC 6749 section 4.1.1 and OIDC Core section 3.1.2.1: the parameters of an authorization request.

use chancery_types::Params;

use crate::context::{Call, Env};
use crate::error::PageError;
use crate::model::Source;

/// The parameters that mean something here; all others are ignored (RFC 6749 section 3.1), also when sent
/// twice. `registration`, `request` and `request_uri` are known so that they can be refused by name.
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
];

/// An authorization request as it came.
pub struct Received<'a> {
    params: Params<'a>,
    source: Source,
}

/// What opens the requests that parameters only refer to: request objects (RFC 9101) and pushed requests (RFC
/// 9126). There are none yet, so that it needs nothing.
pub struct Resolver {}

/// The parameters that count, and no others. Nothing is known about them yet.
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
}

impl<'a> Received<'a> {
    /// Seen for the first time, or carried by the form of its first page.
    #[must_use]
    pub fn new(params: Params<'a>) -> Self {
        Self { params, source: Source::Browser }
    }

    /// Read again from where it was stored, with what vouched for it then.
    #[must_use]
    pub fn again(params: Params<'a>, source: Source) -> Self {
        Self { params, source }
    }

    /// Opens what the parameters refer to, and keeps of them what is recognised.
    ///
    /// # Errors
    /// A page for the person: nothing is known yet to which an error could be sent.
    #[expect(clippy::unused_async, reason = "what a request refers to is read from the store, or fetched")]
    pub async fn resolve(self, _call: &Call, _env: &Env, _by: &Resolver) -> Result<Resolved<'a>, PageError> {
        let Self { params, source } = self;
        Ok(Resolved { params: params.filtered(|name| RECOGNISED.contains(&name)), source })
    }
}
