//! The requests that clients have pushed to this process and that wait to be referred to.
//!
//! Each client has room for a number of them. It is counted in memory, so that a push costs the store one call;
//! each node counts on its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chancery_types::{ClientId, Key, Timestamp};

use super::Stay;

/// One network may have a quarter of a public client's room: anybody can push requests in its name.
const OF_ONE_NETWORK: usize = 4;

struct Open {
    key: Key,
    stay: Stay,
    network: Option<Box<str>>,
}

/// Those of each client.
#[derive(Default)]
pub struct PushedRequests(Mutex<BTreeMap<ClientId, Vec<Open>>>);

impl PushedRequests {
    /// Makes room for one more request of this client. If there is none, it says when there will be.
    ///
    /// `network` is where the request of a public client comes from, as far as that is known.
    ///
    /// # Errors
    /// The end of the request that ends first.
    pub fn take(
        &self,
        now: Timestamp,
        client: &ClientId,
        network: Option<Box<str>>,
        (key, ends): (Key, Timestamp),
        most: usize,
    ) -> Result<(), Timestamp> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = clients.entry(client.clone()).or_default();
        open.retain(|request| request.stay.lasts(now));
        let of_network = open.iter().filter(|request| request.network == network).count();
        if open.len() >= most || (network.is_some() && of_network >= most.div_ceil(OF_ONE_NETWORK)) {
            return Err(open.iter().map(|request| request.stay.ends()).min().unwrap_or(now));
        }
        open.push(Open { key, stay: Stay::new(now, ends), network });
        Ok(())
    }

    /// A request was answered, or not stored after all.
    pub fn give_back(&self, client: &ClientId, key: Key) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = clients.get_mut(client) {
            open.retain(|request| request.key != key);
            if open.is_empty() {
                clients.remove(client);
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

    fn key(of: u8) -> Key {
        Key::derive(&RealmId::parse("main").unwrap(), Kind::PUSHED_REQUEST, Partition([0, 0]), &[of])
    }

    #[test]
    fn there_is_room_again_when_one_has_ended_or_was_answered() {
        let (open, now) = (PushedRequests::default(), Timestamp::from_secs(1_800_000_000));
        let [app, other] = ["app", "other"].map(|id| ClientId::parse(id).unwrap());
        let take = |at: Timestamp, client, of| open.take(at, client, None, (key(of), at + MINUTE), 2);
        let later = now + Duration::from_secs(10);
        assert_eq!([take(now, &app, 1), take(later, &app, 2)], [Ok(()), Ok(())]);
        assert_eq!(take(later, &app, 3), Err(now + MINUTE));
        assert_eq!(take(later, &other, 4), Ok(()), "another client");
        open.give_back(&app, key(2));
        assert_eq!(take(later, &app, 5), Ok(()));
        assert_eq!(take(later, &app, 6), Err(now + MINUTE));
        assert_eq!(take(now + MINUTE, &app, 7), Ok(()), "the first has ended");
    }

    /// FR-01
    #[test]
    fn there_is_room_again_when_the_clock_is_set_back() {
        let (open, now) = (PushedRequests::default(), Timestamp::from_secs(1_800_000_000));
        let app = ClientId::parse("app").unwrap();
        let take = |at: Timestamp, of| open.take(at, &app, None, (key(of), at + MINUTE), 1);
        let ahead = now + 1_440 * MINUTE;
        assert_eq!([take(ahead, 1), take(ahead, 2)], [Ok(()), Err(ahead + MINUTE)]);
        assert_eq!([take(now, 3), take(now, 4)], [Ok(()), Err(now + MINUTE)]);
    }

    #[test]
    fn a_network_does_not_use_up_the_room_of_a_public_client() {
        let (open, now) = (PushedRequests::default(), Timestamp::from_secs(1_800_000_000));
        let spa = ClientId::parse("spa").unwrap();
        let take = |network: &str, of| open.take(now, &spa, Some(network.into()), (key(of), now + MINUTE), 8);
        assert_eq!([1, 2, 3].map(|of| take("a", of).is_ok()), [true, true, false]);
        assert!([4, 5].iter().all(|of| take("b", *of).is_ok()));
        assert!([6, 7, 8, 9].iter().all(|of| take(&of.to_string(), *of).is_ok()));
        assert!(take("c", 10).is_err(), "there is no more room");
    }
}
