//! One request and its response, on a connection of its own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chancery_core::fetch::FetchRequest;
use futures_util::future::{Either, select};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap,
    USER_AGENT,
};
use http::{HeaderValue, Method, Request};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use crate::address::Reach;
use crate::freshness::fresh_for;
use crate::https_fetch::now;
use crate::media_type;
use crate::network::{DynNetwork, Stream};
use crate::not_fetched::NotFetched;
use crate::target::{Host, Target};

/// How many addresses of a host are tried.
const MOST_ADDRESSES: usize = 4;

/// The buffer for the header of a response, in bytes. A longer header is refused.
const HEADER: usize = 16 * 1024;

/// A response as far as it was read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<Box<str>>,
    pub(crate) fresh_for: Option<Duration>,
}

/// Sends one request. The caller ends it when the deadline has come.
pub(crate) async fn exchange(
    network: &dyn DynNetwork,
    tls: &Arc<ClientConfig>,
    target: &Target,
    request: &FetchRequest<'_>,
    longest: usize,
    deadline: Instant,
) -> Result<Answer, NotFetched> {
    let addresses = vetted(network, target).await?;
    let stream = dial(network, &addresses, target.port, deadline).await?;
    if target.is_plain {
        return send(stream, target, request, longest).await;
    }
    let stream = TlsConnector::from(tls.clone())
        .connect(target.host.server_name()?, stream)
        .await
        .map_err(NotFetched::Untrusted)?;
    send(stream, target, request, longest).await
}

/// All addresses of the host. If one of them must not be dialled, none is: a name with addresses here and there
/// is what an attack looks like.
async fn vetted(network: &dyn DynNetwork, target: &Target) -> Result<Vec<IpAddr>, NotFetched> {
    let addresses = match &target.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => {
            network.resolve(name).await.map_err(|error| NotFetched::Unresolved(Some(error)))?
        }
    };
    let is_forbidden = |address: &&IpAddr| {
        let leads_away = target.is_plain && !address.to_canonical().is_loopback();
        leads_away || !Reach::of(**address).is_allowed(target.is_named)
    };
    match addresses.iter().find(is_forbidden) {
        Some(forbidden) => Err(NotFetched::Forbidden(*forbidden)),
        None if addresses.is_empty() => Err(NotFetched::Unresolved(None)),
        None => Ok(addresses),
    }
}

/// Connects to the first address that answers. None may take more than its share of the time that is left.
async fn dial(
    network: &dyn DynNetwork,
    addresses: &[IpAddr],
    port: u16,
    deadline: Instant,
) -> Result<Box<dyn Stream>, NotFetched> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let tried = addresses.len().min(MOST_ADDRESSES);
    for (address, left) in addresses.iter().zip((1..=tried).rev()) {
        let share = deadline.saturating_duration_since(now()) / u32::try_from(left).unwrap_or(u32::MAX);
        match timeout(share, network.dial(SocketAddr::new(*address, port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(NotFetched::Unreachable(last))
}

async fn send(
    stream: impl Stream,
    target: &Target,
    request: &FetchRequest<'_>,
    longest: usize,
) -> Result<Answer, NotFetched> {
    let sent = now();
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEADER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(NotFetched::Broken)?;
    let answer = Box::pin(async {
        let response = sender.send_request(message(target, request)?).await.map_err(NotFetched::Broken)?;
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let mut answer = Answer { status, body: Bytes::new(), content_type: None, fresh_for: None };
        if request.is_document(status) {
            answer.content_type = Some(media_type(&head.headers, request.accept())?);
            answer.fresh_for = fresh_for(&head.headers, now().saturating_duration_since(sent));
            answer.body = document(body, longest).await?;
        }
        Ok(answer)
    });
    match select(answer, Box::pin(connection)).await {
        Either::Left((answer, _)) => answer,
        // What ended the connection, if it was an error, ends the response as well.
        Either::Right((_, answer)) => answer.await,
    }
}

/// The request in origin form (RFC 9112 section 3.2.1), without anything that says who asks or why.
fn message(target: &Target, request: &FetchRequest<'_>) -> Result<Request<Full<Bytes>>, NotFetched> {
    let body = request.body();
    let mut message = Request::builder()
        .method(if body.is_some() { Method::POST } else { Method::GET })
        .uri(target.path.as_str())
        .header(HOST, target.authority())
        // Some servers turn away whoever has no name.
        .header(USER_AGENT, "Chancery")
        .header(ACCEPT, request.accept())
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close");
    if body.is_some() {
        message = message.header(CONTENT_TYPE, request.content_type());
    }
    if let Some(authorization) = request.authorization() {
        let value = HeaderValue::from_str(authorization);
        let mut value =
            value.map_err(|_| NotFetched::Address("its credentials cannot be sent in a request"))?;
        value.set_sensitive(true);
        message = message.header(AUTHORIZATION, value);
    }
    if let Some(traceparent) = request.traceparent() {
        message = message.header("traceparent", traceparent);
    }
    let body = Full::new(Bytes::copy_from_slice(body.unwrap_or_default().as_bytes()));
    message.body(body).map_err(|_| NotFetched::Address("the URL cannot be sent in a request"))
}

/// The media type of a document, if it is one that was asked for and the document is not encoded.
fn media_type(headers: &HeaderMap, accept: &str) -> Result<Box<str>, NotFetched> {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    if encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(NotFetched::Encoded);
    }
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let sent: Option<Box<str>> = lines.next().map(|line| String::from_utf8_lossy(line.as_bytes()).into());
    match sent {
        Some(sent) if lines.next().is_none() && media_type::is_accepted(&sent, accept) => Ok(sent),
        other => Err(NotFetched::MediaType(other)),
    }
}

/// Reads a document, and stops as soon as it is too long.
async fn document(body: Incoming, longest: usize) -> Result<Bytes, NotFetched> {
    if body.size_hint().lower() > u64::try_from(longest).unwrap_or(u64::MAX) {
        return Err(NotFetched::TooLong(longest));
    }
    let read = Limited::new(body, longest).collect().await;
    read.map(|document| document.to_bytes()).map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(broken) => NotFetched::Broken(*broken),
        Err(other) => {
            debug_assert!(other.is::<LengthLimitError>(), "{other}");
            NotFetched::TooLong(longest)
        }
    })
}
