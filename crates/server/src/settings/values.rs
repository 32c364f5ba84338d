//! What was written for each setting, and where, so that a complaint can show it.

use std::collections::BTreeMap;

use chancery_core::error::Complaint;
use toml::{Table, Value};

use super::catalogue::{ALL, Setting};

/// What the operating system says of a file, and what to do about it.
const REMEDIES: [(&str, &str); 4] = [
    ("(os error 2)", ": correct the path"),
    ("(os error 13)", ": let the user of this process read it"),
    ("(os error 20)", ": name a folder"),
    ("(os error 21)", ": name a file in it"),
];

/// Words that a rule may have without meaning the value.
const COMMON: [&str; 3] = ["a", "true", "false"];

/// How much of a value is shown.
const SHOWN: usize = 80;

/// The values of all settings that the file, the environment or a flag has, as they were written.
#[derive(Clone, Default)]
pub(crate) struct Values(BTreeMap<&'static str, Said>);

#[derive(Clone)]
struct Said {
    /// As JSON.
    value: String,
    /// The text, or the texts of a list.
    texts: Vec<String>,
    /// The variable of the environment that says so, if it is one.
    variable: Option<String>,
}

impl Values {
    /// Of a table in which the environment's settings were laid, by `variables`.
    pub(super) fn of(table: &Table, variables: &[(String, String)]) -> Self {
        let single = ALL.iter().filter(|setting| !setting.key.contains("[]"));
        let said = single.filter_map(|setting| {
            let (sections, last) = setting.path();
            let place = sections.into_iter().try_fold(table, |place, section| place.get(section)?.as_table());
            let value = place?.get(last)?;
            let is_of = |(name, _): &&(String, String)| setting.variable().as_deref() == Some(name);
            let variable = variables.iter().find(is_of).map(|(name, _)| name.clone());
            Some((setting.key, Said { value: json(value), texts: texts(value), variable }))
        });
        Self(said.collect())
    }

    /// A flag counts more than the variable.
    pub(super) fn flagged(&mut self, key: &str) {
        if let Some(said) = self.0.get_mut(key) {
            said.variable = None;
        }
    }

    /// Whether it is a setting that nobody has set.
    pub(crate) fn is_missing(&self, setting: &str) -> bool {
        !self.0.contains_key(setting) && ALL.iter().any(|known| known.key == setting)
    }

    /// The settings that have other values in `served`, and take these at a restart alone.
    pub(crate) fn waiting(&self, served: &Self) -> Vec<&'static str> {
        let waits = ALL.iter().filter(|setting| setting.waits_for_restart);
        let differs = waits.filter(|setting| self.value(setting) != served.value(setting));
        differs.map(|setting| setting.key).collect()
    }

    /// What counts, which is the default if nothing is said.
    fn value(&self, setting: &Setting) -> Option<String> {
        let said = self.0.get(setting.key).map(|said| said.value.clone());
        said.or_else(|| setting.default_value().as_ref().map(json))
    }

    /// The complaint with the value that it is about, and with the variable that has it.
    pub(crate) fn explain(&self, mut complaint: Complaint) -> Complaint {
        complaint.rule = with_remedy(complaint.rule);
        let Some(Said { value, texts, variable }) = self.0.get(complaint.setting.as_str()) else {
            return complaint;
        };
        if let Some(other) = self.compared(&complaint.rule) {
            complaint.rule.push_str(&other);
        }
        let value = shown(value);
        let ends = |c: char| matches!(c, '`' | '"' | ',' | ';' | ':');
        let mut words = complaint.rule.split_whitespace().map(|word| word.trim_matches(ends));
        let is_shown = words.any(|word| !COMMON.contains(&word) && texts.iter().any(|text| text == word));
        let rule = &mut complaint.rule;
        let (end, it) = if rule.ends_with('?') { (" ", "It") } else { ("; ", "it") };
        match (is_shown, variable) {
            (true, None) => {}
            (true, Some(variable)) => rule.push_str(&format!("{end}{variable} says so")),
            (false, None) if value == "\"\"" => {}
            (false, None) => rule.push_str(&format!("{end}{it} is {value}")),
            (false, Some(variable)) => rule.push_str(&format!("{end}{variable} is {value}")),
        }
        complaint
    }

    /// The value of the other setting, for a rule that compares the two.
    fn compared(&self, rule: &str) -> Option<String> {
        let other = rule.strip_prefix("must not be longer than ")?;
        let known = ALL.iter().find(|setting| setting.key == other)?;
        match self.0.get(other) {
            Some(said) => Some(format!(", which is {}", shown(&said.value))),
            None => Some(format!(", which is {} if nothing is said", known.default)),
        }
    }

    /// A line about a file that a setting names, with the variable that names the file.
    pub(crate) fn explain_line(&self, line: String) -> String {
        let line = with_remedy(line);
        let said = line.split_once(": ").and_then(|(setting, _)| self.0.get(setting));
        match said.and_then(|said| said.variable.as_deref()) {
            Some(variable) => format!("{line} (the setting comes from {variable})"),
            None => line,
        }
    }
}

/// What the operating system has said, with what to do.
fn with_remedy(said: String) -> String {
    REMEDIES.into_iter().fold(said, |said, (error, remedy)| {
        // Who explains twice says it once.
        let is_explained = said.contains(&format!("{error}{remedy}"));
        if is_explained { said } else { said.replace(error, &format!("{error}{remedy}")) }
    })
}

/// A value as a complaint shows it.
pub(super) fn displayed(value: &Value) -> String {
    shown(&json(value))
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::Datetime(time) => time.to_string(),
        value => serde_json::to_string(value).unwrap_or_default(),
    }
}

/// A value as the file has it, not too long.
fn shown(json: &str) -> String {
    match json.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}\u{2026}", json.get(..end).unwrap_or_default()),
        None => json.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_shows_the_value_once_and_the_variable_that_has_it() {
        let table: Table =
            "profile = 'fapi2'\n[http]\nlisten = ['a:1', 'b']\n[session]\nidle = '9d'".parse().unwrap();
        let variables = [("CHANCERY_SESSION_IDLE".to_owned(), "9d".to_owned())];
        let mut values = Values::of(&table, &variables);
        let said = |values: &Values, setting: &str, rule: &str| {
            values.explain(Complaint::new(setting, rule, "x")).rule
        };
        for (setting, rule, expected) in [
            ("profile", "must be \"fapi2-security\"", "must be \"fapi2-security\"; it is \"fapi2\""),
            ("http.listen", "`b` is no address", "`b` is no address"),
            ("http.listen", "must have one", "must have one; it is [\"a:1\",\"b\"]"),
            ("session.idle", "too long", "too long; CHANCERY_SESSION_IDLE is \"9d\""),
            ("session.idle", "9d is too long", "9d is too long; CHANCERY_SESSION_IDLE says so"),
            ("realm", "must be set", "must be set"),
            (
                "session.idle",
                "must not be longer than session.absolute",
                "must not be longer than session.absolute, which is \"90d\" if nothing is said; CHANCERY_SESSION_IDLE is \"9d\"",
            ),
            ("client a", "is wrong", "is wrong"),
        ] {
            assert_eq!(said(&values, setting, rule), expected, "{setting}");
        }
        values.flagged("session.idle");
        assert_eq!(said(&values, "session.idle", "too long"), "too long; it is \"9d\"");
    }

    #[test]
    fn a_line_about_a_file_says_what_to_do() {
        let table: Table = "[keys]\nwrapping_key = 'k'".parse().unwrap();
        let variables = [("CHANCERY_KEYS_WRAPPING_KEY".to_owned(), "k".to_owned())];
        let line =
            Values::of(&table, &variables).explain_line("keys.wrapping_key: k: gone (os error 2)".to_owned());
        assert_eq!(
            line,
            "keys.wrapping_key: k: gone (os error 2): correct the path (the setting comes from CHANCERY_KEYS_WRAPPING_KEY)"
        );
    }
}
