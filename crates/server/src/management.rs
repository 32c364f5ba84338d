//! Whether the process lives, and whether it should get requests. On an address of its own, loopback by default.

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

use crate::listener::is_named;

/// A supervisor asks once a second or so; a store that has not answered by then is not ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a connection may say nothing: longer than a supervisor waits between two questions.
const IDLE: Duration = Duration::from_secs(75);

/// As long an answer is given again: the store is written at most once in that time, whoever asks, and how often.
const SHARED: Duration = Duration::from_secs(1);

/// Whether requests can be answered now.
pub(crate) trait Readiness: Send + Sync + 'static {
    /// Whether the end was asked for; told at once.
    fn is_ending(&self) -> bool;

    /// Tries everything that a request needs. The text says what is missing.
    fn probe(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// Hears what was found.
    fn found(&self, readiness: &Result<(), String>);
}

/// Readiness as it was found last, for all who ask.
struct Probes<R> {
    readiness: Arc<R>,
    last: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl<R: Readiness> Probes<R> {
    async fn ask(&self) -> Result<(), String> {
        if self.readiness.is_ending() {
            return Err("ending".to_owned());
        }
        // Held meanwhile: who asks while somebody else does waits for the same answer.
        let mut last = self.last.lock().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < SHARED
        {
            return found.clone();
        }
        let found = tokio::time::timeout(PATIENCE, self.readiness.probe()).await;
        let found = found.unwrap_or_else(|_| Err("the store does not answer".to_owned()));
        self.readiness.found(&found);
        *last = Some((Instant::now(), found.clone()));
        found
    }
}

/// Answers `/livez` and `/readyz` for as long as the process lives.
pub(crate) async fn answer<R: Readiness>(listener: TcpListener, readiness: Arc<R>) {
    let probes = Arc::new(Probes { readiness, last: Mutex::new(None) });
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let probes = probes.clone();
        let service = service_fn(move |request| {
            let probes = probes.clone();
            async move { Ok::<_, Infallible>(respond(&request, &probes).await) }
        });
        tokio::spawn(async move {
            let mut connection = http1::Builder::new();
            connection.timer(TokioTimer::new()).header_read_timeout(IDLE);
            let _gone = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond<R: Readiness>(request: &Request<Incoming>, probes: &Probes<R>) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        _ if !is_named(request) => (StatusCode::BAD_REQUEST, "no host".to_owned()),
        (&Method::GET, "/livez") => (StatusCode::OK, "alive".to_owned()),
        (&Method::GET, "/readyz") => match probes.ask().await {
            Ok(()) => (StatusCode::OK, "ready".to_owned()),
            Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, missing),
        },
        _ => (StatusCode::NOT_FOUND, "only /livez and /readyz".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text + "\n")));
    *response.status_mut() = status;
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

    impl Readiness for Counted {
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

        fn found(&self, _: &Result<(), String>) {}
    }

    fn probes() -> Probes<Counted> {
        Probes { readiness: Arc::default(), last: Mutex::new(None) }
    }

    /// Many supervisors, or somebody who asks without a pause, make one write a second.
    #[tokio::test]
    async fn one_probe_answers_all_who_ask_within_a_second() {
        let probes = probes();
        for _ in 0..1_000 {
            probes.ask().await.unwrap();
        }
        assert_eq!(probes.readiness.probes.load(Ordering::Relaxed), 1);
        let a_second_ago = Instant::now().checked_sub(SHARED);
        *probes.last.lock().await = a_second_ago.map(|at| (at, Err("old".to_owned())));
        probes.ask().await.unwrap();
        assert_eq!(probes.readiness.probes.load(Ordering::Relaxed), 2);
        probes.readiness.is_ending.store(true, Ordering::Relaxed);
        assert_eq!(probes.ask().await, Err("ending".to_owned()), "which nobody waits a second for");
    }

    #[tokio::test]
    async fn a_store_that_is_silent_is_asked_once_by_all_together() {
        let probes = probes();
        probes.readiness.is_silent.store(true, Ordering::Relaxed);
        let (one, other) = tokio::join!(probes.ask(), probes.ask());
        assert_eq!((one.is_err(), other.is_err()), (true, true));
        assert_eq!(probes.readiness.probes.load(Ordering::Relaxed), 1);
    }
}
