//! The peer's address, even behind reverse proxies that the operator names.
//!
//! Only the address is read from forwarded headers: URLs come from the configuration, never from the request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, HeaderName};

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The peer's address, as a request extension that is set by whoever accepts the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The networks of proxies that are trusted for something, of which there are none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<(IpAddr, u8)>);

/// Not a network in the form `10.0.0.0/8`, `fd00::/8` or a single address.
#[derive(Clone, PartialEq, Eq)]
pub struct NotANetwork(pub String);

impl std::fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is not a network such as 10.0.0.0/8", self.0)
    }
}

impl std::error::Error for NotANetwork {}

chancery_core::error::debug_as_display!(NotANetwork);

impl TrustedProxies {
    /// Reads networks such as `10.0.0.0/8`, or single addresses.
    ///
    /// ```
    /// # mod chancery { pub use chancery_http::TrustedProxies; }
    /// use chancery::TrustedProxies;
    /// assert!(TrustedProxies::parse(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]).is_ok());
    /// assert!(TrustedProxies::parse(["10.0.0.0/33"]).is_err());
    /// ```
    ///
    /// # Errors
    /// [`NotANetwork`] for the first invalid one.
    pub fn parse<'t>(networks: impl IntoIterator<Item = &'t str>) -> Result<Self, NotANetwork> {
        let read = |text: &str| {
            let (address, prefix) =
                text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
            let address: IpAddr = address.parse().ok()?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let prefix =
                prefix.map_or(Some(longest), |prefix| prefix.parse().ok()).filter(|bits| *bits <= longest)?;
            Some((address, prefix))
        };
        let networks =
            networks.into_iter().map(|text| read(text).ok_or_else(|| NotANetwork(text.to_owned())));
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// All of these networks and of those.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend(&others.0);
        self
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are any, and none of them is outside of this machine.
    ///
    /// ```
    /// # mod chancery { pub use chancery_http::TrustedProxies; }
    /// use chancery::TrustedProxies;
    /// assert!(TrustedProxies::parse(["127.0.0.1", "::1"]).unwrap().are_on_this_machine());
    /// assert!(!TrustedProxies::parse(["127.0.0.1", "10.0.0.1"]).unwrap().are_on_this_machine());
    /// assert!(!TrustedProxies::default().are_on_this_machine());
    /// ```
    #[must_use]
    pub fn are_on_this_machine(&self) -> bool {
        let is_within = |(network, prefix): &(IpAddr, u8)| {
            network.is_loopback() && *prefix >= if network.is_ipv4() { 8 } else { 128 }
        };
        !self.is_empty() && self.0.iter().all(is_within)
    }

    /// Those networks that are larger than any operator's own: `0.0.0.0/0`, `::/0` and the like.
    ///
    /// ```
    /// # mod chancery { pub use chancery_http::TrustedProxies; }
    /// use chancery::TrustedProxies;
    /// let proxies = TrustedProxies::parse(["10.0.0.0/8", "0.0.0.0/1", "fd00::/8", "::/0"]).unwrap();
    /// assert_eq!(proxies.widest().collect::<Vec<_>>(), ["0.0.0.0/1", "::/0"]);
    /// ```
    pub fn widest(&self) -> impl Iterator<Item = String> {
        let wide = self.0.iter().filter(|(network, prefix)| *prefix < if network.is_ipv4() { 8 } else { 7 });
        wide.map(|(network, prefix)| format!("{network}/{prefix}"))
    }

    /// Those networks that are written by an address within them, each beside what it stands for.
    ///
    /// ```
    /// # mod chancery { pub use chancery_http::TrustedProxies; }
    /// use chancery::TrustedProxies;
    /// let proxies = TrustedProxies::parse(["10.0.0.0/8", "10.1.2.3/8", "10.1.2.3"]).unwrap();
    /// assert_eq!(proxies.inexact().collect::<Vec<_>>(), [("10.1.2.3/8".to_owned(), "10.0.0.0/8".to_owned())]);
    /// ```
    pub fn inexact(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().filter_map(|(address, prefix)| {
            let first = first_of(*address, *prefix);
            (first != *address).then(|| (format!("{address}/{prefix}"), format!("{first}/{prefix}")))
        })
    }

    /// Whether the address is in one of the networks.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(network, prefix)| match (network, address) {
            (IpAddr::V4(_), IpAddr::V4(_)) => {
                same_bits(bits(*network), bits(address), 96 + u32::from(*prefix))
            }
            (IpAddr::V6(_), IpAddr::V6(_)) => same_bits(bits(*network), bits(address), u32::from(*prefix)),
            _ => false,
        })
    }

    /// The client's address: that of the connection's peer or, if the peer is a trusted proxy, the last entry
    /// of `X-Forwarded-For` that is not a trusted proxy. Entries before that may be forged.
    pub(crate) fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let mut client = peer?.to_canonical();
        if !self.contains(client) {
            return Some(client);
        }
        // Lines are split into entries first, because a proxy may have added to a line that the peer had
        // sent. Empty entries are ignored (RFC 9110 section 5.6.1.2).
        let lines = headers.get_all(&FORWARDED_FOR).iter();
        let entries =
            lines.flat_map(|line| line.as_bytes().split(|octet| *octet == b',').map(<[u8]>::trim_ascii));
        let entries: Vec<&[u8]> = entries.filter(|entry| !entry.is_empty()).collect();
        for entry in entries.into_iter().rev() {
            if !self.contains(client) {
                break;
            }
            let Some(before) = std::str::from_utf8(entry).ok().and_then(address) else { break };
            client = before;
        }
        Some(client)
    }
}

/// An entry of `X-Forwarded-For`: an address, to which some proxies add a port.
fn address(entry: &str) -> Option<IpAddr> {
    let plain =
        entry.parse::<IpAddr>().or_else(|_| entry.parse::<std::net::SocketAddr>().map(|socket| socket.ip()));
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    plain.ok().or_else(bracketed).map(|address| address.to_canonical())
}

/// The first address of the network.
fn first_of(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(u32::BITS.saturating_sub(prefix)).unwrap_or(0);
            Ipv4Addr::from(u32::from(v4) & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(u128::BITS.saturating_sub(prefix)).unwrap_or(0);
            Ipv6Addr::from(u128::from(v6) & mask).into()
        }
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn same_bits(one: u128, other: u128, prefix: u32) -> bool {
    (one ^ other).checked_shr(128 - prefix).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies = TrustedProxies::parse(trusted.iter().copied()).unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        proxies.client(peer.parse().ok(), &headers).unwrap().to_string()
    }

    /// PROXY-01
    #[test]
    fn nobody_is_trusted_by_default() {
        assert_eq!(client(&[], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
    }

    /// PROXY-02
    #[test]
    fn a_trusted_proxy_vouches_for_one_entry_from_the_right() {
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["198.51.100.7, 10.9.9.9"]), "198.51.100.7");
        assert_eq!(
            client(&["10.0.0.0/8"], "10.1.2.3", &["203.0.113.9", "198.51.100.7:4711"]),
            "198.51.100.7"
        );
        assert_eq!(client(&["fd00::/8"], "fd00::1", &["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(client(&["127.0.0.1"], "::ffff:127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
    }

    /// FR-02: nothing that a peer writes into the line hides what a proxy adds to it.
    #[test]
    fn foreign_entries_hide_nothing() {
        for foreign in
            ["\u{fc}", "Gr\u{fc}\u{df}e", "?", "", ",,", " ", "\"", "for=192.0.2.1", "192.0.2.1:99999"]
        {
            for line in [
                format!("{foreign}, 198.51.100.7"),
                format!("{foreign},198.51.100.7,"),
                "198.51.100.7 , ,".to_owned(),
            ] {
                assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &[&line]), "198.51.100.7", "{line}");
            }
            assert_eq!(
                client(&["10.0.0.0/8"], "10.1.2.3", &[foreign, "198.51.100.7"]),
                "198.51.100.7",
                "{foreign}"
            );
        }
    }

    #[test]
    fn garbage_ends_the_walk() {
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["198.51.100.7, unknown"]), "10.1.2.3");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &[]), "10.1.2.3");
        assert_eq!(client(&["0.0.0.0/0"], "10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert!(TrustedProxies::parse(["10.0.0.0/x"]).is_err());
    }
}
