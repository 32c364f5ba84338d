//! The writes of an interaction, and nothing else writes: the next page's record, grant and code, and the one answer.
//!
//! An answer is written first, then compared with what may have changed meanwhile, then claimed for the interaction, then
//! shown. Whoever loses the claim takes back what was written, and leads where the first answer led.

use std::ops::ControlFlow;
use std::time::Duration;

use chancery_jose::{hmac_sha256, sha256};
use chancery_store::{Change, Record, Revoked, StoreError, Tags, Updated};
use chancery_types::handle::{AuthorizationCode, Handle, HandleDigest, RotatingHandle, Session};
use chancery_types::iana::ErrorCode;
use chancery_types::{Key, Scope, Scopes};
use zeroize::Zeroizing;

use super::form_token::FORM_ANSWERED;
use super::page::lost_page;
use super::prompt;
use super::step::form_refused;
use super::{Interactions, KEPT, NOTHING_GRANTED, Next, Open, Outcome, consent};
use crate::context::{Call, Env};
use crate::error::{Fault, Reason, Refusal};
use crate::event::{Event, GrantEnd};
use crate::issue::authorization_code;
use crate::model::{Authentication, ConsentMode, GrantId};
use crate::records::{
    AnswerBody, Answered, AuthorizationCodeBody, Body as _, Found, InteractionBody, InteractionId, SessionBody,
    answer_key,
};
use crate::request::{Addressed, Prompts};
use crate::session::Visited;

/// What the client was told is told again for so long to the browser that repeats its step: a double click shows the
/// answer to the last one.
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

/// How the session changes in the step that goes on.
pub(super) enum SessionWrite {
    /// It takes part as it is, but for what a visit of a client changes.
    Visit,
    /// A new one begins.
    Begin(Box<Record>),
    /// The same account signed in again: another secret, another authentication.
    Renew(RotatingHandle<Session>, Authentication),
}

/// What comes next, and whether the session's change was written.
pub(super) enum GoneOn {
    Written(Next),
    Lost(Next),
}

impl GoneOn {
    pub(super) fn next(self) -> Next {
        match self {
            Self::Written(next) | Self::Lost(next) => next,
        }
    }
}

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Done,
    /// The same code was written before, by the same step in another request.
    Before,
    /// The session is gone.
    Lost,
}

/// Where the repetition of an answered step leads.
enum Repeated {
    /// Where the answer led.
    Leads(Next),
    /// The client has exchanged the code already.
    Used,
    /// The answer is too long ago, or its code is dead.
    Over,
}

impl Interactions {
    /// Answers the client with a code.
    pub(crate) async fn finish(&self, open: Open<'_>) -> Result<Next, Fault> {
        let Some(person) = &open.person else { return Ok(self.lost(&open, false)) };
        let (session, authentication) = (person.found.key, person.found.body.authentication.clone());
        Ok(self.conclude(open, session, authentication, SessionWrite::Visit).await?.next())
    }

    /// Writes grant and code with whatever else the step changes, and responds.
    pub(super) async fn conclude(
        &self,
        open: Open<'_>,
        session: Key,
        authentication: Authentication,
        write: SessionWrite,
    ) -> Result<GoneOn, Fault> {
        let (asked, addressed) = (open.request.asked(), open.request.addressed());
        let is_implied = addressed.client.metadata().own.consent == ConsentMode::Implied;
        let answer = &open.consent;
        let facts = self.facts(&open, Some(&authentication));
        let undecided = prompt::undecided(&open.request, &facts).scopes;
        // Whatever was declined, or still needs a yes, is left out (RFC 6749 section 3.3).
        let scopes = asked.scopes.filtered(|scope| {
            answer.allows(scope, asked.resource.as_deref())
                || (is_implied
                    && !answer.rejected_scopes.contains(scope.as_str())
                    && !undecided.contains(scope.as_str()))
        });
        // What is left has to be worth a code, and an OpenID request without `openid` is none.
        let is_openid = |scopes: &Scopes| scopes.contains(Scope::OPENID);
        if scopes.is_empty() || (is_openid(&asked.scopes) && !is_openid(&scopes)) {
            return Ok(GoneOn::Lost(self.refuse_once(&open, &(&NOTHING_GRANTED).into()).await?));
        }
        let claims = if is_implied {
            asked.claims.clone()
        } else {
            self.rules.claims.consented(asked.claims.clone(), &scopes, answer)
        };
        let key_version = self.keys().newest().version;
        let code = match open.interaction {
            Some(interaction) => self.code(interaction, session, key_version)?,
            None => Handle::new(session.partition(), open.env.secret()),
        };
        let allowed = authorization_code::Allowed { session, authentication: &authentication, scopes, claims, code };
        let drafted = authorization_code::draft(&self.code, open.env, open.call.now, &open.request, allowed)?;

        let written = self.write(&open, write, drafted.records.into()).await?;
        if written == Written::Lost {
            return Ok(GoneOn::Lost(self.lost(&open, false)));
        }
        if !self.still_stands(&open).await? {
            take_back(&open, drafted.grant, written).await?;
            let client = addressed.client.id().clone();
            open.env.record(open.call, &Event::GrantEnded { client, why: GrantEnd::ConsentWithdrawn });
            let why = match asked.prompts {
                Prompts::Silent => &prompt::CONSENT_MISSING,
                Prompts::Asked(_) => &CONSENT_WITHDRAWN,
            };
            return Ok(GoneOn::Written(self.refuse_once(&open, &why.into()).await?));
        }
        if let Some(next) = self.claim(&open, Answered::Code { session, key_version }).await? {
            take_back(&open, drafted.grant, written).await?;
            return Ok(GoneOn::Written(next));
        }
        self.remember(&open, &authentication.account).await?;
        let client = addressed.client.id().clone();
        open.env.record(open.call, &Event::AuthorizationGranted { client, account: authentication.account });
        let response = addressed.respond(open.env, vec![("code", drafted.code.reveal())]);
        Ok(GoneOn::Written(Outcome::Respond(response).into()))
    }

    /// Stores the request under the session, because more is needed of a person who has authenticated.
    pub(super) async fn store(&self, open: &Open<'_>, session: Key, write: SessionWrite) -> Result<GoneOn, Fault> {
        let browser = open.call.browser.as_deref().and_then(|cookie| HandleDigest::from_bytes(&sha256(cookie)));
        let browser = browser.ok_or_else(|| Fault::internal("a form of a browser without its cookie"))?;
        let interaction = open.interaction.ok_or_else(|| Fault::internal("a form of no interaction"))?;
        let handle = Handle::new(session.partition(), open.env.secret());
        let body = InteractionBody {
            interaction,
            request: open.request.addressed().carrier(),
            first_seen: open.first_seen,
            session,
            browser,
            done: open.done.clone(),
        };
        let records = open.env.records();
        let ends = open.call.now + self.config.lifetime + KEPT;
        // In the session's partition, but not below it: when the session ends, the request can still be started again.
        let record = records.new(handle.key(&open.env.realm), None, Tags::default(), ends, &body)?;
        match self.write(open, write, vec![record]).await? {
            Written::Lost => Ok(GoneOn::Lost(self.lost(open, false))),
            Written::Done | Written::Before => {
                if let Some(person) = &open.person {
                    self.remember(open, &person.account.id).await?;
                }
                Ok(GoneOn::Written(Outcome::Stored(handle).into()))
            }
        }
    }

    /// One step in the partition of the session: its change, and what is new.
    async fn write(&self, open: &Open<'_>, session: SessionWrite, mut batch: Vec<Record>) -> Result<Written, Fault> {
        let (now, store) = (open.call.now, &open.env.store);
        let edit = match session {
            SessionWrite::Begin(record) => {
                batch.insert(0, *record);
                return inserted(store.insert(now, &batch).await);
            }
            SessionWrite::Visit => None,
            SessionWrite::Renew(handle, authentication) => Some((handle, authentication)),
        };
        let Some(person) = &open.person else { return Ok(Written::Lost) };
        let client = open.request.addressed().client.id();
        let change = |body: &SessionBody| match &edit {
            Some((handle, authentication)) => {
                Some(self.sessions.renewed(now, body, handle, authentication.clone(), client))
            }
            None => match self.sessions.visited(now, body, client) {
                Visited::Changed(body) => Some(body),
                Visited::Unchanged | Visited::Full => None,
            },
        };
        // Parallel tabs change the same session; whoever comes second reads it again.
        let mut latest: Option<Found<SessionBody>> = None;
        for _ in 0..RACES {
            let found = latest.as_ref().unwrap_or(&person.found);
            let Some(body) = change(&found.body) else { return inserted(store.insert(now, &batch).await) };
            let change = Change { body: body.encode()?, expires_at: self.sessions.end(now, &body), due_at: None };
            match store.update(now, found.key, found.revision, change, &batch).await {
                Ok(Updated::Done(_)) => return Ok(Written::Done),
                Ok(Updated::Gone) => return Ok(Written::Lost),
                Ok(Updated::Stale) => latest = open.env.records().get(now, person.found.key).await?,
                Err(StoreError::Occupied) => return Ok(Written::Before),
                Err(error) => return Err(error.into()),
            }
            if latest.is_none() {
                return Ok(Written::Lost);
            }
        }
        Err(Fault::unavailable("the session was changed by others three times in a row"))
    }

    /// Whether the consent that was standing when the answer was decided on still stands, the same one. Asked after grant
    /// and code were written: a withdrawal first ends the consent, then the grants that it finds, so that either it finds
    /// this grant, or this look finds no consent.
    async fn still_stands(&self, open: &Open<'_>) -> Result<bool, Fault> {
        let (Some(before), Some(account)) = (&open.standing, &open.account) else { return Ok(true) };
        let client = &open.request.addressed().client;
        let now = consent::standing(open.call, open.env, account, client).await?;
        Ok(now.is_some_and(|now| now.body.id == before.body.id))
    }

    /// Keeps what the person has just agreed to.
    async fn remember(&self, open: &Open<'_>, account: &chancery_types::AccountId) -> Result<(), Fault> {
        let Some(allowed) = &open.allowed else { return Ok(()) };
        let parties = (account, &*open.request.addressed().client);
        let allowed = (allowed, open.request.asked().resource.as_deref());
        consent::remember(open.call, open.env, parties, allowed, self.config.consent).await
    }

    /// The code that answers an interaction in this session: the same, however often its step is repeated.
    fn code(&self, interaction: InteractionId, session: Key, version: u32) -> Result<Handle<AuthorizationCode>, Fault> {
        let derived = self.keys().derived(version);
        let derived = derived.ok_or_else(|| Fault::unavailable(format!("root secret {version} is not known here")))?;
        let input = [&interaction.as_bytes()[..], session.as_bytes()].concat();
        let secret = Zeroizing::new(hmac_sha256(&*derived.interaction_code, &input));
        Ok(Handle::new(session.partition(), secret))
    }

    /// Makes this the answer of the interaction: `None` when it is, else what the first answer leads to. A request that no
    /// page was shown for has no interaction, and is answered each time.
    async fn claim(&self, open: &Open<'_>, answer: Answered) -> Result<Option<Next>, Fault> {
        let Some(interaction) = open.interaction else { return Ok(None) };
        let Some(first) = self.claimed(open.call, open.env, interaction, answer.clone()).await? else {
            return Ok(None);
        };
        if first.answer == answer {
            return Ok(None);
        }
        match self.repeated(open.call, open.env, interaction, open.request.addressed(), &first).await? {
            Repeated::Leads(next) => Ok(Some(next)),
            Repeated::Used | Repeated::Over => Ok(Some(self.lost(open, true))),
        }
    }

    /// Writes the answer, or finds the one that was first.
    async fn claimed(
        &self,
        call: &Call,
        env: &Env,
        interaction: InteractionId,
        answer: Answered,
    ) -> Result<Option<AnswerBody>, Fault> {
        let (records, key) = (env.records(), answer_key(&env.realm, interaction));
        // As long as a page of the interaction can come back.
        let ends = call.now + self.config.lifetime + KEPT;
        let record = records.new(key, None, Tags::default(), ends, &AnswerBody { at: call.now, answer })?;
        match records.insert(call.now, &[record]).await {
            Ok(()) => Ok(None),
            Err(StoreError::Occupied) => Ok(self.first_answer(call, env, interaction).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// How the interaction was answered, if it was.
    pub(super) async fn first_answer(
        &self,
        call: &Call,
        env: &Env,
        interaction: InteractionId,
    ) -> Result<Option<AnswerBody>, Fault> {
        let found: Option<Found<AnswerBody>> = env.records().get(call.now, answer_key(&env.realm, interaction)).await?;
        Ok(found.map(|found| found.body))
    }

    /// What the client was told, once more.
    async fn repeated(
        &self,
        call: &Call,
        env: &Env,
        interaction: InteractionId,
        addressed: &Addressed<'_>,
        first: &AnswerBody,
    ) -> Result<Repeated, Fault> {
        if call.now.distance(first.at) > REPEATED {
            return Ok(Repeated::Over);
        }
        let parameters = match &first.answer {
            Answered::Error { code, description } => error_parameters(code, description),
            Answered::Code { session, key_version } => {
                let code = self.code(interaction, *session, *key_version)?;
                let found: Option<Found<AuthorizationCodeBody>> =
                    env.records().get(call.now, code.key(&env.realm)).await?;
                match found {
                    None => return Ok(Repeated::Over),
                    Some(found) if found.consumed_at.is_some() => return Ok(Repeated::Used),
                    Some(_) => vec![("code", code.reveal())],
                }
            }
        };
        Ok(Repeated::Leads(Outcome::Respond(addressed.respond(env, parameters)).into()))
    }

    /// A form whose interaction was answered leads where the answer led, for some seconds; then to a page with a way on.
    pub(super) async fn lead_on<'a>(&self, open: Open<'a>) -> Result<ControlFlow<Next, Open<'a>>, Fault> {
        let Some(interaction) = open.interaction else { return Ok(ControlFlow::Continue(open)) };
        let Some(first) = self.first_answer(open.call, open.env, interaction).await? else {
            return Ok(ControlFlow::Continue(open));
        };
        match self.repeated(open.call, open.env, interaction, open.request.addressed(), &first).await? {
            Repeated::Leads(next) => Ok(ControlFlow::Break(next)),
            Repeated::Over => {
                form_refused(open.call, open.env, &FORM_ANSWERED, Some(open.request.addressed().client.id()));
                Ok(ControlFlow::Break(self.lost(&open, true)))
            }
            // Shown to the client again, the code would end what came of it: the request begins anew.
            Repeated::Used => {
                let anew = self.open(open.call, open.env, open.request, open.call.now, Vec::new()).await?;
                Ok(ControlFlow::Break(self.show(anew).await?))
            }
        }
    }

    /// Tells the client no, as the answer of the interaction.
    pub(super) async fn refuse_once(&self, open: &Open<'_>, why: &Refusal) -> Result<Next, Fault> {
        let reason = why.reason;
        let answer = Answered::Error { code: reason.code.as_str().into(), description: reason.description.into() };
        match self.claim(open, answer).await? {
            Some(next) => Ok(next),
            None => Ok(self.refuse(open.call, open.env, open.request.addressed(), why)),
        }
    }

    /// The same for a stored request that is none any more.
    pub(super) async fn refuse_stored(
        &self,
        call: &Call,
        env: &Env,
        interaction: InteractionId,
        addressed: &Addressed<'_>,
        why: &Refusal,
    ) -> Result<Next, Fault> {
        let reason = why.reason;
        let answer = Answered::Error { code: reason.code.as_str().into(), description: reason.description.into() };
        match self.claimed(call, env, interaction, answer.clone()).await? {
            Some(first) if first.answer != answer => {
                let restart = Some(addressed.carrier().into_text());
                Ok(lost_page(Some(&addressed.client), restart, true))
            }
            _ => Ok(self.refuse(call, env, addressed, why)),
        }
    }

    /// Ends the sessions that found no room in the cookie's list any more.
    pub(super) async fn end(&self, call: &Call, env: &Env, dropped: &[RotatingHandle<Session>]) -> Result<(), Fault> {
        for handle in dropped {
            let (records, key) = (env.records(), handle.key(&env.realm));
            let found: Option<Found<SessionBody>> = records.get(call.now, key).await?;
            if records.revoke(call.now, key).await? == Revoked::Ended
                && let Some(found) = found
            {
                env.record(call, &Event::SessionEnded { account: found.body.authentication.account });
            }
        }
        Ok(())
    }
}

/// Ends the grant of an answer that is not given. Whoever signed in for it stays signed in.
async fn take_back(open: &Open<'_>, grant: GrantId, written: Written) -> Result<(), Fault> {
    if written == Written::Done {
        open.env.records().revoke(open.call.now, grant.key(&open.env.realm)).await?;
    }
    Ok(())
}

fn inserted(outcome: Result<(), StoreError>) -> Result<Written, Fault> {
    match outcome {
        Ok(()) => Ok(Written::Done),
        Err(StoreError::Occupied) => Ok(Written::Before),
        Err(error) => Err(error.into()),
    }
}

fn error_parameters(code: &str, description: &str) -> Vec<(&'static str, String)> {
    let description = Some(description).filter(|text| !text.is_empty());
    let description = description.map(|text| ("error_description", text.to_owned()));
    std::iter::once(("error", code.to_owned())).chain(description).collect()
}
