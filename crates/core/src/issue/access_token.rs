//! RFC 9068, JWT Profile for OAuth 2.0 Access Tokens: sections 2 to 4; opaque tokens are handles (RFC 6749
//! section 1.4).
//! Config     `[access_token]`
//! Discovery  none

use std::time::Duration;

use chancery_jose::ClaimsWriter;
use chancery_store::{Record, Tags};
use chancery_types::handle::{AccessToken, Handle};
use chancery_types::iana::ErrorCode;
use chancery_types::{Issuer, ResourceUri, Scope, Scopes};
use serde::{Deserialize, Serialize};

use super::{Draft, TokenIssuer};
use crate::error::{Complaint, Failure, Fault, Reason, SectionCheck};
use crate::model::{ClaimName, Claims, Entitlement, Holder, TokenFormat};
use crate::policy::{JwtDraft, TokenKind};
use crate::records::AccessTokenBody;
use crate::rule::authorization_details;

mod jwt;
pub(crate) use jwt::{JwtAccessToken, Place};

mod live;
pub(crate) use live::LiveAccessToken;

reasons! {
    /// The JWTs for the resource server of the client are signed with an algorithm (`resource_server.alg`) that the
    /// profile of the server or of the client does not permit.
    pub ALGORITHM_FORBIDDEN = Reason {
        name: "access_token_algorithm_forbidden",
        code: ErrorCode::UnauthorizedClient,
        description: "access tokens of this client are not signed as its security profile demands",
        section: "FAPI 2.0 Security Profile section 5.4.1",
    };
}

/// `[access_token]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessTokenConfig {
    /// The lifetime of an opaque token that stands for a person.
    #[serde(with = "crate::duration")]
    pub opaque: Duration,
    /// The lifetime of a JWT. It is short, because a resource server that verifies it offline learns of a
    /// revocation only when it expires.
    #[serde(with = "crate::duration")]
    pub jwt: Duration,
    /// The lifetime of an opaque token that stands for the client itself.
    #[serde(with = "crate::duration")]
    pub client_credentials: Duration,
}

impl Default for AccessTokenConfig {
    fn default() -> Self {
        Self {
            opaque: Duration::from_secs(3600),
            jwt: Duration::from_secs(300),
            client_credentials: Duration::from_secs(600),
        }
    }
}

impl AccessTokenConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        SectionCheck::of("access_token")
            .lifetimes(&[
                ("opaque", self.opaque),
                ("jwt", self.jwt),
                ("client_credentials", self.client_credentials),
            ])
            .complaints()
    }
}

impl AccessTokenConfig {
    /// The lifetime of this entitlement's access token, unless the policy decides otherwise.
    pub(super) fn lifetime(&self, what: &Entitlement) -> Duration {
        let resource = what.target.resource.as_deref();
        let of_format = match (resource.map_or(TokenFormat::Opaque, |server| server.format), &what.holder) {
            (TokenFormat::Jwt, _) => self.jwt,
            (TokenFormat::Opaque, Holder::Person(_)) => self.opaque,
            (TokenFormat::Opaque, Holder::Client { .. }) => self.client_credentials,
        };
        resource.and_then(|server| server.lifetime).unwrap_or(of_format)
    }
}

/// The `typ` of the JWT (RFC 9068 section 2.1).
const TYPE: &str = "at+jwt";

/// The claims that the protocol sets itself and that an extra claim never can (RFC 7662 section 2.2, RFC 9068
/// section 2.2, RFC 9396 section 9, RFC 9470 section 6).
const RESERVED: &[&str] = &[
    "acr",
    "active",
    "amr",
    "aud",
    "auth_time",
    "authorization_details",
    "client_id",
    "cnf",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "scope",
    "sid",
    "sub",
    "token_type",
];

/// The audience of an access token with these scopes: its resource server and, if `openid` is among them, the
/// issuer itself, whose UserInfo accepts it (RFC 9068 section 2.2, RFC 7662 section 2.2).
pub(crate) fn audience<'a>(
    issuer: &'a Issuer,
    resource: Option<&'a ResourceUri>,
    scopes: &Scopes,
) -> Vec<&'a str> {
    let userinfo = scopes.contains(Scope::OPENID).then_some(issuer.as_str());
    resource.map(ResourceUri::as_str).into_iter().chain(userinfo).collect()
}

/// Whether the protocol sets this claim itself, in whatever language.
fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&ClaimName::of(name).claim)
}

/// An access token that is not valid yet.
pub(super) struct Drafted {
    pub(super) text: String,
    /// The record that makes an opaque token valid; a JWT is valid by its signature.
    pub(super) record: Option<Record>,
    pub(super) lifetime: Duration,
}

impl TokenIssuer {
    /// Drafts an access token in the form of its resource server.
    ///
    /// # Errors
    /// A refusal if its JWTs are signed in a way that the client's profile forbids; a fault of the signer or the
    /// application.
    pub(super) async fn access_token(&self, draft: &Draft<'_>) -> Result<Drafted, Failure> {
        let Draft { what, client, .. } = *draft;
        let resource = what.target.resource.as_deref();
        let scopes = what.target.access_token_scopes();
        let format = resource.map_or(TokenFormat::Opaque, |server| server.format);
        let lifetime =
            self.policy.lifetime(TokenKind::AccessToken, what, client, self.access_token.lifetime(what));
        let lifetime = what.lifetime.map_or(lifetime, |longest| longest.min(lifetime));

        let mut extra = self.policy.claims(what, client).await?;
        extra.retain(|name, _| !is_reserved(name));
        match (resource, format) {
            (Some(server), TokenFormat::Jwt) => {
                if !client.demands(&self.floor).algorithms.has(&server.alg) {
                    return ALGORITHM_FORBIDDEN.refused();
                }
                let text = self
                    .jwt(draft, JwtDraft { what, client, resource: server, extra }, &scopes, lifetime)
                    .await?;
                Ok(Drafted { text, record: None, lifetime })
            }
            _ => Ok(Self::opaque(draft, scopes, lifetime, extra)?),
        }
    }

    fn opaque(
        draft: &Draft<'_>,
        scopes: Scopes,
        lifetime: Duration,
        extra: Claims,
    ) -> Result<Drafted, Fault> {
        let Draft { call, env, what, binding, .. } = *draft;
        let grant = what.holder.grant();
        let partition = grant.map_or_else(|| env.partition(), |grant| grant.partition());
        let handle = Handle::<AccessToken>::new(partition, env.secret());
        let mut holder = what.holder.clone();
        if let Holder::Person(granted) = &mut holder {
            // What was requested for the ID token is of no use in an access token.
            granted.claims.id_token.clear();
            // What the token has of these stands beside the holder.
            granted.details.clear();
        }
        let body = AccessTokenBody {
            holder,
            scopes,
            resource: what.target.resource.as_ref().map(|server| server.uri.clone()),
            details: what.target.details.clone(),
            binding,
            issued_at: call.now,
            extra,
        };
        let parent = grant.map(|grant| grant.key(&env.realm));
        let key = handle.key(&env.realm);
        let record = env.records().new(key, parent, Tags::default(), call.now + lifetime, &body)?;
        Ok(Drafted { text: handle.reveal(), record: Some(record), lifetime })
    }

    async fn jwt(
        &self,
        draft: &Draft<'_>,
        mut form: JwtDraft<'_>,
        scopes: &Scopes,
        lifetime: Duration,
    ) -> Result<String, Fault> {
        let Draft { call, env, client, what, binding } = *draft;
        let place = Place::of(env, &what.holder);
        // RFC 9068 section 2.2: without a person the subject is the client.
        let subject = self.subjects.of_holder(client, &what.holder);
        self.policy.jwt(&mut form).await?;
        let server = form.resource;
        let mut claims = ClaimsWriter::new();
        claims
            .string("iss", env.issuer.as_str())
            .string("sub", subject.as_str())
            .audience(&audience(&env.issuer, Some(&server.uri), scopes))
            .string("client_id", client.id().as_str())
            .string("jti", &place.jti(&env.secret::<16>()))
            .date("iat", call.now)
            .date("exp", call.now + lifetime);
        claims.string_if("scope", self.scope_member(scopes, client).as_deref());
        authorization_details::write(&what.target.details, &mut claims);
        if let Some(granted) = what.holder.granted().filter(|_| server.authentication) {
            // RFC 9068 section 2.2.1: the same in all tokens that derive from an authorization response.
            granted.authentication.write(&mut claims);
        }
        binding.write(&mut claims);
        for (name, value) in form.extra.iter().filter(|(name, _)| !is_reserved(name)) {
            claims.raw(name, value);
        }
        let signed =
            self.keys.sign_jwt(env, call.now, server.alg, Some(TYPE), claims.finish().as_bytes()).await?;
        let Some(encryption) = &server.encryption else { return Ok(signed) };
        let said = [TYPE, env.issuer.as_str(), server.uri.as_str()];
        let encrypted = encryption.encrypt(&signed, said, &|buffer| env.random.fill(buffer));
        encrypted.map_err(|error| Fault::internal(format!("encryption for {}: {error}", server.uri.as_str())))
    }
}
