//! A disk without room: each step says so, and nothing of it is there.

use chancery_store::kit::wait;
use chancery_store::{
    Change, Document, DocumentKind, DocumentStore, Record, Revision, StateStore, StoreError, StoreFuture,
    Stored,
};
use chancery_types::{Key, RealmId, Timestamp};
use rusqlite::{Connection, ffi};

use super::{Scratch, bound, queue, record};
use crate::{SqliteError, SqliteStore};

const NOW: Timestamp = Timestamp::from_secs(1);

/// Has no room in a page that is there already.
static LARGE: [u8; 100_000] = [7; 100_000];

/// What is stored under this key.
fn found(store: &SqliteStore, key: Key) -> Option<Stored> {
    wait(StateStore::get(store, NOW, key)).unwrap()
}

fn is_full<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> bool {
    matches!(&answer, Err(StoreError::Backend(error)) if error.to_string().contains("full"))
}

/// In particular it is not taken for a name that somebody else has, which would read as a replay.
#[test]
fn every_step_that_needs_room_says_that_there_is_none() {
    type Step = for<'a> fn(&'a SqliteStore, &'a [Record], Revision) -> StoreFuture<'a, String>;
    fn said<'a, T: std::fmt::Debug + Send + 'a>(step: StoreFuture<'a, T>) -> StoreFuture<'a, String> {
        Box::pin(async move { step.await.map(|answer| format!("{answer:?}")) })
    }
    let steps: [(&str, Step); 6] = [
        ("insert", |store, batch, _| said(store.insert(NOW, batch))),
        ("update with a body", |store, _, seen| {
            let change = Change { body: LARGE.into(), expires_at: Timestamp::MAX, due_at: None };
            said(store.update(NOW, record(0, &[]).key, seen, change, &[]))
        }),
        ("update with an issue", |store, batch, seen| {
            let change = Change { body: [1].into(), expires_at: Timestamp::MAX, due_at: None };
            said(store.update(NOW, record(0, &[]).key, seen, change, batch))
        }),
        ("redeem", |store, batch, _| said(store.redeem(NOW, record(0, &[]).key, batch))),
        ("revoke", |store, batch, seen| said(store.revoke(NOW, record(0, &[]).key, Some(seen), batch))),
        ("put", |store, _, _| {
            let document =
                Document { id: "d".into(), aliases: Vec::new(), body: LARGE.into(), revision: Revision(0) };
            Box::pin(async move {
                let realm = RealmId::parse("r").unwrap();
                store.put(&realm, DocumentKind::CLIENT, None, document).await.map(|put| format!("{put:?}"))
            })
        }),
    ];
    for (what, step) in steps {
        let scratch = Scratch::new();
        let store = scratch.store();
        wait(store.insert(NOW, &[record(0, &[])])).unwrap();
        let before = found(&store, record(0, &[]).key).unwrap();
        let batch = [record(1, &[]), record(2, &LARGE)];
        let pages = bound(&store, 1);
        let answer = wait(step(&store, &batch, before.revision));
        assert!(is_full(answer), "{what}");
        assert_eq!(found(&store, record(0, &[]).key), Some(before.clone()), "{what}");
        for new in &batch {
            assert_eq!(found(&store, new.key), None, "{what}");
        }
        bound(&store, pages + 1000);
        drop(wait(step(&store, &batch, before.revision)).unwrap());
    }
}

/// Steps that share a transaction with one that finds no room: none is told that it is on the disk when it is
/// not, and none is told anything but what is wrong.
#[test]
fn what_shares_a_transaction_with_a_step_without_room_is_done_or_refused() {
    for place in [0, 7, 39] {
        let scratch = Scratch::new();
        let store = scratch.store();
        let batches: Vec<[Record; 1]> =
            (0..40).map(|n| [record(n, if n == place { &LARGE } else { &[] })]).collect();
        // Room for the small ones.
        bound(&store, bound(&store, 1) + 10);
        let other = Connection::open(scratch.file()).unwrap();
        other.execute_batch("begin immediate").unwrap();
        let mut steps: Vec<_> = batches.iter().map(|batch| store.insert(NOW, batch)).collect();
        assert!(steps.iter_mut().all(|step| queue(step).is_pending()), "they wait for the lock");
        other.execute_batch("commit").unwrap();
        for (n, (step, batch)) in (0..).zip(steps.into_iter().zip(&batches)) {
            let answer = wait(step);
            let is_there = found(&store, batch[0].key).is_some();
            assert_eq!(is_there, answer.is_ok(), "{n} beside {place}");
            if n == place {
                assert!(is_full(answer), "{n}");
            } else if let Err(error) = answer {
                assert!(matches!(error, StoreError::Backend(_)), "{n} beside {place}: {error}");
            }
        }
        wait(store.insert(NOW, &[record(100, &[])])).unwrap();
    }
}

/// Somebody else at the file is a reason to come again; everything else is not.
#[test]
fn an_error_of_sqlite_says_whether_to_come_again() {
    for (code, is_busy) in [
        (ffi::SQLITE_BUSY, true),
        (ffi::SQLITE_BUSY_RECOVERY, true),
        (ffi::SQLITE_BUSY_SNAPSHOT, true),
        (ffi::SQLITE_LOCKED, true),
        (ffi::SQLITE_FULL, false),
        (ffi::SQLITE_IOERR, false),
        (ffi::SQLITE_CORRUPT, false),
        (ffi::SQLITE_READONLY, false),
        (ffi::SQLITE_CANTOPEN, false),
        (ffi::SQLITE_CONSTRAINT_UNIQUE, false),
    ] {
        let SqliteError(error) = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into();
        assert_eq!(matches!(error, StoreError::Busy), is_busy, "{code}: {error}");
        assert_eq!(matches!(error, StoreError::Backend(_)), !is_busy, "{code}: {error}");
    }
}
