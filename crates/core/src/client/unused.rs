//! The end of clients that registered themselves and were never used. Anybody can register some, and nobody would
//! remove them.
//! Config     `registration.unused_lifetime`

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chancery_store::Put;
use chancery_types::{ClientId, Timestamp};

use crate::context::{Call, Env, RequestId};
use crate::error::Fault;
use crate::event::Event;
use crate::model::Client;
use crate::model::client::{ClientBody, DynamicRegistration};

/// How many clients are looked at in one step.
const PAGE: usize = 200;

/// Records in the client's document that it has been used, when it is used for the first time, and never again.
///
/// If somebody else changes the client at the same moment, or the registry does not answer, this is left to the next
/// use: nobody has to wait for it.
pub(crate) async fn mark_used(env: &Env, client: &Client) {
    let Some(dynamic) = client.dynamic().filter(|dynamic| !dynamic.is_used) else { return };
    let dynamic = Some(DynamicRegistration { is_used: true, ..dynamic.clone() });
    let used = Client::new(ClientBody { dynamic, ..client.body().clone() });
    let _left_to_the_next_use =
        env.registry.put_client(&env.realm, Some(client.revision()), Arc::new(used)).await;
}

/// How often all clients are looked at, and how many pages of them at once; the next sweep goes on.
const PAUSE: Duration = Duration::from_secs(60 * 60);
const PAGES: usize = 10;

/// Looks for clients that were never used, from time to time.
#[derive(Default)]
pub(crate) struct UnusedClients(Mutex<Look>);

/// Where it goes on, and when.
#[derive(Clone, Default)]
struct Look {
    after: Option<ClientId>,
    not_before: Option<Timestamp>,
}

impl UnusedClients {
    /// Removes clients that registered themselves at least `lifetime` ago and were never used, and returns how many
    /// they were.
    ///
    /// # Errors
    /// A fault of the registry.
    pub(crate) async fn sweep(&self, env: &Env, now: Timestamp, lifetime: Duration) -> Result<u64, Fault> {
        let begun = self.look().clone();
        if begun.not_before.is_some_and(|at| now < at && at.since(now) <= PAUSE) {
            return Ok(0);
        }
        // Whatever comes of it, the next look is not before its time, unless there is more to look at.
        *self.look() = Look { after: None, not_before: Some(now + PAUSE) };
        let (mut removed, mut after) = (0, begun.after);
        for _ in 0..PAGES {
            let (of_page, last) = remove_unused(env, now, lifetime, after.as_ref()).await?;
            removed += of_page;
            after = last;
            if after.is_none() {
                return Ok(removed);
            }
        }
        *self.look() = Look { after, not_before: None };
        Ok(removed)
    }

    fn look(&self) -> MutexGuard<'_, Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes those of one page of clients; says where the next page begins, if there is one.
async fn remove_unused(
    env: &Env,
    now: Timestamp,
    lifetime: Duration,
    after: Option<&ClientId>,
) -> Result<(u64, Option<ClientId>), Fault> {
    let call = &Call::new(now, RequestId("sweep".into()));
    let page = env.registry.clients(&env.realm, after, PAGE).await?;
    let is_unused = |client: &Client| {
        client.dynamic().is_some_and(|dynamic| !dynamic.is_used) && client.registered_at() + lifetime <= now
    };
    let mut removed = 0;
    for client in page.iter().filter(|client| is_unused(client)) {
        // As it was seen: one that is used at this moment stays.
        let gone = env.registry.remove_client(&env.realm, client.revision(), client.id()).await?;
        if matches!(gone, Put::Done(_)) {
            removed += 1;
            env.record(call, &Event::ClientExpired { client: client.id().clone() });
        }
    }
    let last = page.last().filter(|_| page.len() == PAGE).map(|client| client.id().clone());
    Ok((removed, last))
}
