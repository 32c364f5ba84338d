//! Keys in the file that are no settings.

use chancery_core::error::Complaint;
use chancery_types::nearest::{did_you_mean, nearest};
use toml::{Table, Value};

use super::catalogue::ALL;

/// Complains about each key that is not in the catalogue and removes it, so that the rest can still be
/// checked.
pub(super) fn strike(table: &mut Table, complaints: &mut Vec<Complaint>) {
    strike_in(table, "", complaints);
}

fn strike_in(table: &mut Table, prefix: &str, complaints: &mut Vec<Complaint>) {
    let known: Vec<&str> = ALL.iter().filter_map(|setting| setting.key.strip_prefix(prefix)).collect();
    let names: Vec<&str> = known.iter().filter_map(|rest| rest.split(['.', '[']).next()).collect();
    table.retain(|key, value| {
        let full = format!("{}{key}", prefix.replace("[]", ""));
        if !names.contains(&key) {
            let rule = match nearest(key, names.iter().copied()) {
                Some(near) => format!("there is no such setting; did you mean `{near}`?"),
                // It may stand in the wrong section.
                None => {
                    let near = did_you_mean(key, ALL.iter().map(|setting| setting.key));
                    format!("there is no such setting{near}")
                }
            };
            complaints.push(Complaint::new(full, rule, "docs/configuration.md"));
            return false;
        }
        match value {
            // The whole table is one setting.
            Value::Table(_) if known.contains(&key) => {}
            Value::Table(inner) => strike_in(inner, &format!("{prefix}{key}."), complaints),
            Value::Array(items) => {
                for item in items {
                    if let Value::Table(inner) = item {
                        strike_in(inner, &format!("{prefix}{key}[]."), complaints);
                    }
                }
            }
            _ => {}
        }
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unknown_key_is_named_with_the_nearest_and_taken_away() {
        let mut table: Table = "isuer = 'x'\nquux = 1\n[http]\nlisen = []\nconnections = 1".parse().unwrap();
        let mut complaints = Vec::new();
        strike(&mut table, &mut complaints);
        let said: Vec<String> =
            complaints.iter().map(|complaint| format!("{}: {}", complaint.setting, complaint.rule)).collect();
        assert_eq!(
            said,
            [
                "http.lisen: there is no such setting; did you mean `listen`?",
                "isuer: there is no such setting; did you mean `issuer`?",
                "quux: there is no such setting",
            ]
        );
        assert_eq!(table, "[http]\nconnections = 1".parse::<Table>().unwrap());
    }
}
