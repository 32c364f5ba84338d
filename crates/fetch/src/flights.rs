//! Documents that are being fetched, so that those who want the same one share the request, and those that could
//! not be fetched a moment ago.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chancery_core::error::Fault;
use chancery_core::fetch::FetchResponse;
use chancery_core::ports::BoxFuture;
use futures_util::future::{FutureExt as _, Shared, WeakShared};
use tokio::time::Instant;

use crate::https_fetch::{Limits, now};

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) url: Box<str>,
    pub(crate) accept: &'static str,
    pub(crate) longest: usize,
    /// For strangers less is asked, so that they hear nothing of what others have.
    pub(crate) is_of_stranger: bool,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) response: Result<FetchResponse, Fault>,
    /// Whether it is not worth asking again at once.
    pub(crate) is_failure: bool,
}

type Flight = BoxFuture<'static, Outcome>;

pub(crate) struct Flights {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Polled by those who wait for them. When the last one gives up, the request ends.
    in_flight: HashMap<Wanted, (u64, WeakShared<Flight>)>,
    next_number: u64,
    failed: Failures,
}

impl Flights {
    pub(crate) fn new(limits: &Limits) -> Self {
        let failed = Failures::new(limits.failures_remembered, limits.failures_kept);
        Self { state: Mutex::new(State { failed, ..State::default() }) }
    }

    /// Waits for a document. Only the first who wants it `start`s the request.
    pub(crate) async fn join<F>(self: &Arc<Self>, wanted: Wanted, start: F) -> Result<FetchResponse, Fault>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let flight = {
            let mut state = self.state();
            if let Some(failure) = state.failed.get(&wanted) {
                return failure;
            }
            let joined = state.in_flight.get(&wanted).and_then(|(_, flight)| flight.upgrade());
            joined.unwrap_or_else(|| self.clone().begin(&mut state, wanted, start))
        };
        flight.await.response
    }

    fn begin<F>(self: Arc<Self>, state: &mut State, wanted: Wanted, start: F) -> Shared<Flight>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let number = state.next_number;
        state.next_number = number.wrapping_add(1);
        let landing = Landing { flights: self, wanted: wanted.clone(), number };
        let flight = async move {
            let outcome = start.await;
            if outcome.is_failure {
                landing.flights.state().failed.insert(landing.wanted.clone(), outcome.response.clone());
            }
            outcome
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            state.in_flight.insert(wanted, (number, weak));
        }
        flight
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets a flight when it has landed or everybody has given up.
struct Landing {
    flights: Arc<Flights>,
    wanted: Wanted,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut state = self.flights.state();
        // Somebody else may have begun a new one meanwhile.
        if state.in_flight.get(&self.wanted).is_some_and(|(number, _)| *number == self.number) {
            state.in_flight.remove(&self.wanted);
        }
    }
}

/// What could not be fetched, for a short while. The oldest failures make room for new ones, at the price of
/// asking once more.
#[derive(Default)]
struct Failures {
    lasting: Duration,
    most: usize,
    known: HashMap<Wanted, Result<FetchResponse, Fault>>,
    /// When each of them ends, the first in front.
    ends: VecDeque<(Instant, Wanted)>,
}

impl Failures {
    fn new(lasting: Duration, most: usize) -> Self {
        Self { lasting, most, ..Self::default() }
    }

    fn get(&mut self, wanted: &Wanted) -> Option<Result<FetchResponse, Fault>> {
        self.forget(|_, end, now| end <= now);
        self.known.get(wanted).cloned()
    }

    fn insert(&mut self, wanted: Wanted, failure: Result<FetchResponse, Fault>) {
        self.forget(|_, end, now| end <= now);
        if self.known.insert(wanted.clone(), failure).is_none() {
            self.ends.push_back((now() + self.lasting, wanted));
        }
        let most = self.most;
        self.forget(|remembered, _, _| remembered > most);
    }

    /// Forgets the oldest for as long as this says so of the number of failures, its end, and now.
    fn forget(&mut self, is_over: impl Fn(usize, Instant, Instant) -> bool) {
        let now = now();
        while self.ends.front().is_some_and(|(end, _)| is_over(self.ends.len(), *end, now)) {
            if let Some((_, wanted)) = self.ends.pop_front() {
                self.known.remove(&wanted);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    /// However a request ends, nothing of it is kept but a failure, for its time.
    #[tokio::test(start_paused = true)]
    async fn nothing_is_kept_of_what_is_over() {
        let flights = Arc::new(Flights::new(&Limits::default()));
        let (accept, longest, is_of_stranger) = ("application/json", 9, false);
        let wanted = Wanted { url: "https://client.example/".into(), accept, longest, is_of_stranger };
        let response = Err(Fault::unavailable("down"));
        for is_failure in [false, true] {
            let outcome = Outcome { response: response.clone(), is_failure };
            assert_eq!(flights.join(wanted.clone(), async move { outcome }).await, response);
            assert!(flights.state().in_flight.is_empty());
            assert_eq!(flights.state().failed.known.len(), usize::from(is_failure));
        }
        tokio::time::advance(Limits::default().failures_remembered).await;
        let mut given_up = Box::pin(flights.join(wanted.clone(), pending()));
        assert!(given_up.as_mut().now_or_never().is_none());
        assert_eq!(flights.state().in_flight.len(), 1);
        assert!(flights.state().failed.known.is_empty() && flights.state().failed.ends.is_empty());
        drop(given_up);
        assert!(flights.state().in_flight.is_empty());
    }
}
