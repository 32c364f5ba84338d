//! The documents of all realms.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::Bound;
use std::sync::PoisonError;

use chancery_store::{
    Changed, Changes, Document, DocumentKind, DocumentStore, Moved, Put, Revision, StoreFuture,
};
use chancery_types::RealmId;

use crate::MemoryStore;

/// The documents of all realms, and what was written last.
#[derive(Default)]
pub(crate) struct Documents {
    realms: HashMap<RealmId, Realm>,
    /// The number of writes so far; a document's revision is the number of the write that made it.
    revision: u64,
    /// The last writes, the newest at the end.
    changes: VecDeque<Changed>,
}

/// How many writes are remembered.
const REMEMBERED: usize = 1_000;

/// The documents of one realm.
#[derive(Default)]
struct Realm {
    documents: BTreeMap<(DocumentKind, Box<str>), Document>,
    aliases: HashMap<(DocumentKind, Box<str>), Box<str>>,
}

impl DocumentStore for MemoryStore {
    fn get<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
    ) -> StoreFuture<'a, Option<Document>> {
        Box::pin(async move {
            Ok(self.read(realm, |realm| realm.documents.get(&(kind, id.into())).cloned()).flatten())
        })
    }

    fn find<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        alias: &'a str,
    ) -> StoreFuture<'a, Option<Document>> {
        Box::pin(async move {
            let found = self.read(realm, |realm| {
                let id = realm.aliases.get(&(kind, alias.into()))?.clone();
                realm.documents.get(&(kind, id)).cloned()
            });
            Ok(found.flatten())
        })
    }

    fn put<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> StoreFuture<'a, Put> {
        let ids = vec![document.id.clone()];
        Box::pin(async move {
            Ok(self.write(realm, kind, ids, |realm, next| realm.put(kind, seen, document, next)))
        })
    }

    fn put_new<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        documents: Vec<Document>,
    ) -> StoreFuture<'a, Put> {
        let ids = documents.iter().map(|document| document.id.clone()).collect();
        Box::pin(async move {
            Ok(self.write(realm, kind, ids, |realm, next| realm.put_new(kind, documents, next)))
        })
    }

    fn remove<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
        seen: Revision,
    ) -> StoreFuture<'a, Put> {
        let ids = vec![id.into()];
        Box::pin(
            async move { Ok(self.write(realm, kind, ids, |realm, next| realm.remove(kind, id, seen, next))) },
        )
    }

    fn list<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Document>> {
        Box::pin(async move {
            let from = match after {
                Some(after) => Bound::Excluded((kind, after.into())),
                None => Bound::Included((kind, "".into())),
            };
            let listed = self.read(realm, |realm| {
                let of_kind =
                    realm.documents.range((from, Bound::Unbounded)).take_while(|((of, _), _)| *of == kind);
                of_kind.map(|(_, document)| document.clone()).take(limit).collect()
            });
            Ok(listed.unwrap_or_default())
        })
    }

    fn changes(&self, since: Revision) -> StoreFuture<'_, Changes> {
        Box::pin(async move {
            let held = self.documents.read().unwrap_or_else(PoisonError::into_inner);
            let remembered = held.changes.len();
            let missed = held.revision.checked_sub(since.0).and_then(|missed| usize::try_from(missed).ok());
            let moved = match missed.and_then(|missed| remembered.checked_sub(missed)) {
                Some(known) => Moved::These(held.changes.iter().skip(known).cloned().collect()),
                None => Moved::Any,
            };
            Ok(Changes { now: Revision(held.revision), moved })
        })
    }
}

impl MemoryStore {
    fn read<T>(&self, realm: &RealmId, look: impl FnOnce(&Realm) -> T) -> Option<T> {
        self.documents.read().unwrap_or_else(PoisonError::into_inner).realms.get(realm).map(look)
    }

    /// Lets a step write these documents under the next revisions, and remembers them if it did.
    fn write(
        &self,
        realm: &RealmId,
        kind: DocumentKind,
        ids: Vec<Box<str>>,
        step: impl FnOnce(&mut Realm, Revision) -> Put,
    ) -> Put {
        let mut held = self.documents.write().unwrap_or_else(PoisonError::into_inner);
        let next = held.revision + 1;
        let put = step(held.realms.entry(realm.clone()).or_default(), Revision(next));
        if let Put::Done(_) = put {
            for id in ids {
                held.revision += 1;
                if held.changes.len() == REMEMBERED {
                    held.changes.pop_front();
                }
                held.changes.push_back(Changed { realm: realm.clone(), kind, id });
            }
        }
        put
    }
}

impl Realm {
    fn put(
        &mut self,
        kind: DocumentKind,
        seen: Option<Revision>,
        mut document: Document,
        next: Revision,
    ) -> Put {
        let name = (kind, document.id.clone());
        let held = self.documents.get(&name);
        match (seen, held) {
            (None, Some(_)) => return Put::Occupied,
            (Some(seen), held) if held.map(|held| held.revision) != Some(seen) => return Put::Stale,
            _ => {}
        }
        let mut holders =
            document.aliases.iter().filter_map(|alias| self.aliases.get(&(kind, alias.clone())));
        if holders.any(|holder| *holder != document.id) {
            return Put::Occupied;
        }
        for before in held.map(|held| held.aliases.clone()).unwrap_or_default() {
            self.aliases.remove(&(kind, before));
        }
        for alias in &document.aliases {
            self.aliases.insert((kind, alias.clone()), document.id.clone());
        }
        document.revision = next;
        self.documents.insert(name, document);
        Put::Done(next)
    }

    fn put_new(&mut self, kind: DocumentKind, documents: Vec<Document>, next: Revision) -> Put {
        let (mut ids, mut aliases) = (HashSet::new(), HashSet::new());
        let is_free = |document: &Document| {
            let id = (kind, document.id.clone());
            let mut wanted = document.aliases.iter().map(|alias| (kind, alias.clone()));
            !self.documents.contains_key(&id)
                && ids.insert(id)
                && wanted.all(|alias| !self.aliases.contains_key(&alias) && aliases.insert(alias))
        };
        if !documents.iter().all(is_free) {
            return Put::Occupied;
        }
        let mut put = Put::Done(next);
        for (number, document) in (next.0..).zip(documents) {
            put = self.put(kind, None, document, Revision(number));
        }
        put
    }

    fn remove(&mut self, kind: DocumentKind, id: &str, seen: Revision, next: Revision) -> Put {
        let name = (kind, id.into());
        let Some(held) = self.documents.get(&name).filter(|held| held.revision == seen) else {
            return Put::Stale;
        };
        for alias in held.aliases.clone() {
            self.aliases.remove(&(kind, alias));
        }
        self.documents.remove(&name);
        Put::Done(next)
    }
}
