//! When a key is published, signs and verifies, and what a rotation does to the existing keys (OIDC Core
//! section 10.1.1).
//!
//! A key is published some time before it signs, so that every cache of the JWKS has it by then. It signs
//! until its successor takes over, and stays published until the last token that it signed has expired. A key
//! for encryption is published until its successor takes over, and decrypts for a while after that. These times
//! are part of the key set, so every node switches over without being told.

use std::time::Duration;

use chancery_types::Timestamp;
use serde::{Deserialize, Serialize};

/// The times of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTimes {
    /// When it enters the JWKS.
    pub publish_at: Timestamp,
    /// When it starts to sign, which is not before every cache of the JWKS has it.
    pub sign_from: Timestamp,
    /// `None` as long as no other key is due to replace it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<KeyEnd>,
    /// When it was made, if its other times do not tell: see [`KeyTimes::first`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
}

const BEGINNING: Timestamp = Timestamp::from_millis(0);

/// When a key stops signing and when it leaves the JWKS. Both are set together, because otherwise a key could
/// sign tokens that outlive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEnd {
    sign_until: Timestamp,
    count_until: Timestamp,
}

impl KeyEnd {
    /// The end of a key that signs until `sign_until` and signs nothing that lives longer than `longest`.
    #[must_use]
    pub fn new(sign_until: Timestamp, longest: Duration) -> Self {
        Self { sign_until, count_until: sign_until + longest }
    }

    /// When it stops signing.
    #[must_use]
    pub fn sign_until(self) -> Timestamp {
        self.sign_until
    }

    /// When it leaves the JWKS and the tokens that it signed are no longer accepted.
    #[must_use]
    pub fn count_until(self) -> Timestamp {
        self.count_until
    }
}

impl KeyTimes {
    /// The times of the first key of an algorithm. No cache holds an older set without it, so it need not
    /// wait; and it signs even if the clock is set back after it was made, because it does so from the
    /// beginning of time.
    #[must_use]
    pub const fn first(made_at: Timestamp) -> Self {
        Self { publish_at: BEGINNING, sign_from: BEGINNING, end: None, made_at: Some(made_at) }
    }

    /// Since when it is published, for whoever asks how old it is. Nobody knows that of a first key that was
    /// stored without the time at which it was made.
    #[must_use]
    pub fn published_since(&self) -> Option<Timestamp> {
        self.since(self.publish_at)
    }

    /// Since when it signs, likewise.
    #[must_use]
    pub fn signs_since(&self) -> Option<Timestamp> {
        self.since(self.sign_from)
    }

    fn since(&self, at: Timestamp) -> Option<Timestamp> {
        if at > BEGINNING { Some(at) } else { self.made_at }
    }

    /// Whether it signs at this time.
    #[must_use]
    pub fn signs(&self, now: Timestamp) -> bool {
        self.sign_from <= now && self.end.is_none_or(|end| now < end.sign_until) && self.counts(now)
    }

    /// Whether it is in the JWKS and the tokens that it signed are accepted.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        self.publish_at <= now && self.end.is_none_or(|end| now < end.count_until)
    }

    /// Whether a key for encryption is in the JWKS: until its successor takes over. It decrypts for as long as
    /// it counts, because what was encrypted for it may be on its way.
    #[must_use]
    pub fn is_offered(&self, now: Timestamp) -> bool {
        self.publish_at <= now && self.end.is_none_or(|end| now < end.sign_until)
    }

    /// Every time at which its state changes.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Timestamp> {
        let end = self.end.into_iter().flat_map(|end| [end.sign_until, end.count_until]);
        [self.publish_at, self.sign_from].into_iter().chain(end)
    }

    /// Ends the key when another one takes over. A key that was to start after that never signs.
    fn make_way(&mut self, now: Timestamp, takes_over: Timestamp, longest: Duration) {
        let Some(before) = self.end else {
            self.end = Some(KeyEnd::new(takes_over, longest));
            return;
        };
        // A key that no longer signs keeps its end. Any other may now stop signing earlier than planned, but
        // what it has already signed stays valid for as long as planned.
        if before.sign_until > now {
            let sign_until = takes_over.min(before.sign_until);
            let count_until = before.count_until.max(sign_until + longest);
            self.end = Some(KeyEnd { sign_until, count_until });
        }
    }
}

/// Ends the keys of one algorithm for a successor that signs from `sign_from`, published `now`.
///
/// Returns the index of a key that already takes over by that time, if there is one: the rotation is under
/// way, and the caller needs no new key.
pub fn succeed(
    keys: &mut [&mut KeyTimes],
    now: Timestamp,
    sign_from: Timestamp,
    longest: Duration,
) -> Option<usize> {
    let is_successor =
        |key: &KeyTimes| key.end.is_none() && now < key.sign_from && key.sign_from <= sign_from;
    let under_way =
        keys.iter().enumerate().find(|(_, key)| is_successor(key)).map(|(at, key)| (at, key.sign_from));
    let takes_over = under_way.map_or(sign_from, |(_, sign_from)| sign_from);
    for (at, key) in keys.iter_mut().enumerate() {
        if under_way.is_none_or(|(successor, _)| at != successor) {
            key.make_way(now, takes_over, longest);
        }
    }
    under_way.map(|(at, _)| at)
}

/// Why none of these keys signs, if all that will are to begin later: unless somebody wanted that, each began at once or took over
/// from another, so that time has been later already. `None` if one of them signs, or if none ever will.
#[must_use]
pub fn before_their_time<'a>(
    keys: impl Iterator<Item = &'a KeyTimes> + Clone,
    names: &str,
    now: Timestamp,
) -> Option<String> {
    if keys.clone().any(|key| key.signs(now)) {
        return None;
    }
    let is_used = |key: &&KeyTimes| key.end.is_none_or(|end| key.sign_from < end.sign_until);
    let begins = keys.filter(is_used).map(|key| key.sign_from).filter(|at| *at > now).min()?;
    Some(format!(
        "no key for {names} signs at this time, which is {} by the clock of this machine: the first one begins at {}. Is the clock \
         right? If not, set it, and nothing else is needed; if it is, nothing is signed so before, unless \
         `chancery keys rotate --clock-is-right` makes a key that signs at once",
        now.rfc3339(),
        begins.rfc3339()
    ))
}

#[cfg(test)]
mod tests {
    use chancery_seeded::Seeded;

    use super::*;

    const HOUR: i64 = 3_600;

    fn secs(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn duration(secs: i64) -> Duration {
        Duration::from_secs(u64::try_from(secs).unwrap())
    }

    /// The keys of one algorithm in the order in which they were made, as the whole set keeps them.
    struct Ring {
        keys: Vec<KeyTimes>,
        /// Keys that were superseded before they had begun.
        never: Vec<usize>,
        /// The longest token lifetime that was configured so far.
        longest: i64,
    }

    impl Ring {
        fn new() -> Self {
            Self { keys: vec![KeyTimes::first(secs(0))], never: Vec::new(), longest: 0 }
        }

        fn rotate(&mut self, now: i64, after: i64, longest: i64) {
            self.longest = self.longest.max(longest);
            let mut times: Vec<&mut KeyTimes> = self.keys.iter_mut().collect();
            if succeed(&mut times, secs(now), secs(now + after), duration(longest)).is_none() {
                let pending = |(_, key): &(usize, &KeyTimes)| key.sign_from > secs(now);
                self.never.extend(self.keys.iter().enumerate().filter(pending).map(|(at, _)| at));
                self.keys.push(KeyTimes {
                    publish_at: secs(now),
                    sign_from: secs(now + after),
                    end: None,
                    made_at: None,
                });
            }
        }

        /// Chooses as [`KeySet`](crate::keys::KeySet) does: the newest key that signs.
        fn signer(&self, now: i64) -> usize {
            let signing = self.keys.iter().enumerate().filter(|(_, key)| key.signs(secs(now)));
            signing.max_by_key(|(at, key)| (key.sign_from, *at)).map(|(at, _)| at).unwrap()
        }
    }

    /// FR-06: whatever the order of rotations, there is always a key that signs; no key signs anything that
    /// outlives it; a key superseded before it started never signs; and a key that has ended does not start
    /// again.
    #[test]
    fn every_order_of_rotations_keeps_what_it_promises() {
        for seed in 0..2_000 {
            let (mut dice, mut ring, mut now) = (Seeded::new(seed), Ring::new(), 1_000);
            let mut last_of: Vec<(i64, usize)> = Vec::new();
            for _ in 0..12 {
                let longest = *dice.one_of(&[60, 300, HOUR, 30 * HOUR]);
                ring.rotate(now, *dice.one_of(&[0, 0, 1, 600, HOUR, 2 * HOUR, 48 * HOUR]), longest);
                let until = now + *dice.one_of(&[0, 0, 1, 599, HOUR, 3 * HOUR, 50 * HOUR]);
                while now < until {
                    let signer = ring.signer(now);
                    let key = &ring.keys[signer];
                    assert!(
                        !ring.never.contains(&signer),
                        "seed {seed}: a superseded key signs: {:#?}",
                        ring.keys
                    );
                    if let Some(end) = key.end {
                        assert!(
                            end.count_until >= secs(now) + duration(longest),
                            "seed {seed}: {key:?} at {now}"
                        );
                        assert!(end.sign_until > secs(now), "seed {seed}");
                    }
                    last_of.push((now, signer));
                    now += (until - now).min(1 + i64::try_from(dice.below(3_600)).unwrap());
                }
            }
            for pair in last_of.windows(2) {
                assert!(
                    pair[0].1 <= pair[1].1,
                    "seed {seed}: an older key signs after a newer one: {last_of:?}"
                );
            }
            // Everything that was signed stays valid until it expires, even after all the rotations.
            for (signed_at, signer) in last_of {
                let lives_until = ring.keys[signer].end.map(KeyEnd::count_until);
                assert!(lives_until.is_none_or(|until| until > secs(signed_at)), "seed {seed}");
            }
            let open = ring.keys.iter().filter(|key| key.end.is_none()).count();
            assert_eq!(open, 1, "seed {seed}: one key goes on");
        }
    }

    /// A first key signs at any time, and yet it is known how old it is, unless it was stored before that was.
    #[test]
    fn a_first_key_has_an_age() {
        let first = KeyTimes::first(secs(1_000));
        assert!(first.signs(secs(0)) && first.counts(secs(0)));
        assert_eq!((first.published_since(), first.signs_since()), (Some(secs(1_000)), Some(secs(1_000))));
        let stored: KeyTimes = serde_json::from_str(r#"{"publish_at":0,"sign_from":0}"#).unwrap();
        assert_eq!((stored.published_since(), stored.signs_since()), (None, None));
        let next = KeyTimes { publish_at: secs(5), sign_from: secs(9), ..stored };
        assert_eq!((next.published_since(), next.signs_since()), (Some(secs(5)), Some(secs(9))));
    }

    /// FR-06, as reported: the key with the longer delay does not take over from the one with the shorter.
    #[test]
    fn a_superseded_key_never_begins() {
        let mut ring = Ring::new();
        ring.rotate(0, 2 * HOUR, HOUR);
        ring.rotate(0, 0, HOUR);
        for at in [0, 1, 2 * HOUR - 1, 2 * HOUR, 3 * HOUR, 1_000 * HOUR] {
            assert_eq!(ring.signer(at), 2, "at {at}");
        }
        assert_eq!(ring.never, [1]);
        assert!(
            ring.keys[0].counts(secs(3 * HOUR - 1)) && !ring.keys[0].counts(secs(3 * HOUR)),
            "as was said first"
        );
    }

    /// Where the clock is behind, keys that begin later are no reason to make others.
    #[test]
    fn keys_that_begin_later_say_that_the_clock_is_behind() {
        let said = |ring: &Ring, now| before_their_time(ring.keys.iter(), "RS256", secs(now));
        let mut ring = Ring::new();
        ring.rotate(5 * HOUR, HOUR, HOUR);
        assert_eq!(said(&ring, 0), None, "the first key signs whatever the clock says");
        ring.keys.remove(0);
        let why = said(&ring, 60).unwrap();
        for part in [
            "no key for RS256",
            "1970-01-01T00:01:00.000Z by the clock",
            "begins at 1970-01-01T06:00:00.000Z",
            "If not, set it, and nothing else is needed; if it is, nothing is signed so before",
            "unless `chancery keys rotate --clock-is-right` makes a key that signs at once",
        ] {
            assert!(why.contains(part), "{why}");
        }
        assert_eq!(said(&ring, 6 * HOUR), None);
        ring.rotate(5 * HOUR, 0, HOUR);
        let why = said(&ring, 60).unwrap();
        assert!(
            why.contains("begins at 1970-01-01T05:00:00.000Z"),
            "one that never signs does not count: {why}"
        );
        ring.keys.clear();
        assert_eq!(said(&ring, 60), None);
    }

    /// Rotating again and again does not postpone the takeover.
    #[test]
    fn a_rotation_under_way_is_not_begun_again() {
        let mut ring = Ring::new();
        for at in [0, 1_000, 2_000, 3_000] {
            ring.rotate(at, HOUR, HOUR);
        }
        assert_eq!(ring.keys.len(), 2);
        assert_eq!((ring.signer(HOUR - 1), ring.signer(HOUR)), (0, 1));
        ring.rotate(HOUR, HOUR, HOUR);
        assert_eq!(ring.keys.len(), 3, "that one is over");
    }

    /// A lifetime raised in the meantime is respected; a lowered one does not shorten tokens already issued.
    #[test]
    fn an_end_is_put_off_and_never_brought_forward() {
        let mut ring = Ring::new();
        ring.rotate(0, HOUR, 5 * HOUR);
        ring.rotate(10, HOUR, 50 * HOUR);
        assert_eq!(ring.keys[0].end, Some(KeyEnd::new(secs(HOUR), duration(50 * HOUR))));
        ring.rotate(20, HOUR, HOUR);
        assert_eq!(ring.keys[0].end, Some(KeyEnd::new(secs(HOUR), duration(50 * HOUR))));
        ring.rotate(30, 0, HOUR);
        let end = ring.keys[0].end.unwrap();
        assert_eq!((end.sign_until(), end.count_until()), (secs(30), secs(51 * HOUR)));
    }
}
