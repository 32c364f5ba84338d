//! RFC 8628 section 3.1: a request without a redirect URI. No browser carries its answer; the client polls
//! for it.

use chancery_types::Params;
use chancery_types::iana::ErrorCode;

use super::asked::asked;
use super::validated::UNSIGNED;
use crate::client::meets;
use crate::context::Env;
use crate::error::{Failure, Reason, Refusal};
use crate::model::{Client, Source};
use crate::request::{Asked, Door, Resolved, Rules};
use crate::rule::resource::Requested;

reasons! {
    /// The request has `authorization_details`, and this provider has no type of them.
    pub AUTHORIZATION_DETAILS_UNSUPPORTED = Reason {
        name: "authorization_details_unsupported",
        code: ErrorCode::InvalidRequest,
        description: "authorization_details is not supported",
        section: "RFC 9396 section 5",
    };
}

/// What says how the answer gets to a redirect URI, and who may use it there.
pub(super) const OF_REDIRECTS: &[&str] = &[
    "code_challenge",
    "code_challenge_method",
    "display",
    "dpop_jkt",
    "prompt",
    "redirect_uri",
    "response_mode",
    "response_type",
    "state",
    "web_message_uri",
];

impl<'a> Resolved<'a> {
    /// The parameters that mean something without a redirect URI, and who vouches for them. The others are
    /// ignored (RFC 6749 section 3.1).
    ///
    /// # Errors
    /// Why the request object does not count.
    pub(crate) fn unaddressed(self) -> Result<(Params<'a>, Source), Refusal> {
        match self.refused {
            Some(why) => why.refused(),
            None => Ok((self.params.filtered(|name| !OF_REDIRECTS.contains(&name)), self.source)),
        }
    }
}

impl Rules {
    /// The list of checks for a request without a redirect URI.
    ///
    /// # Errors
    /// The request's first fault; a fault of the registry.
    pub(crate) async fn unaddressed(
        &self,
        env: &Env,
        client: &Client,
        (params, source): (&Params<'_>, Source),
        door: Door,
    ) -> Result<Asked, Failure> {
        meets(client, client.demands(&self.offered.floor))?;
        if !source.is_signed() && self.resolver.demands_signature(client) {
            return UNSIGNED.refused();
        }
        let resources = match Requested::read(env, client, params).await {
            Ok(requested) => Ok(requested),
            Err(Failure::Refused(why)) => Err(why),
            Err(fault @ Failure::Broken(_)) => return Err(fault),
        };
        Ok(asked(params, client, &resources, door, self)?)
    }
}
