//! What happened, request by request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chancery_core::event::{Event, Occasion, RequestId};
use chancery_core::ports::EventSink;
use chancery_types::Network;

/// Remembers every event until the answer to its request takes it.
#[derive(Default)]
pub struct RecordedEvents(Mutex<Vec<Recorded>>);

struct Recorded {
    request: RequestId,
    network: Option<Network>,
    event: Event,
}

impl RecordedEvents {
    /// The events that belong to no answered request, in order: those of a worker.
    #[must_use]
    pub fn rest(&self) -> Vec<Event> {
        self.lock().iter().map(|recorded| recorded.event.clone()).collect()
    }

    /// Takes the events of one request, in order.
    pub(crate) fn take(&self, request: &str) -> Vec<Event> {
        self.take_with_network(request).0
    }

    /// Takes the events of one request, in order, and the network that all of them name.
    pub(crate) fn take_with_network(&self, request: &str) -> (Vec<Event>, Option<Network>) {
        let mut all = self.lock();
        let is_own = |recorded: &Recorded| *recorded.request.0 == *request;
        let (own, others): (Vec<_>, Vec<_>) = std::mem::take(&mut *all).into_iter().partition(is_own);
        *all = others;
        let network = own.first().and_then(|first| first.network);
        assert!(own.iter().all(|recorded| recorded.network == network), "one request comes from one network");
        (own.into_iter().map(|recorded| recorded.event).collect(), network)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for RecordedEvents {
    fn record(&self, occasion: &Occasion<'_>, event: &Event) {
        let (request, network) = (occasion.request_id.clone(), occasion.network);
        self.lock().push(Recorded { request, network, event: event.clone() });
    }
}

/// The names of events, as logs have them.
#[must_use]
pub fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::name).collect()
}

/// The names of the reasons for which something was refused.
#[must_use]
pub fn refusals(events: &[Event]) -> Vec<&'static str> {
    let reason = |event: &Event| match event {
        Event::Refused { reason, .. } => Some(reason.name),
        _ => None,
    };
    events.iter().filter_map(reason).collect()
}
