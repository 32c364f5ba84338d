//! The requests that bring spans to the collector. The operator has chosen its address, so that nothing is vetted as it is for
//! the addresses of clients (`chancery_fetch`), and it may be in the internal network and speak plain HTTP.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chancery_core::ports::BoxFuture;
use chancery_fetch::client_config;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::fetch;
use crate::log::{Level, Log};
use crate::settings::Fetch;

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How much of an answer is read.
const LONGEST: usize = 64 * 1024;

/// Sends requests to the collector, on a connection each: there is one every few seconds.
pub(super) struct Collector {
    /// Spans are sent by a thread of their own, which has no runtime.
    runtime: Handle,
    tls: Arc<ClientConfig>,
    log: Arc<Log>,
    /// Whether the last request has failed, so that the log hears of changes alone.
    is_away: AtomicBool,
}

impl Collector {
    /// Trusts whom requests to other servers trust.
    ///
    /// # Errors
    /// A file of authorities that cannot be read.
    pub(super) fn new(settings: &Fetch, log: Arc<Log>) -> Result<Self, String> {
        let tls = client_config(fetch::roots(settings)?).map_err(|fault| fault.to_string())?;
        Ok(Self { runtime: Handle::current(), tls: Arc::new(tls), log, is_away: AtomicBool::new(false) })
    }

    fn takes_note(&self, answer: &Result<Response<Bytes>, HttpError>) {
        let failure = match answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answered {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        let was_away = self.is_away.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(why) if !was_away => {
                let text = format!("the collector at traces.endpoint does not take spans: {why}");
                self.log.say(Level::Warn, "traces_lost", &text);
            }
            None if was_away => self.log.say(Level::Info, "traces_taken", "the collector takes spans again"),
            _ => {}
        }
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl HttpClient for Collector {
    fn send_bytes<'s, 'a>(
        &'s self,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Result<Response<Bytes>, HttpError>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let tls = TlsConnector::from(self.tls.clone());
            // Within the runtime, whose clock the time limit needs.
            let exchanged = self.runtime.spawn(async move { timeout(LIMIT, exchange(tls, request)).await });
            let answer = match exchanged.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err("it took too long".into()),
                Err(error) => Err(error.into()),
            };
            self.takes_note(&answer);
            answer
        })
    }
}

async fn exchange(tls: TlsConnector, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let uri = request.uri().clone();
    let is_tls = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    if is_tls {
        let stream = tls.connect(ServerName::try_from(host)?, stream).await?;
        send(stream, request, &uri).await
    } else {
        send(stream, request, &uri).await
    }
}

async fn send<S>(stream: S, mut request: Request<Bytes>, uri: &Uri) -> Result<Response<Bytes>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority)?);
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    *request.uri_mut() = uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, LONGEST).collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}
