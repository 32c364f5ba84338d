//! A provider under `/oidc` of an application that has routes of its own:
//! `cargo run -p chancery-examples --example mounted`, then
//! `cargo run -- try --issuer http://localhost:3000/oidc`.

use std::error::Error;

use axum::Router;
use axum::routing::get;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let demo = chancery::development(&format!("http://localhost:{port}/oidc")).await?;
    println!("{demo}");
    let app =
        Router::new().route("/", get(async || "The application's own page. The provider is under /oidc.\n"));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(chancery::axum::serve(listener, app, &demo).await?)
}
