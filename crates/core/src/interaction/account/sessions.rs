//! The sessions of the person who looks.

use std::cmp::Reverse;

use super::Visitor;
use super::list::{PARTS, Position};
use crate::error::Fault;
use crate::interaction::view::{Ending, OwnSessionView};
use crate::records::{Found, SessionBody};
use crate::session::{self, choice};

impl Visitor<'_> {
    /// One part of those that live, and where the next one begins: this one first, then the one that was used last.
    pub(super) async fn sessions(&self, from: Position) -> Result<(Vec<OwnSessionView>, Position), Fault> {
        let (mut others, mut next) = (Vec::new(), from);
        // A part may hold nothing but what has ended with an epoch.
        for _ in 0..PARTS {
            let (part, behind) = self.part(next).await?;
            others.extend(part.into_iter().filter(|found| self.is_other(found)));
            next = behind;
            if next == Position::End || !others.is_empty() {
                break;
            }
        }
        others.sort_by_key(|found| Reverse(found.body.touched_at));
        let this = (from == Position::Start).then_some(&self.person.found);
        Ok((this.into_iter().chain(&others).map(|found| self.session_view(found)).collect(), next))
    }

    /// One that is not this one.
    pub(super) async fn other_session(&self, named: &str) -> Result<Option<OwnSessionView>, Fault> {
        Ok(self.other(named).await?.map(|found| self.session_view(&found)))
    }

    /// All of them but this one, if there is any.
    pub(super) async fn other_sessions(&self) -> Result<Option<Ending>, Fault> {
        let mut count = 0;
        let next = self.parts(Position::Start, |found| count += usize::from(self.is_other(&found))).await?;
        let are_more = next != Position::End;
        Ok((count > 0 || are_more).then_some(Ending::OtherSessions { count, are_more }))
    }

    /// Ends this session of the person's, unless it is the one that they are in.
    pub(super) async fn end_session(&self, named: &str) -> Result<bool, Fault> {
        match self.other(named).await? {
            Some(found) => Ok(session::end(self.call, self.env, found, None).await?.is_some()),
            None => Ok(false),
        }
    }

    /// Ends all sessions of the person's but the one that they are in.
    pub(super) async fn end_others(&self) -> Result<(), Fault> {
        let mut from = Position::Start;
        while from != Position::End {
            let (part, next) = self.part(from).await?;
            for found in part.into_iter().filter(|found| found.key != self.person.found.key) {
                session::end(self.call, self.env, found, None).await?;
            }
            from = next;
        }
        Ok(())
    }

    async fn other(&self, named: &str) -> Result<Option<Found<SessionBody>>, Fault> {
        let mut from = Position::Start;
        while from != Position::End {
            let (part, next) = self.part(from).await?;
            let is_meant = |found: &Found<SessionBody>| self.is_other(found) && choice(&found.key) == named;
            if let Some(found) = part.into_iter().find(is_meant) {
                return Ok(Some(found));
            }
            from = next;
        }
        Ok(None)
    }

    /// Whether it lives and is not this one: whatever began in another epoch of the account has ended.
    fn is_other(&self, found: &Found<SessionBody>) -> bool {
        let is_of_epoch = found.body.authentication.epoch == self.person.account.epoch;
        found.key != self.person.found.key && is_of_epoch
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
