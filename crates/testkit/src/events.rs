//! What happened, request by request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chancery_core::event::{Event, RequestId};
use chancery_core::ports::EventSink;
use chancery_types::Timestamp;

/// Remembers every event until the answer to its request takes it.
#[derive(Default)]
pub struct RecordedEvents(Mutex<Vec<(RequestId, Event)>>);

impl RecordedEvents {
    /// The events that belong to no answered request, in order: those of a worker.
    #[must_use]
    pub fn rest(&self) -> Vec<Event> {
        self.lock().iter().map(|(_, event)| event.clone()).collect()
    }

    /// Takes the events of one request, in order.
    pub(crate) fn take(&self, request: &str) -> Vec<Event> {
        let mut all = self.lock();
        let (own, others) = std::mem::take(&mut *all).into_iter().partition(|(id, _)| *id.0 == *request);
        *all = others;
        let own: Vec<(RequestId, Event)> = own;
        own.into_iter().map(|(_, event)| event).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(RequestId, Event)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for RecordedEvents {
    fn record(&self, _: Timestamp, request: &RequestId, event: &Event) {
        self.lock().push((request.clone(), event.clone()));
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
