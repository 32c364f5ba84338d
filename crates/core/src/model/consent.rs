//! What a person agreed to.

use chancery_types::{ResourceUri, Scope, Scopes};
use serde::{Deserialize, Serialize};

use crate::model::ResourceServer;

/// A person's answer to one client, remembered for later requests. What was declined is remembered too, so
/// that the person is not asked again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentAnswer {
    /// Scopes of this server that were allowed.
    pub scopes: Scopes,
    /// Scopes of resource servers that were allowed, by resource server: the same scope may mean something
    /// else at another one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceScopes>,
    /// Scopes that were declined.
    pub rejected_scopes: Scopes,
    /// Single claims that were allowed (OIDC Core section 5.5).
    pub claims: Vec<Box<str>>,
    /// Single claims that were declined.
    pub rejected_claims: Vec<Box<str>>,
}

/// Scopes of one resource server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceScopes {
    /// Which.
    pub resource: ResourceUri,
    /// The scopes.
    pub scopes: Scopes,
}

impl ConsentAnswer {
    /// Whether the scope was allowed, for tokens for this resource server.
    #[must_use]
    pub fn allows(&self, scope: &Scope, resource: Option<&ResourceServer>) -> bool {
        let scopes = match resource.filter(|server| server.knows(scope)) {
            Some(server) => {
                self.resources.iter().find(|known| known.resource == server.uri).map(|known| &known.scopes)
            }
            None => Some(&self.scopes),
        };
        scopes.is_some_and(|scopes| scopes.contains(scope.as_str()))
    }

    /// Adds scopes that were allowed, for tokens for this resource server.
    pub fn allow(&mut self, scopes: &Scopes, resource: Option<&ResourceServer>) {
        let is_resources = |scope: &Scope| resource.is_some_and(|server| server.knows(scope));
        let joined =
            |have: &Scopes, more: Scopes| have.iter().chain(more.iter()).cloned().collect::<Scopes>();
        self.rejected_scopes = self.rejected_scopes.filtered(|scope| !scopes.contains(scope.as_str()));
        self.scopes = joined(&self.scopes, scopes.filtered(|scope| !is_resources(scope)));
        let more = scopes.filtered(is_resources);
        let Some(server) = resource.filter(|_| !more.is_empty()) else { return };
        match self.resources.iter_mut().find(|known| known.resource == server.uri) {
            Some(known) => known.scopes = joined(&known.scopes, more),
            None => self.resources.push(ResourceScopes { resource: server.uri.clone(), scopes: more }),
        }
    }
}
