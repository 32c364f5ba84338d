//! `/livez`, `/readyz` and `/metrics`, on an address of their own, which is loopback by default.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::listener::{is_named, names_this_machine};
use crate::metrics;

/// How long a probe may take. Supervisors ask about once a second.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a connection may be idle: longer than a supervisor waits between two requests.
const IDLE: Duration = Duration::from_secs(75);

/// How long the result of a probe is reused, so that the store is written to at most once in that time.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// What a supervisor asks.
pub(crate) trait Supervised: Send + Sync + 'static {
    /// Whether the server is shutting down.
    fn is_ending(&self) -> bool;

    /// Tries everything that a request needs. The text says what is missing.
    fn probe(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// What is said where that takes too long.
    fn silent(&self) -> String;

    /// Takes note of the result of a probe.
    fn record(&self, readiness: &Result<(), String>);

    /// All metrics as text. It is asked once at a time.
    fn metrics(&self) -> impl Future<Output = String> + Send;
}

/// The result of the last probe, which concurrent and frequent requests share.
struct Probes<R> {
    supervised: Arc<R>,
    last: Mutex<Option<(Instant, Result<(), String>)>>,
    /// Held while the metrics are read.
    scrape: Mutex<()>,
}

impl<R: Supervised> Probes<R> {
    async fn ask(&self) -> Result<(), String> {
        if self.supervised.is_ending() {
            return Err("ending".to_owned());
        }
        // The lock is held during the probe, so that concurrent requests wait for its result.
        let mut last = self.last.lock().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < PROBE_INTERVAL
        {
            return found.clone();
        }
        let found = tokio::time::timeout(PROBE_TIMEOUT, self.supervised.probe()).await;
        let found = found.unwrap_or_else(|_| Err(self.supervised.silent()));
        self.supervised.record(&found);
        *last = Some((Instant::now(), found.clone()));
        found
    }

    /// All metrics. One of them says whether the server is ready, which nobody else may have asked.
    async fn scraped(&self) -> String {
        let _is_recorded = self.ask().await;
        let _one_at_a_time = self.scrape.lock().await;
        self.supervised.metrics().await
    }
}

/// Answers for as long as the process lives.
pub(crate) async fn answer<R: Supervised>(listener: TcpListener, supervised: Arc<R>) {
    let probes = Arc::new(Probes { supervised, last: Mutex::new(None), scrape: Mutex::new(()) });
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let probes = probes.clone();
        let is_local = stream.local_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback());
        let service = service_fn(move |request| {
            let probes = probes.clone();
            async move { Ok::<_, Infallible>(respond(&request, is_local, &probes).await) }
        });
        tokio::spawn(async move {
            let mut connection = http1::Builder::new();
            connection.timer(TokioTimer::new()).header_read_timeout(IDLE);
            let _gone = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond<R: Supervised>(
    request: &Request<Incoming>,
    is_local: bool,
    probes: &Probes<R>,
) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        _ if !is_named(request) => {
            (StatusCode::BAD_REQUEST, "the Host header is missing or malformed".to_owned())
        }
        _ if is_local && !names_this_machine(request) => {
            let text = "the Host header names another machine: ask for 127.0.0.1 or localhost";
            (StatusCode::MISDIRECTED_REQUEST, text.to_owned())
        }
        (&Method::GET, "/livez") => (StatusCode::OK, "alive".to_owned()),
        (&Method::GET, "/readyz") => match probes.ask().await {
            Ok(()) => (StatusCode::OK, "ready".to_owned()),
            Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, missing),
        },
        (&Method::GET, "/metrics") => {
            return plain(StatusCode::OK, metrics::MEDIA_TYPE, probes.scraped().await);
        }
        _ => (StatusCode::NOT_FOUND, "there is only /livez, /readyz and /metrics".to_owned()),
    };
    plain(status, "text/plain; charset=utf-8", text + "\n")
}

fn plain(status: StatusCode, media_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", http::HeaderValue::from_static(media_type));
    response.headers_mut().insert("cache-control", http::HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counted {
        probes: AtomicUsize,
        is_ending: AtomicBool,
        is_silent: AtomicBool,
    }

    impl Supervised for Counted {
        fn is_ending(&self) -> bool {
            self.is_ending.load(Ordering::Relaxed)
        }

        async fn probe(&self) -> Result<(), String> {
            self.probes.fetch_add(1, Ordering::Relaxed);
            if self.is_silent.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            Ok(())
        }

        fn silent(&self) -> String {
            "silent".to_owned()
        }

        fn record(&self, _: &Result<(), String>) {}

        async fn metrics(&self) -> String {
            String::new()
        }
    }

    fn probes() -> Probes<Counted> {
        Probes { supervised: Arc::default(), last: Mutex::new(None), scrape: Mutex::new(()) }
    }

    /// However many supervisors ask, and however often, there is one write a second.
    #[tokio::test]
    async fn one_probe_answers_all_who_ask_within_a_second() {
        let probes = probes();
        for _ in 0..1_000 {
            probes.ask().await.unwrap();
        }
        assert_eq!(probes.supervised.probes.load(Ordering::Relaxed), 1);
        let a_second_ago = Instant::now().checked_sub(PROBE_INTERVAL);
        *probes.last.lock().await = a_second_ago.map(|at| (at, Err("old".to_owned())));
        probes.ask().await.unwrap();
        assert_eq!(probes.supervised.probes.load(Ordering::Relaxed), 2);
        probes.supervised.is_ending.store(true, Ordering::Relaxed);
        assert_eq!(probes.ask().await, Err("ending".to_owned()), "which is answered at once");
    }

    /// Where nobody asks for readiness, as on a machine without an orchestrator, the metrics know it all the same.
    #[tokio::test]
    async fn a_scrape_probes_too_and_no_more_often() {
        let probes = probes();
        for _ in 0..3 {
            let _text = probes.scraped().await;
        }
        assert_eq!(probes.supervised.probes.load(Ordering::Relaxed), 1);
        probes.supervised.is_silent.store(true, Ordering::Relaxed);
        *probes.last.lock().await = None;
        let _text = probes.scraped().await;
        assert_eq!(
            probes.supervised.probes.load(Ordering::Relaxed),
            2,
            "it ends although the store is silent"
        );
    }

    #[tokio::test]
    async fn a_store_that_is_silent_is_asked_once_by_all_together() {
        let probes = probes();
        probes.supervised.is_silent.store(true, Ordering::Relaxed);
        let (one, other) = tokio::join!(probes.ask(), probes.ask());
        assert_eq!((one.is_err(), other.is_err()), (true, true));
        assert_eq!(probes.supervised.probes.load(Ordering::Relaxed), 1);
    }
}
