//! A provider under `/oidc` of an application that has routes of its own:
//! `cargo run -p chancery-examples --example mounted`, then
//! `cargo run --example try -- --issuer http://localhost:3000/oidc`.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use axum::routing::get;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let demo = chancery::development(&format!("http://localhost:{port}/oidc")).await?;
    println!("{demo}");

    // Expired records are never used, but they have to be removed from time to time.
    let provider = demo.provider().clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_secs(5));
        loop {
            ticks.tick().await;
            if let Err(fault) = provider.run_once(provider.now()).await {
                eprintln!("expired records could not be removed: {fault}");
            }
        }
    });

    let app = Router::new()
        .route("/", get(async || "The application's own page. The provider is under /oidc.\n"))
        // The provider has one address outside of its path (RFC 8414 section 3.1).
        .route_service("/.well-known/oauth-authorization-server/oidc", demo.service())
        .nest_service("/oidc", demo.service())
        .layer(map_request(peer));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

/// Tells the provider the client's address, because it limits guesses at passwords by network.
async fn peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(chancery::Peer(address.ip()));
    request
}
