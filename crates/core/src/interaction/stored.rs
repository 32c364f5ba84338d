//! A stored interaction: read again for the browser and the session that it was stored for.

use std::ops::ControlFlow;
use std::sync::Arc;

use chancery_jose::sha256;
use chancery_types::Params;
use chancery_types::handle::{Handle, HandleDigest, Interaction};

use super::answered::first_answer;
use super::commit::{proceed, refuse_stored, tell};
use super::page::{lost, lost_page};
use super::pending::Pending;
use super::user_code::{self, UserCodeProblem};
use super::{Decided, INTERACTION_OF_ANOTHER_CLIENT, Interactions, KEPT, approval, carried};
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, Refusal};
use crate::model::{Carried, Client, Source};
use crate::records::{Found, InteractionBody, InteractionId};
use crate::request::{PageError, Received, Refused};

/// The page of a stored interaction.
///
/// # Errors
/// A page, when something broke.
pub(crate) async fn page(
    by: &Arc<Interactions>,
    call: &Call,
    env: &Env,
    handle: &str,
) -> Result<Decided, PageError> {
    let Some(found) = find(call, env, handle).await? else { return Ok(lost_page(env, None, None, false)) };
    if !is_of_browser(call, handle, &found) {
        // It learns which client it was, and of a request that belongs to a person nothing. Nobody's is started
        // again: of two tabs that a browser has opened at the same moment, only one has the cookie that stays.
        let is_of_nobody = found.body.session.is_none();
        let can_restart = |params: &Params<'_>| is_of_nobody && expects_nobody(params);
        return Ok(way_on(by, (call, env), Some(found.body.request.as_text()), can_restart).await?);
    }
    match reopen(by, call, env, handle, &found).await? {
        ControlFlow::Continue(pending) if pending.waits().is_some() => match pending.decided()? {
            Some(next) => Ok(next),
            None => Ok(proceed(&pending).await?),
        },
        ControlFlow::Continue(pending)
            if first_answer(call, env, found.body.interaction).await?.is_some() =>
        {
            Ok(lost(&pending, true)?)
        }
        ControlFlow::Continue(pending) => Ok(proceed(&pending).await?),
        ControlFlow::Break(next) => Ok(next),
    }
}

/// The record behind a handle.
pub(super) async fn find(
    call: &Call,
    env: &Env,
    handle: &str,
) -> Result<Option<Found<InteractionBody>>, Fault> {
    match Handle::<Interaction>::parse(handle) {
        Ok(handle) => env.records().get(call.now, handle.key(&env.realm)).await,
        Err(_) => Ok(None),
    }
}

/// Whether the interaction was stored for this browser, or a cookie of this browser holds its handle.
pub(super) fn is_of_browser(call: &Call, handle: &str, found: &Found<InteractionBody>) -> bool {
    if call.held_interaction.as_deref() == Some(handle) {
        return true;
    }
    let shown = call.browser.as_deref().and_then(|cookie| HandleDigest::from_bytes(&sha256(cookie)));
    shown.is_some_and(|shown| shown == found.body.browser)
}

/// The request of a record, for the session that it belongs to; else the page that says why not.
pub(super) async fn reopen<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    handle: &str,
    found: &Found<InteractionBody>,
) -> Result<ControlFlow<Decided, Pending<'a>>, PageError> {
    let InteractionBody { interaction, request: carrier, source, first_seen, session, done, .. } =
        &found.body;
    let pending = match approval::read(env, by.keys(), carrier.as_text()) {
        Some(reference) => approval::again(by, call, env, &reference).await?,
        None => {
            let carried = carried::read(env, by.keys(), carrier.as_text())?;
            let carried = Carried { params: carried.params.into_owned(), ..carried };
            redirected(by, call, env, *interaction, Received::again(carried, *source)).await?
        }
    };
    let mut pending = match pending {
        ControlFlow::Continue(pending) => pending,
        ControlFlow::Break(next) => return Ok(ControlFlow::Break(next)),
    };
    let handle = Handle::parse(handle).map_err(|_| Fault::internal("a handle that cannot be read back"))?;
    pending.interaction = Some(*interaction);
    pending.first_seen = *first_seen;
    pending.done = done.clone();
    pending.stored_at = Some(handle);
    let Some(session) = session else { return Ok(ControlFlow::Continue(pending.with_person().await?)) };
    let is_over = call.now + KEPT > found.expires_at;
    let person = by.sessions.of_key(call, env, *session).await?;
    let Some(person) = person.filter(|_| !is_over) else {
        return Ok(ControlFlow::Break(lost(&pending, false)?));
    };
    pending.belongs_to_session(person).await?;
    Ok(ControlFlow::Continue(pending))
}

/// The request of a record, if its answer goes to a redirect URI.
async fn redirected<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    interaction: InteractionId,
    received: Received<'a>,
) -> Result<ControlFlow<Decided, Pending<'a>>, PageError> {
    let addressed =
        received.resolve(call, env, &by.rules.resolver).await?.address(env, &by.rules.offered).await?;
    is_meant(call, &addressed.client)?;
    match addressed.validate(&by.rules) {
        Ok(request) => Ok(ControlFlow::Continue(Pending::new(by, call, env, request))),
        Err(Refused { addressed, why }) => {
            Ok(ControlFlow::Break(refuse_stored(by, call, env, interaction, (&*addressed, &why)).await?))
        }
    }
}

/// Pages that say for which client they ask get no other's interaction.
fn is_meant(call: &Call, client: &Client) -> Result<(), Refusal> {
    match &call.meant_client {
        Some(meant) if **meant != *client.id().as_str() => INTERACTION_OF_ANOTHER_CLIENT.refused(),
        _ => Ok(()),
    }
}

/// A request that comes back is validated from the beginning, and its person is looked for.
pub(super) async fn again<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    received: Received<'a>,
) -> Result<ControlFlow<Decided, Pending<'a>>, PageError> {
    let addressed =
        received.resolve(call, env, &by.rules.resolver).await?.address(env, &by.rules.offered).await?;
    is_meant(call, &addressed.client)?;
    match addressed.validate(&by.rules) {
        Ok(request) => Ok(ControlFlow::Continue(Pending::new(by, call, env, request).with_person().await?)),
        Err(Refused { addressed, why }) => Ok(ControlFlow::Break(tell(call, env, &addressed, &why))),
    }
}

/// The record of a page is gone, but its form still carries the request: it can be started again.
pub(super) async fn lost_form(
    by: &Arc<Interactions>,
    (call, env): (&Call, &Env),
    form: &Params<'_>,
) -> Result<Decided, Fault> {
    way_on(by, (call, env), form.one("request").ok().flatten(), |_| true).await
}

/// Whether a request does not say who the person is.
pub(super) fn expects_nobody(params: &Params<'_>) -> bool {
    !params.has("login_hint") && !params.has("id_token_hint")
}

/// The page for a request of which nothing else is known: back to its client, or once more from the
/// beginning.
pub(super) async fn way_on(
    by: &Arc<Interactions>,
    (call, env): (&Call, &Env),
    carrier: Option<&str>,
    can_restart: impl Fn(&Params<'_>) -> bool,
) -> Result<Decided, Fault> {
    match carrier.and_then(|carrier| approval::read(env, by.keys(), carrier)) {
        Some(approval::Reference::Device { .. }) => {
            return user_code::page(by, call, env, None, Some(UserCodeProblem::Stale));
        }
        Some(reference) => return approval::lost(by, call, env, &reference),
        None => {}
    }
    let carried = carrier.and_then(|carrier| carried::read(env, by.keys(), carrier).ok());
    let Some(carried) = carried else { return Ok(lost_page(env, None, None, false)) };
    let received = Received::again(carried, Source::Browser);
    let addressed = match received.resolve(call, env, &by.rules.resolver).await {
        Ok(resolved) => resolved.address(env, &by.rules.offered).await,
        Err(error) => Err(error),
    };
    match addressed {
        Ok(addressed) => {
            let restart = by.restart(&addressed).filter(|_| can_restart(&addressed.params));
            Ok(lost_page(env, Some(&addressed), restart, false))
        }
        Err(PageError { failure: Failure::Broken(fault), .. }) => Err(fault),
        Err(_) => Ok(lost_page(env, None, None, false)),
    }
}
