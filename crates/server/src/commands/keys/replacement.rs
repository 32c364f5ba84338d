//! `chancery keys replace`: new keys for a store whose wrapping key is lost.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;

use chancery_core::client::without_sealed_secrets;
use chancery_core::documents::Openable;
use chancery_core::model::{Client, TokenFormat};
use chancery_core::ports::{Clock as _, PrivateKeys as _, SystemClock};
use chancery_jose::{RootSecret, SigningAlgorithm};
use chancery_store::{Document, DocumentKind, Put};
use chancery_store_sqlite::back_up;
use chancery_types::iana::SubjectType;
use chancery_types::{Kind, Timestamp};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::said;
use crate::access::{check_is_folder, folder_of, ourselves};
use crate::arguments::Configured;
use crate::commands::backup::{NO_STORE, Unfinished, unwritten};
use crate::commands::printed::Form;
use crate::commands::{Output, client, lines};
use crate::kept::copy_before_new_keys;
use crate::parts::{
    FIRST_KEYS, Opened, check_existing, encryption_types, hindered, hindered_step, open_with,
};
use crate::secrets;
use crate::settings::{Settings, Source, Store, load};
use crate::store_lock::{Holder, StoreLock};
use crate::terminal::{Escaped, Word, counted};

/// What neither is found by a root secret nor was made with one: marks of what was used, which must not become good again;
/// initial access tokens; and notices that still have to be sent.
const KEPT: &[Kind] = &[Kind::DELIVERY, Kind::INITIAL_ACCESS_TOKEN, Kind::REPLAY];

const UNCHANGED: &str = "nothing was changed";

pub(super) async fn replace(configured: &Configured, is_confirmed: bool, form: Form) -> Output {
    let settings = load(configured).map_err(|complaints| lines(&complaints))?;
    let Store::Sqlite { path, wrapping_key, .. } = &settings.store else {
        return Err(NO_STORE.to_owned());
    };
    check_existing(&settings)?;
    let _alone = StoreLock::take(&settings, Holder::Command("keys replace"))?;
    let key = WrappingKey::of(wrapping_key).map_err(|line| settings.values.explain_line(line))?;
    let opened = open_with(&settings, &key.key)?;
    opened.check_stored(&settings).await?;
    // A development provider changes its issuer with its port.
    if !Source::of(configured).is_development {
        opened.check_issuer(&settings).await?;
    }
    check_lost(&settings, &opened, wrapping_key).await?;
    let loss = Loss::of(&settings, &opened).await?;
    if !is_confirmed {
        if !std::io::stdin().is_terminal() {
            return Err(format!("there is no terminal to ask on: say --yes; {UNCHANGED}"));
        }
        let shown = format!("{}{}", key.said(wrapping_key), loss.announced());
        confirm(&mut std::io::stdin().lock(), &mut std::io::stderr(), &shown)?;
    }
    let now = SystemClock.now();
    let mut documents = loss.documents()?;
    let (algorithms, types) = (algorithms(&settings, &loss.clients), encryption_types(&settings));
    let keys = opened.keys.successors(&settings.realm, &algorithms, &types, now).await.map_err(said)?;
    documents.push((DocumentKind::SEALED_KEYS, keys));

    let copy = copy_before_new_keys(path);
    let unfinished = copied(path, &copy, now).await?;
    let is_made = key.write(wrapping_key)?;
    unfinished.name(&copy).map_err(|error| unwritten(path, &error))?;
    store(&settings, &opened, path, documents).await?;
    let (made, key) = (made(&settings, &opened).await?, (wrapping_key.as_path(), is_made));
    Ok(form.print(loss.said(&made, key, &copy), &loss.json(&made, key, &copy)))
}

/// The wrapping key from now on: the one in the file of the settings, or a new one for that file.
struct WrappingKey {
    key: RootSecret,
    made: Option<Zeroizing<String>>,
}

impl WrappingKey {
    fn of(path: &Path) -> Result<Self, String> {
        if path.symlink_metadata().is_ok() {
            return Ok(Self { key: secrets::wrapping_key(path)?, made: None });
        }
        check_is_folder(&folder_of(path)).map_err(|what| {
            let path = path.display();
            format!("keys.wrapping_key: {path}: {what}; or correct the path, where a new key is to be written; {UNCHANGED}")
        })?;
        let (text, key) = secrets::new_wrapping_key();
        Ok(Self { key, made: Some(text) })
    }

    /// What will be the wrapping key.
    fn said(&self, path: &Path) -> String {
        let path = path.display();
        match self.made {
            Some(_) => format!("{path} does not exist: a new wrapping key will be written there.\n"),
            None => format!("{path} opens no key of this store: it will be the wrapping key from now on.\n"),
        }
    }

    /// Writes the key, if it is new, and says whether it was.
    fn write(&self, path: &Path) -> Result<bool, String> {
        let Some(text) = &self.made else { return Ok(false) };
        secrets::write_private(path, text).map_err(|why| {
            format!(
                "keys.wrapping_key: {why}: user {}, as whom this runs, cannot write the new key there. Write one yourself, of 32 random \
                 bytes in base64url: `head -c 32 /dev/urandom | basenc --base64url | tr -d =`; then run this again; {UNCHANGED}",
                ourselves()
            )
        })?;
        Ok(true)
    }
}

/// Checks that nothing in the store can be opened.
async fn check_lost(settings: &Settings, opened: &Opened, wrapping_key: &Path) -> Result<(), String> {
    let Openable { sealed, opened } = opened.keys.openable(&settings.realm).await.map_err(said)?;
    let about = |what: String| {
        let line = format!("keys.wrapping_key: {}: {what}; {UNCHANGED}", wrapping_key.display());
        Err(settings.values.explain_line(line))
    };
    match (sealed, opened) {
        (0, _) => Err(format!(
            "realm {} has no keys that could be replaced: see \"Restore\" in docs/operate.md; {UNCHANGED}",
            settings.realm
        )),
        (_, 0) => Ok(()),
        (sealed, opened) if sealed == opened => about(
            "it opens every key of this store, so that it is not lost. `chancery keys rotate` makes successors, and `chancery \
             keys remove KID` ends a key at once"
                .to_owned(),
        ),
        (sealed, opened) => about(format!(
            "it opens {opened} of {sealed} keys of this store, so that it is the right one, and the store is damaged: put a backup in its \
             place with `chancery restore FILE --replace`"
        )),
    }
}

/// What is lost with the keys, and what stays.
struct Loss {
    people: usize,
    clients: Vec<Arc<Client>>,
    /// The clients whose secrets were sealed, as they will be, and whether they lose one that is good now.
    sealed: Vec<(Client, bool)>,
    records: BTreeMap<Kind, u64>,
    /// Other realms of the same store, whose logins and tokens end, too.
    others: Vec<String>,
}

impl Loss {
    async fn of(settings: &Settings, opened: &Opened) -> Result<Self, String> {
        let (realm, now) = (&settings.realm, SystemClock.now());
        let Some(file) = &opened.file else { return Err(NO_STORE.to_owned()) };
        let people = opened.accounts.list(realm).await.map_err(|error| error.to_string())?.len();
        let clients = client::all(settings, opened).await.map_err(said)?;
        let ended = |client: &Client| {
            let ended = without_sealed_secrets(client, now)?;
            let is_lost = client.good_secrets(now).count() > ended.good_secrets(now).count();
            Some((ended, is_lost))
        };
        let sealed = clients.iter().filter_map(|client| ended(client)).collect();
        let records = file.live_records(now).await.map_err(|error| error.to_string())?;
        let mut others = file.realms().await.map_err(|error| error.to_string())?;
        others.retain(|other| other != realm.as_str());
        Ok(Self { people, clients, sealed, records: records.into_iter().collect(), others })
    }

    fn count(&self, kind: Kind) -> u64 {
        self.records.get(&kind).copied().unwrap_or_default()
    }

    /// The clients that need a new secret.
    fn without_secret(&self) -> Vec<&str> {
        self.sealed.iter().filter(|(_, is_lost)| *is_lost).map(|(client, _)| client.id().as_str()).collect()
    }

    /// The clients for which every person has another `sub` from now on (OIDC Core section 8.1).
    fn with_other_subjects(&self) -> Vec<&str> {
        let pairwise = |client: &&Arc<Client>| client.metadata().openid.subject_type == SubjectType::Pairwise;
        self.clients.iter().filter(pairwise).map(|client| client.id().as_str()).collect()
    }

    /// What stays, as a sentence has it.
    fn kept(&self) -> String {
        format!(
            "{} and every password, {}, {}",
            counted(self.people, "person", "people"),
            counted(self.clients.len(), "client", "clients"),
            plural(self.count(Kind::INITIAL_ACCESS_TOKEN), "initial access token", "initial access tokens")
        )
    }

    /// What ends, as a sentence has it.
    fn ended(&self) -> String {
        let others = match self.others.as_slice() {
            [] => String::new(),
            others => format!(", also of the realms {}", others.join(", ")),
        };
        format!(
            "{}, {} with their tokens, {}{others}",
            plural(self.count(Kind::SESSION), "login", "logins"),
            plural(self.count(Kind::GRANT), "grant", "grants"),
            plural(self.count(Kind::CONSENT), "consent", "consents"),
        )
    }

    /// What somebody has to know before.
    fn announced(&self) -> String {
        let mut said = format!(
            "kept: {}\nends: {}; everything that the lost keys have signed; and whatever is half done\n",
            self.kept(),
            self.ended()
        );
        for (what, clients) in [
            ("the secret of", self.without_secret()),
            ("the `sub` of every person at", self.with_other_subjects()),
        ] {
            if !clients.is_empty() {
                let names: Vec<String> = clients.iter().map(|id| Escaped(id).to_string()).collect();
                let number = counted(clients.len(), "client", "clients");
                said.push_str(&format!("lost: {what} {number}: {}\n", names.join(", ")));
            }
        }
        said.push_str(
            "With a copy of the wrapping key nothing of that is lost: then put it back instead. The store is copied first.\n",
        );
        said
    }

    /// The clients as they are written.
    fn documents(&self) -> Result<Vec<(DocumentKind, Document)>, String> {
        let document = |client: &Client| {
            let (id, body) = (client.id().as_str().into(), client.to_stored().map_err(said)?);
            Ok((
                DocumentKind::CLIENT,
                Document { id, aliases: Vec::new(), body, revision: client.revision() },
            ))
        };
        self.sealed.iter().map(|(client, _)| document(client)).collect()
    }

    /// What was done, and what is to be done now.
    fn said(&self, keys: &[MadeKey], (wrapping_key, is_made): (&Path, bool), copy: &Path) -> String {
        let names: Vec<&str> = keys.iter().map(|key| key.alg).collect();
        let mut said = format!(
            "written: {} ({}) and a root secret, sealed with {}{}\nkept:    {}; the former store as {}\nended:   {}\n",
            counted(keys.len(), "key", "keys"),
            names.join(", "),
            wrapping_key.display(),
            if is_made { ", which is new: keep a copy of it" } else { "" },
            self.kept(),
            copy.display(),
            self.ended()
        );
        for id in self.without_secret() {
            let typed = Word(id);
            said.push_str(&format!(
                "lost:    the secret of a client: `chancery client secret rotate {typed}` makes another one\n"
            ));
        }
        for id in self.with_other_subjects() {
            said.push_str(&format!("changed: the `sub` of every person at the client {}\n", Escaped(id)));
        }
        said.push_str(
            "next:    chancery check, then start the server; `chancery keys add ALG` makes the key of an algorithm that is missing\n",
        );
        said
    }

    /// The same for programs.
    fn json(&self, keys: &[MadeKey], (wrapping_key, is_made): (&Path, bool), copy: &Path) -> Value {
        let keys = keys.iter().map(|key| json!({ "kid": key.kid, "alg": key.alg, "use": key.usage }));
        json!({
            "keys": keys.collect::<Vec<_>>(),
            "wrapping_key": wrapping_key.to_string_lossy(),
            "wrapping_key_made": is_made,
            "former_store": copy.to_string_lossy(),
            "people": self.people,
            "clients": self.clients.len(),
            "initial_access_tokens": self.count(Kind::INITIAL_ACCESS_TOKEN),
            "ended": {
                "sessions": self.count(Kind::SESSION),
                "grants": self.count(Kind::GRANT),
                "consents": self.count(Kind::CONSENT),
                "other_realms": self.others,
            },
            "secrets_lost": self.without_secret(),
            "subjects_changed": self.with_other_subjects(),
        })
    }
}

/// A key that was made.
struct MadeKey {
    kid: String,
    alg: &'static str,
    usage: &'static str,
}

/// All keys of the realm, which are new.
async fn made(settings: &Settings, opened: &Opened) -> Result<Vec<MadeKey>, String> {
    let signing = opened.keys.list(&settings.realm).await.map_err(said)?;
    let encryption = opened.keys.encryption_keys(&settings.realm).await.map_err(said)?;
    let kid = |kid: Option<&str>| kid.unwrap_or_default().to_owned();
    let signing = signing.iter().map(|key| MadeKey {
        kid: kid(key.jwk.kid()),
        alg: key.jwk.alg().map_or("-", SigningAlgorithm::name),
        usage: "signing",
    });
    let encryption = encryption.iter().map(|key| MadeKey {
        kid: kid(key.jwk.kid()),
        alg: key.jwk.key_type().name(),
        usage: "encryption",
    });
    Ok(signing.chain(encryption).collect())
}

fn plural(count: u64, one: &str, several: &str) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), one, several)
}

/// Shows what is about to be done, and asks.
fn confirm(answers: &mut impl BufRead, out: &mut impl Write, shown: &str) -> Result<(), String> {
    let asked = write!(out, "{shown}Make new keys? Type yes: ").and_then(|()| out.flush());
    asked.map_err(|error| error.to_string())?;
    let mut line = String::new();
    answers.read_line(&mut line).map_err(|error| error.to_string())?;
    match line.trim() {
        "yes" => Ok(()),
        _ => Err(UNCHANGED.to_owned()),
    }
}

/// The algorithms of which something needs a key: those of every store, of the settings, and of the clients.
fn algorithms(settings: &Settings, clients: &[Arc<Client>]) -> Vec<SigningAlgorithm> {
    let jwts = settings.resource_servers.iter().filter(|server| server.format == TokenFormat::Jwt);
    let default = settings.engine.client_defaults.id_token_signed_response_alg;
    let of_settings = FIRST_KEYS.into_iter().chain([default]).chain(jwts.map(|server| server.alg));
    let of_clients = clients.iter().flat_map(|client| {
        let metadata = client.metadata();
        [
            metadata.openid.id_token_signed_response_alg.signed(),
            metadata.openid.userinfo_signed_response_alg,
            metadata.authorization_responses.authorization_signed_response_alg,
            metadata.introspection_responses.introspection_signed_response_alg,
        ]
    });
    let mut algorithms = Vec::new();
    for alg in of_settings.chain(of_clients.flatten()) {
        if !alg.is_symmetric() && !algorithms.contains(&alg) {
            algorithms.push(alg);
        }
    }
    algorithms
}

/// Copies the store beside it, for whoever finds the wrapping key again.
async fn copied(path: &Path, copy: &Path, now: Timestamp) -> Result<Unfinished, String> {
    let unfinished = Unfinished::beside(copy, "copy").map_err(|error| unwritten(path, &error))?;
    let (source, target) = (path.to_owned(), unfinished.0.clone());
    let copied =
        tokio::task::spawn_blocking(move || back_up(&source, &target, now, env!("CARGO_PKG_VERSION")));
    copied.await.map_err(|error| error.to_string())?.map_err(|why| {
        let file = if why.is_of_target { copy } else { path };
        format!("store.sqlite: {}; {UNCHANGED}", hindered(file, &why.fault))
    })?;
    Ok(unfinished)
}

/// Writes everything in one step.
async fn store(
    settings: &Settings,
    opened: &Opened,
    path: &Path,
    documents: Vec<(DocumentKind, Document)>,
) -> Result<(), String> {
    let Some(file) = &opened.file else { return Err(NO_STORE.to_owned()) };
    match file.renew(&settings.realm, documents, KEPT).await {
        Ok(Put::Done(_)) => Ok(()),
        Ok(Put::Stale | Put::Occupied) => {
            Err("another command has just changed a client or the keys: no key was made, run this one again"
                .to_owned())
        }
        Err(error) => Err(format!("store.sqlite: {}; no key was made", hindered_step(path, &error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only the whole word goes on, and a terminal that is closed does not.
    #[test]
    fn who_does_not_say_yes_changes_nothing() {
        for (typed, is_yes) in
            [("yes\n", true), (" yes \n", true), ("y\n", false), ("no\n", false), ("", false)]
        {
            let mut out = Vec::new();
            let answer = confirm(&mut typed.as_bytes(), &mut out, "kept: 1 person\n");
            assert_eq!(answer.is_ok(), is_yes, "{typed:?}");
            assert!(answer.err().is_none_or(|why| why == UNCHANGED));
            assert_eq!(String::from_utf8(out).unwrap(), "kept: 1 person\nMake new keys? Type yes: ");
        }
    }
}
