//! RFC 6749, The OAuth 2.0 Authorization Framework: section 3.2, the token endpoint.
//! Config     none; the grant types have their own
//! Discovery  token_endpoint grant_types_supported

use std::sync::Arc;

use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{Params, ResourceUri};

use crate::client::AuthenticatedClient;
use crate::context::{Call, Env};
use crate::endpoint::backchannel_authentication::grant as ciba;
use crate::endpoint::device_authorization::grant as device_code;
use crate::endpoint::{ClientEndpoint, ClientResponse, Requester};
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::event::GrantEnd;
use crate::issue::{Issuance, Lost, TokenIssuer, TokenResponse, end_grant};
use crate::model::{AuthorizationDetail, Client, Possession, ResourceServer, TokenBinding};
use crate::offered::{Endpoint, Offered};
use crate::policy;
use crate::rule::authorization_details::{AUTHORIZATION_DETAILS, DETAILS_WITHOUT_PERSON};
use crate::rule::dpop::Dpop;
use crate::rule::resource::{self, RESOURCE};
use crate::rule::scope::ScopeRule;

pub mod authorization_code;

pub mod client_credentials;

pub mod extension;
use extension::ExtensionGrants;

pub mod refresh_token;

reasons! {
    /// The token request has no `grant_type` parameter.
    pub GRANT_TYPE_MISSING = Reason {
        name: "grant_type_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter grant_type",
        section: "RFC 6749 section 4.1.3",
    };
    /// This provider does not offer the grant type.
    pub GRANT_TYPE_UNSUPPORTED = Reason {
        name: "grant_type_unsupported",
        code: ErrorCode::UnsupportedGrantType,
        description: "unsupported grant_type requested",
        section: "RFC 6749 section 5.2",
    };
    /// The client is not registered for the grant type.
    pub GRANT_TYPE_UNREGISTERED = Reason {
        name: "grant_type_unregistered",
        code: ErrorCode::UnauthorizedClient,
        description: "requested grant type is not allowed for this client",
        section: "RFC 6749 section 5.2",
    };
}

/// The reasons about a code or refresh token that a peer must not be able to distinguish.
pub(super) const fn invalid_grant(name: &'static str) -> Reason {
    Reason {
        name,
        code: ErrorCode::InvalidGrant,
        description: "grant request is invalid",
        section: "RFC 6749 section 5.2",
    }
}

/// The token endpoint.
pub struct TokenEndpoint {
    /// Makes the tokens.
    pub issuer: Arc<TokenIssuer>,
    /// Reads the scope of client credentials requests.
    pub scopes: Arc<ScopeRule>,
    /// Which grant types are offered.
    pub offered: Arc<Offered>,
    /// Reads proofs of possession.
    pub(crate) dpop: Arc<Dpop>,
    /// The application's own grant types.
    pub(crate) extensions: ExtensionGrants,
}

/// The request, with the parameters of its grant type; all others are ignored (RFC 6749 section 3.2).
enum GrantRequest<'p> {
    AuthorizationCode(authorization_code::Request<'p>),
    Ciba(ciba::Request<'p>),
    ClientCredentials(client_credentials::Request<'p>),
    DeviceCode(device_code::Request<'p>),
    Extension(extension::Request<'p>),
    RefreshToken(refresh_token::Request<'p>),
}

impl ClientEndpoint for TokenEndpoint {
    type Response = TokenResponse;

    /// Answers a token request.
    ///
    /// # Errors
    /// A refusal of RFC 6749 section 5.2, or a fault; then no code or token has been used up.
    async fn respond(
        &self,
        call: &Call,
        env: &Env,
        client: &AuthenticatedClient,
        params: &Params<'_>,
    ) -> Result<TokenResponse, Failure> {
        let grant = GrantRequest::parse(params, &self.offered, &self.extensions)?;
        grant.allowed_to(client.client(), env)?;
        let resource = grant.resource(params)?;
        let details = self.asked_details(&grant, client.client(), params)?;
        let demands = client.client().demands(&self.offered.floor);
        let shown = Possession {
            key: self.dpop.shown(call, env, Endpoint::Token, demands).await?,
            certificate: call.shown_certificate().filter(|_| self.offered.certificate_bound_access_tokens),
        };
        let binding = TokenBinding::of_access_token(&shown, client.client(), demands)?;
        let possession = (&shown, binding);
        let grant = (&grant, resource.as_ref(), &*details);
        match self.attempt(call, env, client, grant, possession).await? {
            Issuance::Issued(response) => Ok(response),
            // The family was rotated after it was read. When it is read again, the token is the one just
            // replaced.
            Issuance::Lost(_) => match self.attempt(call, env, client, grant, possession).await? {
                Issuance::Issued(response) => Ok(response),
                Issuance::Lost(_) => {
                    Err(Fault::unavailable("a refresh family changes faster than it is read").into())
                }
            },
        }
    }
}

impl TokenEndpoint {
    /// One attempt: what is the client entitled to, does that pass the gate, and does this request win the
    /// step that stores the tokens? A final loss is refused here; only a stale read is handed back, to be
    /// tried again.
    async fn attempt(
        &self,
        call: &Call,
        env: &Env,
        client: &AuthenticatedClient,
        (grant, resource, details): (&GrantRequest<'_>, Option<&ResourceUri>, &[AuthorizationDetail]),
        (shown, binding): (&Possession, TokenBinding),
    ) -> Result<Issuance, Failure> {
        let caller = Requester { call, env, client: client.client() };
        let mut entitled = match grant {
            GrantRequest::AuthorizationCode(asked) => {
                authorization_code::entitle(caller, asked, resource, shown).await?
            }
            GrantRequest::ClientCredentials(asked) => {
                client_credentials::entitle(caller, asked, resource, &self.scopes).await?
            }
            GrantRequest::Ciba(asked) => ciba::entitle(caller, asked, resource).await?,
            GrantRequest::Extension(asked) => {
                extension::entitle(caller, asked, resource, &self.scopes).await?
            }
            GrantRequest::DeviceCode(asked) => device_code::entitle(caller, asked, resource).await?,
            GrantRequest::RefreshToken(asked) => {
                refresh_token::entitle(caller, (asked, resource), &self.issuer, (shown, binding)).await?
            }
        };
        self.issuer.give_details(&mut entitled, details, caller.client)?;
        let born_of = entitled.holder.granted().map(|granted| (granted.grant, granted.account().clone()));
        let cleared = policy::clear(env, caller.client, entitled).await?;
        match (self.issuer.tokens(call, env, client, cleared, binding).await?, born_of) {
            (Issuance::Lost(Lost::Replayed), Some((ended, account))) => {
                let ended = (ended, caller.client.id(), Some(&account));
                end_grant(call, env, ended, GrantEnd::CodeReplayed).await?;
                Err(grant.used().into())
            }
            (Issuance::Lost(Lost::Replayed | Lost::Gone), _) => Err(grant.gone().into()),
            (issued_or_stale, _) => Ok(issued_or_stale),
        }
    }
}

impl TokenEndpoint {
    /// The authorization details that the request asks for (RFC 9396 section 6), unless an application's own grant type
    /// gives the parameter a meaning of its own.
    fn asked_details(
        &self,
        grant: &GrantRequest<'_>,
        client: &Client,
        params: &Params<'_>,
    ) -> Result<Vec<AuthorizationDetail>, Refusal> {
        let asked = match grant {
            GrantRequest::Extension(asked) if asked.declares(AUTHORIZATION_DETAILS) => return Ok(Vec::new()),
            _ => self.issuer.details.read(params.one(AUTHORIZATION_DETAILS)?, client)?,
        };
        match grant {
            // No policy says which a client may have for itself.
            GrantRequest::ClientCredentials(_) if !asked.is_empty() => DETAILS_WITHOUT_PERSON.refused(),
            _ => Ok(asked),
        }
    }
}

impl<'p> GrantRequest<'p> {
    fn parse(
        params: &'p Params<'_>,
        offered: &Offered,
        extensions: &'p ExtensionGrants,
    ) -> Result<Self, Refusal> {
        let unsupported = || {
            let exchanged = offered.grant_types.iter().filter(|grant| **grant != GrantType::Implicit);
            GRANT_TYPE_UNSUPPORTED.unlike(exchanged.map(GrantType::as_str))
        };
        match offered.grant_type(params.one("grant_type")?.ok_or(&GRANT_TYPE_MISSING)?) {
            Some(GrantType::AuthorizationCode) => {
                authorization_code::Request::read(params).map(Self::AuthorizationCode)
            }
            Some(GrantType::ClientCredentials) => {
                client_credentials::Request::read(params).map(Self::ClientCredentials)
            }
            Some(GrantType::Ciba) => ciba::Request::read(params).map(Self::Ciba),
            Some(GrantType::DeviceCode) => device_code::Request::read(params).map(Self::DeviceCode),
            Some(GrantType::RefreshToken) => refresh_token::Request::read(params).map(Self::RefreshToken),
            Some(GrantType::Extension(name)) => {
                let grant = extensions.named(&name).ok_or_else(unsupported)?;
                extension::Request::read(grant, params).map(Self::Extension)
            }
            // Clients are registered for `implicit`, and nothing can be exchanged for it.
            Some(GrantType::Implicit) | None => Err(unsupported()),
        }
    }

    /// Whether the client is registered for it. One that has authenticated is told for which it is otherwise, and at a provider
    /// on loopback, which is in development, so is any other.
    fn allowed_to(&self, client: &Client, env: &Env) -> Result<(), Refusal> {
        let grant_type = match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
            Self::Ciba(_) => GrantType::Ciba,
            Self::DeviceCode(_) => GrantType::DeviceCode,
            Self::Extension(asked) => asked.grant_type(),
            Self::RefreshToken(_) => GrantType::RefreshToken,
        };
        if client.has_grant_type(&grant_type) {
            return Ok(());
        }
        if client.is_public() && env.issuer.is_https() {
            return GRANT_TYPE_UNREGISTERED.refused();
        }
        let registered = client.metadata().flow.grant_types.iter().map(GrantType::as_str);
        Err(GRANT_TYPE_UNREGISTERED.unlike_registered(registered))
    }

    /// The resource server that the request names (RFC 8707 section 2.2), whatever its grant type, unless an
    /// application's own grant type gives the parameter a meaning of its own.
    fn resource(&self, params: &Params<'_>) -> Result<Option<ResourceUri>, Refusal> {
        match self {
            Self::Extension(asked) if asked.declares(RESOURCE) => Ok(None),
            _ => resource::one(params),
        }
    }

    /// The reason if it was used before.
    fn used(&self) -> &'static Reason {
        match self {
            Self::Ciba(_) => &ciba::AUTH_REQ_ID_USED,
            Self::DeviceCode(_) => &device_code::DEVICE_CODE_USED,
            _ => &authorization_code::CODE_USED,
        }
    }

    /// The reason if the code or token ended after it was read.
    fn gone(&self) -> &'static Reason {
        match self {
            Self::RefreshToken(_) => &refresh_token::REFRESH_TOKEN_UNKNOWN,
            Self::Ciba(_) => &ciba::AUTH_REQ_ID_UNKNOWN,
            Self::DeviceCode(_) => &device_code::DEVICE_CODE_UNKNOWN,
            Self::AuthorizationCode(_) | Self::ClientCredentials(_) | Self::Extension(_) => {
                &authorization_code::CODE_UNKNOWN
            }
        }
    }
}

impl Requester<'_> {
    /// The audience of a token that nobody was asked about in advance: what the request names, or the client's
    /// default.
    async fn resource(
        &self,
        named: Option<&ResourceUri>,
        is_of_person: bool,
    ) -> Result<Option<Arc<ResourceServer>>, Failure> {
        if let Some(uri) = named {
            return resource::usable(self.env, self.client, uri, is_of_person).await.map(Some);
        }
        let known = resource::by_default(self.env, self.client).await?;
        if known.is_none() && self.client.default_resource().is_some() {
            let id = self.client.id();
            return Err(Fault::internal(format!("default_resource of client {id} is not configured")).into());
        }
        Ok(known)
    }
}

impl From<TokenResponse> for ClientResponse {
    fn from(response: TokenResponse) -> Self {
        Self::Json(response.json())
    }
}
