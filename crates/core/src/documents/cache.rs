//! A cache of the parsed documents of one kind.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use chancery_store::{Changed, Document, DocumentKind};
use chancery_types::RealmId;

use super::watched::{Cache, Documents};
use crate::error::Fault;

/// Documents of one kind, each read and parsed once until it is written again. Ids that no document has are
/// cached, too.
pub struct DocumentCache<T> {
    documents: Arc<Documents>,
    kind: DocumentKind,
    entries: Arc<RwLock<Entries<T>>>,
}

struct Entries<T> {
    kind: DocumentKind,
    /// Counts the invalidations, so that a document that was read before one is not cached after it.
    generation: u64,
    realms: HashMap<RealmId, RealmEntries<T>>,
}

struct RealmEntries<T> {
    known: HashMap<Box<str>, Arc<T>>,
    absent: HashSet<Box<str>>,
}

impl<T> Default for RealmEntries<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), absent: HashSet::new() }
    }
}

/// How many documents of a realm are cached, and how many ids that no document has. The latter are chosen by
/// strangers.
const KNOWN: usize = 10_000;
const ABSENT: usize = 1_000;

impl<T: Send + Sync + 'static> DocumentCache<T> {
    /// An empty cache over these documents, which invalidate it.
    #[must_use]
    pub fn new(documents: Arc<Documents>, kind: DocumentKind) -> Self {
        let entries = Arc::new(RwLock::new(Entries { kind, generation: 0, realms: HashMap::new() }));
        documents.register(&entries);
        Self { documents, kind, entries }
    }

    /// The document of this id, as `parse` reads it.
    ///
    /// # Errors
    /// A fault of the store or of `parse`.
    pub async fn get(
        &self,
        realm: &RealmId,
        id: &str,
        parse: impl FnOnce(&Document) -> Result<T, Fault>,
    ) -> Result<Option<Arc<T>>, Fault> {
        let generation = {
            let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(cached) = entries.realms.get(realm) {
                if let Some(known) = cached.known.get(id) {
                    return Ok(Some(Arc::clone(known)));
                }
                if cached.absent.contains(id) {
                    return Ok(None);
                }
            }
            entries.generation
        };
        let document = self.documents.store().get(realm, self.kind, id).await?;
        let read = document.as_ref().map(parse).transpose()?.map(Arc::new);
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.generation == generation {
            let cached = entries.realms.entry(realm.clone()).or_default();
            match &read {
                Some(read) => {
                    if cached.known.len() >= KNOWN {
                        cached.known.clear();
                    }
                    cached.known.insert(id.into(), Arc::clone(read));
                }
                None => {
                    if cached.absent.len() >= ABSENT {
                        cached.absent.clear();
                    }
                    cached.absent.insert(id.into());
                }
            }
        }
        Ok(read)
    }

    #[cfg(test)]
    pub(super) fn absent(&self, realm: &RealmId) -> usize {
        self.entries.read().unwrap().realms.get(realm).map_or(0, |cached| cached.absent.len())
    }
}

impl<T: Send + Sync> Cache for RwLock<Entries<T>> {
    fn invalidate(&self, document: &Changed) {
        let mut entries = self.write().unwrap_or_else(PoisonError::into_inner);
        if document.kind != entries.kind {
            return;
        }
        entries.generation += 1;
        if let Some(cached) = entries.realms.get_mut(&document.realm) {
            cached.known.remove(&document.id);
            cached.absent.remove(&document.id);
        }
    }

    fn invalidate_all(&self) {
        let mut entries = self.write().unwrap_or_else(PoisonError::into_inner);
        entries.generation += 1;
        entries.realms.clear();
    }
}
