//! A remembered consent.

use chancery_types::{AccountId, ClientId, Key, Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::Env;
use crate::model::{AccountRegistration, ConsentAnswer, RegistrationId};
use crate::records::Body;

/// What one person has agreed to for one client. Its key is derived from account and client; it has no
/// parent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsentBody {
    /// Distinguishes this consent from one that is given after it was withdrawn. A random number, which stays
    /// the same when the consent is widened.
    pub id: u64,
    /// Who may have it.
    pub client: ClientId,
    /// The registration of the client; a consent for another client with the same id is not valid.
    pub registration: RegistrationId,
    /// The person, as their account was made: what another one of the same id agreed to does not count.
    pub account: AccountRegistration,
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
    Key::derive_placed(
        &env.realm,
        Kind::CONSENT,
        &env.names.digest("consent", &[account.as_str(), client.as_str()]),
    )
}
