//! CIBA Core section 4: how a client asks people at another device, and how it gets the answer.

use chancery_jose::SigningAlgorithm;
use chancery_types::RedirectUri;
use chancery_types::iana::{BackchannelTokenDeliveryMode, GrantType, SubjectType};
use serde::{Deserialize, Serialize};

use super::openid::is_false;
use super::{ClientMetadata, Flow, Reader};

const SECTION: &str = "CIBA Core section 4";
const MODE: &str = "backchannel_token_delivery_mode";
const ENDPOINT: &str = "backchannel_client_notification_endpoint";
const ALGORITHM: &str = "backchannel_authentication_request_signing_alg";

/// How a client asks people at another device. Without a delivery mode it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ciba {
    /// How it gets the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_token_delivery_mode: Option<BackchannelTokenDeliveryMode>,
    /// Where it is told of the answer, or gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_client_notification_endpoint: Option<Box<str>>,
    /// What it signs its requests with. Without one, it does not sign them; with one, it has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_authentication_request_signing_alg: Option<SigningAlgorithm>,
    /// Whether it asks people for their user code.
    #[serde(default, skip_serializing_if = "is_false")]
    pub backchannel_user_code_parameter: bool,
}

impl Ciba {
    pub(super) fn read(from: &mut Reader<'_>, flow: &Flow) -> Self {
        let read = Self {
            backchannel_token_delivery_mode: mode(from),
            backchannel_client_notification_endpoint: endpoint(from),
            backchannel_authentication_request_signing_alg: algorithm(from),
            backchannel_user_code_parameter: from.boolean("backchannel_user_code_parameter").unwrap_or(false),
        };
        let has_grant = flow.grant_types.contains(&GrantType::Ciba);
        let Some(mode) = read.backchannel_token_delivery_mode else {
            if has_grant && !from.has(MODE) {
                from.complain_by(MODE, format!("must be given with {}", GrantType::Ciba), SECTION);
            }
            return read;
        };
        if mode != BackchannelTokenDeliveryMode::Push && !has_grant {
            let rule = format!("must have {}, because the delivery mode is {mode}", GrantType::Ciba);
            from.complain_by("grant_types", rule, SECTION);
        }
        let is_told = mode != BackchannelTokenDeliveryMode::Poll;
        if is_told && read.backchannel_client_notification_endpoint.is_none() && !from.has(ENDPOINT) {
            let rule = format!("must be given, because the delivery mode is {mode}");
            from.complain_by(ENDPOINT, rule, SECTION);
        }
        if flow.is_public() {
            let rule = "must be a method of authentication, because anybody could ask in the client's name";
            from.complain_by("token_endpoint_auth_method", rule, "CIBA Core section 7.1");
        }
        read
    }

    /// Whether the tokens are sent to the client.
    #[must_use]
    pub fn is_push(&self) -> bool {
        self.backchannel_token_delivery_mode == Some(BackchannelTokenDeliveryMode::Push)
    }
}

fn mode(from: &mut Reader<'_>) -> Option<BackchannelTokenDeliveryMode> {
    let text = from.string(MODE)?;
    let mode = BackchannelTokenDeliveryMode::parse(&text);
    if mode.is_none() {
        from.complain_by(MODE, format!("{text:?} is not poll, ping or push"), SECTION);
    }
    mode
}

/// An `https` URL without a fragment.
fn endpoint(from: &mut Reader<'_>) -> Option<Box<str>> {
    let uri = from.url(ENDPOINT, false)?;
    if uri.contains('#') {
        from.complain_by(ENDPOINT, "must not have a fragment", SECTION);
        return None;
    }
    Some(uri)
}

/// One for which the client has a key of its own (section 7.1.1).
fn algorithm(from: &mut Reader<'_>) -> Option<SigningAlgorithm> {
    let text = from.string(ALGORITHM)?;
    let alg = SigningAlgorithm::parse(&text).filter(|alg| !alg.is_symmetric());
    if alg.is_none() {
        let rule = format!("{text:?} is no asymmetric algorithm that this server verifies");
        from.complain_by(ALGORITHM, rule, "CIBA Core section 7.1.1");
    }
    alg
}

/// Whoever signs has keys. A client with pairwise subjects that fetches its tokens publishes its keys and shows with each
/// request that they are its own (section 4, "Poll and Ping Modes with Pairwise Identifiers"), also if it has redirect
/// URIs: nothing of this flow comes there.
pub(super) fn check(from: &mut Reader<'_>, metadata: &ClientMetadata) {
    let ciba = &metadata.ciba;
    let signs = ciba.backchannel_authentication_request_signing_alg.is_some();
    if signs && metadata.jwks.is_none() && metadata.jwks_uri.is_none() && !from.has("jwks") {
        from.complain_by(
            "jwks",
            "or jwks_uri must be given, because requests are signed",
            "CIBA Core section 7.2",
        );
    }
    if ciba.is_push() && metadata.openid.id_token_signed_response_alg.signed().is_none() {
        let rule = "must not be none, because the ID token vouches for what is sent with it";
        from.complain_by("id_token_signed_response_alg", rule, "CIBA Core section 10.3.1");
    }
    let is_pairwise = metadata.openid.subject_type == SubjectType::Pairwise;
    let Some(mode) = ciba.backchannel_token_delivery_mode.filter(|_| is_pairwise) else { return };
    if mode == BackchannelTokenDeliveryMode::Push {
        return;
    }
    if metadata.jwks_uri.is_none() && !from.has("jwks_uri") {
        let rule = "must be given, because subjects are pairwise";
        from.complain_by("jwks_uri", rule, SECTION);
    }
    if !metadata.flow.authenticates_by_published_key() && !signs {
        let rule = "must be given, or the client authenticate with a key of its jwks_uri, because subjects are pairwise";
        from.complain_by(ALGORITHM, rule, SECTION);
    }
}

impl ClientMetadata {
    /// What stands in place of a redirect URI where people are asked at another device (section 4): what of it says where
    /// the client is.
    pub(crate) fn place_of_ciba(&self) -> Option<RedirectUri> {
        let uri = match self.ciba.backchannel_token_delivery_mode? {
            BackchannelTokenDeliveryMode::Poll | BackchannelTokenDeliveryMode::Ping => &self.jwks_uri,
            BackchannelTokenDeliveryMode::Push => &self.ciba.backchannel_client_notification_endpoint,
        };
        RedirectUri::parse(uri.as_deref()?).ok()
    }
}
