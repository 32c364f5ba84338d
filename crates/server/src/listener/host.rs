//! Checks the `Host` of a request (RFC 9112 section 3.2, RFC 9113 section 8.3.1).

use std::net::IpAddr;

use http::header::HOST;
use http::uri::Authority;
use http::{Request, Version};

/// Whether the request names its host as its version of HTTP demands: HTTP/1.1 by exactly one well-formed
/// `Host`, HTTP/2 by at most one, which equals `:authority`.
pub(crate) fn is_named<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() != Version::HTTP_11,
        (Some(_), Some(_)) => false,
        (Some(host), None) => {
            let named = request.uri().authority().filter(|_| request.version() >= Version::HTTP_2);
            is_authority(host.as_bytes())
                && named.is_none_or(|named| named.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()))
        }
    }
}

/// Whether a request to this machine itself names this machine. Whoever lures a browser that runs here to a page of theirs can
/// have the page's own name lead here and read the answers (DNS rebinding); but the browser sends that name.
pub(crate) fn names_this_machine<B>(request: &Request<B>) -> bool {
    let Some(host) = request.headers().get(HOST) else { return true };
    let Ok(authority) = Authority::try_from(host.as_bytes()) else { return host.is_empty() };
    let host = authority.host().trim_matches(['[', ']']);
    let is_localhost = |name: &str| name.eq_ignore_ascii_case("localhost");
    host.parse::<IpAddr>().is_ok() || host.rsplit('.').next().is_some_and(is_localhost)
}

/// `uri-host [ ":" port ]` (RFC 9110 section 7.2). It may be empty where the target has no authority.
fn is_authority(host: &[u8]) -> bool {
    let is_port = |authority: &Authority| {
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        port.is_empty() || port == ":" || authority.port_u16().is_some()
    };
    host.is_empty()
        || is_plain(host)
        || (!host.contains(&b'@') && Authority::try_from(host).is_ok_and(|authority| is_port(&authority)))
}

/// A name, perhaps with a port: what practically all requests have, so that it is seen without a copy.
fn is_plain(host: &[u8]) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let name = host.iter().take_while(|byte| is_of_name(byte)).count();
    match host.split_at(name) {
        (name, []) => !name.is_empty(),
        (name, [b':', port @ ..]) => {
            !name.is_empty() && (1..=4).contains(&port.len()) && port.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_good(version: Version, uri: &str, hosts: &[&str]) -> bool {
        let request = Request::builder().version(version).uri(uri);
        let request = hosts.iter().fold(request, |request, host| request.header(HOST, host.as_bytes()));
        is_named(&request.body(()).unwrap())
    }

    /// FR-18
    #[test]
    fn http_1_1_names_its_host_once() {
        let is_good = |hosts: &[&str]| is_good(Version::HTTP_11, "/", hosts);
        for host in ["id.example", "ID.example:443", "127.0.0.1:8080", "[::1]:8080", "a_b", "", "id.example:"]
        {
            assert!(is_good(&[host]), "{host}");
        }
        for hosts in [
            &[] as &[&str],
            &["id.example", "id.example"],
            &["id.example", "evil.example"],
            &["id.example, evil.example"],
            &["a b"],
            &["user@id.example"],
            &["id.example/path"],
            &["id.example:99999"],
            &["id.example:x"],
            &["[::1"],
            &["https://id.example"],
            &["\u{fc}.example"],
        ] {
            assert!(!is_good(hosts), "{hosts:?}");
        }
    }

    #[test]
    fn a_name_that_leads_here_is_not_this_machine() {
        for (host, expected) in [
            ("127.0.0.1:9090", true),
            ("[::1]:9090", true),
            ("localhost:9090", true),
            ("LOCALHOST", true),
            ("chancery.localhost", true),
            ("10.0.0.7:9090", true),
            ("", true),
            ("evil.example", false),
            ("evil.example:9090", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("notlocalhost", false),
        ] {
            let request = Request::builder().header(HOST, host).body(()).unwrap();
            assert_eq!(names_this_machine(&request), expected, "{host}");
        }
        assert!(names_this_machine(&Request::new(())), "HTTP/1.0 names nobody");
    }

    /// RFC 9112 section 3.2.2: an absolute target does not replace the `Host`.
    #[test]
    fn other_versions_have_their_own_rules() {
        assert!(!is_good(Version::HTTP_11, "http://id.example/", &[]));
        assert!(is_good(Version::HTTP_11, "http://id.example/", &["id.example"]));
        assert!(is_good(Version::HTTP_10, "/", &[]));
        assert!(!is_good(Version::HTTP_10, "/", &["a", "a"]));
        assert!(is_good(Version::HTTP_2, "https://id.example/", &[]));
        assert!(is_good(Version::HTTP_2, "https://id.example/", &["ID.example"]));
        assert!(is_good(Version::HTTP_2, "/", &["id.example"]));
        assert!(!is_good(Version::HTTP_2, "https://id.example/", &["evil.example"]));
        assert!(!is_good(Version::HTTP_2, "https://id.example/", &["id.example", "id.example"]));
    }
}
