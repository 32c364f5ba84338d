//! The catalogue as a commented configuration and as a page of documentation.

use super::catalogue::{ALL, Form, SECTIONS, Setting};

/// A configuration file with the meaning of every setting. Those that are `given` (key and value as TOML) are
/// set; all others are commented out with their defaults.
pub(crate) fn template(given: &[(&str, String)]) -> String {
    let mut file = String::from(
        "# Configuration of the Chancery authorization server.\n# `chancery check` reports everything that is wrong with it.\n",
    );
    for (section, meaning) in SECTIONS {
        file.push_str(&format!("\n# {meaning}.\n"));
        let (header, is_repeated) = match section.strip_suffix("[]") {
            Some(name) => (format!("[[{name}]]"), true),
            None => (format!("[{section}]"), false),
        };
        match (section.is_empty(), is_repeated) {
            (true, _) => {}
            (false, false) => file.push_str(&format!("{header}\n")),
            (false, true) => file.push_str(&format!("# {header}\n")),
        }
        for setting in of_section(section) {
            file.push_str(&format!("# {}\n", setting.meaning()));
            let within = setting.key.strip_prefix(section).unwrap_or(setting.key).trim_start_matches('.');
            match given.iter().find(|(key, _)| *key == setting.key) {
                Some((_, value)) => file.push_str(&format!("{within} = {value}\n")),
                None => file.push_str(&format!("# {within} = {}\n", example(setting))),
            }
        }
    }
    file
}

/// The table of all settings in `docs/configuration.md`.
pub(crate) fn reference() -> String {
    let mut page = String::new();
    for (section, meaning) in SECTIONS {
        let title = match section.strip_suffix("[]") {
            Some(name) => format!("`[[{name}]]`"),
            None if section.is_empty() => "Top level".to_owned(),
            None => format!("`[{section}]`"),
        };
        page.push_str(&format!(
            "### {title}\n\n{meaning}.\n\n| setting | value | default | meaning |\n|---|---|---|---|\n"
        ));
        for setting in of_section(section) {
            let default =
                if setting.default.is_empty() { "–".to_owned() } else { format!("`{}`", setting.default) };
            let line = format!(
                "| `{}` | {} | {default} | {} |\n",
                setting.key,
                form(setting.form),
                setting.meaning()
            );
            page.push_str(&line);
        }
        page.push('\n');
    }
    page
}

fn of_section(section: &str) -> impl Iterator<Item = &'static Setting> {
    ALL.iter().filter(move |setting| setting.path().0.first().copied().unwrap_or_default() == section)
}

fn form(form: Form) -> String {
    match form {
        Form::Text => "text".to_owned(),
        Form::Texts => "list of texts".to_owned(),
        Form::Number => "number".to_owned(),
        Form::Switch => "`true`, `false`".to_owned(),
        Form::Duration => "duration".to_owned(),
        Form::Choice(choices) => {
            choices.iter().map(|choice| format!("`\"{choice}\"`")).collect::<Vec<_>>().join(", ")
        }
        Form::TextByName => "table of texts".to_owned(),
        Form::TextsByName => "table of lists".to_owned(),
    }
}

fn example(setting: &Setting) -> &'static str {
    match (setting.default, setting.form) {
        ("", Form::Texts) => "[]",
        ("", Form::TextByName | Form::TextsByName) => "{}",
        ("", _) => "\"\"",
        (default, _) => default,
    }
}
