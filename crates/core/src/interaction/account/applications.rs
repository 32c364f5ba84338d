//! The applications that the person who looks has let in.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chancery_types::{ClientId, Timestamp};

use super::Visitor;
use super::list::{PARTS, Position};
use crate::error::Fault;
use crate::interaction::view::{ApplicationView, ClientView, ResourceView, shown};
use crate::model::{Access, AuthorizationDetail, ConsentAnswer, Granted, RegistrationId};
use crate::records::{ConsentBody, Found, GrantBody, consent_key};

/// What each client has of the person, as far as it was read.
type All = BTreeMap<ClientId, Has>;

/// What one client has of the person.
struct Has {
    registration: RegistrationId,
    answer: ConsentAnswer,
    details: Vec<AuthorizationDetail>,
    since: Timestamp,
    used: Option<Timestamp>,
}

impl Visitor<'_> {
    /// As many as one page reads, the one that was let in last first, and where the rest begins. One of which there are
    /// more records than that is named again by the next page.
    pub(super) async fn applications(
        &self,
        (consents, grants): (Position, Position),
    ) -> Result<(Vec<ApplicationView>, (Position, Position)), Fault> {
        let mut all = All::new();
        let consents = self.parts(consents, |found| self.adds_consent(&mut all, found)).await?;
        let grants = self.parts(grants, |found| self.adds_grant(&mut all, found)).await?;
        let mut all: Vec<(ClientId, Has)> = all.into_iter().collect();
        all.sort_by_key(|(_, has)| Reverse(has.since));
        let mut views = Vec::with_capacity(all.len());
        for (client, has) in &all {
            views.extend(self.application_view(client, has).await?);
        }
        Ok((views, (consents, grants)))
    }

    /// One of them, wherever it is. What is found behind as many records as a page reads changes no word about it.
    pub(super) async fn application(&self, client: &ClientId) -> Result<Option<ApplicationView>, Fault> {
        let (records, account) = (self.env.records(), &self.person.account.id);
        let mut all = All::new();
        if let Some(found) = records.get(self.call.now, consent_key(self.env, account, client)).await? {
            self.adds_consent(&mut all, found);
        }
        let (mut from, mut parts) = (Position::Start, 0);
        while from != Position::End && (parts < PARTS || all.is_empty()) {
            let (part, next) = self.part::<GrantBody>(from).await?;
            let of_client = part.into_iter().filter(|found| found.body.granted.client == *client);
            of_client.for_each(|found| self.adds_grant(&mut all, found));
            (from, parts) = (next, parts + 1);
        }
        match all.get(client) {
            Some(has) => self.application_view(client, has).await,
            None => Ok(None),
        }
    }

    /// What was agreed to and is remembered.
    fn adds_consent(&self, all: &mut All, Found { body, .. }: Found<ConsentBody>) {
        if body.account == self.person.account.registration {
            let ConsentBody { client, registration, at, answer, .. } = body;
            all.insert(client, Has { registration, answer, details: Vec::new(), since: at, used: None });
        }
    }

    /// What lives.
    fn adds_grant(&self, all: &mut All, Found { body: GrantBody { granted }, .. }: Found<GrantBody>) {
        if granted.authentication.epoch != self.person.account.epoch {
            return;
        }
        let has = all.entry(granted.client.clone()).or_insert_with(|| Has {
            registration: granted.registration,
            answer: ConsentAnswer::default(),
            details: Vec::new(),
            since: granted.granted_at,
            used: None,
        });
        if has.registration == granted.registration {
            has.adds(&granted);
        }
    }

    /// In words; `None` if the client is gone, and another one has its id perhaps.
    async fn application_view(&self, client: &ClientId, has: &Has) -> Result<Option<ApplicationView>, Fault> {
        let (env, now) = (self.env, self.call.now);
        let known = env.registry.client(&env.realm, client).await?;
        let Some(known) = known.filter(|known| known.registration() == has.registration) else {
            return Ok(None);
        };
        let mut resources = Vec::with_capacity(has.answer.resources.len());
        for at in &has.answer.resources {
            let server = env.registry.resource_server(&env.realm, &at.resource).await?;
            let name = server.and_then(|server| server.name.as_deref().map(shown));
            let scopes = at.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
            resources.push(ResourceView { uri: at.resource.clone(), name, scopes });
        }
        Ok(Some(ApplicationView {
            client: ClientView::of(&known, &env.issuer),
            client_id: client.as_str().to_owned(),
            scopes: has.answer.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            claims: has.answer.claims.iter().map(|name| name.to_string()).collect(),
            resources,
            details: self.by.rules.details.views(&has.details),
            let_in_before: now.since(has.since),
            used_before: has.used.map(|at| now.since(at)),
        }))
    }
}

impl Has {
    /// What one grant has besides.
    fn adds(&mut self, granted: &Granted) {
        self.answer.allow(&Access {
            scopes: granted.scopes.filtered(|scope| granted.is_own(scope)),
            resources: granted.resources.clone(),
        });
        for detail in &granted.details {
            if !self.details.contains(detail) {
                self.details.push(detail.clone());
            }
        }
        self.since = self.since.min(granted.granted_at);
        self.used = self.used.max(Some(granted.granted_at));
    }
}
