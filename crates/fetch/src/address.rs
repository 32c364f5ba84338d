//! Which addresses may be dialled: the IANA registries of special-purpose addresses (RFC 6890), and the
//! addresses at which clouds keep their instances' credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who is behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anybody on the internet.
    Public,
    /// This machine or its own network: for hosts that the operator has named.
    Internal,
    /// Nobody whom a provider could have to ask.
    Never,
}

use Reach::{Internal, Never, Public};

/// The first row that contains an address decides; every other address is public.
const IPV4: &[(Ipv4Addr, u32, Reach)] = &[
    (Ipv4Addr::new(100, 100, 100, 200), 32, Never), // metadata: Alibaba Cloud
    (Ipv4Addr::new(168, 63, 129, 16), 32, Never),   // metadata: Azure, at a public address
    (Ipv4Addr::new(10, 0, 0, 0), 8, Internal),      // private use: RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10, Internal),   // carriers' NAT: RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8, Internal),     // loopback
    (Ipv4Addr::new(172, 16, 0, 0), 12, Internal),   // private use
    (Ipv4Addr::new(192, 168, 0, 0), 16, Internal),  // private use
    (Ipv4Addr::new(0, 0, 0, 0), 8, Never),          // this network: 0.0.0.0 reaches this machine
    (Ipv4Addr::new(169, 254, 0, 0), 16, Never),     // link-local, with the metadata of most clouds
    (Ipv4Addr::new(192, 0, 0, 0), 24, Never),       // IETF protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24, Never),       // documentation: RFC 5737
    (Ipv4Addr::new(192, 31, 196, 0), 24, Never),    // AS112: RFC 7535
    (Ipv4Addr::new(192, 52, 193, 0), 24, Never),    // AMT: RFC 7450
    (Ipv4Addr::new(192, 88, 99, 0), 24, Never),     // relays of 6to4: RFC 7526
    (Ipv4Addr::new(192, 175, 48, 0), 24, Never),    // AS112: RFC 7534
    (Ipv4Addr::new(198, 18, 0, 0), 15, Never),      // benchmarking: RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24, Never),    // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24, Never),     // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4, Never),        // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4, Never),        // reserved, and broadcast
];

/// As [`IPV4`], but only 2000::/3 was ever given to anybody (RFC 4291 section 2.4), so it alone is public.
const IPV6: &[(Ipv6Addr, u32, Reach)] = &[
    (Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0), 32, Never), // metadata: AWS
    (Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0), 32, Never), // metadata: Google Cloud
    (Ipv6Addr::LOCALHOST, 128, Internal),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Internal), // unique local: RFC 4193
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Never),   // IETF protocol assignments, Teredo (RFC 4380)
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32, Never), // documentation: RFC 3849
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Never),   // 6to4: RFC 3056
    (Ipv6Addr::new(0x2620, 0x004f, 0x8000, 0, 0, 0, 0, 0), 48, Never), // AS112
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Never),   // documentation: RFC 9637
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Public),
    (Ipv6Addr::UNSPECIFIED, 0, Never), // link-local, site-local, multicast, SRv6, whatever comes
];

/// IPv6 addresses that stand for an IPv4 address, which is in their last 32 bits: mapped ones (RFC 4291 section
/// 2.5.5.2), and those of NAT64's well-known prefix (RFC 6052 section 2.1).
const WITH_IPV4: &[Ipv6Addr] =
    &[Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), Ipv6Addr::new(0x0064, 0xff9b, 0, 0, 0, 0, 0, 0)];

impl Reach {
    /// Who is behind this address.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let is_in = |network: Ipv4Addr, length: u32| {
            let differing = (address.to_bits() ^ network.to_bits()).leading_zeros();
            differing >= length
        };
        let row = IPV4.iter().find(|(network, length, _)| is_in(*network, *length));
        row.map_or(Public, |(_, _, reach)| *reach)
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let is_in = |network: Ipv6Addr, length: u32| {
            let differing = (address.to_bits() ^ network.to_bits()).leading_zeros();
            differing >= length
        };
        if WITH_IPV4.iter().any(|prefix| is_in(*prefix, 96)) {
            // No name of the public internet has such an address. The translator of a network that has only IPv6
            // makes them, but it is ours, and it would reach our own IPv4 addresses as well.
            let [.., a, b, c, d] = address.octets();
            return match Self::of_v4(Ipv4Addr::new(a, b, c, d)) {
                Never => Never,
                Internal | Public => Internal,
            };
        }
        let row = IPV6.iter().find(|(network, length, _)| is_in(*network, *length));
        row.map_or(Never, |(_, _, reach)| *reach)
    }

    /// Whether an address may be dialled for a host, which the operator has named or not.
    pub(crate) fn is_allowed(self, is_named: bool) -> bool {
        match self {
            Public => true,
            Internal => is_named,
            Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FETCH-03: each network with its first and last address, and those beside it.
    #[test]
    fn each_special_network_is_known() {
        for (reach, addresses) in [
            (
                Public,
                "1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
                 168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 \
                 191.255.255.255 192.0.1.0 192.0.1.255 192.0.3.0 192.31.195.255 192.31.197.0 192.52.192.255 \
                 192.52.194.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 192.175.47.255 \
                 192.175.49.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 \
                 223.255.255.255 2000:: 2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:200:: \
                 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9:: 2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2003:: \
                 2606:4700:4700::1111 2620:4f:7fff:ffff:ffff:ffff:ffff:ffff 2620:4f:8001:: \
                 3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:1000:: 3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ),
            (
                Internal,
                "10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.199 100.100.100.201 100.127.255.255 127.0.0.0 \
                 127.0.0.1 127.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 ::1 fc00:: \
                 fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fd00:: fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff \
                 fd00:ec3:: fd20:cd:ffff:ffff:ffff:ffff:ffff:ffff fd20:cf:: \
                 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
                 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::10.0.0.1 64:ff9b::127.0.0.1 \
                 64:ff9b::8.8.8.8",
            ),
            (
                Never,
                "0.0.0.0 0.0.0.1 0.255.255.255 100.100.100.200 168.63.129.16 169.254.0.0 169.254.169.254 \
                 169.254.170.2 169.254.255.255 192.0.0.0 192.0.0.192 192.0.0.255 192.0.2.0 192.0.2.255 \
                 192.31.196.0 192.31.196.255 192.52.193.0 192.52.193.255 192.88.99.0 192.88.99.255 192.175.48.0 \
                 192.175.48.255 198.18.0.0 198.19.255.255 198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 \
                 224.0.0.0 224.0.0.251 239.255.255.255 240.0.0.0 255.255.255.254 255.255.255.255 \
                 :: ::2 ::8.8.8.8 ::127.0.0.1 ::fffe:ffff:ffff ::1:0:0:0 ::ffff:0:8.8.8.8 ::ffff:0.0.0.0 \
                 ::ffff:169.254.169.254 ::ffff:255.255.255.255 64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff \
                 64:ff9b::0.0.0.0 64:ff9b::169.254.169.254 64:ff9b::1:0:0 64:ff9b:1:: 64:ff9b:1::10.0.0.1 \
                 64:ff9b:1:ffff:ffff:ffff:ffff:ffff 100:: 100:0:0:1:: 1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
                 2001:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2:: 2001:10:: 2001:20:: 2001:30:: \
                 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff \
                 2002:: 2002:a00:1:: 2002:808:808:: 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2620:4f:8000:: \
                 2620:4f:8000:ffff:ffff:ffff:ffff:ffff 3fff:: 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff 4000:: \
                 5f00:: fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fd00:ec2:: fd00:ec2::254 \
                 fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff fd20:ce:: fd20:ce::254 fe00:: fe80:: fe80::1 \
                 febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff fec0:: feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ff00:: \
                 ff02::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ),
        ] {
            for text in addresses.split_whitespace() {
                assert_eq!(Reach::of(text.parse().unwrap()), reach, "{text}");
            }
        }
    }
}
