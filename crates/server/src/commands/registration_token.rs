//! `chancery registration-token`: initial access tokens (RFC 7591 section 3).

use std::time::Duration;

use chancery_core::duration;
use chancery_core::endpoint::registration::NewInitialAccessToken;
use chancery_core::ports::{Clock as _, SystemClock};
use chancery_core::records::{Found, InitialAccessTokenBody};

use super::session::provider;
use super::{Output, opened};
use crate::arguments::RegistrationToken;
use crate::log::rfc3339;
use crate::terminal::Escaped;

pub(crate) async fn registration_token(command: RegistrationToken) -> Output {
    let now = SystemClock.now();
    match command {
        RegistrationToken::Add { configured, name, policies, count, lifetime } => {
            let lifetime =
                duration::parse(&lifetime).ok().filter(|lifetime| *lifetime >= Duration::from_secs(1));
            let lifetime = lifetime.ok_or("--lifetime must be a duration, such as 30d")?;
            if name.is_empty() || count == Some(0) {
                return Err("the name must not be empty, and --count at least 1".to_owned());
            }
            let (settings, opened) = opened(&configured)?;
            let policies = policies.into_iter().map(Into::into).collect();
            let wanted = NewInitialAccessToken { name: name.clone().into(), policies, count, lifetime };
            let provider = provider(&settings, &opened).await?;
            let made = provider.add_initial_access_token(now, wanted).await;
            match made.map_err(|fault| fault.to_string())? {
                Some(token) => Ok(format!("{}\n", token.as_str())),
                None => Err(format!(
                    "{}: there is a token of this name; `chancery registration-token remove` removes it",
                    Escaped(&name)
                )),
            }
        }
        RegistrationToken::List(configured) => {
            let (settings, opened) = opened(&configured)?;
            let all = provider(&settings, &opened).await?.initial_access_tokens(now).await;
            Ok(all.map_err(|fault| fault.to_string())?.iter().map(line).collect())
        }
        RegistrationToken::Remove { configured, name } => {
            let (settings, opened) = opened(&configured)?;
            let removed = provider(&settings, &opened).await?.remove_initial_access_token(now, &name).await;
            match removed.map_err(|fault| fault.to_string())? {
                true => Ok("removed\n".to_owned()),
                false => Err(format!(
                    "{}: there is no such token; `chancery registration-token list` lists all",
                    Escaped(&name)
                )),
            }
        }
    }
}

fn line(found: &Found<InitialAccessTokenBody>) -> String {
    let InitialAccessTokenBody { name, policies, left } = &found.body;
    let left = left.map_or_else(|| "-".to_owned(), |left| left.to_string());
    let policies = if policies.is_empty() { "-".to_owned() } else { policies.join(",") };
    format!("{}\t{}\t{left}\t{}\n", Escaped(name), rfc3339(found.expires_at), Escaped(&policies))
}
