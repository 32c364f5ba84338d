//! What one node changes, the others see within a second; and they read again what has changed, and nothing
//! else.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use chancery_accounts::{NewPerson, Password, PasswordPool, StoredAccounts, Username};
use chancery_core::client::{RegistrationRules, register};
use chancery_core::config::Config;
use chancery_core::documents::{Documents, SealedKeys, StoredRegistry};
use chancery_core::model::{Claims, Client};
use chancery_core::offered::Offered;
use chancery_core::ports::{Accounts as _, Registry};
use chancery_core::provider::{Parts, Provider};
use chancery_jose::{RootSecret, SigningAlgorithm, SystemRandom};
use chancery_store::DocumentStore;
use chancery_store::kit::CountingDocuments;
use chancery_store_memory::MemoryStore;
use chancery_store_sqlite::SqliteStore;
use chancery_types::{AccountId, ClientId, Issuer, RealmId, Timestamp};
use zeroize::Zeroizing;

const REALMS: [&str; 2] = ["main", "other"];
const NAMES: [&str; 3] = ["ada", "bob", "eve"];

/// One process: whatever its realms, its documents are watched as one.
struct Node {
    counted: Arc<CountingDocuments>,
    accounts: Arc<StoredAccounts>,
    registry: Arc<StoredRegistry>,
    keys: Arc<SealedKeys>,
    providers: Vec<Arc<Provider>>,
}

fn wrapping() -> RootSecret {
    RootSecret::new(Zeroizing::new([7; 32]))
}

fn realm(name: &str) -> RealmId {
    RealmId::parse(name).unwrap()
}

fn id(name: &str) -> AccountId {
    AccountId::parse(&format!("id-of-{name}")).unwrap()
}

fn username(name: &str) -> Username {
    Username::parse(name).unwrap()
}

fn password(text: &str) -> Password {
    Password::new(Zeroizing::new(text.to_owned()))
}

fn client(name: &str) -> Arc<Client> {
    let json = format!(r#"{{"client_id":"{name}","redirect_uris":["https://{name}.example/"]}}"#);
    let now = Timestamp::from_secs(0);
    let offered = Offered::default();
    let rules = RegistrationRules::new(&offered, &SigningAlgorithm::ALL, now);
    Arc::new(
        register(json.as_bytes(), &SystemRandom, &rules)
            .map_err(|wrong| format!("{wrong:?}"))
            .unwrap()
            .client,
    )
}

impl Node {
    fn over(store: Arc<dyn DocumentStore>) -> Self {
        let counted = Arc::new(CountingDocuments::new(store));
        let documents = Documents::new(counted.clone());
        let pool = PasswordPool::start(NonZeroUsize::MIN, 8).unwrap();
        Self {
            accounts: Arc::new(StoredAccounts::new(documents.clone(), pool, Arc::new(SystemRandom))),
            registry: Arc::new(StoredRegistry::new(documents.clone())),
            keys: Arc::new(SealedKeys::new(documents, &wrapping(), Arc::new(SystemRandom)).unwrap()),
            counted,
            providers: Vec::new(),
        }
    }

    /// Two people and clients more than will change, in each of two realms.
    async fn fill(&self) {
        for realm in REALMS.map(realm) {
            self.keys.begin(&realm, &[SigningAlgorithm::Rs256], Timestamp::from_secs(0)).await.unwrap();
            for name in NAMES {
                let (password, claims) = (password("correct horse"), Claims::default());
                let person = NewPerson { username: username(name), password, claims, id: Some(id(name)) };
                self.accounts.add(&realm, person).await.unwrap();
                self.registry.put_client(&realm, None, client(name)).await.unwrap();
            }
        }
    }

    async fn serve(&mut self) {
        for realm in REALMS.map(realm) {
            let parts = Parts {
                issuer: Issuer::parse(&format!("https://{realm}.example")).unwrap(),
                realm,
                store: Arc::new(MemoryStore::new()),
                registry: self.registry.clone(),
                accounts: self.accounts.clone(),
                keys: self.keys.clone(),
            };
            self.providers.push(
                Provider::new(parts, Config::default()).await.map_err(|all| format!("{all:?}")).unwrap(),
            );
        }
    }

    /// What a second of requests asks: everything of every realm.
    async fn busy_second(&self, time: Timestamp) -> [u64; 3] {
        for _ in 0..3 {
            for provider in &self.providers {
                provider.refresh(time).await;
                for name in NAMES {
                    self.accounts.find(provider.realm(), &id(name)).await.unwrap();
                    self.registry.client(provider.realm(), &ClientId::parse(name).unwrap()).await.unwrap();
                }
            }
        }
        self.counted.take()
    }

    async fn is_active(&self, realm: &RealmId, name: &str) -> bool {
        self.accounts.find(realm, &id(name)).await.unwrap().is_some_and(|account| account.active)
    }
}

/// What each change costs every node beside one question a second: `[reads, lists]`.
async fn one_change_costs_one_entry(stores: [Arc<dyn DocumentStore>; 3]) {
    let [operator, one, other] = stores;
    let operator = Node::over(operator);
    operator.fill().await;
    let mut nodes = [Node::over(one), Node::over(other)];
    let mut time = Timestamp::from_secs(0);
    for node in &mut nodes {
        node.serve().await;
        time = node.providers.iter().map(|provider| provider.now()).max().unwrap();
        let _at_the_start = node.counted.take();
    }
    let mut second = async |what: &str, expected: [u64; 2]| {
        time = Timestamp::from_millis(time.millis() + 1_000);
        for (number, node) in nodes.iter().enumerate() {
            let [reads, lists, questions] = node.busy_second(time).await;
            assert_eq!(([reads, lists], questions), (expected, 1), "{what}, node {number}");
        }
        &nodes
    };
    let everything = (REALMS.len() * NAMES.len() * 2).try_into().unwrap();
    second("the first second", [everything, 0]).await;
    second("nothing has changed", [0, 0]).await;

    let main = realm("main");
    operator.accounts.set_password(&main, &username("ada"), password("battery staple")).await.unwrap();
    second("another password", [1, 0]).await;
    operator.accounts.disable(&main, &username("ada")).await.unwrap();
    for node in second("a person is disabled", [1, 0]).await {
        assert!(!node.is_active(&main, "ada").await && node.is_active(&realm("other"), "ada").await);
    }
    let person = NewPerson {
        username: username("new"),
        password: password("correct horse"),
        claims: Claims::default(),
        id: None,
    };
    operator.accounts.add(&main, person).await.unwrap();
    second("a person whom nobody has asked for", [0, 0]).await;
    let bob = operator.registry.client(&main, &ClientId::parse("bob").unwrap()).await.unwrap().unwrap();
    operator.registry.put_client(&main, Some(bob.revision()), client("bob")).await.unwrap();
    second("another registration", [1, 0]).await;
    let eve = operator.registry.client(&main, &ClientId::parse("eve").unwrap()).await.unwrap().unwrap();
    operator.registry.remove_client(&main, eve.revision(), &ClientId::parse("eve").unwrap()).await.unwrap();
    for node in second("a client is removed", [1, 0]).await {
        assert!(node.registry.client(&main, &ClientId::parse("eve").unwrap()).await.unwrap().is_none());
    }
    second("nothing has changed again", [0, 0]).await;

    // Keys that sign, keys for encryption and root secrets of one realm are read again, and of that realm only.
    operator.keys.begin(&main, &[SigningAlgorithm::Es256], Timestamp::from_secs(0)).await.unwrap();
    for node in second("a key", [3, 0]).await {
        let has_new =
            |provider: &Arc<Provider>| provider.snapshot().jwks.body.windows(5).any(|text| text == b"ES256");
        assert_eq!(node.providers.iter().map(has_new).collect::<Vec<_>>(), [true, false]);
    }
    second("nothing has changed any more", [0, 0]).await;
}

#[tokio::test]
async fn one_change_costs_one_entry_in_memory() {
    let store = Arc::new(MemoryStore::new());
    one_change_costs_one_entry([store.clone(), store.clone(), store]).await;
}

#[tokio::test]
async fn one_change_costs_one_entry_on_sqlite() {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("changes-{}.sqlite", std::process::id()));
    let _absent = std::fs::remove_file(&path);
    let open = || -> Arc<dyn DocumentStore> { Arc::new(SqliteStore::open(&path).unwrap()) };
    one_change_costs_one_entry([open(), open(), open()]).await;
}
