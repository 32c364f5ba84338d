//! The cases of the document store.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Barrier;

use chancery_types::RealmId;

use super::Documents;
use super::sample::realm;
use super::wait::done;
use crate::{Changed, Changes, Document, DocumentKind, DocumentStore, Moved, Put, Revision};

const ACCOUNT: DocumentKind = DocumentKind::ACCOUNT;

fn document(id: &str, alias: Option<&str>, body: &str) -> Document {
    named(id, alias.as_slice(), body)
}

fn named(id: &str, aliases: &[&str], body: &str) -> Document {
    let aliases = aliases.iter().map(|alias| (*alias).into()).collect();
    Document { id: id.into(), aliases, body: body.as_bytes().into(), revision: Revision::NONE }
}

#[track_caller]
fn put(s: &dyn DocumentStore, seen: Option<Revision>, document: Document) -> Revision {
    let outcome = done(s.put(&realm(), ACCOUNT, seen, document));
    let Put::Done(revision) = outcome else { unreachable!("{outcome:?}") };
    revision
}

/// A document is found as it was written, with the revision that `put` returned.
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

/// A document is written over the state that was seen, and as a new one only where there is none.
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

/// If one name is taken, by a stored document or by another of the batch, none is written.
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
        let before = done(one.changes(Revision::NONE)).now;
        assert_eq!(new(taken), Put::Occupied, "{taken:?}");
        assert_eq!(done(other.list(&realm(), ACCOUNT, None, 9)).len(), 1, "{taken:?}");
        assert_eq!(done(other.find(&realm(), ACCOUNT, "bob")), None);
        assert_eq!(done(one.changes(before)), Changes { now: before, moved: Moved::These(Vec::new()) });
    }
    let before = done(one.changes(Revision::NONE)).now;
    assert!(matches!(new(&[("2", Some("bob")), ("3", None)]), Put::Done(_)));
    let changed = ["2", "3"].map(|id| Changed { realm: realm(), kind: ACCOUNT, id: id.into() });
    assert_eq!(done(other.changes(before)).moved, Moved::These(changed.into()));
    let written = done(other.find(&realm(), ACCOUNT, "bob")).unwrap();
    assert!(matches!(done(one.remove(&realm(), ACCOUNT, "2", written.revision)), Put::Done(_)));
    assert!(matches!(new(&[]), Put::Done(_)));
}

/// A revision that was seen before a removal does not fit the document that was made after it.
pub fn a_removed_document_is_not_what_was_seen(handles: &Documents) {
    let s = &*handles[0];
    let first = put(s, None, document("1", None, "first"));
    assert!(matches!(done(s.remove(&realm(), ACCOUNT, "1", first)), Put::Done(_)));
    assert_eq!(done(s.put(&realm(), ACCOUNT, Some(first), document("1", None, "late"))), Put::Stale);
    let second = put(s, None, document("1", None, "second"));
    assert_ne!(first, second);
    assert_eq!(done(s.put(&realm(), ACCOUNT, Some(first), document("1", None, "late"))), Put::Stale);
}

/// An alias has one holder at a time; it is free when the holder is removed or takes another.
pub fn a_documents_alias_is_unique_and_free_after(handles: &Documents) {
    let s = &*handles[0];
    let first = put(s, None, document("1", Some("alice"), "1"));
    assert_eq!(done(s.put(&realm(), ACCOUNT, None, document("2", Some("alice"), "2"))), Put::Occupied);
    assert_eq!(done(s.get(&realm(), ACCOUNT, "2")), None);
    let second = put(s, None, document("2", Some("bob"), "2"));
    assert_eq!(
        done(s.put(&realm(), ACCOUNT, Some(second), document("2", Some("alice"), "2"))),
        Put::Occupied
    );
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

/// Pages are in the bytewise order of ids, and each begins after the last id of the one before.
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

/// A document gets all of its aliases or none: if one belongs to another document, the others are not taken
/// either.
pub fn a_document_has_several_aliases(handles: &Documents) {
    let (one, other) = (&*handles[0], &*handles[handles.len() - 1]);
    let first = put(one, None, named("1", &["b", "a", "c"], "1"));
    let stored = Document { revision: first, ..named("1", &["b", "a", "c"], "1") };
    for alias in ["a", "b", "c"] {
        assert_eq!(done(other.find(&realm(), ACCOUNT, alias)).as_ref(), Some(&stored), "{alias}");
    }
    assert_eq!(done(other.list(&realm(), ACCOUNT, None, 1)), [stored]);
    for taken in [&["x", "c"][..], &["a", "y"], &["z", "b", "w"]] {
        assert_eq!(
            done(other.put(&realm(), ACCOUNT, None, named("2", taken, "2"))),
            Put::Occupied,
            "{taken:?}"
        );
    }
    let second = put(other, None, named("2", &["x", "y", "z", "w", "w"], "2"));
    assert_eq!(done(one.put(&realm(), ACCOUNT, Some(second), named("2", &["v", "a"], "2"))), Put::Occupied);
    assert!(done(one.find(&realm(), ACCOUNT, "v")).is_none());
    assert_eq!(
        &*done(one.find(&realm(), ACCOUNT, "x")).unwrap().id,
        "2",
        "what was refused takes nothing away"
    );
    // The aliases that a document gives up are free, and those that it keeps are not.
    let changed = put(one, Some(first), named("1", &["c", "d"], "1"));
    put(other, None, named("3", &["a", "b"], "3"));
    assert_eq!(done(other.put(&realm(), ACCOUNT, None, named("4", &["d"], "4"))), Put::Occupied);
    assert!(matches!(done(one.remove(&realm(), ACCOUNT, "1", changed)), Put::Done(_)));
    put(other, None, named("4", &["c", "d"], "4"));
}

/// Of many documents that take one alias at the same moment under ids of their own, one gets it.
pub fn of_many_new_documents_of_one_alias_one_is_done(handles: &Documents) {
    for round in 0..8 {
        let start = Barrier::new(16);
        let done_by: usize = std::thread::scope(|scope| {
            let start = &start;
            let threads: Vec<_> = (0..16)
                .map(|n| {
                    let handle = &*handles[n % handles.len()];
                    scope.spawn(move || {
                        start.wait();
                        let (id, own, both) =
                            (format!("{round}-{n}"), format!("own-{round}-{n}"), format!("both-{round}"));
                        done(handle.put(&realm(), ACCOUNT, None, named(&id, &[&own, &both], "")))
                    })
                })
                .collect();
            let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
            outcomes.filter(|outcome| matches!(outcome, Put::Done(_))).count()
        });
        assert_eq!(done_by, 1, "round {round}");
    }
}

/// Every handle learns each write in each realm by the document's name, and nothing of refused ones.
pub fn changes_name_what_was_written(handles: &Documents) {
    let (one, other) = (&*handles[0], &*handles[handles.len() - 1]);
    let elsewhere = RealmId::parse("elsewhere").unwrap();
    let mut since = done(other.changes(Revision::NONE)).now;
    let mut moved = |expected: &[(&RealmId, DocumentKind, &str)]| {
        let changes = done(other.changes(since));
        let named = |(realm, kind, id): &(&RealmId, DocumentKind, &str)| Changed {
            realm: (*realm).clone(),
            kind: *kind,
            id: (*id).into(),
        };
        assert_eq!(changes.moved, Moved::These(expected.iter().map(named).collect()));
        assert_eq!(changes.now == since, expected.is_empty());
        since = changes.now;
    };
    moved(&[]);
    let first = put(one, None, document("1", Some("alice"), "1"));
    moved(&[(&realm(), ACCOUNT, "1")]);
    moved(&[]);
    let second = put(one, Some(first), document("1", Some("alice"), "1"));
    assert!(matches!(done(one.put(&elsewhere, ACCOUNT, None, document("9", None, "1"))), Put::Done(_)));
    assert!(matches!(
        done(one.put(&realm(), DocumentKind::CLIENT, None, document("", None, "1"))),
        Put::Done(_)
    ));
    moved(&[(&realm(), ACCOUNT, "1"), (&elsewhere, ACCOUNT, "9"), (&realm(), DocumentKind::CLIENT, "")]);
    assert_eq!(done(one.put(&realm(), ACCOUNT, Some(first), document("1", None, ""))), Put::Stale);
    assert_eq!(done(one.put(&realm(), ACCOUNT, None, document("1", None, ""))), Put::Occupied);
    assert_eq!(done(one.put(&realm(), ACCOUNT, None, document("2", Some("alice"), ""))), Put::Occupied);
    assert_eq!(done(one.remove(&realm(), ACCOUNT, "1", first)), Put::Stale);
    assert_eq!(done(one.remove(&realm(), ACCOUNT, "none", first)), Put::Stale);
    moved(&[]);
    assert!(matches!(done(one.remove(&realm(), ACCOUNT, "1", second)), Put::Done(_)));
    moved(&[(&realm(), ACCOUNT, "1")]);
}

/// A caller that has not asked for so long that some writes are forgotten, or that names a revision that the
/// store has not reached, learns that any document may have changed, never too few of them.
pub fn changes_that_are_not_all_remembered_are_any(handles: &Documents) {
    let s = &*handles[0];
    let Changes { now: before, .. } = done(s.changes(Revision::NONE));
    let mut seen = put(s, None, document("first", None, ""));
    for written in 1..=3_000 {
        match done(s.changes(before)).moved {
            Moved::Any => break,
            Moved::These(these) => assert_eq!(these.len(), written, "nothing is left out"),
        }
        assert!(written < 3_000, "the store remembers without a bound");
        seen = put(s, Some(seen), document("first", None, ""));
    }
    let now = done(s.changes(before)).now;
    assert_eq!(done(s.changes(now)), Changes { now, moved: Moved::These(Vec::new()) });
    for unheard_of in [now.0 + 1, u64::MAX / 2, u64::MAX] {
        assert_eq!(done(s.changes(Revision(unheard_of))), Changes { now, moved: Moved::Any });
    }
}

/// The same id and alias in two realms or of two kinds name two documents.
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

/// Two callers that saw the same state cannot both write over it.
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
