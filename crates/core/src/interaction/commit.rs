//! The writes of an interaction: the next page's record, and the grant with whatever the response has of it.
//! Beside it only `answered` writes, which keeps the one answer.
//!
//! An answer is written first, then compared with what may have changed meanwhile, then claimed for the
//! interaction, then shown. Whoever loses the claim takes back what was written, and leads where the first
//! answer led.

use std::ops::ControlFlow;

use chancery_jose::sha256;
use chancery_store::{Change, Record, StoreError, Tags, Updated};
use chancery_types::Key;
use chancery_types::handle::{Handle, HandleDigest, RotatingHandle, Session};
use chancery_types::iana::{ErrorCode, ResponseType};

use super::answered::{
    Names, Repeated, claim, claimed, first_answer, given_again, issued, names, repeated, respond,
};
use super::form_token::{self, FORM_ANSWERED, form_refused};
use super::grant::Allowed;
use super::page::{Shown, lost, lost_page, page};
use super::pending::{Pending, Purpose};
use super::prompt::{self, Needed};
use super::view::LoginProblem;
use super::{Decided, Interactions, KEPT, Outcome, approval, consent, grant, visit};
use crate::client::mark_used;
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::event::{Endpoint, Event, GrantEnd, RefusedClient};
use crate::issue::Yes;
use crate::model::{Authentication, Client, GrantId, PromptName};
use crate::records::{
    Answered, Body as _, ConsentBody, Found, GrantBody, InteractionBody, InteractionId, SessionBody,
    challenge_key,
};
use crate::request::{Addressed, Prompts, error_code};
use crate::session;

/// How often a session that parallel tabs change is read again.
const RACES: usize = 3;

reasons! {
    /// The person refused the client's request.
    pub DECLINED = Reason {
        name: "declined",
        code: ErrorCode::AccessDenied,
        description: "End-User declined the request",
        section: "RFC 6749 section 4.1.2.1",
    };
    /// The consent that the answer rests on was withdrawn before the answer was given.
    pub CONSENT_WITHDRAWN = Reason {
        name: "consent_withdrawn",
        code: ErrorCode::AccessDenied,
        description: "the consent was withdrawn",
        section: "RFC 6749 section 4.1.2.1",
    };
}

/// In which session a step goes on, and what it changes there.
pub(super) struct SessionChange {
    pub(super) session: Key,
    /// How the person has authenticated in it.
    pub(super) authentication: Authentication,
    pub(super) write: SessionWrite,
    /// The cookie's list once this is written; `None` to leave the cookie alone.
    pub(super) cookie: Option<Vec<RotatingHandle<Session>>>,
    /// The sessions that have no place any more once this is written.
    pub(super) replaced: Vec<RotatingHandle<Session>>,
}

/// What is written of a session.
pub(super) enum SessionWrite {
    /// It stays as it is, but for what a visit of a client changes.
    Visit,
    /// A new one begins under this handle.
    Begin(RotatingHandle<Session>),
    /// The same account signed in again, and the session has this new secret.
    Renew(RotatingHandle<Session>),
}

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Done,
    /// The same code was written before, by the same step in another request.
    Before,
    /// Another tab has changed the session at the same moment.
    Stale,
    /// The session is gone.
    Lost,
}

impl SessionChange {
    /// The request is answered, or goes on, in the session that it waits in.
    pub(super) fn visit(pending: &Pending<'_>) -> Option<Self> {
        pending.person.as_ref().map(|person| Self {
            session: person.found.key,
            authentication: person.found.body.authentication.clone(),
            write: SessionWrite::Visit,
            cookie: None,
            replaced: Vec::new(),
        })
    }
}

/// Asks the person for what is needed, or answers the client.
pub(super) async fn proceed(pending: &Pending<'_>) -> Result<Decided, Fault> {
    match pending.needed() {
        None => answer(pending).await,
        Some(needed) => ask(pending, needed).await,
    }
}

/// Goes on in this session after a step of the person: to the client, or to the page of a stored interaction.
pub(super) async fn go_on(pending: &Pending<'_>, change: SessionChange) -> Result<Decided, Fault> {
    match pending.needed_after(Some(&change.authentication)) {
        None => allow(pending, change).await,
        Some(Needed::Impossible(why)) => refuse(pending, &why.into()).await,
        Some(_) => store(pending, change).await,
    }
}

/// Shows the page that is needed. Where none may be shown, or none helps, the client hears why (OIDC Core
/// section 3.1.2.1).
pub(crate) async fn ask(pending: &Pending<'_>, needed: Needed) -> Result<Decided, Fault> {
    asked(pending, needed, None).await
}

/// The same for a form that was not looked at: the page says so.
pub(super) async fn ask_again(
    pending: &Pending<'_>,
    needed: Needed,
    why: LoginProblem,
) -> Result<Decided, Fault> {
    asked(pending, needed, Some(why)).await
}

async fn asked(
    pending: &Pending<'_>,
    needed: Needed,
    not_looked_at: Option<LoginProblem>,
) -> Result<Decided, Fault> {
    let shown = match needed {
        Needed::ConfirmDevice(_) => Shown::of(PromptName::ConfirmDevice),
        Needed::Login(_) => Shown::of(PromptName::Login),
        Needed::SignUp(_) => Shown::of(PromptName::Create),
        Needed::SelectAccount(_) => Shown::of(PromptName::SelectAccount),
        Needed::Consent(_) => Shown::of(PromptName::Consent),
        Needed::Approve(_) => Shown::of(PromptName::Approve),
        Needed::Custom(ref name, _) => Shown::of(PromptName::Custom(name.clone())),
        Needed::Impossible(why) => return refuse(pending, &why.into()).await,
    };
    match (&pending.asked.prompts, not_looked_at) {
        (Prompts::Silent, _) => refuse(pending, &needed.reason().into()).await,
        (Prompts::Asked(_), None) => page(pending, shown).await,
        (Prompts::Asked(_), Some(why)) => page(pending, shown.once_more(why)).await,
    }
}

/// Answers the client.
pub(crate) async fn answer(pending: &Pending<'_>) -> Result<Decided, Fault> {
    match SessionChange::visit(pending) {
        Some(change) => allow(pending, change).await,
        None => lost(pending, false),
    }
}

/// The person has allowed the request, in this step or before.
async fn allow(pending: &Pending<'_>, change: SessionChange) -> Result<Decided, Fault> {
    if matches!(pending.purpose, Purpose::Visit(_)) {
        return visit::arrived(pending, change).await;
    }
    let allowed = match grant::allowed(pending) {
        Ok(allowed) => allowed,
        Err(why) => return refuse(pending, &why.into()).await,
    };
    if pending.waits().is_some() {
        // Boxed, so that the future of an ordinary step has no room for it.
        return Box::pin(approval::approve(pending, change, allowed)).await;
    }
    match pending.asked.response_type {
        ResponseType::None => acknowledge(pending, change).await,
        _ => grant(pending, change, allowed).await,
    }
}

/// Tells the client that its request was allowed, and gives it nothing (Multiple Response Types section 4).
async fn acknowledge(pending: &Pending<'_>, change: SessionChange) -> Result<Decided, Fault> {
    if write(pending, &change, Vec::new(), Some(&pending.client)).await? == Written::Lost {
        return lost(pending, false);
    }
    let next = match claim(pending, Answered::Nothing).await? {
        Some(next) => next,
        None => {
            remember(pending, None).await?;
            record_yes(pending, &change).await;
            respond(pending, Vec::new())?
        }
    };
    written_with(pending, change, next).await
}

/// Writes the grant, and whatever of it the response carries, with whatever else the step changes, and
/// responds.
async fn grant(pending: &Pending<'_>, change: SessionChange, allowed: Allowed) -> Result<Decided, Fault> {
    let (by, call, env) = pending.world();
    let key_version = by.keys().newest().version;
    let (session, authentication) = (change.session, &change.authentication);
    let Names { grant, code } = match pending.interaction {
        Some(interaction) => names(&by, interaction, session, key_version)?,
        None => Names::new(env, session),
    };
    let addressed = pending.addressed()?;
    let Allowed { access, details, claims } = allowed;
    let yes = Yes { session, authentication, access, details, claims, grant, code };
    let drafted = match by.issuer.draft_response((call, env), addressed, &pending.asked, yes).await {
        Ok(drafted) => drafted,
        Err(Failure::Refused(why)) => return refuse(pending, &why).await,
        Err(Failure::Broken(fault)) => return Err(fault),
    };

    let written = write(pending, &change, drafted.records, Some(&pending.client)).await?;
    if written == Written::Lost {
        return lost(pending, false);
    }
    let answer = Answered::Granted { session, key_version };
    let next = if !still_stands(pending).await? {
        take_back(pending, grant, written).await?;
        let (client, account) = (pending.client.id().clone(), Some(change.authentication.account.clone()));
        env.record(call, &Event::GrantEnded { client, account, why: GrantEnd::ConsentWithdrawn });
        let why = match pending.asked.prompts {
            Prompts::Silent => &prompt::CONSENT_MISSING,
            Prompts::Asked(_) => &CONSENT_WITHDRAWN,
        };
        refuse(pending, &why.into()).await?
    } else if let Some(next) = claim(pending, answer).await? {
        take_back(pending, grant, written).await?;
        next
    } else {
        remember(pending, Some(grant)).await?;
        record_yes(pending, &change).await;
        match (written, pending.interaction) {
            // What the other request has written is valid, and not what was drafted here.
            (Written::Before, Some(interaction)) => {
                match given_again(pending, names(&by, interaction, session, key_version)?).await? {
                    Repeated::Leads(next) => next,
                    Repeated::Used | Repeated::Over => lost(pending, true)?,
                }
            }
            _ => issued(pending, drafted.parameters)?,
        }
    };
    written_with(pending, change, next).await
}

/// Records that the person has allowed the request.
pub(super) async fn record_yes(pending: &Pending<'_>, change: &SessionChange) {
    let account = change.authentication.account.clone();
    let client = pending.client.id().clone();
    pending.env.record(pending.call, &Event::AuthorizationGranted { client, account });
    mark_used(pending.env, &pending.client).await;
}

/// Stores the request under the session, because more is needed of a person who has authenticated.
async fn store(pending: &Pending<'_>, change: SessionChange) -> Result<Decided, Fault> {
    let (call, env) = (pending.call, pending.env);
    let browser = call.browser.as_deref().and_then(|cookie| HandleDigest::from_bytes(&sha256(cookie)));
    let body = InteractionBody {
        interaction: pending.interaction.ok_or_else(|| Fault::internal("a form of no interaction"))?,
        request: pending.carrier()?,
        source: pending.purpose.source(),
        first_seen: pending.first_seen,
        session: Some(change.session),
        browser: browser.ok_or_else(|| Fault::internal("a form of a browser without its cookie"))?,
        done: pending.done.clone(),
    };
    let handle = Handle::new(change.session.partition(), env.secret());
    let ends = call.now + pending.by.config.lifetime + KEPT;
    // In the session's partition, but not below it: when the session ends, the request can still be started
    // again.
    let record = env.records().new(handle.key(&env.realm), None, Tags::default(), ends, &body)?;
    if write(pending, &change, vec![record], None).await? == Written::Lost {
        return lost(pending, false);
    }
    remember(pending, None).await?;
    written_with(pending, change, Outcome::Stored { handle, client: pending.client.id().clone() }.into())
        .await
}

/// The step was written: the sessions that it replaced end, and the browser gets the new list.
pub(super) async fn written_with(
    pending: &Pending<'_>,
    change: SessionChange,
    next: Decided,
) -> Result<Decided, Fault> {
    for handle in &change.replaced {
        let found = pending.env.records().get(pending.call.now, handle.key(&pending.env.realm)).await?;
        if let Some(found) = found {
            session::end(pending.call, pending.env, found, Some(pending.client.id())).await?;
        }
    }
    Ok(Decided { sessions: change.cookie, ..next })
}

/// One step in the partition of the session: its change, and what is new. The client takes part in the session from now on
/// where it is answered; where the person still has to decide, it may never be given anything.
pub(super) async fn write(
    pending: &Pending<'_>,
    change: &SessionChange,
    mut batch: Vec<Record>,
    takes_part: Option<&Client>,
) -> Result<Written, Fault> {
    let (now, store) = (pending.call.now, &pending.env.store);
    if let SessionWrite::Begin(handle) = &change.write {
        let (sessions, who) = (&pending.by.sessions, change.authentication.clone());
        batch.insert(0, sessions.begun((pending.call, pending.env), handle, who, takes_part)?);
        return inserted(store.insert(now, &batch).await);
    }
    let Some(person) = &pending.person else { return Ok(Written::Lost) };
    let mut latest: Option<Found<SessionBody>> = None;
    for _ in 0..RACES {
        let found = latest.as_ref().unwrap_or(&person.found);
        let written = match changed(pending, change, &found.body, takes_part) {
            None if batch.is_empty() => Written::Done,
            None => inserted(store.insert(now, &batch).await)?,
            Some(body) => {
                let expires_at = pending.by.sessions.end(now, &body);
                let change = Change { body: body.encode()?, expires_at, due_at: None };
                updated(store.update(now, found.key, found.revision, change, &batch).await)?
            }
        };
        if written != Written::Stale {
            return Ok(written);
        }
        // Parallel tabs change the same session; whoever comes second reads it again.
        latest = pending.env.records().get(now, person.found.key).await?;
        if latest.is_none() {
            return Ok(Written::Lost);
        }
    }
    Err(Fault::unavailable("the session was changed by others three times in a row"))
}

/// The session as it has to become; `None` when it stays as it is.
fn changed(
    pending: &Pending<'_>,
    change: &SessionChange,
    body: &SessionBody,
    takes_part: Option<&Client>,
) -> Option<SessionBody> {
    let (sessions, call) = (&pending.by.sessions, pending.call);
    match &change.write {
        SessionWrite::Renew(handle) => {
            Some(sessions.renewed(call, body, handle, change.authentication.clone(), takes_part))
        }
        SessionWrite::Visit | SessionWrite::Begin(_) => sessions.visited(call, body, takes_part),
    }
}

fn inserted(outcome: Result<(), StoreError>) -> Result<Written, Fault> {
    match outcome {
        Ok(()) => Ok(Written::Done),
        Err(StoreError::Occupied) => Ok(Written::Before),
        Err(error) => Err(error.into()),
    }
}

fn updated(outcome: Result<Updated, StoreError>) -> Result<Written, Fault> {
    match outcome {
        Ok(Updated::Done(_)) => Ok(Written::Done),
        Ok(Updated::Stale) => Ok(Written::Stale),
        Ok(Updated::Gone) => Ok(Written::Lost),
        Err(StoreError::Occupied) => Ok(Written::Before),
        Err(error) => Err(error.into()),
    }
}

/// Whether the consent that was standing when the answer was decided on still stands, the same one. Asked
/// after grant and code were written: a withdrawal first ends the consent, then the grants that it finds, so
/// that either it finds this grant, or this look finds no consent.
pub(super) async fn still_stands(pending: &Pending<'_>) -> Result<bool, Fault> {
    let Some(before) = &pending.agreed.standing else { return Ok(true) };
    let now = pending.env.store.get(pending.call.now, before.key).await?;
    Ok(match now {
        // Nobody has touched it.
        Some(now) if now.revision == before.revision => true,
        // Widened by another tab, or given anew after a withdrawal.
        Some(now) => ConsentBody::decode(&now.record.body)?.id == before.body.id,
        None => false,
    })
}

/// Ends the grant of an answer that is not given. Whoever signed in for it stays signed in.
pub(super) async fn take_back(pending: &Pending<'_>, grant: GrantId, written: Written) -> Result<(), Fault> {
    if written == Written::Done {
        pending.env.records().revoke(pending.call.now, grant.key(&pending.env.realm)).await?;
    }
    Ok(())
}

/// Keeps what the person has just agreed to. A withdrawal at the same moment may have ended the grant that
/// rests on it, and not have found the consent: then it is forgotten again, and the code is worth nothing.
pub(super) async fn remember(pending: &Pending<'_>, grant: Option<GrantId>) -> Result<(), Fault> {
    let (call, env, client) = (pending.call, pending.env, &*pending.client);
    let (Some(allowed), Some(account)) = (&pending.agreed.in_this_step, &pending.agreed.account) else {
        return Ok(());
    };
    let id = consent::remember(call, env, (account, client), allowed, pending.by.config.consent).await?;
    let Some(grant) = grant else { return Ok(()) };
    match env.records().get::<GrantBody>(call.now, grant.key(&env.realm)).await? {
        Some(_) => Ok(()),
        None => consent::forget(call, env, account, client, id).await,
    }
}

/// Whether this challenge of a page was not taken before.
pub(super) async fn takes_once(pending: &Pending<'_>, challenge: &str) -> Result<bool, Fault> {
    let now = pending.call.now;
    // No form is looked at that is older.
    let ends = now + form_token::LIFETIME;
    pending.env.records().use_once(now, challenge_key(&pending.env.realm, challenge), ends).await
}

/// A form whose interaction was answered leads where the answer led, for some seconds; then to a page with a
/// way on.
pub(super) async fn lead_on<'a>(pending: Pending<'a>) -> Result<ControlFlow<Decided, Pending<'a>>, Fault> {
    // What was decided for another device stands in its own record.
    let interaction = pending.interaction.filter(|_| pending.waits().is_none());
    let Some(interaction) = interaction else { return Ok(ControlFlow::Continue(pending)) };
    let Some(first) = first_answer(pending.call, pending.env, interaction).await? else {
        return Ok(ControlFlow::Continue(pending));
    };
    let next = match repeated(&pending, interaction, &first).await? {
        Repeated::Leads(next) => next,
        Repeated::Over => answered_before(&pending)?,
        // Shown to the client again, the code would end what came of it: the request begins anew. A person who
        // would be asked the same once more has gone back to a page that they have answered.
        Repeated::Used => {
            let anew = pending.anew().await?;
            if anew.needed().is_some() { answered_before(&anew)? } else { proceed(&anew).await? }
        }
    };
    Ok(ControlFlow::Break(next))
}

/// The form is not looked at, and its page says that the request was answered already.
fn answered_before(pending: &Pending<'_>) -> Result<Decided, Fault> {
    form_refused(pending.call, pending.env, &FORM_ANSWERED, Some(pending.client.id()));
    lost(pending, true)
}

/// Tells the client no, as the answer of the interaction.
pub(crate) async fn refuse(pending: &Pending<'_>, why: &Refusal) -> Result<Decided, Fault> {
    let addressed = match &pending.purpose {
        Purpose::Respond(addressed) => addressed,
        Purpose::Decide(_) => return approval::refuse(pending, why).await,
        Purpose::Visit(visit) => return visit.left(pending).await,
    };
    match claim(pending, refused(why)).await? {
        Some(next) => Ok(next),
        None => Ok(tell(pending.call, pending.env, addressed, why)),
    }
}

/// `access_denied`, as the answer of the interaction.
pub(super) async fn declined(mut pending: Pending<'_>) -> Result<Decided, Fault> {
    // Whoever cancels before anybody has signed in has answered for nobody, and leaves no record.
    if pending.person.is_none() && pending.waits().is_none() {
        pending.interaction = None;
    }
    let (client, account) = (pending.client.id().clone(), pending.account());
    pending.env.record(pending.call, &Event::Declined { client, account });
    refuse(&pending, &(&DECLINED).into()).await
}

/// The same for a stored request that is none any more.
pub(super) async fn refuse_stored(
    by: &Interactions,
    call: &Call,
    env: &Env,
    interaction: InteractionId,
    (addressed, why): (&Addressed<'_>, &Refusal),
) -> Result<Decided, Fault> {
    match claimed(by, call, env, interaction, refused(why)).await? {
        Some(first) if first.answer != refused(why) => {
            Ok(lost_page(env, Some(addressed), by.restart(addressed), true))
        }
        _ => Ok(tell(call, env, addressed, why)),
    }
}

/// Tells a client no for which no page was shown; the person's browser carries it.
pub(crate) fn tell(call: &Call, env: &Env, addressed: &Addressed<'_>, why: &Refusal) -> Decided {
    let client = RefusedClient::Claimed(addressed.client.id().clone());
    env.record_failure(call, Endpoint::Authorization, Some(client), &why.clone().into());
    Outcome::Respond(addressed.refuse(env, why)).into()
}

fn refused(why: &Refusal) -> Answered {
    Answered::Error {
        code: error_code(why.reason).as_str().into(),
        description: why.reason.description.into(),
    }
}
