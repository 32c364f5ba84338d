//! RFC 7662, OAuth 2.0 Token Introspection: section 2.
//! Config     `[compatibility] unauthenticated_introspection`; a client (`introspects`) and a resource server (`introspected_by`) say who may ask
//! Discovery  introspection_endpoint

use std::sync::Arc;

use chancery_jose::ClaimsWriter;
use chancery_types::handle::{RefreshToken, RotatingHandle};
use chancery_types::iana::ErrorCode;
use chancery_types::{Issuer, Params, ResourceUri, Scopes, Timestamp};

use crate::client::{AuthenticatedClient, meets};
use crate::context::{Call, Env};
use crate::endpoint::{ClientEndpoint, ClientResponse};
use crate::error::{Failure, Fault, Reason};
use crate::event::Event;
use crate::issue::TokenIssuer;
use crate::issue::access_token::{LiveAccessToken, audience};
use crate::issue::refresh_token::Generation;
use crate::model::{
    Authentication, AuthorizationDetail, Claims, Client, Holder, ResourceServer, Subject, TokenBinding,
};
use crate::offered::Offered;
use crate::policy::{Authority, Doing, DynClientPolicy, Gate, TokenKind, TokenView, gate};
use crate::records::RefreshFamilyBody;
use crate::rule::authorization_details;

pub mod signed;

mod in_process;

reasons! {
    /// The introspection request has no `token` parameter.
    pub TOKEN_MISSING = Reason {
        name: "introspected_token_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter token",
        section: "RFC 7662 section 2.1",
    };
    /// Whoever asks has not authenticated. With `compatibility.unauthenticated_introspection` this holds for answers
    /// that are JWTs alone.
    pub ASKER_UNAUTHENTICATED = Reason {
        name: "introspection_without_authentication",
        code: ErrorCode::InvalidRequest,
        description: "a client must authenticate to introspect tokens",
        section: "RFC 9701 section 5",
    };
}

/// The answer to an introspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// Unknown, expired, revoked, or not visible to this client: `{"active":false}` and nothing else (section
    /// 2.2).
    Inactive,
    /// The JSON object that describes a valid token.
    Active(String),
}

/// The introspection endpoint.
#[derive(Clone)]
pub struct IntrospectionEndpoint {
    /// Has the keys of JWTs and the grace period of refresh tokens.
    pub issuer: Arc<TokenIssuer>,
    /// Who may see which token.
    pub policy: Arc<dyn DynClientPolicy>,
    /// Whether the endpoint is on.
    pub offered: Arc<Offered>,
}

/// What the asker gets.
pub enum IntrospectionResponse {
    /// The JSON object (RFC 7662 section 2.2).
    Json(String),
    /// The same within a JWT (RFC 9701 section 5).
    Jwt(String),
}

/// A live token of any kind.
struct Live {
    kind: TokenKind,
    holder: Holder,
    /// The resource servers that it is for. A refresh token can be for several.
    resources: Vec<ResourceUri>,
    scopes: Scopes,
    details: Vec<AuthorizationDetail>,
    binding: TokenBinding,
    issued_at: Timestamp,
    expires_at: Timestamp,
    jti: Option<String>,
    extra: Claims,
}

impl ClientEndpoint for IntrospectionEndpoint {
    type Response = IntrospectionResponse;

    /// Introspects a token for a client that may see it.
    ///
    /// # Errors
    /// A refusal of the request itself, never of the token; or a fault.
    async fn respond(
        &self,
        call: &Call,
        env: &Env,
        asker: &AuthenticatedClient,
        params: &Params<'_>,
    ) -> Result<IntrospectionResponse, Failure> {
        let asker = asker.client();
        let is_jwt = signed::is_wanted(call, asker)?;
        // RFC 7662 section 4 and RFC 9701 section 4: the asker MUST be authenticated.
        if asker.is_public() && (is_jwt || !self.offered.unauthenticated_introspection) {
            return ASKER_UNAUTHENTICATED.refused();
        }
        // `token_type_hint` is not needed, because the form of a token reveals its type.
        let token = params.one("token")?.ok_or(&TOKEN_MISSING)?;
        let answer = match self.find(call, env, token).await? {
            Some(live) => self.judge(env, asker, live).await?,
            None => Introspection::Inactive,
        };
        let active = answer != Introspection::Inactive;
        let response = match is_jwt {
            false => IntrospectionResponse::Json(answer.json()),
            // In a box of its own: an answer in plain text is not to hold all that a JWT needs.
            true => IntrospectionResponse::Jwt(Box::pin(self.sign(call, env, asker, answer)).await?),
        };
        env.record(call, &Event::Introspected { client: asker.id().clone(), active });
        Ok(response)
    }
}

impl IntrospectionEndpoint {
    /// The token, if it is alive.
    async fn find(&self, call: &Call, env: &Env, token: &str) -> Result<Option<Live>, Fault> {
        if let Ok(handle) = RotatingHandle::<RefreshToken>::parse(token) {
            return self.refresh_token(call, env, &handle).await;
        }
        Ok(LiveAccessToken::find(call, env, &self.issuer, token).await?.map(Live::from))
    }

    async fn refresh_token(
        &self,
        call: &Call,
        env: &Env,
        handle: &RotatingHandle<RefreshToken>,
    ) -> Result<Option<Live>, Fault> {
        let found = env.records().get::<RefreshFamilyBody>(call.now, handle.key(&env.realm)).await?;
        let Some(found) = found else { return Ok(None) };
        let body = found.body;
        let grace = self.issuer.refresh_token.grace;
        if body.generation(handle.secret_digest(), call.now, grace) == Generation::Replayed {
            return Ok(None);
        }
        Ok(Some(Live {
            kind: TokenKind::RefreshToken,
            resources: body.granted.resources.iter().map(|at| at.resource.clone()).collect(),
            scopes: body.granted.scopes.clone(),
            details: body.granted.details.clone(),
            binding: body.binding,
            holder: Holder::Person(Box::new(body.granted)),
            issued_at: body.rotated_at,
            expires_at: found.expires_at,
            jti: None,
            extra: Claims::default(),
        }))
    }

    /// Whether the token is still valid, and whether this client may know.
    async fn judge(&self, env: &Env, asker: &Client, mut live: Live) -> Result<Introspection, Fault> {
        let Some(Standing { owner, server, scopes }) = self.standing(env, &live).await? else {
            return Ok(Introspection::Inactive);
        };
        live.scopes = scopes;
        let token = TokenView { kind: live.kind, client: live.holder.client(), resource: server.as_deref() };
        if !self.policy.sees(asker, &token, Doing::Introspection) {
            return Ok(Introspection::Inactive);
        }
        let subject = live.holder.account().map(|account| self.issuer.subjects.of(&owner, account));
        // RFC 9701 section 5: a resource server is told of the scopes that mean something to it.
        let is_server = |server: &&Arc<ResourceServer>| {
            asker.id() != owner.id() && server.introspected_by.contains(asker.id())
        };
        let known = |server: &Arc<ResourceServer>| live.scopes.filtered(|scope| server.knows(scope));
        let narrowed = server.as_ref().filter(is_server).map(known);
        // RFC 9396 section 9.2: and of the authorization details that are its business.
        let reader = server.as_deref().filter(|_| narrowed.is_some());
        live.details = self.issuer.details.told(&live.details, &owner, reader);
        let scope = self.issuer.scope_member(narrowed.as_ref().unwrap_or(&live.scopes), asker);
        let is_told =
            live.kind == TokenKind::AccessToken && server.is_some_and(|server| server.authentication);
        let told = Told {
            subject: subject.as_ref().map(Subject::as_str),
            scope: scope.as_deref(),
            authentication: live.holder.granted().filter(|_| is_told).map(|granted| &granted.authentication),
        };
        Ok(Introspection::Active(live.describe(&env.issuer, &told)))
    }

    /// Where the token stands today; `None` if it is worth nothing any more.
    async fn standing(&self, env: &Env, live: &Live) -> Result<Option<Standing>, Fault> {
        let Some(owner) = env.registry.client(&env.realm, live.holder.client()).await? else {
            return Ok(None);
        };
        // Both can be older than what the profile demands. What a refresh token is bound to is not demanded.
        let demands = owner.demands(&self.issuer.floor);
        let is_bound = live.kind == TokenKind::RefreshToken || live.binding.meets(demands);
        if !is_bound || meets(&owner, demands).is_err() {
            return Ok(None);
        }
        let mut server = None;
        for uri in &live.resources {
            let known = env.registry.resource_server(&env.realm, uri).await?;
            server = server.or(known.filter(|server| server.admits(&owner, live.holder.granted().is_some())));
        }
        if server.is_none() && !live.resources.is_empty() {
            return Ok(None);
        }
        let is_for_nothing_else = live.scopes.is_empty() && live.resources.is_empty();
        if is_for_nothing_else && self.issuer.details.are_gone(&live.details, &owner) {
            return Ok(None);
        }
        let authority = Authority { holder: &live.holder, scopes: &live.scopes, resource: server.as_deref() };
        match gate(env, &owner, &authority).await? {
            Gate::Open(scopes) => Ok(Some(Standing { owner, server, scopes })),
            Gate::Closed(_) => Ok(None),
        }
    }
}

/// A live token that passed the gate.
struct Standing {
    /// The client that it was issued to.
    owner: Arc<Client>,
    /// The resource server that it is for, if any.
    server: Option<Arc<ResourceServer>>,
    /// What may still be done with it.
    scopes: Scopes,
}

/// What the asker is told about a token besides what stands in it.
struct Told<'a> {
    /// `sub`, as the token's client knows it.
    subject: Option<&'a str>,
    scope: Option<&'a str>,
    /// How the person authenticated, if the resource server is to know (RFC 9470 section 6.2).
    authentication: Option<&'a Authentication>,
}

impl From<LiveAccessToken> for Live {
    fn from(token: LiveAccessToken) -> Self {
        Self {
            kind: TokenKind::AccessToken,
            holder: token.holder,
            resources: token.resource.into_iter().collect(),
            scopes: token.scopes,
            details: token.details,
            binding: token.binding,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            jti: token.jti,
            extra: token.extra,
        }
    }
}

impl Live {
    /// The audience of the token. A refresh token is for its client.
    fn audience<'a>(&'a self, issuer: &'a Issuer) -> Vec<&'a str> {
        match self.kind {
            TokenKind::AccessToken => audience(issuer, self.resources.first(), &self.scopes),
            TokenKind::RefreshToken | TokenKind::IdToken => Vec::new(),
        }
    }

    /// The members of RFC 7662 section 2.2, followed by extra claims, which cannot replace any of them.
    fn describe(&self, issuer: &Issuer, told: &Told<'_>) -> String {
        let mut members = ClaimsWriter::new();
        members
            .boolean("active", true)
            .string("iss", issuer.as_str())
            .string_if("sub", told.subject)
            .string("client_id", self.holder.client().as_str())
            .audience(&self.audience(issuer))
            .date("iat", self.issued_at)
            .date("exp", self.expires_at)
            .string_if(
                "sid",
                self.holder.granted().map(|granted| &*granted.sid).filter(|sid| !sid.is_empty()),
            )
            .string_if("jti", self.jti.as_deref())
            .string_if(
                "token_type",
                (self.kind == TokenKind::AccessToken).then_some(self.binding.token_type()),
            )
            .string_if("scope", told.scope);
        authorization_details::write(&self.details, &mut members);
        if let Some(authentication) = told.authentication {
            members
                .date("auth_time", authentication.time())
                .string_if("acr", authentication.acr.as_ref().map(|acr| &*acr.0));
        }
        self.binding.write(&mut members);
        for (name, value) in self.extra.iter() {
            members.raw(name, value);
        }
        members.finish()
    }
}

impl Introspection {
    /// The JSON object.
    fn json(self) -> String {
        match self {
            Self::Active(members) => members,
            Self::Inactive => r#"{"active":false}"#.to_owned(),
        }
    }
}

impl From<IntrospectionResponse> for ClientResponse {
    fn from(response: IntrospectionResponse) -> Self {
        match response {
            IntrospectionResponse::Json(members) => Self::Json(members),
            IntrospectionResponse::Jwt(jwt) => Self::Jwt { media_type: signed::MEDIA_TYPE, jwt },
        }
    }
}

#[cfg(test)]
mod tests {
    use chancery_types::{AccountId, ClientId, Partition};

    use super::*;
    use crate::model::{Account, ClaimsRequest, GrantId, Granted, RegistrationId, Thumbprint};

    /// INTRO-06, INTRO-07
    #[test]
    fn golden() {
        let alice = Account::new(AccountId::parse("alice").unwrap(), "Alice");
        let mut extra = Claims::default();
        extra.set("tenant", "t1").set("active", &false).set("client_id", "evil");
        let mut live = Live {
            kind: TokenKind::AccessToken,
            holder: Holder::Person(Box::new(Granted {
                client: ClientId::parse("app").unwrap(),
                registration: RegistrationId::default(),
                grant: GrantId::new(Partition([1, 2]), [3; 16]),
                granted_at: Timestamp::from_secs(1),
                authentication: Authentication::by_password(&alice, Timestamp::from_secs(1)),
                sid: "s".into(),
                scopes: Scopes::parse("read write").unwrap(),
                resources: Vec::new(),
                details: Vec::new(),
                claims: ClaimsRequest::default(),
            })),
            resources: vec![ResourceUri::parse("https://api.example").unwrap()],
            scopes: Scopes::parse("read write").unwrap(),
            details: Vec::new(),
            binding: TokenBinding::None,
            issued_at: Timestamp::from_secs(1),
            expires_at: Timestamp::from_secs(2),
            jti: None,
            extra: extra.clone(),
        };
        let told = Told { subject: Some("alice"), scope: Some("read write"), authentication: None };
        let described = |live: &Live| live.describe(&Issuer::parse("https://op.example").unwrap(), &told);
        let thumbprint = Thumbprint::new([0; 32]);
        for (binding, token_type, cnf) in [
            (TokenBinding::Key(thumbprint), "DPoP", "jkt"),
            (TokenBinding::Certificate(thumbprint), "Bearer", "x5t#S256"),
        ] {
            live.binding = binding;
            live.extra.set("cnf", "evil");
            let json: serde_json::Value = serde_json::from_str(&described(&live)).unwrap();
            assert_eq!(
                (&json["token_type"], &json["cnf"][cnf]),
                (&token_type.into(), &"A".repeat(43).into())
            );
        }
        live.binding = TokenBinding::None;
        live.extra = extra;
        assert_eq!(
            described(&live),
            concat!(
                r#"{"active":true,"iss":"https://op.example","sub":"alice","client_id":"app","#,
                r#""aud":"https://api.example","iat":1,"exp":2,"sid":"s","token_type":"Bearer","#,
                r#""scope":"read write","tenant":"t1"}"#
            )
        );
    }
}
