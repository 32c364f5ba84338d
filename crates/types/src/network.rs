//! From where a request comes, as it is counted.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What one customer of an internet provider has, as it is counted and told: one IPv4 address, whose
/// neighbours are strangers, or the 64 bits of IPv6 below which one customer has all addresses (RFC 6177
/// section 2).
///
/// ```
/// # mod chancery { pub use chancery_types::Network; }
/// use chancery::Network;
///
/// let network = |text: &str| text.parse().map(Network::of);
/// assert_ne!(network("192.0.2.1")?, network("192.0.2.2")?);
/// assert_eq!(network("2001:db8:1:2::3")?.to_string(), "2001:db8:1:2::/64");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(Prefix);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Prefix {
    V4(Ipv4Addr),
    V6([u16; 4]),
}

impl Network {
    /// The network of an address. IPv4-mapped IPv6 addresses count as IPv4.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => Prefix::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Prefix::V6([a, b, c, d])
            }
        })
    }
}

impl fmt::Display for Network {
    /// An IPv4 address, or an IPv6 prefix (RFC 4291 section 2.3) in the form of RFC 5952.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Prefix::V4(address) => address.fmt(f),
            Prefix::V6([a, b, c, d]) => write!(f, "{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_strangers_and_a_customer_has_64_bits() {
        for (address, network) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.254", "192.0.2.254"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("2001:db8::1", "2001:db8::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(Network::of(address.parse().unwrap()).to_string(), network, "{address}");
        }
    }
}
