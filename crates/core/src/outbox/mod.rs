//! Sends the notices that others have left in the store, in the step that they tell of; `notice` says what is
//! sent.
//!
//! A notice is leased, sent, and removed when its receiver has answered. What a crash leaves behind comes back
//! when its lease ends, so that nothing is lost; a receiver may hear of the same thing twice.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use chancery_types::Timestamp;

use crate::context::{Call, Env, RequestId};
use crate::error::Fault;
use crate::event::NotificationFailure;
use crate::issue::TokenIssuer;
use crate::ports::BoxFuture;
use crate::records::{DeliveryBody, Found};

mod alarms;
mod lanes;
mod notice;
use alarms::{Alarms, LIMIT};
use lanes::{Claim, Full, Lanes, PLACES, Place, Receiver};

/// How long the request of one attempt takes at most; whoever implements [`Fetch`](crate::fetch::Fetch) keeps to it. An
/// attempt that takes twice as long, whatever it waits for, is given up.
pub const ATTEMPT: Duration = Duration::from_secs(5);

/// How many attempts one run makes at most, and how many notices it has in hand. So it ends in good time.
const IN_HAND: usize = 8 * PLACES;

/// How long a notice belongs to the run that has leased it: longer than an attempt lasts, by far.
const LEASE: Duration = Duration::from_secs(60);

/// The wait before the second attempt; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The notices on their way. Several runs share it, so that the limits hold for all of them, and each knows the time
/// at which the latest one began: while it goes on, the others tell it how late it is.
pub struct Outbox {
    lanes: Lanes,
    alarms: Alarms,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { lanes: Lanes::new(), alarms: Alarms::default() }
    }
}

/// What came of an attempt.
enum Outcome {
    /// The receiver has been told.
    Told,
    /// The receiver does not want to know, or there is nothing to tell any more.
    Over(Option<NotificationFailure>),
    /// It is tried again.
    Failed(NotificationFailure),
}

impl Outbox {
    /// Sends what is due at this time and returns how many attempts were made. As soon as one ends, the next
    /// begins. It has to be called once in a second, also while earlier calls go on: then those that wait for slow
    /// receivers for longer make room for others.
    ///
    /// # Errors
    /// The first fault of the store or of the registry, after everything else was tried.
    pub async fn deliver(&self, env: &Env, issuer: &TokenIssuer, now: Timestamp) -> Result<usize, Fault> {
        self.lanes.run_begins(now);
        self.alarms.run_begins(now);
        let mut under_way: Vec<BoxFuture<'_, Result<(), Fault>>> = Vec::new();
        let (mut attempts, mut is_more_due, mut fault) = (0, true, Ok(()));
        loop {
            let room = if is_more_due { IN_HAND.saturating_sub(under_way.len().max(attempts)) } else { 0 };
            let mut claim = self.lanes.claim(room);
            let wanted = claim.left();
            if wanted > 0 {
                let until = self.lanes.now() + LEASE;
                let leased = match env.records().lease::<DeliveryBody>(now, until, wanted).await {
                    Ok(leased) => leased,
                    Err(error) => {
                        fault = fault.and(Err(error));
                        Vec::new()
                    }
                };
                is_more_due = leased.len() == wanted;
                let mut waiting = BTreeMap::new();
                for found in leased {
                    under_way.push(match admit(env, &mut claim, &mut waiting, &found) {
                        Ok(place) => {
                            attempts += 1;
                            Box::pin(async move {
                                let _place = place;
                                self.attempt(env, issuer, found).await
                            })
                        }
                        Err(postponed) => Box::pin(self.postpone(env, found, postponed)),
                    });
                }
                continue;
            }
            match next(&mut under_way).await {
                Some(outcome) => fault = fault.and(outcome),
                None => return fault.map(|()| attempts),
            }
        }
    }

    /// One attempt, and what follows from it.
    async fn attempt(
        &self,
        env: &Env,
        issuer: &TokenIssuer,
        found: Found<DeliveryBody>,
    ) -> Result<(), Fault> {
        let notice = &found.body;
        let failed = |why, retry_in| notice::failed(notice, why, retry_in);
        let begun = self.call();
        let outcome = match self.alarms.in_time(notice::send(&begun, env, issuer, notice)).await {
            Some(sent) => sent?,
            None => Outcome::Failed(NotificationFailure::Unreachable(Fault::unavailable(format!(
                "it took longer than {} s",
                LIMIT.as_secs()
            )))),
        };
        let call = &self.call();
        match outcome {
            Outcome::Told => {
                env.records().revoke_seen(call.now, &found, &[]).await?;
                env.record(call, &notice::told(notice));
            }
            Outcome::Over(why) => {
                notice::given_up(call, env, notice).await?;
                env.records().revoke_seen(call.now, &found, &[]).await?;
                if let Some(why) = why {
                    env.record(call, &failed(why, None));
                }
            }
            Outcome::Failed(why) => {
                let wait =
                    jittered(env, FIRST_WAIT.saturating_mul(1 << notice.attempts.min(16)).min(LONGEST_WAIT));
                if call.now + wait >= notice.until {
                    notice::given_up(call, env, notice).await?;
                    env.records().revoke_seen(call.now, &found, &[]).await?;
                    env.record(call, &failed(why, None));
                } else {
                    let attempts = notice.attempts.saturating_add(1);
                    let body = DeliveryBody { attempts, has_turn: false, ..notice.clone() };
                    env.records().reschedule(call.now, &found, &body, call.now + wait).await?;
                    env.record(call, &failed(why, Some(wait)));
                }
            }
        }
        Ok(())
    }

    async fn postpone(
        &self,
        env: &Env,
        found: Found<DeliveryBody>,
        postponed: Postponed,
    ) -> Result<(), Fault> {
        let (now, Postponed { wait, has_turn }) = (self.lanes.now(), postponed);
        let body = DeliveryBody { has_turn, ..found.body.clone() };
        env.records().reschedule(now, &found, &body, now + wait).await.map(drop)
    }

    /// As part of what goes on now.
    fn call(&self) -> Call {
        Call::new(self.lanes.now(), RequestId("outbox".into()))
    }
}

/// A notice that is not sent now.
struct Postponed {
    wait: Duration,
    has_turn: bool,
}

/// Admits a notice that finds a place. If its receiver's lane is full, it waits for as long as the lane may need; if
/// there are too many to slow receivers, for its turn. One of another realm is left to that realm's worker.
fn admit<'l>(
    env: &Env,
    claim: &mut Claim<'l>,
    waiting: &mut BTreeMap<Receiver, usize>,
    found: &Found<DeliveryBody>,
) -> Result<Place<'l>, Postponed> {
    let DeliveryBody { realm, has_turn, .. } = &found.body;
    if *realm != env.realm {
        return Err(Postponed { wait: jittered(env, FIRST_WAIT), has_turn: *has_turn });
    }
    let receiver = notice::receiver(&found.body);
    claim.take(&receiver, *has_turn).map_err(|full| match full {
        Full::Receiver => {
            let at_once = receiver.at_once();
            let before = waiting.entry(receiver).or_default();
            let turns = u32::try_from(*before / at_once + 1).unwrap_or(u32::MAX);
            *before += 1;
            Postponed { wait: ATTEMPT.saturating_mul(turns), has_turn: *has_turn }
        }
        Full::Slow(wait) => Postponed { wait, has_turn: true },
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
