//! `chancery init`: the first configuration, keys and person.

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use chancery_accounts::{NewPerson, PasswordPool, StoredAccounts};
use chancery_core::documents::Documents;
use chancery_core::model::Claims;
use chancery_jose::SystemRandom;
use chancery_store::{Document, DocumentKind, DocumentStore as _, Put};
use chancery_store_memory::MemoryStore;
use chancery_types::Issuer;

use super::user::username;
use super::{Output, lines};
use crate::access::{check_folder, folder_of, make_folder};
use crate::arguments::Init;
use crate::parts::{open, password_rules};
use crate::secrets::{self, write_new};
use crate::settings::{Settings, Store, load_text, template};

const CONFIGURATION: &str = "chancery.toml";
const WRAPPING_KEY: &str = "wrapping.key";
const STORE: &str = "chancery.sqlite";

/// Writes nothing before everything is checked, and the configuration last: until that exists, the command
/// can be repeated and continues where an earlier run has stopped.
pub(crate) async fn init(wanted: Init) -> Output {
    let issuer = given_or_asked(wanted.issuer, "Issuer, such as https://id.example.org: ", "--issuer")?;
    let issuer = Issuer::parse(issuer.trim()).map_err(
        |_| "the issuer must be an https URL (http on loopback), its host in lower case, without default port, query, fragment and slash at its end",
    )?;
    let person = if wanted.no_user {
        None
    } else {
        let typed = given_or_asked(wanted.username, "First user: ", "--username or --no-user")?;
        Some(NewPerson {
            username: username(&typed)?,
            password: secrets::password(&wanted.password)?,
            claims: Claims::default(),
            id: None,
        })
    };

    let configuration = wanted.directory.join(CONFIGURATION);
    let text = template(&[
        ("issuer", format!("{:?}", issuer.as_str())),
        ("http.listen", format!("[\"127.0.0.1:{}\"]", port(&issuer))),
        ("http.trusted_proxies", proxies(&issuer).to_owned()),
        ("store.sqlite", format!("{STORE:?}")),
        ("keys.wrapping_key", format!("{WRAPPING_KEY:?}")),
    ]);
    let settings = load_text(&text, &configuration).map_err(|complaints| lines(&complaints))?;
    let complaints = settings.engine.complaints();
    if !complaints.is_empty() {
        return Err(lines(&complaints));
    }
    let Store::Sqlite { path: store, wrapping_key, group_access } = &settings.store else {
        return Err(
            "store.sqlite is overridden with nothing by an environment variable; unset the variable to make a store"
                .to_owned(),
        );
    };
    check_places(&configuration, &wanted.directory, store, wrapping_key, *group_access)?;
    let person = match person {
        Some(person) => Some(rehearsed(&settings, person).await?),
        None => None,
    };

    make_folder(&wanted.directory)?;
    if !wrapping_key.exists() {
        secrets::write_private(wrapping_key, &secrets::random_text())?;
    }
    let opened = open(&settings)?;
    opened.first_keys(&settings.realm).await.map_err(|fault| fault.to_string())?;
    let mut note = String::new();
    if let Some(person) = person {
        let put = opened.documents.put_new(&settings.realm, DocumentKind::ACCOUNT, vec![person]).await;
        if put.map_err(|error| error.to_string())? == Put::Occupied {
            note.push_str(
                "the user exists already and was not changed: `chancery user passwd` changes the password\n",
            );
        }
    }
    drop(opened);
    write_new(&configuration, text.as_bytes(), 0o644)?;
    Ok(said(&configuration, wrapping_key, store) + &note)
}

/// Checks that everything can be written. A key without a store, or both, may be left of an earlier run.
fn check_places(
    configuration: &Path,
    folder: &Path,
    store: &Path,
    wrapping_key: &Path,
    is_group_trusted: bool,
) -> Result<(), String> {
    if configuration.exists() {
        return Err(format!("{} exists already; nothing was changed", configuration.display()));
    }
    for file in [store, wrapping_key] {
        let parent = folder_of(file);
        if parent != folder_of(configuration) && !parent.is_dir() {
            return Err(format!("{}: the folder does not exist; nothing was changed", parent.display()));
        }
    }
    if folder.exists() {
        check_folder(&folder_of(store), is_group_trusted)?;
    }
    match (wrapping_key.exists(), store.exists()) {
        (true, _) => secrets::wrapping_key(wrapping_key).map(drop),
        (false, false) => Ok(()),
        (false, true) => {
            Err(format!("{} exists, but its wrapping key does not: restore your copy", store.display()))
        }
    }
}

/// Makes the person's document in memory, so that all errors are found before anything is written.
async fn rehearsed(settings: &Settings, person: NewPerson) -> Result<Document, String> {
    let memory = Arc::new(MemoryStore::new());
    let pool = PasswordPool::start(NonZeroUsize::MIN, 1).map_err(|fault| fault.to_string())?;
    let accounts = StoredAccounts::new(Documents::new(memory.clone()), pool, Arc::new(SystemRandom));
    let rules = password_rules(settings.passwords.blocklist.as_deref())?;
    let (accounts, realm) = (accounts.with_rules(rules), &settings.realm);
    accounts.add(realm, person).await.map_err(|error| error.to_string())?;
    let made = memory.list(realm, DocumentKind::ACCOUNT, None, 1).await.map_err(|error| error.to_string())?;
    made.into_iter().next().ok_or_else(|| "no user was made".to_owned())
}

/// The port of an http issuer; for an https one, the port that a TLS proxy connects to.
fn port(issuer: &Issuer) -> u16 {
    let named = issuer.origin().strip_prefix("http://").and_then(|authority| authority.rsplit(':').next());
    named.and_then(|port| port.parse().ok()).unwrap_or(8080)
}

/// What ends TLS for an https issuer stands before the loopback address on which we listen.
fn proxies(issuer: &Issuer) -> &'static str {
    if issuer.is_https() { "[\"127.0.0.1\"]" } else { "[]" }
}

fn said(configuration: &Path, wrapping_key: &Path, store: &Path) -> String {
    format!(
        "written: {}, {} (keep it secret, and keep a copy: without it, the private keys are lost), {}\n\
         next:    chancery serve --config {}\n",
        configuration.display(),
        wrapping_key.display(),
        store.display(),
        configuration.display()
    )
}

fn given_or_asked(given: Option<String>, prompt: &str, flag: &str) -> Result<String, String> {
    if let Some(given) = given {
        return Ok(given);
    }
    if !std::io::stdin().is_terminal() {
        return Err(format!("there is no terminal to ask on; use {flag}"));
    }
    print!("{prompt}");
    let _shown = std::io::stdout().flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| error.to_string())?;
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_issuer_is_served_on_its_own_port() {
        for (issuer, expected) in [
            ("http://localhost:3001", 3001),
            ("http://[::1]:3001/oidc", 3001),
            ("http://localhost", 8080),
            ("https://id.example:8443", 8080),
        ] {
            assert_eq!(port(&Issuer::parse(issuer).unwrap()), expected, "{issuer}");
        }
    }
}
