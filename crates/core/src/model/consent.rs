//! What a person agreed to.

use chancery_types::{ResourceUri, Scope, Scopes};
use serde::{Deserialize, Serialize};

use crate::model::{Access, ResourceScopes};

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

impl ConsentAnswer {
    /// Whether the scope was allowed, of this server or of a resource server; without a scope, whether any access to
    /// the resource server was.
    #[must_use]
    pub fn allows(&self, resource: Option<&ResourceUri>, scope: Option<&Scope>) -> bool {
        let scopes = match resource {
            Some(uri) => {
                self.resources.iter().find(|known| known.resource == *uri).map(|known| &known.scopes)
            }
            None => Some(&self.scopes),
        };
        scopes.is_some_and(|scopes| scope.is_none_or(|scope| scopes.contains(scope.as_str())))
    }

    /// Adds what was allowed.
    pub fn allow(&mut self, more: &Access) {
        let joined =
            |have: &Scopes, more: &Scopes| have.iter().chain(more.iter()).cloned().collect::<Scopes>();
        self.rejected_scopes = self.rejected_scopes.filtered(|scope| !more.contains(scope.as_str()));
        self.scopes = joined(&self.scopes, &more.scopes);
        for at in &more.resources {
            match self.resources.iter_mut().find(|known| known.resource == at.resource) {
                Some(known) => known.scopes = joined(&known.scopes, &at.scopes),
                None => self.resources.push(at.clone()),
            }
        }
    }
}
