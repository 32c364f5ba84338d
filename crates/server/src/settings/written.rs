//! The server's sections of the configuration as they are written, and what is made of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chancery_core::config::Config;
use chancery_core::error::Complaint;
use chancery_core::model::ResourceServer;
use chancery_fetch::AllowedHost;
use chancery_http::ForwardedCertificate;
use chancery_types::{Issuer, RealmId};
use http::HeaderName;
use serde::Deserialize;

use super::pages::Pages;
use super::{Fetch, Http, Settings, Store, Tls, Values, addresses, issuer_faults, resource_servers};
use crate::listener::Timeouts;
use crate::log::Logging;

/// The server's sections of the file; all others are the engine's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    realm: Option<String>,
    #[serde(default)]
    http: WrittenHttp,
    #[serde(default)]
    tls: WrittenTls,
    #[serde(default)]
    management: WrittenManagement,
    #[serde(default)]
    store: WrittenStore,
    #[serde(default)]
    keys: WrittenKeys,
    #[serde(default)]
    passwords: Passwords,
    #[serde(default)]
    pages: Pages,
    #[serde(default)]
    fetch: WrittenFetch,
    #[serde(default)]
    log: Logging,
    #[serde(default)]
    traces: super::traces::Written,
    #[serde(default)]
    authorization_details: WrittenDetails,
    #[serde(default)]
    resource_server: Vec<ResourceServer>,
}

/// The sections of [`Written`].
pub(super) const OURS: &[&str] = &[
    "issuer",
    "realm",
    "http",
    "tls",
    "management",
    "store",
    "keys",
    "passwords",
    "pages",
    "fetch",
    "log",
    "traces",
    "authorization_details",
    "resource_server",
];

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenHttp {
    listen: Vec<String>,
    trusted_proxies: Vec<String>,
    client_certificate: WrittenCertificate,
    client_certificate_header: String,
    client_certificate_proxies: Vec<String>,
    connections: u32,
    connections_per_network: u32,
    #[serde(with = "chancery_core::duration")]
    header_timeout: Duration,
    #[serde(with = "chancery_core::duration")]
    body_timeout: Duration,
    #[serde(with = "chancery_core::duration")]
    idle_timeout: Duration,
}

impl Default for WrittenHttp {
    fn default() -> Self {
        let Timeouts { header, body, idle, .. } = Timeouts::default();
        Self {
            listen: Vec::new(),
            trusted_proxies: Vec::new(),
            client_certificate: WrittenCertificate::None,
            client_certificate_header: "X-SSL-Client-Cert".to_owned(),
            client_certificate_proxies: Vec::new(),
            connections: 4096,
            connections_per_network: 256,
            header_timeout: header,
            body_timeout: body,
            idle_timeout: idle,
        }
    }
}

/// How proxies hand on certificates.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenCertificate {
    None,
    Rfc9440,
    Envoy,
    Nginx,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenTls {
    listen: Vec<String>,
    mtls_listen: Vec<String>,
    client_authorities: Vec<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenManagement {
    listen: String,
}

impl Default for WrittenManagement {
    fn default() -> Self {
        Self { listen: "127.0.0.1:9090".to_owned() }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenStore {
    sqlite: Option<PathBuf>,
    group_access: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenKeys {
    wrapping_key: Option<PathBuf>,
}

/// The hashing of passwords.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Passwords {
    pub(crate) threads: std::num::NonZeroUsize,
    pub(crate) queue: usize,
    pub(crate) blocklist: Option<PathBuf>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { threads: std::num::NonZeroUsize::MIN.saturating_add(1), queue: 32, blocklist: None }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenFetch {
    extra_roots: Vec<PathBuf>,
    allow_hosts: Vec<String>,
    allow_hosts_for: HostsFor,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum HostsFor {
    #[default]
    Operators,
    Everybody,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenDetails {
    types: BTreeMap<String, PathBuf>,
}

/// The most threads for passwords: each takes 19 MiB, and a machine has fewer cores.
const MOST_THREADS: usize = 1024;

/// The most passwords that may wait: room for them is taken at the start.
const LONGEST_QUEUE: usize = 100_000;

/// Whether this is what SQLite takes for a store in memory or for a URI, and not for a path.
fn is_of_sqlite_alone(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path == ":memory:" || path.starts_with("file:"))
}

impl Written {
    pub(super) fn check(self, folder: &Path, complaints: &mut Vec<Complaint>) -> Option<Settings> {
        // Removed values have been reported already.
        let said: Vec<String> = complaints.iter().map(|complaint| complaint.setting.clone()).collect();
        let mut complain = |setting: &str, rule: &str, section: &'static str| {
            if !said.iter().any(|said| said == setting) {
                complaints.push(Complaint::new(setting, rule, section));
            }
        };
        let issuer = self.issuer.unwrap_or_default();
        for fault in issuer_faults(&issuer) {
            complain("issuer", &fault, "RFC 8414 section 2");
        }
        let issuer = Issuer::parse(&issuer).ok();
        let realm = RealmId::parse(self.realm.as_deref().unwrap_or("main")).ok();
        if realm.is_none() {
            complain("realm", "must be 1 to 64 lower-case letters, digits, - and _", "docs/configuration.md");
        }
        let mut addresses = |setting: &str, texts: &[String]| -> Vec<SocketAddr> {
            let (good, bad): (Vec<_>, Vec<_>) =
                texts.iter().map(|text| addresses::address(text)).partition(Result::is_ok);
            for rule in bad.into_iter().filter_map(Result::err) {
                complain(setting, &rule, "docs/configuration.md");
            }
            good.into_iter().filter_map(Result::ok).collect()
        };
        let http_listen = addresses("http.listen", &self.http.listen);
        let tls_listen = addresses("tls.listen", &self.tls.listen);
        let mtls_listen = addresses("tls.mtls_listen", &self.tls.mtls_listen);
        let management = self.management.listen;
        let management = addresses(
            "management.listen",
            if management.is_empty() { &[] } else { std::slice::from_ref(&management) },
        );
        let has_tls = !self.tls.listen.is_empty() || !self.tls.mtls_listen.is_empty();
        if self.http.listen.is_empty() && !has_tls {
            complain(
                "http.listen",
                "must have an address, such as [\"127.0.0.1:8080\"], unless tls.listen or tls.mtls_listen has one",
                "docs/configuration.md",
            );
        }
        if self.http.connections < 16 {
            complain("http.connections", "must be at least 16", "docs/configuration.md");
        }
        if self.http.connections_per_network < 1 {
            complain("http.connections_per_network", "must be at least 1", "docs/configuration.md");
        }
        if self.passwords.threads.get() > MOST_THREADS {
            complain(
                "passwords.threads",
                &format!("must be at most {MOST_THREADS}"),
                "docs/configuration.md",
            );
        }
        if self.passwords.queue > LONGEST_QUEUE {
            complain("passwords.queue", &format!("must be at most {LONGEST_QUEUE}"), "docs/configuration.md");
        }
        let (trusted_proxies, wrong) = addresses::networks(&self.http.trusted_proxies);
        for rule in wrong {
            complain("http.trusted_proxies", &rule, "RFC 7239 section 8.1");
        }
        let header = HeaderName::from_bytes(self.http.client_certificate_header.as_bytes());
        let (hand_on, wrong) = addresses::networks(&self.http.client_certificate_proxies);
        for rule in wrong {
            complain("http.client_certificate_proxies", &rule, "RFC 9440 section 4");
        }
        let client_certificate = match self.http.client_certificate {
            WrittenCertificate::None => None,
            _ if self.http.client_certificate_proxies.is_empty() => {
                let rule =
                    "needs the proxies in http.client_certificate_proxies: it is taken from nobody else";
                complain("http.client_certificate", rule, "RFC 9440 section 4");
                None
            }
            WrittenCertificate::Rfc9440 => Some(ForwardedCertificate::ClientCert),
            WrittenCertificate::Envoy => Some(ForwardedCertificate::Envoy),
            WrittenCertificate::Nginx => header.as_ref().ok().cloned().map(ForwardedCertificate::EscapedPem),
        };
        if header.is_err() {
            complain(
                "http.client_certificate_header",
                "must be the name of a header field",
                "RFC 9110 section 5.1",
            );
        }
        let mut allow_hosts = Vec::new();
        for text in &self.fetch.allow_hosts {
            match text.parse::<AllowedHost>() {
                Ok(host) => allow_hosts.push(host),
                Err(why) => {
                    complain("fetch.allow_hosts", &why.to_string(), "docs/configuration.md");
                }
            }
        }
        let tls = match (self.tls.certificate, self.tls.key) {
            _ if !has_tls => None,
            (Some(certificate), Some(key)) => {
                let (certificate, key) = (folder.join(certificate), folder.join(key));
                Some(Tls { listen: tls_listen, mtls_listen, certificate, key })
            }
            (Some(_), None) => {
                let rule = "is missing: name the file with the private key of tls.certificate";
                complain("tls.key", rule, "docs/configuration.md");
                None
            }
            (None, Some(_)) => {
                let rule = "is missing: name the file with the certificate of tls.key";
                complain("tls.certificate", rule, "docs/configuration.md");
                None
            }
            (None, None) => {
                complain(
                    "tls.certificate",
                    "tls.listen and tls.mtls_listen need tls.certificate and tls.key: name both files",
                    "docs/configuration.md",
                );
                None
            }
        };
        let store = match (self.store.sqlite, self.keys.wrapping_key) {
            (None, _) => Store::Memory,
            (Some(path), _) if is_of_sqlite_alone(&path) => {
                let rule = "must be the path of a file: leave it out to keep everything in memory, which is lost when the server \
                            ends";
                complain("store.sqlite", rule, "docs/configuration.md");
                Store::Memory
            }
            (Some(path), _) if path.as_os_str().is_empty() => {
                let rule = "is empty: name the file that `chancery init` has made";
                complain("store.sqlite", rule, "docs/configuration.md");
                Store::Memory
            }
            (_, Some(key)) if key.as_os_str().is_empty() => {
                let rule = "is empty: name the file that `chancery init` has made";
                complain("keys.wrapping_key", rule, "docs/configuration.md");
                Store::Memory
            }
            (Some(path), Some(key)) => Store::Sqlite {
                path: folder.join(path),
                wrapping_key: folder.join(key),
                group_access: self.store.group_access,
            },
            (Some(_), None) => {
                complain(
                    "keys.wrapping_key",
                    "is required with store.sqlite, to seal the private keys: name the file that \
                     `chancery init` has made",
                    "docs/configuration.md",
                );
                Store::Memory
            }
        };
        let traces = self.traces.check(complaints);
        complaints.extend(resource_servers::complaints(&self.resource_server, issuer.as_ref()));
        let mut pages = self.pages;
        pages.templates = pages.templates.map(|templates| folder.join(templates));
        pages.messages = pages.messages.map(|messages| folder.join(messages));
        pages.logo = pages.logo.map(|logo| folder.join(logo));
        // What can be started, so that `check` opens the store and says what else is wrong.
        let mut passwords = self.passwords;
        let most = std::num::NonZeroUsize::new(MOST_THREADS).unwrap_or(passwords.threads);
        passwords.threads = passwords.threads.min(most);
        passwords.queue = passwords.queue.min(LONGEST_QUEUE);
        passwords.blocklist = passwords.blocklist.map(|blocklist| folder.join(blocklist));
        Some(Settings {
            // Whoever is refused for a wrong one is told what else is wrong.
            issuer: issuer.or_else(|| Issuer::parse("https://issuer.invalid").ok())?,
            realm: realm.or_else(|| RealmId::parse("main").ok())?,
            http: Http {
                listen: http_listen,
                trusted_proxies,
                client_certificate: client_certificate.map(|form| (form, hand_on)),
                connections: self.http.connections,
                connections_per_network: self.http.connections_per_network,
                timeouts: Timeouts {
                    header: self.http.header_timeout,
                    body: self.http.body_timeout,
                    idle: self.http.idle_timeout,
                    ..Timeouts::default()
                },
            },
            tls,
            client_authorities: self.tls.client_authorities.iter().map(|file| folder.join(file)).collect(),
            management: management.first().copied(),
            store,
            passwords,
            pages,
            fetch: Fetch {
                extra_roots: self.fetch.extra_roots.iter().map(|file| folder.join(file)).collect(),
                allow_hosts,
                are_hosts_for_everybody: self.fetch.allow_hosts_for == HostsFor::Everybody,
            },
            log: self.log,
            traces,
            resource_servers: self.resource_server,
            detail_types: self
                .authorization_details
                .types
                .into_iter()
                .map(|(name, file)| (name, folder.join(file)))
                .collect(),
            engine: Config::default(),
            foreign_variables: Vec::new(),
            values: Values::default(),
        })
    }
}
