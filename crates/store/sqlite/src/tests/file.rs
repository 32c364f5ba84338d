//! The file itself.

use std::io::{Seek, SeekFrom, Write};

use chancery_store::kit::wait;
use chancery_store::{Document, DocumentKind, DocumentStore, Put, Revision};
use chancery_types::RealmId;

use super::Scratch;
use crate::checkpoints::checkpoint;
use crate::database::Database;
use crate::{Seen, SqliteStore, StoreError, look_through};

fn realm() -> RealmId {
    RealmId::parse("r").unwrap()
}

fn put(store: &SqliteStore, id: &str) {
    let document =
        Document { id: id.into(), aliases: Vec::new(), body: [7; 500].into(), revision: Revision(0) };
    assert!(matches!(wait(store.put(&realm(), DocumentKind::CLIENT, None, document)).unwrap(), Put::Done(_)));
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let store = scratch.store();
    put(&store, "1");
    let files: Vec<_> = std::fs::read_dir(&scratch.0).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() >= 2, "the file and its log");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[test]
fn what_was_written_is_there_after_opening_again() {
    let scratch = Scratch::new();
    put(&scratch.store(), "1");
    let store = scratch.store();
    assert!(wait(store.get(&realm(), DocumentKind::CLIENT, "1")).unwrap().is_some());
    wait(store.integrity_check()).unwrap();
}

/// As processes do, which do not share our lock.
#[test]
fn many_may_turn_on_the_log_at_once() {
    for _ in 0..50 {
        let scratch = Scratch::new();
        let file = scratch.database_file();
        file.create().unwrap();
        std::thread::scope(|scope| {
            (0..8).for_each(|_| drop(scope.spawn(|| drop(Database::writing(&file).unwrap()))))
        });
    }
}

/// As when a server and a command start together on a new file.
#[test]
fn many_may_open_a_new_file_at_once() {
    for _ in 0..20 {
        let scratch = Scratch::new();
        std::thread::scope(|scope| {
            (0..8).for_each(|n: u8| {
                drop(scope.spawn({
                    let scratch = &scratch;
                    move || put(&scratch.store(), &n.to_string())
                }))
            });
        });
        let listed = wait(scratch.store().list(&realm(), DocumentKind::CLIENT, None, 100)).unwrap();
        assert_eq!(listed.len(), 8);
    }
}

#[test]
fn a_place_that_cannot_be_opened_is_named() {
    let scratch = Scratch::new();
    let path = scratch.0.join("missing").join("store.db");
    let error = SqliteStore::open(&path).err().unwrap().to_string();
    assert!(error.contains("store.db"), "{error}");
}

#[test]
fn what_is_no_database_is_refused() {
    let scratch = Scratch::new();
    std::fs::write(scratch.file(), "not a database, but a text of some length".repeat(100)).unwrap();
    assert!(SqliteStore::open(&scratch.file()).is_err());
}

/// A page in the middle of the file overwritten with nothing.
#[test]
fn a_damaged_file_is_noticed() {
    let scratch = Scratch::new();
    let store = scratch.store();
    (0..200).for_each(|n| put(&store, &n.to_string()));
    drop(store);
    let pages = std::fs::metadata(scratch.file()).unwrap().len() / 4096;
    let mut file = std::fs::OpenOptions::new().write(true).open(scratch.file()).unwrap();
    file.seek(SeekFrom::Start((pages - 3) * 4096)).unwrap();
    file.write_all(&[0xaa; 4096]).unwrap();
    drop(file);
    assert!(matches!(wait(scratch.store().integrity_check()), Err(StoreError::Backend(_))));
    let Ok(Seen::Damaged(what)) = look_through(&scratch.file(), || true) else { panic!("it is not seen") };
    assert!(!what.is_empty() && !what.contains('\n'), "{what}");
}

/// The whole file is read beside whoever works on it, unless that takes too long.
#[test]
fn a_whole_file_is_looked_through() {
    let scratch = Scratch::new();
    let store = scratch.store();
    (0..2000).for_each(|n| put(&store, &n.to_string()));
    assert_eq!(look_through(&scratch.file(), || true).unwrap(), Seen::Sound);
    assert_eq!(look_through(&scratch.file(), || false).unwrap(), Seen::Unfinished);
    put(&store, "after");
    assert!(look_through(&scratch.0.join("missing"), || true).is_err());
    assert!(!scratch.0.join("missing").exists());
}

#[test]
fn a_checkpoint_moves_the_whole_log() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let database = Database::writing(&scratch.database_file()).unwrap();
    (0..50).for_each(|n| put(&store, &n.to_string()));
    assert!(checkpoint(&database, "pragma wal_checkpoint(passive)").unwrap().is_moved());
    assert!(checkpoint(&database, "pragma wal_checkpoint(truncate)").unwrap().is_moved());
    assert_eq!(std::fs::metadata(scratch.0.join("store.db-wal")).unwrap().len(), 0);
}

/// A reader keeps what was written after it began in the log.
#[test]
fn a_checkpoint_says_what_it_could_not_move() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let database = Database::writing(&scratch.database_file()).unwrap();
    put(&store, "1");
    let reader = Database::reading(&scratch.database_file()).unwrap().connection;
    reader.execute_batch("begin; select * from document").unwrap();
    put(&store, "2");
    let is_moved = || checkpoint(&database, "pragma wal_checkpoint(passive)").unwrap().is_moved();
    assert!(!is_moved());
    reader.execute_batch("commit").unwrap();
    assert!(is_moved());
}

/// Of the writes of documents the last thousand are remembered, whatever came before.
#[test]
fn the_list_of_changes_does_not_grow() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let document = |n: u32| Document {
        id: n.to_string().into(),
        aliases: Vec::new(),
        body: [].into(),
        revision: Revision(0),
    };
    for batch in 0..3 {
        let documents = (0..700).map(|n| document(700 * batch + n)).collect();
        let put = wait(store.put_new(&realm(), DocumentKind::CLIENT, documents)).unwrap();
        assert_eq!(put, Put::Done(Revision(u64::from(700 * (batch + 1)))));
    }
    let remembered: (i64, i64) = wait(store.readers.read(|database| {
        let all = "select count(*), min(revision) from document_change";
        Ok(database.connection.query_row(all, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }))
    .unwrap();
    assert_eq!(remembered, (1000, 1101));
}

/// An answer is given when the disk has it; the log is emptied elsewhere.
#[test]
fn the_writing_connection_waits_for_the_disk() {
    let scratch = Scratch::new();
    drop(scratch.store());
    let file = scratch.database_file();
    let connection = Database::writing(&file).unwrap().connection;
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("synchronous"), pragma("wal_autocheckpoint")), (2, 0));
}
