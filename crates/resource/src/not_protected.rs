//! Why an API cannot be protected so.

use std::fmt;

/// A setting that is wrong, and the rule that it breaks.
#[derive(Clone, PartialEq, Eq)]
pub struct NotProtected {
    setting: &'static str,
    rule: &'static str,
}

impl NotProtected {
    pub(crate) const fn new(setting: &'static str, rule: &'static str) -> Self {
        Self { setting, rule }
    }
}

impl fmt::Display for NotProtected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.setting, self.rule)
    }
}

impl std::error::Error for NotProtected {}

chancery_core::error::debug_as_display!(NotProtected);
