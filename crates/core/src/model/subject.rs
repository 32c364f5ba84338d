//! `sub`: the identifier of a person at a client.

use std::borrow::Cow;

use chancery_jose::base64url;
use chancery_types::{AccountId, ClientId, Malformed};

/// The `sub` of a person for one client (OIDC Core section 8). Tokens are made with nothing else, so a client
/// never sees an account id that is not also its subject, and a subject from a client is never mistaken for an
/// account id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject<'a>(Cow<'a, str>);

impl<'a> Subject<'a> {
    /// The same for every client: the account id.
    pub(crate) fn public(account: &'a AccountId) -> Self {
        Self(Cow::Borrowed(account.as_str()))
    }

    /// Of a token without a person (RFC 9068 section 2.2).
    pub(crate) fn of_client(client: &'a ClientId) -> Self {
        Self(Cow::Borrowed(client.as_str()))
    }
}

impl Subject<'static> {
    /// That of a person in one sector, from a digest that nobody else can compute.
    pub(crate) fn pairwise(digest: &[u8; 32]) -> Self {
        Self(Cow::Owned(base64url::encode(digest)))
    }

    /// One that an application has chosen: 1 to 255 printable ASCII characters (OIDC Core section 2, `sub`).
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        AccountId::parse(text).map(|text| Self(Cow::Owned(text.as_str().to_owned())))
    }
}

impl Subject<'_> {
    /// Its value in tokens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is one of the subjects that a client named in an `id_token_hint` or in the parameter
    /// `claims`.
    #[must_use]
    pub fn is_one_of(&self, sent: &[Box<str>]) -> bool {
        sent.iter().any(|sent| **sent == *self.0)
    }
}

/// A sector identifier (OIDC Core section 8.1): what the clients of one operator have in common, which get the
/// same pairwise subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sector(Box<str>);

impl Sector {
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The host, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
