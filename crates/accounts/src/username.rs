//! The name that a person types.

use chancery_types::Malformed;

/// 1 to 255 bytes without control characters; no white space at either end.
///
/// Two names that differ only in case belong to the same person, because nobody remembers how they wrote theirs.
///
/// ```
/// use chancery_accounts::Username;
/// let name = Username::parse(" Alice@Example.org ")?;
/// assert_eq!(name.as_str(), "Alice@Example.org");
/// assert_eq!(name.folded(), "alice@example.org");
/// # Ok::<(), chancery_types::Malformed>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(Box<str>);

impl Username {
    /// Takes the white space off both ends and checks the rest.
    ///
    /// # Errors
    /// [`Malformed`] when nothing is left, when it is too long, or when it has a control character.
    pub fn parse(typed: &str) -> Result<Self, Malformed> {
        let name = typed.trim();
        let is_good = (1..=255).contains(&name.len()) && !name.chars().any(char::is_control);
        if is_good { Ok(Self(name.into())) } else { Err(Malformed) }
    }

    /// As the person writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is compared.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_is_refused() {
        for typed in ["", "  ", "a\0b", "a\nb", &"x".repeat(256)] {
            assert_eq!(Username::parse(typed), Err(Malformed), "{typed:?}");
        }
    }

    #[test]
    fn case_is_folded_beyond_ascii() {
        assert_eq!(Username::parse("ÄNNE").unwrap().folded(), "änne");
    }
}
