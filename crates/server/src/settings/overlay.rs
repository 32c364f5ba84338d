//! Single settings from the environment and from flags, which override the file.

use chancery_core::error::Complaint;
use chancery_types::nearest::nearest;
use toml::{Table, Value};

use super::catalogue::{ALL, Form, SECTIONS};
use super::environment::{CONFIGURATION, variables};
use super::unknown::{nearest_in, of_section};

pub(super) const OVERRIDING: &str = "docs/configuration.md, overriding";

/// Where an overriding value comes from.
pub(super) enum From<'a> {
    /// A variable of the environment, by its name.
    Variable(&'a str),
    /// A flag, by the setting's key.
    Flag(&'a str),
}

impl From<'_> {
    /// The name as such names are spelt: variables in capitals.
    fn spelt(&self) -> String {
        match self {
            Self::Variable(name) => name.to_uppercase(),
            Self::Flag(key) => (*key).to_owned(),
        }
    }
}

/// What is wrong with the name of a variable, if it is no setting.
pub(super) fn no_variable(name: &str) -> Option<Complaint> {
    let is_one = variables().any(|known| known == name);
    if is_one { None } else { lay(&mut Table::new(), &From::Variable(name), "").err() }
}

/// Writes a setting into the table, if there is one of this name.
pub(super) fn lay(table: &mut Table, from: &From<'_>, text: &str) -> Result<(), Complaint> {
    let (name, found, known): (&str, _, Vec<String>) = match from {
        From::Variable(name) => {
            let found = ALL.iter().find(|setting| setting.variable().as_deref() == Some(*name));
            (name, found, variables().chain([CONFIGURATION.to_owned()]).collect())
        }
        From::Flag(key) => {
            let single = || ALL.iter().filter(|setting| setting.variable().is_some());
            (
                key,
                single().find(|setting| setting.key == *key),
                single().map(|setting| setting.key.to_owned()).collect(),
            )
        }
    };
    if found.is_none()
        && let Some(table) = ALL.iter().find(|setting| setting.is_table_of(name))
    {
        let rule = format!("{} is a table, which can only be in the configuration file", table.key);
        return Err(Complaint::new(name, rule, OVERRIDING));
    }
    if let (From::Flag(key), None) = (from, found)
        && let Some(named) = ALL.iter().find(|setting| setting.variable().as_deref() == Some(*key))
    {
        let rule = format!("is the variable of the environment: with --set it is {}", named.key);
        return Err(Complaint::new(*key, rule, OVERRIDING));
    }
    if let (From::Flag(key), None) = (from, found)
        && let Some(rule) = of_section(key)
    {
        return Err(Complaint::new(*key, rule, OVERRIDING));
    }
    let Some(setting) = found else {
        let typed = from.spelt();
        let near =
            meant(from).or_else(|| nearest(&typed, known.iter().map(String::as_str)).map(str::to_owned));
        let rule = match near {
            Some(near) => format!("there is no such setting; did you mean {near}?"),
            None => "there is no such setting: docs/configuration.md has all".to_owned(),
        };
        return Err(Complaint::new(name, rule, OVERRIDING));
    };
    if let Some(bare) = unquoted(setting.form, text) {
        let rule = format!("must stand without the quotes that a shell has left in it: write {name}={bare}");
        return Err(Complaint::new(name, rule, OVERRIDING));
    }
    let value = read(setting.form, text).map_err(|rule| Complaint::new(name, rule, OVERRIDING))?;
    let (sections, last) = setting.path();
    let mut place = table;
    for section in sections {
        let inner = place.entry(section).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = inner else {
            return Err(Complaint::new(
                name,
                format!("`{section}` is not a section in the file"),
                OVERRIDING,
            ));
        };
        place = inner;
    }
    place.insert(last.to_owned(), value);
    Ok(())
}

/// What is meant of the section that is named, if it is one.
fn meant(from: &From<'_>) -> Option<String> {
    match from {
        From::Flag(key) => {
            let (section, name) = key.rsplit_once('.')?;
            let key = format!("{section}.{}", nearest_in(section, name)?);
            ALL.iter().any(|setting| setting.key == key && setting.variable().is_some()).then_some(key)
        }
        From::Variable(variable) => {
            let typed = variable.to_lowercase();
            let typed = typed.strip_prefix("chancery_")?;
            let sections = SECTIONS.iter().map(|(section, _)| *section).filter(|section| !section.is_empty());
            let within = sections
                .filter_map(|section| Some((section, typed.strip_prefix(section)?.strip_prefix('_')?)));
            let (section, name) = within.max_by_key(|(section, _)| section.len())?;
            let key = format!("{section}.{}", nearest_in(section, name)?);
            ALL.iter().find(|setting| setting.key == key)?.variable()
        }
    }
}

fn read(form: Form, text: &str) -> Result<Value, String> {
    Ok(match form {
        Form::Text | Form::Duration | Form::Choice(_) | Form::TextByName | Form::TextsByName => {
            Value::String(text.to_owned())
        }
        Form::Texts => match listed_as_in_the_file(text) {
            Some(list) => list,
            None if lacks_a_bracket(text) => {
                return Err(format!(
                    "lacks a bracket: write a list as in the file, between [ and ], or with commas alone, such as a,b; it is {text:?}"
                ));
            }
            None => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
            }
        },
        Form::Switch => {
            Value::Boolean(text.parse().map_err(|_| format!("must be true or false; it is {text:?}"))?)
        }
        Form::Number => {
            Value::Integer(text.parse().map_err(|_| format!("must be a whole number; it is {text:?}"))?)
        }
    })
}

/// A value within quotes of its own, which only the file has. No value of any setting begins and ends with them.
fn unquoted(form: Form, text: &str) -> Option<&str> {
    let inner =
        |quote: char| text.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    (form != Form::Texts).then(|| inner('"').or_else(|| inner('\''))).flatten()
}

/// Whether a list begins or ends with a bracket that has no other one.
fn lacks_a_bracket(text: &str) -> bool {
    let has_one = text.trim_start().starts_with('[') || text.trim_end().ends_with(']');
    has_one && text.matches('[').count() != text.matches(']').count()
}

/// The list, if it is written as in the file. `[::1]:8080` is none.
fn listed_as_in_the_file(text: &str) -> Option<Value> {
    let mut table: Table = format!("list = {text}").parse().ok()?;
    table.remove("list").filter(Value::is_array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_and_a_flag_override_the_file() {
        let mut table: Table = "[http]\nlisten = ['127.0.0.1:1']\nconnections = 5".parse().unwrap();
        lay(&mut table, &From::Variable("CHANCERY_HTTP_LISTEN"), "127.0.0.1:2, 127.0.0.1:3").unwrap();
        lay(&mut table, &From::Flag("http.connections"), "6").unwrap();
        lay(&mut table, &From::Flag("issuer"), "https://id.example").unwrap();
        let expected =
            "issuer = 'https://id.example'\n[http]\nlisten = ['127.0.0.1:2', '127.0.0.1:3']\nconnections = 6";
        assert_eq!(table, expected.parse::<Table>().unwrap());
    }

    #[test]
    fn a_list_is_written_with_commas_or_as_in_the_file() {
        for (text, items) in [
            ("ES256", vec!["ES256"]),
            ("ES256, PS256,", vec!["ES256", "PS256"]),
            ("", vec![]),
            ("[]", vec![]),
            (r#"["ES256", 'PS256']"#, vec!["ES256", "PS256"]),
            // As a shell leaves it that was given no quotes: the setting says what is wrong with it.
            ("[ES256]", vec!["[ES256]"]),
            ("[::1]:8080", vec!["[::1]:8080"]),
            ("[] # x", vec![]),
            ("x\n[table]", vec!["x\n[table]"]),
        ] {
            let items = items.into_iter().map(|item| Value::String(item.to_owned())).collect();
            assert_eq!(read(Form::Texts, text), Ok(Value::Array(items)), "{text}");
        }
        for broken in ["[127.0.0.1:1, 127.0.0.1:2", "127.0.0.1:1]", "['ES256'", "[::1", "[[::1]:80"] {
            let rule = read(Form::Texts, broken).unwrap_err();
            assert!(rule.starts_with("lacks a bracket") && rule.contains(broken), "{rule}");
        }
    }

    #[test]
    fn what_is_no_setting_is_refused_with_the_nearest() {
        let mut table = Table::new();
        let complaint = lay(&mut table, &From::Variable("CHANCERY_ISUER"), "x").unwrap_err();
        assert!(complaint.rule.contains("CHANCERY_ISSUER"), "{complaint}");
        let complaint = lay(&mut table, &From::Variable("CHANCERY_CONFG"), "x").unwrap_err();
        assert!(complaint.rule.contains("did you mean CHANCERY_CONFIG?"), "{complaint}");
        for (typed, meant) in [
            ("chancery_session_idle", "CHANCERY_SESSION_IDLE"),
            ("Chancery_Session_Idel", "CHANCERY_SESSION_IDLE"),
            ("chancery_config", "CHANCERY_CONFIG"),
            ("CHANCERY_SESION_IDLE", "CHANCERY_SESSION_IDLE"),
        ] {
            let complaint = lay(&mut table, &From::Variable(typed), "x").unwrap_err();
            assert!(complaint.rule.ends_with(&format!("did you mean {meant}?")), "{complaint}");
        }
        let complaint = lay(&mut table, &From::Flag("http.connection"), "x").unwrap_err();
        assert!(complaint.rule.contains("http.connections"), "{complaint}");
        let complaint = lay(&mut table, &From::Flag("http.connections"), "many").unwrap_err();
        assert!(complaint.rule.contains("number") && complaint.rule.contains("\"many\""), "{complaint}");
        for (from, near) in [
            (From::Flag("session.idle_timeout"), "did you mean session.idle?"),
            (From::Variable("CHANCERY_SESSION_IDLE_TIMEOUT"), "did you mean CHANCERY_SESSION_IDLE?"),
            (From::Flag("CHANCERY_SESSION_IDLE"), "with --set it is session.idle"),
            (From::Flag("registration.offered"), "did you mean registration.access?"),
        ] {
            let complaint = lay(&mut table, &from, "x").unwrap_err();
            assert!(complaint.rule.contains(near), "{complaint}");
        }
        for (from, text, said) in [
            (
                From::Flag("session"),
                "1",
                "is a section and has no value itself: name one of its settings, session.idle",
            ),
            (From::Flag("resource_server"), "1", "as [[resource_server]]"),
            (From::Flag("session.idle"), "\"7d\"", "write session.idle=7d"),
            (From::Variable("CHANCERY_SESSION_IDLE"), "'7d'", "write CHANCERY_SESSION_IDLE=7d"),
            (From::Flag("session.management"), "\"true\"", "write session.management=true"),
        ] {
            let complaint = lay(&mut table, &from, text).unwrap_err();
            assert!(complaint.rule.contains(said), "{complaint}");
        }
        for from in [From::Variable("CHANCERY_CLAIMS_SCOPES"), From::Flag("claims.scopes")] {
            let complaint = lay(&mut table, &from, "x").unwrap_err();
            assert!(complaint.rule.contains("claims.scopes is a table"), "{complaint}");
        }
    }
}
