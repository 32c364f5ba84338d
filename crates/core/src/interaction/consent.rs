//! Consent given and withdrawn.

use std::time::Duration;

use chancery_store::{Revoked, StoreError, Updated};
use chancery_types::{AccountId, ClientId, Kind, Timestamp};

use crate::context::{Call, Env};
use crate::error::Fault;
use crate::event::{Event, GrantEnd};
use crate::interaction::prompt::Undecided;
use crate::model::{Account, Client, ConsentAnswer};
use crate::records::{Body, ConsentBody, Found, GrantBody, consent_key};

/// How often a withdrawal looks for what was agreed to while it was under way.
const ROUNDS: usize = 10;

/// The consent that stands between this person and this client.
pub(crate) async fn standing(
    call: &Call,
    env: &Env,
    account: &Account,
    client: &Client,
) -> Result<Option<Found<ConsentBody>>, Fault> {
    let found = stored(call, env, &account.id, client).await?;
    Ok(found.filter(|found| is_between(&found.body, account, client)))
}

/// Whether it was given by this person to this client, and not by or to an earlier one of the same id.
fn is_between(consent: &ConsentBody, account: &Account, client: &Client) -> bool {
    consent.registration == client.registration() && consent.account == account.registration
}

/// The consent that is stored, perhaps for an earlier client of the same id.
async fn stored(
    call: &Call,
    env: &Env,
    account: &AccountId,
    client: &Client,
) -> Result<Option<Found<ConsentBody>>, Fault> {
    env.records().get(call.now, consent_key(env, account, client.id())).await
}

/// Adds a person's yes to what was agreed before. Returns the consent's id.
pub(crate) async fn remember(
    call: &Call,
    env: &Env,
    (account, client): (&Account, &Client),
    allowed: &Undecided,
    lifetime: Duration,
) -> Result<u64, Fault> {
    let records = env.records();
    let ends = call.now + lifetime;
    // Another tab may have answered at the same moment; what was agreed there stands, too.
    for _ in 0..3 {
        let found = stored(call, env, &account.id, client).await?;
        let standing = found.as_ref().filter(|found| is_between(&found.body, account, client));
        let (id, before) = match standing {
            Some(standing) => (standing.body.id, standing.body.answer.clone()),
            None => (u64::from_be_bytes(*env.secret::<8>()), ConsentAnswer::default()),
        };
        let answer = widened(before, allowed);
        let (registration, of) = (client.registration(), account.registration);
        let body =
            ConsentBody { id, client: client.id().clone(), registration, account: of, at: call.now, answer };
        let is_written = match &found {
            Some(found) => {
                matches!(records.update(call.now, found, &body, ends, &[]).await?, Updated::Done(_))
            }
            None => {
                let tags = records.tags(Some(&account.id), Some(client.id()), None);
                let key = consent_key(env, &account.id, client.id());
                match records.insert(call.now, &[records.new(key, None, tags, ends, &body)?]).await {
                    Ok(()) => true,
                    Err(StoreError::Occupied) => false,
                    Err(error) => return Err(error.into()),
                }
            }
        };
        if is_written {
            env.record(
                call,
                &Event::ConsentGiven { client: client.id().clone(), account: account.id.clone() },
            );
            return Ok(id);
        }
    }
    Err(Fault::unavailable("the consent was changed by others three times in a row"))
}

/// Forgets this consent, and no later one.
pub(crate) async fn forget(
    call: &Call,
    env: &Env,
    account: &Account,
    client: &Client,
    id: u64,
) -> Result<(), Fault> {
    let found = standing(call, env, account, client).await?.filter(|found| found.body.id == id);
    if let Some(found) = found {
        env.store.revoke(call.now, found.key, Some(found.revision), &[]).await?;
    }
    Ok(())
}

/// What was agreed to before, and what is allowed now.
pub(crate) fn widened(mut answer: ConsentAnswer, allowed: &Undecided) -> ConsentAnswer {
    answer.allow(&allowed.access);
    for name in &allowed.claims {
        answer.rejected_claims.retain(|rejected| **rejected != **name);
        if !answer.claims.iter().any(|have| **have == **name) {
            answer.claims.push(name.as_str().into());
        }
    }
    answer
}

/// What a withdrawal has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Whether there was anything to withdraw.
    pub is_withdrawn: bool,
    /// How many grants have ended.
    pub grants: u64,
}

/// Ends a consent, and every grant of the client that rests on it.
///
/// The consent ends first. An authorization that is under way looks for it after its grant was written
/// (`still_stands`), so that no order of the two leaves a grant. One that has the person's first yes has no
/// consent to look for: it writes its grant, then the consent, then looks whether its grant still lives
/// (`commit::remember`). So that neither of the two is left behind, a withdrawal that has ended anything
/// looks for both once more.
///
/// # Errors
/// A fault of the store; then calling it again goes on where it stopped.
pub async fn withdraw(
    call: &Call,
    env: &Env,
    account: &AccountId,
    client: &ClientId,
) -> Result<Withdrawn, Fault> {
    let (mut ended, mut is_withdrawn) = (0, false);
    // Each further round takes another yes at the same moment.
    for _ in 0..ROUNDS {
        let consent = env.records().revoke(call.now, consent_key(env, account, client)).await?;
        let grants = end_grants(call.now, env, account, client).await?;
        ended += grants;
        is_withdrawn |= consent == Revoked::Ended || grants > 0;
        if consent != Revoked::Ended && grants == 0 {
            break;
        }
    }
    if is_withdrawn {
        let (client, account) = (client.clone(), account.clone());
        env.record(call, &Event::ConsentWithdrawn { client, account });
    }
    if ended > 0 {
        let (client, account) = (client.clone(), Some(account.clone()));
        env.record(call, &Event::GrantEnded { client, account, why: GrantEnd::ConsentWithdrawn });
    }
    Ok(Withdrawn { is_withdrawn, grants: ended })
}

async fn end_grants(now: Timestamp, env: &Env, account: &AccountId, client: &ClientId) -> Result<u64, Fault> {
    const PAGE: usize = 100;
    let records = env.records();
    let tag = records.tags(Some(account), None, None).account;
    let Some(tag) = tag else { return Ok(0) };
    let (mut ended, mut after) = (0, None);
    loop {
        let page = env.store.list_tagged(now, Kind::GRANT, tag, after, PAGE).await?;
        for stored in &page {
            if GrantBody::decode(&stored.record.body)?.granted.client == *client {
                records.revoke(now, stored.record.key).await?;
                ended += 1;
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.record.key),
            _ => return Ok(ended),
        }
    }
}
