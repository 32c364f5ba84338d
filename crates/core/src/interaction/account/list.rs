//! Lists of what a person has: read by parts, so that nobody's page costs more than anybody else's.

use chancery_types::Key;
use serde::{Deserialize, Serialize};

use super::Visitor;
use crate::error::Fault;
use crate::interaction::form_token;
use crate::records::{Body, Found};

/// How many records of a kind are read at once.
pub(super) const PART: usize = 100;

/// How many parts are read for one page at most.
pub(super) const PARTS: usize = 10;

/// The kind of what is sealed.
const FURTHER: &str = "account list";

/// Where a list goes on. The store has its own order of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Position {
    /// With the first record.
    #[default]
    Start,
    /// Behind this one.
    Behind(Key),
    /// There is nothing more.
    End,
}

/// Where the lists of a page begin. The address of a further page carries it, sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Lists {
    pub(super) sessions: Position,
    pub(super) consents: Position,
    pub(super) grants: Position,
}

impl Visitor<'_> {
    /// The lists that an address names; those of the first page if it names none of ours.
    pub(super) fn lists(&self, sealed: Option<&str>) -> Lists {
        let open = |sealed| form_token::open(self.env, self.by.keys(), FURTHER, sealed);
        sealed.and_then(open).unwrap_or_default()
    }

    /// The address of the page on which the lists begin there.
    pub(super) fn address_of(&self, lists: &Lists) -> Result<String, Fault> {
        let sealed = form_token::seal(self.env, self.by.keys(), FURTHER, lists)?;
        let query = chancery_types::params::encode([("from", &*sealed)].into_iter());
        Ok(format!("{}?{query}", self.address()))
    }

    /// One part of the person's records of a kind, and where the next one begins.
    pub(super) async fn part<B: Body>(&self, from: Position) -> Result<(Vec<Found<B>>, Position), Fault> {
        let records = self.env.records();
        let tag = records.tags(Some(&self.person.account.id), None, None).account;
        let (Some(tag), Some(after)) = (tag, from.after()) else { return Ok((Vec::new(), Position::End)) };
        // One more than a part tells whether there is another part.
        let mut part = records.list_tagged::<B>(self.call.now, tag, after, PART + 1).await?;
        let is_last = part.len() <= PART;
        part.truncate(PART);
        let next =
            part.last().filter(|_| !is_last).map_or(Position::End, |found| Position::Behind(found.key));
        Ok((part, next))
    }

    /// As many parts as one page may read, one record after the other, and where the rest begins.
    pub(super) async fn parts<B: Body>(
        &self,
        mut from: Position,
        mut each: impl FnMut(Found<B>),
    ) -> Result<Position, Fault> {
        for _ in 0..PARTS {
            let (part, next) = self.part(from).await?;
            part.into_iter().for_each(&mut each);
            from = next;
            if from == Position::End {
                break;
            }
        }
        Ok(from)
    }
}

impl Position {
    /// The key behind which the store has to look; nothing if there is nothing more.
    fn after(self) -> Option<Option<Key>> {
        match self {
            Self::Start => Some(None),
            Self::Behind(key) => Some(Some(key)),
            Self::End => None,
        }
    }
}
