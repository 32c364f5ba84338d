//! The kit over a file, statements with a mistake in them, and what only a file can show.

mod ending;

mod file;

mod full;

mod kit;

mod migrations;

mod mistakes;

mod queue;

mod renewal;

mod supervision;

mod watched;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use chancery_store::{Record, StoreError, StoreFuture, Tags};
use chancery_types::{Key, Kind, Partition, RealmId, Timestamp};

use crate::SqliteStore;
use crate::database::DatabaseFile;
use crate::sql::Sql;
use crate::watch::Unwatched;

/// A directory that goes with the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("chancery-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("store.db")
    }

    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.file()).unwrap()
    }

    pub(crate) fn database_file(&self) -> DatabaseFile {
        DatabaseFile { path: self.file().into(), sql: Sql::new().into() }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Lets the file have this many pages at most, or as many as it has already; returns how many that is.
fn bound(store: &SqliteStore, pages: i64) -> i64 {
    let bound = format!("pragma max_page_count = {pages}");
    let step =
        store.writer.step(move |database| Ok(database.connection.query_row(&bound, [], |row| row.get(0))?));
    chancery_store::kit::wait(step).unwrap()
}

/// A record that lives for ever.
fn record(n: u32, body: &[u8]) -> Record {
    let realm = RealmId::parse("r").unwrap();
    Record {
        key: Key::derive(&realm, Kind::GRANT, Partition([0, 0]), &n.to_be_bytes()),
        alias: None,
        parent: None,
        tags: Tags::default(),
        expires_at: Timestamp::MAX,
        due_at: None,
        body: body.into(),
    }
}

/// Queues the step; its answer, if it has one already.
fn queue<T>(answer: &mut StoreFuture<'_, T>) -> Poll<Result<T, StoreError>> {
    Pin::new(answer).poll(&mut Context::from_waker(Waker::noop()))
}

/// Two stores on one file, as if in two processes: ten connections, of which two write steps.
struct Pair {
    stores: [Arc<SqliteStore>; 2],
    /// After the stores: fields are dropped in their order.
    _scratch: Scratch,
}

impl Pair {
    fn new(sql: fn() -> Sql) -> Self {
        let scratch = Scratch::new();
        let stores = [(); 2]
            .map(|()| Arc::new(SqliteStore::open_with(&scratch.file(), sql(), Arc::new(Unwatched)).unwrap()));
        Self { stores, _scratch: scratch }
    }
}
