//! A store that fails at a chosen call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chancery_types::Key;

use super::Method;
use super::around::Around;
use crate::{BackendError, Record, StateStore, StoreError};

/// Fails one call, which then has no effect; all other calls go to the wrapped store.
pub struct Failing {
    behind: Arc<dyn StateStore>,
    calls: AtomicU64,
    fails_at: AtomicU64,
}

impl Failing {
    /// Wraps a store; no call fails until [`Self::fail_at`].
    #[must_use]
    pub fn new(behind: Arc<dyn StateStore>) -> Self {
        Self { behind, calls: AtomicU64::new(0), fails_at: AtomicU64::new(0) }
    }

    /// Lets only the `n`-th call from now on fail; the next call is the first. With 0, none fails.
    pub fn fail_at(&self, n: u64) {
        self.calls.store(0, Ordering::SeqCst);
        self.fails_at.store(n, Ordering::SeqCst);
    }

    /// The number of calls since [`Self::fail_at`].
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Around for Failing {
    fn admit(&self, _: Method, _: Option<Key>, _: &[Record]) -> Result<&dyn StateStore, StoreError> {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.fails_at.load(Ordering::SeqCst) {
            return Err(BackendError::new("told to fail").into());
        }
        Ok(&*self.behind)
    }
}
