//! Clients and resource servers in [`Documents`].

use std::sync::Arc;

use chancery_store::{Document, DocumentKind, Put, Revision};
use chancery_types::{ClientId, RealmId, ResourceUri};

use super::given_servers::GivenServers;
use super::{DocumentCache, Documents};
use crate::error::Fault;
use crate::model::{Client, ResourceServer};
use crate::ports::{Configured, DynWatcher, Registry};

/// Clients and resource servers in [`Documents`], each parsed once until it is written again.
pub struct StoredRegistry {
    documents: Arc<Documents>,
    configured: GivenServers,
    pub(super) clients: DocumentCache<Client>,
    resource_servers: DocumentCache<ResourceServer>,
}

impl StoredRegistry {
    /// A registry of these documents.
    #[must_use]
    pub fn new(documents: Arc<Documents>) -> Self {
        let clients = DocumentCache::new(documents.clone(), DocumentKind::CLIENT);
        let resource_servers = DocumentCache::new(documents.clone(), DocumentKind::RESOURCE_SERVER);
        Self { documents, configured: GivenServers::default(), clients, resource_servers }
    }

    /// Adds the resource servers of a configuration, which take precedence over stored ones of the same URI. No two may have one
    /// URI: [`Provider::new`](crate::provider::Provider::new) complains about them.
    #[must_use]
    pub fn with_resource_servers(mut self, servers: impl IntoIterator<Item = ResourceServer>) -> Self {
        servers.into_iter().for_each(|server| self.configured.add(server));
        self
    }

    /// Stores a resource server; `seen` is `None` for a new one.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn put_resource_server(
        &self,
        realm: &RealmId,
        seen: Option<Revision>,
        server: &ResourceServer,
    ) -> Result<Put, Fault> {
        let mut body = vec![RESOURCE_SERVER_VERSION];
        serde_json::to_writer(&mut body, server).map_err(|error| Fault::internal(error.to_string()))?;
        let id = server.uri.as_str().into();
        let document = Document { id, aliases: Vec::new(), body: body.into(), revision: Revision::NONE };
        Ok(self.documents.put(realm, DocumentKind::RESOURCE_SERVER, seen, document).await?)
    }

    /// Stores new clients, all or none. It is [`Put::Occupied`] when a client or an account has the id of one
    /// of them.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn add_clients(&self, realm: &RealmId, clients: &[Client]) -> Result<Put, Fault> {
        for client in clients {
            if self.has_id_of_an_account(realm, client).await? {
                return Ok(Put::Occupied);
            }
        }
        let documents = clients.iter().map(document_of).collect::<Result<Vec<_>, _>>()?;
        Ok(self.documents.put_new(realm, DocumentKind::CLIENT, documents).await?)
    }

    /// Whether an account has the client's id: one `sub` must never mean both a client and a person (RFC 9068
    /// section 5).
    async fn has_id_of_an_account(&self, realm: &RealmId, client: &Client) -> Result<bool, Fault> {
        Ok(self.documents.store().get(realm, DocumentKind::ACCOUNT, client.id().as_str()).await?.is_some())
    }
}

const RESOURCE_SERVER_VERSION: u8 = 1;

fn document_of(client: &Client) -> Result<Document, Fault> {
    let (id, body) = (client.id().as_str().into(), client.to_stored()?);
    Ok(Document { id, aliases: Vec::new(), body, revision: Revision::NONE })
}

fn read(document: &Document) -> Result<Client, Fault> {
    Client::from_stored(&document.body, document.revision)
}

fn resource_server(document: &Document) -> Result<ResourceServer, Fault> {
    let Some((&RESOURCE_SERVER_VERSION, json)) = document.body.split_first() else {
        return Err(Fault::internal("a resource server of an unknown version"));
    };
    serde_json::from_slice(json).map_err(|error| Fault::internal(format!("damaged resource server: {error}")))
}

impl Registry for StoredRegistry {
    async fn client(&self, realm: &RealmId, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        self.clients.get(realm, id.as_str(), read).await
    }

    async fn resource_server(
        &self,
        realm: &RealmId,
        uri: &ResourceUri,
    ) -> Result<Option<Arc<ResourceServer>>, Fault> {
        if let Some(server) = self.configured.get(uri) {
            return Ok(Some(Arc::clone(server)));
        }
        self.resource_servers.get(realm, uri.as_str(), resource_server).await
    }

    fn configured(&self, _: &RealmId) -> Configured {
        let resource_servers = self.configured.all();
        // There can be stored ones, too.
        Configured { resource_servers, ..Configured::default() }
    }

    fn watcher(&self) -> Option<Arc<dyn DynWatcher>> {
        Some(self.documents.clone())
    }

    async fn put_client(
        &self,
        realm: &RealmId,
        seen: Option<Revision>,
        client: Arc<Client>,
    ) -> Result<Put, Fault> {
        if seen.is_none() && self.has_id_of_an_account(realm, &client).await? {
            return Ok(Put::Occupied);
        }
        Ok(self.documents.put(realm, DocumentKind::CLIENT, seen, document_of(&client)?).await?)
    }

    /// One trip: no account has an id of 128 random bits.
    async fn add_client(&self, realm: &RealmId, client: Arc<Client>) -> Result<Put, Fault> {
        Ok(self.documents.put(realm, DocumentKind::CLIENT, None, document_of(&client)?).await?)
    }

    async fn remove_client(&self, realm: &RealmId, seen: Revision, id: &ClientId) -> Result<Put, Fault> {
        Ok(self.documents.remove(realm, DocumentKind::CLIENT, id.as_str(), seen).await?)
    }

    async fn clients(
        &self,
        realm: &RealmId,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<Arc<Client>>, Fault> {
        let after = after.map(ClientId::as_str);
        let documents = self.documents.store().list(realm, DocumentKind::CLIENT, after, limit).await?;
        documents.iter().map(|document| read(document).map(Arc::new)).collect()
    }
}
