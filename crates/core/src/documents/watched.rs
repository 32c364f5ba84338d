//! The documents of one store together with those who keep what they have read of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use chancery_store::{Changed, Document, DocumentKind, DocumentStore, Moved, Put, Revision, StoreError};
use chancery_types::{RealmId, Timestamp};

use crate::asked::Asked;
use crate::ports::{PortFuture, Watcher};

/// The documents of one store. Clients, people and keys over it share one of these, whatever their realms: then one
/// question a second finds what other nodes and commands have written, and only what was written is read again.
pub struct Documents {
    store: Arc<dyn DocumentStore>,
    keepers: RwLock<Vec<Weak<dyn Keeper>>>,
    /// Up to which write the keepers know of all.
    known: AtomicU64,
    asked: Asked,
}

/// Keeps what it has read of documents.
pub trait Keeper: Send + Sync {
    /// This document was written or removed.
    fn forget(&self, document: &Changed);

    /// Any document may have been.
    fn forget_all(&self);

    /// The store does not answer. Whoever keeps what may have ended meanwhile must not believe it any more.
    fn cut_off(&self) {
        self.forget_all();
    }
}

impl Documents {
    /// Nobody keeps anything yet.
    #[must_use]
    pub fn new(store: Arc<dyn DocumentStore>) -> Arc<Self> {
        Arc::new(Self { store, keepers: RwLock::default(), known: AtomicU64::new(0), asked: Asked::never() })
    }

    /// For reading, and for writes whose documents nobody keeps.
    #[must_use]
    pub fn store(&self) -> &dyn DocumentStore {
        &*self.store
    }

    /// Tells this one of every write from now on, as long as it lives.
    pub fn tell<K: Keeper + 'static>(&self, keeper: &Arc<K>) {
        let keeper: Weak<dyn Keeper> = Arc::downgrade(keeper) as Weak<dyn Keeper>;
        let mut keepers = self.keepers.write().unwrap_or_else(PoisonError::into_inner);
        keepers.retain(|kept| kept.strong_count() > 0);
        keepers.push(keeper);
    }

    /// [`DocumentStore::put`]; everybody in this process sees it at once.
    ///
    /// # Errors
    /// As there.
    pub async fn put(
        &self,
        realm: &RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> Result<Put, StoreError> {
        let written = Changed { realm: realm.clone(), kind, id: document.id.clone() };
        let put = self.store.put(realm, kind, seen, document).await;
        self.each(|keeper| keeper.forget(&written));
        put
    }

    /// [`DocumentStore::put_new`]; everybody in this process sees it at once.
    ///
    /// # Errors
    /// As there.
    pub async fn put_new(
        &self,
        realm: &RealmId,
        kind: DocumentKind,
        documents: Vec<Document>,
    ) -> Result<Put, StoreError> {
        let named = |document: &Document| Changed { realm: realm.clone(), kind, id: document.id.clone() };
        let written: Vec<Changed> = documents.iter().map(named).collect();
        let put = self.store.put_new(realm, kind, documents).await;
        self.each(|keeper| written.iter().for_each(|written| keeper.forget(written)));
        put
    }

    /// [`DocumentStore::remove`]; everybody in this process sees it at once.
    ///
    /// # Errors
    /// As there.
    pub async fn remove(
        &self,
        realm: &RealmId,
        kind: DocumentKind,
        id: &str,
        seen: Revision,
    ) -> Result<Put, StoreError> {
        let removed = Changed { realm: realm.clone(), kind, id: id.into() };
        let put = self.store.remove(realm, kind, id, seen).await;
        self.each(|keeper| keeper.forget(&removed));
        put
    }

    fn each(&self, tell: impl Fn(&dyn Keeper)) {
        let keepers = self.keepers.read().unwrap_or_else(PoisonError::into_inner);
        keepers.iter().filter_map(Weak::upgrade).for_each(|keeper| tell(&*keeper));
    }
}

impl Watcher for Documents {
    fn look(&self, now: Timestamp) -> PortFuture<'_, Timestamp> {
        Box::pin(async move {
            let asking = match self.asked.ask(now, None) {
                Ok(asking) => asking,
                Err(asked_at) => return Ok(asked_at),
            };
            let answer = self.store.changes(Revision(self.known.load(Ordering::Relaxed))).await;
            asking.answered(now);
            let changes = answer.inspect_err(|_| self.each(|keeper| keeper.cut_off()))?;
            match &changes.moved {
                Moved::These(these) => {
                    self.each(|keeper| these.iter().for_each(|changed| keeper.forget(changed)));
                }
                Moved::Any => self.each(|keeper| keeper.forget_all()),
            }
            // Of two questions on their way the slower one may set it back: then the same writes are told of again.
            self.known.store(changes.now.0, Ordering::Relaxed);
            Ok(now)
        })
    }
}
