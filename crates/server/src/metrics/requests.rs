//! Requests and their answers.

use std::sync::OnceLock;
use std::time::Instant;

use chancery_core::offered::Endpoint;
use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::add;

/// The upper bounds of the durations in seconds: from a look-up to a hash behind a full queue.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The status of a request whose client has gone before the answer, as nginx has it.
const GONE: u16 = 499;

/// The endpoint of a path that is none's.
const NO_ENDPOINT: &str = "none";

/// What most requests are answered with. Their counters are at hand, because to find one costs more than to count.
const ORDINARY: [u16; 4] = [200, 201, 302, 303];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    endpoint: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    endpoint: &'static str,
}

/// The metrics of all requests.
pub(super) struct Requests {
    answers: Family<Answered, Counter>,
    durations: Family<At, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    /// By the endpoints in their order.
    endpoints: Box<[AtHand]>,
    /// Of paths that are no endpoint's.
    elsewhere: AtHand,
}

/// The metrics of one endpoint's requests. Each begins with its first request, so that no endpoint is listed that nobody
/// has asked.
struct AtHand {
    endpoint: &'static str,
    duration: OnceLock<Histogram>,
    ordinary: [OnceLock<Counter>; ORDINARY.len()],
}

/// A request in flight; counted when it is dropped.
pub(crate) struct Request<'m> {
    all: &'m Requests,
    its: &'m AtHand,
    begun: Instant,
    status: u16,
}

impl Requests {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let durations =
            Family::<At, Histogram, fn() -> Histogram>::new_with_constructor(|| Histogram::new(BOUNDS));
        let about = "How long requests took, from their header to their answer";
        registry.register("request_duration_seconds", about, durations.clone());
        Self {
            answers: add(
                registry,
                "requests",
                "Answers, by endpoint and status; 499 if the client did not wait for it",
            ),
            durations,
            in_flight: add(registry, "requests_in_flight", "Requests that are being answered"),
            endpoints: Endpoint::ALL.iter().map(|endpoint| AtHand::of(endpoint.as_str())).collect(),
            elsewhere: AtHand::of(NO_ENDPOINT),
        }
    }

    pub(super) fn begin(&self, endpoint: Option<Endpoint>) -> Request<'_> {
        self.in_flight.inc();
        let its = endpoint.and_then(|endpoint| self.endpoints.get(endpoint as usize));
        Request { all: self, its: its.unwrap_or(&self.elsewhere), begun: Instant::now(), status: GONE }
    }
}

impl AtHand {
    fn of(endpoint: &'static str) -> Self {
        Self { endpoint, duration: OnceLock::new(), ordinary: Default::default() }
    }

    fn count(&self, status: u16, all: &Requests) {
        let answered = Answered { endpoint: self.endpoint, status };
        let found = || all.answers.get_or_create_owned(&answered);
        let at = ORDINARY.iter().position(|ordinary| *ordinary == status);
        match at.and_then(|at| self.ordinary.get(at)) {
            Some(at_hand) => at_hand.get_or_init(found).inc(),
            None => found().inc(),
        };
    }
}

impl Request<'_> {
    /// It was answered.
    pub(crate) fn answered(mut self, status: StatusCode) {
        self.status = status.as_u16();
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        let Self { all, its, begun, status } = self;
        all.in_flight.dec();
        its.count(*status, all);
        let new = || all.durations.get_or_create_owned(&At { endpoint: its.endpoint });
        its.duration.get_or_init(new).observe(begun.elapsed().as_secs_f64());
    }
}
