//! How many requests have reached each person in the background (CIBA Core section 7, RFC 10027 section 6.1.11).
//!
//! They are counted in memory, so that a request costs the store one call; each node counts on its own. What was
//! approved does not count any more; what was refused does until its time is over, so that nobody is asked again
//! and again until they give in.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chancery_types::{AccountId, Key, Timestamp};

use super::Stay;

/// From how many people on those who are not asked any more are forgotten.
const MANY: usize = 10_000;

/// Those of each person, and how long they wait.
#[derive(Default)]
pub struct AskedPeople(Mutex<BTreeMap<AccountId, Vec<(Key, Stay)>>>);

impl AskedPeople {
    /// Makes room for one more request to this person. If there is none, it says when there will be.
    ///
    /// # Errors
    /// The end of the request that ends first.
    pub fn take(
        &self,
        now: Timestamp,
        account: &AccountId,
        (key, ends): (Key, Timestamp),
        most: usize,
    ) -> Result<(), Timestamp> {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= MANY {
            people.retain(|_, open| open.iter().any(|(_, stay)| stay.lasts(now)));
        }
        let open = people.entry(account.clone()).or_default();
        open.retain(|(_, stay)| stay.lasts(now));
        if open.len() >= most {
            return Err(open.iter().map(|(_, stay)| stay.ends()).min().unwrap_or(now));
        }
        open.push((key, Stay::new(now, ends)));
        Ok(())
    }

    /// A request was approved, or not stored after all.
    pub fn give_back(&self, account: &AccountId, key: Key) {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = people.get_mut(account) {
            open.retain(|(of, _)| *of != key);
            if open.is_empty() {
                people.remove(account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chancery_types::{Kind, Partition, RealmId};
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_secs(60);

    fn key(of: u32) -> Key {
        let realm = RealmId::parse("main").unwrap();
        Key::derive(&realm, Kind::BACKCHANNEL_AUTHENTICATION, Partition([0, 0]), &of.to_be_bytes())
    }

    fn person(of: u32) -> AccountId {
        AccountId::parse(&format!("person-{of}")).unwrap()
    }

    #[test]
    fn a_person_is_asked_so_often() {
        let (asked, now) = (AskedPeople::default(), Timestamp::from_secs(1_800_000_000));
        let take = |at: Timestamp, who, of| asked.take(at, &person(who), (key(of), at + MINUTE), 2);
        let later = now + Duration::from_secs(10);
        assert_eq!([take(now, 1, 1), take(later, 1, 2)], [Ok(()), Ok(())]);
        assert_eq!(take(later, 1, 3), Err(now + MINUTE));
        assert_eq!(take(later, 2, 4), Ok(()), "another person");
        asked.give_back(&person(1), key(2));
        assert_eq!(take(later, 1, 5), Ok(()));
        assert_eq!(take(later, 1, 6), Err(now + MINUTE));
        assert_eq!(take(now + MINUTE, 1, 7), Ok(()), "the first has ended");
    }

    /// FR-01
    #[test]
    fn a_person_can_be_asked_again_when_the_clock_is_set_back() {
        let (asked, now) = (AskedPeople::default(), Timestamp::from_secs(1_800_000_000));
        let take = |at: Timestamp, of| asked.take(at, &person(1), (key(of), at + MINUTE), 1);
        let ahead = now + 1_440 * MINUTE;
        assert_eq!([take(ahead, 1), take(ahead, 2)], [Ok(()), Err(ahead + MINUTE)]);
        assert_eq!([take(now, 3), take(now, 4)], [Ok(()), Err(now + MINUTE)]);
    }

    #[test]
    fn who_is_not_asked_any_more_is_forgotten() {
        let (asked, now) = (AskedPeople::default(), Timestamp::from_secs(1_800_000_000));
        for of in 0..10_000 {
            asked.take(now, &person(of), (key(of), now + MINUTE), 2).unwrap();
        }
        asked.take(now + MINUTE, &person(10_000), (key(1), now + MINUTE + MINUTE), 2).unwrap();
        assert_eq!(asked.0.lock().unwrap().len(), 1);
    }
}
