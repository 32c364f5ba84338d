//! A store that is dropped ends what it has taken first: whoever opens the file next finds nobody in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chancery_store::StateStore;
use chancery_store::kit::wait;
use chancery_types::Timestamp;

use super::{Scratch, queue, record};
use crate::SqliteError;
use crate::database::Database;

const NOW: Timestamp = Timestamp::from_secs(1);

/// Something that takes a while, and notes its end.
fn long(ended: &Arc<AtomicBool>) -> impl Fn(&Database) -> Result<i64, SqliteError> + use<> {
    const COUNT: &str = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 300000)
        select count(*) from n";
    let ended = ended.clone();
    move |database| {
        let count = database.connection.query_row(COUNT, [], |row| row.get(0))?;
        ended.store(true, Ordering::SeqCst);
        Ok(count)
    }
}

/// The caller went away; the step was taken.
#[test]
fn a_step_that_nobody_waits_for_is_made_before_the_store_closes() {
    let (scratch, ended) = (Scratch::new(), Arc::default());
    let store = scratch.store();
    let batch = [record(1, &[])];
    let mut before = store.writer.step(long(&ended));
    let mut step = store.insert(NOW, &batch);
    assert!(queue(&mut before).is_pending() && queue(&mut step).is_pending());
    drop((before, step));
    drop(store);
    assert!(ended.load(Ordering::SeqCst));
    assert!(wait(scratch.store().get(NOW, batch[0].key)).unwrap().is_some());
}

#[test]
fn a_read_that_was_begun_ends_before_the_store_closes() {
    let (scratch, ended) = (Scratch::new(), Arc::default());
    let store = scratch.store();
    let mut read = store.readers.read(long(&ended));
    assert!(queue(&mut read).is_pending());
    drop(read);
    drop(store);
    assert!(ended.load(Ordering::SeqCst));
}
