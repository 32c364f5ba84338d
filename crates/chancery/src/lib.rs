//! An OAuth 2.0 authorization server and OpenID provider to mount in a Rust application.
//!
//! A provider for trying things out is one call:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let demo = chancery::development("http://localhost:3000").await?;
//! println!("{demo}"); // addresses, clients, account, password, what to try
//! let service = demo.service(); // for `axum::Router::fallback_service`, for one
//! # Ok(()) }
//! ```
//!
//! Everything else begins with [`Parts`], the six things
//! that nobody can choose for you, and a [`Config`]:
//!
//! ```no_run
//! use std::sync::Arc;
//! use chancery::{Config, Issuer, Parts, Provider, RealmId};
//! # async fn example(accounts: Arc<dyn chancery::Accounts>) -> Result<(), Box<dyn std::error::Error>> {
//! let registry = chancery::MemoryRegistry::new();
//! let keys = chancery::MemoryKeys::generate(&[chancery::SigningAlgorithm::Rs256])?;
//! let parts = Parts {
//!     realm: RealmId::parse("main")?,
//!     issuer: Issuer::parse("https://id.example.org")?,
//!     store: Arc::new(chancery::MemoryStore::new()),
//!     registry: Arc::new(registry),
//!     accounts,
//!     keys: Arc::new(keys),
//! };
//! let provider = Provider::new(parts, Config::default()).await.map_err(|all| format!("{all:?}"))?;
//! let service = chancery::service(provider); // a `tower` service for any framework
//! # Ok(()) }
//! ```

pub use chancery_core::config::Config;
pub use chancery_core::context::{Call, RequestId};
pub use chancery_core::documents::{MemoryKeys, MemoryRegistry, SealedKeys, StoredRegistry};
pub use chancery_core::error::{Complaint, Failure, Fault, Reason, Refusal};
pub use chancery_core::event::{Endpoint, Event};
pub use chancery_core::model::{Account, Authentication, Claims, Client, Hint, LoginForm, ResourceServer, TokenFormat};
pub use chancery_core::policy::{AuthorizationPolicy, ClientPolicy, TokenPolicy};
pub use chancery_core::ports::{
    Accounts, Answer, ClaimsQuery, Clock, EventSink, KeyEntry, LoginOutcome, PrivateKeys, Random, Registry, RootSecret,
};
pub use chancery_core::provider::{Builder, Parts, Provider};
pub use chancery_core::{client, config, duration, interaction, model, policy};
pub use chancery_http::{
    Content, FormMarkup, Html, Locale, Page, Pages, Peer, PlainPages, Retry, SUBMIT, Service, TrustedProxies, service,
};
pub use chancery_jose::SigningAlgorithm;
pub use chancery_store::{DocumentStore, StateStore};
pub use chancery_types::{AccountId, ClientId, Issuer, RealmId, ResourceUri, Scope, Scopes, Timestamp};

#[cfg(feature = "accounts")]
pub use chancery_accounts as accounts;
#[cfg(feature = "pages")]
pub use chancery_pages as pages;
#[cfg(feature = "store-memory")]
pub use chancery_store_memory::MemoryStore;
#[cfg(feature = "store-sqlite")]
pub use chancery_store_sqlite::SqliteStore;

#[cfg(feature = "development")]
mod own_host;
#[cfg(feature = "development")]
pub use own_host::OwnHost;

#[cfg(feature = "development")]
pub mod development;
#[cfg(feature = "development")]
pub use development::{Development, development};
