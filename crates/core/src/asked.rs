//! A check that is made at most once a second, however many requests there are.

use std::sync::atomic::{AtomicI64, Ordering};

use chancery_types::Timestamp;

/// When the check was last made, in milliseconds.
pub(crate) struct Asked(AtomicI64);

/// How long a result is trusted, in milliseconds.
const BELIEVED: i64 = 1_000;

/// A check in progress. If the caller is cancelled in the middle of it, as when a peer drops its request, the
/// check counts as not made and the next caller makes it.
#[must_use]
pub(crate) struct Asking<'a> {
    asked: &'a Asked,
    at: i64,
    before: i64,
}

impl Asked {
    /// The check was never made.
    pub(crate) fn never() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    /// The check was made at this time.
    pub(crate) fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.millis()))
    }

    /// The caller that gets an [`Asking`] has to make the check. Nobody gets one while the last result is
    /// trusted, unless something has come `due` since; of several simultaneous callers one gets it, and the
    /// others use what is known.
    ///
    /// # Errors
    /// When the check was last made.
    pub(crate) fn ask(&self, now: Timestamp, due: Option<Timestamp>) -> Result<Asking<'_>, Timestamp> {
        let before = self.0.load(Ordering::Relaxed);
        let is_due = due.is_some_and(|due| due <= now && due.millis() > before);
        let is_believed = (0..BELIEVED).contains(&now.millis().saturating_sub(before));
        let is_taken =
            || self.0.compare_exchange(before, now.millis(), Ordering::Relaxed, Ordering::Relaxed).is_err();
        if (is_believed && !is_due) || is_taken() {
            return Err(Timestamp::from_millis(before));
        }
        Ok(Asking { asked: self, at: now.millis(), before })
    }
}

impl Asking<'_> {
    /// The check succeeded, with the state as of `time`.
    pub(crate) fn answered(mut self, time: Timestamp) {
        self.before = time.millis();
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.before != self.at {
            self.asked.0.store(self.before, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn one_asks_and_is_believed_for_a_second() {
        let asked = Asked::never();
        let first = asked.ask(at(5_000), None).ok().unwrap();
        assert_eq!(asked.ask(at(5_000), None).err(), Some(at(5_000)), "one is on its way");
        first.answered(at(5_000));
        assert_eq!(asked.ask(at(5_999), None).err(), Some(at(5_000)));
        assert!(asked.ask(at(6_000), None).is_ok());
        assert!(asked.ask(at(4_000), None).is_ok(), "a clock that went back");
    }

    #[test]
    fn who_goes_away_has_not_asked() {
        let asked = Asked::at(at(5_000));
        drop(asked.ask(at(6_000), None));
        assert!(asked.ask(at(6_000), None).is_ok());
    }

    #[test]
    fn an_older_answer_is_believed_less_long() {
        let asked = Asked::at(at(5_000));
        asked.ask(at(6_500), None).ok().unwrap().answered(at(6_000));
        assert!(asked.ask(at(6_999), None).is_err());
        assert!(asked.ask(at(7_000), None).is_ok());
    }

    #[test]
    fn what_comes_due_is_asked_once() {
        let asked = Asked::at(at(5_000));
        assert!(asked.ask(at(5_100), Some(at(5_200))).is_err(), "not yet");
        asked.ask(at(5_200), Some(at(5_200))).ok().unwrap().answered(at(5_200));
        assert!(
            asked.ask(at(5_300), Some(at(5_200))).is_err(),
            "it failed then, and is asked again a second later"
        );
    }
}
