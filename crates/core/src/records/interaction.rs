//! A request that still needs something from a person: from one who has already authenticated, or from whoever
//! comes to a page on another origin.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_types::handle::HandleDigest;
use chancery_types::{Key, Kind, RealmId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Carrier, Done, Source};
use crate::records::Body;

/// Identifies one interaction, from its first page to its answer. It is random and never visible: pages carry
/// it sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InteractionId([u8; 16]);

impl InteractionId {
    /// From random bytes, or from those of [`InteractionId::as_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Serialize for InteractionId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for InteractionId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(from)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes()).map_err(serde::de::Error::custom)?;
        bytes.as_slice().try_into().map(Self).map_err(|_| serde::de::Error::custom("not an interaction id"))
    }
}

/// A stored interaction. Its key is derived from its secret, in the partition of its session, if it has one. The
/// session is not its parent: when the session ends, the request can still be started again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InteractionBody {
    /// The interaction that it belongs to.
    pub interaction: InteractionId,
    /// The request.
    pub request: Carrier,
    /// Who vouched for the request when it was first read.
    pub source: Source,
    /// When the request was first seen.
    pub first_seen: Timestamp,
    /// The session in which it is answered; `None` for a request that was stored before anybody did anything
    /// for it, which is answered by whoever is signed in.
    pub session: Option<Key>,
    /// Digest of the browser cookie: nothing of the request is shown to another browser that learns the URL.
    pub browser: HandleDigest,
    /// What the person has already done for this request.
    pub done: Done,
}

impl Body for InteractionBody {
    const KIND: Kind = Kind::INTERACTION;
}

/// How an interaction was answered. It is written once, so that an interaction has only one answer however
/// many of its pages are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerBody {
    /// When.
    pub at: Timestamp,
    /// What was sent to the client.
    pub answer: Answered,
}

/// What was sent to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// A grant, and a code if one was asked for, both derived from the interaction and this session under the
    /// root secret of this version.
    Granted {
        /// The session.
        session: Key,
        /// The version.
        key_version: u32,
    },
    /// The response type `none`: that everything was allowed, and nothing else.
    Nothing,
    /// An error (RFC 6749 section 4.1.2.1).
    Error {
        /// `error`
        code: Box<str>,
        /// `error_description`
        description: Box<str>,
    },
}

impl Body for AnswerBody {
    const KIND: Kind = Kind::ANSWER;
}

/// The key of an interaction's answer. It is never a parent, so it may be derived.
#[must_use]
pub fn answer_key(realm: &RealmId, interaction: InteractionId) -> Key {
    Key::derive_placed(realm, Kind::ANSWER, interaction.as_bytes())
}
