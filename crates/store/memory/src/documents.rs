//! The documents of all realms.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::PoisonError;

use chancery_store::{Answer, Document, DocumentKind, DocumentStore, Put, Revision};
use chancery_types::RealmId;

use crate::MemoryStore;

pub(crate) type Realms = HashMap<RealmId, Realm>;

/// The documents of one realm.
#[derive(Default)]
pub(crate) struct Realm {
    documents: BTreeMap<(DocumentKind, Box<str>), Document>,
    aliases: HashMap<(DocumentKind, Box<str>), Box<str>>,
    /// Counts the writes; each document has the number of the write that made it.
    revision: u64,
}

impl DocumentStore for MemoryStore {
    fn get<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, id: &'a str) -> Answer<'a, Option<Document>> {
        Box::pin(
            async move { Ok(self.read(realm, |realm| realm.documents.get(&(kind, id.into())).cloned()).flatten()) },
        )
    }

    fn find<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, alias: &'a str) -> Answer<'a, Option<Document>> {
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
    ) -> Answer<'a, Put> {
        Box::pin(async move { Ok(self.write(realm, |realm| realm.put(kind, seen, document))) })
    }

    fn put_new<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, documents: Vec<Document>) -> Answer<'a, Put> {
        Box::pin(async move { Ok(self.write(realm, |realm| realm.put_new(kind, documents))) })
    }

    fn remove<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, id: &'a str, seen: Revision) -> Answer<'a, Put> {
        Box::pin(async move { Ok(self.write(realm, |realm| realm.remove(kind, id, seen))) })
    }

    fn list<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<Document>> {
        Box::pin(async move {
            let from = match after {
                Some(after) => Bound::Excluded((kind, after.into())),
                None => Bound::Included((kind, "".into())),
            };
            let listed = self.read(realm, |realm| {
                let of_kind = realm.documents.range((from, Bound::Unbounded)).take_while(|((of, _), _)| *of == kind);
                of_kind.map(|(_, document)| document.clone()).take(limit).collect()
            });
            Ok(listed.unwrap_or_default())
        })
    }

    fn revision<'a>(&'a self, realm: &'a RealmId) -> Answer<'a, Revision> {
        Box::pin(async move { Ok(Revision(self.read(realm, |realm| realm.revision).unwrap_or(0))) })
    }
}

impl MemoryStore {
    fn read<T>(&self, realm: &RealmId, look: impl FnOnce(&Realm) -> T) -> Option<T> {
        self.realms.read().unwrap_or_else(PoisonError::into_inner).get(realm).map(look)
    }

    fn write(&self, realm: &RealmId, step: impl FnOnce(&mut Realm) -> Put) -> Put {
        step(self.realms.write().unwrap_or_else(PoisonError::into_inner).entry(realm.clone()).or_default())
    }
}

impl Realm {
    fn put(&mut self, kind: DocumentKind, seen: Option<Revision>, mut document: Document) -> Put {
        let name = (kind, document.id.clone());
        let held = self.documents.get(&name);
        match (seen, held) {
            (None, Some(_)) => return Put::Occupied,
            (Some(seen), held) if held.map(|held| held.revision) != Some(seen) => return Put::Stale,
            _ => {}
        }
        let alias = document.alias.clone().map(|alias| (kind, alias));
        if alias.as_ref().and_then(|alias| self.aliases.get(alias)).is_some_and(|holder| *holder != document.id) {
            return Put::Occupied;
        }
        if let Some(before) = held.and_then(|held| held.alias.clone()) {
            self.aliases.remove(&(kind, before));
        }
        if let Some(alias) = alias {
            self.aliases.insert(alias, document.id.clone());
        }
        self.revision += 1;
        document.revision = Revision(self.revision);
        self.documents.insert(name, document);
        Put::Done(Revision(self.revision))
    }

    fn put_new(&mut self, kind: DocumentKind, documents: Vec<Document>) -> Put {
        let (mut ids, mut aliases) = (HashSet::new(), HashSet::new());
        let is_free = |document: &Document| {
            let id = (kind, document.id.clone());
            let alias = document.alias.clone().map(|alias| (kind, alias));
            !self.documents.contains_key(&id)
                && alias.as_ref().is_none_or(|alias| !self.aliases.contains_key(alias))
                && ids.insert(id)
                && alias.is_none_or(|alias| aliases.insert(alias))
        };
        if !documents.iter().all(is_free) {
            return Put::Occupied;
        }
        for document in documents {
            self.put(kind, None, document);
        }
        Put::Done(Revision(self.revision))
    }

    fn remove(&mut self, kind: DocumentKind, id: &str, seen: Revision) -> Put {
        let name = (kind, id.into());
        let Some(held) = self.documents.get(&name).filter(|held| held.revision == seen) else { return Put::Stale };
        if let Some(alias) = held.alias.clone() {
            self.aliases.remove(&(kind, alias));
        }
        self.documents.remove(&name);
        self.revision += 1;
        Put::Done(Revision(self.revision))
    }
}
