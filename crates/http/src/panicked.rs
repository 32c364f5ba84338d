//! A panic in the code of the application (its pages, accounts or policies) costs the one request that it happens in:
//! that gets an answer, and whoever hears events hears of it. RFC 9110 section 15.6.1; RFC 6749 section 5.2.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use chancery_core::context::Call;
use chancery_core::error::{Failure, Fault};
use chancery_core::offered::Caller;
use http::StatusCode;
use http::request::Parts;

use crate::encode::{self, HttpResponse};
use crate::pages::Retry;
use crate::plain::PlainPages;
use crate::route::Route;
use crate::site::Site;
use crate::{front_end, person};

/// What comes of the future, or the fault that its panic is. It is not polled again.
///
/// # Errors
/// The panic, with its message.
pub async fn caught<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Result<T, Fault> {
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(fault(&*panic))),
    })
    .await
}

fn fault(panic: &(dyn Any + Send)) -> Fault {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
    Fault::internal(format!("panicked: {said}"))
}

/// The answer to a request in which something has panicked. What has panicked may do so again: then the answer does
/// without it.
pub(crate) fn answer(site: &Site, call: Call, route: Route<'_>, parts: &Parts, fault: Fault) -> HttpResponse {
    let failure = Failure::Broken(fault);
    let _the_sink_is_what_has_panicked =
        catch_unwind(AssertUnwindSafe(|| site.refused(&call, route.endpoint, &failure)));
    if let Some(location) = front_end::of_route(site, route) {
        return front_end::broken(site, &failure, &parts.headers, location);
    }
    if route.caller() != Caller::Browser {
        return encode::error_body(&failure, site.provider.issuer());
    }
    let (now, request_id) = (call.now, call.request_id);
    let page = |site: &Site| {
        let (call, failure) = (Call::new(now, request_id.clone()), failure.clone());
        let written = || site.error_page(&person::of_browser(site, call, parts), &failure.into(), Retry::No);
        catch_unwind(AssertUnwindSafe(written))
    };
    let plain = || page(&Site { pages: Arc::new(PlainPages), ..site.clone() });
    page(site)
        .or_else(|_| plain())
        .unwrap_or_else(|_| encode::text(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
}
