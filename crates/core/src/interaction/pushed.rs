//! RFC 9126 section 4: a pushed request is used up by the response to its client, and not before.

use chancery_store::Updated;

use super::page::fresh_interaction;
use super::pending::{Pending, Purpose};
use crate::error::Fault;
use crate::records::PushedRequestBody;
use crate::request::{Prompts, Pushed};

/// How often a request that several tabs change is read again.
const RACES: usize = 3;

impl Pending<'_> {
    /// The pushed request that is answered.
    fn pushed(&self) -> Option<&Pushed> {
        match &self.purpose {
            Purpose::Respond(addressed) => addressed.pushed.as_ref(),
            Purpose::Decide(_) | Purpose::Visit(_) => None,
        }
    }

    /// Whether the request was pushed and was answered.
    pub(super) fn is_used_up(&self) -> bool {
        self.pushed().is_some_and(Pushed::is_answered)
    }

    /// Whether the request was pushed and was answered in another interaction: another tab, another browser, or the
    /// same one before it went back.
    pub(super) fn is_answered_elsewhere(&self) -> bool {
        self.pushed().is_some_and(|pushed| pushed.is_answered_elsewhere(self.interaction))
    }
}

/// A page is about to be shown. The first one moves the end of the request once, because a person takes longer than a
/// redirect: no request is pushed again in the middle of a login.
pub(crate) async fn wait_for_person(pending: &Pending<'_>) -> Result<(), Fault> {
    let Some(Pushed { found, .. }) = pending.pushed() else { return Ok(()) };
    if found.body.is_awaited || pending.asked.prompts == Prompts::Silent {
        return Ok(());
    }
    let (call, env) = (pending.call, pending.env);
    let ends = found.expires_at.max(call.now + pending.by.config.lifetime);
    let body = PushedRequestBody { is_awaited: true, ..found.body.clone() };
    // Where another tab was faster, it has moved the end, or answered the request.
    env.records().update(call.now, found, &body, ends, &[]).await?;
    Ok(())
}

/// Uses the request up for the response of this interaction: `false` if another response was first. A step that is
/// repeated gives the same response again, and has used the request up already.
pub(super) async fn use_up(pending: &Pending<'_>) -> Result<bool, Fault> {
    let Some(Pushed { key, found, .. }) = pending.pushed() else { return Ok(true) };
    let (call, env) = (pending.call, pending.env);
    let here = pending.interaction.unwrap_or_else(|| fresh_interaction(env));
    let mut latest = None;
    for _ in 0..RACES {
        let found = latest.as_ref().unwrap_or(found);
        if let Some(by) = found.body.answered {
            return Ok(by == here);
        }
        let body = PushedRequestBody { answered: Some(here), ..found.body.clone() };
        match env.records().update(call.now, found, &body, found.expires_at, &[]).await? {
            Updated::Done(_) => {
                env.limits.pushed_requests.give_back(&body.client, *key);
                return Ok(true);
            }
            Updated::Gone => return Ok(false),
            Updated::Stale => latest = env.records().get(call.now, *key).await?,
        }
        if latest.is_none() {
            return Ok(false);
        }
    }
    Err(Fault::unavailable("the pushed request was changed by others three times in a row"))
}
