//! The contract for documents: what people change.

use chancery_types::RealmId;

use crate::{Revision, StoreFuture};

/// Stores few, long-lived documents, which are read far more often than written. Realms are separate
/// namespaces.
///
/// # Errors
/// Every method may fail with [`Busy`](crate::StoreError::Busy) or [`Backend`](crate::StoreError::Backend);
/// nothing was written then.
pub trait DocumentStore: Send + Sync + 'static {
    /// The document of this id.
    fn get<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
    ) -> StoreFuture<'a, Option<Document>>;

    /// The document that has this alias among its aliases.
    fn find<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        alias: &'a str,
    ) -> StoreFuture<'a, Option<Document>>;

    /// Writes a document: a new one when `seen` is `None`, otherwise over the one that was seen. The
    /// document's own `revision` is ignored.
    fn put<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> StoreFuture<'a, Put>;

    /// Writes new documents, all or none. It is [`Put::Occupied`], too, when two of them share an id or an
    /// alias.
    fn put_new<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        documents: Vec<Document>,
    ) -> StoreFuture<'a, Put>;

    /// Removes the document that was seen; its id and aliases are free at once. It is [`Put::Stale`], too,
    /// when it is gone.
    fn remove<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
        seen: Revision,
    ) -> StoreFuture<'a, Put>;

    /// At most `limit` documents of a kind with ids greater than `after`, in the bytewise order of their ids.
    fn list<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Document>>;

    /// What any node has written since, in any realm. A cache asks this once a second to learn which of its
    /// entries are outdated. `since` is the `now` of an earlier answer, or [`Revision::NONE`].
    fn changes(&self, since: Revision) -> StoreFuture<'_, Changes>;
}

/// What was written to documents since an earlier call of [`DocumentStore::changes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The `since` of the next call.
    pub now: Revision,
    /// Which documents were written or removed.
    pub moved: Moved,
}

/// Which documents were written or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// These and no others; a document that was written twice may be listed twice.
    These(Vec<Changed>),
    /// Any of them may have been, because the store remembers a bounded number of writes, or was restored
    /// from a backup.
    Any,
}

/// The name of a document that was written or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its realm.
    pub realm: RealmId,
    /// Its kind.
    pub kind: DocumentKind,
    /// Its id.
    pub id: Box<str>,
}

/// The kind of a document. A number is never reused or changed; the store itself gives it no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKind(pub u8);

impl DocumentKind {
    /// An account of the built-in accounts. Its aliases are the user name and the form that look-alike names
    /// share.
    pub const ACCOUNT: Self = Self(1);
    /// A client's registration.
    pub const CLIENT: Self = Self(2);
    /// A resource server.
    pub const RESOURCE_SERVER: Self = Self(3);
    /// The sealed private keys and root secrets of a realm.
    pub const SEALED_KEYS: Self = Self(4);
    /// The issuer for which a server has filled the realm.
    pub const ISSUER: Self = Self(5);
}

/// A document as the store has it or is to write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name within realm and kind.
    pub id: Box<str>,
    /// Further names, each unique among the aliases within realm and kind. Ids and aliases are not compared.
    pub aliases: Vec<Box<str>>,
    /// Its content, in whatever form the caller chose.
    pub body: Box<[u8]>,
    /// The revision of this state.
    pub revision: Revision,
}

/// The outcome of a `put` or a `remove`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was written; this is the document's new revision.
    Done(Revision),
    /// It was changed or removed since it was seen. Nothing was written.
    Stale,
    /// The id of a new document, or one of the aliases, belongs to another. Nothing was written.
    Occupied,
}
