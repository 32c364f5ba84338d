//! One notice, from what it tells of until it has been heard.

use std::time::Duration;

use chancery_store::{Record, Tags};
use chancery_types::{AccountId, ClientId, Key, Kind, Partition, RealmId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::{Call, Env};
use crate::error::Fault;
use crate::model::{Client, GrantId, RegistrationId};
use crate::records::Body;

/// How long a notice is kept after it was given up at the latest: for a worker that was away, to say so.
const KEPT: Duration = Duration::from_secs(86_400);

/// A notice that the outbox sends. Its key is random. What is sent is made when it is sent, and the address is
/// the one that holds then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryBody {
    /// Whose worker sends it, because one store may serve several realms.
    pub realm: RealmId,
    /// The client that it is about.
    pub client: ClientId,
    /// The registration of that client; it is not about another one with the same id.
    pub registration: RegistrationId,
    /// The person whom it is about.
    pub account: AccountId,
    /// What it tells of.
    pub notice: Notice,
    /// Until when it is tried.
    pub until: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether it has waited, because too many others were sent to slow receivers, and now has its turn.
    pub has_turn: bool,
}

/// What a notice tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The client hears that a session has ended (OIDC Back-Channel Logout section 2.5).
    Logout {
        /// The session, as the client knows it.
        sid: Box<str>,
    },
    /// The client hears that its person has decided (CIBA Core section 10.2), or gets what came of it (sections 10.3 and
    /// 12).
    Decision {
        /// A [`ClientMessage`], sealed.
        message: Box<str>,
        /// The grant whose tokens it holds, if it holds any: it is of use to nobody unless they arrive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<GrantId>,
    },
    /// The person hears that something waits for their approval (CIBA Core section 8).
    Approval {
        /// The record of the request.
        request: Key,
        /// The page on which the person decides.
        link: Box<str>,
    },
}

/// What a client is sent about a decision, before it is sealed. It has no `Debug`, because it holds secrets.
#[derive(Serialize, Deserialize)]
pub struct ClientMessage {
    /// `client_notification_token`
    pub client_notification_token: String,
    /// The JSON document.
    pub document: String,
}

impl ClientMessage {
    /// As what it is sealed.
    pub const KIND: &'static str = "client message";
}

impl Body for DeliveryBody {
    const KIND: Kind = Kind::DELIVERY;
}

impl DeliveryBody {
    /// The record of a new notice, in this partition, which is due at once.
    ///
    /// # Errors
    /// As [`Body::encode`].
    pub fn due(
        call: &Call,
        env: &Env,
        partition: Partition,
        (client, account): (&Client, &AccountId),
        (notice, until): (Notice, Timestamp),
    ) -> Result<Record, Fault> {
        let body = Self {
            realm: env.realm.clone(),
            client: client.id().clone(),
            registration: client.registration(),
            account: account.clone(),
            notice,
            until,
            attempts: 0,
            has_turn: false,
        };
        let key = Key::derive(&env.realm, Kind::DELIVERY, partition, &*env.secret::<16>());
        let record = env.records().new(key, None, Tags::default(), until + KEPT, &body)?;
        Ok(Record { due_at: Some(call.now), ..record })
    }
}
