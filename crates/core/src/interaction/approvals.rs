//! CIBA Core section 8, RFC 10027 section 6.1: what waits for the person who is signed in, and the page on which
//! they decide about one of these.
//!
//! A link names a request by the key of its record. That is no secret and opens nothing: only the person whom
//! the client has named sees the request, and whoever else follows the link learns as much as from one that
//! leads nowhere.
//! Config     `[ciba]`
//! Discovery  none

use std::ops::ControlFlow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_store::Record;
use chancery_types::{AccountId, Key, Kind, Params, Timestamp};

use super::approval::{self, Waiting};
use super::commit::proceed;
use super::known::named as named_person;
use super::view::{ApprovalDoneView, ApprovalsView, ClientView, FormView, View, WaitingView};
use super::visit::{self, Visit};
use super::{Decided, Interactions, Outcome};
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::model::{Client, PromptName};
use crate::notifier::Notifying;
use crate::records::{BackchannelAuthenticationBody, DeliveryBody, Found, Notice};
use crate::request::PageError;

/// Why there is nothing to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApprovalProblem {
    /// Nothing waits there for whoever is signed in.
    Unknown,
    /// Its time is over, or its client is gone.
    Ended,
    /// It was decided before.
    Decided,
    /// The person has gone before anything was decided.
    Undecided,
}

/// How many requests are read at once, and in how many turns at most: more than can wait for one person.
const PAGE: usize = 100;
const PAGES: usize = 10;

/// How a link names a request.
#[must_use]
pub fn reference(key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(key.as_bytes())
}

/// The request that a link names.
pub(super) fn named(reference: &str) -> Option<Key> {
    let key = Key::from_bytes(&URL_SAFE_NO_PAD.decode(reference).ok()?)?;
    (key.kind() == Kind::BACKCHANNEL_AUTHENTICATION).then_some(key)
}

/// What waits for the person who is signed in, or the one request that the link names. Whoever is not signed in
/// does that first, and whoever wishes to be somebody else as well (`prompt=login`).
///
/// # Errors
/// A page, when something broke.
pub(crate) async fn show(
    by: &Arc<Interactions>,
    call: &Call,
    env: &Env,
    link: Option<&str>,
    params: &Params<'_>,
) -> Result<Decided, PageError> {
    let named = link.and_then(named);
    let wants_another = params.one("prompt")? == Some("login");
    let person = match call.sessions.first() {
        Some(handle) if !wants_another => by.sessions.of_key(call, env, handle.key(&env.realm)).await?,
        _ => None,
    };
    let Some(person) = person else {
        let wants = wants_another.then_some(PromptName::Login);
        let to = Visit::Approvals(link.and(named));
        return Ok(Box::pin(visit::sign_in(by, call, env, to, wants)).await?);
    };
    if link.is_none() {
        let waiting = waiting(call, env, &person.account.id).await?;
        let view = ApprovalsView {
            account: Some(named_person(env, &person).await?),
            waiting: views(call, env, waiting).await?,
            problem: None,
            reference: None,
        };
        return Ok(Outcome::Page(Box::new(View::Approvals(view))).into());
    }
    let found = match named {
        Some(key) => env.records().get(call.now, key).await?,
        None => None,
    };
    let Some(found) = found else { return Ok(told(ApprovalProblem::Unknown, named)) };
    match approval::open(by, call, env, Waiting::Backchannel(found)).await? {
        ControlFlow::Continue(pending) => Ok(Box::pin(proceed(&pending)).await?),
        ControlFlow::Break(next) => Ok(next),
    }
}

/// The notice of a new request, to be stored in the same step; `None` if nobody wants to hear of it. Whoever stores
/// it wakes the worker.
///
/// # Errors
/// As [`Body::encode`](crate::records::Body::encode).
pub fn notice(
    by: &Interactions,
    call: &Call,
    env: &Env,
    (client, account): (&Client, &AccountId),
    (key, deadline): (Key, Timestamp),
) -> Result<Option<Record>, Fault> {
    if matches!(env.notifying, Notifying::Nobody) {
        return Ok(None);
    }
    let link = format!("{}/{}", by.approvals, reference(&key)).into();
    let notice = (Notice::Approval { request: key, link }, deadline);
    DeliveryBody::due(call, env, key.partition(), (client, account), notice).map(Some)
}

/// What waits for this person, the oldest first.
async fn waiting(
    call: &Call,
    env: &Env,
    account: &AccountId,
) -> Result<Vec<Found<BackchannelAuthenticationBody>>, Fault> {
    let Some(tag) = env.records().tags(Some(account), None, None).account else { return Ok(Vec::new()) };
    let (mut waiting, mut after) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page =
            env.records().list_tagged::<BackchannelAuthenticationBody>(call.now, tag, after, PAGE).await?;
        after = page.last().map(|found| found.key);
        let is_last = page.len() < PAGE;
        waiting.extend(page.into_iter().filter(|found| {
            let awaited = &found.body.awaited;
            awaited.decision.is_none() && awaited.deadline > call.now
        }));
        if is_last {
            break;
        }
    }
    waiting.sort_by_key(|found| found.body.origin.at);
    Ok(waiting)
}

/// The same in words, without those whose client is gone.
async fn views(
    call: &Call,
    env: &Env,
    waiting: Vec<Found<BackchannelAuthenticationBody>>,
) -> Result<Vec<WaitingView>, Fault> {
    let mut views = Vec::with_capacity(waiting.len());
    for Found { key, body, .. } in waiting {
        let client = env.registry.client(&env.realm, &body.client).await?;
        let client =
            client.filter(|client| client.is_enabled() && client.registration() == body.registration);
        views.extend(client.map(|client| WaitingView {
            client: ClientView::of(&client, &env.issuer),
            binding_message: body.binding_message.as_deref().map(str::to_owned),
            asked_before: call.now.since(body.origin.at),
            ends_in: body.awaited.deadline.since(call.now),
            reference: reference(&key),
        }));
    }
    Ok(views)
}

/// The page that says why there is nothing to decide. With a request, the person can look for it as somebody
/// else.
pub(super) fn told(problem: ApprovalProblem, key: Option<Key>) -> Decided {
    let reference = key.as_ref().map(reference);
    let view = ApprovalsView { account: None, waiting: Vec::new(), problem: Some(problem), reference };
    Outcome::Page(Box::new(View::Approvals(view))).into()
}

/// The page after a decision.
pub(super) fn done(client: ClientView, is_approved: bool, again: FormView) -> Decided {
    Outcome::Page(Box::new(View::ApprovalDone(ApprovalDoneView { client, is_approved, again }))).into()
}
