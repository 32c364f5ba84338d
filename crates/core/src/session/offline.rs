//! What outlives the sessions of a person: grants with `offline_access` (OIDC Core section 11), and others that a policy has
//! bound to no session.

use std::collections::BTreeMap;

use chancery_types::{AccountId, ClientId, Kind};

use crate::context::{Call, Env};
use crate::error::Fault;
use crate::model::RegistrationId;
use crate::records::{Body, GrantBody};

/// How many grants of a person are read at once.
const PART: usize = 100;

/// The clients that may act for this person when no session of theirs is left, by their ids.
///
/// # Errors
/// A fault of the store, of the accounts or of the registry.
pub async fn offline_clients(call: &Call, env: &Env, account: &AccountId) -> Result<Vec<ClientId>, Fault> {
    let Some(account) = env.account(account).await?.filter(|account| account.active) else {
        return Ok(Vec::new());
    };
    let Some(tag) = env.records().tags(Some(&account.id), None, None).account else { return Ok(Vec::new()) };
    let (mut granted, mut after) = (BTreeMap::<ClientId, Vec<RegistrationId>>::new(), None);
    loop {
        let part = env.store.list_tagged(call.now, Kind::GRANT, tag, after, PART).await?;
        for stored in part.iter().filter(|stored| stored.record.parent.is_none()) {
            let grant = GrantBody::decode(&stored.record.body)?.granted;
            if grant.authentication.epoch == account.epoch {
                granted.entry(grant.client).or_default().push(grant.registration);
            }
        }
        match part.last() {
            Some(last) if part.len() == PART => after = Some(last.record.key),
            _ => break,
        }
    }
    let mut clients = Vec::with_capacity(granted.len());
    for (id, registrations) in granted {
        let client = env.registry.client(&env.realm, &id).await?;
        if client.is_some_and(|client| registrations.contains(&client.registration())) {
            clients.push(id);
        }
    }
    Ok(clients)
}
