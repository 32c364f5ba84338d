//! Who hears what happens.

use std::sync::Arc;

use chancery_core::event::{Event, Occasion};
use chancery_core::ports::EventSink;

use crate::log::Log;
use crate::metrics::Metrics;
use crate::spans::Spans;

/// Log, metrics and spans hear what happens.
pub(crate) struct Heard {
    pub(crate) log: Arc<Log>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) spans: Option<Arc<Spans>>,
}

impl EventSink for Heard {
    fn record(&self, occasion: &Occasion<'_>, event: &Event) {
        self.metrics.hear(event);
        if let Some(spans) = &self.spans {
            spans.hear(event);
        }
        self.log.record(occasion, event);
    }
}
