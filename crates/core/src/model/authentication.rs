//! How and when a person proved who they are.

use chancery_types::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Account, Epoch};

/// A way to prove who one is; its wire form is the `amr` value (RFC 8176 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FactorMethod {
    /// A password.
    #[serde(rename = "pwd")]
    Password,
}

impl FactorMethod {
    /// The `amr` value (RFC 8176 section 2).
    #[must_use]
    pub const fn amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
        }
    }
}

/// One proof and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// How.
    pub method: FactorMethod,
    /// When.
    pub at: Timestamp,
}

/// An authentication context class (OIDC Core section 2, `acr`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Acr(pub Box<str>);

impl Acr {
    /// What a login by password reaches.
    pub const PASSWORD: &'static str = "urn:chancery:acr:password";
}

/// A person's login: who, how, when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// Who.
    pub account: AccountId,
    /// The epoch of the account when the proof was looked at; it counts while the account has no other.
    pub epoch: Epoch,
    /// How, in the order it was proved; never empty.
    pub factors: Vec<Factor>,
    /// The class that the factors reach.
    pub acr: Option<Acr>,
}

impl Authentication {
    /// A login by password at this time. The account is the one that the password was read with: a login that a change of
    /// the password overtakes counts for nothing.
    #[must_use]
    pub fn by_password(account: &Account, at: Timestamp) -> Self {
        let factors = vec![Factor { method: FactorMethod::Password, at }];
        Self { account: account.id.clone(), epoch: account.epoch, factors, acr: Some(Acr(Acr::PASSWORD.into())) }
    }

    /// `auth_time` (OIDC Core section 2): when the last factor was proved.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.factors.last().map_or(Timestamp::from_millis(0), |factor| factor.at)
    }
}
