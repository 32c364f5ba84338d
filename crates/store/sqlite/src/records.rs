//! The steps on records. Each runs inside the transaction that the writer has opened.

use std::time::Duration;

use chancery_store::{
    BackendError, Change, Record, Redeemed, Revision, Revoked, StoreError, Stored, Tags, Updated,
};
use chancery_types::{Alias, Key, Kind, Tag, Timestamp};
use rusqlite::{ErrorCode, OptionalExtension, Row, params};

use crate::SqliteError;
use crate::database::Database;

type Outcome<T> = Result<T, SqliteError>;

/// A record that is to live for longer than this is swept when its parent is gone. All others are left to
/// their time: nobody sees them any more, and finding them by their parent would cost each of them a page of
/// the log.
const LINGERING: Duration = Duration::from_secs(86_400);

/// What the condition of a step looks at.
struct State {
    revision: Revision,
    consumed_at: Option<Timestamp>,
    sweep_at: Timestamp,
}

impl Database {
    pub(crate) fn insert(&self, now: Timestamp, batch: &[Record]) -> Outcome<()> {
        for record in batch {
            let written = match self.write(now, record) {
                // The name is taken, perhaps by a record that is not live.
                Err(error) if is_taken(&error) => {
                    let alias = record.alias.as_ref().map(Alias::as_bytes);
                    let mut free = self.connection.prepare_cached(&self.sql.remove_dead)?;
                    free.execute(params![now.millis(), record.key.as_bytes(), alias])?;
                    self.write(now, record)
                }
                written => written,
            };
            written.map_err(|error| {
                if is_taken(&error) { StoreError::Occupied.into() } else { SqliteError::from(error) }
            })?;
        }
        // Only now, because a parent may come behind its child.
        for parent in batch.iter().filter(|record| lingers(now, record)).filter_map(|record| record.parent) {
            self.connection.prepare_cached(&self.sql.orphaned)?.execute([parent.as_bytes()])?;
        }
        Ok(())
    }

    fn write(&self, now: Timestamp, record: &Record) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(&self.sql.insert)?.execute(params![
            record.key.as_bytes(),
            record.alias.as_ref().map(Alias::as_bytes),
            record.parent.as_ref().map(Key::as_bytes),
            record.tags.account.as_ref().map(Tag::as_bytes),
            record.tags.client.as_ref().map(Tag::as_bytes),
            record.tags.session.as_ref().map(Tag::as_bytes),
            record.expires_at.millis(),
            record.due_at.map(Timestamp::millis),
            record.body,
            lingers(now, record),
        ])
    }

    pub(crate) fn get(&self, now: Timestamp, key: Key) -> Outcome<Option<Stored>> {
        let mut get = self.connection.prepare_cached(&self.sql.get)?;
        Ok(get.query_row(params![now.millis(), key.as_bytes()], stored).optional()?)
    }

    pub(crate) fn get_by_alias(&self, now: Timestamp, alias: Alias) -> Outcome<Option<Stored>> {
        let mut get = self.connection.prepare_cached(&self.sql.get_by_alias)?;
        Ok(get.query_row(params![now.millis(), alias.as_bytes()], stored).optional()?)
    }

    /// The state of a live record.
    fn state(&self, now: Timestamp, key: Key) -> rusqlite::Result<Option<State>> {
        let mut state = self.connection.prepare_cached(&self.sql.state)?;
        let read = |row: &Row<'_>| {
            Ok(State {
                revision: revision(row, 0)?,
                consumed_at: row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis),
                sweep_at: Timestamp::from_millis(row.get(2)?),
            })
        };
        state.query_row(params![now.millis(), key.as_bytes()], read).optional()
    }

    pub(crate) fn update(
        &self,
        now: Timestamp,
        key: Key,
        seen: Revision,
        change: &Change,
        issue: &[Record],
    ) -> Outcome<Updated> {
        let Some(state) = self.state(now, key)? else { return Ok(Updated::Gone) };
        if state.revision != seen {
            return Ok(Updated::Stale);
        }
        let due_at = change.due_at.map(Timestamp::millis);
        let new = params![key.as_bytes(), change.body, change.expires_at.millis(), due_at];
        let revision =
            self.connection.prepare_cached(&self.sql.change)?.query_row(new, |row| revision(row, 0))?;
        if change.expires_at < state.sweep_at {
            self.connection.prepare_cached(&self.sql.sweep_sooner)?.execute([key.as_bytes()])?;
        }
        self.insert(now, issue)?;
        Ok(Updated::Done(revision))
    }

    pub(crate) fn redeem(&self, now: Timestamp, key: Key, issue: &[Record]) -> Outcome<Redeemed> {
        match self.state(now, key)? {
            None => Ok(Redeemed::Gone),
            Some(State { consumed_at: Some(at), .. }) => Ok(Redeemed::Replayed { at }),
            Some(State { consumed_at: None, .. }) => {
                self.connection
                    .prepare_cached(&self.sql.consume)?
                    .execute(params![key.as_bytes(), now.millis()])?;
                self.insert(now, issue)?;
                Ok(Redeemed::First)
            }
        }
    }

    pub(crate) fn revoke(
        &self,
        now: Timestamp,
        key: Key,
        seen: Option<Revision>,
        issue: &[Record],
    ) -> Outcome<Revoked> {
        let Some(state) = self.state(now, key)? else { return Ok(Revoked::Gone) };
        if seen.is_some_and(|seen| seen != state.revision) {
            return Ok(Revoked::Stale);
        }
        self.connection.prepare_cached(&self.sql.remove)?.execute([key.as_bytes()])?;
        self.insert(now, issue)?;
        Ok(Revoked::Ended)
    }

    pub(crate) fn revoke_tagged(&self, kind: Kind, tag: Tag) -> Outcome<u64> {
        let mut remove = self.connection.prepare_cached(&self.sql.remove_tagged)?;
        let removed =
            remove.execute(params![rusqlite::types::Null, tag.as_bytes(), [kind.0], last_of(kind)])?;
        count(removed)
    }

    pub(crate) fn list_tagged(
        &self,
        now: Timestamp,
        kind: Kind,
        tag: Tag,
        after: Option<Key>,
        limit: usize,
    ) -> Outcome<Vec<Stored>> {
        let first = [kind.0];
        // `after` may be a key of another kind.
        let after = after.as_ref().map_or(first.as_slice(), |after| after.as_bytes().max(&first));
        let mut list = self.connection.prepare_cached(&self.sql.list_tagged)?;
        let rows = list
            .query_map(params![now.millis(), tag.as_bytes(), after, last_of(kind), clamp(limit)], stored)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn lease(
        &self,
        now: Timestamp,
        kind: Kind,
        until: Timestamp,
        limit: usize,
    ) -> Outcome<Vec<Stored>> {
        let mut lease = self.connection.prepare_cached(&self.sql.lease)?;
        let range = params![now.millis(), [kind.0], last_of(kind), clamp(limit), until.millis()];
        let rows = lease.query_map(range, stored)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn sweep(&self, now: Timestamp, limit: usize) -> Outcome<u64> {
        self.connection.prepare_cached(&self.sql.prolonged)?.execute([now.millis()])?;
        let mut expired = self.connection.prepare_cached(&self.sql.sweep_expired)?;
        let mut removed = expired.execute(params![now.millis(), clamp(limit)])?;
        let mut dead_parent = self.connection.prepare_cached(&self.sql.dead_parent)?;
        let mut children = self.connection.prepare_cached(&self.sql.sweep_children)?;
        let mut forget = self.connection.prepare_cached(&self.sql.forget_parent)?;
        while removed < limit
            && let Some(parent) = dead_parent.query_row([], |row| row.get::<_, Vec<u8>>(0)).optional()?
        {
            removed += children.execute(params![parent, clamp(limit - removed)])?;
            if removed < limit {
                forget.execute([parent])?;
            }
        }
        count(removed)
    }
}

/// Reads the columns in the order of `sql::COLUMNS`.
fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let time = |at: usize| row.get::<_, Option<i64>>(at).map(|millis| millis.map(Timestamp::from_millis));
    let tag = |at: usize| digest(row, at, Tag::from_bytes);
    Ok(Stored {
        record: Record {
            key: digest(row, 0, Key::from_bytes)?.ok_or(rusqlite::Error::InvalidQuery)?,
            alias: digest(row, 1, Alias::from_bytes)?,
            parent: digest(row, 2, Key::from_bytes)?,
            tags: Tags { account: tag(3)?, client: tag(4)?, session: tag(5)? },
            expires_at: Timestamp::from_millis(row.get(6)?),
            due_at: time(7)?,
            body: row.get(8)?,
        },
        revision: revision(row, 9)?,
        consumed_at: time(10)?,
    })
}

/// Whether the sweep has to find the record when its parent is gone.
fn lingers(now: Timestamp, record: &Record) -> bool {
    record.parent.is_some() && record.expires_at.since(now) > LINGERING
}

fn digest<T>(row: &Row<'_>, at: usize, read: fn(&[u8]) -> Option<T>) -> rusqlite::Result<Option<T>> {
    match row.get_ref(at)?.as_blob_or_null()? {
        None => Ok(None),
        Some(bytes) => read(bytes).map(Some).ok_or(rusqlite::Error::IntegralValueOutOfRange(at, 0)),
    }
}

pub(crate) fn revision(row: &Row<'_>, at: usize) -> rusqlite::Result<Revision> {
    let number = row.get::<_, i64>(at)?;
    u64::try_from(number).map(Revision).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, number))
}

/// A bound that is greater than every key of a kind.
fn last_of(kind: Kind) -> [u8; 40] {
    let mut last = [u8::MAX; 40];
    last[0] = kind.0;
    last
}

fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

pub(crate) fn clamp(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn count(removed: usize) -> Outcome<u64> {
    Ok(u64::try_from(removed).map_err(BackendError::new)?)
}
