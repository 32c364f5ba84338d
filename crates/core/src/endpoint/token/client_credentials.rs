//! RFC 6749 section 4.4, the client credentials grant.
//! Config     none
//! Discovery  none

use chancery_types::iana::ErrorCode;
use chancery_types::{Params, ResourceUri};

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

/// What the client may do on its own behalf.
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
    let has_scope = asked.scope.is_some();
    let asked = rule.asked_of_no_person(asked.scope, client, resource.as_slice())?;
    env.record_ignored(call, client, &asked.unknown, &asked.withheld);
    // RFC 6749 section 5.1: the answer has to say which scope was granted, and it cannot say "none" (section 3.3).
    if has_scope && asked.known.is_empty() {
        return asked.why_nothing().refused();
    }
    let scopes = asked.known;
    Ok(Entitlement::of_client(client, Target { resource, scopes, details: Vec::new(), is_named }))
}
