//! A copy of a whole store in one file, and what becomes of it when it is put back.

use std::path::Path;

use chancery_store::BackendError;
use chancery_types::{Kind, Timestamp};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, ffi, params, params_from_iter};

use crate::damage::explained;
use crate::database::{APPLICATION_ID, BUSY_TIMEOUT};
use crate::migrations;
use crate::renewal::removal;

/// What a backup says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// When it was made: it has every step that was answered before.
    pub made_at: Timestamp,
    /// The version of the program that made it.
    pub version: String,
    /// Whether a server was working on the store, so that its state has gone on since.
    pub was_running: bool,
}

const ABOUT: &str = "create table backup (made_at integer not null, version text not null) strict";

/// Why a store could not be copied.
#[derive(Debug)]
pub struct NotCopied {
    /// What SQLite or the operating system reports.
    pub fault: BackendError,
    /// Whether it is the copy that is in the way, and not the store.
    pub is_of_target: bool,
}

/// Copies the store at `source`, on which a server may be working, to `target`, which is an empty file. The copy has
/// every step that was answered before, and of each later one everything or nothing.
///
/// # Errors
/// Which of both files is in the way, and why; the target is worth nothing then.
pub fn back_up(source: &Path, target: &Path, now: Timestamp, version: &str) -> Result<(), NotCopied> {
    let of_target = |fault| NotCopied { fault, is_of_target: true };
    let to =
        target.to_str().ok_or_else(|| of_target(BackendError::new("the path of a backup must be UTF-8")))?;
    // One transaction that reads: writers go on beside it.
    let copied = open(source).and_then(|connection| connection.execute("vacuum into ?1", [to]));
    copied.map_err(|error| NotCopied { is_of_target: is_of_written(&error), fault: explained(error) })?;
    let note = || -> rusqlite::Result<()> {
        let mut copy = open(target)?;
        let step = copy.transaction()?;
        step.execute_batch(ABOUT)?;
        step.execute("insert into backup values (?1, ?2)", params![now.millis(), version])?;
        step.commit()
    };
    note().map_err(|error| of_target(explained(error)))
}

/// Whether this is an error of the file that is written, where another one is only read.
fn is_of_written(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| {
        matches!(
            error.extended_code,
            ffi::SQLITE_FULL
                | ffi::SQLITE_IOERR_WRITE
                | ffi::SQLITE_IOERR_FSYNC
                | ffi::SQLITE_IOERR_DIR_FSYNC
                | ffi::SQLITE_IOERR_TRUNCATE
        )
    })
}

/// Reads what a backup says about itself, and the whole of it to find what is damaged.
///
/// # Errors
/// Why this file cannot be restored, in words for whoever named it.
pub fn examine(file: &Path) -> Result<Backup, BackendError> {
    let connection = open(file).map_err(BackendError::new)?;
    look(&connection).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => BackendError::new("is no backup: it is not an SQLite file at all"),
        _ => BackendError::new(format!("is damaged: {error}; take another backup")),
    })?
}

fn look(connection: &Connection) -> rusqlite::Result<Result<Backup, BackendError>> {
    let no = |why: &str| Ok(Err(BackendError::new(why.to_owned())));
    let application: i64 = connection.query_row("pragma application_id", [], |row| row.get(0))?;
    let tables = "select count(*) from sqlite_schema where type = 'table' and name = ?1";
    let has = |name: &str| connection.query_row(tables, [name], |row| row.get(0)).map(|count: i64| count > 0);
    match (application == APPLICATION_ID, has("backup")?) {
        (false, _) => return no("is no backup: this SQLite file belongs to another program"),
        (true, false) => {
            return no(
                "is a store and no backup of one: `chancery restore --undo` shows which stores a restore has kept, and puts one back; \
                 of any other store, make a backup first with `chancery backup --set store.sqlite=THIS OUT`, which reads it whole",
            );
        }
        (true, true) => {}
    }
    // What is written to the store later would set them off, when everybody has forgotten the file.
    if has_foreign_code(connection)? {
        return no("is no backup: it has triggers or views that `chancery backup` never writes");
    }
    let complaint: String = connection.query_row("pragma integrity_check", [], |row| row.get(0))?;
    if complaint != "ok" {
        return no(&format!("is damaged: {complaint}; take another backup"));
    }
    let was_running = connection.query_row("select 1 from running", [], |_| Ok(())).optional()?.is_some();
    let about = "select made_at, version from backup";
    connection.query_row(about, [], |row| {
        let made_at = Timestamp::from_millis(row.get(0)?);
        Ok(Ok(Backup { made_at, version: row.get(1)?, was_running }))
    })
}

/// Whether something in the file acts by itself that its migrations have not put there.
fn has_foreign_code(connection: &Connection) -> rusqlite::Result<bool> {
    let newest: u32 =
        connection.query_row("select coalesce(max(number), 0) from migration", [], |row| row.get(0))?;
    let made = Connection::open_in_memory()?;
    for migration in migrations::ALL.iter().filter(|migration| migration.number <= newest) {
        made.execute_batch(migration.sql)?;
    }
    let ours = code(&made)?;
    Ok(code(connection)?.iter().any(|found| !ours.contains(found)))
}

/// The triggers and views of a file: name and definition.
fn code(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let of_kind = "select name, sql from sqlite_schema where type in ('trigger', 'view')";
    let mut query = connection.prepare(of_kind)?;
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Makes a store of a copy of a backup. Of its records only those of the kinds `kept` remain, or all.
///
/// # Errors
/// What SQLite reports.
pub fn revive(copy: &Path, kept: Option<&[Kind]>) -> Result<(), BackendError> {
    let revive = || -> rusqlite::Result<()> {
        let mut connection = open(copy)?;
        let step = connection.transaction()?;
        step.execute_batch("drop table backup; delete from running; delete from probe;")?;
        if let Some(kept) = kept {
            step.execute(&removal(kept), params_from_iter(kept.iter().map(|kind| vec![kind.0])))?;
        }
        step.commit()
    };
    revive().map_err(BackendError::new)
}

/// Whether any other process has the store open. What cannot be read any more, nobody uses in order.
#[must_use]
pub fn is_in_use(store: &Path) -> bool {
    // In this mode SQLite wants the file for itself before it reads anything.
    let take = |connection: Connection| -> rusqlite::Result<()> {
        connection.busy_timeout(std::time::Duration::from_millis(200))?;
        connection
            .execute_batch("pragma locking_mode = exclusive; begin; select * from sqlite_schema; rollback;")
    };
    let taken = open(store).and_then(take);
    let busy = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
    taken.is_err_and(|error| error.sqlite_error_code().is_some_and(|code| busy.contains(&code)))
}

fn open(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("pragma trusted_schema = off; pragma temp_store = memory;")?;
    Ok(connection)
}
