//! The tables, made in numbered steps. The file records which steps it has had, with their checksums.

use aws_lc_rs::digest::{SHA256, digest};
use chancery_store::BackendError;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::damage::explained;
use crate::database::APPLICATION_ID;
use crate::hindrance::Hindrance;

pub(crate) struct Migration {
    pub(crate) number: u32,
    pub(crate) sql: &'static str,
}

/// All migrations, to which new ones are appended and in which none is changed.
pub(crate) const ALL: &[Migration] =
    &[Migration { number: 1, sql: include_str!("migrations/0001_store.sql") }];

const RECORD: &str =
    "create table if not exists migration (number integer primary key, checksum blob not null) strict";

/// Brings the file up to date or refuses it, all in one transaction, so that one process at a time does it.
pub(crate) fn apply(connection: &mut Connection, migrations: &[Migration]) -> Result<(), BackendError> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explained)?;
    let tables: Vec<String> = column(&step, "select name from sqlite_schema where type = 'table'")?;
    let application: i64 =
        step.query_row("pragma application_id", [], |row| row.get(0)).map_err(explained)?;
    if (!tables.is_empty() || application != 0) && application != APPLICATION_ID {
        return Err(BackendError::new("this SQLite file belongs to another program"));
    }
    step.execute_batch(RECORD).map_err(explained)?;
    // Whoever only reads a store that is up to date needs no room on its disk.
    if application != APPLICATION_ID {
        step.execute_batch(&format!("pragma application_id = {APPLICATION_ID}")).map_err(explained)?;
    }
    let applied: Vec<u32> = column(&step, "select number from migration order by number")?;
    let checksums: Vec<Vec<u8>> = column(&step, "select checksum from migration order by number")?;
    if let Some(newest) =
        applied.last().filter(|newest| migrations.iter().all(|known| known.number < **newest))
    {
        return Err(BackendError::new(format!(
            "migration {newest} is newer than this version of Chancery; use the version that wrote the file, or a newer one"
        )));
    }
    let pending = migrations.get(applied.len()..).unwrap_or_default();
    for ((known, number), checksum) in migrations.iter().zip(applied).zip(checksums) {
        if known.number != number {
            return Err(BackendError::new(format!("migration {} is missing from this file", known.number)));
        }
        if digest(&SHA256, known.sql.as_bytes()).as_ref() != checksum {
            return Err(BackendError::new(format!(
                "migration {number} is not the one with which this file was made"
            )));
        }
    }
    for migration in pending {
        step.execute_batch(migration.sql)
            .and_then(|()| {
                let checksum = digest(&SHA256, migration.sql.as_bytes());
                step.execute(
                    "insert into migration values (?1, ?2)",
                    params![migration.number, checksum.as_ref()],
                )
            })
            .map_err(|error| match error.sqlite_error_code().and_then(Hindrance::of_code) {
                Some(_) => explained(error),
                None => BackendError::new(format!("migration {}: {error}", migration.number)),
            })?;
    }
    step.commit().map_err(explained)
}

fn column<T: rusqlite::types::FromSql>(connection: &Connection, query: &str) -> Result<Vec<T>, BackendError> {
    let read = || -> rusqlite::Result<Vec<T>> {
        connection.prepare(query)?.query_map([], |row| row.get(0))?.collect()
    };
    read().map_err(explained)
}
