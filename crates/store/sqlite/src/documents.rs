//! The contract for what people change, over the same file.

use chancery_store::{Answer, Document, DocumentKind, DocumentStore, Fault, Put, Revision};
use chancery_types::RealmId;
use rusqlite::{OptionalExtension, Row, params};

use crate::database::Database;
use crate::records::{clamp, revision};
use crate::{SqliteError, SqliteStore};

type Outcome<T> = Result<T, SqliteError>;

impl DocumentStore for SqliteStore {
    fn get<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, id: &'a str) -> Answer<'a, Option<Document>> {
        let (realm, id) = (realm.clone(), Box::<str>::from(id));
        self.readers.look_up(move |database| database.document(BY_ID, &realm, kind, &id))
    }

    fn find<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, alias: &'a str) -> Answer<'a, Option<Document>> {
        let (realm, alias) = (realm.clone(), Box::<str>::from(alias));
        self.readers.look_up(move |database| database.document(BY_ALIAS, &realm, kind, &alias))
    }

    fn put<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> Answer<'a, Put> {
        let realm = realm.clone();
        self.writer.step(move |database| database.put(&realm, kind, seen, &document))
    }

    fn put_new<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, documents: Vec<Document>) -> Answer<'a, Put> {
        let realm = realm.clone();
        self.writer.step(move |database| database.put_new(&realm, kind, &documents))
    }

    fn remove<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, id: &'a str, seen: Revision) -> Answer<'a, Put> {
        let (realm, id) = (realm.clone(), Box::<str>::from(id));
        self.writer.step(move |database| database.remove_document(&realm, kind, &id, seen))
    }

    fn list<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<Document>> {
        let (realm, after) = (realm.clone(), after.map(Box::<str>::from));
        self.readers.read(move |database| database.list(&realm, kind, after.as_deref(), limit))
    }

    fn revision<'a>(&'a self, realm: &'a RealmId) -> Answer<'a, Revision> {
        let realm = realm.clone();
        self.readers.look_up(move |database| {
            let mut read = database.connection.prepare_cached("select revision from realm where realm = ?1")?;
            let found = read.query_row([realm.as_str()], |row| revision(row, 0)).optional()?;
            Ok(found.unwrap_or(Revision(0)))
        })
    }
}

const BY_ID: &str = "select id, alias, body, revision from document where realm = ?1 and kind = ?2 and id = ?3";
const BY_ALIAS: &str = "select id, alias, body, revision from document where realm = ?1 and kind = ?2 and alias = ?3";
const LIST: &str = "select id, alias, body, revision from document
    where realm = ?1 and kind = ?2 and id >= coalesce(?3, '') and (?3 is null or id <> ?3) order by id limit ?4";
const PUT: &str = "insert into document (realm, kind, id, alias, body, revision) values (?1, ?2, ?3, ?4, ?5, ?6)
    on conflict (realm, kind, id) do update set alias = excluded.alias, body = excluded.body, revision = excluded.revision";
const REMOVE: &str = "delete from document where realm = ?1 and kind = ?2 and id = ?3";
const MOVE_ON: &str = "insert into realm (realm, revision) values (?1, 1)
    on conflict (realm) do update set revision = revision + 1 returning revision";

impl Database {
    fn document(&self, by: &str, realm: &RealmId, kind: DocumentKind, name: &str) -> Outcome<Option<Document>> {
        let mut find = self.connection.prepare_cached(by)?;
        Ok(find.query_row(params![realm.as_str(), kind.0, name], read).optional()?)
    }

    fn list(&self, realm: &RealmId, kind: DocumentKind, after: Option<&str>, limit: usize) -> Outcome<Vec<Document>> {
        let mut list = self.connection.prepare_cached(LIST)?;
        let rows = list.query_map(params![realm.as_str(), kind.0, after, clamp(limit)], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn put(&self, realm: &RealmId, kind: DocumentKind, seen: Option<Revision>, document: &Document) -> Outcome<Put> {
        let held = self.document(BY_ID, realm, kind, &document.id)?;
        match (seen, held) {
            (None, Some(_)) => return Ok(Put::Occupied),
            (Some(seen), held) if held.as_ref().map(|held| held.revision) != Some(seen) => return Ok(Put::Stale),
            _ => {}
        }
        if let Some(alias) = &document.alias
            && let Some(holder) = self.document(BY_ALIAS, realm, kind, alias)?
            && holder.id != document.id
        {
            return Ok(Put::Occupied);
        }
        let revision = self.move_on(realm)?;
        self.connection.prepare_cached(PUT)?.execute(params![
            realm.as_str(),
            kind.0,
            document.id,
            document.alias,
            document.body,
            i64::try_from(revision.0).map_err(Fault::new)?,
        ])?;
        Ok(Put::Done(revision))
    }

    fn put_new(&self, realm: &RealmId, kind: DocumentKind, documents: &[Document]) -> Outcome<Put> {
        let run = |text: &str| self.connection.prepare_cached(text)?.execute([]).map(drop);
        run("savepoint batch")?;
        let mut put = Put::Done(Revision(0));
        for document in documents {
            put = self.put(realm, kind, None, document)?;
            if !matches!(put, Put::Done(_)) {
                run("rollback to batch")?;
                break;
            }
        }
        run("release batch")?;
        Ok(put)
    }

    fn remove_document(&self, realm: &RealmId, kind: DocumentKind, id: &str, seen: Revision) -> Outcome<Put> {
        if self.document(BY_ID, realm, kind, id)?.map(|held| held.revision) != Some(seen) {
            return Ok(Put::Stale);
        }
        self.connection.prepare_cached(REMOVE)?.execute(params![realm.as_str(), kind.0, id])?;
        Ok(Put::Done(self.move_on(realm)?))
    }

    fn move_on(&self, realm: &RealmId) -> rusqlite::Result<Revision> {
        self.connection.prepare_cached(MOVE_ON)?.query_row([realm.as_str()], |row| revision(row, 0))
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document { id: row.get(0)?, alias: row.get(1)?, body: row.get(2)?, revision: revision(row, 3)? })
}
