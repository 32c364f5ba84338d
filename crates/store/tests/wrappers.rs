//! The wrappers that the tests of the engine put around a store.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use chancery_store::kit::{Counting, Failing, Method, wait};
use chancery_store::{Record, Redeemed, StateStore, StoreError, Tags};
use chancery_store_memory::MemoryStore;
use chancery_types::{Key, Kind, Partition, RealmId, Timestamp};

const NOW: Timestamp = Timestamp::from_secs(1);

fn record(partition: [u8; 2], id: &[u8]) -> Record {
    Record {
        key: Key::derive(&RealmId::parse("r").unwrap(), Kind::GRANT, Partition(partition), id),
        alias: None,
        parent: None,
        tags: Tags::default(),
        expires_at: Timestamp::MAX,
        due_at: None,
        body: Box::new([]),
    }
}

#[test]
fn trips_are_counted_by_method() {
    let s = Counting::new(Arc::new(MemoryStore::new()));
    let one = record([0, 0], b"1");
    wait(s.insert(NOW, std::slice::from_ref(&one))).unwrap();
    wait(s.get(NOW, one.key)).unwrap();
    wait(s.get(NOW, one.key)).unwrap();
    assert_eq!((s.of(Method::Insert), s.of(Method::Get), s.of(Method::Redeem)), (1, 2, 0));
    assert_eq!((s.total(), s.writes()), (3, 1));
    s.reset();
    assert_eq!(s.total(), 0);
}

/// Whatever the store behind would say.
#[test]
fn a_step_over_two_partitions_fails() {
    let behind: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let s = Counting::new(behind);
    let two = [record([0, 0], b"1"), record([0, 1], b"2")];
    assert!(matches!(wait(s.insert(NOW, &two)), Err(StoreError::Misused(_))));
    assert!(matches!(wait(s.redeem(NOW, two[0].key, &two[1..])), Err(StoreError::Misused(_))));
}

#[test]
fn one_call_fails_and_does_nothing() {
    let s = Failing::new(Arc::new(MemoryStore::new()));
    let one = record([0, 0], b"1");
    s.fail_at(2);
    wait(s.insert(NOW, std::slice::from_ref(&one))).unwrap();
    assert!(matches!(wait(s.redeem(NOW, one.key, &[])), Err(StoreError::Backend(_))));
    assert_eq!(wait(s.redeem(NOW, one.key, &[])).unwrap(), Redeemed::First);
    assert_eq!(s.calls(), 3);
}
