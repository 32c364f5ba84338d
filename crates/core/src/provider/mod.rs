//! One method per endpoint, over one immutable snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use chancery_types::{AccountId, ClientId, Issuer, Params, RealmId, Timestamp};

use crate::client::{AuthenticatedClient, Unauthenticated};
use crate::context::{Call, Env, RequestId};
use crate::endpoint::{ClientRequest, ClientResponse, Served};
use crate::error::{Failure, Fault, PageError};
use crate::event::Event;
use crate::interaction::{Next, consent};
use crate::offered::{Endpoint, EndpointSet, Routes};
use crate::ports::Clock;
use crate::worker;

mod snapshot;
use snapshot::Components;
pub use snapshot::Snapshot;

mod builder;
pub use builder::{Builder, Parts};

/// An OpenID Provider: everything that the HTTP layer calls.
pub struct Provider {
    env: Env,
    clock: Arc<dyn Clock>,
    components: Components,
    snapshot: ArcSwap<Snapshot>,
    /// When registry and keys were asked last whether they have moved, in milliseconds.
    asked_at: AtomicI64,
}

/// A question on its way. Whoever asks may go away in the middle of it, as a peer does that breaks off its request: then it
/// was not asked, and the next one asks.
struct Asking<'a> {
    asked_at: &'a AtomicI64,
    before: i64,
    is_over: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.asked_at.store(self.before, Ordering::Relaxed);
        }
    }
}

/// For how long a snapshot may be used without asking whether it still holds.
const FRESH: Duration = Duration::from_secs(1);

impl Provider {
    /// Its name.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.env.issuer
    }

    /// Its realm in the stores.
    #[must_use]
    pub fn realm(&self) -> &RealmId {
        &self.env.realm
    }

    /// Where its facts come from.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The paths of its endpoints.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.components.config.routes
    }

    /// Which of its endpoints are on.
    #[must_use]
    pub fn endpoints(&self) -> &EndpointSet {
        &self.components.config.endpoints
    }

    /// How long a session cookie can be of use.
    #[must_use]
    pub fn session_lifetime(&self) -> Duration {
        self.components.config.session.absolute
    }

    /// The time, for the HTTP layer to ask once per request.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What requests are answered with at this moment.
    #[must_use]
    pub fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Asks accounts, registry and keys whether they have moved, if nobody has within a second, and makes a new snapshot
    /// when the keys have, or when the time of one has come. When that fails, the old snapshot is used further, and the fault is
    /// told to the event sink.
    pub async fn refresh(&self, now: Timestamp) {
        let asked_at = self.asked_at.load(Ordering::Relaxed);
        let old_at = self.snapshot.load().old_at.filter(|at| *at <= now);
        // A question that failed is not asked again by every request, also when the time of a key has come.
        let was_asked = old_at.is_none_or(|at| at.millis() <= asked_at);
        let is_fresh = was_asked && (0..millis(FRESH)).contains(&now.millis().saturating_sub(asked_at));
        let swap = || self.asked_at.compare_exchange(asked_at, now.millis(), Ordering::Relaxed, Ordering::Relaxed);
        // Of several requests at the same moment one asks; the others go on with what there is.
        if is_fresh || swap().is_err() {
            return;
        }
        let mut asking = Asking { asked_at: &self.asked_at, before: asked_at, is_over: false };
        let answer = self.ask(now, old_at.is_some()).await;
        asking.is_over = true;
        if let Err(fault) = answer {
            let request = RequestId("refresh".into());
            self.env.events.record(now, &request, &Event::Faulted { endpoint: Endpoint::Metadata, fault });
        }
    }

    async fn ask(&self, now: Timestamp, is_old: bool) -> Result<(), Fault> {
        // Each is asked, also when another does not answer: nothing may be believed longer than a second.
        let accounts = self.env.accounts.refresh(&self.env.realm).await;
        let registry = self.env.registry.revision(&self.env.realm).await;
        let keys = self.env.private_keys.revision(&self.env.realm).await?;
        if is_old || keys != self.snapshot.load().keys_revision {
            self.snapshot.store(Arc::new(Snapshot::make(&self.components, &self.env, now).await?));
        }
        accounts.and(registry.map(drop))
    }

    /// The authorization endpoint, GET and POST (RFC 6749 section 3.1).
    ///
    /// # Errors
    /// A page for the person.
    pub async fn authorize(&self, call: &Call, params: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.authorization.authorize(call, &self.env, params).await;
        next.inspect_err(|PageError { failure, .. }| self.record(call, Endpoint::Authorization, None, failure))
    }

    /// The form of a first page.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn answer_first(&self, call: &Call, form: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.interactions.answer_form(call, &self.env, &form).await;
        next.inspect_err(|PageError { failure, .. }| self.record(call, Endpoint::Interaction, None, failure))
    }

    /// The page of a stored interaction.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn interaction(&self, call: &Call, handle: &str) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.interactions.stored_page(call, &self.env, handle).await;
        next.inspect_err(|PageError { failure, .. }| self.record(call, Endpoint::Interaction, None, failure))
    }

    /// The form of a stored interaction's page.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn answer(&self, call: &Call, handle: &str, form: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.interactions.answer_stored(call, &self.env, handle, &form).await;
        next.inspect_err(|PageError { failure, .. }| self.record(call, Endpoint::Interaction, None, failure))
    }

    /// An endpoint that clients call: token, UserInfo, introspection, revocation.
    ///
    /// # Errors
    /// A refusal or a fault; then nothing was used up.
    pub async fn client_request(
        &self,
        call: &Call,
        endpoint: Endpoint,
        request: &ClientRequest<'_>,
    ) -> Result<ClientResponse, Failure> {
        let snapshot = self.snapshot.load_full();
        let (client, answer) = match snapshot.client_endpoints.get(&endpoint) {
            Some(Served::ToClient(served)) => {
                let client = self.authenticate(&snapshot, call, endpoint, &request.form).await?;
                let answer = served.answer(call, &self.env, &client, &request.form).await;
                (Some(client), answer)
            }
            Some(Served::ToBearer(served)) => (None, served.answer(call, &self.env, request).await),
            None => (None, Err(Fault::internal(format!("{endpoint} is off, or none that clients call")).into())),
        };
        let client = client.as_ref().map(|client| client.client().id());
        answer.inspect_err(|failure| self.record(call, endpoint, client, failure))
    }

    /// Which client calls this endpoint.
    async fn authenticate(
        &self,
        snapshot: &Snapshot,
        call: &Call,
        endpoint: Endpoint,
        form: &Params<'_>,
    ) -> Result<AuthenticatedClient, Failure> {
        let client = snapshot.authenticator.authenticate(call, &self.env, form).await;
        client.map_err(|Unauthenticated { claimed, failure }| {
            self.record(call, endpoint, claimed.as_ref(), &failure);
            failure
        })
    }

    /// Withdraws what a person agreed to for a client, and ends every grant of the client that rests on it. Returns how
    /// many grants ended.
    ///
    /// # Errors
    /// A fault of the store; then calling it again goes on where it stopped.
    pub async fn withdraw_consent(&self, call: &Call, account: &AccountId, client: &ClientId) -> Result<u64, Fault> {
        consent::withdraw(call, &self.env, account, client).await
    }

    /// What has to be done from time to time: removes what has expired, and says how many records.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn run_once(&self, now: Timestamp) -> Result<u64, Fault> {
        worker::run_once(&self.env, now).await
    }

    /// Tells of a request that did not go well; `client` is who called, or who it said it was.
    fn record(&self, call: &Call, endpoint: Endpoint, client: Option<&ClientId>, failure: &Failure) {
        let event = match failure {
            Failure::Broken(fault) => Event::Faulted { endpoint, fault: fault.clone() },
            Failure::Refused(refusal) => Event::Refused { endpoint, reason: refusal.reason, client: client.cloned() },
        };
        self.env.record(call, &event);
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
