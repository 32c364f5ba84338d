//! `chancery registration-token`: initial access tokens (RFC 7591 section 3).

use std::time::Duration;

use chancery_core::duration;
use chancery_core::endpoint::registration::NewInitialAccessToken;
use chancery_core::ports::{Clock as _, SystemClock};
use chancery_core::records::{Found, InitialAccessTokenBody};

use serde_json::json;

use super::printed::{Form, List};
use super::session::provider;
use super::{Output, opened};
use crate::arguments::{Group, RegistrationToken};
use crate::settings::duration_rule;
use crate::terminal::Escaped;

pub(crate) async fn registration_token(Group { json, command }: Group<RegistrationToken>) -> Output {
    let form = Form::of(json);
    let now = SystemClock.now();
    match command {
        RegistrationToken::Add { configured, name, policies, count, lifetime } => {
            let read = duration::parse(&lifetime).ok().filter(|lifetime| *lifetime >= Duration::from_secs(1));
            let lifetime = read.ok_or_else(|| {
                format!("--lifetime: {lifetime:?} must be at least 1s; {}", duration_rule(&lifetime))
            })?;
            if name.is_empty() || count == Some(0) {
                return Err("the name must not be empty, and --count at least 1".to_owned());
            }
            let (settings, opened) = opened(&configured).await?;
            let policies = policies.into_iter().map(Into::into).collect();
            let wanted = NewInitialAccessToken { name: name.clone().into(), policies, count, lifetime };
            let provider = provider(&settings, &opened).await?;
            let made = provider.add_initial_access_token(now, wanted).await;
            match made.map_err(|fault| fault.to_string())? {
                Some(token) => {
                    let token = token.as_str();
                    Ok(form
                        .print(format!("{token}\n"), &json!({ "name": name, "initial_access_token": token })))
                }
                None => Err(format!(
                    "{}: there is a token of this name; `chancery registration-token remove` removes it",
                    Escaped(&name)
                )),
            }
        }
        RegistrationToken::List(configured) => {
            let (settings, opened) = opened(&configured).await?;
            let all = provider(&settings, &opened).await?.initial_access_tokens(now).await;
            let mut list = List::new(["NAME", "ENDS", "CLIENTS LEFT", "POLICIES"]);
            all.map_err(|fault| fault.to_string())?.iter().for_each(|token| row(&mut list, token));
            Ok(list.print(form, "there are no tokens; `chancery registration-token add` makes one"))
        }
        RegistrationToken::Remove { configured, name } => {
            let (settings, opened) = opened(&configured).await?;
            let removed = provider(&settings, &opened).await?.remove_initial_access_token(now, &name).await;
            match removed.map_err(|fault| fault.to_string())? {
                true => Ok(form.print("removed\n", &json!({ "name": name, "done": "removed" }))),
                false => Err(format!(
                    "{}: there is no such token; `chancery registration-token list` lists all",
                    Escaped(&name)
                )),
            }
        }
    }
}

fn row(list: &mut List<4>, found: &Found<InitialAccessTokenBody>) {
    let InitialAccessTokenBody { name, policies, left } = &found.body;
    let ends = found.expires_at.rfc3339();
    let value = json!({ "name": name, "ends": ends, "clients_left": left, "policies": policies });
    let left = left.map_or_else(|| "any number".to_owned(), |left| left.to_string());
    list.push([name.to_string(), ends, left, policies.join(",")], value);
}
