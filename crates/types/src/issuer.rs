//! What an issuer identifier may be (RFC 8414 section 2, OpenID Connect Discovery section 3).

use fluent_uri::Uri;

use crate::Issuer;

/// What stands in the addresses of metadata (RFC 8414 section 3, OpenID Connect Discovery section 4), and so in no issuer.
const WELL_KNOWN: &str = "/.well-known/";

impl Issuer {
    /// What is wrong with a text as an issuer: one sentence for each rule that it breaks, and none for a good one.
    ///
    /// ```
    /// # mod chancery { pub use chancery_types::Issuer; }
    /// use chancery::Issuer;
    /// assert!(Issuer::faults("https://id.example.org/realm").is_empty());
    /// assert_eq!(
    ///     Issuer::faults("https://id.example.org/?a=b#c"),
    ///     ["it must not have a query (?\u{2026})", "it must not have a fragment (#\u{2026})"]
    /// );
    /// ```
    #[must_use]
    pub fn faults(text: &str) -> Vec<&'static str> {
        if text.trim() != text {
            return vec!["there are blanks at its ends"];
        }
        if text.is_empty() {
            return vec![
                "it is missing: give the URL at which people and clients reach this server, such as https://id.example.org",
            ];
        }
        let Ok(uri) = Uri::parse(text) else { return vec![of_no_uri(text)] };
        let mut faults = Vec::new();
        let scheme = uri.scheme().as_str().to_ascii_lowercase();
        let authority = uri.authority();
        let host = authority.as_ref().map(|authority| authority.host()).unwrap_or_default();
        let is_loopback = matches!(&*host.to_ascii_lowercase(), "localhost" | "127.0.0.1" | "[::1]");
        let mut complain = |is_broken: bool, fault| {
            if is_broken {
                faults.push(fault);
            }
        };
        let is_web = matches!(scheme.as_str(), "https" | "http");
        complain(!is_web, "it must begin with https:// (or, on this machine alone, http://localhost)");
        complain(
            scheme == "http" && !is_loopback,
            "http is for localhost, 127.0.0.1 and [::1] alone: it must begin with https://",
        );
        complain(is_web && host.is_empty(), "it must have a host");
        let has_user = authority.as_ref().is_some_and(|authority| authority.userinfo().is_some());
        complain(has_user, "it must not have a user name or password before the host");
        complain(host.ends_with('.'), "its host must not end with a dot");
        let is_lower = !host.bytes().any(|byte| byte.is_ascii_uppercase()) && text.starts_with(&scheme);
        complain(!is_lower, "scheme and host must be in lower case, as browsers write them");
        let port = authority.as_ref().and_then(|authority| authority.port()).map(|port| port.as_str());
        let number = port.and_then(|port| port.parse::<u16>().ok());
        let is_default = matches!((scheme.as_str(), number), ("https", Some(443)) | ("http", Some(80)));
        complain(is_default, "it must not name the default port");
        complain(
            port.is_some_and(|port| number.is_none_or(|number| number == 0 || number.to_string() != port)),
            "its port must be a number from 1 to 65535",
        );
        complain(uri.query().is_some(), "it must not have a query (?\u{2026})");
        complain(uri.fragment().is_some(), "it must not have a fragment (#\u{2026})");
        complain(text.ends_with('/') && !host.is_empty(), "it must not end with a slash");
        complain(
            uri.path().as_str().contains(WELL_KNOWN),
            "it is the address of metadata, and not the issuer that they name",
        );
        let is_dots =
            |segment: &str| matches!(&*segment.to_ascii_lowercase().replace("%2e", "."), "." | "..");
        let is_dotted = uri.path().as_str().split('/').any(is_dots);
        complain(is_dotted, "its path must not have `.` or `..` between slashes, which browsers resolve");
        // Of two spellings of one address, clients and proxies make one, and then it is another issuer (RFC 3986 section 6).
        complain(
            uri.path().as_str().contains("//"),
            "its path must not have two slashes side by side, which proxies make one",
        );
        let normal = uri.normalize();
        complain(
            !is_dotted && uri.path().as_str() != normal.path().as_str(),
            "its path must not write letters, digits, - . _ ~ with percent signs, nor others in lower case (RFC 3986 section 6.2.2)",
        );
        complain(text.len() > 255, "it must have at most 255 characters");
        // One spelling of an address counts, too.
        let origin = crate::origin::of(&uri);
        let is_at_origin = origin.is_some_and(|origin| {
            text.strip_prefix(&*origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if faults.is_empty() && !is_at_origin {
            faults.push("its host must be spelled as browsers spell it");
        }
        faults
    }
}

/// Why a text is no URI at all.
fn of_no_uri(text: &str) -> &'static str {
    if text.chars().any(char::is_whitespace) {
        "it must not contain blanks"
    } else if !text.is_ascii() {
        "it must be in ASCII: write a name in other letters as browsers send it (xn--\u{2026})"
    } else if !text.contains("://") {
        "it must be a URL and begin with https://"
    } else {
        "it is not a URL"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each mistake has a sentence of its own, several at once have several, and no good issuer has any.
    #[test]
    fn each_mistake_is_named() {
        for (issuer, said) in [
            ("https://id.example.org", &[][..]),
            ("https://id.example.org:8443/a", &[]),
            ("http://localhost:3000", &[]),
            ("http://[::1]:3000", &[]),
            ("", &["missing"]),
            (" https://id.example.org", &["blanks at its ends"]),
            ("https://id.example.org\n", &["blanks at its ends"]),
            ("https://id example.org", &["contain blanks"]),
            ("id.example.org", &["begin with https://"]),
            ("https://b\u{fc}cher.example", &["ASCII"]),
            ("ftp://id.example.org", &["begin with https://"]),
            ("http://id.example.org", &["http is for localhost"]),
            ("http://10.0.0.1:8080", &["http is for localhost"]),
            ("https://", &["must have a host"]),
            ("https:///a", &["must have a host"]),
            ("https://admin@id.example.org", &["user name"]),
            ("https://id.example.org.", &["end with a dot"]),
            ("https://ID.example.org", &["lower case"]),
            ("HTTPS://id.example.org", &["lower case"]),
            ("https://id.example.org:443", &["default port"]),
            ("https://id.example.org:", &["port must be a number"]),
            ("https://id.example.org:65536", &["port must be a number"]),
            ("https://id.example.org:08443", &["port must be a number"]),
            ("https://id.example.org:0", &["port must be a number"]),
            ("https://id.example.org?a", &["query"]),
            ("https://id.example.org#a", &["fragment"]),
            ("https://id.example.org/", &["end with a slash"]),
            ("https://id.example.org/auth/.well-known/openid-configuration", &["metadata"]),
            ("https://id.example.org/.well-known/oauth-authorization-server/auth", &["metadata"]),
            ("https://id.example.org/well-known/a", &[]),
            ("https://id.example.org/a/../b", &["`.` or `..`"]),
            ("https://id.example.org/./a", &["`.` or `..`"]),
            ("https://id.example.org/a/%2E%2e", &["`.` or `..`"]),
            ("https://id.example.org/a..b/.c", &[]),
            ("https://id.example.org/a//b", &["two slashes"]),
            ("https://id.example.org//", &["end with a slash", "two slashes"]),
            ("https://id.example.org/%41uth", &["with percent signs"]),
            ("https://id.example.org/a%7eb", &["with percent signs"]),
            ("https://id.example.org/%c3%a4", &["in lower case"]),
            ("https://id.example.org/%C3%A4%2F", &[]),
            ("https://[2001:DB8::1]", &["lower case"]),
            ("https://[2001:db8:0::1]", &["as browsers spell it"]),
            (
                "http://u:p@ID.example.org.:80/?q#f",
                &["http is", "user name", "a dot", "lower case", "default port", "query", "fragment"],
            ),
        ] {
            let faults = Issuer::faults(issuer);
            assert_eq!(faults.len(), said.len(), "{issuer}: {faults:?}");
            for (fault, said) in faults.iter().zip(said) {
                assert!(fault.contains(said), "{issuer}: {fault}");
            }
            assert_eq!(Issuer::parse(issuer).is_ok(), faults.is_empty(), "{issuer}");
        }
    }
}
