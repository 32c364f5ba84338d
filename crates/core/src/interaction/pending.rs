//! A request that waits for its person: its state, and the questions that can be answered by looking at it.

use std::sync::Arc;

use chancery_jose::{SigningAlgorithm, sha256, sha256_of_parts};
use chancery_types::handle::{Handle, Interaction};
use chancery_types::iana::ResponseType;
use chancery_types::{AccountId, Key, RedirectKind, Scope, Timestamp};
use serde_json::Value;

use super::Interactions;
use super::approval::Waiting;
use super::prompt::{self, Facts, Needed, Required, Undecided, Way};
use super::visit::Visit;
use super::{carried, consent};
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::event::RefusedClient;
use crate::model::{
    Account, Authentication, AuthorizationDetail, Carrier, Client, ConsentAnswer, CustomPromptName, Done,
    PromptName, Source,
};
use crate::policy::PersonView;
use crate::records::{ConsentBody, Found, InteractionId};
use crate::request::{Addressed, Asked, ValidatedAuthorizationRequest};
use crate::session::{BrowserState, SignedIn};

/// What the person is asked for, and who hears of the end.
#[expect(clippy::large_enum_variant, reason = "nearly every request is of the large one")]
pub(super) enum Purpose<'a> {
    /// A client waits for an answer at its redirect URI (RFC 6749 section 4.1.2).
    Respond(Addressed<'a>),
    /// A client waits for the decision, without a browser that brings it (RFC 8628 section 3.4, CIBA Core section
    /// 10).
    Decide(Box<Waiting>),
    /// Nobody waits: the person wants to see what waits for them.
    Visit(Visit),
}

/// What the person has agreed to.
#[derive(Default)]
pub(super) struct Agreed {
    /// Whose consent it is: the person who is signed in, or who has just authenticated.
    pub(super) account: Option<Account>,
    /// The consent that was standing. In a box, so that the futures of an application's own steps have less to carry.
    pub(super) standing: Option<Box<Found<ConsentBody>>>,
    /// What counts as agreed.
    pub(super) answer: ConsentAnswer,
    /// What the person has allowed in this step, to be remembered.
    pub(super) in_this_step: Option<Undecided>,
}

/// A request that waits for its person.
pub(crate) struct Pending<'a> {
    pub(super) by: Arc<Interactions>,
    pub(super) call: &'a Call,
    pub(super) env: &'a Env,
    pub(super) client: Arc<Client>,
    pub(super) asked: Asked,
    pub(super) purpose: Purpose<'a>,
    /// Which interaction it is; `None` before any page was shown.
    pub(super) interaction: Option<InteractionId>,
    /// When the request was first seen.
    pub(super) first_seen: Timestamp,
    pub(super) done: Done,
    /// Where the request is stored; `None` while the form of its page carries it.
    pub(super) stored_at: Option<Handle<Interaction>>,
    pub(super) person: Option<SignedIn>,
    /// Whether somebody is signed in beside the active session, which has ended.
    pub(super) others_are_there: bool,
    pub(super) agreed: Agreed,
    /// What the application has to ask this person.
    pub(super) required: Vec<Required>,
    /// The authorization details as this person is asked about them.
    details: Option<Box<Details>>,
}

/// Authorization details, behind one pointer, because few requests have any and every future of a step holds them.
struct Details(Vec<AuthorizationDetail>);

impl Purpose<'_> {
    /// The request in plain text.
    fn plain(&self) -> Carrier {
        match self {
            Self::Respond(addressed) => addressed.carrier(),
            Self::Decide(waiting) => waiting.plain(),
            Self::Visit(visit) => visit.plain(),
        }
    }

    /// Who vouches for the request.
    pub(super) fn source(&self) -> Source {
        match self {
            Self::Respond(addressed) => addressed.source,
            Self::Decide(waiting) => waiting.source(),
            Self::Visit(_) => Source::Browser,
        }
    }

    /// Whether any program of the person's device could take the answer, by a loopback port or a private scheme; or
    /// anybody could have asked, and waits for it elsewhere.
    fn can_be_intercepted(&self) -> bool {
        match self {
            Self::Respond(addressed) => addressed.target.uri().kind() != RedirectKind::Https,
            Self::Decide(_) => true,
            Self::Visit(_) => false,
        }
    }

    /// How the request has reached the person.
    fn way(&self) -> Way {
        match self {
            Self::Respond(_) => Way::Browser,
            Self::Decide(waiting) => match **waiting {
                Waiting::Device { .. } => Way::Device,
                Waiting::Backchannel(_) => Way::Backchannel,
            },
            Self::Visit(_) => Way::Visit,
        }
    }
}

impl<'a> Pending<'a> {
    /// A request that was just seen. Nobody has looked for its person yet.
    pub(crate) fn new(
        by: &Arc<Interactions>,
        call: &'a Call,
        env: &'a Env,
        request: ValidatedAuthorizationRequest<'a>,
    ) -> Self {
        let (addressed, asked) = request.into_parts();
        let client = Arc::clone(&addressed.client);
        Self::begun(Arc::clone(by), (call, env), client, asked, Purpose::Respond(addressed))
    }

    /// A visit, which has just begun. Nobody has looked for its person yet.
    pub(super) fn visiting(
        by: &Arc<Interactions>,
        call: &'a Call,
        env: &'a Env,
        itself: Arc<Client>,
        asked: Asked,
        visit: Visit,
    ) -> Self {
        Self::begun(Arc::clone(by), (call, env), itself, asked, Purpose::Visit(visit))
    }

    /// A request that waits for a decision, which was just found. Nobody has looked for its person yet.
    pub(super) fn waiting(
        by: &Arc<Interactions>,
        call: &'a Call,
        env: &'a Env,
        client: Arc<Client>,
        asked: Asked,
        waiting: Waiting,
    ) -> Self {
        Self::begun(Arc::clone(by), (call, env), client, asked, Purpose::Decide(Box::new(waiting)))
    }

    fn begun(
        by: Arc<Interactions>,
        (call, env): (&'a Call, &'a Env),
        client: Arc<Client>,
        asked: Asked,
        purpose: Purpose<'a>,
    ) -> Self {
        Self {
            by,
            call,
            env,
            client,
            asked,
            purpose,
            interaction: None,
            first_seen: call.now,
            done: Done::default(),
            stored_at: None,
            person: None,
            others_are_there: false,
            agreed: Agreed::default(),
            required: Vec::new(),
            details: None,
        }
    }

    /// Looks for the person: the session that the cookie names, its account, and what was agreed to before.
    pub(crate) async fn person(&mut self) -> Result<(), Fault> {
        if self.person.is_some() {
            return Ok(());
        }
        let (call, env) = (self.call, self.env);
        let sessions = &self.by.sessions;
        match sessions.person(call, env, (&self.client, &self.asked.expected)).await? {
            Some(person) => self.belongs_to_session(person).await?,
            None if call.sessions.len() > 1 => {
                self.others_are_there = !sessions.everybody(call, env).await?.is_empty();
            }
            None => {}
        }
        Ok(())
    }

    /// The same request, when it has looked for its person.
    pub(super) async fn with_person(mut self) -> Result<Self, Fault> {
        self.person().await?;
        Ok(self)
    }

    /// The same request as if it had just been seen: as another interaction, of which nothing is done.
    pub(super) async fn anew(self) -> Result<Self, Fault> {
        let Self { by, call, env, client, asked, purpose, .. } = self;
        Self::begun(by, (call, env), client, asked, purpose).with_person().await
    }

    /// The request now belongs to this session.
    pub(super) async fn belongs_to_session(&mut self, person: SignedIn) -> Result<(), Fault> {
        let view = PersonView { account: &person.account, authentication: &person.found.body.authentication };
        self.is_asked_of(view).await?;
        self.person = Some(person);
        Ok(())
    }

    /// The request now belongs to this person, who has just authenticated, and to this session of theirs, if there
    /// is one.
    pub(super) async fn belongs_to(
        &mut self,
        view: PersonView<'_>,
        session: Option<SignedIn>,
    ) -> Result<(), Fault> {
        self.is_asked_of(view).await?;
        self.person = session;
        Ok(())
    }

    /// Reads this person's standing consent, and lets the application say what it has to ask.
    async fn is_asked_of(&mut self, person: PersonView<'_>) -> Result<(), Fault> {
        let (client, account) = (&self.client, person.account);
        if matches!(self.purpose, Purpose::Visit(_)) {
            self.agreed = Agreed { account: Some(account.clone()), ..Agreed::default() };
            return Ok(());
        }
        let found = consent::standing(self.call, self.env, account, client).await?;
        let stored = found.as_ref().map(|found| found.body.answer.clone()).unwrap_or_default();
        let answer = self.by.rules.policy.standing_consent(client, &account.id, stored).await?;
        self.agreed = Agreed {
            account: Some(account.clone()),
            standing: found.map(Box::new),
            answer,
            in_this_step: None,
        };
        self.required = self.required_of(person).await?;
        if !self.asked.details.is_empty() {
            let details = &self.by.rules.details;
            // Boxed, so that the future of a request without any has no room for it.
            let enriched = Box::pin(details.enriched(&self.asked.details, (&self.client, account)));
            self.details = Some(Box::new(Details(enriched.await?)));
        }
        Ok(())
    }

    /// What the application has to ask this person.
    async fn required_of(&self, person: PersonView<'_>) -> Result<Vec<Required>, Fault> {
        let rules = &self.by.rules;
        let mut required = Vec::new();
        for prompt in rules.prompts.iter().filter(|prompt| !self.done.has(prompt)) {
            let PromptName::Custom(name) = prompt else { continue };
            let request = self.asked.view(&self.client);
            if let Some(prompt) = rules.policy.custom_prompt(name, request, person).await? {
                required.push(Required { name: name.clone(), prompt });
            }
        }
        Ok(required)
    }
}

impl<'a> Pending<'a> {
    /// The client that a browser claims to come from.
    pub(crate) fn claimed(&self) -> RefusedClient {
        RefusedClient::Claimed(self.client.id().clone())
    }

    /// The person who is signed in, as events name them.
    pub(super) fn account(&self) -> Option<AccountId> {
        self.person.as_ref().map(|person| person.account.id.clone())
    }

    /// The algorithm that the client's ID tokens need, or its response, and that nothing signs with at this moment.
    pub(crate) fn missing_signer(&self) -> Option<SigningAlgorithm> {
        let metadata = self.client.metadata();
        let is_jwt = matches!(&self.purpose, Purpose::Respond(addressed) if addressed.is_jwt);
        let has_id_token =
            self.asked.response_type != ResponseType::None && self.asked.scopes.contains(Scope::OPENID);
        let id_token = metadata.openid.id_token_signed_response_alg.signed().filter(|_| has_id_token);
        let response = is_jwt.then(|| metadata.authorization_responses.signing_algorithm());
        let is_missing =
            |alg: &SigningAlgorithm| !alg.is_symmetric() && !self.by.keys().can_sign(*alg, self.call.now);
        id_token.into_iter().chain(response).find(is_missing)
    }

    /// Who decides, what was asked, and of whom: for what comes after the request.
    pub(super) fn world(&self) -> (Arc<Interactions>, &'a Call, &'a Env) {
        (Arc::clone(&self.by), self.call, self.env)
    }

    /// The request whose answer goes to a redirect URI.
    pub(super) fn addressed(&self) -> Result<&Addressed<'a>, Fault> {
        match &self.purpose {
            Purpose::Respond(addressed) => Ok(addressed),
            Purpose::Decide(_) | Purpose::Visit(_) => {
                Err(Fault::internal("an answer that no redirect URI waits for"))
            }
        }
    }

    /// The session in which the request waits.
    pub(super) fn session(&self) -> Option<Key> {
        self.person.as_ref().map(|person| person.found.key)
    }

    /// How the person who is signed in has authenticated.
    pub(super) fn authentication(&self) -> Option<&Authentication> {
        self.person.as_ref().map(|person| &person.found.body.authentication)
    }

    /// The state of the browser, if its cookie has nothing but sessions that have ended elsewhere, by a command or
    /// with their time: the next one who looks learns it. The session cookie stays as it is, because another tab
    /// may sign in at this moment.
    pub(crate) fn seen_by_scripts(&self) -> Option<BrowserState> {
        let has_ended = self.person.is_none() && !self.others_are_there && !self.call.sessions.is_empty();
        (has_ended && self.by.sessions.are_monitored()).then(BrowserState::nobody)
    }

    /// What has still to be asked.
    pub(crate) fn needed(&self) -> Option<Needed> {
        self.needed_after(self.authentication())
    }

    /// What has still to be asked of somebody who has authenticated so.
    pub(super) fn needed_after(&self, authentication: Option<&Authentication>) -> Option<Needed> {
        let needed = prompt::needed(&self.asked, &self.client, &self.facts(authentication), self.call.now);
        // A full session begins anew with a login.
        let is_full = self
            .person
            .as_ref()
            .is_some_and(|person| !self.by.sessions.has_room(&person.found.body, &self.client));
        needed.or(is_full.then_some(Needed::Login(&prompt::SESSION_FULL)))
    }

    /// What was asked for and not decided on.
    pub(super) fn undecided(&self) -> Undecided {
        prompt::undecided(&self.asked, &self.client, &self.facts(self.authentication()))
    }

    fn facts<'f>(&'f self, authentication: Option<&'f Authentication>) -> Facts<'f> {
        Facts {
            prompts: &self.by.rules.prompts,
            required: &self.required,
            authentication,
            others_are_there: self.others_are_there,
            consent: &self.agreed.answer,
            done: &self.done,
            reachable: &self.by.reachable,
            acr_values_are_essential: self.by.config.acr_values_are_essential,
            claims: &self.by.rules.claims,
            subjects: &self.by.issuer.subjects,
            can_be_intercepted: self.purpose.can_be_intercepted(),
            way: self.purpose.way(),
        }
    }

    /// What the consent page asks: what is undecided, or everything when that is what was wished, or nothing
    /// new is asked.
    pub(super) fn to_consent(&self) -> Undecided {
        let undecided = self.undecided();
        let is_wished = self.needed() == Some(Needed::Consent(&prompt::CONSENT_REQUESTED));
        // RFC 9396 section 3.1: beside authorization details everything is presented.
        let is_whole = is_wished || !self.asked.details.is_empty();
        if is_whole || (undecided.access.is_empty() && undecided.claims.is_empty()) {
            return self.to_approve();
        }
        undecided
    }

    /// The authorization details as this person is asked about them.
    pub(super) fn details(&self) -> &[AuthorizationDetail] {
        self.details.as_deref().map_or(&[], |details| &details.0)
    }

    /// What a page asks the person to agree to, in one digest: what is allowed, or answered, has to be what was
    /// shown. Zeros where it asks nothing of the kind.
    pub(super) fn shown(&self, prompt: &PromptName) -> [u8; 32] {
        match prompt {
            PromptName::Consent => digest_of(&self.to_consent(), self.details()),
            PromptName::Approve => digest_of(&self.to_approve(), self.details()),
            PromptName::Custom(name) => sha256(self.data_of(name).to_string().as_bytes()),
            PromptName::ConfirmDevice
            | PromptName::Login
            | PromptName::SelectAccount
            | PromptName::Create => [0; 32],
        }
    }

    /// What the page of the application's prompt shows.
    pub(super) fn data_of(&self, name: &CustomPromptName) -> Value {
        let required = self.required.iter().find(|required| required.name == *name);
        required.map_or(Value::Null, |required| required.prompt.data.clone())
    }

    /// What the page of a request of the background asks: everything, whatever was agreed to before.
    pub(super) fn to_approve(&self) -> Undecided {
        let nothing = ConsentAnswer::default();
        let claims = self.by.rules.claims.undecided(&self.asked.claims, &self.asked.scopes, &nothing);
        Undecided { access: self.asked.access(), claims }
    }

    /// What a form or a record carries for the request.
    pub(super) fn carrier(&self) -> Result<Carrier, Fault> {
        match &self.purpose {
            Purpose::Respond(addressed) => carried::carrier(self.env, self.by.keys(), addressed),
            Purpose::Decide(waiting) => waiting.carrier(self.env, self.by.keys()),
            Purpose::Visit(visit) => visit.carrier(self.env, self.by.keys()),
        }
    }

    /// What a form token is bound to: the parameters, or the record that holds them.
    pub(super) fn subject(&self) -> [u8; 32] {
        match &self.stored_at {
            None => self.purpose.plain().digest(),
            Some(handle) => sha256(handle.key(&self.env.realm).as_bytes()),
        }
    }

    /// The request moves to this session; `None` to one that begins. What was done in one session was not
    /// done in another: a login there is none here, and what one account has allowed, another has not.
    pub(super) fn moves_to(&mut self, session: Option<Key>, account: &AccountId) {
        let person = self.person.as_ref();
        let (is_account, is_session) = (
            person.is_some_and(|person| person.account.id == *account),
            person.is_some_and(|person| Some(person.found.key) == session),
        );
        if !is_account {
            self.done.forget_person();
        }
        if !is_session {
            self.done.forget(&PromptName::Login);
        }
    }
}

/// Different things never have the same digest, whatever characters are in them.
fn digest_of(asked: &Undecided, details: &[AuthorizationDetail]) -> [u8; 32] {
    let resources = asked.access.resources.iter();
    sha256_of_parts([
        sha256_of_parts([asked.access.scopes.to_string()]),
        sha256_of_parts(&asked.claims),
        sha256_of_parts(details.iter().map(|detail| detail.to_value().to_string())),
        sha256_of_parts(resources.flat_map(|at| [at.resource.to_string(), at.scopes.to_string()])),
    ])
}

#[cfg(test)]
mod tests {
    use chancery_types::{ResourceUri, Scopes};
    use serde_json::{from_value, json};

    use super::*;
    use crate::model::{Access, ResourceScopes};

    /// A yes is for what was shown, and for nothing that is only spelled like it.
    #[test]
    fn what_is_asked_is_never_mistaken_for_something_else() {
        let asked = |claims: &[&str], resources: &[(&str, &str)], details: &[&str]| {
            let resources = resources.iter().map(|(resource, scopes)| ResourceScopes {
                resource: ResourceUri::parse(resource).unwrap(),
                scopes: Scopes::parse(scopes).unwrap(),
            });
            let access = Access { scopes: Scopes::parse("openid").unwrap(), resources: resources.collect() };
            let claims = claims.iter().map(|claim| (*claim).to_owned()).collect();
            let details: Vec<AuthorizationDetail> =
                details.iter().map(|name| from_value(json!({ "type": name })).unwrap()).collect();
            digest_of(&Undecided { access, claims }, &details)
        };
        let (a, b) = (("https://a.example", "read"), ("https://b.example", ""));
        let all = [
            asked(&[], &[], &[]),
            asked(&["a", "b"], &[], &[]),
            asked(&["a b"], &[], &[]),
            asked(&["a\nb"], &[], &[]),
            asked(&["a", ""], &[], &[]),
            asked(&[r#"a\n{"type":"t"}"#], &[], &[]),
            asked(&["a\n{\"type\":\"t\"}"], &[], &[]),
            asked(&["a"], &[], &["t"]),
            asked(&["a"], &[], &["t", "t"]),
            asked(&["a\nhttps://a.example read"], &[], &[]),
            asked(&["a"], &[a], &[]),
            asked(&["a"], &[a, b], &[]),
            asked(&["a"], &[b, a], &[]),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(all.iter().skip(n + 1).all(|other| one != other), "{n}");
        }
    }
}
