//! From a socket to the service and back: limits, deadlines, TLS, and an end that loses nothing.

mod body;
mod host;
mod in_flight;
mod networks;
mod open;
#[cfg(test)]
mod tests;
mod tls;
mod unstalled;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

pub(crate) use self::body::TimedBody;
pub(crate) use self::host::is_named;
use self::in_flight::{InFlight, Silence};
pub(crate) use self::open::Connections;
pub(crate) use self::tls::Certificate;
use self::unstalled::Unstalled;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long a client may take.
#[derive(Clone, Copy)]
pub(crate) struct Timeouts {
    /// For a request's header, from its first byte on; for the first request, from the connection's begin on.
    pub(crate) header: Duration,
    /// For a request's body.
    pub(crate) body: Duration,
    /// For its next request. Longer than that of usual proxies, which may be just sending one when we hang up.
    pub(crate) idle: Duration,
    /// For taking what it is sent.
    pub(crate) stall: Duration,
    /// For everything: a connection that is older ends after what is in flight.
    pub(crate) life: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(30),
            life: Duration::from_secs(3600),
        }
    }
}

/// How many requests an HTTP/2 connection may have at once: fewer than RFC 9113 section 6.5.2 recommends, because each may
/// keep a header and an unfinished body here; whoever needs more opens another connection.
const STREAMS: u32 = 32;

/// How much of an HTTP/2 connection's bodies may wait to be read: as much as the longest body (RFC 9113 section 6.9.2).
const WINDOW: u32 = 64 * 1024;

/// How long a connection without a request is kept at the end.
const ARRIVING: Duration = Duration::from_millis(500);

/// What the system is given when it has no file descriptor left.
const BREATH: Duration = Duration::from_millis(100);

/// Answers requests. Cheap to clone; each connection has its own.
pub(crate) trait Answering: Clone + Send + Sync + 'static {
    /// Whether connections from there count as their network's: one that speaks for many does not.
    fn is_counted(&self, peer: IpAddr) -> bool;

    /// Answers one request that came from this peer.
    fn answer(
        &self,
        peer: SocketAddr,
        request: Request<TimedBody>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// How connections are dealt with: what all those of a listener have in common.
#[derive(Clone)]
pub(crate) struct Terms<A> {
    /// `None` for plain HTTP.
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) patience: Timeouts,
    pub(crate) answering: A,
}

/// Takes connections until it is told to stop, and then those that wait. Whoever comes later finds nobody listening.
///
/// A connection that there is no place for is closed at once: in a queue it would wait for others who may never end.
pub(crate) async fn accept<A: Answering>(listener: TcpListener, terms: Terms<A>) {
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            // Only when no connection waits to be taken: those that wait would be reset.
            () = terms.connections.closing() => return,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, or the peer has gone already: others may end meanwhile.
            sleep(BREATH).await;
            continue;
        };
        let network = terms.answering.is_counted(peer.ip()).then(|| peer.ip());
        let Some(place) = terms.connections.place(network) else { continue };
        let terms = terms.clone();
        tokio::spawn(async move {
            serve(stream, peer, &terms).await;
            drop(place);
        });
    }
}

async fn serve<A: Answering>(stream: TcpStream, peer: SocketAddr, terms: &Terms<A>) {
    // Answers are small and complete; waiting for more to send would only delay them.
    let _without = stream.set_nodelay(true);
    let stream = Unstalled::new(stream, terms.patience.stall);
    match &terms.certificate {
        None => exchange(stream, peer, terms).await,
        Some(certificate) => {
            let handshake = certificate.acceptor().accept(stream);
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, handshake).await {
                exchange(stream, peer, terms).await;
            }
        }
    }
}

/// HTTP/1.1 and HTTP/2 on one connection until either side ends it.
async fn exchange<A: Answering>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    terms: &Terms<A>,
) {
    let Terms { connections, patience, answering, .. } = terms;
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // It would begin with the connection's silence; ours tells an idle connection from a slow header.
        .header_read_timeout(None)
        .max_buf_size(32 * 1024)
        .max_headers(100);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(16 * 1024)
        .keep_alive_interval(patience.header)
        .keep_alive_timeout(patience.header);
    let requests = InFlight::new();
    let service = service_fn(|request: Request<Incoming>| {
        let in_flight = requests.begin(request.version());
        let (answering, connections, within) = (answering.clone(), connections.clone(), patience.body);
        async move {
            let version = request.version();
            let mut response = if is_named(&request) {
                let request = request.map(|body| TimedBody::new(body, within));
                unless_it_panics(answering.answer(peer, request)).await
            } else {
                json(StatusCode::BAD_REQUEST, br#"{"error":"invalid_request"}"#)
            };
            if connections.is_draining() && version < Version::HTTP_2 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            drop(in_flight);
            Ok::<_, Infallible>(response)
        }
    });
    let connection = builder.serve_connection(TokioIo::new(requests.listen(stream)), service);
    let mut connection = pin!(connection);
    let ending = tokio::select! {
        _ended = connection.as_mut() => return,
        silence = requests.silence(patience.header, patience.idle) => match silence {
            Silence::Idle => patience.stall,
            Silence::SlowHeader => return,
        },
        () = sleep(patience.life) => patience.body + patience.stall,
        () = connections.closing() => {
            // A request that is just arriving would be lost; it is answered, and its answer ends the connection.
            if timeout(ARRIVING, connection.as_mut()).await.is_ok() {
                return;
            }
            patience.body + patience.stall
        }
    };
    connection.as_mut().graceful_shutdown();
    let _ended = timeout(ending, connection).await;
}

/// A defect in one request costs that request only.
async fn unless_it_panics(answer: impl Future<Output = Response<Full<Bytes>>>) -> Response<Full<Bytes>> {
    let mut answer = pin!(answer);
    let caught = std::future::poll_fn(|context| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
        match polled {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    });
    let error = || json(StatusCode::INTERNAL_SERVER_ERROR, b"{\"error\":\"server_error\"}");
    caught.await.unwrap_or_else(error)
}

/// An answer that the service has no part in.
fn json(status: StatusCode, body: &'static [u8]) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body)));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
