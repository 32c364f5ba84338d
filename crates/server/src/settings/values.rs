//! What was written for each setting, and where, so that a complaint can show it.

use std::collections::BTreeMap;
use std::path::Path;

use chancery_core::error::Complaint;
use toml::{Table, Value};

use super::catalogue::{ALL, Setting};
use crate::access;

/// What the operating system says of a file, and what to do about it.
const REMEDIES: [(&str, &str); 3] = [
    ("(os error 2)", ": correct the path"),
    ("(os error 20)", ": name a folder"),
    ("(os error 21)", ": name a file in it"),
];

/// What it says of a file that this user must not read.
const FORBIDDEN: &str = "Permission denied (os error 13)";

/// Words that a rule may have without meaning the value, as it may any single letter or sign.
const COMMON: [&str; 2] = ["true", "false"];

/// What says that a value is empty.
const NOTHING: [&str; 2] = ["is missing", "is empty"];

/// How much of a value is shown.
const SHOWN: usize = 80;

/// The values of all settings that the file, the environment or a flag has, as they were written.
#[derive(Clone, Default)]
pub(crate) struct Values {
    single: BTreeMap<&'static str, Said>,
    /// The sections that there may be several of, such as `resource_server`: all of each as JSON.
    repeated: BTreeMap<&'static str, String>,
}

/// A setting that has another value than before.
pub(crate) struct Change {
    pub(crate) setting: &'static str,
    /// Both values as they were written, or what counts without one.
    pub(crate) before: String,
    pub(crate) after: String,
}

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
        let repeated =
            ALL.iter().filter_map(|setting| setting.key.split_once("[]").map(|(section, _)| section));
        let repeated = repeated.filter_map(|section| Some((section, json(table.get(section)?))));
        Self { single: said.collect(), repeated: repeated.collect() }
    }

    /// A flag counts more than the variable.
    pub(super) fn flagged(&mut self, key: &str) {
        if let Some(said) = self.single.get_mut(key) {
            said.variable = None;
        }
    }

    /// Whether it is a setting that nobody has set.
    pub(crate) fn is_missing(&self, setting: &str) -> bool {
        !self.single.contains_key(setting) && ALL.iter().any(|known| known.key == setting)
    }

    /// The settings that had other values in `served`, and take these at a restart alone.
    pub(crate) fn waiting(&self, served: &Self) -> Vec<Change> {
        let waits = ALL.iter().filter(|setting| setting.waits_for_restart);
        let differs = waits.filter(|setting| self.value(setting) != served.value(setting));
        let told = |value: Option<String>| value.map_or_else(|| "nothing".to_owned(), |json| shown(&json));
        let change = |setting: &Setting| Change {
            setting: setting.key,
            before: told(served.value(setting)),
            after: told(self.value(setting)),
        };
        differs.map(change).collect()
    }

    /// The names of the settings, and of the sections that there may be several of, that are not as they were.
    pub(crate) fn changed(&self, before: &Self) -> Vec<&'static str> {
        let single = ALL.iter().filter(|setting| !setting.key.contains("[]"));
        let single =
            single.filter(|setting| self.value(setting) != before.value(setting)).map(|setting| setting.key);
        let mut changed: Vec<&'static str> = single.collect();
        let repeated = self.repeated.keys().chain(before.repeated.keys());
        for section in repeated.filter(|section| self.repeated.get(*section) != before.repeated.get(*section))
        {
            if !changed.contains(section) {
                changed.push(section);
            }
        }
        changed
    }

    /// What counts, which is the default if nothing is said.
    fn value(&self, setting: &Setting) -> Option<String> {
        let said = self.single.get(setting.key).map(|said| said.value.clone());
        said.or_else(|| setting.default_value().as_ref().map(json))
    }

    /// The complaint with the value that it is about, and with the variable that has it.
    pub(crate) fn explain(&self, mut complaint: Complaint) -> Complaint {
        complaint.rule = with_remedy(complaint.rule);
        let compared = self.compared(&complaint.setting, &complaint.rule);
        complaint.rule.push_str(&compared.unwrap_or_default());
        let Some(Said { value, texts, variable }) = self.single.get(complaint.setting.as_str()) else {
            return complaint;
        };
        let value = shown(value);
        let quotes = ['`', '"'];
        let ends = ['`', '"', ',', ';', ':'];
        let is_meant = |word: &str| {
            let bare = word.trim_start_matches(quotes).trim_end_matches(ends);
            let is_quoted = word.starts_with(quotes) || bare.len() > 1;
            is_quoted && !COMMON.contains(&bare) && texts.iter().any(|text| text == bare)
        };
        let is_shown = complaint.rule.split_whitespace().any(is_meant);
        let is_empty = value == "\"\"" && NOTHING.iter().any(|said| complaint.rule.contains(said));
        let rule = &mut complaint.rule;
        let (end, it) = if rule.ends_with('?') { (" ", "It") } else { ("; ", "it") };
        match (is_shown, variable) {
            (true, None) => {}
            (true, Some(variable)) => rule.push_str(&format!("{end}{variable} says so")),
            (false, None) if is_empty => {}
            (false, None) => rule.push_str(&format!("{end}{it} is {value}")),
            (false, Some(variable)) => rule.push_str(&format!("{end}{variable} is {value}")),
        }
        if let Some(hint) = unexpanded(texts, &complaint.setting) {
            complaint.rule.push_str(&hint);
        }
        complaint
    }

    /// What a rule that compares two settings leaves open: the value of the other one, and which of them to change.
    fn compared(&self, setting: &str, rule: &str) -> Option<String> {
        let find = |key: &str| ALL.iter().find(|known| known.key == key);
        let longer = rule.strip_prefix("must not be longer than ");
        let (other, change) = match (longer, rule.strip_prefix("must not be shorter than ")) {
            (Some(other), _) => (find(other)?, format!("shorten {setting} or lengthen {other}")),
            (None, other) => {
                let other = find(other?)?;
                (other, format!("lengthen {setting} or shorten {}", other.key))
            }
        };
        let value = |known: &Setting| match self.single.get(known.key) {
            Some(said) => shown(&said.value),
            None => format!("{} if nothing is said", known.default),
        };
        let own = find(setting).filter(|known| !self.single.contains_key(known.key));
        let own = own.map(|known| format!("; it is {}", value(known))).unwrap_or_default();
        Some(format!(", which is {}{own}: {change}", value(other)))
    }

    /// A line about a file that a setting names, with the variable that names the file.
    pub(crate) fn explain_line(&self, line: String) -> String {
        let mut line = with_remedy(line);
        let named = line.split_once(": ").map(|(setting, _)| setting.to_owned()).unwrap_or_default();
        let texts = self.single.get(named.as_str()).map(|said| said.texts.as_slice()).unwrap_or_default();
        line.push_str(&unexpanded(texts, &named).unwrap_or_default());
        let said = line.split_once(": ").and_then(|(setting, _)| self.single.get(setting));
        match said.and_then(|said| said.variable.as_deref()) {
            Some(variable) => format!("{line} (the setting comes from {variable})"),
            None => line,
        }
    }
}

/// What the operating system has said, with what to do.
pub(crate) fn with_remedy(said: String) -> String {
    let said = match said.split_once(FORBIDDEN) {
        Some((before, after)) if !after.starts_with(": ") => {
            let path = before.trim_end_matches("cannot be read: ").trim_end_matches(": ").rsplit(": ").next();
            let path = path.unwrap_or_default();
            let user = access::ourselves();
            let mode = if Path::new(path).is_dir() { "g+rx" } else { "g+r" };
            let first = access::as_owner_of(&access::folder_of(Path::new(path)), "the folder");
            format!(
                "{before}{FORBIDDEN}: {first}let user {user}, as whom this runs, read it: `chown {user} {path}` or \
                 `chmod {mode} {path}` for its group; each folder above it must let that user in, as with `chmod g+x`{after}"
            )
        }
        _ => said,
    };
    REMEDIES.into_iter().fold(said, |said, (error, remedy)| {
        // Who explains twice says it once.
        let is_explained = said.contains(&format!("{error}{remedy}"));
        if is_explained { said } else { said.replace(error, &format!("{error}{remedy}")) }
    })
}

/// What is said of a value that a shell would have replaced, or that another program understands.
fn unexpanded(texts: &[String], setting: &str) -> Option<String> {
    let any = |is: fn(&str) -> bool| texts.iter().any(|text| is(text));
    let variable = ALL.iter().find(|known| known.key == setting).and_then(Setting::variable);
    if any(|text| text.starts_with('$') || text.contains("${")) {
        let variable = variable.unwrap_or_else(|| "CHANCERY_\u{2026}".to_owned());
        return Some(format!(
            "; no variables are put in here: write the value, or set {variable} in the environment"
        ));
    }
    if any(|text| text.starts_with("~/")) {
        return Some("; ~ stands for a folder in a shell alone: write the whole path".to_owned());
    }
    let is_url = any(|text| text.contains("://"));
    (setting == "store.sqlite" && is_url).then(|| "; it is the path of a file and no URL".to_owned())
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
            "realm = ''\nprofile = 'fapi2'\n[http]\nlisten = ['a:1', 'b']\n[session]\nidle = '9d'\n[routes]\ntoken = '/'"
                .parse()
                .unwrap();
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
            ("realm", "is empty", "is empty"),
            ("realm", "must be letters", "must be letters; it is \"\""),
            ("routes.token", "must begin with / and", "must begin with / and; it is \"/\""),
            ("issuer", "must be set", "must be set"),
            (
                "session.idle",
                "must not be longer than session.absolute",
                "must not be longer than session.absolute, which is \"90d\" if nothing is said: shorten session.idle or lengthen session.absolute; CHANCERY_SESSION_IDLE is \"9d\"",
            ),
            ("client a", "is wrong", "is wrong"),
            (
                "refresh_token.idle",
                "must not be longer than session.idle",
                "must not be longer than session.idle, which is \"9d\"; it is \"14d\" if nothing is said: shorten refresh_token.idle or lengthen session.idle",
            ),
            ("http.listen", "`a:1` is none", "`a:1` is none"),
        ] {
            assert_eq!(said(&values, setting, rule), expected, "{setting}");
        }
        values.flagged("session.idle");
        assert_eq!(said(&values, "session.idle", "too long"), "too long; it is \"9d\"");
    }

    #[test]
    fn who_may_not_read_a_file_is_told_how_to() {
        let user = access::ourselves();
        for said in ["tls.key: /etc/a.key: ", "pages.logo: /etc/a.key: cannot be read: ", "/etc/a.key: "] {
            let told = with_remedy(format!("{said}{FORBIDDEN}"));
            let remedy = format!(
                "{said}{FORBIDDEN}: let user {user}, as whom this runs, read it: `chown {user} /etc/a.key` or "
            );
            assert!(told.starts_with(&remedy), "{told}");
            assert!(told.contains(" or `chmod g+r /etc/a.key` for its group"), "{told}");
            assert_eq!(with_remedy(told.clone()), told, "it is said once");
        }
        let folder = std::env::temp_dir();
        let told = with_remedy(format!("pages.templates: {}: cannot be read: {FORBIDDEN}", folder.display()));
        assert!(told.contains(&format!(" or `chmod g+rx {}` for its group", folder.display())), "{told}");
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
