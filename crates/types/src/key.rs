//! What the store files a record under: digests, never the secret that is sent over the wire.

use std::io::Write as _;

use aws_lc_rs::digest::{self, Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::RealmId;

/// The two random bytes that place a tree of records. A root draws them when it is created and its
/// descendants inherit them, so that each step of the store stays in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub [u8; 2]);

/// The kind of record that a key names. A number is never reused or changed; the store itself gives it no
/// meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// An access token.
    pub const ACCESS_TOKEN: Self = Self(1);
    /// An authorization code.
    pub const AUTHORIZATION_CODE: Self = Self(2);
    /// A request of a client, which waits for its person at another device (CIBA Core section 7).
    pub const BACKCHANNEL_AUTHENTICATION: Self = Self(3);
    /// What a person has agreed to for one client.
    pub const CONSENT: Self = Self(4);
    /// One outgoing notification.
    pub const DELIVERY: Self = Self(5);
    /// A device that waits for its person.
    pub const DEVICE_CODE: Self = Self(6);
    /// One authorization of one client, and the root of its tokens.
    pub const GRANT: Self = Self(7);
    /// What a person still has to do for one request.
    pub const INTERACTION: Self = Self(9);
    /// What opens the registration endpoint.
    pub const INITIAL_ACCESS_TOKEN: Self = Self(8);
    /// An authorization request that its client has pushed.
    pub const PUSHED_REQUEST: Self = Self(10);
    /// A family of refresh tokens.
    pub const REFRESH_FAMILY: Self = Self(11);
    /// Something that counts once, and was used.
    pub const REPLAY: Self = Self(12);
    /// A JWT access token that was revoked before its end.
    pub const REVOCATION: Self = Self(13);
    /// One login of one account.
    pub const SESSION: Self = Self(14);
    /// Failed logins of a name or from a network.
    pub const THROTTLE: Self = Self(15);
    /// How an interaction was answered.
    pub const ANSWER: Self = Self(16);
    /// Not a record: the digest that a client's registration keeps of its registration access token.
    pub const REGISTRATION_ACCESS_TOKEN: Self = Self(17);
    /// What a person has approved at another device, to be exchanged for tokens once.
    pub const APPROVAL: Self = Self(18);
}

/// Length of a [`Key`] and of an [`Alias`] in bytes: kind, partition, digest.
const LENGTH: usize = 1 + 2 + 32;

/// The primary key of a record: kind (1 byte), partition (2), SHA-256 over realm, kind and the id or secret
/// (32).
///
/// Plain SHA-256 suffices because what is digested has at least 128 random bits. A leaked table holds nothing
/// that a client could present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; LENGTH]);

/// A second way to find a record; the same shape as a [`Key`], in the partition of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias([u8; LENGTH]);

macro_rules! placed_digest {
    ($name:ident) => {
        impl $name {
            /// Derives it; the realm is part of the digest, so that two realms in one store cannot collide.
            #[must_use]
            pub fn derive(realm: &RealmId, kind: Kind, partition: Partition, id_or_secret: &[u8]) -> Self {
                Self::placed(kind, partition, &digest(realm, &[kind.0], id_or_secret))
            }

            /// Derives it for a record that belongs to no tree: its own digest places it.
            #[must_use]
            pub fn derive_placed(realm: &RealmId, kind: Kind, id: &[u8]) -> Self {
                let digest = digest(realm, &[kind.0], id);
                Self::placed(kind, Partition([digest[0], digest[1]]), &digest)
            }

            fn placed(kind: Kind, partition: Partition, digest: &[u8; 32]) -> Self {
                let mut bytes = [0; LENGTH];
                let (head, tail) = bytes.split_at_mut(3);
                head.copy_from_slice(&[kind.0, partition.0[0], partition.0[1]]);
                tail.copy_from_slice(digest);
                Self(bytes)
            }

            /// Reads it back from a store's column; `None` when the length is wrong.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                Some(Self(bytes.try_into().ok()?))
            }

            /// The bytes a store files it under.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// The kind of record.
            #[must_use]
            pub fn kind(&self) -> Kind {
                Kind(self.0[0])
            }

            /// The partition of the record's tree.
            #[must_use]
            pub fn partition(&self) -> Partition {
                Partition([self.0[1], self.0[2]])
            }
        }
    };
}
placed_digest!(Key);
placed_digest!(Alias);

impl serde::Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::deserialize(from, "a key", |text| {
            // `decode_slice` wants room for whole groups of four characters.
            let mut bytes = [0; LENGTH + 3];
            let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
            Self::from_bytes(bytes.get(..length)?)
        })
    }
}

/// The digest of an account, client or session by which records are listed and ended together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 32]);

impl Tag {
    /// Derives it; `what` tells an account from a client of the same name.
    #[must_use]
    pub fn derive(realm: &RealmId, what: &str, id: &[u8]) -> Self {
        Self(digest(realm, what.as_bytes(), id))
    }

    /// Reads it back from a store's column; `None` when the length is wrong.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// The bytes a store files it under.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// SHA-256 over the three parts with their lengths in front, so that different parts never form the same
/// input.
fn digest(realm: &RealmId, domain: &[u8], id: &[u8]) -> [u8; 32] {
    let parts = [realm.as_str().as_bytes(), domain, id].map(|part| (length(part), part));
    // Nearly every input fits in here, and one call is a third cheaper than a context with six.
    let mut room = [0; 192];
    let mut rest = room.as_mut_slice();
    let fits =
        parts.iter().all(|(length, part)| rest.write_all(length).and_then(|()| rest.write_all(part)).is_ok());
    let unused = rest.len();
    let digest = match room.get(..room.len() - unused) {
        Some(input) if fits => digest::digest(&SHA256, input),
        _ => {
            let mut context = Context::new(&SHA256);
            for (length, part) in parts {
                context.update(&length);
                context.update(part);
            }
            context.finish()
        }
    };
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm() -> RealmId {
        RealmId::parse("main").unwrap()
    }

    #[test]
    fn a_digest_is_the_same_however_long_its_input_is() {
        for length in [0, 1, 154, 155, 156, 157, 1000] {
            let id = vec![7; length];
            let mut input = Vec::new();
            for part in [b"main".as_slice(), b"account", &id] {
                input.extend(part.len().to_be_bytes());
                input.extend(part);
            }
            let expected = digest::digest(&SHA256, &input);
            assert_eq!(Tag::derive(&realm(), "account", &id).as_bytes(), expected.as_ref(), "{length}");
        }
    }

    #[test]
    fn a_record_of_no_tree_stands_where_its_digest_says() {
        let key = Key::derive_placed(&realm(), Kind::CONSENT, b"id");
        let [_, a, b, first, second, ..] = *key.as_bytes() else { panic!("35 bytes") };
        assert_eq!((a, b), (first, second));
        assert_eq!(key, Key::derive(&realm(), Kind::CONSENT, key.partition(), b"id"));
    }
}
