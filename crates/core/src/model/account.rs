//! People, as the protocol sees them.

use std::net::IpAddr;

use chancery_types::{AccountId, Params};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Separates what a person did before everything was ended for them from what they did since.
///
/// A new password, "sign out everywhere" and disabling the account change the epoch in the same write.
/// Sessions and grants keep the epoch of the login that they came from, and are valid only while it is still
/// the account's. No clock decides this, because a clock may have been wrong or set back in the meantime.
///
/// Any value that the account has not had before will do: a random number, a counter, or a digest of an
/// application's security stamp. An application that never ends anything this way leaves the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// Tells a person from an earlier one of the same id who was removed: what that one agreed to, this one has
/// not.
///
/// It is chosen when the account is made and never changes; whoever gives an id again chooses another one,
/// and another [`Epoch`], which ends what the earlier person left. An application that gives no id twice
/// (OIDC Core section 2, `sub`: "never reassigned") leaves the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountRegistration(pub u64);

/// A person of the application.
///
/// ```
/// # mod chancery { pub use chancery_core::model::{Account, Epoch}; pub use chancery_types::AccountId; }
/// use chancery::{Account, AccountId, Epoch};
///
/// let mut account = Account::new(AccountId::parse("248289761001").map_err(|_| "an id")?, "Jane Doe");
/// account.epoch = Epoch(7);
/// assert!(account.active);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The application's identifier for the person, and the `sub` that clients see (OIDC Core section 8,
    /// `public`). It must not be the id of a client (RFC 9068 section 5): such a person gets no tokens.
    pub id: AccountId,
    /// Whether the person may use the provider at all.
    pub active: bool,
    /// Changes when everything that the person has must end; whatever began in another epoch is no longer
    /// valid.
    pub epoch: Epoch,
    /// Another one for each person who has had this id.
    pub registration: AccountRegistration,
    /// How pages address the person: a name or address that they recognise.
    pub label: Box<str>,
    /// What the person types to sign in, which the page fills in where they have to sign in again; `None` where they
    /// type it themselves.
    pub username: Option<Box<str>>,
}

impl Account {
    /// An account that may be used, in the default epoch, of an id that nobody had before.
    #[must_use]
    pub fn new(id: AccountId, label: impl Into<Box<str>>) -> Self {
        Self {
            id,
            active: true,
            epoch: Epoch::default(),
            registration: AccountRegistration::default(),
            label: label.into(),
            username: None,
        }
    }
}

/// What a client knows about the person before they act.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// `login_hint` (OIDC Core section 3.1.2.1), as sent.
    Login(Box<str>),
}

/// What a person typed into the sign-up page.
///
/// It has no `Debug`, because it holds a password.
pub struct SignUpForm {
    /// The name, as typed.
    pub username: String,
    /// The password, as typed.
    pub password: Zeroizing<String>,
    /// What else came with it.
    pub posted: Posted,
}

impl SignUpForm {
    /// A name and a password, and nothing else.
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        let (username, password) = (username.into(), Zeroizing::new(password.into()));
        Self { username, password, posted: Posted::default() }
    }

    /// The fields `username` and `password` of a form, and what else came with it.
    #[must_use]
    pub fn of(posted: Posted) -> Self {
        let (username, password) = posted.name_and_password();
        Self { username, password, posted }
    }
}

/// What a person typed to change their password.
///
/// It has no `Debug`, because it holds passwords.
pub struct PasswordChange {
    /// Who is signed in.
    pub account: AccountId,
    /// The password that they have, as typed.
    pub current: Zeroizing<String>,
    /// The one that they want, as typed.
    pub new: Zeroizing<String>,
    /// Whether everything else that they have, such as sessions in other browsers and what applications were granted,
    /// goes on. Otherwise the account gets another [`Epoch`] in the same write.
    pub keeps_others: bool,
}

/// What a person typed into the login page.
///
/// It has no `Debug`, because it holds a password.
pub struct LoginForm {
    /// The name, as typed.
    pub username: String,
    /// The password, as typed.
    pub password: Zeroizing<String>,
    /// What else came with it.
    pub posted: Posted,
}

impl LoginForm {
    /// A name and a password, and nothing else.
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        let (username, password) = (username.into(), Zeroizing::new(password.into()));
        Self { username, password, posted: Posted::default() }
    }

    /// The fields `username` and `password` of a form, and what else came with it.
    #[must_use]
    pub fn of(posted: Posted) -> Self {
        let (username, password) = posted.name_and_password();
        Self { username, password, posted }
    }

    /// Whether there is a name and a password to be looked at.
    pub(crate) fn is_typed(&self) -> bool {
        !self.username.trim().is_empty() && !self.password.is_empty()
    }

    /// Whether the form that was posted has both fields, be they empty. If not, the page names them otherwise.
    pub(crate) fn has_fields(&self) -> bool {
        ["username", "password"].iter().all(|name| self.posted.fields.iter().any(|(have, _)| have == *name))
    }
}

/// A form as the browser has posted it: its fields, the cookies that the application has set, and where it came from.
///
/// It has no `Debug`, because it holds secrets.
#[derive(Clone, Default)]
pub struct Posted {
    fields: Params<'static>,
    cookies: Vec<SentCookie>,
    /// The address of the client, if it is known.
    pub peer: Option<IpAddr>,
}

/// A cookie, by its name.
pub type SentCookie = (Box<str>, Zeroizing<String>);

impl Posted {
    /// A form with these fields and cookies.
    #[must_use]
    pub fn new(fields: Params<'static>, cookies: Vec<SentCookie>, peer: Option<IpAddr>) -> Self {
        Self { fields, cookies, peer }
    }

    /// What was typed into this field; `None` when nothing was, or more than once.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.one(name).ok().flatten()
    }

    /// The application's own cookie of this name; `None`, too, if there are two of them, because somebody may have planted
    /// one. Those of the provider are not among them.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut values =
            self.cookies.iter().filter(|(have, _)| **have == *name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }

    fn name_and_password(&self) -> (String, Zeroizing<String>) {
        let typed = |name| self.field(name).unwrap_or_default().to_owned();
        (typed("username"), Zeroizing::new(typed("password")))
    }
}
