//! The file is lost, full, or was not closed in order.

use std::fs;
use std::path::Path;

use chancery_store::StoreError;
use chancery_store::kit::wait;
use rusqlite::Connection;

use super::{Scratch, bound};
use crate::SqliteStore;
use crate::checkpoints::checkpoint;
use crate::database::Database;

fn complaint<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    answer.unwrap_err().to_string()
}

/// Moves everything that was written into the file itself.
fn settle(scratch: &Scratch) {
    let database = Database::writing(&scratch.database_file()).unwrap();
    while !checkpoint(&database, "pragma wal_checkpoint(passive)").unwrap().is_moved() {}
}

#[test]
fn a_file_at_its_place_is_good() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for _ in 0..3 {
        wait(store.check_file()).unwrap();
        wait(store.check_write()).unwrap();
    }
    let rows: i64 = wait(store.readers.read(|database| {
        Ok(database.connection.query_row("select count(*) from probe", [], |row| row.get(0))?)
    }))
    .unwrap();
    assert_eq!(rows, 1, "what is written overwrites what was");
}

/// Each way in which a file goes away under a server that has it open.
#[test]
fn a_file_that_is_lost_is_noticed() {
    type Loss = (&'static str, fn(&Path), &'static str);
    let losses: [Loss; 8] = [
        ("removed", |file| fs::remove_file(file).unwrap(), "no longer there"),
        ("renamed", |file| fs::rename(file, file.with_extension("old")).unwrap(), "no longer there"),
        (
            "replaced by a copy of itself",
            |file| {
                fs::copy(file, file.with_extension("copy")).unwrap();
                fs::rename(file.with_extension("copy"), file).unwrap();
            },
            "replaced",
        ),
        (
            "replaced by a folder",
            |file| {
                fs::remove_file(file).unwrap();
                fs::create_dir(file).unwrap();
            },
            "replaced",
        ),
        (
            "without its log",
            |file| fs::remove_file(file.with_extension("db-wal")).unwrap(),
            "no longer there",
        ),
        (
            "without its index",
            |file| fs::remove_file(file.with_extension("db-shm")).unwrap(),
            "no longer there",
        ),
        (
            "overwritten by another program's database",
            |file| {
                let theirs = file.with_extension("theirs");
                Connection::open(&theirs).unwrap().execute_batch("create table theirs (x)").unwrap();
                fs::write(file, fs::read(theirs).unwrap()).unwrap();
            },
            "no longer holds",
        ),
        (
            "overwritten by a text",
            |file| fs::write(file, "no database ".repeat(1000)).unwrap(),
            "not a database",
        ),
    ];
    for (what, lose, said) in losses {
        let scratch = Scratch::new();
        let store = scratch.store();
        wait(store.check_write()).unwrap();
        settle(&scratch);
        wait(store.check_file()).unwrap();
        lose(&scratch.file());
        let found = complaint(wait(store.check_file()));
        assert!(found.contains(said), "{what}: {found}");
        let refused = complaint(wait(store.check_write()));
        assert!(refused.contains("nothing is written any more"), "{what}: {refused}");
        if what == "renamed" {
            fs::rename(scratch.file().with_extension("old"), scratch.file()).unwrap();
            wait(store.check_file()).unwrap();
            wait(store.check_write()).unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_elsewhere_is_noticed() {
    let (scratch, link) = (Scratch::new(), Scratch::new());
    drop(scratch.store());
    let (link, other) = (link.0.join("link.db"), link.0.join("other.db"));
    std::os::unix::fs::symlink(scratch.file(), &link).unwrap();
    let store = SqliteStore::open(&link).unwrap();
    wait(store.check_file()).unwrap();
    drop(SqliteStore::open(&other).unwrap());
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&other, &link).unwrap();
    assert!(complaint(wait(store.check_file())).contains("replaced"));
}

/// A probe reads little of the file, so what a request has met counts; and the next server looks at all of it.
#[test]
fn damage_that_somebody_has_met_is_remembered() {
    let failing = |code| {
        move |_: &Database| -> Result<(), crate::SqliteError> {
            Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into())
        }
    };
    use rusqlite::ffi::{SQLITE_CORRUPT, SQLITE_CORRUPT_INDEX, SQLITE_FULL, SQLITE_IOERR, SQLITE_NOTADB};
    for (code, is_damage) in [
        (SQLITE_CORRUPT, true),
        (SQLITE_CORRUPT_INDEX, true),
        (SQLITE_NOTADB, true),
        (SQLITE_FULL, false),
        (SQLITE_IOERR, false),
    ] {
        for way in 0..3 {
            let scratch = Scratch::new();
            let store = scratch.store();
            let running = wait(store.begin()).unwrap();
            wait(store.check_file()).unwrap();
            let met = match way {
                0 => wait(store.readers.look_up(failing(code))),
                1 => wait(store.readers.read(failing(code))),
                _ => wait(store.writer.step(failing(code))),
            };
            assert!(met.is_err());
            let found = wait(store.check_file());
            assert_eq!(found.is_err(), is_damage, "{code} {way}");
            assert_eq!(wait(store.end(running)).is_err(), is_damage, "{code} {way}");
            if is_damage {
                let (met, found) = (complaint(met), complaint(found));
                assert!(met == found && found.contains("chancery restore"), "{met}, {found}");
            }
            drop(store);
            let store = scratch.store();
            assert_eq!(wait(store.begin()).unwrap().was_closed(), !is_damage, "{code} {way}");
        }
    }
}

/// A write that needs no room says nothing about the next login.
#[test]
fn a_file_that_cannot_grow_is_noticed() {
    let scratch = Scratch::new();
    let store = scratch.store();
    wait(store.check_write()).unwrap();
    let pages = bound(&store, 1);
    assert!(complaint(wait(store.check_write())).contains("full"));
    bound(&store, pages + 100);
    wait(store.check_write()).unwrap();
}

#[test]
fn a_server_that_did_not_say_its_end_is_remembered() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let first = wait(store.begin()).unwrap();
    assert!(first.was_closed(), "nobody was before");
    wait(store.end(first)).unwrap();
    let killed = wait(store.begin()).unwrap();
    assert!(killed.was_closed());
    drop(store);
    // A command opens the file and closes it in order: no trace is left beside the note.
    drop(scratch.store());
    let store = scratch.store();
    let next = wait(store.begin()).unwrap();
    assert!(!next.was_closed());
    wait(store.check_integrity(&next)).unwrap();
    wait(store.end(next)).unwrap();
    assert!(wait(store.begin()).unwrap().was_closed(), "what was checked need not be checked again");
}
