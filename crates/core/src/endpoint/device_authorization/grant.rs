//! RFC 8628 sections 3.4 and 3.5: the device polls for what its person has decided.
//! Config     `[device_authorization]`
//! Discovery  none

use std::time::Duration;

use chancery_types::handle::{DeviceCode, Handle};
use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{Params, ResourceUri};

use crate::context::{Call, Env};
use crate::endpoint::Requester;
use crate::endpoint::token::invalid_grant;
use crate::error::{Described, Failure, Reason, Refusal};
use crate::event::GrantEnd;
use crate::guessing::Approved;
use crate::interaction::{self, DECLINED};
use crate::issue::end_grant;
use crate::model::Entitlement;
use crate::records::{ApprovalBody, Awaited, Decision, DeviceCodeBody, Found};
use crate::{client, error, policy, request, rule};

const fn not_yet(name: &'static str, code: ErrorCode, description: &'static str) -> Reason {
    Reason { name, code, description, section: "RFC 8628 section 3.5" }
}

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
    /// The person has not decided yet.
    pub PENDING = not_yet(
        "authorization_pending",
        ErrorCode::AuthorizationPending,
        "the End-User has not decided yet",
    );
    /// The person has not decided yet, and the device has polled again before its interval was over. The
    /// interval is five seconds longer from now on.
    pub TOO_EARLY = not_yet(
        "polled_too_early",
        ErrorCode::SlowDown,
        "the End-User has not decided yet; poll less often",
    );
    /// Nobody has decided in time.
    pub DEVICE_CODE_EXPIRED =
        not_yet("device_code_expired", ErrorCode::ExpiredToken, "the device code has expired");
}

/// By how much an interval grows (section 3.5).
const STEP: Duration = Duration::from_secs(5);

/// The longest interval: whoever slows down to it learns of the decision in time.
const LONGEST: Duration = Duration::from_secs(60);

/// The parameters of the grant type.
pub(in crate::endpoint) struct Request<'p> {
    device_code: &'p str,
}

impl<'p> Request<'p> {
    pub(in crate::endpoint) fn read(params: &'p Params<'_>) -> Result<Self, Refusal> {
        Ok(Self { device_code: params.one("device_code")?.ok_or(&DEVICE_CODE_MISSING)? })
    }
}

/// What the person's decision entitles this client to. Nothing is used up here: of any number of concurrent
/// polls, the step that stores the tokens lets exactly one succeed.
pub(in crate::endpoint) async fn entitle(
    caller: Requester<'_>,
    asked: &Request<'_>,
    resource: Option<&ResourceUri>,
) -> Result<Entitlement, Failure> {
    let Requester { call, env, client } = caller;
    let handle = Handle::<DeviceCode>::parse(asked.device_code).map_err(|_| &DEVICE_CODE_UNKNOWN)?;
    let key = handle.key(&env.realm);
    if let Some(approved) = env.guessing.approvals.take(call.now, key, client) {
        return exchange(caller, approved, resource).await;
    }
    let found = env.records().get::<DeviceCodeBody>(call.now, key).await?;
    let found = found.ok_or(&DEVICE_CODE_UNKNOWN)?;
    if found.body.client != *client.id() || found.body.registration != client.registration() {
        return DEVICE_CODE_FOREIGN.refused();
    }
    let is_late = found.body.awaited.deadline <= call.now;
    if let Some(approved) = found.body.approved() {
        return match is_late {
            true => late(caller, &approved).await,
            false => exchange(caller, approved, resource).await,
        };
    }
    match &found.body.awaited.decision {
        Some(Decision::Refused { reason, .. }) => Err(refusal(reason).into()),
        _ if is_late => DEVICE_CODE_EXPIRED.refused(),
        _ => wait(call, env, &found).await,
    }
}

/// Whoever holds an approval, from wherever it was read, is entitled to what it says.
async fn exchange(
    caller: Requester<'_>,
    approved: Approved,
    resource: Option<&ResourceUri>,
) -> Result<Entitlement, Failure> {
    let Approved { approval, granted, nonce, .. } = approved;
    let target = caller.target(&granted, (resource, &granted.scopes)).await?;
    Ok(Entitlement::of_approval(GrantType::DeviceCode, granted, target, nonce, approval))
}

/// The time of the device code is over: if it was exchanged before, this is a replay of it.
async fn late<T>(caller: Requester<'_>, approved: &Approved) -> Result<T, Failure> {
    let Requester { call, env, client } = caller;
    let found: Option<Found<ApprovalBody>> = env.records().get(call.now, approved.approval).await?;
    if found.is_some_and(|found| found.consumed_at.is_some()) {
        end_grant(call, env, client, approved.granted.grant, GrantEnd::CodeReplayed).await?;
        return DEVICE_CODE_USED.refused();
    }
    DEVICE_CODE_EXPIRED.refused()
}

/// Why a request that was good when the device sent it can be refused when its person comes.
const REFUSALS: &[&[Described]] = &[
    client::demanded::REASONS,
    error::REASONS,
    interaction::REASONS,
    interaction::approval::REASONS,
    interaction::commit::REASONS,
    interaction::prompt::REASONS,
    policy::authorization::REASONS,
    request::unaddressed::REASONS,
    request::validated::REASONS,
    rule::claims::REASONS,
    rule::resource::REASONS,
    rule::scope::REASONS,
];

/// The reason of this name. One that this build does not know, as that of an application's policy or of
/// another version, is a person's no.
fn refusal(name: &str) -> &'static Reason {
    let mut known = REFUSALS.iter().copied().flatten().map(|known| known.reason);
    known.find(|known| known.name == name).unwrap_or(&DECLINED)
}

/// There is no decision yet. When the device has polled last, this process remembers; that it was too early,
/// the store, so that all nodes know its interval.
async fn wait<T>(call: &Call, env: &Env, found: &Found<DeviceCodeBody>) -> Result<T, Failure> {
    if !env.guessing.polls.is_early(call.now, found.key, found.body.awaited.interval) {
        return PENDING.refused();
    }
    let interval = (found.body.awaited.interval + STEP).min(LONGEST);
    let awaited = Awaited { interval, ..found.body.awaited.clone() };
    let body = DeviceCodeBody { awaited, ..found.body.clone() };
    // Where another poll, or the person, was faster, this one was too early all the same.
    env.records().update(call.now, found, &body, found.expires_at, &[]).await?;
    TOO_EARLY.refused()
}
