//! The writes of an interaction, and nothing else writes: the next page's record, grant and code, and the one
//! answer.
//!
//! An answer is written first, then compared with what may have changed meanwhile, then claimed for the
//! interaction, then shown. Whoever loses the claim takes back what was written, and leads where the first
//! answer led.

use std::ops::ControlFlow;
use std::time::Duration;

use chancery_jose::{hmac_sha256, sha256};
use chancery_store::{Change, Record, Revoked, StoreError, Tags, Updated};
use chancery_types::Key;
use chancery_types::handle::{AuthorizationCode, Handle, HandleDigest, RotatingHandle, Session};
use chancery_types::iana::ErrorCode;
use zeroize::Zeroizing;

use super::form_token::{self, FORM_ANSWERED, form_refused};
use super::page::{Shown, lost, lost_page, page};
use super::pending::{Pending, Purpose};
use super::prompt::{self, Needed};
use super::view::LoginProblem;
use super::{Decided, Interactions, KEPT, Outcome, consent, grant};
use crate::context::{Call, Env};
use crate::error::{Fault, Reason, Refusal};
use crate::event::{Endpoint, Event, GrantEnd, RefusedClient};
use crate::issue::authorization_code::Yes;
use crate::model::{Authentication, GrantId, PromptName};
use crate::records::{
    AnswerBody, Answered, AuthorizationCodeBody, Body as _, Found, GrantBody, InteractionBody, InteractionId,
    ReplayBody, SessionBody, answer_key, challenge_key,
};
use crate::request::{Addressed, Prompts};

/// What the client was told is told again for so long to the browser that repeats its step: a double click
/// shows the answer to the last one.
const REPEATED: Duration = Duration::from_secs(10);

/// How often a session that parallel tabs change is read again.
const RACES: usize = 3;

reasons! {
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
    /// It takes part as it is, but for what a visit of a client changes.
    Visit,
    /// A new one begins.
    Begin(Record),
    /// The same account signed in again, and the session has this new secret.
    Renew(RotatingHandle<Session>),
}

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Done,
    /// The same code was written before, by the same step in another request.
    Before,
    /// Another tab has changed the session at the same moment.
    Stale,
    /// The session is gone.
    Lost,
}

/// Where the repetition of an answered step leads.
enum Repeated {
    /// Where the answer led.
    Leads(Decided),
    /// The client has exchanged the code already.
    Used,
    /// The answer is too long ago, or its code is dead.
    Over,
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
pub(super) async fn proceed(pending: Pending<'_>) -> Result<Decided, Fault> {
    match pending.needed() {
        None => answer(pending).await,
        Some(needed) => ask(&pending, needed).await,
    }
}

/// Goes on in this session after a step of the person: to the client, or to the page of a stored interaction.
pub(super) async fn go_on(pending: Pending<'_>, change: SessionChange) -> Result<Decided, Fault> {
    match pending.needed_after(Some(&change.authentication)) {
        None => grant(pending, change).await,
        Some(Needed::Impossible(why)) => refuse(&pending, &why.into()).await,
        Some(_) => store(&pending, change).await,
    }
}

/// Shows the page that is needed. Where none may be shown, or none helps, the client hears why (OIDC Core
/// section 3.1.2.1).
pub(crate) async fn ask(pending: &Pending<'_>, needed: Needed) -> Result<Decided, Fault> {
    let shown = match needed {
        Needed::Login(_) => Shown::of(PromptName::Login),
        Needed::SelectAccount(_) => Shown::of(PromptName::SelectAccount),
        Needed::Consent(_) => Shown::of(PromptName::Consent),
        Needed::Impossible(why) => return refuse(pending, &why.into()).await,
    };
    match pending.asked.prompts {
        Prompts::Silent => refuse(pending, &needed.reason().into()).await,
        Prompts::Asked(_) => page(pending, shown).await,
    }
}

/// The same for a form that was not looked at: the page says so.
pub(super) async fn ask_again(
    pending: &Pending<'_>,
    needed: Needed,
    problem: LoginProblem,
) -> Result<Decided, Fault> {
    match (&pending.asked.prompts, needed) {
        (Prompts::Asked(_), Needed::Login(_)) => page(pending, Shown::login(Some(problem), None)).await,
        _ => ask(pending, needed).await,
    }
}

/// Answers the client with a code.
pub(crate) async fn answer(pending: Pending<'_>) -> Result<Decided, Fault> {
    match SessionChange::visit(&pending) {
        Some(change) => grant(pending, change).await,
        None => Ok(lost(&pending, false)),
    }
}

/// Writes grant and code with whatever else the step changes, and responds.
async fn grant(pending: Pending<'_>, change: SessionChange) -> Result<Decided, Fault> {
    let (by, env, now) = (&pending.by, pending.env, pending.call.now);
    let allowed = match grant::allowed(&pending) {
        Ok(allowed) => allowed,
        Err(why) => return refuse(&pending, &why.into()).await,
    };
    let key_version = by.keys().newest().version;
    let code = match pending.interaction {
        Some(interaction) => code(by, interaction, change.session, key_version)?,
        None => Handle::new(change.session.partition(), env.secret()),
    };
    let Purpose::Respond(addressed) = &pending.purpose;
    let (session, authentication) = (change.session, &change.authentication);
    let yes = Yes { session, authentication, scopes: allowed.scopes, claims: allowed.claims, code };
    let drafted = by.issuer.draft_code(env, now, addressed, &pending.asked, yes)?;

    let written = write(&pending, &change, drafted.records.into()).await?;
    if written == Written::Lost {
        return Ok(lost(&pending, false));
    }
    let next = if !still_stands(&pending).await? {
        take_back(&pending, drafted.grant, written).await?;
        let client = pending.client.id().clone();
        env.record(pending.call, &Event::GrantEnded { client, why: GrantEnd::ConsentWithdrawn });
        let why = match pending.asked.prompts {
            Prompts::Silent => &prompt::CONSENT_MISSING,
            Prompts::Asked(_) => &CONSENT_WITHDRAWN,
        };
        refuse(&pending, &why.into()).await?
    } else if let Some(next) = claim(&pending, Answered::Code { session, key_version }).await? {
        take_back(&pending, drafted.grant, written).await?;
        next
    } else {
        remember(&pending, Some(drafted.grant)).await?;
        let account = change.authentication.account.clone();
        env.record(
            pending.call,
            &Event::AuthorizationGranted { client: pending.client.id().clone(), account },
        );
        Outcome::Respond(addressed.respond(env, vec![("code", drafted.code.reveal())])).into()
    };
    written_with(&pending, change, next).await
}

/// Stores the request under the session, because more is needed of a person who has authenticated.
async fn store(pending: &Pending<'_>, change: SessionChange) -> Result<Decided, Fault> {
    let (call, env) = (pending.call, pending.env);
    let browser = call.browser.as_deref().and_then(|cookie| HandleDigest::from_bytes(&sha256(cookie)));
    let body = InteractionBody {
        interaction: pending.interaction.ok_or_else(|| Fault::internal("a form of no interaction"))?,
        request: pending.purpose.carrier(),
        source: pending.purpose.source(),
        first_seen: pending.first_seen,
        session: change.session,
        browser: browser.ok_or_else(|| Fault::internal("a form of a browser without its cookie"))?,
        done: pending.done.clone(),
    };
    let handle = Handle::new(change.session.partition(), env.secret());
    let ends = call.now + pending.by.config.lifetime + KEPT;
    // In the session's partition, but not below it: when the session ends, the request can still be started
    // again.
    let record = env.records().new(handle.key(&env.realm), None, Tags::default(), ends, &body)?;
    if write(pending, &change, vec![record]).await? == Written::Lost {
        return Ok(lost(pending, false));
    }
    remember(pending, None).await?;
    written_with(pending, change, Outcome::Stored(handle).into()).await
}

/// The step was written: the sessions that it replaced end, and the browser gets the new list.
async fn written_with(pending: &Pending<'_>, change: SessionChange, next: Decided) -> Result<Decided, Fault> {
    for handle in &change.replaced {
        let (records, key) = (pending.env.records(), handle.key(&pending.env.realm));
        let found: Option<Found<SessionBody>> = records.get(pending.call.now, key).await?;
        if records.revoke(pending.call.now, key).await? == Revoked::Ended
            && let Some(found) = found
        {
            let account = found.body.authentication.account;
            pending.env.record(pending.call, &Event::SessionEnded { account });
        }
    }
    Ok(Decided { sessions: change.cookie, ..next })
}

/// One step in the partition of the session: its change, and what is new.
async fn write(
    pending: &Pending<'_>,
    change: &SessionChange,
    mut batch: Vec<Record>,
) -> Result<Written, Fault> {
    let (now, store) = (pending.call.now, &pending.env.store);
    if let SessionWrite::Begin(record) = &change.write {
        batch.insert(0, record.clone());
        return inserted(store.insert(now, &batch).await);
    }
    let Some(person) = &pending.person else { return Ok(Written::Lost) };
    let mut latest: Option<Found<SessionBody>> = None;
    for _ in 0..RACES {
        let found = latest.as_ref().unwrap_or(&person.found);
        let written = match changed(pending, change, &found.body) {
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
fn changed(pending: &Pending<'_>, change: &SessionChange, body: &SessionBody) -> Option<SessionBody> {
    let (sessions, now, client) = (&pending.by.sessions, pending.call.now, pending.client.id());
    match &change.write {
        SessionWrite::Renew(handle) => {
            Some(sessions.renewed(now, body, handle, change.authentication.clone(), client))
        }
        SessionWrite::Visit | SessionWrite::Begin(_) => sessions.visited(now, body, client),
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
async fn still_stands(pending: &Pending<'_>) -> Result<bool, Fault> {
    let (Some(before), Some(account)) = (&pending.agreed.standing, &pending.agreed.account) else {
        return Ok(true);
    };
    let now = consent::standing(pending.call, pending.env, account, &pending.client).await?;
    Ok(now.is_some_and(|now| now.body.id == before.body.id))
}

/// Ends the grant of an answer that is not given. Whoever signed in for it stays signed in.
async fn take_back(pending: &Pending<'_>, grant: GrantId, written: Written) -> Result<(), Fault> {
    if written == Written::Done {
        pending.env.records().revoke(pending.call.now, grant.key(&pending.env.realm)).await?;
    }
    Ok(())
}

/// Keeps what the person has just agreed to. A withdrawal at the same moment may have ended the grant that
/// rests on it, and not have found the consent: then it is forgotten again, and the code is worth nothing.
async fn remember(pending: &Pending<'_>, grant: Option<GrantId>) -> Result<(), Fault> {
    let (call, env, client) = (pending.call, pending.env, &*pending.client);
    let (Some(allowed), Some(account)) = (&pending.agreed.in_this_step, &pending.agreed.account) else {
        return Ok(());
    };
    let allowed = (allowed, pending.asked.resource.as_deref());
    let id = consent::remember(call, env, (account, client), allowed, pending.by.config.consent).await?;
    let Some(grant) = grant else { return Ok(()) };
    match env.records().get::<GrantBody>(call.now, grant.key(&env.realm)).await? {
        Some(_) => Ok(()),
        None => consent::forget(call, env, account, client, id).await,
    }
}

/// Whether this challenge of a page was not taken before.
pub(super) async fn takes_once(pending: &Pending<'_>, challenge: &str) -> Result<bool, Fault> {
    let (records, now) = (pending.env.records(), pending.call.now);
    // No form is looked at that is older.
    let ends = now + form_token::LIFETIME;
    let key = challenge_key(&pending.env.realm, challenge);
    match records.insert(now, &[records.new(key, None, Tags::default(), ends, &ReplayBody {})?]).await {
        Ok(()) => Ok(true),
        Err(StoreError::Occupied) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The code that answers an interaction in this session: the same, however often its step is repeated.
fn code(
    by: &Interactions,
    interaction: InteractionId,
    session: Key,
    version: u32,
) -> Result<Handle<AuthorizationCode>, Fault> {
    let derived = by.keys().derived(version);
    let derived =
        derived.ok_or_else(|| Fault::unavailable(format!("root secret {version} is not known here")))?;
    let input = [&interaction.as_bytes()[..], session.as_bytes()].concat();
    let secret = Zeroizing::new(hmac_sha256(&*derived.interaction_code, &input));
    Ok(Handle::new(session.partition(), secret))
}

/// Makes this the answer of the interaction: `None` when it is, else what the first answer leads to. A
/// request that no page was shown for has no interaction, and is answered each time.
async fn claim(pending: &Pending<'_>, answer: Answered) -> Result<Option<Decided>, Fault> {
    let Some(interaction) = pending.interaction else { return Ok(None) };
    let first = claimed(&pending.by, pending.call, pending.env, interaction, answer.clone()).await?;
    let Some(first) = first.filter(|first| first.answer != answer) else { return Ok(None) };
    match repeated(pending, interaction, &first).await? {
        Repeated::Leads(next) => Ok(Some(next)),
        Repeated::Used | Repeated::Over => Ok(Some(lost(pending, true))),
    }
}

/// Writes the answer, or finds the one that was first.
async fn claimed(
    by: &Interactions,
    call: &Call,
    env: &Env,
    interaction: InteractionId,
    answer: Answered,
) -> Result<Option<AnswerBody>, Fault> {
    let (records, key) = (env.records(), answer_key(&env.realm, interaction));
    // As long as a page of the interaction can come back.
    let ends = call.now + by.config.lifetime + KEPT;
    let record = records.new(key, None, Tags::default(), ends, &AnswerBody { at: call.now, answer })?;
    match records.insert(call.now, &[record]).await {
        Ok(()) => Ok(None),
        Err(StoreError::Occupied) => first_answer(call, env, interaction).await,
        Err(error) => Err(error.into()),
    }
}

/// How the interaction was answered, if it was.
pub(super) async fn first_answer(
    call: &Call,
    env: &Env,
    interaction: InteractionId,
) -> Result<Option<AnswerBody>, Fault> {
    let found: Option<Found<AnswerBody>> =
        env.records().get(call.now, answer_key(&env.realm, interaction)).await?;
    Ok(found.map(|found| found.body))
}

/// What the client was told, once more.
async fn repeated(
    pending: &Pending<'_>,
    interaction: InteractionId,
    first: &AnswerBody,
) -> Result<Repeated, Fault> {
    let (call, env) = (pending.call, pending.env);
    if call.now.distance(first.at) > REPEATED {
        return Ok(Repeated::Over);
    }
    let parameters = match &first.answer {
        Answered::Error { code, description } => error_parameters(code, description),
        Answered::Code { session, key_version } => {
            let code = code(&pending.by, interaction, *session, *key_version)?;
            let found: Option<Found<AuthorizationCodeBody>> =
                env.records().get(call.now, code.key(&env.realm)).await?;
            match found {
                None => return Ok(Repeated::Over),
                Some(found) if found.consumed_at.is_some() => return Ok(Repeated::Used),
                Some(_) => vec![("code", code.reveal())],
            }
        }
    };
    let Purpose::Respond(addressed) = &pending.purpose;
    Ok(Repeated::Leads(Outcome::Respond(addressed.respond(env, parameters)).into()))
}

fn error_parameters(code: &str, description: &str) -> Vec<(&'static str, String)> {
    let description = Some(description).filter(|text| !text.is_empty());
    let description = description.map(|text| ("error_description", text.to_owned()));
    std::iter::once(("error", code.to_owned())).chain(description).collect()
}

/// A form whose interaction was answered leads where the answer led, for some seconds; then to a page with a
/// way on.
pub(super) async fn lead_on<'a>(pending: Pending<'a>) -> Result<ControlFlow<Decided, Pending<'a>>, Fault> {
    let Some(interaction) = pending.interaction else { return Ok(ControlFlow::Continue(pending)) };
    let Some(first) = first_answer(pending.call, pending.env, interaction).await? else {
        return Ok(ControlFlow::Continue(pending));
    };
    let next = match repeated(&pending, interaction, &first).await? {
        Repeated::Leads(next) => next,
        Repeated::Over => {
            form_refused(pending.call, pending.env, &FORM_ANSWERED, Some(pending.client.id()));
            lost(&pending, true)
        }
        // Shown to the client again, the code would end what came of it: the request begins anew.
        Repeated::Used => proceed(pending.anew().await?).await?,
    };
    Ok(ControlFlow::Break(next))
}

/// Tells the client no, as the answer of the interaction.
pub(crate) async fn refuse(pending: &Pending<'_>, why: &Refusal) -> Result<Decided, Fault> {
    match claim(pending, refused(why)).await? {
        Some(next) => Ok(next),
        None => {
            let Purpose::Respond(addressed) = &pending.purpose;
            Ok(tell(pending.call, pending.env, addressed, why))
        }
    }
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
            Ok(lost_page(Some(&addressed.client), Some(addressed.carrier().into_text()), true))
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
    Answered::Error { code: why.reason.code.as_str().into(), description: why.reason.description.into() }
}
