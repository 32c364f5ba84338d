//! What whoever runs a server asks of the file: whether it still is the one that was opened, takes a write, and was
//! closed in order the last time.

use chancery_store::{BackendError, StoreFuture};
use rusqlite::OptionalExtension;

use crate::SqliteStore;
use crate::database::{APPLICATION_ID, Database};

/// A note in the file that a server works on it, from [`SqliteStore::begin`].
#[derive(Debug)]
pub struct Running {
    id: i64,
    was_closed: bool,
}

impl Running {
    /// Whether every server before has said its end. One that has not was killed, or its machine stopped, or it runs on.
    #[must_use]
    pub fn was_closed(&self) -> bool {
        self.was_closed
    }
}

impl SqliteStore {
    /// Whether the file and its log still are the ones that were opened. Reads a page and writes nothing.
    ///
    /// # Errors
    /// Which file was renamed, removed or replaced; or that the file holds something else now.
    pub fn check_place(&self) -> StoreFuture<'_, ()> {
        let (identity, place) = (self.identity.clone(), self.place.clone());
        self.readers.read(move |_| {
            identity.check()?;
            // A connection of its own, because the others remember the first page.
            let database = Database::reading(&place)?;
            let application: i64 = database.connection.query_row("pragma application_id", [], |row| row.get(0))?;
            if application == APPLICATION_ID {
                return Ok(());
            }
            let text = "holds something else than when it was opened; restart the server on the right file";
            Err(BackendError::new(format!("{}: {text}", place.path.display())).into())
        })
    }

    /// Writes as much as a login does, and waits for the disk: a full or failing one is noticed. What was written takes the
    /// place of what the last call wrote.
    ///
    /// # Errors
    /// What the system or SQLite says.
    pub fn check_write(&self) -> StoreFuture<'_, ()> {
        self.writer.step(|database| {
            // The new one first: it needs room beside the old one, as every other record does.
            database.connection.prepare_cached("insert into probe (body) values (zeroblob(8192))")?.execute([])?;
            let written = database.connection.last_insert_rowid();
            database.connection.prepare_cached("delete from probe where id <> ?1")?.execute([written])?;
            Ok(())
        })
    }

    /// Notes in the file that a server works on it from now on.
    pub fn begin(&self) -> StoreFuture<'_, Running> {
        self.writer.step(|database| {
            let other = database.connection.query_row("select 1 from running", [], |_| Ok(())).optional()?;
            let id = "insert into running values (random()) returning id";
            let id = database.connection.query_row(id, [], |row| row.get(0))?;
            Ok(Running { id, was_closed: other.is_none() })
        })
    }

    /// Does [`SqliteStore::integrity_check`]. When nothing is wrong, the notes of others are removed: the next server need
    /// not do it again.
    ///
    /// # Errors
    /// [`StoreError::Backend`](chancery_store::StoreError::Backend) with what SQLite found.
    pub fn check_integrity<'a>(&'a self, running: &'a Running) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.integrity_check().await?;
            let id = running.id;
            self.writer
                .step(move |database| {
                    database.connection.execute("delete from running where id <> ?1", [id])?;
                    Ok(())
                })
                .await
        })
    }

    /// Removes the note: the server has ended in order.
    pub fn end(&self, running: Running) -> StoreFuture<'_, ()> {
        self.writer.step(move |database| {
            database.connection.execute("delete from running where id = ?1", [running.id])?;
            Ok(())
        })
    }
}
