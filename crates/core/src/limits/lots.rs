//! Gives everybody a chance to sign in although the line in front of a shared count is full, however it was
//! filled.
//!
//! An attacker who takes each place as soon as it becomes free keeps the line full for ever. One more attempt
//! per pace is therefore let through beside the line. An attempt that finds no place is told when to come
//! back, and takes part in a draw when it does; strangers who use a new address each time never do. One of
//! those who come back is drawn by lot, so guessing does not become faster the more take part, and everybody
//! who keeps coming back gets in eventually.
//!
//! This is counted in memory, so an attempt that is turned away writes nothing. Each node draws on its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chancery_types::{Key, Timestamp};

/// The size of a crowd is the number of attempts that came within this time.
const WINDOW: Duration = Duration::from_secs(30);

/// How soon an attempt that found no place should be repeated.
const COMES_BACK: Duration = Duration::from_secs(10);

/// For how long after that it can take part in the draw.
const TAKES_PART: Duration = Duration::from_secs(120);

/// How many crowds, and how many attempts that were told to come back, are remembered. Beyond that the less
/// important half is forgotten: the smallest crowds, and the attempts that were told first.
const MOST: usize = 16_384;

/// The attempts that have come back to a full line, in this window and in the previous one.
struct Crowd {
    since: Timestamp,
    now: u64,
    before: u64,
    /// When the next one is let through.
    next_at: Timestamp,
}

/// What is remembered of full lines.
#[derive(Default)]
struct Memory {
    /// By the key of the count that the line belongs to.
    crowds: HashMap<Key, Crowd>,
    /// When attempts that were told to come back should do so, by the key of what is counted for them alone.
    told: HashMap<Key, Timestamp>,
}

/// The draws in front of full lines.
#[derive(Default)]
pub struct Lots(Mutex<Memory>);

impl Lots {
    /// How long an attempt that found the line of `count` full has to wait. `None` if it is let through,
    /// which happens at most once per `pace` to those who come back. `lot` is a random number.
    #[must_use]
    pub fn draw(&self, now: Timestamp, count: Key, own: Key, pace: Duration, lot: u64) -> Option<Duration> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match memory.told.get(&own) {
            // Coming back too early changes nothing.
            Some(at) if now < *at && at.since(now) <= COMES_BACK => return Some(at.since(now)),
            Some(at) if *at <= now && now.since(*at) <= TAKES_PART => {}
            _ => return Some(memory.tell(now, own)),
        }
        if !memory.takes_part(now, count, pace, lot) {
            return Some(memory.tell(now, own));
        }
        memory.told.remove(&own);
        None
    }
}

impl Memory {
    /// Tells somebody when to come back.
    fn tell(&mut self, now: Timestamp, own: Key) -> Duration {
        if self.told.len() >= MOST && !self.told.contains_key(&own) {
            let keep = half(self.told.values().map(|at| at.millis()));
            self.told.retain(|_, at| at.millis() > keep && at.since(now) <= COMES_BACK);
        }
        self.told.insert(own, now + COMES_BACK);
        COMES_BACK
    }

    /// Adds one participant and returns whether it is drawn.
    fn takes_part(&mut self, now: Timestamp, count: Key, pace: Duration, lot: u64) -> bool {
        if self.crowds.len() >= MOST && !self.crowds.contains_key(&count) {
            let keep = half(self.crowds.values().map(|crowd| crowd.now.max(crowd.before)));
            self.crowds.retain(|_, crowd| crowd.now.max(crowd.before) > keep);
        }
        let crowd = self.crowds.entry(count).or_insert(Crowd { since: now, now: 0, before: 0, next_at: now });
        let age = now.distance(crowd.since);
        if age >= WINDOW {
            let before = if age < 2 * WINDOW { crowd.now } else { 0 };
            *crowd = Crowd { since: now, now: 0, before, next_at: crowd.next_at.min(now + pace) };
        }
        crowd.now += 1;
        // All who come within one pace share half a chance; otherwise an attempt right at the end of each
        // pace would always win.
        let places = WINDOW.as_millis() / pace.as_millis().max(1) / 2;
        let is_drawn = u128::from(lot % crowd.now.max(crowd.before)) < places.max(1);
        if !is_drawn || now < crowd.next_at {
            return false;
        }
        crowd.next_at = now + pace;
        true
    }
}

/// The median of these numbers.
fn half<N: Ord + Copy + Default>(numbers: impl Iterator<Item = N>) -> N {
    let mut numbers: Vec<N> = numbers.collect();
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => N::default(),
        _ => *numbers.select_nth_unstable(middle).1,
    }
}

#[cfg(test)]
mod tests {
    use chancery_seeded::Seeded;

    use super::*;
    use chancery_types::{Kind, Partition, RealmId};

    const PACE: Duration = Duration::from_secs(1);

    fn key(name: &str) -> Key {
        Key::derive(&RealmId::parse("main").unwrap(), Kind::THROTTLE, Partition([0, 0]), name.as_bytes())
    }

    fn lots() -> impl Iterator<Item = u64> {
        let mut seeded = Seeded::new(0);
        std::iter::repeat_with(move || seeded.number())
    }

    /// However many come back, at most one per pace is let through, from the first moment on; and some always
    /// are.
    #[test]
    fn a_larger_crowd_gets_no_more() {
        for come in [1, 2, 10, 100] {
            let (drawn, mut lots, count) = (Lots::default(), lots(), key("alice"));
            let mut now = Timestamp::from_secs(1_800_000_000);
            let mut through = 0;
            for second in 0..600 {
                // Each of them comes every ten seconds.
                let crowd = (0..come).map(|n| key(&format!("{n} of {}", second % 10)));
                through += crowd
                    .filter(|own| {
                        drawn.draw(now, count, *own, PACE, lots.next().unwrap_or_default()).is_none()
                    })
                    .count();
                now = now + Duration::from_secs(1);
            }
            assert!((50..=600).contains(&through), "{come} a second: {through} in 600 s");
        }
    }

    /// Of many who come back, everybody who comes as often as the others gets in, not only the first of each
    /// second.
    #[test]
    fn everybody_has_a_chance() {
        let (drawn, mut lots, count) = (Lots::default(), lots(), key("alice"));
        let mut now = Timestamp::from_secs(1_800_000_000);
        let mut through = [0; 40];
        for _ in 0..200 {
            // Each of them comes every ten seconds, four in each, always in the same order.
            for (second, come) in through.chunks_mut(4).enumerate() {
                for (n, times) in come.iter_mut().enumerate() {
                    let own = key(&format!("{n} of {second}"));
                    *times += u32::from(
                        drawn.draw(now, count, own, PACE, lots.next().unwrap_or_default()).is_none(),
                    );
                }
                now = now + PACE;
            }
        }
        assert!(through.iter().all(|times| *times > 5), "{through:?}");
    }

    /// Strangers who never come back do not take part, however many they are; and coming back too early
    /// changes nothing.
    #[test]
    fn who_never_comes_back_takes_part_in_nothing() {
        let (drawn, count, alice) = (Lots::default(), key("alice"), key("alice from home"));
        let mut now = Timestamp::from_secs(1_800_000_000);
        assert_eq!(drawn.draw(now, count, alice, PACE, 0), Some(COMES_BACK));
        now = now + Duration::from_secs(4);
        assert_eq!(drawn.draw(now, count, alice, PACE, 0), Some(Duration::from_secs(6)));
        for n in 0..5000 {
            assert!(drawn.draw(now, count, key(&format!("address {n}")), PACE, 0).is_some());
        }
        assert_eq!(drawn.draw(now + Duration::from_secs(6), count, alice, PACE, 4999), None);
        // A time set by a clock that was ahead is ignored.
        let before = Timestamp::from_secs(1_700_000_000);
        assert_eq!(drawn.draw(before, count, key("address 7"), PACE, 0), Some(COMES_BACK));
    }

    /// Made-up names cannot push a crowd out of memory, and the memory is bounded.
    #[test]
    fn made_up_names_push_no_crowd_out() {
        let (drawn, now) = (Lots::default(), Timestamp::from_secs(1_800_000_000));
        let come = |count: &str, own: &str, lot| {
            let _ = drawn.draw(now, key(count), key(own), PACE, lot);
            drawn.draw(now + COMES_BACK, key(count), key(own), PACE, lot)
        };
        for n in 0..1000 {
            let _ = come("alice", &format!("alice {n}"), 999);
        }
        for n in 0..3 * MOST {
            let _ = come(&format!("made up {n}"), "somebody", 0);
            let _ = drawn.draw(now, key("alice"), key(&format!("made up {n}")), PACE, 0);
        }
        let memory = drawn.0.lock().unwrap();
        assert!(memory.crowds.len() <= MOST && memory.told.len() <= MOST);
        assert!(
            memory.crowds.get(&key("alice")).is_some_and(|crowd| crowd.now >= 1000),
            "a thousand are before"
        );
    }
}
