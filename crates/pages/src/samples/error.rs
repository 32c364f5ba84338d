//! Sample pages of what goes wrong.

use chancery_core::context::RequestId;
use chancery_core::endpoint::end_session::POST_LOGOUT_URI_UNREGISTERED;
use chancery_core::error::{Complaint, FaultKind, MALFORMED_PARAMETER};
use chancery_core::event::Origins;
use chancery_core::interaction::view::{ErrorView, MistakeView, UnregisteredView};
use chancery_core::model::RedirectUse;
use chancery_core::model::client::{REDIRECT_URI_MISSING, REDIRECT_URI_UNREGISTERED};
use chancery_core::request::addressed::{CLIENT_DISABLED, CLIENT_ID_MISSING, CLIENT_UNKNOWN};
use chancery_core::request::{Mistake, REFERENCE_UNKNOWN};
use chancery_http::{Content, FORM_OF_ANOTHER_ORIGIN, Retry};
use chancery_types::{ClientId, RedirectUri};

use super::client;

/// The page of an error, in each of its states.
pub(super) fn errors(show: &mut impl FnMut(&str, Content<'_>)) {
    for (name, reason, fault, retry) in [
        ("error", Some(&MALFORMED_PARAMETER), None, Retry::No),
        ("error-way-on", Some(&REDIRECT_URI_UNREGISTERED), None, Retry::No),
        ("error-unregistered", Some(&REDIRECT_URI_UNREGISTERED), None, Retry::No),
        ("error-unregistered-logout", Some(&POST_LOGOUT_URI_UNREGISTERED), None, Retry::No),
        ("error-unregistrable", Some(&REDIRECT_URI_UNREGISTERED), None, Retry::No),
        ("error-signs-nobody-in", Some(&REDIRECT_URI_UNREGISTERED), None, Retry::No),
        ("error-unknown-client", Some(&CLIENT_UNKNOWN), None, Retry::No),
        ("error-no-client", Some(&CLIENT_ID_MISSING), None, Retry::No),
        ("error-no-redirect-uri", Some(&REDIRECT_URI_MISSING), None, Retry::No),
        ("error-client-disabled", Some(&CLIENT_DISABLED), None, Retry::No),
        ("error-parameter-repeated", Some(&MALFORMED_PARAMETER), None, Retry::No),
        ("error-pushed-request-gone", Some(&REFERENCE_UNKNOWN), None, Retry::No),
        ("error-another-origin", Some(&FORM_OF_ANOTHER_ORIGIN), None, Retry::No),
        ("error-busy", None, Some(FaultKind::Unavailable), Retry::At("")),
        ("error-broken", None, Some(FaultKind::Internal), Retry::No),
    ] {
        let client = (name == "error-way-on").then(client);
        let request_id = RequestId("Qb0c2vJt8mW1xY7kR4sZ9g".into());
        let unregistered = match name {
            "error-unregistered" => unregistered(),
            "error-unregistered-logout" => unregistered_after_logout(),
            "error-unregistrable" => unregistrable(),
            "error-signs-nobody-in" => signs_nobody_in(),
            _ => None,
        };
        let mistake = mistake(name);
        let view = ErrorView { reason, fault, client, request_id, unregistered, mistake };
        show(name, Content::Error(&view, retry));
    }
}

/// What a development provider says that whoever develops the application can mend.
fn mistake(name: &str) -> Option<MistakeView> {
    let photos = ClientId::parse("photos").ok()?;
    let (what, command) = match name {
        "error-unknown-client" => (Mistake::ClientUnknown("my-ap".into()), Some("chancery client list")),
        "error-no-client" => (Mistake::ClientIdMissing, Some("chancery client list")),
        "error-client-disabled" => (Mistake::ClientDisabled(photos), Some("chancery client enable photos")),
        "error-another-origin" => {
            (Mistake::AnotherOrigin(Origins::of(Some("null"), "https://id.example")), None)
        }
        "error-parameter-repeated" => (Mistake::ParameterRepeated("redirect_uri"), None),
        "error-pushed-request-gone" => (Mistake::PushedRequestGone(photos), None),
        "error-no-redirect-uri" => {
            let registered = ["https://photos.example/callback", "http://localhost:5173/"];
            let registered = registered.into_iter().filter_map(|uri| RedirectUri::parse(uri).ok()).collect();
            (Mistake::RedirectUriMissing { client: photos, registered }, None)
        }
        _ => return None,
    };
    Some(MistakeView { what, command: command.map(str::to_owned) })
}

/// What a development provider says of a redirect URI.
fn unregistered() -> Option<UnregisteredView> {
    let command = "chancery client update photos \\\n  --redirect-uri https://photos.example/callback \\\n  \
                   --redirect-uri http://localhost:5173/";
    Some(UnregisteredView {
        client: ClientId::parse("photos").ok()?,
        what_for: RedirectUse::Response,
        uri: "http://localhost:5173/".into(),
        unregistrable: None,
        signs_nobody_in: false,
        command: Some(command.to_owned()),
    })
}

/// What it says of an address to go to after a logout.
pub(super) fn unregistered_after_logout() -> Option<UnregisteredView> {
    let command = "chancery client update photos \\\n  --post-logout-redirect-uri https://photos.example/bye \\\n  \
                   --post-logout-redirect-uri http://localhost:5173/";
    let command = Some(command.to_owned());
    Some(UnregisteredView { what_for: RedirectUse::Logout, command, ..unregistered()? })
}

/// What it says of one that no client can have.
fn unregistrable() -> Option<UnregisteredView> {
    let rule = "\"http://192.168.1.5:3000/cb\" must be https; http is for loopback hosts alone: localhost, 127.0.0.1 and [::1]";
    Some(UnregisteredView {
        uri: "http://192.168.1.5:3000/cb".into(),
        unregistrable: Some(Complaint::new("redirect_uris", rule, "RFC 9700 section 2.6")),
        command: None,
        ..unregistered()?
    })
}

/// What it says of one that came for a client without a login.
fn signs_nobody_in() -> Option<UnregisteredView> {
    let command = "chancery client add --kind web \\\n  --redirect-uri http://localhost:5173/";
    let (client, command) = (ClientId::parse("nightly-report").ok()?, Some(command.to_owned()));
    Some(UnregisteredView { client, signs_nobody_in: true, command, ..unregistered()? })
}
