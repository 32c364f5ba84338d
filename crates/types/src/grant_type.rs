//! RFC 6749 section 4 and RFC 7591 section 2: the grant types, with those of an application's own.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::Malformed;

/// What anything else is told.
const NO_NAME: Malformed = Malformed::new(
    "the name of a grant type",
    "it is an absolute URI such as urn:example:badge, or letters, digits, `-`, `.` and `_`, and not one that is taken",
);

/// What the token endpoint exchanges for tokens.
///
/// ```
/// # mod chancery { pub mod client { pub use chancery_types::iana::GrantType; } }
/// use chancery::client::GrantType;
///
/// assert_eq!(GrantType::parse("refresh_token"), Some(GrantType::RefreshToken));
/// assert!(matches!(GrantType::parse("urn:example:badge"), Some(GrantType::Extension(_))));
/// assert_eq!(GrantType::parse("two words"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub enum GrantType {
    /// RFC 6749 section 4.1.
    AuthorizationCode,
    /// RFC 6749 section 4.2: clients that get tokens from the authorization endpoint are registered for it.
    Implicit,
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 6749 section 6.
    RefreshToken,
    /// RFC 8628 section 3.4.
    DeviceCode,
    /// CIBA Core section 10.1.
    Ciba,
    /// RFC 6749 section 4.5: one of the application's own.
    Extension(ExtensionGrantName),
}

impl GrantType {
    /// Every value that this build knows by itself.
    pub const ALL: &'static [Self] = &[
        Self::AuthorizationCode,
        Self::Implicit,
        Self::ClientCredentials,
        Self::RefreshToken,
        Self::DeviceCode,
        Self::Ciba,
    ];

    /// The value as it is written on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::Implicit => "implicit",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::Ciba => "urn:openid:params:grant-type:ciba",
            Self::Extension(name) => name.as_str(),
        }
    }

    /// Reads the wire form, byte for byte; `None` for what cannot be a grant type of this build.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let built_in = Self::ALL.iter().find(|built_in| built_in.as_str() == text);
        built_in.cloned().or_else(|| ExtensionGrantName::parse(text).ok().map(Self::Extension))
    }
}

impl fmt::Display for GrantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<Cow<'_, str>> for GrantType {
    type Error = Malformed;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Malformed> {
        Self::parse(&text).ok_or(NO_NAME)
    }
}

impl From<GrantType> for String {
    fn from(grant_type: GrantType) -> Self {
        grant_type.as_str().to_owned()
    }
}

/// The name of an application's own grant type (RFC 6749 section 4.5).
///
/// ```
/// # mod chancery { pub mod grant { pub use chancery_types::iana::ExtensionGrantName; } }
/// use chancery::grant::ExtensionGrantName;
///
/// assert!(ExtensionGrantName::parse("urn:example:badge").is_ok());
/// assert!(ExtensionGrantName::parse("badge").is_ok());
/// for bad in ["authorization_code", "password", "two words", "urn:", "https://a.example/#b", ""] {
///     assert!(ExtensionGrantName::parse(bad).is_err(), "{bad}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionGrantName(Arc<str>);

impl ExtensionGrantName {
    /// The longest name, in bytes.
    const LONGEST: usize = 255;

    /// An absolute URI without fragment, or a name of letters, digits, `-`, `.` and `_` (RFC 6749 appendix
    /// A.10). The built-in names are taken, and so is `password`, which RFC 9700 section 2.4 forbids.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let is_taken = text == "password" || GrantType::ALL.iter().any(|taken| taken.as_str() == text);
        let is_good = text.split_once(':').map_or_else(|| is_name(text), is_uri);
        if is_good && !is_taken && text.len() <= Self::LONGEST { Ok(Self(text.into())) } else { Err(NO_NAME) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.bytes().all(is_plain)
}

/// RFC 3986 sections 3 and 4.3.
fn is_uri((scheme, rest): (&str, &str)) -> bool {
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let is_of_rest = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
    };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(is_of_scheme)
        && !rest.is_empty()
        && rest.bytes().all(is_of_rest)
}
