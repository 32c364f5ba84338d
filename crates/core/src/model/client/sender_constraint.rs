//! RFC 9449 section 5.2 and RFC 8705 section 3.4: whether a client's access tokens are good only in its own hands.

use serde::{Deserialize, Serialize};

use super::openid::is_false;
use super::{Flow, Reader};

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
    pub(super) fn read(from: &mut Reader<'_>, flow: &Flow) -> Self {
        let read = Self {
            dpop_bound_access_tokens: from.boolean("dpop_bound_access_tokens").unwrap_or(false),
            tls_client_certificate_bound_access_tokens: from
                .boolean("tls_client_certificate_bound_access_tokens")
                .unwrap_or(false),
        };
        let bound = [
            ("dpop_bound_access_tokens", read.dpop_bound_access_tokens, "RFC 9449 section 5.2"),
            (
                "tls_client_certificate_bound_access_tokens",
                read.tls_client_certificate_bound_access_tokens,
                "RFC 8705 section 3.4",
            ),
        ];
        let has_token = flow.response_types.iter().any(|value| value.has_token());
        for (name, _, section) in bound.into_iter().filter(|(_, is_set, _)| *is_set && has_token) {
            let rule = "the response types have access tokens from the authorization endpoint, which cannot be bound";
            from.complain_by(name, rule, section);
        }
        if bound.iter().all(|(_, is_set, _)| *is_set) {
            let rule = "cannot be together with dpop_bound_access_tokens: a token is bound in one way";
            from.complain_by("tls_client_certificate_bound_access_tokens", rule, "RFC 8705 section 3.4");
        }
        read
    }
}
