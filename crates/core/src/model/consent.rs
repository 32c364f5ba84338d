//! What a person agreed to.

use chancery_types::Scopes;
use serde::{Deserialize, Serialize};

/// A person's answer to one client, remembered for later requests. What was declined counts as asked, too, so that
/// nobody is asked twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentAnswer {
    /// Scopes that were allowed.
    pub scopes: Scopes,
    /// Scopes that were declined.
    pub rejected_scopes: Scopes,
    /// Single claims that were allowed (OIDC Core section 5.5).
    pub claims: Vec<Box<str>>,
    /// Single claims that were declined.
    pub rejected_claims: Vec<Box<str>>,
}
