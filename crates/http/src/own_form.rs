//! Forms of an application's own pages, which post to an address of the application.

use std::ops::ControlFlow;

use bytes::Bytes;
use chancery_core::context::Call;
use chancery_core::error::PageError;
use chancery_core::interaction::{Next, Step};
use chancery_core::offered::Endpoint;
use chancery_types::Params;
use http::request::Parts;
use http::{HeaderMap, Response};
use http_body_util::Full;

use crate::bodies::BodyError;
use crate::encode::HttpResponse;
use crate::pages::Retry;
use crate::person;
use crate::route::Route;
use crate::service::Service;

/// A form that one of the application's own pages has posted to an address of the application, below the
/// issuer's path so that the cookies come along. [`Service::own_form`] reads one.
///
/// [`step`](OwnForm::step) looks at the fields of the page's [`FormMarkup`](crate::FormMarkup), and says what
/// is to be answered; the application answers it by whatever else the form has, and
/// [`respond`](OwnForm::respond) tells the browser.
pub struct OwnForm {
    service: Service,
    call: Call,
    headers: HeaderMap,
    fields: Params<'static>,
}

impl OwnForm {
    /// Reads it; else the page that says why not.
    pub(crate) fn read(
        service: &Service,
        call: Call,
        parts: &Parts,
        body: Result<&Bytes, BodyError>,
    ) -> Result<Self, Box<HttpResponse>> {
        let site = service.site();
        let call = person::of_browser(site, call, parts);
        match person::read(site, Route::at(Endpoint::Interaction), parts, body) {
            Ok(fields) => Ok(Self {
                service: service.clone(),
                call,
                headers: parts.headers.clone(),
                fields: fields.into_owned(),
            }),
            Err(failure) => {
                site.refused(&call, Endpoint::Interaction, &failure);
                let page = site.error_page(&call, &failure.into(), Retry::No);
                Err(Box::new(service.protected(&call.request_id, page)))
            }
        }
    }

    /// What was typed into this field; `None` when nothing was, or more than once.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.one(name).ok().flatten()
    }

    /// What the page leaves to the person. `Break` goes to the browser as it is: the form was not made for
    /// this browser, request and session, or its request was answered before.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn step(&self) -> Result<ControlFlow<Next, Step<'_>>, PageError> {
        self.service.site().provider.step(&self.call, &self.fields).await
    }

    /// Answers a step as a built-in page does: by the fields `username`, `password`, `account` and `action`.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn press(&self, step: Step<'_>) -> Result<Next, PageError> {
        Ok(step.press(&self.fields).await?)
    }

    /// What the browser gets: what a method of the step said, or the page of an error.
    #[must_use]
    pub fn respond<E: Into<PageError>>(&self, next: Result<Next, E>) -> Response<Full<Bytes>> {
        let site = self.service.site();
        let answer = match next {
            Ok(next) => person::response_to(site, &self.call, &self.headers, next),
            Err(error) => site.error_page(&self.call, &error.into(), Retry::No),
        };
        self.service.protected(&self.call.request_id, answer)
    }
}
