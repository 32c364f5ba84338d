//! What the template of an error sees.

use chancery_core::error::FaultKind;
use chancery_core::interaction::view::{ClientView, ErrorView, MistakeView, UnregisteredView};
use chancery_core::request::Mistake;
use chancery_http::Retry;
use minijinja::context;
use minijinja::value::Value;

use super::client;

pub(super) fn page(view: &ErrorView, retry: Retry<'_>) -> Value {
    let kind = match view.fault {
        None => "request",
        Some(FaultKind::Unavailable) => "busy",
        Some(FaultKind::Internal) => "broken",
    };
    let (has_retry, retry) = match retry {
        Retry::At(address) => (true, address),
        Retry::No => (false, ""),
    };
    context! {
        page => "error",
        kind,
        client => view.client.as_ref().map(client),
        code => view.code().as_str(),
        reason => view.reason.map_or("", |reason| reason.description),
        request_id => &*view.request_id.0,
        way_on => view.client.as_ref().and_then(ClientView::way_on),
        has_retry,
        retry,
        unregistered => view.unregistered.as_ref().map(unregistered),
        mistake => view.mistake.as_ref().map(mistake),
    }
}

pub(super) fn unregistered(came: &UnregisteredView) -> Value {
    context! {
        client => came.client.as_str(),
        parameter => came.what_for.parameter(),
        uri => &*came.uri,
        unregistrable => came.unregistrable.as_ref().map(ToString::to_string),
        signs_nobody_in => came.signs_nobody_in,
        command => came.command.as_deref(),
    }
}

fn mistake(view: &MistakeView) -> Value {
    let registered = match &view.what {
        Mistake::RedirectUriMissing { registered, .. } => registered.as_slice(),
        _ => &[],
    };
    let parameter = match view.what {
        Mistake::ParameterRepeated(name) => Some(name),
        _ => None,
    };
    let origins = match &view.what {
        Mistake::AnotherOrigin(origins) => Some(origins),
        _ => None,
    };
    context! {
        what => view.what.as_str(),
        client => view.what.client(),
        redirect_uris => registered.iter().map(|uri| uri.as_str().to_owned()).collect::<Vec<_>>(),
        parameter,
        origin => origins.map(|origins| origins.sent.as_deref().unwrap_or("null")),
        own_origin => origins.map(|origins| &*origins.own),
        command => view.command.as_deref(),
    }
}
