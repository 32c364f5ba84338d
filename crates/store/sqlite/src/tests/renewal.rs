//! Documents and records that are replaced in one step.

use std::sync::Arc;

use chancery_store::kit::wait;
use chancery_store::{Document, DocumentKind, DocumentStore, Put, Record, Revision, StateStore, Tags};
use chancery_types::{Key, Kind, Partition, RealmId, Timestamp};

use super::Scratch;
use crate::SqliteStore;

const NOW: Timestamp = Timestamp::from_secs(1_000);

fn realm() -> RealmId {
    RealmId::parse("r").unwrap()
}

fn record(kind: Kind, n: u8, ends: i64, parent: Option<Key>) -> Record {
    let partition = Partition([0, 0]);
    Record {
        key: Key::derive(&realm(), kind, partition, &[n]),
        alias: None,
        parent,
        tags: Tags::default(),
        expires_at: Timestamp::from_secs(ends),
        due_at: None,
        body: b"x".as_slice().into(),
    }
}

fn document(id: &str, body: &str, revision: Revision) -> Document {
    Document { id: id.into(), aliases: Vec::new(), body: body.as_bytes().into(), revision }
}

/// A store with two documents, and with records of which some are not live any more.
fn filled(scratch: &Scratch) -> (Arc<SqliteStore>, [Document; 2]) {
    let store = Arc::new(scratch.store());
    let grant = record(Kind::GRANT, 1, 2_000, None);
    let of_nobody = Some(Key::derive(&realm(), Kind::GRANT, Partition([0, 0]), &[9]));
    let records = [
        record(Kind::ACCESS_TOKEN, 1, 2_000, Some(grant.key)),
        record(Kind::ACCESS_TOKEN, 2, 2_000, of_nobody),
        record(Kind::SESSION, 1, 1_000, None),
        record(Kind::SESSION, 2, 2_000, None),
        record(Kind::REPLAY, 1, 2_000, None),
        grant,
    ];
    wait(store.insert(Timestamp::from_secs(1), &records)).unwrap();
    let documents = ["keys", "client"].map(|id| document(id, "old", Revision::NONE));
    for document in &documents {
        let put = wait(store.put(&realm(), DocumentKind::CLIENT, None, document.clone())).unwrap();
        assert!(matches!(put, Put::Done(_)));
    }
    let documents = documents.map(|document| read(&store, &document.id));
    (store, documents)
}

fn read(store: &SqliteStore, id: &str) -> Document {
    wait(DocumentStore::get(store, &realm(), DocumentKind::CLIENT, id)).unwrap().unwrap()
}

fn renewed(store: &SqliteStore, documents: &[Document]) -> Result<Put, chancery_store::StoreError> {
    let new = |seen: &Document| (DocumentKind::CLIENT, document(&seen.id, "new", seen.revision));
    wait(store.renew(&realm(), documents.iter().map(new).collect(), &[Kind::REPLAY]))
}

fn counts(store: &SqliteStore) -> Vec<(Kind, u64)> {
    wait(store.live_records(NOW)).unwrap()
}

const FULL: [(Kind, u64); 4] =
    [(Kind::ACCESS_TOKEN, 1), (Kind::GRANT, 1), (Kind::REPLAY, 1), (Kind::SESSION, 1)];

#[test]
fn documents_are_replaced_and_records_removed_together() {
    let scratch = Scratch::new();
    let (store, documents) = filled(&scratch);
    assert_eq!(counts(&store), FULL);
    assert!(matches!(renewed(&store, &documents).unwrap(), Put::Done(_)));
    assert_eq!(counts(&store), [(Kind::REPLAY, 1)]);
    for document in &documents {
        let now = read(&store, &document.id);
        assert_eq!(&*now.body, b"new");
        assert!(now.revision.0 > document.revision.0);
    }
    assert_eq!(wait(store.changes(documents[1].revision)).unwrap().now, read(&store, "client").revision);
}

/// Negative: what was changed meanwhile, and what SQLite cannot do, undoes all of it.
#[test]
fn a_part_that_fails_undoes_the_rest() {
    let scratch = Scratch::new();
    let (store, documents) = filled(&scratch);
    for document in &documents {
        let changed = Document { body: b"other".as_slice().into(), ..document.clone() };
        wait(store.put(&realm(), DocumentKind::CLIENT, Some(document.revision), changed)).unwrap();
        let now = documents.clone().map(|document| read(&store, &document.id));
        let stale = now.clone().map(|now| if now.id == document.id { document.clone() } else { now });
        assert_eq!(renewed(&store, &stale).unwrap(), Put::Stale, "{}", document.id);
        assert_eq!(documents.clone().map(|document| read(&store, &document.id)), now);
        assert_eq!(counts(&store), FULL);
    }
    let other = rusqlite::Connection::open(scratch.file()).unwrap();
    // The last of all records cannot be removed.
    let hindered = "create trigger hindered before delete on record when old.rowid = 6 begin select raise(abort, 'no'); end";
    other.execute_batch(hindered).unwrap();
    let now = documents.clone().map(|document| read(&store, &document.id));
    assert!(renewed(&store, &now).is_err());
    assert_eq!(documents.clone().map(|document| read(&store, &document.id)), now);
    assert_eq!(counts(&store), FULL);
    other.execute_batch("drop trigger hindered").unwrap();
    assert!(matches!(renewed(&store, &now).unwrap(), Put::Done(_)));
}
