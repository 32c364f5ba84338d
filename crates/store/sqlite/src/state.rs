//! The state store: steps go to the writer, everything else to the readers.

use chancery_store::{
    Change, Record, Redeemed, Revision, Revoked, StateStore, StoreFuture, Stored, Updated, one_partition,
};
use chancery_types::{Alias, Key, Kind, Tag, Timestamp};

use crate::SqliteStore;

impl StateStore for SqliteStore {
    fn insert<'a>(&'a self, now: Timestamp, batch: &'a [Record]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            one_partition(None, batch)?;
            let batch = batch.to_vec();
            self.writer.step(move |database| database.insert(now, &batch)).await
        })
    }

    fn get(&self, now: Timestamp, key: Key) -> StoreFuture<'_, Option<Stored>> {
        self.readers.look_up(move |database| database.get(now, key))
    }

    fn get_by_alias(&self, now: Timestamp, alias: Alias) -> StoreFuture<'_, Option<Stored>> {
        self.readers.look_up(move |database| database.get_by_alias(now, alias))
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
            let issue = issue.to_vec();
            self.writer.step(move |database| database.update(now, key, seen, &change, &issue)).await
        })
    }

    fn redeem<'a>(&'a self, now: Timestamp, key: Key, issue: &'a [Record]) -> StoreFuture<'a, Redeemed> {
        Box::pin(async move {
            one_partition(Some(key), issue)?;
            let issue = issue.to_vec();
            self.writer.step(move |database| database.redeem(now, key, &issue)).await
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
            let issue = issue.to_vec();
            self.writer.step(move |database| database.revoke(now, key, seen, &issue)).await
        })
    }

    fn revoke_tagged(&self, kind: Kind, tag: Tag) -> StoreFuture<'_, u64> {
        self.writer.step(move |database| database.revoke_tagged(kind, tag))
    }

    fn list_tagged(
        &self,
        now: Timestamp,
        kind: Kind,
        tag: Tag,
        after: Option<Key>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>> {
        self.readers.read(move |database| database.list_tagged(now, kind, tag, after, limit))
    }

    fn lease(
        &self,
        now: Timestamp,
        kind: Kind,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>> {
        self.writer.step(move |database| database.lease(now, kind, until, limit))
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreFuture<'_, u64> {
        self.writer.step(move |database| database.sweep(now, limit))
    }
}
