//! The name of a grant: one authorization of one client, root of its tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_types::{Key, Kind, Partition, RealmId, text};

/// A partition and 16 random bytes, never used twice. This is not a secret: a JWT access token carries it in
/// its `jti`, so that introspection finds the grant without a record per token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantId {
    partition: Partition,
    id: [u8; 16],
}

impl GrantId {
    /// A new one, from random bytes.
    #[must_use]
    pub fn new(partition: Partition, id: [u8; 16]) -> Self {
        Self { partition, id }
    }

    /// The key of the grant's record.
    #[must_use]
    pub fn key(&self, realm: &RealmId) -> Key {
        Key::derive(realm, Kind::GRANT, self.partition, &self.id)
    }

    /// Where the grant's tree is placed.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// Partition and id.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 18] {
        let mut bytes = [0; 18];
        let (head, tail) = bytes.split_at_mut(2);
        head.copy_from_slice(&self.partition.0);
        tail.copy_from_slice(&self.id);
        bytes
    }

    /// Reads what [`GrantId::to_bytes`] wrote; `None` when the length is wrong.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (partition, id) = bytes.split_at_checked(2)?;
        Some(Self { partition: Partition(partition.try_into().ok()?), id: id.try_into().ok()? })
    }
}

impl serde::Serialize for GrantId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(self.to_bytes()))
    }
}

impl<'de> serde::Deserialize<'de> for GrantId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        text::deserialize(from, "a grant id", |text| {
            // Of 18 bytes, which are whole groups of four letters.
            let mut bytes = [0; 18];
            let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
            Self::from_bytes(bytes.get(..length)?)
        })
    }
}
