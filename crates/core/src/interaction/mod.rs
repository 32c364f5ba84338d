//! What we need of the person (architecture section 9): one state machine for built-in pages and an application's own.
//!
//! The first page of a request is the answer to it and stores nothing: its form carries the request. Only when the
//! person has authenticated and more is needed does a record hold the request, under the person's session.
//! Config     `[interaction]`
//! Discovery  none

use std::time::Duration;

use chancery_jose::{ClaimsWriter, sha256};
use chancery_store::{Record, Redeemed, Revoked, Updated};
use chancery_types::handle::{Handle, Interaction, RotatingHandle, SecretDigest, Session};
use chancery_types::iana::{Display, ErrorCode, Prompt};
use chancery_types::{AccountId, Key, Params, Scope, Scopes, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::context::{Call, Env};
use crate::error::{Fault, PageError, Reason, Refusal};
use crate::event::{Endpoint, Event};
use crate::issue::authorization_code;
use crate::keys::KeySet;
use crate::model::{Acr, Authentication, ConsentAnswer, ConsentMode, StepDone};
use crate::offered::Component;
use crate::records::{ConsentBody, Found, InteractionBody, SessionBody};
use crate::request::{Addressed, AuthorizationResponse, Received, Rules, ValidatedAuthorizationRequest};
use crate::session::{Sessions, SignedIn, Visited};

pub mod consent;
pub mod device;
pub mod form_token;
mod page;
pub mod prompt;
pub mod step;
pub mod throttle;
pub mod view;

use prompt::{Facts, Needed};
pub use step::{ConsentStep, LoginStep, SelectAccountStep};

/// How long a stored interaction is kept after its time, so that whoever comes back to its page finds a way on.
const KEPT: Duration = Duration::from_secs(86_400);

/// `[interaction]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a person has to answer, from the first page on.
    #[serde(with = "crate::duration")]
    pub lifetime: Duration,
    /// How long a consent is remembered.
    #[serde(with = "crate::duration")]
    pub consent: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(3600), consent: Duration::from_secs(365 * 86_400) }
    }
}

/// What happens next, in the browser.
pub struct Next {
    /// What the browser gets.
    pub outcome: Outcome,
    /// The new list of the session cookie, active session first; `None` to leave the cookie alone.
    pub sessions: Option<Vec<RotatingHandle<Session>>>,
    /// The new browser cookie; `None` to leave the cookie alone.
    pub browser: Option<Zeroizing<[u8; 16]>>,
    /// The new cookie of the names that have signed in from this browser; `None` to leave the cookie alone.
    pub devices: Option<String>,
}

/// What the browser gets.
pub enum Outcome {
    /// A page.
    Page(Box<view::View>),
    /// A redirect to the page of a stored interaction.
    Stored(Handle<Interaction>),
    /// The answer to the client.
    Respond(AuthorizationResponse),
}

impl From<Outcome> for Next {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, sessions: None, browser: None, devices: None }
    }
}

/// Nothing of what was asked for was granted.
pub const NOTHING_GRANTED: Reason = Reason {
    name: "nothing_granted",
    code: ErrorCode::AccessDenied,
    description: "nothing of what was asked for was granted",
    section: "RFC 6749 section 4.1.2.1",
};

/// Everything that an interaction is decided with; built once per snapshot.
pub struct Interactions {
    /// The list of checks.
    pub rules: Rules,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Lifetimes of codes and grants.
    pub code: authorization_code::Codes,
    /// Lifetimes of interactions and consents.
    pub config: Config,
    /// Against guessing.
    pub throttle: throttle::Throttle,
    /// The authentication context classes that can be reached here.
    pub reachable: Vec<Acr>,
}

/// Where a request waits for its person.
enum Place {
    /// In the page's form.
    Form,
    /// In a record.
    Stored { handle: Handle<Interaction>, key: Key },
}

/// A request that waits for its person.
pub(crate) struct Open<'a> {
    call: &'a Call,
    env: &'a Env,
    request: ValidatedAuthorizationRequest<'a>,
    /// t₀: when the request was first seen.
    first_seen: Timestamp,
    done: Vec<StepDone>,
    place: Place,
    person: Option<SignedIn>,
    consent: ConsentAnswer,
}

/// How the session changes in the step that goes on.
enum SessionWrite {
    /// It takes part as it is, but for what a visit of a client changes.
    Visit,
    /// A new one begins.
    Begin(Box<Record>),
    /// The same account signed in again: another secret, another authentication.
    Renew(RotatingHandle<Session>, Authentication),
}

/// What comes next, and whether what it rests on was written.
enum GoneOn {
    Written(Next),
    Lost(Next),
}

/// What became of a write.
enum Written {
    Done,
    /// The session is gone, or the interaction was answered before.
    Lost,
}

impl Component for Interactions {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata
            .strings("acr_values_supported", self.reachable.iter().map(|acr| &*acr.0))
            .strings("prompt_values_supported", Prompt::ALL.iter().map(|value| value.as_str()))
            .strings("display_values_supported", [Display::Page, Display::Popup, Display::Touch].map(Display::as_str));
    }
}

impl Interactions {
    fn keys(&self) -> &KeySet {
        &self.rules.keys
    }

    /// Reads a request from its first byte to its last check.
    pub(crate) async fn read<'a>(
        &self,
        env: &Env,
        params: Params<'a>,
    ) -> Result<Result<ValidatedAuthorizationRequest<'a>, (Addressed<'a>, Refusal)>, PageError> {
        let addressed = Received(params).resolve().address(env).await?;
        Ok(addressed.validate(&self.rules))
    }

    /// A client is told no; the person's browser carries it.
    pub(crate) fn refuse(&self, call: &Call, env: &Env, addressed: &Addressed<'_>, why: &Refusal) -> Next {
        let client = Some(addressed.client.id().clone());
        env.record(call, &Event::Refused { endpoint: Endpoint::Authorization, reason: why.reason, client });
        Outcome::Respond(addressed.refuse(env, why)).into()
    }

    /// Finds the person and their standing consent.
    pub(crate) async fn open<'a>(
        &self,
        call: &'a Call,
        env: &'a Env,
        request: ValidatedAuthorizationRequest<'a>,
        first_seen: Timestamp,
        done: Vec<StepDone>,
    ) -> Result<Open<'a>, Fault> {
        let person = self.sessions.person(call, env, request.asked().expected.as_deref()).await?;
        let consent = ConsentAnswer::default();
        let mut open = Open { call, env, request, first_seen, done, place: Place::Form, person: None, consent };
        if let Some(person) = person {
            self.belongs_to(&mut open, &person.account.id.clone(), Some(person)).await?;
        }
        Ok(open)
    }

    /// The request now belongs to this account, whose standing consent is read; to this session of it, if it has one.
    async fn belongs_to(
        &self,
        open: &mut Open<'_>,
        account: &AccountId,
        person: Option<SignedIn>,
    ) -> Result<(), Fault> {
        let client = &open.request.addressed().client;
        let found: Option<Found<ConsentBody>> = consent::standing(open.call, open.env, account, client.id()).await?;
        // What was agreed for another client of the same id does not count.
        let found = found.filter(|found| found.body.at.secs() >= client.registered_at.secs());
        let stored = found.map(|found| found.body.answer).unwrap_or_default();
        open.consent = self.rules.policy.standing_consent(client, account, stored).await?;
        open.person = person;
        Ok(())
    }

    /// What has still to be asked.
    pub(crate) fn needed(&self, open: &Open<'_>) -> Option<Needed> {
        let authentication = open.person.as_ref().map(|person| &person.found.body.authentication);
        self.needed_with(open, authentication)
    }

    fn needed_with(&self, open: &Open<'_>, authentication: Option<&Authentication>) -> Option<Needed> {
        let needed = prompt::needed(&open.request, &self.facts(open, authentication), open.call.now);
        let client = open.request.addressed().client.id();
        let visited =
            open.person.as_ref().map(|person| self.sessions.visited(open.call.now, &person.found.body, client));
        match (needed, visited) {
            // A full session begins anew with a login; the one that a login for this request began has room.
            (None, Some(Visited::Full)) if !open.done.contains(&StepDone::Login) => {
                Some(Needed::Login(&prompt::SESSION_FULL))
            }
            (needed, _) => needed,
        }
    }

    fn facts<'a>(&'a self, open: &'a Open<'_>, authentication: Option<&'a Authentication>) -> Facts<'a> {
        Facts {
            authentication,
            consent: &open.consent,
            done: &open.done,
            first_seen: open.first_seen,
            reachable: &self.reachable,
            claims: &self.rules.claims,
        }
    }

    /// Answers the client with a code: one step of the store, after which nothing can go wrong.
    pub(crate) async fn finish(&self, open: Open<'_>) -> Result<Next, Fault> {
        let Some(person) = &open.person else { return Ok(self.lost(&open, false)) };
        let (session, authentication) = (person.found.key, person.found.body.authentication.clone());
        match self.conclude(open, session, authentication, SessionWrite::Visit).await? {
            GoneOn::Written(next) | GoneOn::Lost(next) => Ok(next),
        }
    }

    /// Writes grant and code with whatever else the step changes, and responds.
    async fn conclude(
        &self,
        open: Open<'_>,
        session: Key,
        authentication: Authentication,
        write: SessionWrite,
    ) -> Result<GoneOn, Fault> {
        let (asked, addressed) = (open.request.asked(), open.request.addressed());
        let is_implied = addressed.client.consent == ConsentMode::Implied;
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
            return Ok(GoneOn::Lost(self.refuse(open.call, open.env, addressed, &(&NOTHING_GRANTED).into())));
        }
        let claims = if is_implied {
            asked.claims.clone()
        } else {
            self.rules.claims.consented(asked.claims.clone(), &scopes, answer)
        };
        let allowed = authorization_code::Allowed { session, authentication: &authentication, scopes, claims };
        let drafted = authorization_code::draft(&self.code, open.env, open.call.now, &open.request, allowed)?;
        match self.write(&open, write, drafted.records.into()).await? {
            Written::Lost => Ok(GoneOn::Lost(self.lost(&open, true))),
            Written::Done => {
                let client = addressed.client.id().clone();
                open.env.record(open.call, &Event::AuthorizationGranted { client, account: authentication.account });
                let response = addressed.respond(open.env, vec![("code", drafted.code.reveal())]);
                Ok(GoneOn::Written(Outcome::Respond(response).into()))
            }
        }
    }

    /// Stores the request under the session, because more is needed of a person who has authenticated.
    async fn store(&self, open: &Open<'_>, session: Key, write: SessionWrite) -> Result<GoneOn, Fault> {
        let browser = open.call.browser.as_deref().and_then(|cookie| SecretDigest::from_bytes(&sha256(cookie)));
        let browser = browser.ok_or_else(|| Fault::internal("a form of a browser without its cookie"))?;
        let handle = Handle::new(session.partition(), open.env.secret());
        let body = InteractionBody {
            request: open.request.addressed().params.encode(),
            first_seen: open.first_seen,
            session,
            browser,
            done: open.done.clone(),
        };
        let records = open.env.records();
        let ends = open.call.now + self.config.lifetime + KEPT;
        let tags = chancery_store::Tags::default();
        // In the session's partition, but not below it: when the session ends, the request can still be started again.
        let record = records.new(handle.key(&open.env.realm), None, tags, ends, &body)?;
        match self.write(open, write, vec![record]).await? {
            Written::Lost => Ok(GoneOn::Lost(self.lost(open, true))),
            Written::Done => Ok(GoneOn::Written(Outcome::Stored(handle).into())),
        }
    }

    /// One step in the partition of the session: its change, what is new, and the end of the stored interaction.
    async fn write(&self, open: &Open<'_>, session: SessionWrite, mut batch: Vec<Record>) -> Result<Written, Fault> {
        let (now, records) = (open.call.now, open.env.records());
        let edit = match session {
            SessionWrite::Begin(record) => {
                if !self.leave(open).await? {
                    return Ok(Written::Lost);
                }
                batch.insert(0, *record);
                records.insert(now, &batch).await?;
                return Ok(Written::Done);
            }
            SessionWrite::Visit => None,
            SessionWrite::Renew(handle, authentication) => Some((handle, authentication)),
        };
        let Some(person) = &open.person else { return Ok(Written::Lost) };
        let change = |body: &SessionBody| match &edit {
            Some((handle, authentication)) => Some(self.sessions.renewed(now, body, handle, authentication.clone())),
            None => match self.sessions.visited(now, body, open.request.addressed().client.id()) {
                Visited::Changed(body) => Some(body),
                Visited::Unchanged | Visited::Full => None,
            },
        };
        if change(&person.found.body).is_none() {
            return match &open.place {
                Place::Stored { key, .. } if key.partition() == person.found.key.partition() => {
                    Ok(match records.redeem(now, *key, &batch).await? {
                        Redeemed::First => Written::Done,
                        Redeemed::Replayed { .. } | Redeemed::Gone => Written::Lost,
                    })
                }
                _ => {
                    if !self.leave(open).await? {
                        return Ok(Written::Lost);
                    }
                    records.insert(now, &batch).await?;
                    Ok(Written::Done)
                }
            };
        }
        if !self.leave(open).await? {
            return Ok(Written::Lost);
        }
        // Parallel tabs change the same session; whoever comes second reads it again.
        let mut latest: Option<Found<SessionBody>> = None;
        for _ in 0..3 {
            let found = latest.as_ref().unwrap_or(&person.found);
            let written = match change(&found.body) {
                Some(body) => {
                    let ends = self.sessions.end(now, &body);
                    records.update(now, found, &body, ends, &batch).await?
                }
                None => {
                    records.insert(now, &batch).await?;
                    return Ok(Written::Done);
                }
            };
            match written {
                Updated::Done(_) => return Ok(Written::Done),
                Updated::Gone => return Ok(Written::Lost),
                Updated::Stale => latest = records.get(now, person.found.key).await?,
            }
            if latest.is_none() {
                return Ok(Written::Lost);
            }
        }
        Err(Fault::unavailable("the session was changed by others three times in a row"))
    }

    /// Uses up the stored interaction that this answer belongs to; `false` when it was answered before.
    async fn leave(&self, open: &Open<'_>) -> Result<bool, Fault> {
        let Place::Stored { key, .. } = &open.place else { return Ok(true) };
        Ok(open.env.records().redeem(open.call.now, *key, &[]).await? == Redeemed::First)
    }

    /// Ends the session that found no more room in the cookie's list.
    async fn end(&self, call: &Call, env: &Env, dropped: Option<RotatingHandle<Session>>) -> Result<(), Fault> {
        let Some(dropped) = dropped else { return Ok(()) };
        let (records, key) = (env.records(), dropped.key(&env.realm));
        let found: Option<Found<SessionBody>> = records.get(call.now, key).await?;
        if records.revoke(call.now, key).await? == Revoked::Ended
            && let Some(found) = found
        {
            env.record(call, &Event::SessionEnded { account: found.body.authentication.account });
        }
        Ok(())
    }
}

impl<'a> Open<'a> {
    /// What is asked for.
    pub(crate) fn request(&self) -> &ValidatedAuthorizationRequest<'a> {
        &self.request
    }

    /// What one account has allowed, another has not.
    fn keeps_answers_of(&mut self, account: &AccountId) {
        if self.person.as_ref().is_none_or(|person| person.account.id != *account) {
            self.done.retain(|step| *step != StepDone::Consent);
        }
    }

    /// What a form token is bound to: the parameters, or the handle of the record that holds them.
    fn subject(&self) -> [u8; 32] {
        match &self.place {
            Place::Form => sha256(self.request.addressed().params.encode().as_bytes()),
            Place::Stored { key, .. } => sha256(key.as_bytes()),
        }
    }
}
