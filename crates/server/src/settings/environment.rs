//! Which environment variables with our prefix are settings. Others set such names, too: Kubernetes for a
//! Service that is named after the program, Docker for a link to it, and scripts around it.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::Path;

use chancery_core::error::Complaint;
use chancery_types::nearest::distance;

use super::catalogue::{SECTIONS, Setting};
use super::overlay::{OVERRIDING, no_variable};

const PREFIX: &str = "CHANCERY_";

/// Names the configuration file; it is read before everything else.
pub(super) const CONFIGURATION: &str = "CHANCERY_CONFIG";

/// Our part of the environment.
#[derive(Default)]
pub(super) struct Environment {
    /// Name and value of settings, and of variables that were probably meant to be settings.
    pub(super) settings: Vec<(String, String)>,
    /// Other names with our prefix that nobody else is known to set.
    pub(super) foreign: Vec<String>,
}

/// The names of all variables that are settings.
pub(super) fn variables() -> impl Iterator<Item = String> {
    super::catalogue::ALL.iter().filter_map(Setting::variable)
}

/// Picks our variables, and complains if the value of one is not UTF-8.
pub(super) fn ours(
    all: impl Iterator<Item = (OsString, OsString)>,
    complaints: &mut Vec<Complaint>,
) -> Environment {
    let mut environment = Environment::default();
    for (name, value) in all {
        let Some(name) = name.into_string().ok().filter(|name| has_our_prefix(name)) else { continue };
        if name == CONFIGURATION || value.to_str().is_some_and(|value| is_service_link(&name, value)) {
            continue;
        }
        if !is_meant_for_us(&name) {
            environment.foreign.push(name);
            continue;
        }
        match value.into_string() {
            Ok(value) => environment.settings.push((name, value)),
            Err(_) => complaints.push(Complaint::new(name, "must be UTF-8", OVERRIDING)),
        }
    }
    environment.settings.sort_unstable();
    environment.foreign.sort_unstable();
    environment
}

/// Whether it begins like one of ours, in whatever case: variables are told apart by it, and people forget that.
fn has_our_prefix(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// Whether it is a setting, a name in one of our sections, or nearly the name of a setting.
fn is_meant_for_us(name: &str) -> bool {
    let name = name.to_uppercase();
    let within = |section: &str| {
        let section = format!("{PREFIX}{}", section.trim_end_matches("[]").to_uppercase());
        name.strip_prefix(&section).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let is_slip = |known: &str| {
        let typed = name.trim_start_matches(PREFIX);
        distance(typed, known.trim_start_matches(PREFIX)) <= (typed.chars().count() / 3).max(1)
    };
    let top_level = ["issuer", "realm", "config"];
    SECTIONS
        .iter()
        .map(|(section, _)| *section)
        .filter(|section| !section.is_empty())
        .chain(top_level)
        .any(within)
        || variables().chain([CONFIGURATION.to_owned()]).any(|known| is_slip(&known))
}

/// What a development provider has in its file alone, because it makes one of it: its address, and where its store and keys are.
/// Whoever has set these variables for another provider does not move it, nor let its commands change that one's store.
const OF_DEVELOPMENT: [&str; 7] =
    ["issuer", "realm", "http.listen", "management.", "tls.", "store.", "keys."];

/// The variables that count for a development provider, and the names of those that do not.
pub(super) fn of_development(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> (Vec<(OsString, OsString)>, Vec<String>) {
    let is_fixed = |key: &str| {
        OF_DEVELOPMENT.iter().any(|fixed| key == *fixed || fixed.ends_with('.') && key.starts_with(fixed))
    };
    let settings = super::catalogue::ALL.iter().filter(|setting| is_fixed(setting.key));
    let fixed: Vec<String> = settings.filter_map(Setting::variable).collect();
    let (unread, read): (Vec<_>, Vec<_>) =
        all.partition(|(name, _)| name.to_str().is_some_and(|name| fixed.iter().any(|fixed| fixed == name)));
    (read, unread.into_iter().filter_map(|(name, _)| name.into_string().ok()).collect())
}

/// What is said where nobody has named the configuration and none is found: of variables that were probably meant to be
/// settings, and of those that name a file as only [`CONFIGURATION`] does.
pub(super) fn slips(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<Complaint> {
    let (mut complaints, mut of_files) = (Vec::new(), Vec::new());
    let all = all.inspect(|(name, value)| {
        let names_a_file = Path::new(value).extension().is_some_and(|end| end == "toml");
        of_files.extend(name.to_str().filter(|_| names_a_file).map(str::to_owned));
    });
    let Environment { settings, foreign } = ours(all, &mut complaints);
    let foreign = foreign.into_iter().filter(|name| of_files.contains(name)).map(|name| {
        Complaint::new(
            name,
            format!("there is no such setting; the file is named by {CONFIGURATION}"),
            OVERRIDING,
        )
    });
    let unknown = settings.iter().filter_map(|(name, _)| no_variable(name));
    complaints.into_iter().chain(unknown).chain(foreign).collect()
}

/// What Kubernetes sets for each Service (`NAME_SERVICE_HOST`, `NAME_SERVICE_PORT`,
/// `NAME_SERVICE_PORT_portname`) and, as Docker did for a link, for each of its ports (`NAME_PORT`,
/// `NAME_PORT_80_TCP`, …`_PROTO`, …`_PORT`, …`_ADDR`). The name may begin like one of our sections, so the
/// value decides.
fn is_service_link(name: &str, value: &str) -> bool {
    let (is_address, is_port) = (value.parse::<IpAddr>().is_ok(), value.parse::<u16>().is_ok());
    let is_url = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    if name.ends_with("_SERVICE_HOST") {
        return is_address;
    }
    if name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_") {
        return is_port;
    }
    if name.ends_with("_PORT") && is_url {
        return true;
    }
    let Some((_, of_port)) = name.rsplit_once("_PORT_").or_else(|| {
        // `NAME_PORT_80_TCP_PORT` has the word twice.
        name.strip_suffix("_PORT").and_then(|name| name.rsplit_once("_PORT_"))
    }) else {
        return false;
    };
    let mut words = of_port.split('_');
    let is_numbered = words.next().is_some_and(|port| port.parse::<u16>().is_ok());
    let is_protocol = words.next().is_some_and(|protocol| ["TCP", "UDP", "SCTP"].contains(&protocol));
    let is_value = match words.next() {
        _ if name.ends_with("_PORT") => is_port,
        None => is_url,
        Some("PROTO") => ["tcp", "udp", "sctp"].contains(&value),
        Some("ADDR") => is_address,
        Some(_) => false,
    };
    is_numbered && is_protocol && is_value && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a variable is classified.
    fn sorted(name: &str, value: &str) -> &'static str {
        let mut complaints = Vec::new();
        let Environment { settings, foreign } =
            ours([(name.into(), value.into())].into_iter(), &mut complaints);
        match (settings.len(), foreign.len(), complaints.len()) {
            (1, 0, 0) => "ours",
            (0, 1, 0) => "foreign",
            (0, 0, 0) => "nothing",
            found => panic!("{name}: {found:?}"),
        }
    }

    /// FR-05: variables that others set are not mistakes.
    #[test]
    fn names_of_others_are_theirs() {
        for (name, value) in [
            ("CHANCERY_SERVICE_HOST", "10.0.0.1"),
            ("CHANCERY_SERVICE_HOST", "fd00::1"),
            ("CHANCERY_SERVICE_PORT", "8080"),
            ("CHANCERY_SERVICE_PORT_HTTP", "8080"),
            ("CHANCERY_PORT", "tcp://10.0.0.1:8080"),
            ("CHANCERY_PORT", "udp://[fd00::1]:53"),
            ("CHANCERY_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
            ("CHANCERY_PORT_3000_TCP_PROTO", "tcp"),
            ("CHANCERY_PORT_3000_TCP_PORT", "3000"),
            ("CHANCERY_PORT_3000_TCP_ADDR", "10.0.0.1"),
            // Services that are named like one of our sections.
            ("CHANCERY_HTTP_SERVICE_HOST", "10.0.0.1"),
            ("CHANCERY_HTTP_SERVICE_PORT", "80"),
            ("CHANCERY_HTTP_SERVICE_PORT_METRICS", "9090"),
            ("CHANCERY_HTTP_PORT", "tcp://10.0.0.1:80"),
            ("CHANCERY_TLS_PORT_443_TCP", "tcp://10.0.0.1:443"),
            ("CHANCERY_TLS_PORT_443_TCP_PORT", "443"),
            ("CHANCERY_STORE_PORT_53_UDP_ADDR", "10.0.0.1"),
            ("CHANCERY_CONFIG", "/etc/chancery.toml"),
            ("PATH", "/bin"),
            ("CHANCER_ISSUER", "x"),
            ("MY_CHANCERY_ISSUER", "x"),
        ] {
            assert_eq!(sorted(name, value), "nothing", "{name}={value}");
        }
        for name in [
            "QUUX", "VERSION", "HOME", "USER", "IMAGE", "NAME", "ENV_PATH", "DATA_DIR", "PORT", "DEBUG",
            "URL",
        ] {
            assert_eq!(sorted(&format!("CHANCERY_{name}"), "8080"), "foreign", "{name}");
        }
    }

    /// A misspelt setting is reported, because otherwise it would be missing silently.
    #[test]
    fn what_is_meant_for_us_is_ours() {
        for (name, value) in [
            ("CHANCERY_ISSUER", "https://id.example"),
            ("CHANCERY_ISUER", "x"),
            ("CHANCERY_ISUSER", "x"),
            ("CHANCERY_ISSUER_URL", "x"),
            ("CHANCERY_REALMS", "x"),
            ("CHANCERY_CONFG", "x"),
            ("CHANCERY_CONFIG_FILE", "x"),
            ("CHANCERY_SESION_IDLE", "x"),
            ("CHANCERY_SESSION_IDEL", "x"),
            ("CHANCERY_HTTP_LISTN", "x"),
            ("CHANCERY_HTTP_PORT", "8080"),
            ("CHANCERY_HTTP_SERVICE_HOST", "an-application"),
            ("CHANCERY_TLS_PORT_443_TCP", "443"),
            ("CHANCERY_TLS_PORT_443_TCP_ADDR", "tcp://10.0.0.1:443"),
            ("CHANCERY_TLS_PORT_443_TCP_ADDR_X", "10.0.0.1"),
            ("CHANCERY_TLS_PORT_HTTPS_TCP", "tcp://10.0.0.1:443"),
            ("CHANCERY_LOG", "debug"),
            ("CHANCERY_AUTHORIZATION_CODE_LIFE", "1m"),
            ("CHANCERY_RESOURCE_SERVER_URI", "https://api.example"),
            ("chancery_session_idle", "1d"),
            ("Chancery_Config", "x"),
        ] {
            assert_eq!(sorted(name, value), "ours", "{name}={value}");
        }
        for known in variables() {
            assert_eq!(sorted(&known, "10.0.0.1"), "ours");
            assert_eq!(sorted(&known, "tcp://10.0.0.1:80"), "ours");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_a_mistake_only_where_it_is_ours() {
        use std::os::unix::ffi::OsStringExt as _;
        let mut complaints = Vec::new();
        let value = || OsString::from_vec(vec![0xff]);
        let all =
            [("CHANCERY_ISSUER".into(), value()), ("CHANCERY_QUUX".into(), value()), (value(), value())];
        let environment = ours(all.into_iter(), &mut complaints);
        assert!(environment.settings.is_empty() && environment.foreign == ["CHANCERY_QUUX"]);
        assert_eq!(complaints.len(), 1);
    }
}
