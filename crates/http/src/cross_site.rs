//! From which site a request came, and by which host name. Browsers send no SameSite=Lax cookies with a POST
//! from another site (RFC 6265bis section 5.7.1).

use chancery_core::error::Reason;
use chancery_types::Issuer;
use chancery_types::iana::ErrorCode;
use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;

chancery_core::reasons! {
    /// A form of this server was posted by a page of another origin than the issuer's: scheme, host and port have to be the
    /// same, and `127.0.0.1` is another host than `localhost`.
    pub FORM_OF_ANOTHER_ORIGIN = Reason {
        name: "form_of_another_origin",
        code: ErrorCode::InvalidRequest,
        description: "the form was posted from another site",
        section: "RFC 9700 section 4.7",
    };
    /// The request does not come from the origin of `interaction.location`.
    pub(crate) NOT_OF_FRONT_END = Reason {
        name: "not_of_front_end",
        code: ErrorCode::InvalidRequest,
        description: "only the pages of this server may ask this",
        section: "RFC 9700 section 4.7",
    };
}

/// Marks a request that was redirected to the issuer's own address, so that it is not redirected again when
/// the browser does not send its origin, or a proxy sends another host name than the browser.
pub(crate) const REDIRECTED: &str = "chancery_brought_home";

/// Where a POST came from, as far as the browser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// One of our pages, or the address bar.
    Ours,
    /// A page of another origin on our site, from which cookies are sent.
    SameSite,
    /// A page of another site.
    CrossSite,
    /// The browser does not say.
    Unknown,
}

impl Source {
    /// Reads `Sec-Fetch-Site` (Fetch Metadata section 2.3), or the `Origin` of older browsers, which is
    /// `null` from our own pages because of their `Referrer-Policy`.
    pub(crate) fn of(headers: &HeaderMap, issuer: &Issuer) -> Self {
        match headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes) {
            Some(b"same-origin" | b"none") => return Self::Ours,
            Some(b"same-site") => return Self::SameSite,
            Some(b"cross-site") => return Self::CrossSite,
            _ => {}
        }
        match headers.get(ORIGIN).map(http::HeaderValue::as_bytes) {
            None | Some(b"null") => Self::Unknown,
            Some(origin) if origin == issuer.origin().as_bytes() => Self::Ours,
            Some(_) => Self::CrossSite,
        }
    }
}

/// Whether the request names another host than the issuer's (RFC 9110 section 7.2). Under another host name,
/// the browser would send neither our cookies nor our origin with the form. A request with no host or several
/// does not count.
pub(crate) fn names_another_host(parts: &Parts, issuer: &Issuer) -> bool {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none()).and_then(|host| host.to_str().ok());
    let Some(named) = parts.uri.authority().map(Authority::as_str).or(host) else { return false };
    let (scheme, authority) = issuer.origin().split_once("://").unwrap_or_default();
    let default = if scheme == "https" { ":443" } else { ":80" };
    !named.strip_suffix(default).unwrap_or(named).eq_ignore_ascii_case(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_what_the_browser_says() {
        let issuer = Issuer::parse("https://id.example/a").unwrap();
        let source = |pairs: &[(&'static str, &str)]| {
            let headers =
                pairs.iter().map(|(n, v)| (http::HeaderName::from_static(n), v.parse().unwrap())).collect();
            Source::of(&headers, &issuer)
        };
        assert_eq!(source(&[("sec-fetch-site", "same-origin"), ("origin", "null")]), Source::Ours);
        assert_eq!(source(&[("sec-fetch-site", "cross-site")]), Source::CrossSite);
        assert_eq!(
            source(&[("sec-fetch-site", "same-site"), ("origin", "https://app.example")]),
            Source::SameSite
        );
        assert_eq!(source(&[("origin", "https://id.example")]), Source::Ours);
        assert_eq!(source(&[("origin", "https://id.example.evil.example")]), Source::CrossSite);
        assert_eq!(source(&[("origin", "null")]), Source::Unknown);
        assert_eq!(source(&[("sec-fetch-site", "garbage")]), Source::Unknown);
        assert_eq!(source(&[]), Source::Unknown);
    }
}
