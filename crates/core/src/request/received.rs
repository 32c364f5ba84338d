//! RFC 6749 section 4.1.1 and OIDC Core section 3.1.2.1: the parameters of an authorization request.

use std::sync::Arc;

use chancery_types::{Params, Timestamp};

use super::addressed::FORM_WITHOUT_ACTION;
use super::page_error::PageError;
use super::pushed::Pushed;
use super::resolver::Resolver;
use crate::context::{Call, Env};
use crate::error::{Complaint, Reason};
use crate::model::{Carried, Client, OwnParameters, Source};
use crate::policy::DynAuthorizationPolicy;

/// The parameters that a standard names and that mean something here.
const RECOGNISED: &[&str] = &[
    "acr_values",
    "authorization_details",
    "claims",
    "claims_locales",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "display",
    "dpop_jkt",
    "id_token_hint",
    "login_hint",
    "max_age",
    "nonce",
    "prompt",
    "redirect_uri",
    "registration",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "ui_locales",
    "web_message_uri",
];

/// The claims of a request object that say something about itself (RFC 9101 section 10.8), and the credentials
/// of a client, which no browser carries.
const NEVER: &[&str] = &[
    "aud",
    "client_assertion",
    "client_assertion_type",
    "client_secret",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "sub",
];

/// The parameters that mean something here: those of the standards and the application's own. All others are
/// ignored (RFC 6749 section 3.1), also when sent twice.
pub struct Recognised {
    own: Vec<Box<str>>,
}

impl Recognised {
    /// With the parameters of this policy.
    #[must_use]
    pub fn new(policy: &dyn DynAuthorizationPolicy) -> Self {
        let own = policy.parameters().iter().filter(|name| is_free(name)).map(|name| Box::from(*name));
        Self { own: own.collect() }
    }

    /// What is wrong with the names of a policy's own parameters.
    pub(crate) fn complaints(policy: &dyn DynAuthorizationPolicy) -> Vec<Complaint> {
        let refused = policy.parameters().iter().filter(|name| !is_free(name));
        refused
            .map(|name| {
                let rule = format!("`{name}` is not a name that an application can give a meaning to");
                Complaint::new("AuthorizationPolicy::parameters", rule, "RFC 6749 section 8.2")
            })
            .collect()
    }

    /// Whether a parameter means something here.
    pub(super) fn has(&self, name: &str) -> bool {
        RECOGNISED.contains(&name) || self.own.iter().any(|own| **own == *name)
    }

    /// Whether these are the fields of one of our pages, which has sent its form to the wrong address: no request has a `token`.
    fn is_form(&self, params: &Params<'_>) -> bool {
        params.has("token") && !params.has("client_id") && !self.has("token")
    }

    /// The application's own parameters among these.
    pub(super) fn own(&self, params: &Params<'_>) -> OwnParameters {
        let is_own = |name: &str| self.own.iter().any(|own| **own == *name);
        params.iter().filter(|(name, value)| is_own(name) && !value.is_empty()).collect()
    }
}

/// Whether an application can give a meaning to this name (RFC 6749 section 8.2: `param-name`).
fn is_free(name: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !name.is_empty() && name.bytes().all(is_name) && !RECOGNISED.contains(&name) && !NEVER.contains(&name)
}

/// An authorization request as it came.
pub struct Received<'a> {
    params: Params<'a>,
    from: From,
}

/// Where a request comes from.
enum From {
    /// A browser has brought it, for the first time.
    Browser,
    /// The client has pushed it (RFC 9126).
    Client(Arc<Client>),
    /// We have read it before, and a form or a record has carried it since.
    Ourselves {
        /// Who vouched for it then.
        source: Source,
        /// Whether no page may show it.
        is_confidential: bool,
    },
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
    /// When its request object ends, if it was a new one that ends.
    pub(crate) ends: Option<Timestamp>,
    /// The pushed request that it refers to.
    pub(super) pushed: Option<Pushed>,
}

impl<'a> Resolved<'a> {
    /// These parameters alone.
    pub(super) fn plain(params: Params<'a>, source: Source) -> Self {
        Self { params, source, is_confidential: false, client: None, refused: None, ends: None, pushed: None }
    }
}

impl<'a> Received<'a> {
    /// Seen for the first time.
    #[must_use]
    pub fn new(params: Params<'a>) -> Self {
        Self { params, from: From::Browser }
    }

    /// Pushed by this client, which has been authenticated as far as it can be (RFC 9126 section 2.1).
    #[must_use]
    pub fn pushed(params: Params<'a>, client: Arc<Client>) -> Self {
        Self { params, from: From::Client(client) }
    }

    /// Read again from where it was stored or from the form of its first page, with who vouched for it then. Its
    /// request object was opened when it was new, and is not judged again: it may have expired while the person
    /// was reading.
    #[must_use]
    pub fn again(Carried { params, is_confidential }: Carried<'a>, source: Source) -> Self {
        Self { params, from: From::Ourselves { source, is_confidential } }
    }

    /// Opens the request object of a new request (RFC 9101 section 6), or finds the pushed request that is meant (RFC
    /// 9126 section 4), and keeps of the parameters those that are recognised.
    ///
    /// # Errors
    /// A page for the person: nothing is known yet to which an error could be sent.
    pub async fn resolve(self, call: &Call, env: &Env, by: &Resolver) -> Result<Resolved<'a>, PageError> {
        let Self { params, from } = self;
        if matches!(from, From::Browser) && by.recognised().is_form(&params) {
            return Err((&FORM_WITHOUT_ACTION).into());
        }
        let params = params.filtered(|name| by.recognised().has(name));
        match from {
            From::Browser => by.open(call, env, params).await,
            From::Client(client) => by.open_pushed(call, env, client, params).await,
            From::Ourselves { source, is_confidential } => {
                by.open_again(call, env, Resolved { is_confidential, ..Resolved::plain(params, source) })
                    .await
            }
        }
    }
}
