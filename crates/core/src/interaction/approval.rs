//! RFC 8628 section 3.3, CIBA Core section 8: the person decides here about a request that no browser has
//! brought, and whose client polls for the decision or is told of it.
//!
//! The form of a page carries the name of the request's record, sealed, so that only who has typed the right
//! user code, or is the person who is asked, has one. The decision is written into that record once, by
//! compare-and-set; grant and approval are written before. Until then nothing is marked: an approval that was
//! left is taken up again by typing the code, or following the link, once more.

use std::ops::ControlFlow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_store::{Record, Updated};
use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{Key, Params, Timestamp, UserCode};
use serde::{Deserialize, Serialize};

use super::answered::{Names, names};
use super::approvals::{self, ApprovalProblem};
use super::client_notification::{self, Answer};
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
use crate::model::{Carrier, Client, PromptName, Source};
use crate::records::{
    Awaited, AwaitsDecision, BackchannelAuthenticationBody, Body, Decision, DeviceCodeBody, Found,
    RequestOrigin,
};
use crate::request::addressed::CLIENT_DISABLED;
use crate::request::{Door, PageError};

reasons! {
    /// The person has not confirmed yet that the request comes from a device of their own.
    pub CONFIRMATION_MISSING = Reason {
        name: "confirmation_missing",
        code: ErrorCode::InteractionRequired,
        description: "the End-User has to confirm the request of the device",
        section: "RFC 8628 section 3.3",
    };
    /// The person has not approved yet what was asked for in the background.
    pub APPROVAL_MISSING = Reason {
        name: "approval_missing",
        code: ErrorCode::InteractionRequired,
        description: "the End-User has to approve the request",
        section: "CIBA Core section 8",
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

/// A request that waits for a decision.
pub(crate) enum Waiting {
    /// That of a device (RFC 8628 section 3.1).
    Device {
        found: Found<DeviceCodeBody>,
        /// What the person has typed, for the pages that show it.
        user_code: UserCode,
    },
    /// That of a client which has named the person (CIBA Core section 7.1).
    Backchannel(Found<BackchannelAuthenticationBody>),
}

/// What a form carries of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reference {
    Device { record: Key, user_code: Box<str> },
    Backchannel { record: Key },
}

impl Waiting {
    fn key(&self) -> Key {
        match self {
            Self::Device { found, .. } => found.key,
            Self::Backchannel(found) => found.key,
        }
    }

    /// The record, of whichever kind.
    fn record(&self) -> &dyn AwaitsDecision {
        match self {
            Self::Device { found, .. } => &found.body,
            Self::Backchannel(found) => &found.body,
        }
    }

    /// By which door it came.
    fn door(&self) -> Door {
        match self {
            Self::Device { .. } => Door::Device,
            Self::Backchannel(_) => Door::Backchannel,
        }
    }

    /// Who vouches for it.
    pub(super) fn source(&self) -> Source {
        self.record().source()
    }

    /// Where it came from.
    pub(super) fn origin(&self) -> &RequestOrigin {
        self.record().origin()
    }

    pub(super) fn awaited(&self) -> &Awaited {
        self.record().awaited()
    }

    fn grant_type(&self) -> GrantType {
        match self {
            Self::Device { .. } => GrantType::DeviceCode,
            Self::Backchannel(_) => GrantType::Ciba,
        }
    }

    fn endpoint(&self) -> Endpoint {
        match self {
            Self::Device { .. } => Endpoint::UserCode,
            Self::Backchannel(_) => Endpoint::Approvals,
        }
    }

    /// The page for one that has ended, or about which somebody has decided.
    fn over(&self, call: &Call, env: &Env, by: &Interactions) -> Result<Decided, Fault> {
        let is_used = self.awaited().decision.is_some();
        match self {
            Self::Device { .. } => {
                let problem = if is_used { UserCodeProblem::Used } else { UserCodeProblem::Ended };
                user_code::page(by, call, env, None, Some(problem))
            }
            Self::Backchannel(_) => {
                let problem = if is_used { ApprovalProblem::Decided } else { ApprovalProblem::Ended };
                Ok(approvals::told(problem, None))
            }
        }
    }

    /// The request in plain text: what tells it from others.
    pub(super) fn plain(&self) -> Carrier {
        let record = URL_SAFE_NO_PAD.encode(self.key().as_bytes());
        Carrier::of(&std::iter::once((APPROVAL.to_owned(), record)).collect::<Params<'_>>())
    }

    /// What a form carries for it.
    pub(super) fn carrier(&self, env: &Env, keys: &KeySet) -> Result<Carrier, Fault> {
        let record = self.key();
        let reference = match self {
            Self::Device { user_code, .. } => {
                Reference::Device { record, user_code: user_code.as_str().into() }
            }
            Self::Backchannel(_) => Reference::Backchannel { record },
        };
        let sealed = seal(env, keys, APPROVAL, &reference)?;
        Ok(Carrier::of(&std::iter::once((APPROVAL.to_owned(), sealed)).collect::<Params<'_>>()))
    }
}

/// What a form has carried, if it is a request that waits for a decision.
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
    let waiting = match reference {
        Reference::Device { record, user_code } => {
            let found = env.records().get(call.now, *record).await?;
            let code = UserCode::read(user_code).ok();
            found.zip(code).map(|(found, user_code)| Waiting::Device { found, user_code })
        }
        Reference::Backchannel { record } => {
            env.records().get(call.now, *record).await?.map(Waiting::Backchannel)
        }
    };
    match waiting {
        Some(waiting) => open(by, call, env, waiting).await,
        None => Ok(ControlFlow::Break(lost(by, call, env, reference)?)),
    }
}

/// The page for a request of which there is no record any more, or whose page was not of this browser.
pub(super) fn lost(
    by: &Interactions,
    call: &Call,
    env: &Env,
    reference: &Reference,
) -> Result<Decided, Fault> {
    match reference {
        Reference::Device { .. } => user_code::page(by, call, env, None, Some(UserCodeProblem::Ended)),
        Reference::Backchannel { record } => Ok(approvals::told(ApprovalProblem::Unknown, Some(*record))),
    }
}

/// The request that waits, validated from the beginning, because registrations change. One that has ended leads
/// to the page that says so. Whoever is not the person whom a client has named learns nothing of it.
pub(super) async fn open<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    waiting: Waiting,
) -> Result<ControlFlow<Decided, Pending<'a>>, PageError> {
    let person = match &waiting {
        Waiting::Device { .. } => None,
        Waiting::Backchannel(found) => match by.sessions.of_account(call, env, &found.body.account).await? {
            Some(person) => Some(person),
            None => {
                let page = approvals::told(ApprovalProblem::Unknown, Some(found.key));
                return Ok(ControlFlow::Break(page));
            }
        },
    };
    let (client_id, registration) = waiting.record().asked_by();
    let client = env.registry.client(&env.realm, client_id).await?;
    if client.as_ref().is_some_and(|client| !client.is_enabled()) {
        // The person is told that the request has ended.
        let claimed = Some(RefusedClient::Claimed(client_id.clone()));
        env.record_failure(call, Endpoint::Interaction, claimed, &Failure::from(&CLIENT_DISABLED));
    }
    let client = client.filter(|client| client.is_enabled() && client.registration() == registration);
    let awaited = waiting.awaited();
    let is_over = awaited.decision.is_none() && awaited.deadline <= call.now;
    let Some(client) = client.filter(|_| !is_over) else {
        return Ok(ControlFlow::Break(waiting.over(call, env, by)?));
    };
    let params = waiting.record().request().params()?;
    match by.rules.unaddressed(env, &client, (&params, waiting.source()), waiting.door()).await {
        Ok(mut asked) => {
            drop(params);
            if let Waiting::Backchannel(found) = &waiting {
                // GAP-01: asked at every step, whoever signs in on the way.
                let subject = by.issuer.subjects.of(&client, &found.body.account);
                asked.expected = vec![subject.as_str().into()];
            }
            let mut pending = Pending::waiting(by, call, env, client, asked, waiting);
            if let Some(person) = person {
                pending.belongs_to_session(person).await?;
            }
            Ok(ControlFlow::Continue(pending))
        }
        Err(failure) => {
            if let Failure::Refused(why) = &failure {
                let decision = Decision::Refused { by: None, reason: why.reason.name.into() };
                let answer = Answer::No(why.reason);
                let deadline = waiting.awaited().deadline;
                decide(by, (call, env), &client, &waiting, (decision, deadline, &answer)).await?;
            }
            let client_id = client.id().clone();
            let way_on = Some(client);
            Err(PageError { way_on, client: Some(client_id), ..PageError::from(failure) })
        }
    }
}

impl Pending<'_> {
    /// The request that is decided here.
    pub(super) fn waits(&self) -> Option<&Waiting> {
        match &self.purpose {
            Purpose::Decide(waiting) => Some(waiting),
            Purpose::Respond(_) | Purpose::Visit(_) => None,
        }
    }

    /// Where it leads if it was decided: whoever repeats the last step of an interaction sees once more what
    /// came of it, and anybody else that somebody has decided.
    pub(super) fn decided(&self) -> Result<Option<Decided>, Fault> {
        let waiting = self.waits().filter(|waiting| waiting.awaited().decision.is_some());
        let decision = waiting.and_then(|waiting| waiting.awaited().decision.as_ref());
        decision.map(|decision| self.shows(decision)).transpose()
    }

    fn shows(&self, decision: &Decision) -> Result<Decided, Fault> {
        if decision.is_of(self.interaction) {
            return done(self, matches!(decision, Decision::Approved { .. }));
        }
        match self.waits() {
            Some(Waiting::Backchannel(_)) => Ok(approvals::told(ApprovalProblem::Decided, None)),
            _ => user_code::page(&self.by, self.call, self.env, None, Some(UserCodeProblem::Used)),
        }
    }
}

/// Writes the grant, and the approval that the client exchanges for tokens; then the decision.
pub(super) async fn approve(
    pending: &Pending<'_>,
    change: SessionChange,
    allowed: Allowed,
) -> Result<Decided, Fault> {
    let (by, call, env) = pending.world();
    let interaction = pending.interaction.ok_or_else(|| Fault::internal("an approval without a page"))?;
    let waiting = pending.waits().ok_or_else(|| Fault::internal("an approval of nothing"))?;
    if let Waiting::Backchannel(found) = waiting
        && found.body.account != change.authentication.account
    {
        return Err(Fault::internal("an approval by somebody else"));
    }
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
    // Whoever decides at the last moment leaves the client the time to learn of it.
    let deadline = waiting.awaited().deadline.max(call.now + by.issuer.authorization_code.lifetime);
    let drafted = by.issuer.draft_approval(
        (call, env),
        (&pending.client, waiting.grant_type()),
        &pending.asked,
        yes,
        deadline,
    )?;
    let (granted, approval) = (drafted.granted, drafted.approval);
    let written = write(pending, &change, drafted.records, Some(&pending.client)).await?;
    if written == Written::Lost {
        return super::page::lost(pending, false);
    }
    let next = if !still_stands(pending).await? {
        take_back(pending, grant, written).await?;
        let (client, account) = (pending.client.id().clone(), Some(change.authentication.account.clone()));
        env.record(call, &Event::GrantEnded { client, account, why: GrantEnd::ConsentWithdrawn });
        refuse(pending, &(&CONSENT_WITHDRAWN).into()).await?
    } else {
        let pushed = match waiting {
            Waiting::Backchannel(found) if found.body.is_push() => {
                let what = (&granted, pending.asked.nonce.as_deref(), approval);
                let made = client_notification::tokens(&by, (call, env), &pending.client, found, what);
                match Box::pin(made).await {
                    Ok(Some(tokens)) => Some(tokens),
                    Ok(None) => return repeated(pending, found.key).await,
                    Err(Failure::Broken(fault)) => return Err(fault),
                    Err(Failure::Refused(why)) => {
                        take_back(pending, grant, written).await?;
                        let next = refuse(pending, &why).await?;
                        return written_with(pending, change, next).await;
                    }
                }
            }
            _ => None,
        };
        let decision = Decision::Approved {
            by: interaction,
            approval,
            granted: Box::new(granted),
            nonce: pending.asked.nonce.clone(),
        };
        let answer = Answer::Yes(pushed.as_ref().map(|tokens| (tokens, grant)));
        match decide(&by, (call, env), &pending.client, waiting, (decision, deadline, &answer)).await? {
            None => {
                remember(pending, Some(grant)).await?;
                record_yes(pending, &change).await;
                done(pending, true)?
            }
            // The same step in another request has written the same grant.
            Some(first) if first.is_of(Some(interaction)) => done(pending, true)?,
            Some(first) => {
                take_back(pending, grant, written).await?;
                pending.shows(&first)?
            }
        }
    };
    written_with(pending, change, next).await
}

/// Another request for the same step, such as the other half of a double click, has made the tokens that are sent. It has
/// written the decision, or is about to do so; then this one cannot say which it will be.
async fn repeated(pending: &Pending<'_>, record: Key) -> Result<Decided, Fault> {
    let (_, call, env) = pending.world();
    let found: Option<Found<BackchannelAuthenticationBody>> = env.records().get(call.now, record).await?;
    match found.and_then(|found| found.body.awaited.decision) {
        Some(decision) => pending.shows(&decision),
        None => Ok(approvals::told(ApprovalProblem::Decided, None)),
    }
}

/// The client is told no, when it polls next or at once. Only whoever is asked can say so: of a request that names its
/// person, nobody else has decided anything.
pub(super) async fn refuse(pending: &Pending<'_>, why: &Refusal) -> Result<Decided, Fault> {
    let (by, call, env) = pending.world();
    let waiting = pending.waits().ok_or_else(|| Fault::internal("a refusal of nothing"))?;
    if let Waiting::Backchannel(found) = waiting
        && pending.person.as_ref().is_none_or(|person| person.account.id != found.body.account)
    {
        return Ok(approvals::told(ApprovalProblem::Undecided, Some(found.key)));
    }
    let decision = Decision::Refused { by: pending.interaction, reason: why.reason.name.into() };
    let deadline = waiting.awaited().deadline;
    let decision = (decision, deadline, &Answer::No(why.reason));
    if let Some(first) = decide(&by, (call, env), &pending.client, waiting, decision).await? {
        return pending.shows(&first);
    }
    let client = RefusedClient::Claimed(pending.client.id().clone());
    env.record_failure(call, waiting.endpoint(), Some(client), &Failure::Refused(why.clone()));
    done(pending, false)
}

/// Makes this the decision: `None` when it is, else the one that was first.
async fn decide(
    by: &Interactions,
    (call, env): (&Call, &Env),
    client: &Client,
    waiting: &Waiting,
    (decision, deadline, answer): (Decision, Timestamp, &Answer<'_>),
) -> Result<Option<Decision>, Fault> {
    match waiting {
        Waiting::Device { found, .. } => decide_once(call, env, found, (decision, deadline), &[]).await,
        Waiting::Backchannel(found) => {
            let is_yes = matches!(decision, Decision::Approved { .. });
            let told = client_notification::notice(by, (call, env), client, found, (answer, deadline))?;
            let first = decide_once(call, env, found, (decision, deadline), told.as_slice()).await?;
            if first.is_none() && told.is_some() {
                env.worker.wake_by_ref();
            }
            // A request that was refused keeps its place among those of the person until its time is over, so
            // that a client which asks again and again is not heard again and again.
            if is_yes && first.is_none() {
                env.limits.asked_people.give_back(&found.body.account, found.key);
            }
            Ok(first)
        }
    }
}

/// The same for a record of either kind; the batch is written in the same step.
async fn decide_once<B: AwaitsDecision + Body + Clone>(
    call: &Call,
    env: &Env,
    seen: &Found<B>,
    (decision, deadline): (Decision, Timestamp),
    batch: &[Record],
) -> Result<Option<Decision>, Fault> {
    let mut latest: Option<Found<B>> = None;
    for _ in 0..RACES {
        let found = latest.as_ref().unwrap_or(seen);
        let mut body = found.body.clone();
        let awaited = body.awaited_mut();
        if let Some(first) = &awaited.decision {
            return Ok(Some(first.clone()));
        }
        let ends = found.expires_at + deadline.since(awaited.deadline);
        awaited.decision = Some(decision.clone());
        awaited.deadline = deadline;
        match env.records().update(call.now, found, &body, ends, batch).await? {
            Updated::Done(_) => {
                // Nobody polls for what is sent.
                if let Some(approved) = body.approved().filter(|_| body.is_fetched()) {
                    env.approvals.remember(call.now, found.key, approved);
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
    Err(Fault::unavailable("what waits for a decision was changed by others three times in a row"))
}

/// The last page: the person goes back to the device, or has nothing left to do. Its form repeats the step, which shows it
/// once more.
fn done(pending: &Pending<'_>, is_approved: bool) -> Result<Decided, Fault> {
    let client = ClientView::of(&pending.client, &pending.env.issuer);
    if let Some(Waiting::Backchannel(_)) = pending.waits() {
        let again = super::page::repeats(pending, &PromptName::Approve)?;
        return Ok(approvals::done(client, is_approved, again));
    }
    let again = super::page::repeats(pending, &PromptName::ConfirmDevice)?;
    let view = DeviceDoneView { client, is_approved, again };
    Ok(Outcome::Page(Box::new(View::DeviceDone(view))).into())
}
