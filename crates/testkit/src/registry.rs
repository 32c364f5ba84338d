//! Clients and resource servers, each realm with its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chancery_core::documents::MemoryRegistry;
use chancery_core::error::Fault;
use chancery_core::model::{Client, ResourceServer};
use chancery_core::ports::Registry;
use chancery_store::{Put, Revision};
use chancery_types::{ClientId, RealmId, ResourceUri};

use crate::interleaved::let_others_go_on;

/// A registry of many realms, which do not see each other's clients. It answers after every other task had
/// its turn.
#[derive(Default)]
pub struct TestRegistry {
    realms: RwLock<BTreeMap<RealmId, Arc<MemoryRegistry>>>,
    has_lost_resource_servers: AtomicBool,
}

impl TestRegistry {
    /// What the realm has from now on.
    pub(crate) fn begin(&self, realm: RealmId, own: MemoryRegistry) -> Arc<MemoryRegistry> {
        let own = Arc::new(own);
        self.realms.write().unwrap_or_else(PoisonError::into_inner).insert(realm, Arc::clone(&own));
        own
    }

    /// From now on no resource server is configured any more, or all are again.
    pub fn lose_resource_servers(&self, lost: bool) {
        self.has_lost_resource_servers.store(lost, Ordering::SeqCst);
    }

    /// What the realm has.
    ///
    /// # Panics
    /// When no provider of this realm was built.
    #[must_use]
    pub fn of(&self, realm: &RealmId) -> Arc<MemoryRegistry> {
        let realms = self.realms.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(realms.get(realm).unwrap_or_else(|| panic!("there is no realm {realm}")))
    }
}

impl Registry for TestRegistry {
    async fn client(&self, realm: &RealmId, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        let_others_go_on().await;
        self.of(realm).client(realm, id).await
    }

    async fn resource_server(
        &self,
        realm: &RealmId,
        uri: &ResourceUri,
    ) -> Result<Option<Arc<ResourceServer>>, Fault> {
        let_others_go_on().await;
        if self.has_lost_resource_servers.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.of(realm).resource_server(realm, uri).await
    }

    async fn put_client(
        &self,
        realm: &RealmId,
        seen: Option<Revision>,
        client: Arc<Client>,
    ) -> Result<Put, Fault> {
        let_others_go_on().await;
        self.of(realm).put_client(realm, seen, client).await
    }

    async fn remove_client(&self, realm: &RealmId, seen: Revision, id: &ClientId) -> Result<Put, Fault> {
        let_others_go_on().await;
        self.of(realm).remove_client(realm, seen, id).await
    }

    async fn clients(
        &self,
        realm: &RealmId,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<Arc<Client>>, Fault> {
        let_others_go_on().await;
        self.of(realm).clients(realm, after, limit).await
    }
}
