//! A store that counts its calls: each is one trip to the backend.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chancery_types::Key;

use super::Method;
use super::around::Around;
use crate::{Record, StateStore, StoreError, one_partition};

/// Counts the calls, and refuses a step that names two partitions before the wrapped store sees it.
pub struct Counting {
    behind: Arc<dyn StateStore>,
    trips: [(Method, AtomicU64); Method::COUNT],
}

impl Counting {
    /// Wraps a store, with all counts at zero.
    #[must_use]
    pub fn new(behind: Arc<dyn StateStore>) -> Self {
        use Method::{
            Get, GetByAlias, Insert, Lease, ListTagged, Redeem, Revoke, RevokeTagged, Sweep, Update,
        };
        let all = [Get, GetByAlias, Insert, Lease, ListTagged, Redeem, Revoke, RevokeTagged, Sweep, Update];
        Self { behind, trips: all.map(|method| (method, AtomicU64::new(0))) }
    }

    /// The number of calls of one method.
    #[must_use]
    pub fn of(&self, method: Method) -> u64 {
        self.sum(|counted| counted == method)
    }

    /// The number of calls of all methods.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.sum(|_| true)
    }

    /// The number of calls of methods that may change anything.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.sum(Method::writes)
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        self.trips.iter().for_each(|(_, count)| count.store(0, Ordering::Relaxed));
    }

    fn sum(&self, of: impl Fn(Method) -> bool) -> u64 {
        self.trips
            .iter()
            .filter(|(method, _)| of(*method))
            .map(|(_, count)| count.load(Ordering::Relaxed))
            .sum()
    }
}

impl Around for Counting {
    fn admit(
        &self,
        method: Method,
        condition: Option<Key>,
        batch: &[Record],
    ) -> Result<&dyn StateStore, StoreError> {
        for (_, count) in self.trips.iter().filter(|(counted, _)| *counted == method) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        one_partition(condition, batch)?;
        Ok(&*self.behind)
    }
}
