//! The page at the issuer's own address, and the icon. Both are the same for everybody.

use bytes::Bytes;
use chancery_core::context::Call;
use chancery_core::offered::Endpoint;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use http_body_util::Full;

use crate::cross_site::names_another_host;
use crate::encode::{Form, HttpResponse, empty};
use crate::pages::{Content, FrontPageView};
use crate::route::Route;
use crate::site::Site;

/// The page for whoever has come without an application.
pub(crate) fn answer(site: &Site, call: &Call, parts: &Parts) -> HttpResponse {
    let issuer = site.provider.issuer();
    // A page of a stranger's host, whose name leads to this machine for a moment, reads what it asks for here (DNS
    // rebinding). It must not be told the secret.
    let trial = site.trial.as_deref().filter(|_| !names_another_host(parts, issuer));
    let at = |endpoint| site.address(Route::at(endpoint));
    let view = FrontPageView {
        issuer: issuer.to_string(),
        metadata: format!("{issuer}/.well-known/openid-configuration"),
        keys: at(Endpoint::Jwks),
        authorization: at(Endpoint::Authorization),
        token: at(Endpoint::Token),
        end_session: at(Endpoint::EndSession),
        userinfo: at(Endpoint::UserInfo),
        trial: trial.cloned(),
    };
    site.page(call, StatusCode::OK, Content::FrontPage(&view), Form::None)
}

/// A key on a tile, 32 pixels wide.
const ICON: &[u8] = include_bytes!("favicon.ico");

/// The icon that browsers ask for by themselves.
pub(crate) fn icon() -> HttpResponse {
    let mut answer = empty(StatusCode::OK);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("image/x-icon"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    *answer.body_mut() = Full::new(Bytes::from_static(ICON));
    answer
}
