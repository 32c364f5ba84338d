//! When clients have last asked for what a person decides elsewhere (RFC 8628 section 3.5).
//!
//! It is remembered in memory, so that a poll costs the store one look. Each node remembers the polls that
//! came to it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chancery_types::{Key, Timestamp};

/// How many are remembered. If there are more, those that polled longest ago are forgotten first: forgetting
/// one lets it poll too early once.
const MOST: usize = 100_000;

/// For how long a poll is remembered at least, if there is room.
const KEPT: Duration = Duration::from_secs(60);

/// How much earlier than agreed a poll may be: networks delay one request more than the next.
const TOLERANCE: Duration = Duration::from_millis(500);

/// The last poll of each that waits.
#[derive(Default)]
pub struct Polls(Mutex<HashMap<Key, Timestamp>>);

impl Polls {
    /// Remembers a poll; whether it came before its interval was over.
    pub fn is_early(&self, now: Timestamp, key: Key, interval: Duration) -> bool {
        let mut polls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if polls.len() >= MOST {
            polls.retain(|_, last| now.since(*last) < KEPT);
        }
        if polls.len() >= MOST {
            polls.clear();
        }
        let last = polls.insert(key, now);
        last.is_some_and(|last| now.distance(last) + TOLERANCE < interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chancery_types::{Kind, Partition, RealmId};

    #[test]
    fn a_poll_is_early_until_its_interval_is_over() {
        let (polls, start) = (Polls::default(), Timestamp::from_secs(1_800_000_000));
        let key = |of: u8| {
            Key::derive(&RealmId::parse("main").unwrap(), Kind::DEVICE_CODE, Partition([0, 0]), &[of])
        };
        let early = |millis: u64, of| {
            polls.is_early(start + Duration::from_millis(millis), key(of), Duration::from_secs(5))
        };
        assert!(!early(0, 1), "the first");
        assert!(early(4_000, 1));
        assert!(!early(4_000, 2), "another device");
        assert!(early(8_499, 1), "counted from the last poll, also from one that was too early");
        assert!(!early(12_999, 1), "networks delay");
        assert!(!early(18_000, 1));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (polls, start) = (Polls::default(), Timestamp::from_secs(1_800_000_000));
        let realm = RealmId::parse("main").unwrap();
        for of in 0..=MOST {
            let key = Key::derive(&realm, Kind::DEVICE_CODE, Partition([0, 0]), &of.to_be_bytes());
            polls.is_early(start, key, Duration::from_secs(5));
        }
        assert!(polls.0.lock().unwrap().len() <= MOST);
    }
}
