//! The typed interface to the store: every persisted type, each with a version byte in front. It puts the
//! realm into every key, alias and tag, so that no caller can forget it and realms cannot mix.

use chancery_store::{Change, Record, Redeemed, Revision, Revoked, StoreError, Stored, Tags, Updated};
use chancery_types::{AccountId, Alias, ClientId, Key, Kind, Tag, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Env;
use crate::error::Fault;

mod access_token;
pub use access_token::AccessTokenBody;
mod approval;
pub use approval::{ApprovalBody, Awaited, AwaitsDecision, Decision, RequestOrigin};
mod authorization_code;
pub use authorization_code::AuthorizationCodeBody;
mod backchannel_authentication;
pub use backchannel_authentication::{
    BackchannelAuthenticationBody, ClientNotification, NotificationSecrets,
};
mod consent;
pub use consent::{ConsentBody, consent_key};
mod delivery;
pub use delivery::{ClientMessage, DeliveryBody, Notice};
mod device_code;
pub use device_code::{DeviceCodeBody, user_code_alias};
mod grant;
pub use grant::GrantBody;
mod initial_access_token;
pub use initial_access_token::{InitialAccessTokenBody, initial_access_tokens};
mod interaction;
pub use interaction::{AnswerBody, Answered, InteractionBody, InteractionId, answer_key};
mod pushed_request;
pub use pushed_request::PushedRequestBody;
mod refresh_family;
pub use refresh_family::RefreshFamilyBody;
mod replay;
pub use replay::{ReplayBody, assertion_key, challenge_key, proof_key, signed_request_key};
mod revocation;
pub use revocation::{RevocationBody, revocation_key};
mod session;
pub use session::{Participant, SessionBody};
mod throttle;
pub use throttle::{ThrottleBody, throttle_key};

/// A persisted type. When its fields change, `VERSION` grows and `decode` still reads the older versions.
pub trait Body: Serialize + DeserializeOwned {
    /// The sort of record.
    const KIND: Kind;
    /// The version byte in front.
    const VERSION: u8 = 1;

    /// The stored form.
    ///
    /// # Errors
    /// A fault if a value has no JSON form, which is a bug.
    fn encode(&self) -> Result<Box<[u8]>, Fault> {
        // Large enough for nearly every body, so that the buffer does not have to grow.
        let mut bytes = Vec::with_capacity(1024);
        bytes.push(Self::VERSION);
        serde_json::to_writer(&mut bytes, self).map_err(|error| Fault::internal(error.to_string()))?;
        // Copied rather than cut, so that the allocator gets back a whole buffer, ready for the next body.
        Ok(bytes.as_slice().into())
    }

    /// Reads a stored form of this or an older version.
    ///
    /// # Errors
    /// A fault for an unknown version or a damaged record.
    fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        match bytes.split_first() {
            Some((&version, json)) if version == Self::VERSION => serde_json::from_slice(json)
                .map_err(|error| Fault::internal(format!("damaged record: {error}"))),
            _ => Err(Fault::internal(format!("record of kind {} has an unknown version", Self::KIND.0))),
        }
    }
}

/// A live record.
pub struct Found<B> {
    /// Its key.
    pub key: Key,
    /// Its revision when it was read.
    pub revision: Revision,
    /// When it was used, if it can be used only once.
    pub consumed_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Its contents.
    pub body: B,
}

/// The typed interface to the store, for one realm.
#[derive(Clone, Copy)]
pub struct Records<'e>(&'e Env);

impl Env {
    /// The typed interface to this store, for this realm.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records(self)
    }
}

fn found<B: Body>(stored: Stored) -> Result<Found<B>, Fault> {
    Ok(Found {
        key: stored.record.key,
        revision: stored.revision,
        consumed_at: stored.consumed_at,
        expires_at: stored.record.expires_at,
        body: B::decode(&stored.record.body)?,
    })
}

impl Records<'_> {
    /// Makes a record to be written.
    ///
    /// # Errors
    /// As [`Body::encode`].
    #[expect(clippy::new_ret_no_self, reason = "these are the records, and this is a new one")]
    pub fn new<B: Body>(
        self,
        key: Key,
        parent: Option<Key>,
        tags: Tags,
        expires_at: Timestamp,
        body: &B,
    ) -> Result<Record, Fault> {
        Ok(Record { key, alias: None, parent, tags, expires_at, due_at: None, body: body.encode()? })
    }

    /// The digests by which records are listed and ended together.
    #[must_use]
    pub fn tags(self, account: Option<&AccountId>, client: Option<&ClientId>, session: Option<Key>) -> Tags {
        let Env { realm, names, .. } = self.0;
        let named = |what, id: &str| Tag::derive(realm, what, &names.digest(what, &[id]));
        Tags {
            account: account.map(|id| named("account", id.as_str())),
            client: client.map(|id| named("client", id.as_str())),
            session: session.map(|key| Tag::derive(realm, "session", key.as_bytes())),
        }
    }

    /// The live record of this key.
    ///
    /// # Errors
    /// A fault of the store, or a damaged record.
    pub async fn get<B: Body>(self, now: Timestamp, key: Key) -> Result<Option<Found<B>>, Fault> {
        self.0.store.get(now, key).await?.map(found).transpose()
    }

    /// The live record of this alias.
    ///
    /// # Errors
    /// A fault of the store, or a damaged record.
    pub async fn get_by_alias<B: Body>(
        self,
        now: Timestamp,
        alias: Alias,
    ) -> Result<Option<Found<B>>, Fault> {
        self.0.store.get_by_alias(now, alias).await?.map(found).transpose()
    }

    /// The live records of a person, of at most this number, behind this key.
    ///
    /// # Errors
    /// A fault of the store, or a damaged record.
    pub async fn list_tagged<B: Body>(
        self,
        now: Timestamp,
        tag: Tag,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<Found<B>>, Fault> {
        let page = self.0.store.list_tagged(now, B::KIND, tag, after, limit).await?;
        page.into_iter().map(found).collect()
    }

    /// Takes records that are due, of all realms, for nobody else until this time. One that is damaged is left
    /// out.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn lease<B: Body>(
        self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Found<B>>, Fault> {
        let leased = self.0.store.lease(now, B::KIND, until, limit).await?;
        Ok(leased.into_iter().filter_map(|stored| found(stored).ok()).collect())
    }

    /// Changes a record that was leased, and when it is due again.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn reschedule<B: Body>(
        self,
        now: Timestamp,
        seen: &Found<B>,
        body: &B,
        due_at: Timestamp,
    ) -> Result<Updated, Fault> {
        let change = Change { body: body.encode()?, expires_at: seen.expires_at, due_at: Some(due_at) };
        Ok(self.0.store.update(now, seen.key, seen.revision, change, &[]).await?)
    }

    /// Writes new records, all or none.
    ///
    /// # Errors
    /// [`StoreError::Occupied`] when a key or an alias is taken.
    pub async fn insert(self, now: Timestamp, batch: &[Record]) -> Result<(), StoreError> {
        self.0.store.insert(now, batch).await
    }

    /// Marks something as used until `ends`; `false` if it was used before. Of any number of callers one gets
    /// `true`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn use_once(self, now: Timestamp, key: Key, ends: Timestamp) -> Result<bool, Fault> {
        match self.insert(now, &[self.new(key, None, Tags::default(), ends, &ReplayBody {})?]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Occupied) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes a record if it is still at the revision that was read, and writes new ones in the same step.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn update<B: Body>(
        self,
        now: Timestamp,
        seen: &Found<B>,
        body: &B,
        expires_at: Timestamp,
        issue: &[Record],
    ) -> Result<Updated, Fault> {
        let change = Change { body: body.encode()?, expires_at, due_at: None };
        Ok(self.0.store.update(now, seen.key, seen.revision, change, issue).await?)
    }

    /// Uses a record that can be used once, and writes new ones in the same step.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn redeem(self, now: Timestamp, key: Key, issue: &[Record]) -> Result<Redeemed, Fault> {
        Ok(self.0.store.redeem(now, key, issue).await?)
    }

    /// Ends a record if it is still at the revision that was read, with everything below it, and writes new
    /// records in the same step.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn revoke_seen<B: Body>(
        self,
        now: Timestamp,
        seen: &Found<B>,
        issue: &[Record],
    ) -> Result<Revoked, Fault> {
        Ok(self.0.store.revoke(now, seen.key, Some(seen.revision), issue).await?)
    }

    /// Ends a record and everything below it.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn revoke(self, now: Timestamp, key: Key) -> Result<Revoked, Fault> {
        Ok(self.0.store.revoke(now, key, None, &[]).await?)
    }
}
