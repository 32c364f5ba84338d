//! What becomes of the change of a password.

use crate::model::Authentication;

/// What became of the change of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordChangeOutcome {
    /// The account has the new one, which counts as a login with it at this moment.
    Changed(Authentication),
    /// The current one is another one. Nothing has changed.
    WrongPassword,
    /// The new one is not accepted, and the current one was not looked at.
    Refused(PasswordRefusal),
    /// Somebody else changed the account at the same moment. Nothing has changed by this.
    Overtaken,
}

/// What is wrong with a new password. The person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordRefusal {
    /// It has fewer characters than this.
    TooShort(usize),
    /// It is one of those that are guessed first.
    TooCommon,
    /// It is the name.
    IsName,
    /// It has characters that cannot be typed everywhere.
    Unacceptable,
    /// It is the current one.
    Unchanged,
}

impl PasswordRefusal {
    /// As logs and pages name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TooShort(_) => "password_too_short",
            Self::TooCommon => "password_too_common",
            Self::IsName => "password_is_name",
            Self::Unacceptable => "password_unacceptable",
            Self::Unchanged => "password_unchanged",
        }
    }
}
