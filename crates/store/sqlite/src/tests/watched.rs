//! Who watches hears of all work, and what waits is counted.

use std::sync::Mutex;
use std::time::Duration;

use chancery_store::StateStore as _;
use chancery_store::kit::wait;

use super::*;
use crate::{Watch, Work};

#[derive(Default)]
struct Heard(Mutex<Vec<Work>>);

impl Watch for Heard {
    fn done(&self, work: Work, _: Duration) {
        self.0.lock().unwrap().push(work);
    }
}

#[test]
fn whoever_watches_hears_of_all_work() {
    let (scratch, heard) = (Scratch::new(), Arc::new(Heard::default()));
    let store = SqliteStore::open_watched(&scratch.file(), heard.clone()).unwrap();
    let of = |work: StoreFuture<'_, ()>| {
        wait(work).unwrap();
        std::mem::take(&mut *heard.0.lock().unwrap())
    };
    assert_eq!(of(store.check_write()), [Work::Commit, Work::Step]);
    assert_eq!(of(store.check_file()), [Work::Read]);
    let key = record(1, b"").key;
    let look_up = async { store.get(Timestamp::from_secs(0), key).await.map(drop) };
    assert_eq!(of(Box::pin(look_up)), [Work::LookUp]);
    assert_eq!(store.steps_waiting(), 0);
}

/// While somebody else writes to the file, steps wait; afterwards none does, also if they failed.
#[test]
fn what_waits_is_counted() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let other = rusqlite::Connection::open(scratch.file()).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let mut steps: Vec<_> = (0..3).map(|_| store.check_write()).collect();
    let mut context = Context::from_waker(Waker::noop());
    assert!(steps.iter_mut().all(|step| step.as_mut().poll(&mut context).is_pending()));
    assert_eq!(store.steps_waiting(), 3);
    other.execute_batch("rollback").unwrap();
    for step in steps {
        wait(step).unwrap();
    }
    assert_eq!(store.steps_waiting(), 0);
}
