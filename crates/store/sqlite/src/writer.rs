//! The one thread that writes. It puts all waiting steps into one transaction and answers them after its
//! commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use chancery_store::{BackendError, StoreError, StoreFuture};
use rusqlite::ErrorCode;
use tokio::sync::oneshot;

use crate::SqliteError;
use crate::damage::{Damage, not_committed};
use crate::database::Database;
use crate::identity::Lost;
use crate::watch::{Watch, Work, begin};

/// How many steps may wait, and how many share a transaction.
const QUEUE: usize = 256;

/// When several steps come at the same time, a group waits for more of them for this part of the time that
/// the last commit took. Waiting for the disk costs more than everything else about a step.
const GATHERING: u32 = 4;

/// A shorter wait costs more than it saves.
const SHORTEST_GATHERING: Duration = Duration::from_micros(200);

/// A disk that stood still once does not make later groups wait longer than this.
const LONGEST_GATHERING: Duration = Duration::from_millis(2);

pub(crate) struct Writer {
    /// `None` only while it is dropped: the thread ends with the queue.
    queue: Option<SyncSender<Box<dyn Step>>>,
    thread: Option<JoinHandle<()>>,
    /// How many steps are queued or being committed.
    waiting: Arc<AtomicUsize>,
    watch: Arc<dyn Watch>,
    pub(crate) damage: Damage,
    /// While it is so, no step is queued.
    pub(crate) lost: Lost,
}

impl Writer {
    pub(crate) fn start(database: Database, watch: Arc<dyn Watch>) -> Result<Self, BackendError> {
        let (queue, queued) = sync_channel(QUEUE);
        let waiting = Arc::new(AtomicUsize::new(0));
        let thread = std::thread::Builder::new().name("store-writer".into());
        let of_thread = (waiting.clone(), watch.clone());
        let thread = thread.spawn(move || run(&database, &queued, of_thread)).map_err(BackendError::new)?;
        let (damage, lost) = (Damage::default(), Lost::default());
        Ok(Self { queue: Some(queue), thread: Some(thread), waiting, watch, damage, lost })
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Queues a step, which is done wholly or not at all, and waits until it is on the disk.
    pub(crate) fn step<'a, T: Send + 'static>(
        &'a self,
        work: impl Fn(&Database) -> Result<T, SqliteError> + Send + 'static,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            self.lost.check()?;
            let begun = begin();
            let (reply, answer) = oneshot::channel();
            let step = Box::new(Waiting { work, outcome: Err(StoreError::Busy), reply });
            self.waiting.fetch_add(1, Ordering::Relaxed);
            let queued = self.queue.as_ref().map(|queue| queue.try_send(step));
            if !matches!(queued, Some(Ok(()))) {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
            }
            let outcome = match queued {
                Some(Ok(())) => answer.await.unwrap_or_else(|_| Err(ended())),
                Some(Err(TrySendError::Full(_))) => Err(StoreError::Busy),
                Some(Err(TrySendError::Disconnected(_))) | None => Err(ended()),
            };
            self.watch.done(Work::Step, begun.elapsed());
            self.damage.heed(&outcome);
            outcome
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // It ends when the queue is empty. If it panicked, the waiting callers have got an error.
            drop(thread.join());
        }
    }
}

fn ended() -> StoreError {
    BackendError::new("the thread of the store has ended").into()
}

fn run(
    database: &Database,
    queued: &Receiver<Box<dyn Step>>,
    (waiting, watch): (Arc<AtomicUsize>, Arc<dyn Watch>),
) {
    let (mut before, mut took) = (0, Duration::ZERO);
    while let Ok(first) = queued.recv() {
        let mut group = vec![first];
        group.extend(queued.try_iter().take(QUEUE - 1));
        // A client that was just answered may be about to come again; otherwise it would wait for two
        // commits.
        let gathering = (took / GATHERING).min(LONGEST_GATHERING);
        if before.max(group.len()) > 1 && gathering >= SHORTEST_GATHERING {
            std::thread::sleep(gathering);
            group.extend(queued.try_iter().take(QUEUE - group.len()));
        }
        let begun = begin();
        let committed = commit(database, &mut group);
        (before, took) = (group.len(), begun.elapsed());
        watch.done(Work::Commit, took);
        waiting.fetch_sub(before, Ordering::Relaxed);
        for step in group {
            step.answer(committed.as_ref().err());
        }
    }
}

fn commit(database: &Database, group: &mut [Box<dyn Step>]) -> rusqlite::Result<()> {
    let run = |text: &str| database.connection.prepare_cached(text)?.execute([]).map(drop);
    // After some errors (a full disk) SQLite has rolled back by itself.
    let rollback = || if database.connection.is_autocommit() { Ok(()) } else { run("rollback") };
    run(&database.sql.begin)?;
    // Hardly any step fails. So none has a savepoint, for which SQLite would copy each page that the step
    // changes.
    let done = if group.iter_mut().all(|step| step.make(database)) {
        run("commit")
    } else {
        rollback()?;
        match group {
            [_alone] => return Ok(()),
            several => apart(database, several).and_then(|()| run("commit")),
        }
    };
    if done.is_err() {
        rollback()?;
    }
    done
}

/// Does the steps of a group in which one has failed: each of them stays or is undone by itself.
fn apart(database: &Database, group: &mut [Box<dyn Step>]) -> rusqlite::Result<()> {
    let run = |text: &str| database.connection.prepare_cached(text)?.execute([]).map(drop);
    run(&database.sql.begin)?;
    group.iter_mut().try_for_each(|step| {
        run("savepoint step")?;
        if !step.make(database) {
            run("rollback to step")?;
        }
        run("release step")
    })
}

/// A step of any type in the queue.
trait Step: Send {
    /// Does the step, or does it once more after it was undone, and returns whether it is to be committed.
    fn make(&mut self, database: &Database) -> bool;
    /// Answers with the outcome, or with the reason why the transaction was not committed.
    fn answer(self: Box<Self>, failed: Option<&rusqlite::Error>);
}

struct Waiting<W, T> {
    work: W,
    outcome: Result<T, StoreError>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, W: Fn(&Database) -> Result<T, SqliteError> + Send> Step for Waiting<W, T> {
    fn make(&mut self, database: &Database) -> bool {
        self.outcome = (self.work)(database).map_err(|error| error.0);
        self.outcome.is_ok()
    }

    fn answer(self: Box<Self>, failed: Option<&rusqlite::Error>) {
        let outcome = match (self.outcome, failed) {
            // The error of a step that met a full disk says more than that of the commit after it.
            (outcome, None) | (outcome @ Err(StoreError::Backend(_)), _) => outcome,
            (_, Some(error)) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                Err(StoreError::Busy)
            }
            (_, Some(error)) => Err(not_committed(error).into()),
        };
        // If the caller was dropped, nobody is listening; the step stands all the same.
        drop(self.reply.send(outcome));
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    /// A step is told its own outcome only when the transaction was committed, or when the outcome is why it
    /// was not.
    #[test]
    fn what_was_not_committed_is_told_to_nobody_as_done() {
        const NOT_COMMITTED: &str = "the store failed: not committed: ";
        let disk = || StoreError::from(BackendError::new("its own"));
        for (outcome, failed, told) in [
            (Ok(7), None, "7"),
            (Ok(7), Some(ffi::SQLITE_BUSY), "the store is busy"),
            (Ok(7), Some(ffi::SQLITE_BUSY_SNAPSHOT), "the store is busy"),
            (Ok(7), Some(ffi::SQLITE_FULL), NOT_COMMITTED),
            (Ok(7), Some(ffi::SQLITE_IOERR), NOT_COMMITTED),
            (Err(StoreError::Occupied), None, "a key or an alias is taken"),
            (Err(StoreError::Occupied), Some(ffi::SQLITE_BUSY), "the store is busy"),
            (Err(StoreError::Occupied), Some(ffi::SQLITE_FULL), NOT_COMMITTED),
            // The queue's own, when the transaction could not begin.
            (Err(StoreError::Busy), Some(ffi::SQLITE_BUSY), "the store is busy"),
            (Err(StoreError::Busy), Some(ffi::SQLITE_CORRUPT), NOT_COMMITTED),
            (Err(disk()), None, "the store failed: its own"),
            (Err(disk()), Some(ffi::SQLITE_FULL), "the store failed: its own"),
            (Err(disk()), Some(ffi::SQLITE_BUSY), "the store failed: its own"),
        ] {
            let case = format!("{outcome:?}, {failed:?}");
            let failed = failed.map(|code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            let (reply, mut answer) = oneshot::channel();
            let work = |_: &Database| -> Result<u8, SqliteError> { unreachable!() };
            Box::new(Waiting { work, outcome, reply }).answer(failed.as_ref());
            let said = match answer.try_recv().unwrap() {
                Ok(done) => done.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(said.starts_with(told), "{case}: {said}");
        }
    }
}
