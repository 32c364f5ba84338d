//! Pages on another origin: the browser is sent there with its request, and the pages ask for their view.
//!
//! The request goes along sealed in the URL. One that is too long for that is stored, as a record of nobody,
//! for the browser that has sent it.

use std::ops::ControlFlow;
use std::sync::Arc;

use chancery_jose::{constant_time_eq, sha256};
use chancery_store::Tags;
use chancery_types::Timestamp;
use chancery_types::handle::{Handle, HandleDigest, Interaction};
use serde::{Deserialize, Serialize};

use super::answered::first_answer;
use super::commit::{self, proceed};
use super::form_token::{digest, open, seal};
use super::page::{browser, fresh_interaction, lost};
use super::pending::Pending;
use super::prompt::Needed;
use super::{Decided, Interactions, Outcome, carried, stored};
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::model::{Carrier, Done, Source};
use crate::records::{InteractionBody, InteractionId};
use crate::request::{PageError, Prompts, Received, Unsealed};

/// The longest sealed request that goes into a URL.
const LONGEST: usize = 2048;

/// The kind of what is sealed.
const SEALED: &str = "interaction at another origin";

/// A request on its way to pages on another origin.
#[derive(Serialize, Deserialize)]
struct Sealed {
    interaction: InteractionId,
    request: Carrier,
    source: Source,
    first_seen: Timestamp,
    /// Digest of the browser cookie: in another browser that learns the URL, the request begins anew.
    #[serde(with = "digest")]
    browser: [u8; 32],
}

/// Asks the person for what is needed: by a page of ours, or by those on another origin.
pub(crate) async fn ask(pending: &Pending<'_>, needed: Needed) -> Result<Decided, Fault> {
    let has_page =
        !matches!(needed, Needed::Impossible(_)) && matches!(pending.asked.prompts, Prompts::Asked(_));
    match &pending.by.config.location {
        Some(_) if has_page => send(pending).await,
        _ => commit::ask(pending, needed).await,
    }
}

/// Sends the browser to the pages.
async fn send(pending: &Pending<'_>) -> Result<Decided, Fault> {
    let (by, _, env) = pending.world();
    let (browser, fresh) = browser(pending);
    let sealed = Sealed {
        interaction: pending.interaction.unwrap_or_else(|| fresh_interaction(env)),
        request: pending.carrier()?,
        source: pending.purpose.source(),
        first_seen: pending.first_seen,
        browser,
    };
    let text = seal(env, by.keys(), SEALED, &sealed)?;
    let fits = text.len() <= LONGEST && !by.is_stored_by_client;
    let outcome = if fits { Outcome::Sealed(text) } else { store(pending, sealed).await? };
    Ok(Decided { browser: fresh, ..outcome.into() })
}

/// Stores the request for its browser, if there is room.
async fn store(pending: &Pending<'_>, sealed: Sealed) -> Result<Outcome<Unsealed>, Fault> {
    let (by, call, env) = pending.world();
    let (session, ends) = (pending.session(), call.now + by.config.lifetime);
    let most = by.config.anonymous_limit;
    if !env.limits.stored_requests.take((call.now, ends), session, call.network(), most) {
        return Err(Fault::unavailable("interaction.anonymous_limit requests are stored already"));
    }
    let browser = HandleDigest::from_bytes(&sealed.browser);
    let body = InteractionBody {
        interaction: sealed.interaction,
        request: sealed.request,
        source: sealed.source,
        first_seen: sealed.first_seen,
        session: None,
        browser: browser.ok_or_else(|| Fault::internal("a digest of another length"))?,
        done: Done::default(),
    };
    let handle = Handle::<Interaction>::new(env.partition(), env.secret());
    let record = env.records().new(handle.key(&env.realm), None, Tags::default(), ends, &body)?;
    env.records().insert(call.now, &[record]).await?;
    Ok(Outcome::Stored { handle, client: pending.client.id().clone() })
}

/// What the pages show for what their URL carries: a sealed request, or the handle of a stored one.
///
/// # Errors
/// An error for the pages to show.
pub(crate) async fn view(
    by: &Arc<Interactions>,
    call: &Call,
    env: &Env,
    text: &str,
) -> Result<Decided, PageError> {
    let Some(sealed) = open::<Sealed>(env, by.keys(), SEALED, text) else {
        return Box::pin(stored::page(by, call, env, text)).await;
    };
    let Sealed { interaction, request, source, first_seen, browser } = sealed;
    let is_of_browser =
        call.browser.as_deref().is_some_and(|cookie| constant_time_eq(&browser, &sha256(cookie)));
    if !is_of_browser {
        return Ok(stored::way_on(by, (call, env), Some(request.as_text()), stored::expects_nobody).await?);
    }
    let received = Received::again(carried::read(env, by.keys(), request.as_text())?, source);
    let mut pending = match stored::again(by, call, env, received).await? {
        ControlFlow::Continue(pending) => pending,
        ControlFlow::Break(next) => return Ok(next),
    };
    pending.interaction = Some(interaction);
    pending.first_seen = first_seen;
    if first_answer(call, env, interaction).await?.is_some() {
        return Ok(lost(&pending, true)?);
    }
    if call.now.distance(first_seen) > by.config.lifetime {
        return Ok(lost(&pending, false)?);
    }
    Ok(proceed(&pending).await?)
}
