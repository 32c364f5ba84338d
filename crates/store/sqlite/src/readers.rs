//! Reads. A lookup by key takes some microseconds, and handing it to another thread and back takes several
//! times as long, so it is made on the spot, on the calling thread. Everything that may take longer is read
//! by a few threads, so that the async runtime's threads never wait long for the disk.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use chancery_store::{BackendError, StoreError, StoreFuture};
use tokio::sync::oneshot;

use crate::SqliteError;
use crate::damage::Damage;
use crate::database::{Database, DatabaseFile};
use crate::watch::{Watch, Work, begin};

const THREADS: usize = 2;

/// How many threads may read on the spot at once.
const ON_THE_SPOT: usize = 3;

/// A read on the spot that took longer had to wait for the disk, and so may the next ones.
const SLOW: Duration = Duration::from_millis(1);

/// How many reads go to the threads after a slow one, before one is tried on the spot again.
const AFTER_A_SLOW_ONE: u32 = 64;

/// How many reads may wait.
const QUEUE: usize = 1024;

type Read = Box<dyn FnOnce(&Database) + Send>;

pub(crate) struct Readers {
    /// The connections for reads on the spot that are not in use.
    idle: Mutex<Vec<Database>>,
    /// How many of the next reads still go to the threads.
    not_on_the_spot: AtomicU32,
    slow: Duration,
    watch: Arc<dyn Watch>,
    pub(crate) damage: Damage,
    /// `None` only while it is dropped: the threads end with the queue.
    queue: Option<SyncSender<Read>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(crate) fn start(file: &DatabaseFile, watch: Arc<dyn Watch>) -> Result<Self, BackendError> {
        Self::start_with(file, watch, SLOW)
    }

    fn start_with(file: &DatabaseFile, watch: Arc<dyn Watch>, slow: Duration) -> Result<Self, BackendError> {
        let idle =
            (0..ON_THE_SPOT).map(|_| Database::reading_without_waiting(file)).collect::<Result<_, _>>()?;
        let (queue, waiting) = sync_channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut readers = Self {
            idle: Mutex::new(idle),
            not_on_the_spot: AtomicU32::new(0),
            slow,
            watch,
            damage: Damage::default(),
            queue: Some(queue),
            threads: Vec::new(),
        };
        for _ in 0..THREADS {
            let (database, waiting) = (Database::reading(file)?, waiting.clone());
            let thread = std::thread::Builder::new().name("store-reader".into());
            readers.threads.push(thread.spawn(move || run(&database, &waiting)).map_err(BackendError::new)?);
        }
        Ok(readers)
    }

    /// Looks up something by its key. It sees every step that was answered before.
    pub(crate) fn look_up<'a, T: Send + 'static>(
        &'a self,
        look: impl Fn(&Database) -> Result<T, SqliteError> + Send + 'static,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let begun = begin();
            let found = match self.on_the_spot(&look) {
                Some(found) => found,
                None => self.on_a_thread(look).await,
            };
            self.watch.done(Work::LookUp, begun.elapsed());
            self.damage.heed(&found);
            found
        })
    }

    /// `None` when it cannot be read at once: no connection is idle, another process is recovering the file,
    /// or the disk was slow lately.
    fn on_the_spot<T>(
        &self,
        look: impl Fn(&Database) -> Result<T, SqliteError>,
    ) -> Option<Result<T, StoreError>> {
        let one_less = |left: u32| left.checked_sub(1);
        if self.not_on_the_spot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            return None;
        }
        let database = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        let begun = begin();
        let found = look(&database).map_err(|error| error.0);
        if begun.elapsed() > self.slow {
            self.not_on_the_spot.store(AFTER_A_SLOW_ONE, Ordering::Relaxed);
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(database);
        Some(found).filter(|found| !matches!(found, Err(StoreError::Busy)))
    }

    /// Reads on one of the threads. It sees every step that was answered before.
    pub(crate) fn read<'a, T: Send + 'static>(
        &'a self,
        look: impl FnOnce(&Database) -> Result<T, SqliteError> + Send + 'static,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let begun = begin();
            let found = self.on_a_thread(look).await;
            self.watch.done(Work::Read, begun.elapsed());
            self.damage.heed(&found);
            found
        })
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Database) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |database| drop(reply.send(look(database).map_err(|error| error.0))));
        match self.queue.as_ref().map(|queue| queue.try_send(read)) {
            Some(Ok(())) => answer.await.unwrap_or_else(|_| Err(ended())),
            Some(Err(TrySendError::Full(_))) => Err(StoreError::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(ended()),
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        drop(self.queue.take());
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

fn ended() -> StoreError {
    BackendError::new("the reading threads of the store have ended").into()
}

fn run(database: &Database, waiting: &Mutex<Receiver<Read>>) {
    loop {
        // The lock is held while this thread waits for work, not while it works.
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(read) => read(database),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use chancery_store::kit::wait;

    use super::*;
    use crate::tests::Scratch;
    use crate::watch::Unwatched;

    fn readers(scratch: &Scratch, slow: Duration) -> Readers {
        drop(scratch.store());
        Readers::start_with(&scratch.database_file(), Arc::new(Unwatched), slow).unwrap()
    }

    /// Whether a look-up is made on the thread of the caller.
    fn is_on_the_spot(readers: &Readers) -> bool {
        let here = std::thread::current().id();
        wait(readers.look_up(move |_| Ok(std::thread::current().id() == here))).unwrap()
    }

    #[test]
    fn a_look_up_is_made_on_the_spot_and_after_a_slow_one_elsewhere_for_a_while() {
        let scratch = Scratch::new();
        let quick = readers(&scratch, Duration::MAX);
        assert!((0..200).all(|_| is_on_the_spot(&quick)));
        let slow = readers(&scratch, Duration::ZERO);
        for _ in 0..3 {
            assert!(is_on_the_spot(&slow), "one is tried");
            assert!((0..AFTER_A_SLOW_ONE).all(|_| !is_on_the_spot(&slow)));
        }
    }

    #[test]
    fn a_look_up_without_an_idle_connection_or_on_a_busy_one_is_made_elsewhere() {
        let scratch = Scratch::new();
        let readers = readers(&scratch, Duration::MAX);
        let here = std::thread::current().id();
        let busy_here = move |_: &Database| match std::thread::current().id() == here {
            true => Err(StoreError::Busy.into()),
            false => Ok("elsewhere"),
        };
        assert_eq!(wait(readers.look_up(busy_here)).unwrap(), "elsewhere");
        assert!(is_on_the_spot(&readers), "the connection came back");
        let taken = std::mem::take(&mut *readers.idle.lock().unwrap());
        assert!(!is_on_the_spot(&readers));
        drop(taken);
    }
}
