//! `chancery session`, and the end of a person's sessions by other commands.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Waker;

use chancery_accounts::{AccountError, Person};
use chancery_core::context::{Call, RequestId};
use chancery_core::fetch::NoFetch;
use chancery_core::model::Place;
use chancery_core::ports::{Clock as _, NoopEventSink, Registry as _, SystemClock};
use chancery_core::provider::Provider;
use chancery_core::records::{Found, SessionBody};
use chancery_core::session::choice;
use chancery_types::{AccountId, ClientId};

use serde_json::json;

use super::printed::{Form, List};
use super::user::{person, text};
use super::{Output, lines, opened};
use crate::arguments::{Group, Session};
use crate::parts::Opened;
use crate::settings::Settings;
use crate::terminal::{Escaped, Word};

pub(crate) async fn session(Group { json, command }: Group<Session>) -> Output {
    let form = Form::of(json);
    match command {
        Session::List(who) => {
            let (settings, opened) = opened(&who.configured).await?;
            let account = person(&settings, &opened, &who.username).await?.id;
            let sessions = sessions(&settings, &opened, &account).await?;
            Ok(list(&settings, &sessions).print(form, "the user has no session"))
        }
        Session::End { configured, username, session, all: _, grants } => {
            let (settings, opened) = opened(&configured).await?;
            let people = match &username {
                Some(username) => vec![person(&settings, &opened, username).await?],
                None => opened.accounts.list(&settings.realm).await.map_err(text)?,
            };
            let mut ended = Ended { with_grants: grants, ..Ended::default() };
            match (people.as_slice(), session) {
                ([person], Some(session)) => ended.ends_one(&settings, &opened, person, &session).await?,
                (people, _) => {
                    for person in people {
                        ended.ends_all(&settings, &opened, person).await?;
                    }
                }
            }
            ended.said(username.as_deref(), form)
        }
    }
}

/// Ends everything that a person has; the running server notifies the clients.
pub(super) async fn end_all(
    settings: &Settings,
    opened: &Opened,
    account: &AccountId,
) -> Result<u64, String> {
    let provider = provider(settings, opened).await?;
    provider.end_sessions(&call(), account).await.map_err(|fault| fault.to_string())
}

/// A provider that sends nothing: what it leaves in the store, the running server sends.
pub(super) async fn provider(settings: &Settings, opened: &Opened) -> Result<Arc<Provider>, String> {
    let parts = (Arc::new(NoopEventSink) as _, Arc::new(NoFetch) as _, Waker::noop().clone());
    opened.provider(settings, parts, &[]).await.map_err(|complaints| lines(&complaints))
}

fn call() -> Call {
    Call::new(SystemClock.now(), RequestId("command".into()))
}

/// The sessions of a person.
pub(super) async fn sessions(
    settings: &Settings,
    opened: &Opened,
    account: &AccountId,
) -> Result<Vec<Found<SessionBody>>, String> {
    let sessions = provider(settings, opened).await?.sessions(&call(), account).await;
    sessions.map_err(|fault| fault.to_string())
}

/// The clients that may act for a person when no session is left.
pub(super) async fn offline(
    settings: &Settings,
    opened: &Opened,
    account: &AccountId,
) -> Result<Vec<ClientId>, String> {
    let clients = provider(settings, opened).await?.offline_clients(&call(), account).await;
    clients.map_err(|fault| fault.to_string())
}

/// The sessions with their browsers, networks and clients, as far as they are known. A login at the account page counts the
/// issuer as its client.
pub(super) fn list(settings: &Settings, sessions: &[Found<SessionBody>]) -> List<7> {
    let mut list = List::new(["SESSION", "SIGNED IN", "LAST USED", "ENDS", "BROWSER", "NETWORK", "CLIENTS"]);
    for Found { key, body, expires_at, .. } in sessions {
        let (signed_in, used) = (body.authentication.time().rfc3339(), body.touched_at.rfc3339());
        let ends = expires_at.rfc3339();
        let clients: Vec<&str> = body.clients.iter().map(|one| one.client.as_str()).collect();
        let place = body.place.as_deref();
        let network = place.and_then(|place| place.network.as_deref());
        let browser = place.and_then(|place| place.browser.as_deref());
        let system = place.and_then(|place| place.system.as_deref());
        let value = json!({
            "session": choice(key), "signed_in_at": signed_in, "last_used_at": used, "ends": ends,
            "browser": browser, "system": system, "network": network, "clients": clients,
        });
        let device = match (browser, system) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (one, other) => one.or(other).unwrap_or_default().to_owned(),
        };
        let is_account_page = |client: &str| client == settings.issuer.as_str();
        let named =
            clients.iter().map(|&client| if is_account_page(client) { "account page" } else { client });
        let from = place.map(from).unwrap_or_default().to_owned();
        let named = named.collect::<Vec<_>>().join(", ");
        list.push([choice(key), signed_in, used, ends, device, from, named], value);
    }
    list
}

/// The network, as people know it: the account page has the same words for the machine itself.
fn from(place: &Place) -> &str {
    if place.is_this_machine() { "this machine" } else { place.network.as_deref().unwrap_or_default() }
}

/// The clients of these sessions that want to be told when one ends (OIDC Back-Channel Logout section 2.2).
async fn told(
    settings: &Settings,
    opened: &Opened,
    sessions: &[Found<SessionBody>],
) -> Result<BTreeSet<ClientId>, String> {
    let mut told = BTreeSet::new();
    for known in sessions.iter().flat_map(|found| &found.body.clients) {
        let client = opened.registry.client(&settings.realm, &known.client).await;
        let client = client.map_err(|fault| fault.to_string())?;
        let wants = client.filter(|client| {
            client.is_enabled()
                && client.registration() == known.registration
                && client.metadata().logout.backchannel_logout_uri.is_some()
        });
        told.extend(wants.map(|client| client.id().clone()));
    }
    Ok(told)
}

/// What `session end` has ended, and what it has not.
#[derive(Default)]
struct Ended {
    sessions: u64,
    /// The clients that are told.
    told: BTreeSet<ClientId>,
    /// The clients that may act, or might until now, when no session is left.
    offline: BTreeSet<ClientId>,
    /// Whether that has ended, too.
    with_grants: bool,
    /// Those for whom it has not, because they were being changed all the time.
    left: Vec<String>,
}

/// How often a change is tried that others may be in the way of.
const ATTEMPTS: usize = 5;

/// Does something to a person, unless the person is changed at the same moment, each time.
async fn done<F>(attempt: impl Fn() -> F) -> Result<bool, String>
where
    F: Future<Output = Result<Person, AccountError>>,
{
    for _ in 0..ATTEMPTS {
        match attempt().await {
            Err(AccountError::Changed) => {}
            // Whoever was removed meanwhile has nothing left.
            Ok(_) | Err(AccountError::Unknown) => return Ok(true),
            Err(error) => return Err(text(error)),
        }
    }
    Ok(false)
}

/// Ends everything that clients were given for a person.
async fn signed_out(settings: &Settings, opened: &Opened, person: &Person) -> Result<bool, String> {
    done(|| opened.accounts.sign_out_everywhere(&settings.realm, &person.username)).await
}

/// Lets the log of the running server say that sessions have ended. Whoever is changed all the time is named there anyway.
async fn noted(settings: &Settings, opened: &Opened, person: &Person) -> Result<(), String> {
    done(|| opened.accounts.note_ended_sessions(&settings.realm, &person.username)).await.map(|_| ())
}

impl Ended {
    async fn ends_all(
        &mut self,
        settings: &Settings,
        opened: &Opened,
        person: &Person,
    ) -> Result<(), String> {
        let sessions = sessions(settings, opened, &person.id).await?;
        self.told.extend(told(settings, opened, &sessions).await?);
        let offline = offline(settings, opened, &person.id).await?;
        let is_signed_out = self.with_grants && signed_out(settings, opened, person).await?;
        match is_signed_out || !self.with_grants {
            true => self.offline.extend(offline),
            false => self.left.push(person.username.as_str().to_owned()),
        }
        let sessions = end_all(settings, opened, &person.id).await?;
        self.sessions += sessions;
        if sessions > 0 && !is_signed_out { noted(settings, opened, person).await } else { Ok(()) }
    }

    async fn ends_one(
        &mut self,
        settings: &Settings,
        opened: &Opened,
        person: &Person,
        session: &str,
    ) -> Result<(), String> {
        let sessions = sessions(settings, opened, &person.id).await?;
        let Some(named) = sessions.into_iter().find(|found| choice(&found.key) == session) else {
            return Err(format!(
                "this person has no such session; `chancery session list {}` shows them",
                Word(person.username.as_str())
            ));
        };
        self.told = told(settings, opened, std::slice::from_ref(&named)).await?;
        self.offline.extend(offline(settings, opened, &person.id).await?);
        let ended = provider(settings, opened).await?.end_one_session(&call(), named).await;
        self.sessions = u64::from(ended.map_err(|fault| fault.to_string())?);
        if self.sessions > 0 { noted(settings, opened, person).await } else { Ok(()) }
    }

    /// What is printed, and whether all was done. Without a name it was everybody.
    fn said(&self, username: Option<&str>, form: Form) -> Output {
        let printed = self.print(username, form);
        if self.left.is_empty() {
            return Ok(printed);
        }
        print!("{printed}");
        Err(format!(
            "what clients may do goes on for {}, whom somebody else changed at the same moments: the same command once more ends it",
            self.left.join(", ")
        ))
    }

    /// In words.
    fn print(&self, username: Option<&str>, form: Form) -> String {
        let names = |clients: &BTreeSet<ClientId>| -> Vec<String> {
            clients.iter().map(|client| client.as_str().to_owned()).collect()
        };
        let (notified, offline) = (names(&self.told), names(&self.offline));
        let mut said = match self.sessions {
            0 => "there was no session to end".to_owned(),
            1 => "1 session has ended".to_owned(),
            count => format!("{count} sessions have ended"),
        };
        if self.sessions > 0 {
            said.push_str(&match notified.as_slice() {
                [] => "; none of the clients wants to be told (`backchannel_logout_uri`)".to_owned(),
                notified => format!("; the running server notifies {}", notified.join(", ")),
            });
        }
        let who = username.map_or_else(|| "people are".to_owned(), |name| format!("{} is", Escaped(name)));
        if self.with_grants {
            said.push_str("; everything that clients were given has ended");
            if !self.left.is_empty() {
                said.push_str(&format!(" but for {}", Escaped(&self.left.join(", "))));
            }
            if !offline.is_empty() {
                said.push_str(&format!(", also for the time when {who} away ({})", offline.join(", ")));
            }
        } else if !offline.is_empty() {
            let whose = username.map_or_else(|| "--all".to_owned(), |name| Word(name).to_string());
            said.push_str(&format!(
                "; what clients may do while {who} away goes on ({}): `chancery session end {whose} --grants` ends it",
                offline.join(", ")
            ));
        }
        let (ended, left) = if self.with_grants { (offline, Vec::new()) } else { (Vec::new(), offline) };
        form.print(
            said + "\n",
            &json!({
                "ended": self.sessions, "notifies": notified, "grants": self.with_grants,
                "offline_ended": ended, "offline_left": left, "people_left": self.left,
            }),
        )
    }
}

#[cfg(test)]
mod tests;
