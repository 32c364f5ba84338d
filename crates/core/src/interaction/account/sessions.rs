//! The sessions of the person who looks.

use std::cmp::Reverse;

use super::Visitor;
use crate::error::Fault;
use crate::interaction::view::OwnSessionView;
use crate::records::{Found, SessionBody};
use crate::session::{self, choice};

/// How many sessions a page shows.
const SHOWN: usize = 100;

impl Visitor<'_> {
    /// Those that live: this one, then the one that was used last. And how many are not shown.
    pub(super) async fn sessions(&self) -> Result<(Vec<OwnSessionView>, usize), Fault> {
        let mut others = self.others().await?;
        others.sort_by_key(|found| Reverse(found.body.touched_at));
        let all = std::iter::once(&self.person.found).chain(&others);
        let shown = all.take(SHOWN).map(|found| self.session_view(found)).collect();
        Ok((shown, (others.len() + 1).saturating_sub(SHOWN)))
    }

    /// One that is not this one.
    pub(super) async fn other_session(&self, named: &str) -> Result<Option<OwnSessionView>, Fault> {
        let others = self.others().await?;
        let found = others.iter().find(|found| choice(&found.key) == named);
        Ok(found.map(|found| self.session_view(found)))
    }

    /// All that live but this one: whatever began in another epoch of the account has ended.
    pub(super) async fn others(&self) -> Result<Vec<Found<SessionBody>>, Fault> {
        let mut all = session::of_account(self.call, self.env, &self.person.account.id).await?;
        let epoch = self.person.account.epoch;
        all.retain(|found| found.key != self.person.found.key && found.body.authentication.epoch == epoch);
        Ok(all)
    }

    fn session_view(&self, found: &Found<SessionBody>) -> OwnSessionView {
        OwnSessionView {
            choice: choice(&found.key),
            is_this: found.key == self.person.found.key,
            place: found.body.place.as_deref().cloned().unwrap_or_default(),
            signed_in_before: self.call.now.since(found.body.authentication.time()),
            used_before: self.call.now.since(found.body.touched_at),
        }
    }
}
