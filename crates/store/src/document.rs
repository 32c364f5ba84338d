//! The contract for what people change.

use chancery_types::RealmId;

use crate::{Revision, StoreFuture};

/// Few, long-lived things with an id, read far more often than written. Realms do not meet.
///
/// # Errors
/// [`Busy`](crate::StoreError::Busy) and [`Backend`](crate::StoreError::Backend) from every method; then nothing was
/// written.
pub trait DocumentStore: Send + Sync + 'static {
    /// The document of this id.
    fn get<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, id: &'a str) -> StoreFuture<'a, Option<Document>>;

    /// The document that has this alias among its aliases.
    fn find<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, alias: &'a str) -> StoreFuture<'a, Option<Document>>;

    /// Writes a document: a new one when `seen` is `None`, else over the one that was seen. The revision that the
    /// document carries is not looked at.
    fn put<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> StoreFuture<'a, Put>;

    /// Writes new documents, all or none. [`Put::Occupied`] also when two of them share an id or an alias.
    fn put_new<'a>(&'a self, realm: &'a RealmId, kind: DocumentKind, documents: Vec<Document>) -> StoreFuture<'a, Put>;

    /// Removes the document that was seen; its id and aliases are free at once. [`Put::Stale`] also when it is gone.
    fn remove<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
        seen: Revision,
    ) -> StoreFuture<'a, Put>;

    /// The documents of a kind in the order of their ids (bytewise), at most `limit`, those after `after`.
    fn list<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        after: Option<&'a str>,
        limit: usize,
    ) -> StoreFuture<'a, Vec<Document>>;

    /// What was written since, by this node or another, in all realms: whoever keeps what they have read asks once a
    /// second what of it holds no more. `since` is what an earlier answer called `now`, or [`Revision::NONE`].
    fn changes(&self, since: Revision) -> StoreFuture<'_, Changes>;
}

/// What was written to documents since an earlier question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// What the next question asks from.
    pub now: Revision,
    /// Which documents were written or removed.
    pub moved: Moved,
}

/// Which documents have moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// These and no others; one that was written twice may stand here twice.
    These(Vec<Changed>),
    /// Any of them may have: the store remembers a bounded number of writes, or was put back to an earlier state.
    Any,
}

/// The name of a document that was written or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// In which realm.
    pub realm: RealmId,
    /// Of which sort.
    pub kind: DocumentKind,
    /// Its id.
    pub id: Box<str>,
}

/// What sort of document. Numbers are stable and only appended; the store itself gives them no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKind(pub u8);

impl DocumentKind {
    /// An account of the built-in accounts; its aliases are the user name and what that looks like.
    pub const ACCOUNT: Self = Self(1);
    /// A client's registration.
    pub const CLIENT: Self = Self(2);
    /// A resource server.
    pub const RESOURCE_SERVER: Self = Self(3);
    /// The sealed private keys and root secrets of a realm.
    pub const SEALED_KEYS: Self = Self(4);
}

/// One document as the store has it, or as it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name within realm and kind.
    pub id: Box<str>,
    /// Further names, each unique within realm and kind. Between ids and aliases nothing is compared.
    pub aliases: Vec<Box<str>>,
    /// Its content, in whatever form the caller chose.
    pub body: Box<[u8]>,
    /// Which state of it this is.
    pub revision: Revision,
}

/// What became of a `put` or a `remove`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Written; this is the revision of the document now.
    Done(Revision),
    /// It is not as it was seen: changed, or gone. Nothing was written.
    Stale,
    /// The id of a new document, or one of the aliases, belongs to another. Nothing was written.
    Occupied,
}
