//! A store of which part is worth nothing any more: some documents are written anew and most records are removed, in one step.

use chancery_store::{Document, DocumentKind, Put, StoreFuture};
use chancery_types::{Kind, RealmId, Timestamp};
use rusqlite::params_from_iter;

use crate::SqliteStore;

impl SqliteStore {
    /// How many live records there are of each kind, in all realms.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn live_records(&self, now: Timestamp) -> StoreFuture<'_, Vec<(Kind, u64)>> {
        self.readers.read(move |database| {
            let mut count = database.connection.prepare(&database.sql.count_live)?;
            let rows = count.query_map([now.millis()], |row| {
                let ([kind], count): ([u8; 1], i64) = (row.get(0)?, row.get(1)?);
                Ok((Kind(kind), count.unsigned_abs()))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Writes documents over those that were seen at their revisions, and removes every record that is of none of the kinds
    /// `kept`, in one step: all of it or, with an outcome other than [`Put::Done`], nothing. A record does not say of which realm
    /// it is, so they are those of all realms.
    ///
    /// # Errors
    /// A failure of the store; nothing was changed then.
    pub fn renew(
        &self,
        realm: &RealmId,
        documents: Vec<(DocumentKind, Document)>,
        kept: &[Kind],
    ) -> StoreFuture<'_, Put> {
        let (realm, kept) = (realm.clone(), kept.to_vec());
        self.writer.step(move |database| {
            let seen = documents.iter().map(|(kind, document)| (*kind, Some(document.revision), document));
            let put = database.put_all(&realm, seen)?;
            if let Put::Done(_) = put {
                database
                    .connection
                    .execute(&removal(&kept), params_from_iter(kept.iter().map(|kind| vec![kind.0])))?;
            }
            Ok(put)
        })
    }
}

/// Removes the records that are of none of these kinds, which are its parameters. A key begins with its kind.
pub(crate) fn removal(kept: &[Kind]) -> String {
    let places = vec!["?"; kept.len()].join(", ");
    format!("delete from record where substr(key, 1, 1) not in ({places})")
}
