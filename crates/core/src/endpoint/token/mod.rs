//! RFC 6749, The OAuth 2.0 Authorization Framework: section 3.2, the token endpoint.
//! Config     none; the grant types have their own
//! Discovery  token_endpoint grant_types_supported

use std::sync::Arc;

use chancery_types::Params;
use chancery_types::iana::{ErrorCode, GrantType};

use crate::client::AuthenticatedClient;
use crate::context::{Call, Env};
use crate::endpoint::device_authorization::grant as device_code;
use crate::endpoint::{ClientEndpoint, ClientResponse, Requester};
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::event::GrantEnd;
use crate::issue::{Issuance, Lost, TokenIssuer, TokenResponse, end_grant};
use crate::model::{Client, Granted, Possession, ResourceScopes, ResourceServer, Target, TokenBinding};
use crate::offered::{Endpoint, Offered};
use crate::policy::{self, AUDIENCE_WITHDRAWN};
use crate::rule::dpop::Dpop;
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
        grant.allowed_to(client.client())?;
        let demands = client.client().demands(&self.offered.floor);
        let shown = Possession {
            key: self.dpop.shown(call, env, Endpoint::Token, demands).await?,
            certificate: call.shown_certificate().filter(|_| self.offered.certificate_bound_access_tokens),
        };
        let binding = TokenBinding::of_access_token(&shown, client.client(), demands)?;
        let possession = (&shown, binding);
        match self.attempt(call, env, client, &grant, possession).await? {
            Issuance::Issued(response) => Ok(response),
            // The family was rotated after it was read. When it is read again, the token is the one just
            // replaced.
            Issuance::Lost(_) => match self.attempt(call, env, client, &grant, possession).await? {
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
        grant: &GrantRequest<'_>,
        (shown, binding): (&Possession, TokenBinding),
    ) -> Result<Issuance, Failure> {
        let caller = Requester { call, env, client: client.client() };
        let entitled = match grant {
            GrantRequest::AuthorizationCode(asked) => {
                authorization_code::entitle(caller, asked, shown).await?
            }
            GrantRequest::ClientCredentials(asked) => {
                client_credentials::entitle(caller, asked, &self.scopes).await?
            }
            GrantRequest::DeviceCode(asked) => device_code::entitle(caller, asked).await?,
            GrantRequest::Extension(asked) => extension::entitle(caller, asked, &self.scopes).await?,
            GrantRequest::RefreshToken(asked) => {
                refresh_token::entitle(caller, asked, &self.issuer, (shown, binding)).await?
            }
        };
        let born_of = entitled.holder.grant();
        let cleared = policy::clear(env, caller.client, entitled).await?;
        match (self.issuer.tokens(call, env, client, cleared, binding).await?, born_of) {
            (Issuance::Lost(Lost::Replayed), Some(ended)) => {
                end_grant(call, env, caller.client, ended, GrantEnd::CodeReplayed).await?;
                Err(grant.used().into())
            }
            (Issuance::Lost(Lost::Replayed | Lost::Gone), _) => Err(grant.gone().into()),
            (issued_or_stale, _) => Ok(issued_or_stale),
        }
    }
}

impl<'p> GrantRequest<'p> {
    fn parse(
        params: &'p Params<'_>,
        offered: &Offered,
        extensions: &'p ExtensionGrants,
    ) -> Result<Self, Refusal> {
        match offered.grant_type(params.one("grant_type")?.ok_or(&GRANT_TYPE_MISSING)?) {
            Some(GrantType::AuthorizationCode) => {
                authorization_code::Request::read(params).map(Self::AuthorizationCode)
            }
            Some(GrantType::ClientCredentials) => {
                client_credentials::Request::read(params).map(Self::ClientCredentials)
            }
            Some(GrantType::DeviceCode) => device_code::Request::read(params).map(Self::DeviceCode),
            Some(GrantType::RefreshToken) => refresh_token::Request::read(params).map(Self::RefreshToken),
            Some(GrantType::Extension(name)) => {
                let grant = extensions.named(&name).ok_or(&GRANT_TYPE_UNSUPPORTED)?;
                extension::Request::read(grant, params).map(Self::Extension)
            }
            // Clients are registered for `implicit`, and nothing can be exchanged for it.
            Some(GrantType::Implicit) | None => GRANT_TYPE_UNSUPPORTED.refused(),
        }
    }

    fn allowed_to(&self, client: &Client) -> Result<(), Refusal> {
        let grant_type = match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
            Self::DeviceCode(_) => GrantType::DeviceCode,
            Self::Extension(asked) => asked.grant_type(),
            Self::RefreshToken(_) => GrantType::RefreshToken,
        };
        if client.has_grant_type(&grant_type) { Ok(()) } else { GRANT_TYPE_UNREGISTERED.refused() }
    }

    /// The reason if it was used before.
    fn used(&self) -> &'static Reason {
        match self {
            Self::DeviceCode(_) => &device_code::DEVICE_CODE_USED,
            _ => &authorization_code::CODE_USED,
        }
    }

    /// The reason if the code or token ended after it was read.
    fn gone(&self) -> &'static Reason {
        match self {
            Self::RefreshToken(_) => &refresh_token::REFRESH_TOKEN_UNKNOWN,
            Self::DeviceCode(_) => &device_code::DEVICE_CODE_UNKNOWN,
            Self::AuthorizationCode(_) | Self::ClientCredentials(_) | Self::Extension(_) => {
                &authorization_code::CODE_UNKNOWN
            }
        }
    }
}

impl Requester<'_> {
    /// The audience of a token that nobody was asked about in advance.
    async fn default_resource(&self) -> Result<Option<Arc<ResourceServer>>, Fault> {
        let Some(uri) = self.client.default_resource() else { return Ok(None) };
        let unknown =
            || Fault::internal(format!("default_resource of client {} is not configured", self.client.id()));
        let known = self.env.registry.resource_server(&self.env.realm, uri).await?;
        known.ok_or_else(unknown).map(Some)
    }

    /// The audience of a grant's tokens, which was decided when the person agreed. The gate checks whether
    /// the client may still use that resource server.
    pub(super) async fn target(&self, granted: &Granted) -> Result<Target, Failure> {
        let Some(ResourceScopes { resource, .. }) = granted.resources.first() else {
            return Ok(Target::of_grant(granted, None));
        };
        let known = self.env.registry.resource_server(&self.env.realm, resource).await?;
        Ok(Target::of_grant(granted, Some(known.ok_or(&AUDIENCE_WITHDRAWN)?)))
    }
}

impl From<TokenResponse> for ClientResponse {
    fn from(response: TokenResponse) -> Self {
        Self::Json(response.json())
    }
}
