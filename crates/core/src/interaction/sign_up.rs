//! A name and a password for a new account (Initiating User Registration via OpenID Connect 1.0): looked at no
//! more often than the quota of the network lets through.
//!
//! The page has to say that a name is taken, so that it tells strangers which names exist. Therefore every
//! attempt that could learn it counts, also a successful one: a network learns no more names within an hour than
//! it may make accounts.
//! Config     `[sign_up]`
//! Discovery  prompt_values_supported

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::device::{Devices, Typed, name_digest};
use super::pending::Pending;
use super::view::{LoginProblem, SignUpProblem};
use crate::error::{Complaint, Fault, SectionCheck};
use crate::event::Event;
use crate::limits::Quotas;
use crate::model::{Authentication, SignUpForm};
use crate::ports::{Browser, SignUpOutcome};

/// The period of `sign_up.network_quota`.
const PERIOD: Duration = Duration::from_secs(3600);

/// `[sign_up]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignUpConfig {
    /// Whether people may make accounts for themselves.
    pub offered: bool,
    /// How many attempts one network has within an hour.
    pub network_quota: u32,
}

impl Default for SignUpConfig {
    fn default() -> Self {
        Self { offered: false, network_quota: 20 }
    }
}

impl SignUpConfig {
    /// What is wrong with it, given whether the accounts can make new ones.
    pub(crate) fn complaints(&self, can_sign_up: bool) -> Vec<Complaint> {
        const SECTION: &str = "Initiating User Registration via OpenID Connect section 4";
        SectionCheck::of("sign_up")
            .demand(self.network_quota > 0, "network_quota", "must be at least 1", "RFC 6749 section 10.10")
            .demand(
                !self.offered || can_sign_up,
                "offered",
                "needs accounts that people can make themselves (`Accounts::can_sign_up`)",
                SECTION,
            )
            .complaints()
    }
}

/// What became of it.
pub(super) enum Created {
    /// The account is this person's.
    By {
        /// Who it is.
        who: Authentication,
        /// By which name.
        typed: Typed,
    },
    /// There is no new account.
    Refused(SignUpProblem),
}

/// Makes the account.
pub(super) async fn create(pending: &Pending<'_>, form: SignUpForm) -> Result<Created, Fault> {
    let Pending { by, call, env, .. } = pending;
    let refused = |problem: SignUpProblem| {
        let client = pending.client.id().clone();
        env.record(call, &Event::SignUpRefused { client, reason: problem.as_str() });
        Ok(Created::Refused(problem))
    };
    if let Err(why) = env.accounts.may_sign_up(&env.realm, &form) {
        return refused(SignUpProblem::Refused(why));
    }
    let quotas = Quotas { network: by.sign_up.network_quota, everybody: 0 };
    if let Err(wait) = env.limits.sign_ups.take(call.now, call.network().as_deref(), quotas, PERIOD) {
        return refused(SignUpProblem::NotLookedAt(LoginProblem::Throttled(wait)));
    }
    let Some(room) = env.accounts.room(&env.realm, Browser::Unknown).await? else {
        return refused(SignUpProblem::NotLookedAt(LoginProblem::Busy));
    };
    let name = env.accounts.folded(&form.username);
    match env.accounts.sign_up(&env.realm, call.now, form, room).await? {
        SignUpOutcome::SignedUp(who) => {
            let (client, account) = (pending.client.id().clone(), who.account.clone());
            env.record(call, &Event::SignedUp { client, account });
            let devices = Devices::open(call, env, by.keys());
            let devices = devices.signed_in((call, env, by.keys()), &name, who.account.clone())?;
            Ok(Created::By { who, typed: Typed { devices, name_digest: name_digest(env, &name).into() } })
        }
        SignUpOutcome::Refused(why) => refused(SignUpProblem::Refused(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_to_be_made_by_somebody() {
        for (offered, can_sign_up, is_good) in
            [(true, true, true), (true, false, false), (false, true, true), (false, false, true)]
        {
            let config = SignUpConfig { offered, ..SignUpConfig::default() };
            assert_eq!(config.complaints(can_sign_up).is_empty(), is_good, "{offered} {can_sign_up}");
        }
    }
}
