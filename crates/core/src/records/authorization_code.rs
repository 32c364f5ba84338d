//! What a code's exchange checks, and what comes of it.

use chancery_types::{AccountId, ClientId, Kind, ResourceUri, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Authentication, ClaimsRequest, GrantId};
use crate::records::Body;

/// An authorization code. Key from its secret; parent: the grant. The record outlives the code's deadline, so that a
/// late replay is seen and ends what came of the code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthorizationCodeBody {
    /// Until when it can be exchanged.
    pub deadline: Timestamp,
    /// Who may exchange it.
    pub client: ClientId,
    /// Where it was sent.
    pub redirect_uri: Box<str>,
    /// Whether the request named the redirect URI; then the exchange has to repeat it (RFC 6749 section 4.1.3).
    pub redirect_uri_was_sent: bool,
    /// `code_challenge`, method S256 (RFC 7636 section 4.3).
    pub code_challenge: Option<Box<str>>,
    /// The grant it belongs to.
    pub grant: GrantId,
    /// When the grant was born.
    pub granted_at: Timestamp,
    /// For whom.
    pub account: AccountId,
    /// How the person authenticated.
    pub authentication: Authentication,
    /// The person's session at the client.
    pub sid: Box<str>,
    /// What was granted.
    pub scopes: Scopes,
    /// The resource server that its access tokens are for; `None` for UserInfo or nothing in particular.
    pub resource: Option<ResourceUri>,
    /// Single claims that were asked for and consented to.
    pub claims: ClaimsRequest,
    /// `nonce`.
    pub nonce: Option<Box<str>>,
}

impl Body for AuthorizationCodeBody {
    const KIND: Kind = Kind::AUTHORIZATION_CODE;
}
