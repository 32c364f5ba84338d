//! People, as far as the protocol knows them.

use chancery_types::{AccountId, Timestamp};
use zeroize::Zeroizing;

/// A person of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The application's name for the person, and the `sub` that clients see (OIDC Core section 8, `public`). It must not be
    /// the id of a client (RFC 9068 section 5): such a person gets no tokens.
    pub id: AccountId,
    /// Whether the person may use the provider at all.
    pub active: bool,
    /// "Sign out everywhere": what was authenticated or granted before this time counts no more.
    pub not_before: Timestamp,
    /// How pages call the person: a name or address that they know.
    pub label: Box<str>,
}

/// What a client knows about the person before they act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// `login_hint` (OIDC Core section 3.1.2.1), as sent.
    Login(Box<str>),
}

/// What a person typed into the login page.
///
/// It has no `Debug`, because it holds a password.
pub struct LoginForm {
    /// The name, as typed.
    pub username: String,
    /// The password, as typed.
    pub password: Zeroizing<String>,
}
