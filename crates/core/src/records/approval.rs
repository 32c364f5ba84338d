//! RFC 8628 section 3.3: what a person decides at another device than the one that asks, and what becomes of
//! it.

use std::time::Duration;

use chancery_types::{ClientId, Key, Kind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::approved::Approved;
use crate::context::Call;
use crate::model::{Carrier, Client, Granted, RegistrationId, Source};
use crate::records::{Body, InteractionId};

/// Where a request came from that a person is asked about in another place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOrigin {
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub address: Option<Box<str>>,
    /// What the device says it is. Nobody has checked it.
    pub device: Option<Box<str>>,
}

/// Longest description that a device gives of itself, in characters.
const LONGEST_DEVICE: usize = 120;

impl RequestOrigin {
    /// That of the request which is answered now.
    #[must_use]
    pub(crate) fn of(call: &Call) -> Self {
        Self {
            at: call.now,
            address: call.peer.map(|peer| peer.to_string().into()),
            device: call.user_agent.as_deref().map(|text| text.chars().take(LONGEST_DEVICE).collect()),
        }
    }
}

/// A decision that a client polls for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Awaited {
    /// Until when the person can decide, and the client can learn of it.
    pub deadline: Timestamp,
    /// How long the client waits between two polls.
    #[serde(with = "crate::duration")]
    pub interval: Duration,
    /// What the person has decided. It is written once.
    pub decision: Option<Decision>,
}

/// What a person has decided, and in which interaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Approved {
        /// The interaction.
        by: InteractionId,
        /// The record that is exchanged for tokens once, in the partition of the grant.
        approval: Key,
        /// What it is exchanged for.
        granted: Box<Granted>,
        /// `nonce`
        nonce: Option<Box<str>>,
    },
    /// No, or there was a reason why it cannot be.
    Refused {
        /// The interaction.
        by: Option<InteractionId>,
        /// The name of the reason.
        reason: Box<str>,
    },
}

/// A record that waits for a person's decision.
pub trait AwaitsDecision {
    /// Which client waits, and by which registration: another client with the same id cannot use it.
    fn asked_by(&self) -> (&ClientId, RegistrationId);

    /// Its request, to be validated from the beginning.
    fn request(&self) -> &Carrier;

    /// Who vouches for it.
    fn source(&self) -> Source;

    /// Where it came from, as the person is shown it.
    fn origin(&self) -> &RequestOrigin;

    /// What the client waits for.
    fn awaited(&self) -> &Awaited;

    /// The same, to be changed.
    fn awaited_mut(&mut self) -> &mut Awaited;

    /// Whether the client polls for its tokens.
    fn is_fetched(&self) -> bool {
        true
    }

    /// Whether it is this client that waits.
    fn is_of(&self, client: &Client) -> bool {
        self.asked_by() == (client.id(), client.registration())
    }

    /// What its person has approved.
    fn approved(&self) -> Option<Approved> {
        let (client, registration) = self.asked_by();
        let Awaited { deadline, decision, .. } = self.awaited();
        let Some(Decision::Approved { approval, granted, nonce, .. }) = decision else { return None };
        Some(Approved {
            client: client.clone(),
            registration,
            deadline: *deadline,
            approval: *approval,
            granted: (**granted).clone(),
            nonce: nonce.clone(),
        })
    }
}

impl Decision {
    /// Whether it was made in this interaction.
    #[must_use]
    pub fn is_of(&self, interaction: Option<InteractionId>) -> bool {
        match self {
            Self::Approved { by, .. } => interaction == Some(*by),
            Self::Refused { by, .. } => by.is_some() && interaction == *by,
        }
    }
}

/// What a person has approved at another device, below its grant. It says nothing: it is there to be used
/// once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApprovalBody {}

impl Body for ApprovalBody {
    const KIND: Kind = Kind::APPROVAL;
}
