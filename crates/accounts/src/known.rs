//! What is kept of a person who was read.

use chancery_core::model::{Account, Claims};

use crate::Person;

/// What the engine asks about a person; their password is not kept.
pub(crate) struct Known {
    pub(crate) account: Account,
    pub(crate) claims: Claims,
}

impl From<Person> for Known {
    fn from(person: Person) -> Self {
        let mut claims = person.claims.clone();
        if claims.get("preferred_username").is_none() {
            claims.set("preferred_username", person.username.as_str());
        }
        Self { account: person.account(), claims }
    }
}
