//! RFC 8628 section 3.3: the person decides here about a request of another device, which polls for the
//! decision.
//!
//! The form of a page carries the name of the request's record, sealed, so that only who has typed the right
//! user code has one. The decision is written into that record once, by compare-and-set; grant and approval
//! are written before. Until then nothing is marked: an approval that was left is taken up again by typing
//! the code once more.

use std::ops::ControlFlow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_store::Updated;
use chancery_types::iana::ErrorCode;
use chancery_types::{Key, Params, Timestamp, UserCode};
use serde::{Deserialize, Serialize};

use super::answered::{Names, names};
use super::commit::{
    CONSENT_WITHDRAWN, SessionChange, Written, record_yes, remember, still_stands, take_back, write,
    written_with,
};
use super::form_token::{open as unseal, seal};
use super::grant::Allowed;
use super::pending::{Pending, Purpose};
use super::user_code::{self, UserCodeProblem};
use super::view::{ClientView, DeviceDoneView, View};
use super::{Decided, Interactions, Outcome};
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::event::{Endpoint, Event, GrantEnd, RefusedClient};
use crate::issue::Yes;
use crate::keys::KeySet;
use crate::model::Carrier;
use crate::records::{Decision, DeviceCodeBody, Found};
use crate::request::{Door, PageError};

reasons! {
    /// The person has not confirmed yet that the request comes from a device of their own.
    pub CONFIRMATION_MISSING = Reason {
        name: "confirmation_missing",
        code: ErrorCode::InteractionRequired,
        description: "the End-User has to confirm the request of the device",
        section: "RFC 8628 section 3.3",
    };
    /// The person has decided when the time of the device code was over.
    pub DECISION_TOO_LATE = Reason {
        name: "decision_too_late",
        code: ErrorCode::ExpiredToken,
        description: "the device code has expired",
        section: "RFC 8628 section 3.5",
    };
}

/// The one parameter that a form carries instead of a request.
const APPROVAL: &str = "approval";

/// How often a record that others change is read again.
const RACES: usize = 3;

/// A request of another device, which waits for a decision.
pub(crate) struct Waiting {
    pub(super) found: Found<DeviceCodeBody>,
    /// What the person has typed, for the pages that show it.
    pub(super) user_code: UserCode,
}

/// What a form carries of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Reference {
    record: Key,
    user_code: Box<str>,
}

impl Waiting {
    /// The request in plain text: what tells it from others.
    pub(super) fn plain(&self) -> Carrier {
        let record = URL_SAFE_NO_PAD.encode(self.found.key.as_bytes());
        Carrier::of(&std::iter::once((APPROVAL.to_owned(), record)).collect::<Params<'_>>())
    }

    /// What a form carries for it.
    pub(super) fn carrier(&self, env: &Env, keys: &KeySet) -> Result<Carrier, Fault> {
        let reference = Reference { record: self.found.key, user_code: self.user_code.as_str().into() };
        let sealed = seal(env, keys, APPROVAL, &reference)?;
        Ok(Carrier::of(&std::iter::once((APPROVAL.to_owned(), sealed)).collect::<Params<'_>>()))
    }
}

/// What a form has carried, if it is a request of another device.
pub(super) fn read(env: &Env, keys: &KeySet, carrier: &str) -> Option<Reference> {
    let params = Params::parse(carrier).ok()?;
    unseal(env, keys, APPROVAL, params.one(APPROVAL).ok()??)
}

/// The request of a form or of a stored interaction.
pub(super) async fn again<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    reference: &Reference,
) -> Result<ControlFlow<Decided, Pending<'a>>, PageError> {
    let found = env.records().get(call.now, reference.record).await?;
    let code = UserCode::read(&reference.user_code).ok();
    match found.zip(code) {
        Some((found, user_code)) => open(by, call, env, Waiting { found, user_code }).await,
        None => Ok(ControlFlow::Break(user_code::page(by, call, env, None, Some(UserCodeProblem::Ended))?)),
    }
}

/// The request behind a user code, validated from the beginning, because registrations change. One that has
/// ended leads to the page for another code.
pub(super) async fn open<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    waiting: Waiting,
) -> Result<ControlFlow<Decided, Pending<'a>>, PageError> {
    let body = &waiting.found.body;
    let client = env.registry.client(&env.realm, &body.client).await?;
    let client = client.filter(|client| client.is_enabled() && client.registration() == body.registration);
    let is_over = body.awaited.decision.is_none() && body.awaited.deadline <= call.now;
    let Some(client) = client.filter(|_| !is_over) else {
        return Ok(ControlFlow::Break(user_code::page(by, call, env, None, Some(UserCodeProblem::Ended))?));
    };
    let params = body.request.params()?;
    match by.rules.unaddressed(env, &client, (&params, body.source), Door::Device).await {
        Ok(asked) => {
            drop(params);
            let pending = Pending::waiting(by, call, env, client, asked, waiting);
            Ok(ControlFlow::Continue(pending))
        }
        Err(failure) => {
            if let Failure::Refused(why) = &failure {
                let decision = Decision::Refused { by: None, reason: why.reason.name.into() };
                decide(call, env, &waiting.found, decision, waiting.found.body.awaited.deadline).await?;
            }
            let client_id = client.id().clone();
            Err(PageError { failure, way_on: Some(client), client: Some(client_id) })
        }
    }
}

impl Pending<'_> {
    /// The request of another device that is decided here.
    pub(super) fn waits(&self) -> Option<&Waiting> {
        match &self.purpose {
            Purpose::Decide(waiting) => Some(waiting),
            Purpose::Respond(_) => None,
        }
    }

    /// Where it leads if it was decided: whoever repeats the last step of an interaction sees once more what
    /// came of it, and anybody else that the code was used.
    pub(super) fn decided(&self) -> Result<Option<Decided>, Fault> {
        let decision = self.waits().and_then(|waiting| waiting.found.body.awaited.decision.as_ref());
        decision.map(|decision| self.shows(decision)).transpose()
    }

    fn shows(&self, decision: &Decision) -> Result<Decided, Fault> {
        if decision.is_of(self.interaction) {
            return Ok(done(self, matches!(decision, Decision::Approved { .. })));
        }
        user_code::page(&self.by, self.call, self.env, None, Some(UserCodeProblem::Used))
    }
}

/// Writes the grant, and the approval that the device exchanges for tokens; then the decision.
pub(super) async fn approve(
    pending: &Pending<'_>,
    change: SessionChange,
    allowed: Allowed,
) -> Result<Decided, Fault> {
    let (by, call, env) = pending.world();
    let interaction = pending.interaction.ok_or_else(|| Fault::internal("an approval without a page"))?;
    let waiting = pending.waits().ok_or_else(|| Fault::internal("an approval of nothing"))?;
    let session = change.session;
    let Names { grant, code } = names(&by, interaction, session, by.keys().newest().version)?;
    let yes = Yes {
        session,
        authentication: &change.authentication,
        access: allowed.access,
        details: allowed.details,
        claims: allowed.claims,
        grant,
        code,
    };
    // Whoever decides at the last moment leaves the device the time to learn of it.
    let deadline = waiting.found.body.awaited.deadline.max(call.now + by.issuer.authorization_code.lifetime);
    let drafted = by.issuer.draft_approval((call, env), &pending.client, &pending.asked, yes, deadline)?;
    let written = write(pending, &change, drafted.records).await?;
    if written == Written::Lost {
        return super::page::lost(pending, false);
    }
    let decision = Decision::Approved {
        by: interaction,
        approval: drafted.approval,
        granted: Box::new(drafted.granted),
        nonce: pending.asked.nonce.clone(),
    };
    let next = if !still_stands(pending).await? {
        take_back(pending, grant, written).await?;
        let client = pending.client.id().clone();
        env.record(call, &Event::GrantEnded { client, why: GrantEnd::ConsentWithdrawn });
        refuse(pending, &(&CONSENT_WITHDRAWN).into()).await?
    } else {
        match decide(call, env, &waiting.found, decision, deadline).await? {
            None => {
                remember(pending, Some(grant)).await?;
                record_yes(pending, &change).await;
                done(pending, true)
            }
            // The same step in another request has written the same grant.
            Some(first) if first.is_of(Some(interaction)) => done(pending, true),
            Some(first) => {
                take_back(pending, grant, written).await?;
                pending.shows(&first)?
            }
        }
    };
    written_with(pending, change, next).await
}

/// The device is told no, when it polls next.
pub(super) async fn refuse(pending: &Pending<'_>, why: &Refusal) -> Result<Decided, Fault> {
    let (_, call, env) = pending.world();
    let waiting = pending.waits().ok_or_else(|| Fault::internal("a refusal of nothing"))?;
    let decision = Decision::Refused { by: pending.interaction, reason: why.reason.name.into() };
    let deadline = waiting.found.body.awaited.deadline;
    if let Some(first) = decide(call, env, &waiting.found, decision, deadline).await? {
        return pending.shows(&first);
    }
    let client = RefusedClient::Claimed(pending.client.id().clone());
    env.record_failure(call, Endpoint::UserCode, Some(client), &Failure::Refused(why.clone()));
    Ok(done(pending, false))
}

/// Makes this the decision: `None` when it is, else the one that was first.
async fn decide(
    call: &Call,
    env: &Env,
    seen: &Found<DeviceCodeBody>,
    decision: Decision,
    deadline: Timestamp,
) -> Result<Option<Decision>, Fault> {
    let mut latest: Option<Found<DeviceCodeBody>> = None;
    for _ in 0..RACES {
        let found = latest.as_ref().unwrap_or(seen);
        if let Some(first) = &found.body.awaited.decision {
            return Ok(Some(first.clone()));
        }
        let mut body = found.body.clone();
        body.awaited.decision = Some(decision.clone());
        body.awaited.deadline = deadline;
        let ends = found.expires_at + deadline.since(found.body.awaited.deadline);
        match env.records().update(call.now, found, &body, ends, &[]).await? {
            Updated::Done(_) => {
                if let Some(approved) = body.approved() {
                    env.guessing.approvals.remember(call.now, found.key, approved);
                }
                return Ok(None);
            }
            Updated::Stale => latest = env.records().get(call.now, found.key).await?,
            Updated::Gone => latest = None,
        }
        if latest.is_none() {
            // Its time was over at this moment.
            return Ok(Some(Decision::Refused { by: None, reason: DECISION_TOO_LATE.name.into() }));
        }
    }
    Err(Fault::unavailable("the device code was changed by others three times in a row"))
}

/// The last page: the person goes back to the device.
fn done(pending: &Pending<'_>, is_approved: bool) -> Decided {
    let ui_locales = pending.asked.ui_locales.clone();
    let view = DeviceDoneView { client: ClientView::of(&pending.client), is_approved, ui_locales };
    Outcome::Page(Box::new(View::DeviceDone(view))).into()
}
