//! The settings: a file, overridden by the environment, overridden by flags.

mod addresses;
mod catalogue;
mod durations;
mod environment;
mod files;
mod forms;
mod needs;
mod not_toml;
mod outcome;
mod overlay;
mod pages;
mod resource_servers;
mod schema;
mod scopes;
mod section;
mod sections;
mod source;
mod template;
mod text;
#[cfg(test)]
mod tests;
mod traces;
mod unknown;
mod values;
mod written;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chancery_core::config::Config;
use chancery_core::error::Complaint;
use chancery_core::model::ResourceServer;
use chancery_fetch::AllowedHost;
use chancery_http::{ForwardedCertificate, TrustedProxies};
use chancery_types::{Issuer, RealmId};
use toml::Table;

pub(crate) use self::addresses::address;
pub(crate) use self::durations::rule as duration_rule;
pub(crate) use self::outcome::Read;
pub(crate) use self::pages::{PageLinks, Pages};
pub(crate) use self::schema::schema;
use self::section::section;
pub(crate) use self::source::{FILE, Source, load, load_all};
pub(crate) use self::template::{reference, template};
pub(crate) use self::traces::Traces;
pub(crate) use self::unknown::key_of_flag;
pub(crate) use self::values::{Change, Values, with_remedy};
pub(crate) use self::written::Passwords;
use self::written::{OURS, Written};
use crate::listener::Timeouts;
use crate::log::Logging;

/// All settings: the server's own and the engine's.
pub(crate) struct Settings {
    pub(crate) issuer: Issuer,
    pub(crate) realm: RealmId,
    pub(crate) http: Http,
    pub(crate) tls: Option<Tls>,
    /// Files with the authorities that vouch for clients.
    pub(crate) client_authorities: Vec<PathBuf>,
    pub(crate) management: Option<SocketAddr>,
    pub(crate) store: Store,
    pub(crate) passwords: Passwords,
    pub(crate) pages: Pages,
    pub(crate) fetch: Fetch,
    pub(crate) log: Logging,
    pub(crate) traces: Traces,
    pub(crate) resource_servers: Vec<ResourceServer>,
    /// The types of authorization details, each with the file of its JSON Schema.
    pub(crate) detail_types: BTreeMap<String, PathBuf>,
    pub(crate) engine: Config,
    /// Variables with our prefix that are no settings and were not read.
    pub(crate) foreign_variables: Vec<String>,
    /// What was written, for complaints.
    pub(crate) values: Values,
}

pub(crate) struct Http {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) trusted_proxies: TrustedProxies,
    /// How proxies hand on the certificates of clients, and which proxies.
    pub(crate) client_certificate: Option<(ForwardedCertificate, TrustedProxies)>,
    pub(crate) connections: u32,
    pub(crate) connections_per_network: u32,
    pub(crate) timeouts: Timeouts,
}

pub(crate) struct Tls {
    pub(crate) listen: Vec<SocketAddr>,
    /// Where the handshake asks for a certificate.
    pub(crate) mtls_listen: Vec<SocketAddr>,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

pub(crate) enum Store {
    Memory,
    Sqlite { path: PathBuf, wrapping_key: PathBuf, group_access: bool },
}

/// Requests to other servers.
#[derive(Default)]
pub(crate) struct Fetch {
    pub(crate) extra_roots: Vec<PathBuf>,
    pub(crate) allow_hosts: Vec<AllowedHost>,
    pub(crate) are_hosts_for_everybody: bool,
}

impl Settings {
    /// Whether strangers can make the server ask hosts of the internal network.
    pub(crate) fn are_named_hosts_open(&self) -> bool {
        let Fetch { allow_hosts, are_hosts_for_everybody, .. } = &self.fetch;
        *are_hosts_for_everybody && !allow_hosts.is_empty() && self.engine.registration.is_on()
    }

    /// The identity of this provider, with a store at another path.
    pub(crate) fn with_store_at(&self, path: &Path) -> Self {
        let mut other = Self::on(self.issuer.clone(), self.realm.clone(), Vec::new());
        if let Store::Sqlite { wrapping_key, group_access, .. } = &self.store {
            let (wrapping_key, group_access) = (wrapping_key.clone(), *group_access);
            other.store = Store::Sqlite { path: path.to_owned(), wrapping_key, group_access };
        }
        other
    }

    /// Whether the certificates of clients reach us.
    fn can_see_certificates(&self) -> bool {
        let asks = self.tls.as_ref().is_some_and(|tls| !tls.mtls_listen.is_empty());
        asks || self.http.client_certificate.is_some()
    }

    /// Plain HTTP on these addresses, and defaults for everything else.
    pub(crate) fn on(issuer: Issuer, realm: RealmId, listen: Vec<SocketAddr>) -> Self {
        Self {
            issuer,
            realm,
            http: Http {
                listen,
                trusted_proxies: TrustedProxies::default(),
                client_certificate: None,
                connections: 4096,
                connections_per_network: 256,
                timeouts: Timeouts::default(),
            },
            tls: None,
            client_authorities: Vec::new(),
            management: None,
            store: Store::Memory,
            passwords: Passwords::default(),
            pages: Pages::default(),
            fetch: Fetch::default(),
            log: Logging::default(),
            traces: Traces::default(),
            resource_servers: Vec::new(),
            detail_types: BTreeMap::new(),
            engine: Config::default(),
            foreign_variables: Vec::new(),
            values: Values::default(),
        }
    }
}

/// Reads the settings as [`load`] would from a file with this text, which need not exist.
///
/// # Errors
/// Everything that is wrong, at once.
pub(crate) fn load_text(text: &str, path: &Path) -> Result<Settings, Vec<Complaint>> {
    read(text, std::env::vars_os(), &[], path).good()
}

/// Reads the settings. Relative paths start from the folder of `file`.
fn read(
    text: &str,
    variables: impl Iterator<Item = (OsString, OsString)>,
    flags: &[String],
    file: &Path,
) -> Read {
    let mut complaints = Vec::new();
    let (mut table, repeated) = match text::parsed(text, file) {
        Ok(parsed) => parsed,
        Err(complaints) => return Read { settings: None, complaints },
    };
    let is_broken = !repeated.is_empty();
    complaints.extend(repeated);
    sections::strike(&mut table, &mut complaints);
    let before = complaints.len();
    unknown::strike(&mut table, &mut complaints);
    for complaint in complaints.iter_mut().skip(before) {
        if let Some(rule) = text::below_comment(text, &complaint.setting) {
            complaint.rule = rule;
        }
    }
    let environment = environment::ours(variables, &mut complaints);
    for (name, value) in &environment.settings {
        complaints.extend(overlay::lay(&mut table, &overlay::From::Variable(name), value).err());
    }
    for flag in flags {
        let Some((key, value)) = flag.split_once('=') else {
            complaints.push(Complaint::new(
                format!("--set {flag}"),
                "must be SETTING=VALUE, such as --set realm=main",
                "docs/configuration.md",
            ));
            continue;
        };
        complaints.extend(overlay::lay(&mut table, &overlay::From::Flag(key), value).err());
    }
    let mut values = Values::of(&table, &environment.settings);
    flags.iter().filter_map(|flag| flag.split_once('=')).for_each(|(key, _)| values.flagged(key));
    forms::strike(&mut table, &mut complaints);
    scopes::strike(&mut table, &mut complaints);
    resource_servers::strike_unreadable(&mut table, &mut complaints);
    let ours: Table = OURS.iter().filter_map(|name| table.remove_entry(*name)).collect();
    let written = section::<Written>(ours, &mut complaints);
    let engine = section::<Config>(table, &mut complaints).unwrap_or_default();
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut settings = written.and_then(|written| written.check(folder, &mut complaints));
    if let Some(settings) = &mut settings {
        complaints.extend(resource_servers::ambiguous(&settings.resource_servers, &engine));
        complaints.extend(resource_servers::forbidden(&settings.resource_servers, &engine));
        complaints.extend(resource_servers::announced(&settings.resource_servers, &engine));
        complaints.extend(needs::shared_addresses(settings));
        complaints.extend(needs::unreached_classes(&engine));
        let missing = needs::unseen_certificates(settings, &engine);
        if !complaints.is_empty() || missing.is_some() {
            // Without other complaints, the engine reports these when it is built.
            complaints.extend(missing.into_iter().chain(engine.complaints()));
        }
        settings.engine = engine;
        settings.engine.authorization_details_types = settings.detail_types.keys().cloned().collect();
        settings.foreign_variables = environment.foreign;
        settings.values = values.clone();
    }
    // What is missing may be what could not be read.
    if is_broken {
        complaints.retain(|complaint| !values.is_missing(&complaint.setting));
    }
    let complaints = complaints.into_iter().map(|complaint| values.explain(complaint)).collect();
    Read { settings, complaints }
}

/// What is wrong with a text as an issuer, and which one is meant: by the address of metadata (RFC 8414 section 3.1, OpenID
/// Connect Discovery section 4), or by another spelling of the path (RFC 3986 section 6.2.2).
pub(crate) fn issuer_faults(text: &str) -> Vec<String> {
    let mut faults: Vec<String> = Issuer::faults(text).into_iter().map(str::to_owned).collect();
    let meant = match text.split_once("/.well-known/") {
        Some((before, after)) => {
            let behind = after.split_once('/').map(|(_, path)| format!("/{path}")).unwrap_or_default();
            format!("{before}{behind}")
        }
        None => respelt(text),
    };
    if let (Some(fault), true) = (faults.last_mut(), Issuer::faults(&meant).is_empty()) {
        fault.push_str(&format!(": the issuer is probably {meant}"));
    }
    faults
}

/// The issuer with single slashes in its path, and with percent signs only where something must be encoded.
pub(crate) fn respelt(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut parts = path.split('%');
    let mut spelt = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|code| Some((code, u8::from_str_radix(code, 16).ok()?)));
        let Some((code, byte)) = code else { return text.to_owned() };
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                spelt.push(char::from(byte))
            }
            _ => spelt.extend(['%'].into_iter().chain(code.to_ascii_uppercase().chars())),
        }
        spelt.push_str(part.get(2..).unwrap_or_default());
    }
    let segments: Vec<&str> = spelt.split('/').filter(|segment| !segment.is_empty()).collect();
    std::iter::once(host).chain(segments).fold(format!("{scheme}:/"), |text, part| text + "/" + part)
}
