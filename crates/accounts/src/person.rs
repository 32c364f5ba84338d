//! A stored person.

use chancery_core::error::Fault;
use chancery_core::model::{Account, AccountRegistration, Claims, Epoch};
use chancery_store::{Document, Revision};
use chancery_types::AccountId;
use serde::{Deserialize, Serialize};

use crate::Username;

/// The first byte of a stored person. It grows when the fields change, and older versions are still read.
const VERSION: u8 = 1;

/// A person as an operator manages them. It has no `Debug`, because it contains the hash of a password.
#[derive(Clone)]
pub struct Person {
    /// The `sub` that clients see (OIDC Core section 8).
    pub id: AccountId,
    /// The name that the person types.
    pub username: Username,
    /// The claims that clients may get (OIDC Core section 5.1).
    pub claims: Claims,
    /// Whether the person may log in.
    pub active: bool,
    /// It changes whenever the person's sessions and grants are ended.
    pub epoch: Epoch,
    /// Random, chosen when the person was added: whoever is added under the id of a removed person inherits
    /// nothing.
    pub registration: AccountRegistration,
    /// What was ended, if that is the last thing that has happened to the person's document: nothing else of it has changed.
    pub signed_out: Option<SignedOut>,
    /// The Argon2id PHC string.
    pub(crate) password: Box<str>,
    /// The user name and its appearance, which no other person can have. They are made when the person is
    /// added and not again: a later version of Unicode may find other names alike, which must not prevent a
    /// change of this person.
    pub(crate) aliases: Vec<Box<str>>,
    /// The revision that was read; `None` for a new person.
    pub(crate) seen: Option<Revision>,
}

/// What was ended of a person, who is the same as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedOut {
    /// Sessions, one or several.
    Sessions,
    /// All sessions, and everything that clients were given.
    Everything,
}

#[derive(Serialize, Deserialize)]
struct Body {
    username: Box<str>,
    password: Box<str>,
    active: bool,
    epoch: Epoch,
    registration: AccountRegistration,
    claims: Claims,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed_out: Option<SignedOut>,
}

impl Person {
    /// The account that the engine sees.
    #[must_use]
    pub fn account(&self) -> Account {
        let mut account = Account::new(self.id.clone(), self.username.as_str());
        account.active = self.active;
        account.username = Some(self.username.as_str().into());
        account.epoch = self.epoch;
        account.registration = self.registration;
        account
    }

    pub(crate) fn read(document: &Document) -> Result<Self, Fault> {
        let damaged =
            |why: &dyn std::fmt::Display| Fault::internal(format!("account {}: {why}", document.id));
        let Some((&VERSION, json)) = document.body.split_first() else {
            return Err(damaged(&"unknown version"));
        };
        let body: Body = serde_json::from_slice(json).map_err(|error| damaged(&error))?;
        Ok(Self {
            id: AccountId::parse(&document.id).map_err(|error| damaged(&error))?,
            username: Username::parse(&body.username).map_err(|error| damaged(&error))?,
            claims: body.claims,
            active: body.active,
            epoch: body.epoch,
            registration: body.registration,
            signed_out: body.signed_out,
            password: body.password,
            aliases: document.aliases.clone(),
            seen: Some(document.revision),
        })
    }

    pub(crate) fn document(&self) -> Result<Document, Fault> {
        let stored = Body {
            username: self.username.as_str().into(),
            password: self.password.clone(),
            active: self.active,
            epoch: self.epoch,
            registration: self.registration,
            claims: self.claims.clone(),
            signed_out: self.signed_out,
        };
        let mut body = vec![VERSION];
        serde_json::to_writer(&mut body, &stored).map_err(|error| Fault::internal(error.to_string()))?;
        Ok(Document {
            id: self.id.as_str().into(),
            aliases: self.aliases.clone(),
            body: body.into(),
            revision: self.seen.unwrap_or(Revision::NONE),
        })
    }
}
