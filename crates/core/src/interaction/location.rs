//! Where the pages are that stand on another origin: `interaction.location`.

use crate::error::Complaint;
use chancery_types::{Issuer, RedirectKind, RedirectUri};

/// The URL of pages on another origin, which ask for what they show and send what the person enters as JSON.
///
/// ```
/// # mod chancery { pub mod interaction { pub use chancery_core::interaction::Location; } }
/// use chancery::interaction::Location;
///
/// let pages: Location = "https://login.example.org/sign-in".to_owned().try_into()?;
/// assert_eq!(pages.origin(), "https://login.example.org");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    url: RedirectUri,
    origin: Box<str>,
}

impl TryFrom<String> for Location {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = RedirectUri::parse(&text).ok();
        let url = url.filter(|url| matches!(url.kind(), RedirectKind::Https | RedirectKind::HttpLoopback));
        let found = url.and_then(|url| Some((url.origin()?.into(), url)));
        let Some((origin, url)) = found else {
            return Err(
                "must be the https URL of a page, without a fragment (http only on loopback)".to_owned()
            );
        };
        Ok(Self { url, origin })
    }
}

impl Location {
    /// The URL, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Its origin, as browsers write it in `Origin`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What is wrong with it for this issuer: browsers send no `SameSite=Lax` cookies with what a page of
    /// another site asks for (RFC 6265bis section 5.2). Which suffixes are public is not known here, so that
    /// two hosts below `co.uk` pass.
    #[must_use]
    pub fn complaint(&self, issuer: &Issuer) -> Option<Complaint> {
        let (scheme, authority) = issuer.origin().split_once("://").unwrap_or_default();
        let port = |authority: &str| authority.rfind(':').filter(|at| !authority.ends_with(']') && *at > 0);
        let host = port(authority).and_then(|at| authority.get(..at)).unwrap_or(authority);
        let is_same = self.url.scheme() == scheme && is_one_site(host, &self.url.host().to_ascii_lowercase());
        (!is_same).then(|| {
            let rule = "must be on the same site as the issuer: the same scheme, and hosts of one domain. Browsers \
                        send no cookies otherwise";
            Complaint::new("interaction.location", rule, "RFC 6265bis section 5.2")
        })
    }
}

/// A setting that is empty without pages.
pub(crate) mod optional {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use super::Location;

    pub(crate) fn serialize<S: Serializer>(location: &Option<Location>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(location.as_ref().map_or("", Location::as_str))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Location>, D::Error> {
        let text = String::deserialize(from)?;
        let location = (!text.is_empty()).then(|| Location::try_from(text)).transpose();
        location.map_err(|why| de::Error::custom(format!("interaction.location: {why}")))
    }
}

/// Whether two hosts are of one domain, as far as their names show: they share their last two labels.
fn is_one_site(one: &str, other: &str) -> bool {
    let is_address = |host: &str| {
        host.starts_with('[')
            || host.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
    };
    let domain = |host: &str| host.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    one == other || (!is_address(one) && domain(one) == domain(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_on_the_site_of_the_issuer() {
        for (issuer, location, is_good) in [
            ("https://id.example.org", "https://login.example.org/", true),
            ("https://id.example.org", "https://id.example.org:8443", true),
            ("https://example.org/oidc", "https://login.example.org/?theme=dark", true),
            ("https://id.example.org:8443", "https://LOGIN.EXAMPLE.org", true),
            ("http://localhost:3000", "http://localhost:5173/", true),
            ("http://127.0.0.1:3000", "http://127.0.0.1:5173/", true),
            ("http://[::1]:3000", "http://[::1]:5173/", true),
            ("http://[::1]", "http://[::1]:5173/", true),
            ("http://localhost:3000", "http://127.0.0.1:5173/", false),
            ("https://id.example.org", "http://localhost:5173/", false),
            ("https://localhost:3000", "http://localhost:5173/", false),
            ("https://intranet", "https://other/", false),
            ("https://intranet", "https://login.intranet/", false),
            ("https://id.example.org", "https://login.example.com/", false),
            ("https://id.example", "https://login.example/", false),
            ("https://192.0.2.1", "https://198.51.2.1/", false),
            ("https://id.example.org", "https://example.org.evil.example/", false),
        ] {
            let location = Location::try_from(location.to_owned()).unwrap();
            let complaint = location.complaint(&Issuer::parse(issuer).unwrap());
            assert_eq!(complaint.is_none(), is_good, "{issuer} {}", location.as_str());
        }
    }

    #[test]
    fn only_a_page_is_a_location() {
        for text in [
            "",
            "/sign-in",
            "login.example.org",
            "http://login.example.org/",
            "https://login.example.org/#/sign-in",
            "https://user@login.example.org/",
            "https:///sign-in",
            "javascript:alert(1)",
            "com.example.app://login.example.org",
            "https://*.example.org:x/",
        ] {
            assert!(Location::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
