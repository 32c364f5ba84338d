//! The files that belong to the pages, such as the operator's logo.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderValue, StatusCode};

use crate::encode::{HttpResponse, private, text};
use crate::route::Route;
use crate::site::Site;

/// The file of this name. Whoever opens a picture by itself sees it under a policy that lets it do nothing.
pub(crate) fn answer(site: &Site, route: Route<'_>) -> HttpResponse {
    let file = route.below.and_then(|name| site.pages.file(name));
    let found = file.and_then(|file| Some((HeaderValue::from_str(&file.media_type).ok()?, file.content)));
    let Some((media_type, content)) = found else { return text(StatusCode::NOT_FOUND, "Not Found") };
    let mut answer = private(StatusCode::OK, media_type, content);
    for (name, value) in [
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
