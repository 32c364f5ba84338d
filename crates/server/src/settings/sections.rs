//! Sections that are written as something else than sections.

use std::collections::BTreeSet;

use chancery_core::error::Complaint;
use toml::{Table, Value};

use super::catalogue::ALL;
use super::values::displayed;

/// Complains about each section that is none in the file, and about each that is there once instead of once for each
/// thing or the other way round. It takes them out, so that the rest can still be checked.
pub(super) fn strike(table: &mut Table, complaints: &mut Vec<Complaint>) {
    let with_those_around = |path: Vec<&'static str>| {
        (1..=path.len()).map(move |count| path.iter().copied().take(count).collect())
    };
    let paths: BTreeSet<Vec<&str>> =
        ALL.iter().flat_map(|setting| with_those_around(setting.path().0)).collect();
    for path in paths {
        let Some((last, around)) = path.split_last() else { continue };
        let place = around.iter().try_fold(&mut *table, |place, name| place.get_mut(*name)?.as_table_mut());
        let (name, is_repeated) = last.strip_suffix("[]").map_or((*last, false), |name| (name, true));
        let Some(place) = place else { continue };
        let full = [around, &[name]].concat().join(".");
        let Some(rule) = place.get(name).and_then(|value| broken_rule(&full, is_repeated, value)) else {
            continue;
        };
        complaints.push(Complaint::new(full, rule, "docs/configuration.md"));
        place.remove(name);
    }
}

/// What is wrong with a section, if anything is.
fn broken_rule(name: &str, is_repeated: bool, value: &Value) -> Option<String> {
    let is_repetition = |items: &Vec<Value>| items.iter().all(Value::is_table);
    match (value, is_repeated) {
        (Value::Table(_), false) => None,
        (Value::Array(items), true) if is_repetition(items) => None,
        (Value::Table(_), true) => Some(format!("must be written as [[{name}]], once for each")),
        (Value::Array(items), false) if !items.is_empty() && is_repetition(items) => {
            Some(format!("is there once: write [{name}] instead of [[{name}]]"))
        }
        (value, _) => {
            let heading = if is_repeated { format!("[[{name}]]") } else { format!("[{name}]") };
            Some(format!(
                "is a section: write {heading} into a line of its own, and its settings below; it is {}",
                displayed(value)
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_that_is_none_is_named_and_taken_away() {
        let text = "session = ['a']\nlog = 'warn'\nrealm = 'main'\nresource_server = 'x'\n[http]\nlisten = []\n\
                    [[throttle]]\nfailures = 1\n[pages]\nname = 'N'\nlinks = 5\n[registration_policy]\nname = 'p'\n";
        let mut table: Table = text.parse().unwrap();
        let mut complaints = Vec::new();
        strike(&mut table, &mut complaints);
        let said: Vec<String> =
            complaints.iter().map(|complaint| format!("{}: {}", complaint.setting, complaint.rule)).collect();
        let section = |heading: &str| {
            format!("is a section: write {heading} into a line of its own, and its settings below")
        };
        assert_eq!(
            said,
            [
                format!("log: {}; it is \"warn\"", section("[log]")),
                format!("pages.links: {}; it is 5", section("[pages.links]")),
                "registration_policy: must be written as [[registration_policy]], once for each".to_owned(),
                format!("resource_server: {}; it is \"x\"", section("[[resource_server]]")),
                format!("session: {}; it is [\"a\"]", section("[session]")),
                "throttle: is there once: write [throttle] instead of [[throttle]]".to_owned(),
            ]
        );
        let left = "realm = 'main'\n[http]\nlisten = []\n[pages]\nname = 'N'\n";
        assert_eq!(table, left.parse::<Table>().unwrap());
    }
}
