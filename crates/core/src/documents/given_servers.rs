//! The resource servers that a program has given to a registry.

use std::collections::HashMap;
use std::sync::Arc;

use chancery_types::ResourceUri;

use crate::model::ResourceServer;

/// All of them in the order in which they were given, so that a provider can complain about two of one URI, and by their URIs.
#[derive(Default)]
pub(super) struct GivenServers {
    all: Vec<Arc<ResourceServer>>,
    by_uri: HashMap<ResourceUri, Arc<ResourceServer>>,
}

impl GivenServers {
    pub(super) fn add(&mut self, server: ResourceServer) {
        let server = Arc::new(server);
        self.all.push(Arc::clone(&server));
        self.by_uri.entry(server.uri.clone()).or_insert(server);
    }

    pub(super) fn get(&self, uri: &ResourceUri) -> Option<&Arc<ResourceServer>> {
        self.by_uri.get(uri)
    }

    pub(super) fn all(&self) -> Vec<Arc<ResourceServer>> {
        self.all.clone()
    }
}
