//! For how long something takes up room.

use std::time::Duration;

use chancery_types::Timestamp;

/// How much earlier one request can be than another that was counted before it.
const SIMULTANEOUS: Duration = Duration::from_secs(60);

/// From its beginning to its end.
#[derive(Clone, Copy)]
pub(crate) struct Stay {
    begins: Timestamp,
    ends: Timestamp,
}

impl Stay {
    pub(crate) fn new(begins: Timestamp, ends: Timestamp) -> Self {
        Self { begins, ends }
    }

    /// When it makes room.
    pub(crate) fn ends(self) -> Timestamp {
        self.ends
    }

    /// Whether it takes up room at this time. What begins later was counted by a clock that was ahead and has been set
    /// right since. Its end may be days away, and nobody waits for that.
    pub(crate) fn lasts(self, now: Timestamp) -> bool {
        self.ends > now && self.begins.since(now) <= SIMULTANEOUS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_for_longer_than_it_was_to() {
        let (now, hour) = (Timestamp::from_secs(1_800_000_000), Duration::from_secs(3_600));
        for (ahead, lasts) in [(0, true), (1, true), (60, true), (61, false), (3_600, false), (86_400, false)]
        {
            let begins = now + Duration::from_secs(ahead);
            let stay = Stay::new(begins, begins + hour);
            assert_eq!(stay.lasts(now), lasts, "{ahead} s ahead");
            assert!(stay.lasts(begins) && !stay.lasts(stay.ends()), "{ahead} s ahead");
        }
    }
}
