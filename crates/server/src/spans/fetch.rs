//! A span for each request to another server, which hears of it by `traceparent`.

use std::sync::Arc;

use chancery_core::error::Fault;
use chancery_core::fetch::{DynFetch, Fetch, FetchRequest, FetchResponse};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;

use super::exported::{current, traceparent};

/// The way to other servers. What belongs to no request, such as a notice of the worker's, begins a trace of its own.
pub(super) struct SpannedFetch {
    fetch: Arc<dyn DynFetch>,
    tracer: SdkTracer,
}

impl SpannedFetch {
    pub(super) fn new(fetch: Arc<dyn DynFetch>, tracer: SdkTracer) -> Self {
        Self { fetch, tracer }
    }
}

impl Fetch for SpannedFetch {
    async fn fetch(&self, request: &FetchRequest<'_>) -> Result<FetchResponse, Fault> {
        let method = if request.body().is_some() { "POST" } else { "GET" };
        let span = self.tracer.span_builder(method).with_kind(SpanKind::Client);
        // The host alone: a path or a query may be a secret.
        let span = span.with_attributes([
            KeyValue::new("http.request.method", method),
            KeyValue::new("server.address", host(request.url()).to_owned()),
        ]);
        let mut span = self.tracer.build_with_context(span, &current().unwrap_or_default());
        let traceparent = traceparent(span.span_context());
        let answer = self.fetch.fetch(&request.clone().traced(&traceparent)).await;
        match &answer {
            Ok(answer) => {
                span.set_attribute(KeyValue::new("http.response.status_code", i64::from(answer.status())));
            }
            Err(_) => span.set_status(Status::error("")),
        }
        span.end();
        answer
    }

    fn reaches_others(&self) -> bool {
        self.fetch.reaches_others()
    }

    fn refuses(&self, url: &str) -> Option<Fault> {
        self.fetch.refuses(url)
    }
}

/// The host of an address, with nothing around it.
fn host(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((host, _)) => host,
        None => host.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;
    use crate::spans::Spans;
    use crate::trace;

    /// Another server, which remembers the traces that it is told.
    #[derive(Default)]
    struct Told(Mutex<Vec<HeaderMap>>);

    impl Fetch for Told {
        async fn fetch(&self, request: &FetchRequest<'_>) -> Result<FetchResponse, Fault> {
            let traceparent = request.traceparent().unwrap().parse().unwrap();
            self.0
                .lock()
                .unwrap()
                .push([(http::HeaderName::from_static("traceparent"), traceparent)].into_iter().collect());
            request.answered(200, Bytes::new())
        }
    }

    /// What is asked for a request is part of its trace, under a span of its own; whatever the worker sends begins one.
    #[tokio::test]
    async fn other_servers_hear_of_the_trace() {
        const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let (spans, told) = (Spans::unsent(), Arc::new(Told::default()));
        let fetch = spans.fetch(told.clone());
        let notice = FetchRequest::post("https://client.example/out", "logout_token=x");
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", CALLER.parse().unwrap());
        let request = spans.request(&Method::POST, None, &headers);
        for _ in 0..2 {
            request.around(fetch.fetch(&notice)).await.unwrap();
        }
        fetch.fetch(&notice).await.unwrap();
        let told = told.0.lock().unwrap().clone();
        let told: Vec<&str> = told.iter().map(|headers| trace::sent(headers).unwrap()).collect();
        let [one, other, of_worker] = told.as_slice() else { panic!("{told:?}") };
        for of_request in [one, other] {
            assert!(of_request[..36] == CALLER[..36] && of_request.ends_with("-01"), "{of_request}");
        }
        assert!(one[36..] != CALLER[36..] && one != other, "each has a span of its own: {told:?}");
        assert!(of_worker[3..35] != CALLER[3..35], "{of_worker}");
    }

    #[test]
    fn nothing_of_an_address_is_told_but_its_host() {
        for (url, expected) in [
            ("https://client.example/jwks?key=secret", "client.example"),
            ("https://client.example?key=secret", "client.example"),
            ("https://client.example#secret", "client.example"),
            ("https://user:secret@client.example:8443/", "client.example"),
            ("http://[::1]:80/", "::1"),
            ("secret", ""),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
