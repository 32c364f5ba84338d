//! People that were read lately, so that not every request reads and parses a document.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chancery_core::model::{Account, Claims};
use chancery_store::Revision;
use chancery_types::{AccountId, RealmId};

use crate::Person;

/// How many people are kept for one realm.
const PEOPLE: usize = 4_096;

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

/// People by realm, until the realm moves.
#[derive(Default)]
pub(crate) struct Cache(RwLock<HashMap<RealmId, People>>);

#[derive(Default)]
struct People {
    /// As the realm was seen last.
    revision: Option<Revision>,
    /// Moves whenever people are forgotten, so that what was read before is not remembered after.
    generation: u64,
    known: HashMap<AccountId, Arc<Known>>,
}

impl Cache {
    /// The person, if they are known, and the generation to remember them with.
    pub(crate) fn get(&self, realm: &RealmId, id: &AccountId) -> (Option<Arc<Known>>, u64) {
        let realms = self.0.read().unwrap_or_else(PoisonError::into_inner);
        realms.get(realm).map_or((None, 0), |people| (people.known.get(id).cloned(), people.generation))
    }

    /// Remembers a person who was read after `generation` was seen.
    pub(crate) fn remember(&self, realm: &RealmId, generation: u64, known: &Arc<Known>) {
        self.change(realm, |people| {
            if people.generation != generation {
                return;
            }
            if people.known.len() >= PEOPLE {
                people.known.clear();
            }
            people.known.insert(known.account.id.clone(), Arc::clone(known));
        });
    }

    /// Forgets everybody of the realm.
    pub(crate) fn forget(&self, realm: &RealmId) {
        self.change(realm, People::forget);
    }

    /// Forgets everybody if the realm has moved.
    pub(crate) fn moved_to(&self, realm: &RealmId, revision: Revision) {
        self.change(realm, |people| {
            if people.revision.replace(revision) != Some(revision) {
                people.forget();
            }
        });
    }

    fn change(&self, realm: &RealmId, step: impl FnOnce(&mut People)) {
        let mut realms = self.0.write().unwrap_or_else(PoisonError::into_inner);
        step(realms.entry(realm.clone()).or_default());
    }
}

impl People {
    fn forget(&mut self) {
        self.generation += 1;
        self.known.clear();
    }
}
