//! Addresses and networks as they are written, and what is said of those that are none.

use std::net::{IpAddr, SocketAddr};

use chancery_http::TrustedProxies;

/// An address with a port.
///
/// # Errors
/// What is wrong with it, and what to write.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
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
            ("127.0.0.1", "`127.0.0.1` is not an address with a port, such as 127.0.0.1:8080 or [::1]:8080"),
            ("::1:8080", "`::1:8080` is not an address with a port, such as 127.0.0.1:8080 or [::1]:8080"),
        ] {
            assert_eq!(address(text).unwrap_err(), expected, "{text}");
        }
        let other = address("id.example.org").unwrap_err();
        assert!(other.contains("names are not looked up") && other.contains("0.0.0.0:8080"), "{other}");
    }

    #[test]
    fn each_network_that_is_none_is_explained() {
        let texts =
            ["10.0.0.0/33", "10.0.0.1", "proxy.local", "::1/x", "127.0.0.1:80", "?"].map(str::to_owned);
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
                no_network("?"),
            ]
        );
    }
}
