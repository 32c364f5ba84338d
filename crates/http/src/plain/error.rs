//! The page of an error, and what it says to developers.

use chancery_core::error::FaultKind;
use chancery_core::event::Origins;
use chancery_core::interaction::view::{ClientView, ErrorView, MistakeView, UnregisteredView};
use chancery_core::model::RedirectUse;
use chancery_core::request::Mistake;
use chancery_types::RedirectUri;

use crate::pages::{Html, Retry};

pub(super) fn page(view: &ErrorView, retry: Retry<'_>) -> String {
    let text = match view.fault {
        None => {
            "The request of the application cannot be answered. Go back to the application and start again."
        }
        Some(FaultKind::Unavailable) => {
            "The service cannot answer right now. Try again in a moment, or tell the operator the request id."
        }
        Some(FaultKind::Internal) => {
            "Something went wrong here. Try again, or tell the operator the request id."
        }
    };
    let description = Html::escape(view.reason.map_or("", |reason| reason.description));
    let again = match retry {
        Retry::At(address) => format!("<p><a href=\"{}\">Try again</a></p>", Html::escape(address)),
        Retry::No => String::new(),
    };
    let way_on = view.client.as_ref().and_then(ClientView::way_on).map(Html::escape);
    let way_on =
        way_on.map_or(String::new(), |to| format!("<p><a href=\"{to}\">Go to the application</a></p>"));
    format!(
        "<p>{text}</p>{again}{way_on}<p>Code: <code>{}</code><br>{description}</p>{}{}<p>Request id: <code>{}</code></p>",
        view.code(),
        view.unregistered.as_ref().map_or(String::new(), unregistered),
        view.mistake.as_ref().map_or(String::new(), mistake),
        Html::escape(&view.request_id.0)
    )
}

pub(super) fn unregistered(view: &UnregisteredView) -> String {
    let [client, uri] = [view.client.as_str(), &view.uri].map(Html::escape);
    let why_not = view.unregistrable.as_ref().map(|why| Html::escape(&why.to_string()));
    let why_not = why_not.map_or(String::new(), |why| format!("<p>It cannot be registered: {why}</p>"));
    let other_kind = match view.signs_nobody_in {
        true => {
            "<p>This client sends nobody here to sign in. The application needs a client of another kind.</p>"
        }
        false => "",
    };
    let command = view.command.as_deref().map(Html::escape);
    let command = command.map_or(String::new(), |line| format!("<pre>{line}</pre>"));
    let name = match view.what_for {
        RedirectUse::Response => "Redirect URI",
        RedirectUse::Logout => "Post-logout redirect URI",
    };
    format!(
        "<p>Client: <code>{client}</code><br>{name}: <code>{uri}</code></p>{why_not}{other_kind}{command}"
    )
}

fn mistake(view: &MistakeView) -> String {
    let client = view.what.client().map(Html::escape);
    let client = client.map_or(String::new(), |id| format!("<p>Client: <code>{id}</code></p>"));
    let advice = match &view.what {
        Mistake::AnotherOrigin(Origins { sent, own }) => {
            let sent = Html::escape(sent.as_deref().unwrap_or("null"));
            format!(
                "The form came from <code>{sent}</code>, and has to come from <code>{}</code>: scheme, host and port have to \
                 be the same.",
                Html::escape(own)
            )
        }
        Mistake::ClientDisabled(_) => "This client is disabled. An operator can let it in again.".to_owned(),
        Mistake::ClientIdMissing => {
            "The request does not say which client asks. Add <code>client_id=\u{2026}</code> with the id of one.".to_owned()
        }
        Mistake::ClientUnknown(_) => "No client has this client_id.".to_owned(),
        Mistake::ParameterRepeated(name) => {
            format!("The parameter <code>{}</code> came more than once. Send it once.", Html::escape(name))
        }
        Mistake::PushedRequestGone(_) => {
            "What request_uri refers to counts once, for a short time, and for the client that has pushed it. Push the request \
             again, and use the request_uri that comes back."
                .to_owned()
        }
        Mistake::RedirectUriMissing { registered, .. } => missing_redirect_uri(registered),
        // What a later version knows besides.
        _ => String::new(),
    };
    let command = view.command.as_deref().map(Html::escape);
    let command = command.map_or(String::new(), |line| format!("<pre>{line}</pre>"));
    format!("{client}<p>{advice}</p>{command}")
}

fn missing_redirect_uri(registered: &[RedirectUri]) -> String {
    let missing = "The request does not say where the answer goes.";
    if registered.is_empty() {
        return format!(
            "{missing} This client has no such address: the application needs a client of another kind."
        );
    }
    let listed = registered.iter().map(|uri| format!("<br><code>{}</code>", Html::escape(uri.as_str())));
    let listed: String = listed.collect();
    format!(
        "{missing} Add <code>redirect_uri=\u{2026}</code> with an address that this client has registered:{listed}"
    )
}
