//! SIGHUP: the certificate and the configuration are read again, and the log says what counts now and what waits for a
//! restart. Whoever sends a signal wants an answer, whatever `log.level` is.

use std::sync::Arc;

use chancery_core::offered::Departure;
use chancery_core::ports::{Clock as _, SystemClock};

use super::{Current, Node, current};
use crate::arguments::Configured;
use crate::commands::lines;
use crate::log::Level;
use crate::settings::{self, Change, Settings, Source, Store, Values};

impl Node {
    /// Reloads the certificate and the configuration, which was `taken` the last time. If one is invalid, the old one
    /// stays, and the log says why.
    pub(super) async fn reload(&self, configured: Option<&Configured>, taken: &mut Values) {
        let certificate = self.certificate.as_ref().map(|certificate| certificate.reload(SystemClock.now()));
        match &certificate {
            Some(Ok(())) => self.log.answer(Level::Info, "certificate_reloaded", "new connections use it"),
            Some(Err(why)) => self.log.answer(
                Level::Error,
                "certificate_kept",
                &format!("{why}; the certificate and the key of before go on"),
            ),
            None => {}
        }
        let Some(configured) = configured else { return };
        match self.reconfigured(configured).await {
            Ok((current, settings)) => {
                self.current.store(Arc::new(current));
                self.log.change(settings.log);
                self.say_key_file(&settings).await;
                self.say_reloaded(&settings.values, taken, matches!(certificate, Some(Err(_))));
                self.say_departures(&settings);
                *taken = settings.values;
            }
            // All that is wrong is one line of the log.
            Err(why) => {
                let why = why.lines().collect::<Vec<_>>().join("; ");
                self.log.answer(Level::Error, "configuration_kept", &why);
            }
        }
    }

    async fn reconfigured(&self, configured: &Configured) -> Result<(Current, Settings), String> {
        let path = Source::of(configured).path;
        if !path.exists() {
            return Err(format!(
                "{} does not exist: put it back; the configuration of before goes on",
                path.display()
            ));
        }
        let settings = settings::load(configured).map_err(|complaints| lines(&complaints))?;
        let own = [
            ("issuer", self.settings.issuer.as_str(), settings.issuer.as_str()),
            ("realm", self.settings.realm.as_str(), settings.realm.as_str()),
        ];
        if let Some((setting, before, after)) = own.into_iter().find(|(_, before, after)| before != after) {
            return Err(format!(
                "{setting}: changed from {before} to {after}, to which the store does not belong: nothing of the file was taken, \
                 and the configuration of before goes on. Set {setting} back to {before}; to move on purpose, see \"Move to another \
                 machine\" in docs/operate.md"
            ));
        }
        let current = current(&settings, &self.opened, (&self.heard, &self.bell), self.demo.as_ref()).await?;
        Ok((current, settings))
    }

    /// Names what counts now, what has changed since the start and does not count yet, so that nobody believes that it does, and
    /// what has waited for a restart and does not any more. It does not claim that the certificate was taken when it was kept.
    fn say_reloaded(&self, values: &Values, taken: &Values, is_certificate_kept: bool) {
        let waiting = values.waiting(&self.settings.values);
        let waited = taken.waiting(&self.settings.values);
        let is_of = |changes: &[Change], setting| changes.iter().any(|change| change.setting == setting);
        let mut changed = values.changed(taken);
        changed.retain(|setting| !is_of(&waiting, *setting) && !is_of(&waited, *setting));
        let back = waited.iter().map(|change| change.setting).filter(|setting| !is_of(&waiting, *setting));
        let back: Vec<&str> = back.collect();
        if !waiting.is_empty() {
            let each = waiting
                .iter()
                .map(|Change { setting, before, after }| format!("{setting} from {before} to {after}"));
            let text = format!(
                "{}: changed, and the values of the start go on; restart the server for the new ones",
                each.collect::<Vec<_>>().join(", ")
            );
            self.log.answer(Level::Warn, "configuration_waits", &text);
        }
        let mut told = Vec::new();
        if !changed.is_empty() {
            told.push(format!("new requests use what has changed: {}", changed.join(", ")));
        }
        if !back.is_empty() {
            told.push(format!("as at the start again, and waiting for no restart: {}", back.join(", ")));
        }
        if told.is_empty() {
            let what = if waiting.is_empty() { "no setting" } else { "nothing else" };
            told.push(format!("{what} has changed; the files that settings name were read again"));
        }
        if is_certificate_kept {
            told.push("the certificate and the key of before go on, as certificate_kept says".to_owned());
        }
        self.log.answer(Level::Info, "configuration_reloaded", &told.join("; "));
    }

    /// Warns where the file of the wrapping key would not let a server start: this one needs it no more.
    async fn say_key_file(&self, settings: &Settings) {
        let store = |settings: &Settings| match &settings.store {
            Store::Sqlite { path, .. } => Some(path.clone()),
            Store::Memory => None,
        };
        // Another store, for which the settings wait, may well have another key.
        if store(settings) != store(&self.settings) {
            return;
        }
        if let Err(why) = self.opened.check_key_file(settings).await {
            let text =
                format!("{why}; this server goes on with the key of its start, and the next start fails");
            self.log.answer(Level::Warn, "wrapping_key_unusable", &text);
        }
    }

    /// Warns of each compatibility setting that is on, so that nobody has to look for it when it matters.
    pub(super) fn say_departures(&self, settings: &Settings) {
        for Departure { setting, section } in settings.engine.compatibility.departures() {
            self.log.say(Level::Warn, "loosened", &format!("compatibility.{setting} leaves {section}"));
        }
    }
}
