//! Connections from their socket to the service: limits, timeouts, TLS, and a shutdown that loses no request.

mod body;
mod client_certificate;
mod host;
mod in_flight;
mod networks;
mod old_version;
mod open;
mod own_certificate;
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
use chancery_x509::ClientCertificate;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub(crate) use self::body::TimedBody;
pub(crate) use self::host::{is_named, names_this_machine};
use self::in_flight::{InFlight, TimedOut};
pub(crate) use self::open::Connections;
pub(crate) use self::own_certificate::{Ending, ending};
pub(crate) use self::tls::{AsksClients, Certificate};
use self::unstalled::Unstalled;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long a client may take.
#[derive(Clone, Copy)]
pub(crate) struct Timeouts {
    /// For a request's header, from its first byte on; for the first request, from the connection's
    /// beginning.
    pub(crate) header: Duration,
    /// For a request's body.
    pub(crate) body: Duration,
    /// For its next request. It is longer than that of most proxies, which could otherwise send one while we
    /// hang up.
    pub(crate) idle: Duration,
    /// For receiving what it is sent.
    pub(crate) stall: Duration,
    /// For the whole connection: an older one ends after the requests in flight.
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

/// How many requests an HTTP/2 connection may have at once. It is fewer than RFC 9113 section 6.5.2
/// recommends, because each may hold the memory of a header and an unfinished body; a client that needs more
/// opens another connection.
const STREAMS: u32 = 32;

/// How many bytes of an HTTP/2 connection's bodies may be unread: as many as the longest body has (RFC 9113
/// section 6.9.2).
const WINDOW: u32 = 64 * 1024;

/// How long a connection without a request is kept during a shutdown.
const ARRIVAL: Duration = Duration::from_millis(500);

/// The pause when no connection can be accepted because the file descriptors are used up.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Answers requests. Each connection has a clone, which must be cheap.
pub(crate) trait Handler: Clone + Send + Sync + 'static {
    /// Whether connections of this peer count towards the limit of its network; those of a proxy do not.
    fn is_counted(&self, peer: IpAddr) -> bool;

    /// Answers one request that came from this peer, who has shown this certificate.
    fn answer(
        &self,
        peer: SocketAddr,
        certificate: Option<Arc<ClientCertificate>>,
        request: Request<TimedBody>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// What all connections of a listener have in common.
#[derive(Clone)]
pub(crate) struct ListenerConfig<A> {
    /// `None` for plain HTTP.
    pub(crate) certificate: Option<(Arc<Certificate>, AsksClients)>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) timeouts: Timeouts,
    pub(crate) handler: A,
}

/// Accepts connections until the shutdown, and then those that are already queued in the operating system.
///
/// A connection beyond the limits is closed at once, because in a queue it might wait forever.
pub(crate) async fn accept<A: Handler>(listener: TcpListener, config: ListenerConfig<A>) {
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            // It returns only when no connection is queued, because queued ones would be reset.
            () = config.connections.closing() => return,
        };
        let Ok((stream, peer)) = accepted else {
            // The file descriptors are used up, or the peer is gone already. Other connections may end
            // meanwhile.
            sleep(ACCEPT_BACKOFF).await;
            continue;
        };
        let network = config.handler.is_counted(peer.ip()).then(|| peer.ip());
        let Some(permit) = config.connections.acquire(network) else { continue };
        let config = config.clone();
        tokio::spawn(async move {
            serve(stream, peer, &config).await;
            drop(permit);
        });
    }
}

async fn serve<A: Handler>(mut stream: TcpStream, peer: SocketAddr, config: &ListenerConfig<A>) {
    // Answers are small and complete, so Nagle's algorithm would only delay them.
    let _without = stream.set_nodelay(true);
    let stall = config.timeouts.stall;
    match &config.certificate {
        None => exchange(Unstalled::new(stream, stall), peer, None, config).await,
        Some((certificate, asks)) => {
            let handshake = async {
                if old_version::is_refused(&mut stream).await {
                    return None;
                }
                certificate.acceptor(*asks).accept(Unstalled::new(stream, stall)).await.ok()
            };
            if let Ok(Some(stream)) = timeout(HANDSHAKE, handshake).await {
                let shown = client_certificate::shown(stream.get_ref().1.peer_certificates());
                exchange(stream, peer, shown, config).await;
            }
        }
    }
}

/// HTTP/1.1 and HTTP/2 on one connection until either side ends it.
async fn exchange<A: Handler>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    certificate: Option<Arc<ClientCertificate>>,
    config: &ListenerConfig<A>,
) {
    let ListenerConfig { connections, timeouts, handler, .. } = config;
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // hyper's timeout covers idle time as well; ours distinguishes an idle connection from a slow header.
        .header_read_timeout(None)
        // With at most 100 headers: hyper's default, for which it needs no memory of its own.
        .max_buf_size(32 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(16 * 1024)
        .keep_alive_interval(timeouts.header)
        .keep_alive_timeout(timeouts.header);
    let requests = InFlight::new();
    let service = service_fn(|request: Request<Incoming>| {
        let in_flight = requests.begin(request.version());
        let (handler, connections, within) = (handler.clone(), connections.clone(), timeouts.body);
        let certificate = certificate.clone();
        async move {
            let version = request.version();
            let mut response = if is_named(&request) {
                let request = request.map(|body| TimedBody::new(body, within));
                catch_panic(handler.answer(peer, certificate, request)).await
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
    let connection = builder.serve_connection(TokioIo::new(requests.track(stream)), service);
    let mut connection = pin!(connection);
    // A task of its own waits for the end: its timers are not polled whenever the connection has something to
    // do.
    let mut end = Task(tokio::spawn(end(requests.clone(), connections.clone(), *timeouts)));
    let why = tokio::select! {
        biased;
        _ended = connection.as_mut() => return,
        why = &mut end.0 => why,
    };
    let rest = match why {
        Ok(End::TimedOut(TimedOut::SlowHeader)) | Err(_) => return,
        Ok(End::TimedOut(TimedOut::Idle)) => timeouts.stall,
        Ok(End::Old) => timeouts.body + timeouts.stall,
        Ok(End::Closing) => {
            // A request that is just arriving is still answered, and its answer ends the connection.
            if timeout(ARRIVAL, connection.as_mut()).await.is_ok() {
                return;
            }
            timeouts.body + timeouts.stall
        }
    };
    connection.as_mut().graceful_shutdown();
    let _ended = timeout(rest, connection).await;
}

/// Why this side ends a connection.
enum End {
    TimedOut(TimedOut),
    /// The connection has lasted long enough.
    Old,
    /// All connections end.
    Closing,
}

/// Completes when a connection must end.
async fn end(requests: InFlight, connections: Arc<Connections>, timeouts: Timeouts) -> End {
    tokio::select! {
        timed_out = requests.timed_out(timeouts.header, timeouts.idle) => End::TimedOut(timed_out),
        () = sleep(timeouts.life) => End::Old,
        () = connections.closing() => End::Closing,
    }
}

/// A task that is cancelled when this is dropped.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A bug that panics in one request costs that request only.
async fn catch_panic(answer: impl Future<Output = Response<Full<Bytes>>>) -> Response<Full<Bytes>> {
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

/// An answer that does not come from the service.
fn json(status: StatusCode, body: &'static [u8]) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body)));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
