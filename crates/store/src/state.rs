//! The contract for records: what the protocol makes.

use chancery_types::{Alias, Key, Kind, Tag, Timestamp};

use crate::{Change, Record, Revision, StoreFuture, Stored};

/// Stores records by ten atomic methods. A step is one condition on one record plus a batch of new records.
/// It is done wholly or not at all, and stays in one partition ([`one_partition`](crate::one_partition)): a
/// step that names two is a mistake of the caller and fails.
///
/// A record is **live** while it is stored, its `expires_at` is later than the caller's `now`, and its
/// parent, if it has one, is live. A record that is not live is never returned and meets no condition,
/// whether it was swept or not. Removing a record therefore ends its whole subtree in the same instant. A
/// child that is written after its parent's end is dead on arrival: writing it succeeds, nobody ever sees it,
/// and the sweep removes it.
///
/// A key or an alias is **taken** while a live record has it. The name of an expired record is free at once,
/// that of an unexpired child of an ended parent after a sweep at the latest.
///
/// Whoever writes a backend has these promises as tests: the feature `kit` of the crate `chancery-store` brings each as a case.
///
/// # Errors
/// [`Occupied`](crate::StoreError::Occupied) when the name of a record to be written is taken, be it by
/// another record of the same batch. Every method may fail with [`Busy`](crate::StoreError::Busy) or
/// [`Backend`](crate::StoreError::Backend). After an error nothing was written and nothing consumed.
pub trait StateStore: Send + Sync + 'static {
    /// Writes all records of the batch.
    fn insert<'a>(&'a self, now: Timestamp, batch: &'a [Record]) -> StoreFuture<'a, ()>;

    /// The live record of this key, consumed or not.
    fn get(&self, now: Timestamp, key: Key) -> StoreFuture<'_, Option<Stored>>;

    /// The live record of this alias.
    fn get_by_alias(&self, now: Timestamp, alias: Alias) -> StoreFuture<'_, Option<Stored>>;

    /// Changes the live record if it is still as `seen`, and writes `issue` in the same step.
    fn update<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Revision,
        change: Change,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Updated>;

    /// Consumes the live record if nobody has yet, and writes `issue` in the same step. Of any number of
    /// callers exactly one is [`First`](Redeemed::First).
    fn redeem<'a>(&'a self, now: Timestamp, key: Key, issue: &'a [Record]) -> StoreFuture<'a, Redeemed>;

    /// Removes the live record, if it is still as `seen` (when that is given), and writes `issue` in the same
    /// step: the notifications about its end, which are thus written once.
    fn revoke<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Option<Revision>,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Revoked>;

    /// Removes the records of a kind that carry a tag, in all partitions, and returns how many they were,
    /// dead ones included. Each partition is a step of its own: what is written meanwhile may remain.
    fn revoke_tagged(&self, kind: Kind, tag: Tag) -> StoreFuture<'_, u64>;

    /// At most `limit` live records of a kind that carry a tag, with keys greater than `after`, in the order
    /// of their keys.
    fn list_tagged(
        &self,
        now: Timestamp,
        kind: Kind,
        tag: Tag,
        after: Option<Key>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>>;

    /// Takes at most `limit` live records of a kind whose `due_at` has come, from all partitions and realms,
    /// and moves their `due_at` to `until`: until then no other worker gets them. It returns them as they are
    /// afterwards, so that their revision serves for the `update` or `revoke` that ends the work.
    fn lease(
        &self,
        now: Timestamp,
        kind: Kind,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>>;

    /// Removes at most `limit` records that have expired or lack an ancestor, in all partitions and realms,
    /// and returns how many they were; fewer than `limit` means that there are no more. A record that was
    /// written to live for a day at most may stay until it expires, even if it lacks an ancestor, and its
    /// descendants with it: they are not live, and their names are free.
    fn sweep(&self, now: Timestamp, limit: usize) -> StoreFuture<'_, u64>;
}

/// The outcome of an `update`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// It was changed; this is its new revision.
    Done(Revision),
    /// It was changed since it was seen. Nothing was written.
    Stale,
    /// There is no such live record. Nothing was written.
    Gone,
}

/// The outcome of a `redeem`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// This caller was the first; what it issued is stored.
    First,
    /// Another caller was first. Nothing was written.
    Replayed {
        /// When it was redeemed.
        at: Timestamp,
    },
    /// There is no such live record. Nothing was written.
    Gone,
}

/// The outcome of a `revoke`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// This call ended it; what it issued is stored.
    Ended,
    /// It was changed since it was seen, and lives on. Nothing was written.
    Stale,
    /// There was no such live record. Nothing was written.
    Gone,
}
