//! A store that breaks at a chosen call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chancery_types::Key;

use super::Method;
use super::around::Around;
use crate::{BackendError, Record, StateStore, StoreError};

/// Answers one call with a fault and does nothing then; all others go to the store behind.
pub struct Failing {
    behind: Arc<dyn StateStore>,
    calls: AtomicU64,
    fails_at: AtomicU64,
}

impl Failing {
    /// Around a store; fails nothing until it is told to.
    #[must_use]
    pub fn new(behind: Arc<dyn StateStore>) -> Self {
        Self { behind, calls: AtomicU64::new(0), fails_at: AtomicU64::new(0) }
    }

    /// Lets the `n`-th call from now on fail, and only that; the next call is the first. 0: none.
    pub fn fail_at(&self, n: u64) {
        self.calls.store(0, Ordering::SeqCst);
        self.fails_at.store(n, Ordering::SeqCst);
    }

    /// How many calls there were since it was told.
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
