//! How a configuration and its clients fare against a standard, demand by demand.
//!
//! Nothing is decided here: each grade is what the checks of registration and configuration say if they are asked about
//! the demands of the standard.

use std::sync::Arc;

use chancery_types::Issuer;
use serde::Serialize;

use crate::client::demanded;
use crate::config::Config;
use crate::model::{Client, ResourceServer};
use crate::offered::{Offered, PkceOptional};
use crate::profile::{Demands, Section};

mod rows;
use rows::{Asked, Row};

mod standards;
pub use standards::Standard;

/// What is graded.
pub struct Graded<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The issuer, which all URLs begin with.
    pub issuer: &'a Issuer,
    /// Who accepts access tokens.
    pub resource_servers: &'a [ResourceServer],
    /// Its clients. Those that are disabled do not count.
    pub clients: &'a [Arc<Client>],
}

/// Whether a standard demands something or advises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// MUST, or "shall".
    Required,
    /// SHOULD, or RECOMMENDED.
    Recommended,
}

/// The grades of one standard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its short name: that of the profile, if it is one.
    pub standard: &'static str,
    /// Its title.
    pub title: &'static str,
    /// One for each demand.
    pub grades: Vec<Grade>,
}

/// One demand of a standard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grade {
    /// What is demanded.
    pub demand: &'static str,
    /// By which section.
    pub section: Section,
    /// How strongly.
    pub level: Level,
    /// Whether everything meets it.
    pub is_met: bool,
    /// What does not.
    pub breaches: Vec<Breach>,
}

/// A setting or a client that does not meet a demand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// The client; `None` for a setting of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The setting, or the member of the client's metadata.
    pub setting: String,
    /// What it has to be, and for what reason.
    pub remedy: String,
}

impl Report {
    /// The grades of this standard.
    #[must_use]
    pub fn of(standard: Standard, graded: &Graded<'_>) -> Self {
        let subject = Subject::of(graded);
        let demands = standard.demands();
        let mut grades = Vec::new();
        for row in rows::ALL {
            for section in (row.sections)(&demands) {
                let asked = Asked { of: standard, section, demands: &demands };
                let breaches = subject.breaches(row, &asked);
                grades.push(Grade::new(row.demand, section, standard.level(section), breaches));
            }
        }
        grades.extend(standards::more(standard, &subject));
        Self { standard: standard.as_str(), title: standard.title(), grades }
    }

    /// How many grades of this level are met, and how many there are.
    #[must_use]
    pub fn count(&self, level: Level) -> (usize, usize) {
        let of_level = || self.grades.iter().filter(|grade| grade.level == level);
        (of_level().filter(|grade| grade.is_met).count(), of_level().count())
    }
}

impl Grade {
    fn new(demand: &'static str, section: Section, level: Level, breaches: Vec<Breach>) -> Self {
        let breaches: Vec<Breach> = breaches.into_iter().map(|breach| breach.at(level)).collect();
        Self { demand, section, level, is_met: breaches.is_empty(), breaches }
    }
}

impl Breach {
    fn of_server(setting: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { client: None, setting: setting.into(), remedy: remedy.into() }
    }

    /// In the words of this level: what is only advised should be so.
    fn at(self, level: Level) -> Self {
        match level {
            Level::Required => self,
            Level::Recommended => Self { remedy: self.remedy.replace("must ", "should "), ..self },
        }
    }

    fn of_client(client: &Client, setting: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { client: Some(client.id().to_string()), setting: setting.into(), remedy: remedy.into() }
    }
}

/// What is graded, compiled as for a provider.
struct Subject<'a> {
    config: &'a Config,
    issuer: &'a Issuer,
    resource_servers: &'a [ResourceServer],
    offered: Offered,
    clients: Vec<&'a Client>,
}

impl<'a> Subject<'a> {
    fn of(graded: &Graded<'a>) -> Self {
        let clients = graded.clients.iter().map(|client| &**client).filter(|client| client.is_enabled());
        let Graded { config, issuer, resource_servers, .. } = *graded;
        Self { config, issuer, resource_servers, offered: config.offered(), clients: clients.collect() }
    }

    /// What the requests of this client are held to.
    fn demands(&self, client: &Client) -> &Demands {
        client.demands(&self.offered.floor)
    }

    /// Whoever does not meet the demand of a row.
    fn breaches(&self, row: &Row, asked: &Asked<'_>) -> Vec<Breach> {
        let Asked { section, demands, .. } = *asked;
        let contradictions = self.config.compatibility.contradictions(demands);
        let by_settings = contradictions
            .into_iter()
            .filter(|found| found.section == section)
            .map(|found| Breach::of_server(format!("compatibility.{}", found.setting), "must be left out"));
        let by_registrations = self.clients.iter().flat_map(|client| {
            let complaints = demanded::complaints(client.metadata(), demands).into_iter();
            complaints
                .filter(|complaint| complaint.section == section)
                .map(|complaint| Breach::of_client(client, complaint.setting, complaint.rule))
        });
        by_settings.chain(by_registrations).chain((row.by_requests)(self, asked)).collect()
    }

    /// A breach for each of the clients that this is about and that nothing holds to the demand. `otherwise` is a
    /// member of metadata that holds a client to it as well.
    fn unheld(
        &self,
        asked: &Asked<'_>,
        concerns: impl Fn(&Client) -> bool,
        is_held: impl Fn(&Client, &Demands) -> bool,
        otherwise: Option<&'static str>,
    ) -> Vec<Breach> {
        let (setting, remedy) = asked.of.advice(otherwise);
        let concerned = self.clients.iter().filter(|client| concerns(client));
        let free = concerned.filter(|client| !is_held(client, self.demands(client)));
        free.map(|client| Breach::of_client(client, setting, remedy.clone())).collect()
    }

    /// Whether requests of this client for a code need no challenge.
    fn may_omit_pkce(&self, client: &Client) -> bool {
        let by_server = match self.config.compatibility.pkce_optional {
            PkceOptional::Never => false,
            PkceOptional::Confidential => !client.is_public(),
            PkceOptional::Always => true,
        };
        self.demands(client).pkce.is_none() && (by_server || client.is_pkce_optional())
    }
}
