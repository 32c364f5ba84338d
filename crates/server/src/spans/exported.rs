//! The spans of requests, and their way to the collector.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chancery_core::error::FaultKind;
use chancery_core::event::{Endpoint, Event};
use chancery_core::fetch::DynFetch;
use chancery_store::StateStore;
use chancery_types::ClientId;
use http::{HeaderMap, Method, StatusCode};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

use super::collector::Collector;
use super::fetch::SpannedFetch;
use super::store::SpannedStore;
use crate::log::Log;
use crate::settings::Settings;
use crate::trace::{self, Trace};

/// How long an attempt to reach the collector may take.
const EXPORT: Duration = Duration::from_secs(10);

/// How long the shutdown waits for the last spans.
const ENDING: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// The request that this task answers.
    static CURRENT: Arc<Answering>;
}

/// A request that is being answered.
struct Answering {
    context: Context,
    learnt: Mutex<Learnt>,
}

/// What is learnt of a request while it is answered. It is told at the end, because a span keeps every attribute that it is
/// given, also two of one name.
#[derive(Default)]
struct Learnt {
    client: Option<ClientId>,
    /// Why it was refused, or what failed.
    failure: Option<&'static str>,
}

impl Answering {
    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes spans and sends them. They wait in a queue of 2,048; those for which there is no room are lost, and a
/// collector that is slow or away delays nobody.
pub(crate) struct Spans {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Spans {
    /// Begins, if the settings name a collector.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(crate) fn start(settings: &Settings, log: &Arc<Log>) -> Result<Option<Arc<Self>>, String> {
        let traces = &settings.traces;
        let Some(endpoint) = &traces.endpoint else { return Ok(None) };
        let about = |error: String| format!("traces.endpoint: {error}");
        let collector = Collector::new(&settings.fetch, log.clone())?;
        // Header fields with the collector's credentials come from OTEL_EXPORTER_OTLP_HEADERS, which the crate reads.
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(collector)
            .with_endpoint(endpoint.to_string())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXPORT)
            .build()
            .map_err(|error| about(error.to_string()))?;
        let ratio = match traces.one_in {
            0 | 1 => Sampler::AlwaysOn,
            most => Sampler::TraceIdRatioBased(1.0 / f64::from(most)),
        };
        let resource = Resource::builder()
            .with_service_name(traces.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            .with_resource(resource.build())
            .build();
        let tracer = provider.tracer("chancery");
        Ok(Some(Arc::new(Self { provider, tracer })))
    }

    /// Spans that nobody takes.
    #[cfg(test)]
    pub(super) fn unsent() -> Self {
        let provider = SdkTracerProvider::builder().build();
        Self { tracer: provider.tracer("test"), provider }
    }

    /// The store, with a span for each of its steps.
    pub(crate) fn store(&self, store: Arc<dyn StateStore>) -> Arc<dyn StateStore> {
        Arc::new(SpannedStore::new(store, self.tracer.clone()))
    }

    /// The way to other servers, with a span for each request, of which they hear.
    pub(crate) fn fetch(&self, fetch: Arc<dyn DynFetch>) -> Arc<dyn DynFetch> {
        Arc::new(SpannedFetch::new(fetch, self.tracer.clone()))
    }

    /// Begins the span of a request, below that of the caller if there is one.
    pub(crate) fn request(
        &self,
        method: &Method,
        endpoint: Option<Endpoint>,
        headers: &HeaderMap,
    ) -> RequestSpan {
        let parent = caller(headers).map(|caller| Context::new().with_remote_span_context(caller));
        let endpoint = endpoint.map_or("none", Endpoint::as_str);
        let method = known(method);
        let span = self.tracer.span_builder(format!("{method} {endpoint}")).with_kind(SpanKind::Server);
        let span = span.with_attributes([
            KeyValue::new("http.request.method", method),
            KeyValue::new("chancery.endpoint", endpoint),
        ]);
        let span = self.tracer.build_with_context(span, &parent.unwrap_or_default());
        let context = Context::new().with_span(span);
        RequestSpan { answering: Arc::new(Answering { context, learnt: Mutex::default() }), status: None }
    }

    /// What happened belongs to the request that this task answers: its client, and why it was refused or failed.
    pub(crate) fn hear(&self, event: &Event) {
        let _no_request = CURRENT.try_with(|answering| {
            let span = answering.context.span();
            if !span.is_recording() {
                return;
            }
            span.add_event(event.name(), Vec::new());
            let mut learnt = answering.learnt();
            if let Some(client) = event.client() {
                learnt.client = Some(client.clone());
            }
            match event {
                Event::Refused { reason, .. } => learnt.failure = Some(reason.name),
                Event::Faulted { fault, .. } => {
                    learnt.failure = Some(match fault.kind() {
                        FaultKind::Unavailable => "unavailable",
                        FaultKind::Internal => "internal",
                    });
                }
                _ => {}
            }
        });
    }

    /// Sends what waits.
    pub(crate) async fn end(&self) {
        let provider = self.provider.clone();
        // Not on this thread: it waits for the runtime.
        let ended = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(ENDING));
        let _nobody_takes_them = ended.await;
    }
}

/// The span of a request that is being answered.
pub(crate) struct RequestSpan {
    answering: Arc<Answering>,
    status: Option<StatusCode>,
}

impl RequestSpan {
    /// Its trace, for the lines of the log.
    pub(crate) fn trace(&self) -> Trace {
        Trace::of_id(self.answering.context.span().span_context().trace_id().to_bytes())
    }

    /// Does the work of the request.
    pub(crate) async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.answering.clone(), work).await
    }

    /// It was answered with this status.
    pub(crate) fn answered(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for RequestSpan {
    /// The span ends, also when the caller did not wait. What is the caller's fault is no error of ours (OpenTelemetry,
    /// "Semantic conventions for HTTP spans").
    fn drop(&mut self) {
        let span = self.answering.context.span();
        if span.is_recording() {
            let Learnt { client, failure } = std::mem::take(&mut *self.answering.learnt());
            if let Some(client) = client {
                span.set_attribute(KeyValue::new("chancery.client_id", client.as_str().to_owned()));
            }
            if let Some(status) = self.status {
                span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
            }
            let outcome = if self.status.is_some() { "answered" } else { "caller_left" };
            span.set_attribute(KeyValue::new("chancery.outcome", failure.unwrap_or(outcome)));
            if self.status.is_some_and(|status| status.is_server_error()) {
                span.set_status(Status::error(""));
            }
        }
        span.end();
    }
}

/// The span of the request that this task answers.
pub(super) fn current() -> Option<Context> {
    CURRENT.try_with(|answering| answering.context.clone()).ok()
}

/// The caller's span (W3C Trace Context section 3.2). Its `tracestate` is meant for others, and is not handed on.
fn caller(headers: &HeaderMap) -> Option<SpanContext> {
    let sent = trace::sent(headers)?;
    let trace = TraceId::from_hex(sent.get(3..35)?).ok()?;
    let span = SpanId::from_hex(sent.get(36..52)?).ok()?;
    let flags = u8::from_str_radix(sent.get(53..55)?, 16).ok()?;
    let flags = TraceFlags::new(flags) & TraceFlags::SAMPLED;
    Some(SpanContext::new(trace, span, flags, true, TraceState::NONE))
}

/// As it is told to others (section 3.2.2).
pub(super) fn traceparent(span: &SpanContext) -> String {
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
}

/// The method, of which there are not more than these, whatever was sent.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "_OTHER",
    }
}
