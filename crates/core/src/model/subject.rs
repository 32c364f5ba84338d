//! `sub`: what a client calls a person.

use std::borrow::Cow;

use chancery_types::AccountId;

use crate::model::{Client, Holder};

/// The `sub` of a person for one client (OIDC Core section 8). Nobody else makes one, so that a client never sees an account id
/// that is not also its subject, and a subject that a client sends is never taken for an account id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject<'a>(Cow<'a, str>);

/// What this client calls this person: the account id, the same for all clients (`public`, OIDC Core section 8).
#[must_use]
pub fn subject<'a>(_client: &Client, account: &'a AccountId) -> Subject<'a> {
    Subject(Cow::Borrowed(account.as_str()))
}

/// Whom a token of this client stands for: the person, or the client itself (RFC 9068 section 2.2).
#[must_use]
pub(crate) fn subject_of<'a>(client: &'a Client, holder: &'a Holder) -> Subject<'a> {
    holder.account().map_or(Subject(Cow::Borrowed(client.id().as_str())), |account| subject(client, account))
}

impl Subject<'_> {
    /// As tokens say it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a client means this subject, by `sub` of an `id_token_hint` or of the parameter `claims`.
    #[must_use]
    pub fn is(&self, sent: &str) -> bool {
        self.0 == sent
    }
}
