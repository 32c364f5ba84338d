//! OpenID Connect Client-Initiated Backchannel Authentication Flow (CIBA) Core 1.0: section 7, the backchannel
//! authentication endpoint; the Financial-grade API profile of it, section 5.2.2.
//! `grant` has section 10.1, what the client polls.
//! Config     `[ciba]`
//! Discovery  backchannel_authentication_endpoint backchannel_token_delivery_modes_supported
//!            backchannel_authentication_request_signing_alg_values_supported
//!            backchannel_user_code_parameter_supported

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::{ClaimsWriter, SigningAlgorithm};
use chancery_store::{Record, Tags};
use chancery_types::handle::{AuthReqId, Handle};
use chancery_types::iana::{BackchannelTokenDeliveryMode, ErrorCode};
use chancery_types::{AccountId, Key, Params, Scope, Timestamp};

use super::{ClientEndpoint, ClientResponse};
use crate::client::AuthenticatedClient;
use crate::context::{Call, Env};
use crate::error::{Failure, Reason, Refusal};
use crate::event::Event;
use crate::interaction::{Interactions, approvals};
use crate::keys::seal;
use crate::model::{Carrier, Client, Possession, TokenBinding};
use crate::offered::{Component, Endpoint};
use crate::records::{
    Awaited, BackchannelAuthenticationBody, ClientNotification, NotificationSecrets, RequestOrigin,
};
use crate::request::unaddressed::AUTHORIZATION_DETAILS_UNSUPPORTED;
use crate::request::{Backchannel, Door, Rules};
use crate::rule::authorization_details::AUTHORIZATION_DETAILS;
use crate::rule::dpop::Dpop;

mod config;
pub use config::{CibaConfig, NotifyConfig};

pub mod grant;

pub mod hint;

pub mod parameters;
use parameters::Parameters;

reasons! {
    /// The client is not registered for CIBA, or for a delivery mode that is not offered any more.
    pub CIBA_UNREGISTERED = Reason {
        name: "ciba_unregistered",
        code: ErrorCode::UnauthorizedClient,
        description: "the client is not registered for backchannel authentication",
        section: "CIBA Core section 13",
    };
    /// The request has no `scope`.
    pub SCOPE_MISSING = Reason {
        name: "backchannel_scope_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter scope",
        section: "CIBA Core section 7.1",
    };
    /// The request does not have the scope `openid`.
    pub OPENID_NOT_ASKED = Reason {
        name: "backchannel_openid_missing",
        code: ErrorCode::InvalidRequest,
        description: "openid scope must be requested",
        section: "CIBA Core section 7.1",
    };
    /// So many requests wait for the person, or were refused and their time is not over, that no other one is taken.
    pub PERSON_ASKED_TOO_OFTEN = Reason {
        name: "person_asked_too_often",
        code: ErrorCode::InvalidRequest,
        description: "the End-User was asked too often",
        section: "RFC 10027 section 6.1.11",
    };
    /// So many requests of the client wait for their persons that no other one is taken.
    pub TOO_MANY_WAIT = Reason {
        name: "too_many_backchannel_requests",
        code: ErrorCode::InvalidRequest,
        description: "too many requests of this client wait already",
        section: "CIBA Core section 7.2",
    };
}

/// The backchannel authentication endpoint.
pub struct BackchannelAuthenticationEndpoint {
    /// Has the list of checks, which are those of the authorization endpoint.
    pub interactions: Arc<Interactions>,
    /// Reads what tokens that are pushed are bound to.
    pub(crate) dpop: Arc<Dpop>,
    /// `[ciba]`
    pub config: CibaConfig,
    /// Whether people can have user codes.
    pub has_user_codes: bool,
    /// What clients may sign their requests with.
    pub algorithms: Vec<SigningAlgorithm>,
}

/// What the client polls with, or is told about (section 7.3). It has no `Debug`, because it holds a secret.
pub struct BackchannelAuthenticationResponse {
    auth_req_id: String,
    expires_in: Duration,
    /// `None` for a client that gets its tokens sent.
    interval: Option<Duration>,
}

impl From<BackchannelAuthenticationResponse> for ClientResponse {
    fn from(response: BackchannelAuthenticationResponse) -> Self {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let mut members = ClaimsWriter::new();
        members
            .string("auth_req_id", &response.auth_req_id)
            .integer("expires_in", seconds(response.expires_in));
        if let Some(interval) = response.interval {
            members.integer("interval", seconds(interval));
        }
        Self::Json(members.finish())
    }
}

impl ClientEndpoint for BackchannelAuthenticationEndpoint {
    type Response = BackchannelAuthenticationResponse;

    /// Checks a request (section 7.2) and lets it wait for its person.
    ///
    /// # Errors
    /// A refusal of section 13, or a fault; then nothing waits.
    async fn respond(
        &self,
        call: &Call,
        env: &Env,
        client: &AuthenticatedClient,
        form: &Params<'_>,
    ) -> Result<BackchannelAuthenticationResponse, Failure> {
        let client = client.client();
        let mode = self.mode_of(client).ok_or(&CIBA_UNREGISTERED)?;
        let rules = &self.interactions.rules;
        let sent = rules.resolver.backchannel(call, env, client, form).await?;
        if sent.params.has(AUTHORIZATION_DETAILS) && rules.details.is_empty() {
            return AUTHORIZATION_DETAILS_UNSUPPORTED.refused();
        }
        if sent.params.one("scope")?.is_none() {
            return SCOPE_MISSING.refused();
        }
        let asked = Parameters::read(&sent.params, mode, &self.config)?;
        let request = self.judged(call, env, client, &sent).await?;
        let account = hint::person(env, client, rules, &asked.hint).await?;
        hint::knows_user_code(env, client, &account, asked.user_code).await?;
        let binding = self.pushed_to(call, env, client, mode).await?;

        let lifetime =
            asked.requested_expiry.map_or(self.config.lifetime, |asked| asked.min(self.config.lifetime));
        let handle = Handle::<AuthReqId>::new(env.partition(), env.secret());
        let secrets = asked.client_notification_token.map(|token| NotificationSecrets {
            auth_req_id: handle.reveal(),
            client_notification_token: token.to_owned(),
        });
        let secrets =
            secrets.map(|secrets| seal(env, &rules.keys, NotificationSecrets::KIND, &secrets)).transpose()?;
        let is_push = mode == BackchannelTokenDeliveryMode::Push;
        let body = BackchannelAuthenticationBody {
            client: client.id().clone(),
            registration: client.registration(),
            account: account.id.clone(),
            request,
            source: sent.source,
            binding_message: asked.binding_message.map(Box::from),
            origin: RequestOrigin::of(call),
            client_notification: secrets.map(|secrets| ClientNotification {
                secrets: secrets.into(),
                is_push,
                binding,
            }),
            awaited: Awaited {
                deadline: call.now + lifetime,
                interval: self.config.interval,
                decision: None,
            },
        };
        let key = handle.key(&env.realm);
        self.make_room(call, env, (client, &account.id), (key, body.awaited.deadline))?;
        if let Err(failure) = self.wait(call, env, client, (key, &body), sent.mark).await {
            env.limits.backchannel_requests.give_back(client.id(), key);
            env.limits.asked_people.give_back(&account.id, key);
            return Err(failure);
        }
        env.record(
            call,
            &Event::BackchannelAuthenticationAsked { client: body.client, account: body.account },
        );
        Ok(BackchannelAuthenticationResponse {
            auth_req_id: handle.reveal(),
            expires_in: lifetime,
            interval: (!is_push).then_some(self.config.interval),
        })
    }
}

impl BackchannelAuthenticationEndpoint {
    /// How this client gets the answer; `None` if it may not ask.
    fn mode_of(&self, client: &Client) -> Option<BackchannelTokenDeliveryMode> {
        let mode = client.metadata().ciba.backchannel_token_delivery_mode?;
        let is_offered = self.interactions.rules.offered.delivery_modes.contains(&mode);
        (is_offered && !client.is_public()).then_some(mode)
    }

    /// The request as it is kept, after it was checked: without what has served its purpose. When the person comes it is
    /// validated once more, because registrations change.
    async fn judged(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        sent: &Backchannel<'_>,
    ) -> Result<Carrier, Failure> {
        let rules: &Rules = &self.interactions.rules;
        let kept = sent.params.clone().filtered(|name| !parameters::SERVED.contains(&name));
        let asked = rules.unaddressed(env, client, (&kept, sent.source), Door::Backchannel).await?;
        if !asked.scopes.contains(Scope::OPENID) {
            return OPENID_NOT_ASKED.refused();
        }
        env.record_ignored(call, client, &asked.ignored, &asked.withheld);
        Ok(Carrier::of(&kept))
    }

    /// What the tokens are bound to that will be sent to this client (section 5, "Sender Constrained Tokens in Push
    /// Mode").
    async fn pushed_to(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        mode: BackchannelTokenDeliveryMode,
    ) -> Result<TokenBinding, Failure> {
        if mode != BackchannelTokenDeliveryMode::Push {
            return Ok(TokenBinding::None);
        }
        let offered = &self.interactions.rules.offered;
        let demands = client.demands(&offered.floor);
        let shown = Possession {
            key: self.dpop.shown(call, env, Endpoint::BackchannelAuthentication, demands).await?,
            certificate: call.shown_certificate().filter(|_| offered.certificate_bound_access_tokens),
        };
        Ok(TokenBinding::of_access_token(&shown, client, demands)?)
    }

    /// Makes room for one more request of this client to this person.
    fn make_room(
        &self,
        call: &Call,
        env: &Env,
        (client, account): (&Client, &AccountId),
        place: (Key, Timestamp),
    ) -> Result<(), Refusal> {
        let waiting = &env.limits.backchannel_requests;
        let room = waiting.take(call.now, client.id(), None, place, self.config.open_limit);
        room.map_err(|until| TOO_MANY_WAIT.for_now(until.distance(call.now)))?;
        let asked = env.limits.asked_people.take(call.now, account, place, self.config.person_limit);
        asked.map_err(|until| {
            waiting.give_back(client.id(), place.0);
            PERSON_ASKED_TOO_OFTEN.for_now(until.distance(call.now))
        })
    }

    /// Uses a signed request up, and stores what waits, with the notice for whoever tells its person.
    async fn wait(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        (key, body): (Key, &BackchannelAuthenticationBody),
        mark: Option<(Key, Timestamp)>,
    ) -> Result<(), Failure> {
        if let Some((mark, ends)) = mark
            && !env.records().use_once(call.now, mark, ends).await?
        {
            return crate::request::backchannel::REQUEST_REPLAYED.refused();
        }
        let tags =
            Tags { account: env.records().tags(Some(&body.account), None, None).account, ..Tags::default() };
        let ends = body.awaited.deadline + self.interactions.issuer.authorization_code.remembered;
        let record = env.records().new(key, None, tags, ends, body)?;
        let waits = (key, body.awaited.deadline);
        let notice = approvals::notice(&self.interactions, call, env, (client, &body.account), waits)?;
        let batch: Vec<Record> = std::iter::once(record).chain(notice).collect();
        env.records().insert(call.now, &batch).await?;
        if batch.len() > 1 {
            env.worker.wake_by_ref();
        }
        Ok(())
    }
}

impl Component for BackchannelAuthenticationEndpoint {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        let modes = &self.interactions.rules.offered.delivery_modes;
        if modes.is_empty() {
            return;
        }
        let algorithms = self.algorithms.iter().filter(|alg| !alg.is_symmetric());
        metadata
            .strings("backchannel_token_delivery_modes_supported", modes.iter().map(|mode| mode.as_str()))
            .strings(
                "backchannel_authentication_request_signing_alg_values_supported",
                algorithms.map(|alg| alg.name()),
            )
            .boolean("backchannel_user_code_parameter_supported", self.has_user_codes);
    }
}

/// The code of a refusal at this endpoint (section 13): it has none for request objects, for what is not supported, nor
/// for what the tokens would have to be bound to.
#[must_use]
pub fn error_code(code: ErrorCode) -> ErrorCode {
    match code {
        ErrorCode::InvalidGrant
        | ErrorCode::InvalidRequestObject
        | ErrorCode::InvalidRequestUri
        | ErrorCode::RegistrationNotSupported
        | ErrorCode::RequestNotSupported
        | ErrorCode::RequestUriNotSupported => ErrorCode::InvalidRequest,
        code => code,
    }
}
