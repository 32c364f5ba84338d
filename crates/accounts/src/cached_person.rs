//! What is cached of a person.

use chancery_core::model::{Account, Claims};

use crate::Person;

/// What the engine asks about a person, which does not include the password.
pub(crate) struct CachedPerson {
    pub(crate) account: Account,
    pub(crate) claims: Claims,
}

impl From<Person> for CachedPerson {
    fn from(person: Person) -> Self {
        let mut claims = person.claims.clone();
        if claims.get("preferred_username").is_none() {
            claims.set("preferred_username", person.username.as_str());
        }
        Self { account: person.account(), claims }
    }
}
