//! A few threads that read, each on a connection of its own: the threads of the async runtime never wait for the disk.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use chancery_store::{Answer, Fault, StoreError};
use tokio::sync::oneshot;

use crate::SqliteError;
use crate::database::{Database, Place};

const THREADS: usize = 3;

/// How many reads may wait.
const QUEUE: usize = 1024;

type Read = Box<dyn FnOnce(&Database) + Send>;

pub(crate) struct Readers {
    /// `None` only while it is dropped: the threads end with the queue.
    queue: Option<SyncSender<Read>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(crate) fn start(place: &Place) -> Result<Self, Fault> {
        let (queue, waiting) = sync_channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut readers = Self { queue: Some(queue), threads: Vec::new() };
        for _ in 0..THREADS {
            let (database, waiting) = (Database::reading(place)?, waiting.clone());
            let thread = std::thread::Builder::new().name("store-reader".into());
            readers.threads.push(thread.spawn(move || run(&database, &waiting)).map_err(Fault::new)?);
        }
        Ok(readers)
    }

    /// Queues a read. It sees every step that was answered before.
    pub(crate) fn read<'a, T: Send + 'static>(
        &'a self,
        look: impl FnOnce(&Database) -> Result<T, SqliteError> + Send + 'static,
    ) -> Answer<'a, T> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            let read: Read = Box::new(move |database| drop(reply.send(look(database).map_err(|error| error.0))));
            match self.queue.as_ref().map(|queue| queue.try_send(read)) {
                Some(Ok(())) => answer.await.unwrap_or_else(|_| Err(ended())),
                Some(Err(TrySendError::Full(_))) => Err(StoreError::Busy),
                Some(Err(TrySendError::Disconnected(_))) | None => Err(ended()),
            }
        })
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
    Fault::new("the reading threads of the store have ended").into()
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
