//! What was read of documents of one kind.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use chancery_store::{Changed, Document, DocumentKind};
use chancery_types::RealmId;

use super::watched::{Documents, Keeper};
use crate::error::Fault;

/// Documents of one kind, each read and parsed once until it is written again. Names that no document has are kept, too.
pub struct Kept<T> {
    documents: Arc<Documents>,
    kind: DocumentKind,
    held: Arc<RwLock<Held<T>>>,
}

struct Held<T> {
    kind: DocumentKind,
    /// Moves whenever something is forgotten, so that what was read before is not remembered after.
    generation: u64,
    realms: HashMap<RealmId, Names<T>>,
}

struct Names<T> {
    known: HashMap<Box<str>, Arc<T>>,
    absent: HashSet<Box<str>>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), absent: HashSet::new() }
    }
}

/// How many documents of a realm are kept, and how many names that no document has. Strangers choose the latter.
const KNOWN: usize = 10_000;
const ABSENT: usize = 1_000;

impl<T: Send + Sync + 'static> Kept<T> {
    /// Nothing is kept yet.
    #[must_use]
    pub fn new(documents: Arc<Documents>, kind: DocumentKind) -> Self {
        let held = Arc::new(RwLock::new(Held { kind, generation: 0, realms: HashMap::new() }));
        documents.tell(&held);
        Self { documents, kind, held }
    }

    /// The document of this id, as `parse` reads it.
    ///
    /// # Errors
    /// A fault of the store, or of `parse`.
    pub async fn get(
        &self,
        realm: &RealmId,
        id: &str,
        parse: impl FnOnce(&Document) -> Result<T, Fault>,
    ) -> Result<Option<Arc<T>>, Fault> {
        let generation = {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(names) = held.realms.get(realm) {
                if let Some(known) = names.known.get(id) {
                    return Ok(Some(Arc::clone(known)));
                }
                if names.absent.contains(id) {
                    return Ok(None);
                }
            }
            held.generation
        };
        let document = self.documents.store().get(realm, self.kind, id).await?;
        let read = document.as_ref().map(parse).transpose()?.map(Arc::new);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.generation == generation {
            let names = held.realms.entry(realm.clone()).or_default();
            match &read {
                Some(read) => {
                    if names.known.len() >= KNOWN {
                        names.known.clear();
                    }
                    names.known.insert(id.into(), Arc::clone(read));
                }
                None => {
                    if names.absent.len() >= ABSENT {
                        names.absent.clear();
                    }
                    names.absent.insert(id.into());
                }
            }
        }
        Ok(read)
    }

    #[cfg(test)]
    pub(super) fn absent(&self, realm: &RealmId) -> usize {
        self.held.read().unwrap().realms.get(realm).map_or(0, |names| names.absent.len())
    }
}

impl<T: Send + Sync> Keeper for RwLock<Held<T>> {
    fn forget(&self, document: &Changed) {
        let mut held = self.write().unwrap_or_else(PoisonError::into_inner);
        if document.kind != held.kind {
            return;
        }
        held.generation += 1;
        if let Some(names) = held.realms.get_mut(&document.realm) {
            names.known.remove(&document.id);
            names.absent.remove(&document.id);
        }
    }

    fn forget_all(&self) {
        let mut held = self.write().unwrap_or_else(PoisonError::into_inner);
        held.generation += 1;
        held.realms.clear();
    }
}
