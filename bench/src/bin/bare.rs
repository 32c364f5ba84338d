//! The least that a server on hyper can do: the same head and body to every request. `bench/compare` measures
//! beside it what the protocol costs.
//!
//! `bare PORT` reads the answer from the standard input as it goes over the wire.

#![expect(clippy::unwrap_used, reason = "a program for measuring")]

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt as _, Full};

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).unwrap().parse().unwrap();
    let response = response(&std::io::read_to_string(std::io::stdin()).unwrap());
    chancery_bench::listen(port, move |request| {
        let response = response.clone().map(Full::new);
        async move {
            let _ = request.into_body().collect().await;
            response
        }
    })
    .await;
}

/// The answer that goes over the wire as this text; hyper writes `date` and `content-length` itself.
fn response(text: &str) -> Response<Bytes> {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let mut response = Response::builder().status(lines.next().unwrap());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if !["date", "content-length", "connection"].contains(&name) {
            response = response.header(name, value);
        }
    }
    response.body(Bytes::from(body.to_owned())).unwrap()
}
