//! What is counted and measured, for Prometheus. What others send never becomes a label: the number of series is
//! bounded by the endpoints, reasons, events and keys that there are.

mod events;
mod process;
mod reading;
mod requests;
mod store;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chancery_core::event::Event;
use chancery_core::offered::Endpoint;
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};

use self::events::Heard;
use self::process::Process;
use self::reading::Gauges;
pub(crate) use self::reading::{Reading, StoreReading};
use self::requests::{Request, Requests};
pub(crate) use self::store::StoreTimes;

/// The media type of the text format.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Seconds, or a moment in seconds, as Prometheus has them.
type Seconds = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    version: &'static str,
}

/// All metrics of a server.
pub(crate) struct Metrics {
    requests: Requests,
    connections_rejected: Counter,
    sweep: Sweep,
    heard: Heard,
    gauges: Gauges,
    process: Process,
    registry: Registry,
}

struct Sweep {
    removed: Counter,
    failures: Counter,
    took: Seconds,
    succeeded_at: Seconds,
}

/// A new metric of this name.
fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// All metrics, among them the times of this store.
    pub(crate) fn new(store: &StoreTimes) -> Self {
        let mut registry = Registry::default();
        let process = Process::begin(&mut registry);
        let ours = registry.sub_registry_with_prefix("chancery");
        let build: Family<Version, Gauge> =
            add(ours, "build_info", "Is 1; its label says which version runs");
        build.get_or_create(&Version { version: env!("CARGO_PKG_VERSION") }).set(1);
        store.register(ours);
        Self {
            requests: Requests::new(ours),
            connections_rejected: add(
                ours,
                "connections_rejected",
                "Connections closed at once because of a limit",
            ),
            sweep: Sweep {
                removed: add(ours, "sweep_removed", "Expired records that were removed"),
                failures: add(ours, "sweep_failures", "Sweeps that failed"),
                took: add(ours, "sweep_last_duration_seconds", "How long the last sweep took"),
                succeeded_at: add(
                    ours,
                    "sweep_last_success_timestamp_seconds",
                    "When a sweep last succeeded",
                ),
            },
            heard: Heard::new(ours),
            gauges: Gauges::new(ours),
            process,
            registry,
        }
    }

    /// A request to this endpoint begins.
    pub(crate) fn request(&self, endpoint: Option<Endpoint>) -> Request<'_> {
        self.requests.begin(endpoint)
    }

    /// Counts an event.
    pub(crate) fn hear(&self, event: &Event) {
        self.heard.count(event);
    }

    pub(crate) fn rejected(&self, connections: u64) {
        self.connections_rejected.inc_by(connections);
    }

    /// Counts a sweep that began then, and the records that it has removed.
    pub(crate) fn swept(&self, begun: Instant, removed: Option<u64>) {
        self.sweep.took.set(begun.elapsed().as_secs_f64());
        match removed {
            Some(removed) => {
                self.sweep.removed.inc_by(removed);
                self.sweep.succeeded_at.set(now().as_secs_f64());
            }
            None => {
                self.sweep.failures.inc();
            }
        }
    }

    /// Everything as text, with what was read just now. One call at a time.
    pub(crate) fn text(&self, reading: &Reading) -> String {
        self.gauges.set(reading, now());
        self.process.read();
        let mut text = String::new();
        let _never_fails = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
