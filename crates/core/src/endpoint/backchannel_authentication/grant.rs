//! OpenID Connect CIBA Core 1.0 sections 10.1 and 11: the client polls for what the person has decided (`endpoint/awaited.rs`).
//! Config     `[ciba]`
//! Discovery  none

use chancery_types::handle::{AuthReqId, Handle};
use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{Params, ResourceUri};

use crate::endpoint::Requester;
use crate::endpoint::awaited::{self, Waits};
use crate::endpoint::token::invalid_grant;
use crate::error::{Failure, Reason, Refusal};
use crate::model::Entitlement;
use crate::records::BackchannelAuthenticationBody;

reasons! {
    /// The token request has no `auth_req_id` parameter.
    pub AUTH_REQ_ID_MISSING = Reason {
        name: "auth_req_id_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter auth_req_id",
        section: "CIBA Core section 10.1",
    };
    /// The `auth_req_id` does not exist, or its grant has ended.
    pub AUTH_REQ_ID_UNKNOWN = invalid_grant("auth_req_id_unknown");
    /// The `auth_req_id` was given to another client.
    pub AUTH_REQ_ID_FOREIGN = invalid_grant("auth_req_id_foreign");
    /// The `auth_req_id` was exchanged before. Its grant is revoked, because one of the two that sent it may have stolen
    /// it.
    pub AUTH_REQ_ID_USED = invalid_grant("auth_req_id_used");
    /// Nobody has decided in time.
    pub AUTH_REQ_ID_EXPIRED = Reason {
        name: "auth_req_id_expired",
        code: ErrorCode::ExpiredToken,
        description: "the auth_req_id has expired",
        section: "CIBA Core section 11",
    };
    /// The client is registered to have its tokens sent.
    pub TOKENS_ARE_PUSHED = Reason {
        name: "backchannel_tokens_are_pushed",
        code: ErrorCode::UnauthorizedClient,
        description: "the client is configured in push mode",
        section: "CIBA Core section 11",
    };
}

impl Waits for BackchannelAuthenticationBody {
    const GRANT_TYPE: GrantType = GrantType::Ciba;
    const UNKNOWN: &'static Reason = &AUTH_REQ_ID_UNKNOWN;
    const FOREIGN: &'static Reason = &AUTH_REQ_ID_FOREIGN;
    const USED: &'static Reason = &AUTH_REQ_ID_USED;
    const EXPIRED: &'static Reason = &AUTH_REQ_ID_EXPIRED;
}

/// The parameters of the grant type.
pub(in crate::endpoint) struct Request<'p> {
    auth_req_id: &'p str,
}

impl<'p> Request<'p> {
    pub(in crate::endpoint) fn read(params: &'p Params<'_>) -> Result<Self, Refusal> {
        Ok(Self { auth_req_id: params.one("auth_req_id")?.ok_or(&AUTH_REQ_ID_MISSING)? })
    }
}

/// What the person's decision entitles this client to.
pub(in crate::endpoint) async fn entitle(
    caller: Requester<'_>,
    asked: &Request<'_>,
    resource: Option<&ResourceUri>,
) -> Result<Entitlement, Failure> {
    if caller.client.metadata().ciba.is_push() {
        return TOKENS_ARE_PUSHED.refused();
    }
    let handle = Handle::<AuthReqId>::parse(asked.auth_req_id).map_err(|_| &AUTH_REQ_ID_UNKNOWN)?;
    awaited::entitle::<BackchannelAuthenticationBody>(caller, handle.key(&caller.env.realm), resource).await
}
