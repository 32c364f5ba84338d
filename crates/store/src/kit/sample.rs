//! Records for the cases.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use chancery_types::{Alias, Key, Kind, Partition, RealmId, Tag, Timestamp};

use crate::{Record, StateStore, Tags};

use super::wait::done;

/// The time of the tests, far from the clock of any machine that runs them.
pub(crate) const T0: Timestamp = Timestamp::from_secs(3_000_000_000);

/// The partition of records unless a case says otherwise.
pub(crate) const HOME: Partition = Partition([7, 7]);

pub(crate) fn later(seconds: u64) -> Timestamp {
    T0 + Duration::from_secs(seconds)
}

pub(crate) fn realm() -> RealmId {
    RealmId::parse("kit").unwrap()
}

pub(crate) fn key(kind: Kind, n: u32) -> Key {
    key_in(HOME, kind, n)
}

pub(crate) fn key_in(partition: Partition, kind: Kind, n: u32) -> Key {
    Key::derive(&realm(), kind, partition, &n.to_be_bytes())
}

pub(crate) fn alias(kind: Kind, n: u32) -> Alias {
    Alias::derive(&realm(), kind, HOME, &n.to_be_bytes())
}

pub(crate) fn tag(what: &str, id: &str) -> Tag {
    Tag::derive(&realm(), what, id.as_bytes())
}

/// A record that lives for ten minutes from [`T0`].
pub(crate) fn record(kind: Kind, n: u32) -> Record {
    record_of(key(kind, n), n)
}

pub(crate) fn record_of(key: Key, n: u32) -> Record {
    Record {
        key,
        alias: None,
        parent: None,
        tags: Tags::default(),
        expires_at: later(600),
        due_at: None,
        body: n.to_be_bytes().into(),
    }
}

pub(crate) fn under(parent: Key, child: Record) -> Record {
    Record { parent: Some(parent), ..child }
}

/// Whether there is a live record of this key at [`T0`].
pub(crate) fn lives(store: &dyn StateStore, key: Key) -> bool {
    lives_at(store, T0, key)
}

pub(crate) fn lives_at(store: &dyn StateStore, now: Timestamp, key: Key) -> bool {
    done(store.get(now, key)).is_some()
}
