//! Waiting for an answer on the calling thread.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use crate::{StoreError, StoreFuture};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for an answer without an async runtime.
///
/// # Errors
/// Those of the answer.
pub fn wait<T>(mut answer: StoreFuture<'_, T>) -> Result<T, StoreError> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => return outcome,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// The outcome of a step that must succeed.
#[track_caller]
pub(crate) fn done<T>(answer: StoreFuture<'_, T>) -> T {
    match wait(answer) {
        Ok(outcome) => outcome,
        #[expect(clippy::panic, reason = "a case of the kit fails by panicking")]
        Err(error) => panic!("{error}"),
    }
}
