//! Whether the process lives, and whether it should get requests. On an address of its own, loopback by default.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

/// A supervisor asks once a second or so; a store that has not answered by then is not ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether requests can be answered now.
pub(crate) trait Readiness: Send + Sync + 'static {
    /// Asks everything that a request needs. The text says what is missing.
    fn check(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// Answers `/livez` and `/readyz` for as long as the process lives.
pub(crate) async fn answer<R: Readiness>(listener: TcpListener, readiness: Arc<R>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let readiness = readiness.clone();
        let service = service_fn(move |request| {
            let readiness = readiness.clone();
            async move { Ok::<_, Infallible>(respond(&request, &*readiness).await) }
        });
        tokio::spawn(async move {
            let mut connection = http1::Builder::new();
            connection.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
            let _gone = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond<R: Readiness>(request: &Request<Incoming>, readiness: &R) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/livez") => (StatusCode::OK, "alive".to_owned()),
        (&Method::GET, "/readyz") => match tokio::time::timeout(PATIENCE, readiness.check()).await {
            Ok(Ok(())) => (StatusCode::OK, "ready".to_owned()),
            Ok(Err(missing)) => (StatusCode::SERVICE_UNAVAILABLE, missing),
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer".to_owned()),
        },
        _ => (StatusCode::NOT_FOUND, "only /livez and /readyz".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text + "\n")));
    *response.status_mut() = status;
    response.headers_mut().insert("cache-control", http::HeaderValue::from_static("no-store"));
    response
}
