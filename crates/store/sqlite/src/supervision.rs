//! Checks of the file for the program that runs a server: whether the file is still the one that was opened,
//! can be written, and was closed in an orderly way the last time.

use chancery_store::{BackendError, StoreFuture};
use chancery_types::Timestamp;
use rusqlite::OptionalExtension;

use crate::SqliteStore;
use crate::damage::{explained, is_damage};
use crate::database::{APPLICATION_ID, Database};

/// The records that wait for a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// How many there are.
    pub count: u64,
    /// When the first of them is due, or was.
    pub first: Option<Timestamp>,
}

/// A note in the file that a server is using it, made by [`SqliteStore::begin`].
#[derive(Debug)]
pub struct Running {
    id: i64,
    was_closed: bool,
}

impl Running {
    /// Whether every earlier server has called [`SqliteStore::end`]. One that has not was killed, lost its
    /// machine, or is still running.
    #[must_use]
    pub fn was_closed(&self) -> bool {
        self.was_closed
    }
}

impl SqliteStore {
    /// Checks that the file and its log are still the ones that were opened, and that nobody has met damage in them. It reads
    /// a page and writes nothing. As long as they are not, every step fails, because what it wrote would be lost; when they
    /// are back, steps succeed again.
    ///
    /// # Errors
    /// Names the file that was renamed, removed or replaced, or says that the file holds something else now, or is damaged.
    pub fn check_file(&self) -> StoreFuture<'_, ()> {
        let (identity, file, met) = (self.identity.clone(), self.file.clone(), self.damage());
        let lost = self.writer.lost.clone();
        self.readers.read(move |_| {
            let found = identity.check();
            if found.is_err() {
                lost.heed(&found);
            }
            found?;
            met?;
            // This needs a new connection, because the others have cached the first page.
            let database = Database::reading(&file)?;
            let found = match database.connection.query_row("pragma application_id", [], |row| row.get(0)) {
                Ok(APPLICATION_ID) => Ok(()),
                Ok(_) => {
                    let text = "no longer holds the database that was opened; put the right file back and restart the server";
                    Err(BackendError::new(format!("{}: {text}", file.path.display())))
                }
                Err(error) if is_damage(&error) => Err(explained(error)),
                Err(error) => return Err(error.into()),
            };
            lost.heed(&found);
            Ok(found?)
        })
    }

    /// What a request or a command has met before.
    fn damage(&self) -> Result<(), BackendError> {
        self.readers.damage.check().and_then(|()| self.writer.damage.check())
    }

    /// The records that a worker has to lease, of all realms.
    pub fn due(&self) -> StoreFuture<'_, Due> {
        self.readers.read(|database| {
            let query = "select count(*), min(due_at) from record where due_at is not null";
            let mut query = database.connection.prepare_cached(query)?;
            Ok(query.query_row([], |row| {
                let (count, first): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
                Ok(Due { count: count.unsigned_abs(), first: first.map(Timestamp::from_millis) })
            })?)
        })
    }

    /// Writes as much as a login does and waits for the disk, to notice one that is full or failing. Each
    /// call overwrites what the last one wrote.
    ///
    /// # Errors
    /// What the operating system or SQLite reports.
    pub fn check_write(&self) -> StoreFuture<'_, ()> {
        self.writer.step(|database| {
            // The new row is written first, because it must find room beside the old one, as every other
            // record does.
            database
                .connection
                .prepare_cached("insert into probe (body) values (zeroblob(8192))")?
                .execute([])?;
            let written = database.connection.last_insert_rowid();
            database.connection.prepare_cached("delete from probe where id <> ?1")?.execute([written])?;
            Ok(())
        })
    }

    /// Notes in the file that a server is using it from now on.
    pub fn begin(&self) -> StoreFuture<'_, Running> {
        self.writer.step(|database| {
            let other = database.connection.query_row("select 1 from running", [], |_| Ok(())).optional()?;
            let id = "insert into running values (random()) returning id";
            let id = database.connection.query_row(id, [], |row| row.get(0))?;
            Ok(Running { id, was_closed: other.is_none() })
        })
    }

    /// Runs [`SqliteStore::integrity_check`] and, when nothing is wrong, removes the notes of other servers,
    /// so that the next server need not check again.
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

    /// Removes the note, because the server has ended in an orderly way.
    ///
    /// # Errors
    /// The note stays if the file is damaged, so that the next server checks it.
    pub fn end(&self, running: Running) -> StoreFuture<'_, ()> {
        let met = self.damage().map_err(|met| met.to_string());
        self.writer.step(move |database| {
            met.clone().map_err(BackendError::new)?;
            database.connection.execute("delete from running where id = ?1", [running.id])?;
            Ok(())
        })
    }
}
