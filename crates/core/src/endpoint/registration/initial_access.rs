//! RFC 7591 section 3, initial access tokens: who may register clients, how many, and under which policies.
//! Config     `[registration] policies`, `[[registration_policy]]`
//! Discovery  none

use std::time::Duration;

use chancery_store::{Revoked, StoreError, Tags, Updated};
use chancery_types::Timestamp;
use chancery_types::handle::{Handle, InitialAccessToken};
use zeroize::Zeroizing;

use super::INITIAL_ACCESS_TOKEN_UNKNOWN;
use crate::context::{Call, Env};
use crate::error::{Failure, Fault};
use crate::records::{Body as _, Found, InitialAccessTokenBody, initial_access_tokens};
use crate::rule::bearer::Scheme;

/// A token that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInitialAccessToken {
    /// The name by which it is listed and removed.
    pub name: Box<str>,
    /// The policies that its clients are held to; those of `[registration]` if there are none.
    pub policies: Vec<Box<str>>,
    /// How many clients it registers; any number if absent.
    pub count: Option<u32>,
    /// How long it is good.
    pub lifetime: Duration,
}

/// How many tokens are read at once.
const PAGE: usize = 200;

/// How often a count is read again that others lower at the same moment.
const TRIES: usize = 10;

/// The token of the request, if it has one.
pub(super) async fn presented(
    call: &Call,
    env: &Env,
) -> Result<Option<Found<InitialAccessTokenBody>>, Failure> {
    let Some(header) = call.authorization.as_deref() else { return Ok(None) };
    let (_, token) = Scheme::of(header, false)?;
    let unknown = || Failure::from(&INITIAL_ACCESS_TOKEN_UNKNOWN);
    let token = Handle::<InitialAccessToken>::parse(token).map_err(|_| unknown())?;
    let found = env.records().get::<InitialAccessTokenBody>(call.now, token.key(&env.realm)).await?;
    let found = found.filter(|found| found.body.left != Some(0));
    found.map(Some).ok_or_else(unknown)
}

/// Counts one client of the token, before it is stored: a client too few is better than one too many.
pub(super) async fn lower(
    call: &Call,
    env: &Env,
    mut found: Found<InitialAccessTokenBody>,
) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let Some(left) = found.body.left else { return Ok(()) };
        let left = left.checked_sub(1).ok_or(&INITIAL_ACCESS_TOKEN_UNKNOWN)?;
        let body = InitialAccessTokenBody { left: Some(left), ..found.body.clone() };
        match env.records().update(call.now, &found, &body, found.expires_at, &[]).await? {
            Updated::Done(_) => return Ok(()),
            _ => {
                let again = env.records().get(call.now, found.key).await?;
                found = again.ok_or(&INITIAL_ACCESS_TOKEN_UNKNOWN)?;
            }
        }
    }
    Err(Fault::unavailable("the count of the initial access token changes all the time").into())
}

/// Makes a token. `None` if there is one of this name.
pub(crate) async fn add(
    env: &Env,
    now: Timestamp,
    wanted: NewInitialAccessToken,
) -> Result<Option<Zeroizing<String>>, Fault> {
    if list(env, now).await?.iter().any(|found| found.body.name == wanted.name) {
        return Ok(None);
    }
    let token = Handle::<InitialAccessToken>::new(env.partition(), env.secret());
    let tags = Tags { client: Some(initial_access_tokens(&env.realm)), ..Tags::default() };
    let body = InitialAccessTokenBody { name: wanted.name, policies: wanted.policies, left: wanted.count };
    let record = env.records().new(token.key(&env.realm), None, tags, now + wanted.lifetime, &body)?;
    env.records().insert(now, &[record]).await.map_err(|error: StoreError| Fault::from(error))?;
    Ok(Some(Zeroizing::new(token.reveal())))
}

/// All tokens that are still good, by name.
pub(crate) async fn list(env: &Env, now: Timestamp) -> Result<Vec<Found<InitialAccessTokenBody>>, Fault> {
    let tag = initial_access_tokens(&env.realm);
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = env.store.list_tagged(now, InitialAccessTokenBody::KIND, tag, after, PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|stored| stored.record.key);
        for stored in page {
            all.push(Found {
                key: stored.record.key,
                revision: stored.revision,
                consumed_at: stored.consumed_at,
                expires_at: stored.record.expires_at,
                body: InitialAccessTokenBody::decode(&stored.record.body)?,
            });
        }
        if is_last {
            all.sort_by(|a, b| a.body.name.cmp(&b.body.name));
            return Ok(all);
        }
    }
}

/// Removes the token of this name; clients that it registered stay. `false` if there is none.
pub(crate) async fn remove(env: &Env, now: Timestamp, name: &str) -> Result<bool, Fault> {
    let all = list(env, now).await?;
    let Some(found) = all.into_iter().find(|found| *found.body.name == *name) else { return Ok(false) };
    Ok(env.records().revoke(now, found.key).await? == Revoked::Ended)
}
