//! The network as this crate uses it: names become addresses, and an address is dialled.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

/// A connection, before TLS.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Resolves names and dials addresses. [`HttpsFetch`](crate::HttpsFetch) decides which addresses are dialled.
pub trait Network: Send + Sync {
    /// All addresses of a host, best first.
    fn resolve(&self, host: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;

    /// Connects to exactly this address.
    fn dial(&self, address: SocketAddr) -> impl Future<Output = io::Result<Box<dyn Stream>>> + Send;
}

chancery_core::ports::port_object! {
    /// [`Network`] as an object, as [`HttpsFetch`](crate::HttpsFetch) holds it: whatever implements that trait is one.
    pub trait DynNetwork for Network {
        async fn resolve<'a>(&'a self, host: &'a str) -> io::Result<Vec<IpAddr>>;
        async fn dial<'a>(&'a self, address: SocketAddr) -> io::Result<Box<dyn Stream>>;
    }
}

/// The resolver and the sockets of this machine: the default.
#[derive(Clone, Copy, Debug)]
pub struct SystemNetwork;

impl Network for SystemNetwork {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }

    async fn dial(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
