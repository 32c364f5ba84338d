//! Sends the notices that the ends of sessions have left in the store (OIDC Back-Channel Logout section 2.5).
//!
//! A notice is leased, sent, and removed when its client has answered. What a crash leaves behind comes back when
//! its lease ends, so that nothing is lost; a client may hear of the same session twice, with another `jti`.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use chancery_types::{ClientId, Timestamp, params};

use crate::context::{Call, Env, RequestId};
use crate::error::{Failure, Fault};
use crate::event::{Event, NotificationFailure};
use crate::fetch::FetchRequest;
use crate::issue::TokenIssuer;
use crate::model::Client;
use crate::ports::BoxFuture;
use crate::records::{DeliveryBody, Found};

mod lanes;
use lanes::{Claim, IN_FLIGHT, Lanes, PER_CLIENT, Place};

/// How long one attempt takes at most; whoever implements [`Fetch`](crate::fetch::Fetch) keeps to it.
pub const ATTEMPT: Duration = Duration::from_secs(5);

/// How many attempts one run makes at most, so that it ends before its first lease does.
const ATTEMPTS: usize = 8 * IN_FLIGHT;

/// How long a notice belongs to the run that has leased it: longer than a run lasts.
const LEASE: Duration = Duration::from_secs(60);

/// For how long a client is tried.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// The wait before the second attempt; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The notices on their way. Several runs share it, so that the limits hold for all of them.
#[derive(Default)]
pub struct Outbox {
    lanes: Lanes,
}

/// What came of an attempt.
enum Outcome {
    /// The client has been told.
    Told,
    /// The client does not want to know, or it is no longer the one that took part.
    Over(Option<NotificationFailure>),
    /// It is tried again.
    Failed(NotificationFailure),
}

impl Outbox {
    /// Sends what is due at this time and returns how many attempts were made. As soon as one ends, the next
    /// begins.
    ///
    /// # Errors
    /// The first fault of the store or of the registry, after everything else was tried.
    pub async fn deliver(&self, env: &Env, issuer: &TokenIssuer, now: Timestamp) -> Result<usize, Fault> {
        let call = &Call::new(now, RequestId("outbox".into()));
        let mut under_way: Vec<BoxFuture<'_, Result<(), Fault>>> = Vec::new();
        let (mut attempts, mut is_more_due, mut fault) = (0, true, Ok(()));
        loop {
            let mut claim = self.lanes.claim(if is_more_due { ATTEMPTS - attempts } else { 0 });
            let wanted = claim.left();
            if wanted > 0 {
                let leased = match env.records().lease::<DeliveryBody>(now, now + LEASE, wanted).await {
                    Ok(leased) => leased,
                    Err(error) => {
                        fault = fault.and(Err(error));
                        Vec::new()
                    }
                };
                is_more_due = leased.len() == wanted;
                let admitted = admitted(env, now, &mut claim, leased).await;
                fault = fault.and(admitted.fault);
                attempts += admitted.notices.len();
                for (place, found) in admitted.notices {
                    under_way.push(Box::pin(async move {
                        let _place = place;
                        attempt(call, env, issuer, found).await
                    }));
                }
                continue;
            }
            match next(&mut under_way).await {
                Some(outcome) => fault = fault.and(outcome),
                None => return fault.map(|()| attempts),
            }
        }
    }
}

/// Which notices are sent now.
struct Admitted<'l> {
    notices: Vec<(Place<'l>, Found<DeliveryBody>)>,
    fault: Result<(), Fault>,
}

/// Admits the notices that find a place. One that finds its client's lane full waits for as long as the lane may
/// need; one of another realm is left to that realm's worker.
async fn admitted<'l>(
    env: &Env,
    now: Timestamp,
    claim: &mut Claim<'l>,
    leased: Vec<Found<DeliveryBody>>,
) -> Admitted<'l> {
    let mut admitted = Admitted { notices: Vec::new(), fault: Ok(()) };
    let mut waiting: BTreeMap<ClientId, usize> = BTreeMap::new();
    for found in leased {
        let is_ours = found.body.realm == env.realm;
        let wait = match claim.take(&found.body.client).filter(|_| is_ours) {
            Some(place) => {
                admitted.notices.push((place, found));
                continue;
            }
            None if is_ours => {
                let before = waiting.entry(found.body.client.clone()).or_default();
                let turns = u32::try_from(*before / PER_CLIENT + 1).unwrap_or(u32::MAX);
                *before += 1;
                ATTEMPT.saturating_mul(turns)
            }
            None => jittered(env, FIRST_WAIT),
        };
        let moved = env.records().reschedule(now, &found, &found.body, now + wait).await;
        admitted.fault = admitted.fault.and(moved.map(drop));
    }
    admitted
}

/// One attempt, and what follows from it.
async fn attempt(
    call: &Call,
    env: &Env,
    issuer: &TokenIssuer,
    found: Found<DeliveryBody>,
) -> Result<(), Fault> {
    let notice = &found.body;
    let (client, account) = (notice.client.clone(), notice.account.clone());
    let failed = |why, retry_in| Event::LogoutNotificationFailed {
        client: client.clone(),
        account: account.clone(),
        why,
        retry_in,
    };
    match send(call, env, issuer, notice).await? {
        Outcome::Told => {
            env.records().revoke_seen(call.now, &found, &[]).await?;
            env.record(call, &Event::LogoutNotified { client, account });
        }
        Outcome::Over(why) => {
            env.records().revoke_seen(call.now, &found, &[]).await?;
            if let Some(why) = why {
                env.record(call, &failed(why, None));
            }
        }
        Outcome::Failed(why) => {
            let wait =
                jittered(env, FIRST_WAIT.saturating_mul(1 << notice.attempts.min(16)).min(LONGEST_WAIT));
            if call.now + wait >= notice.since + PATIENCE {
                env.records().revoke_seen(call.now, &found, &[]).await?;
                env.record(call, &failed(why, None));
            } else {
                let body = DeliveryBody { attempts: notice.attempts.saturating_add(1), ..notice.clone() };
                env.records().reschedule(call.now, &found, &body, call.now + wait).await?;
                env.record(call, &failed(why, Some(wait)));
            }
        }
    }
    Ok(())
}

/// Sends a new logout token, with a `jti` of its own, to where the client is registered now.
async fn send(call: &Call, env: &Env, issuer: &TokenIssuer, notice: &DeliveryBody) -> Result<Outcome, Fault> {
    let client = env.registry.client(&env.realm, &notice.client).await?;
    let is_same = |client: &Client| client.registration() == notice.registration && client.is_enabled();
    let Some(client) = client.filter(|client| is_same(client)) else { return Ok(Outcome::Over(None)) };
    let Some(uri) = client.metadata().logout.backchannel_logout_uri.as_deref() else {
        return Ok(Outcome::Over(None));
    };
    let token = match issuer.logout_token(call, env, &client, notice).await {
        Ok(token) => token,
        Err(Failure::Refused(refusal)) => {
            return Ok(Outcome::Failed(NotificationFailure::Unsigned(refusal.reason)));
        }
        Err(Failure::Broken(fault)) => return Ok(Outcome::Failed(NotificationFailure::Unreachable(fault))),
    };
    let form = params::encode([("logout_token", token.as_str())].into_iter());
    let request = FetchRequest::post(uri, &form).of_stranger(client.is_dynamic());
    let answer = env.fetch.fetch(&request).await;
    Ok(match answer.map(|answer| answer.status()) {
        Ok(200..=299) => Outcome::Told,
        // RFC 9110 section 15.5.9, RFC 6585 section 4: come back later.
        Ok(status @ (408 | 429)) => Outcome::Failed(NotificationFailure::Status(status)),
        Ok(status @ 400..=499) => Outcome::Over(Some(NotificationFailure::Status(status))),
        Ok(status) => Outcome::Failed(NotificationFailure::Status(status)),
        Err(fault) => Outcome::Failed(NotificationFailure::Unreachable(fault)),
    })
}

/// This time, a fifth longer or shorter, so that what failed together is not tried again together.
fn jittered(env: &Env, wait: Duration) -> Duration {
    let random = u32::from(u16::from_be_bytes(*env.secret::<2>()));
    // 80 % and up to 40 % more.
    (wait * 4 + wait * 2 * random / u32::from(u16::MAX)) / 5
}

/// Waits until one of them has ended, and takes it out; `None` when there is none.
async fn next<T>(under_way: &mut Vec<BoxFuture<'_, T>>) -> Option<T> {
    if under_way.is_empty() {
        return None;
    }
    poll_fn(|context| {
        for (at, one) in under_way.iter_mut().enumerate() {
            if let Poll::Ready(outcome) = one.as_mut().poll(context) {
                drop(under_way.swap_remove(at));
                return Poll::Ready(Some(outcome));
            }
        }
        Poll::Pending
    })
    .await
}
