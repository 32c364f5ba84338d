//! RFC 6749 section 4.1.1 and OIDC Core section 3.1.2.1: the parameters of an authorization request.

use chancery_types::Params;

/// The parameters that mean something here; all others are ignored (RFC 6749 section 3.1), also when sent twice.
/// `registration`, `request` and `request_uri` are known so that they can be refused by name.
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
pub struct Received<'a>(pub Params<'a>);

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
}

impl<'a> Received<'a> {
    /// Keeps what is recognised. Request objects and pushed requests would be opened here.
    #[must_use]
    pub fn resolve(self) -> Resolved<'a> {
        Resolved { params: self.0.filtered(|name| RECOGNISED.contains(&name)) }
    }
}
