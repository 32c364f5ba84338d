//! RFC 6749 section 4.4, the client credentials grant.
//! Config     none
//! Discovery  none

use chancery_types::iana::ErrorCode;
use chancery_types::{Params, ResourceUri, Scope};

use super::Requester;
use crate::error::{Failure, Reason, Refusal};
use crate::model::{Entitlement, Target};
use crate::rule::scope::ScopeRule;

reasons! {
    /// The client is public, so it has no credentials to authenticate with (RFC 6749 section 4.4).
    pub CLIENT_IS_PUBLIC = Reason {
        name: "client_credentials_of_a_public_client",
        code: ErrorCode::UnauthorizedClient,
        description: "requested grant type is not allowed for this client",
        section: "RFC 6749 section 4.4",
    };
}

/// The parameters of the grant type.
pub(super) struct Request<'p> {
    scope: Option<&'p str>,
}

impl<'p> Request<'p> {
    pub(super) fn read(params: &'p Params<'_>) -> Result<Self, Refusal> {
        Ok(Self { scope: params.one("scope")? })
    }
}

/// What the client may do on its own behalf. `openid` and `offline_access` are about a person, and there is
/// none.
pub(super) async fn entitle(
    caller: Requester<'_>,
    asked: &Request<'_>,
    resource: Option<&ResourceUri>,
    rule: &ScopeRule,
) -> Result<Entitlement, Failure> {
    let Requester { call, env, client } = caller;
    if client.is_public() {
        return CLIENT_IS_PUBLIC.refused();
    }
    let (is_named, resource) = (resource.is_some(), caller.resource(resource, false).await?);
    let asked = rule.asked(asked.scope, client, resource.as_slice())?;
    env.record_ignored(call, client, &asked.unknown);
    let scopes =
        asked.known.filtered(|scope| !matches!(scope.as_str(), Scope::OPENID | Scope::OFFLINE_ACCESS));
    Ok(Entitlement::of_client(client, Target { resource, scopes, details: Vec::new(), is_named }))
}
