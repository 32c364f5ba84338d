//! A binary without the feature `opentelemetry` has no spans: there is no value of these types.

use std::sync::Arc;

use chancery_core::event::{Endpoint, Event};
use chancery_core::fetch::DynFetch;
use chancery_store::StateStore;
use http::{HeaderMap, Method, StatusCode};

use super::UNBUILT;
use crate::log::Log;
use crate::settings::Settings;
use crate::trace::Trace;

pub(crate) enum Spans {}

pub(crate) struct RequestSpan(Spans);

impl Spans {
    /// # Errors
    /// The settings want some.
    pub(crate) fn start(settings: &Settings, _: &Arc<Log>) -> Result<Option<Arc<Self>>, String> {
        match settings.traces.endpoint {
            None => Ok(None),
            Some(_) => Err(format!("traces.endpoint {UNBUILT}")),
        }
    }

    pub(crate) fn store(&self, _: Arc<dyn StateStore>) -> Arc<dyn StateStore> {
        match *self {}
    }

    pub(crate) fn fetch(&self, _: Arc<dyn DynFetch>) -> Arc<dyn DynFetch> {
        match *self {}
    }

    pub(crate) fn request(&self, _: &Method, _: Option<Endpoint>, _: &HeaderMap) -> RequestSpan {
        match *self {}
    }

    pub(crate) fn hear(&self, _: &Event) {
        match *self {}
    }

    pub(crate) async fn end(&self) {
        match *self {}
    }
}

impl RequestSpan {
    pub(crate) fn trace(&self) -> Trace {
        match self.0 {}
    }

    pub(crate) async fn around<T>(&self, _: impl Future<Output = T>) -> T {
        match self.0 {}
    }

    pub(crate) fn answered(self, _: StatusCode) {
        match self.0 {}
    }
}
