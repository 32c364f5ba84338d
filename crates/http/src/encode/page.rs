//! A page: HTML with a content security policy under which it loads nothing and runs nothing (CSP Level 3).

use bytes::Bytes;
use chancery_types::Issuer;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::Full;

use super::error_body::insert;
use super::{HttpResponse, empty};
use crate::pages::Html;

/// Whether a page has a form, and who submits it.
///
/// Every form of ours can end in a redirect to a client, and browsers apply `form-action` to all redirects
/// that follow, also to those of the client, which may go on to an address that nobody registered. Therefore
/// only a page without a form has the directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The page has none.
    None,
    /// The page has none, and goes on by its own script.
    Continues,
    /// The person.
    Pressed,
    /// The page's own script.
    SubmitsItself,
}

/// The content security policy of a page with this nonce. A script runs where the page's own submits its
/// form or goes on, and where the page says that it has one. Only these origins are framed, and only by
/// `ancestor` is the page itself.
pub(crate) fn page_policy(
    nonce: &str,
    form: Form,
    html: &Html,
    (frames, ancestor): (&[String], Option<&str>),
) -> String {
    let of_frames =
        if frames.is_empty() { String::new() } else { format!("; frame-src {}", frames.join(" ")) };
    let of_images = html.images().map_or(String::new(), |origin| format!(" {}", origin.as_str()));
    let of_form = if matches!(form, Form::None | Form::Continues) { "; form-action 'none'" } else { "" };
    let of_script = match form {
        Form::None | Form::Pressed if !html.has_script() => String::new(),
        _ => format!("; script-src 'nonce-{nonce}'"),
    };
    format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'{of_images}{of_form}{of_script}{of_frames}; \
         frame-ancestors {}; base-uri 'none'",
        ancestor.unwrap_or("'none'")
    )
}

/// The page as an answer.
pub(crate) fn page(status: StatusCode, html: Html, policy: &str) -> HttpResponse {
    let mut answer = empty(status);
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        insert(&mut answer, name, value);
    }
    *answer.body_mut() = Full::new(Bytes::from(html.into_string()));
    answer
}

/// A page that pages of every origin may frame. It shows nothing, loads nothing, and runs its one script.
pub(crate) fn framed_anywhere(html: String, nonce: &str) -> HttpResponse {
    let policy =
        format!("default-src 'none'; script-src 'nonce-{nonce}'; form-action 'none'; base-uri 'none'");
    let mut answer = page(StatusCode::OK, Html::new(html), &policy);
    insert(&mut answer, CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin");
    answer.extensions_mut().insert(MayBeFramed);
    answer
}

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Put into the extensions of an answer whose policy names who may frame it. `X-Frame-Options` knows no origins, and
/// would forbid it in browsers that look at both (HTML section 7.6).
#[derive(Clone, Copy)]
pub(crate) struct MayBeFramed;

/// The headers that every answer has, of whatever form. The resource policy keeps other sites from embedding
/// an answer; scripts that ask with CORS are not touched by it (the Fetch standard looks at it for `no-cors`
/// alone).
pub(crate) fn protect(answer: &mut HttpResponse, issuer: &Issuer) {
    let may_be_framed = answer.extensions_mut().remove::<MayBeFramed>().is_some();
    let headers = answer.headers_mut();
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !may_be_framed {
        headers.insert(http::header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    headers.entry(CROSS_ORIGIN_RESOURCE_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    // RFC 6797 section 7.2: not for plain HTTP, which an issuer on loopback may speak. A year, and no other
    // host's.
    if issuer.as_str().starts_with("https:") {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::ImageOrigin;

    /// RFC 6797 section 7.2
    #[test]
    fn only_an_https_issuer_demands_https() {
        let demanded = |issuer: &str| {
            let mut answer = empty(StatusCode::OK);
            protect(&mut answer, &Issuer::parse(issuer).unwrap());
            answer.headers().contains_key(STRICT_TRANSPORT_SECURITY)
        };
        assert!(demanded("https://id.example/realm"));
        assert!(!demanded("http://127.0.0.1:8080"));
    }

    /// FR-04
    #[test]
    fn the_whole_policy() {
        let framed = "frame-ancestors 'none'; base-uri 'none'";
        let by_nonce = "; script-src 'nonce-N'";
        for (form, has_script, of_form) in [
            (Form::None, false, "; form-action 'none'"),
            (Form::None, true, "; form-action 'none'; script-src 'nonce-N'"),
            (Form::Pressed, false, ""),
            (Form::Pressed, true, by_nonce),
            (Form::SubmitsItself, false, by_nonce),
            (Form::SubmitsItself, true, by_nonce),
        ] {
            let html = if has_script { Html::new("").with_script() } else { Html::new("") };
            let whole = |images: &str| {
                format!("default-src 'none'; style-src 'nonce-N'; img-src 'self'{images}{of_form}; {framed}")
            };
            assert_eq!(page_policy("N", form, &html, (&[], None)), whole(""), "{form:?} {has_script}");
            let html = html.with_images(ImageOrigin::of("https://a.example:8443/logo.png").unwrap());
            assert_eq!(page_policy("N", form, &html, (&[], None)), whole(" https://a.example:8443"));
        }
    }
}
