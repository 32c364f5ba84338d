//! A development provider in fifteen lines: `cargo run -p chancery-examples --example minimal`.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = chancery::development("http://localhost:3000").await?;
    println!("{demo}"); // addresses, clients, account, password, what to try
    let app = axum::Router::new().fallback_service(demo.service()).layer(map_request(peer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

/// Tells the provider the client's address, because it limits guesses at passwords by network.
async fn peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(chancery::Peer(address.ip()));
    request
}
