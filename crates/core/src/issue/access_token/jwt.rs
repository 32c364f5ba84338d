//! RFC 9068, JWT Profile for OAuth 2.0 Access Tokens: sections 2.2 and 4. The claims of our JWTs, and where
//! their records are.
//! Config     none
//! Discovery  none

use chancery_jose::{Compact, base64url};
use chancery_types::{ClientId, Key, Partition, RealmId, ResourceUri, Scope, Scopes, Timestamp};

use super::{TYPE, is_reserved};
use crate::context::Env;
use crate::keys::KeySet;
use crate::model::{AuthorizationDetail, Claims, GrantId, Holder, RegistrationId, TokenBinding};
use crate::records::revocation_key;
use crate::rule::authorization_details::AUTHORIZATION_DETAILS;

/// Where the records of a JWT are. The `jti` encodes it, so no record per token is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Beside the grant under which it was issued.
    Grant(GrantId),
    /// In a partition of its own: the token belongs to this registration of the client itself.
    Client { partition: Partition, registration: RegistrationId },
}

impl Place {
    /// Chooses the place for a new token.
    pub(super) fn of(env: &Env, holder: &Holder) -> Self {
        match holder {
            Holder::Person(granted) => Self::Grant(granted.grant),
            Holder::Client { registration, .. } => {
                Self::Client { partition: env.partition(), registration: *registration }
            }
        }
    }

    /// The grant that it was issued under; `None` for client credentials.
    pub(crate) fn grant(&self) -> Option<GrantId> {
        match self {
            Self::Grant(grant) => Some(*grant),
            Self::Client { .. } => None,
        }
    }

    /// The key of its revocation mark.
    pub(crate) fn revocation(&self, realm: &RealmId, jti: &str) -> Key {
        let partition = match self {
            Self::Grant(grant) => grant.partition(),
            Self::Client { partition, .. } => *partition,
        };
        revocation_key(realm, partition, jti)
    }

    /// base64url of the grant (18 bytes) or of partition and registration (2 and 8), and 16 random bytes.
    pub(super) fn jti(&self, random: &[u8; 16]) -> String {
        match self {
            Self::Grant(grant) => base64url::encode([&grant.to_bytes(), random.as_slice()].concat()),
            Self::Client { partition, registration } => {
                base64url::encode([partition.0.as_slice(), &registration.to_bytes(), random].concat())
            }
        }
    }

    fn parse(jti: &str) -> Option<Self> {
        let bytes = base64url::decode(jti).ok()?;
        let (head, _random) = bytes.split_at_checked(bytes.len().checked_sub(16)?)?;
        match *head {
            [a, b, ref registration @ ..] if registration.len() == 8 => Some(Self::Client {
                partition: Partition([a, b]),
                registration: RegistrationId::from_bytes(registration.try_into().ok()?),
            }),
            _ => GrantId::from_bytes(head).map(Self::Grant),
        }
    }
}

/// The contents of one of our JWTs.
pub(crate) struct JwtAccessToken {
    pub(crate) client: ClientId,
    pub(crate) subject: String,
    pub(crate) resource: ResourceUri,
    pub(crate) scopes: Scopes,
    pub(crate) details: Vec<AuthorizationDetail>,
    pub(crate) binding: TokenBinding,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) jti: String,
    pub(crate) place: Place,
    pub(crate) extra: Claims,
}

impl JwtAccessToken {
    /// Reads an unexpired JWT that this issuer signed as an access token with a key that is still published
    /// (RFC 9068 section 4); `None` for anything else. Its grant may have ended nevertheless.
    pub(crate) fn read(text: &str, keys: &KeySet, env: &Env, now: Timestamp) -> Option<Self> {
        let verified = keys.verify_jwt(now, Compact::parse(text).ok()?).ok()?;
        let claims = verified.claims().ok()?;
        let expires_at = claims.exp.filter(|end| now < *end)?;
        if !verified.header().is_type(TYPE) || claims.iss.as_deref() != Some(env.issuer.as_str()) {
            return None;
        }
        let mut extra = Claims::default();
        for (name, value) in claims.others().filter(|(name, _)| !is_reserved(name)) {
            extra.set_raw(name, value.to_owned());
        }
        let scopes = Scopes::parse(claims.string("scope").ok()?.as_deref().unwrap_or("")).ok()?;
        let issuer = env.issuer.as_str();
        // Our own tokens contain `openid` exactly if UserInfo is one of their audiences.
        if scopes.contains(Scope::OPENID) != claims.is_for(issuer) {
            return None;
        }
        // One that cannot be read is not taken for none.
        let binding = match claims.raw("cnf") {
            Some(confirmation) => serde_json::from_str(confirmation.get()).ok()?,
            None => TokenBinding::None,
        };
        let details = match claims.raw(AUTHORIZATION_DETAILS) {
            Some(details) => serde_json::from_str(details.get()).ok()?,
            None => Vec::new(),
        };
        let client = claims.string("client_id").ok()??;
        Some(Self {
            client: ClientId::parse(&client).ok()?,
            resource: ResourceUri::parse(claims.aud.iter().find(|audience| *audience != issuer)?).ok()?,
            scopes,
            details,
            binding,
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
        let of_client =
            Place::Client { partition: Partition([1, 2]), registration: RegistrationId::from_bytes([4; 8]) };
        for place in [Place::Grant(GrantId::new(Partition([1, 2]), [3; 16])), of_client] {
            assert_eq!(Place::parse(&place.jti(&[9; 16])), Some(place));
        }
        for bad in ["", "AAAA", "!"] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
        for length in [1, 16, 17, 18, 25, 27, 33, 35] {
            assert_eq!(Place::parse(&base64url::encode(vec![0; length])), None, "{length} bytes");
        }
    }
}
