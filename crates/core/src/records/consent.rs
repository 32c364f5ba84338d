//! A remembered consent.

use chancery_types::{AccountId, ClientId, Key, Kind, Partition, RealmId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::Env;
use crate::model::{ConsentAnswer, RegistrationId};
use crate::records::Body;

/// What one person has agreed to for one client. Key from account and client; no parent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsentBody {
    /// Tells this consent from one that was given after it had been withdrawn. Random; stays when it is widened.
    pub id: u64,
    /// The client, as it was registered: what was agreed for another one of the same id does not count.
    pub registration: RegistrationId,
    /// When it was given or last widened.
    pub at: Timestamp,
    /// What was allowed and declined.
    pub answer: ConsentAnswer,
}

impl Body for ConsentBody {
    const KIND: Kind = Kind::CONSENT;
}

/// The key of a consent. It is never a parent, so it may be derived; its partition comes from its own digest.
#[must_use]
pub fn consent_key(env: &Env, account: &AccountId, client: &ClientId) -> Key {
    derived(&env.realm, Kind::CONSENT, &env.names.digest("consent", &[account.as_str(), client.as_str()]))
}

/// A key whose partition is taken from the digest of what it is derived from.
pub(super) fn derived(realm: &RealmId, kind: Kind, id: &[u8]) -> Key {
    let placed = Key::derive(realm, kind, Partition([0, 0]), id);
    let partition = match placed.as_bytes() {
        [_, _, _, a, b, ..] => Partition([*a, *b]),
        _ => Partition([0, 0]),
    };
    Key::derive(realm, kind, partition, id)
}
