//! A provider in an axum application, without the helper `chancery::axum::serve`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use axum::routing::get;
use chancery::Peer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = chancery::development(&chancery_frameworks::issuer()).await?;
    println!("{demo}");
    tokio::spawn(chancery_frameworks::work(demo.provider().clone()));
    let app = Router::new()
        .route("/own", get(async || "The application's own page."))
        .fallback_service(demo.service())
        .layer(map_request(with_peer));
    let listener = tokio::net::TcpListener::bind(chancery_frameworks::address()).await?;
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

async fn with_peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(Peer(address.ip()));
    request
}
