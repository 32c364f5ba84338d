//! A page: HTML with a content security policy under which it loads nothing and runs nothing (CSP Level 3).

use bytes::Bytes;
use chancery_types::{Issuer, RedirectKind, RedirectUri};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::Full;

use super::error_body::insert;
use super::{Answer, empty};
use crate::pages::Html;

/// Where a page's form may lead. Browsers apply `form-action` to every redirect that follows, also to the client's own;
/// therefore a scheme, not an origin.
#[derive(Clone, Copy)]
pub(crate) enum FormAction<'a> {
    /// The page has no form.
    None,
    /// To us, and from us to this redirect URI.
    Redirects(&'a RedirectUri),
    /// To this redirect URI, by script.
    Submits(&'a RedirectUri),
    /// To us by script, and from us to a redirect URI that is not verified yet.
    Reposts(Option<&'a RedirectUri>),
}

impl FormAction<'_> {
    fn sources(self) -> String {
        match self {
            Self::None => "'none'".to_owned(),
            Self::Redirects(target) | Self::Submits(target) => format!("'self'{}", scheme(target)),
            // `http:` admits `https:`, too (CSP Level 3 section 6.7.2.8).
            Self::Reposts(None) => "'self' http:".to_owned(),
            Self::Reposts(Some(target)) => match target.kind() {
                RedirectKind::PrivateUse => format!("'self' http:{}", scheme(target)),
                _ => "'self' http:".to_owned(),
            },
        }
    }
}

/// A scheme source with a space in front of it; nothing for schemes that no client may register.
fn scheme(target: &RedirectUri) -> String {
    match target.kind() {
        RedirectKind::Https => " https:".to_owned(),
        RedirectKind::HttpLoopback | RedirectKind::HttpRemote => " http:".to_owned(),
        RedirectKind::PrivateUse => format!(" {}:", target.scheme()),
        RedirectKind::Other => String::new(),
    }
}

/// The content security policy of a page with this nonce.
pub(crate) fn page_policy(nonce: &str, form: FormAction<'_>) -> String {
    let script = match form {
        FormAction::Submits(_) | FormAction::Reposts(_) => format!("; script-src 'nonce-{nonce}'"),
        FormAction::None | FormAction::Redirects(_) => String::new(),
    };
    format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'{script}; form-action {}; frame-ancestors 'none'; \
         base-uri 'none'",
        form.sources()
    )
}

/// The page as an answer.
pub(crate) fn page(status: StatusCode, html: Html, policy: &str) -> Answer {
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

/// The headers that every answer has, of whatever form. The resource policy keeps other sites from embedding an answer;
/// scripts that ask with CORS are not touched by it (the Fetch standard looks at it for `no-cors` alone).
pub(crate) fn protect(answer: &mut Answer, issuer: &Issuer) {
    let headers = answer.headers_mut();
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(http::header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    // RFC 6797 section 7.2: not for plain HTTP, which an issuer on loopback may speak. A year, and no other host's.
    if issuer.as_str().starts_with("https:") {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form_action(target: &str) -> String {
        let target = RedirectUri::parse(target).unwrap();
        let policy = page_policy("N", FormAction::Redirects(&target));
        let start = policy.find("form-action ").unwrap() + "form-action ".len();
        policy[start..].split(';').next().unwrap().to_owned()
    }

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

    #[test]
    fn the_whole_policy() {
        let target = RedirectUri::parse("https://c.example/cb").unwrap();
        assert_eq!(
            page_policy("N", FormAction::Redirects(&target)),
            "default-src 'none'; style-src 'nonce-N'; img-src 'self'; form-action 'self' https:; frame-ancestors 'none'; \
             base-uri 'none'"
        );
        assert!(
            page_policy("N", FormAction::Submits(&target))
                .contains("; script-src 'nonce-N'; form-action 'self' https:;")
        );
        assert!(page_policy("N", FormAction::None).contains("; form-action 'none';"));
        assert!(!page_policy("N", FormAction::Reposts(None)).contains("unsafe"));
    }

    #[test]
    fn the_scheme_of_the_redirect_target_is_admitted_and_no_other() {
        assert_eq!(form_action("https://c.example/cb"), "'self' https:");
        assert_eq!(form_action("http://127.0.0.1:4711/cb"), "'self' http:");
        assert_eq!(form_action("http://[::1]/cb"), "'self' http:");
        assert_eq!(form_action("com.example.app:/cb"), "'self' com.example.app:");
        assert_eq!(form_action("javascript:alert(1)"), "'self'");
    }

    #[test]
    fn a_repost_admits_what_the_request_names() {
        let app = RedirectUri::parse("com.example.app:/cb").unwrap();
        assert!(
            page_policy("N", FormAction::Reposts(Some(&app))).contains("form-action 'self' http: com.example.app:;")
        );
        let script = RedirectUri::parse("javascript:alert(1)").unwrap();
        assert!(page_policy("N", FormAction::Reposts(Some(&script))).contains("form-action 'self' http:;"));
    }
}
