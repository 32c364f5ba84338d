//! Whether the store can be read and written, as the log tells it: when it cannot any more, once a minute for as long as that
//! lasts, and when it can again. Other lines do not repeat it, so that what to do is among the last ones of the log.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long one line `not_ready` is enough.
const REPEATED: Duration = Duration::from_secs(60);

/// When `not_ready` was last said, or nothing while the store is ready.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<Instant>>);

impl Readiness {
    /// Whether the store was ready when somebody last looked.
    pub(super) fn is_ready(&self) -> bool {
        self.said().is_none()
    }

    /// Takes note of what was found `now`, and says whether the log is to have it.
    pub(super) fn is_news(&self, is_ready: bool, now: Instant) -> bool {
        let mut said = self.said();
        let is_news = match *said {
            None => !is_ready,
            Some(at) => is_ready || now.saturating_duration_since(at) >= REPEATED,
        };
        if is_news {
            *said = (!is_ready).then_some(now);
        }
        is_news
    }

    /// Whether a line `not_ready` has lately said why work on the store fails. It counts for two minutes, because the next one
    /// comes when somebody looks again, and is worth nothing when nobody does.
    pub(super) fn explains_faults(&self, now: Instant) -> bool {
        self.said().is_some_and(|at| now.saturating_duration_since(at) < 2 * REPEATED)
    }

    fn said(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_once_a_minute_until_it_is_back() {
        let (readiness, begun) = (Readiness::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        assert!(!readiness.is_news(true, begun) && readiness.is_ready() && !readiness.explains_faults(begun));
        let said: Vec<u64> = (0..=150).filter(|seconds| readiness.is_news(false, at(*seconds))).collect();
        assert_eq!(said, [0, 60, 120]);
        assert!(!readiness.is_ready() && readiness.explains_faults(at(150)));
        assert!(!readiness.explains_faults(at(240)), "nobody has looked for two minutes");
        assert!(readiness.is_news(true, at(151)) && readiness.is_ready());
        assert!(!readiness.explains_faults(at(151)) && !readiness.is_news(true, at(152)));
        assert!(readiness.is_news(false, at(153)), "the next one is said at once");
    }
}
