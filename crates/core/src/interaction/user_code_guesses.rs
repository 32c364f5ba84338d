//! RFC 8628 section 5.1: how many wrong user codes are borne.
//!
//! Whoever is signed in is counted by themselves, so that a neighbour who guesses keeps nobody from the code
//! of their own device; everybody else by network. A wrong code of somebody who is signed in counts for the
//! network, too. The counts are in the store, for all nodes; on one node, the codes of one count are looked
//! at one after the other, so that no burst gets past it.

use std::time::Duration;

use chancery_store::{StoreError, Tags, Updated};
use chancery_types::{Key, Timestamp};

use super::Interactions;
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::limits::Turn;
use crate::records::{Found, ThrottleBody, throttle_key};

/// How long wrong codes are counted, from the first one on.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// How long somebody waits who finds too many others before them.
const BUSY: Duration = Duration::from_secs(1);

/// How often a race against others may be lost.
const RACES: usize = 100;

/// A code that may be looked at. Whether it was wrong has to be said.
#[must_use]
pub(super) struct Guesses<'e> {
    /// What a wrong code counts for.
    counts: Vec<Key>,
    /// The next one of the same count waits for its end.
    _turn: Turn<'e>,
}

/// What becomes of a code that was typed.
#[must_use]
pub(super) enum Guess<'e> {
    /// It may be looked at.
    Counted(Guesses<'e>),
    /// Not before this time has passed.
    Waits(Duration),
}

impl<'e> Guesses<'e> {
    /// Whether a code may be looked at.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub(super) async fn of(by: &Interactions, call: &Call, env: &'e Env) -> Result<Guess<'e>, Fault> {
        let config = &by.device_authorization;
        let network = throttle_key(env, "user code of network", &[&call.network().unwrap_or_default()]);
        let active = call.sessions.first().map(|handle| handle.key(&env.realm));
        let person = match active {
            Some(session) => by.sessions.of_key(call, env, session).await?,
            None => None,
        };
        let person = person.map(|who| throttle_key(env, "user code of account", &[who.account.id.as_str()]));
        let (own, most) = match person {
            Some(account) => (account, config.account_guesses),
            None => (network, config.network_guesses),
        };
        let Some(turn) = env.limits.turns.wait(own).await else { return Ok(Guess::Waits(BUSY)) };
        let found: Option<Found<ThrottleBody>> = env.records().get(call.now, own).await?;
        match found.filter(|found| counts_at(call.now, &found.body) && found.body.failures >= most) {
            Some(full) => Ok(Guess::Waits(full.body.not_before.since(call.now))),
            None => {
                let counts = person.into_iter().chain([network]).collect();
                Ok(Guess::Counted(Self { counts, _turn: turn }))
            }
        }
    }

    /// The code was wrong.
    ///
    /// # Errors
    /// A fault of the store.
    pub(super) async fn failed(self, call: &Call, env: &Env) -> Result<(), Fault> {
        for key in &self.counts {
            for _ in 0..RACES {
                if count(call.now, env, *key).await? {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Whether a count is of this window. If its end is further ahead than a window is long, it was begun by a clock that was
/// ahead and has been set right since: nobody waits for that end.
fn counts_at(now: Timestamp, body: &ThrottleBody) -> bool {
    body.not_before.since(now) <= WINDOW
}

/// Counts one; `false` if somebody else did at the same moment.
async fn count(now: Timestamp, env: &Env, key: Key) -> Result<bool, Fault> {
    let records = env.records();
    let found: Option<Found<ThrottleBody>> = records.get(now, key).await?;
    let ends = now + WINDOW;
    let first = ThrottleBody { failures: 1, not_before: ends, admitted_at: None };
    let Some(found) = found else {
        return match records.insert(now, &[records.new(key, None, Tags::default(), ends, &first)?]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Occupied) => Ok(false),
            Err(error) => Err(error.into()),
        };
    };
    let (body, ends) = match counts_at(now, &found.body) {
        true => {
            let failures = found.body.failures.saturating_add(1);
            (ThrottleBody { failures, ..found.body.clone() }, found.expires_at)
        }
        false => (first, ends),
    };
    let updated = records.update(now, &found, &body, ends, &[]).await?;
    Ok(matches!(updated, Updated::Done(_)))
}
