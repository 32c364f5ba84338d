//! The provider on the memory store, for `bench/compare`: `chancery serve` without a file knows no clients.
//!
//! `memory PORT` reads from the standard input the password of the person `jane`, a resource server that
//! takes JWTs, and then clients (RFC 7591 metadata), one line each.

#![expect(clippy::unwrap_used, reason = "a program for measuring")]

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::Arc;

use chancery::accounts::{NewPerson, Password, PasswordPool, StoredAccounts, Username};
use chancery::pages::Templates;
use chancery::{
    Claims, Config, Documents, Issuer, MemoryKeys, MemoryRegistry, MemoryStore, Parts, Peer, Provider,
    RealmId, SigningAlgorithm, SystemRandom, Zeroizing,
};
use tower_service::Service as _;

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).unwrap().parse().unwrap();
    let input = std::io::read_to_string(std::io::stdin()).unwrap();
    let mut lines = input.lines();
    let (password, resource, clients) = (lines.next().unwrap(), lines.next().unwrap(), lines);
    let realm = RealmId::parse("main").unwrap();
    let store = Arc::new(MemoryStore::new());
    let pool = PasswordPool::start(NonZeroUsize::MIN, 8).unwrap();
    let accounts = Arc::new(StoredAccounts::new(Documents::new(store.clone()), pool, Arc::new(SystemRandom)));
    let resource = format!(r#"{{"uri":"{resource}","format":"jwt"}}"#);
    let registry = MemoryRegistry::new().with_resource_server(serde_json::from_str(&resource).unwrap());
    for metadata in clients {
        registry.put(metadata).unwrap();
    }
    let parts = Parts {
        realm: realm.clone(),
        issuer: Issuer::parse(&format!("http://localhost:{port}")).unwrap(),
        store,
        registry: Arc::new(registry),
        accounts: accounts.clone(),
        keys: Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256]).unwrap()),
    };
    let mut config = Config::default();
    config.pushed_requests.offered = true;
    let provider = Provider::new(parts, config).await.unwrap();
    let jane = NewPerson {
        username: Username::parse("jane").unwrap(),
        password: Password::new(Zeroizing::new(password.to_owned())),
        claims: Claims::default(),
        id: None,
    };
    accounts.add(&realm, jane).await.unwrap();
    let service = chancery::service(provider).with_pages(Arc::new(Templates::built_in()));
    chancery_bench::listen(port, move |mut request| {
        request.extensions_mut().insert(Peer(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let mut service = service.clone();
        async move { service.call(request).await.unwrap() }
    })
    .await;
}
