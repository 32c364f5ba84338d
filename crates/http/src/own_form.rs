//! Forms of an application's own pages, which post to an address of the application.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;

use bytes::Bytes;
use chancery_core::context::Call;
use chancery_core::interaction::{Next, Step};
use chancery_core::model::{LoginForm, Posted};
use chancery_core::offered::Endpoint;
use chancery_core::request::PageError;
use chancery_types::Params;
use http::Response;
use http::request::Parts;
use http_body_util::Full;

use crate::bodies::BodyError;
use crate::encode::HttpResponse;
use crate::pages::Retry;
use crate::route::Route;
use crate::service::{Service, id_header};
use crate::{front_end, panicked, person};

/// A form that one of the application's own pages has posted to an address of the application, below the
/// issuer's path so that the cookies come along. [`Service::own_form`] reads one.
///
/// [`step`](OwnForm::step) looks at the fields of the page's [`FormMarkup`](crate::FormMarkup), and says what
/// is to be answered; the application answers it by whatever else the form has, and
/// [`respond`](OwnForm::respond) tells the browser.
pub struct OwnForm {
    service: Service,
    call: Call,
    parts: Parts,
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
        let mut call = person::of_browser(site, call, parts);
        let location = site.provider.pages_location();
        let read = match location {
            Some(location) => front_end::own_fields(site, &mut call, parts, body, location),
            None => person::read(site, Route::at(Endpoint::Interaction), parts, body),
        };
        match read {
            Ok(fields) => {
                Ok(Self { service: service.clone(), call, parts: parts.clone(), fields: fields.into_owned() })
            }
            Err(failure) => {
                let error = site.unread(&call, Endpoint::Interaction, failure, &parts.headers);
                let page = match location {
                    Some(location) => {
                        front_end::own_answer(site, &call, (&parts.headers, ""), Err(error), location)
                    }
                    None => site.error_page(&call, &error, Retry::No),
                };
                Err(Box::new(service.protected(id_header(&call), page)))
            }
        }
    }

    /// What was typed into this field; `None` when nothing was, or more than once.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.one(name).ok().flatten()
    }

    /// Everything that came with it: all fields, the application's own cookies, and the address of the client.
    #[must_use]
    pub fn posted(&self) -> Posted {
        self.call.posted(&self.fields)
    }

    /// The name and the password of a login page ([`LoginStep::password`](chancery_core::interaction::LoginStep::password)),
    /// with everything else that came.
    #[must_use]
    pub fn login(&self) -> LoginForm {
        LoginForm::of(self.posted())
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

    /// What the browser gets: what the methods of the step have said, or the page of an error. A panic on the way costs this
    /// request alone: it is answered with such a page, and is a fault.
    pub fn respond<E: Into<PageError>>(
        &self,
        next: impl Future<Output = Result<Next, E>>,
    ) -> impl Future<Output = Response<Full<Bytes>>> {
        // In a box, so that the handler, whose frameworks move it about, does not carry all steps of the engine.
        let next = Box::pin(next);
        async move {
            let answer = match panicked::caught(pin!(async { self.answer(next.await) })).await {
                Ok(answer) => answer,
                Err(fault) => {
                    self.service.panicked(&self.call, Route::at(Endpoint::Interaction), &self.parts, fault)
                }
            };
            self.service.protected(id_header(&self.call), answer)
        }
    }

    fn answer<E: Into<PageError>>(&self, next: Result<Next, E>) -> HttpResponse {
        let (site, headers) = (self.service.site(), &self.parts.headers);
        match (site.provider.pages_location(), next) {
            (Some(location), next) => {
                let sent = (headers, self.field("interaction").unwrap_or_default());
                front_end::own_answer(site, &self.call, sent, next.map_err(Into::into), location)
            }
            (None, Ok(next)) => person::response_to(site, &self.call, headers, next),
            (None, Err(error)) => site.error_page(&self.call, &error.into(), Retry::No),
        }
    }
}
