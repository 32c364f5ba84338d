//! An internet in memory: names, addresses, and what the server at an address does.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chancery_core::error::{Fault, FaultKind};
use chancery_core::fetch::{Fetch as _, FetchRequest, FetchResponse};
use chancery_fetch::{HttpsFetch, Limits, Network, NotFetched, Options, Roots, Stream};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, interval};
use tokio_rustls::TlsAcceptor;

/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";

/// What a server does with a request.
#[derive(Clone)]
pub(crate) enum Does {
    /// Sends these bytes, then ends the connection.
    Sends(Vec<u8>),
    /// Sends these bytes, then nothing.
    Stalls(Vec<u8>),
    /// Sends these bytes, one in each second.
    Drips(Vec<u8>),
    /// Sends bytes for as long as somebody takes them.
    Floods(Vec<u8>),
    /// Sends these bytes when it is allowed to, once for each permit.
    Waits(Arc<Semaphore>, Vec<u8>),
}

/// How a server greets a connection.
#[derive(Clone)]
enum Greets {
    /// By TLS, with this certificate.
    Tls(Arc<ServerConfig>),
    /// By HTTP without TLS.
    Plainly,
    /// Not at all.
    Never,
}

#[derive(Clone)]
struct Server {
    greets: Greets,
    does: Does,
}

/// The internet of one test.
pub(crate) struct Internet {
    authority: Issuer<'static, KeyPair>,
    roots: Roots,
    /// What each look-up of a name finds, in turn; the last one stays.
    names: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    servers: Mutex<HashMap<SocketAddr, Server>>,
    looked_up: Mutex<Vec<String>>,
    dialled: Mutex<Vec<SocketAddr>>,
    requests: Mutex<Vec<String>>,
    /// How many connections a server has open.
    pub(crate) open: AtomicUsize,
    /// How many bytes were taken from servers that flood.
    pub(crate) taken: AtomicUsize,
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A response with status 200.
pub(crate) fn ok(content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}")
        .into()
}

/// A request for JSON.
pub(crate) fn json(url: &str) -> FetchRequest<'_> {
    FetchRequest::get(url, JSON, 1 << 30)
}

impl Internet {
    pub(crate) fn new() -> Arc<Self> {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Arc::new(Self {
            authority: Issuer::new(params, key),
            roots: Roots::default().and(certificate.pem().as_bytes()).unwrap(),
            names: Mutex::default(),
            servers: Mutex::default(),
            looked_up: Mutex::default(),
            dialled: Mutex::default(),
            requests: Mutex::default(),
            open: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
        })
    }

    /// One server with the default limits, at https://client.example.
    pub(crate) fn with(does: Does) -> Arc<Self> {
        let internet = Self::new();
        internet.host("client.example", "8.8.8.8", does);
        internet
    }

    /// A name with one address, and a server there.
    pub(crate) fn host(&self, name: &str, at: &str, does: Does) {
        self.name(name, &[&[at]]);
        self.server(&format!("{at}:443"), &[name], does);
    }

    /// What the look-ups of a name find, one after the other.
    pub(crate) fn name(&self, name: &str, found: &[&[&str]]) {
        let found = found.iter().map(|found| found.iter().map(|text| address(text)).collect()).collect();
        self.names.lock().unwrap().insert(name.to_owned(), found);
    }

    /// A server with a good certificate for these names.
    pub(crate) fn server(&self, at: &str, names: &[&str], does: Does) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.server_with(at, CertificateParams::new(names).unwrap(), does);
    }

    /// A server with a certificate that is made of this, signed by the authority that is trusted.
    pub(crate) fn server_with(&self, at: &str, params: CertificateParams, does: Does) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        self.insert(at, Greets::Tls(server_config(&certificate, &key)), does);
    }

    /// A server whose certificate nobody else has signed.
    pub(crate) fn self_signed_server(&self, at: &str, name: &str, does: Does) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        self.insert(at, Greets::Tls(server_config(&made.cert, &made.signing_key)), does);
    }

    pub(crate) fn plain_server(&self, at: &str) {
        self.insert(at, Greets::Plainly, Does::Stalls(Vec::new()));
    }

    /// A server that takes connections and says nothing, not even a word of TLS.
    pub(crate) fn mute_server(&self, at: &str) {
        self.insert(at, Greets::Never, Does::Stalls(Vec::new()));
    }

    fn insert(&self, at: &str, greets: Greets, does: Does) {
        self.servers.lock().unwrap().insert(at.parse().unwrap(), Server { greets, does });
    }

    pub(crate) fn client(self: &Arc<Self>) -> HttpsFetch {
        self.client_with(Limits::default(), &[])
    }

    pub(crate) fn client_with(self: &Arc<Self>, limits: Limits, allowed: &[&str]) -> HttpsFetch {
        HttpsFetch::new(self.options(limits, allowed)).unwrap()
    }

    pub(crate) fn options(self: &Arc<Self>, limits: Limits, allowed: &[&str]) -> Options {
        Options {
            roots: self.roots.clone(),
            allowed_hosts: allowed.iter().map(|host| host.parse().unwrap()).collect(),
            limits,
            network: Arc::new(Wire(self.clone())),
            ..Options::default()
        }
    }

    pub(crate) fn looked_up(&self) -> Vec<String> {
        self.looked_up.lock().unwrap().clone()
    }

    /// Who was dialled since this was called last.
    pub(crate) fn dialled(&self) -> Vec<String> {
        std::mem::take(&mut *self.dialled.lock().unwrap()).iter().map(ToString::to_string).collect()
    }

    /// The requests as they arrived.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    async fn serve(self: Arc<Self>, server: Server, stream: DuplexStream) {
        self.open.fetch_add(1, Ordering::SeqCst);
        match server.greets {
            Greets::Tls(config) => {
                if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                    let _ = self.answer(server.does, stream).await;
                }
            }
            Greets::Plainly => {
                // It takes TLS for a bad request.
                let mut stream = stream;
                drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await);
            }
            // It waits until the peer is gone.
            Greets::Never => drop({ stream }.read_to_end(&mut Vec::new()).await),
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    async fn answer(&self, does: Does, mut stream: impl Stream) -> io::Result<()> {
        let request = read_request(&mut stream).await?;
        self.requests.lock().unwrap().push(request);
        match does {
            Does::Sends(bytes) => {
                stream.write_all(&bytes).await?;
                stream.shutdown().await
            }
            Does::Stalls(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
                stream.read_to_end(&mut Vec::new()).await.map(drop)
            }
            Does::Drips(bytes) => {
                let mut seconds = interval(Duration::from_secs(1));
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    stream.flush().await?;
                    seconds.tick().await;
                }
                stream.shutdown().await
            }
            Does::Floods(bytes) => {
                stream.write_all(&bytes).await?;
                let block = [b' '; 1024];
                loop {
                    stream.write_all(&block).await?;
                    stream.flush().await?;
                    self.taken.fetch_add(block.len(), Ordering::SeqCst);
                }
            }
            Does::Waits(permits, bytes) => {
                // Whoever has given up takes nobody's permit.
                tokio::select! {
                    biased;
                    _ = stream.read_u8() => return Ok(()),
                    permit = permits.acquire() => permit.map_err(io::Error::other)?.forget(),
                }
                stream.write_all(&bytes).await?;
                stream.shutdown().await
            }
        }
    }
}

/// The header, and the body that it announces.
async fn read_request(stream: &mut impl Stream) -> io::Result<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(request).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    Ok(head + std::str::from_utf8(&body).unwrap())
}

fn server_config(certificate: &rcgen::Certificate, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key);
    Arc::new(config.unwrap())
}

/// The internet as the client sees it.
struct Wire(Arc<Internet>);

impl Network for Wire {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.0.looked_up.lock().unwrap().push(host.to_owned());
        if host == "slow-dns.example" {
            return pending().await;
        }
        let mut names = self.0.names.lock().unwrap();
        let found = names.get_mut(host).ok_or(io::ErrorKind::NotFound)?;
        let next = if found.len() > 1 { found.pop_front() } else { found.front().cloned() };
        Ok(next.unwrap_or_default())
    }

    #[expect(clippy::disallowed_methods, reason = "a server goes on by itself")]
    async fn dial(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        self.0.dialled.lock().unwrap().push(address);
        // Nobody is in 1.0.0.0/8, and nobody says so.
        if address.to_string().starts_with("1.") {
            return pending().await;
        }
        let server = self.0.servers.lock().unwrap().get(&address).cloned();
        let server = server.ok_or(io::ErrorKind::ConnectionRefused)?;
        let (near, far) = tokio::io::duplex(16 * 1024);
        tokio::spawn(self.0.clone().serve(server, far));
        Ok(Box::new(near))
    }
}

/// What a fetch came to, with the time that it took.
pub(crate) struct Came {
    pub(crate) to: Result<FetchResponse, Fault>,
    pub(crate) after: Duration,
}

pub(crate) async fn fetch(client: &HttpsFetch, request: &FetchRequest<'_>) -> Came {
    let begun = now();
    let to = client.fetch(request).await;
    Came { to, after: now() - begun }
}

/// The cause, after a check that the failure looks like every other.
pub(crate) fn cause(failed: &Result<FetchResponse, Fault>) -> &NotFetched {
    let Err(fault) = failed else { panic!("{failed:?}") };
    assert_eq!(fault.kind(), FaultKind::Unavailable);
    fault.cause().unwrap().downcast_ref().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the clock is in the test's hand")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
