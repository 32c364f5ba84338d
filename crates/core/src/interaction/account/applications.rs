//! The applications that the person who looks has let in.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chancery_types::{ClientId, Timestamp};

use super::Visitor;
use crate::error::Fault;
use crate::interaction::view::{ApplicationView, ClientView, ResourceView, shown};
use crate::model::{Access, AuthorizationDetail, ConsentAnswer, Granted, RegistrationId};
use crate::records::{Body, ConsentBody, Found, GrantBody};

/// How many records of a kind are read at once, and in how many turns at most: more than anybody has.
const PAGE: usize = 100;
const PAGES: usize = 10;

/// What one client has of the person.
struct Has {
    registration: RegistrationId,
    answer: ConsentAnswer,
    details: Vec<AuthorizationDetail>,
    since: Timestamp,
    used: Option<Timestamp>,
}

impl Visitor<'_> {
    /// All of them, the one that was let in last first.
    pub(super) async fn applications(&self) -> Result<Vec<ApplicationView>, Fault> {
        let mut all: Vec<(ClientId, Has)> = self.has(None).await?.into_iter().collect();
        all.sort_by_key(|(_, has)| Reverse(has.since));
        let mut views = Vec::with_capacity(all.len());
        for (client, has) in &all {
            views.extend(self.application_view(client, has).await?);
        }
        Ok(views)
    }

    /// One of them.
    pub(super) async fn application(&self, client: &ClientId) -> Result<Option<ApplicationView>, Fault> {
        match self.has(Some(client)).await?.get(client) {
            Some(has) => self.application_view(client, has).await,
            None => Ok(None),
        }
    }

    /// What each client has, or this one: by what was agreed to and is remembered, and by the grants that live.
    async fn has(&self, only: Option<&ClientId>) -> Result<BTreeMap<ClientId, Has>, Fault> {
        let account = &self.person.account;
        let mut all: BTreeMap<ClientId, Has> = BTreeMap::new();
        for Found { body, .. } in self.tagged::<ConsentBody>().await? {
            if body.account == account.registration && only.is_none_or(|only| *only == body.client) {
                let ConsentBody { client, registration, at, answer, .. } = body;
                all.insert(client, Has { registration, answer, details: Vec::new(), since: at, used: None });
            }
        }
        for Found { body: GrantBody { granted }, .. } in self.tagged::<GrantBody>().await? {
            let is_good = granted.authentication.epoch == account.epoch;
            if is_good && only.is_none_or(|only| *only == granted.client) {
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
        }
        Ok(all)
    }

    /// The records of this kind that the person has.
    async fn tagged<B: Body>(&self) -> Result<Vec<Found<B>>, Fault> {
        let records = self.env.records();
        let Some(tag) = records.tags(Some(&self.person.account.id), None, None).account else {
            return Ok(Vec::new());
        };
        let (mut all, mut after) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = records.list_tagged::<B>(self.call.now, tag, after, PAGE).await?;
            after = page.last().map(|found| found.key);
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                break;
            }
        }
        Ok(all)
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
            client: ClientView::of(&known),
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
