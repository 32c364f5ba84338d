//! SIGHUP: the certificate and the configuration are read again, and the log says what counts now and what waits for a
//! restart.

use std::sync::Arc;

use chancery_core::offered::Departure;
use chancery_core::ports::{Clock as _, SystemClock};

use super::{Current, Node, current};
use crate::arguments::Configured;
use crate::commands::lines;
use crate::log::Level;
use crate::settings::{self, Settings};

impl Node {
    /// Reloads the certificate and the configuration. If one is invalid, the old one stays, and the log says
    /// why.
    pub(super) async fn reload(&self, configured: Option<&Configured>) {
        if let Some(certificate) = &self.certificate {
            match certificate.reload(SystemClock.now()) {
                Ok(()) => self.log.say(Level::Info, "certificate_reloaded", "new connections use it"),
                Err(why) => self.log.say(Level::Error, "certificate_kept", &why),
            }
        }
        let Some(configured) = configured else { return };
        match self.reconfigured(configured).await {
            Ok((current, settings)) => {
                self.current.store(Arc::new(current));
                self.log.change(settings.log);
                self.say_reloaded(&settings);
                self.say_departures(&settings);
            }
            Err(why) => self.log.say(Level::Error, "configuration_kept", &why),
        }
    }

    async fn reconfigured(&self, configured: &Configured) -> Result<(Current, Settings), String> {
        let settings = settings::load(configured).map_err(|complaints| lines(&complaints))?;
        if settings.issuer != self.settings.issuer || settings.realm != self.settings.realm {
            return Err("a change of issuer or realm needs a restart".to_owned());
        }
        let current = current(&settings, &self.opened, (&self.heard, &self.bell), self.demo.as_ref()).await?;
        Ok((current, settings))
    }

    /// Names what has changed since the start and does not count yet, so that nobody believes that it does.
    fn say_reloaded(&self, settings: &Settings) {
        let waiting = settings.values.waiting(&self.settings.values);
        if waiting.is_empty() {
            self.log.say(Level::Info, "configuration_reloaded", "new requests use it");
            return;
        }
        let text = format!(
            "{}: changed, and the values of the start go on; restart the server for the new ones",
            waiting.join(", ")
        );
        self.log.say(Level::Warn, "configuration_waits", &text);
        self.log.say(Level::Info, "configuration_reloaded", "new requests use everything else");
    }

    /// Warns of each compatibility setting that is on, so that nobody has to look for it when it matters.
    pub(super) fn say_departures(&self, settings: &Settings) {
        for Departure { setting, section } in settings.engine.compatibility.departures() {
            self.log.say(Level::Warn, "loosened", &format!("compatibility.{setting} leaves {section}"));
        }
    }
}
