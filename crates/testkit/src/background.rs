//! What a client has asked a person for in the background, as the endpoint stores it (CIBA Core section 7).

use std::time::Duration;

use chancery_core::context::{Call, RequestId};
use chancery_core::interaction::approvals::reference;
use chancery_core::model::{Carrier, Source};
use chancery_core::notifier::Notifying;
use chancery_core::records::{
    Awaited, BackchannelAuthenticationBody, Decision, DeliveryBody, Found, Notice, RequestOrigin,
};
use chancery_types::handle::{AuthReqId, Handle};
use chancery_types::{AccountId, ClientId, Key, Params};

use crate::provider::TestProvider;
use crate::{minutes, wait};

/// What is asked for.
pub struct BackgroundRequest<'a> {
    /// Who asks.
    pub client: &'a str,
    /// Who is asked.
    pub account: &'a str,
    /// The parameters that count for the person.
    pub params: &'a [(&'a str, &'a str)],
    /// The binding message.
    pub message: Option<&'a str>,
}

/// A request that waits for its person.
pub struct AskedInBackground<'k> {
    kit: &'k TestProvider,
    /// The key of its record.
    pub key: Key,
}

impl TestProvider {
    /// Lets a request wait for its person, for ten minutes, and lets the worker tell of it.
    ///
    /// # Panics
    /// When something is wrong with it.
    #[must_use]
    pub fn ask_in_background(&self, wanted: &BackgroundRequest<'_>) -> AskedInBackground<'_> {
        let (env, now) = (self.env(), self.now());
        let id = ClientId::parse(wanted.client).expect("an id");
        let client = wait(env.registry.client(&env.realm, &id)).expect("a registry").expect("a client");
        let account = AccountId::parse(wanted.account).expect("an id");
        let params = wanted.params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let deadline = now + minutes(10);
        let body = BackchannelAuthenticationBody {
            client: id,
            registration: client.registration(),
            account: account.clone(),
            request: Carrier::of(&params.collect::<Params<'_>>()),
            source: Source::Browser,
            binding_message: wanted.message.map(Into::into),
            origin: RequestOrigin { at: now, address: Some("198.51.100.7".into()), device: None },
            client_notification: None,
            awaited: Awaited { deadline, interval: Duration::from_secs(5), decision: None },
        };
        let key = Handle::<AuthReqId>::new(env.partition(), env.secret()).key(&env.realm);
        let tags = env.records().tags(Some(&account), None, None);
        let mut batch =
            vec![env.records().new(key, None, tags, deadline + minutes(10), &body).expect("a record")];
        if !matches!(env.notifying, Notifying::Nobody) {
            let call = Call::new(now, RequestId("asked".into()));
            let link = format!("{}/approvals/{}", self.issuer(), reference(&key)).into();
            let notice = (Notice::Approval { request: key, link }, deadline);
            let due = DeliveryBody::due(&call, env, key.partition(), (&client, &account), notice);
            batch.push(due.expect("a record"));
        }
        wait(env.records().insert(now, &batch)).expect("stored");
        AskedInBackground { kit: self, key }
    }
}

impl AskedInBackground<'_> {
    /// The path of its page.
    #[must_use]
    pub fn link(&self) -> String {
        format!("/approvals/{}", reference(&self.key))
    }

    /// Its record.
    ///
    /// # Panics
    /// When there is none any more.
    #[must_use]
    pub fn found(&self) -> Found<BackchannelAuthenticationBody> {
        let records = self.kit.env().records();
        wait(records.get(self.kit.now(), self.key)).expect("a store").expect("a record")
    }

    /// What was decided.
    #[must_use]
    pub fn decision(&self) -> Option<Decision> {
        self.found().body.awaited.decision
    }

    /// Nothing was decided yet.
    #[track_caller]
    pub fn expect_waiting(&self) {
        assert!(self.decision().is_none(), "{:?}", self.decision());
    }

    /// It was refused, for this reason.
    #[track_caller]
    pub fn expect_refused(&self, reason: &str) {
        let decision = self.decision();
        assert!(
            matches!(&decision, Some(Decision::Refused { reason: why, .. }) if **why == *reason),
            "{decision:?}"
        );
    }
}
