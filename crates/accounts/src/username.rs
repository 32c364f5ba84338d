//! The name that a person types (RFC 8265 section 3.3).

use chancery_core::error::{Complaint, Complaints};
use chancery_types::Malformed;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};
use unicode_security::MixedScript as _;
use unicode_security::confusable_detection::skeleton;

/// A user name: letters and digits of any script and the printable characters of ASCII, 1 to 255 bytes.
///
/// Names that differ only in case, in width or in how their letters are composed are the same name, because
/// people cannot see how their device encodes what they type.
///
/// ```
/// # mod chancery { pub mod accounts { pub use chancery_accounts::Username; } }
/// use chancery::accounts::Username;
/// let name = Username::parse(" Alice@Example.org ")?;
/// assert_eq!(name.as_str(), "Alice@Example.org");
/// assert_eq!(name.canonical(), "alice@example.org");
/// # Ok::<(), chancery_types::Malformed>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    written: Box<str>,
    canonical: Box<str>,
}

/// The longest name, in bytes.
const LONGEST: usize = 255;

/// What anything else is told.
const NO_USERNAME: Malformed = Malformed::new(
    "a user name",
    "it has 1 to 255 bytes of letters, digits and printable ASCII characters, and no spaces (RFC 8265 section 3.3)",
);

impl Username {
    /// The rule in words, for error messages.
    pub const RULE: &str = "a user name has 1 to 255 bytes of letters, digits and printable ASCII characters, and no \
        spaces (RFC 8265 section 3.3)";

    /// Trims white space and enforces the profile UsernameCaseMapped (RFC 8265 section 3.3).
    ///
    /// # Errors
    /// [`Malformed`] for an empty or too long name, for characters that are not allowed in names, and for
    /// names that mix writing directions (RFC 5893 section 2).
    pub fn parse(typed: &str) -> Result<Self, Malformed> {
        let typed = typed.trim();
        if typed.len() > LONGEST {
            return Err(NO_USERNAME);
        }
        let written = UsernameCasePreserved::enforce(typed).map_err(|_| NO_USERNAME)?;
        let canonical = UsernameCaseMapped::enforce(typed).map_err(|_| NO_USERNAME)?;
        if [&written, &canonical].iter().any(|name| !(1..=LONGEST).contains(&name.len())) {
            return Err(NO_USERNAME);
        }
        Ok(Self { written: written.into(), canonical: canonical.into() })
    }

    /// The name as the person writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The form in which names are compared.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The skeleton, which names that look alike have in common (Unicode Technical Standard 39 section 4).
    pub(crate) fn appearance(&self) -> String {
        skeleton(&self.canonical).collect::<String>().to_lowercase()
    }

    /// Checks what is asked of the name of somebody new alone: that it does not mix letters of several scripts, which may
    /// look alike (Unicode Technical Standard 39 section 5.1). The scripts of Japanese, of Korean and of Chinese count
    /// as one each.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_new(&self) -> Result<(), Complaints> {
        if self.canonical.is_single_script() {
            return Ok(());
        }
        let rule = "mixes letters of several scripts, which may look alike";
        Err(vec![Complaint::new("username", rule, "Unicode Technical Standard 39 section 5.1")].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(typed: &str) -> String {
        Username::parse(typed).unwrap_or_else(|_| panic!("{typed:?} is refused")).canonical().to_owned()
    }

    /// FR-08: differences that nobody can see do not matter.
    #[test]
    fn one_name_however_it_is_typed() {
        for (typed, expected) in [
            ("Alice", "alice"),
            ("  alice\t", "alice"),
            ("\u{3000}alice\u{a0}", "alice"),
            ("\u{ff21}\u{ff4c}\u{ff49}\u{ff43}\u{ff45}", "alice"),
            ("alice\u{ff20}example.org", "alice@example.org"),
            ("\u{c4}nne", "\u{e4}nne"),
            ("A\u{308}nne", "\u{e4}nne"),
            ("A\u{30a}sa", "\u{e5}sa"),
            ("STRASSE", "strasse"),
            ("Stra\u{1e9e}e", "stra\u{df}e"),
            ("\u{3a3}\u{3a9}", "\u{3c3}\u{3c9}"),
            ("\u{130}lker", "i\u{307}lker"),
            ("\u{ff71}\u{ff72}", "\u{30a2}\u{30a4}"),
            ("o'neill+news_1-2.3", "o'neill+news_1-2.3"),
            ("\u{5d0}\u{5d1}1", "\u{5d0}\u{5d1}1"),
        ] {
            assert_eq!(canonical(typed), expected, "{typed:?}");
            assert_eq!(canonical(expected), expected, "{expected:?} again");
        }
    }

    #[test]
    fn malformed_names_are_refused() {
        let long = ["x".repeat(256), "x".repeat(4_096), "\u{e4}".repeat(128)];
        let rest = [
            "",
            "  ",
            "\u{3000}",
            "a\0b",
            "\0",
            "a\nb",
            "a\u{7f}",
            "a\u{85}b",
            "a b",
            "a\u{a0}b",
            // Invisible: zero width, joiners where none belongs, soft hyphen, word joiner, byte order mark,
            // variation, tags.
            "al\u{200b}ice",
            "al\u{200c}ice",
            "al\u{200d}ice",
            "al\u{ad}ice",
            "al\u{2060}ice",
            "\u{feff}alice",
            "alice\u{fe0f}",
            "alice\u{e0061}",
            "\u{200b}",
            "\u{34f}a",
            // Directions: marks, overrides, isolates, a number before Hebrew, Hebrew in the middle.
            "a\u{200e}",
            "\u{202e}ecila",
            "\u{2066}alice\u{2069}",
            "1\u{5d0}",
            "a\u{5d0}b",
            "\u{5d0}a",
            // Emoji, symbols, compatibility letters, private use, no characters.
            "alice\u{1f600}",
            "\u{2764}",
            "\u{fb01}nn",
            "\u{212b}sa",
            "\u{1d41a}lice",
            "\u{2460}",
            "a\u{2044}b",
            "a\u{2024}b",
            "\u{e000}",
            "\u{fffe}",
            "\u{10ffff}",
            "\u{fffd}",
        ];
        for typed in rest.into_iter().chain(long.iter().map(String::as_str)) {
            assert_eq!(Username::parse(typed), Err(NO_USERNAME), "{typed:?}");
        }
        assert!(Username::parse(&"x".repeat(255)).is_ok());
    }

    #[test]
    fn names_that_look_alike_have_one_appearance() {
        let appearance =
            |typed: &str| Username::parse(typed).unwrap_or_else(|_| panic!("{typed:?}")).appearance();
        for (one, other) in [
            ("alice", "\u{430}lice"),
            ("alice", "a1ice"),
            ("paypal", "\u{440}\u{430}\u{443}\u{440}\u{430}\u{4cf}"),
            ("robert", "r0bert"),
            ("corner", "comer"),
            ("admin", "adm\u{131}n"),
            ("scope", "\u{455}cope"),
            ("\u{3b1}", "a"),
        ] {
            assert_eq!(appearance(one), appearance(other), "{one:?} {other:?}");
        }
        for (one, other) in
            [("alice", "alicia"), ("anna", "\u{e4}nna"), ("strasse", "stra\u{df}e"), ("a.b", "ab")]
        {
            assert_ne!(appearance(one), appearance(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn one_script_at_a_time() {
        let mixes =
            |typed: &str| Username::parse(typed).unwrap_or_else(|_| panic!("{typed:?}")).check_new().is_err();
        for typed in ["\u{430}lice", "a\u{3bb}ice", "\u{5d0}\u{5d1}\u{627}"] {
            assert!(mixes(typed), "{typed:?}");
        }
        let single =
            ["alice_99@example.org", "\u{438}\u{432}\u{430}\u{43d}-7", "\u{65e5}\u{672c}\u{3054}\u{30a2}"];
        for typed in single {
            assert!(!mixes(typed), "{typed:?}");
        }
    }
}
