//! The document store.

use chancery_store::{
    BackendError, Changed, Changes, Document, DocumentKind, DocumentStore, Moved, Put, Revision, StoreFuture,
};
use chancery_types::RealmId;
use rusqlite::{OptionalExtension, Row, params};

use crate::database::Database;
use crate::records::{clamp, revision};
use crate::{SqliteError, SqliteStore};

type Outcome<T> = Result<T, SqliteError>;

impl DocumentStore for SqliteStore {
    fn get<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
    ) -> StoreFuture<'a, Option<Document>> {
        let (realm, id) = (realm.clone(), Box::<str>::from(id));
        self.readers.look_up(move |database| database.document(BY_ID, &realm, kind, &id))
    }

    fn find<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        alias: &'a str,
    ) -> StoreFuture<'a, Option<Document>> {
        let (realm, alias) = (realm.clone(), Box::<str>::from(alias));
        self.readers.look_up(move |database| database.document(BY_ALIAS, &realm, kind, &alias))
    }

    fn put<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> StoreFuture<'a, Put> {
        let realm = realm.clone();
        self.writer.step(move |database| database.put(&realm, kind, seen, &document))
    }

    fn put_new<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        documents: Vec<Document>,
    ) -> StoreFuture<'a, Put> {
        let realm = realm.clone();
        self.writer.step(move |database| database.put_new(&realm, kind, &documents))
    }

    fn remove<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
        seen: Revision,
    ) -> StoreFuture<'a, Put> {
        let (realm, id) = (realm.clone(), Box::<str>::from(id));
        self.writer.step(move |database| database.remove_document(&realm, kind, &id, seen))
    }

    fn list<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Document>> {
        let (realm, after) = (realm.clone(), after.map(Box::<str>::from));
        self.readers.read(move |database| database.list(&realm, kind, after.as_deref(), limit))
    }

    fn changes(&self, since: Revision) -> StoreFuture<'_, Changes> {
        self.readers.look_up(move |database| database.changes(since))
    }
}

/// How many writes are remembered.
const REMEMBERED: i64 = 1_000;

const BY_ID: &str = "select id, body, revision from document where realm = ?1 and kind = ?2 and id = ?3";
const BY_ALIAS: &str = "select id, body, revision from document where realm = ?1 and kind = ?2
    and id = (select id from document_alias where realm = ?1 and kind = ?2 and alias = ?3)";
const LIST: &str = "select id, body, revision from document
    where realm = ?1 and kind = ?2 and id >= coalesce(?3, '') and (?3 is null or id <> ?3) order by id limit ?4";
const PUT: &str = "insert into document (realm, kind, id, body, revision) values (?1, ?2, ?3, ?4, ?5)
    on conflict (realm, kind, id) do update set body = excluded.body, revision = excluded.revision";
const REMOVE: &str = "delete from document where realm = ?1 and kind = ?2 and id = ?3";
const ALIASES: &str =
    "select alias from document_alias where realm = ?1 and kind = ?2 and id = ?3 order by position";
const ALIAS_HOLDER: &str = "select id from document_alias where realm = ?1 and kind = ?2 and alias = ?3";
const PUT_ALIAS: &str = "insert into document_alias (realm, kind, alias, id, position) values (?1, ?2, ?3, ?4, ?5) on conflict do nothing";
const REMOVE_ALIASES: &str = "delete from document_alias where realm = ?1 and kind = ?2 and id = ?3";
const NEWEST_CHANGE: &str = "select coalesce(max(revision), 0) from document_change";
const CHANGES: &str = "select realm, kind, id from document_change where revision > ?1 and revision <= ?2
    order by revision limit ?3";
const REMEMBER: &str = "insert into document_change (revision, realm, kind, id) values (?1, ?2, ?3, ?4)";
const FORGET: &str = "delete from document_change where revision <= ?1";

impl Database {
    fn document(
        &self,
        by: &str,
        realm: &RealmId,
        kind: DocumentKind,
        name: &str,
    ) -> Outcome<Option<Document>> {
        let mut find = self.connection.prepare_cached(by)?;
        let found = find.query_row(params![realm.as_str(), kind.0, name], read).optional()?;
        found.map(|document| self.with_aliases(realm, kind, document)).transpose()
    }

    fn list(
        &self,
        realm: &RealmId,
        kind: DocumentKind,
        after: Option<&str>,
        limit: usize,
    ) -> Outcome<Vec<Document>> {
        let mut list = self.connection.prepare_cached(LIST)?;
        let rows = list.query_map(params![realm.as_str(), kind.0, after, clamp(limit)], read)?;
        rows.map(|row| self.with_aliases(realm, kind, row?)).collect()
    }

    fn with_aliases(&self, realm: &RealmId, kind: DocumentKind, document: Document) -> Outcome<Document> {
        let mut aliases = self.connection.prepare_cached(ALIASES)?;
        let aliases = aliases.query_map(params![realm.as_str(), kind.0, document.id], |row| row.get(0))?;
        Ok(Document { aliases: aliases.collect::<rusqlite::Result<_>>()?, ..document })
    }

    fn put(
        &self,
        realm: &RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: &Document,
    ) -> Outcome<Put> {
        let held = self.document(BY_ID, realm, kind, &document.id)?;
        match (seen, held) {
            (None, Some(_)) => return Ok(Put::Occupied),
            (Some(seen), held) if held.as_ref().map(|held| held.revision) != Some(seen) => {
                return Ok(Put::Stale);
            }
            _ => {}
        }
        let mut holder = self.connection.prepare_cached(ALIAS_HOLDER)?;
        for alias in &document.aliases {
            let holder =
                holder.query_row(params![realm.as_str(), kind.0, alias], |row| row.get::<_, Box<str>>(0));
            if holder.optional()?.is_some_and(|holder| holder != document.id) {
                return Ok(Put::Occupied);
            }
        }
        let revision = self.remember(realm, kind, &document.id)?;
        let (realm, number) = (realm.as_str(), i64::try_from(revision.0).map_err(BackendError::new)?);
        let put = params![realm, kind.0, document.id, document.body, number];
        self.connection.prepare_cached(PUT)?.execute(put)?;
        self.connection.prepare_cached(REMOVE_ALIASES)?.execute(params![realm, kind.0, document.id])?;
        for (position, alias) in (0_i64..).zip(&document.aliases) {
            let alias = params![realm, kind.0, alias, document.id, position];
            self.connection.prepare_cached(PUT_ALIAS)?.execute(alias)?;
        }
        Ok(Put::Done(revision))
    }

    fn put_new(&self, realm: &RealmId, kind: DocumentKind, documents: &[Document]) -> Outcome<Put> {
        self.put_all(realm, documents.iter().map(|document| (kind, None, document)))
    }

    /// Writes all of these, each over what was seen of it, or none.
    pub(crate) fn put_all<'a>(
        &self,
        realm: &RealmId,
        documents: impl IntoIterator<Item = (DocumentKind, Option<Revision>, &'a Document)>,
    ) -> Outcome<Put> {
        let run = |text: &str| self.connection.prepare_cached(text)?.execute([]).map(drop);
        run("savepoint batch")?;
        let mut put = Put::Done(Revision(0));
        for (kind, seen, document) in documents {
            put = self.put(realm, kind, seen, document)?;
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
        self.connection.prepare_cached(REMOVE_ALIASES)?.execute(params![realm.as_str(), kind.0, id])?;
        Ok(Put::Done(self.remember(realm, kind, id)?))
    }

    /// Remembers a write and returns its revision, which is one greater than that of the write before it.
    fn remember(&self, realm: &RealmId, kind: DocumentKind, id: &str) -> Outcome<Revision> {
        let next = self.newest_change()? + 1;
        self.connection.prepare_cached(REMEMBER)?.execute(params![next, realm.as_str(), kind.0, id])?;
        self.connection.prepare_cached(FORGET)?.execute([next - REMEMBERED])?;
        Ok(Revision(u64::try_from(next).map_err(BackendError::new)?))
    }

    fn newest_change(&self) -> rusqlite::Result<i64> {
        self.connection.prepare_cached(NEWEST_CHANGE)?.query_row([], |row| row.get(0))
    }

    fn changes(&self, since: Revision) -> Outcome<Changes> {
        let newest = self.newest_change()?;
        let now = Revision(u64::try_from(newest).map_err(BackendError::new)?);
        let since = i64::try_from(since.0).unwrap_or(i64::MAX);
        let missed = newest.saturating_sub(since);
        if !(0..=REMEMBERED).contains(&missed) {
            return Ok(Changes { now, moved: Moved::Any });
        }
        let mut changes = self.connection.prepare_cached(CHANGES)?;
        let mut rows = changes.query([since, newest, REMEMBERED])?;
        let mut these = Vec::new();
        while let Some(row) = rows.next()? {
            let realm: Box<str> = row.get(0)?;
            let realm = RealmId::parse(&realm).map_err(BackendError::new)?;
            these.push(Changed { realm, kind: DocumentKind(row.get(1)?), id: row.get(2)? });
        }
        // A writer may have forgotten the oldest ones since the newest one was looked up.
        let are_all = i64::try_from(these.len()).is_ok_and(|found| found == missed);
        Ok(Changes { now, moved: if are_all { Moved::These(these) } else { Moved::Any } })
    }
}

/// Reads the columns of a document, but not its aliases, which are in another table.
fn read(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document { id: row.get(0)?, aliases: Vec::new(), body: row.get(1)?, revision: revision(row, 2)? })
}
