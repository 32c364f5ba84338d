//! What a token request is entitled to, whatever its grant type.

use std::sync::Arc;
use std::time::Duration;

use chancery_store::Revision;
use chancery_types::handle::{RefreshToken, RotatingHandle};
use chancery_types::iana::GrantType;
use chancery_types::{AccountId, Key, Scope, Scopes, Timestamp};

use crate::model::{AuthorizationDetail, Client, Granted, Holder, ResourceServer};

/// All grant types end in an entitlement, and the code that issues tokens knows no grant type. A further
/// field needs a reason in `docs/decisions`.
pub struct Entitlement {
    /// The grant type, for events only.
    pub grant_type: GrantType,
    /// Whom the tokens stand for.
    pub holder: Holder,
    /// What this response's access token is for.
    pub target: Target,
    /// The nonce to repeat in the ID token (OIDC Core section 2).
    pub nonce: Option<Box<str>>,
    /// The longest life of the grant's access tokens, if what was exchanged sets one.
    pub lifetime: Option<Duration>,
    /// What happens to refresh tokens.
    pub refresh: Refresh,
    /// The condition that must hold in the step that writes the tokens.
    pub condition: Condition,
}

impl Entitlement {
    /// The entitlement of a code, which can be used once (RFC 6749 section 4.1.3).
    #[must_use]
    pub fn of_code(granted: Granted, target: Target, nonce: Option<Box<str>>, code: Key) -> Self {
        Self {
            grant_type: GrantType::AuthorizationCode,
            holder: Holder::Person(Box::new(granted)),
            target,
            nonce,
            lifetime: None,
            refresh: Refresh::New,
            condition: Condition::Redeem(code),
        }
    }

    /// The entitlement of what a person has approved at another device, which can be used once (RFC 8628 section
    /// 3.5).
    #[must_use]
    pub fn of_approval(
        grant_type: GrantType,
        granted: Granted,
        target: Target,
        nonce: Option<Box<str>>,
        approval: Key,
    ) -> Self {
        Self { grant_type, ..Self::of_code(granted, target, nonce, approval) }
    }

    /// The entitlement of an authorization response itself (RFC 6749 section 4.2.2, OIDC Core sections 3.2 and
    /// 3.3). It never yields refresh tokens.
    #[must_use]
    pub fn of_front_channel(granted: Granted, target: Target, nonce: Option<Box<str>>) -> Self {
        Self {
            grant_type: GrantType::Implicit,
            holder: Holder::Person(Box::new(granted)),
            target,
            nonce,
            lifetime: None,
            refresh: Refresh::No,
            condition: Condition::None,
        }
    }

    /// The entitlement of a refresh token (RFC 6749 section 6). It has no nonce, because a refreshed ID token
    /// should not repeat it (OIDC Core section 12.2).
    #[must_use]
    pub fn of_refresh_token(
        granted: Granted,
        target: Target,
        lifetime: Option<Duration>,
        next: RotatingHandle<RefreshToken>,
    ) -> Self {
        Self {
            grant_type: GrantType::RefreshToken,
            holder: Holder::Person(Box::new(granted)),
            target,
            nonce: None,
            lifetime,
            refresh: Refresh::Family(next),
            condition: Condition::None,
        }
    }

    /// The entitlement of a client itself (RFC 6749 section 4.4).
    #[must_use]
    pub fn of_client(client: &Client, target: Target) -> Self {
        Self {
            grant_type: GrantType::ClientCredentials,
            holder: Holder::of_client(client),
            target,
            nonce: None,
            lifetime: None,
            refresh: Refresh::No,
            condition: Condition::None,
        }
    }

    /// For whom; `None` for the client itself.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.holder.account()
    }

    /// Everything that was granted, even if less is requested now.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        self.holder.granted().map_or(&self.target.scopes, |granted| &granted.scopes)
    }
}

/// What one response is for, and who accepts its access token: a resource server, UserInfo, both, or nobody
/// in particular.
#[derive(Clone, Debug)]
pub struct Target {
    /// The resource server that accepts it, if any.
    pub resource: Option<Arc<ResourceServer>>,
    /// Those of the granted scopes that were requested and are not another resource server's; all of these unless
    /// fewer were requested (RFC 6749 section 6).
    pub scopes: Scopes,
    /// The authorization details of the access token, as its resource server is shown them (RFC 9396 section 6).
    pub details: Vec<AuthorizationDetail>,
    /// Whether the request names the resource server, for which the access token is alone then (RFC 9068 section 3).
    pub is_named: bool,
}

impl Target {
    /// A token for this resource server, or for none, and for UserInfo. Left out are scopes of other resource servers,
    /// and those that this one has only come to know since.
    #[must_use]
    pub fn of_grant(granted: &Granted, resource: Option<Arc<ResourceServer>>) -> Self {
        let scopes = granted.scopes.filtered(|scope| match &resource {
            Some(server) if server.knows(scope) => {
                granted.at(&server.uri).is_some_and(|scopes| scopes.contains(scope.as_str()))
            }
            _ => granted.is_own(scope),
        });
        Self { resource, scopes, details: Vec::new(), is_named: false }
    }

    /// What a token is for if its request names no resource server: the one that was granted. Of several it is the
    /// client's default one, or else none of them, and the token is for UserInfo. `None` if that does not accept it.
    #[must_use]
    pub fn unnamed(
        granted: &Granted,
        servers: &[Arc<ResourceServer>],
        (client, scopes): (&Client, &Scopes),
    ) -> Option<Self> {
        let by_default = || servers.iter().find(|server| client.default_resource() == Some(&server.uri));
        let chosen = match servers {
            [] => None,
            [one] => Some(one),
            _ => by_default(),
        };
        let is_decided = servers.is_empty() || chosen.is_some() || scopes.contains(Scope::OPENID);
        is_decided.then(|| Self::of_grant(granted, chosen.cloned()))
    }

    /// The same, named by the request.
    #[must_use]
    pub fn named(self) -> Self {
        Self { is_named: true, ..self }
    }

    /// Narrowed to these scopes. A resource server of whose scopes none is left no longer accepts the token.
    #[must_use]
    pub fn only(self, scopes: &Scopes) -> Self {
        let kept = scopes.filtered(|scope| self.scopes.contains(scope.as_str()));
        let accepts =
            |server: &Arc<ResourceServer>| server.knows_any(&kept) || !server.knows_any(&self.scopes);
        Self { resource: self.resource.filter(accepts), scopes: kept, ..self }
    }

    /// Whether UserInfo accepts the access token (OIDC Core section 5.3).
    #[must_use]
    pub fn is_for_userinfo(&self) -> bool {
        !self.is_named
            && self.scopes.contains(Scope::OPENID)
            && self.resource.as_ref().is_none_or(|server| server.is_for_userinfo())
    }

    /// Whether nobody accepts the access token.
    #[must_use]
    pub fn is_for_nobody(&self) -> bool {
        self.resource.is_none() && !self.is_for_userinfo()
    }

    /// The scopes of the access token: those that mean something to one of its audiences (RFC 9068 section
    /// 2.2.3).
    #[must_use]
    pub fn access_token_scopes(&self) -> Scopes {
        let Some(server) = &self.resource else { return self.scopes.clone() };
        let is_for_userinfo = self.is_for_userinfo();
        self.scopes.filtered(|scope| {
            server.knows(scope) || (is_for_userinfo && scope.as_str() != Scope::OFFLINE_ACCESS)
        })
    }

    /// `scope` of the response (RFC 6749 section 5.1): the scopes of the access token, and those that gave
    /// the client something else: an ID token or refresh tokens.
    #[must_use]
    pub fn answered_scopes(&self) -> Scopes {
        let of_token = self.access_token_scopes();
        self.scopes.filtered(|scope| {
            of_token.contains(scope.as_str())
                || matches!(scope.as_str(), Scope::OPENID | Scope::OFFLINE_ACCESS)
        })
    }
}

/// What happens to refresh tokens.
pub enum Refresh {
    /// None is issued.
    No,
    /// A new family begins, if the policy wants it.
    New,
    /// The family continues with this token.
    Family(RotatingHandle<RefreshToken>),
}

/// The condition that must hold in the step that writes the tokens.
pub enum Condition {
    /// Nothing.
    None,
    /// Nothing; the grant of the tokens is new, and this step writes it, too.
    Begin,
    /// The code has not been used yet; this step uses it.
    Redeem(Key),
    /// The family has not changed since it was read; this step gives it the new body.
    Rotate {
        /// The family.
        family: Key,
        /// As it was seen.
        seen: Revision,
        /// As it will be.
        body: Box<[u8]>,
        /// When it will end if it is not used.
        expires_at: Timestamp,
    },
}
