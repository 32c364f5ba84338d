//! What happens while another process holds the write lock: steps wait, too many are refused, and those that
//! waited share a transaction without sharing their fate.

use std::task::Poll;

use chancery_store::kit::wait;
use chancery_store::{Record, StateStore, StoreError};
use chancery_types::Timestamp;
use rusqlite::Connection;

use super::{Scratch, queue};

const NOW: Timestamp = Timestamp::from_secs(1);

fn record(n: u32) -> Record {
    super::record(n, &[])
}

#[test]
fn what_shares_a_transaction_does_not_share_its_fate() {
    let scratch = Scratch::new();
    let store = scratch.store();
    wait(store.insert(NOW, &[record(0)])).unwrap();
    let batches: Vec<[Record; 2]> =
        (1..40).map(|n| [record(n), record(if n % 3 == 0 { 0 } else { 100 + n })]).collect();
    let other = Connection::open(scratch.file()).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let mut steps: Vec<_> = batches.iter().map(|batch| store.insert(NOW, batch)).collect();
    assert!(steps.iter_mut().all(|step| queue(step).is_pending()), "they wait for the lock");
    other.execute_batch("commit").unwrap();
    for (step, batch) in steps.into_iter().zip(&batches) {
        let good = batch[1].key != record(0).key;
        match wait(step) {
            Ok(()) => assert!(good),
            Err(error) => assert!(!good && matches!(error, StoreError::Occupied), "{error:?}"),
        }
        assert_eq!(wait(store.get(NOW, batch[0].key)).unwrap().is_some(), good);
    }
}

#[test]
fn a_full_queue_is_busy_and_loses_nothing_it_took() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let records: Vec<[Record; 1]> = (0..1000).map(|n| [record(n)]).collect();
    let other = Connection::open(scratch.file()).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let mut waiting = Vec::new();
    let mut refused = Vec::new();
    for record in &records {
        let mut step = store.insert(NOW, record);
        match queue(&mut step) {
            Poll::Pending => waiting.push((step, record[0].key)),
            Poll::Ready(Err(StoreError::Busy)) => refused.push(record[0].key),
            Poll::Ready(other) => unreachable!("{other:?}"),
        }
    }
    // 256 in the queue, and up to 256 that the writer has taken out of it already.
    assert!((256..=512).contains(&waiting.len()), "{}", waiting.len());
    assert_eq!(wait(store.get(NOW, records[0][0].key)).unwrap(), None, "reading goes on");
    other.execute_batch("commit").unwrap();
    for (step, key) in waiting {
        wait(step).unwrap();
        assert!(wait(store.get(NOW, key)).unwrap().is_some());
    }
    assert!(refused.iter().all(|key| wait(store.get(NOW, *key)).unwrap().is_none()));
}
