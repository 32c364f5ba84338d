//! What a grant type yields.

use std::sync::Arc;

use chancery_store::Revision;
use chancery_types::handle::{RefreshToken, RotatingHandle};
use chancery_types::iana::GrantType;
use chancery_types::{AccountId, Key, Partition, Scopes, Timestamp};

use crate::model::{Authentication, Claims, ClaimsRequest, GrantId, ResourceServer};

/// Where all grant types meet; behind it nothing knows a grant type. Another field needs a page in `docs/decisions`.
pub struct Entitlement {
    /// On what ground, for events only.
    pub grant_type: GrantType,
    /// For whom; `None` for the client itself.
    pub account: Option<AccountId>,
    /// The `sid` of the person's session at this client (OIDC Front-Channel Logout section 3).
    pub sid: Option<Box<str>>,
    /// The grant under which the tokens live, and when it was born; `None` for client credentials.
    pub grant: Option<(GrantId, Timestamp)>,
    /// Where the new records are placed.
    pub partition: Partition,
    /// What was granted.
    pub scopes: Scopes,
    /// What this response's tokens are for, when less was asked for than was granted (RFC 6749 section 6).
    pub narrowed: Option<Scopes>,
    /// The resource server of the access token; `None` for UserInfo or nothing in particular.
    pub resource: Option<Arc<ResourceServer>>,
    /// Single claims that were asked for and consented to (OIDC Core section 5.5).
    pub claims: ClaimsRequest,
    /// Extra claims of the access token.
    pub extra: Claims,
    /// How the person authenticated.
    pub authentication: Option<Authentication>,
    /// To be repeated in the ID token (OIDC Core section 2).
    pub nonce: Option<Box<str>>,
    /// What happens to refresh tokens.
    pub refresh: Refresh,
    /// What has to be true in the step that writes the tokens.
    pub condition: Condition,
}

/// What happens to refresh tokens.
pub enum Refresh {
    /// None is issued.
    No,
    /// A new family begins, if the policy wants it.
    New,
    /// The family goes on with this token.
    Family(RotatingHandle<RefreshToken>),
}

/// What has to be true in the step that writes the tokens.
pub enum Condition {
    /// Nothing.
    None,
    /// The code has not been used; it is used by this step.
    Redeem(Key),
    /// The family is as it was seen; it changes to this body in this step.
    Rotate {
        /// The family.
        family: Key,
        /// As it was seen.
        seen: Revision,
        /// As it will be.
        body: Box<[u8]>,
        /// When it will end if it is not used.
        expires_at: Timestamp,
    },
}
