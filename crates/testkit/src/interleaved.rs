//! Many tasks on one thread, in an order that a seed decides: races that can be repeated.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use chancery_store::{Change, Record, Redeemed, Revision, Revoked, StateStore, StoreFuture, Stored, Updated};
use chancery_types::{Alias, Key, Kind, Tag, Timestamp};

use crate::random::SeededRandom;

/// A task of [`race`].
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

struct Woken {
    is_ready: AtomicBool,
    thread: Thread,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.is_ready.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Waits for a future on this thread.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let woken = Arc::new(Woken { is_ready: AtomicBool::new(true), thread: std::thread::current() });
    let waker = Waker::from(Arc::clone(&woken));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Runs all tasks to their end, each time going on with one of those that can, chosen by the seed. The
/// outcomes stand in the order of the tasks.
pub fn race<T>(seed: u64, tasks: Vec<Task<'_, T>>) -> Vec<T> {
    let random = SeededRandom::new(seed);
    let woken: Vec<_> = tasks
        .iter()
        .map(|_| Arc::new(Woken { is_ready: AtomicBool::new(true), thread: std::thread::current() }))
        .collect();
    let mut outcomes: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut tasks: Vec<Option<Task<'_, T>>> = tasks.into_iter().map(Some).collect();
    while tasks.iter().any(Option::is_some) {
        let can_go_on = |n: &usize| tasks[*n].is_some() && woken[*n].is_ready.load(Ordering::SeqCst);
        let ready: Vec<usize> = (0..tasks.len()).filter(can_go_on).collect();
        if ready.is_empty() {
            std::thread::park();
            continue;
        }
        let n = *random.one_of(&ready);
        woken[n].is_ready.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&woken[n]));
        let task = tasks[n].as_mut().expect("it can go on");
        if let Poll::Ready(outcome) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
            outcomes[n] = Some(outcome);
            tasks[n] = None;
        }
    }
    outcomes.into_iter().map(|outcome| outcome.expect("every task has ended")).collect()
}

/// Lets every other task go on before each call, and keeps the bodies that are written, to be searched for
/// secrets.
pub struct Interleaved {
    behind: Arc<dyn StateStore>,
    written: Mutex<Vec<u8>>,
}

impl Interleaved {
    /// Around a store.
    #[must_use]
    pub fn new(behind: Arc<dyn StateStore>) -> Self {
        Self { behind, written: Mutex::default() }
    }

    /// Whether a text stands in any body that was written.
    #[must_use]
    pub fn has_written(&self, text: &str) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.windows(text.len()).any(|window| window == text.as_bytes())
    }

    fn keep<'r>(&self, bodies: impl Iterator<Item = &'r [u8]>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // A race of thousands of steps need not be searched.
        if written.len() < 1 << 20 {
            bodies.for_each(|body| written.extend_from_slice(body));
        }
    }
}

/// Comes back after the other tasks of a [`race`] had so many turns: one that has a shorter way starts later
/// by it.
pub async fn let_others_take(turns: u64) {
    for _ in 0..turns {
        let_others_go_on().await;
    }
}

/// Comes back after the others had their turn.
pub(crate) async fn let_others_go_on() {
    let mut was_asked = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut was_asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn bodies(batch: &[Record]) -> impl Iterator<Item = &[u8]> {
    batch.iter().map(|record| &*record.body)
}

impl StateStore for Interleaved {
    fn insert<'a>(&'a self, now: Timestamp, batch: &'a [Record]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let_others_go_on().await;
            self.keep(bodies(batch));
            self.behind.insert(now, batch).await
        })
    }

    fn get(&self, now: Timestamp, key: Key) -> StoreFuture<'_, Option<Stored>> {
        Box::pin(async move {
            let_others_go_on().await;
            self.behind.get(now, key).await
        })
    }

    fn get_by_alias(&self, now: Timestamp, alias: Alias) -> StoreFuture<'_, Option<Stored>> {
        Box::pin(async move {
            let_others_go_on().await;
            self.behind.get_by_alias(now, alias).await
        })
    }

    fn update<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Revision,
        change: Change,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Updated> {
        Box::pin(async move {
            let_others_go_on().await;
            self.keep(std::iter::once(&*change.body).chain(bodies(issue)));
            self.behind.update(now, key, seen, change, issue).await
        })
    }

    fn redeem<'a>(&'a self, now: Timestamp, key: Key, issue: &'a [Record]) -> StoreFuture<'a, Redeemed> {
        Box::pin(async move {
            let_others_go_on().await;
            self.keep(bodies(issue));
            self.behind.redeem(now, key, issue).await
        })
    }

    fn revoke<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Option<Revision>,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Revoked> {
        Box::pin(async move {
            let_others_go_on().await;
            self.keep(bodies(issue));
            self.behind.revoke(now, key, seen, issue).await
        })
    }

    fn revoke_tagged(&self, kind: Kind, tag: Tag) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let_others_go_on().await;
            self.behind.revoke_tagged(kind, tag).await
        })
    }

    fn list_tagged(
        &self,
        now: Timestamp,
        kind: Kind,
        tag: Tag,
        after: Option<Key>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>> {
        Box::pin(async move {
            let_others_go_on().await;
            self.behind.list_tagged(now, kind, tag, after, limit).await
        })
    }

    fn lease(
        &self,
        now: Timestamp,
        kind: Kind,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>> {
        Box::pin(async move {
            let_others_go_on().await;
            self.behind.lease(now, kind, until, limit).await
        })
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let_others_go_on().await;
            self.behind.sweep(now, limit).await
        })
    }
}
