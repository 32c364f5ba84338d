//! A provider in a poem application: poem takes `tower` services.

use chancery::Peer;
use poem::endpoint::TowerCompatExt as _;
use poem::listener::TcpListener;
use poem::{Addr, EndpointExt as _, Route, Server, get, handler};

#[handler]
fn own() -> &'static str {
    "The application's own page."
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = chancery::development(&chancery_frameworks::issuer()).await?;
    println!("{demo}");
    tokio::spawn(chancery_frameworks::work(demo.provider().clone()));
    let provider = demo.service().compat().before(async |mut request: poem::Request| {
        if let Addr::SocketAddr(address) = request.remote_addr().0 {
            request.extensions_mut().insert(Peer(address.ip()));
        }
        Ok(request)
    });
    let app = Route::new().at("/own", get(own)).nest_no_strip("/", provider);
    Ok(Server::new(TcpListener::bind(chancery_frameworks::address())).run(app).await?)
}
