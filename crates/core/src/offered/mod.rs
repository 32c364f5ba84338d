//! What a provider offers: which endpoints are on, and which grant types, response types, response modes and
//! client authentication methods it accepts. Parsing, registration and discovery all ask here, so they cannot
//! disagree.
//! Config     `[routes]`, `[endpoints]`, `[compatibility] implicit, hybrid`, those about redirect URIs,
//!            `client_authentication.assertion_algorithms`, `[mtls]`
//! Discovery  what each endpoint's description names, and the `*_supported` members of the lists below

use std::collections::BTreeMap;

use chancery_jose::{ClaimsWriter, KeyManagementAlgorithm, SigningAlgorithm};
use chancery_types::Timestamp;
use chancery_types::iana::{
    BackchannelTokenDeliveryMode, ClientAuthenticationMethod, ExtensionGrantName, GrantType,
    ResponseEncoding, ResponseMode, ResponseType, SubjectType,
};
use serde::{Deserialize, Serialize};

use crate::profile::Floor;

mod client_defaults;
pub use client_defaults::ClientDefaults;
mod compatibility;
pub(crate) use compatibility::{
    ANY_REDIRECT_SCHEME, ASSERTION_AUDIENCE, CLAIMS_FROM_USERINFO, EMPTY_SCOPE_MEMBERS, ENCRYPTED_REDIRECTS,
    EXACT_MATCHING, PKCE,
};
pub use compatibility::{
    AssertionAudience, CompatibilityConfig, Departure, InteractionsByClient, PkceOptional, RedirectLeniency,
};
mod endpoint;
pub use endpoint::{Caller, Description, Endpoint, Switch, Verb};
mod mutual_tls;
pub use mutual_tls::MutualTlsConfig;
pub(crate) use mutual_tls::MutualTlsMetadata;
mod routes;
pub use routes::Routes;
pub(crate) mod remedy;

mod response_modes;
pub use response_modes::ResponseModesConfig;
mod subjects;
mod unoffered;
pub use subjects::SubjectsConfig;

/// A specification that the provider is assembled from. It announces itself, so discovery only has to go
/// through the components.
pub trait Component {
    /// Writes its members of the metadata as of this time.
    fn announce(&self, now: Timestamp, metadata: &mut ClaimsWriter);
}

/// `[endpoints]`: which of the optional endpoints are on. An endpoint that is off is neither routed nor
/// announced, and no client can be registered for it.
///
/// ```
/// # mod chancery { pub use chancery_core::offered::Endpoint; pub mod config { pub use chancery_core::offered::EndpointSet; } }
/// use chancery::Endpoint;
/// use chancery::config::EndpointSet;
///
/// let mut endpoints = EndpointSet::default();
/// endpoints.switch(Endpoint::Introspection, false);
/// assert!(!endpoints.has(Endpoint::Introspection) && endpoints.has(Endpoint::Token));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, bool>", into = "BTreeMap<&'static str, bool>")]
pub struct EndpointSet(BTreeMap<Endpoint, bool>);

impl Default for EndpointSet {
    fn default() -> Self {
        let switched = Endpoint::ALL.iter().filter_map(|endpoint| match endpoint.describe().switch {
            Switch::None => None,
            Switch::Endpoints => Some((*endpoint, true)),
            Switch::OwnSection => Some((*endpoint, false)),
        });
        Self(switched.collect())
    }
}

impl TryFrom<BTreeMap<String, bool>> for EndpointSet {
    type Error = String;

    fn try_from(switches: BTreeMap<String, bool>) -> Result<Self, String> {
        let mut set = Self::default();
        for (name, is_on) in switches {
            let is_here = |endpoint: &Endpoint| endpoint.describe().switch == Switch::Endpoints;
            let endpoint = Endpoint::named(&name).filter(is_here);
            set.0.insert(
                endpoint.ok_or_else(|| format!("there is no endpoint {name:?} that can be off"))?,
                is_on,
            );
        }
        Ok(set)
    }
}

impl From<EndpointSet> for BTreeMap<&'static str, bool> {
    fn from(set: EndpointSet) -> Self {
        let is_here = |(endpoint, _): &(Endpoint, bool)| endpoint.describe().switch == Switch::Endpoints;
        set.0.into_iter().filter(is_here).map(|(endpoint, is_on)| (endpoint.as_str(), is_on)).collect()
    }
}

impl EndpointSet {
    /// Whether the endpoint is on.
    #[must_use]
    pub fn has(&self, endpoint: Endpoint) -> bool {
        self.0.get(&endpoint).copied().unwrap_or(true)
    }

    /// Switches an endpoint on or off. Endpoints that no provider can do without stay on.
    pub fn switch(&mut self, endpoint: Endpoint, is_on: bool) {
        if let Some(switch) = self.0.get_mut(&endpoint) {
            *switch = is_on;
        }
    }
}

/// What this provider offers, computed once from the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offered {
    /// Which endpoints are on.
    pub endpoints: EndpointSet,
    /// The grant types of the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// The response types of the authorization endpoint.
    pub response_types: Vec<ResponseType>,
    /// The response modes of the authorization endpoint.
    pub response_modes: Vec<ResponseMode>,
    /// How the rules for every client's redirect URIs are loosened.
    pub redirects: RedirectLeniency,
    /// Whether clients may push requests with redirect URIs that are not registered.
    pub unregistered_redirect_uris: bool,
    /// Whether a client may be registered for ID tokens without a signature.
    pub unsigned_id_tokens: bool,
    /// The client authentication methods.
    pub authentication_methods: Vec<ClientAuthenticationMethod>,
    /// Whether access tokens can be bound to certificates.
    pub certificate_bound_access_tokens: bool,
    /// How clients may get what a person has decided at another device; none if they may ask nobody there.
    pub delivery_modes: Vec<BackchannelTokenDeliveryMode>,
    /// What clients may sign their assertions with.
    pub assertion_algorithms: Vec<SigningAlgorithm>,
    /// What clients may sign their request objects with.
    pub request_object_algorithms: Vec<SigningAlgorithm>,
    /// By which algorithms clients may encrypt their request objects.
    pub request_object_encryption_algorithms: Vec<KeyManagementAlgorithm>,
    /// Whether a client may be registered for request objects without a signature.
    pub unsigned_request_objects: bool,
    /// Whether a client that does not authenticate may introspect its own tokens.
    pub unauthenticated_introspection: bool,
    /// The subject identifier types; the first is for clients that do not say.
    pub subject_types: Vec<SubjectType>,
    /// What proofs of DPoP may be signed with; nothing if there is no DPoP.
    pub dpop_algorithms: Vec<SigningAlgorithm>,
    /// The types of authorization details.
    pub authorization_details_types: Vec<String>,
    /// What clients are registered for if they do not say.
    pub client_defaults: ClientDefaults,
    /// What the requests of each client are held to.
    pub floor: Floor,
}

impl Offered {
    /// Everything that this build supports, with these endpoints, and what is loosened.
    #[must_use]
    pub fn at(endpoints: EndpointSet, compatibility: &CompatibilityConfig) -> Self {
        let CompatibilityConfig { implicit, hybrid, unsigned_id_token, unsigned_request_object, .. } =
            *compatibility;
        let is_permitted = |value: &ResponseType| match value {
            ResponseType::Code | ResponseType::None => true,
            ResponseType::IdToken | ResponseType::IdTokenToken => implicit,
            ResponseType::CodeIdToken | ResponseType::CodeToken | ResponseType::CodeIdTokenToken => hybrid,
            ResponseType::Token => false,
        };
        let is_of_use = |value: &GrantType| match value {
            GrantType::Implicit => implicit || hybrid,
            // Without a delivery mode nobody can have it.
            GrantType::Ciba => false,
            GrantType::DeviceCode => endpoints.has(Endpoint::DeviceAuthorization),
            _ => true,
        };
        let grant_types = GrantType::ALL.iter().filter(|value| is_of_use(value)).cloned().collect();
        Self {
            endpoints,
            redirects: compatibility.redirects(),
            unregistered_redirect_uris: compatibility.unregistered_redirect_uris,
            unsigned_id_tokens: unsigned_id_token,
            grant_types,
            response_types: ResponseType::ALL.iter().copied().filter(is_permitted).collect(),
            response_modes: vec![ResponseMode::Query, ResponseMode::Fragment, ResponseMode::FormPost],
            authentication_methods: vec![
                ClientAuthenticationMethod::ClientSecretBasic,
                ClientAuthenticationMethod::ClientSecretPost,
                ClientAuthenticationMethod::ClientSecretJwt,
                ClientAuthenticationMethod::PrivateKeyJwt,
                ClientAuthenticationMethod::None,
            ],
            certificate_bound_access_tokens: false,
            delivery_modes: Vec::new(),
            assertion_algorithms: SigningAlgorithm::ALL.to_vec(),
            request_object_algorithms: SigningAlgorithm::ALL.to_vec(),
            request_object_encryption_algorithms: KeyManagementAlgorithm::ALL.to_vec(),
            unsigned_request_objects: unsigned_request_object,
            unauthenticated_introspection: compatibility.unauthenticated_introspection,
            subject_types: SubjectsConfig::default().types,
            dpop_algorithms: Vec::new(),
            authorization_details_types: Vec::new(),
            client_defaults: ClientDefaults::default(),
            floor: Floor::default(),
        }
    }

    /// With these algorithms alone for the assertions of clients. A method that none of them is for is not
    /// offered.
    #[must_use]
    pub fn with_assertion_algorithms(mut self, algorithms: &[SigningAlgorithm]) -> Self {
        let has_hmac = algorithms.iter().any(|alg| alg.is_symmetric());
        let has_signature = algorithms.iter().any(|alg| !alg.is_symmetric());
        self.authentication_methods.retain(|method| match method {
            ClientAuthenticationMethod::ClientSecretJwt => has_hmac,
            ClientAuthenticationMethod::PrivateKeyJwt => has_signature,
            _ => true,
        });
        self.assertion_algorithms = algorithms.to_vec();
        self
    }

    /// With what is done with certificates, as far as this section switches it on.
    #[must_use]
    pub fn with_mutual_tls(mut self, mtls: &MutualTlsConfig) -> Self {
        let MutualTlsConfig { tls_client_auth, self_signed_tls_client_auth, .. } = *mtls;
        self.certificate_bound_access_tokens = mtls.certificate_bound_access_tokens;
        let by_name = tls_client_auth.then_some(ClientAuthenticationMethod::TlsClientAuth);
        let by_key =
            self_signed_tls_client_auth.then_some(ClientAuthenticationMethod::SelfSignedTlsClientAuth);
        self.authentication_methods.extend(by_name.into_iter().chain(by_key));
        self
    }

    /// With these ways to get what a person has decided at another device (CIBA Core section 4).
    #[must_use]
    pub fn with_delivery_modes(mut self, modes: &[BackchannelTokenDeliveryMode]) -> Self {
        if modes.iter().any(|mode| *mode != BackchannelTokenDeliveryMode::Push) {
            self.grant_types.push(GrantType::Ciba);
        }
        self.delivery_modes = modes.to_vec();
        self
    }

    /// With the response modes that this section switches on.
    #[must_use]
    pub fn with_response_modes(mut self, modes: &ResponseModesConfig) -> Self {
        self.response_modes.extend(modes.switched_on());
        self
    }

    /// With these grant types of the application's own.
    #[must_use]
    pub fn with_extension_grants(mut self, names: &[ExtensionGrantName]) -> Self {
        self.grant_types.extend(names.iter().cloned().map(GrantType::Extension));
        self
    }

    /// With these algorithms alone for the request objects of clients.
    #[must_use]
    pub fn with_request_object_algorithms(mut self, algorithms: &[SigningAlgorithm]) -> Self {
        self.request_object_algorithms = algorithms.to_vec();
        self
    }

    /// With these algorithms alone by which clients may encrypt their request objects.
    #[must_use]
    pub fn with_request_object_encryption(mut self, algorithms: &[KeyManagementAlgorithm]) -> Self {
        self.request_object_encryption_algorithms = algorithms.to_vec();
        self
    }

    /// With what this floor permits alone.
    #[must_use]
    pub fn held_to(mut self, floor: Floor) -> Self {
        let demands = floor.server();
        self.response_types.retain(|value| demands.forbids_type(*value).is_none());
        let plain: Vec<ResponseEncoding> = self
            .response_types
            .iter()
            .filter(|value| demands.forbids_response(**value, false).is_none())
            .map(|value| ResponseEncoding::default_of(value.as_str()))
            .collect();
        // Whatever is safe in a query can go by any mode; what is not has no use for a query (OAuth 2.0 Multiple
        // Response Types section 5).
        self.response_modes.retain(|mode| match mode {
            ResponseMode::Query => plain.contains(&ResponseEncoding::Query),
            mode => mode.is_jwt() || !plain.is_empty(),
        });
        self.authentication_methods.retain(|method| demands.authentication.has(method));
        let permitted = |algorithms: &[SigningAlgorithm]| -> Vec<SigningAlgorithm> {
            algorithms.iter().copied().filter(|alg| demands.algorithms.has(alg)).collect()
        };
        self.delivery_modes
            .retain(|mode| demands.no_push.is_none() || *mode != BackchannelTokenDeliveryMode::Push);
        self.request_object_algorithms = permitted(&self.request_object_algorithms);
        let assertion_algorithms = permitted(&self.assertion_algorithms);
        self = self.with_assertion_algorithms(&assertion_algorithms);
        self.floor = floor;
        self
    }

    /// The endpoints that are on, in the order of the metadata.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint> + '_ {
        Endpoint::ALL.iter().copied().filter(|endpoint| self.endpoints.has(*endpoint))
    }

    /// Reads a grant type; `None` for one that is unknown or not offered.
    #[must_use]
    pub fn grant_type(&self, text: &str) -> Option<GrantType> {
        GrantType::parse(text).filter(|value| self.grant_types.contains(value))
    }

    /// Reads a response type; `None` for one that is unknown or not offered.
    #[must_use]
    pub fn response_type(&self, text: &str) -> Option<ResponseType> {
        ResponseType::parse(text).filter(|value| self.response_types.contains(value))
    }

    /// Reads a response mode; `None` for one that is unknown or not offered.
    #[must_use]
    pub fn response_mode(&self, text: &str) -> Option<ResponseMode> {
        ResponseMode::parse(text).filter(|value| self.response_modes.contains(value))
    }

    /// Whether responses of the authorization endpoint can be JWTs (JARM section 2).
    #[must_use]
    pub fn has_jwt_responses(&self) -> bool {
        self.response_modes.iter().any(|mode| mode.is_jwt())
    }

    /// Whether a client may be registered for DPoP.
    #[must_use]
    pub fn has_dpop(&self) -> bool {
        !self.dpop_algorithms.is_empty()
    }

    /// Reads a method of client authentication; `None` for one that is unknown or not offered.
    #[must_use]
    pub fn authentication_method(&self, text: &str) -> Option<ClientAuthenticationMethod> {
        ClientAuthenticationMethod::parse(text).filter(|value| self.authentication_methods.contains(value))
    }

    /// How clients may authenticate at this endpoint.
    fn methods_at(&self, endpoint: Endpoint) -> impl Iterator<Item = ClientAuthenticationMethod> {
        let is_open = endpoint != Endpoint::Introspection || self.unauthenticated_introspection;
        let methods = self.authentication_methods.iter().copied();
        methods.filter(move |method| is_open || *method != ClientAuthenticationMethod::None)
    }
}

impl Default for Offered {
    fn default() -> Self {
        Self::at(EndpointSet::default(), &CompatibilityConfig::default())
    }
}

impl Component for Offered {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata
            .strings("response_types_supported", self.response_types.iter().map(|value| value.as_str()))
            .strings("response_modes_supported", self.response_modes.iter().map(|value| value.as_str()))
            .strings("grant_types_supported", self.grant_types.iter().map(|value| value.as_str()))
            .strings("subject_types_supported", self.subject_types.iter().map(|value| value.as_str()));
        for endpoint in self.endpoints() {
            let Some([methods, algorithms]) = endpoint.describe().authentication_members else { continue };
            metadata.strings(methods, self.methods_at(endpoint).map(|value| value.as_str()));
            // Required as soon as there is a method with assertions (RFC 8414 section 2).
            if !self.assertion_algorithms.is_empty() {
                metadata.strings(algorithms, self.assertion_algorithms.iter().map(|alg| alg.name()));
            }
        }
    }
}
