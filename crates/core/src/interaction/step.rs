//! The steps of an interaction: each can be answered once, because answering takes it away.

use std::ops::ControlFlow;

use chancery_types::{Params, Timestamp};

use super::commit::{SessionChange, SessionWrite, declined, go_on, proceed, takes_once};
use super::custom_step::CustomStep;
use super::device::Typed;
use super::form_token::{FORM_OF_FORMER_SESSION, challenge, form_refused};
use super::page::{Shown, lost, page};
use super::password::{self, Checked};
use super::pending::Pending;
use super::sign_up::{self, Created};
use super::view::{LoginProblem, SignUpProblem};
use super::{Decided, LANGUAGE, Next, consent, prompt};
use crate::error::Fault;
use crate::event::Event;
use crate::model::{Acr, Authentication, LoginForm, PromptName, SignUpForm};
use crate::policy::PersonView;
use crate::session::{SignedIn, choice as choice_of, end, list_with};

/// What a page asks of the person, when its form has come back.
#[non_exhaustive]
pub enum Step<'a> {
    /// Sign in.
    Login(LoginStep<'a>),
    /// Say that the device which asks is one's own, or not.
    ConfirmDevice(ConfirmDeviceStep<'a>),
    /// Choose the account.
    SelectAccount(SelectAccountStep<'a>),
    /// Allow it, or not.
    Consent(ConsentStep<'a>),
    /// Approve what was asked for in the background, or not.
    Approve(ApproveStep<'a>),
    /// Make an account.
    SignUp(SignUpStep<'a>),
    /// Answer the application's own question.
    Custom(CustomStep<'a>),
}

/// Sign in.
pub struct LoginStep<'a> {
    pending: Pending<'a>,
    /// The challenge of the page.
    challenge: String,
    /// The name that was typed, once the password was right.
    typed: Option<Typed>,
}

/// Make an account, or sign in with one.
pub struct SignUpStep<'a>(LoginStep<'a>);

/// Say that the device which asks is one's own, or not.
pub struct ConfirmDeviceStep<'a>(Pending<'a>);

/// Approve what was asked for in the background, or not.
pub struct ApproveStep<'a>(Pending<'a>);

/// Choose the account.
pub struct SelectAccountStep<'a>(Pending<'a>);

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
pub struct ConsentStep<'a>(Pending<'a>);

impl<'a> Step<'a> {
    /// The step that the page of this prompt leaves to the person.
    pub(super) fn of(prompt: PromptName, pending: Pending<'a>, token: &str) -> Result<Self, Fault> {
        Ok(match prompt {
            PromptName::Login => Self::Login(LoginStep { pending, challenge: challenge(token), typed: None }),
            PromptName::Create => {
                Self::SignUp(SignUpStep(LoginStep { pending, challenge: challenge(token), typed: None }))
            }
            PromptName::ConfirmDevice => Self::ConfirmDevice(ConfirmDeviceStep(pending)),
            PromptName::Approve => Self::Approve(ApproveStep(pending)),
            PromptName::SelectAccount => Self::SelectAccount(SelectAccountStep(pending)),
            PromptName::Consent => Self::Consent(ConsentStep(pending)),
            PromptName::Custom(name) => {
                let person = pending.person.as_ref();
                let person = person.ok_or_else(|| Fault::internal("a question that was asked of nobody"))?;
                let account = person.account.id.clone();
                Self::Custom(CustomStep { pending, name, account })
            }
        })
    }

    /// Answers the step by what was typed and pressed on a page with the fields and buttons of the built-in
    /// one. An application's own prompt is only answered by the application: unless the person cancels, its page
    /// comes again.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn press(self, form: &Params<'_>) -> Result<Next, Fault> {
        let (Self::Login(LoginStep { pending, .. })
        | Self::SignUp(SignUpStep(LoginStep { pending, .. }))
        | Self::ConfirmDevice(ConfirmDeviceStep(pending))
        | Self::SelectAccount(SelectAccountStep(pending))
        | Self::Approve(ApproveStep(pending))
        | Self::Consent(ConsentStep(pending))
        | Self::Custom(CustomStep { pending, .. })) = &self;
        let (by, call, env) = pending.world();
        let next = Box::pin(self.pressed(form)).await?;
        by.respond(call, env, next).await
    }

    pub(crate) async fn pressed(self, form: &Params<'_>) -> Result<Decided, Fault> {
        let field = |name| form.one(name).ok().flatten().unwrap_or("");
        if form.has(LANGUAGE) {
            return self.again(form).await;
        }
        match (self, field("action")) {
            (step, "cancel" | "deny") => step.declined().await,
            (Self::Login(step), "create") if step.pending.by.sign_up.offered => step.signs_up().await,
            (Self::SignUp(step), "login") => step.0.back().await,
            (Self::SignUp(step), _) => {
                let posted = step.0.pending.call.posted(form);
                Box::pin(step.form(SignUpForm::of(posted))).await
            }
            (Self::Login(step), _) => {
                let posted = step.pending.call.posted(form);
                Box::pin(step.form(LoginForm::of(posted))).await
            }
            (Self::ConfirmDevice(step), "confirm") => Box::pin(step.proceeds()).await,
            (Self::ConfirmDevice(step), _) => Box::pin(proceed(&step.0)).await,
            (Self::SelectAccount(step), "another") => step.signs_in().await,
            (Self::SelectAccount(step), _) if form.has("forget") => {
                Box::pin(step.forgets(field("forget"))).await
            }
            (Self::SelectAccount(step), _) => Box::pin(step.goes_on_as(field("account"))).await,
            (Self::Approve(step), "allow") => Box::pin(step.allowed()).await,
            (Self::Approve(step), _) => Box::pin(proceed(&step.0)).await,
            (Self::Consent(step), "switch") => page(&step.0, Shown::of(PromptName::SelectAccount)).await,
            (Self::Consent(step), "allow") => Box::pin(step.allowed()).await,
            (Self::Consent(step), _) => Box::pin(proceed(&step.0)).await,
            (Self::Custom(step), _) => Box::pin(proceed(&step.pending)).await,
        }
    }

    /// The same page once more, as it was.
    async fn again(self, form: &Params<'_>) -> Result<Decided, Fault> {
        match self {
            Self::Login(step) => page(&step.pending, Shown::login_as_it_was(form)).await,
            Self::SignUp(SignUpStep(LoginStep { pending, .. })) => {
                let shortest = pending.env.accounts.shortest_password(&pending.env.realm);
                page(&pending, Shown::sign_up_as_it_was(form, shortest)).await
            }
            Self::ConfirmDevice(ConfirmDeviceStep(pending)) => {
                page(&pending, Shown::of(PromptName::ConfirmDevice)).await
            }
            Self::SelectAccount(SelectAccountStep(pending)) => {
                page(&pending, Shown::chooser_as_it_was(form)).await
            }
            Self::Approve(ApproveStep(pending)) => page(&pending, Shown::of(PromptName::Approve)).await,
            Self::Consent(ConsentStep(pending)) => page(&pending, Shown::of(PromptName::Consent)).await,
            Self::Custom(CustomStep { pending, name, .. }) => {
                page(&pending, Shown::of(PromptName::Custom(name))).await
            }
        }
    }

    /// The person says no, whatever the page asks.
    async fn declined(self) -> Result<Decided, Fault> {
        match self {
            Self::Login(LoginStep { pending, .. })
            | Self::SignUp(SignUpStep(LoginStep { pending, .. }))
            | Self::ConfirmDevice(ConfirmDeviceStep(pending))
            | Self::SelectAccount(SelectAccountStep(pending))
            | Self::Approve(ApproveStep(pending))
            | Self::Consent(ConsentStep(pending))
            | Self::Custom(CustomStep { pending, .. }) => declined(pending).await,
        }
    }
}

impl LoginStep<'_> {
    /// The person is who they say; goes on to the next page or back to the client. Where the client wants a newer login than
    /// this one (`prompt=login`, `max_age`), the page comes again.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn authenticated(self, who: Authentication) -> Result<Next, Fault> {
        let (by, call, env) = self.pending.world();
        // In boxes of their own, here and below: an application's future is not to hold all that a step
        // needs.
        let next = Box::pin(self.sign_in(who)).await?;
        by.respond(call, env, next).await
    }

    /// The classes that the client wants, best first: those of the page's
    /// [`LoginView::acr_values`](super::view::LoginView::acr_values).
    #[must_use]
    pub fn acr_values(&self) -> Vec<Acr> {
        prompt::wanted_acr(&self.pending.asked)
    }

    /// When the form came, for the factors that it proves.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.pending.call.now
    }

    /// The challenge of the page ([`LoginView::challenge`](super::view::LoginView::challenge)), once: `None`
    /// when it was taken before, so that what a key has signed proves one login and no other.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn take_challenge(&self) -> Result<Option<&str>, Fault> {
        Ok(takes_once(&self.pending, &self.challenge).await?.then_some(&*self.challenge))
    }

    /// What was typed into a page with name and password is looked at, unless too much was guessed before:
    /// then the page comes again, as it does when the password is wrong. Where nothing was typed, the application may know
    /// the person all the same ([`Accounts::known`](crate::ports::Accounts::known)). A right one can be followed by
    /// another factor before [`authenticated`](Self::authenticated) ends the step.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn password(self, form: LoginForm) -> Result<ControlFlow<Next, (Self, Authentication)>, Fault> {
        let (by, call, env) = self.pending.world();
        match Box::pin(self.checked(form)).await? {
            ControlFlow::Continue(right) => Ok(ControlFlow::Continue(right)),
            ControlFlow::Break(next) => Ok(ControlFlow::Break(by.respond(call, env, next).await?)),
        }
    }

    /// Not who they say, or not looked at: the page again, with the request kept.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub async fn refused(self, problem: LoginProblem, typed: Option<String>) -> Result<Next, Fault> {
        let (by, call, env) = self.pending.world();
        by.respond(call, env, self.again(problem, typed).await?).await
    }

    /// The person does not want to sign in: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn abort(self) -> Result<Next, Fault> {
        let (by, call, env) = self.pending.world();
        by.respond(call, env, declined(self.pending).await?).await
    }

    /// The form of the built-in page.
    async fn form(self, form: LoginForm) -> Result<Decided, Fault> {
        match self.checked(form).await? {
            ControlFlow::Continue((step, who)) => Box::pin(step.sign_in(who)).await,
            ControlFlow::Break(next) => Ok(next),
        }
    }

    async fn checked(
        mut self,
        form: LoginForm,
    ) -> Result<ControlFlow<Decided, (Self, Authentication)>, Fault> {
        if !form.is_typed() {
            let env = self.pending.env;
            if let Some(who) = env.accounts.known(&env.realm, self.pending.call.now, &form).await? {
                return Ok(ControlFlow::Continue((self, who)));
            }
        }
        let typed = form.username.clone();
        match password::check(&self.pending, form).await? {
            Checked::Right { who, typed } => {
                self.typed = Some(typed);
                Ok(ControlFlow::Continue((self, who)))
            }
            Checked::Refused(problem) => Ok(ControlFlow::Break(self.again(problem, Some(typed)).await?)),
        }
    }

    async fn again(self, problem: LoginProblem, typed: Option<String>) -> Result<Decided, Fault> {
        page(&self.pending, Shown::login(Some(problem), typed)).await
    }

    /// The sign-up page in the place of this one.
    async fn signs_up(self) -> Result<Decided, Fault> {
        page(&self.pending, Shown::of(PromptName::Create)).await
    }

    /// The login page in the place of the sign-up page.
    async fn back(self) -> Result<Decided, Fault> {
        page(&self.pending, Shown::login(None, None)).await
    }

    async fn sign_in(self, who: Authentication) -> Result<Decided, Fault> {
        let Self { mut pending, typed, .. } = self;
        let (by, call, env) = pending.world();
        let account = env.account(&who.account).await?;
        let is_stale = prompt::is_stale(&pending.asked, &who, pending.first_seen, call.now);
        let Some(account) = password::account_of(&pending, &who, account, typed.as_ref(), is_stale) else {
            return page(&pending, Shown::login(Some(LoginProblem::Refused), None)).await;
        };
        let mut everybody = by.sessions.everybody(call, env).await?;
        let is_former = |person: &SignedIn| !person.is_current && person.account.id != who.account;
        if everybody.iter().any(is_former) {
            // What the cookie's list has become meanwhile is not known here. The next request brings it along.
            form_refused(call, env, &FORM_OF_FORMER_SESSION, Some(pending.client.id()));
            return page(&pending, Shown::login(Some(LoginProblem::Stale), None)).await;
        }
        let client = pending.client.id().clone();
        env.record(call, &Event::LoginSucceeded { account: who.account.clone(), client });
        pending.moves_to(None, &who.account);
        pending.done.add(PromptName::Login);
        // A second login of somebody who is signed in here already renews that session, whichever is the
        // active one. Where it has no room for the client, a new one takes its place.
        let same = everybody.iter().position(|person| person.account.id == who.account);
        let (renewed, full) = match same.map(|at| everybody.remove(at)) {
            Some(person) if !by.sessions.has_room(&person.found.body, &pending.client) => {
                (None, Some(person.handle))
            }
            person => (person, None),
        };
        pending.belongs_to(PersonView { account: &account, authentication: &who }, renewed).await?;
        let (handle, write) = match &pending.person {
            Some(person) => {
                let handle = by.sessions.renew(env, person);
                (handle.clone(), SessionWrite::Renew(handle))
            }
            None => {
                let handle = by.sessions.begin(env);
                (handle.clone(), SessionWrite::Begin(handle))
            }
        };
        let session = handle.key(&env.realm);
        let (list, dropped) = list_with(handle, &everybody);
        let replaced = dropped.into_iter().chain(full).collect();
        let change = SessionChange { session, authentication: who, write, cookie: Some(list), replaced };
        let next = go_on(&pending, change).await?;
        // Where no session was begun, nobody has signed in.
        let devices = typed.filter(|_| next.sessions.is_some()).map(|typed| typed.devices);
        Ok(Decided { devices, ..next })
    }
}

impl SignUpStep<'_> {
    /// There is a new account, and this is its person's first login; goes on to the next page or back to the client.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn created(self, who: Authentication) -> Result<Next, Fault> {
        self.0.authenticated(who).await
    }

    /// There is none: the page again, with the request kept.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub async fn refused(self, problem: SignUpProblem, typed: Option<String>) -> Result<Next, Fault> {
        let (by, call, env) = self.0.pending.world();
        by.respond(call, env, self.again(problem, typed).await?).await
    }

    /// The person does not want an account: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn abort(self) -> Result<Next, Fault> {
        self.0.abort().await
    }

    /// The form of the built-in page.
    async fn form(mut self, form: SignUpForm) -> Result<Decided, Fault> {
        let typed = form.username.clone();
        // Where it was switched off since, nobody makes an account any more.
        if !self.0.pending.by.sign_up.offered {
            return self.0.back().await;
        }
        match sign_up::create(&self.0.pending, form).await? {
            Created::By { who, typed } => {
                self.0.typed = Some(typed);
                Box::pin(self.0.sign_in(who)).await
            }
            Created::Refused(problem) => self.again(problem, Some(typed)).await,
        }
    }

    async fn again(self, problem: SignUpProblem, typed: Option<String>) -> Result<Decided, Fault> {
        page(&self.0.pending, Shown::sign_up(Some(problem), typed)).await
    }
}

impl<'a> ConsentStep<'a> {
    /// The person allows all that the page asked for.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn granted(self) -> Result<Next, Fault> {
        let (by, call, env) = self.0.world();
        by.respond(call, env, self.allowed().await?).await
    }

    /// The person allows nothing: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn denied(self) -> Result<Next, Fault> {
        let (by, call, env) = self.0.world();
        by.respond(call, env, declined(self.0).await?).await
    }

    async fn allowed(self) -> Result<Decided, Fault> {
        let Self(mut pending) = self;
        let (Some(person), Some(visit)) = (&pending.person, SessionChange::visit(&pending)) else {
            return lost(&pending, false);
        };
        let allowed = pending.to_consent();
        let before =
            pending.agreed.standing.as_ref().map(|found| found.body.answer.clone()).unwrap_or_default();
        let stored = consent::widened(before, &allowed);
        // What the application knows beside it still counts.
        let policy = &pending.by.rules.policy;
        pending.agreed.answer = policy.standing_consent(&pending.client, &person.account.id, stored).await?;
        pending.agreed.in_this_step = Some(allowed);
        pending.done.add(PromptName::Consent);
        go_on(&pending, visit).await
    }
}

impl ApproveStep<'_> {
    /// The person approves all that the page asked for.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn approved(self) -> Result<Next, Fault> {
        let (by, call, env) = self.0.world();
        by.respond(call, env, Box::pin(self.allowed()).await?).await
    }

    /// The person refuses: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn denied(self) -> Result<Next, Fault> {
        let (by, call, env) = self.0.world();
        by.respond(call, env, declined(self.0).await?).await
    }

    /// The yes holds for this one request: nothing of it is remembered as a consent.
    async fn allowed(self) -> Result<Decided, Fault> {
        let Self(mut pending) = self;
        let Some(visit) = SessionChange::visit(&pending) else { return lost(&pending, false) };
        let (before, asked) = (pending.agreed.answer.clone(), pending.to_approve());
        pending.agreed.answer = consent::widened(before, &asked);
        pending.done.add(PromptName::Approve);
        go_on(&pending, visit).await
    }
}

impl ConfirmDeviceStep<'_> {
    /// The person says that the device is theirs; goes on to the next page, or decides for the device.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn confirmed(self) -> Result<Next, Fault> {
        let (by, call, env) = self.0.world();
        by.respond(call, env, Box::pin(self.proceeds()).await?).await
    }

    /// The person knows of no such device: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn denied(self) -> Result<Next, Fault> {
        let (by, call, env) = self.0.world();
        by.respond(call, env, declined(self.0).await?).await
    }

    async fn proceeds(self) -> Result<Decided, Fault> {
        let Self(mut pending) = self;
        pending.done.add(PromptName::ConfirmDevice);
        proceed(&pending).await
    }
}

impl SelectAccountStep<'_> {
    /// The person goes on as the account of this choice.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn chosen(self, choice: &str) -> Result<Next, Fault> {
        let (by, call, env) = self.0.world();
        by.respond(call, env, Box::pin(self.goes_on_as(choice)).await?).await
    }

    /// The person wants to sign in as somebody else.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub async fn another(self) -> Result<Next, Fault> {
        let (by, call, env) = self.0.world();
        by.respond(call, env, self.signs_in().await?).await
    }

    /// The person does not want to go on: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn abort(self) -> Result<Next, Fault> {
        let (by, call, env) = self.0.world();
        by.respond(call, env, declined(self.0).await?).await
    }

    async fn goes_on_as(self, choice: &str) -> Result<Decided, Fault> {
        let Self(mut pending) = self;
        let (by, call, env) = pending.world();
        let mut everybody = by.sessions.everybody(call, env).await?;
        let chosen = everybody.iter().position(|person| choice_of(&person.found.key) == choice);
        let Some(person) = chosen.map(|at| everybody.remove(at)) else {
            // The page shows who is left. A form without any choice needs no word.
            let shown =
                if choice.is_empty() { Shown::of(PromptName::SelectAccount) } else { Shown::choice_ended() };
            return page(&pending, shown).await;
        };
        pending.moves_to(Some(person.found.key), &person.account.id);
        pending.done.add(PromptName::SelectAccount);
        let (handle, is_current) = (person.handle.clone(), person.is_current);
        pending.belongs_to_session(person).await?;
        let Some(visit) = SessionChange::visit(&pending) else { return lost(&pending, false) };
        // The chosen session is one of the list, so that none is dropped. A request that still came with the
        // secret before the current one must not bring it back into the cookie.
        let is_current = is_current && everybody.iter().all(|person| person.is_current);
        let sessions = is_current.then(|| list_with(handle, &everybody).0);
        let next = go_on(&pending, visit).await?;
        Ok(Decided { sessions, ..next })
    }

    /// Signs the account of this choice out in this browser, and shows whoever is left.
    async fn forgets(self, choice: &str) -> Result<Decided, Fault> {
        let (by, call, env) = self.0.world();
        let mut everybody = by.sessions.everybody(call, env).await?;
        let chosen = everybody.iter().position(|person| choice_of(&person.found.key) == choice);
        let Some(person) = chosen.map(|at| everybody.remove(at)) else {
            return page(&self.0, Shown::of(PromptName::SelectAccount)).await;
        };
        let active = call.sessions.first().map(|handle| handle.id());
        let was_active = active == Some(person.handle.id());
        end(call, env, person.found, Some(self.0.client.id())).await?;
        // Where the active session has ended its handle stays in front, so that nobody takes its place unasked. A
        // request that still came with the secret before the current one must not bring it back into the cookie.
        let is_current = everybody.iter().all(|person| person.is_current);
        let left = || everybody.iter().map(|person| person.handle.clone()).collect();
        let sessions = ((everybody.is_empty() || !was_active) && is_current).then(left);
        let pending = self.0.anew().await?;
        let next = match everybody.as_slice() {
            [] => proceed(&pending).await?,
            _ => page(&pending, Shown::of(PromptName::SelectAccount)).await?,
        };
        Ok(Decided { sessions, ..next })
    }

    async fn signs_in(self) -> Result<Decided, Fault> {
        page(&self.0, Shown::login(None, None)).await
    }
}
