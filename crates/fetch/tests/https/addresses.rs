//! Who is dialled. FETCH-03: what is not on the internet is not, whatever names it has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use chancery_core::fetch::Fetch as _;
use chancery_fetch::{AllowedHost, HttpsFetch, Limits, NotFetched, Options};
use chancery_testkit::SeededRandom;

use crate::internet::{Does, Internet, JSON, cause, fetch, json, ok};

/// A name that has another address at each look-up: it is looked up once, and this address is dialled.
#[tokio::test(start_paused = true)]
async fn an_address_that_changes_between_look_up_and_dial_is_not_dialled() {
    let internet = Internet::new();
    internet.name("client.example", &[&["8.8.8.8"], &["127.0.0.1"]]);
    internet.server("8.8.8.8:443", &["client.example"], Does::Sends(ok(JSON, "{}")));
    internet.server("127.0.0.1:443", &["client.example"], Does::Sends(ok(JSON, "{}")));
    let client = internet.client();
    assert!(fetch(&client, &json("https://client.example/")).await.to.is_ok());
    assert_eq!(internet.looked_up().len(), 1);
    assert_eq!(internet.dialled(), ["8.8.8.8:443"]);

    let came = fetch(&client, &json("https://client.example/")).await;
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    assert!(matches!(cause(&came.to), NotFetched::Forbidden(found) if *found == here));
    assert!(internet.dialled().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_name_with_one_forbidden_address_has_none() {
    for found in [["8.8.8.8", "127.0.0.1"], ["::1", "8.8.8.8"], ["8.8.8.8", "::ffff:8.8.8.8"]] {
        let internet = Internet::with(Does::Sends(ok(JSON, "{}")));
        internet.name("client.example", &[&found]);
        let came = fetch(&internet.client(), &json("https://client.example/")).await;
        assert!(matches!(cause(&came.to), NotFetched::Forbidden(_)), "{found:?}");
        assert!(internet.dialled().is_empty(), "{found:?}");
    }
}

/// What the operator has named is for the clients that he has registered: a stranger reaches neither its internal
/// addresses nor its port, unless the options say so, and hears nothing of what others have fetched.
#[tokio::test(start_paused = true)]
async fn strangers_do_not_reach_a_named_host() {
    for (url, server) in [
        ("https://internal.example/", "10.1.2.3:443"),
        ("https://internal.example:8443/", "10.1.2.3:8443"),
        ("https://10.1.2.3/", "10.1.2.3:443"),
    ] {
        let internet = Internet::new();
        internet.name("internal.example", &[&["10.1.2.3"]]);
        internet.server(server, &["internal.example", "10.1.2.3"], Does::Sends(ok(JSON, "{}")));
        let allowed = ["internal.example", "internal.example:8443", "10.1.2.3"];
        for (are_allowed_for_strangers, is_of_stranger, is_dialled) in
            [(false, false, true), (false, true, false), (true, true, true), (true, false, true)]
        {
            let options =
                Options { are_allowed_for_strangers, ..internet.options(Limits::default(), &allowed) };
            let client = HttpsFetch::new(options).unwrap();
            let _ = internet.dialled();
            let of = |is_of_stranger: bool| json(url).of_stranger(is_of_stranger);
            let (own, came) = tokio::join!(
                async { if is_dialled { None } else { Some(client.fetch(&of(false)).await) } },
                async { client.fetch(&of(is_of_stranger)).await }
            );
            assert_eq!(came.is_ok(), is_dialled, "{url} {came:?}");
            assert!(own.is_none_or(|own| own.is_ok()), "beside it, the operator's client has it");
            assert_eq!(internet.dialled().len(), 1, "{url}");
        }
    }
}

/// A host that the operator has named may be in the internal network, on its port, and nowhere else.
#[tokio::test(start_paused = true)]
async fn a_named_host_may_be_internal() {
    let allowed = ["internal.example", "other.example:8443", "10.0.0.1", "[fd12::1]:8443"];
    for (url, found, is_dialled) in [
        ("https://internal.example/", "10.1.2.3", true),
        ("https://INTERNAL.example/", "127.0.0.1", true),
        ("https://internal.example/", "::1", true),
        ("https://internal.example/", "fd12::1", true),
        ("https://internal.example/", "100.64.0.1", true),
        ("https://internal.example/", "64:ff9b::8.8.8.8", true),
        ("https://internal.example/", "::ffff:10.1.2.3", true),
        ("https://internal.example/", "8.8.8.8", true),
        ("https://other.example:8443/", "192.168.0.1", true),
        ("https://10.0.0.1/", "", true),
        ("https://[fd12::1]:8443/", "", true),
        ("https://[fd12:0::0:1]:8443/", "", true),
        // Another port, another host.
        ("https://internal.example:8443/", "10.1.2.3", false),
        ("https://other.example/", "192.168.0.1", false),
        ("https://other.example:8444/", "192.168.0.1", false),
        ("https://10.0.0.2/", "", false),
        ("https://[fd12::1]/", "", false),
        ("https://www.internal.example/", "10.1.2.3", false),
        ("https://other.example.:8443/", "10.1.2.3", false),
        // Nobody has a reason to be there.
        ("https://internal.example/", "169.254.169.254", false),
        ("https://internal.example/", "::ffff:169.254.169.254", false),
        ("https://internal.example/", "64:ff9b::169.254.169.254", false),
        ("https://internal.example/", "fd00:ec2::254", false),
        ("https://internal.example/", "100.100.100.200", false),
        ("https://internal.example/", "0.0.0.0", false),
        ("https://internal.example/", "fe80::1", false),
        ("https://internal.example/", "224.0.0.1", false),
    ] {
        let internet = Internet::new();
        let host = url.strip_prefix("https://").unwrap().split(['/', ':']).next().unwrap();
        internet.name(&host.to_ascii_lowercase(), &[&[found][..usize::from(!found.is_empty())]]);
        let client = internet.client_with(Default::default(), &allowed);
        let came = fetch(&client, &json(url)).await;
        assert_eq!(internet.dialled().len(), usize::from(is_dialled), "{url} at {found}");
        assert_eq!(matches!(cause(&came.to), NotFetched::Unreachable(_)), is_dialled, "{url} at {found}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_address_is_tried_when_one_is_dead() {
    let internet = Internet::new();
    internet.name("client.example", &[&["2a00::1", "1.1.1.1", "8.8.8.8"]]);
    internet.server("8.8.8.8:443", &["client.example"], Does::Sends(ok(JSON, "{}")));
    let came = fetch(&internet.client(), &json("https://client.example/")).await;
    assert!(came.to.is_ok());
    // The first is refused at once, the second does not answer in its half of the time.
    assert_eq!(internet.dialled(), ["[2a00::1]:443", "1.1.1.1:443", "8.8.8.8:443"]);
    assert_eq!(came.after, Duration::from_millis(2500));
    // Of many addresses only four are tried.
    internet.name("many.example", &[&["8.0.0.1", "8.0.0.2", "8.0.0.3", "8.0.0.4", "8.0.0.5"]]);
    let came = fetch(&internet.client(), &json("https://many.example/")).await;
    assert!(matches!(cause(&came.to), NotFetched::Unreachable(_)));
    assert_eq!(internet.dialled().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn some_urls_are_not_asked_at_all() {
    let long = format!("https://client.example/{}", "a".repeat(2048));
    let label = format!("https://{}.example/", "a".repeat(64));
    for url in [
        "",
        "client.example",
        "//client.example/",
        "/jwks",
        "https:",
        "https:/client.example/",
        "https:client.example",
        "https://",
        "https:///jwks",
        "https://:443/",
        "http://client.example/",
        "http://client.example:443/",
        "ftp://client.example/",
        "file:///etc/passwd",
        "gopher://client.example/",
        "data:application/json,{}",
        "javascript:alert(1)",
        "httpss://client.example/",
        " https://client.example/",
        "https://client.example/ ",
        "https://client.example/a b",
        "https://client.example/\r\nx: y",
        "https://client.example/\t",
        "https://client.example/\0",
        "https://client.example/ä",
        "https://client.example/%",
        "https://client.example/%zz",
        "https://client.example/\\",
        "https://client.example\\@other.example/",
        "https://client.example/#",
        "https://client.example/#x",
        "https://user@client.example/",
        "https://user:password@client.example/",
        "https://@client.example/",
        "https://:@client.example/",
        "https://client.example@127.0.0.1/",
        "https://client.example:80/",
        "https://client.example:8443/",
        "https://client.example:0/",
        "https://client.example:65536/",
        "https://client.example:+443/",
        "https://client.example:443:443/",
        "https://client.example:x/",
        "https://client.example./",
        "https://.client.example/",
        "https://client..example/",
        "https://-client.example/",
        "https://client-.example/",
        "https://client%2eexample/",
        "https://client.example%00.other.example/",
        "https://cliënt.example/",
        "https://*.example/",
        "https://client,example/",
        "https://1/",
        "https://2130706433/",
        "https://017700000001/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://127.0.0.0x1/",
        "https://127.0.0.1./",
        "https://256.0.0.1/",
        "https://1.2.3.4.5/",
        "https://client.example.1/",
        "https://[127.0.0.1]/",
        "https://[::1%25lo]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://::1/",
        "https://[v1.x]/",
        "https://[]/",
        &long,
        &label,
    ] {
        let internet = Internet::with(Does::Sends(ok(JSON, "{}")));
        let came = fetch(&internet.client(), &json(url)).await;
        assert!(matches!(cause(&came.to), NotFetched::Address(_)), "{url}: {:?}", came.to);
        assert!(internet.looked_up().is_empty() && internet.dialled().is_empty(), "{url}");
    }
    for url in [
        "https://client.example",
        "https://client.example?x",
        "https://client.example:/",
        "https://client.example:443/",
        "https://client.example:0443/",
        "HTTPS://CLIENT.EXAMPLE/",
        "https://client.example//a/../b",
        "https://client.example/?u=https://user@127.0.0.1/",
    ] {
        let internet = Internet::with(Does::Sends(ok(JSON, "{}")));
        assert!(fetch(&internet.client(), &json(url)).await.to.is_ok(), "{url}");
        assert_eq!(internet.looked_up(), ["client.example"], "{url}");
    }
}

#[test]
fn named_hosts_are_hosts() {
    for good in
        ["a", "a.example", "A.example:8443", "10.0.0.1", "10.0.0.1:1", "[::1]", "[::1]:65535", "a_b.example"]
    {
        assert!(good.parse::<AllowedHost>().is_ok(), "{good}");
    }
    for bad in [
        "",
        ":443",
        "a.example:",
        "a.example:0",
        "a.example:65536",
        "a.example:+1",
        "a.example:x",
        "https://a.example",
        "a.example/",
        "a.example/jwks",
        "*.a.example",
        "*",
        "a@b",
        "::1",
        "[::1",
        "[::1]x",
        "10.0.0.0/8",
        "a b",
        "a.example.",
        "10.1",
        "ä.example",
        " a",
        "[::1]:",
        "[a.example]",
    ] {
        assert!(bad.parse::<AllowedHost>().is_err(), "{bad}");
    }
    assert_eq!("A.Example".parse::<AllowedHost>(), "a.example:443".parse());
}

/// Networks that are never dialled unasked, as the registries write them.
const FORBIDDEN: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "4000::/2",
    "8000::/1",
];

fn network(text: &str) -> (IpAddr, u32) {
    let (address, length) = text.split_once('/').unwrap();
    (address.parse().unwrap(), length.parse().unwrap())
}

/// Whether an address is in a network, by dividing both by the size of the network.
fn contains((network, length): (IpAddr, u32), address: IpAddr) -> bool {
    let (network, address, bits) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits().into(), address.to_bits().into(), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let size = 1_u128 << (bits - length);
    network / size == address / size
}

/// 100,000 names with one to three addresses each, many of them at the edges of a forbidden network: whoever is
/// dialled is outside of all of them, and everybody who is outside is dialled.
#[tokio::test(start_paused = true)]
async fn no_forbidden_address_is_ever_dialled() {
    let random = SeededRandom::new(7);
    let networks: Vec<_> = FORBIDDEN.iter().map(|text| network(text)).collect();
    let bits = || u128::from(random.next()) << 64 | u128::from(random.next());
    let any = || -> IpAddr {
        let near = |(network, length): (IpAddr, u32)| -> IpAddr {
            let distance = u128::from(random.next() % 3);
            match network {
                IpAddr::V4(network) => {
                    let size = 1_u64 << (32 - length);
                    let edge = *random.one_of(&[0, size / 2, size]);
                    let number = u64::from(network.to_bits()) + edge + u64::try_from(distance).unwrap();
                    Ipv4Addr::from_bits(u32::try_from(number.saturating_sub(1) & 0xffff_ffff).unwrap()).into()
                }
                IpAddr::V6(network) => {
                    let size = 1_u128 << (128 - length);
                    let edge = *random.one_of(&[0, size / 2, size]);
                    let number = network.to_bits().wrapping_add(edge).wrapping_add(distance).wrapping_sub(1);
                    Ipv6Addr::from_bits(number).into()
                }
            }
        };
        let v4 = u128::from(random.next() & 0xffff_ffff);
        match random.below(8) {
            0 | 1 => Ipv4Addr::from_bits(u32::try_from(v4).unwrap()).into(),
            2 => Ipv6Addr::from_bits(bits()).into(),
            // What was given to somebody, and addresses with an IPv4 address inside.
            3 => Ipv6Addr::from_bits(bits() >> 3 | 1 << 125).into(),
            4 => Ipv6Addr::from_bits(random.one_of(&[0, 0xffff << 32, 0x64_ff9b << 96, 0x2002 << 112]) | v4)
                .into(),
            _ => near(*random.one_of(&networks)),
        }
    };
    let internet = Internet::new();
    let client = internet.client();
    let mut dialled = 0;
    for number in 0..100_000_u32 {
        let found: Vec<IpAddr> = (0..=random.below(3)).map(|_| any()).collect();
        let is_forbidden = |address: &IpAddr| networks.iter().any(|network| contains(*network, *address));
        let url = if number % 2 == 0 {
            let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            internet.name("client.example", &[&texts]);
            // Each has its own URL, so that none is remembered as a failure of another.
            format!("https://client.example/{number}")
        } else {
            match found[0] {
                IpAddr::V4(address) => format!("https://{address}/{number}"),
                IpAddr::V6(address) => format!("https://[{address}]/{number}"),
            }
        };
        let asked = if number % 2 == 0 { &found[..] } else { &found[..1] };
        // Nobody answers, so that every address is tried.
        let came = fetch(&client, &json(&url)).await;
        let expected: Vec<String> = match asked.iter().any(is_forbidden) {
            true => Vec::new(),
            false => {
                asked.iter().map(|address| std::net::SocketAddr::new(*address, 443).to_string()).collect()
            }
        };
        assert_eq!(internet.dialled(), expected, "{url}: {asked:?}");
        dialled += usize::from(!expected.is_empty());
        assert!(came.to.is_err());
    }
    assert!((10_000..90_000).contains(&dialled), "{dialled} of 100,000 were dialled");
}
