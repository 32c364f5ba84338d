//! A provider in an actix-web application, which has an older `http` of its own: requests and responses are carried over.

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use chancery::{Peer, Service};
use http_body_util::BodyExt as _;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demo = chancery::development(&chancery_frameworks::issuer()).await?;
    println!("{demo}");
    actix_web::rt::spawn(chancery_frameworks::work(demo.provider().clone()));
    let service = web::Data::new(chancery::service(demo.provider().clone()));
    let app = move || {
        App::new()
            .app_data(service.clone())
            .app_data(web::PayloadConfig::new(65_536))
            .route("/own", web::get().to(async || "The application's own page."))
            .default_service(web::to(provider))
    };
    Ok(HttpServer::new(app).bind(chancery_frameworks::address())?.run().await?)
}

async fn provider(sent: HttpRequest, body: web::Bytes, service: web::Data<Service>) -> HttpResponse {
    let mut request = http::Request::builder().method(sent.method().as_str()).uri(sent.uri().to_string());
    for (name, value) in sent.headers() {
        request = request.header(name.as_str(), value.as_bytes());
    }
    let Ok(mut request) = request.body(body) else { return HttpResponse::BadRequest().finish() };
    if let Some(peer) = sent.peer_addr() {
        request.extensions_mut().insert(Peer(peer.ip()));
    }
    let (head, body) = service.handle(request).await.into_parts();
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    for (name, value) in &head.headers {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    let Ok(body) = body.collect().await;
    answer.body(body.to_bytes())
}
