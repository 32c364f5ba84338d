//! The modules of the conformance suite (`conformance-modules.txt`), and the tests that carry their names.

use std::collections::BTreeSet;

/// The names at the start of the lines of the list; `#` begins a comment.
#[must_use]
pub fn modules(list: &str) -> BTreeSet<String> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(':')).map(|(module, _)| module.to_owned()).collect()
}

/// How the names of modules begin.
const FAMILIES: [&str; 4] = ["oidcc-", "fapi-ciba-id1", "fapi1-advanced-final", "fapi2-security-profile-"];

/// Everything in a text that looks like a module's name.
#[must_use]
pub fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
    words.filter(|word| FAMILIES.iter().any(|family| word.starts_with(family))).map(str::to_owned).collect()
}

/// The names in the first paragraph of the documentation of each test in a Rust file.
#[must_use]
pub fn carried(rust: &str) -> BTreeSet<String> {
    let (mut found, mut paragraph, mut has_ended) = (BTreeSet::new(), BTreeSet::new(), false);
    for line in rust.lines().map(str::trim_start) {
        match line.strip_prefix("///") {
            Some(line) if line.trim().is_empty() => has_ended = true,
            Some(line) if !has_ended => paragraph.extend(names(line)),
            Some(_) => {}
            None if line.starts_with("#[") => {
                if line == "#[test]" {
                    found.append(&mut paragraph);
                }
            }
            None => {
                paragraph.clear();
                has_ended = false;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{carried, modules, names};

    #[test]
    fn a_list_names_modules_and_where_they_run() {
        let list = "# modules\noidcc-server: basic implicit\noidcc-3rd_party-init-login: 3rdparty\n";
        assert_eq!(Vec::from_iter(modules(list)), ["oidcc-3rd_party-init-login", "oidcc-server"]);
    }

    #[test]
    fn a_name_ends_where_no_name_goes_on() {
        let text = "`oidcc-codereuse-30seconds`, oidcc-redirect-uri-query-OK: an oidcc module.";
        assert_eq!(Vec::from_iter(names(text)), ["oidcc-codereuse-30seconds", "oidcc-redirect-uri-query-OK"]);
    }

    #[test]
    fn the_name_of_a_profile_is_no_module() {
        let text = "fapi1-advanced, fapi2-security, fapi2-message-signing: fapi1-advanced-final";
        assert_eq!(Vec::from_iter(names(text)), ["fapi1-advanced-final"]);
    }

    #[test]
    fn only_the_first_paragraph_of_a_test_carries_names() {
        let rust = "
            //! oidcc-of-the-file
            /// oidcc-one, oidcc-two: both,
            /// oidcc-second-line
            ///
            /// oidcc-second-paragraph
            #[test]
            #[expect(clippy::panic)]
            fn test() {}

            /// oidcc-no-test
            fn other() {}
            #[test]
            fn bare() {}
        ";
        assert_eq!(Vec::from_iter(carried(rust)), ["oidcc-one", "oidcc-second-line", "oidcc-two"]);
    }
}
