//! RFC 8628 section 3.5 and CIBA Core section 11: a client polls for what a person decides at another device.
//! Config     none; the sections of the two grant types
//! Discovery  none

use std::time::Duration;

use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{Key, ResourceUri};

use crate::approved::Approved;
use crate::context::{Call, Env};
use crate::endpoint::Requester;
use crate::error::{Described, Failure, Reason};
use crate::event::GrantEnd;
use crate::interaction::{self, DECLINED};
use crate::issue::end_grant;
use crate::model::Entitlement;
use crate::records::{ApprovalBody, AwaitsDecision, Body, Decision, Found};
use crate::{client, error, policy, request, rule};

const fn not_yet(name: &'static str, code: ErrorCode, description: &'static str) -> Reason {
    Reason { name, code, description, section: "RFC 8628 section 3.5" }
}

reasons! {
    /// The person has not decided yet.
    pub PENDING = not_yet(
        "authorization_pending",
        ErrorCode::AuthorizationPending,
        "the End-User has not decided yet",
    );
    /// The person has not decided yet, and the client has polled again before its interval was over. The
    /// interval is five seconds longer from now on.
    pub TOO_EARLY = not_yet(
        "polled_too_early",
        ErrorCode::SlowDown,
        "the End-User has not decided yet; poll less often",
    );
}

/// By how much an interval grows (RFC 8628 section 3.5).
const STEP: Duration = Duration::from_secs(5);

/// The longest interval: whoever slows down to it learns of the decision in time.
const LONGEST: Duration = Duration::from_secs(60);

/// A request that a client polls for.
pub(super) trait Waits: AwaitsDecision + Body + Clone + Send + Sync {
    /// By which grant type.
    const GRANT_TYPE: GrantType;
    /// Why it is refused when there is none.
    const UNKNOWN: &'static Reason;
    /// Why it is refused when it is another client's.
    const FOREIGN: &'static Reason;
    /// Why it is refused when it was exchanged before.
    const USED: &'static Reason;
    /// Why it is refused when nobody has decided in time.
    const EXPIRED: &'static Reason;
}

/// What the person's decision entitles this client to. Nothing is used up here: of any number of concurrent
/// polls, the step that stores the tokens lets exactly one succeed.
pub(super) async fn entitle<B: Waits>(
    caller: Requester<'_>,
    key: Key,
    resource: Option<&ResourceUri>,
) -> Result<Entitlement, Failure> {
    let Requester { call, env, client } = caller;
    if let Some(approved) = env.approvals.take(call.now, key, client) {
        return exchange::<B>(caller, approved, resource).await;
    }
    let found: Found<B> = env.records().get(call.now, key).await?.ok_or(B::UNKNOWN)?;
    if !found.body.is_of(client) {
        return B::FOREIGN.refused();
    }
    if !found.body.is_fetched() {
        return B::UNKNOWN.refused();
    }
    let is_late = found.body.awaited().deadline <= call.now;
    if let Some(approved) = found.body.approved() {
        return if is_late {
            late::<B>(caller, &approved).await
        } else {
            exchange::<B>(caller, approved, resource).await
        };
    }
    match &found.body.awaited().decision {
        Some(Decision::Refused { reason, .. }) => Err(refusal(reason).into()),
        _ if is_late => B::EXPIRED.refused(),
        _ => wait(call, env, &found).await,
    }
}

/// Whoever holds an approval, from wherever it was read, is entitled to what it says.
async fn exchange<B: Waits>(
    caller: Requester<'_>,
    approved: Approved,
    resource: Option<&ResourceUri>,
) -> Result<Entitlement, Failure> {
    let Approved { approval, granted, nonce, .. } = approved;
    let target =
        rule::resource::target((caller.env, caller.client), &granted, (resource, &granted.scopes)).await?;
    Ok(Entitlement::of_approval(B::GRANT_TYPE, granted, target, nonce, approval))
}

/// Its time is over: if it was exchanged before, this is a replay of it.
async fn late<B: Waits>(caller: Requester<'_>, approved: &Approved) -> Result<Entitlement, Failure> {
    let Requester { call, env, .. } = caller;
    let found: Option<Found<ApprovalBody>> = env.records().get(call.now, approved.approval).await?;
    if found.is_some_and(|found| found.consumed_at.is_some()) {
        end_grant(call, env, approved.granted.ended(), GrantEnd::CodeReplayed).await?;
        return B::USED.refused();
    }
    B::EXPIRED.refused()
}

/// Why a request that was good when the client sent it can be refused when its person comes.
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
pub(crate) fn refusal(name: &str) -> &'static Reason {
    let mut known = REFUSALS.iter().copied().flatten().map(|known| known.reason);
    known.find(|known| known.name == name).unwrap_or(&DECLINED)
}

/// There is no decision yet. When the client has polled last, this process remembers; that it was too early,
/// the store, so that all nodes know its interval.
async fn wait<B: Waits>(call: &Call, env: &Env, found: &Found<B>) -> Result<Entitlement, Failure> {
    let interval = found.body.awaited().interval;
    if !env.limits.polls.is_early(call.now, found.key, interval) {
        return PENDING.refused();
    }
    let mut body = found.body.clone();
    body.awaited_mut().interval = (interval + STEP).min(LONGEST);
    // Where another poll, or the person, was faster, this one was too early all the same.
    env.records().update(call.now, found, &body, found.expires_at, &[]).await?;
    TOO_EARLY.refused()
}
