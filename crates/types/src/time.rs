//! A point in time. The clock is injected: no library crate asks the system for the time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whole milliseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// # mod chancery { pub use chancery_types::Timestamp; }
/// use std::time::Duration;
/// use chancery::Timestamp;
/// let t = Timestamp::from_secs(100) + Duration::from_millis(1500);
/// assert_eq!(t.millis(), 101_500);
/// assert_eq!(t.secs(), 101);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest possible time; it stands for "never" where a record does not expire by itself.
    pub const MAX: Self = Self(i64::MAX);

    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch, as JWTs carry them (RFC 7519 section 2, NumericDate).
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down (RFC 7519 section 2, NumericDate).
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How far two times are apart, whichever is later. Whoever asks whether something happened lately asks
    /// this: what lies far ahead was written by a clock that was wrong, and is not of late.
    ///
    /// ```
    /// # mod chancery { pub use chancery_types::Timestamp; }
    /// use std::time::Duration;
    /// use chancery::Timestamp;
    /// let (early, late) = (Timestamp::from_secs(100), Timestamp::from_secs(160));
    /// assert_eq!((late.distance(early), early.distance(late)), (Duration::from_secs(60), Duration::from_secs(60)));
    /// assert_eq!((late.since(early), early.since(late)), (Duration::from_secs(60), Duration::ZERO));
    /// ```
    #[must_use]
    pub fn distance(self, other: Self) -> Duration {
        self.since(other).max(other.since(self))
    }

    /// The time that has passed since `earlier`; zero when the clocks of two nodes disagree and `earlier` is
    /// later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}
