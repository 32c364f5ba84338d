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
        rule if rule.contains("expected a nonzero") => "must be at least 1",
        rule => rule,
    };
    Complaint::new(place.unwrap_or(key), rule, "docs/configuration.md")
}
