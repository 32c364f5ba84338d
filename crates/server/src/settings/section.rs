//! Reads a part of the settings into its struct.

use chancery_core::error::Complaint;
use serde::de::DeserializeOwned;
use toml::Table;

/// Reads one part. A top-level key with an invalid value is reported and left out, so that one mistake does
/// not hide another.
pub(super) fn section<T: DeserializeOwned>(mut table: Table, complaints: &mut Vec<Complaint>) -> Option<T> {
    for key in table.keys().cloned().collect::<Vec<_>>() {
        let alone: Table = table.get(&key).map(|value| (key.clone(), value.clone())).into_iter().collect();
        if let Err(error) = alone.try_into::<T>() {
            complaints.push(unreadable(&key, &error));
            table.remove(&key);
        }
    }
    table.try_into().ok()
}

/// Which setting below this key cannot be read, and why. The library tells where it was in the text of the error alone.
fn unreadable(key: &str, error: &toml::de::Error) -> Complaint {
    let text = error.to_string();
    let place = text.lines().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    let rule = match error.message() {
        rule if rule.contains("expected a nonzero") => "must be at least 1".to_owned(),
        // The engine names this setting to those who read it from JSON.
        rule => plain(place.and_then(|place| rule.strip_prefix(place)?.strip_prefix(": ")).unwrap_or(rule)),
    };
    Complaint::new(place.unwrap_or(key), rule, "docs/configuration.md")
}

/// What the library says of a value, in the words of the file.
pub(super) fn plain(rule: &str) -> String {
    if let Some((found, expected)) =
        rule.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        let expected = match expected {
            "a sequence" => "a list",
            "a boolean" => "true or false",
            "a string" => "a string in quotes",
            "a map" => "a table",
            expected if expected.starts_with("struct ") => "a table",
            expected => expected,
        };
        return format!("must be {expected}, and is the {found}");
    }
    if let Some((found, expected)) =
        rule.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("must be {expected}, and is {found}");
    }
    rule.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_says_is_said_plainly() {
        for (said, plainly) in [
            ("invalid type: string \"x\", expected a sequence", "must be a list, and is the string \"x\""),
            (
                "invalid type: string \"x\", expected struct Written",
                "must be a table, and is the string \"x\"",
            ),
            ("unknown variant `JWT`, expected `opaque` or `jwt`", "must be `opaque` or `jwt`, and is `JWT`"),
            (
                "unknown variant `a`, expected one of `b`, `c`, `d`",
                "must be one of `b`, `c`, `d`, and is `a`",
            ),
            ("key: it is not a JWK", "key: it is not a JWK"),
        ] {
            assert_eq!(plain(said), plainly);
        }
    }
}
