//! One login of one account.

use chancery_types::handle::HandleDigest;
use chancery_types::{ClientId, Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Authentication, Client, Place, RegistrationId};
use crate::records::Body;

/// A session. Its key is random and stays the same, so that grants can have it as their parent; its secret
/// changes with each login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionBody {
    /// Who, how, when.
    pub authentication: Authentication,
    /// Digest of the current secret.
    pub current: HandleDigest,
    /// Digest of the previous secret, and when it was replaced. It can be used for reading a little longer,
    /// so that parallel tabs keep working.
    pub former: Option<(HandleDigest, Timestamp)>,
    /// When the idle end was last extended.
    pub touched_at: Timestamp,
    /// Where the browser was then, as far as it is known. In a box, because futures of requests hold sessions at many
    /// places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
    /// Nothing extends the session beyond this time.
    pub absolute_end: Timestamp,
    /// The clients that the person signed in to, and that were answered.
    pub clients: Vec<Participant>,
}

/// A client that takes part in a session, and in which of its registrations: a later client of the same id is
/// not told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Its id.
    pub client: ClientId,
    /// Which registration.
    pub registration: RegistrationId,
}

impl Participant {
    /// This client as it is registered now.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        Self { client: client.id().clone(), registration: client.registration() }
    }
}

impl Body for SessionBody {
    const KIND: Kind = Kind::SESSION;
}
