//! Redirect URIs (RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1).

use std::fmt;

use fluent_uri::Uri;

use crate::Malformed;

/// What anything else is told.
const NO_REDIRECT_URI: Malformed = Malformed::new(
    "a redirect URI",
    "it is an absolute URI in ASCII without fragment and user information, of at most 2,048 bytes",
);

/// A redirect URI as it was registered or sent, at most 2,048 bytes. It is kept as it is, because it is
/// matched bytewise.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct RedirectUri(std::sync::Arc<str>);

/// Where a redirect URI leads, as far as the rules of registration and the pages' policies distinguish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// `https:`.
    Https,
    /// `http:` on `127.0.0.1`, `[::1]` or `localhost` (RFC 8252 section 7.3).
    HttpLoopback,
    /// `http:` on any other host.
    HttpRemote,
    /// A private-use scheme with a dot in its name (RFC 8252 section 7.1).
    PrivateUse,
    /// Any other scheme.
    Other,
    /// What never leads to a client: a scheme that a browser runs or opens itself, such as `javascript:` and
    /// `data:`, or a web address without a host.
    Never,
}

impl RedirectUri {
    /// How long one may be, in bytes.
    pub const LONGEST: usize = 2048;

    /// An absolute URI (RFC 3986 section 4.3) without a fragment (RFC 6749 section 3.1.2), in ASCII.
    ///
    /// # Errors
    /// [`Malformed`] for anything else, for user information, and beyond 2,048 bytes.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > Self::LONGEST {
            return Err(NO_REDIRECT_URI);
        }
        let uri = Uri::parse(text).map_err(|_| NO_REDIRECT_URI)?;
        let user = uri.authority().is_some_and(|authority| authority.userinfo().is_some());
        if user || uri.fragment().is_some() { Err(NO_REDIRECT_URI) } else { Ok(Self(text.into())) }
    }

    /// Exactly as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scheme, in lower case.
    #[must_use]
    pub fn scheme(&self) -> String {
        self.0.split(':').next().unwrap_or("").to_ascii_lowercase()
    }

    /// The host, an IPv6 address in its brackets; empty for a URI without an authority.
    #[must_use]
    pub fn host(&self) -> String {
        let uri = Uri::parse(&*self.0).ok();
        uri.and_then(|uri| uri.authority().map(|authority| authority.host().to_owned())).unwrap_or_default()
    }

    /// Whether its host is a domain name (RFC 1034 section 3.5, with `_`): no IP address in any spelling that
    /// browsers understand (WHATWG URL, "ends in a number"), no wildcard, nothing percent-encoded.
    #[must_use]
    pub fn has_domain_name(&self) -> bool {
        let host = self.host();
        let host = host.strip_suffix('.').unwrap_or(&host);
        let is_label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let is_number = |label: &str| match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => label.bytes().all(|byte| byte.is_ascii_digit()),
        };
        host.split('.').all(is_label) && !host.rsplit('.').next().is_none_or(is_number)
    }

    /// Its origin as an `Origin` header has it (RFC 6454 section 6.2), however the URI itself is spelled;
    /// `None` for a private-use scheme.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        crate::origin::of(&Uri::parse(&*self.0).ok()?)
    }

    /// Where it leads.
    #[must_use]
    pub fn kind(&self) -> RedirectKind {
        let scheme = self.scheme();
        let host = self.host();
        match scheme.as_str() {
            "https" if !host.is_empty() => RedirectKind::Https,
            "http" if is_loopback(&host) => RedirectKind::HttpLoopback,
            "http" if !host.is_empty() => RedirectKind::HttpRemote,
            "https" | "http" => RedirectKind::Never,
            other if OF_BROWSERS.contains(&other) => RedirectKind::Never,
            other if other.contains('.') => RedirectKind::PrivateUse,
            _ => RedirectKind::Other,
        }
    }

    /// The spelling that this URI has in common with all that are equivalent to it (RFC 3986 sections 6.2.2 and
    /// 6.2.3): scheme and host in lower case, no default port, no dot segments, nothing encoded that need not be,
    /// and `/` for the empty path of a web address.
    #[must_use]
    pub fn normalised(&self) -> String {
        Uri::parse(&*self.0).map_or_else(|_| self.0.to_string(), |uri| normalised(&uri))
    }

    /// The URI without its port if its host is a loopback address, because RFC 8252 section 7.3 lets the port
    /// differ. Everything else, the spelling of the host included, is still compared byte for byte.
    #[must_use]
    pub fn without_loopback_port(&self) -> Option<String> {
        self.without_port_on(&["127.0.0.1", "[::1]"]).map(|uri| uri.0.to_string())
    }

    /// The same for `localhost`, too, although a name may resolve elsewhere (RFC 8252 section 8.3).
    #[must_use]
    pub fn without_localhost_port(&self) -> Option<Self> {
        self.without_port_on(&["127.0.0.1", "[::1]", "localhost"])
    }

    fn without_port_on(&self, hosts: &[&str]) -> Option<Self> {
        let uri = Uri::parse(&*self.0).ok()?;
        let authority = uri.authority()?;
        // Either there is no colon, or a port that a client can listen on follows it.
        let is_port = authority.port().is_none_or(|port| port.as_str().parse::<u16>().is_ok());
        if !self.0.starts_with("http://") || !hosts.contains(&authority.host()) || !is_port {
            return None;
        }
        let rest = self.0.get("http://".len() + authority.as_str().len()..)?;
        Some(Self(format!("http://{}{rest}", authority.host()).into()))
    }
}

impl std::str::FromStr for RedirectUri {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for RedirectUri {
    type Error = Malformed;

    fn try_from(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

impl fmt::Debug for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl<'de> serde::Deserialize<'de> for RedirectUri {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::deserialize(from, "a valid redirect URI", |text| Self::parse(text).ok())
    }
}

/// As [`RedirectUri::normalised`] says.
pub(crate) fn normalised(uri: &Uri<&str>) -> String {
    let uri = uri.normalize();
    let is_web = matches!(uri.scheme().as_str(), "https" | "http") && uri.authority().is_some();
    if !is_web || !uri.path().as_str().is_empty() {
        return uri.into_string();
    }
    match uri.as_str().split_once('?') {
        Some((before, query)) => format!("{before}/?{query}"),
        None => format!("{uri}/"),
    }
}

/// Schemes that a browser runs or opens itself instead of asking a server or an application.
const OF_BROWSERS: [&str; 9] =
    ["about", "blob", "data", "file", "filesystem", "javascript", "jar", "vbscript", "view-source"];

fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_port_may_differ_and_nothing_else() {
        let port = |text: &str| RedirectUri::parse(text).unwrap().without_loopback_port();
        assert_eq!(port("http://127.0.0.1:3333/cb?x=1"), port("http://127.0.0.1/cb?x=1"));
        assert_eq!(port("http://[::1]:1/cb"), Some("http://[::1]/cb".into()));
        assert_ne!(port("http://127.0.0.1:3333/cb"), port("http://127.0.0.1:3333/CB"));
        assert_eq!(
            port("http://localhost:3333/cb"),
            None,
            "a name may resolve elsewhere (RFC 8252 section 8.3)"
        );
        let port_of_name = |text: &str| RedirectUri::parse(text).unwrap().without_localhost_port();
        for (one, other) in [
            ("http://localhost:3333/cb", "http://localhost/cb"),
            ("http://localhost:3333", "http://localhost:1"),
            ("http://127.0.0.1:3333/cb", "http://127.0.0.1/cb"),
        ] {
            assert!(port_of_name(one).is_some() && port_of_name(one) == port_of_name(other), "{one}");
        }
        assert_ne!(port_of_name("http://localhost:3333/cb"), port_of_name("http://127.0.0.1:3333/cb"));
        for other in [
            "https://localhost/cb",
            "http://localhost.example:1/cb",
            "http://LOCALHOST:1/cb",
            "http://localhost.:1/cb",
            "http://localhost:/cb",
            "http://localhost:65536/cb",
            "http://127.0.0.2:1/cb",
            "http://a.localhost:1/cb",
        ] {
            assert_eq!(port_of_name(other), None, "{other}");
        }
        assert_eq!(port("https://127.0.0.1:3333/cb"), None);
        assert_eq!(port("http://127.0.0.1.example:3333/cb"), None);
        assert_eq!(port("http://127.0.0.1:65536/cb"), None);
        assert_eq!(port("http://127.0.0.1:/cb"), None);
    }

    #[test]
    fn addresses_and_wildcards_are_no_domain_names() {
        let has_name = |text: &str| RedirectUri::parse(text).unwrap().has_domain_name();
        for good in
            ["https://a.example/", "https://a_b.example.:8443/cb", "https://10.example/", "https://xn--p1ai"]
        {
            assert!(has_name(good), "{good}");
        }
        for bad in [
            "https://10.0.0.1/",
            "https://8.8.8.8/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0X7F.1/",
            "https://127.1/",
            "https://10.0.0.1./",
            "https://a.0x/",
            "https://%31%30.0.0.1/",
            "https://*.example/",
            "https://a..example/",
            "https://.example/",
            "https:///cb",
            "com.example.app:/cb",
        ] {
            assert!(!has_name(bad), "{bad}");
        }
    }

    #[test]
    fn kinds() {
        let kind = |text: &str| RedirectUri::parse(text).unwrap().kind();
        assert_eq!(kind("https://a.example/cb"), RedirectKind::Https);
        assert_eq!(kind("http://localhost/cb"), RedirectKind::HttpLoopback);
        assert_eq!(kind("http://a.example/cb"), RedirectKind::HttpRemote);
        assert_eq!(kind("com.example.app:/cb"), RedirectKind::PrivateUse);
        assert_eq!(kind("app:/cb"), RedirectKind::Other);
        for never in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "blob:https://a.example/x",
            "filesystem:https://a.example/x",
            "file:///etc/passwd",
            "about:blank",
            "view-source:https://a.example",
            "jar:https://a.example!/x",
            "https:/cb",
            "https:cb",
            "https:///cb",
            "HTTP:/cb",
        ] {
            assert_eq!(kind(never), RedirectKind::Never, "{never}");
        }
    }

    /// LOGTO-15
    #[test]
    fn equivalent_spellings_are_normalised_to_one() {
        let normal = |text: &str| RedirectUri::parse(text).unwrap().normalised();
        for (one, other) in [
            ("https://RP.example.com", "https://rp.example.com/"),
            ("https://rp.example.com?x=1", "https://rp.example.com:443/?x=1"),
            ("HTTPS://rp.example.com:/cb", "https://rp.example.com/cb"),
            ("https://rp.example.com/a/../cb", "https://rp.example.com/cb"),
            ("https://rp.example.com/%7ecb%c3", "https://rp.example.com/~cb%C3"),
            ("http://[0:0::1]:80/cb", "http://[::1]/cb"),
            ("com.example.App:/cb", "com.example.app:/cb"),
        ] {
            assert_eq!(normal(one), normal(other));
        }
        for (one, other) in [
            ("https://rp.example.com/cb", "https://rp.example.com/CB"),
            ("https://rp.example.com/cb", "https://rp.example.com/cb/"),
            ("https://rp.example.com/cb", "https://rp.example.com/cb?"),
            ("https://rp.example.com/cb", "http://rp.example.com/cb"),
            ("https://rp.example.com/cb", "https://rp.example.com:8443/cb"),
            ("https://rp.example.com/a%2Fb", "https://rp.example.com/a/b"),
            ("https://rp.example.com/?a=1", "https://rp.example.com/?A=1"),
            ("https://rp.example.com/cb", "https://rp.example.com./cb"),
            ("com.example.app:", "com.example.app:/"),
        ] {
            assert_ne!(normal(one), normal(other));
        }
    }

    #[test]
    fn hostile_spellings_are_not_redirect_uris() {
        for bad in
            ["", "/cb", "https://a@b/cb", "https://a/cb#x", "https://a/c b", "https://a\\b/", "https://a/\n"]
        {
            assert!(RedirectUri::parse(bad).is_err(), "{bad:?}");
        }
    }
}
