//! Reads a part of the settings into its struct.

use chancery_core::error::Complaint;
use chancery_types::nearest::did_you_mean;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// Reads one part. Each setting with an invalid value is reported and left out, so that one mistake does not hide another.
pub(super) fn section<T: DeserializeOwned>(mut table: Table, complaints: &mut Vec<Complaint>) -> Option<T> {
    for key in table.keys().cloned().collect::<Vec<_>>() {
        let alone = |table: &Table| -> Table {
            table.get(&key).map(|value| (key.clone(), value.clone())).into_iter().collect()
        };
        while let Err(error) = alone(&table).try_into::<T>() {
            complaints.extend(unreadable::<T>(&alone(&table), &key, &error));
            // One in a repeated section is not found, and the section is left out as a whole.
            let found = place_of(&error).filter(|place| *place != key);
            if found.and_then(|place| removed(&mut table, &place)).is_none() {
                table.remove(&key);
                break;
            }
        }
    }
    table.try_into().ok()
}

/// Takes out the setting at this place.
fn removed(table: &mut Table, place: &str) -> Option<Value> {
    let (sections, last) = place.rsplit_once('.')?;
    let place = sections.split('.').try_fold(table, |place, section| place.get_mut(section)?.as_table_mut());
    place?.remove(last)
}

/// Where the error is. The library tells it in the text alone.
pub(super) fn place_of(error: &toml::de::Error) -> Option<String> {
    let text = error.to_string();
    let place = text.lines().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    place.map(str::to_owned)
}

/// Which setting below this key cannot be read, and why: of a list, each element that is wrong.
fn unreadable<T: DeserializeOwned>(alone: &Table, key: &str, error: &toml::de::Error) -> Vec<Complaint> {
    let place = place_of(error);
    let complaint = |error: &toml::de::Error| {
        let place = place.as_deref();
        let rule = match error.message() {
            rule if rule.contains("expected a nonzero") => "must be at least 1".to_owned(),
            // The engine names this setting to those who read it from JSON, with its sections or without.
            rule => {
                let after = |name: &str| rule.strip_prefix(name)?.strip_prefix(": ");
                let last = place.and_then(|place| place.rsplit('.').next());
                plain(place.and_then(after).or_else(|| last.and_then(after)).unwrap_or(rule))
            }
        };
        Complaint::new(place.unwrap_or(key), rule, "docs/configuration.md")
    };
    let of_elements = place.as_deref().map(|place| wrong_elements::<T>(alone, place)).unwrap_or_default();
    match of_elements.as_slice() {
        [] => vec![complaint(error)],
        errors => errors.iter().map(complaint).collect(),
    }
}

/// What is wrong with each element of the list at this place, if it is one.
fn wrong_elements<T: DeserializeOwned>(alone: &Table, place: &str) -> Vec<toml::de::Error> {
    let Some((section, last)) = place.rsplit_once('.') else { return Vec::new() };
    let with_one = |(around, item): (&Value, &Value)| -> Option<toml::de::Error> {
        let mut around = around.clone();
        let list = Value::Array(vec![item.clone()]);
        match &mut around {
            Value::Array(blocks) => drop(blocks.first_mut()?.as_table_mut()?.insert(last.to_owned(), list)),
            around => drop(around.as_table_mut()?.insert(last.to_owned(), list)),
        }
        let error = Table::from_iter([(section.to_owned(), around)]).try_into::<T>().err()?;
        (place_of(&error).as_deref() == Some(place)).then_some(error)
    };
    // Each block of a repeated section is looked at by itself.
    let blocks: Vec<Value> = match alone.get(section) {
        Some(Value::Array(blocks)) => blocks.iter().map(|block| Value::Array(vec![block.clone()])).collect(),
        section => section.cloned().into_iter().collect(),
    };
    let items = |around: &'_ Value| -> Vec<Value> {
        let block = around.as_array().and_then(|blocks| blocks.first()).unwrap_or(around);
        block.get(last).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let each = blocks.iter().flat_map(|around| items(around).into_iter().map(move |item| (around, item)));
    each.filter_map(|(around, item)| with_one((around, &item))).collect()
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
        let near = near(found, expected.split('`').skip(1).step_by(2));
        return format!("must be {expected}, and is {found}{near}");
    }
    if let Some((found, known)) = rule.split_once(" is none of ").filter(|(found, _)| found.starts_with('"'))
    {
        return format!("{rule}{}", near(found, known.split(", ")));
    }
    rule.to_owned()
}

/// The value that is meant by one that there is not. Capitals do not count.
fn near<'k>(found: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    let found = found.trim_matches(['`', '"']);
    let in_capitals = known.clone().find(|known| known.eq_ignore_ascii_case(found));
    match in_capitals {
        Some(near) => format!("; did you mean {near}?"),
        None => did_you_mean(found, known),
    }
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
            (
                "unknown variant `JWT`, expected `opaque` or `jwt`",
                "must be `opaque` or `jwt`, and is `JWT`; did you mean jwt?",
            ),
            (
                "unknown variant `a`, expected one of `b`, `c`, `d`",
                "must be one of `b`, `c`, `d`, and is `a`",
            ),
            ("\"RS265\" is none of RS256, ES256", "\"RS265\" is none of RS256, ES256; did you mean RS256?"),
            ("key: it is not a JWK", "key: it is not a JWK"),
        ] {
            assert_eq!(plain(said), plainly);
        }
    }
}
