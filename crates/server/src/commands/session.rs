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

use super::user::username;
use super::{Output, lines, opened};
use crate::arguments::Session;
use crate::log::rfc3339;
use crate::parts::Opened;
use crate::settings::Settings;
use crate::terminal::Escaped;

pub(crate) async fn session(command: Session) -> Output {
    match command {
        Session::List(who) => {
            let (settings, opened) = opened(&who.configured)?;
            let account = account(&settings, &opened, &who.username).await?;
            let sessions = provider(&settings, &opened).await?.sessions(&call(), &account).await;
            Ok(sessions.map_err(|fault| fault.to_string())?.iter().map(line).collect())
        }
        Session::End { who, session } => {
            let (settings, opened) = opened(&who.configured)?;
            let account = account(&settings, &opened, &who.username).await?;
            let Some(session) = session else {
                return Ok(ended(end_all(&settings, &opened, &account).await?));
            };
            let provider = provider(&settings, &opened).await?;
            let sessions = provider.sessions(&call(), &account).await.map_err(|fault| fault.to_string())?;
            let named = sessions.into_iter().find(|found| choice(&found.key) == session);
            let named = named.ok_or("this person has no such session; see `chancery session list`")?;
            let is_ended =
                provider.end_one_session(&call(), named).await.map_err(|fault| fault.to_string())?;
            Ok(ended(u64::from(is_ended)))
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

async fn account(settings: &Settings, opened: &Opened, typed: &str) -> Result<AccountId, String> {
    let person = opened.accounts.person(&settings.realm, &username(typed)?).await;
    person.map(|person| person.id).map_err(|error| error.to_string())
}

fn line(session: &Found<SessionBody>) -> String {
    let Found { key, body, expires_at, .. } = session;
    let clients: Vec<String> =
        body.clients.iter().map(|one| Escaped(one.client.as_str()).to_string()).collect();
    format!(
        "{}\tsigned in {}\tends {}\t{}\n",
        choice(key),
        rfc3339(body.authentication.time()),
        rfc3339(*expires_at),
        clients.join(" ")
    )
}

fn ended(count: u64) -> String {
    match count {
        1 => "1 session has ended; the running server notifies its clients\n".to_owned(),
        count => format!("{count} sessions have ended; the running server notifies their clients\n"),
    }
}
