//! Against guessing: attempts with a typed name, remembered for minutes. Unknown names are treated as known
//! ones, so that nobody learns which exist.
//!
//! Each attempt has a count of its **own**. A browser that has signed in under this name before is counted by
//! itself, and by nothing else, so that no stranger can make it wait. Any other attempt is counted by name
//! and network. It is counted before the password is looked at, and the count is taken away when the password
//! was right; attempts that share a count are looked at one after the other, so that many right ones at the
//! same moment do not count as failures.
//!
//! The name and the network by themselves are **shared** counts: bounds for guessing from many networks, and
//! of many names. Only failures count there. Strangers can fill them, so that a full one must not keep
//! anybody out: it lets one attempt through per `first_wait`, and who finds others before them is given a
//! time, at which their next attempt is looked at however many come meanwhile. Where even that line is too
//! long, one more per `first_wait` is drawn by lot among those who come back.

use std::time::Duration;

use chancery_store::{StoreError, Tags, Updated};
use chancery_types::{Key, Timestamp};
use serde::{Deserialize, Serialize};

use super::device::Device;
use crate::context::{Call, Env};
use crate::error::{Complaint, Fault, SectionCheck};
use crate::limits::Turn;
use crate::ports::{Browser, Room};
use crate::records::{Found, ThrottleBody, throttle_key};

/// `[throttle]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleConfig {
    /// Failures of one name from one network or one known browser before its next attempt from there has to
    /// wait.
    pub failures: u32,
    /// Failures of one name from anywhere before attempts with it are looked at one per `first_wait`.
    pub name_failures: u32,
    /// Failures from one network before attempts from it are looked at one per `first_wait`.
    pub network_failures: u32,
    /// The first wait; each further failure doubles it.
    #[serde(with = "crate::duration")]
    pub first_wait: Duration,
    /// The longest wait, and how long failures are remembered.
    #[serde(with = "crate::duration")]
    pub longest_wait: Duration,
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self {
            failures: 5,
            name_failures: 100,
            network_failures: 50,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(15 * 60),
        }
    }
}

impl ThrottleConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        let counts = [
            ("failures", self.failures),
            ("name_failures", self.name_failures),
            ("network_failures", self.network_failures),
        ];
        let check = SectionCheck::of("throttle")
            .lifetimes(&[("first_wait", self.first_wait), ("longest_wait", self.longest_wait)])
            .demand(
                self.first_wait <= self.longest_wait,
                "first_wait",
                "must not be longer than throttle.longest_wait",
                "RFC 6749 section 10.10",
            );
        let is_positive = |check: SectionCheck, (setting, count): (&str, u32)| {
            check.demand(count > 0, setting, "must be at least 1", "RFC 6749 section 10.10")
        };
        counts.into_iter().fold(check, is_positive).complaints()
    }
}

/// The throttle by the rules of the configuration.
#[derive(Clone, Debug)]
pub struct Throttle {
    config: ThrottleConfig,
}

/// How often a race against others may be lost.
const RACES: usize = 10;

/// The longest wait that strangers and neighbours can cause.
const SHARED_WAIT: Duration = Duration::from_secs(30);

/// For how long an attempt is let through after the time that it was given.
const ADMISSION: Duration = Duration::from_secs(120);

/// A count that others can fill, too.
struct Shared {
    key: Key,
    free: u32,
}

/// What is counted for an attempt.
struct Counts {
    own: Key,
    longest_wait: Duration,
    shared: Vec<Shared>,
}

/// What becomes of an attempt.
#[must_use]
pub enum Admission<'e> {
    /// The password may be looked at; there is room for it.
    Admitted(Box<Attempt<'e>>, Room),
    /// Not before this time has passed.
    Waits(Duration),
    /// Too much work at this moment. Nothing was counted.
    Busy,
}

/// An attempt that may be looked at. What becomes of it has to be said.
#[must_use]
pub struct Attempt<'e> {
    counts: Counts,
    before: Option<ThrottleBody>,
    /// The next one of the same count waits for its end.
    _turn: Turn<'e>,
}

/// An attempt as its counts stand.
enum Verdict {
    Admitted,
    /// By a place in counts that are full.
    AdmittedBy(Vec<Found<ThrottleBody>>),
    /// These counts are full, and others are before it.
    Queued(Vec<Found<ThrottleBody>>),
    /// So many are before it that there is no place.
    LineTooLong(Key),
    Waits(Timestamp),
}

impl Throttle {
    /// From the configuration.
    #[must_use]
    pub fn new(config: ThrottleConfig) -> Self {
        Self { config }
    }

    /// Counts an attempt with this name, if it may be looked at now and there is room to look at it.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub(super) async fn attempt<'e>(
        &self,
        call: &Call,
        env: &'e Env,
        name: &str,
        device: Option<&Device>,
    ) -> Result<Admission<'e>, Fault> {
        let counts = self.counts(call, env, name, device);
        let Some(turn) = env.limits.turns.wait(counts.own).await else { return Ok(Admission::Busy) };
        let mut room = None;
        let mut drawn = None;
        // Whoever loses a race looks again.
        for _ in 0..RACES {
            let own = self.standing(call.now, env, counts.own, counts.longest_wait).await?;
            let places = match self.verdict(call.now, env, &counts, own.as_ref()).await? {
                Verdict::Waits(until) => return Ok(Admission::Waits(until.since(call.now))),
                Verdict::LineTooLong(count) => {
                    let lot = u64::from_le_bytes(*env.secret());
                    let draw =
                        || env.limits.lots.draw(call.now, count, counts.own, self.config.first_wait, lot);
                    match drawn.get_or_insert_with(draw) {
                        None => Vec::new(),
                        Some(wait) => return Ok(Admission::Waits(*wait)),
                    }
                }
                Verdict::Queued(full) => {
                    match self.queue(call.now, env, counts.own, own.as_ref(), &full).await? {
                        Some(wait) => return Ok(Admission::Waits(wait)),
                        None => continue,
                    }
                }
                Verdict::Admitted => Vec::new(),
                Verdict::AdmittedBy(full) => full,
            };
            // Asked before anything is written, so that a login that finds no room leaves nothing.
            if room.is_none() {
                let browser = if device.is_some() { Browser::Known } else { Browser::Unknown };
                room = env.accounts.room(&env.realm, browser).await?;
            }
            let Some(found_room) = room.take() else { return Ok(Admission::Busy) };
            if self.take_places(call.now, env, &places).await?
                && self.count(call.now, env, &counts, own.as_ref()).await?
            {
                let before = own.map(|found| found.body);
                let attempt = Attempt { counts, before, _turn: turn };
                return Ok(Admission::Admitted(Box::new(attempt), found_room));
            }
            room = Some(found_room);
        }
        Ok(Admission::Busy)
    }

    /// The password was wrong: the name and the network count it, too.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn failed(&self, call: &Call, env: &Env, attempt: Attempt<'_>) -> Result<(), Fault> {
        for shared in &attempt.counts.shared {
            // Each race that is lost was won by another failure, so that the count grows all the same.
            for _ in 0..10 * RACES {
                let found = self.standing(call.now, env, shared.key, self.longest_shared_wait()).await?;
                let before = found.as_ref().map(|found| &found.body);
                let body = ThrottleBody {
                    failures: before.map_or(0, |body| body.failures).saturating_add(1),
                    not_before: before.map_or(call.now, |body| body.not_before),
                    admitted_at: None,
                };
                let ends = call.now.max(body.not_before) + self.config.longest_wait;
                if write(call.now, env, shared.key, found.as_ref(), &body, ends).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The password was right: what was counted for it alone is forgotten.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn succeeded(&self, call: &Call, env: &Env, attempt: Attempt<'_>) -> Result<(), Fault> {
        env.records().revoke(call.now, attempt.counts.own).await.map(|_| ())
    }

    /// The password was not looked at: the attempt is as if it had not been made.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn not_looked_at(&self, call: &Call, env: &Env, attempt: Attempt<'_>) -> Result<(), Fault> {
        let records = env.records();
        let found: Option<Found<ThrottleBody>> = records.get(call.now, attempt.counts.own).await?;
        let counted = attempt.before.as_ref().map_or(0, |before| before.failures) + 1;
        // What others have counted since stays.
        let Some(found) = found.filter(|found| found.body.failures == counted) else { return Ok(()) };
        match &attempt.before {
            Some(before) => records.update(call.now, &found, before, found.expires_at, &[]).await.map(|_| ()),
            None => {
                env.store.revoke(call.now, found.key, Some(found.revision), &[]).await?;
                Ok(())
            }
        }
    }

    /// What an attempt is counted by.
    fn counts(&self, call: &Call, env: &Env, name: &str, device: Option<&Device>) -> Counts {
        if let Some(device) = device {
            let own = throttle_key(env, "device", &[&device.id, device.account.as_str()]);
            return Counts { own, longest_wait: self.config.longest_wait, shared: Vec::new() };
        }
        let of_name = Shared { key: throttle_key(env, "name", &[name]), free: self.config.name_failures };
        let Some(network) = call.network() else {
            // An unknown peer may be anybody. It is no network of its own, which strangers could fill; its
            // browser is all that is known, and easily changed.
            let browser = call.browser.as_deref().map(chancery_jose::base64url::encode);
            let own = throttle_key(env, "name and browser", &[name, &browser.unwrap_or_default()]);
            return Counts {
                own,
                longest_wait: SHARED_WAIT.min(self.config.longest_wait),
                shared: vec![of_name],
            };
        };
        let of_network =
            Shared { key: throttle_key(env, "network", &[&network]), free: self.config.network_failures };
        Counts {
            own: throttle_key(env, "name and network", &[name, &network]),
            longest_wait: self.config.longest_wait,
            shared: vec![of_name, of_network],
        }
    }

    async fn verdict(
        &self,
        now: Timestamp,
        env: &Env,
        counts: &Counts,
        own: Option<&Found<ThrottleBody>>,
    ) -> Result<Verdict, Fault> {
        if let Some(until) = own.map(|own| own.body.not_before).filter(|until| now < *until) {
            return Ok(Verdict::Waits(until));
        }
        match own.and_then(|own| own.body.admitted_at) {
            Some(at) if now < at => return Ok(Verdict::Waits(at)),
            Some(at) if now.since(at) <= ADMISSION => return Ok(Verdict::Admitted),
            _ => {}
        }
        let mut full = Vec::new();
        for shared in &counts.shared {
            let found = self.standing(now, env, shared.key, self.longest_shared_wait()).await?;
            full.extend(found.filter(|found| found.body.failures >= shared.free));
        }
        Ok(match full.iter().max_by_key(|found| found.body.not_before) {
            Some(last) if last.body.not_before.since(now) > SHARED_WAIT => Verdict::LineTooLong(last.key),
            Some(last) if now < last.body.not_before => Verdict::Queued(full),
            _ => Verdict::AdmittedBy(full),
        })
    }

    /// Takes a place in every count that is full, for now; `false` when somebody else did at the same moment.
    async fn take_places(
        &self,
        now: Timestamp,
        env: &Env,
        full: &[Found<ThrottleBody>],
    ) -> Result<bool, Fault> {
        for found in full {
            let next = found.body.not_before.max(now) + self.config.first_wait;
            let body = ThrottleBody { not_before: next, ..found.body.clone() };
            let ends = found.expires_at.max(next);
            if !matches!(env.records().update(now, found, &body, ends, &[]).await?, Updated::Done(_)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes a place behind the others, and says how long it is until then. `None` when somebody else changed
    /// a count at the same moment.
    async fn queue(
        &self,
        now: Timestamp,
        env: &Env,
        own: Key,
        before: Option<&Found<ThrottleBody>>,
        full: &[Found<ThrottleBody>],
    ) -> Result<Option<Duration>, Fault> {
        let at = full.iter().map(|found| found.body.not_before).max().unwrap_or(now).max(now);
        if !self.take_places(now, env, full).await? {
            return Ok(None);
        }
        let body = ThrottleBody {
            failures: before.map_or(0, |before| before.body.failures),
            not_before: before.map_or(now, |before| before.body.not_before),
            admitted_at: Some(at),
        };
        let ends =
            before.map_or(now, |before| before.expires_at).max(at + ADMISSION + self.config.first_wait);
        Ok(write(now, env, own, before, &body, ends).await?.then(|| at.since(now)))
    }

    /// One more; `false` when somebody else counted at the same moment.
    async fn count(
        &self,
        now: Timestamp,
        env: &Env,
        counts: &Counts,
        found: Option<&Found<ThrottleBody>>,
    ) -> Result<bool, Fault> {
        let failures = found.map_or(0, |found| found.body.failures).saturating_add(1);
        let not_before = now + self.wait(failures, counts.longest_wait);
        // Failures are remembered beyond the wait that they caused, or the longest one would end in a new
        // beginning.
        let ends = not_before + self.config.longest_wait;
        write(now, env, counts.own, found, &ThrottleBody { failures, not_before, admitted_at: None }, ends)
            .await
    }

    /// A count as it stands. A time further ahead than the longest wait of the count was written by a clock that
    /// was ahead, and has been set right since: it keeps nobody waiting, and no count for longer than any other.
    async fn standing(
        &self,
        now: Timestamp,
        env: &Env,
        key: Key,
        longest_wait: Duration,
    ) -> Result<Option<Found<ThrottleBody>>, Fault> {
        let mut found: Option<Found<ThrottleBody>> = env.records().get(now, key).await?;
        if let Some(Found { body, expires_at, .. }) = &mut found {
            if body.not_before.since(now) > longest_wait {
                body.not_before = now;
            }
            body.admitted_at = body.admitted_at.filter(|at| at.since(now) <= SHARED_WAIT);
            let with_failures = longest_wait + self.config.longest_wait;
            let with_place = self.longest_shared_wait() + ADMISSION;
            *expires_at = (*expires_at).min(now + with_failures.max(with_place));
        }
        Ok(found)
    }

    /// How far ahead the next place in a count can be that others share.
    fn longest_shared_wait(&self) -> Duration {
        SHARED_WAIT + self.config.first_wait
    }

    /// The wait after so many failures.
    fn wait(&self, failures: u32, longest: Duration) -> Duration {
        match failures.checked_sub(self.config.failures) {
            None | Some(0) => Duration::ZERO,
            Some(over) => self.config.first_wait.saturating_mul(1 << (over - 1).min(20)).min(longest),
        }
    }
}

/// Writes a count as it was seen; `false` when somebody else wrote it at the same moment.
async fn write(
    now: Timestamp,
    env: &Env,
    key: Key,
    seen: Option<&Found<ThrottleBody>>,
    body: &ThrottleBody,
    ends: Timestamp,
) -> Result<bool, Fault> {
    let records = env.records();
    match seen {
        Some(found) => Ok(matches!(records.update(now, found, body, ends, &[]).await?, Updated::Done(_))),
        None => match records.insert(now, &[records.new(key, None, Tags::default(), ends, body)?]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Occupied) => Ok(false),
            Err(error) => Err(error.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_after_the_free_failures() {
        let throttle = Throttle::new(ThrottleConfig::default());
        for (longest_wait, longest) in [(throttle.config.longest_wait, 900), (SHARED_WAIT, 30)] {
            let waits: Vec<u64> =
                [1, 5, 6, 7, 8, 40].map(|failures| throttle.wait(failures, longest_wait).as_secs()).into();
            assert_eq!(waits, [0, 0, 1, 2, 4, longest]);
        }
    }
}
