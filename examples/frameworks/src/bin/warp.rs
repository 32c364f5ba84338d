//! A provider in a warp application: warp hands over the parts of a request, and takes any response of `http`.

use std::net::SocketAddr;

use bytes::Bytes;
use chancery::{Peer, Service};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt as _;
use warp::Filter as _;
use warp::path::FullPath;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = chancery::development(&chancery_frameworks::issuer()).await?;
    println!("{demo}");
    tokio::spawn(chancery_frameworks::work(demo.provider().clone()));
    let service = chancery::service(demo.provider().clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let provider = warp::any()
        .map(move || service.clone())
        .and(warp::method())
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::addr::remote())
        .and(warp::body::bytes())
        .then(answer);
    let own = warp::path!("own").map(|| "The application's own page.");
    let address: SocketAddr = chancery_frameworks::address().parse()?;
    warp::serve(own.or(provider)).run(address).await;
    Ok(())
}

async fn answer(
    service: Service,
    method: Method,
    path: FullPath,
    query: String,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
    body: Bytes,
) -> Result<Response<Vec<u8>>, http::Error> {
    let target =
        if query.is_empty() { path.as_str().to_owned() } else { format!("{}?{query}", path.as_str()) };
    let mut request = Request::builder().method(method).uri(target).body(body)?;
    *request.headers_mut() = headers;
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer.ip()));
    }
    let (head, body) = service.handle(request).await.into_parts();
    let Ok(body) = body.collect().await;
    Ok(Response::from_parts(head, body.to_bytes().to_vec()))
}
