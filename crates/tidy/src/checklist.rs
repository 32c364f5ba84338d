//! The ids of the behaviour checklist: `AREA-nn`, also in ranges and lists.
//!
//! `INT-01..16` names sixteen statements, `INT-01, 03, 05..07` five. An id counts wherever it stands in a
//! text.

use std::collections::BTreeSet;

/// All ids of the given areas that a text names.
#[must_use]
pub fn ids(text: &str, areas: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('-') {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let letters = before.bytes().rev().take_while(u8::is_ascii_uppercase).count();
        let (before, area) = before.split_at(at - letters);
        let part_of_a_word = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
        if part_of_a_word || !areas.contains(area) {
            continue;
        }
        let Some((first, mut rest)) = number(after) else { continue };
        let mut last = first;
        found.insert(id(area, first));
        loop {
            if let Some((end, behind)) = rest.strip_prefix("..").and_then(number) {
                found.extend((last..=end).map(|number| id(area, number)));
                (last, rest) = (end, behind);
            } else if let Some((next, behind)) = rest.strip_prefix(", ").and_then(number) {
                found.insert(id(area, next));
                (last, rest) = (next, behind);
            } else {
                break;
            }
        }
    }
    found
}

/// Two digits at the start of a text that are not part of something longer, and what stands behind them.
fn number(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
    (ends && digits.bytes().all(|digit| digit.is_ascii_digit())).then_some((digits.parse().ok()?, rest))
}

fn id(area: &str, number: u8) -> String {
    format!("{area}-{number:02}")
}

/// The areas that stand at the start of the lines of a list of ids.
#[must_use]
pub fn areas(list: &str) -> BTreeSet<String> {
    list.lines().filter_map(|line| line.split_once('-')).map(|(area, _)| area.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{areas, ids};

    #[test]
    fn ids_stand_alone_in_ranges_and_in_lists() {
        let areas = areas("INT-01..29\nMETA-01..40\nCC-01\n");
        let text =
            "INT-01..03, 05, 07..08: CMETA-01, XINT-02, INT-100, SHA-256; META-09, 12 pages, (CC-01), 600";
        let found: Vec<_> = ids(text, &areas).into_iter().collect();
        assert_eq!(
            found,
            ["CC-01", "INT-01", "INT-02", "INT-03", "INT-05", "INT-07", "INT-08", "META-09", "META-12"]
        );
    }
}
