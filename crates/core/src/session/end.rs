//! The end of a session, in whatever way it ends, and the notices of it (OIDC RP-Initiated Logout section 2,
//! OIDC Back-Channel Logout section 2.5).

use std::sync::Arc;
use std::time::Duration;

use chancery_store::{Record, Revoked};
use chancery_types::{AccountId, ClientId, Key};

use super::sid;
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::event::Event;
use crate::model::Client;
use crate::records::{DeliveryBody, Found, Notice, SessionBody};

/// How often a session that a client has just joined is read again.
const RACES: usize = 5;

/// For how long a client is tried.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// How many sessions of a person are read at once.
const PART: usize = 100;

/// A session that has just ended.
pub struct EndedSession {
    /// Its key.
    pub key: Key,
    /// What it was.
    pub body: SessionBody,
    /// The clients that took part in it and are still registered.
    pub clients: Vec<Arc<Client>>,
}

/// Ends a session as it was seen, with everything that is bound to it; again as it is by then if a client has
/// joined meanwhile. `by` is the client whose request ends it, if one does. In the same step of the store, a notice
/// to each of its clients is written. `None` if somebody else has ended it: only the call that ends it notifies.
///
/// # Errors
/// A fault of the store or of the registry.
pub async fn end(
    call: &Call,
    env: &Env,
    found: Found<SessionBody>,
    by: Option<&ClientId>,
) -> Result<Option<EndedSession>, Fault> {
    let (key, mut found) = (found.key, found);
    for _ in 0..RACES {
        let clients = participants(env, &found.body).await?;
        let notices = notices(call, env, &found, &clients)?;
        match env.records().revoke_seen(call.now, &found, &notices).await? {
            Revoked::Ended => {
                let account = found.body.authentication.account.clone();
                env.record(call, &Event::SessionEnded { account, client: by.cloned() });
                if !notices.is_empty() {
                    env.worker.wake_by_ref();
                }
                return Ok(Some(EndedSession { key, body: found.body, clients }));
            }
            Revoked::Gone => return Ok(None),
            Revoked::Stale => match env.records().get(call.now, key).await? {
                Some(newer) => found = newer,
                None => return Ok(None),
            },
        }
    }
    Err(Fault::unavailable("the session was changed by others again and again"))
}

/// The live sessions of a person, in every browser: the newest login last.
///
/// # Errors
/// A fault of the store.
pub async fn of_account(
    call: &Call,
    env: &Env,
    account: &AccountId,
) -> Result<Vec<Found<SessionBody>>, Fault> {
    let mut sessions: Vec<Found<SessionBody>> = Vec::new();
    loop {
        let part = part_of_account(call, env, account, sessions.last().map(|found| found.key)).await?;
        let is_last = part.len() < PART;
        sessions.extend(part);
        if is_last {
            sessions.sort_by_key(|found| (found.body.authentication.time(), found.key));
            return Ok(sessions);
        }
    }
}

/// Those behind this key, at most [`PART`].
async fn part_of_account(
    call: &Call,
    env: &Env,
    account: &AccountId,
    after: Option<Key>,
) -> Result<Vec<Found<SessionBody>>, Fault> {
    match env.records().tags(Some(account), None, None).account {
        Some(tag) => env.records().list_tagged(call.now, tag, after, PART).await,
        None => Ok(Vec::new()),
    }
}

/// Ends all sessions of a person and returns how many they were.
///
/// # Errors
/// A fault of the store. Calling it again continues where it stopped.
pub async fn end_all(call: &Call, env: &Env, account: &AccountId) -> Result<u64, Fault> {
    let (mut ended, mut after) = (0, None);
    loop {
        let part = part_of_account(call, env, account, after).await?;
        let is_last = part.len() < PART;
        after = part.last().map(|found| found.key);
        for found in part {
            ended += u64::from(end(call, env, found, None).await?.is_some());
        }
        if is_last {
            return Ok(ended);
        }
    }
}

/// The clients of a session, as far as they are still the same and may be used.
async fn participants(env: &Env, body: &SessionBody) -> Result<Vec<Arc<Client>>, Fault> {
    let mut clients = Vec::with_capacity(body.clients.len());
    for known in &body.clients {
        let client = env.registry.client(&env.realm, &known.client).await?;
        clients.extend(
            client.filter(|client| client.registration() == known.registration && client.is_enabled()),
        );
    }
    Ok(clients)
}

/// A notice to each client that wants to be called, in the partition of the session.
fn notices(
    call: &Call,
    env: &Env,
    found: &Found<SessionBody>,
    clients: &[Arc<Client>],
) -> Result<Vec<Record>, Fault> {
    let told = clients.iter().filter(|client| client.metadata().logout.backchannel_logout_uri.is_some());
    let (partition, account) = (found.key.partition(), &found.body.authentication.account);
    let about = |client: &Client| Notice::Logout { sid: sid(&found.key, client.id()) };
    let until = call.now + PATIENCE;
    told.map(|client| DeliveryBody::due(call, env, partition, (client, account), (about(client), until)))
        .collect()
}
