//! RFC 9449 section 5.2 and RFC 8705 section 3.4: whether a client's access tokens are good only in its own hands.

use serde::{Deserialize, Serialize};

use super::Reader;
use super::openid::is_false;

/// How a client's access tokens are bound to it. Without any of these they still are if it sends a DPoP proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderConstraint {
    /// Whether its token requests are refused unless they have a DPoP proof.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dpop_bound_access_tokens: bool,
    /// Whether its access tokens are bound to its certificate.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tls_client_certificate_bound_access_tokens: bool,
}

impl SenderConstraint {
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        Self {
            dpop_bound_access_tokens: from.boolean("dpop_bound_access_tokens").unwrap_or(false),
            tls_client_certificate_bound_access_tokens: from
                .boolean("tls_client_certificate_bound_access_tokens")
                .unwrap_or(false),
        }
    }
}
