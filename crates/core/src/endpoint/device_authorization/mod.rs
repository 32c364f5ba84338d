//! RFC 8628, OAuth 2.0 Device Authorization Grant: sections 3.1 and 3.2, the device authorization endpoint.
//! `grant` has section 3.4, what the device polls; `interaction/user_code.rs` and `interaction/approval.rs`
//! section 3.3, the person's side.
//! Config     `[device_authorization]`
//! Discovery  device_authorization_endpoint

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::ClaimsWriter;
use chancery_store::{StoreError, Tags};
use chancery_types::handle::{DeviceCode, Handle};
use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{Params, UserCode, params};

use super::{ClientEndpoint, ClientResponse};
use crate::client::AuthenticatedClient;
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, MALFORMED_PARAMETER, Reason, Refusal};
use crate::event::Event;
use crate::interaction::{DeviceAuthorizationConfig, Interactions};
use crate::model::Carrier;
use crate::records::{Awaited, DeviceCodeBody, RequestOrigin, user_code_alias};
use crate::request::unaddressed::AUTHORIZATION_DETAILS_UNSUPPORTED;
use crate::request::{Door, PageError, Received};
use crate::rule::authorization_details::AUTHORIZATION_DETAILS;

pub mod grant;

mod qr_code;

reasons! {
    /// The client is not registered for the grant type of devices.
    pub DEVICE_UNREGISTERED = Reason {
        name: "device_grant_unregistered",
        code: ErrorCode::UnauthorizedClient,
        description: "the device_code grant type is not allowed for this client",
        section: "RFC 6749 section 5.2",
    };
    /// So many devices of the client wait for their persons that no other one may ask.
    pub TOO_MANY_WAIT = Reason {
        name: "too_many_devices_wait",
        code: ErrorCode::InvalidRequest,
        description: "too many devices of this client wait already",
        section: "RFC 8628 section 3.1",
    };
}

/// How often a user code is drawn until one is free. That two are the same is as likely as guessing one.
const DRAWS: usize = 8;

/// The device authorization endpoint.
pub struct DeviceAuthorizationEndpoint {
    /// Has the list of checks, which are those of the authorization endpoint.
    pub interactions: Arc<Interactions>,
    /// Where a person enters the user code.
    pub verification_uri: Box<str>,
}

/// What the device shows and polls with (section 3.2). It has no `Debug`, because it holds a secret.
pub struct DeviceAuthorizationResponse {
    device_code: String,
    user_code: String,
    verification_uri: Box<str>,
    verification_uri_complete: String,
    expires_in: Duration,
    interval: Duration,
    /// `verification_uri_complete` as a picture, if the device has asked for it.
    qr_code: Option<String>,
}

impl From<DeviceAuthorizationResponse> for ClientResponse {
    fn from(response: DeviceAuthorizationResponse) -> Self {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let mut members = ClaimsWriter::new();
        members
            .string("device_code", &response.device_code)
            .string("user_code", &response.user_code)
            .string("verification_uri", &response.verification_uri)
            .string("verification_uri_complete", &response.verification_uri_complete)
            .integer("expires_in", seconds(response.expires_in))
            .integer("interval", seconds(response.interval))
            .string_if("qr_code", response.qr_code.as_deref());
        Self::Json(members.finish())
    }
}

impl ClientEndpoint for DeviceAuthorizationEndpoint {
    type Response = DeviceAuthorizationResponse;

    /// Checks a request as the authorization endpoint does, and lets it wait for its person.
    ///
    /// # Errors
    /// A refusal of the request, or a fault; then nothing waits.
    async fn respond(
        &self,
        call: &Call,
        env: &Env,
        client: &AuthenticatedClient,
        form: &Params<'_>,
    ) -> Result<DeviceAuthorizationResponse, Failure> {
        let client = client.client();
        if !client.has_grant_type(&GrantType::DeviceCode) {
            return DEVICE_UNREGISTERED.refused();
        }
        let rules = &self.interactions.rules;
        if form.has(AUTHORIZATION_DETAILS) && rules.details.is_empty() {
            return AUTHORIZATION_DETAILS_UNSUPPORTED.refused();
        }
        let wants_qr_code = wants_qr_code(form)?;
        let received = Received::pushed(form.clone(), Arc::clone(client));
        let resolved = received.resolve(call, env, &rules.resolver).await;
        let (params, source) = resolved.map_err(|PageError { failure, .. }| failure)?.unaddressed()?;
        // When the person comes it is validated once more, because registrations change.
        let asked = rules.unaddressed(env, client, (&params, source), Door::Device).await?;
        env.record_ignored(call, client, &asked.ignored, &asked.withheld);

        let config = &self.interactions.device_authorization;
        let body = DeviceCodeBody {
            client: client.id().clone(),
            registration: client.registration(),
            request: Carrier::of(&params),
            source,
            origin: RequestOrigin::of(call),
            awaited: Awaited {
                deadline: call.now + config.lifetime,
                interval: config.interval,
                decision: None,
            },
        };
        let (device_code, user_code) = self.wait(call, env, &body, client.is_public()).await?;
        env.record(call, &Event::DeviceAsked { client: body.client });
        let user_code = config.user_code_mask.show(&user_code);
        let query = params::encode([("user_code", &*user_code)].into_iter());
        let complete = format!("{}?{query}", self.verification_uri);
        Ok(DeviceAuthorizationResponse {
            device_code: device_code.reveal(),
            user_code,
            verification_uri: self.verification_uri.clone(),
            qr_code: wants_qr_code.then(|| qr_code::svg(&complete)).transpose()?,
            verification_uri_complete: complete,
            expires_in: config.lifetime,
            interval: config.interval,
        })
    }
}

impl DeviceAuthorizationEndpoint {
    /// Stores the request under a user code that no other device has at this time.
    async fn wait(
        &self,
        call: &Call,
        env: &Env,
        body: &DeviceCodeBody,
        is_public: bool,
    ) -> Result<(Handle<DeviceCode>, UserCode), Failure> {
        let DeviceAuthorizationConfig { open_limit, user_code_alphabet, user_code_mask, .. } =
            &self.interactions.device_authorization;
        let waiting = &env.limits.devices;
        for _ in 0..DRAWS {
            let random = || u64::from_le_bytes(*env.secret::<8>());
            let user_code = UserCode::new(*user_code_alphabet, user_code_mask.characters(), random);
            let alias = user_code_alias(env, &user_code);
            let device_code = Handle::<DeviceCode>::new(alias.partition(), env.secret());
            let key = device_code.key(&env.realm);
            let network = call.network().filter(|_| is_public);
            let place = (key, body.awaited.deadline);
            waiting
                .take(call.now, &body.client, network, place, *open_limit)
                .map_err(|until| TOO_MANY_WAIT.for_now(until.distance(call.now)))?;
            let ends = body.awaited.deadline + self.interactions.issuer.authorization_code.remembered;
            let record = env.records().new(key, None, Tags::default(), ends, body)?;
            let record = chancery_store::Record { alias: Some(alias), ..record };
            match env.records().insert(call.now, &[record]).await {
                Ok(()) => return Ok((device_code, user_code)),
                Err(error) => {
                    waiting.give_back(&body.client, key);
                    if !matches!(error, StoreError::Occupied) {
                        return Err(error.into());
                    }
                }
            }
        }
        Err(Fault::unavailable("no user code was free").into())
    }
}

/// Whether the device wants a picture of its address (section 3.3.1), by a parameter of ours.
fn wants_qr_code(form: &Params<'_>) -> Result<bool, Refusal> {
    match form.one("qr_code")? {
        None => Ok(false),
        Some("svg") => Ok(true),
        Some(_) => MALFORMED_PARAMETER.refused(),
    }
}
