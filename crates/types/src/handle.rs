//! Bearer handles: the secrets that are sent over the wire. A store only ever sees their digests.

use std::marker::PhantomData;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::{Key, Kind, Malformed, Partition, RealmId};

/// What anything else is told.
const NO_HANDLE: Malformed = Malformed::new("a handle of this kind", "it was not made here");

mod sealed {
    pub trait Sealed {}
}

/// What a handle opens. Each kind is a type of its own, so that a refresh token cannot be passed where a code
/// is wanted.
pub trait HandleKind: sealed::Sealed {
    /// The letters in front of the handle's text, before `_`.
    const PREFIX: &'static str;
    /// The kind of record it opens.
    const KIND: Kind;
}

macro_rules! handle_kinds {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $kind:ident;)*) => { $(
        $(#[$doc])*
        pub enum $name {}
        impl sealed::Sealed for $name {}
        impl HandleKind for $name {
            const PREFIX: &'static str = $prefix;
            const KIND: Kind = Kind::$kind;
        }
    )* };
}
handle_kinds! {
    /// An opaque access token.
    AccessToken = "at", ACCESS_TOKEN;
    /// What a client names its request for a person at another device with: `auth_req_id` (CIBA Core section 7.3).
    AuthReqId = "ba", BACKCHANNEL_AUTHENTICATION;
    /// An authorization code.
    AuthorizationCode = "ac", AUTHORIZATION_CODE;
    /// What a device polls with (RFC 8628 section 3.2).
    DeviceCode = "dc", DEVICE_CODE;
    /// What opens the registration endpoint (RFC 7591 section 3).
    InitialAccessToken = "ia", INITIAL_ACCESS_TOKEN;
    /// What a person still has to do for one request.
    Interaction = "in", INTERACTION;
    /// A pushed authorization request.
    PushedRequest = "pr", PUSHED_REQUEST;
    /// A refresh token; its secret changes while its family stays.
    RefreshToken = "rt", REFRESH_FAMILY;
    /// What manages one client (RFC 7592 section 3).
    RegistrationAccessToken = "ra", REGISTRATION_ACCESS_TOKEN;
    /// A session cookie's entry; its secret changes while the session stays.
    Session = "se", SESSION;
}

/// A bearer secret whose digest is the record's key: prefix, `_`, base64url of partition (2 bytes) and secret
/// (32).
///
/// It has neither `Debug` nor `Display`, so that it cannot reach a log by mistake:
///
/// ```
/// # use chancery_types::handle::{AuthorizationCode, Handle};
/// fn log(code: &Handle<AuthorizationCode>) { println!("{}", code.reveal()); }
/// ```
/// ```compile_fail,E0277
/// # use chancery_types::handle::{AuthorizationCode, Handle};
/// fn log(code: &Handle<AuthorizationCode>) { println!("{}", code); }
/// ```
/// ```compile_fail,E0277
/// # use chancery_types::handle::{AuthorizationCode, Handle};
/// fn log(code: &Handle<AuthorizationCode>) { println!("{:?}", code); }
/// ```
///
/// and one kind is not another:
///
/// ```
/// # use chancery_types::handle::{AuthorizationCode, Handle};
/// fn exchange(code: Handle<AuthorizationCode>) {}
/// fn right(code: Handle<AuthorizationCode>) { exchange(code); }
/// ```
/// ```compile_fail,E0308
/// # use chancery_types::handle::{AccessToken, AuthorizationCode, Handle};
/// fn exchange(code: Handle<AuthorizationCode>) {}
/// fn wrong(token: Handle<AccessToken>) { exchange(token); }
/// ```
pub struct Handle<K> {
    partition: Partition,
    secret: Zeroizing<[u8; 32]>,
    kind: PhantomData<fn() -> K>,
}

impl<K: HandleKind> Handle<K> {
    /// A new handle in the partition of its tree, from 32 random bytes.
    #[must_use]
    pub fn new(partition: Partition, random: Zeroizing<[u8; 32]>) -> Self {
        Self { partition, secret: random, kind: PhantomData }
    }

    /// Reads what a peer presents.
    ///
    /// # Errors
    /// [`Malformed`] when it is not a handle of this kind.
    pub fn parse(raw: &str) -> Result<Self, Malformed> {
        let bytes = decode::<K, 34>(raw)?;
        let (partition, secret) = bytes.split_at(2);
        Ok(Self {
            partition: Partition(partition.try_into().map_err(|_| NO_HANDLE)?),
            secret: Zeroizing::new(secret.try_into().map_err(|_| NO_HANDLE)?),
            kind: PhantomData,
        })
    }

    /// The key of the record that it opens.
    #[must_use]
    pub fn key(&self, realm: &RealmId) -> Key {
        Key::derive(realm, K::KIND, self.partition, &*self.secret)
    }

    /// The partition of the record's tree.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The text that is sent to the peer. Nothing else gives the secret away.
    #[must_use]
    pub fn reveal(&self) -> String {
        encode::<K>(&[&self.partition.0, &*self.secret])
    }
}

/// A bearer secret that is replaced while its record stays: prefix, `_`, base64url of partition (2 bytes), id
/// (16) and secret (32). The id finds the record, and the record knows which secret is the current one.
///
/// ```
/// # use chancery_types::handle::{RefreshToken, RotatingHandle};
/// fn log(token: &RotatingHandle<RefreshToken>) { println!("{:?}", token.reveal()); }
/// ```
/// ```compile_fail,E0277
/// # use chancery_types::handle::{RefreshToken, RotatingHandle};
/// fn log(token: &RotatingHandle<RefreshToken>) { println!("{:?}", token); }
/// ```
pub struct RotatingHandle<K> {
    partition: Partition,
    id: [u8; 16],
    secret: Zeroizing<[u8; 32]>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for RotatingHandle<K> {
    fn clone(&self) -> Self {
        Self { partition: self.partition, id: self.id, secret: self.secret.clone(), kind: PhantomData }
    }
}

impl<K: HandleKind> RotatingHandle<K> {
    /// The first handle of a new record, from random bytes.
    #[must_use]
    pub fn new(partition: Partition, id: [u8; 16], secret: Zeroizing<[u8; 32]>) -> Self {
        Self { partition, id, secret, kind: PhantomData }
    }

    /// Reads what a peer presents.
    ///
    /// # Errors
    /// [`Malformed`] when it is not a handle of this kind.
    pub fn parse(raw: &str) -> Result<Self, Malformed> {
        let bytes = decode::<K, 50>(raw)?;
        let (partition, rest) = bytes.split_at(2);
        let (id, secret) = rest.split_at(16);
        Ok(Self {
            partition: Partition(partition.try_into().map_err(|_| NO_HANDLE)?),
            id: id.try_into().map_err(|_| NO_HANDLE)?,
            secret: Zeroizing::new(secret.try_into().map_err(|_| NO_HANDLE)?),
            kind: PhantomData,
        })
    }

    /// The key of its record.
    #[must_use]
    pub fn key(&self, realm: &RealmId) -> Key {
        Key::derive(realm, K::KIND, self.partition, &self.id)
    }

    /// The partition of the record's tree.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The part that stays.
    #[must_use]
    pub fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// The part that changes. A successor is derived from it; it must never be stored.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// What the record keeps of the secret.
    #[must_use]
    pub fn secret_digest(&self) -> HandleDigest {
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, &*self.secret).as_ref());
        HandleDigest(out)
    }

    /// The handle of the same record with another secret.
    #[must_use]
    pub fn successor(&self, secret: Zeroizing<[u8; 32]>) -> Self {
        Self { partition: self.partition, id: self.id, secret, kind: PhantomData }
    }

    /// The text that is sent to the peer. Nothing else gives the secret away.
    #[must_use]
    pub fn reveal(&self) -> String {
        encode::<K>(&[&self.partition.0, &self.id, &*self.secret])
    }
}

/// SHA-256 of a rotating secret, which is all that a record keeps of it. It is compared in constant time.
#[derive(Clone, Copy, Debug)]
pub struct HandleDigest([u8; 32]);

impl HandleDigest {
    /// Reads it back from a record; `None` when the length is wrong.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// The bytes that a record keeps.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for HandleDigest {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for HandleDigest {}

impl serde::Serialize for HandleDigest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for HandleDigest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::deserialize(from, "a digest", |text| {
            // `decode_slice` wants room for whole groups of four characters.
            let mut bytes = [0; 36];
            let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
            Self::from_bytes(bytes.get(..length)?)
        })
    }
}

fn encode<K: HandleKind>(parts: &[&[u8]]) -> String {
    let bytes = Zeroizing::new(parts.concat());
    let mut text = String::with_capacity(K::PREFIX.len() + 1 + bytes.len().div_ceil(3) * 4);
    text.push_str(K::PREFIX);
    text.push('_');
    URL_SAFE_NO_PAD.encode_string(&*bytes, &mut text);
    text
}

fn decode<K: HandleKind, const N: usize>(raw: &str) -> Result<Zeroizing<[u8; N]>, Malformed> {
    let text = raw.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(NO_HANDLE)?;
    if text.len() != (N * 4).div_ceil(3) {
        return Err(NO_HANDLE);
    }
    // `decode_slice` wants room for whole groups of four characters.
    let mut bytes = Zeroizing::new([0; 52]);
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut *bytes).map_err(|_| NO_HANDLE)?;
    let exact = bytes.get(..length).and_then(|exact| <[u8; N]>::try_from(exact).ok());
    exact.map(Zeroizing::new).ok_or(NO_HANDLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_revealed_is_parsed_again() {
        let handle = Handle::<AuthorizationCode>::new(Partition([7, 9]), Zeroizing::new([3; 32]));
        let text = handle.reveal();
        assert!(text.starts_with("ac_"));
        let again = Handle::<AuthorizationCode>::parse(&text).unwrap();
        let realm = RealmId::parse("r").unwrap();
        assert_eq!(handle.key(&realm), again.key(&realm));
        assert_eq!(again.partition(), Partition([7, 9]));
    }

    #[test]
    fn other_kinds_lengths_and_alphabets_are_refused() {
        let token = Handle::<AccessToken>::new(Partition([0, 0]), Zeroizing::new([0; 32])).reveal();
        assert!(Handle::<AuthorizationCode>::parse(&token).is_err());
        for bad in
            ["", "at_", "at", "at_AA", &format!("{token}A"), &format!("{token}="), &token.replace('A', "+")]
        {
            assert!(Handle::<AccessToken>::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_successor_keeps_the_key_and_changes_the_digest() {
        let realm = RealmId::parse("r").unwrap();
        let first = RotatingHandle::<RefreshToken>::new(Partition([1, 2]), [5; 16], Zeroizing::new([6; 32]));
        let next = first.successor(Zeroizing::new([8; 32]));
        assert_eq!(first.key(&realm), next.key(&realm));
        assert!(first.secret_digest() != next.secret_digest());
        let read = RotatingHandle::<RefreshToken>::parse(&next.reveal()).unwrap();
        assert!(read.secret_digest() == next.secret_digest());
    }
}
