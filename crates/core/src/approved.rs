//! What people have approved in this process and clients have not fetched yet (RFC 8628 section 3.5).
//!
//! An approval never changes, and the step that stores its tokens uses it up, in the store. So a poll that finds it
//! here need not read it there first; on any other node it does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chancery_types::{ClientId, Key, Timestamp};

use crate::limits::Stay;
use crate::model::{Client, Granted, RegistrationId};

/// How many are remembered. Whoever finds no room is found in the store.
const MOST: usize = 1_000;

/// For how long one is remembered: longer than clients wait between two polls.
const KEPT: Duration = Duration::from_secs(90);

/// What a client gets tokens for.
#[derive(Clone, Debug)]
pub struct Approved {
    /// The client.
    pub client: ClientId,
    /// Its registration.
    pub registration: RegistrationId,
    /// Until when it can be exchanged.
    pub deadline: Timestamp,
    /// The record that is exchanged for tokens once.
    pub approval: Key,
    /// What it is exchanged for.
    pub granted: Granted,
    /// `nonce`
    pub nonce: Option<Box<str>>,
}

/// Those that were not fetched yet.
#[derive(Default)]
pub struct Approvals(Mutex<HashMap<Key, (Stay, Approved)>>);

impl Approvals {
    /// Remembers what was written into the record of this key.
    pub fn remember(&self, now: Timestamp, key: Key, approved: Approved) {
        let mut approvals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if approvals.len() >= MOST {
            approvals.retain(|_, (stay, _)| stay.lasts(now));
        }
        if approvals.len() < MOST {
            let stay = Stay::new(now, approved.deadline.min(now + KEPT));
            approvals.insert(key, (stay, approved));
        }
    }

    /// Takes what this client may exchange. Whoever comes for it again looks into the store.
    pub fn take(&self, now: Timestamp, key: Key, client: &Client) -> Option<Approved> {
        let mut approvals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (stay, of) = approvals.get(&key)?;
        let is_its = of.client == *client.id() && of.registration == client.registration();
        if !stay.lasts(now) || !is_its {
            return None;
        }
        approvals.remove(&key).map(|(_, approved)| approved)
    }
}
