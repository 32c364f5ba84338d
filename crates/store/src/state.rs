//! The contract for what the protocol makes.

use chancery_types::{Alias, Key, Kind, Tag, Timestamp};

use crate::{Change, Record, Revision, StoreFuture, Stored};

/// Ten atomic methods. A step is one condition on one record plus a batch of new records: all or nothing, and all in one
/// partition ([`one_partition`](crate::one_partition)); a step that names two is a mistake of the caller and answered
/// with a fault.
///
/// **Live** is a record that is stored, whose `expires_at` is later than the caller's `now`, and whose parent (if it
/// has one) is live. What is not live is never returned and meets no condition, whether it was swept or not. Removing a
/// record therefore ends its whole subtree in the same instant. A child that is written after its parent's death is dead
/// on arrival: writing it succeeds, nobody ever sees it, and the sweep takes it.
///
/// A key or an alias is **taken** while an unexpired record of this name is stored, also if its parent is dead. An
/// expired name is free at once; that of an unexpired child of a dead parent at the latest after a sweep.
///
/// # Errors
/// [`Occupied`](crate::StoreError::Occupied) when a record to be written has a name that is taken, also by another record
/// of the same batch. [`Busy`](crate::StoreError::Busy) and [`Backend`](crate::StoreError::Backend) from every method.
/// After each error everything is as it was: nothing written, nothing consumed.
pub trait StateStore: Send + Sync + 'static {
    /// Writes all records of the batch.
    fn insert<'a>(&'a self, now: Timestamp, batch: &'a [Record]) -> StoreFuture<'a, ()>;

    /// The live record of this key; also a consumed one, which shows when it was consumed.
    fn get(&self, now: Timestamp, key: Key) -> StoreFuture<'_, Option<Stored>>;

    /// The live record of this alias.
    fn get_by_alias(&self, now: Timestamp, alias: Alias) -> StoreFuture<'_, Option<Stored>>;

    /// Changes the live record if it still is as `seen`, and writes `issue` with it.
    fn update<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Revision,
        change: Change,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Updated>;

    /// Consumes the live record if nobody has, and writes `issue` with it. Of any number of callers one is
    /// [`First`](Redeemed::First).
    fn redeem<'a>(&'a self, now: Timestamp, key: Key, issue: &'a [Record]) -> StoreFuture<'a, Redeemed>;

    /// Removes the live record, if it still is as `seen` (when that is given), and writes `issue` with it: the notices
    /// about its end, which are written once.
    fn revoke<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Option<Revision>,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Revoked>;

    /// Removes the records of a kind that carry a tag, in all partitions, and says how many it removed (some of which
    /// may have been dead). Each partition by itself: what is written meanwhile may remain.
    fn revoke_tagged(&self, kind: Kind, tag: Tag) -> StoreFuture<'_, u64>;

    /// The live records of a kind that carry a tag, in the order of their keys, at most `limit`, those after `after`.
    fn list_tagged(
        &self,
        now: Timestamp,
        kind: Kind,
        tag: Tag,
        after: Option<Key>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>>;

    /// Takes live records of a kind whose `due_at` has come, at most `limit`, in all partitions and realms, and moves
    /// their `due_at` to `until`: until then no other worker gets them. Returned as they are afterwards, so that their
    /// revision serves for the `update` or `revoke` that ends the work.
    fn lease(&self, now: Timestamp, kind: Kind, until: Timestamp, limit: usize) -> StoreFuture<'_, Vec<Stored>>;

    /// Removes what is expired, and whatever hangs on a record that is gone, at most `limit`, in all partitions and
    /// realms. Says how many; fewer than `limit` means that there are no more.
    fn sweep(&self, now: Timestamp, limit: usize) -> StoreFuture<'_, u64>;
}

/// What became of an `update`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// Changed; this is its new revision.
    Done(Revision),
    /// Somebody has changed it since it was seen. Nothing was written.
    Stale,
    /// There is no such live record. Nothing was written.
    Gone,
}

/// What became of a `redeem`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// This caller was the first; what it issued is stored.
    First,
    /// Somebody was first. Nothing was written.
    Replayed {
        /// When it was redeemed.
        at: Timestamp,
    },
    /// There is no such live record. Nothing was written.
    Gone,
}

/// What became of a `revoke`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// This call ended it; what it issued is stored.
    Ended,
    /// Somebody has changed it since it was seen; it lives on. Nothing was written.
    Stale,
    /// There was no such live record. Nothing was written.
    Gone,
}
