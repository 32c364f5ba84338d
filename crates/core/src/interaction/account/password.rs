//! A new password: by the current one, which is guessed at no more often than at a login.

use chancery_store::Updated;
use chancery_types::Params;
use zeroize::Zeroizing;

use super::{AccountNews, AccountPage, Visitor};
use crate::error::Fault;
use crate::event::Event;
use crate::interaction::device::Devices;
use crate::interaction::form_token::{self, challenge};
use crate::interaction::known::named;
use crate::interaction::throttle::Admission;
use crate::interaction::view::{ChangePasswordView, LoginProblem, PasswordProblem, View};
use crate::interaction::{Decided, Entrance, Outcome};
use crate::model::{Authentication, PasswordChange};
use crate::ports::{PasswordChangeOutcome, PasswordRefusal};
use crate::records::{Found, ReplayBody, SessionBody, challenge_key};
use crate::session::{SignedIn, list_with};

/// The field in which the form keeps what its page says of what was typed, for whoever chooses another language there.
const KEPT: &str = "kept_problem";

/// How often a session that parallel tabs change is read again.
const RACES: usize = 3;

impl Visitor<'_> {
    pub(super) fn can_change_password(&self) -> bool {
        self.env.accounts.can_change_password(&self.env.realm)
    }

    /// What the person types at a login.
    fn username(&self) -> &str {
        let account = &self.person.account;
        account.username.as_deref().unwrap_or(account.id.as_str())
    }

    /// The page.
    pub(super) async fn password_page(
        &self,
        problem: Option<PasswordProblem>,
        keeps_others: bool,
    ) -> Result<Decided, Fault> {
        let (mut fields, browser) = self.form(AccountPage::Password)?;
        let kept = problem.filter(|problem| !matches!(problem, PasswordProblem::NotLookedAt(_)));
        fields.extend(kept.map(|problem| (KEPT, problem.as_str().to_owned())));
        let view = ChangePasswordView {
            account: named(self.env, self.person).await?,
            username: self.username().to_owned(),
            problem,
            shortest_password: self.env.accounts.shortest_password(&self.env.realm),
            keeps_others,
            address: self.address(),
            fields,
        };
        let entrance = Some(Entrance::Account(AccountPage::Password.reference()));
        Ok(Decided { browser, entrance, ..Outcome::Page(Box::new(View::ChangePassword(view))).into() })
    }

    /// The page in another language, as its form has it.
    pub(super) async fn password_page_as_it_was(&self, form: &Params<'_>) -> Result<Decided, Fault> {
        if !self.can_change_password() {
            return self.page(AccountPage::Overview, super::Shown::default()).await;
        }
        let kept = form.one(KEPT).ok().flatten();
        let shortest = self.env.accounts.shortest_password(&self.env.realm);
        let refusals = [
            PasswordRefusal::TooCommon,
            PasswordRefusal::IsName,
            PasswordRefusal::Unacceptable,
            PasswordRefusal::Unchanged,
        ];
        let refusals = refusals.into_iter().chain(shortest.map(PasswordRefusal::TooShort));
        let mut problems = [PasswordProblem::Wrong, PasswordProblem::Different]
            .into_iter()
            .chain(refusals.map(PasswordProblem::Refused));
        let problem = problems.find(|problem| kept == Some(problem.as_str()));
        self.password_page(problem, keeps_others(form)).await
    }

    /// What was typed into it. The same form twice is one change.
    pub(super) async fn change_password(&self, form: &Params<'_>, sealed: &str) -> Result<Decided, Fault> {
        let (by, call, env, account) = (self.by, self.call, self.env, &self.person.account);
        if !self.can_change_password() {
            return self.page(AccountPage::Overview, super::Shown::default()).await;
        }
        let typed = |name| Zeroizing::new(form.one(name).ok().flatten().unwrap_or_default().to_owned());
        let (current, new, again) = (typed("current"), typed("new"), typed("again"));
        let keeps_others = keeps_others(form);
        let refused = async |problem: PasswordProblem| {
            let (account, reason) = (account.id.clone(), problem.as_str());
            env.record(call, &Event::PasswordChangeRefused { account, reason });
            self.password_page(Some(problem), keeps_others).await
        };
        let mark = challenge_key(&env.realm, &challenge(sealed));
        let is_done = async || {
            let mark: Option<Found<ReplayBody>> = env.records().get(call.now, mark).await?;
            Ok::<bool, Fault>(mark.is_some())
        };
        if is_done().await? {
            // The second of two that were sent at once has the cookie as it was before. With the one that it is by now,
            // the browser has kept the page, and perhaps another password was typed into it.
            if self.person.is_current {
                return refused(PasswordProblem::NotLookedAt(LoginProblem::Stale)).await;
            }
            return self.tells(AccountNews::PasswordChanged);
        }
        let mut others = by.sessions.everybody(call, env).await?;
        if others.iter().any(|person| !person.is_current) {
            // What the cookie's list has become meanwhile is not known here. The next request brings it along.
            return refused(PasswordProblem::NotLookedAt(LoginProblem::Stale)).await;
        }
        others.retain(|person| person.found.key != self.person.found.key);
        if *new != *again {
            return refused(PasswordProblem::Different).await;
        }
        if current.is_empty() {
            return refused(PasswordProblem::Wrong).await;
        }
        // By what is typed at a login. How pages call somebody, somebody else may be called, too, or sign in with.
        let name = env.accounts.folded(self.username());
        let devices = Devices::open(call, env, by.keys());
        let device = devices.of_account(&account.id);
        let (attempt, room) = match by.throttle.attempt(call, env, &name, device).await? {
            Admission::Admitted(attempt, room) => (*attempt, room),
            Admission::Waits(wait) => {
                return refused(PasswordProblem::NotLookedAt(LoginProblem::Throttled(wait))).await;
            }
            Admission::Busy => return refused(PasswordProblem::NotLookedAt(LoginProblem::Busy)).await,
        };
        let change = PasswordChange { account: account.id.clone(), current, new, keeps_others };
        let problem = match env.accounts.change_password(&env.realm, call.now, change, room).await {
            Ok(PasswordChangeOutcome::Changed(who)) => {
                env.records().use_once(call.now, mark, call.now + form_token::LIFETIME).await?;
                by.throttle.succeeded(call, env, attempt).await?;
                return self.changed(who, keeps_others, &others).await;
            }
            Ok(PasswordChangeOutcome::WrongPassword) => {
                by.throttle.failed(call, env, attempt).await?;
                return refused(PasswordProblem::Wrong).await;
            }
            Ok(PasswordChangeOutcome::Refused(why)) => Ok(PasswordProblem::Refused(why)),
            Ok(PasswordChangeOutcome::Overtaken) => Ok(PasswordProblem::NotLookedAt(LoginProblem::Stale)),
            Err(fault) => Err(fault),
        };
        by.throttle.not_looked_at(call, env, attempt).await?;
        match problem? {
            // The same form has overtaken itself.
            PasswordProblem::NotLookedAt(_) if is_done().await? => self.tells(AccountNews::PasswordChanged),
            problem => refused(problem).await,
        }
    }

    /// There is a new password, which counts as a login with it: this session goes on with another secret, and the
    /// others end.
    async fn changed(
        &self,
        who: Authentication,
        keeps_others: bool,
        others: &[SignedIn],
    ) -> Result<Decided, Fault> {
        let (by, call, env) = (self.by, self.call, self.env);
        env.record(call, &Event::PasswordChanged { account: who.account.clone(), keeps_others });
        let handle = by.sessions.renew(env, self.person);
        let renewed =
            |body: &SessionBody| by.sessions.renewed(call, body, &handle, who.clone(), Some(&by.itself));
        let mut latest: Option<Found<SessionBody>> = None;
        let mut is_renewed = false;
        for _ in 0..RACES {
            let found = latest.as_ref().unwrap_or(&self.person.found);
            let body = renewed(&found.body);
            let ends = by.sessions.end(call.now, &body);
            match env.records().update(call.now, found, &body, ends, &[]).await? {
                Updated::Done(_) => {
                    is_renewed = true;
                    break;
                }
                Updated::Stale => latest = env.records().get(call.now, self.person.found.key).await?,
                Updated::Gone => break,
            }
            if latest.is_none() {
                break;
            }
        }
        if !keeps_others {
            self.end_others().await?;
        }
        let next = self.tells(AccountNews::PasswordChanged)?;
        // Where the session has ended meanwhile, the person signs in with the new password.
        Ok(Decided { sessions: is_renewed.then(|| list_with(handle.clone(), others).0), ..next })
    }
}

/// Whether other sessions are to stay.
fn keeps_others(form: &Params<'_>) -> bool {
    form.one("keeps_others").ok().flatten() == Some("yes")
}
