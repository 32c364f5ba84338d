//! How long the store takes.

use std::time::Duration;

use chancery_store_sqlite::{Watch, Work};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The upper bounds in seconds: from a look-up in memory to a disk that stands still.
const BOUNDS: [f64; 12] = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    work: &'static str,
}

/// How long each piece of the store's work took.
#[derive(Clone)]
pub(crate) struct StoreTimes(Family<Of, Histogram, fn() -> Histogram>);

impl Default for StoreTimes {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| Histogram::new(BOUNDS)))
    }
}

impl StoreTimes {
    pub(super) fn register(&self, registry: &mut Registry) {
        let about = "How long the store's work took: a step that writes, from its call to its answer; a commit; a \
                     look-up by a key; another read";
        registry.register("store_duration_seconds", about, self.0.clone());
    }
}

impl Watch for StoreTimes {
    fn done(&self, work: Work, took: Duration) {
        let work = match work {
            Work::Step => "step",
            Work::Commit => "commit",
            Work::LookUp => "look_up",
            _ => "read",
        };
        self.0.get_or_create(&Of { work }).observe(took.as_secs_f64());
    }
}
