//! The steps of an interaction: each can be answered once, because answering takes it away.

use std::ops::ControlFlow;

use chancery_jose::sha256;
use chancery_types::handle::{Handle, HandleDigest};
use chancery_types::iana::ErrorCode;
use chancery_types::{AccountId, ClientId, Params};
use zeroize::Zeroizing;

use super::commit::{GoneOn, SessionWrite};
use super::consent;
use super::device::{Devices, name_digest};
use super::form_token::{
    FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_REQUEST, FORM_OF_ANOTHER_SESSION, FORM_OF_NOTHING,
    FORM_OUTDATED, FORM_WITHOUT_COOKIE, FormStep, FormToken,
};
use super::page::lost_page;
use super::prompt::{self, Needed};
use super::throttle::Admission;
use super::view::LoginProblem;
use super::{Interactions, KEPT, Next, Open, Place};
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, PageError, Reason};
use crate::event::{Endpoint, Event, LoginAttempt, RefusedClient};
use crate::model::{Authentication, Carrier, ConsentAnswer, LoginForm, StepDone};
use crate::ports::LoginOutcome;
use crate::records::{Found, InteractionBody};
use crate::request::{Received, Refused};
use crate::session::{choice as choice_of, list_with};

reasons! {
    /// The person refused the client's request.
    pub DECLINED = Reason {
        name: "declined",
        code: ErrorCode::AccessDenied,
        description: "End-User declined the request",
        section: "RFC 6749 section 4.1.2.1",
    };
    /// The form does not carry the request that it belongs to.
    pub FORM_INCOMPLETE = Reason {
        name: "form_incomplete",
        code: ErrorCode::InvalidRequest,
        description: "the form does not carry its request",
        section: "OIDC Core section 3.1.2.3",
    };
}

/// Allow it, or not.
///
/// A consent cannot be closed with a login:
///
/// ```
/// # use chancery_core::{interaction::LoginStep, model::Authentication};
/// # async fn f(step: LoginStep<'_>, who: Authentication) {
/// let next = step.authenticated(who).await;
/// # }
/// ```
/// ```compile_fail,E0599
/// # use chancery_core::{interaction::ConsentStep, model::Authentication};
/// # async fn f(step: ConsentStep<'_>, who: Authentication) {
/// let next = step.authenticated(who).await;
/// # }
/// ```
///
/// and no step can be answered twice:
///
/// ```
/// # use chancery_core::interaction::ConsentStep;
/// # async fn f(step: ConsentStep<'_>) {
/// let allowed = step.granted().await;
/// # }
/// # async fn g(step: ConsentStep<'_>) {
/// let declined = step.denied();
/// # }
/// ```
/// ```compile_fail,E0382
/// # use chancery_core::interaction::ConsentStep;
/// # async fn f(step: ConsentStep<'_>) {
/// let allowed = step.granted().await;
/// let declined = step.denied();
/// # }
/// ```
pub struct ConsentStep<'a>(Stage<'a>);

/// Sign in.
pub struct LoginStep<'a>(Stage<'a>);

/// Choose the account.
pub struct SelectAccountStep<'a>(Stage<'a>);

struct Stage<'a> {
    engine: &'a Interactions,
    open: Open<'a>,
}

impl<'a> LoginStep<'a> {
    /// The person is who they say; goes on to the next page or back to the client.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn authenticated(self, who: Authentication) -> Result<Next, Fault> {
        let Stage { engine, mut open } = self.0;
        let (call, env) = (open.call, open.env);
        let account = env.accounts.find(&env.realm, &who.account).await?;
        // The password may have been changed, or the account disabled, while the old one was looked at.
        if !account.is_some_and(|account| account.active && account.epoch == who.epoch) {
            return LoginStep(Stage { engine, open }).refused(LoginProblem::Refused, None).await;
        }
        open.goes_on_in(None, &who.account);
        open.done.push(StepDone::Login);
        env.record(call, &Event::LoginSucceeded { account: who.account.clone() });
        // A second login of somebody who is signed in here already renews that session, whichever is the active one.
        let mut everybody = engine.sessions.everybody(call, env).await?;
        let same = everybody.iter().position(|person| person.account.id == who.account);
        let person = same.map(|at| everybody.remove(at));
        let client = open.request.addressed().client.id();
        let (person, full): (Option<_>, Option<_>) = match person {
            Some(person) if !engine.sessions.has_room(&person.found.body, client) => (None, Some(person.handle)),
            person => (person, None),
        };
        engine.belongs_to(&mut open, &who.account, person).await?;
        let client = open.request.addressed().client.id();
        let (handle, write) = match &open.person {
            Some(person) => {
                let handle = engine.sessions.renew(env, person);
                (handle.clone(), SessionWrite::Renew(handle, who.clone()))
            }
            None => {
                let (handle, record) = engine.sessions.begin(call.now, env, who.clone(), client)?;
                (handle, SessionWrite::Begin(Box::new(record)))
            }
        };
        let session = handle.key(&env.realm);
        let (sessions, dropped) = list_with(handle, &everybody);
        let gone_on = match engine.needed_with(&open, Some(&who)) {
            None => engine.conclude(open, session, who, write).await?,
            Some(Needed::Impossible(why)) => return engine.refuse_once(&open, &why.into()).await,
            Some(_) => engine.store(&open, session, write).await?,
        };
        match gone_on {
            GoneOn::Written(next) => {
                let ended: Vec<_> = dropped.into_iter().chain(full).collect();
                engine.end(call, env, &ended).await?;
                Ok(Next { sessions: Some(sessions), ..next })
            }
            // Nothing of the new session is stored: the browser keeps what it has.
            GoneOn::Lost(next) => Ok(next),
        }
    }

    /// Wrong name or password, or not looked at: the page again, with the request kept.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub async fn refused(self, problem: LoginProblem, typed: Option<String>) -> Result<Next, Fault> {
        let Stage { engine, open } = self.0;
        engine.page(&open, Needed::Login(&prompt::NO_SESSION), Some(problem), typed).await
    }

    /// The person does not want to sign in: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn abort(self) -> Result<Next, Fault> {
        self.0.declined().await
    }

    /// What was typed into the built-in page's form.
    async fn form(self, form: LoginForm) -> Result<Next, Fault> {
        let Stage { engine, open } = &self.0;
        let (call, env) = (open.call, open.env);
        let typed = form.username.clone();
        if form.username.trim().is_empty() || form.password.is_empty() {
            return self.refused(LoginProblem::Refused, Some(typed)).await;
        }
        let name = env.accounts.folded(&typed);
        let devices = Devices::open(call, env, engine.keys());
        let device = devices.of_name(env, &name);
        let meant = |account: Option<&AccountId>| LoginAttempt {
            account: account.or(device.map(|device| &device.account)).cloned(),
            name_digest: name_digest(env, &name).into(),
            client: open.request.addressed().client.id().clone(),
            network: call.network(),
        };
        let (attempt, room) = match engine.throttle.attempt(call, env, &name, device).await? {
            Admission::Admitted(attempt, room) => (*attempt, room),
            Admission::Waits(wait) => {
                env.record(call, &Event::LoginThrottled { attempt: meant(None), wait });
                return self.refused(LoginProblem::Throttled(wait), Some(typed)).await;
            }
            Admission::Busy => {
                env.record(call, &Event::LoginBusy { attempt: meant(None) });
                return self.refused(LoginProblem::Busy, Some(typed)).await;
            }
        };
        let outcome = match env.accounts.authenticate(&env.realm, call.now, form, room).await {
            Ok(outcome) => outcome,
            Err(fault) => {
                engine.throttle.not_looked_at(call, env, attempt).await?;
                return Err(fault);
            }
        };
        match outcome {
            LoginOutcome::Authenticated(who) => {
                engine.throttle.succeeded(call, env, attempt).await?;
                let known = devices.signed_in((call, env, engine.keys()), &name, who.account.clone())?;
                let next = self.authenticated(who).await?;
                // Where no session was begun, nobody has signed in.
                let devices = next.sessions.is_some().then_some(known);
                Ok(Next { devices, ..next })
            }
            LoginOutcome::Refused(why) => {
                env.record(call, &Event::LoginFailed { attempt: meant(why.account()), reason: why.as_str() });
                engine.throttle.failed(call, env, attempt).await?;
                self.refused(LoginProblem::Refused, Some(typed)).await
            }
        }
    }
}

impl ConsentStep<'_> {
    /// The person allows all that the page asked for.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn granted(self) -> Result<Next, Fault> {
        let Stage { engine, mut open } = self.0;
        let Some(person) = &open.person else { return Ok(engine.lost(&open, false)) };
        let allowed = engine.to_consent(&open);
        let before = open.standing.as_ref().map(|found| found.body.answer.clone()).unwrap_or_default();
        let stored = consent::widened(before, &allowed, open.request.asked().resource.as_deref());
        // What the application knows beside it still counts.
        let client = &open.request.addressed().client;
        open.consent = engine.rules.policy.standing_consent(client, &person.account.id, stored).await?;
        open.allowed = Some(allowed);
        open.done.push(StepDone::Consent);
        engine.go_on(open).await
    }

    /// The person allows nothing: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn denied(self) -> Result<Next, Fault> {
        self.0.declined().await
    }
}

impl SelectAccountStep<'_> {
    /// The person goes on as the account of this choice.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn chosen(self, choice: &str) -> Result<Next, Fault> {
        let Stage { engine, mut open } = self.0;
        let mut everybody = engine.sessions.everybody(open.call, open.env).await?;
        let chosen = everybody.iter().position(|person| choice_of(&person.found.key) == choice);
        let Some(person) = chosen.map(|at| everybody.remove(at)) else {
            // That session has ended meanwhile; the page shows who is left.
            return engine.page(&open, Needed::SelectAccount(&prompt::SELECTION_REQUESTED), None, None).await;
        };
        open.goes_on_in(Some(person.found.key), &person.account.id);
        open.done.push(StepDone::SelectAccount);
        let (account, handle, is_current) = (person.account.id.clone(), person.handle.clone(), person.is_current);
        engine.belongs_to(&mut open, &account, Some(person)).await?;
        // The chosen session is one of the list, so that none is dropped. A request that still came with the secret before
        // the current one must not bring it back into the cookie.
        let is_current = is_current && everybody.iter().all(|person| person.is_current);
        let sessions = is_current.then(|| list_with(handle, &everybody).0);
        let next = engine.go_on(open).await?;
        Ok(Next { sessions, ..next })
    }

    /// The person wants to sign in as somebody else.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub async fn another(self) -> Result<Next, Fault> {
        let Stage { engine, open } = self.0;
        engine.page(&open, Needed::Login(&prompt::SELECTION_REQUESTED), None, None).await
    }

    /// The person does not want to go on: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn abort(self) -> Result<Next, Fault> {
        self.0.declined().await
    }
}

impl Stage<'_> {
    async fn declined(self) -> Result<Next, Fault> {
        let Stage { engine, mut open } = self;
        // Whoever cancels before anybody has signed in has answered for nobody, and leaves no record.
        if open.person.is_none() {
            open.interaction = None;
        }
        open.env.record(open.call, &Event::Declined { client: open.request.addressed().client.id().clone() });
        engine.refuse_once(&open, &(&DECLINED).into()).await
    }
}

impl Interactions {
    /// Shows the page that is needed, or answers the client.
    pub(crate) async fn show(&self, open: Open<'_>) -> Result<Next, Fault> {
        match self.needed(&open) {
            None => self.finish(open).await,
            Some(needed) => self.page(&open, needed, None, None).await,
        }
    }

    /// After a step of a person who is signed in: the client's answer, or the next page of a stored interaction.
    async fn go_on(&self, open: Open<'_>) -> Result<Next, Fault> {
        let session = open.person.as_ref().map(|person| person.found.key);
        match (self.needed(&open), session) {
            (None, _) => self.finish(open).await,
            (Some(Needed::Impossible(why)), _) => self.refuse_once(&open, &why.into()).await,
            (Some(_), Some(session)) => Ok(self.store(&open, session, SessionWrite::Visit).await?.next()),
            (Some(needed), None) => self.page(&open, needed, None, None).await,
        }
    }

    /// The form of a first page: the request is in the form.
    ///
    /// # Errors
    /// A page, when the form is not one of ours or something broke.
    pub async fn answer_form(&self, call: &Call, env: &Env, form: &Params<'_>) -> Result<Next, PageError> {
        let text = form.one("request")?.ok_or(&FORM_INCOMPLETE)?;
        let carrier = Carrier::of_form(text);
        let request = match self.read(env, Received(carrier.params()?)).await? {
            Ok(request) => request,
            Err(Refused { addressed, why }) => return Ok(self.refuse(call, env, &addressed, &why)),
        };
        // The token of another request or browser tells nothing of when this one came, and of what was done for it.
        let subject = request.addressed().carrier().digest();
        let token = self.token(call, env, form, &subject);
        let mut open = self.open(call, env, request, call.now, Vec::new()).await?;
        if let Ok(token) = &token {
            open.interaction = Some(token.interaction);
            open.first_seen = token.first_seen;
            open.done.clone_from(&token.done);
        }
        Ok(self.take(open, token, form).await?)
    }

    /// The page of a stored interaction.
    ///
    /// # Errors
    /// A page, when something broke.
    pub async fn stored_page(&self, call: &Call, env: &Env, handle: &str) -> Result<Next, PageError> {
        let Some(found) = self.find(call, env, handle).await? else { return Ok(lost_page(None, None, false)) };
        if !is_of_browser(call, &found) {
            return Ok(self.foreign_page(env, &found).await?);
        }
        match self.reopen(call, env, handle, &found).await? {
            Ok(open) if self.first_answer(call, env, found.body.interaction).await?.is_some() => {
                Ok(self.lost(&open, true))
            }
            Ok(open) => Ok(self.show(open).await?),
            Err(next) => Ok(*next),
        }
    }

    /// The form of a stored interaction's page.
    ///
    /// # Errors
    /// A page, when something broke.
    pub async fn answer_stored(
        &self,
        call: &Call,
        env: &Env,
        handle: &str,
        form: &Params<'_>,
    ) -> Result<Next, PageError> {
        let found = self.find(call, env, handle).await?;
        let Some(found) = found.as_ref().filter(|found| is_of_browser(call, found)) else {
            let why = match (&call.browser, found) {
                (None, _) => &FORM_WITHOUT_COOKIE,
                (Some(_), Some(_)) => &FORM_OF_ANOTHER_BROWSER,
                (Some(_), None) => &FORM_OF_NOTHING,
            };
            form_refused(call, env, why, None);
            return Ok(self.lost_form(env, form).await?);
        };
        match self.reopen(call, env, handle, found).await? {
            Ok(open) => {
                let token = self.token(call, env, form, &open.subject());
                Ok(self.take(open, token, form).await?)
            }
            Err(next) => {
                form_refused(call, env, &FORM_OF_NOTHING, None);
                Ok(*next)
            }
        }
    }

    async fn find(&self, call: &Call, env: &Env, handle: &str) -> Result<Option<Found<InteractionBody>>, Fault> {
        match Handle::<chancery_types::handle::Interaction>::parse(handle) {
            Ok(handle) => env.records().get(call.now, handle.key(&env.realm)).await,
            Err(_) => Ok(None),
        }
    }

    /// The request of a record, for the session that it belongs to; else the page that says why not.
    async fn reopen<'a>(
        &'a self,
        call: &'a Call,
        env: &'a Env,
        handle: &str,
        found: &'a Found<InteractionBody>,
    ) -> Result<Result<Open<'a>, Box<Next>>, PageError> {
        let request = match self.read(env, Received(found.body.request.params()?)).await? {
            Ok(request) => request,
            Err(Refused { addressed, why }) => {
                let interaction = found.body.interaction;
                return Ok(Err(Box::new(self.refuse_stored(call, env, interaction, &addressed, &why).await?)));
            }
        };
        let restart = || Some(found.body.request.clone().into_text());
        let client = request.addressed().client.clone();
        let is_over = call.now + KEPT > found.expires_at;
        let person = self.sessions.of_key(call, env, found.body.session).await?;
        let Some(person) = person.filter(|_| !is_over) else {
            return Ok(Err(Box::new(lost_page(Some(&client), restart(), false))));
        };
        let handle = Handle::parse(handle).map_err(|_| Fault::internal("a handle that cannot be read back"))?;
        let mut open = Open {
            call,
            env,
            request,
            interaction: Some(found.body.interaction),
            first_seen: found.body.first_seen,
            done: found.body.done.clone(),
            place: Place::Stored { handle, key: found.key },
            person: None,
            others_are_there: false,
            account: None,
            standing: None,
            consent: ConsentAnswer::default(),
            allowed: None,
        };
        let account = person.account.id.clone();
        self.belongs_to(&mut open, &account, Some(person)).await?;
        Ok(Ok(open))
    }

    /// The record of a page is gone, but its form still carries the request: it can be started again.
    async fn lost_form(&self, env: &Env, form: &Params<'_>) -> Result<Next, Fault> {
        let Some(text) = form.one("request").ok().flatten() else { return Ok(lost_page(None, None, false)) };
        let carrier = Carrier::of_form(text);
        let Ok(params) = carrier.params() else { return Ok(lost_page(None, None, false)) };
        match Received(params).resolve().address(env).await {
            Ok(addressed) => Ok(lost_page(Some(&addressed.client), Some(addressed.carrier().into_text()), false)),
            Err(PageError { failure: Failure::Broken(fault), .. }) => Err(fault),
            Err(_) => Ok(lost_page(None, None, false)),
        }
    }

    /// Another browser came by the URL: it learns which client it was, and nothing of the request.
    async fn foreign_page(&self, env: &Env, found: &Found<InteractionBody>) -> Result<Next, Fault> {
        let Ok(params) = found.body.request.params() else { return Ok(lost_page(None, None, false)) };
        match Received(params).resolve().address(env).await {
            Ok(addressed) => Ok(lost_page(Some(&addressed.client), None, false)),
            Err(PageError { failure: Failure::Broken(fault), .. }) => Err(fault),
            Err(_) => Ok(lost_page(None, None, false)),
        }
    }

    /// The form's token, if it was made for this browser and this request.
    fn token(
        &self,
        call: &Call,
        env: &Env,
        form: &Params<'_>,
        subject: &[u8; 32],
    ) -> Result<FormToken, &'static Reason> {
        if call.browser.is_none() {
            return Err(&FORM_WITHOUT_COOKIE);
        }
        let text = form.one("token").ok().flatten().ok_or(&FORM_FOREIGN)?;
        let token = FormToken::open(env, self.keys(), call.now, self.config.lifetime, text)?;
        if !token.is_of_browser(call.browser.as_deref()) {
            return Err(&FORM_OF_ANOTHER_BROWSER);
        }
        if token.subject == *subject { Ok(token) } else { Err(&FORM_OF_ANOTHER_REQUEST) }
    }

    /// What of the token has to fit the person, too.
    fn fits(&self, open: &Open<'_>, token: &FormToken) -> Result<(), &'static Reason> {
        let session = open.person.as_ref().map(|person| person.found.key);
        // Signing in is open to whoever knows the password; what is allowed or chosen belongs to one session.
        if token.step != FormStep::Login && token.session != session {
            return Err(&FORM_OF_ANOTHER_SESSION);
        }
        // What is allowed is what was shown, also when client, consent or configuration have changed since.
        if token.step == FormStep::Consent && token.shown != self.shown(open) {
            return Err(&FORM_OUTDATED);
        }
        Ok(())
    }

    /// A form that is not looked at: the page that is needed comes again.
    async fn once_more(&self, open: Open<'_>, why: &'static Reason, form: &Params<'_>) -> Result<Next, Fault> {
        form_refused(open.call, open.env, why, Some(open.request.addressed().client.id()));
        let is_cookie = *why == FORM_WITHOUT_COOKIE;
        let problem = Some(if is_cookie { LoginProblem::NoCookies } else { LoginProblem::Stale });
        match self.needed(&open) {
            Some(Needed::Impossible(why)) => self.refuse_once(&open, &why.into()).await,
            // Whoever typed a name wants to be that person, not the one who is signed in by now.
            _ if form.has("username") => self.page(&open, Needed::Login(&prompt::NO_SESSION), problem, None).await,
            None => self.finish(open).await,
            Some(needed) => self.page(&open, needed, problem, None).await,
        }
    }

    /// A form that came back. One that was not made for this browser, request and session is not looked at: the page
    /// comes again with a fresh token.
    async fn take(
        &self,
        open: Open<'_>,
        token: Result<FormToken, &'static Reason>,
        form: &Params<'_>,
    ) -> Result<Next, Fault> {
        let token = match token {
            Ok(token) => token,
            Err(why) => return Box::pin(self.once_more(open, why, form)).await,
        };
        let field = |name| form.one(name).ok().flatten();
        let is_refused = matches!(field("action"), Some("cancel" | "deny"));
        // Whoever cancels before anybody has signed in has answered for nobody.
        let open = match (is_refused, &open.person) {
            (true, None) => open,
            _ => match Box::pin(self.lead_on(open)).await? {
                ControlFlow::Continue(open) => open,
                ControlFlow::Break(next) => return Ok(next),
            },
        };
        if let Err(why) = self.fits(&open, &token) {
            return Box::pin(self.once_more(open, why, form)).await;
        }
        // Another page may be due by now, as when the login has grown too old while the person was reading.
        let may_consent = matches!(self.needed(&open), None | Some(Needed::Consent(_)));
        let stage = Stage { engine: self, open };
        match (token.step, field("action").unwrap_or("")) {
            (_, "cancel" | "deny") => stage.declined().await,
            (FormStep::Login, _) => {
                let username = field("username").unwrap_or("").to_owned();
                let password = Zeroizing::new(field("password").unwrap_or("").to_owned());
                Box::pin(LoginStep(stage).form(LoginForm { username, password })).await
            }
            (FormStep::Consent, "allow") if may_consent => Box::pin(ConsentStep(stage).granted()).await,
            (FormStep::SelectAccount, "another") => SelectAccountStep(stage).another().await,
            (FormStep::SelectAccount, _) => {
                Box::pin(SelectAccountStep(stage).chosen(field("account").unwrap_or(""))).await
            }
            (FormStep::Consent, _) => Box::pin(self.show(stage.open)).await,
        }
    }
}

/// Tells of a form that was not looked at.
pub(super) fn form_refused(call: &Call, env: &Env, reason: &'static Reason, client: Option<&ClientId>) {
    env.record_failure(call, Endpoint::Interaction, client.cloned().map(RefusedClient::Claimed), &reason.into());
}

/// Whether the interaction was stored for this browser.
fn is_of_browser(call: &Call, found: &Found<InteractionBody>) -> bool {
    let shown = call.browser.as_deref().and_then(|cookie| HandleDigest::from_bytes(&sha256(cookie)));
    shown.is_some_and(|shown| shown == found.body.browser)
}
