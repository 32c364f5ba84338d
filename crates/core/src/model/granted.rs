//! What a person granted in one authorization, and whom a token stands for.

use chancery_types::{AccountId, ClientId, ResourceUri, Scope, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{
    Authentication, AuthorizationDetail, ClaimsRequest, Client, GrantId, RegistrationId, ResourceScopes,
};

/// What a person granted in one authorization. It is stored with the grant, its code and its refresh family,
/// so that each of them is read in one access to the store; every token under the grant is made from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Granted {
    /// Who got it.
    pub client: ClientId,
    /// The registration of that client; another client with the same id inherits nothing.
    pub registration: RegistrationId,
    /// The grant under which all of it lives.
    pub grant: GrantId,
    /// When it was given.
    pub granted_at: Timestamp,
    /// Who gave it, and how that person had authenticated.
    pub authentication: Authentication,
    /// The person's session at the client (OIDC Front-Channel Logout section 3).
    pub sid: Box<str>,
    /// Everything that was granted, in the order it was asked for.
    pub scopes: Scopes,
    /// The resource servers to which access was granted, with those of the scopes that are theirs (RFC 8707 section
    /// 2). All other scopes are this server's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceScopes>,
    /// The authorization details that were granted, as they were shown (RFC 9396 section 3.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<AuthorizationDetail>,
    /// Single claims that were requested and consented to (OIDC Core section 5.5).
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_default")]
    pub claims: ClaimsRequest,
}

impl Granted {
    /// Who gave it.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.authentication.account
    }

    /// Its grant, with whom it was given to and by whom, as its end is told.
    pub(crate) fn ended(&self) -> (GrantId, &ClientId, Option<&AccountId>) {
        (self.grant, &self.client, Some(self.account()))
    }

    /// The scopes that were granted for this resource server; `None` if no access to it was.
    #[must_use]
    pub fn at(&self, resource: &ResourceUri) -> Option<&Scopes> {
        self.resources.iter().find(|at| at.resource == *resource).map(|at| &at.scopes)
    }

    /// Whether a scope that was granted is this server's own.
    #[must_use]
    pub fn is_own(&self, scope: &Scope) -> bool {
        !self.resources.iter().any(|at| at.scopes.contains(scope.as_str()))
    }
}

/// Whom a token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A person, within what they granted.
    Person(Box<Granted>),
    /// The client itself (RFC 6749 section 4.4).
    Client {
        /// Which.
        client: ClientId,
        /// Its registration; another client with the same id inherits nothing.
        registration: RegistrationId,
    },
}

impl Holder {
    /// The client itself.
    #[must_use]
    pub fn of_client(client: &Client) -> Self {
        Self::Client { client: client.id().clone(), registration: client.registration() }
    }

    /// The registration of the client that got the token.
    #[must_use]
    pub fn registration(&self) -> RegistrationId {
        match self {
            Self::Person(granted) => granted.registration,
            Self::Client { registration, .. } => *registration,
        }
    }

    /// Who got the token.
    #[must_use]
    pub fn client(&self) -> &ClientId {
        match self {
            Self::Person(granted) => &granted.client,
            Self::Client { client, .. } => client,
        }
    }

    /// What the person granted; `None` for the client itself.
    #[must_use]
    pub fn granted(&self) -> Option<&Granted> {
        match self {
            Self::Person(granted) => Some(granted),
            Self::Client { .. } => None,
        }
    }

    /// The person; `None` for the client itself.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.granted().map(Granted::account)
    }

    /// The grant under which the token lives; `None` for the client itself.
    #[must_use]
    pub fn grant(&self) -> Option<GrantId> {
        self.granted().map(|granted| granted.grant)
    }
}
