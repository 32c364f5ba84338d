//! Clients and resource servers over a [`DocumentStore`].

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use chancery_store::{Document, DocumentKind, DocumentStore, Put, Revision};
use chancery_types::{ClientId, RealmId, ResourceUri};

use crate::error::Fault;
use crate::model::{Client, ResourceServer};
use crate::ports::{Answer, Registry};

/// Clients and resource servers over a [`DocumentStore`], each parsed once.
///
/// What was read is kept until [`Registry::revision`] finds that the realm has moved; a provider asks for it once a
/// second. Clients that do not exist are remembered, too, within a bound.
pub struct StoredRegistry {
    store: Arc<dyn DocumentStore>,
    configured: HashMap<ResourceUri, Arc<ResourceServer>>,
    pub(super) realms: RwLock<HashMap<RealmId, Cache>>,
}

/// What is known of one realm.
#[derive(Default)]
pub(super) struct Cache {
    /// As the realm was seen last.
    revision: Option<Revision>,
    /// Moves whenever something is forgotten, so that what was read before is not remembered after.
    generation: u64,
    clients: HashMap<ClientId, Arc<Client>>,
    /// Only those that clients name.
    resource_servers: HashMap<ResourceUri, Arc<ResourceServer>>,
    pub(super) unknown: HashSet<ClientId>,
}

/// How many clients are kept, and how many names that no client has.
const CLIENTS: usize = 10_000;
const UNKNOWN: usize = 1_000;

impl Cache {
    fn forget(&mut self) {
        self.generation += 1;
        self.clients.clear();
        self.resource_servers.clear();
        self.unknown.clear();
    }

    fn remember(&mut self, id: &ClientId, client: Option<&Arc<Client>>) {
        match client {
            Some(client) => {
                if self.clients.len() >= CLIENTS {
                    self.clients.clear();
                }
                self.clients.insert(id.clone(), Arc::clone(client));
            }
            None => {
                if self.unknown.len() >= UNKNOWN {
                    self.unknown.clear();
                }
                self.unknown.insert(id.clone());
            }
        }
    }
}

impl StoredRegistry {
    /// A registry over a store.
    #[must_use]
    pub fn new(store: Arc<dyn DocumentStore>) -> Self {
        Self { store, configured: HashMap::new(), realms: RwLock::default() }
    }

    /// With resource servers that stand in a configuration. They come before stored ones of the same name.
    #[must_use]
    pub fn with_resource_servers(mut self, servers: impl IntoIterator<Item = ResourceServer>) -> Self {
        self.configured.extend(servers.into_iter().map(|server| (server.uri.clone(), Arc::new(server))));
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
        let document = Document { id, alias: None, body: body.into(), revision: Revision(0) };
        let put = self.store.put(realm, DocumentKind::RESOURCE_SERVER, seen, document).await?;
        self.change(realm, Cache::forget);
        Ok(put)
    }

    /// Stores new clients, all or none: [`Put::Occupied`] when a client or an account of one of their ids is there.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn add_clients(&self, realm: &RealmId, clients: &[Client]) -> Result<Put, Fault> {
        for client in clients {
            if self.is_of_account(realm, client).await? {
                return Ok(Put::Occupied);
            }
        }
        let documents = clients.iter().map(document_of).collect::<Result<Vec<_>, _>>()?;
        let put = self.store.put_new(realm, DocumentKind::CLIENT, documents).await?;
        self.change(realm, Cache::forget);
        Ok(put)
    }

    /// Whether an account has the client's id: `sub` has to tell a client from a person (RFC 9068 section 5).
    async fn is_of_account(&self, realm: &RealmId, client: &Client) -> Result<bool, Fault> {
        Ok(self.store.get(realm, DocumentKind::ACCOUNT, client.id().as_str()).await?.is_some())
    }

    /// What the cache says (a client, or that there is none), and its generation.
    fn cached(&self, realm: &RealmId, id: &ClientId) -> (Option<Option<Arc<Client>>>, u64) {
        let realms = self.realms.read().unwrap_or_else(PoisonError::into_inner);
        let Some(cache) = realms.get(realm) else { return (None, 0) };
        let known = cache.clients.get(id).map(|client| Some(Arc::clone(client)));
        (known.or_else(|| cache.unknown.contains(id).then_some(None)), cache.generation)
    }

    /// The resource server that the cache knows, and the cache's generation.
    fn cached_resource_server(&self, realm: &RealmId, uri: &ResourceUri) -> (Option<Arc<ResourceServer>>, u64) {
        let realms = self.realms.read().unwrap_or_else(PoisonError::into_inner);
        realms.get(realm).map_or((None, 0), |cache| (cache.resource_servers.get(uri).cloned(), cache.generation))
    }

    /// Changes what is known of a realm.
    fn change(&self, realm: &RealmId, step: impl FnOnce(&mut Cache)) {
        let mut realms = self.realms.write().unwrap_or_else(PoisonError::into_inner);
        step(realms.entry(realm.clone()).or_default());
    }
}

const RESOURCE_SERVER_VERSION: u8 = 1;

fn document_of(client: &Client) -> Result<Document, Fault> {
    Ok(Document { id: client.id().as_str().into(), alias: None, body: client.to_stored()?, revision: Revision(0) })
}

fn read(document: &Document) -> Result<Arc<Client>, Fault> {
    Client::from_stored(&document.body, document.revision).map(Arc::new)
}

impl Registry for StoredRegistry {
    fn client<'a>(&'a self, realm: &'a RealmId, id: &'a ClientId) -> Answer<'a, Option<Arc<Client>>> {
        Box::pin(async move {
            let (cached, generation) = self.cached(realm, id);
            if let Some(known) = cached {
                return Ok(known);
            }
            let document = self.store.get(realm, DocumentKind::CLIENT, id.as_str()).await?;
            let client = document.map(|document| read(&document)).transpose()?;
            self.change(realm, |cache| {
                if cache.generation == generation {
                    cache.remember(id, client.as_ref());
                }
            });
            Ok(client)
        })
    }

    fn resource_server<'a>(
        &'a self,
        realm: &'a RealmId,
        uri: &'a ResourceUri,
    ) -> Answer<'a, Option<Arc<ResourceServer>>> {
        Box::pin(async move {
            if let Some(server) = self.configured.get(uri) {
                return Ok(Some(Arc::clone(server)));
            }
            let (cached, generation) = self.cached_resource_server(realm, uri);
            if cached.is_some() {
                return Ok(cached);
            }
            let Some(document) = self.store.get(realm, DocumentKind::RESOURCE_SERVER, uri.as_str()).await? else {
                return Ok(None);
            };
            let Some((&RESOURCE_SERVER_VERSION, json)) = document.body.split_first() else {
                return Err(Fault::internal("a resource server of an unknown version"));
            };
            let server: ResourceServer = serde_json::from_slice(json)
                .map_err(|error| Fault::internal(format!("damaged resource server: {error}")))?;
            let server = Arc::new(server);
            self.change(realm, |cache| {
                if cache.generation == generation {
                    cache.resource_servers.insert(uri.clone(), Arc::clone(&server));
                }
            });
            Ok(Some(server))
        })
    }

    fn revision<'a>(&'a self, realm: &'a RealmId) -> Answer<'a, Revision> {
        Box::pin(async move {
            // What cannot be asked about cannot be believed either.
            let forget = |_: &chancery_store::StoreError| self.change(realm, Cache::forget);
            let revision = self.store.revision(realm).await.inspect_err(forget)?;
            self.change(realm, |cache| {
                if cache.revision.replace(revision) != Some(revision) {
                    cache.forget();
                }
            });
            Ok(revision)
        })
    }

    fn put_client<'a>(&'a self, realm: &'a RealmId, seen: Option<Revision>, client: Arc<Client>) -> Answer<'a, Put> {
        Box::pin(async move {
            if seen.is_none() && self.is_of_account(realm, &client).await? {
                return Ok(Put::Occupied);
            }
            let put = self.store.put(realm, DocumentKind::CLIENT, seen, document_of(&client)?).await?;
            self.change(realm, Cache::forget);
            Ok(put)
        })
    }

    fn remove_client<'a>(&'a self, realm: &'a RealmId, seen: Revision, id: &'a ClientId) -> Answer<'a, Put> {
        Box::pin(async move {
            let put = self.store.remove(realm, DocumentKind::CLIENT, id.as_str(), seen).await?;
            self.change(realm, Cache::forget);
            Ok(put)
        })
    }

    fn clients<'a>(
        &'a self,
        realm: &'a RealmId,
        after: Option<&'a ClientId>,
        limit: usize,
    ) -> Answer<'a, Vec<Arc<Client>>> {
        Box::pin(async move {
            let after = after.map(ClientId::as_str);
            let documents = self.store.list(realm, DocumentKind::CLIENT, after, limit).await?;
            documents.iter().map(read).collect()
        })
    }
}
