//! RFC 9068, JWT Profile for OAuth 2.0 Access Tokens: sections 2.2 and 4. What a JWT of ours says, and where its records are.
//! Config     none
//! Discovery  none

use chancery_jose::{Compact, base64url};
use chancery_types::{ClientId, Key, Partition, RealmId, ResourceUri, Scope, Scopes, Timestamp};

use super::{TYPE, is_reserved};
use crate::context::Env;
use crate::keys::KeySet;
use crate::model::{Claims, GrantId};
use crate::records::revocation_key;

/// Where the records of a JWT are. Its `jti` says it, so that no record is needed per token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    partition: Partition,
    grant: Option<GrantId>,
}

impl Place {
    /// Beside the grant; without one, in a partition of its own.
    pub(super) fn new(env: &Env, grant: Option<GrantId>) -> Self {
        Self { partition: grant.map_or_else(|| env.partition(), |grant| grant.partition()), grant }
    }

    /// The grant it was issued under; none for client credentials.
    pub(crate) fn grant(&self) -> Option<GrantId> {
        self.grant
    }

    /// The key of the mark that it is revoked.
    pub(crate) fn revocation(&self, realm: &RealmId, jti: &str) -> Key {
        revocation_key(realm, self.partition, jti)
    }

    /// base64url of grant (18 bytes) or partition (2), and 16 random bytes.
    pub(super) fn jti(&self, random: &[u8; 16]) -> String {
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
        for (name, value) in claims.others().filter(|(name, _)| !is_reserved(name)) {
            extra.set_raw(name, value.to_owned());
        }
        let scopes = Scopes::parse(claims.string("scope").ok()?.as_deref().unwrap_or("")).ok()?;
        let issuer = env.issuer.as_str();
        // Ours says `openid` exactly when UserInfo is one of its audiences.
        if scopes.contains(Scope::OPENID) != claims.is_for(issuer) {
            return None;
        }
        let client = claims.string("client_id").ok()??;
        Some(Self {
            client: ClientId::parse(&client).ok()?,
            resource: ResourceUri::parse(claims.aud.iter().find(|audience| *audience != issuer)?).ok()?,
            scopes,
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
