//! The provider: one method per endpoint, each working on an immutable snapshot.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chancery_types::{AccountId, ClientId, Params, ResourceUri, Timestamp};
use zeroize::Zeroizing;

use crate::asked::Asked;
use crate::client::{AuthenticatedClient, Unauthenticated, UnusedClients};
use crate::context::{Call, Env, RequestId};
use crate::endpoint::registration::{self, NewInitialAccessToken, RegistrationError, RegistrationResponse};
use crate::endpoint::{ClientRequest, ClientResponse, Served};
use crate::error::{Failure, Fault, Refusal};
use crate::event::{BackgroundTask, Event, RefusedClient};
use crate::interaction::{
    Decided, Next, Step, account, approvals, consent, form, front_end, stored, user_code,
};
use crate::model::AccessToken;
use crate::offered::{Endpoint, Verb};
use crate::outbox::Outbox;
use crate::ports::{Clock, DynWatcher, EventSink, FoundEventSink};
use crate::records::{Found, InitialAccessTokenBody, SessionBody, proof_key};
use crate::request::PageError;
use crate::{session, worker};

mod settled;

mod snapshot;
use snapshot::Components;
pub use snapshot::Snapshot;

pub mod resource_servers;

mod builder;
pub use builder::{Builder, Parts};

/// Simultaneous requests carry times that differ by less than this.
const CLOCKS_DIFFER: Duration = Duration::from_secs(1);

/// An OpenID Provider: everything that the HTTP layer calls.
pub struct Provider {
    env: Env,
    /// Where the events go if the program has given no sink.
    unheard: Arc<FoundEventSink>,
    clock: Arc<dyn Clock>,
    components: Components,
    snapshot: ArcSwap<Snapshot>,
    watchers: Vec<Arc<dyn DynWatcher>>,
    /// When the watchers last checked for changes.
    asked: Asked,
    outbox: Outbox,
    unused: UnusedClients,
}

impl Provider {
    /// Has this sink hear what happens, if the program has given none to
    /// [`Builder::with_events`] and this was not called before.
    pub fn hear_if_unheard(&self, sink: Arc<dyn EventSink>) {
        self.unheard.find(sink);
    }

    /// The current time, which the HTTP layer asks for once per request.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The current snapshot.
    #[must_use]
    pub fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Lets the watchers of the ports check for changes, at most once a second, and makes a new snapshot if
    /// the keys have changed or a key is due to change its state. If that fails, the old snapshot stays in
    /// use and the fault is recorded.
    pub async fn refresh(&self, now: Timestamp) {
        let (made_at, old_at) = {
            let snapshot = self.snapshot.load();
            (snapshot.made_at, snapshot.old_at)
        };
        let is_old = old_at.is_some_and(|at| at <= now) || made_at.since(now) > CLOCKS_DIFFER;
        let Ok(asking) = self.asked.ask(now, old_at) else { return };
        // In a box, because all requests pass here, and one in a second looks.
        let looked = Box::pin(self.look(now, is_old)).await;
        asking.answered(*looked.as_ref().unwrap_or(&now));
        if let Err(fault) = looked {
            let call = Call::new(now, RequestId(BackgroundTask::Refresh.as_str().into()));
            self.env.record(&call, &Event::TaskFaulted { task: BackgroundTask::Refresh, fault });
        }
    }

    /// Returns the time as of which everything is known.
    async fn look(&self, now: Timestamp, is_old: bool) -> Result<Timestamp, Fault> {
        let mut looked = Ok(now);
        for watcher in &self.watchers {
            // Every watcher checks even if another one fails: nothing may be trusted for longer than a
            // second.
            let at = watcher.look(now).await;
            looked = looked.and_then(|before| Ok(at?.min(before)));
        }
        let generation = self.env.private_keys.generation(&self.env.realm);
        if is_old || generation != self.snapshot.load().keys_generation {
            self.snapshot.store(Arc::new(Snapshot::make(&self.components, &self.env, now).await?));
        }
        looked
    }

    /// The authorization endpoint, GET and POST (RFC 6749 section 3.1).
    ///
    /// # Errors
    /// A page for the person.
    pub async fn authorize(&self, call: &Call, params: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = snapshot.authorization.authorize(call, &self.env, params).await;
        self.respond(&snapshot, call, Endpoint::Authorization, decided).await
    }

    /// Handles the form of a first page.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn answer_first(&self, call: &Call, form: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = match form::first(&snapshot.interactions, call, &self.env, &form).await {
            Ok(ControlFlow::Continue(step)) => step.pressed(&form).await.map_err(PageError::from),
            Ok(ControlFlow::Break(decided)) => Ok(decided),
            Err(error) => Err(error),
        };
        self.respond(&snapshot, call, Endpoint::Interaction, decided).await
    }

    /// Shows the page of a stored interaction.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn interaction(&self, call: &Call, handle: &str) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = Box::pin(stored::page(&snapshot.interactions, call, &self.env, handle)).await;
        self.respond(&snapshot, call, Endpoint::Interaction, decided).await
    }

    /// What pages on another origin show for the interaction that their URL carries.
    ///
    /// # Errors
    /// An error for the pages to show.
    pub async fn interaction_view(&self, call: &Call, interaction: &str) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = Box::pin(front_end::view(&snapshot.interactions, call, &self.env, interaction)).await;
        self.respond(&snapshot, call, Endpoint::Interaction, decided).await
    }

    /// Handles the form of a stored interaction's page.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn answer(&self, call: &Call, handle: &str, form: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = match form::stored(&snapshot.interactions, call, &self.env, handle, &form).await {
            Ok(ControlFlow::Continue(step)) => step.pressed(&form).await.map_err(PageError::from),
            Ok(ControlFlow::Break(decided)) => Ok(decided),
            Err(error) => Err(error),
        };
        self.respond(&snapshot, call, Endpoint::Interaction, decided).await
    }

    /// The page for the code that a device shows, as a link leads to it (RFC 8628 section 3.3).
    ///
    /// # Errors
    /// A page for the person.
    pub async fn user_code(&self, call: &Call, params: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = user_code::first(&snapshot.interactions, call, &self.env, &params);
        self.respond(&snapshot, call, Endpoint::UserCode, decided).await
    }

    /// Handles the form of that page.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn enter_user_code(&self, call: &Call, form: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = Box::pin(user_code::entered(&snapshot.interactions, call, &self.env, &form)).await;
        self.respond(&snapshot, call, Endpoint::UserCode, decided).await
    }

    /// What waits for the person who is signed in (CIBA Core section 8), or the one request that the link names.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn approvals(
        &self,
        call: &Call,
        link: Option<&str>,
        params: Params<'_>,
    ) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = Box::pin(approvals::show(&snapshot.interactions, call, &self.env, link, &params)).await;
        self.respond(&snapshot, call, Endpoint::Approvals, decided).await
    }

    /// A page of the account of the person who is signed in: the first one, or one below it.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn account(
        &self,
        call: &Call,
        below: Option<&str>,
        query: Params<'_>,
    ) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = Box::pin(account::show(&snapshot.interactions, call, &self.env, below, &query)).await;
        self.respond(&snapshot, call, Endpoint::Account, decided).await
    }

    /// Handles the form of such a page.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn change_account(&self, call: &Call, form: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = Box::pin(account::posted(&snapshot.interactions, call, &self.env, &form)).await;
        self.respond(&snapshot, call, Endpoint::Account, decided).await
    }

    /// The logout endpoint, GET and POST (OIDC RP-Initiated Logout section 2).
    ///
    /// # Errors
    /// A page for the person.
    pub async fn end_session(&self, call: &Call, params: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.end_session.request(call, &self.env, params).await;
        let next = next.map(|next| next.monitored(call, &snapshot.end_session.sessions));
        self.recorded(call, Endpoint::EndSession, next)
    }

    /// Handles the form of the logout page.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn confirm_logout(&self, call: &Call, form: Params<'_>) -> Result<Next, PageError> {
        let snapshot = self.snapshot.load_full();
        let next = snapshot.end_session.confirm(call, &self.env, &form).await;
        let next = next.map(|next| next.monitored(call, &snapshot.end_session.sessions));
        self.recorded(call, Endpoint::LogoutConfirmation, next)
    }

    /// Reads the form of a page that the application answers itself: returns what the page leaves to the
    /// person, or the response for the browser if the form was rejected.
    ///
    /// # Errors
    /// A page for the person.
    pub async fn step<'a>(
        &'a self,
        call: &'a Call,
        form: &'a Params<'_>,
    ) -> Result<ControlFlow<Next, Step<'a>>, PageError> {
        let snapshot = self.snapshot.load_full();
        let decided = match Box::pin(form::any(&snapshot.interactions, call, &self.env, form)).await {
            Ok(ControlFlow::Continue(step)) => return Ok(ControlFlow::Continue(step)),
            Ok(ControlFlow::Break(decided)) => Ok(decided),
            Err(error) => Err(error),
        };
        self.respond(&snapshot, call, Endpoint::Interaction, decided).await.map(ControlFlow::Break)
    }

    /// Turns every decision into the response for the person's browser.
    async fn respond(
        &self,
        snapshot: &Snapshot,
        call: &Call,
        endpoint: Endpoint,
        decided: Result<Decided, PageError>,
    ) -> Result<Next, PageError> {
        let next = match decided {
            Ok(decided) => {
                snapshot.interactions.respond(call, &self.env, decided).await.map_err(PageError::from)
            }
            Err(error) => Err(error),
        };
        self.recorded(call, endpoint, next)
    }

    /// Records why a person gets an error page.
    fn recorded(
        &self,
        call: &Call,
        endpoint: Endpoint,
        next: Result<Next, PageError>,
    ) -> Result<Next, PageError> {
        next.inspect_err(|error| error.record(call, &self.env, endpoint))
    }

    /// Handles an endpoint that clients call: token, UserInfo, introspection, revocation.
    ///
    /// # Errors
    /// A refusal or a fault; then no code or token has been used up.
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
            None => {
                (None, Err(Fault::internal(format!("{endpoint} is off, or none that clients call")).into()))
            }
        };
        let named = || client.as_ref().map(AuthenticatedClient::when_refused);
        answer.inspect_err(|failure| self.env.record_failure(call, endpoint, named(), failure))
    }

    /// An access token as the resource server with this identifier sees it, which is in the same program: whatever it looks
    /// like, and whether it is good at this moment. In whose hands it is good ([`AccessToken::binding`]), whoever asks has to
    /// check; the crate `chancery-resource` does all of it.
    ///
    /// # Errors
    /// A refusal of RFC 6750 section 3.1 for a token that is not good there, or a fault.
    pub async fn access_token(
        &self,
        call: &Call,
        resource: &ResourceUri,
        token: &str,
    ) -> Result<AccessToken, Failure> {
        self.refresh(call.now).await;
        let snapshot = self.snapshot.load_full();
        snapshot.introspection.access_token(call, &self.env, resource, token).await
    }

    /// Uses up the DPoP proof with this mark ([`Proof::mark`](crate::rule::dpop::Proof::mark)) at a resource server in the same program, in one step of the
    /// store; `false` if it was used before, on whichever node (RFC 9449 section 11.1).
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn use_proof(&self, now: Timestamp, mark: &[u8; 32], until: Timestamp) -> Result<bool, Fault> {
        self.env.records().use_once(now, proof_key(&self.env.realm, mark), until).await
    }

    /// The algorithms of DPoP proofs, as a challenge names them (RFC 9449 section 7.1); `None` if DPoP is off.
    #[must_use]
    pub fn dpop_algorithms(&self) -> Option<String> {
        self.snapshot.load().dpop.challenge_algorithms()
    }

    /// The nonce for the next DPoP proof of whoever has sent this request, if there is a new one (RFC 9449 section
    /// 8.2).
    #[must_use]
    pub fn dpop_nonce(&self, call: &Call) -> Option<String> {
        self.snapshot.load().dpop.next_nonce(call)
    }

    /// The registration endpoint (RFC 7591 section 3.1).
    ///
    /// # Errors
    /// A refusal or a fault; then nothing is stored.
    pub async fn register(
        &self,
        call: &Call,
        metadata: &[u8],
    ) -> Result<RegistrationResponse, RegistrationError> {
        let snapshot = self.snapshot.load_full();
        let answer = snapshot.registration.register(call, &self.env, metadata).await;
        self.registrant(call, Endpoint::Registration, answer)
    }

    /// The configuration endpoint of one client (RFC 7592 section 2), for GET, PUT and DELETE.
    ///
    /// # Errors
    /// A refusal or a fault; then nothing has changed.
    pub async fn configure_client(
        &self,
        call: &Call,
        verb: Verb,
        client_id: &str,
        metadata: &[u8],
    ) -> Result<RegistrationResponse, RegistrationError> {
        let snapshot = self.snapshot.load_full();
        let endpoint = &snapshot.registration;
        let answer = match verb {
            Verb::Delete => endpoint.remove(call, &self.env, client_id).await,
            Verb::Get => endpoint.read(call, &self.env, client_id).await,
            Verb::Post | Verb::Put => endpoint.update(call, &self.env, client_id, metadata).await,
        };
        self.registrant(call, Endpoint::ClientConfiguration, answer)
    }

    fn registrant(
        &self,
        call: &Call,
        endpoint: Endpoint,
        answer: Result<RegistrationResponse, RegistrationError>,
    ) -> Result<RegistrationResponse, RegistrationError> {
        answer.inspect_err(|error| self.env.record_failure(call, endpoint, None, &error.failure()))
    }

    /// Makes an initial access token (RFC 7591 section 3), which can be read only now. `None` if there is one
    /// of this name.
    ///
    /// # Errors
    /// A fault of the store, or a policy that is not configured.
    pub async fn add_initial_access_token(
        &self,
        now: Timestamp,
        wanted: NewInitialAccessToken,
    ) -> Result<Option<Zeroizing<String>>, Fault> {
        self.snapshot.load_full().registration.named(&wanted.policies)?;
        registration::add(&self.env, now, wanted).await
    }

    /// The initial access tokens that are still good, by name.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn initial_access_tokens(
        &self,
        now: Timestamp,
    ) -> Result<Vec<Found<InitialAccessTokenBody>>, Fault> {
        registration::list(&self.env, now).await
    }

    /// Removes the initial access token of this name; the clients that it registered stay. `false` if there is
    /// none.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn remove_initial_access_token(&self, now: Timestamp, name: &str) -> Result<bool, Fault> {
        registration::remove(&self.env, now, name).await
    }

    /// Authenticates the client that calls this endpoint.
    async fn authenticate(
        &self,
        snapshot: &Snapshot,
        call: &Call,
        endpoint: Endpoint,
        form: &Params<'_>,
    ) -> Result<AuthenticatedClient, Failure> {
        let client = snapshot.authenticator.authenticate(call, &self.env, endpoint, form).await;
        client.map_err(|why| {
            let client = why.claimed.map(RefusedClient::Claimed);
            match &why.failure {
                Failure::Refused(Refusal { reason, .. })
                    if why.methods.is_some() || why.origins.is_some() =>
                {
                    let Unauthenticated { methods, origins, .. } = why;
                    let refused =
                        Event::Refused { endpoint, reason, client, redirect_uri: None, origins, methods };
                    self.env.record(call, &refused);
                }
                failure => self.env.record_failure(call, endpoint, client, failure),
            }
            why.failure
        })
    }

    /// Withdraws a person's consent for a client and ends every grant of the client that relies on it.
    /// Returns the number of grants that ended.
    ///
    /// # Errors
    /// A fault of the store. Calling it again continues where it stopped.
    pub async fn withdraw_consent(
        &self,
        call: &Call,
        account: &AccountId,
        client: &ClientId,
    ) -> Result<u64, Fault> {
        Ok(consent::withdraw(call, &self.env, account, client).await?.grants)
    }

    /// The live sessions of a person, in every browser, the newest login last: for an application's own page, and for
    /// operators. They are all there at once, read from the store a hundred at a time: each is a login of this person
    /// within the last `session.absolute`, so that there are few.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn sessions(&self, call: &Call, account: &AccountId) -> Result<Vec<Found<SessionBody>>, Fault> {
        session::of_account(call, &self.env, account).await
    }

    /// Ends one session, as [`Provider::sessions`] has found it, and notifies its clients. Returns whether this
    /// call has ended it.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn end_one_session(&self, call: &Call, session: Found<SessionBody>) -> Result<bool, Fault> {
        Ok(session::end(call, &self.env, session, None).await?.is_some())
    }

    /// Ends all sessions of a person and notifies their clients; returns how many they were. What clients may do with
    /// `offline_access` goes on ([`Provider::offline_clients`]). Call it after an account was disabled or its password was
    /// changed: its sessions are worth nothing from then on, and this tells the clients.
    ///
    /// # Errors
    /// A fault of the store. Calling it again continues where it stopped.
    pub async fn end_sessions(&self, call: &Call, account: &AccountId) -> Result<u64, Fault> {
        session::end_all(call, &self.env, account).await
    }

    /// The clients that may act for a person when no session of theirs is left, because of `offline_access` (OIDC Core
    /// section 11). [`Provider::end_sessions`] leaves them what they may; [`Provider::withdraw_consent`] ends it, and so
    /// does another epoch of the account.
    ///
    /// # Errors
    /// A fault of the store, of the accounts or of the registry.
    pub async fn offline_clients(&self, call: &Call, account: &AccountId) -> Result<Vec<ClientId>, Fault> {
        session::offline_clients(call, &self.env, account).await
    }

    /// Does the periodic work: removes expired records, sends what is due to clients, and returns how many
    /// records were removed. Call it every few seconds.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn run_once(&self, now: Timestamp) -> Result<u64, Fault> {
        let swept = self.sweep(now).await;
        self.deliver(now).await?;
        swept
    }

    /// Removes expired records, and from time to time the clients that registered themselves and were never used;
    /// returns how many both were.
    ///
    /// # Errors
    /// A fault of the store, or of the registry.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, Fault> {
        let records = worker::sweep(&self.env, now).await?;
        let registration = &self.components.config.registration;
        if !registration.is_on() {
            return Ok(records);
        }
        let clients = self.unused.sweep(&self.env, now, registration.unused_lifetime).await?;
        Ok(records + clients)
    }

    /// Sends what is due to clients, and returns how many attempts were made. Several calls may run at the same
    /// time: one that begins while another waits for slow clients goes on with the others.
    ///
    /// # Errors
    /// A fault of the store; what was not sent is sent by a later call.
    pub async fn deliver(&self, now: Timestamp) -> Result<usize, Fault> {
        let snapshot = self.snapshot.load_full();
        self.outbox.deliver(&self.env, &snapshot.interactions.issuer, now).await
    }
}
