//! RFC 9126, OAuth 2.0 Pushed Authorization Requests (PAR): sections 2 and 3; RFC 9449 section 10.1.
//! Config     `[pushed_requests]`, `[compatibility] unregistered_redirect_uris`
//! Discovery  pushed_authorization_request_endpoint

use std::sync::Arc;
use std::time::Duration;

use chancery_store::Tags;
use chancery_types::handle::{Handle, PushedRequest};
use chancery_types::iana::ErrorCode;
use chancery_types::{Key, Params, Timestamp};
use serde::Serialize;

use super::{ClientEndpoint, ClientResponse};
use crate::client::AuthenticatedClient;
use crate::context::{Call, Env};
use crate::error::{Failure, Reason, Refusal};
use crate::event::Event;
use crate::interaction::Interactions;
use crate::model::{Carrier, Client, TokenBinding};
use crate::offered::Endpoint;
use crate::records::PushedRequestBody;
use crate::request::{CLIENT_ID_MISSING, PageError, PushedRequestsConfig, Received, Refused, request_uri};
use crate::rule::dpop::{Dpop, Proof};

reasons! {
    /// The pushed request refers to another one.
    pub REFERENCE_PUSHED = Reason {
        name: "request_uri_pushed",
        code: ErrorCode::InvalidRequest,
        description: "request_uri must not be used in a pushed request",
        section: "RFC 9126 section 2.1",
    };
    /// `dpop_jkt` names another key than that of the DPoP proof.
    pub KEY_MISMATCH = Reason {
        name: "pushed_key_mismatch",
        code: ErrorCode::InvalidRequest,
        description: "dpop_jkt is not the key of the DPoP proof",
        section: "RFC 9449 section 10.1",
    };
    /// So many requests of the client wait to be referred to that it may not push another one.
    pub TOO_MANY_OPEN = Reason {
        name: "too_many_pushed_requests",
        code: ErrorCode::InvalidRequest,
        description: "too many pushed requests have not been used yet",
        section: "RFC 9126 section 2.3",
    };
}

/// The pushed authorization request endpoint.
pub struct PushedAuthorizationRequestEndpoint {
    /// Has the list of checks, which are those of the authorization endpoint.
    pub interactions: Arc<Interactions>,
    /// Reads proofs of possession.
    pub(crate) dpop: Arc<Dpop>,
    /// `[pushed_requests]`
    pub config: PushedRequestsConfig,
}

/// What refers to the pushed request (section 2.2).
pub struct PushedResponse {
    request_uri: String,
    expires_in: u64,
}

impl From<PushedResponse> for ClientResponse {
    fn from(PushedResponse { request_uri, expires_in }: PushedResponse) -> Self {
        #[derive(Serialize)]
        struct Body {
            request_uri: String,
            expires_in: u64,
        }
        Self::Created(serde_json::to_string(&Body { request_uri, expires_in }).unwrap_or_default())
    }
}

impl ClientEndpoint for PushedAuthorizationRequestEndpoint {
    type Response = PushedResponse;

    /// Checks a request as the authorization endpoint does, and keeps it for a while.
    ///
    /// # Errors
    /// A refusal of the request, or a fault; then nothing is kept.
    async fn respond(
        &self,
        call: &Call,
        env: &Env,
        client: &AuthenticatedClient,
        form: &Params<'_>,
    ) -> Result<PushedResponse, Failure> {
        let rules = &self.interactions.rules;
        if form.has("request_uri") {
            return REFERENCE_PUSHED.refused();
        }
        // An authorization request has a `client_id`, also where the client has authenticated by other means.
        if form.one("client_id")?.is_none() && !form.has("request") {
            return CLIENT_ID_MISSING.refused();
        }
        let failed = |error: PageError| error.failure;
        let received = Received::pushed(form.clone(), Arc::clone(client.client()));
        let resolved = received.resolve(call, env, &rules.resolver).await.map_err(failed)?;
        let lifetime = self.lifetime(client.client());
        let ends = ends(call.now, lifetime, resolved.ends);
        let addressed = resolved.address(env, &rules.offered).await.map_err(failed)?;
        // When it is used it is validated once more, because registrations change (section 7.4).
        let request = addressed.validate(rules).map_err(|Refused { why, .. }| why)?;
        let asked = request.asked();
        env.record_ignored(call, client.client(), &asked.ignored, &asked.withheld);
        let (mut addressed, asked) = request.into_parts();
        let proof = self.dpop.proof(call, Endpoint::PushedAuthorizationRequest, None)?;
        if let Some(proof) = &proof {
            let key = TokenBinding::Key(proof.key());
            if asked.code_binding != key && !asked.code_binding.is_none() {
                return KEY_MISMATCH.refused();
            }
            // RFC 9449 section 10.1: as if the client had sent this.
            addressed.params = addressed.params.with("dpop_jkt", proof.key().to_string());
        }
        let body = PushedRequestBody {
            client: client.client().id().clone(),
            registration: client.client().registration(),
            request: Carrier::of(&addressed.params),
            source: addressed.source,
            is_awaited: false,
            answered: None,
        };
        // Nothing is used up for a request that there is no room for.
        let handle = self.make_room(call, env, client.client(), ends)?;
        let key = handle.key(&env.realm);
        if let Err(failure) = self.store(call, env, (client.client(), proof), (key, ends, &body)).await {
            env.limits.pushed_requests.give_back(client.client().id(), key);
            return Err(failure);
        }
        env.record(call, &Event::RequestPushed { client: body.client });
        Ok(PushedResponse {
            request_uri: request_uri(&handle),
            // Positive (section 2.2), also when the request object has all but ended.
            expires_in: ends.distance(call.now).as_secs().max(1),
        })
    }
}

impl PushedAuthorizationRequestEndpoint {
    /// How long the requests of this client wait.
    fn lifetime(&self, client: &Client) -> Duration {
        let demands = client.demands(&self.interactions.rules.offered.floor);
        let longest = demands.pushed_lifetime.map(|demand| demand.what);
        longest.map_or(self.config.lifetime, |longest| longest.min(self.config.lifetime))
    }

    /// The name of one more request of this client, if it has room for that.
    fn make_room(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        ends: Timestamp,
    ) -> Result<Handle<PushedRequest>, Refusal> {
        let handle = Handle::new(env.partition(), env.secret());
        let network = call.network().filter(|_| client.is_public());
        let (open, most) = (&env.limits.pushed_requests, self.config.open_limit);
        open.take(call.now, client.id(), network, (handle.key(&env.realm), ends), most)
            .map_err(|until| TOO_MANY_OPEN.for_now(until.distance(call.now)))?;
        Ok(handle)
    }

    /// Uses the proof up, and stores the request.
    async fn store(
        &self,
        call: &Call,
        env: &Env,
        (client, proof): (&Client, Option<Proof>),
        (key, ends, body): (Key, Timestamp, &PushedRequestBody),
    ) -> Result<(), Failure> {
        if let Some(proof) = proof {
            proof.use_up(call, env, client.demands(&self.interactions.rules.offered.floor)).await?;
        }
        let record = env.records().new(key, None, Tags::default(), ends, body)?;
        Ok(env.records().insert(call.now, &[record]).await?)
    }
}

/// Until when a request waits: no longer than its request object is good.
fn ends(now: Timestamp, lifetime: Duration, object: Option<Timestamp>) -> Timestamp {
    let (ends, at_least) = (now + lifetime, now + Duration::from_secs(1));
    object.map_or(ends, |object| ends.min(object.max(at_least)))
}
