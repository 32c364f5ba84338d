//! Redirect URIs with wildcards, for a server that permits them: a list of URIs that is not written out.
//!
//! A wildcard `*` in the host stands for one or more letters, digits, `-` and `_` within one label. It must
//! leave the last two labels alone, because what is left of them belongs to whoever owns these two. In the path
//! it stands for anything, nothing and `/` included. Everything else is compared: the scheme, the host in
//! whatever case, the port or its default, and the query byte for byte.

use fluent_uri::Uri;

use crate::RedirectUri;

/// A redirect URI with at least one wildcard, all in places where they mean something.
///
/// ```
/// # mod chancery { pub mod client { pub use chancery_types::RedirectUri; } }
/// # use chancery_types::RedirectPattern;
/// use chancery::client::RedirectUri;
///
/// let registered = RedirectUri::parse("https://*.app.example/cb")?;
/// let pattern = RedirectPattern::of(&registered).unwrap();
/// assert!(pattern.admits(&RedirectUri::parse("https://preview-7.app.example/cb")?));
/// assert!(!pattern.admits(&RedirectUri::parse("https://a.b.app.example/cb")?));
/// # Ok::<(), chancery_types::Malformed>(())
/// ```
pub struct RedirectPattern<'a>(Parts<'a>);

/// What is compared, component by component.
struct Parts<'a> {
    scheme: String,
    /// In lower case; empty without an authority.
    host: String,
    port: Option<u16>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> RedirectPattern<'a> {
    /// The pattern that the URI is. `None` for a URI without a wildcard, and for one with a wildcard that
    /// nothing is compared with: in the query, in the last two labels of a host, in an IP address, or in a path
    /// with dot segments.
    #[must_use]
    pub fn of(uri: &'a RedirectUri) -> Option<Self> {
        let parts = Parts::of(uri)?;
        let is_good = uri.has_wildcard()
            && !parts.query.is_some_and(|query| query.contains('*'))
            && !parts.host.starts_with('[')
            && (!parts.host.contains('*') || has_owner(&parts.host))
            && !climbs(parts.path);
        is_good.then_some(Self(parts))
    }

    /// Whether a URI that was sent is one of those that the pattern stands for. One with a `*` of its own is
    /// none, nor is one whose path a browser or a server could resolve to another place.
    #[must_use]
    pub fn admits(&self, sent: &RedirectUri) -> bool {
        let pattern = &self.0;
        let Some(sent) = Parts::of(sent).filter(|_| !sent.has_wildcard()) else { return false };
        self.admits_place(&sent)
            && !climbs(sent.path)
            && fits(pattern.path, sent.path, 0)
            && pattern.query == sent.query
    }

    /// Whether one of the URIs that the pattern stands for is on a page of this origin, as an `Origin` header
    /// has it (RFC 6454 section 6.2).
    #[must_use]
    pub fn admits_origin(&self, origin: &str) -> bool {
        let Ok(sent) = RedirectUri::parse(origin) else { return false };
        // Any other spelling is not what a browser sends.
        let is_origin = sent.origin().as_deref() == Some(origin) && !sent.has_wildcard();
        is_origin && Parts::of(&sent).is_some_and(|sent| self.admits_place(&sent))
    }

    /// Whether scheme, host and port are admitted.
    fn admits_place(&self, sent: &Parts<'_>) -> bool {
        let pattern = &self.0;
        let same_length = pattern.host.split('.').count() == sent.host.split('.').count();
        let mut labels = pattern.host.split('.').zip(sent.host.split('.'));
        pattern.scheme == sent.scheme
            && pattern.port == sent.port
            && same_length
            && labels.all(|(pattern, label)| is_label_of(pattern, label))
    }
}

impl RedirectUri {
    /// Whether it has a `*`, and so stands for other URIs or for nothing.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        self.as_str().contains('*')
    }
}

impl<'a> Parts<'a> {
    /// `None` for an impossible port.
    fn of(uri: &'a RedirectUri) -> Option<Self> {
        let uri: Uri<&'a str> = Uri::parse(uri.as_str()).ok()?;
        let scheme = uri.scheme().as_str().to_ascii_lowercase();
        let default = match &*scheme {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        };
        let authority = uri.authority();
        let port = match authority.as_ref().and_then(|authority| authority.port()).map(|port| port.as_str()) {
            None | Some("") => default,
            Some(port) => Some(port.parse().ok()?),
        };
        let host = authority.map(|authority| authority.host().to_ascii_lowercase()).unwrap_or_default();
        Some(Self {
            scheme,
            host,
            port,
            path: uri.path().as_str(),
            query: uri.query().map(|query| query.as_str()),
        })
    }
}

/// Whether the last two labels of the host are written out, so that they say whose it is. A name that ends in a
/// number is an IPv4 address to a browser (WHATWG URL, "ends in a number").
fn has_owner(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let [left @ .., domain, top] = &*labels else { return false };
    !left.is_empty()
        && labels.iter().all(|label| !label.is_empty())
        && !domain.contains('*')
        && !top.contains('*')
        && top.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// Whether the pattern of one label admits this label. Where it has a wildcard, the label has none of the
/// characters that a browser might read as the end of the host.
fn is_label_of(pattern: &str, label: &str) -> bool {
    if !pattern.contains('*') {
        return pattern == label;
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    label.bytes().all(is_plain) && fits(pattern, label, 1)
}

/// Whether the text is the pattern with something in the place of each wildcard, at least so many characters
/// each.
fn fits(pattern: &str, text: &str, least: usize) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    // The first place where a piece occurs leaves the most to those behind it.
    for piece in pieces {
        match rest.get(least..).and_then(|from| from.split_once(piece)) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.len() >= least + last.len() && rest.ends_with(last)
}

/// Whether the path may lead elsewhere than it says: browsers resolve `.` and `..`, also when they are encoded
/// (WHATWG URL, "double-dot URL path segment"), and servers may decode a slash before they do.
fn climbs(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let is_dot = |segment: &str| matches!(&*segment.replace("%2e", "."), "." | "..");
    path.contains("%2f") || path.contains("%5c") || path.split('/').any(is_dot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(pattern: &str, sent: &str) -> bool {
        let (pattern, sent) = (RedirectUri::parse(pattern).unwrap(), RedirectUri::parse(sent).unwrap());
        RedirectPattern::of(&pattern).unwrap().admits(&sent)
    }

    /// LOGTO-12, LOGTO-13
    #[test]
    fn a_wildcard_stands_for_part_of_a_label_or_of_the_path() {
        for (pattern, sent) in [
            ("https://*.example.com/cb", "https://a.example.com/cb"),
            ("https://*.example.com/cb", "https://A-1_x.EXAMPLE.com/cb"),
            ("https://*.example.com/cb", "https://a.example.com:443/cb"),
            ("https://*.example.com:443/cb", "https://a.example.com/cb"),
            ("https://pr-*-web.example.com/cb", "https://pr-17-web.example.com/cb"),
            ("https://*-*.example.com/cb", "https://a-b-c.example.com/cb"),
            ("https://*.*.example.com/cb", "https://a.b.example.com/cb"),
            ("https://app.example.com/*", "https://app.example.com/"),
            ("https://app.example.com/*", "https://app.example.com/a/b/c"),
            ("https://app.example.com/*/cb", "https://app.example.com/a/b/cb"),
            ("https://app.example.com/a*b*c?x=1", "https://app.example.com/abbcc?x=1"),
            ("http://app.example.com:80/*", "HTTP://app.example.com/cb"),
            ("com.example.app:/cb/*", "com.example.app:/cb/1"),
        ] {
            assert!(admits(pattern, sent), "{pattern} {sent}");
        }
        for (pattern, sent) in [
            ("https://*.example.com/cb", "https://example.com/cb"),
            ("https://*.example.com/cb", "https://.example.com/cb"),
            ("https://*.example.com/cb", "https://a.b.example.com/cb"),
            ("https://*.example.com/cb", "https://a.example.com.evil.example/cb"),
            ("https://*.example.com/cb", "https://a.example.com./cb"),
            ("https://*.example.com/cb", "https://evil.example%2f.example.com/cb"),
            ("https://*.example.com/cb", "https://a%2eb.example.com/cb"),
            ("https://*.example.com/cb", "https://a;b.example.com/cb"),
            ("https://*.example.com/cb", "https://*.example.com/cb"),
            ("https://*.example.com/cb", "http://a.example.com/cb"),
            ("https://*.example.com/cb", "https://a.example.com:8443/cb"),
            ("https://*.example.com/cb", "https://a.example.com:99999/cb"),
            ("https://*.example.com/cb", "https://a.example.com/CB"),
            ("https://*.example.com/cb", "https://a.example.com/cb/"),
            ("https://*.example.com/cb", "https://a.example.com/cb?"),
            ("https://*.example.com/cb", "https://a.example.com/cb?x=1"),
            ("https://a*b.example.com/cb", "https://ab.example.com/cb"),
            ("https://*-*.example.com/cb", "https://a-.example.com/cb"),
            ("https://app.example.com/cb/*", "https://app.example.com/cb"),
            ("https://app.example.com/cb/*", "https://app.example.com/cb/../evil"),
            ("https://app.example.com/cb/*", "https://app.example.com/cb/%2E%2e/evil"),
            ("https://app.example.com/cb/*", "https://app.example.com/cb/.%2E"),
            ("https://app.example.com/cb/*", "https://app.example.com/cb/..%2fevil"),
            ("https://app.example.com/cb/*", "https://app.example.com/cb/..%5Cevil"),
            ("https://app.example.com/cb/*", "https://app.example.com/cb/*"),
            ("https://app.example.com/*/cb", "https://app.example.com/cb"),
            ("com.example.app:/cb/*", "com.example.app://evil.example/cb/1"),
        ] {
            assert!(!admits(pattern, sent), "{pattern} {sent}");
        }
    }

    #[test]
    fn scripts_come_from_where_a_pattern_leads() {
        let admits = |pattern: &str, origin: &str| {
            RedirectPattern::of(&RedirectUri::parse(pattern).unwrap()).unwrap().admits_origin(origin)
        };
        for (pattern, origin) in [
            ("https://*.example.com/cb", "https://a.example.com"),
            ("https://*.example.com:8443/cb", "https://a.example.com:8443"),
            ("https://app.example.com/*", "https://app.example.com"),
        ] {
            assert!(admits(pattern, origin), "{pattern} {origin}");
        }
        for origin in [
            "null",
            "",
            "https://*.example.com",
            "https://example.com",
            "https://a.b.example.com",
            "https://a.example.com:8443",
            "https://a.example.com:443",
            "https://A.example.com",
            "https://a.example.com/",
            "https://a.example.com/cb",
            "http://a.example.com",
            "https://a.example.com.evil.example",
            "https://x@a.example.com",
        ] {
            assert!(!admits("https://*.example.com/cb", origin), "{origin}");
        }
        assert!(!admits("com.example.app:/cb/*", "null"));
    }

    /// LOGTO-11, and more of the kind.
    #[test]
    fn a_wildcard_elsewhere_stands_for_nothing() {
        for bad in [
            "https://app.example.com/cb",
            "https://*/cb",
            "https://*.com/cb",
            "https://*.com./cb",
            "https://*..com/cb",
            "https://app.*.com/cb",
            "https://app.example.*/cb",
            "https://app.exa*mple.com/cb",
            "https://*.0.0.1/cb",
            "https://*.example.0x1/cb",
            "https://[::1]/*",
            "https://app.example.com/cb?x=*",
            "https://app.example.com/*?x=*",
            "https://app.example.com/cb/../*",
            "https://app.example.com/%2e%2E/*",
            "https://app.example.com:99999/*",
            "https://*:443/cb",
        ] {
            assert!(RedirectPattern::of(&RedirectUri::parse(bad).unwrap()).is_none(), "{bad}");
        }
        for bad in ["https://app.example.com:*/cb", "htt*://app.example.com/", "https://*@app.example.com/"] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
    }
}
