//! Bytes that look random and are the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

use chancery_core::ports::Random;
use chancery_seeded::Seeded;

/// [`Seeded`] for many at once: for tests only, because whoever knows the seed knows every secret.
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        Seeded::new(self.0.fetch_add(Seeded::STEP, Ordering::Relaxed)).number()
    }

    /// A number below `n`, which is not 0.
    pub fn below(&self, n: usize) -> usize {
        let n = u64::try_from(n).expect("usize is at most 64 bits");
        usize::try_from(self.next() % n).expect("it is below a usize")
    }

    /// One of these.
    pub fn one_of<'t, T>(&self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    /// One of these words.
    pub fn word(&self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
