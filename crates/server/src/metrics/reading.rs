//! What is read when somebody asks.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chancery_core::ports::KeyEntry;
use chancery_types::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Seconds, add};

/// How things stand at the moment.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) is_ready: bool,
    pub(crate) connections: u32,
    pub(crate) connections_limit: u32,
    /// Passwords that are being hashed or wait for it.
    pub(crate) passwords: usize,
    pub(crate) passwords_limit: usize,
    pub(crate) store: StoreReading,
    /// When the server's own certificate ends, if it has one.
    pub(crate) certificate_ends: Option<Timestamp>,
    pub(crate) log_lines_dropped: u64,
    pub(crate) keys: Vec<KeyEntry>,
}

/// How the store stands; a store in memory has nothing to tell.
#[derive(Default)]
pub(crate) struct StoreReading {
    pub(crate) steps: usize,
    pub(crate) bytes: u64,
    pub(crate) notices: u64,
    /// When the first of them is due, or was.
    pub(crate) first_notice: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Key {
    kid: String,
    alg: String,
}

/// The metrics of a reading.
pub(super) struct Gauges {
    ready: Gauge,
    connections: Gauge,
    connections_limit: Gauge,
    passwords: Gauge,
    passwords_limit: Gauge,
    steps: Gauge,
    store_bytes: Gauge,
    notices: Gauge,
    notices_overdue: Seconds,
    certificate_ends: Seconds,
    log_lines_dropped: Counter,
    published: Family<Key, Seconds>,
    signs_from: Family<Key, Seconds>,
    signs_until: Family<Key, Seconds>,
}

impl Gauges {
    pub(super) fn new(registry: &mut Registry) -> Self {
        Self {
            ready: add(registry, "ready", "Whether the server can answer requests (1) or not (0)"),
            connections: add(registry, "connections", "Open connections"),
            connections_limit: add(registry, "connections_limit", "How many connections may be open"),
            passwords: add(registry, "password_queue", "Passwords that are being hashed or wait for it"),
            passwords_limit: add(registry, "password_queue_limit", "How many of them there may be"),
            steps: add(
                registry,
                "store_steps_waiting",
                "Steps of the store that are queued or being committed",
            ),
            store_bytes: add(registry, "store_bytes", "The size of the store's files"),
            notices: add(registry, "notices_waiting", "Notices that were not delivered yet"),
            notices_overdue: add(registry, "notices_overdue_seconds", "Since when the first of them is due"),
            certificate_ends: add(
                registry,
                "certificate_ends_timestamp_seconds",
                "When the server's own certificate ends; 0 if it has none",
            ),
            log_lines_dropped: add(
                registry,
                "log_lines_dropped",
                "Lines of the log that nobody took in time",
            ),
            published: add(registry, "key_published_timestamp_seconds", "When a key entered the JWKS"),
            signs_from: add(
                registry,
                "key_signs_from_timestamp_seconds",
                "When a key begins to sign, or began",
            ),
            signs_until: add(
                registry,
                "key_signs_until_timestamp_seconds",
                "When a key stops signing; one without a successor has none",
            ),
        }
    }

    pub(super) fn set(&self, reading: &Reading, now: Duration) {
        let Reading { store, .. } = reading;
        self.ready.set(i64::from(reading.is_ready));
        self.connections.set(i64::from(reading.connections));
        self.connections_limit.set(i64::from(reading.connections_limit));
        self.passwords.set(whole(reading.passwords));
        self.passwords_limit.set(whole(reading.passwords_limit));
        self.steps.set(whole(store.steps));
        self.store_bytes.set(whole(store.bytes));
        self.notices.set(whole(store.notices));
        let overdue = store.first_notice.map_or(0.0, |first| now.as_secs_f64() - seconds(first));
        self.notices_overdue.set(overdue.max(0.0));
        self.certificate_ends.set(reading.certificate_ends.map_or(0.0, seconds));
        self.log_lines_dropped.inner().store(reading.log_lines_dropped, Ordering::Relaxed);
        // A key that was removed is gone here, too.
        for family in [&self.published, &self.signs_from, &self.signs_until] {
            family.clear();
        }
        for KeyEntry { jwk, times } in &reading.keys {
            let alg = jwk.alg().map_or_else(|| "encryption".to_owned(), |alg| alg.to_string());
            let key = Key { kid: jwk.kid().unwrap_or_default().to_owned(), alg };
            // Of a key whose age nobody knows there is no series: it would look as if it came from 1970.
            if let Some(since) = times.published_since() {
                self.published.get_or_create(&key).set(seconds(since));
            }
            if let Some(since) = times.signs_since() {
                self.signs_from.get_or_create(&key).set(seconds(since));
            }
            if let Some(end) = times.end {
                self.signs_until.get_or_create(&key).set(seconds(end.sign_until()));
            }
        }
    }
}

fn seconds(at: Timestamp) -> f64 {
    Duration::from_millis(at.millis().unsigned_abs()).as_secs_f64()
}

fn whole(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
