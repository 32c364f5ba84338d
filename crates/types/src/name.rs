//! The names in the protocol, each checked once, when it enters.

use std::fmt;
use std::sync::Arc;

use fluent_uri::Uri;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that does not have the form its standard demands. It says what was expected, and carries nothing of what was
/// sent, but for an issuer or the name of a realm, which only a program or an operator chooses.
///
/// ```
/// # mod chancery { pub use chancery_types::Issuer; }
/// use chancery::Issuer;
/// let wrong = Issuer::parse("https://id.example.org/").unwrap_err();
/// assert_eq!(wrong.to_string(), r#""https://id.example.org/" is not an issuer: it must not end with a slash"#);
/// // Each of these names can also be made by `"…".parse()` or `try_into()`.
/// assert_eq!("https://id.example.org/".parse::<Issuer>(), Err(wrong.clone()));
/// assert_eq!(Issuer::try_from("https://id.example.org/"), Err(wrong));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Malformed {
    expected: &'static str,
    rule: &'static str,
    /// What was given, where it is nobody's secret.
    value: Option<Box<str>>,
}

impl Malformed {
    /// What was expected, with its article, and the rule that was broken, as a clause.
    #[must_use]
    pub const fn new(expected: &'static str, rule: &'static str) -> Self {
        Self { expected, rule, value: None }
    }

    /// The same of this value, which it shows.
    fn of(self, value: &str) -> Self {
        Self { value: Some(value.into()), ..self }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{value:?} is not {}: {}", self.expected, self.rule),
            None => write!(f, "this is not {}: {}", self.expected, self.rule),
        }
    }
}

impl std::error::Error for Malformed {}

crate::debug_as_display!(Malformed);

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $is_good:path, $wrong:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and keeps it.
            ///
            /// # Errors
            /// [`Malformed`] when it is not of the form that the type's description names.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                if $is_good(text) { Ok(Self(text.into())) } else { Err($wrong(text)) }
            }

            /// Exactly as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Malformed;

            fn try_from(text: &str) -> Result<Self, Malformed> {
                Self::parse(text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                crate::text::deserialize(from, concat!("a valid ", stringify!($name)), |text| Self::parse(text).ok())
            }
        }
    };
}

name! {
    /// The namespace of one issuer in a store that serves several. The operator chooses it; it is never
    /// derived from the issuer. It has 1 to 64 lower-case letters, digits, `-` and `_`.
    RealmId, is_realm, no_realm
}
name! {
    /// The issuer identifier (OIDC Discovery section 3, RFC 8414 section 2): `https`, or `http` on a loopback
    /// host; no query, no fragment, no trailing slash. It is compared byte for byte, so its origin must be
    /// spelled as browsers spell it: lower case, no default port (RFC 6454 section 6.2).
    Issuer, is_issuer, no_issuer
}
name! {
    /// The application's identifier of a person: 1 to 255 printable ASCII characters (OIDC Core section 2,
    /// `sub`).
    AccountId, is_short_ascii, no_account
}
name! {
    /// A client identifier (RFC 6749 section 2.2 and appendix A.1): 1 to 255 printable ASCII characters.
    ClientId, is_short_ascii, no_client
}
name! {
    /// A resource server's identifier (RFC 8707 section 2): an absolute URI without a fragment, at most 512
    /// bytes.
    ResourceUri, is_resource, no_resource
}
name! {
    /// One scope token (RFC 6749 section 3.3).
    Scope, is_scope, no_scope
}

impl Scope {
    /// Asks for an ID token (OIDC Core section 3.1.2.1).
    pub const OPENID: &'static str = "openid";
    /// Asks for access while the person is away (OIDC Core section 11).
    pub const OFFLINE_ACCESS: &'static str = "offline_access";
}

impl Issuer {
    /// Scheme, host and port, as an `Origin` header has them (RFC 6454 section 6.2).
    #[must_use]
    pub fn origin(&self) -> &str {
        let start = self.0.find("://").map_or(0, |at| at + 3);
        let end = self.0.get(start..).and_then(|rest| rest.find('/')).map_or(self.0.len(), |at| start + at);
        self.0.get(..end).unwrap_or(&self.0)
    }

    /// The path, without a slash at its end: empty for an issuer at its host's root.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.get(self.origin().len()..).unwrap_or("")
    }

    /// Whether cookies can be `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

fn is_realm(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn is_short_ascii(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

/// RFC 6749 appendix A.4: `scope-token = 1*NQCHAR`.
fn is_scope(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

fn is_resource(text: &str) -> bool {
    text.len() <= 512 && Uri::parse(text).is_ok_and(|uri| uri.fragment().is_none())
}

fn is_issuer(text: &str) -> bool {
    Issuer::faults(text).is_empty()
}

fn no_realm(text: &str) -> Malformed {
    Malformed::new("the name of a realm", "it has 1 to 64 lower-case letters, digits, `-` and `_`").of(text)
}

fn no_account(_: &str) -> Malformed {
    Malformed::new("the id of an account", "it has 1 to 255 printable ASCII characters")
}

fn no_client(_: &str) -> Malformed {
    Malformed::new("a client_id", "it has 1 to 255 printable ASCII characters")
}

fn no_resource(_: &str) -> Malformed {
    Malformed::new(
        "the identifier of an API",
        "it is an absolute URI without a fragment, of at most 512 bytes",
    )
}

fn no_scope(_: &str) -> Malformed {
    NO_SCOPES
}

fn no_issuer(text: &str) -> Malformed {
    Malformed::new("an issuer", Issuer::faults(text).first().copied().unwrap_or_default()).of(text)
}

const NO_SCOPES: Malformed = Malformed::new(
    "a list of scopes",
    "it has at most 100 names of printable ASCII characters without quotes and backslashes, with one blank between them",
);

/// A set of scopes in the order they were asked for, each once (RFC 6749 section 3.3).
///
/// ```
/// # mod chancery { pub use chancery_types::Scopes; }
/// use chancery::Scopes;
/// let scopes = Scopes::parse("openid email openid")?;
/// assert_eq!(scopes.to_string(), "openid email");
/// assert!(scopes.contains("email"));
/// assert!(Scopes::parse("openid  email").is_err());
/// # Ok::<(), chancery_types::Malformed>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// From the wire: tokens with one space between them (RFC 6749 appendix A.4). Empty text is the empty
    /// set.
    ///
    /// # Errors
    /// [`Malformed`] for any other form, and for more than 100 scopes.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut scopes = Self::default();
        if text.is_empty() {
            return Ok(scopes);
        }
        for token in text.split(' ') {
            scopes.insert(Scope::parse(token)?);
            // At once: each token is compared with those before it, and a stranger may send thousands.
            if scopes.0.len() > 100 {
                return Err(NO_SCOPES);
            }
        }
        Ok(scopes)
    }

    /// Appends a scope unless it is in the set already.
    pub fn insert(&mut self, scope: Scope) {
        if !self.contains(scope.as_str()) {
            self.0.push(scope);
        }
    }

    /// Whether the scope is in the set.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|have| have.as_str() == scope)
    }

    /// In the order they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all of these are in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|scope| other.contains(scope.as_str()))
    }

    /// Those that satisfy the condition, in the same order.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Scope) -> bool) -> Self {
        Self(self.0.iter().filter(|scope| keep(scope)).cloned().collect())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(from: I) -> Self {
        let mut scopes = Self::default();
        from.into_iter().for_each(|scope| scopes.insert(scope));
        scopes
    }
}

impl std::str::FromStr for Scopes {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Scopes {
    type Error = Malformed;

    fn try_from(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}
