//! RFC 8628 sections 3.4 and 3.5: the device polls for what its person has decided (`endpoint/awaited.rs`).
//! Config     `[device_authorization]`
//! Discovery  none

use chancery_types::handle::{DeviceCode, Handle};
use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{Params, ResourceUri};

use crate::endpoint::Requester;
use crate::endpoint::awaited::{self, Waits};
use crate::endpoint::token::invalid_grant;
use crate::error::{Failure, Reason, Refusal};
use crate::model::Entitlement;
use crate::records::DeviceCodeBody;

reasons! {
    /// The token request has no `device_code` parameter.
    pub DEVICE_CODE_MISSING = Reason {
        name: "device_code_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter device_code",
        section: "RFC 8628 section 3.4",
    };
    /// The device code does not exist, or its grant has ended.
    pub DEVICE_CODE_UNKNOWN = invalid_grant("device_code_unknown");
    /// The device code belongs to another client.
    pub DEVICE_CODE_FOREIGN = invalid_grant("device_code_foreign");
    /// The device code was exchanged before. Its grant is revoked, because one of the two that sent it may
    /// have stolen it.
    pub DEVICE_CODE_USED = invalid_grant("device_code_used");
    /// Nobody has decided in time.
    pub DEVICE_CODE_EXPIRED = Reason {
        name: "device_code_expired",
        code: ErrorCode::ExpiredToken,
        description: "the device code has expired",
        section: "RFC 8628 section 3.5",
    };
}

impl Waits for DeviceCodeBody {
    const GRANT_TYPE: GrantType = GrantType::DeviceCode;
    const UNKNOWN: &'static Reason = &DEVICE_CODE_UNKNOWN;
    const FOREIGN: &'static Reason = &DEVICE_CODE_FOREIGN;
    const USED: &'static Reason = &DEVICE_CODE_USED;
    const EXPIRED: &'static Reason = &DEVICE_CODE_EXPIRED;
}

/// The parameters of the grant type.
pub(in crate::endpoint) struct Request<'p> {
    device_code: &'p str,
}

impl<'p> Request<'p> {
    pub(in crate::endpoint) fn read(params: &'p Params<'_>) -> Result<Self, Refusal> {
        Ok(Self { device_code: params.one("device_code")?.ok_or(&DEVICE_CODE_MISSING)? })
    }
}

/// What the person's decision entitles this client to.
pub(in crate::endpoint) async fn entitle(
    caller: Requester<'_>,
    asked: &Request<'_>,
    resource: Option<&ResourceUri>,
) -> Result<Entitlement, Failure> {
    let handle = Handle::<DeviceCode>::parse(asked.device_code).map_err(|_| &DEVICE_CODE_UNKNOWN)?;
    awaited::entitle::<DeviceCodeBody>(caller, handle.key(&caller.env.realm), resource).await
}
