//! One notice to one client, from the end of a session until the client has answered.

use chancery_types::{AccountId, ClientId, Kind, RealmId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::RegistrationId;
use crate::records::Body;

/// A notice that a session has ended (OIDC Back-Channel Logout section 2.5). Its key is random. The logout
/// token is made when it is sent, and the address is where the client is registered then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryBody {
    /// Whose worker sends it, because one store may serve several realms.
    pub realm: RealmId,
    /// Who is told.
    pub client: ClientId,
    /// In which registration the client took part in the session.
    pub registration: RegistrationId,
    /// Who was signed in.
    pub account: AccountId,
    /// The session, as the client knows it.
    pub sid: Box<str>,
    /// When the session ended.
    pub since: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether it has waited, because too many others were sent to slow clients, and now has its turn.
    pub has_turn: bool,
}

impl Body for DeliveryBody {
    const KIND: Kind = Kind::DELIVERY;
}
