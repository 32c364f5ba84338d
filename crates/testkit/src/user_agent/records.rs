//! What a person did before the test begins, written straight through the engine's records.

use chancery_core::model::{Access, Account, Authentication, ConsentAnswer};
use chancery_core::records::{ConsentBody, Found, Participant, SessionBody, consent_key};
use chancery_jose::base64url;
use chancery_store::Updated;
use chancery_types::handle::{RotatingHandle, Session};
use chancery_types::{AccountId, ClientId, Scopes, Tag};

use super::UserAgent;
use crate::clock::days;
use crate::interleaved::wait;

impl UserAgent<'_> {
    /// The person has signed in a moment ago, and no client was visited since. Signing in twice makes two
    /// sessions, the last one active.
    pub fn signed_in(&self, account: &str) {
        let (env, now) = (self.kit.env(), self.kit.now());
        let account = AccountId::parse(account).expect("an account id");
        let known = wait(env.account(&account)).expect("the accounts");
        let known = known.unwrap_or_else(|| Account::new(account.clone(), account.as_str()));
        let handle = RotatingHandle::<Session>::new(env.partition(), *env.secret::<16>(), env.secret());
        let body = SessionBody {
            authentication: Authentication::by_password(&known, now),
            current: handle.secret_digest(),
            former: None,
            touched_at: now,
            place: None,
            absolute_end: now + days(90),
            clients: Vec::new(),
        };
        let tags = env.records().tags(Some(&account), None, None);
        let record =
            env.records().new(handle.key(&env.realm), None, tags, now + days(14), &body).expect("a record");
        wait(env.records().insert(now, &[record])).expect("a new session");
        let mut list = vec![handle.reveal()];
        list.extend(self.session_cookie().iter().flat_map(|list| list.split('.')).take(3).map(str::to_owned));
        self.sets_cookie("session", &format!("{}; Max-Age=7776000", list.join(".")));
    }

    /// The name of the provider's cookie of this sort.
    pub(super) fn cookie_name(&self, sort: &str) -> String {
        let issuer = self.kit.issuer();
        let digest = Tag::derive(&self.kit.env().realm, "cookie", issuer.as_str().as_bytes());
        let suffix = base64url::encode(&digest.as_bytes()[..6]);
        let prefix = match (issuer.is_https(), issuer.path()) {
            (true, "") => "__Host-",
            (true, _) => "__Secure-",
            (false, _) => "",
        };
        format!("{prefix}{sort}-{suffix}")
    }

    /// Somebody put this value into the provider's cookie of this sort: `session`, `browser` or `devices`.
    pub fn sets_cookie(&self, sort: &str, value: &str) {
        let (name, issuer) = (self.cookie_name(sort), self.kit.issuer());
        let path = if issuer.path().is_empty() { "/" } else { issuer.path() };
        let secure = if issuer.is_https() { "; Secure" } else { "" };
        let line = format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}");
        self.jar.borrow_mut().take(&line, issuer, self.kit.now());
    }

    /// The application has set a cookie of its own.
    pub fn has_cookie(&self, name: &str, value: &str) {
        let secure = if self.kit.issuer().is_https() { "; Secure" } else { "" };
        let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}");
        self.jar.borrow_mut().take(&line, self.kit.issuer(), self.kit.now());
    }

    /// Somebody put this value into the cookie with the browser's state.
    pub fn plants_state(&self, value: &str) {
        let (name, issuer) = (self.cookie_name("state"), self.kit.issuer());
        let path = if issuer.path().is_empty() { "/" } else { issuer.path() };
        let line = format!("{name}={value}; Path={path}; SameSite=None; Secure");
        self.jar.borrow_mut().take(&line, issuer, self.kit.now());
    }

    /// The client has been here in the active session.
    pub fn has_visited(&self, client: &str) {
        let (env, now) = (self.kit.env(), self.kit.now());
        let found = self.active_session();
        let mut body = found.body.clone();
        let client = ClientId::parse(client).expect("a client id");
        let registered = wait(env.registry.client(&env.realm, &client)).expect("the registry");
        let registration = registered.map(|client| client.registration()).unwrap_or_default();
        body.clients.push(Participant { client, registration });
        let updated =
            wait(env.records().update(now, &found, &body, found.expires_at, &[])).expect("the store");
        assert!(matches!(updated, Updated::Done(_)), "{updated:?}");
    }

    /// The active session ends, as by a logout.
    pub fn ends_session(&self) {
        let env = self.kit.env();
        wait(env.records().revoke(self.kit.now(), self.active_session().key)).expect("the store");
    }

    /// The person has agreed to these scopes of the client before.
    pub fn has_consented(&self, account: &str, client: &str, scopes: &str) {
        let env = self.kit.env();
        let id = ClientId::parse(client).expect("a client id");
        let known = wait(env.registry.client(&env.realm, &id)).expect("the registry").expect("a client");
        let resource =
            known.default_resource().map(|uri| wait(env.registry.resource_server(&env.realm, uri)));
        let resource = resource.and_then(|server| server.expect("the registry"));
        let mut answer = ConsentAnswer::default();
        let mut access = Access::of(&Scopes::parse(scopes).expect("scopes"), resource.as_slice());
        access.resources.retain(|at| !at.scopes.is_empty());
        answer.allow(&access);
        self.has_answered(account, client, answer);
    }

    /// The person has answered the client before.
    pub fn has_answered(&self, account: &str, client: &str, answer: ConsentAnswer) {
        let (env, now) = (self.kit.env(), self.kit.now());
        let account = AccountId::parse(account).expect("an account id");
        let client = ClientId::parse(client).expect("a client id");
        let key = consent_key(env, &account, &client);
        let tags = env.records().tags(Some(&account), Some(&client), None);
        let id = u64::from_be_bytes(*env.secret::<8>());
        let known = wait(env.registry.client(&env.realm, &client)).expect("the registry");
        let registration = known.map(|client| client.registration()).unwrap_or_default();
        let of = self.kit.accounts.account(&account).map(|account| account.registration).unwrap_or_default();
        let body = ConsentBody { id, client, registration, account: of, at: now, answer };
        wait(env.records().revoke(now, key)).expect("the store");
        let record = env.records().new(key, None, tags, now + days(365), &body).expect("a record");
        wait(env.records().insert(now, &[record])).expect("a new consent");
    }

    fn active_session(&self) -> Found<SessionBody> {
        let (env, now) = (self.kit.env(), self.kit.now());
        let list = self.session_cookie().expect("somebody is signed in");
        let first = list.split('.').next().unwrap_or_default();
        let handle = RotatingHandle::<Session>::parse(first).expect("a session handle");
        wait(env.records().get(now, handle.key(&env.realm))).expect("the store").expect("a live session")
    }
}
