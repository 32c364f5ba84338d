//! RFC 8628 section 3.2: a device that waits for its person.

use chancery_types::{Alias, ClientId, Kind, UserCode};
use serde::{Deserialize, Serialize};

use crate::context::Env;
use crate::model::{Carrier, RegistrationId, Source};
use crate::records::{Awaited, AwaitsDecision, Body, RequestOrigin};

/// A device code. Its key is derived from its secret, its alias from the user code, which also places it:
/// whoever types the code finds the record in one look. The record outlives the code, so that a late poll
/// learns that it has expired, and that a replay is noticed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceCodeBody {
    /// Which client asks.
    pub client: ClientId,
    /// The registration of that client; another client with the same id cannot use it.
    pub registration: RegistrationId,
    /// Its request, to be validated from the beginning.
    pub request: Carrier,
    /// Who vouches for it.
    pub source: Source,
    /// Where it came from, as the person is shown it.
    pub origin: RequestOrigin,
    /// What the client waits for.
    pub awaited: Awaited,
}

impl Body for DeviceCodeBody {
    const KIND: Kind = Kind::DEVICE_CODE;
}

impl AwaitsDecision for DeviceCodeBody {
    fn asked_by(&self) -> (&ClientId, RegistrationId) {
        (&self.client, self.registration)
    }

    fn request(&self) -> &Carrier {
        &self.request
    }

    fn source(&self) -> Source {
        self.source
    }

    fn origin(&self) -> &RequestOrigin {
        &self.origin
    }

    fn awaited(&self) -> &Awaited {
        &self.awaited
    }

    fn awaited_mut(&mut self) -> &mut Awaited {
        &mut self.awaited
    }
}

/// The alias of a user code: under an HMAC, because it can be guessed.
#[must_use]
pub fn user_code_alias(env: &Env, code: &UserCode) -> Alias {
    let digest = env.names.digest("user code", &[code.as_str()]);
    Alias::derive_placed(&env.realm, Kind::DEVICE_CODE, &digest)
}
