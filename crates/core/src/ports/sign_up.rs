//! What becomes of a sign-up form.

use crate::model::Authentication;

/// What became of a sign-up form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignUpOutcome {
    /// There is a new account, and this is its person's first login.
    SignedUp(Authentication),
    /// There is none.
    Refused(SignUpRefusal),
}

/// What is wrong with a name or a password for a new account. The person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignUpRefusal {
    /// Somebody has this name, or one that looks like it.
    NameTaken,
    /// Nobody can have this name.
    NameUnacceptable,
    /// The password has fewer characters than this.
    PasswordTooShort(usize),
    /// The password is one of those that are guessed first.
    PasswordTooCommon,
    /// The password is the name.
    PasswordIsName,
    /// The password has characters that cannot be typed everywhere.
    PasswordUnacceptable,
}

impl SignUpRefusal {
    /// As logs and pages name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NameTaken => "name_taken",
            Self::NameUnacceptable => "name_unacceptable",
            Self::PasswordTooShort(_) => "password_too_short",
            Self::PasswordTooCommon => "password_too_common",
            Self::PasswordIsName => "password_is_name",
            Self::PasswordUnacceptable => "password_unacceptable",
        }
    }

    /// Whether it is the name that is wrong.
    #[must_use]
    pub const fn is_of_name(&self) -> bool {
        matches!(self, Self::NameTaken | Self::NameUnacceptable)
    }
}
