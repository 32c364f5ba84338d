//! What is asked for, allowed or granted, told apart by who gives it its meaning.

use std::sync::Arc;

use chancery_types::{ResourceUri, Scope, Scopes};
use serde::{Deserialize, Serialize};

use crate::model::ResourceServer;

/// Scopes of one resource server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceScopes {
    /// Which.
    pub resource: ResourceUri,
    /// The scopes. There may be none: then the access itself is all that is meant.
    pub scopes: Scopes,
}

/// Scopes of this server, and access to resource servers: the same scope may mean something else at another
/// one (RFC 8707 section 2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// This server's own scopes.
    pub scopes: Scopes,
    /// Each resource server once.
    pub resources: Vec<ResourceScopes>,
}

impl Access {
    /// These scopes at these resource servers: each scope at every server that knows it. What none of them
    /// knows is this server's own.
    #[must_use]
    pub fn of(scopes: &Scopes, servers: &[Arc<ResourceServer>]) -> Self {
        let at = |server: &Arc<ResourceServer>| ResourceScopes {
            resource: server.uri.clone(),
            scopes: scopes.filtered(|scope| server.knows(scope)),
        };
        Self {
            scopes: scopes.filtered(|scope| !servers.iter().any(|server| server.knows(scope))),
            resources: servers.iter().map(at).collect(),
        }
    }

    /// Those parts that satisfy the condition: a scope of this server, a scope of a resource server, or a
    /// resource server without any scope. A resource server of whose scopes none is left is left out.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(Option<&ResourceUri>, Option<&Scope>) -> bool) -> Self {
        let at = |ResourceScopes { resource, scopes }: &ResourceScopes| {
            let kept = scopes.filtered(|scope| keep(Some(resource), Some(scope)));
            let is_kept = if scopes.is_empty() { keep(Some(resource), None) } else { !kept.is_empty() };
            is_kept.then(|| ResourceScopes { resource: resource.clone(), scopes: kept })
        };
        Self {
            scopes: self.scopes.filtered(|scope| keep(None, Some(scope))),
            resources: self.resources.iter().filter_map(at).collect(),
        }
    }

    /// Whether the scope is among them, of whichever server.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.scopes.contains(scope) || self.resources.iter().any(|at| at.scopes.contains(scope))
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.resources.is_empty()
    }
}
