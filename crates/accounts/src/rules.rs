//! What a new password has to be (NIST SP 800-63B-4 section 3.1.1.2).

use std::collections::HashSet;

use chancery_core::error::Complaint;
use unicode_normalization::char::is_public_assigned;

use crate::{Password, Username};

const SECTION: &str = "NIST SP 800-63B-4 section 3.1.1.2";

/// Which passwords are taken, beside those that are too short or one character again and again: not those that everybody
/// tries first, nor the person's own name.
pub struct PasswordRules {
    /// In lower case.
    too_common: HashSet<Box<str>>,
}

impl PasswordRules {
    /// With a list of one's own: one password on each line, in upper or lower case.
    #[must_use]
    pub fn refusing(list: &str) -> Self {
        let lines = list.trim_start_matches('\u{feff}').lines().map(|line| Password::from(line).in_lower_case());
        // Shorter ones are refused in any case.
        let long_enough = lines.filter(|line| line.chars().count() >= Password::SHORTEST);
        Self { too_common: long_enough.map(|line| line.as_str().into()).collect() }
    }

    /// Checks a password for a person of this name.
    ///
    /// # Errors
    /// Everything that is wrong with it, without repeating it.
    pub fn check(&self, password: &Password, username: &Username) -> Result<(), Vec<Complaint>> {
        let lower_case = password.in_lower_case();
        let first = password.characters().next();
        let all_same = password.characters().all(|character| Some(character) == first);
        let is_shown = |character: char| !character.is_control() && is_public_assigned(character);
        let wrong = [
            (password.length() < Password::SHORTEST).then(|| {
                let shortest = Password::SHORTEST;
                format!("has to have at least {shortest} characters")
            }),
            all_same.then(|| "is one character again and again".to_owned()),
            password.characters().all(char::is_whitespace).then(|| "is blank".to_owned()),
            (!password.characters().all(is_shown)).then(|| "has a character that cannot be shown".to_owned()),
            self.too_common.contains(lower_case.as_str()).then(|| "is one of those that are tried first".to_owned()),
            (*lower_case == *username.canonical()).then(|| "is the user name".to_owned()),
        ];
        let complaints: Vec<_> =
            wrong.into_iter().flatten().map(|rule| Complaint::new("password", rule, SECTION)).collect();
        if complaints.is_empty() { Ok(()) } else { Err(complaints) }
    }
}

impl Default for PasswordRules {
    /// With some four hundred that are tried first everywhere.
    fn default() -> Self {
        Self::refusing(include_str!("blocklist.txt"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(rules: &PasswordRules, password: &str) -> Vec<String> {
        let username = Username::parse("Wolfeschlegel").unwrap();
        let checked = rules.check(&Password::from(password), &username);
        checked.err().unwrap_or_default().into_iter().map(|complaint| complaint.rule).collect()
    }

    #[test]
    fn what_is_taken() {
        let rules = PasswordRules::default();
        let long = "correct horse battery staple ".repeat(100);
        for password in [
            "correct horse",
            "Tr0ub4dor&3",
            " leading and trailing ",
            "aaaaaaab",
            "\u{430}\u{431}\u{432}\u{433}\u{434}\u{435}\u{436}\u{437}",
            "\u{1f469}\u{200d}\u{1f4bb}\u{2764}\u{fe0f}\u{1fae0}abc",
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd} 123",
            &long,
        ] {
            assert_eq!(complaints(&rules, password), [""; 0], "{password:?}");
        }
    }

    #[test]
    fn what_is_not_taken_and_why() {
        let rules = PasswordRules::default();
        for (password, why) in [
            ("", "at least 8"),
            ("1234567", "at least 8"),
            // Eight code points as typed, seven as compared.
            ("a\u{308}bcdefg", "at least 8"),
            ("kkkkkkkkkkkk", "again and again"),
            ("\u{e4}a\u{308}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}", "again and again"),
            ("          ", "is blank"),
            ("\u{a0}\u{2003}\u{3000}     ", "is blank"),
            ("correct\0horse", "cannot be shown"),
            ("correct\nhorse", "cannot be shown"),
            ("correct horse\u{7f}", "cannot be shown"),
            ("correct horse\u{ffff}", "cannot be shown"),
            ("correct horse\u{378}", "cannot be shown"),
            ("password123", "tried first"),
            ("PassWord123", "tried first"),
            ("12345678", "tried first"),
            ("wolfeschlegel", "the user name"),
            ("WOLFESCHLEGEL", "the user name"),
        ] {
            let found = complaints(&rules, password);
            assert!(found.iter().any(|rule| rule.contains(why)), "{password:?}: {found:?}");
        }
    }

    /// The list may have been written on another system, and in another normal form.
    #[test]
    fn a_list_of_ones_own_takes_the_place_of_ours() {
        let rules = PasswordRules::refusing("\u{feff}Our Company\r\nA\u{308}pfelba\u{308}ume\r\n\r\nshort\r\n");
        assert_eq!(complaints(&rules, "our company"), ["is one of those that are tried first"]);
        assert_eq!(complaints(&rules, "\u{e4}pfelb\u{e4}ume"), ["is one of those that are tried first"]);
        assert_eq!(complaints(&rules, "password123"), [""; 0]);
    }

    #[test]
    fn our_list_is_as_it_is_compared() {
        let list = include_str!("blocklist.txt");
        let wrong = |line: &&str| *Password::from(*line).in_lower_case() != **line || line.len() < Password::SHORTEST;
        assert_eq!(list.lines().filter(wrong).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(PasswordRules::default().too_common.len(), list.lines().count(), "none stands there twice");
    }
}
