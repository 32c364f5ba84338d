//! Rules for new passwords (NIST SP 800-63B-4 section 3.1.1.2).

use std::collections::HashSet;
use std::fmt;

use chancery_core::error::{Complaint, Complaints};
use unicode_normalization::char::is_public_assigned;

use crate::{Password, Username};

const SECTION: &str = "NIST SP 800-63B-4 section 3.1.1.2";

/// Which new passwords are accepted: none that is too short, repeats one character, is the user name, or is
/// on a list of the most common ones, which attackers try first.
pub struct PasswordRules {
    /// Common passwords in lower case.
    too_common: HashSet<Box<str>>,
}

impl PasswordRules {
    /// Rules with a list of your own: one password per line, in upper or lower case.
    #[must_use]
    pub fn refusing(list: &str) -> Self {
        let lines =
            list.trim_start_matches('\u{feff}').lines().map(|line| Password::from(line).in_lower_case());
        // Shorter ones are refused anyway.
        let long_enough = lines.filter(|line| line.chars().count() >= Password::SHORTEST);
        Self { too_common: long_enough.map(|line| line.as_str().into()).collect() }
    }

    /// Checks a password for a person of this name.
    ///
    /// # Errors
    /// Everything that is wrong with the password, which is never quoted.
    pub fn check(&self, password: &Password, username: &Username) -> Result<(), Complaints> {
        let broken = self.broken_by(password, username);
        let complaints: Vec<_> =
            broken.map(|rule| Complaint::new("password", rule.to_string(), SECTION)).collect();
        if complaints.is_empty() { Ok(()) } else { Err(complaints.into()) }
    }

    /// The rules that a password of a person of this name breaks.
    pub fn broken_by(&self, password: &Password, username: &Username) -> impl Iterator<Item = PasswordRule> {
        let lower_case = password.in_lower_case();
        let first = password.characters().next();
        let all_same = password.characters().all(|character| Some(character) == first);
        let is_allowed = |character: char| !character.is_control() && is_public_assigned(character);
        let broken = [
            (PasswordRule::Short, password.length() < Password::SHORTEST),
            (PasswordRule::OneCharacter, first.is_some() && all_same),
            (PasswordRule::Blank, first.is_some() && password.characters().all(char::is_whitespace)),
            (PasswordRule::Characters, !password.characters().all(is_allowed)),
            (PasswordRule::Common, self.too_common.contains(lower_case.as_str())),
            (PasswordRule::IsName, *lower_case == *username.canonical()),
        ];
        broken.into_iter().filter(|(_, is_broken)| *is_broken).map(|(rule, _)| rule)
    }
}

/// A rule for new passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRule {
    /// It has fewer than [`Password::SHORTEST`] characters.
    Short,
    /// It repeats one character.
    OneCharacter,
    /// It is blank.
    Blank,
    /// It has characters that cannot be typed everywhere.
    Characters,
    /// It is one of the most common ones.
    Common,
    /// It is the user name.
    IsName,
}

impl fmt::Display for PasswordRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => write!(f, "must have at least {} characters", Password::SHORTEST),
            Self::OneCharacter => f.write_str("repeats one character only"),
            Self::Blank => f.write_str("is blank"),
            Self::Characters => f.write_str("contains a control character or an unassigned one"),
            Self::Common => f.write_str("is one of the most common passwords"),
            Self::IsName => f.write_str("is the user name"),
        }
    }
}

impl Default for PasswordRules {
    /// Rules with a list of some four hundred common passwords.
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
    fn good_passwords_are_accepted() {
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
    fn bad_passwords_are_refused_with_the_reason() {
        let rules = PasswordRules::default();
        for (password, why) in [
            ("", "at least 8"),
            ("1234567", "at least 8"),
            // Eight code points as typed, seven as compared.
            ("a\u{308}bcdefg", "at least 8"),
            ("kkkkkkkkkkkk", "repeats one character"),
            ("\u{e4}a\u{308}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}", "repeats one character"),
            ("          ", "is blank"),
            ("\u{a0}\u{2003}\u{3000}     ", "is blank"),
            ("correct\0horse", "control character"),
            ("correct\nhorse", "control character"),
            ("correct horse\u{7f}", "control character"),
            ("correct horse\u{ffff}", "control character"),
            ("correct horse\u{378}", "control character"),
            ("password123", "most common"),
            ("PassWord123", "most common"),
            ("12345678", "most common"),
            ("wolfeschlegel", "the user name"),
            ("WOLFESCHLEGEL", "the user name"),
        ] {
            let found = complaints(&rules, password);
            assert!(found.iter().any(|rule| rule.contains(why)), "{password:?}: {found:?}");
        }
    }

    /// An empty password is too short, and nothing else is said of it.
    #[test]
    fn an_empty_password_breaks_one_rule() {
        let complaints = complaints(&PasswordRules::default(), "");
        assert_eq!(complaints, ["must have at least 8 characters"]);
    }

    /// The list may have been written on another system, and in another normal form.
    #[test]
    fn a_list_of_your_own_replaces_the_default() {
        let rules =
            PasswordRules::refusing("\u{feff}Our Company\r\nA\u{308}pfelba\u{308}ume\r\n\r\nshort\r\n");
        assert_eq!(complaints(&rules, "our company"), ["is one of the most common passwords"]);
        assert_eq!(complaints(&rules, "\u{e4}pfelb\u{e4}ume"), ["is one of the most common passwords"]);
        assert_eq!(complaints(&rules, "password123"), [""; 0]);
    }

    #[test]
    fn our_list_is_as_it_is_compared() {
        let list = include_str!("blocklist.txt");
        let wrong =
            |line: &&str| *Password::from(*line).in_lower_case() != **line || line.len() < Password::SHORTEST;
        assert_eq!(list.lines().filter(wrong).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(
            PasswordRules::default().too_common.len(),
            list.lines().count(),
            "no password is listed twice"
        );
    }
}
