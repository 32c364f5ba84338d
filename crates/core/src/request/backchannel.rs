//! CIBA Core sections 7.1 and 7.1.1: the parameters of a backchannel authentication request, which can be a signed
//! JWT.

use std::time::Duration;

use chancery_jose::Error;
use chancery_types::iana::ErrorCode;
use chancery_types::{Key, Params, Timestamp};

use super::object::{ALGORITHM_WRONG, RequestObject};
use super::resolver::{KEY_UNKNOWN, KEYS_UNAVAILABLE, Resolver, SIGNATURE_WRONG};
use super::unaddressed::OF_REDIRECTS;
use crate::client::keys;
use crate::context::{Call, Env};
use crate::error::{Failure, Reason};
use crate::model::{Client, Source};
use crate::records::signed_request_key;

const SECTION: &str = "CIBA Core section 7.1.1";

const fn invalid(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidRequest, description, section: SECTION }
}

reasons! {
    /// The client signs its requests, or a profile demands it, and this one is not signed.
    pub NOT_SIGNED = invalid("backchannel_request_unsigned", "the request must be signed");
    /// The client has signed its request, and is not registered to
    /// (`backchannel_authentication_request_signing_alg`).
    pub SIGNING_UNREGISTERED =
        invalid("backchannel_signing_unregistered", "the client is not registered for signed requests");
    /// Parameters stand beside the signed request, outside of the JWT.
    pub BESIDE_SIGNED =
        invalid("parameters_beside_signed_request", "all parameters must be in the signed request");
    /// The same signed request was sent before.
    pub REQUEST_REPLAYED = invalid("signed_request_replayed", "the signed request was used before");
}

/// The parameters that only this endpoint knows.
const OF_BACKCHANNEL: &[&str] = &[
    "binding_message",
    "client_notification_token",
    "login_hint_token",
    "request_context",
    "requested_expiry",
    "user_code",
];

/// How long a signed request can be good. FAPI-CIBA section 5.2.2-9 demands this limit; here it holds for everybody,
/// because each is remembered for as long.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// A request whose parameters count.
pub(crate) struct Backchannel<'a> {
    /// The parameters that mean something here.
    pub(crate) params: Params<'a>,
    /// Who vouches for them.
    pub(crate) source: Source,
    /// The mark that a signed request leaves, and until when it is kept.
    pub(crate) mark: Option<(Key, Timestamp)>,
}

impl Resolver {
    fn means_something(&self, name: &str) -> bool {
        let is_known = self.recognised().has(name) || OF_BACKCHANNEL.contains(&name);
        is_known && name != "client_id" && !OF_REDIRECTS.contains(&name)
    }

    /// Reads the parameters that this client has sent, or opens what it has signed.
    ///
    /// # Errors
    /// Why they do not count; a fault of what the client's keys are read from.
    pub(crate) async fn backchannel<'a>(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        form: &Params<'a>,
    ) -> Result<Backchannel<'a>, Failure> {
        let params = form.clone().filtered(|name| self.means_something(name));
        let registered = client.metadata().ciba.backchannel_authentication_request_signing_alg;
        let Some(text) = params.one("request")? else {
            let is_demanded = self.demands(client).signed_backchannel.is_some();
            if registered.is_some() || is_demanded || self.demands_signature(client) {
                return NOT_SIGNED.refused();
            }
            return Ok(Backchannel { params, source: Source::Pushed, mark: None });
        };
        let Some(registered) = registered else { return SIGNING_UNREGISTERED.refused() };
        if params.iter().any(|(name, _)| name != "request") {
            return BESIDE_SIGNED.refused();
        }
        let object = RequestObject::read(text, false)?;
        let compact = object.signed().ok_or(&ALGORITHM_WRONG)?;
        let alg = compact.header().alg;
        let is_permitted = self.offers(alg) && self.demands(client).algorithms.has(&alg);
        if !registered.is_same_as(alg) || !is_permitted {
            return ALGORITHM_WRONG.refused();
        }
        object.check(client, &env.issuer, call.now)?;
        object.check_lifetime(LONGEST, call.now)?;
        let (jti, ends) = object.identified(call.now)?;
        match keys::verify(call, env, client, compact).await.map_err(|_| &KEYS_UNAVAILABLE)? {
            Ok(_) => {}
            Err(Error::KeyNotForAlgorithm) => return KEY_UNKNOWN.refused(),
            Err(_) => return SIGNATURE_WRONG.refused(),
        }
        let mark = Some((signed_request_key(&env.realm, client.id(), jti), ends));
        let params = object.parameters(|name| self.means_something(name))?;
        Ok(Backchannel { params, source: Source::PushedAndSigned, mark })
    }
}
