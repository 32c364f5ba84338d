//! RFC 9126 section 2.2: an authorization request that waits to be referred to.

use chancery_types::{ClientId, Kind};
use serde::{Deserialize, Serialize};

use crate::model::{Carrier, RegistrationId, Source};
use crate::records::{Body, InteractionId};

/// A pushed authorization request. Its key is derived from its secret, in a partition of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PushedRequestBody {
    /// Who has pushed it.
    pub client: ClientId,
    /// The registration of that client; another client with the same id cannot use it.
    pub registration: RegistrationId,
    /// Its parameters, to be validated from the beginning.
    pub request: Carrier,
    /// Who vouches for them.
    pub source: Source,
    /// Whether a page was shown for it. From then on it lives as long as a person has to answer.
    pub is_awaited: bool,
    /// The interaction whose answer has used it up. Only this one leads to a response again, when its last step is
    /// repeated.
    pub answered: Option<InteractionId>,
}

impl Body for PushedRequestBody {
    const KIND: Kind = Kind::PUSHED_REQUEST;
}
