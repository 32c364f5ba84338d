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

/// How long each piece of the store's work took. Each sort of work is at hand, because to find one by its name costs more
/// than to note how long it took.
#[derive(Clone)]
pub(crate) struct StoreTimes {
    all: Family<Of, Histogram, fn() -> Histogram>,
    step: Histogram,
    commit: Histogram,
    look_up: Histogram,
    read: Histogram,
}

impl Default for StoreTimes {
    fn default() -> Self {
        let all = Family::<Of, _, fn() -> _>::new_with_constructor(|| Histogram::new(BOUNDS));
        let of = |work| all.get_or_create_owned(&Of { work });
        let (step, commit, look_up, read) = (of("step"), of("commit"), of("look_up"), of("read"));
        Self { all, step, commit, look_up, read }
    }
}

impl StoreTimes {
    pub(super) fn register(&self, registry: &mut Registry) {
        let about = "How long the store's work took: a step that writes, from its call to its answer; a commit; a \
                     look-up by a key; another read";
        registry.register("store_duration_seconds", about, self.all.clone());
    }
}

impl Watch for StoreTimes {
    fn done(&self, work: Work, took: Duration) {
        let times = match work {
            Work::Step => &self.step,
            Work::Commit => &self.commit,
            Work::LookUp => &self.look_up,
            _ => &self.read,
        };
        times.observe(took.as_secs_f64());
    }
}
