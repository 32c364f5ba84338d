//! What is counted and measured, for Prometheus. What others send never becomes a label: the number of series is
//! bounded by the endpoints, reasons, events and keys that there are.

mod events;
mod process;
mod reading;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chancery_core::event::Event;
use chancery_core::offered::Endpoint;
use http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use self::events::Heard;
use self::process::Process;
use self::reading::Gauges;
pub(crate) use self::reading::{Reading, StoreReading};
pub(crate) use self::store::StoreTimes;

/// The media type of the text format.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The upper bounds of a request's durations in seconds: from a look-up to a hash behind a full queue.
const REQUESTS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The status of a request whose client has gone before the answer, as nginx has it.
const GONE: u16 = 499;

/// The endpoint of a path that is none's.
const NO_ENDPOINT: &str = "none";

/// Seconds, or a moment in seconds, as Prometheus has them.
type Seconds = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    endpoint: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    endpoint: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    version: &'static str,
}

/// All metrics of a server.
pub(crate) struct Metrics {
    requests: Family<Answered, Counter>,
    durations: Family<At, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
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
        let new = || Histogram::new(REQUESTS);
        let durations = Family::<At, Histogram, fn() -> Histogram>::new_with_constructor(new);
        let about = "How long requests took, from their header to their answer";
        ours.register("request_duration_seconds", about, durations.clone());
        store.register(ours);
        Self {
            requests: add(
                ours,
                "requests",
                "Answers, by endpoint and status; 499 if the client did not wait for it",
            ),
            durations,
            in_flight: add(ours, "requests_in_flight", "Requests that are being answered"),
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
    pub(crate) fn request(self: &Arc<Self>, endpoint: Option<Endpoint>) -> Request {
        self.in_flight.inc();
        let endpoint = endpoint.map_or(NO_ENDPOINT, Endpoint::as_str);
        Request { metrics: Arc::clone(self), endpoint, begun: Instant::now(), status: GONE }
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

/// A request in flight; counted when it is dropped.
pub(crate) struct Request {
    metrics: Arc<Metrics>,
    endpoint: &'static str,
    begun: Instant,
    status: u16,
}

impl Request {
    /// It was answered.
    pub(crate) fn answered(mut self, status: StatusCode) {
        self.status = status.as_u16();
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let Self { metrics, endpoint, begun, status } = self;
        metrics.in_flight.dec();
        metrics.requests.get_or_create(&Answered { endpoint, status: *status }).inc();
        metrics.durations.get_or_create(&At { endpoint }).observe(begun.elapsed().as_secs_f64());
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
