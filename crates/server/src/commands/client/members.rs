//! `chancery client members`: what client metadata there is.

use std::fmt::Write as _;

use chancery_core::model::client::ClientMember;
use chancery_types::nearest::did_you_mean;
use serde_json::{Value, json};

use crate::commands::Output;
use crate::commands::printed::{Form, json as printed_json};

/// Every member, or the one of this name.
pub(super) fn explained(name: Option<&str>, form: Form) -> Output {
    let is_meant = |member: &&ClientMember| {
        name.is_none_or(|name| member.name == name || member.name.strip_prefix("chancery.") == Some(name))
    };
    let meant: Vec<&ClientMember> = ClientMember::all().filter(is_meant).collect();
    if let (Some(name), true) = (name, meant.is_empty()) {
        let near = did_you_mean(name, ClientMember::all().map(|member| member.name));
        return Err(format!("there is no member {name}{near}; `chancery client members` lists them all"));
    }
    if form == Form::Json {
        let value = |member: &&ClientMember| {
            json!({
                "name": member.name, "value": member.value, "default": member.default,
                "meaning": member.meaning, "section": member.section,
            })
        };
        return Ok(printed_json(&Value::Array(meant.iter().map(value).collect())));
    }
    let mut text = String::new();
    for ClientMember { name, value, default, meaning, section } in meant {
        let default = if default.is_empty() { String::new() } else { format!("; otherwise {default}") };
        let section = if section.is_empty() { String::new() } else { format!(" ({section})") };
        let _never_fails = writeln!(text, "{name}\n    {value}{default}\n    {meaning}{section}");
    }
    Ok(text.replace('`', ""))
}

/// The tables of `docs/clients.md`.
pub(super) fn tables() -> String {
    let mut page = String::new();
    for (purpose, members) in ClientMember::GROUPS {
        let _never_fails =
            writeln!(page, "### {purpose}\n\n| member | value | default | meaning |\n|---|---|---|---|");
        for ClientMember { name, value, default, meaning, section } in *members {
            let default = if default.is_empty() { "\u{2013}".to_owned() } else { format!("`{default}`") };
            let section = if section.is_empty() { String::new() } else { format!(" ({section})") };
            let _never_fails = writeln!(page, "| `{name}` | {value} | {default} | {meaning}{section} |");
        }
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After a change, replace the end of the page by the output of `chancery client members --markdown`.
    #[test]
    fn the_committed_page_has_every_member() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients.md");
        assert!(std::fs::read_to_string(path).unwrap().contains(tables().trim_end()));
    }

    #[test]
    fn one_is_found_by_its_name() {
        assert!(explained(Some("redirect_uris"), Form::Text).unwrap().starts_with("redirect_uris\n"));
        assert!(explained(Some("consent"), Form::Text).unwrap().starts_with("chancery.consent\n"));
        let unknown = explained(Some("redirect_uri"), Form::Text).unwrap_err();
        assert!(unknown.contains("did you mean redirect_uris?"), "{unknown}");
    }
}
