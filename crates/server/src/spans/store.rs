//! A span for each step of the store that a request makes.

use std::sync::Arc;

use chancery_store::{
    Change, Record, Redeemed, Revision, Revoked, StateStore, StoreError, StoreFuture, Stored, Updated,
};
use chancery_types::{Alias, Key, Kind, Tag, Timestamp};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;

use super::exported::current;

/// A store whose steps are seen. What the worker does by itself belongs to no request and has no spans.
pub(super) struct SpannedStore {
    store: Arc<dyn StateStore>,
    tracer: SdkTracer,
}

impl SpannedStore {
    pub(super) fn new(store: Arc<dyn StateStore>, tracer: SdkTracer) -> Self {
        Self { store, tracer }
    }

    /// The same work, within a span that says what was done, with which kind of record, and what came of it. A key is a
    /// digest, and is not told all the same.
    fn step<'a, T: 'a>(
        &self,
        (operation, kind): (&'static str, Option<Kind>),
        work: StoreFuture<'a, T>,
        outcome: fn(&T) -> &'static str,
    ) -> StoreFuture<'a, T> {
        let Some(request) = current().filter(|request| request.span().is_recording()) else { return work };
        let tracer = self.tracer.clone();
        Box::pin(async move {
            let span = tracer.span_builder(format!("store {operation}")).with_kind(SpanKind::Internal);
            let span = span.with_attributes([
                KeyValue::new("chancery.store.operation", operation),
                KeyValue::new("chancery.store.kind", kind.map_or("none", name)),
            ]);
            let mut span = tracer.build_with_context(span, &request);
            let done = work.await;
            let outcome = match &done {
                Ok(answer) => outcome(answer),
                Err(StoreError::Occupied) => "occupied",
                Err(StoreError::Busy) => "busy",
                Err(_) => "failed",
            };
            span.set_attribute(KeyValue::new("chancery.store.outcome", outcome));
            if done.as_ref().is_err_and(|error| !matches!(error, StoreError::Occupied)) {
                span.set_status(Status::error(""));
            }
            span.end();
            done
        })
    }
}

impl StateStore for SpannedStore {
    fn insert<'a>(&'a self, now: Timestamp, batch: &'a [Record]) -> StoreFuture<'a, ()> {
        let kind = batch.first().map(|record| record.key.kind());
        self.step(("insert", kind), self.store.insert(now, batch), |()| "done")
    }

    fn get(&self, now: Timestamp, key: Key) -> StoreFuture<'_, Option<Stored>> {
        self.step(("get", Some(key.kind())), self.store.get(now, key), found)
    }

    fn get_by_alias(&self, now: Timestamp, alias: Alias) -> StoreFuture<'_, Option<Stored>> {
        self.step(("get_by_alias", Some(alias.kind())), self.store.get_by_alias(now, alias), found)
    }

    fn update<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Revision,
        change: Change,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Updated> {
        let work = self.store.update(now, key, seen, change, issue);
        self.step(("update", Some(key.kind())), work, |updated| match updated {
            Updated::Done(_) => "done",
            Updated::Stale => "stale",
            Updated::Gone => "gone",
        })
    }

    fn redeem<'a>(&'a self, now: Timestamp, key: Key, issue: &'a [Record]) -> StoreFuture<'a, Redeemed> {
        self.step(("redeem", Some(key.kind())), self.store.redeem(now, key, issue), |redeemed| match redeemed
        {
            Redeemed::First => "first",
            Redeemed::Replayed { .. } => "replayed",
            Redeemed::Gone => "gone",
        })
    }

    fn revoke<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Option<Revision>,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Revoked> {
        let work = self.store.revoke(now, key, seen, issue);
        self.step(("revoke", Some(key.kind())), work, |revoked| match revoked {
            Revoked::Ended => "ended",
            Revoked::Stale => "stale",
            Revoked::Gone => "gone",
        })
    }

    fn revoke_tagged(&self, kind: Kind, tag: Tag) -> StoreFuture<'_, u64> {
        self.step(("revoke_tagged", Some(kind)), self.store.revoke_tagged(kind, tag), |_| "done")
    }

    fn list_tagged(
        &self,
        now: Timestamp,
        kind: Kind,
        tag: Tag,
        after: Option<Key>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>> {
        let work = self.store.list_tagged(now, kind, tag, after, limit);
        self.step(("list_tagged", Some(kind)), work, |_| "done")
    }

    fn lease(
        &self,
        now: Timestamp,
        kind: Kind,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>> {
        self.step(("lease", Some(kind)), self.store.lease(now, kind, until, limit), |_| "done")
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreFuture<'_, u64> {
        self.step(("sweep", None), self.store.sweep(now, limit), |_| "done")
    }
}

fn found(found: &Option<Stored>) -> &'static str {
    match found {
        Some(_) => "found",
        None => "none",
    }
}

/// What a kind of record is called.
const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::ACCESS_TOKEN => "access_token",
        Kind::ANSWER => "answer",
        Kind::APPROVAL => "approval",
        Kind::AUTHORIZATION_CODE => "authorization_code",
        Kind::BACKCHANNEL_AUTHENTICATION => "backchannel_authentication",
        Kind::CONSENT => "consent",
        Kind::DELIVERY => "delivery",
        Kind::DEVICE_CODE => "device_code",
        Kind::GRANT => "grant",
        Kind::INITIAL_ACCESS_TOKEN => "initial_access_token",
        Kind::INTERACTION => "interaction",
        Kind::PUSHED_REQUEST => "pushed_request",
        Kind::REFRESH_FAMILY => "refresh_family",
        Kind::REPLAY => "replay",
        Kind::REVOCATION => "revocation",
        Kind::SESSION => "session",
        Kind::THROTTLE => "throttle",
        _ => "other",
    }
}
