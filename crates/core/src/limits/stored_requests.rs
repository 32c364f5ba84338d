//! The requests that this process has stored before anybody did anything for them: they are too long for a
//! URL, or their page finds them by client.
//!
//! Whoever opens an authorization request can make one, so their number is bounded. It is counted in memory,
//! so that a flood costs the store nothing; each node counts on its own.

use std::sync::{Mutex, PoisonError};

use chancery_types::{Key, Timestamp};

use super::Stay;

/// How many of them one session may have, so that a page that opens requests in somebody's browser cannot
/// use up the room of all.
pub const OF_ONE_SESSION: usize = 16;

/// One network may have a quarter of the room.
const OF_ONE_NETWORK: usize = 4;

struct Stored {
    stay: Stay,
    session: Option<Key>,
    network: Option<Box<str>>,
}

/// How long each of them lives, and whose it is.
#[derive(Default)]
pub struct StoredRequests(Mutex<Vec<Stored>>);

impl StoredRequests {
    /// Makes room for one more, of this session and this network, as far as they are known; `false` if there are
    /// too many. One that is alive never makes way for another.
    pub fn take(
        &self,
        (now, ends): (Timestamp, Timestamp),
        session: Option<Key>,
        network: Option<Box<str>>,
        most: usize,
    ) -> bool {
        let mut alive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        alive.retain(|stored| stored.stay.lasts(now));
        let of_session = alive.iter().filter(|stored| stored.session == session).count();
        let of_network = alive.iter().filter(|stored| stored.network == network).count();
        let is_full = alive.len() >= most
            || (session.is_some() && of_session >= OF_ONE_SESSION)
            || (network.is_some() && of_network >= most.div_ceil(OF_ONE_NETWORK));
        if !is_full {
            alive.push(Stored { stay: Stay::new(now, ends), session, network });
        }
        !is_full
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chancery_types::{Kind, Partition, RealmId};
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn there_is_room_again_when_one_has_ended() {
        let (stored, now) = (StoredRequests::default(), Timestamp::from_secs(1_800_000_000));
        let later = now + Duration::from_secs(60);
        let take = |at: Timestamp| stored.take((at, at + HOUR), None, None, 2);
        assert_eq!([take(now), take(later), take(later)], [true, true, false]);
        assert_eq!([take(now + HOUR), take(now + HOUR)], [true, false], "the first has ended");
    }

    /// FR-01: the clock was ahead by a day, and the room is not lost for that day when it is right again.
    #[test]
    fn there_is_room_again_when_the_clock_is_set_back() {
        let (stored, now) = (StoredRequests::default(), Timestamp::from_secs(1_800_000_000));
        let take = |at: Timestamp| stored.take((at, at + HOUR), None, None, 2);
        let ahead = now + 24 * HOUR;
        assert_eq!([take(ahead), take(ahead), take(ahead)], [true, true, false]);
        assert_eq!([take(now), take(now), take(now)], [true, true, false]);
    }

    #[test]
    fn a_session_does_not_use_up_the_room_of_all() {
        let (stored, now) = (StoredRequests::default(), Timestamp::from_secs(1_800_000_000));
        let realm = RealmId::parse("main").unwrap();
        let session = |seed: u8| Some(Key::derive(&realm, Kind::SESSION, Partition([seed, 0]), &[seed]));
        let take = |session| stored.take((now, now + HOUR), session, None, 40);
        assert!((0..OF_ONE_SESSION).all(|_| take(session(1))));
        assert!(!take(session(1)));
        assert!(take(session(2)) && take(None));
    }

    #[test]
    fn nor_does_a_network() {
        let (stored, now) = (StoredRequests::default(), Timestamp::from_secs(1_800_000_000));
        let take = |network: Option<&str>| stored.take((now, now + HOUR), None, network.map(Into::into), 10);
        assert_eq!([(); 4].map(|()| take(Some("a"))), [true, true, true, false]);
        assert!(take(Some("b")), "another network");
        assert!((0..6).all(|_| take(None)), "who comes from nowhere known");
        assert!(!take(None), "there is no more room");
    }
}
