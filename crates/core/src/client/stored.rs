//! The form in which a registry keeps a client: a version byte, then JSON. The only way to a [`Client`].

use std::sync::Arc;

use chancery_jose::{HmacKey, RootSecret, SealingKey, SecretDigest, SigningAlgorithm, base64url};
use chancery_store::Revision;
use chancery_types::iana::{ClientAuthenticationMethod, GrantType, ResponseMode, ResponseType};
use chancery_types::{ClientId, RealmId, RedirectUri, ResourceUri, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::model::{Acr, ApplicationType, Client, ClientCredential, ConsentMode, RefreshTokens, SecretMethod};

/// Version 1. What is absent has its default, so that a member can be added without a new version.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredClient {
    pub(super) client_id: ClientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client_name: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client_uri: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) logo_uri: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) policy_uri: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tos_uri: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) initiate_login_uri: Option<Box<str>>,
    #[serde(default)]
    pub(super) application_type: ApplicationType,
    pub(super) token_endpoint_auth_method: ClientAuthenticationMethod,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) secrets: Vec<StoredSecret>,
    /// The secret itself, sealed, for a client that is registered for an HMAC (OIDC Core section 10.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sealed_secret: Option<Box<str>>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// When it was registered; what is older belongs to another client of the same id.
    #[serde(default = "ever")]
    pub(super) registered_at: Timestamp,
    #[serde(default)]
    pub(super) redirect_uris: Vec<RedirectUri>,
    #[serde(default)]
    pub(super) response_types: Vec<ResponseType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) response_modes: Option<Vec<ResponseMode>>,
    #[serde(default)]
    pub(super) grant_types: Vec<GrantType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<Scopes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) default_max_age: Option<u64>,
    /// Kept as it was registered; every ID token has `auth_time`.
    #[serde(default)]
    pub(super) require_auth_time: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) default_acr_values: Vec<Acr>,
    pub(super) id_token_signed_response_alg: SigningAlgorithm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) userinfo_signed_response_alg: Option<SigningAlgorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) backchannel_logout_uri: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) frontchannel_logout_uri: Option<Box<str>>,
    #[serde(default)]
    pub(super) pkce_optional: bool,
    #[serde(default)]
    pub(super) refresh_tokens: RefreshTokens,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) default_resource: Option<ResourceUri>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) introspects: Vec<ClientId>,
    #[serde(default)]
    pub(super) consent: ConsentMode,
    #[serde(default)]
    pub(super) secret_method: SecretMethod,
}

/// One secret that is good, or was.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredSecret {
    pub(super) digest: SecretDigest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ends: Option<Timestamp>,
}

const VERSION: u8 = 1;

fn yes() -> bool {
    true
}

fn ever() -> Timestamp {
    Timestamp::from_millis(0)
}

impl StoredClient {
    /// Only the defaults of RFC 7591 section 2 and OIDC Registration section 2.
    pub(super) fn new(client_id: ClientId, registered_at: Timestamp) -> Self {
        Self {
            client_id,
            client_name: None,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            initiate_login_uri: None,
            application_type: ApplicationType::Web,
            token_endpoint_auth_method: ClientAuthenticationMethod::ClientSecretBasic,
            secrets: Vec::new(),
            sealed_secret: None,
            enabled: true,
            registered_at,
            redirect_uris: Vec::new(),
            response_types: vec![ResponseType::Code],
            response_modes: None,
            grant_types: vec![GrantType::AuthorizationCode],
            scope: None,
            default_max_age: None,
            require_auth_time: false,
            default_acr_values: Vec::new(),
            id_token_signed_response_alg: SigningAlgorithm::Rs256,
            userinfo_signed_response_alg: None,
            backchannel_logout_uri: None,
            frontchannel_logout_uri: None,
            pkce_optional: false,
            refresh_tokens: RefreshTokens::Offline,
            default_resource: None,
            introspects: Vec::new(),
            consent: ConsentMode::Ask,
            secret_method: SecretMethod::Either,
        }
    }

    /// The algorithm of the HMAC that the client is registered for, if any.
    pub(super) fn hmac_algorithm(&self) -> Option<SigningAlgorithm> {
        let signed = [Some(self.id_token_signed_response_alg), self.userinfo_signed_response_alg];
        signed.into_iter().flatten().find(|alg| alg.is_symmetric())
    }

    /// The stored form.
    pub(super) fn encode(&self) -> Result<Box<[u8]>, Fault> {
        let mut bytes = vec![VERSION];
        serde_json::to_writer(&mut bytes, self).map_err(|error| Fault::internal(error.to_string()))?;
        Ok(bytes.into())
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        match bytes.split_first() {
            Some((&VERSION, json)) => {
                serde_json::from_slice(json).map_err(|error| Fault::internal(format!("damaged client: {error}")))
            }
            _ => Err(Fault::internal("a client of an unknown version")),
        }
    }
}

/// The key that seals clients' secrets: another one than that of private keys, made from the same wrapping key.
pub(super) fn sealing_key(wrapping: &RootSecret) -> Result<SealingKey, Fault> {
    wrapping.sealing_key("chancery client secret").map_err(|error| Fault::internal(error.to_string()))
}

/// What the seal of a client's secret is bound to.
pub(super) fn sealed_for(realm: &RealmId, client: &ClientId) -> Vec<u8> {
    [realm.as_str().as_bytes(), &[0], client.as_str().as_bytes()].concat()
}

/// Reads a stored client, as it was seen in its registry.
///
/// # Errors
/// A fault for an unknown version, a damaged record, or a secret that was sealed under another key or for another
/// client.
pub fn from_stored(bytes: &[u8], revision: Revision, realm: &RealmId, wrapping: &RootSecret) -> Result<Client, Fault> {
    let client = StoredClient::decode(bytes)?;
    let hmac_key = match (client.hmac_algorithm(), &client.sealed_secret) {
        (Some(alg), Some(sealed)) => {
            let sealed = base64url::decode(sealed).map_err(|error| Fault::internal(error.to_string()))?;
            let secret = sealing_key(wrapping)?
                .open(&sealed_for(realm, &client.client_id), &sealed)
                .ok_or_else(|| Fault::internal("a client's secret was sealed under another key"))?;
            let key = HmacKey::new(alg, &secret).map_err(|error| Fault::internal(error.to_string()))?;
            Some(Arc::new(key))
        }
        (Some(_), None) => return Err(Fault::internal("a client is registered for an HMAC without a sealed secret")),
        (None, _) => None,
    };
    let credential = match client.token_endpoint_auth_method {
        ClientAuthenticationMethod::None => ClientCredential::Public,
        method => ClientCredential::Secret {
            method,
            secrets: client.secrets.into_iter().map(|secret| (secret.digest, secret.ends)).collect(),
        },
    };
    Ok(Client {
        id: client.client_id,
        name: client.client_name,
        client_uri: client.client_uri,
        logo_uri: client.logo_uri,
        policy_uri: client.policy_uri,
        tos_uri: client.tos_uri,
        initiate_login_uri: client.initiate_login_uri,
        application_type: client.application_type,
        credential,
        is_enabled: client.enabled,
        registered_at: client.registered_at,
        redirect_uris: client.redirect_uris,
        response_types: client.response_types,
        response_modes: client.response_modes,
        grant_types: client.grant_types,
        scopes: client.scope,
        default_max_age: client.default_max_age,
        default_acr_values: client.default_acr_values,
        id_token_signed_response_alg: client.id_token_signed_response_alg,
        userinfo_signed_response_alg: client.userinfo_signed_response_alg,
        hmac_key,
        has_logout_uri: client.backchannel_logout_uri.is_some() || client.frontchannel_logout_uri.is_some(),
        is_pkce_optional: client.pkce_optional,
        refresh_tokens: client.refresh_tokens,
        default_resource: client.default_resource,
        introspects: client.introspects,
        consent: client.consent,
        secret_method: client.secret_method,
        stored: bytes.into(),
        revision,
    })
}
