//! Against guessing: failures of a typed name and of a network, remembered for minutes. Only failures are written, and
//! unknown names are treated as known ones, so that nobody learns which exist.

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
    /// Failures of one name before its next attempt has to wait.
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
            name_failures: 5,
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
}

impl Throttle {
    /// From the configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Whether an attempt may be looked at now.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn is_open(&self, call: &Call, env: &Env, name: &str) -> Result<bool, Fault> {
        for subject in self.subjects(call, env, name) {
            let found = env.records().get::<ThrottleBody>(call.now, subject.key).await?;
            if found.is_some_and(|found| call.now < found.body.not_before) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Counts a failure of the name and of the network.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn failed(&self, call: &Call, env: &Env, name: &str) -> Result<(), Fault> {
        for subject in self.subjects(call, env, name) {
            self.count(call.now, env, &subject).await?;
        }
        Ok(())
    }

    async fn count(&self, now: Timestamp, env: &Env, subject: &Subject) -> Result<(), Fault> {
        let records = env.records();
        // Who loses three races in a row is one of many attempts at once, and the others are counted.
        for _ in 0..3 {
            let found: Option<Found<ThrottleBody>> = records.get(now, subject.key).await?;
            let failures = found.as_ref().map_or(0, |found| found.body.failures).saturating_add(1);
            let body = ThrottleBody { failures, not_before: now + self.wait(failures, subject.free) };
            let ends = now + self.config.longest_wait;
            let is_written = match &found {
                Some(found) => matches!(records.update(now, found, (&body, ends), &[]).await?, Updated::Done(_)),
                None => {
                    let record = records.new(subject.key, None, Tags::default(), ends, &body)?;
                    match records.insert(now, &[record]).await {
                        Ok(()) => true,
                        Err(StoreError::Occupied) => false,
                        Err(error) => return Err(error.into()),
                    }
                }
            };
            if is_written {
                return Ok(());
            }
        }
        Ok(())
    }

    fn wait(&self, failures: u32, free: u32) -> Duration {
        match failures.checked_sub(free) {
            None | Some(0) => Duration::ZERO,
            Some(over) => self.config.first_wait.saturating_mul(1 << (over - 1).min(20)).min(self.config.longest_wait),
        }
    }

    fn subjects(&self, call: &Call, env: &Env, name: &str) -> Vec<Subject> {
        let name = throttle_key(&env.realm, "name", &name.trim().to_lowercase());
        let network = call.peer.map(|peer| throttle_key(&env.realm, "network", &network(peer)));
        let mut subjects = vec![Subject { key: name, free: self.config.name_failures }];
        subjects.extend(network.map(|key| Subject { key, free: self.config.network_failures }));
        subjects
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
        let waits: Vec<u64> = [1, 5, 6, 7, 8, 40].map(|failures| throttle.wait(failures, 5).as_secs()).into();
        assert_eq!(waits, [0, 0, 1, 2, 4, 900]);
    }

    #[test]
    fn an_ipv6_customer_is_one_network() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
