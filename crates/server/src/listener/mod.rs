//! From a socket to the service and back: limits, deadlines, TLS, and an end that loses nothing.

mod body;
mod open;
mod tls;

use std::convert::Infallible;
use std::net::SocketAddr;
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

pub(crate) use self::body::TimedBody;
pub(crate) use self::open::Connections;
pub(crate) use self::tls::Certificate;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long a request's header may take, and how long a connection may say nothing.
const HEADER: Duration = Duration::from_secs(10);

/// How long a request's body may take.
const BODY: Duration = Duration::from_secs(30);

/// What the system is given when it has no file descriptor left.
const BREATH: Duration = Duration::from_millis(100);

/// Answers requests. Cheap to clone; each connection has its own.
pub(crate) trait Answering: Clone + Send + Sync + 'static {
    /// Answers one request that came from this peer.
    fn answer(
        &self,
        peer: SocketAddr,
        request: Request<TimedBody>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// Takes connections until it is told to stop.
pub(crate) async fn accept<A: Answering>(
    listener: TcpListener,
    certificate: Option<Arc<Certificate>>,
    connections: Arc<Connections>,
    answering: A,
) {
    loop {
        let place = connections.place().await;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = connections.closing() => return,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, or the peer has gone already: others may end meanwhile.
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let (certificate, connections, answering) = (certificate.clone(), connections.clone(), answering.clone());
        tokio::spawn(async move {
            serve(stream, peer, certificate, &connections, answering).await;
            drop(place);
        });
    }
}

async fn serve<A: Answering>(
    stream: TcpStream,
    peer: SocketAddr,
    certificate: Option<Arc<Certificate>>,
    connections: &Arc<Connections>,
    answering: A,
) {
    // Answers are small and complete; waiting for more to send would only delay them.
    let _without = stream.set_nodelay(true);
    match certificate {
        None => exchange(stream, peer, connections, answering).await,
        Some(certificate) => {
            let handshake = certificate.acceptor().accept(stream);
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, handshake).await {
                exchange(stream, peer, connections, answering).await;
            }
        }
    }
}

/// HTTP/1.1 and HTTP/2 on one connection until either side ends it.
async fn exchange<A: Answering>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    connections: &Arc<Connections>,
    answering: A,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER).max_buf_size(32 * 1024).max_headers(100);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(16 * 1024)
        .keep_alive_interval(HEADER)
        .keep_alive_timeout(HEADER);
    let service = service_fn(|request: Request<Incoming>| {
        let (answering, connections) = (answering.clone(), connections.clone());
        async move {
            let version = request.version();
            let request = request.map(|body| TimedBody::new(body, BODY));
            let mut response = unless_it_panics(answering.answer(peer, request)).await;
            if connections.is_draining() && version < Version::HTTP_2 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ended = connection.as_mut() => return,
        () = connections.closing() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ended = connection.await;
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
    caught.await.unwrap_or_else(|| {
        let mut response = Response::new(Full::new(Bytes::from_static(b"{\"error\":\"server_error\"}")));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
        response
    })
}
