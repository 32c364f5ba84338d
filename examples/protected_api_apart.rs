//! An API apart from its provider: `cargo run -p chancery-examples --example protected_api_apart`, while `protected_api`
//! runs, or any other provider that is named by `ISSUER` and has `http://localhost:3001` as a resource server with JWTs.

use std::error::Error;
use std::sync::Arc;

use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use chancery::fetch::{HttpsFetch, Options};
use chancery::resource::{AccessToken, ProtectedResource, Refused};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3001".to_owned());
    let issuer = std::env::var("ISSUER").unwrap_or_else(|_| "http://localhost:3000".to_owned());
    // A provider elsewhere is asked by https alone.
    let network = HttpsFetch::new(Options { http_on_this_machine: true, ..Options::default() })?;

    let name = format!("http://localhost:{port}");
    let api = ProtectedResource::trusting(&issuer, Arc::new(network)).at(&name)?;
    let app = Router::new().route("/notes", get(read).layer(api.requires("notes:read")?)).layer(api.layer());
    // Outside of the API's own layer, which answers whoever has no good token: the client learns little of why.
    let app = app.layer(map_response(logged));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("{name}/notes takes tokens of {issuer}");
    Ok(axum::serve(listener, app).await?)
}

async fn logged(response: Response) -> Response {
    if let Some(Refused(why)) = response.extensions().get::<Refused>() {
        eprintln!("refused: {why}");
    }
    response
}

async fn read(Extension(token): Extension<AccessToken>) -> String {
    format!("the notes of {}, for {}\n", token.subject, token.client)
}
