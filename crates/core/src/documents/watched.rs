//! The documents of one store, and the caches that are invalidated when they change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use chancery_store::{Changed, Document, DocumentKind, DocumentStore, Moved, Put, Revision, StoreError};
use chancery_types::{RealmId, Timestamp};

use crate::asked::Asked;
use crate::error::Fault;
use crate::ports::Watcher;

/// The documents of one store. The clients, people and keys of all realms share one of these, so that one
/// query a second finds what other nodes and commands have written, and only that is read again.
pub struct Documents {
    store: Arc<dyn DocumentStore>,
    caches: RwLock<Vec<Weak<dyn Cache>>>,
    /// The caches know of all writes up to this revision.
    known: AtomicU64,
    /// What this process has written and not yet found among the changes of the store.
    own: Mutex<Vec<Changed>>,
    asked: Asked,
}

/// A cache of what was read of documents.
pub trait Cache: Send + Sync {
    /// This document was written or removed.
    fn invalidate(&self, document: &Changed);

    /// Any document may have been written or removed.
    fn invalidate_all(&self);

    /// This document was written or removed by a command or another node, and [`Cache::invalidate`] was called. What this
    /// process has written in the same second as well is left out.
    fn changed_elsewhere(&self, _document: &Changed) {}

    /// The store does not answer, so nobody knows what other nodes have written. By default nothing stays
    /// cached.
    fn store_unavailable(&self) {
        self.invalidate_all();
    }
}

impl Documents {
    /// The documents of this store, without caches.
    #[must_use]
    pub fn new(store: Arc<dyn DocumentStore>) -> Arc<Self> {
        let (caches, own) = (RwLock::default(), Mutex::default());
        Arc::new(Self { store, caches, known: AtomicU64::new(0), own, asked: Asked::never() })
    }

    /// The store itself, for reads, and for writes of documents that are not cached.
    #[must_use]
    pub fn store(&self) -> &dyn DocumentStore {
        &*self.store
    }

    /// Registers a cache, which every write invalidates from now on for as long as it lives.
    pub fn register<C: Cache + 'static>(&self, cache: &Arc<C>) {
        let cache: Weak<dyn Cache> = Arc::downgrade(cache) as Weak<dyn Cache>;
        let mut caches = self.caches.write().unwrap_or_else(PoisonError::into_inner);
        caches.retain(|cache| cache.strong_count() > 0);
        caches.push(cache);
    }

    /// [`DocumentStore::put`], which every cache in this process sees at once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn put(
        &self,
        realm: &RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> Result<Put, StoreError> {
        let written = Changed { realm: realm.clone(), kind, id: document.id.clone() };
        self.is_writing(std::slice::from_ref(&written));
        let put = self.store.put(realm, kind, seen, document).await;
        self.has_written(std::slice::from_ref(&written), &put);
        put
    }

    /// [`DocumentStore::put_new`], which every cache in this process sees at once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn put_new(
        &self,
        realm: &RealmId,
        kind: DocumentKind,
        documents: Vec<Document>,
    ) -> Result<Put, StoreError> {
        let named = |document: &Document| Changed { realm: realm.clone(), kind, id: document.id.clone() };
        let written: Vec<Changed> = documents.iter().map(named).collect();
        self.is_writing(&written);
        let put = self.store.put_new(realm, kind, documents).await;
        self.has_written(&written, &put);
        put
    }

    /// [`DocumentStore::remove`], which every cache in this process sees at once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn remove(
        &self,
        realm: &RealmId,
        kind: DocumentKind,
        id: &str,
        seen: Revision,
    ) -> Result<Put, StoreError> {
        let removed = Changed { realm: realm.clone(), kind, id: id.into() };
        self.is_writing(std::slice::from_ref(&removed));
        let put = self.store.remove(realm, kind, id, seen).await;
        self.has_written(std::slice::from_ref(&removed), &put);
        put
    }

    /// Notes own writes before they can be found among the changes of the store.
    fn is_writing(&self, written: &[Changed]) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(written);
    }

    /// Tells every cache. What was not done after all is nobody's write.
    fn has_written(&self, written: &[Changed], put: &Result<Put, StoreError>) {
        if !matches!(put, Ok(Put::Done(_))) {
            self.own.lock().unwrap_or_else(PoisonError::into_inner).retain(|own| !written.contains(own));
        }
        self.each(|cache| written.iter().for_each(|written| cache.invalidate(written)));
    }

    /// Those of these changes that this process has not made.
    fn of_others<'a>(&self, these: &'a [Changed]) -> Vec<&'a Changed> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let of_others = these.iter().filter(|changed| !own.contains(changed)).collect();
        own.retain(|written| !these.contains(written));
        of_others
    }

    fn each(&self, notify: impl Fn(&dyn Cache)) {
        let caches = self.caches.read().unwrap_or_else(PoisonError::into_inner);
        caches.iter().filter_map(Weak::upgrade).for_each(|cache| notify(&*cache));
    }
}

impl Watcher for Documents {
    async fn look(&self, now: Timestamp) -> Result<Timestamp, Fault> {
        let asking = match self.asked.ask(now, None) {
            Ok(asking) => asking,
            Err(asked_at) => return Ok(asked_at),
        };
        let answer = self.store.changes(Revision(self.known.load(Ordering::Relaxed))).await;
        asking.answered(now);
        let changes = answer.inspect_err(|_| self.each(|cache| cache.store_unavailable()))?;
        match &changes.moved {
            Moved::These(these) => {
                self.each(|cache| these.iter().for_each(|changed| cache.invalidate(changed)));
                let of_others = self.of_others(these);
                self.each(|cache| of_others.iter().for_each(|changed| cache.changed_elsewhere(changed)));
            }
            Moved::Any => {
                self.own.lock().unwrap_or_else(PoisonError::into_inner).clear();
                self.each(|cache| cache.invalidate_all());
            }
        }
        // The slower of two concurrent queries may set this back, which only repeats some invalidations.
        self.known.store(changes.now.0, Ordering::Relaxed);
        Ok(now)
    }
}
