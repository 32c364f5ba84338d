//! RFC 7591, OAuth 2.0 Dynamic Client Registration Protocol: section 2, client metadata; OpenID Connect
//! Dynamic Client Registration 1.0: section 2.

use chancery_jose::SigningAlgorithm;
use serde::{Deserialize, Serialize};

use super::openid::OIDC;
use super::{Description, Flow, IdTokenAlgorithm, Logout, OpenId, OwnSettings, Reader, unsupported};

/// Client metadata as it was registered, grouped by specification. As JSON it is the flat object of RFC 7591
/// section 2, so that stored metadata can be shown again. A new member is a field of its group and a line in
/// that group's `read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// What people are told about the client.
    #[serde(flatten)]
    pub description: Description,
    /// What OAuth needs to know about the client.
    #[serde(flatten)]
    pub flow: Flow,
    /// What OpenID Connect adds.
    #[serde(flatten)]
    pub openid: OpenId,
    /// Where the client is notified that a session has ended.
    #[serde(flatten)]
    pub logout: Logout,
    /// The one member that is Chancery's own.
    #[serde(default, rename = "chancery")]
    pub own: OwnSettings,
}

impl ClientMetadata {
    /// Reads every known member; the reader collects what is wrong and what is left out. Unknown members are
    /// ignored, as RFC 7591 section 2 requires.
    pub(crate) fn read(from: &mut Reader<'_>, algorithms: &[SigningAlgorithm]) -> Self {
        unsupported::look_at(from);
        let read = Self {
            description: Description::read(from),
            flow: Flow::read(from),
            openid: OpenId::read(from, algorithms),
            logout: Logout::read(from),
            own: OwnSettings::read(from),
        };
        let has_id_token = read.flow.response_types.iter().any(|value| value.has_id_token());
        if read.openid.id_token_signed_response_alg == IdTokenAlgorithm::Unsigned && has_id_token {
            let rule =
                "must not be none, because the response types have ID tokens from the authorization endpoint";
            from.complain_by("id_token_signed_response_alg", rule, OIDC);
        }
        if read.own.pkce_optional && read.flow.is_public() {
            // Anybody could redeem a code that leaks from a public client; only the verifier tells them from
            // the client.
            let rule = "a client without authentication must use PKCE";
            from.complain_by("chancery.pkce_optional", rule, "RFC 9700 section 2.1.1");
        }
        read
    }

    /// The HMAC algorithm that the client is registered for, if any; its key is the client's secret (OIDC
    /// Core section 10.1).
    #[must_use]
    pub fn hmac_algorithm(&self) -> Option<SigningAlgorithm> {
        let signed =
            [self.openid.id_token_signed_response_alg.signed(), self.openid.userinfo_signed_response_alg];
        signed.into_iter().flatten().find(|alg| alg.is_symmetric())
    }
}
