//! Keys in the file that are no settings.

use chancery_core::error::Complaint;
use chancery_types::nearest::{distance, nearest};
use toml::{Table, Value};

use super::catalogue::{ALL, SECTIONS};

/// How many settings of a section are listed.
const LISTED: usize = 8;

/// The most letters that are wrong by a slip of the hand. With more of them, a name that begins alike is nearer.
const SLIP: usize = 2;

/// What a setting is called elsewhere: its section, such a name, and its own.
const ELSEWHERE: [(&str, &str, &str); 6] = [
    ("registration", "enabled", "access"),
    ("registration", "offered", "access"),
    ("resource_server", "audience", "uri"),
    ("resource_server", "identifier", "uri"),
    ("resource_server", "resource", "uri"),
    ("store", "path", "sqlite"),
];

/// What others have and this server has not, with the way to get it: its section, its name, and the way.
const ABSENT: [(&str, &str, &str); 16] = [
    ("log", "file", LOG_FILE),
    ("log", "path", LOG_FILE),
    ("log", "output", LOG_FILE),
    ("log", "rotate", LOG_FILE),
    ("log", "max_size", LOG_FILE),
    ("log", "json", "log.format = \"json\" says it"),
    (
        "",
        "hostname",
        "the name by which people and clients reach this server is part of issuer = \"https://\u{2026}\"",
    ),
    ("", "include", "one file has all; variables of the environment and --set override it"),
    ("", "port", "a port is part of the address, as in http.listen = [\"127.0.0.1:8080\"]"),
    ("http", "port", "a port is part of the address, as in http.listen = [\"127.0.0.1:8080\"]"),
    ("http", "host", "it is part of the address, as in http.listen = [\"127.0.0.1:8080\"]"),
    ("tls", "port", "a port is part of the address, as in tls.listen = [\"0.0.0.0:443\"]"),
    ("management", "port", "a port is part of the address, as in management.listen = \"127.0.0.1:9090\""),
    ("store", "url", "the store is a file of SQLite, store.sqlite"),
    ("store", "dsn", "the store is a file of SQLite, store.sqlite"),
    ("store", "postgres", "the store is a file of SQLite, store.sqlite"),
];

const LOG_FILE: &str = "the log goes to the standard output, so that journald or the container has it; elsewhere, \
    `chancery serve >> FILE` writes it to a file";

/// Complains about each key that is not in the catalogue and removes it, so that the rest can still be
/// checked.
pub(super) fn strike(table: &mut Table, complaints: &mut Vec<Complaint>) {
    strike_in(table, "", complaints);
}

fn strike_in(table: &mut Table, prefix: &str, complaints: &mut Vec<Complaint>) {
    let known: Vec<&str> = ALL.iter().filter_map(|setting| setting.key.strip_prefix(prefix)).collect();
    let names: Vec<&str> = known.iter().filter_map(|rest| rest.split(['.', '[']).next()).collect();
    table.retain(|key, value| {
        let section = prefix.replace("[]", "");
        if !names.contains(&key) {
            let section = section.trim_end_matches('.');
            let rule = misplaced(section, key, value).unwrap_or_else(|| rule(section, key));
            let full = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
            complaints.push(Complaint::new(full, rule, "docs/configuration.md"));
            return false;
        }
        match value {
            // The whole table is one setting.
            Value::Table(_) if known.contains(&key) => {}
            Value::Table(inner) => strike_in(inner, &format!("{prefix}{key}."), complaints),
            Value::Array(items) => {
                for item in items {
                    if let Value::Table(inner) = item {
                        strike_in(inner, &format!("{prefix}{key}[]."), complaints);
                    }
                }
            }
            _ => {}
        }
        true
    });
}

/// What is said of a line that was written for the beginning of the file, such as one at its end: TOML takes it for a part
/// of the section above it.
fn misplaced(section: &str, key: &str, value: &Value) -> Option<String> {
    let meant = match value {
        Value::Table(inner) => {
            let mut meant = inner.keys().map(|name| format!("{key}.{name}"));
            meant.find(|full| ALL.iter().any(|setting| setting.key == full))?
        }
        _ => ALL.iter().find(|setting| setting.key == key)?.key.to_owned(),
    };
    (!section.is_empty()).then(|| {
        format!(
            "there is no such setting: the line stands below [{section}] and so belongs to it; if {meant} is meant, move it above \
             the first [section]"
        )
    })
}

/// What is said of a name that is no setting of this section, which may be none either.
fn rule(section: &str, name: &str) -> String {
    let names = names_of(section);
    if let Some((.., way)) = ABSENT.iter().find(|(of, name_of, _)| *of == section && *name_of == name) {
        return format!("there is no such setting: {way}");
    }
    if let Some(near) = nearest_in(section, name) {
        return format!("there is no such setting; did you mean `{near}`?");
    }
    let is_of_name = |key: &&str| key.rsplit('.').next() == Some(name) && *key != name;
    let mut of_name = ALL.iter().map(|setting| setting.key).filter(is_of_name);
    if let (Some(only), None) = (of_name.next(), of_name.next()) {
        let heading = only.rsplit_once('.').map_or("", |(section, _)| section);
        let heading = match heading.strip_suffix("[]") {
            Some(repeated) => format!("[[{repeated}]]"),
            None => format!("[{heading}]"),
        };
        let only = only.replace("[]", "");
        return format!("there is no such setting; did you mean {only}? It belongs below {heading}");
    }
    // It may have its section in its name.
    let near = nearest(name, ALL.iter().map(|setting| setting.key));
    match near.filter(|near| name.contains(['_', '.', '-']) || distance(name, near) <= SLIP) {
        Some(near) => format!("there is no such setting; did you mean {near}?"),
        None => format!("there is no such setting{}", listed(section, &names)),
    }
}

/// What is said of a section that is written as a setting: `--set session=1`.
pub(super) fn of_section(name: &str) -> Option<String> {
    let is_repeated = SECTIONS.iter().any(|(known, _)| known.strip_suffix("[]") == Some(name));
    if is_repeated {
        return Some(format!(
            "is a section that there may be several of, which can only be in the configuration file, as [[{name}]]"
        ));
    }
    let is_section = SECTIONS.iter().any(|(known, _)| *known == name && !known.is_empty());
    let names = names_of(name).into_iter().map(|own| format!("{name}.{own}"));
    let known: Vec<String> = names.filter(|key| ALL.iter().any(|setting| setting.key == key)).collect();
    let others = match known.len().saturating_sub(LISTED) {
        0 => String::new(),
        others => format!(" and {others} others"),
    };
    let shown = known.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    is_section
        .then(|| format!("is a section and has no value itself: name one of its settings, {shown}{others}"))
}

/// The setting that somebody means by a flag of other servers, such as `--port` or `--log-level`.
pub(crate) fn key_of_flag(flag: &str) -> Option<&'static str> {
    let name = flag.replace(['-', '.'], "_");
    let is_called = |setting: &&super::catalogue::Setting| setting.key.replace('.', "_") == name;
    let called = || ALL.iter().find(is_called).filter(|setting| setting.variable().is_some());
    match &*name {
        "port" | "listen" | "address" | "addr" | "bind" => Some("http.listen"),
        "database" | "db" | "sqlite" => Some("store.sqlite"),
        "cert" | "certificate" | "tls_cert" => Some("tls.certificate"),
        _ => called().map(|setting| setting.key),
    }
}

/// The names in a section: of its settings, and of the sections in it.
fn names_of(section: &str) -> Vec<&'static str> {
    let rest = |setting: &super::catalogue::Setting| match section {
        "" => Some(setting.key),
        section => {
            let rest = setting.key.strip_prefix(section)?;
            rest.strip_prefix("[]").unwrap_or(rest).strip_prefix('.')
        }
    };
    let first = |rest: &'static str| rest.split(['.', '[']).next();
    let mut names: Vec<&str> = ALL.iter().filter_map(|setting| rest(setting).and_then(first)).collect();
    names.dedup();
    names
}

/// What is meant in this section by a name that is none of its settings: one that is spelt like it, that shares its first
/// word, or that is called so elsewhere.
pub(super) fn nearest_in(section: &str, name: &str) -> Option<&'static str> {
    let names = names_of(section);
    let elsewhere = || ELSEWHERE.iter().filter(|(of, ..)| *of == section);
    let called = nearest(name, elsewhere().map(|(_, called, _)| *called));
    let called = called.and_then(|near| elsewhere().find(|(_, called, _)| *called == near));
    let begins = |known: &&&str| {
        let (short, long) = if known.len() < name.len() { (**known, name) } else { (name, **known) };
        short.len() >= 3 && long.starts_with(short)
    };
    let called = called.map(|(.., own)| *own);
    let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_'], "");
    let same = names.iter().copied().find(|known| plain(known) == plain(name));
    let near = nearest(name, names.iter().copied());
    let slip = near.filter(|near| distance(name, near) <= SLIP);
    // The whole file has so many sections that something is near to any short name.
    let near = near.filter(|near| !section.is_empty() || distance(name, near) <= (name.len() / 3).max(1));
    called
        .or(same)
        .or(slip.filter(|slip| near == Some(*slip)))
        .or_else(|| names.iter().find(begins).copied())
        .or(near)
}

/// The settings of a section, if they are few, or the first of them.
fn listed(section: &str, names: &[&str]) -> String {
    if section.is_empty() || names.is_empty() {
        return ": docs/configuration.md has all".to_owned();
    }
    let heading = match SECTIONS.iter().any(|(known, _)| known.strip_suffix("[]") == Some(section)) {
        true => format!("[[{section}]]"),
        false => format!("[{section}]"),
    };
    let shown = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => format!("; {heading} has {shown}"),
        others => format!("; {heading} has {shown} and {others} others"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unknown_key_is_named_with_the_nearest_and_taken_away() {
        let mut table: Table = "isuer = 'x'\nquux = 1\n[http]\nlisen = []\nconnections = 1".parse().unwrap();
        let mut complaints = Vec::new();
        strike(&mut table, &mut complaints);
        let said: Vec<String> =
            complaints.iter().map(|complaint| format!("{}: {}", complaint.setting, complaint.rule)).collect();
        assert_eq!(
            said,
            [
                "http.lisen: there is no such setting; did you mean `listen`?",
                "isuer: there is no such setting; did you mean `issuer`?",
                "quux: there is no such setting: docs/configuration.md has all",
            ]
        );
        assert_eq!(table, "[http]\nconnections = 1".parse::<Table>().unwrap());
    }

    /// Its own section comes first; then what is written at another place; then what there is.
    #[test]
    fn what_is_meant_is_said() {
        let moved = |section: &str, meant: &str| {
            format!(
                "there is no such setting: the line stands below [{section}] and so belongs to it; if {meant} is meant, move it \
                 above the first [section]"
            )
        };
        let said = |rest: &str| format!("there is no such setting{rest}");
        for (text, expected) in [
            ("[session]\nidle_timeout = '1d'", said("; did you mean `idle`?")),
            ("[session]\nidel = '1d'", said("; did you mean `idle`?")),
            ("[tls]\ncert = 'c'", said("; did you mean `certificate`?")),
            ("[management]\nprofile = 'baseline'", moved("management", "profile")),
            ("[management]\nsession.idle = '1d'", moved("management", "session.idle")),
            ("[access_token]\nlifetime = '1h'", said("; [access_token] has opaque, jwt, client_credentials")),
            ("[registration]\noffered = true", said("; did you mean `access`?")),
            ("[[resource_server]]\nidentifer = 'x'", said("; did you mean `uri`?")),
            ("[http]\nsqlite = 'x'", said("; did you mean store.sqlite? It belongs below [store]")),
        ] {
            let mut table: Table = text.parse().unwrap();
            let mut complaints = Vec::new();
            strike(&mut table, &mut complaints);
            let rules: Vec<_> = complaints.iter().map(|complaint| complaint.rule.clone()).collect();
            assert_eq!(rules, [expected], "{text}");
        }
        let many = rule("http", "quux");
        assert!(many.contains("; [http] has listen, ") && many.ends_with(" others"), "{many}");
    }
}
