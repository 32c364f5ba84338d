//! A name and a password that were typed: looked at no more often than the throttle lets through, and
//! counted.

use super::device::{Devices, Typed, name_digest};
use super::pending::Pending;
use super::prompt::LOGIN_TOO_OLD;
use super::throttle::Admission;
use super::view::LoginProblem;
use crate::error::Fault;
use crate::event::{ACCOUNT_CHANGED, ACCOUNT_MISSING, DISABLED, Event, FIELDS_MISSING, LoginAttempt};
use crate::model::{Account, Authentication, LoginForm};
use crate::ports::LoginOutcome;

/// What became of it.
pub(super) enum Checked {
    /// It is that person's.
    Right {
        /// Who it is.
        who: Authentication,
        /// By which name.
        typed: Typed,
    },
    /// It is wrong, or was not looked at.
    Refused(LoginProblem),
}

/// Looks at what was typed.
pub(super) async fn check(pending: &Pending<'_>, form: LoginForm) -> Result<Checked, Fault> {
    let Pending { by, call, env, .. } = pending;
    if !form.is_typed() {
        if !form.has_fields() {
            // A page of the application's own, or a stranger's form: nothing was tried, so nothing is counted.
            let client = pending.client.id().clone();
            let attempt = LoginAttempt { account: None, name_digest: Box::default(), client };
            env.record(call, &Event::LoginFailed { attempt, reason: FIELDS_MISSING });
        }
        return Ok(Checked::Refused(LoginProblem::Refused));
    }
    let name = env.accounts.folded(&form.username);
    let devices = Devices::open(call, env, by.keys());
    let device = devices.of_name(env, &name);
    let attempted = LoginAttempt {
        account: device.map(|device| device.account.clone()),
        name_digest: name_digest(env, &name).into(),
        client: pending.client.id().clone(),
    };
    let (attempt, room) = match by.throttle.attempt(call, env, &name, device).await? {
        Admission::Admitted(attempt, room) => (*attempt, room),
        Admission::Waits(wait) => {
            env.record(call, &Event::LoginThrottled { attempt: attempted, wait });
            return Ok(Checked::Refused(LoginProblem::Throttled(wait)));
        }
        Admission::Busy => {
            env.record(call, &Event::LoginBusy { attempt: attempted });
            return Ok(Checked::Refused(LoginProblem::Busy));
        }
    };
    match env.accounts.authenticate(&env.realm, call.now, form, room).await {
        Ok(LoginOutcome::Authenticated(who)) => {
            by.throttle.succeeded(call, env, attempt).await?;
            let devices = devices.signed_in((call, env, by.keys()), &name, who.account.clone())?;
            Ok(Checked::Right { who, typed: Typed { devices, name_digest: attempted.name_digest } })
        }
        Ok(LoginOutcome::Refused(why)) => {
            let account = why.account().cloned().or(attempted.account.clone());
            let attempted = LoginAttempt { account, ..attempted };
            env.record(call, &Event::LoginFailed { attempt: attempted, reason: why.as_str() });
            by.throttle.failed(call, env, attempt).await?;
            Ok(Checked::Refused(LoginProblem::Refused))
        }
        Err(fault) => {
            by.throttle.not_looked_at(call, env, attempt).await?;
            Err(fault)
        }
    }
}

/// The account that a login is good for. If it is good for none, an event says why.
pub(super) fn account_of(
    pending: &Pending<'_>,
    who: &Authentication,
    account: Option<Account>,
    typed: Option<&Typed>,
    is_stale: bool,
) -> Option<Account> {
    // The password may have been changed, or the account disabled, while the old one was looked at.
    let reason = match account {
        None => ACCOUNT_MISSING,
        Some(account) if !account.active => DISABLED,
        Some(account) if account.epoch != who.epoch => ACCOUNT_CHANGED,
        Some(_) if is_stale => LOGIN_TOO_OLD.name,
        good => return good,
    };
    let Pending { call, env, client, .. } = pending;
    let attempt = LoginAttempt {
        account: Some(who.account.clone()),
        name_digest: typed.map(|typed| typed.name_digest.clone()).unwrap_or_default(),
        client: client.id().clone(),
    };
    env.record(call, &Event::LoginFailed { attempt, reason });
    None
}
