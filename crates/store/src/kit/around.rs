//! What the wrappers have in common: they see each call before the wrapped store does.

use chancery_types::{Alias, Key, Kind, Tag, Timestamp};

use crate::{
    Change, Record, Redeemed, Revision, Revoked, StateStore, StoreError, StoreFuture, Stored, Updated,
};

/// The methods of [`StateStore`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the method of its name")]
pub enum Method {
    Get,
    GetByAlias,
    Insert,
    Lease,
    ListTagged,
    Redeem,
    Revoke,
    RevokeTagged,
    Sweep,
    Update,
}

impl Method {
    /// How many methods there are.
    pub(crate) const COUNT: usize = 10;

    /// Whether the method may change anything.
    #[must_use]
    pub fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::GetByAlias | Self::ListTagged)
    }
}

/// A store that wraps another.
pub(crate) trait Around: Send + Sync + 'static {
    /// The store that gets this call, or the error that answers it. `condition` and `batch` are those of a
    /// step.
    fn admit(
        &self,
        method: Method,
        condition: Option<Key>,
        batch: &[Record],
    ) -> Result<&dyn StateStore, StoreError>;
}

impl<A: Around> StateStore for A {
    fn insert<'a>(&'a self, now: Timestamp, batch: &'a [Record]) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.admit(Method::Insert, None, batch)?.insert(now, batch).await })
    }

    fn get(&self, now: Timestamp, key: Key) -> StoreFuture<'_, Option<Stored>> {
        Box::pin(async move { self.admit(Method::Get, None, &[])?.get(now, key).await })
    }

    fn get_by_alias(&self, now: Timestamp, alias: Alias) -> StoreFuture<'_, Option<Stored>> {
        Box::pin(async move { self.admit(Method::GetByAlias, None, &[])?.get_by_alias(now, alias).await })
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
            self.admit(Method::Update, Some(key), issue)?.update(now, key, seen, change, issue).await
        })
    }

    fn redeem<'a>(&'a self, now: Timestamp, key: Key, issue: &'a [Record]) -> StoreFuture<'a, Redeemed> {
        Box::pin(async move { self.admit(Method::Redeem, Some(key), issue)?.redeem(now, key, issue).await })
    }

    fn revoke<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Option<Revision>,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Revoked> {
        Box::pin(
            async move { self.admit(Method::Revoke, Some(key), issue)?.revoke(now, key, seen, issue).await },
        )
    }

    fn revoke_tagged(&self, kind: Kind, tag: Tag) -> StoreFuture<'_, u64> {
        Box::pin(async move { self.admit(Method::RevokeTagged, None, &[])?.revoke_tagged(kind, tag).await })
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
            self.admit(Method::ListTagged, None, &[])?.list_tagged(now, kind, tag, after, limit).await
        })
    }

    fn lease(
        &self,
        now: Timestamp,
        kind: Kind,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>> {
        Box::pin(async move { self.admit(Method::Lease, None, &[])?.lease(now, kind, until, limit).await })
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreFuture<'_, u64> {
        Box::pin(async move { self.admit(Method::Sweep, None, &[])?.sweep(now, limit).await })
    }
}
