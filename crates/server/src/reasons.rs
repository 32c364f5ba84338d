//! Explains the `reason`s in the log.

use std::fmt::Write as _;

use chancery_core::error::Described;

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
            Err(format!("there is no reason {name}; `chancery reasons` lists them all"))
        }
        _ => Ok(text),
    }
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
    fn one_is_found_by_its_name() {
        assert!(list(Some("pkce_missing")).unwrap().contains("code_challenge is required"));
        assert!(list(Some("pkce")).is_err());
    }
}
