//! The promises of the document store.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Barrier;

use chancery_types::RealmId;

use super::Documents;
use super::sample::realm;
use super::wait::done;
use crate::{Document, DocumentKind, DocumentStore, Put, Revision};

const ACCOUNT: DocumentKind = DocumentKind::ACCOUNT;

fn document(id: &str, alias: Option<&str>, body: &str) -> Document {
    Document { id: id.into(), alias: alias.map(Into::into), body: body.as_bytes().into(), revision: Revision(0) }
}

#[track_caller]
fn put(s: &dyn DocumentStore, seen: Option<Revision>, document: Document) -> Revision {
    let outcome = done(s.put(&realm(), ACCOUNT, seen, document));
    let Put::Done(revision) = outcome else { unreachable!("{outcome:?}") };
    revision
}

/// As it was put, with the revision that was answered.
pub fn a_document_is_found_by_id_and_alias(handles: &Documents) {
    let (one, other) = (&*handles[0], &*handles[handles.len() - 1]);
    let revision = put(one, None, document("1", Some("alice"), "body"));
    let stored = Some(Document { revision, ..document("1", Some("alice"), "body") });
    assert_eq!(done(other.get(&realm(), ACCOUNT, "1")), stored);
    assert_eq!(done(other.find(&realm(), ACCOUNT, "alice")), stored);
    assert_eq!(done(other.get(&realm(), ACCOUNT, "alice")), None);
    assert_eq!(done(other.find(&realm(), ACCOUNT, "1")), None);
    put(one, None, document("", None, ""));
    assert!(done(other.get(&realm(), ACCOUNT, "")).is_some(), "an empty id is an id");
}

/// Over what was seen; new only where nothing is.
pub fn put_is_compare_and_swap(handles: &Documents) {
    let (one, other) = (&*handles[0], &*handles[handles.len() - 1]);
    let first = put(one, None, document("1", None, "first"));
    assert_eq!(done(other.put(&realm(), ACCOUNT, None, document("1", None, "again"))), Put::Occupied);
    let second = put(other, Some(first), document("1", None, "second"));
    assert_ne!(first, second);
    assert_eq!(done(one.put(&realm(), ACCOUNT, Some(first), document("1", None, "late"))), Put::Stale);
    assert_eq!(done(one.put(&realm(), ACCOUNT, Some(first), document("2", None, "none"))), Put::Stale);
    assert_eq!(done(one.remove(&realm(), ACCOUNT, "1", first)), Put::Stale);
    assert_eq!(&*done(other.get(&realm(), ACCOUNT, "1")).unwrap().body, b"second");
    assert!(matches!(done(one.remove(&realm(), ACCOUNT, "1", second)), Put::Done(_)));
    assert_eq!(done(other.get(&realm(), ACCOUNT, "1")), None);
    assert_eq!(done(one.remove(&realm(), ACCOUNT, "1", second)), Put::Stale);
}

/// One that is taken, by what is there or by another of them, keeps all of them out.
pub fn new_documents_are_written_all_or_none(handles: &Documents) {
    let (one, other) = (&*handles[0], &*handles[handles.len() - 1]);
    let new = |ids: &[(&str, Option<&str>)]| {
        let documents = ids.iter().map(|(id, alias)| document(id, *alias, "new")).collect();
        done(one.put_new(&realm(), ACCOUNT, documents))
    };
    put(other, None, document("1", Some("alice"), "first"));
    for taken in [
        &[("2", None), ("1", None), ("3", None)][..],
        &[("2", None), ("3", Some("alice"))],
        &[("2", None), ("3", None), ("2", None)],
        &[("2", Some("bob")), ("3", Some("bob"))],
    ] {
        let before = done(one.revision(&realm()));
        assert_eq!(new(taken), Put::Occupied, "{taken:?}");
        assert_eq!(done(other.list(&realm(), ACCOUNT, None, 9)).len(), 1, "{taken:?}");
        assert_eq!(done(other.find(&realm(), ACCOUNT, "bob")), None);
        assert_eq!(done(one.revision(&realm())), before);
    }
    assert!(matches!(new(&[("2", Some("bob")), ("3", None)]), Put::Done(_)));
    let written = done(other.find(&realm(), ACCOUNT, "bob")).unwrap();
    assert!(matches!(done(one.remove(&realm(), ACCOUNT, "2", written.revision)), Put::Done(_)));
    assert!(matches!(new(&[]), Put::Done(_)));
}

/// What was seen before a removal is not what was made after it.
pub fn a_removed_document_is_not_what_was_seen(handles: &Documents) {
    let s = &*handles[0];
    let first = put(s, None, document("1", None, "first"));
    assert!(matches!(done(s.remove(&realm(), ACCOUNT, "1", first)), Put::Done(_)));
    assert_eq!(done(s.put(&realm(), ACCOUNT, Some(first), document("1", None, "late"))), Put::Stale);
    let second = put(s, None, document("1", None, "second"));
    assert_ne!(first, second);
    assert_eq!(done(s.put(&realm(), ACCOUNT, Some(first), document("1", None, "late"))), Put::Stale);
}

/// One holder at a time; free when that one is removed, or takes another.
pub fn a_documents_alias_is_unique_and_free_after(handles: &Documents) {
    let s = &*handles[0];
    let first = put(s, None, document("1", Some("alice"), "1"));
    assert_eq!(done(s.put(&realm(), ACCOUNT, None, document("2", Some("alice"), "2"))), Put::Occupied);
    assert_eq!(done(s.get(&realm(), ACCOUNT, "2")), None);
    let second = put(s, None, document("2", Some("bob"), "2"));
    assert_eq!(done(s.put(&realm(), ACCOUNT, Some(second), document("2", Some("alice"), "2"))), Put::Occupied);
    assert_eq!(&*done(s.find(&realm(), ACCOUNT, "bob")).unwrap().id, "2");
    let kept = put(s, Some(first), document("1", Some("alice"), "own alias again"));
    let renamed = put(s, Some(kept), document("1", Some("alicia"), "1"));
    assert_eq!(done(s.find(&realm(), ACCOUNT, "alice")), None);
    let third = put(s, None, document("3", Some("alice"), "3"));
    assert!(matches!(done(s.remove(&realm(), ACCOUNT, "3", third)), Put::Done(_)));
    put(s, None, document("4", Some("alice"), "4"));
    put(s, Some(renamed), document("1", None, "1"));
    put(s, None, document("5", Some("alicia"), "5"));
}

/// Bytewise by id, those after the last one seen.
pub fn documents_are_listed_in_pages(handles: &Documents) {
    let s = &*handles[0];
    let ids = ["", "1", "10", "2", "A", "a", "\u{e9}", "\u{1f600}"];
    for id in ids.iter().rev() {
        put(s, None, document(id, None, id));
    }
    for limit in [1, 3, 8, 20] {
        let mut listed: Vec<Document> = Vec::new();
        loop {
            let after = listed.last().map(|document| document.id.clone());
            let page = done(s.list(&realm(), ACCOUNT, after.as_deref(), limit));
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        assert_eq!(listed.iter().map(|document| &*document.id).collect::<Vec<_>>(), ids, "pages of {limit}");
    }
    assert_eq!(done(s.list(&realm(), DocumentKind::CLIENT, None, 9)), []);
}

/// Also for the other handle; not with what was refused, and not of another realm.
pub fn a_realms_revision_moves_with_every_write(handles: &Documents) {
    let (one, other) = (&*handles[0], &*handles[handles.len() - 1]);
    let elsewhere = RealmId::parse("elsewhere").unwrap();
    let mut seen = vec![done(other.revision(&realm()))];
    let mut moved = |expected: bool| {
        let now = done(other.revision(&realm()));
        assert_eq!(!seen.contains(&now), expected, "{now:?} after {seen:?}");
        assert!(expected || seen.last() == Some(&now));
        seen.push(now);
    };
    let first = put(one, None, document("1", Some("alice"), "1"));
    moved(true);
    let second = put(one, Some(first), document("1", Some("alice"), "1"));
    moved(true);
    assert_eq!(done(one.put(&realm(), ACCOUNT, Some(first), document("1", None, ""))), Put::Stale);
    assert_eq!(done(one.put(&realm(), ACCOUNT, None, document("2", Some("alice"), ""))), Put::Occupied);
    moved(false);
    assert!(matches!(done(one.put(&elsewhere, ACCOUNT, None, document("1", None, "1"))), Put::Done(_)));
    moved(false);
    assert!(matches!(done(one.put(&realm(), DocumentKind::CLIENT, None, document("1", None, "1"))), Put::Done(_)));
    moved(true);
    assert!(matches!(done(one.remove(&realm(), ACCOUNT, "1", second)), Put::Done(_)));
    moved(true);
}

/// The same id and alias in two realms or two kinds are two documents.
pub fn realms_and_kinds_do_not_meet(handles: &Documents) {
    let s = &*handles[0];
    let elsewhere = RealmId::parse("elsewhere").unwrap();
    let places = [(realm(), ACCOUNT), (realm(), DocumentKind::CLIENT), (elsewhere, ACCOUNT)];
    for (n, (realm, kind)) in places.iter().enumerate() {
        let outcome = done(s.put(realm, *kind, None, document("1", Some("alice"), &n.to_string())));
        assert!(matches!(outcome, Put::Done(_)));
    }
    for (n, (realm, kind)) in places.iter().enumerate() {
        assert_eq!(*done(s.get(realm, *kind, "1")).unwrap().body, *n.to_string().as_bytes());
        let found = done(s.find(realm, *kind, "alice")).unwrap();
        assert_eq!(*found.body, *n.to_string().as_bytes());
        assert_eq!(done(s.list(realm, *kind, None, 9)).len(), 1);
        assert!(matches!(done(s.remove(realm, *kind, "1", found.revision)), Put::Done(_)));
    }
}

/// Who saw the same state cannot both write over it.
pub fn of_many_puts_over_one_state_one_is_done(handles: &Documents) {
    for round in 0..8 {
        let id = round.to_string();
        let seen = put(&*handles[0], None, document(&id, None, "first"));
        let start = Barrier::new(16);
        let done_by: usize = std::thread::scope(|scope| {
            let (start, id) = (&start, &id);
            let threads: Vec<_> = (0..16)
                .map(|n| {
                    let handle = &*handles[n % handles.len()];
                    scope.spawn(move || {
                        start.wait();
                        done(handle.put(&realm(), ACCOUNT, Some(seen), document(id, None, &n.to_string())))
                    })
                })
                .collect();
            let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
            outcomes.filter(|outcome| matches!(outcome, Put::Done(_))).count()
        });
        assert_eq!(done_by, 1, "round {round}");
    }
}
