//! A document store that counts its calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chancery_types::RealmId;

use crate::{Changes, Document, DocumentKind, DocumentStore, Put, Revision, StoreFuture};

/// Counts the calls to the store it wraps.
pub struct CountingDocuments {
    behind: Arc<dyn DocumentStore>,
    reads: AtomicU64,
    lists: AtomicU64,
    questions: AtomicU64,
}

impl CountingDocuments {
    /// Wraps a store, with all counts at zero.
    #[must_use]
    pub fn new(behind: Arc<dyn DocumentStore>) -> Self {
        Self { behind, reads: AtomicU64::new(0), lists: AtomicU64::new(0), questions: AtomicU64::new(0) }
    }

    /// How often single documents were read since the last time, how often lists of them, and how often it
    /// was asked what has changed.
    #[must_use]
    pub fn take(&self) -> [u64; 3] {
        [&self.reads, &self.lists, &self.questions].map(|count| count.swap(0, Ordering::Relaxed))
    }
}

impl DocumentStore for CountingDocuments {
    fn get<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
    ) -> StoreFuture<'a, Option<Document>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.behind.get(realm, kind, id)
    }

    fn find<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        alias: &'a str,
    ) -> StoreFuture<'a, Option<Document>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.behind.find(realm, kind, alias)
    }

    fn put<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> StoreFuture<'a, Put> {
        self.behind.put(realm, kind, seen, document)
    }

    fn put_new<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        documents: Vec<Document>,
    ) -> StoreFuture<'a, Put> {
        self.behind.put_new(realm, kind, documents)
    }

    fn remove<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
        seen: Revision,
    ) -> StoreFuture<'a, Put> {
        self.behind.remove(realm, kind, id, seen)
    }

    fn list<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Document>> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.behind.list(realm, kind, after, limit)
    }

    fn changes(&self, since: Revision) -> StoreFuture<'_, Changes> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        self.behind.changes(since)
    }
}
