//! The frame in which a client's page asks whether the person is still signed in (OIDC Session Management
//! section 3.2). The browser answers by itself, from the cookie that has its state.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::encode::{HttpResponse, framed_anywhere};
use crate::site::Site;

/// Knows the name of the cookie from an attribute of the document.
const SCRIPT: &str = include_str!("check_session.js");

/// The frame. It is the same for everybody but for its nonce.
pub(crate) fn frame(site: &Site) -> HttpResponse {
    let nonce = URL_SAFE_NO_PAD.encode(*site.provider.env().secret::<16>());
    let cookie = site.cookies.name_of_state();
    let html = format!(
        "<!doctype html><html data-cookie=\"{cookie}\"><meta charset=\"utf-8\"><title>Check session</title>\
         <script nonce=\"{nonce}\">{SCRIPT}</script></html>"
    );
    framed_anywhere(html, &nonce)
}
