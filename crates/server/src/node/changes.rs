//! Says in the log what commands and other nodes have changed of clients, people and keys. The store is asked for it once a
//! second anyway; only what has changed is read.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chancery_accounts::SignedOut;
use chancery_core::documents::Cache;
use chancery_core::error::Fault;
use chancery_core::ports::{PrivateKeys as _, Registry as _};
use chancery_core::rotation::KeyTimes;
use chancery_store::{Changed, DocumentKind};
use chancery_types::{AccountId, ClientId, RealmId};

use super::Node;
use crate::log::Level;
use crate::parts::Opened;

/// How many changes of one second are said; a batch of clients may have thousands.
const TOLD: usize = 100;

/// The keys of a realm by their ids, and when each is used.
type Keys = BTreeMap<String, KeyTimes>;

/// What was changed since it was last said.
pub(super) struct Changes {
    noticed: Mutex<Vec<Changed>>,
    /// The keys as they were last seen.
    keys: Mutex<Keys>,
}

impl Cache for Changes {
    /// What this process has written has events of its own.
    fn invalidate(&self, _: &Changed) {}

    fn invalidate_all(&self) {}

    fn changed_elsewhere(&self, document: &Changed) {
        let mut noticed = self.noticed();
        if noticed.len() < TOLD && !noticed.contains(document) {
            noticed.push(document.clone());
        }
    }
}

impl Changes {
    /// What changes from now on. Keys that cannot be read now are new when they are seen.
    pub(super) async fn since(opened: &Opened, realm: &RealmId) -> Self {
        let keys = keys(opened, realm).await.unwrap_or_default();
        Self { noticed: Mutex::default(), keys: Mutex::new(keys) }
    }

    fn noticed(&self) -> MutexGuard<'_, Vec<Changed>> {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<Changed> {
        std::mem::take(&mut *self.noticed())
    }

    /// Which keys are others than when they were last seen.
    fn seen(&self, now: Keys) -> KeyChanges {
        let mut seen = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *seen, now);
        KeyChanges::between(&before, &seen)
    }
}

/// What has become of keys.
#[derive(Debug, PartialEq, Eq)]
struct KeyChanges {
    added: Vec<String>,
    /// They begin or end at another time.
    changed: Vec<String>,
    removed: Vec<String>,
}

impl KeyChanges {
    fn between(before: &Keys, now: &Keys) -> Self {
        let of = |keys: &Keys, is_meant: &dyn Fn(&String, &KeyTimes) -> bool| {
            keys.iter().filter(|(kid, times)| is_meant(kid, times)).map(|(kid, _)| kid.clone()).collect()
        };
        Self {
            added: of(now, &|kid, _| !before.contains_key(kid)),
            changed: of(now, &|kid, times| before.get(kid).is_some_and(|old| old != times)),
            removed: of(before, &|kid, _| !now.contains_key(kid)),
        }
    }

    fn kids(&self) -> Vec<&str> {
        [&self.added, &self.changed, &self.removed].into_iter().flatten().map(String::as_str).collect()
    }

    fn text(&self) -> String {
        let of =
            |what: &str, kids: &[String]| (!kids.is_empty()).then(|| format!("{what}: {}", kids.join(", ")));
        let parts =
            [of("added", &self.added), of("with another end", &self.changed), of("removed", &self.removed)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("a command, or another node, was at work on the keys: {}", parts.join("; "))
    }
}

/// All keys of the realm, those for encryption among them.
async fn keys(opened: &Opened, realm: &RealmId) -> Result<Keys, Fault> {
    let (signing, encryption) = (opened.keys.list(realm).await?, opened.keys.encryption_keys(realm).await?);
    let signing = signing.into_iter().map(|key| (key.jwk.kid().map(str::to_owned), key.times));
    let encryption = encryption.into_iter().map(|key| (key.jwk.kid().map(str::to_owned), key.times));
    Ok(signing.chain(encryption).filter_map(|(kid, times)| Some((kid?, times))).collect())
}

impl Node {
    /// Says what was noticed. What cannot be read is left out: that the store is out of order is said by others.
    pub(super) async fn say_changes(&self) {
        for Changed { realm, kind, id } in self.changes.take() {
            let _unreadable = match kind {
                _ if realm != self.settings.realm => Ok(()),
                DocumentKind::CLIENT => self.say_client(&realm, &id).await,
                DocumentKind::ACCOUNT => self.say_person(&realm, &id).await,
                DocumentKind::SEALED_KEYS => self.say_keys(&realm).await,
                _ => Ok(()),
            };
        }
    }

    async fn say_client(&self, realm: &RealmId, id: &str) -> Result<(), Fault> {
        let Ok(client_id) = ClientId::parse(id) else { return Ok(()) };
        let state = match self.opened.registry.client(realm, &client_id).await? {
            None => "is removed",
            Some(client) if client.is_enabled() => "was added or changed; it is enabled",
            Some(_) => "was changed; it is disabled",
        };
        let text = format!("a command, or another node, was at work: the client {state}");
        self.log.say_of(Level::Info, "client_changed", ("client_id", id), &text);
        Ok(())
    }

    async fn say_person(&self, realm: &RealmId, id: &str) -> Result<(), Fault> {
        let Ok(account) = AccountId::parse(id) else { return Ok(()) };
        let person = self.opened.accounts.of_id(realm, &account).await?;
        let what = match person.map(|person| (person.signed_out, person.active)) {
            None => "the person is removed",
            Some((Some(signed_out), _)) => {
                let what = match signed_out {
                    SignedOut::Everything => {
                        "all sessions of the person have ended, and everything that clients were given"
                    }
                    SignedOut::Sessions => {
                        "sessions of the person have ended; what clients may do while the person is away goes on"
                    }
                };
                let text = format!("a command, or another node, was at work: {what}");
                self.log.say_of(Level::Info, "person_signed_out", ("account", id), &text);
                return Ok(());
            }
            Some((None, true)) => "the person was added or changed; they are enabled",
            Some((None, false)) => "the person was changed; they are disabled",
        };
        let text = format!("a command, or another node, was at work: {what}");
        self.log.say_of(Level::Info, "person_changed", ("account", id), &text);
        Ok(())
    }

    async fn say_keys(&self, realm: &RealmId) -> Result<(), Fault> {
        let changes = self.changes.seen(keys(&self.opened, realm).await?);
        let kids = changes.kids();
        // The same document has the root secrets.
        if !kids.is_empty() {
            self.log.say_of(Level::Info, "keys_changed", ("kids", &kids.join(" ")), &changes.text());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chancery_types::Timestamp;

    use super::*;

    #[test]
    fn only_keys_that_have_changed_are_named() {
        let times = |at| KeyTimes {
            publish_at: Timestamp::from_secs(0),
            sign_from: Timestamp::from_secs(at),
            end: None,
            made_at: None,
        };
        let keys = |keys: &[(&str, i64)]| -> Keys {
            keys.iter().map(|(kid, at)| ((*kid).to_owned(), times(*at))).collect()
        };
        let before = keys(&[("same", 1), ("rotated", 1), ("gone", 1)]);
        let changes = KeyChanges::between(&before, &keys(&[("same", 1), ("rotated", 2), ("new", 1)]));
        assert_eq!(changes.kids(), ["new", "rotated", "gone"]);
        assert!(
            changes.text().ends_with(" on the keys: added: new; with another end: rotated; removed: gone"),
            "{}",
            changes.text()
        );
        assert_eq!(KeyChanges::between(&before, &before).kids(), [""; 0]);
    }
}
