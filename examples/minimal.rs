//! A development provider in an axum application: `cargo run -p chancery-examples --example minimal`.

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = chancery::development("http://localhost:3000").await?;
    println!("{demo}"); // addresses, clients, account, password, what to try
    let app = axum::Router::new(); // the application's own routes
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(chancery::axum::serve(listener, app, &demo).await?)
}
