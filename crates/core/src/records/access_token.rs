//! What introspection and UserInfo tell of an opaque access token.

use chancery_types::{AccountId, ClientId, Kind, ResourceUri, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Claims, ClaimsRequest, GrantId};
use crate::records::Body;

/// An opaque access token. Key from its secret; parent: the grant, or none for client credentials.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessTokenBody {
    /// Who got it.
    pub client: ClientId,
    /// For whom; `None` for the client itself.
    pub account: Option<AccountId>,
    /// The grant it hangs on; none for client credentials.
    pub grant: Option<GrantId>,
    /// When the grant was born; compared with the account's `not_before`.
    pub granted_at: Option<Timestamp>,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Which resource server takes it; `None` for UserInfo.
    pub resource: Option<ResourceUri>,
    /// The person's session at the client.
    pub sid: Option<Box<str>>,
    /// Single claims for UserInfo.
    pub claims: ClaimsRequest,
    /// Extra claims for introspection.
    pub extra: Claims,
}

impl Body for AccessTokenBody {
    const KIND: Kind = Kind::ACCESS_TOKEN;
}
