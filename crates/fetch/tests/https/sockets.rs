//! The resolver and the sockets of this machine.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use chancery_fetch::{HttpsFetch, NotFetched, Options, Roots};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::internet::{JSON, cause, fetch, json, ok};

/// A server on loopback that answers everybody; its port, and what trusts it.
#[expect(clippy::disallowed_methods, reason = "a server goes on by itself")]
async fn server() -> (u16, Roots) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(&ok(JSON, "{}")).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (address.port(), Roots::default().and(made.cert.pem().as_bytes()).unwrap())
}

/// FETCH-05: an authority of the operator's own is trusted when the settings name it.
#[tokio::test]
async fn a_named_host_of_this_machine_is_asked() {
    let (port, roots) = server().await;
    for host in ["localhost", "127.0.0.1"] {
        let allowed_hosts = vec![format!("{host}:{port}").parse().unwrap()];
        let options = || Options { allowed_hosts: allowed_hosts.clone(), ..Options::default() };
        let url = format!("https://{host}:{port}/");
        let trusting = HttpsFetch::new(Options { roots: roots.clone(), ..options() }).unwrap();
        let came = fetch(&trusting, &json(&url)).await;
        assert!(came.to.is_ok(), "{host}: {:?}", came.to);
        let came = fetch(&HttpsFetch::new(options()).unwrap(), &json(&url)).await;
        assert!(matches!(cause(&came.to), NotFetched::Untrusted(_)), "{host}: {:?}", came.to);
    }
}

#[tokio::test]
async fn this_machine_is_not_asked_unless_it_is_named() {
    let client = HttpsFetch::new(Options::default()).unwrap();
    for url in ["https://localhost/", "https://127.0.0.1/", "https://[::1]/"] {
        let came = fetch(&client, &json(url)).await;
        let is_forbidden = |why: &NotFetched| {
            matches!(why, NotFetched::Forbidden(IpAddr::V4(found)) if found.is_loopback())
                || matches!(why, NotFetched::Forbidden(IpAddr::V6(found)) if found.is_loopback())
        };
        assert!(is_forbidden(cause(&came.to)), "{url}: {:?}", came.to);
    }
}
