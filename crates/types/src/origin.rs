//! Origins (RFC 6454).

use std::net::Ipv6Addr;
use std::num::NonZeroU16;

use fluent_uri::Uri;

/// The origin of an `https` or `http` URI as browsers write it in `Origin` (RFC 6454 sections 4 and 6.2):
/// scheme and host in lower case, an IPv6 address in its canonical spelling (RFC 5952), no default port.
/// `None` for another scheme, a missing host, or an impossible port.
pub(crate) fn of(uri: &Uri<&str>) -> Option<String> {
    let scheme = uri.scheme().as_str().to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let authority = uri.authority()?;
    let host = match authority.host().strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => format!("[{}]", address.parse::<Ipv6Addr>().ok()?),
        None => authority.host().to_ascii_lowercase(),
    };
    let port = match authority.port().map(|port| port.as_str()) {
        None | Some("") => default,
        Some(port) => port.parse::<NonZeroU16>().ok()?.get(),
    };
    let port = if port == default { String::new() } else { format!(":{port}") };
    (!host.is_empty()).then(|| format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FR-14
    #[test]
    fn one_origin_has_one_spelling() {
        for (uri, origin) in [
            ("https://app.example", "https://app.example"),
            ("https://app.example:443/cb?x=1", "https://app.example"),
            ("HTTPS://APP.Example:0443/CB", "https://app.example"),
            ("https://app.example:/cb", "https://app.example"),
            ("https://app.example:80", "https://app.example:80"),
            ("http://app.example:80/", "http://app.example"),
            ("http://app.example:443/", "http://app.example:443"),
            ("http://127.0.0.1:8080?x", "http://127.0.0.1:8080"),
            ("http://[::1]:80/cb", "http://[::1]"),
            ("http://[0:0:0:0:0:0:0:1]:3000/cb", "http://[::1]:3000"),
            ("https://[2001:DB8::A]/cb", "https://[2001:db8::a]"),
        ] {
            assert_eq!(of(&Uri::parse(uri).unwrap()).as_deref(), Some(origin), "{uri}");
        }
        for uri in [
            "https:/cb",
            "https:///cb",
            "https://app.example:99999/cb",
            "https://app.example:65536",
            "https://app.example:0",
            "https://[v1.x]/cb",
            "com.example.app:/cb",
            "com.example.app://host/cb",
            "ftp://app.example",
        ] {
            assert_eq!(of(&Uri::parse(uri).unwrap()), None, "{uri}");
        }
    }

    /// FR-14: everybody compares an issuer byte for byte, so only one spelling of it is accepted.
    #[test]
    fn an_issuer_is_spelled_as_browsers_spell_it() {
        for issuer in [
            "https://id.example.org",
            "https://id.example.org/Realm",
            "https://id.example.org:8443/a/b",
            "http://localhost",
            "http://localhost:3000",
            "http://[::1]:3000/a",
            "https://192.0.2.1",
            "https://[2001:db8::1]:8443",
        ] {
            assert!(crate::Issuer::parse(issuer).is_ok(), "{issuer}");
        }
        for issuer in [
            "https://ID.Example.org",
            "HTTPS://id.example.org",
            "https://id.example.org:443",
            "https://id.example.org:443/a",
            "https://id.example.org:",
            "https://id.example.org:99999",
            "https://id.example.org:65536",
            "https://id.example.org:0",
            "https://id.example.org:08443",
            "https://[2001:DB8::1]",
            "https://[2001:db8:0::1]",
            "http://localhost:80",
            "http://LOCALHOST:3000",
            "https://",
            "https:///a",
        ] {
            assert!(crate::Issuer::parse(issuer).is_err(), "{issuer}");
        }
    }
}
