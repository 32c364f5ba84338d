//! Threads that hash passwords: few, so that memory is bounded, with a short queue, so that nobody waits for
//! long.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use chancery_core::error::Fault;
use chancery_core::ports::Browser;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::password::HashingMemory;

type Work = Box<dyn FnOnce(&mut HashingMemory) + Send>;

/// A bounded number of threads with a bounded queue. Each hash takes some 30 ms, so two threads and a queue
/// of 32 either answer within half a second or refuse at once.
///
/// Each thread allocates 19 MiB for its first password and reuses them for the next ones. A pool that is not
/// used costs no memory, and one of two threads costs 38 MiB at most.
///
/// Dropping the pool waits for the queued hashes.
pub struct PasswordPool {
    /// `None` only while it is dropped: the threads end with the queue.
    queue: Option<SyncSender<Work>>,
    threads: Vec<JoinHandle<()>>,
    /// One permit for each password that may be hashed or queued.
    permits: Arc<Semaphore>,
    /// How many permits there are.
    room: usize,
    /// How many of these may be held for browsers that nobody knows: three quarters. Strangers who guess from
    /// many networks at once then leave room for those who have signed in before.
    of_strangers: Arc<Semaphore>,
}

/// Permission to hash one password, held from before the throttle counts the attempt until the hash is done.
pub(crate) struct Permit {
    _of_all: OwnedSemaphorePermit,
    _of_strangers: Option<OwnedSemaphorePermit>,
}

/// How busy the hashing of passwords is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingLoad {
    /// How many passwords are being hashed or wait for it.
    pub taken: usize,
    /// How many there may be.
    pub room: usize,
}

/// The queue is full. The client is asked to come back later (503, RFC 9110 section 15.6.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("too many passwords are waiting to be hashed; try again")
    }
}

impl std::error::Error for Full {}

chancery_types::debug_as_display!(Full);

impl PasswordPool {
    /// Starts the threads; `queue` is the number of passwords that may wait.
    ///
    /// # Errors
    /// A fault when the operating system gives no thread.
    pub fn start(threads: NonZeroUsize, queue: usize) -> Result<Self, Fault> {
        let room = threads.get().saturating_add(queue).min(Semaphore::MAX_PERMITS);
        // The channel holds one entry per permit, so a caller with a permit always finds room in it.
        let (sender, receiver) = sync_channel::<Work>(room);
        let receiver = Arc::new(Mutex::new(receiver));
        let of_strangers = Arc::new(Semaphore::new(room - room / 4));
        let permits = Arc::new(Semaphore::new(room));
        let mut pool = Self { queue: Some(sender), threads: Vec::new(), permits, room, of_strangers };
        for _ in 0..threads.get() {
            let receiver = receiver.clone();
            let thread = Builder::new().name("password".into()).spawn(move || run(&receiver));
            pool.threads.push(thread.map_err(|error| {
                Fault::internal(format!("a password thread could not be started: {error}"))
            })?);
        }
        Ok(pool)
    }

    pub(crate) fn load(&self) -> HashingLoad {
        HashingLoad { taken: self.room.saturating_sub(self.permits.available_permits()), room: self.room }
    }

    /// Permission to hash one password.
    ///
    /// # Errors
    /// [`Full`] when too many are waiting.
    pub(crate) fn acquire(&self, browser: Browser) -> Result<Permit, Full> {
        let one_of = |permits: &Arc<Semaphore>| Arc::clone(permits).try_acquire_owned().map_err(|_| Full);
        let of_strangers = match browser {
            Browser::Known => None,
            Browser::Unknown => Some(one_of(&self.of_strangers)?),
        };
        Ok(Permit { _of_all: one_of(&self.permits)?, _of_strangers: of_strangers })
    }

    /// Does the work on one of the threads. The permit is released when it is done, even if the caller is
    /// gone by then.
    ///
    /// # Errors
    /// [`Full`] when the pool is ending, or the work panicked.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        permit: impl Send + 'static,
        work: impl FnOnce(&mut HashingMemory) -> T + Send + 'static,
    ) -> Result<T, Full> {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(Full)?;
        let work = Box::new(move |memory: &mut HashingMemory| {
            // The caller may be gone by now.
            let result = if answer.is_closed() { None } else { Some(work(memory)) };
            // This comes before the answer, so that the caller who gets it can acquire the permit again.
            drop(permit);
            if let Some(result) = result {
                let _gone = answer.send(result);
            }
        });
        queue.try_send(work).map_err(|_| Full)?;
        answered.await.map_err(|_| Full)
    }
}

fn run(queue: &Mutex<Receiver<Work>>) {
    let mut memory = HashingMemory::default();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            // The caller sees that no answer comes, and the panic hook has reported why.
            Ok(work) => drop(catch_unwind(AssertUnwindSafe(|| work(&mut memory)))),
            Err(_) => return,
        }
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _panicked = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc::channel;
    use std::task::{Context, Waker};

    use zeroize::Zeroizing;

    use super::*;
    use crate::Password;
    use crate::password::DUMMY_HASH;

    /// However many strangers come, a quarter of the room is for browsers that are known.
    #[test]
    fn strangers_leave_room_for_known_browsers() {
        let pool = PasswordPool::start(NonZeroUsize::MIN, 7).unwrap();
        let strangers: Vec<_> = (0..100).filter_map(|_| pool.acquire(Browser::Unknown).ok()).collect();
        let known: Vec<_> = (0..100).filter_map(|_| pool.acquire(Browser::Known).ok()).collect();
        assert_eq!((strangers.len(), known.len()), (6, 2));
        assert_eq!(pool.load(), HashingLoad { taken: 8, room: 8 });
        drop(strangers);
        assert_eq!(pool.load(), HashingLoad { taken: 2, room: 8 });
        assert!(pool.acquire(Browser::Unknown).is_ok(), "what was given back can be taken again");
        let known: Vec<_> =
            known.into_iter().chain((0..100).filter_map(|_| pool.acquire(Browser::Known).ok())).collect();
        assert_eq!(known.len(), 8, "known browsers may take all of it");
        assert!(pool.acquire(Browser::Unknown).is_err());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let pool = PasswordPool::start(NonZeroUsize::MIN, 1).unwrap();
        let (started, has_started) = channel();
        let (go_on, may_go_on) = channel::<()>();
        let mut running = pin!(pool.work(pool.acquire(Browser::Known).unwrap(), move |_| {
            started.send(()).unwrap();
            may_go_on.recv().unwrap();
            1
        }));
        let mut waiting = pin!(pool.work(pool.acquire(Browser::Known).unwrap(), |_| 2));
        let mut context = Context::from_waker(Waker::noop());
        assert!(running.as_mut().poll(&mut context).is_pending());
        has_started.recv().unwrap();
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        assert!(pool.acquire(Browser::Known).is_err());
        go_on.send(()).unwrap();
        assert_eq!((running.await, waiting.await), (Ok(1), Ok(2)));
        assert!(pool.acquire(Browser::Known).is_ok());
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_not_the_thread() {
        let pool = PasswordPool::start(NonZeroUsize::MIN, 4).unwrap();
        assert_eq!(
            pool.work(pool.acquire(Browser::Known).unwrap(), |_| -> i32 { panic!("on purpose") }).await,
            Err(Full)
        );
        for _ in 0..10 {
            assert_eq!(pool.work(pool.acquire(Browser::Known).unwrap(), |_| 1).await, Ok(1));
        }
    }

    /// If each login allocated new memory, the process would grow.
    #[tokio::test]
    async fn the_second_password_of_a_thread_takes_no_memory() {
        let pool = PasswordPool::start(NonZeroUsize::MIN, 4).unwrap();
        let taken = async || {
            let work = |memory: &mut HashingMemory| {
                let password = Password::new(Zeroizing::new("correct horse".to_owned()));
                allocation_counter::measure(|| assert!(!password.is_of(DUMMY_HASH, memory))).bytes_total
            };
            pool.work(pool.acquire(Browser::Known).unwrap(), work).await.unwrap()
        };
        let (first, second) = (taken().await, taken().await);
        assert!(first >= 19 << 20, "the first takes the blocks: {first} bytes");
        assert_eq!(second, 0, "the second takes none");
    }
}
