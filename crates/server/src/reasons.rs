//! Explains the `reason`s in the log.

use std::fmt::Write as _;

use chancery_core::error::Described;
use chancery_types::nearest::did_you_mean;

/// Every reason, or the one of this name.
///
/// # Errors
/// When there is no reason of this name.
pub(crate) fn list(name: Option<&str>) -> Result<String, String> {
    let mut text = String::new();
    for Described { reason, meaning } in
        chancery_http::reasons().filter(|all| name.is_none_or(|name| all.reason.name == name))
    {
        let _never_fails = writeln!(
            text,
            "{}\n    {}\n    the peer gets {}: {} ({})",
            reason.name,
            meaning.trim(),
            reason.code,
            reason.description,
            reason.section
        );
    }
    match name {
        Some(name) if text.is_empty() => {
            let near = did_you_mean(name, chancery_http::reasons().map(|known| known.reason.name));
            Err(format!("there is no reason {name}{near}; `chancery reasons` lists them all"))
        }
        _ => Ok(text),
    }
}

/// The reason of this name, or the event: what `docs/reasons.md` or `docs/events.md` says of it.
///
/// # Errors
/// When there is neither.
pub(crate) fn explain(code: &str) -> Result<String, String> {
    if let Ok(text) = list(Some(code)) {
        return Ok(text);
    }
    let quoted = format!("`{code}`");
    let meant: String = events().filter(|(names, _)| names.contains(&quoted)).map(event).collect();
    if !meant.is_empty() {
        return Ok(meant);
    }
    // Why a login failed stands with its event.
    let within: String = events().filter(|(_, text)| text.contains(&quoted)).map(event).collect();
    if !within.is_empty() {
        return Ok(within);
    }
    let events = events().flat_map(|(names, _)| names.split('`').skip(1).step_by(2));
    let all = chancery_http::reasons().map(|known| known.reason.name).chain(events);
    let near = did_you_mean(code, all);
    Err(format!(
        "the log has neither a reason nor an event {code}{near}; `chancery reasons` lists the reasons"
    ))
}

fn event((names, text): (&str, &str)) -> String {
    let (text, members) = text.split_once(" | ").unwrap_or((text, ""));
    let members = members.replace('`', "");
    format!(
        "{}\n    {text}\n    an event of the log (docs/events.md), with {members}\n",
        names.replace('`', "")
    )
}

/// The events, by the names in the first column of the page.
fn events() -> impl Iterator<Item = (&'static str, &'static str)> {
    let page = include_str!("../../../docs/events.md");
    let table = page.split("\n## ").next().and_then(|top| top.split("| event |").nth(1)).unwrap_or_default();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| row.trim_matches(['|', ' ']).split_once(" | "))
}

/// The table of `docs/reasons.md`.
pub(crate) fn table() -> String {
    let mut page = String::from("| reason | what it means | the peer gets | section |\n|---|---|---|---|\n");
    for Described { reason, meaning } in chancery_http::reasons() {
        let meaning = meaning.trim();
        let _never_fails = writeln!(
            page,
            "| `{}` | {meaning} | `{}` {} | {} |",
            reason.name, reason.code, reason.description, reason.section
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After a change, replace the end of the page by the output of `chancery reasons --markdown`.
    #[test]
    fn the_committed_page_has_every_reason() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reasons.md");
        assert!(std::fs::read_to_string(path).unwrap().contains(table().trim_end()));
    }

    #[test]
    fn whatever_the_log_says_is_explained() {
        for (code, said) in [
            ("pkce_missing", "code_challenge is required"),
            ("login_throttled", "too many had failed"),
            ("client_updated", "changed or removed itself"),
            ("wrong_password", "login_failed\n"),
            ("name_taken", "sign_up_refused\n"),
        ] {
            let text = explain(code).unwrap();
            assert!(text.contains(said), "{code}: {text}");
        }
        for (code, near) in [
            ("pkce_mising", "pkce_missing"),
            ("login_faild", "login_failed"),
            ("client_disable", "client_disabled"),
        ] {
            assert!(explain(code).unwrap_err().contains(&format!("did you mean {near}?")), "{code}");
        }
        assert!(explain("`").is_err() && explain("").is_err());
    }

    #[test]
    fn one_is_found_by_its_name() {
        assert!(list(Some("pkce_missing")).unwrap().contains("code_challenge is required"));
        assert!(list(Some("pkce")).is_err());
    }
}
