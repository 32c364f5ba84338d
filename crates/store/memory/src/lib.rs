//! Both stores in memory: for tests, for development, and for a single node that may forget everything when
//! it ends.
//!
//! It needs no task of its own: each write removes some of what has expired.

mod documents;

mod group;

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use chancery_store::{
    Change, Record, Redeemed, Revision, Revoked, StateStore, StoreError, StoreFuture, Stored, Updated,
    one_partition,
};
use chancery_types::{Alias, Key, Kind, Partition, Tag, Timestamp};

use crate::documents::Documents;
use crate::group::Group;

/// Both stores in memory; dropping it loses everything.
pub struct MemoryStore {
    /// One group for each value of a partition's first byte, each under its own lock.
    groups: Box<[Mutex<Group>; 256]>,
    documents: RwLock<Documents>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { groups: Box::new(std::array::from_fn(|_| Mutex::default())), documents: RwLock::default() }
    }

    fn group(&self, partition: Partition) -> MutexGuard<'_, Group> {
        let [first, _] = partition.0;
        #[expect(clippy::indexing_slicing, reason = "there is a group for each value of a byte")]
        lock(&self.groups[usize::from(first)])
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Nothing panics while it holds the lock, so a poisoned lock still guards consistent data.
fn lock(group: &Mutex<Group>) -> MutexGuard<'_, Group> {
    group.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateStore for MemoryStore {
    fn insert<'a>(&'a self, now: Timestamp, batch: &'a [Record]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            one_partition(None, batch)?;
            match batch {
                [] => Ok(()),
                [first, ..] => self.group(first.key.partition()).step(now, None, batch),
            }
        })
    }

    fn get(&self, now: Timestamp, key: Key) -> StoreFuture<'_, Option<Stored>> {
        Box::pin(async move { Ok(self.group(key.partition()).live(now, key).cloned()) })
    }

    fn get_by_alias(&self, now: Timestamp, alias: Alias) -> StoreFuture<'_, Option<Stored>> {
        Box::pin(async move {
            let group = self.group(alias.partition());
            Ok(group.named(alias).and_then(|key| group.live(now, key)).cloned())
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
            one_partition(Some(key), issue)?;
            let mut group = self.group(key.partition());
            let Some(mut stored) = group.live(now, key).cloned() else { return Ok(Updated::Gone) };
            if stored.revision != seen {
                return Ok(Updated::Stale);
            }
            let revision = group.next_revision();
            stored.revision = revision;
            stored.record.body = change.body;
            stored.record.expires_at = change.expires_at;
            stored.record.due_at = change.due_at;
            group.step(now, Some((key, Some(stored))), issue)?;
            Ok(Updated::Done(revision))
        })
    }

    fn redeem<'a>(&'a self, now: Timestamp, key: Key, issue: &'a [Record]) -> StoreFuture<'a, Redeemed> {
        Box::pin(async move {
            one_partition(Some(key), issue)?;
            let mut group = self.group(key.partition());
            let Some(mut stored) = group.live(now, key).cloned() else { return Ok(Redeemed::Gone) };
            if let Some(at) = stored.consumed_at {
                return Ok(Redeemed::Replayed { at });
            }
            stored.revision = group.next_revision();
            stored.consumed_at = Some(now);
            group.step(now, Some((key, Some(stored))), issue)?;
            Ok(Redeemed::First)
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
            one_partition(Some(key), issue)?;
            let mut group = self.group(key.partition());
            let Some(stored) = group.live(now, key) else { return Ok(Revoked::Gone) };
            if seen.is_some_and(|seen| seen != stored.revision) {
                return Ok(Revoked::Stale);
            }
            group.step(now, Some((key, None)), issue)?;
            Ok(Revoked::Ended)
        })
    }

    fn revoke_tagged(&self, kind: Kind, tag: Tag) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(self.groups.iter().map(|group| lock(group).remove_tagged(kind, tag)).sum()) },
        )
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
            let mut found = Vec::new();
            for group in self.groups.iter() {
                found.extend(lock(group).tagged(now, kind, tag, after).take(limit).cloned());
            }
            found.sort_by_key(|stored| stored.record.key);
            found.truncate(limit);
            Ok(found)
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
            // First find what is due, the longest overdue first; then lease each under its group's lock if it
            // is still due.
            let mut due = Vec::new();
            for group in self.groups.iter() {
                due.extend(lock(group).due(now, kind).take(limit));
            }
            due.sort();
            due.truncate(limit);
            Ok(due
                .into_iter()
                .filter_map(|found| self.group(found.1.partition()).lease(now, found, until))
                .collect())
        })
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let removed = self
                .groups
                .iter()
                .fold(0, |removed, group| removed + lock(group).sweep(now, limit - removed));
            u64::try_from(removed).map_err(|_| StoreError::Busy)
        })
    }
}
