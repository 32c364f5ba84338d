//! `chancery session`, and the end of a person's sessions by other commands.

use std::sync::Arc;
use std::task::Waker;

use chancery_core::context::{Call, RequestId};
use chancery_core::fetch::NoFetch;
use chancery_core::ports::{Clock as _, NoopEventSink, SystemClock};
use chancery_core::provider::Provider;
use chancery_core::records::{Found, SessionBody};
use chancery_core::session::choice;
use chancery_types::AccountId;

use serde_json::json;

use super::printed::{Form, List};
use super::user::person;
use super::{Output, lines, opened};
use crate::arguments::{Group, Session};
use crate::log::rfc3339;
use crate::parts::Opened;
use crate::settings::Settings;

pub(crate) async fn session(Group { json, command }: Group<Session>) -> Output {
    let form = Form::of(json);
    match command {
        Session::List(who) => {
            let (settings, opened) = opened(&who.configured).await?;
            let account = person(&settings, &opened, &who.username).await?.id;
            let sessions = sessions(&settings, &opened, &account).await?;
            Ok(list(&sessions).print(form, "the user has no session"))
        }
        Session::End { who, session } => {
            let (settings, opened) = opened(&who.configured).await?;
            let account = person(&settings, &opened, &who.username).await?.id;
            let Some(session) = session else {
                return Ok(ended(end_all(&settings, &opened, &account).await?, form));
            };
            let provider = provider(&settings, &opened).await?;
            let sessions = provider.sessions(&call(), &account).await.map_err(|fault| fault.to_string())?;
            let named = sessions.into_iter().find(|found| choice(&found.key) == session);
            let named = named.ok_or("this person has no such session; see `chancery session list`")?;
            let is_ended =
                provider.end_one_session(&call(), named).await.map_err(|fault| fault.to_string())?;
            Ok(ended(u64::from(is_ended), form))
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

pub(super) fn list(sessions: &[Found<SessionBody>]) -> List<4> {
    let mut list = List::new(["SESSION", "SIGNED IN", "ENDS", "CLIENTS"]);
    for Found { key, body, expires_at, .. } in sessions {
        let (signed_in, ends) = (rfc3339(body.authentication.time()), rfc3339(*expires_at));
        let clients: Vec<&str> = body.clients.iter().map(|one| one.client.as_str()).collect();
        let value =
            json!({ "session": choice(key), "signed_in_at": signed_in, "ends": ends, "clients": clients });
        list.push([choice(key), signed_in, ends, clients.join(" ")], value);
    }
    list
}

fn ended(count: u64, form: Form) -> String {
    let text = match count {
        1 => "1 session has ended; the running server notifies its clients\n".to_owned(),
        count => format!("{count} sessions have ended; the running server notifies their clients\n"),
    };
    form.print(text, &json!({ "ended": count }))
}
