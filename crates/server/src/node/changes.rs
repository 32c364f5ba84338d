//! Says in the log what commands and other nodes have changed of clients, people and keys. The store is asked for it once a
//! second anyway; only what has changed is read.

use std::sync::{Mutex, PoisonError};

use chancery_core::documents::Cache;
use chancery_core::error::Fault;
use chancery_core::ports::{Accounts as _, Clock as _, PrivateKeys as _, Registry as _, SystemClock};
use chancery_store::{Changed, DocumentKind};
use chancery_types::{AccountId, ClientId, RealmId};

use super::Node;
use crate::log::Level;

/// How many changes of one second are said; a batch of clients may have thousands.
const TOLD: usize = 100;

/// What was changed since it was last said.
#[derive(Default)]
pub(super) struct Changes(Mutex<Vec<Changed>>);

impl Cache for Changes {
    /// What this process has written has events of its own.
    fn invalidate(&self, _: &Changed) {}

    fn invalidate_all(&self) {}

    fn changed_elsewhere(&self, document: &Changed) {
        let mut noticed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noticed.len() < TOLD && !noticed.contains(document) {
            noticed.push(document.clone());
        }
    }
}

impl Changes {
    fn take(&self) -> Vec<Changed> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
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
        let state = match self.opened.accounts.find(realm, &account).await? {
            None => "is removed",
            Some(person) if person.active => "was added or changed; they are enabled",
            Some(_) => "was changed; they are disabled",
        };
        let text = format!("a command, or another node, was at work: the person {state}");
        self.log.say_of(Level::Info, "person_changed", ("account", id), &text);
        Ok(())
    }

    async fn say_keys(&self, realm: &RealmId) -> Result<(), Fault> {
        let now = SystemClock.now();
        let (keys, encryption) =
            (self.opened.keys.list(realm).await?, self.opened.keys.encryption_keys(realm).await?);
        let signing = keys.iter().filter(|key| key.times.counts(now)).filter_map(|key| key.jwk.kid());
        let others = encryption.iter().filter(|key| key.times.counts(now)).filter_map(|key| key.jwk.kid());
        let kids: Vec<&str> = signing.chain(others).collect();
        let text = "a command, or another node, was at work: these keys count now";
        self.log.say_of(Level::Info, "keys_changed", ("kids", &kids.join(" ")), text);
        Ok(())
    }
}
