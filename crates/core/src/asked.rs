//! A question that is asked at most once a second, however many requests there are.

use std::sync::atomic::{AtomicI64, Ordering};

use chancery_types::Timestamp;

/// When it was asked last, in milliseconds.
pub(crate) struct Asked(AtomicI64);

/// For how long an answer is believed, in milliseconds.
const BELIEVED: i64 = 1_000;

/// A question on its way. Whoever asks may go away in the middle of it, as a peer does that breaks off its request: then it
/// was not asked, and the next one asks.
#[must_use]
pub(crate) struct Asking<'a> {
    asked: &'a Asked,
    at: i64,
    before: i64,
}

impl Asked {
    /// Nobody has asked yet.
    pub(crate) fn never() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    /// It was asked at this time.
    pub(crate) fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.millis()))
    }

    /// Whoever gets the question has to ask it. Nobody does while an answer is believed, unless something has come `due`
    /// since; and of several at the same moment one does, while the others go on with what there is.
    ///
    /// # Errors
    /// When it was asked last.
    pub(crate) fn ask(&self, now: Timestamp, due: Option<Timestamp>) -> Result<Asking<'_>, Timestamp> {
        let before = self.0.load(Ordering::Relaxed);
        let is_due = due.is_some_and(|due| due <= now && due.millis() > before);
        let is_believed = (0..BELIEVED).contains(&now.millis().saturating_sub(before));
        let is_taken = || self.0.compare_exchange(before, now.millis(), Ordering::Relaxed, Ordering::Relaxed).is_err();
        if (is_believed && !is_due) || is_taken() {
            return Err(Timestamp::from_millis(before));
        }
        Ok(Asking { asked: self, at: now.millis(), before })
    }
}

impl Asking<'_> {
    /// It was answered, with what was known at `time`.
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
        assert!(asked.ask(at(5_300), Some(at(5_200))).is_err(), "it failed then, and is asked again a second later");
    }
}
