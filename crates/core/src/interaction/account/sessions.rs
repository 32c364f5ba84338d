//! The sessions of the person who looks.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use chancery_types::ClientId;

use super::Visitor;
use super::list::{PARTS, Position};
use crate::error::Fault;
use crate::interaction::view::{ClientView, Ending, OwnSessionView};
use crate::model::Client;
use crate::records::{Found, Participant, SessionBody};
use crate::session::{self, choice};

/// How many applications of a session are named.
const NAMED: usize = 3;

/// The clients that were looked up for a page, on which most sessions have the same ones.
type LookedUp = BTreeMap<ClientId, Option<Arc<Client>>>;

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
        let mut looked_up = LookedUp::new();
        let mut views = Vec::with_capacity(others.len() + 1);
        for found in this.into_iter().chain(&others) {
            views.push(self.session_view(found, &mut looked_up).await?);
        }
        Ok((views, next))
    }

    /// One that is not this one.
    pub(super) async fn other_session(&self, named: &str) -> Result<Option<OwnSessionView>, Fault> {
        match self.other(named).await? {
            Some(found) => Ok(Some(self.session_view(&found, &mut LookedUp::new()).await?)),
            None => Ok(None),
        }
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

    async fn session_view(
        &self,
        found: &Found<SessionBody>,
        looked_up: &mut LookedUp,
    ) -> Result<OwnSessionView, Fault> {
        let signed_in_at = found.body.authentication.time();
        let (applications, more_applications) = self.signed_in_to(&found.body.clients, looked_up).await?;
        Ok(OwnSessionView {
            choice: choice(&found.key),
            is_this: found.key == self.person.found.key,
            place: found.body.place.as_deref().cloned().unwrap_or_default(),
            signed_in_at,
            signed_in_before: self.call.now.since(signed_in_at),
            used_before: self.call.now.since(found.body.touched_at),
            applications,
            more_applications,
        })
    }

    /// The clients of a session that are named, and how many more there are. One that is gone has no name, nor has one
    /// whose id another one has by now.
    async fn signed_in_to(
        &self,
        clients: &[Participant],
        looked_up: &mut LookedUp,
    ) -> Result<(Vec<ClientView>, usize), Fault> {
        let mut views = Vec::new();
        // The provider itself asks for the login of these pages, and is none of the person's applications.
        let mut rest = clients.iter().rev().filter(|of| of.client != *self.by.itself.id());
        while views.len() < NAMED {
            let Some(Participant { client: id, registration }) = rest.next() else { break };
            let known = match looked_up.get(id) {
                Some(known) => known.clone(),
                None => self.env.registry.client(&self.env.realm, id).await?,
            };
            let is_same = |client: &&Arc<Client>| client.registration() == *registration;
            let view = |client: &Arc<Client>| ClientView::of(client, &self.env.issuer);
            views.extend(known.as_ref().filter(is_same).map(view));
            looked_up.insert(id.clone(), known);
        }
        Ok((views, rest.count()))
    }
}
