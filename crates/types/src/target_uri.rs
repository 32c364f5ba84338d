//! The target URI of a request, for comparison with what a client says it is.

use fluent_uri::Uri;

use crate::Malformed;
use crate::redirect::normalised;

/// What anything else is told.
const NO_URI: Malformed = Malformed::new("a URI", "it is absolute");

/// A target URI (RFC 9110 section 7.1) without its query and fragment, in the spelling that all equivalent ones have in
/// common (RFC 3986 sections 6.2.2 and 6.2.3). So two of them are equal if they are the same to RFC 9449 section 4.3.
///
/// ```
/// # use chancery_types::TargetUri;
/// let sent = TargetUri::parse("HTTPS://ID.example:443/%74oken?x=1#y")?;
/// assert_eq!(sent, TargetUri::parse("https://id.example/token")?);
/// # Ok::<(), chancery_types::Malformed>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUri(String);

impl TargetUri {
    /// Reads an absolute URI.
    ///
    /// # Errors
    /// [`Malformed`] if it is none.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let bare = text.split(['?', '#']).next().unwrap_or_default();
        Ok(Self(normalised(&Uri::parse(bare).map_err(|_| NO_URI)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DPOP-04: what is the same is told from what is another place.
    #[test]
    fn equivalent_spellings_are_equal() {
        let target = TargetUri::parse("https://id.example/oidc/token").unwrap();
        for same in [
            "https://id.example/oidc/token",
            "HTTPS://ID.Example/oidc/token",
            "https://id.example:443/oidc/token",
            "https://id.example:/oidc/token",
            "https://id.example/oidc/token?",
            "https://id.example/oidc/token?a=b&c",
            "https://id.example/oidc/token#f",
            "https://id.example/oidc/token?a#f?",
            "https://id.example/oidc/tok%65n",
            "https://id.example/oidc/%74oken",
            "https://id.example/x/../oidc/./token",
        ] {
            assert_eq!(TargetUri::parse(same).unwrap(), target, "{same}");
        }
        for other in [
            "http://id.example/oidc/token",
            "https://id.example:8443/oidc/token",
            "https://id.example.evil.example/oidc/token",
            "https://id.example./oidc/token",
            "https://user@id.example/oidc/token",
            "https://id.example/oidc/token/",
            "https://id.example/oidc//token",
            "https://id.example/OIDC/token",
            "https://id.example/oidc%2Ftoken",
            "https://id.example/oidc/token%3Fa",
            "https://id.example/oidc/token;a",
            "https://id.example/oidc",
            "https:/oidc/token",
            "urn:x:oidc:token",
        ] {
            assert_ne!(TargetUri::parse(other).unwrap(), target, "{other}");
        }
        assert_eq!(TargetUri::parse("https://id.example"), TargetUri::parse("https://id.example/"));
        for malformed in
            ["", "/oidc/token", "//id.example/oidc/token", "https://id.example/a b", "https://id.exämple/"]
        {
            assert_eq!(TargetUri::parse(malformed), Err(NO_URI), "{malformed}");
        }
    }
}
