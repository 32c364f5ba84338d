//! Gives up an attempt that takes too long. Nothing here has a timer: the time is known from the beginnings of the runs,
//! one each second, and each of them wakes what is late.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use chancery_types::Timestamp;

use super::ATTEMPT;

/// How long an attempt may take as a whole: what it asks of a key service or of the application has a limit of its own,
/// like the request that it sends, and whoever does not keep to that is not waited for any longer.
pub(super) const LIMIT: Duration = Duration::from_secs(2 * ATTEMPT.as_secs());

/// The attempts that are under way from this process.
#[derive(Default)]
pub(super) struct Alarms(Mutex<Set>);

struct Set {
    /// When the latest run began.
    now: Timestamp,
    next_number: u64,
    /// When each began, and whom to wake when it is late.
    begun: BTreeMap<u64, (Timestamp, Option<Waker>)>,
}

impl Default for Set {
    fn default() -> Self {
        Self { now: Timestamp::from_millis(0), next_number: 0, begun: BTreeMap::new() }
    }
}

/// One attempt, until this is dropped.
struct Alarm<'a> {
    alarms: &'a Alarms,
    number: u64,
}

impl Alarms {
    /// A run begins, and whatever is late is woken. If the clock was set back, all others begin now.
    pub(super) fn run_begins(&self, now: Timestamp) {
        let mut late = Vec::new();
        let mut set = self.lock();
        if now < set.now {
            set.begun.values_mut().for_each(|(begun, _)| *begun = now);
        }
        set.now = now;
        for (begun, waker) in set.begun.values_mut() {
            late.extend(waker.take_if(|_| now.since(*begun) >= LIMIT));
        }
        drop(set);
        late.into_iter().for_each(Waker::wake);
    }

    /// What comes of it; `None` if it takes too long.
    pub(super) async fn in_time<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        let mut what = pin!(what);
        let alarm = self.set();
        poll_fn(|context| match what.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if alarm.is_late(context.waker()) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    fn set(&self) -> Alarm<'_> {
        let mut set = self.lock();
        let (now, number) = (set.now, set.next_number);
        set.next_number = number.wrapping_add(1);
        set.begun.insert(number, (now, None));
        Alarm { alarms: self, number }
    }

    fn lock(&self) -> MutexGuard<'_, Set> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Alarm<'_> {
    /// Whether it is late; if not, whom to wake when it is.
    fn is_late(&self, waker: &Waker) -> bool {
        let mut set = self.alarms.lock();
        let now = set.now;
        let Some((begun, late)) = set.begun.get_mut(&self.number) else { return false };
        let is_late = now.since(*begun) >= LIMIT;
        *late = Some(waker.clone()).filter(|_| !is_late);
        is_late
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.alarms.lock().begun.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    /// How often somebody was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_is_late_is_woken_and_given_up() {
        let (alarms, begun, woken) = (Alarms::default(), Timestamp::from_secs(9), Arc::<Woken>::default());
        alarms.run_begins(begun);
        let waker = Waker::from(Arc::clone(&woken));
        let context = &mut Context::from_waker(&waker);
        let mut hanging = pin!(alarms.in_time(pending::<()>()));
        assert!(hanging.as_mut().poll(context).is_pending());
        alarms.run_begins(begun + LIMIT - Duration::from_millis(1));
        assert_eq!(woken.0.load(Ordering::SeqCst), 0);
        assert!(hanging.as_mut().poll(context).is_pending(), "whoever else wakes it");
        alarms.run_begins(begun + LIMIT);
        alarms.run_begins(begun + LIMIT);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1, "once");
        assert_eq!(hanging.as_mut().poll(context), Poll::Ready(None));
        let mut quick = pin!(alarms.in_time(async { 7 }));
        assert_eq!(quick.as_mut().poll(context), Poll::Ready(Some(7)));
    }

    /// The clock was a day ahead: an attempt is given up no later than if it had begun when it was set right.
    #[test]
    fn a_clock_that_is_set_back_is_followed() {
        let (alarms, right) = (Alarms::default(), Timestamp::from_secs(9));
        alarms.run_begins(right + Duration::from_secs(86_400));
        let context = &mut Context::from_waker(Waker::noop());
        let mut hanging = pin!(alarms.in_time(pending::<()>()));
        assert!(hanging.as_mut().poll(context).is_pending());
        alarms.run_begins(right);
        assert!(hanging.as_mut().poll(context).is_pending());
        alarms.run_begins(right + LIMIT);
        assert_eq!(hanging.as_mut().poll(context), Poll::Ready(None));
    }
}
