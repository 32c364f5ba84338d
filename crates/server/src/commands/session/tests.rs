use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use chancery_accounts::{NewPerson, Password, PasswordPool, StoredAccounts, Username};
use chancery_core::documents::Documents;
use chancery_core::model::Claims;
use chancery_jose::SystemRandom;
use chancery_store::{Changes, Document, DocumentKind, DocumentStore, Put, Revision, StoreFuture};
use chancery_store_memory::MemoryStore;
use chancery_types::{Issuer, RealmId};

use super::*;

#[test]
fn the_machine_itself_is_called_so() {
    for (network, expected) in [
        (Some("::/64"), "this machine"),
        (Some("127.0.0.1"), "this machine"),
        (Some("203.0.113.7"), "203.0.113.7"),
        (None, ""),
    ] {
        let network = network.map(Into::into);
        assert_eq!(from(&Place { network, ..Place::default() }), expected);
    }
}

/// As if somebody else had written a document just before, so many times.
struct Contended {
    behind: MemoryStore,
    times: Mutex<HashMap<String, usize>>,
}

impl DocumentStore for Contended {
    fn get<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
    ) -> StoreFuture<'a, Option<Document>> {
        DocumentStore::get(&self.behind, realm, kind, id)
    }

    fn find<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        alias: &'a str,
    ) -> StoreFuture<'a, Option<Document>> {
        self.behind.find(realm, kind, alias)
    }

    fn put<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> StoreFuture<'a, Put> {
        if let Some(left) = self.times.lock().unwrap().get_mut(&*document.id)
            && *left > 0
        {
            *left -= 1;
            return Box::pin(async { Ok(Put::Stale) });
        }
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
        DocumentStore::remove(&self.behind, realm, kind, id, seen)
    }

    fn list<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Document>> {
        DocumentStore::list(&self.behind, realm, kind, after, limit)
    }

    fn changes(&self, since: Revision) -> StoreFuture<'_, Changes> {
        self.behind.changes(since)
    }
}

/// Somebody who is changed meanwhile is tried again, and does not keep the others from being signed out.
#[tokio::test]
async fn whoever_is_changed_meanwhile_is_tried_again_and_named_when_that_is_in_vain() {
    let (issuer, realm) = (Issuer::parse("https://id.example").unwrap(), RealmId::parse("main").unwrap());
    let settings = Settings::on(issuer, realm, Vec::new());
    let mut opened = crate::parts::open(&settings).unwrap();
    opened.first_keys(&settings).await.unwrap();
    let store = Arc::new(Contended { behind: MemoryStore::new(), times: Mutex::default() });
    let pool = PasswordPool::start(NonZeroUsize::MIN, 3).unwrap();
    let accounts = StoredAccounts::new(Documents::new(store.clone()), pool, Arc::new(SystemRandom));
    let mut people = Vec::new();
    for (name, times) in [("alice", ATTEMPTS - 1), ("bob", ATTEMPTS), ("carol", 0)] {
        let username = Username::parse(name).unwrap();
        let password = Password::new("correct horse".to_owned().into());
        let new = NewPerson { username, password, claims: Claims::default(), id: None };
        let person = accounts.add(&settings.realm, new).await.unwrap();
        store.times.lock().unwrap().insert(person.id.as_str().to_owned(), times);
        people.push(person);
    }
    opened.accounts = Arc::new(accounts);
    let end = || async {
        let mut ended = Ended { with_grants: true, ..Ended::default() };
        for person in &people {
            ended.ends_all(&settings, &opened, person).await.unwrap();
        }
        ended
    };
    let ended = end().await;
    assert_eq!(ended.left, ["bob"]);
    assert!(ended.print(None, Form::Text).ends_with("has ended but for bob\n"));
    let said = ended.said(None, Form::Text).unwrap_err();
    assert!(said.contains("goes on for bob, whom") && said.contains("the same command once more"), "{said}");
    for person in &people {
        let now = opened.accounts.person(&settings.realm, &person.username).await.unwrap();
        assert_eq!(now.epoch != person.epoch, person.username.as_str() != "bob");
    }
    let again = end().await;
    assert!(again.left.is_empty() && again.said(None, Form::Text).is_ok());
}
