//! How many notices are under way at the same time: so few to one receiver, and so few to those that have been slow,
//! that dead receivers delay no other, however many there are.
//!
//! Who is new has one of [`PLACES`], and keeps it for about a second; an attempt that takes longer goes on without. Who has
//! been slow the last time has one of [`SLOW_PLACES`] beside them, until the attempt ends; if these are taken, attempts
//! have turns in the order in which they asked, so that each of them gets a place.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chancery_types::{ClientId, Timestamp};

use super::ATTEMPT;

/// Whom notices go to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Receiver {
    /// A client.
    Client(ClientId),
    /// Whoever tells people what waits for their approval.
    Notifier,
}

impl Receiver {
    /// How many notices are under way to it at the same time.
    pub(super) const fn at_once(&self) -> usize {
        match self {
            Self::Client(_) => PER_CLIENT,
            Self::Notifier => TO_NOTIFIER,
        }
    }
}

/// For receivers that have not been slow.
pub(super) const PLACES: usize = 64;

/// For receivers that have been slow.
const SLOW_PLACES: u32 = 64;

/// To one client.
const PER_CLIENT: usize = 4;

/// To whoever tells people what waits for them: one for all clients and all people.
const TO_NOTIFIER: usize = 32;

/// How long an attempt keeps its place: until the next run begins, and runs begin each second. As those that end later
/// go on, `PLACES * ATTEMPT / KEPT + SLOW_PLACES` are under way at most.
const KEPT: Duration = Duration::from_millis(900);

/// A receiver is slow whose last attempt took longer. The time is known from the beginnings of the runs, one each second,
/// so that it took longer than a second in any case.
const QUICK: Duration = Duration::from_secs(2);

/// The wait of one that has its turn, but no place yet: the next run takes it before all others.
const NEXT_RUN: Duration = Duration::from_millis(1);

/// For how long it counts as slow: longer than it waits for its next attempt.
const REMEMBERED: Duration = Duration::from_secs(20 * 60);

/// How many slow clients are known. Beyond that one makes room for another.
const MOST_REMEMBERED: usize = 4096;

/// The notices that are under way from this process.
pub(super) struct Lanes(Mutex<UnderWay>);

struct UnderWay {
    /// When the latest run began.
    now: Timestamp,
    claimed: usize,
    /// When those began that keep a place, by their number.
    keep_place: BTreeMap<u64, Timestamp>,
    next_number: u64,
    to_slow: u32,
    /// The next turn of an attempt to a slow receiver. While it lies ahead, others wait for theirs.
    next_turn: Timestamp,
    of_receiver: BTreeMap<Receiver, usize>,
    /// Until when each slow receiver counts as one.
    slow: HashMap<Receiver, Timestamp>,
}

/// Places for notices that are about to be leased. Those that are not taken are free again when this is
/// dropped.
pub(super) struct Claim<'l> {
    lanes: &'l Lanes,
    left: usize,
}

/// The place of one notice in its receiver's lane. It is free again when this is dropped.
pub(super) struct Place<'l> {
    lanes: &'l Lanes,
    receiver: Receiver,
    begun: Timestamp,
    lane: Lane,
}

enum Lane {
    /// It has this number.
    New(u64),
    Slow,
}

/// Why there is no place for a notice.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// There are enough to this receiver.
    Receiver,
    /// There are enough to slow receivers, and it has its turn after this time.
    Slow(Duration),
}

impl Lanes {
    pub(super) fn new() -> Self {
        let never = Timestamp::from_millis(0);
        Self(Mutex::new(UnderWay {
            now: never,
            claimed: 0,
            keep_place: BTreeMap::new(),
            next_number: 0,
            to_slow: 0,
            next_turn: never,
            of_receiver: BTreeMap::new(),
            slow: HashMap::new(),
        }))
    }

    /// A run begins. Runs begin one after the other; if the time is earlier all the same, the clock was set back, and
    /// whatever was to happen by it happens now.
    pub(super) fn run_begins(&self, now: Timestamp) {
        let mut under_way = self.lock();
        if now < under_way.now {
            under_way.next_turn = now;
            under_way.slow.clear();
            under_way.keep_place.values_mut().for_each(|begun| *begun = now);
        }
        under_way.now = now;
    }

    /// The time at which the latest run began.
    pub(super) fn now(&self) -> Timestamp {
        self.lock().now
    }

    /// Claims at most so many places.
    pub(super) fn claim(&self, wanted: usize) -> Claim<'_> {
        let mut under_way = self.lock();
        let now = under_way.now;
        under_way.keep_place.retain(|_, begun| now.since(*begun) < KEPT);
        let left = wanted.min(PLACES.saturating_sub(under_way.claimed + under_way.keep_place.len()));
        under_way.claimed += left;
        Claim { lanes: self, left }
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    fn is_slow(&self, receiver: &Receiver) -> bool {
        self.slow.get(receiver).is_some_and(|until| *until > self.now)
    }

    /// The wait for a turn after those of all others, when the attempts that are under way have ended. There are no more
    /// turns than places become free, as each run fills those that have become free since the former one.
    fn turn(&mut self) -> Duration {
        let turn = self.next_turn.max(self.now + ATTEMPT);
        self.next_turn = turn + (ATTEMPT + KEPT) / SLOW_PLACES;
        turn.since(self.now)
    }

    fn remember(&mut self, receiver: &Receiver, took: Duration) {
        if took <= QUICK {
            self.slow.remove(receiver);
            return;
        }
        let now = self.now;
        if self.slow.len() >= MOST_REMEMBERED {
            self.slow.retain(|_, until| *until > now);
        }
        if self.slow.len() >= MOST_REMEMBERED
            && let Some(any) = self.slow.keys().next().cloned()
        {
            self.slow.remove(&any);
        }
        self.slow.insert(receiver.clone(), now + REMEMBERED);
    }
}

impl<'l> Claim<'l> {
    /// How many places there are.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// A place for a notice to this receiver, which may have its turn among those to slow ones.
    pub(super) fn take(&mut self, receiver: &Receiver, has_turn: bool) -> Result<Place<'l>, Full> {
        let mut under_way = self.lanes.lock();
        let taken = under_way.of_receiver.get(receiver).copied().unwrap_or_default();
        if taken >= receiver.at_once() || self.left == 0 {
            return Err(Full::Receiver);
        }
        let begun = under_way.now;
        let lane = if !under_way.is_slow(receiver) {
            let number = under_way.next_number;
            under_way.next_number = number.wrapping_add(1);
            under_way.keep_place.insert(number, begun);
            under_way.claimed -= 1;
            self.left -= 1;
            Lane::New(number)
        } else if !has_turn && (under_way.to_slow == SLOW_PLACES || under_way.next_turn > begun) {
            return Err(Full::Slow(under_way.turn()));
        } else if under_way.to_slow == SLOW_PLACES {
            // Those before it take longer than they should.
            return Err(Full::Slow(NEXT_RUN));
        } else {
            under_way.to_slow += 1;
            Lane::Slow
        };
        under_way.of_receiver.insert(receiver.clone(), taken + 1);
        Ok(Place { lanes: self.lanes, receiver: receiver.clone(), begun, lane })
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.lanes.lock().claimed -= self.left;
    }
}

impl Drop for Place<'_> {
    /// However the attempt has ended.
    fn drop(&mut self) {
        let mut under_way = self.lanes.lock();
        match self.lane {
            Lane::New(number) => drop(under_way.keep_place.remove(&number)),
            Lane::Slow => under_way.to_slow -= 1,
        }
        let took = under_way.now.since(self.begun);
        under_way.remember(&self.receiver, took);
        if let Some(taken) = under_way.of_receiver.get_mut(&self.receiver) {
            *taken -= 1;
            if *taken == 0 {
                under_way.of_receiver.remove(&self.receiver);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str) -> Receiver {
        Receiver::Client(ClientId::parse(id).unwrap())
    }

    fn clients(prefix: &str) -> Vec<Receiver> {
        (0..100).map(|n| client(&format!("{prefix}{n}"))).collect()
    }

    /// Places for as many of these clients as there is room for.
    fn taken<'l>(lanes: &'l Lanes, clients: &[Receiver]) -> Vec<Place<'l>> {
        let mut claim = lanes.claim(clients.len());
        clients.iter().filter_map(|client| claim.take(client, false).ok()).collect()
    }

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let lanes = Lanes::new();
        let mut claim = lanes.claim(10);
        let places: Vec<_> = (0..PER_CLIENT).map(|_| claim.take(&client("app"), false).unwrap()).collect();
        assert_eq!(claim.take(&client("app"), false).err(), Some(Full::Receiver));
        let other = claim.take(&client("other"), false).unwrap();
        assert_eq!(lanes.claim(1000).left(), PLACES - 10, "what is claimed is not free");
        drop(claim);
        assert_eq!(lanes.claim(1000).left(), PLACES - PER_CLIENT - 1);
        drop((places, other));
        assert_eq!(lanes.claim(1000).left(), PLACES);
        assert!(lanes.claim(1).take(&client("app"), false).is_ok());
    }

    #[test]
    fn slow_attempts_give_up_their_places() {
        let (lanes, begun) = (Lanes::new(), Timestamp::from_secs(9));
        lanes.run_begins(begun);
        let first = taken(&lanes, &clients("a"));
        assert_eq!((first.len(), lanes.claim(1).left()), (PLACES, 0));
        lanes.run_begins(begun + KEPT / 2);
        assert_eq!(lanes.claim(1).left(), 0);
        lanes.run_begins(begun + KEPT);
        let second = taken(&lanes, &clients("b"));
        assert_eq!(second.len(), PLACES);
        drop(first);
        assert_eq!(lanes.claim(1).left(), 0, "it was free already");
        assert_eq!(lanes.now(), begun + KEPT);
        drop(second);
        assert_eq!(lanes.claim(1000).left(), PLACES);
        assert!(lanes.lock().slow.is_empty(), "not slow enough");
    }

    #[test]
    fn slow_clients_wait_for_each_other() {
        let (lanes, slow, mut now) = (Lanes::new(), clients("slow"), Timestamp::from_secs(9));
        let mut ends = |lanes: &Lanes, places: Vec<Place<'_>>, after: Duration| {
            now = now + after;
            lanes.run_begins(now);
            drop(places);
            now
        };
        for part in slow.chunks(50) {
            ends(&lanes, taken(&lanes, part), ATTEMPT);
        }
        let places = taken(&lanes, &slow[..64]);
        assert_eq!((places.len(), lanes.claim(1000).left()), (64, PLACES), "they have places of their own");
        let mut claim = lanes.claim(1000);
        let turns: Vec<_> =
            slow[64..].iter().map(|client| claim.take(client, false).err().unwrap()).collect();
        let turn = |n: u32| Full::Slow(ATTEMPT + Duration::from_millis(92) * n);
        assert_eq!(turns, (0..36).map(turn).collect::<Vec<_>>(), "each has a turn of its own");
        let late = claim.take(&slow[64], true).err();
        assert_eq!(late, Some(Full::Slow(NEXT_RUN)), "it keeps its turn");
        assert!(claim.take(&client("quick"), false).is_ok());
        ends(&lanes, places, QUICK);
        assert_eq!(lanes.lock().slow.len(), 36, "the others were quick");
        let last = Full::Slow(ATTEMPT - QUICK + Duration::from_millis(92) * 36);
        assert_eq!(claim.take(&slow[65], false).err(), Some(last), "nobody goes before those who wait");
        assert!(claim.take(&slow[64], true).is_ok());
        drop(claim);
        ends(&lanes, Vec::new(), REMEMBERED);
        assert_eq!(taken(&lanes, &slow[64..]).len(), 36);
        assert!(lanes.lock().slow.is_empty());
    }

    /// The clock was a day ahead: nobody waits for that day to pass, and nobody who was not slow counts as slow.
    #[test]
    fn a_clock_that_is_set_back_is_followed() {
        let (lanes, slow, right) = (Lanes::new(), clients("slow"), Timestamp::from_secs(9));
        let ahead = right + Duration::from_secs(86_400);
        lanes.run_begins(ahead);
        let quick = taken(&lanes, &slow[..50]);
        slow[50..].iter().for_each(|client| lanes.lock().remember(client, ATTEMPT));
        lanes.lock().next_turn = ahead + ATTEMPT;
        lanes.run_begins(right);
        assert_eq!((lanes.now(), lanes.claim(1000).left()), (right, PLACES - 50), "as if they had begun now");
        lanes.run_begins(right + KEPT);
        assert_eq!(lanes.claim(1000).left(), PLACES);
        drop(quick);
        assert!(lanes.lock().slow.is_empty());
        let turn = lanes.lock().turn();
        assert_eq!(turn, ATTEMPT, "the first turn is the next one");
    }

    #[test]
    fn so_many_slow_clients_are_known() {
        let lanes = Lanes::new();
        for n in 0..MOST_REMEMBERED + 9 {
            lanes.lock().remember(&client(&n.to_string()), ATTEMPT);
        }
        assert_eq!(lanes.lock().slow.len(), MOST_REMEMBERED);
        lanes.run_begins(Timestamp::from_millis(0) + REMEMBERED);
        lanes.lock().remember(&client("one"), ATTEMPT);
        assert_eq!(lanes.lock().slow.len(), 1);
    }
}
