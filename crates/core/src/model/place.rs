//! Where a browser is and what it says it is, in words for its person.

use serde::{Deserialize, Serialize};

/// From where a person has signed in, or was last seen: what their browser says of itself, which nobody has checked,
/// and the network that it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The name of the browser, or of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<Box<str>>,
    /// The system that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<Box<str>>,
    /// An IPv4 address, or the /64 of an IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Box<str>>,
}

/// Which product in a `User-Agent` (RFC 9110 section 10.1.5) is which browser. Nearly every browser names those
/// that it wants to pass for as well, so that the first that matches counts.
const BROWSERS: [(&str, &str); 16] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Epiphany/", "Web"),
    ("Safari/", "Safari"),
];

/// The same for systems.
const SYSTEMS: [(&str, &str); 9] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

/// How much of the header is looked at, in bytes, and the longest name of a program that is shown.
const LONGEST: usize = 512;
const LONGEST_PROGRAM: usize = 32;

impl Place {
    /// What is known of it.
    #[must_use]
    pub fn of(user_agent: Option<&str>, network: Option<Box<str>>) -> Self {
        let said = user_agent.map_or("", |said| said.get(..LONGEST).unwrap_or(said));
        let said = if said.len() > LONGEST { "" } else { said };
        let named = |known: &[(&str, &'static str)]| {
            known.iter().find(|(token, _)| said.contains(token)).map(|(_, name)| Box::from(*name))
        };
        Self { browser: named(&BROWSERS).or_else(|| program(said)), system: named(&SYSTEMS), network }
    }

    /// Whether it is the machine on which the provider runs (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        self.network.as_deref().is_some_and(|network| network == "::/64" || network.starts_with("127."))
    }
}

/// The name of a program that is no browser that we know: its first product, if that is a plain word.
fn program(said: &str) -> Option<Box<str>> {
    let name = said.split(['/', ' ']).next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_name = !name.is_empty() && name.len() <= LONGEST_PROGRAM && name.bytes().all(is_plain);
    (is_name && name != "Mozilla").then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(user_agent: &str) -> String {
        let Place { browser, system, .. } = Place::of(Some(user_agent), None);
        format!("{} on {}", browser.as_deref().unwrap_or("?"), system.as_deref().unwrap_or("?"))
    }

    #[test]
    fn what_browsers_say_of_themselves() {
        for (user_agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPad",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
                "Chrome on ChromeOS",
            ),
            ("curl/8.14.1", "curl on ?"),
            ("OurApp/3 (Android 15)", "OurApp on Android"),
        ] {
            assert_eq!(told(user_agent), name, "{user_agent}");
        }
    }

    #[test]
    fn the_machine_itself() {
        for (address, is_it) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("203.0.113.127", false),
            ("12.7.0.1", false),
            ("::1:0:0:0:1", false),
            ("2001:db8::1", false),
        ] {
            let network = chancery_types::Network::of(address.parse().unwrap()).to_string();
            assert_eq!(Place::of(None, Some(network.into())).is_this_machine(), is_it, "{address}");
        }
        assert!(!Place::default().is_this_machine());
    }

    /// What says nothing, or too much, is nothing: nobody can write into another person's page, or make it long.
    #[test]
    fn what_strangers_send() {
        let long = format!("{}/1", "a".repeat(33));
        let huge = "Firefox/1 ".repeat(10_000);
        for (user_agent, name) in [
            ("", "? on ?"),
            ("Mozilla/5.0", "? on ?"),
            ("<script>alert(1)</script>", "? on ?"),
            ("Bank\u{202e}/1", "? on ?"),
            ("\u{e4}\u{f6}/1", "? on ?"),
            ("/1", "? on ?"),
            (" Firefox", "? on ?"),
            ("firefox", "firefox on ?"),
            (long.as_str(), "? on ?"),
            (huge.as_str(), "Firefox on ?"),
        ] {
            assert_eq!(told(user_agent), name, "{}", &user_agent[..user_agent.len().min(40)]);
        }
        // No cut inside of a character.
        let cut = format!("{}\u{20ac}", "a".repeat(LONGEST - 1));
        assert_eq!(told(&cut), "? on ?");
        assert_eq!(Place::of(None, None), Place::default());
    }
}
