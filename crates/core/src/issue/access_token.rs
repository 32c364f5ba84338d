//! RFC 9068, JWT Profile for OAuth 2.0 Access Tokens: sections 2 to 4; opaque ones are handles (RFC 6749 section 1.4).
//! Config     `[access_token]`
//! Discovery  none

use std::time::Duration;

use chancery_jose::{ClaimsWriter, Compact, base64url};
use chancery_store::{Record, Tags};
use chancery_types::handle::{AccessToken, Handle};
use chancery_types::{ClientId, Key, Partition, RealmId, ResourceUri, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Draft, TokenIssuer};
use crate::context::Env;
use crate::error::Fault;
use crate::keys::KeySet;
use crate::model::{Claims, ClaimsRequest, Entitlement, GrantId, TokenFormat};
use crate::policy::{JwtDraft, TokenKind};
use crate::records::{AccessTokenBody, revocation_key};

/// `[access_token]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long an opaque one lives that stands for a person.
    #[serde(with = "crate::duration")]
    pub opaque: Duration,
    /// How long a JWT lives. Short, because who verifies it offline learns of a revocation only by its end.
    #[serde(with = "crate::duration")]
    pub jwt: Duration,
    /// How long an opaque one lives that stands for the client itself.
    #[serde(with = "crate::duration")]
    pub client_credentials: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            opaque: Duration::from_secs(3600),
            jwt: Duration::from_secs(300),
            client_credentials: Duration::from_secs(600),
        }
    }
}

impl Config {
    /// How long the access token of this entitlement lives, unless the policy says otherwise.
    pub(super) fn lifetime(&self, what: &Entitlement) -> Duration {
        let resource = what.resource.as_deref();
        let of_format = match (resource.map_or(TokenFormat::Opaque, |server| server.format), &what.account) {
            (TokenFormat::Jwt, _) => self.jwt,
            (TokenFormat::Opaque, Some(_)) => self.opaque,
            (TokenFormat::Opaque, None) => self.client_credentials,
        };
        resource.and_then(|server| server.lifetime).unwrap_or(of_format)
    }
}

/// The media type of the whole (RFC 9068 section 2.1).
const TYPE: &str = "at+jwt";

/// What the protocol says itself, and an extra claim never does (RFC 7662 section 2.2, RFC 9068 section 2.2).
const RESERVED: &[&str] =
    &["active", "aud", "client_id", "cnf", "exp", "iat", "iss", "jti", "nbf", "scope", "sid", "sub", "token_type"];

/// An access token before it is good.
pub(super) struct Drafted {
    pub(super) text: String,
    /// What makes an opaque one good; a JWT is good by its signature.
    pub(super) record: Option<Record>,
    pub(super) lifetime: Duration,
    pub(super) scopes: Scopes,
}

impl TokenIssuer {
    /// Drafts an access token in the form of its resource server.
    pub(super) async fn access_token(&self, draft: &Draft<'_>) -> Result<Drafted, Fault> {
        let Draft { what, client, .. } = *draft;
        let resource = what.resource.as_deref();
        let scopes = match resource {
            Some(server) => draft.scopes().filtered(|scope| server.scopes.contains(scope.as_str())),
            None => draft.scopes().clone(),
        };
        let format = resource.map_or(TokenFormat::Opaque, |server| server.format);
        let lifetime = self.policy.lifetime(TokenKind::AccessToken, what, client, self.access_token.lifetime(what));

        let mut extra = self.policy.claims(what, client).await?;
        for (name, value) in what.extra.iter() {
            extra.set_raw(name, value.to_owned());
        }
        let extra = extra.filtered(|name| !RESERVED.contains(&name));
        match (resource, format) {
            (Some(server), TokenFormat::Jwt) => {
                let text =
                    self.jwt(draft, JwtDraft { what, client, resource: server, extra }, &scopes, lifetime).await?;
                Ok(Drafted { text, record: None, lifetime, scopes })
            }
            _ => Self::opaque(draft, scopes, lifetime, extra),
        }
    }

    fn opaque(draft: &Draft<'_>, scopes: Scopes, lifetime: Duration, extra: Claims) -> Result<Drafted, Fault> {
        let Draft { call, env, client, what } = *draft;
        let handle = Handle::<AccessToken>::new(what.partition, env.secret());
        let body = AccessTokenBody {
            client: client.id().clone(),
            account: what.account.clone(),
            grant: what.grant.map(|(grant, _)| grant),
            granted_at: what.grant.map(|(_, born)| born),
            scopes: scopes.clone(),
            issued_at: call.now,
            resource: what.resource.as_ref().map(|server| server.uri.clone()),
            sid: what.sid.clone(),
            claims: ClaimsRequest { id_token: Vec::new(), ..what.claims.clone() },
            extra,
        };
        let parent = what.grant.map(|(grant, _)| grant.key(&env.realm));
        let key = handle.key(&env.realm);
        let record = env.records().new(key, parent, Tags::default(), call.now + lifetime, &body)?;
        Ok(Drafted { text: handle.reveal(), record: Some(record), lifetime, scopes })
    }

    async fn jwt(
        &self,
        draft: &Draft<'_>,
        mut form: JwtDraft<'_>,
        scopes: &Scopes,
        lifetime: Duration,
    ) -> Result<String, Fault> {
        let Draft { call, env, client, what } = *draft;
        let place = Place { partition: what.partition, grant: what.grant.map(|(grant, _)| grant) };
        // RFC 9068 section 2.2: without a person the subject is the client.
        let subject = what.account.as_ref().map_or(client.id().as_str(), |account| account.as_str());
        self.policy.jwt(&mut form).await?;
        let server = form.resource;
        let mut claims = ClaimsWriter::new();
        claims
            .string("iss", env.issuer.as_str())
            .string("sub", subject)
            .string("aud", server.uri.as_str())
            .string("client_id", client.id().as_str())
            .string("jti", &place.jti(&env.secret::<16>()))
            .date("iat", call.now)
            .date("exp", call.now + lifetime);
        if !scopes.is_empty() {
            claims.string("scope", &scopes.to_string());
        }
        for (name, value) in form.extra.iter().filter(|(name, _)| !RESERVED.contains(name)) {
            claims.raw(name, value);
        }
        self.keys.sign_jwt(env, call.now, server.alg, Some(TYPE), claims.finish().as_bytes()).await
    }
}

/// Where the records of a JWT are. Its `jti` says it, so that no record is needed per token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    partition: Partition,
    grant: Option<GrantId>,
}

impl Place {
    /// The grant it was issued under; none for client credentials.
    pub(crate) fn grant(&self) -> Option<GrantId> {
        self.grant
    }

    /// The key of the mark that it is revoked.
    pub(crate) fn revocation(&self, realm: &RealmId, jti: &str) -> Key {
        revocation_key(realm, self.partition, jti)
    }

    /// base64url of grant (18 bytes) or partition (2), and 16 random bytes.
    fn jti(&self, random: &[u8; 16]) -> String {
        match self.grant {
            Some(grant) => base64url::encode([&grant.to_bytes(), random.as_slice()].concat()),
            None => base64url::encode([&self.partition.0, random.as_slice()].concat()),
        }
    }

    fn parse(jti: &str) -> Option<Self> {
        let bytes = base64url::decode(jti).ok()?;
        let (head, _random) = bytes.split_at_checked(bytes.len().checked_sub(16)?)?;
        match *head {
            [a, b] => Some(Self { partition: Partition([a, b]), grant: None }),
            _ => GrantId::from_bytes(head).map(|grant| Self { partition: grant.partition(), grant: Some(grant) }),
        }
    }
}

/// What one of our JWTs says.
pub(crate) struct JwtAccessToken {
    pub(crate) client: ClientId,
    pub(crate) subject: String,
    pub(crate) resource: ResourceUri,
    pub(crate) scopes: Scopes,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) jti: String,
    pub(crate) place: Place,
    pub(crate) extra: Claims,
}

impl JwtAccessToken {
    /// Reads a JWT that this issuer signed as an access token, with a key that still counts, and that has not expired
    /// (RFC 9068 section 4); `None` for anything else. Its grant may be dead all the same.
    pub(crate) fn read(text: &str, keys: &KeySet, env: &Env, now: Timestamp) -> Option<Self> {
        let verified = keys.verify_jwt(now, Compact::parse(text).ok()?).ok()?;
        let claims = verified.claims().ok()?;
        let expires_at = claims.exp.filter(|end| now < *end)?;
        if !verified.header().is_type(TYPE) || claims.iss.as_deref() != Some(env.issuer.as_str()) {
            return None;
        }
        let mut extra = Claims::default();
        for (name, value) in claims.others().filter(|(name, _)| !RESERVED.contains(name)) {
            extra.set_raw(name, value.to_owned());
        }
        let scopes = claims.string("scope").ok()?;
        let client = claims.string("client_id").ok()??;
        Some(Self {
            client: ClientId::parse(&client).ok()?,
            resource: ResourceUri::parse(claims.aud.first()?).ok()?,
            scopes: Scopes::parse(scopes.as_deref().unwrap_or("")).ok()?,
            issued_at: claims.iat?,
            expires_at,
            place: Place::parse(claims.jti.as_deref()?)?,
            subject: claims.sub?,
            jti: claims.jti?,
            extra,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jti_says_where_its_records_are() {
        let grant = GrantId::new(Partition([1, 2]), [3; 16]);
        for grant in [Some(grant), None] {
            let place = Place { partition: Partition([1, 2]), grant };
            assert_eq!(Place::parse(&place.jti(&[9; 16])), Some(place));
        }
        for bad in
            ["", "AAAA", "!", &base64url::encode([0; 17]), &base64url::encode([0; 33]), &base64url::encode([0; 35])]
        {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
