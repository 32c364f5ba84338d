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

use crate::https_fetch::{Background, Limits, now};

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
    background: Option<Background>,
}

#[derive(Default)]
struct State {
    in_flight: HashMap<Wanted, InFlight>,
    next_number: u64,
    failed: Outcomes,
    /// Documents that came when nobody waited for them any more, for the next one who wants them.
    unheard: Outcomes,
}

/// Polled by those who wait for it, and in the background if there is one; else it ends when the last one gives up.
struct InFlight {
    number: u64,
    flight: WeakShared<Flight>,
    waiting: usize,
}

impl Flights {
    pub(crate) fn new(limits: &Limits, background: Option<Background>) -> Self {
        let failed = Outcomes::new(limits.failures_remembered, limits.failures_kept);
        let unheard = Outcomes::new(limits.failures_remembered, limits.gets);
        Self { state: Mutex::new(State { failed, unheard, ..State::default() }), background }
    }

    /// Waits for a document. Only the first who wants it `start`s the request.
    pub(crate) async fn join<F>(self: &Arc<Self>, wanted: Wanted, start: F) -> Result<FetchResponse, Fault>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let (number, flight, is_new) = {
            let mut state = self.state();
            if let Some(failure) = state.failed.get(&wanted) {
                return failure;
            }
            if let Some(document) = state.unheard.take(&wanted) {
                return document;
            }
            let known = state.in_flight.get(&wanted);
            let joined = known.and_then(|known| Some((known.number, known.flight.upgrade()?)));
            let is_new = joined.is_none();
            let (number, flight) = joined.unwrap_or_else(|| self.clone().begin(&mut state, &wanted, start));
            (number, flight, is_new)
        };
        let _waiting = Waiting::begins(self, &wanted, number);
        if is_new && let Some(goes_on) = &self.background {
            goes_on(flight.clone().map(drop).boxed());
        }
        flight.await.response
    }

    fn begin<F>(self: Arc<Self>, state: &mut State, wanted: &Wanted, start: F) -> (u64, Shared<Flight>)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let number = state.next_number;
        state.next_number = number.wrapping_add(1);
        let landing = Landing { flights: self, wanted: wanted.clone(), number };
        let flight = async move {
            let outcome = start.await;
            let (wanted, response) = (landing.wanted.clone(), outcome.response.clone());
            let mut state = landing.flights.state();
            if outcome.is_failure {
                state.failed.insert(wanted, response);
            } else if response.is_ok() && state.in_flight.get(&wanted).is_some_and(|known| known.waiting == 0)
            {
                state.unheard.insert(wanted, response);
            }
            drop(state);
            outcome
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            state.in_flight.insert(wanted.clone(), InFlight { number, flight: weak, waiting: 0 });
        }
        (number, flight)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody waits for a document.
struct Waiting<'a> {
    flights: &'a Flights,
    wanted: &'a Wanted,
    number: u64,
}

impl<'a> Waiting<'a> {
    fn begins(flights: &'a Flights, wanted: &'a Wanted, number: u64) -> Self {
        let waiting = Self { flights, wanted, number };
        waiting.count(|waiting| waiting + 1);
        waiting
    }

    fn count(&self, change: impl Fn(usize) -> usize) {
        let mut state = self.flights.state();
        if let Some(known) = state.in_flight.get_mut(self.wanted).filter(|known| known.number == self.number)
        {
            known.waiting = change(known.waiting);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count(|waiting| waiting.saturating_sub(1));
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
        if state.in_flight.get(&self.wanted).is_some_and(|known| known.number == self.number) {
            state.in_flight.remove(&self.wanted);
        }
    }
}

/// What came of requests, for a short while. The oldest make room for new ones, at the price of asking once more.
#[derive(Default)]
struct Outcomes {
    lasting: Duration,
    most: usize,
    known: HashMap<Wanted, Result<FetchResponse, Fault>>,
    /// When each of them ends, the first in front.
    ends: VecDeque<(Instant, Wanted)>,
}

impl Outcomes {
    fn new(lasting: Duration, most: usize) -> Self {
        Self { lasting, most, ..Self::default() }
    }

    fn get(&mut self, wanted: &Wanted) -> Option<Result<FetchResponse, Fault>> {
        self.forget(|_, end, now| end <= now);
        self.known.get(wanted).cloned()
    }

    /// The same, for one who wants it.
    fn take(&mut self, wanted: &Wanted) -> Option<Result<FetchResponse, Fault>> {
        self.forget(|_, end, now| end <= now);
        let taken = self.known.remove(wanted)?;
        self.ends.retain(|(_, known)| known != wanted);
        Some(taken)
    }

    fn insert(&mut self, wanted: Wanted, came: Result<FetchResponse, Fault>) {
        self.forget(|_, end, now| end <= now);
        if self.known.insert(wanted.clone(), came).is_none() {
            self.ends.push_back((now() + self.lasting, wanted));
        }
        let most = self.most;
        self.forget(|remembered, _, _| remembered > most);
    }

    /// Forgets the oldest for as long as this says so of their number, its end, and now.
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
        let flights = Arc::new(Flights::new(&Limits::default(), None));
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
