//! An API beside its provider, in one program: `cargo run -p chancery-examples --example protected_api`. Nothing goes over
//! the network when the API looks at a token.

use std::error::Error;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use axum::routing::{get, post};
use axum::{Extension, Router};
use chancery::resource::{AccessToken, ProtectedResource};
use chancery::{ResourceServer, ResourceUri, Scopes, TokenFormat};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let origin = format!("http://localhost:{port}");
    let demo = chancery::development::with_apis(&origin, apis(&origin)?).await?;
    println!("{demo}");

    let api = ProtectedResource::of_provider(demo.provider().clone()).at(&format!("{origin}/api"))?;
    let app = Router::new()
        .route("/api/notes", get(read).layer(api.requires("notes:read")?))
        .route("/api/notes", post(write).layer(api.requires("notes:write")?))
        .route(api.metadata_path(), get(async || "the layer answers this"))
        .layer(api.layer())
        .fallback_service(demo.service())
        .layer(map_request(peer));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

async fn read(Extension(token): Extension<AccessToken>) -> String {
    format!("the notes of {}, for {}\n", token.subject, token.client)
}

async fn write(Extension(token): Extension<AccessToken>) -> String {
    format!("{} has written a note\n", token.subject)
}

/// The APIs that the provider issues tokens for: this one, and that of the example `protected_api_apart`.
fn apis(origin: &str) -> Result<Vec<ResourceServer>, Box<dyn Error>> {
    let scopes = Scopes::parse("notes:read notes:write")?;
    let here = ResourceServer::new(ResourceUri::parse(&format!("{origin}/api"))?, scopes.clone());
    let apart = std::env::var("APART").unwrap_or_else(|_| "http://localhost:3001".to_owned());
    let apart = ResourceServer::new(ResourceUri::parse(&apart)?, scopes);
    Ok(vec![here, ResourceServer { format: TokenFormat::Jwt, ..apart }])
}

/// Tells the provider the client's address, because it limits guesses at passwords by network.
async fn peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(chancery::Peer(address.ip()));
    request
}
