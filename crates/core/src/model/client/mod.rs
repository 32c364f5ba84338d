//! A registered client (RFC 6749 section 2): its metadata as it was registered, and what the server adds to
//! it. Only `client::registration` makes one.

use std::collections::BTreeMap;

use chancery_store::Revision;
use chancery_types::iana::{ErrorCode, GrantType, ResponseEncoding, ResponseMode, SubjectType};
use chancery_types::{ClientId, RedirectPattern, RedirectUri, ResourceUri, Scopes, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Complaint, Fault, Reason, Refusal};
use crate::offered::RedirectLeniency;
use crate::profile::{Demands, Floor};

mod catalogue;
pub use catalogue::ClientMember;

pub(crate) mod choices;

mod authorization_responses;
pub use authorization_responses::AuthorizationResponses;

mod ciba;
pub use ciba::Ciba;

mod description;
pub use description::Description;

mod dynamic;
pub(crate) use dynamic::DynamicRegistration;

mod encryption;
pub use encryption::Encryption;

mod flow;
pub use flow::{ApplicationType, Flow, RedirectUse};

mod introspection_responses;
pub use introspection_responses::IntrospectionResponses;

mod keys;
pub use keys::{Jwks, PublicKeys};

mod localized;
pub use localized::Localized;

mod logout;
pub use logout::Logout;

mod metadata;
pub use metadata::ClientMetadata;

mod openid;
pub use openid::{IdTokenAlgorithm, OpenId};

mod mutual_tls;
pub use mutual_tls::MutualTls;

mod new_client;
pub use new_client::NewClient;

mod own;
pub use own::{ConsentMode, OwnSettings, RefreshTokens, SecretMethod};

mod request_objects;
pub use request_objects::{RequestObjectAlgorithm, RequestObjects};

mod reader;
pub(crate) use reader::{Reader, is_omitted};

mod signing;
pub(crate) use signing::Signing;

mod secret;
pub(crate) use secret::{ClientSecret, HmacSecret};

pub(crate) mod sector;

mod sender_constraint;
pub use sender_constraint::SenderConstraint;

mod unsupported;

/// A registered client, parsed and checked.
///
/// ```
/// # use chancery_core::model::Client;
/// fn called(client: &Client) -> &str { client.name().unwrap_or(client.id().as_str()) }
/// ```
///
/// ```compile_fail,E0451
/// # use chancery_core::model::Client;
/// # use chancery_store::Revision;
/// fn forged(revision: Revision, like: Client) -> Client { Client { revision, ..like } }
/// ```
#[derive(Clone)]
pub struct Client {
    body: ClientBody,
    revision: Revision,
}

/// Distinguishes a client from an earlier, removed one with the same id, so that it does not inherit what
/// people granted to that one or what was issued to it. It is a random number from the registration, and
/// stays the same when the client is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegistrationId(pub(crate) u64);

impl RegistrationId {
    /// Its bytes, for identifiers that contain it.
    pub(crate) fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// From what [`RegistrationId::to_bytes`] made.
    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

/// What a registry stores about a client.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ClientBody {
    pub(crate) client_id: ClientId,
    /// Which registration this is.
    pub(crate) registration: RegistrationId,
    /// When it was registered.
    pub(crate) registered_at: Timestamp,
    /// Several while one replaces another, the newest last; none for a public client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<ClientSecret>,
    /// `None` for a client that an operator registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dynamic: Option<DynamicRegistration>,
    pub(crate) metadata: ClientMetadata,
    /// The application's own members.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub(crate) extra: Extra,
}

/// Members of client metadata that an application knows, as they were written.
pub(crate) type Extra = BTreeMap<Box<str>, Box<RawValue>>;

/// The first byte of the stored form; JSON follows.
const VERSION: u8 = 1;

/// A redirect URI that was matched against the client's registration. Nothing else makes one.
///
/// ```
/// # use chancery_core::model::RedirectTarget;
/// fn shown(target: &RedirectTarget) -> &str { target.uri().as_str() }
/// ```
///
/// ```compile_fail,E0451
/// # use chancery_core::model::RedirectTarget;
/// # use chancery_types::RedirectUri;
/// fn forged(uri: RedirectUri) -> RedirectTarget { RedirectTarget { uri, was_sent: true } }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectTarget {
    uri: RedirectUri,
    was_sent: bool,
}

impl RedirectTarget {
    /// The URI to send the person to.
    #[must_use]
    pub fn uri(&self) -> &RedirectUri {
        &self.uri
    }

    /// Whether the request named it; then the token request has to repeat it (RFC 6749 section 4.1.3).
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.was_sent
    }
}

reasons! {
    /// The request has no `redirect_uri`, and the client has not registered exactly one, or the profile that it is held
    /// to demands that requests name it.
    pub REDIRECT_URI_MISSING = Reason {
        name: "redirect_uri_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter redirect_uri",
        section: "RFC 6749 section 3.1.2.3",
    };
    /// `redirect_uri` is not one of the client's registered redirect URIs. Where a browser came with it, the line of the
    /// log has it as `redirect_uri`; `chancery client show ID` lists those that are registered.
    pub REDIRECT_URI_UNREGISTERED = Reason {
        name: "redirect_uri_unregistered",
        code: ErrorCode::InvalidRequest,
        description: "redirect_uri does not match any registered one",
        section: "RFC 9700 section 2.1",
    };
}

impl Client {
    /// A client that has not been stored in a registry yet.
    pub(crate) fn new(body: ClientBody) -> Self {
        Self { body, revision: Revision(0) }
    }

    /// A client that is defined in a program or its configuration and registered anew at each start. Its
    /// registration is always the same one, so that what was issued to it before a restart stays valid.
    #[must_use]
    pub fn configured(self) -> Self {
        Self { body: ClientBody { registration: RegistrationId::default(), ..self.body }, ..self }
    }

    /// The client with the revision that its registry gave it.
    pub(crate) fn seen_at(self, revision: Revision) -> Self {
        Self { revision, ..self }
    }

    /// Reads the stored form, with its revision in the registry.
    ///
    /// # Errors
    /// A fault for an unknown version or a damaged record.
    pub fn from_stored(bytes: &[u8], revision: Revision) -> Result<Self, Fault> {
        match bytes.split_first() {
            Some((&VERSION, json)) => serde_json::from_slice(json)
                .map(|body| Self { body, revision })
                .map_err(|error| Fault::internal(format!("damaged client: {error}"))),
            _ => Err(Fault::internal("a client of an unknown version")),
        }
    }

    /// The form in which a registry stores it. Secrets are stored as digests, or sealed.
    ///
    /// # Errors
    /// A fault for a client of a [`MemoryRegistry`](crate::documents::MemoryRegistry) that is registered for
    /// an HMAC: its secret was never sealed.
    pub fn to_stored(&self) -> Result<Box<[u8]>, Fault> {
        let mut bytes = vec![VERSION];
        serde_json::to_writer(&mut bytes, &self.body).map_err(|error| Fault::internal(error.to_string()))?;
        Ok(bytes.into())
    }

    /// Its stored contents, for a change.
    pub(crate) fn body(&self) -> &ClientBody {
        &self.body
    }

    /// `client_id`.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.body.client_id
    }

    /// Its metadata, as it was registered (RFC 7591 section 2).
    #[must_use]
    pub fn metadata(&self) -> &ClientMetadata {
        &self.body.metadata
    }

    /// A member of its metadata that is the application's own ([`ClientPolicy::metadata`](crate::policy::ClientPolicy::metadata)),
    /// as it was written.
    #[must_use]
    pub fn extra(&self, name: &str) -> Option<&RawValue> {
        self.body.extra.get(name).map(|value| &**value)
    }

    /// All such members.
    pub fn extra_members(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.body.extra.iter().map(|(name, value)| (&**name, &**value))
    }

    /// When each of its secrets that are good now will end, the newest last; `None` for one without an end.
    pub fn good_secrets(&self, now: Timestamp) -> impl Iterator<Item = Option<Timestamp>> {
        self.secrets().iter().filter(move |secret| secret.is_good(now)).map(|secret| secret.ends)
    }

    /// Whether the newest of its secrets that are good now is this one: one before it ends.
    #[must_use]
    pub fn has_newest_secret(&self, secret: &str, now: Timestamp) -> bool {
        let newest = self.secrets().iter().rfind(|known| known.is_good(now));
        newest.is_some_and(|newest| newest.digest.matches(secret))
    }

    /// Its revision in the registry, which a change has to name.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Which registration this is.
    #[must_use]
    pub fn registration(&self) -> RegistrationId {
        self.body.registration
    }

    /// When it was registered.
    #[must_use]
    pub fn registered_at(&self) -> Timestamp {
        self.body.registered_at
    }

    /// What is kept about it if it registered itself.
    pub(crate) fn dynamic(&self) -> Option<&DynamicRegistration> {
        self.body.dynamic.as_ref()
    }

    /// Whether it registered itself (RFC 7591 section 3), rather than being registered by an operator.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.body.dynamic.is_some()
    }

    /// Whether one of its currently valid secrets could be guessed, because an operator accepted fewer than
    /// 32 characters (RFC 6749 section 10.10).
    #[must_use]
    pub fn has_weak_secret(&self, now: Timestamp) -> bool {
        self.secrets().iter().any(|secret| secret.is_weak && secret.is_good(now))
    }

    pub(crate) fn secrets(&self) -> &[ClientSecret] {
        &self.body.secrets
    }

    /// `client_name`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.metadata().description.client_name.as_deref()
    }

    /// Whether it cannot keep a secret (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.metadata().flow.is_public()
    }

    /// Whether the client may use this response mode for a response type with this default.
    #[must_use]
    pub fn may_use(&self, mode: ResponseMode, by_default: ResponseEncoding) -> bool {
        self.metadata().flow.may_use(mode, by_default)
    }

    /// What its requests are held to, on a server with this floor.
    pub(crate) fn demands<'f>(&self, floor: &'f Floor) -> &'f Demands {
        floor.demands(self.metadata().own.profile)
    }

    /// Whether it may be used at all.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.metadata().own.enabled
    }

    /// Whether it may omit PKCE, which RFC 9700 section 2.1.1 recommends for every client.
    #[must_use]
    pub fn is_pkce_optional(&self) -> bool {
        self.metadata().own.pkce_optional
    }

    /// Whether it may use the code challenge method `plain`, which RFC 9700 section 2.1.1 advises against.
    #[must_use]
    pub fn is_pkce_plain(&self) -> bool {
        self.metadata().own.pkce_plain
    }

    /// `redirect_uris`.
    #[must_use]
    pub fn redirect_uris(&self) -> &[RedirectUri] {
        &self.metadata().flow.redirect_uris
    }

    /// The URIs that are registered for this use.
    #[must_use]
    pub(crate) fn registered_for(&self, what_for: RedirectUse) -> &[RedirectUri] {
        match what_for {
            RedirectUse::Response => self.redirect_uris(),
            RedirectUse::Logout => &self.metadata().logout.post_logout_redirect_uris,
        }
    }

    /// The `post_logout_redirect_uri` to use: the requested one, if a registered one equals it byte for byte
    /// (OIDC RP-Initiated Logout section 3), or admits it by a setting of the server (`loosened`) or of this
    /// client.
    #[must_use]
    pub fn post_logout_uri(&self, asked: &str, loosened: RedirectLeniency) -> Option<RedirectUri> {
        let asked = RedirectUri::parse(asked).ok()?;
        let registered = self.registered_for(RedirectUse::Logout);
        registered.iter().any(|uri| self.admits(uri, &asked, loosened)).then_some(asked)
    }

    /// `application_type`.
    #[must_use]
    pub fn application_type(&self) -> ApplicationType {
        self.metadata().flow.application_type
    }

    /// The resource server that its plain OAuth tokens are for.
    #[must_use]
    pub fn default_resource(&self) -> Option<&ResourceUri> {
        self.metadata().own.default_resource.as_ref()
    }

    /// Whether it is registered for this resource server.
    #[must_use]
    pub fn names_resource(&self, uri: &ResourceUri) -> bool {
        let own = &self.metadata().own;
        own.default_resource.as_ref() == Some(uri) || own.resources.contains(uri)
    }

    /// The scopes that it may ask for; `None` for all.
    #[must_use]
    pub fn scopes(&self) -> Option<&Scopes> {
        self.metadata().flow.scope.as_ref()
    }

    /// Whether it may ask for authorization details of this type (RFC 9396 section 10).
    #[must_use]
    pub fn may_ask_for(&self, type_name: &str) -> bool {
        let types = self.metadata().flow.authorization_details_types.as_ref();
        types.is_none_or(|types| types.iter().any(|listed| listed == type_name))
    }

    /// Whether the grant type is registered.
    #[must_use]
    pub fn has_grant_type(&self, grant_type: &GrantType) -> bool {
        self.metadata().flow.grant_types.contains(grant_type)
    }

    /// The redirect URI to use. It is the requested one, if a registered one equals it byte for byte (RFC 9700
    /// section 2.1) or, for a native client, differs only in the port of a loopback IP (RFC 8252 section 7.3);
    /// or if a setting of the server (`loosened`) or of this client lets a registered one admit it. If none was
    /// requested, it is the only registered one (RFC 6749 section 3.1.2.3), unless it is demanded that requests name
    /// it.
    ///
    /// # Errors
    /// A refusal that is shown to the person, never sent to the client.
    pub(crate) fn redirect_target(
        &self,
        asked: Option<&str>,
        loosened: RedirectLeniency,
        demands: &Demands,
    ) -> Result<RedirectTarget, Refusal> {
        let loosened = match demands.exact_redirects {
            Some(_) => RedirectLeniency::default(),
            None => loosened,
        };
        let Some(asked) = asked else {
            return match self.redirect_uris() {
                [only] if !only.has_wildcard() && demands.redirect_uri_sent.is_none() => {
                    Ok(RedirectTarget { uri: only.clone(), was_sent: false })
                }
                _ => REDIRECT_URI_MISSING.refused(),
            };
        };
        let uri = RedirectUri::parse(asked).map_err(|_| Refusal::from(&REDIRECT_URI_UNREGISTERED))?;
        let is_admitted = |registered: &RedirectUri| self.admits(registered, &uri, loosened);
        let is_same_but_port = |registered: &RedirectUri| {
            self.application_type() == ApplicationType::Native
                && uri
                    .without_loopback_port()
                    .is_some_and(|bare| Some(bare) == registered.without_loopback_port())
        };
        if self
            .redirect_uris()
            .iter()
            .any(|registered| is_admitted(registered) || is_same_but_port(registered))
        {
            Ok(RedirectTarget { uri, was_sent: true })
        } else {
            REDIRECT_URI_UNREGISTERED.refused()
        }
    }

    /// A redirect URI that is not registered, which a client that authenticates has sent by itself (RFC 9126 section
    /// 2.4). It has to be one that could be registered; a client whose redirect URIs make up its sector has no
    /// others.
    #[must_use]
    pub fn unregistered_redirect_target(
        &self,
        asked: &str,
        loosened: RedirectLeniency,
    ) -> Option<RedirectTarget> {
        let openid = &self.metadata().openid;
        let is_free = !self.is_public()
            && openid.sector_identifier_uri.is_none()
            && openid.subject_type == SubjectType::Public;
        let uri = self.registrable(RedirectUse::Response, asked, loosened).ok().filter(|_| is_free)?;
        Some(RedirectTarget { uri, was_sent: true })
    }

    /// A URI of a request that it could register for this use besides its others.
    ///
    /// # Errors
    /// What a registration with it is told.
    pub(crate) fn registrable(
        &self,
        what_for: RedirectUse,
        asked: &str,
        loosened: RedirectLeniency,
    ) -> Result<RedirectUri, Complaint> {
        let ClientMetadata { flow, own, .. } = self.metadata();
        flow.registrable(what_for, asked, loosened.or(own.redirects()))
    }

    /// Whether a registered URI that a browser may be sent to admits this one: by being the same, or as a
    /// setting of the server (`loosened`) or of this client permits. A wildcard is never compared literally.
    fn admits(&self, registered: &RedirectUri, asked: &RedirectUri, loosened: RedirectLeniency) -> bool {
        let loosened = loosened.or(self.metadata().own.redirects());
        let is_admitted = |registered: &RedirectUri, asked: &RedirectUri| {
            if registered.has_wildcard() {
                let pattern = RedirectPattern::of(registered).filter(|_| loosened.wildcards);
                return pattern.is_some_and(|pattern| pattern.admits(asked));
            }
            registered == asked || (loosened.normalised && registered.normalised() == asked.normalised())
        };
        match (registered.without_localhost_port(), asked.without_localhost_port()) {
            (Some(registered), Some(asked)) if loosened.any_port => is_admitted(&registered, &asked),
            _ => is_admitted(registered, asked),
        }
    }

    /// Whether scripts of pages to which one of its redirect URIs leads come from this origin.
    #[must_use]
    pub fn redirects_to(&self, origin: &str) -> bool {
        let is_any_port = self.metadata().own.any_loopback_port;
        // Any other spelling is not what a browser sends.
        let sent = RedirectUri::parse(origin).ok().filter(|sent| sent.origin().as_deref() == Some(origin));
        let local = sent.and_then(|sent| sent.without_localhost_port()).filter(|_| is_any_port);
        self.redirect_uris().iter().any(|uri| {
            let is_at_some_port = local.as_ref().is_some_and(|local| {
                uri.without_localhost_port().is_some_and(|uri| uri.origin() == local.origin())
            });
            is_at_some_port
                || match RedirectPattern::of(uri) {
                    Some(pattern) => pattern.admits_origin(origin),
                    None => uri.origin().as_deref() == Some(origin),
                }
        })
    }

    /// The origins of its redirect URIs, each once.
    pub(crate) fn origins(&self) -> Vec<String> {
        let mut origins: Vec<String> = self.redirect_uris().iter().filter_map(RedirectUri::origin).collect();
        origins.sort_unstable();
        origins.dedup();
        origins
    }
}
