//! What `chancery check` warns of: settings that are right in themselves, and often wrong where they are used.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use chancery_accounts::Password;
use chancery_core::duration;
use chancery_core::error::Complaint;
use chancery_core::offered::Endpoint;
use chancery_core::rule::claims::ClaimsConfig;
use chancery_http::PROXY_UNKNOWN;
use chancery_types::{Issuer, Timestamp};
use chancery_x509::{ReadCertificate, certificates_of_pem};

use crate::listener::{Ending, ending};
use crate::open_files;
use crate::settings::{Settings, Store, Tls};
use crate::terminal::Escaped;

/// How long most proxies keep a connection on which nothing happens: `keepalive_timeout` of an upstream of nginx.
const PROXY_IDLE: Duration = Duration::from_secs(60);

/// Everything to be warned of, but for what is in the store.
pub(super) fn warnings(settings: &Settings, now: Timestamp) -> Vec<Complaint> {
    let mut warnings = Vec::new();
    let mut warn = |setting: &str, rule: String, section| {
        warnings.push(settings.values.explain(Complaint::new(setting, rule, section)));
    };
    if let Some(rule) = nameless_host(&settings.issuer) {
        warn("issuer", rule, "RFC 8414 section 2");
    }
    for address in settings.http.listen.iter().filter(|address| is_exposed(settings, **address)) {
        warn("http.listen", exposed(settings, *address), "RFC 6749 section 3.1");
    }
    if let Some(rule) = unnamed_proxy(settings) {
        warn("http.trusted_proxies", rule, "RFC 7239 section 8.1");
    }
    if let Some(rule) = replaced_scopes(settings) {
        warn("claims.scopes", rule, "OIDC Core section 5.4");
    }
    if settings.http.timeouts.idle <= PROXY_IDLE && !settings.http.trusted_proxies.is_empty() {
        let rule = format!(
            "proxies keep an idle connection for {} (nginx), and answer 502 when they use one while this server hangs up: set it \
             above that of your proxy, such as 75s",
            duration::format(PROXY_IDLE)
        );
        warn("http.idle_timeout", rule, "RFC 9112 section 9.5");
    }
    for (endpoint, rule) in doubled_paths(settings) {
        warn(&format!("routes.{endpoint}"), rule, "docs/configuration.md");
    }
    if let Some(address) = settings.management.filter(|address| !address.ip().is_loopback()) {
        let rule = format!("{address} can be reached from other machines: whoever asks it needs no password");
        warn("management.listen", rule, "docs/configuration.md");
    }
    let networks = [
        (
            "http.trusted_proxies",
            Some(&settings.http.trusted_proxies),
            "everybody there can choose the address that is throttled and logged",
        ),
        (
            "http.client_certificate_proxies",
            settings.http.client_certificate.as_ref().map(|(_, proxies)| proxies),
            "everybody there can log in as any client that has a certificate",
        ),
    ];
    for (setting, proxies, danger) in networks {
        for network in proxies.into_iter().flat_map(|proxies| proxies.widest()) {
            let rule =
                format!("{network} is nearly everybody, and {danger}: name the addresses of your proxies");
            warn(setting, rule, "RFC 7239 section 8.1");
        }
        for (written, meant) in proxies.into_iter().flat_map(|proxies| proxies.inexact()) {
            let rule = format!(
                "{written} is all of {meant}, and {danger}: write {meant} if that is meant, or the address without its length"
            );
            warn(setting, rule, "RFC 4632 section 3.1");
        }
    }
    match &settings.store {
        Store::Memory if settings.values.is_missing("store.sqlite") => warn(
            "store.sqlite",
            "is not set: keys, clients, people and sessions are kept in memory, and lost when the server ends".to_owned(),
            "docs/configuration.md",
        ),
        Store::Sqlite { group_access: true, path, .. } => {
            let rule = format!(
                "the group of {} may read and write it, and so log in as anybody: make sure that only the server is in this group",
                path.display()
            );
            warn("store.group_access", rule, "docs/configuration.md");
        }
        Store::Memory | Store::Sqlite { .. } => {}
    }
    let needed = open_files::needed(settings.http.connections);
    if let Some(limit) = open_files::most().filter(|limit| *limit < needed) {
        let rule = format!(
            "{} connections need {needed} open files, and a server that is started from here may open {limit}: raise the limit \
             (LimitNOFILE= of the systemd unit, or ulimit -Hn), or lower http.connections",
            settings.http.connections
        );
        warn("http.connections", rule, "docs/configuration.md");
    }
    if let Some(rule) = settings.passwords.blocklist.as_deref().and_then(idle_blocklist) {
        warn("passwords.blocklist", rule, "NIST SP 800-63B section 5.1.1.2");
    }
    for unused in ["tls.certificate", "tls.key"] {
        let is_missing = |setting| settings.values.is_missing(setting);
        if is_missing("tls.listen") && is_missing("tls.mtls_listen") && !is_missing(unused) {
            let rule = "is read for tls.listen and tls.mtls_listen alone, which have no address: give one, or leave it out";
            warn(unused, rule.to_owned(), "docs/configuration.md");
        }
    }
    if let Some(tls) = &settings.tls {
        for (rule, section) in of_certificate(tls, settings.issuer.origin(), now) {
            warn("tls.certificate", rule, section);
        }
    }
    warnings
}

/// A list of passwords all of which are refused for their length already.
fn idle_blocklist(path: &Path) -> Option<String> {
    let list = std::fs::read_to_string(path).ok()?;
    let mut lines = list.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    lines.peek()?;
    lines.all(|line| line.chars().count() < Password::SHORTEST).then(|| {
        format!(
            "{} has no line of {} characters or more, and shorter passwords are refused anyway, so that it refuses none: add common \
             passwords, or leave the setting out for the built-in list",
            path.display(),
            Password::SHORTEST
        )
    })
}

/// What is left out of the standard scopes, all of which a value replaces.
fn replaced_scopes(settings: &Settings) -> Option<String> {
    let ours = &settings.engine.claims.scopes;
    let mut left_out = Vec::new();
    for (scope, standard) in ClaimsConfig::default().scopes {
        let Some(claims) = ours.get(&scope) else {
            left_out.push(format!("the scope {scope}"));
            continue;
        };
        let missing: Vec<String> = standard.into_iter().filter(|claim| !claims.contains(claim)).collect();
        if !missing.is_empty() {
            left_out.push(format!("{} of the scope {scope}", missing.join(", ")));
        }
    }
    (!left_out.is_empty()).then(|| {
        format!(
            "replaces the standard scopes as a whole, and leaves out {}: add what clients are still to be told",
            left_out.join("; ")
        )
    })
}

/// What is doubtful about an https issuer whose host is no name. One with http is for trying things out on one machine.
pub(in crate::commands) fn nameless_host(issuer: &Issuer) -> Option<String> {
    let host = host_of(issuer.origin());
    let why = match host.parse::<IpAddr>() {
        _ if !issuer.is_https() => return None,
        Ok(address) if address.is_loopback() => "leads everybody to their own machine",
        Ok(_) => "is an address, which may change, and the issuer never does",
        Err(_) if host == "localhost" || host.ends_with(".localhost") => {
            "leads everybody to their own machine"
        }
        Err(_) => return None,
    };
    Some(format!(
        "{issuer}: {host} {why}: before anybody uses it, choose the name by which people and clients reach this server"
    ))
}

/// The host of an origin, without the brackets of an IPv6 address.
fn host_of(origin: &str) -> &str {
    let host = origin.split("://").nth(1).unwrap_or_default();
    match host.starts_with('[') {
        true => host.trim_start_matches('[').split(']').next().unwrap_or_default(),
        false => host.split(':').next().unwrap_or_default(),
    }
}

/// The paths in which somebody has written the issuer's own path, which stands before all of them.
fn doubled_paths(settings: &Settings) -> Vec<(Endpoint, String)> {
    let Settings { engine, issuer, values, .. } = settings;
    let own = issuer.path();
    let doubled = |endpoint: &Endpoint| {
        let path = engine.routes.path(*endpoint)?;
        let rest = path.strip_prefix(own).filter(|rest| !own.is_empty() && rest.starts_with('/'))?;
        let rule = format!(
            "{path} stands below the issuer's own path, so that the address is {issuer}{path}: write {rest:?} if it is to be \
             {issuer}{rest}"
        );
        (!values.is_missing(&format!("routes.{endpoint}"))).then_some((*endpoint, rule))
    };
    Endpoint::ALL.iter().filter_map(doubled).collect()
}

/// What the log will say when the first person comes, if nobody has named the proxy that an https issuer has before plain HTTP
/// on this machine. An empty list that is written is meant.
fn unnamed_proxy(settings: &Settings) -> Option<String> {
    let Settings { http, tls, issuer, values, .. } = settings;
    let local = http.listen.iter().find(|address| address.ip().is_loopback())?;
    let is_expected = issuer.is_https() && tls.is_none() && values.is_missing("http.trusted_proxies");
    is_expected.then(|| {
        format!("is not set, and {local} is for this machine alone; the log will say: {PROXY_UNKNOWN}")
    })
}

/// Whether plain HTTP on this address leaves the machine with no proxy before it. Within a network of containers, the
/// proxy that is named ends TLS.
fn is_exposed(settings: &Settings, address: SocketAddr) -> bool {
    let proxies = &settings.http.trusted_proxies;
    let has_proxy = !proxies.is_empty() && !proxies.are_on_this_machine();
    let is_public = match address.ip() {
        IpAddr::V4(ip) => !(ip.is_private() || ip.is_unspecified() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_unique_local() || ip.is_unspecified() || ip.is_unicast_link_local()),
    };
    !address.ip().is_loopback() && (is_public || !has_proxy)
}

fn exposed(settings: &Settings, address: SocketAddr) -> String {
    let remedy = match settings.http.trusted_proxies.are_on_this_machine() {
        true => {
            ", although http.trusted_proxies names only proxies on this machine: listen on 127.0.0.1; or, if the proxy that ends TLS \
             is on another machine, name that in http.trusted_proxies; without a proxy, use tls.listen"
        }
        false => {
            ": use tls.listen, or listen on 127.0.0.1 behind a proxy that ends TLS, and name that in http.trusted_proxies"
        }
    };
    format!(
        "{address} can be reached from other machines, and passwords and tokens pass it unencrypted{remedy}"
    )
}

/// What is doubtful about the server's own certificate, the first of its file. What clients refuse in any case is an error.
fn of_certificate(tls: &Tls, origin: &str, now: Timestamp) -> Vec<(String, &'static str)> {
    let file = tls.certificate.display();
    let pem = std::fs::read(&tls.certificate).unwrap_or_default();
    let first = certificates_of_pem(&pem).and_then(|all| all.into_iter().next());
    let Some(certificate) = first.and_then(|der| ReadCertificate::parse(&der).ok()) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    if let Some(Ending::Soon(rule)) = certificate.ends().and_then(|ends| ending(&tls.certificate, ends, now))
    {
        warnings.push((rule, "RFC 5280 section 4.1.2.5"));
    }
    let host = host_of(origin);
    let is_name = |name: &str| {
        let name = name.to_ascii_lowercase();
        let of_wildcard = name.strip_prefix("*.").zip(host.split_once('.'));
        name == host || of_wildcard.is_some_and(|(rest, (_, domain))| rest == domain)
    };
    let is_address = |address: IpAddr| host.parse() == Ok(address);
    if !certificate.dns_names().any(is_name) && !certificate.addresses().any(is_address) {
        let names: Vec<String> = certificate
            .dns_names()
            .map(str::to_owned)
            .chain(certificate.addresses().map(|address| address.to_string()))
            .collect();
        let what = match names.as_slice() {
            [] => format!("names no host, and so not that of the issuer, {host}"),
            names => format!("is for {}, not for the host of the issuer, {host}", Escaped(&names.join(", "))),
        };
        let rule = format!(
            "{file}: {what}: browsers and clients will refuse it, unless a proxy before this server shows another one"
        );
        warnings.push((rule, "RFC 9110 section 4.3.4"));
    }
    warnings
}
