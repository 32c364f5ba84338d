//! The other store.

use std::path::Path;
use std::sync::Arc;

use chancery_store_sqlite::SqliteStore;

/// A store on an empty SQLite file of this name.
pub(crate) fn sqlite_file(name: &str) -> Arc<SqliteStore> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.sqlite"));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(path.with_extension(format!("sqlite{suffix}")));
    }
    Arc::new(SqliteStore::open(&path).expect("a file"))
}
