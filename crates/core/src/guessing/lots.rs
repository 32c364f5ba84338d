//! A way in for those who find the line in front of a shared count too long, however it was filled.
//!
//! Whoever takes each place the moment it becomes free keeps the line full for ever. So beside the line one more attempt per
//! place is let through, drawn by lot among all that find it full: whoever keeps coming back gets in, and guessing becomes
//! no faster the more take part. This is counted in memory, so that an attempt that is turned away writes nothing. Several
//! nodes draw each by itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chancery_types::{Key, Timestamp};

/// How large a crowd is, is how many came within this time.
const WINDOW: Duration = Duration::from_secs(30);

/// How many counts are remembered. Beyond that those that the fewest have come to are forgotten.
const MOST: usize = 4096;

/// Those who found a count's line full, in this window and in the one before.
struct Crowd {
    since: Timestamp,
    now: u64,
    before: u64,
    /// When the next one is let through.
    next_at: Timestamp,
}

/// The crowds in front of full lines, by the key of the count.
#[derive(Default)]
pub struct Lots(Mutex<HashMap<Key, Crowd>>);

impl Lots {
    /// Whether this attempt is let through, of all that come: one per `pace` at most. `lot` is a random number.
    #[must_use]
    pub fn draw(&self, now: Timestamp, key: Key, pace: Duration, lot: u64) -> bool {
        let mut crowds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if crowds.len() >= MOST && !crowds.contains_key(&key) {
            forget(&mut crowds, now);
        }
        let crowd = crowds.entry(key).or_insert(Crowd { since: now, now: 0, before: 0, next_at: now + pace });
        let age = now.distance(crowd.since);
        if age >= WINDOW {
            let before = if age < 2 * WINDOW { crowd.now } else { 0 };
            *crowd = Crowd { since: now, now: 0, before, next_at: crowd.next_at.min(now + pace) };
        }
        crowd.now += 1;
        // As many as come within one pace share one chance.
        let places = WINDOW.as_millis() / pace.as_millis().max(1);
        let is_drawn = u128::from(lot % crowd.now.max(crowd.before)) < places;
        if !is_drawn || now < crowd.next_at {
            return false;
        }
        crowd.next_at = now + pace;
        true
    }
}

/// Makes room: for what is over, else for the half that the fewest have come to.
fn forget(crowds: &mut HashMap<Key, Crowd>, now: Timestamp) {
    crowds.retain(|_, crowd| now.distance(crowd.since) < 2 * WINDOW);
    if crowds.len() >= MOST {
        let mut by_size: Vec<(u64, Key)> =
            crowds.iter().map(|(key, crowd)| (crowd.now.max(crowd.before), *key)).collect();
        let (least, ..) = by_size.select_nth_unstable_by_key(MOST / 2, |(size, _)| *size);
        for (_, key) in least {
            crowds.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chancery_types::{Kind, Partition, RealmId};

    const PACE: Duration = Duration::from_secs(1);

    fn key(name: &str) -> Key {
        Key::derive(&RealmId::parse("main").unwrap(), Kind::THROTTLE, Partition([0, 0]), name.as_bytes())
    }

    /// Numbers as a good generator gives them, the same ones each time (splitmix64).
    fn lots() -> impl Iterator<Item = u64> {
        (1_u64..).map(|n| {
            let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
    }

    /// However many come, no more are let through than one per pace, from the first moment on; and some always are.
    #[test]
    fn a_larger_crowd_gets_no_more() {
        for per_second in [1, 2, 10, 100] {
            let (drawn, mut lots, key) = (Lots::default(), lots(), key("alice"));
            let mut now = Timestamp::from_secs(1_800_000_000);
            let mut through = 0;
            for _ in 0..600 {
                let come = (0..per_second).filter(|_| drawn.draw(now, key, PACE, lots.next().unwrap_or_default()));
                through += come.count();
                now = now + Duration::from_secs(1);
            }
            assert!((300..600).contains(&through), "{per_second} a second: {through} in 600 s");
        }
    }

    /// Of many who come, whoever comes as often as the others has the same chance, not only the first of each second.
    #[test]
    fn everybody_has_a_chance() {
        let (drawn, mut lots, key) = (Lots::default(), lots(), key("alice"));
        let mut now = Timestamp::from_secs(1_800_000_000);
        let mut through = [0; 4];
        for _ in 0..2000 {
            for place in &mut through {
                *place += u32::from(drawn.draw(now, key, PACE, lots.next().unwrap_or_default()));
            }
            now = now + Duration::from_secs(1);
        }
        assert!(through.iter().all(|times| *times > 150), "{through:?}");
    }

    /// Whoever makes up names does not take away the memory of a crowd, and the memory has an end.
    #[test]
    fn made_up_names_push_no_crowd_out() {
        let (drawn, now) = (Lots::default(), Timestamp::from_secs(1_800_000_000));
        for lot in 0..1000 {
            let _ = drawn.draw(now, key("alice"), PACE, lot);
        }
        for n in 0..3 * MOST {
            let _ = drawn.draw(now, key(&format!("made up {n}")), PACE, 0);
        }
        assert!(drawn.0.lock().unwrap().len() <= MOST);
        let later = now + PACE;
        assert!(!drawn.draw(later, key("alice"), PACE, 999), "a thousand are before");
    }
}
