//! `sub`: the identifier of a person at a client.

use std::borrow::Cow;

use chancery_types::AccountId;

use crate::model::{Client, Holder};

/// The `sub` of a person for one client (OIDC Core section 8). Only this module makes one, so a client never
/// sees an account id that is not also its subject, and a subject from a client is never mistaken for an
/// account id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject<'a>(Cow<'a, str>);

/// The subject of this person at this client: the account id, the same for all clients (`public`, OIDC Core
/// section 8).
#[must_use]
pub fn subject<'a>(_client: &Client, account: &'a AccountId) -> Subject<'a> {
    Subject(Cow::Borrowed(account.as_str()))
}

/// The subject of a token of this client: the person, or the client itself (RFC 9068 section 2.2).
#[must_use]
pub(crate) fn subject_of<'a>(client: &'a Client, holder: &'a Holder) -> Subject<'a> {
    holder.account().map_or(Subject(Cow::Borrowed(client.id().as_str())), |account| subject(client, account))
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
