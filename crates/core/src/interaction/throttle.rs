//! Against guessing: attempts with a typed name from a network, remembered for minutes. Unknown names are treated as known
//! ones, so that nobody learns which exist.
//!
//! What counts most is name and network together, so that strangers cannot keep a person out by typing their name. This
//! attempt is written before the password is looked at, so that many at the same moment do not slip through, and taken
//! away when it was the right one. The name and the network by themselves are bounds for guessing from many networks, and
//! of many names, and only failures count.

use std::net::IpAddr;
use std::time::Duration;

use chancery_store::{StoreError, Tags, Updated};
use chancery_types::{Key, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::{Call, Env};
use crate::error::Fault;
use crate::records::{Found, ThrottleBody, throttle_key};

/// `[throttle]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Failures of one name from one network before its next attempt from there has to wait.
    pub failures: u32,
    /// Failures of one name from anywhere before its next attempt has to wait.
    pub name_failures: u32,
    /// Failures from one network before its next attempt has to wait.
    pub network_failures: u32,
    /// The first wait; each further failure doubles it.
    #[serde(with = "crate::duration")]
    pub first_wait: Duration,
    /// The longest wait, and how long failures are remembered.
    #[serde(with = "crate::duration")]
    pub longest_wait: Duration,
}

impl Default for Config {
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

/// The throttle by the rules of the configuration.
#[derive(Clone, Debug)]
pub struct Throttle {
    config: Config,
}

/// What is counted apart.
struct Subject {
    key: Key,
    free: u32,
    longest_wait: Duration,
}

/// An attempt that may be looked at. What becomes of it has to be said.
#[must_use]
pub struct Attempt {
    counted: Key,
    /// Looked at only, until it has failed.
    others: Vec<Subject>,
    before: Option<ThrottleBody>,
}

/// How often a race may be lost before the attempt counts as one too many.
const RACES: usize = 3;

/// The longest wait because of the name alone or of the network alone: short, because strangers and neighbours can cause it.
const BROAD_WAIT: Duration = Duration::from_secs(30);

impl Throttle {
    /// From the configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Counts an attempt with this name, if it may be looked at now; `None` when it has to wait.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn attempt(&self, call: &Call, env: &Env, name: &str) -> Result<Option<Attempt>, Fault> {
        let name = name.trim().to_lowercase();
        let network = call.peer.map(network).unwrap_or_default();
        let key = |what, id: &str| throttle_key(&env.realm, what, id);
        let both = key("name and network", &[&name, "\0", &network].concat());
        let broad = |key, free| Subject { key, free, longest_wait: BROAD_WAIT.min(self.config.longest_wait) };
        // A peer that is unknown may be anybody: it is no network of its own, which strangers could not fill.
        let pair = match call.peer {
            Some(_) => Subject { key: both, free: self.config.failures, longest_wait: self.config.longest_wait },
            None => broad(both, self.config.failures),
        };
        let mut others = vec![broad(key("name", &name), self.config.name_failures)];
        if call.peer.is_some() {
            others.push(broad(key("network", &network), self.config.network_failures));
        }
        for subject in &others {
            let found = env.records().get::<ThrottleBody>(call.now, subject.key).await?;
            if found.is_some_and(|found| call.now < found.body.not_before) {
                return Ok(None);
            }
        }
        // Who loses every race is one of many at the same moment.
        for _ in 0..RACES {
            let found: Option<Found<ThrottleBody>> = env.records().get(call.now, pair.key).await?;
            if found.as_ref().is_some_and(|found| call.now < found.body.not_before) {
                return Ok(None);
            }
            if self.count(call.now, env, &pair, found.as_ref()).await? {
                let before = found.map(|found| found.body);
                return Ok(Some(Attempt { counted: pair.key, others, before }));
            }
        }
        Ok(None)
    }

    /// The password was wrong: the name and the network count it, too.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn failed(&self, call: &Call, env: &Env, attempt: Attempt) -> Result<(), Fault> {
        for subject in &attempt.others {
            // Each race that is lost was won by another failure, so that the count grows all the same.
            for _ in 0..10 * RACES {
                let found: Option<Found<ThrottleBody>> = env.records().get(call.now, subject.key).await?;
                if self.count(call.now, env, subject, found.as_ref()).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The password was right: what was counted of this name from this network is forgotten.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn succeeded(&self, call: &Call, env: &Env, attempt: Attempt) -> Result<(), Fault> {
        env.records().revoke(call.now, attempt.counted).await.map(|_| ())
    }

    /// The password was not looked at: the attempt is as if it had not been made.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn not_looked_at(&self, call: &Call, env: &Env, attempt: Attempt) -> Result<(), Fault> {
        let records = env.records();
        let found: Option<Found<ThrottleBody>> = records.get(call.now, attempt.counted).await?;
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

    /// One more; `false` when somebody else counted at the same moment.
    async fn count(
        &self,
        now: Timestamp,
        env: &Env,
        subject: &Subject,
        found: Option<&Found<ThrottleBody>>,
    ) -> Result<bool, Fault> {
        let records = env.records();
        let failures = found.map_or(0, |found| found.body.failures).saturating_add(1);
        let body = ThrottleBody { failures, not_before: now + self.wait(failures, subject) };
        // Failures are remembered beyond the wait that they caused, or the longest one would end in a new beginning.
        let ends = body.not_before + self.config.longest_wait;
        match found {
            Some(found) => Ok(matches!(records.update(now, found, &body, ends, &[]).await?, Updated::Done(_))),
            None => match records.insert(now, &[records.new(subject.key, None, Tags::default(), ends, &body)?]).await {
                Ok(()) => Ok(true),
                Err(StoreError::Occupied) => Ok(false),
                Err(error) => Err(error.into()),
            },
        }
    }

    fn wait(&self, failures: u32, subject: &Subject) -> Duration {
        match failures.checked_sub(subject.free) {
            None | Some(0) => Duration::ZERO,
            Some(over) => self.config.first_wait.saturating_mul(1 << (over - 1).min(20)).min(subject.longest_wait),
        }
    }
}

/// One IPv4 address, or the 64 bits of IPv6 that one customer usually has.
fn network(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_after_the_free_failures() {
        let throttle = Throttle::new(Config::default());
        let key = throttle_key(&chancery_types::RealmId::parse("main").unwrap(), "name", "alice");
        for (longest_wait, longest) in [(throttle.config.longest_wait, 900), (BROAD_WAIT, 30)] {
            let subject = Subject { key, free: 5, longest_wait };
            let waits: Vec<u64> =
                [1, 5, 6, 7, 8, 40].map(|failures| throttle.wait(failures, &subject).as_secs()).into();
            assert_eq!(waits, [0, 0, 1, 2, 4, longest]);
        }
    }

    #[test]
    fn an_ipv6_customer_is_one_network() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
