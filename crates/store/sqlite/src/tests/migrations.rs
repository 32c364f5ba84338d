//! A file is brought up to date, or refused with the reason.

use rusqlite::Connection;

use crate::migrations::{ALL, Migration, apply};

const FIRST: Migration = Migration { number: 1, sql: "create table a (x)" };
const SECOND: Migration = Migration { number: 2, sql: "create table b (x)" };
const THIRD: Migration = Migration { number: 3, sql: "create table c (x)" };

fn refusal(connection: &mut Connection, migrations: &[Migration]) -> String {
    apply(connection, migrations).unwrap_err().to_string()
}

fn tables(connection: &Connection) -> i64 {
    connection
        .query_row("select count(*) from sqlite_schema where name in ('a', 'b', 'c')", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn each_is_applied_once() {
    let mut connection = Connection::open_in_memory().unwrap();
    apply(&mut connection, &[FIRST]).unwrap();
    apply(&mut connection, &[FIRST, SECOND]).unwrap();
    apply(&mut connection, &[FIRST, SECOND]).unwrap();
    assert_eq!(tables(&connection), 2);
}

#[test]
fn a_changed_one_is_refused() {
    let mut connection = Connection::open_in_memory().unwrap();
    apply(&mut connection, &[FIRST, SECOND]).unwrap();
    let changed = Migration { number: 1, sql: "create table a (x, y)" };
    assert_eq!(
        refusal(&mut connection, &[changed, SECOND, THIRD]),
        "migration 1 is not the one with which this file was made"
    );
    assert_eq!(tables(&connection), 2, "and nothing was applied");
}

#[test]
fn a_missing_one_is_refused() {
    let mut connection = Connection::open_in_memory().unwrap();
    apply(&mut connection, &[FIRST, THIRD]).unwrap();
    assert_eq!(refusal(&mut connection, &[FIRST, SECOND, THIRD]), "migration 2 is missing from this file");
}

#[test]
fn a_newer_one_is_refused() {
    let mut connection = Connection::open_in_memory().unwrap();
    apply(&mut connection, &[FIRST, SECOND]).unwrap();
    assert_eq!(
        refusal(&mut connection, &[FIRST]),
        "migration 2 is newer than this version of Chancery; use the version that wrote the file, or a newer one"
    );
}

#[test]
fn a_failing_one_leaves_the_file_as_it_was() {
    let mut connection = Connection::open_in_memory().unwrap();
    apply(&mut connection, &[FIRST]).unwrap();
    let broken = Migration { number: 3, sql: "create table a (x)" };
    assert!(refusal(&mut connection, &[FIRST, SECOND, broken]).starts_with("migration 3: "));
    assert_eq!(tables(&connection), 1);
}

#[test]
fn a_file_of_another_program_is_refused() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("create table theirs (x)").unwrap();
    assert_eq!(refusal(&mut connection, ALL), "this SQLite file belongs to another program");
    for theirs in ["pragma application_id = 7", "pragma application_id = 7; create table migration (x)"] {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(theirs).unwrap();
        assert_eq!(refusal(&mut connection, ALL), "this SQLite file belongs to another program", "{theirs}");
    }
}

#[test]
fn their_numbers_rise_without_a_gap() {
    assert!(ALL.iter().zip(1..).all(|(migration, number)| migration.number == number));
}
