//! Numbers that look random and are the same in every run and on every machine, for tests that make up what they send.
//! Whoever knows the seed knows them all.

#![forbid(unsafe_code)]

/// A generator of such numbers, SplitMix64.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// What is added to the seed for each number: the odd number nearest to 2⁶⁴ divided by the golden ratio. A seed that is
    /// larger by it gives the same numbers, one later.
    pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// From a seed; 0 is as good as any.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 if there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        usize::try_from(self.number().checked_rem(limit).unwrap_or(0)).unwrap_or(0)
    }

    /// Whether it happens that happens once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    #[expect(clippy::indexing_slicing, reason = "for tests, which say of what")]
    pub fn one_of<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    /// At most `longest` of these pieces, in any order.
    pub fn text(&mut self, pieces: &[&str], longest: usize) -> String {
        (0..self.below(longest + 1)).map(|_| *self.one_of(pieces)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the published generator (Vigna's `splitmix64.c`) for the seed 1234567.
    #[test]
    fn published_numbers() {
        let mut seeded = Seeded::new(1_234_567);
        let numbers = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(numbers.map(|_| seeded.number()), numbers);
        let mut later = Seeded::new(1_234_567_u64.wrapping_add(Seeded::STEP));
        assert_eq!(later.number(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn every_choice_is_made() {
        let mut seeded = Seeded::new(0);
        let mut counts = [0; 7];
        for _ in 0..7_000 {
            counts[seeded.below(7)] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
        assert_eq!(seeded.below(0), 0);
        assert!((0..100).all(|_| seeded.text(&["a", "\u{e4}"], 3).chars().count() <= 3));
    }
}
