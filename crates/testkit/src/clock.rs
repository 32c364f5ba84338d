//! A clock in hand.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chancery_core::ports::Clock;
use chancery_types::Timestamp;

/// Stands still until a test moves it.
pub struct HandClock(AtomicI64);

impl HandClock {
    /// Where every clock starts: 2027-01-15T08:00:00Z.
    pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    /// At [`HandClock::START`].
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicI64::new(Self::START.millis()))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Sets it to this time.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.millis(), Ordering::SeqCst);
    }
}

impl Default for HandClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// So many milliseconds.
#[must_use]
pub const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// So many seconds.
#[must_use]
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// So many minutes.
#[must_use]
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// So many hours.
#[must_use]
pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

/// So many days.
#[must_use]
pub const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}
