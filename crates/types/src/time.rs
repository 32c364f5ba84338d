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

    /// As RFC 3339 writes it, in UTC: the calendar repeats after 400 years of 146,097 days. A year is counted from 1 March,
    /// so that the leap day is its last day.
    ///
    /// ```
    /// # mod chancery { pub use chancery_types::Timestamp; }
    /// use chancery::Timestamp;
    /// assert_eq!(Timestamp::from_secs(951_827_696).rfc3339(), "2000-02-29T12:34:56.000Z");
    /// ```
    #[must_use]
    pub fn rfc3339(self) -> String {
        let (days, in_day) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let from_march_0000 = days + 719_468;
        let (era, day_of_era) = (from_march_0000.div_euclid(146_097), from_march_0000.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
        let (second, millis) = (in_day / 1_000 % 60, in_day % 1_000);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar() {
        let at = |secs| Timestamp::from_secs(secs).rfc3339();
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_827_696), "2000-02-29T12:34:56.000Z");
        assert_eq!(at(1_709_164_800), "2024-02-29T00:00:00.000Z");
        assert_eq!(at(1_798_761_599), "2026-12-31T23:59:59.000Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(-1).rfc3339(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::MAX.rfc3339(), "292278994-08-17T07:12:55.807Z");
    }
}
