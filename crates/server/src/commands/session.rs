//! `chancery session`, and the end of a person's sessions by other commands.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Waker;

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
use super::user::person;
use super::{Output, lines, opened};
use crate::arguments::{Group, Session};
use crate::parts::Opened;
use crate::settings::Settings;
use crate::terminal::Word;

pub(crate) async fn session(Group { json, command }: Group<Session>) -> Output {
    let form = Form::of(json);
    match command {
        Session::List(who) => {
            let (settings, opened) = opened(&who.configured).await?;
            let account = person(&settings, &opened, &who.username).await?.id;
            let sessions = sessions(&settings, &opened, &account).await?;
            Ok(list(&settings, &sessions).print(form, "the user has no session"))
        }
        Session::End { who, session } => {
            let (settings, opened) = opened(&who.configured).await?;
            let account = person(&settings, &opened, &who.username).await?.id;
            let sessions = sessions(&settings, &opened, &account).await?;
            let Some(session) = session else {
                let told = told(&settings, &opened, &sessions).await?;
                return Ok(ended(end_all(&settings, &opened, &account).await?, &told, form));
            };
            let named = sessions.into_iter().find(|found| choice(&found.key) == session);
            let named = named.ok_or_else(|| {
                format!(
                    "this person has no such session; `chancery session list {}` shows them",
                    Word(&who.username)
                )
            })?;
            let told = told(&settings, &opened, std::slice::from_ref(&named)).await?;
            let provider = provider(&settings, &opened).await?;
            let is_ended =
                provider.end_one_session(&call(), named).await.map_err(|fault| fault.to_string())?;
            Ok(ended(u64::from(is_ended), &told, form))
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

fn ended(count: u64, told: &BTreeSet<ClientId>, form: Form) -> String {
    let sessions = match count {
        0 => return form.print("there was no session to end\n", &json!({ "ended": 0, "notifies": [] })),
        1 => "1 session has ended".to_owned(),
        count => format!("{count} sessions have ended"),
    };
    let notified: Vec<&str> = told.iter().map(ClientId::as_str).collect();
    let said = match notified.as_slice() {
        [] => "none of the clients wants to be told (`backchannel_logout_uri`)".to_owned(),
        notified => format!("the running server notifies {}", notified.join(", ")),
    };
    form.print(format!("{sessions}; {said}\n"), &json!({ "ended": count, "notifies": notified }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_itself_is_called_so() {
        for (network, expected) in [
            (Some("::/64"), "this machine"),
            (Some("127.0.0.1"), "this machine"),
            (Some("203.0.113.7"), "203.0.113.7"),
            (None, ""),
        ] {
            let network = network.map(Into::into);
            assert_eq!(from(&Place { network, ..Place::default() }), expected);
        }
    }
}
