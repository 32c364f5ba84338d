//! The kit over a file, statements with a mistake in them, and what only a file can show.

mod file;

mod kit;

mod migrations;

mod mistakes;

mod queue;

mod supervision;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::SqliteStore;
use crate::sql::Sql;

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
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
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
        let stores = [(); 2].map(|()| Arc::new(SqliteStore::open_with(&scratch.file(), sql()).unwrap()));
        Self { stores, _scratch: scratch }
    }
}
