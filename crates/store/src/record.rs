//! The records of a state store.

use chancery_types::{Alias, Key, Tag, Timestamp};

/// Something that lives for a while: a session, a grant, a code, a token.
///
/// A record that can be a parent has a random key that is never used twice, because inserting it again would
/// bring its children back to life. A tree is at most three deep (session, grant, token); a record below that
/// is never live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its unique name, which contains its kind and partition.
    pub key: Key,
    /// A second name, unique among the unexpired records.
    pub alias: Option<Alias>,
    /// The record with whose end this one ends.
    pub parent: Option<Key>,
    /// The tags by which it is listed and ended together with others.
    pub tags: Tags,
    /// From this time on it does not exist.
    pub expires_at: Timestamp,
    /// From this time on a worker may lease it.
    pub due_at: Option<Timestamp>,
    /// Its content, in whatever form the caller chose.
    pub body: Box<[u8]>,
}

/// Whom a record belongs to. The domains of the digests differ, so that an account's tag never equals a
/// client's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// The account.
    pub account: Option<Tag>,
    /// The client.
    pub client: Option<Tag>,
    /// The session.
    pub session: Option<Tag>,
}

impl Tags {
    /// Those that are set.
    pub fn iter(&self) -> impl Iterator<Item = Tag> {
        [self.account, self.client, self.session].into_iter().flatten()
    }
}

/// A record as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What was inserted, with what has been changed since.
    pub record: Record,
    /// The revision of this state.
    pub revision: Revision,
    /// When it was redeemed. A consumed record stays live until it expires, so that a replay can be
    /// distinguished from a guess.
    pub consumed_at: Option<Timestamp>,
}

/// The part of a record that may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The new content.
    pub body: Box<[u8]>,
    /// The new end of its life, which may be earlier or later than the old one.
    pub expires_at: Timestamp,
    /// The new time from which on a worker may lease it.
    pub due_at: Option<Timestamp>,
}

/// Names one state of one record or document. No two states under the same key have the same revision, even
/// if the record was removed and inserted again between them. The order of revisions means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision before the first write.
    pub const NONE: Self = Self(0);
}
