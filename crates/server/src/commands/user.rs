//! `chancery user`.

use std::path::Path;

use chancery_accounts::{AccountError, NewPerson, Person, Username};
use chancery_core::model::Claims;

use super::{Output, content, opened, session};
use crate::arguments::User;
use crate::parts::Opened;
use crate::secrets;
use crate::settings::Settings;
use crate::terminal::Escaped;

pub(crate) async fn user(command: User) -> Output {
    match command {
        User::Add { configured, username, claims, password } => {
            let (settings, opened) = opened(&configured)?;
            let username = self::username(&username)?;
            let claims = claims.map_or(Ok(Claims::default()), |path| claims_of(&path))?;
            let new = NewPerson { username, password: secrets::password(&password)?, claims, id: None };
            let person = opened.accounts.add(&settings.realm, new).await.map_err(text)?;
            Ok(format!("added {} as {}\n", Escaped(person.username.as_str()), Escaped(person.id.as_str())))
        }
        User::Set { configured, username, claims } => {
            let (settings, opened) = opened(&configured)?;
            let username = self::username(&username)?;
            let claims = claims_of(&claims)?;
            opened.accounts.set_claims(&settings.realm, &username, claims).await.map_err(text)?;
            Ok("the claims are changed\n".to_owned())
        }
        User::Passwd { configured, username, password } => {
            let (settings, opened) = opened(&configured)?;
            let (username, password) = (self::username(&username)?, secrets::password(&password)?);
            let done = opened.accounts.set_password(&settings.realm, &username, password).await;
            let person = done.map_err(text)?;
            notify(&settings, &opened, &person, "the password is changed").await
        }
        User::Disable(who) => {
            let (settings, opened) = opened(&who.configured)?;
            let username = username(&who.username)?;
            let person = opened.accounts.disable(&settings.realm, &username).await.map_err(text)?;
            notify(&settings, &opened, &person, "disabled").await
        }
        User::Enable(who) => {
            let (settings, opened) = opened(&who.configured)?;
            opened.accounts.enable(&settings.realm, &username(&who.username)?).await.map_err(text)?;
            Ok("enabled\n".to_owned())
        }
        User::Remove(who) => {
            let (settings, opened) = opened(&who.configured)?;
            let username = username(&who.username)?;
            let person = opened.accounts.person(&settings.realm, &username).await.map_err(text)?;
            opened.accounts.remove(&settings.realm, &username).await.map_err(text)?;
            notify(&settings, &opened, &person, "removed").await
        }
        User::List(configured) => {
            let (settings, opened) = opened(&configured)?;
            let people = opened.accounts.list(&settings.realm).await.map_err(text)?;
            Ok(people.iter().map(line).collect())
        }
    }
}

/// The claims in this file.
fn claims_of(path: &Path) -> Result<Claims, String> {
    serde_json::from_slice(&content(path)?)
        .map_err(|error| format!("{}: not a JSON object of claims: {error}", path.display()))
}

/// The change stands; everything that the person had is worth nothing since, and their clients hear of it.
async fn notify(settings: &Settings, opened: &Opened, person: &Person, what: &str) -> Output {
    match session::end_all(settings, opened, &person.id).await {
        Ok(_) => Ok(format!("{what}; all sessions and grants of the user have ended\n")),
        Err(why) => Err(format!(
            "{what}; all sessions and grants of the user have ended, but clients were not notified of it: {why}"
        )),
    }
}

fn line(person: &Person) -> String {
    let state = if person.active { "active" } else { "disabled" };
    format!("{}\t{}\t{state}\n", Escaped(person.id.as_str()), Escaped(person.username.as_str()))
}

/// Parses a user name.
pub(super) fn username(typed: &str) -> Result<Username, String> {
    Username::parse(typed).map_err(|_| format!("{typed:?}: {}", Username::RULE))
}

fn text(error: AccountError) -> String {
    error.to_string()
}
