//! A provider whose every part is in the test's hand.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chancery_core::context::Env;
use chancery_core::documents::{MemoryKeys, MemoryRegistry};
use chancery_core::offered::Offered;
use chancery_core::ports::{BoxFuture, Clock as _};
use chancery_core::provider::Provider;
use chancery_http::{Peer, Service};
use chancery_store::kit::{Counting, Failing};
use chancery_types::{Issuer, Timestamp};
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower_service::Service as _;

use crate::answer::Answer;
use crate::clients::Registration;
use crate::clock::HandClock;
use crate::events::RecordedEvents;
use crate::fetch::ScriptedFetch;
use crate::interleaved::{Interleaved, Task, let_others_take, race, wait};
use crate::keys::TestKeys;
use crate::people::TestAccounts;
use crate::provider_builder::TestProviderBuilder;
use crate::random::SeededRandom;
use crate::realms::{Realms, authority_of};
use crate::registry::TestRegistry;

/// A provider at `https://id.example` with its clients, its people and a clock in hand.
///
/// Requests reach it without a socket: by [`TestProvider::send`], or by one of the builders.
pub struct TestProvider {
    /// Moves only when told to.
    pub clock: Arc<HandClock>,
    /// The source of every secret; the same in every run.
    pub random: Arc<SeededRandom>,
    /// alice, bob, and whom the test adds.
    pub accounts: Arc<TestAccounts>,
    /// The clients of this realm; [`TestProvider::put_client`] adds one.
    pub registry: Arc<MemoryRegistry>,
    /// The registry of all realms.
    pub registry_of_realms: Arc<TestRegistry>,
    /// The keys. Shared by all providers of a process, unless [`TestProviderBuilder::own_keys`] was called.
    pub keys: Arc<MemoryKeys>,
    /// The way to the keys, which can fall silent.
    pub key_service: Arc<TestKeys>,
    /// Other servers.
    pub fetch: Arc<ScriptedFetch>,
    /// Events that belong to no request; each [`Answer`] has its own.
    pub events: Arc<RecordedEvents>,
    /// The trips to the store; it refuses a step with two partitions.
    pub counting: Arc<Counting>,
    /// Fails one call when told to.
    pub failing: Arc<Failing>,
    /// Lets races happen, and knows what was written.
    pub interleaved: Arc<Interleaved>,
    /// The engine.
    pub provider: Arc<Provider>,
    /// What answers.
    pub service: Service,
    pub(crate) registrations: Mutex<HashMap<String, Registration>>,
    pub(crate) offered: Offered,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) application: Option<(String, Application)>,
    pub(crate) realms: Option<Realms>,
}

/// What an application answers by itself: the requests for one path.
pub type Application = for<'a> fn(&'a Service, Request<Bytes>) -> BoxFuture<'a, Response<Full<Bytes>>>;

impl TestProvider {
    /// With all defaults, on memory.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a test says what it begins with")]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// To be changed before it is built.
    #[must_use]
    pub fn builder() -> TestProviderBuilder {
        TestProviderBuilder::new()
    }

    /// Its name.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        self.provider.issuer()
    }

    /// Where the engine's facts come from, and its records go.
    #[must_use]
    pub fn env(&self) -> &Env {
        self.provider.env()
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A path as the issuer's URLs have it.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.issuer().path())
    }

    /// Sends a request.
    #[must_use]
    pub fn send(&self, request: impl Into<Request<Bytes>>) -> Answer {
        wait(self.answer(request.into()))
    }

    /// Sends all requests at once, in an order that the seed decides anew at each trip to the store. The
    /// answers stand in the order of the requests.
    #[must_use]
    pub fn send_at_once(&self, seed: u64, requests: Vec<Request<Bytes>>) -> Vec<Answer> {
        let task = |request| -> Task<'_, Answer> { Box::pin(self.answer(request)) };
        race(seed, requests.into_iter().map(task).collect())
    }

    /// Sends a request while something changes: before it, after it, or at any place between where it waits
    /// for the store, the registry, the accounts or the keys. The seed says where.
    #[must_use]
    pub fn send_while(
        &self,
        seed: u64,
        request: impl Into<Request<Bytes>>,
        change: impl FnOnce() + Send,
    ) -> Answer {
        let request = request.into();
        let answer: Task<'_, Option<Answer>> = Box::pin(async { Some(self.answer(request).await) });
        let change: Task<'_, Option<Answer>> = Box::pin(async {
            let_others_take(seed % 16).await;
            change();
            None
        });
        race(seed, vec![answer, change]).swap_remove(0).expect("the first is the answer")
    }

    /// Whether requests come with the address of their peer.
    pub(crate) fn knows_peers(&self) -> bool {
        self.peer.is_some()
    }

    async fn answer(&self, mut request: Request<Bytes>) -> Answer {
        if let Some(peer) = self.peer.filter(|_| request.extensions().get::<Peer>().is_none()) {
            request.extensions_mut().insert(Peer(peer));
        }
        let answer = match (&self.application, &self.realms) {
            (Some((path, application)), _) if request.uri().path() == path => {
                application(&self.service, request).await
            }
            (_, Some(realms)) => {
                let host = HeaderValue::from_str(authority_of(self.issuer())).expect("a host");
                request.headers_mut().entry(HOST).or_insert(host);
                let Ok(answer) = realms.clone().call(request.map(Full::new)).await;
                answer
            }
            _ => self.service.handle(request).await,
        };
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("the body is complete").to_bytes();
        let id = parts
            .headers
            .get("x-request-id")
            .and_then(|id| id.to_str().ok())
            .expect("every answer has a request id");
        let events = self.events.take_with_network(id);
        Answer::new(parts.status, parts.headers, body, events)
    }

    /// What it does, and how many trips to the store that took.
    pub fn trips<T>(&self, what: impl FnOnce() -> T) -> (T, u64) {
        self.counting.reset();
        let outcome = what();
        (outcome, self.counting.total())
    }
}
