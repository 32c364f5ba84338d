//! Where a request goes, as its URL says, and which hosts the operator has named.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use fluent_uri::Uri;
use http::uri::PathAndQuery;
use rustls::pki_types::{DnsName, ServerName};

use crate::not_fetched::NotFetched;

/// The port of `http`.
const HTTP: u16 = 80;

/// The port of `https`.
const HTTPS: u16 = 443;

/// What is said of `http` on this machine where it is not permitted.
const NOT_PERMITTED: &str =
    "the URL is not https: `Options::http_on_this_machine` permits http on this machine, for development";

/// The longest URL that is asked, in bytes.
const LONGEST_URL: usize = 2048;

/// A host as a URL names it: a DNS name in lower case, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Name(Box<str>),
    Address(IpAddr),
}

impl Host {
    /// A host as RFC 3986 section 3.2.2 spells it, an IPv6 address in brackets.
    fn parse(text: &str) -> Option<Self> {
        if let Some(text) = text.strip_prefix('[') {
            return Some(Self::Address(text.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        // A `DnsName` does not end in a number, which some resolvers would take for an IPv4 address (WHATWG URL
        // section 3.5). With a dot at its end it would be a second spelling of a host.
        let name = text.to_ascii_lowercase();
        let is_name = DnsName::try_from(name.as_str()).is_ok() && !name.ends_with('.');
        is_name.then(|| Self::Name(name.into()))
    }

    /// Whether its name says that it is this machine. Where it leads is judged once more, by its addresses.
    fn is_this_machine(&self) -> bool {
        match self {
            Self::Name(name) => **name == *"localhost",
            Self::Address(address) => address.is_loopback(),
        }
    }

    /// Whose certificate the server has to have.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, NotFetched> {
        match self {
            Self::Name(name) => {
                let name = DnsName::try_from(name.to_string());
                name.map(ServerName::DnsName).map_err(|_| NotFetched::Address("the host is not a DNS name"))
            }
            Self::Address(address) => Ok(ServerName::IpAddress((*address).into())),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// A host and port that the operator has named: it may have addresses of the internal network, and its port may
/// be another than 443.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    host: Host,
    port: u16,
}

/// The text is not a host, with or without a port.
#[derive(Clone, PartialEq, Eq)]
pub struct NotAHost(String);

impl fmt::Display for NotAHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` must be `host` or `host:port`", self.0)
    }
}

impl std::error::Error for NotAHost {}

chancery_core::error::debug_as_display!(NotAHost);

/// `host`, which means port 443, or `host:port`. An IPv6 address stands in brackets.
impl FromStr for AllowedHost {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let wrong = || NotAHost(text.to_owned());
        let (host, port) = match text.rsplit_once(':') {
            // The colon is inside the brackets of an IPv6 address.
            Some((_, port)) if port.ends_with(']') => (text, HTTPS),
            Some((host, port)) => (host, port_of(port).ok_or_else(wrong)?),
            None => (text, HTTPS),
        };
        Ok(Self { host: Host::parse(host).ok_or_else(wrong)?, port })
    }
}

/// A port in decimal digits (RFC 3986 section 3.2.3) that can be dialled.
fn port_of(digits: &str) -> Option<u16> {
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| is_decimal && *port != 0)
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) path: PathAndQuery,
    /// Whether the operator has named it.
    pub(crate) is_named: bool,
    /// Whether it is asked by http, which leads to this machine alone.
    pub(crate) is_plain: bool,
}

impl Target {
    /// Where a URL leads, if it is one that is asked: `https`, on port 443 unless the operator has named the
    /// host with another one; if that is permitted, `http` on this machine, too.
    pub(crate) fn parse(url: &str, named: &[AllowedHost], may_be_plain: bool) -> Result<Self, NotFetched> {
        let refused = |rule| Err(NotFetched::Address(rule));
        if url.len() > LONGEST_URL {
            return refused("the URL is longer than 2,048 bytes");
        }
        let Ok(uri) = Uri::parse(url) else { return refused("the address is not a URL") };
        let is_plain = may_be_plain && uri.scheme().as_str().eq_ignore_ascii_case("http");
        if !is_plain && !uri.scheme().as_str().eq_ignore_ascii_case("https") {
            let is_local = uri.scheme().as_str().eq_ignore_ascii_case("http")
                && uri
                    .authority()
                    .and_then(|named| Host::parse(named.host()))
                    .is_some_and(|host| host.is_this_machine());
            return refused(if is_local { NOT_PERMITTED } else { "the URL is not https" });
        }
        let Some(authority) = uri.authority() else { return refused("the URL has no host") };
        if authority.userinfo().is_some() {
            return refused("the URL has user information");
        }
        if uri.fragment().is_some() {
            return refused("the URL has a fragment");
        }
        let Some(host) = Host::parse(authority.host()) else {
            return refused("the host is neither a DNS name nor an IP address");
        };
        if is_plain && !host.is_this_machine() {
            return refused("the URL is not https, and its host is not this machine");
        }
        let port = match authority.port().map(|port| port.as_str()) {
            None | Some("") => Some(if is_plain { HTTP } else { HTTPS }),
            Some(digits) => port_of(digits),
        };
        let Some(port) = port else { return refused("the port is not a number from 1 to 65535") };
        let is_named = is_plain || named.iter().any(|named| named.host == host && named.port == port);
        if port != HTTPS && !is_named {
            return refused("the port is neither 443 nor listed in fetch.allow_hosts");
        }
        let path = match (uri.path().as_str(), uri.query()) {
            ("", None) => "/".to_owned(),
            ("", Some(query)) => format!("/?{query}"),
            (path, None) => path.to_owned(),
            (path, Some(query)) => format!("{path}?{query}"),
        };
        let Ok(path) = PathAndQuery::try_from(path) else {
            return refused("the path cannot be sent in a request");
        };
        Ok(Self { host, port, path, is_named, is_plain })
    }

    /// The header `Host` (RFC 9112 section 3.2).
    pub(crate) fn authority(&self) -> String {
        let usual = if self.is_plain { HTTP } else { HTTPS };
        match self.port {
            port if port == usual => self.host.to_string(),
            port => format!("{}:{port}", self.host),
        }
    }
}

/// For the log: without the query, which may hold what only two parties know.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_plain { "http" } else { "https" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By http this machine alone is asked, and only if that is permitted; where `localhost` leads is judged by its addresses.
    #[test]
    fn http_is_for_this_machine() {
        let parse = |url: &str, may_be_plain| {
            Target::parse(url, &[], may_be_plain)
                .map(|target| (target.to_string(), target.port, target.is_plain))
                .ok()
        };
        for (url, shown, port) in [
            ("http://localhost:3000/jwks?x", "http://localhost:3000/jwks", 3000),
            ("HTTP://LOCALHOST/jwks", "http://localhost/jwks", 80),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/", 8080),
            ("http://[::1]:443/", "http://[::1]:443/", 443),
        ] {
            assert_eq!(parse(url, true), Some((shown.to_owned(), port, true)), "{url}");
            assert_eq!(parse(url, false), None, "{url}");
        }
        for url in [
            "http://id.example/",
            "http://10.0.0.1/",
            "http://localhost.example/",
            "http://localhost./",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
            "http://user@localhost/",
            "ftp://localhost/",
        ] {
            assert_eq!(parse(url, true), None, "{url}");
        }
        assert_eq!(parse("https://localhost/", true), Some(("https://localhost/".to_owned(), 443, false)));
    }
}
