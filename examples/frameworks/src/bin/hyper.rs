//! A provider on hyper alone: a `tower` service is one of hyper's by an adapter.

use std::convert::Infallible;

use chancery::Peer;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = chancery::development(&chancery_frameworks::issuer()).await?;
    println!("{demo}");
    tokio::spawn(chancery_frameworks::work(demo.provider().clone()));
    let listener = tokio::net::TcpListener::bind(chancery_frameworks::address()).await?;
    loop {
        let (stream, peer) = listener.accept().await?;
        let provider = TowerToHyperService::new(demo.service());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            let provider = provider.clone();
            async move { Ok::<_, Infallible>(hyper::service::Service::call(&provider, request).await?) }
        });
        tokio::spawn(async move {
            let connection = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = connection.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("{error}");
            }
        });
    }
}
