//! `chancery user`.

use std::collections::BTreeSet;
use std::path::Path;

use chancery_accounts::{AccountError, NewPerson, Password, Person, Username, check_claims};
use chancery_core::model::{ClaimName, Claims};
use chancery_types::ClientId;
use chancery_types::nearest::{did_you_mean, distance, nearest};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::differences::Differences;
use super::printed::{Form, List, json as printed_json};
use super::{Output, UNCHANGED, content, lines, opened, session};
use crate::arguments::{ClaimSource, Group, PasswordSource, Person as Named, User};
use crate::parts::{Opened, password_rules};
use crate::secrets;
use crate::settings::Settings;
use crate::terminal::{Escaped, Word};

pub(crate) async fn user(Group { json, command }: Group<User>) -> Output {
    let form = Form::of(json);
    match command {
        User::Add { configured, username, claims, password } => {
            let (settings, opened) = opened(&configured).await?;
            let username = self::username(&username)?;
            check_free(&settings, &opened, &username).await?;
            let before = Claims::default();
            let claims = changed(&before, &claims)?;
            refuse_slips(&settings, &before, &claims, &[])?;
            check_claims(&claims).map_err(|complaints| lines(&complaints))?;
            let password = good_password(&settings, &password, &username)?;
            let new = NewPerson { username, password, claims, id: None };
            let added = opened.accounts.add(&settings.realm, new).await;
            let person = added.map_err(not_added)?;
            notice_unknown(&settings, person.username.as_str(), &person.claims);
            notice_address(&before, &person.claims, &person.username);
            let (id, name) = (person.id.as_str(), person.username.as_str());
            let said = format!("added {} as {}\n", Escaped(name), Escaped(id));
            Ok(form.print(said, &json!({ "id": id, "username": name, "done": "added" })))
        }
        User::Show(Named { configured, username }) => {
            let (settings, opened) = opened(&configured).await?;
            let person = person(&settings, &opened, &username).await?;
            shown(&settings, &opened, &person, form).await
        }
        User::Set { person: Named { configured, username }, claims } => {
            let (settings, opened) = opened(&configured).await?;
            let person = person(&settings, &opened, &username).await?;
            let named = names(&claims);
            let claims = changed(&person.claims, &claims).map_err(|why| why + UNCHANGED)?;
            refuse_slips(&settings, &person.claims, &claims, &named).map_err(|why| why + UNCHANGED)?;
            let differences = Differences::between(&object(&person.claims)?, &object(&claims)?);
            if !differences.is_empty() {
                let set = opened.accounts.set_claims(&settings.realm, &person.username, claims.clone()).await;
                set.map_err(|error| match error {
                    AccountError::Unacceptable(_) => text(error) + UNCHANGED,
                    error => text(error),
                })?;
            }
            notice_unknown(&settings, person.username.as_str(), &claims);
            notice_address(&person.claims, &claims, &person.username);
            let done = if differences.is_empty() { "unchanged" } else { "the claims are changed" };
            let value = json!({
                "id": person.id, "username": person.username.as_str(), "done": done, "claims": claims,
                "changes": differences.json(),
            });
            Ok(form.print(differences.text(), &value))
        }
        User::Claims(Named { configured, username }) => {
            let (settings, opened) = opened(&configured).await?;
            let claims = person(&settings, &opened, &username).await?.claims;
            Ok(printed_json(&object(&claims)?.into()))
        }
        User::Passwd { person: Named { configured, username }, password } => {
            let (settings, opened) = opened(&configured).await?;
            let person = person(&settings, &opened, &username).await?;
            let password = good_password(&settings, &password, &person.username)?;
            let changed = opened.accounts.set_password(&settings.realm, &person.username, password).await;
            notify(&settings, &opened, &changed.map_err(text)?, "the password is changed", form).await
        }
        User::Disable(Named { configured, username }) => {
            let (settings, opened) = opened(&configured).await?;
            let person = person(&settings, &opened, &username).await?;
            if !person.active {
                // A repetition continues where the first time has failed.
                return notify(&settings, &opened, &person, "it was disabled already", form).await;
            }
            let disabled = opened.accounts.disable(&settings.realm, &person.username).await;
            notify(&settings, &opened, &disabled.map_err(text)?, "disabled", form).await
        }
        User::Enable(Named { configured, username }) => {
            let (settings, opened) = opened(&configured).await?;
            let person = person(&settings, &opened, &username).await?;
            if person.active {
                return Ok(done(&person, "it was enabled already; nothing was changed", form));
            }
            let enabled = opened.accounts.enable(&settings.realm, &person.username).await;
            Ok(done(&enabled.map_err(text)?, "enabled", form))
        }
        User::Remove(Named { configured, username }) => {
            let (settings, opened) = opened(&configured).await?;
            let person = person(&settings, &opened, &username).await?;
            opened.accounts.remove(&settings.realm, &person.username).await.map_err(text)?;
            notify(&settings, &opened, &person, "removed", form).await
        }
        User::List(configured) => {
            let (settings, opened) = opened(&configured).await?;
            let mut people = opened.accounts.list(&settings.realm).await.map_err(text)?;
            people.sort_by(|one, other| one.username.canonical().cmp(other.username.canonical()));
            let mut list = List::new(["ID", "USERNAME", "STATE", "NAME", "EMAIL"]);
            people.iter().for_each(|person| row(&mut list, person));
            Ok(list.print(form, "there are no users; `chancery user add NAME` adds one"))
        }
    }
}

/// The claims after the change that the command line asks for.
fn changed(before: &Claims, ClaimSource { single, claims }: &ClaimSource) -> Result<Claims, String> {
    if let Some(file) = claims {
        return claims_of(file);
    }
    let mut after = Claims::default();
    for (name, value) in before.iter() {
        after.set_raw(name, value.to_owned());
    }
    let mut removed = Vec::new();
    for asked in single {
        let Some((name, value)) = asked.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(format!("{asked:?} must be CLAIM=VALUE, such as email=alice@example.org"));
        };
        match value {
            "" => removed.push(name),
            value => drop(after.set_raw(name, value_of(name, value)?)),
        }
    }
    if removed.is_empty() {
        return Ok(after);
    }
    let mut left = Claims::default();
    for (name, value) in after.iter().filter(|(name, _)| !removed.contains(name)) {
        left.set_raw(name, value.to_owned());
    }
    Ok(left)
}

/// The claims as a JSON object.
fn object(claims: &Claims) -> Result<Map<String, Value>, String> {
    let value = serde_json::to_value(claims).map_err(|error| error.to_string())?;
    value.as_object().cloned().ok_or_else(|| "the claims are no object".to_owned())
}

/// A value as it is typed: text, unless the standard claim is of another type, or it is written as JSON.
fn value_of(name: &str, typed: &str) -> Result<Box<RawValue>, String> {
    let is_json = matches!(
        ClaimName::of(name).claim,
        "email_verified" | "phone_number_verified" | "updated_at" | "address"
    ) || matches!(typed, "true" | "false")
        || typed.starts_with(['{', '[', '"']);
    let value = match is_json.then(|| serde_json::from_str::<Box<RawValue>>(typed)) {
        Some(Ok(json)) => Ok(json),
        Some(Err(_)) if typed.starts_with(['{', '[', '"']) => {
            return Err(format!("{name}: {typed:?} begins like JSON and is none"));
        }
        _ => to_raw_value(typed),
    };
    value.map_err(|error| error.to_string())
}

/// The claims in this file.
fn claims_of(path: &Path) -> Result<Claims, String> {
    serde_json::from_slice(&content(path)?)
        .map_err(|error| format!("{}: not a JSON object of claims: {error}", path.display()))
}

/// The claims that some client is told.
fn told(settings: &Settings) -> Vec<&str> {
    let told = &settings.engine.claims;
    told.scopes.values().flatten().chain(&told.extra).map(String::as_str).collect()
}

/// The claims that the command line names one by one.
fn names(ClaimSource { single, .. }: &ClaimSource) -> Vec<String> {
    single.iter().filter_map(|asked| Some(asked.split_once('=')?.0.to_owned())).collect()
}

/// How far a slip is from what was meant: two letters that changed places are two.
const SLIP: usize = 2;

/// Refuses a claim that looks like a slip: nobody would be told it, and what was meant would be missing. One that the person has
/// had before stays, and can be removed.
fn refuse_slips(
    settings: &Settings,
    before: &Claims,
    after: &Claims,
    named: &[String],
) -> Result<(), String> {
    let told = told(settings);
    let slip = |name: &str| {
        let claim = ClaimName::of(name).claim;
        let near = nearest(claim, told.iter().copied()).filter(|near| distance(claim, near) <= SLIP)?;
        let is_slip = near != claim && before.get(name).is_none();
        is_slip.then(|| {
            format!(
                "claim {name}: neither a scope of [claims] nor claims.extra has it, so that no client would be told it; did you \
                 mean {near}?"
            )
        })
    };
    let all: BTreeSet<&str> =
        after.iter().map(|(name, _)| name).chain(named.iter().map(String::as_str)).collect();
    let slips: Vec<String> = all.into_iter().filter_map(slip).collect();
    if slips.is_empty() { Ok(()) } else { Err(slips.join("\n")) }
}

/// What is told to nobody is stored, and said; of what may be a slip also how it is undone.
fn notice_unknown(settings: &Settings, username: &str, claims: &Claims) {
    let told = told(settings);
    for (name, _) in claims.iter() {
        let claim = ClaimName::of(name).claim;
        if !told.contains(&claim) {
            let near = did_you_mean(claim, told.iter().copied());
            let notice = "is neither in a scope of [claims] nor in claims.extra: no client is told it";
            let undone = match near.is_empty() {
                true => String::new(),
                false => {
                    format!(" `chancery user set {} {}=` removes it", Word(username), Word(name))
                }
            };
            eprintln!("{}", Escaped(&format!("claim {name} {notice}{near}{undone}")));
        }
    }
}

/// An e-mail address whose domain has no dot is stored, because some networks have such, and said when it is new.
pub(super) fn notice_address(before: &Claims, after: &Claims, username: &Username) {
    let email = |claims: &Claims| -> Option<String> { serde_json::from_str(claims.get("email")?.get()).ok() };
    let Some(address) = email(after).filter(|_| email(before) != email(after)) else { return };
    let domain = address.rsplit('@').next().unwrap_or_default();
    // RFC 5321 section 4.1.3: in brackets stands the address of a host.
    if !domain.contains('.') && !domain.starts_with('[') {
        let notice = format!(
            "notice: email: {address:?}: {domain} has no dot, so that mail reaches it in a network with such names alone; if that is a \
             slip, `chancery user set {} email=ADDRESS` corrects it",
            Word(username.as_str())
        );
        eprintln!("{}", Escaped(&notice));
    }
}

/// Everything about a person but the password.
async fn shown(settings: &Settings, opened: &Opened, person: &Person, form: Form) -> Output {
    let sessions = session::sessions(settings, opened, &person.id).await?;
    let offline = session::offline(settings, opened, &person.id).await?;
    let claims = object(&person.claims)?;
    if form == Form::Json {
        let sessions = session::list(settings, &sessions).print(Form::Json, "");
        let sessions: Value = serde_json::from_str(&sessions).map_err(|error| error.to_string())?;
        return Ok(printed_json(&json!({
            "id": person.id, "username": person.username.as_str(), "state": state(person),
            "claims": claims, "sessions": sessions, "offline": offline,
        })));
    }
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows: Vec<(&str, String)> = [
        ("id", person.id.as_str().to_owned()),
        ("username", person.username.as_str().to_owned()),
        ("state", state(person).to_owned()),
    ]
    .into_iter()
    .chain(claims.iter().map(|(name, value)| (name.as_str(), plain(value))))
    .collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| {
        format!("{:width$}  {}\n", Escaped(name).to_string(), Escaped(value))
    };
    let about: String = rows.iter().map(line).collect();
    let mut shown = match sessions.is_empty() {
        true => about + "\nno session\n",
        false => about + "\n" + &session::list(settings, &sessions).print(Form::Text, ""),
    };
    if !offline.is_empty() {
        let (name, clients) = (person.username.as_str(), offline.iter().map(ClientId::as_str));
        shown.push_str(&format!(
            "\nclients that may act while {} is away: {} (`chancery session end {} --grants` ends it)\n",
            Escaped(name),
            clients.collect::<Vec<_>>().join(", "),
            Word(name)
        ));
    }
    Ok(shown)
}

/// The change stands; everything that the person had is worth nothing since, and their clients hear of it.
async fn notify(
    settings: &Settings,
    opened: &Opened,
    person: &Person,
    what: &'static str,
    form: Form,
) -> Output {
    let ended = "all sessions and grants of the user have ended";
    match session::end_all(settings, opened, &person.id).await {
        Ok(_) => Ok(match form {
            Form::Text => format!("{what}; {ended}\n"),
            Form::Json => done(person, what, form),
        }),
        Err(why) => Err(format!("{what}; {ended}, but clients were not notified of it: {why}")),
    }
}

fn done(person: &Person, what: &'static str, form: Form) -> String {
    form.print(
        format!("{what}\n"),
        &json!({ "id": person.id, "username": person.username.as_str(), "done": what }),
    )
}

fn state(person: &Person) -> &'static str {
    if person.active { "active" } else { "disabled" }
}

fn row(list: &mut List<5>, person: &Person) {
    let claim = |name: &str| -> String {
        let value = person.claims.get(name).map(|value| serde_json::from_str(value.get()));
        value.and_then(Result::ok).unwrap_or_default()
    };
    let (id, name) = (person.id.as_str(), person.username.as_str());
    let value = json!({
        "id": id, "username": name, "state": state(person), "claims": person.claims,
    });
    let cells = [id.to_owned(), name.to_owned(), state(person).to_owned(), claim("name"), claim("email")];
    list.push(cells, value);
}

/// Refuses a name that nobody new can have before a password is asked for.
async fn check_free(settings: &Settings, opened: &Opened, wanted: &Username) -> Result<(), String> {
    let name = Escaped(wanted.as_str());
    match opened.accounts.person(&settings.realm, wanted).await {
        Ok(_) => Err(format!(
            "{name}: there is a user of this name already; `chancery user set` changes the claims, `chancery user passwd` the \
             password"
        )),
        Err(AccountError::Unknown) => {
            opened.accounts.check_new(&settings.realm, wanted).await.map_err(not_added)
        }
        Err(error) => Err(text(error)),
    }
}

/// A password, which is asked for again on a terminal if the rules refuse it.
fn good_password(
    settings: &Settings,
    source: &PasswordSource,
    username: &Username,
) -> Result<Password, String> {
    secrets::good_password(source, &password_rules(settings.passwords.blocklist.as_deref())?, username)
}

/// Why nobody was added whose name nobody has in the same spelling.
fn not_added(error: AccountError) -> String {
    match error {
        AccountError::Taken => {
            "the name looks like that of another user, which people would take it for: choose another; \
             `chancery user list` lists all"
                .to_owned()
        }
        error => text(error),
    }
}

/// The person of this user name, or of this id, as the log has it.
pub(super) async fn person(settings: &Settings, opened: &Opened, typed: &str) -> Result<Person, String> {
    let found = match Username::parse(typed) {
        Ok(username) => opened.accounts.person(&settings.realm, &username).await,
        Err(_) => Err(AccountError::Unknown),
    };
    match found {
        Err(AccountError::Unknown) => {
            let mut people = opened.accounts.list(&settings.realm).await.map_err(text)?;
            if let Some(at) = people.iter().position(|person| person.id.as_str() == typed) {
                return Ok(people.swap_remove(at));
            }
            username(typed)?;
            let near = near_name(typed, people.iter().map(|person| person.username.as_str()));
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            Err(format!("{typed}: there is no such user{near}; `chancery user list` lists all"))
        }
        found => found.map_err(text),
    }
}

/// Whom somebody meant who has typed this: whose name begins so, as an e-mail address does with what stands before its `@`; else
/// whose name is but a slip away, because what is suggested may be removed next.
fn near_name<'a>(typed: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let begins = |name: &&str| !typed.is_empty() && name.to_lowercase().starts_with(&typed.to_lowercase());
    let slip = (typed.chars().count() / 3).max(1);
    let near = || nearest(typed, names.clone()).filter(|near| distance(typed, near) <= slip);
    names.clone().find(begins).or_else(near)
}

/// Parses the name of somebody new.
pub(super) fn new_username(typed: &str) -> Result<Username, String> {
    let username = username(typed)?;
    username.check_new().map_err(|complaints| lines(&complaints))?;
    Ok(username)
}

/// Parses a user name.
fn username(typed: &str) -> Result<Username, String> {
    Username::parse(typed).map_err(|_| format!("{typed:?}: {}", Username::RULE))
}

pub(super) fn text(error: AccountError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_meant_is_named_alike() {
        let names = ["jane", "alice", "hans@example.org"];
        for (typed, meant) in [
            ("hans", Some("hans@example.org")),
            ("Hans", Some("hans@example.org")),
            ("alise", Some("alice")),
            ("jan", Some("jane")),
            ("jans", Some("jane")),
            ("hand", None),
            ("", None),
        ] {
            assert_eq!(near_name(typed, names.into_iter()), meant, "{typed}");
        }
    }

    /// A value is what its claim is; a slip is refused when the claim is checked, and never stored as something else.
    #[test]
    fn values_are_typed_as_their_claims_are() {
        for (name, typed, json) in [
            ("email", "alice@example.org", r#""alice@example.org""#),
            ("phone_number", "12345", r#""12345""#),
            ("email_verified", "true", "true"),
            ("email_verified", "yes", r#""yes""#),
            ("updated_at", "1700000000", "1700000000"),
            ("name#ja", "\u{82b1}\u{5b50}", "\"\u{82b1}\u{5b50}\""),
            ("address", r#"{"locality":"Bonn"}"#, r#"{"locality":"Bonn"}"#),
            ("teams", r#"["a"]"#, r#"["a"]"#),
            ("admin", "true", "true"),
            ("name", "null", r#""null""#),
            ("name", "7", r#""7""#),
        ] {
            assert_eq!(value_of(name, typed).unwrap().get(), json, "{name}={typed}");
        }
        assert!(value_of("teams", "[a").is_err());
    }

    #[test]
    fn claims_are_changed_one_by_one() {
        let before: Claims = serde_json::from_str(r#"{"name":"A","email":"a@example.org"}"#).unwrap();
        let ask = |single: &[&str]| {
            let single = single.iter().map(|&one| one.to_owned()).collect();
            changed(&before, &ClaimSource { single, claims: None })
        };
        let after = ask(&["name=B=C", "email=", "nickname=x"]).unwrap();
        assert_eq!(serde_json::to_string(&after).unwrap(), r#"{"name":"B=C","nickname":"x"}"#);
        for wrong in ["name", "=x", ""] {
            assert!(ask(&[wrong]).unwrap_err().contains("CLAIM=VALUE"), "{wrong}");
        }
    }
}
