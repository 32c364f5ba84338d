//! From the cookie's list to the person: sessions, change of secret, `sid` (OIDC Back-Channel Logout section
//! 2.1).

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::{base64url, sha256};
use chancery_store::Record;
use chancery_types::handle::{RotatingHandle, Session};
use chancery_types::{AccountId, ClientId, Key, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::{Call, Env};
use crate::error::{Complaint, Fault, SectionCheck};
use crate::model::{Account, Authentication, Client, Place};
use crate::records::{Found, Participant, SessionBody};
use crate::rule::pairwise::Subjects;

mod end;
pub use end::{EndedSession, end, end_all, of_account};

mod offline;
pub use offline::offline_clients;

mod monitored;
pub use monitored::BrowserState;

/// How many sessions one browser keeps: one login more ends the oldest.
pub const LIST: usize = 4;

/// How many clients one session counts. For the next one a login is asked for, which begins a new session and
/// ends this one, so that no client is forgotten that has to hear of the end.
const CLIENTS: usize = 200;

/// How exactly the last use of a session is known: its idle end moves no more often.
const EXACTNESS: Duration = Duration::from_secs(3600);

/// How long the secret before the current one can still be read with, so that parallel tabs survive a login.
const FORMER_SECRET: Duration = Duration::from_secs(30);

/// `[session]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    /// A session ends when it was not used for so long.
    #[serde(with = "crate::duration")]
    pub idle: Duration,
    /// A session ends so long after the login, used or not.
    #[serde(with = "crate::duration")]
    pub absolute: Duration,
    /// Whether clients' pages can watch whether a person is still signed in (OIDC Session Management).
    pub management: bool,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(14 * 86_400),
            absolute: Duration::from_secs(90 * 86_400),
            management: false,
        }
    }
}

impl SessionConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        SectionCheck::of("session")
            .lifetimes(&[("idle", self.idle), ("absolute", self.absolute)])
            .demand(
                self.idle <= self.absolute,
                "idle",
                "must not be longer than session.absolute",
                "OIDC Core section 3.1.2.3",
            )
            .complaints()
    }
}

/// A person who is signed in: a live session of an active account.
pub struct SignedIn {
    /// What the browser holds.
    pub handle: RotatingHandle<Session>,
    /// What the store holds.
    pub found: Found<SessionBody>,
    /// Who it is.
    pub account: Account,
    /// Whether the handle has the current secret, not the one before it.
    pub is_current: bool,
}

/// Sessions by the rules of the configuration.
#[derive(Clone)]
pub struct Sessions {
    config: SessionConfig,
    subjects: Arc<Subjects>,
}

impl Sessions {
    /// By the configuration; clients name people by these subjects.
    #[must_use]
    pub fn new(config: SessionConfig, subjects: Arc<Subjects>) -> Self {
        Self { config, subjects }
    }

    /// The person whom the cookie's list names: the active session, or that of the account that is expected.
    /// When the active session has ended, nobody takes its place: whoever is signed in beside it is another
    /// person, or the same one in another role, and has to be chosen. Only the first is read unless the
    /// client expects another person.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn person(
        &self,
        call: &Call,
        env: &Env,
        (client, expected): (&Client, &[Box<str>]),
    ) -> Result<Option<SignedIn>, Fault> {
        let Some((active, others)) = call.sessions.split_first() else { return Ok(None) };
        let first = self.open(call, env, active).await?;
        let is_expected = |person: &SignedIn| self.is_one_of(client, person, expected);
        if expected.is_empty() || first.as_ref().is_some_and(is_expected) {
            return Ok(first);
        }
        for handle in others {
            let person = self.open(call, env, handle).await?;
            if person.as_ref().is_some_and(is_expected) {
                return Ok(person);
            }
        }
        Ok(first)
    }

    /// Whether a client means this person by one of these subjects, of an `id_token_hint` or of the parameter
    /// `claims`.
    #[must_use]
    pub fn is_one_of(&self, client: &Client, person: &SignedIn, subjects: &[Box<str>]) -> bool {
        self.subjects.of(client, &person.account.id).is_one_of(subjects)
    }

    /// The person of this session, if the browser holds it.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn of_key(&self, call: &Call, env: &Env, session: Key) -> Result<Option<SignedIn>, Fault> {
        match call.sessions.iter().find(|handle| handle.key(&env.realm) == session) {
            Some(handle) => self.open(call, env, handle).await,
            None => Ok(None),
        }
    }

    /// The session of this account, if the browser holds one.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn of_account(
        &self,
        call: &Call,
        env: &Env,
        account: &AccountId,
    ) -> Result<Option<SignedIn>, Fault> {
        for handle in call.sessions.iter().take(LIST) {
            let person = self.open(call, env, handle).await?;
            if let Some(person) = person.filter(|person| person.account.id == *account) {
                return Ok(Some(person));
            }
        }
        Ok(None)
    }

    /// Everybody who is signed in in this browser, active session first.
    ///
    /// # Errors
    /// A fault of the store or of the accounts.
    pub async fn everybody(&self, call: &Call, env: &Env) -> Result<Vec<SignedIn>, Fault> {
        let mut people = Vec::new();
        for handle in call.sessions.iter().take(LIST) {
            people.extend(self.open(call, env, handle).await?);
        }
        Ok(people)
    }

    /// The session behind a handle, if its secret is good and its account may still be used: a deleted or
    /// disabled account, or a login in another epoch of the account, is nobody.
    async fn open(
        &self,
        call: &Call,
        env: &Env,
        handle: &RotatingHandle<Session>,
    ) -> Result<Option<SignedIn>, Fault> {
        let Some(found) = env.records().get::<SessionBody>(call.now, handle.key(&env.realm)).await? else {
            return Ok(None);
        };
        let shown = handle.secret_digest();
        let is_former =
            |(digest, since): &(_, Timestamp)| *digest == shown && call.now.distance(*since) <= FORMER_SECRET;
        if found.body.current != shown && !found.body.former.as_ref().is_some_and(is_former) {
            return Ok(None);
        }
        let account = env.account(&found.body.authentication.account).await?;
        let is_good = |account: &Account| account.active && account.epoch == found.body.authentication.epoch;
        let is_current = found.body.current == shown;
        Ok(account.filter(is_good).map(|account| SignedIn {
            handle: handle.clone(),
            found,
            account,
            is_current,
        }))
    }

    /// The handle of a new session, in a tree of its own.
    #[must_use]
    pub fn begin(&self, env: &Env) -> RotatingHandle<Session> {
        RotatingHandle::new(env.partition(), *env.secret::<16>(), env.secret())
    }

    /// The record of a new session, in which this client takes part, if it is given something.
    ///
    /// # Errors
    /// As `Body::encode`.
    pub fn begun(
        &self,
        (call, env): (&Call, &Env),
        handle: &RotatingHandle<Session>,
        authentication: Authentication,
        client: Option<&Client>,
    ) -> Result<Record, Fault> {
        let body = SessionBody {
            authentication,
            current: handle.secret_digest(),
            former: None,
            touched_at: call.now,
            place: place(call),
            absolute_end: call.now + self.config.absolute,
            clients: client.map(Participant::of).into_iter().collect(),
        };
        let records = env.records();
        let tags = records.tags(Some(&body.authentication.account), None, None);
        records.new(handle.key(&env.realm), None, tags, self.end(call.now, &body), &body)
    }

    /// The handle of the same session after a new login of the same account: another secret.
    #[must_use]
    pub fn renew(&self, env: &Env, person: &SignedIn) -> RotatingHandle<Session> {
        person.handle.successor(env.secret())
    }

    /// The session as it has to become after a new login of the same account: its absolute end moves. This client takes
    /// part from now on, if it is given something.
    #[must_use]
    pub fn renewed(
        &self,
        call: &Call,
        body: &SessionBody,
        handle: &RotatingHandle<Session>,
        authentication: Authentication,
        client: Option<&Client>,
    ) -> SessionBody {
        let mut body = body.clone();
        take_part(&mut body, client);
        body.absolute_end = call.now + self.config.absolute;
        body.former = Some((body.current, call.now));
        body.current = handle.secret_digest();
        body.authentication = authentication;
        touch(&mut body, call);
        body
    }

    /// Whether the session counts this client, or can.
    #[must_use]
    pub fn has_room(&self, body: &SessionBody, client: &Client) -> bool {
        body.clients.len() < CLIENTS || body.clients.iter().any(|known| known.client == *client.id())
    }

    /// The session as it has to become when it is used now, and this client takes part, if it is given something; `None`
    /// when it can stay as it is: the client is known to it, and its idle end was moved less than an hour or a tenth of the
    /// idle time ago; also when it has no room.
    #[must_use]
    pub fn visited(&self, call: &Call, body: &SessionBody, client: Option<&Client>) -> Option<SessionBody> {
        let is_new = client.is_some_and(|client| !body.clients.contains(&Participant::of(client)));
        let has_room = client.is_none_or(|client| self.has_room(body, client));
        let is_idle_end_due = call.now.since(body.touched_at) > EXACTNESS.min(self.config.idle / 10);
        if !has_room || !(is_new || is_idle_end_due) {
            return None;
        }
        let mut body = body.clone();
        take_part(&mut body, client);
        touch(&mut body, call);
        Some(body)
    }

    /// Whether clients' pages can watch who is signed in.
    #[must_use]
    pub fn are_monitored(&self) -> bool {
        self.config.management
    }

    /// When the session ends if nothing happens.
    #[must_use]
    pub fn end(&self, now: Timestamp, body: &SessionBody) -> Timestamp {
        (now + self.config.idle).min(body.absolute_end)
    }
}

/// Where the browser is, as far as it is known.
fn place(call: &Call) -> Option<Box<Place>> {
    let place = Place::of(call.user_agent.as_deref(), call.network());
    (place != Place::default()).then(|| Box::new(place))
}

/// The session is used now, from here.
fn touch(body: &mut SessionBody, call: &Call) {
    body.touched_at = call.now;
    body.place = place(call);
}

/// The client takes part, in the place of an earlier registration under its id. Only a client that was given something
/// knows of the session, and has to hear of its end.
fn take_part(body: &mut SessionBody, client: Option<&Client>) {
    let Some(participant) = client.map(Participant::of) else { return };
    match body.clients.iter_mut().find(|known| known.client == participant.client) {
        Some(known) => *known = participant,
        None => body.clients.push(participant),
    }
}

/// The name of a session for one client (OIDC Front-Channel Logout section 3): a digest, so that clients
/// cannot compare.
#[must_use]
pub fn sid(session: &Key, client: &ClientId) -> Box<str> {
    let digest = sha256(&[b"sid", session.as_bytes(), client.as_str().as_bytes()].concat());
    base64url::encode(digest).into()
}

/// The account chooser's name for a session. Not a secret, and of no use elsewhere.
#[must_use]
pub fn choice(session: &Key) -> String {
    base64url::encode(sha256(&[b"choice", session.as_bytes()].concat()))
}

/// The cookie's list after `first` became the active session: it, and the others that are alive. A session
/// that is dropped because the list is full is returned beside it, to be ended.
#[must_use]
pub fn list_with(
    first: RotatingHandle<Session>,
    others: &[SignedIn],
) -> (Vec<RotatingHandle<Session>>, Option<RotatingHandle<Session>>) {
    let is_other = |handle: &&RotatingHandle<Session>| handle.id() != first.id();
    let mut list: Vec<_> = others.iter().map(|person| &person.handle).filter(is_other).cloned().collect();
    list.insert(0, first);
    let dropped = if list.len() > LIST { list.pop() } else { None };
    (list, dropped)
}
