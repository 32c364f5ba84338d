//! A provider without sockets: memory for everything, and the clock in hand.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use chancery_core::config::Config;
use chancery_core::context::{Call, RequestId};
use chancery_core::documents::{MemoryKeys, MemoryRegistry};
use chancery_core::endpoint::{ClientRequest, ClientResponse};
use chancery_core::error::{Complaint, Failure, Fault};
use chancery_core::event::Event;
use chancery_core::model::{Account, Claims};
use chancery_core::offered::Endpoint;
use chancery_core::ports::{
    Accounts, ClaimsQuery, Clock, EventSink, KeyEntry, PortFuture, PrivateKeys, RootSecretEntry, Watcher,
};
use chancery_core::provider::{Builder, Parts, Provider};
use chancery_jose::SigningAlgorithm;
use chancery_store_memory::MemoryStore;
use chancery_types::{AccountId, Issuer, Params, RealmId, Timestamp};
use zeroize::Zeroizing;

/// Everything here answers at once.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

pub(crate) fn secs(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

pub(crate) struct Nobody;

impl Accounts for Nobody {
    fn find<'a>(&'a self, _: &'a RealmId, _: &'a AccountId) -> PortFuture<'a, Option<Account>> {
        Box::pin(async { Ok(None) })
    }
    fn claims<'a>(&'a self, _: &'a RealmId, _: ClaimsQuery<'a>) -> PortFuture<'a, Claims> {
        Box::pin(async { Ok(Claims::default()) })
    }
}

/// Remembers what it hears.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<Event>>);

impl EventSink for Heard {
    fn record(&self, _: Timestamp, _: &RequestId, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Heard {
    /// What was heard since the last question.
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

pub(crate) struct Hand(pub(crate) AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        secs(self.0.load(Ordering::Relaxed))
    }
}

/// Keys that can stop answering.
pub(crate) struct Flaky {
    pub(crate) keys: MemoryKeys,
    pub(crate) source: Arc<Source>,
}

/// Where they come from.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) is_silent: AtomicBool,
    /// How often the next answers have to be waited for.
    pub(crate) waits: AtomicUsize,
}

impl Watcher for Source {
    fn look(&self, now: Timestamp) -> PortFuture<'_, Timestamp> {
        self.answer(Box::pin(async move { Ok(now) }))
    }
}

impl Source {
    fn answer<'a, T: Send + 'a>(&'a self, answer: PortFuture<'a, T>) -> PortFuture<'a, T> {
        if self.is_silent.load(Ordering::Relaxed) {
            return Box::pin(async { Err(Fault::unavailable("no answer")) });
        }
        let waits = self.waits.swap(0, Ordering::Relaxed);
        Box::pin(async move {
            for _ in 0..waits {
                let mut is_first = true;
                poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await;
            }
            answer.await
        })
    }
}

impl PrivateKeys for Flaky {
    fn list<'a>(&'a self, realm: &'a RealmId) -> PortFuture<'a, Vec<KeyEntry>> {
        self.source.answer(self.keys.list(realm))
    }
    fn sign<'a>(&'a self, realm: &'a RealmId, kid: &'a str, input: &'a [u8]) -> PortFuture<'a, Vec<u8>> {
        self.source.answer(self.keys.sign(realm, kid, input))
    }
    fn secrets<'a>(&'a self, realm: &'a RealmId) -> PortFuture<'a, Vec<RootSecretEntry>> {
        self.source.answer(self.keys.secrets(realm))
    }
    fn generation(&self, realm: &RealmId) -> u64 {
        self.keys.generation(realm)
    }
    fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        Some(self.source.clone())
    }
}

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(crate) struct Kit {
    pub(crate) provider: Arc<Provider>,
    pub(crate) registry: Arc<MemoryRegistry>,
    pub(crate) keys: Arc<Flaky>,
    pub(crate) heard: Arc<Heard>,
    pub(crate) clock: Arc<Hand>,
    pub(crate) store: Arc<MemoryStore>,
}

impl Kit {
    pub(crate) fn new() -> Self {
        Self::with(Config::default(), &[SigningAlgorithm::Rs256, SigningAlgorithm::Es256]).unwrap()
    }

    pub(crate) fn with(config: Config, algorithms: &[SigningAlgorithm]) -> Result<Self, Vec<Complaint>> {
        let registry = Arc::new(MemoryRegistry::new());
        for (id, method) in
            [("basic", "client_secret_basic"), ("post", "client_secret_post"), ("off", "client_secret_basic")]
        {
            let json = format!(
                r#"{{"client_id":"{id}","client_secret":"{SECRET}","token_endpoint_auth_method":"{method}",
                "grant_types":["client_credentials"],"chancery":{{"enabled":{}}}}}"#,
                id != "off"
            );
            registry.put(&json).unwrap();
        }
        let public =
            r#"{"client_id":"public","token_endpoint_auth_method":"none","redirect_uris":["https://app.example/cb"]}"#;
        registry.put(public).unwrap();
        let keys = Arc::new(Flaky { keys: MemoryKeys::generate(algorithms).unwrap(), source: Arc::default() });
        let (heard, clock) = (Arc::new(Heard::default()), Arc::new(Hand(AtomicI64::new(1_000))));
        let store = Arc::new(MemoryStore::new());
        let parts = Parts {
            realm: RealmId::parse("test").unwrap(),
            issuer: Issuer::parse("https://op.example").unwrap(),
            store: store.clone(),
            registry: registry.clone(),
            accounts: Arc::new(Nobody),
            keys: keys.clone(),
        };
        let builder = Builder::new(parts, config).with_clock(clock.clone()).with_events(heard.clone());
        let provider = now(builder.with_ui_locales(["en".to_owned(), "de".to_owned()]).build())?;
        Ok(Self { provider, registry, keys, heard, clock, store })
    }

    pub(crate) fn call(&self, authorization: Option<&str>) -> Call {
        let mut call = Call::new(self.provider.now(), RequestId("test".into()));
        call.authorization = authorization.map(|header| Zeroizing::new(header.to_owned()));
        call
    }

    /// What a client is told that sends this form.
    pub(crate) fn client_request(
        &self,
        call: &Call,
        endpoint: Endpoint,
        form: &str,
    ) -> Result<ClientResponse, Failure> {
        let request = ClientRequest { form: Params::parse(form).unwrap(), ..ClientRequest::default() };
        now(self.provider.client_request(call, endpoint, &request))
    }

    /// The JSON object that such a client gets.
    pub(crate) fn json(&self, endpoint: Endpoint, form: &str) -> serde_json::Value {
        match self.client_request(&self.call(None), endpoint, form) {
            Ok(ClientResponse::Json(object)) => serde_json::from_str(&object).unwrap(),
            _ => panic!("no JSON object"),
        }
    }

    pub(crate) fn pass(&self, secs: i64) {
        self.clock.0.fetch_add(secs, Ordering::Relaxed);
    }
}
