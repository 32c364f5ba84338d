//! Addresses and networks as they are written, and what is said of those that are none.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use chancery_http::TrustedProxies;

/// An address with a port.
///
/// # Errors
/// What is wrong with it, and what to write.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        if let Some(rule) = of_other_form(text.trim()) {
            return format!("`{text}` is no address with a port: {rule}");
        }
        let parts = text.rsplit_once(':').filter(|(_, port)| is_number(port));
        let (host, port) = parts.map_or((text, None), |(host, port)| (host, Some(port)));
        let mut rules = Vec::new();
        let is_port = |port: &&str| port.parse::<u16>().is_ok();
        let shown = port.filter(is_port).unwrap_or("8080");
        if host == "localhost" {
            rules.push(format!("names are not looked up: write 127.0.0.1:{shown} or [::1]:{shown}"));
        } else if is_name(host) {
            rules.push(format!(
                "names are not looked up: write the address of this machine, 127.0.0.1:{shown} or [::1]:{shown} for itself alone, or \
                 0.0.0.0:{shown} for all of its addresses"
            ));
        }
        if port.is_some_and(|port| !is_port(&port)) && (!rules.is_empty() || is_host(host)) {
            rules.push("ports end at 65535".to_owned());
        }
        match rules.is_empty() {
            true => {
                format!("`{text}` is not an address with a port, such as 127.0.0.1:8080 or [::1]:8080")
            }
            false => format!("`{text}` is no address with a port: {}", rules.join("; ")),
        }
    })
}

/// What to write instead of the address that other servers would take: every address by a star or by nothing, a URL, a port
/// alone, a socket of Unix.
fn of_other_form(text: &str) -> Option<String> {
    let everywhere = |port: &str| {
        format!(
            "write 0.0.0.0:{port} or [::]:{port} for all addresses of this machine, or 127.0.0.1:{port} for itself alone"
        )
    };
    if text.starts_with("unix:") || text.starts_with('/') {
        return Some(
            "there are no sockets of Unix: write an address such as 127.0.0.1:8080, to which a proxy connects"
                .to_owned(),
        );
    }
    if text.contains(',') {
        return Some(
            "each stands in quotes of its own, as in [\"127.0.0.1:8080\", \"[::1]:8080\"]".to_owned(),
        );
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let authority = rest.split('/').next().unwrap_or_default();
        let meant = match address(authority) {
            Ok(address) => address.to_string(),
            Err(_) => {
                let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
                format!("127.0.0.1:{}", port.unwrap_or(8080))
            }
        };
        let tls = if scheme == "https" { ", in tls.listen if this server is to end TLS" } else { "" };
        return Some(format!("it has no scheme and no path: write {meant}{tls}"));
    }
    if let Some(address) =
        text.split('/').next().filter(|address| *address != text && address.parse::<SocketAddr>().is_ok())
    {
        return Some(format!("it has no path: write {address}"));
    }
    let unbracketed = text.rsplit_once(':').and_then(|(host, port)| {
        let (ip, port) = (host.parse::<Ipv6Addr>().ok()?, port.parse().ok()?);
        Some(SocketAddr::new(ip.into(), port))
    });
    if let Some(meant) = unbracketed {
        return Some(format!("an IPv6 address stands in brackets: write {meant}"));
    }
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Some(format!("its port is missing: write {}", SocketAddr::new(ip, 8080)));
    }
    if is_number(text) {
        return Some(match text.parse::<u16>() {
            Ok(port) => everywhere(&port.to_string()),
            Err(_) => "ports end at 65535".to_owned(),
        });
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "8080"));
    let is_everywhere = matches!(host, "*" | "[*]" | "");
    if is_everywhere && port.parse::<u16>().is_ok() {
        return Some(everywhere(port));
    }
    let parts: Vec<&str> = text.split_whitespace().collect();
    match parts.as_slice() {
        [host, port] if is_number(port) => {
            let joined = format!("{}:{port}", host.trim_end_matches(':'));
            joined.parse::<SocketAddr>().ok().map(|address| format!("write {address}"))
        }
        _ => None,
    }
}

/// All of these networks, and what is wrong with each that is none.
pub(super) fn networks(texts: &[String]) -> (TrustedProxies, Vec<String>) {
    let mut all = TrustedProxies::default();
    let mut wrong = Vec::new();
    for text in texts {
        match TrustedProxies::parse([text.as_str()]) {
            Ok(network) => all = all.and(&network),
            Err(error) => wrong.push(format!("{error}{}", remedy(text))),
        }
    }
    (all, wrong)
}

/// What to do about a network that is none.
fn remedy(text: &str) -> String {
    let (host, prefix) = text.split_once('/').map_or((text, None), |(host, prefix)| (host, Some(prefix)));
    match host.parse::<IpAddr>() {
        Ok(address) if prefix.is_some_and(is_number) => {
            format!(": the number behind the slash ends at {}", if address.is_ipv4() { 32 } else { 128 })
        }
        Ok(_) => ": behind the slash is a number".to_owned(),
        Err(_) if matches!(text, "*" | "all" | "any") => {
            ": everybody could then say who they are: give the addresses of your proxies".to_owned()
        }
        Err(_) if text.contains([' ', ',']) => {
            ": several stand by themselves, as in [\"10.0.0.1\", \"10.0.0.2\"]".to_owned()
        }
        Err(_) if text.split('-').all(|end| end.parse::<IpAddr>().is_ok()) => {
            ": a range is written as networks, such as 10.0.0.0/29, or address by address".to_owned()
        }
        Err(_) if text.parse::<SocketAddr>().is_ok() => ": leave the port out".to_owned(),
        Err(_) if is_name(host) => ": names are not looked up: give its address".to_owned(),
        Err(_) => String::new(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it is the host of an address with a port.
fn is_host(text: &str) -> bool {
    format!("{text}:0").parse::<SocketAddr>().is_ok()
}

/// Whether it looks like the name of a machine.
fn is_name(text: &str) -> bool {
    let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    has_letter && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_explained() {
        for (text, expected) in [
            (
                "localhost:8085",
                "`localhost:8085` is no address with a port: names are not looked up: write 127.0.0.1:8085 or [::1]:8085",
            ),
            (
                "localhost:80850",
                "`localhost:80850` is no address with a port: names are not looked up: write 127.0.0.1:8080 or [::1]:8080; \
                 ports end at 65535",
            ),
            ("127.0.0.1:80850", "`127.0.0.1:80850` is no address with a port: ports end at 65535"),
            ("[::1]:80850", "`[::1]:80850` is no address with a port: ports end at 65535"),
            ("127.0.0.1", "`127.0.0.1` is no address with a port: its port is missing: write 127.0.0.1:8080"),
            ("[::]", "`[::]` is no address with a port: its port is missing: write [::]:8080"),
            ("127.0.0.1 81", "`127.0.0.1 81` is no address with a port: write 127.0.0.1:81"),
            (
                "::1:81",
                "`::1:81` is no address with a port: an IPv6 address stands in brackets: write [::1]:81",
            ),
            ("80800", "`80800` is no address with a port: ports end at 65535"),
            (
                "http://127.0.0.1:81/",
                "`http://127.0.0.1:81/` is no address with a port: it has no scheme and no path: write 127.0.0.1:81",
            ),
            (
                "127.0.0.1:81/a",
                "`127.0.0.1:81/a` is no address with a port: it has no path: write 127.0.0.1:81",
            ),
            (
                "1::1::8080",
                "`1::1::8080` is not an address with a port, such as 127.0.0.1:8080 or [::1]:8080",
            ),
        ] {
            assert_eq!(address(text).unwrap_err(), expected, "{text}");
        }
        for everywhere in ["*:81", ":81", "81", "[*]:81"] {
            let told = address(everywhere).unwrap_err();
            assert!(told.contains("write 0.0.0.0:81 or [::]:81 for all"), "{told}");
        }
        for socket in ["unix:/run/chancery.sock", "/run/chancery.sock"] {
            assert!(address(socket).unwrap_err().contains("no sockets of Unix"), "{socket}");
        }
        let other = address("https://id.example.org:8443").unwrap_err();
        assert!(other.contains("in tls.listen"), "{other}");
        let other = address("id.example.org").unwrap_err();
        assert!(other.contains("names are not looked up") && other.contains("0.0.0.0:8080"), "{other}");
    }

    #[test]
    fn each_network_that_is_none_is_explained() {
        let texts = [
            "10.0.0.0/33",
            "10.0.0.1",
            "proxy.local",
            "::1/x",
            "127.0.0.1:80",
            "*",
            "10.0.0.1-10.0.0.9",
            "?",
        ]
        .map(str::to_owned);
        let (good, wrong) = networks(&texts);
        assert_eq!(good, TrustedProxies::parse(["10.0.0.1"]).unwrap());
        let no_network = |text: &str| format!("`{text}` is not a network such as 10.0.0.0/8");
        assert_eq!(
            wrong,
            [
                no_network("10.0.0.0/33") + ": the number behind the slash ends at 32",
                no_network("proxy.local") + ": names are not looked up: give its address",
                no_network("::1/x") + ": behind the slash is a number",
                no_network("127.0.0.1:80") + ": leave the port out",
                no_network("*")
                    + ": everybody could then say who they are: give the addresses of your proxies",
                no_network("10.0.0.1-10.0.0.9")
                    + ": a range is written as networks, such as 10.0.0.0/29, or address by address",
                no_network("?"),
            ]
        );
    }
}
